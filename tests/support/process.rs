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
        Self::wait(Self::command(database, arguments))
    }

    /// The same, with its log as JSON in a file.
    pub fn start_logging(database: &str, arguments: &[&str], log: &Path) -> Self {
        let mut command = Self::command(database, arguments);
        command
            .env("LUCID_LOG_FORMAT", "json")
            .env("LUCID_LOG", "info");
        command.stderr(std::fs::File::create(log).expect("the log file"));
        Self::wait(command)
    }

    fn command(database: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(LUCID);
        // What is refused on purpose would fill the tests' output.
        command.env("LUCID_LOG", "error");
        command
            .args(["--database", database, "serve"])
            .args(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command
    }

    fn wait(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("lucid starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let mut said = String::new();
        let url = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("lucid ended before it served:\n{said}"))
                .expect("it prints text");
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

    /// Tells it to stop, as systemd does; it ends in good order within so many seconds.
    pub fn terminate(&mut self, seconds: u32) {
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        for _ in 0..seconds * 20 {
            if let Some(code) = self.child.try_wait().expect("it can be waited for") {
                assert!(code.success(), "{code}");
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("it did not end within {seconds} seconds");
    }

    /// Starts the demo on a database file in this folder.
    pub fn demo(folder: &Path) -> Self {
        Self::start(
            &format!("sqlite:{}", folder.join("demo.db").display()),
            &["--demo"],
        )
    }

    /// The one-time link printed for a role (or the first printed link that holds the text).
    pub fn link(&self, holds: &str) -> String {
        let line = self
            .said
            .lines()
            .find(|l| l.contains(holds) && l.contains("/link/"));
        let line = line.unwrap_or_else(|| panic!("no link with {holds} in:\n{}", self.said));
        line.split_whitespace()
            .last()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The link that sets a new password for an address, as the operator prints it.
pub fn user_link(database: &str, email: &str) -> String {
    let (code, out, err) = run(&["--database", database, "user", "link", email]);
    assert_eq!(code, 0, "{err}");
    out.trim().to_owned()
}

/// Runs `lucid` to its end; exit code, standard output and standard error.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let done = Command::new(LUCID)
        .args(arguments)
        .output()
        .expect("lucid starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
    (
        done.status.code().unwrap_or(-1),
        text(done.stdout),
        text(done.stderr),
    )
}
