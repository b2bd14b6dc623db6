//! A terraform that runs: its output as it comes, signals to it, and its end.
//!
//! All of it is plain threads and blocking calls. The fake API runs on a thread of its own, so tests need no
//! async runtime and are plain `#[test]`s.

use std::fmt;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// Longer than any healthy command takes on a busy machine: beyond it something hangs.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// A command under way, leader of a process group of its own, as it would be under a shell. Dropped before it
/// ended, it is killed with its group.
pub struct Running {
    child: Child,
    ended: Option<ExitStatus>,
    stdout: Capture,
    stderr: Capture,
    command: String,
    directory: PathBuf,
}

/// A command that ended, with all it printed.
#[derive(Clone)]
pub struct Output {
    command: String,
    directory: PathBuf,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self {
            stdout: Capture::of(child.stdout.take().expect("stdout is piped")),
            stderr: Capture::of(child.stderr.take().expect("stderr is piped")),
            command: described(&command),
            directory: command.get_current_dir().map_or_else(PathBuf::new, PathBuf::from),
            child,
            ended: None,
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().expect("a pid is positive"))
    }

    /// What Ctrl-C does: SIGINT to the whole group, terraform and its plugins alike.
    pub fn interrupt(&mut self) {
        self.signal_group(Signal::SIGINT);
    }

    /// A signal to terraform and its plugins alike.
    pub fn signal_group(&mut self, signal: Signal) {
        if self.poll().is_none() {
            killpg(self.pid(), signal).expect("the group of our own child takes a signal");
        }
    }

    /// A signal to terraform itself, and not to its plugins.
    pub fn signal(&mut self, signal: Signal) {
        if self.poll().is_none() {
            kill(self.pid(), signal).expect("our own child takes a signal");
        }
    }

    /// Waits until the command has printed this, on either stream.
    pub fn wait_until_it_prints(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        let found = self.stdout.wait_for(text, deadline) || self.stderr.text().contains(text);
        assert!(found, "it never printed {text:?}\n{}", self.so_far("still running"));
    }

    /// Waits for the end of the command itself; processes it left behind are not waited for.
    pub fn wait(self) -> Output {
        self.wait_at_most(PATIENCE)
    }

    /// As [`wait`](Self::wait), and fails the test if it takes longer than this.
    pub fn wait_at_most(mut self, limit: Duration) -> Output {
        let deadline = Instant::now() + limit;
        // Polled by the one owner of the child, since a waiting thread would free the pid, and with it the
        // group's id, while this side still sends signals to it.
        let status = loop {
            match self.poll() {
                Some(status) => break status,
                None if Instant::now() >= deadline => {
                    panic!("no end after {limit:?}\n{}", self.so_far("still running, killed now"))
                }
                None => thread::sleep(Duration::from_millis(3)),
            }
        };
        Output {
            stdout: self.stdout.finish(),
            stderr: self.stderr.finish(),
            command: std::mem::take(&mut self.command),
            directory: std::mem::take(&mut self.directory),
            status,
        }
    }

    fn poll(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("our own child can be waited for");
        }
        self.ended
    }

    fn so_far(&self, status: &str) -> String {
        report(
            &self.command,
            &self.directory,
            status,
            &self.stdout.text(),
            &self.stderr.text(),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.poll().is_none() {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}

impl Output {
    /// The exit code; a command ended by a signal has none.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Fails the test unless the command ended with this exit code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "expected exit code {code}\n{self:?}");
        self
    }

    #[track_caller]
    pub fn expect_success(self) -> Self {
        self.expect_code(0)
    }

    #[track_caller]
    pub fn expect_failure(self) -> Self {
        self.expect_code(1)
    }

    /// What a person reads in the boxes around messages, on one line: boxes break their lines anywhere.
    pub fn messages(&self) -> String {
        let lines = self.stderr.lines().chain(self.stdout.lines());
        let inside = lines.map(|line| line.trim_start_matches(['│', '╷', '╵']));
        inside.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    /// Both streams, for a look at what a person would have seen.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Shown when a test fails: command, directory, exit status and both streams.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&report(
            &self.command,
            &self.directory,
            &self.status.to_string(),
            &self.stdout,
            &self.stderr,
        ))
    }
}

fn report(command: &str, directory: &std::path::Path, status: &str, stdout: &str, stderr: &str) -> String {
    format!(
        "command:   {command}\ndirectory: {}\nstatus:    {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}",
        directory.display()
    )
}

fn described(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// One stream, collected by a thread.
struct Capture {
    shared: Arc<(Mutex<Collected>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    closed: bool,
}

impl Capture {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Collected::default()), Condvar::new()));
        let writer = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let (collected, news) = &*writer;
            let mut chunk = [0; 8192];
            while let Ok(length @ 1..) = stream.read(&mut chunk) {
                collected.lock().unwrap().bytes.extend_from_slice(&chunk[..length]);
                news.notify_all();
            }
            collected.lock().unwrap().closed = true;
            news.notify_all();
        });
        Self {
            shared,
            thread: Some(thread),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shared.0.lock().unwrap().bytes).into_owned()
    }

    /// Whether the text came before the stream closed or the deadline passed.
    fn wait_for(&self, text: &str, deadline: Instant) -> bool {
        let (collected, news) = &*self.shared;
        let mut collected = collected.lock().unwrap();
        loop {
            if String::from_utf8_lossy(&collected.bytes).contains(text) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if collected.closed || left.is_zero() {
                return false;
            }
            collected = news.wait_timeout(collected, left).unwrap().0;
        }
    }

    /// The whole text. A process that outlives its parent may hold the stream open, so this waits for the end
    /// of the stream only shortly.
    fn finish(&mut self) -> String {
        let (collected, news) = &*self.shared;
        let guard = collected.lock().unwrap();
        let (guard, waited) = news
            .wait_timeout_while(guard, Duration::from_secs(5), |stream| !stream.closed)
            .unwrap();
        drop(guard);
        if !waited.timed_out()
            && let Some(thread) = self.thread.take()
        {
            thread.join().expect("the reader does not panic");
        }
        self.text()
    }
}

/// How much memory of a process is resident now, in bytes.
#[cfg(target_os = "linux")]
pub fn resident_memory(pid: u32) -> usize {
    memory(pid, "VmRSS")
}

/// How much memory of a process is resident now, in bytes. `ps` says so in KiB on every Unix.
#[cfg(not(target_os = "linux"))]
pub fn resident_memory(pid: u32) -> usize {
    let output = Command::new("ps").args(["-o", "rss=", "-p", &pid.to_string()]).output();
    let printed = String::from_utf8(output.expect("a ps on PATH").stdout).expect("text");
    printed.trim().parse::<usize>().expect("a running process has a size") * 1024
}

/// What Linux says of a process's memory, in bytes: `VmRSS` is resident now, `VmHWM` the most that ever was, and
/// `VmPeak` the most address space. Other systems tell no peak of another process, so what is asserted of a peak is
/// asserted on Linux only.
#[cfg(target_os = "linux")]
pub fn memory(pid: u32, field: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("a size");
    kilobytes.parse::<usize>().expect("a number") * 1024
}
