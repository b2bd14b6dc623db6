//! The example receiver, run as its page says.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::process::Running;

/// `examples/receiver/receiver.py` on a port of its own.
pub struct Receiver {
    running: Running,
    url: String,
    read: usize,
}

impl Receiver {
    /// Waits until it listens.
    pub fn start(command: Command) -> Self {
        let mut running = Running::start(command);
        let listening: Value = serde_json::from_str(&running.wait_for_line(0)).expect("lines of JSON");
        let url = listening["listening"].as_str().expect("it says where it listens");
        Self {
            url: url.to_owned(),
            running,
            read: 1,
        }
    }

    /// With these secrets in its environment, and these arguments.
    pub fn with_secrets(secrets: &str, arguments: &[&str]) -> Self {
        let mut command = Self::command();
        command.env("HEYGEN_WEBHOOK_SECRET", secrets).args(arguments);
        Self::start(command)
    }

    /// With a file that has the secrets, or will have them.
    pub fn with_secrets_in(file: &Path) -> Self {
        let mut command = Self::command();
        command.arg("--secrets").arg(file);
        Self::start(command)
    }

    /// How it is started, with neither secrets nor any other argument than its port.
    pub fn command() -> Command {
        let mut command = Command::new("python3");
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/receiver/receiver.py"))
            .args(["--port", "0"])
            .env_remove("HEYGEN_WEBHOOK_SECRET");
        command
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it says of the next delivery.
    pub fn says(&mut self) -> Value {
        self.read += 1;
        serde_json::from_str(&self.running.wait_for_line(self.read - 1)).expect("lines of JSON")
    }
}
