//! A `lucid serve` of the test's own, on a free port, ended with the test.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// The binary under test.
pub const LUCID: &str = env!("CARGO_BIN_EXE_lucid");

/// A running server.
pub struct Served {
    child: Child,
    /// Where it is, as `http://localhost:4711`.
    pub url: String,
    /// What it printed before it served.
    pub said: String,
}

impl Served {
    /// Starts `lucid serve` with these arguments and waits until it serves.
    pub fn start(database: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(LUCID)
            .args(["--database", database, "serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("lucid starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let mut said = String::new();
        let url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("lucid ended before it served:\n{said}")).expect("it prints text");
            if let Some(rest) = line.strip_prefix("Lucid serves on ") {
                break rest.split(' ').next().unwrap_or_default().to_owned();
            }
            said.push_str(&line);
            said.push('\n');
        };
        // Keep reading, so that it never blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url, said }
    }

    /// Tells it to stop, as systemd does, and waits until it has; how long that took.
    pub fn terminate(&mut self) -> std::time::Duration {
        let begin = std::time::Instant::now();
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let code = self.child.wait().expect("it ends");
        assert!(code.success(), "{code}");
        begin.elapsed()
    }

    /// Starts the demo on a database file in this folder.
    pub fn demo(folder: &Path) -> Self {
        Self::start(&format!("sqlite:{}", folder.join("demo.db").display()), &["--demo"])
    }

    /// The one-time link printed for a role (or the first printed link that holds the text).
    pub fn link(&self, holds: &str) -> String {
        let line = self.said.lines().find(|l| l.contains(holds) && l.contains("/link/"));
        let line = line.unwrap_or_else(|| panic!("no link with {holds} in:\n{}", self.said));
        line.split_whitespace().last().unwrap_or_default().to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `lucid` to its end; exit code, standard output and standard error.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let done = Command::new(LUCID).args(arguments).output().expect("lucid starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
    (done.status.code().unwrap_or(-1), text(done.stdout), text(done.stderr))
}
