//! What a shell was told to do: the program of a command line that failed, and the line in a form
//! in which lines of different people can be compared. A shell is one tool to the agent; to its
//! failures each program is one.

use serde_json::{Map, Value};

/// Names of tools that run a command line, in lower case without signs.
const SHELLS: &[&str] = &[
    "bash",
    "shell",
    "sh",
    "zsh",
    "terminal",
    "exec",
    "execcommand",
    "executebash",
    "executecommand",
    "runcommand",
    "runshellcommand",
    "runterminalcmd",
    "runinterminal",
    "localshell",
    "localshellcall",
    "powershell",
    "cmd",
    "command",
];
/// Programs whose first word says what they do: `npm ci`, `git push`.
const WITH_VERB: &[&str] = &[
    "git",
    "npm",
    "yarn",
    "pnpm",
    "cargo",
    "docker",
    "kubectl",
    "pip",
    "pip3",
    "go",
    "apt",
    "apt-get",
    "gh",
    "make",
    "terraform",
    "helm",
    "aws",
    "gcloud",
    "az",
    "uv",
    "poetry",
    "bundle",
    "rails",
    "dotnet",
    "mvn",
    "gradle",
    "systemctl",
    "brew",
    "conda",
    "bazel",
    "just",
    "nox",
    "tox",
    "deno",
    "bun",
    "composer",
    "mix",
    "flutter",
    "heroku",
    "fly",
    "vercel",
    "supabase",
    "psql",
    "prisma",
];
/// Programs that run another program.
const RUNNERS: &[&str] = &[
    "sudo", "time", "nohup", "npx", "env", "command", "exec", "xargs", "bunx", "pnpx",
];
/// Programs that prepare a command and are hardly what failed.
const PREPARES: &[&str] = &[
    "cd", "export", "source", ".", "echo", "set", "true", "pushd", "popd", "mkdir", "sleep",
    "unset",
];
/// Words of a shell's language, which run nothing.
const KEYWORDS: &[&str] = &[
    "for", "do", "done", "while", "until", "if", "then", "else", "elif", "fi", "case", "esac",
    "in", "function", "{", "}", "(", ")", "[", "[[",
];
/// How much of a command line is looked at, in characters.
const LOOKED_AT: usize = 2_000;
/// Longest command line that is kept, in characters.
const LONGEST: usize = 120;

/// True if a tool runs a command line.
#[must_use]
pub fn is_shell(tool: &str) -> bool {
    let name: String = tool
        .rsplit(['.', ':', '/'])
        .next()
        .unwrap_or(tool)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    SHELLS.contains(&name.to_ascii_lowercase().as_str())
}

/// The command line of a shell's call; none for another tool.
#[must_use]
pub fn line_of(tool: &str, arguments: &Map<String, Value>) -> Option<String> {
    if !is_shell(tool) {
        return None;
    }
    let line = ["command", "cmd", "script", "code", "input"]
        .iter()
        .find_map(|key| match arguments.get(*key)? {
            Value::String(s) => Some(s.clone()),
            Value::Array(all) => {
                let words: Option<Vec<&str>> = all.iter().map(Value::as_str).collect();
                let words = words?;
                // `["bash", "-lc", "npm ci"]`
                Some(
                    if words.len() == 3 && words[1].starts_with('-') && words[1].ends_with('c') {
                        words[2].to_owned()
                    } else {
                        words.join(" ")
                    },
                )
            }
            _ => None,
        })?;
    // What a heredoc holds is no command.
    let line = line
        .split_once("<<")
        .map_or(line.as_str(), |(before, _)| before);
    let line: String = line.chars().take(LOOKED_AT).collect();
    (!line.trim().is_empty()).then_some(line)
}

/// The program of a command line that failed with this message: the one that the message names,
/// else the last one that does the work.
#[must_use]
pub fn program(line: &str, said: &str) -> Option<String> {
    if let Some(missing) = not_found(said) {
        return Some(missing);
    }
    let all: Vec<String> = commands(line).iter().filter_map(|c| name_of(c)).collect();
    let names = |p: &&String| {
        let first = p.split(' ').next().unwrap_or_default();
        said.to_lowercase()
            .starts_with(&format!("{}:", first.to_lowercase()))
    };
    all.iter()
        .find(names)
        .or_else(|| all.iter().rev().find(|p| !PREPARES.contains(&p.as_str())))
        .or(all.last())
        .cloned()
}

/// The first words of the command that does the work, as far as they say what it does: `dbt deps`,
/// `pytest`.
#[must_use]
pub fn verb(line: &str) -> Option<String> {
    let all = commands(line);
    let works = |c: &&Vec<String>| name_of(c).is_some_and(|n| !PREPARES.contains(&n.as_str()));
    let words = all.iter().rev().find(works)?;
    let name = name_of(words)?;
    let program = name.split(' ').next().unwrap_or_default();
    let after = words.iter().skip_while(|w| base(w) != program).skip(1);
    let verbs: Vec<&str> = after
        .map(String::as_str)
        .take_while(|w| is_verb(w))
        .take(2)
        .collect();
    Some([&[program], &verbs[..]].concat().join(" "))
}

/// The program that a shell did not find.
fn not_found(said: &str) -> Option<String> {
    let rest = said
        .strip_suffix(": command not found")
        .or_else(|| said.strip_suffix(": not found"))
        .map(|r| r.rsplit(": ").next());
    let name = rest
        .flatten()
        .or_else(|| said.split_once("command not found: ").map(|(_, name)| name))?;
    is_program(name).then(|| name.to_owned())
}

/// The simple command that counts, in a form of one line.
#[must_use]
pub fn shown(line: &str) -> Option<String> {
    let all = commands(line);
    let works = |c: &&Vec<String>| name_of(c).is_some_and(|n| !PREPARES.contains(&n.as_str()));
    let words = all.iter().rev().find(works).or(all.last())?;
    let shown = words.join(" ");
    (shown.chars().count() <= LONGEST && !shown.chars().any(char::is_control)).then_some(shown)
}

/// True if a command may hold a credential: it names one, or gives a user with a password.
#[must_use]
pub fn may_hold_a_credential(shown: &str) -> bool {
    let lower = shown.to_lowercase();
    let names = [
        "password",
        "passwd",
        "pwd=",
        "secret",
        "token",
        "apikey",
        "api_key",
        "api-key",
        "credential",
        "bearer",
        "authorization",
    ];
    let glued = || {
        lower.split(' ').any(|w| {
            w.len() > 3
                && w.starts_with("-p")
                && !w.starts_with("--")
                && w.chars().any(|c| c.is_ascii_digit())
        })
    };
    let user = || {
        lower
            .split(' ')
            .collect::<Vec<_>>()
            .windows(2)
            .any(|w| matches!(w[0], "-u" | "--user") && w[1].contains(':'))
    };
    names.iter().any(|n| lower.contains(n)) || glued() || user()
}

/// A command line with what differs between people masked: paths, addresses, quoted words and
/// numbers.
#[must_use]
pub fn masked(shown: &str) -> String {
    let mask = |word: &str| {
        if is_verb(word) && shown.contains(&format!(" run {word}")) {
            // `npm run registry:login`: a script of the project's.
            word.to_owned()
        } else if word.contains("://") {
            "<url>".to_owned()
        } else if let Some((name, _)) = word.split_once('=') {
            format!("{name}=<value>")
        } else if word.starts_with('-') && word.chars().any(|c| c.is_ascii_digit()) {
            // A value may be glued to a short option.
            "<option>".to_owned()
        } else if word.contains([':', '@']) {
            "<value>".to_owned()
        } else if word.contains('/') && !word.starts_with('-') {
            "<path>".to_owned()
        } else if !word.starts_with('-') && word.chars().any(|c| c.is_ascii_digit()) {
            "<n>".to_owned()
        } else {
            word.to_owned()
        }
    };
    let (mut unquoted, mut rest) = (String::new(), shown);
    while let Some(open) = rest.find(['"', '\'']) {
        let Some(close) = rest[open + 1..].find(&rest[open..=open]) else {
            break;
        };
        unquoted.push_str(&rest[..open]);
        unquoted.push_str("<value>");
        rest = &rest[open + close + 2..];
    }
    unquoted.push_str(rest);
    unquoted.split(' ').map(mask).collect::<Vec<_>>().join(" ")
}

/// The first commands of the line's pipelines, each as its words; what is quoted stays together.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let (mut quote, mut piped) = (None, false);
    let mut chars = line.chars().peekable();
    let end =
        |words: &mut Vec<String>, word: &mut String, piped: bool, all: &mut Vec<Vec<String>>| {
            if !word.is_empty() {
                words.push(std::mem::take(word));
            }
            let command = std::mem::take(words);
            if !command.is_empty() && !piped && all.len() < 50 {
                all.push(command);
            }
        };
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) => {
                word.push(c);
                if c == q {
                    quote = None;
                }
            }
            (None, '"' | '\'') => {
                quote = Some(c);
                word.push(c);
            }
            (None, '\\') if chars.peek() == Some(&'\n') => {
                chars.next();
            }
            (None, '&') if word.ends_with('>') => word.push('&'),
            (None, ';' | '\n' | '&' | '|') => {
                let double = matches!(c, '&' | '|') && chars.peek() == Some(&c);
                if double {
                    chars.next();
                }
                end(&mut words, &mut word, piped, &mut all);
                piped = c == '|' && !double;
            }
            (None, c) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (None, c) => word.push(c),
        }
    }
    end(&mut words, &mut word, piped, &mut all);
    let is_command = |c: &Vec<String>| c.first().is_some_and(|w| !KEYWORDS.contains(&w.as_str()));
    all.into_iter()
        .map(|c| without_redirections(&c))
        .filter(is_command)
        .collect()
}

fn without_redirections(words: &[String]) -> Vec<String> {
    let is_redirection = |w: &str| {
        w.trim_start_matches(|c: char| c.is_ascii_digit())
            .starts_with(['>', '<'])
    };
    words
        .iter()
        .filter(|w| !is_redirection(w))
        .cloned()
        .collect()
}

/// The program's name, with its verb where it has one.
fn name_of(words: &[String]) -> Option<String> {
    let is_setting = |w: &str| {
        w.split_once('=')
            .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    let mut rest = words
        .iter()
        .map(String::as_str)
        .skip_while(|w| is_setting(w))
        .peekable();
    let mut program = base(rest.next()?);
    while RUNNERS.contains(&program) || (matches!(program, "timeout") && rest.peek().is_some()) {
        let word = rest.by_ref().find(|w| {
            !w.starts_with('-') && !w.starts_with(|c: char| c.is_ascii_digit()) && !is_setting(w)
        })?;
        program = base(word);
    }
    if matches!(program, "uv" | "poetry" | "bundle" | "pipenv")
        && matches!(rest.peek(), Some(&("run" | "exec")))
    {
        rest.next();
        program = base(rest.next()?);
    }
    if matches!(program, "python" | "python3") && rest.peek() == Some(&"-m") {
        rest.next();
        program = rest.next()?;
    }
    if !is_program(program) {
        return None;
    }
    let verb = rest
        .find(|w| !w.starts_with('-'))
        .filter(|w| WITH_VERB.contains(&program) && is_verb(w));
    Some(verb.map_or_else(|| program.to_owned(), |verb| format!("{program} {verb}")))
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_program(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+'))
}

fn is_verb(word: &str) -> bool {
    (1..=24).contains(&word.len())
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || matches!(c, '-' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_that_failed() {
        for (line, said, wanted) in [
            ("ps aux", "/bin/sh: 1: ps: not found", "ps"),
            ("cd app && npm ci", "`npm ci` can only install", "npm ci"),
            (
                "sudo apt-get -y install jq 2>&1 | tail -3",
                "E: Unable to locate package",
                "apt-get install",
            ),
            (
                "FOO=1 python -m pytest tests/ -x",
                "fixture 'x' not found",
                "pytest",
            ),
            (
                "git add . && git push origin main",
                "fatal: no upstream",
                "git push",
            ),
            ("timeout 30 ./run.sh --fast", "boom", "run.sh"),
            ("zzz", "zsh: command not found: zzz", "zzz"),
            (
                "tar xf a.tgz && make test",
                "tar: a.tgz: Cannot open",
                "tar",
            ),
            (
                "echo \"a && b\"; cat 'x y'",
                "cat: x y: No such file",
                "cat",
            ),
        ] {
            assert_eq!(program(line, said).as_deref(), Some(wanted), "{line}");
        }
        assert_eq!(program("$(evil", "x"), None);
    }

    #[test]
    fn a_command_line_is_found_in_the_arguments_of_shells_only() {
        let arguments = |json: &str| serde_json::from_str(json).unwrap();
        assert_eq!(
            line_of("Bash", &arguments(r#"{"command":"ls"}"#)).as_deref(),
            Some("ls")
        );
        assert_eq!(
            line_of(
                "functions.shell",
                &arguments(r#"{"command":["bash","-lc","npm ci"]}"#)
            )
            .as_deref(),
            Some("npm ci")
        );
        assert_eq!(line_of("book", &arguments(r#"{"command":"ls"}"#)), None);
        assert_eq!(
            shown("cd x && npm install --no-audit 2>&1 | tail").as_deref(),
            Some("npm install --no-audit")
        );
        assert_eq!(
            masked("pytest tests/a.py -k \"x y\" 3"),
            "pytest <path> -k <value> <n>"
        );
        assert_eq!(
            masked("npm run registry:login --user=ana a:1"),
            "npm run registry:login --user=<value> <value>"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(line in ".{0,200}", said in ".{0,80}") {
            let _ = program(&line, &said);
            let _ = shown(&line).map(|s| masked(&s));
        }
    }
}
