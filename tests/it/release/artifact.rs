//! The binary itself.

use std::fs;

use super::{released_binary, root, script};

/// The largest binary that is released, in bytes.
const LARGEST: usize = 7_500_000;

#[test]
fn the_binary_tells_nothing_of_the_machine_that_built_it() {
    let content = fs::read(released_binary()).unwrap();
    let home = std::env::var("HOME").expect("cargo has a home");
    let cargo_home = std::env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    for folder in [&home, &cargo_home, root().to_str().unwrap()] {
        let folder = format!("{folder}/");
        let at = find(&content, folder.as_bytes());
        let around = at.map(|at| String::from_utf8_lossy(&content[at..content.len().min(at + 200)]).into_owned());
        assert_eq!(around, None, "{folder} is in the binary");
    }
    // What stands in the place of those paths, so that this would find them.
    assert!(find(&content, b"/cargo/registry/").is_some());
}

#[test]
fn the_binary_is_small() {
    let length = fs::read(released_binary()).unwrap().len();
    assert!(length < LARGEST, "{length} bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn the_binary_needs_no_library_and_no_interpreter() {
    let setting = script("build", ["setting"]).expect_success().stdout;
    assert!(
        setting.contains("\"static\": true"),
        "there is no C library to link in: install the package that has libc.a (libc6-dev, glibc-static)\n{setting}"
    );
    let elf = Elf(fs::read(released_binary()).unwrap());
    assert_eq!(elf.interpreter(), None);
    assert_eq!(elf.needed_libraries(), 0);
    assert!(elf.is_position_independent(), "its addresses are the same in every run");
    // What this test looks for is found where it is.
    let dynamic = Elf(fs::read(env!("CARGO_BIN_EXE_terraform-provider-heygen")).unwrap());
    assert!(dynamic.interpreter().unwrap().contains("ld-linux"));
    assert!(dynamic.needed_libraries() > 0);
}

fn find(content: &[u8], wanted: &[u8]) -> Option<usize> {
    content.windows(wanted.len()).position(|window| window == wanted)
}

/// An executable of Linux, with addresses of 64 bits, little end first.
#[cfg(target_os = "linux")]
struct Elf(Vec<u8>);

#[cfg(target_os = "linux")]
impl Elf {
    const LOAD: usize = 1;
    const DYNAMIC: usize = 2;
    const INTERPRETER: usize = 3;

    fn number(&self, at: usize, length: usize) -> usize {
        let bytes = self.0[at..at + length].iter().rev();
        bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    fn is_position_independent(&self) -> bool {
        self.number(16, 2) == 3
    }

    /// Where in the file the segments of a kind are, and how long.
    fn segments(&self, kind: usize) -> Vec<(usize, usize)> {
        assert!(self.0.starts_with(b"\x7fELF\x02\x01"), "no such executable");
        let (table, entry, count) = (self.number(32, 8), self.number(54, 2), self.number(56, 2));
        let headers = (0..count).map(|index| table + index * entry);
        let of_kind = headers.filter(|header| self.number(*header, 4) == kind);
        of_kind
            .map(|header| (self.number(header + 8, 8), self.number(header + 32, 8)))
            .collect()
    }

    fn interpreter(&self) -> Option<String> {
        assert!(!self.segments(Self::LOAD).is_empty(), "nothing is loaded of it");
        let segment = self.segments(Self::INTERPRETER).first().copied();
        segment.map(|(start, length)| String::from_utf8_lossy(&self.0[start..start + length]).into_owned())
    }

    fn needed_libraries(&self) -> usize {
        const NEEDED: usize = 1;
        let segments = self.segments(Self::DYNAMIC).into_iter();
        let entries = segments.flat_map(|(start, length)| (start..start + length).step_by(16));
        entries.filter(|entry| self.number(*entry, 8) == NEEDED).count()
    }
}
