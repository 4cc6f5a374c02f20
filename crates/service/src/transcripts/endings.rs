//! How a session ended where nobody labelled it: thumbs that its export holds, the tests or builds
//! that it ran last, or what the person said at its end. The last is a claim: it is kept and shown,
//! and decides nothing.

use domain::event::{
    Event, EventKind, Outcome, OutcomeResult, OutcomeSource, SessionHead, Speaker,
};
use serde_json::Value;

/// The signs of how a session ended, so far.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// The calls of checks that were not answered yet.
    running: Vec<Option<String>>,
    /// True if the last check passed.
    passed: Option<bool>,
    /// The person's last words say that it worked.
    claimed: bool,
}

/// Commands that check what was done, as words of a shell line.
const CHECKS: &[&str] = &[
    "cargo test",
    "cargo build",
    "cargo check",
    "cargo clippy",
    "cargo nextest",
    "go test",
    "go build",
    "go vet",
    "pytest",
    "python -m unittest",
    "tox",
    "npm test",
    "npm run test",
    "npm run build",
    "pnpm test",
    "pnpm build",
    "yarn test",
    "yarn build",
    "jest",
    "vitest",
    "tsc",
    "mvn test",
    "mvn verify",
    "mvn package",
    "gradle test",
    "gradle build",
    "gradlew test",
    "gradlew build",
    "make test",
    "make check",
    "ctest",
    "dotnet test",
    "dotnet build",
    "bundle exec rspec",
    "rspec",
    "rake test",
    "mix test",
    "phpunit",
    "swift test",
    "swift build",
    "bazel test",
    "bazel build",
    "flutter test",
    "deno test",
    "bun test",
];
/// Parts of the answer of a check that failed although its command line hid it.
const FAILED: &[&str] = &[
    "test result: FAILED",
    "FAILED (failures=",
    "Tests failed",
    "BUILD FAILED",
    "BUILD FAILURE",
    "npm ERR!",
    "error: could not compile",
];
/// Words of a person about something that worked, in lower case.
const WORKED: &[&str] = &[
    "that worked",
    "it worked",
    "that works",
    "it works now",
    "works now",
    "works great",
    "works perfectly",
    "that fixed it",
    "fixed, thanks",
    "problem solved",
    "issue resolved",
    "das hat funktioniert",
    "funktioniert jetzt",
    "ça marche",
    "funciona ahora",
    "perfect, thank",
];
/// Words that withdraw such a sentence.
const BUT: &[&str] = &[
    "but ", "except", "almost", "not yet", "still ", "however", "doesn't", "does not", "aber ",
    "mais ", "pero ",
];
/// Longest sentence that is a claim, in characters: a longer one says more.
const CLAIM_CHARS: usize = 160;
/// Keys under which exports hold what a person thought of a session.
const FEEDBACK: &[&str] = &["feedback", "thumbs", "rating", "user_feedback", "vote"];

impl Ending {
    /// Notes what an event says of the end.
    pub fn see(&mut self, event: &Event) {
        match (event.kind, event.speaker) {
            _ if event.thread.is_some() => {}
            (EventKind::ToolUse, _) if is_check(&event.text) => {
                self.running.push(event.tool_use_id.clone());
            }
            (EventKind::ToolResult, _) if self.running.contains(&event.tool_use_id) => {
                self.running.retain(|id| *id != event.tool_use_id);
                self.passed =
                    Some(!event.is_error && !FAILED.iter().any(|cue| event.text.contains(cue)));
            }
            (EventKind::User, Speaker::Person) => self.claimed = is_claim(&event.text),
            _ => {}
        }
    }

    /// How the session ended, as far as can be told.
    pub fn outcome(&self, head: &SessionHead) -> Option<Outcome> {
        let of = |good: bool, source| Outcome {
            result: if good {
                OutcomeResult::Success
            } else {
                OutcomeResult::Failure
            },
            score: None,
            source,
        };
        let liked = FEEDBACK
            .iter()
            .find_map(|key| head.metadata.get(*key).and_then(liked));
        liked
            .map(|good| of(good, OutcomeSource::Feedback))
            .or_else(|| self.passed.map(|good| of(good, OutcomeSource::Checks)))
            .or_else(|| self.claimed.then(|| of(true, OutcomeSource::Claimed)))
    }
}

/// True if a call runs a check: a command of a shell, one of whose parts begins with it.
fn is_check(arguments: &str) -> bool {
    let Ok(arguments) = serde_json::from_str::<Value>(arguments) else {
        return false;
    };
    let command = ["command", "cmd", "script", "keystrokes"]
        .iter()
        .find_map(|key| arguments.get(*key));
    let line = match command {
        Some(Value::String(line)) => line.clone(),
        // Given word by word, as `["bash", "-lc", "cargo test"]`.
        Some(Value::Array(words)) => words
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join("\n"),
        _ => return false,
    };
    line.split(['\n', ';', '|', '&']).any(|part| {
        // Settings of the environment, and what only runs another command.
        let opens = |word: &&str| {
            word.contains('=')
                || matches!(
                    *word,
                    "time"
                        | "sudo"
                        | "env"
                        | "npx"
                        | "uv"
                        | "run"
                        | "poetry"
                        | "bash"
                        | "sh"
                        | "-lc"
                        | "-c"
                )
        };
        let words: Vec<&str> = part
            .split_whitespace()
            .map(|w| w.trim_matches(['"', '\'', '(', ')']))
            .skip_while(opens)
            .collect();
        CHECKS.iter().any(|check| {
            check
                .split(' ')
                .zip(words.iter().map(Some).chain(std::iter::repeat(None)))
                .all(|(c, w)| w.is_some_and(|w| w.trim_start_matches("./") == c))
        })
    })
}

fn is_claim(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    lower.chars().count() <= CLAIM_CHARS
        && !lower.contains('?')
        && WORKED.iter().any(|cue| lower.contains(cue))
        && !BUT.iter().any(|cue| lower.contains(cue))
}

/// True if a person liked it: a thumb, a word, a truth value, 1 or -1.
fn liked(feedback: &Value) -> Option<bool> {
    match feedback {
        Value::Bool(good) => Some(*good),
        Value::Number(n) => match n.as_f64()? {
            n if n >= 1.0 => Some(true),
            n if n < 0.0 => Some(false),
            _ => None,
        },
        Value::String(word) => match word.trim().to_lowercase().as_str() {
            "up" | "thumbs_up" | "thumbsup" | "thumbs-up" | "positive" | "good" | "like"
            | "liked" | "👍" => Some(true),
            "down" | "thumbs_down" | "thumbsdown" | "thumbs-down" | "negative" | "bad"
            | "dislike" | "disliked" | "👎" => Some(false),
            _ => None,
        },
        Value::Object(object) => ["rating", "thumbs", "value", "score", "vote"]
            .iter()
            .find_map(|key| object.get(*key).and_then(liked)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ended(events: &[Event], metadata: Value) -> Option<(OutcomeResult, OutcomeSource)> {
        let mut ending = Ending::default();
        for event in events {
            ending.see(event);
        }
        let head = SessionHead {
            metadata: metadata.as_object().cloned().unwrap_or_default(),
            ..SessionHead::default()
        };
        ending.outcome(&head).map(|o| (o.result, o.source))
    }

    fn ran(command: &str, answer: &str, is_error: bool) -> [Event; 2] {
        let call = Event {
            tool_use_id: Some("t".into()),
            ..Event::new(EventKind::ToolUse, json!({"command": command}).to_string())
        };
        [
            call,
            Event {
                tool_use_id: Some("t".into()),
                is_error,
                ..Event::new(EventKind::ToolResult, answer.into())
            },
        ]
    }

    #[test]
    fn the_last_check_says_how_it_ended() {
        let failed = ran("cd api && cargo test --lib", "error: test failed", true);
        let passed = ran("cargo test", "test result: ok. 3 passed", false);
        let both: Vec<Event> = failed.iter().chain(&passed).cloned().collect();
        assert_eq!(
            ended(&both, json!({})),
            Some((OutcomeResult::Success, OutcomeSource::Checks))
        );
        assert_eq!(
            ended(&failed, json!({})),
            Some((OutcomeResult::Failure, OutcomeSource::Checks))
        );
        let hidden = ran("pytest | tail -5", "FAILED (failures=2)", false);
        assert_eq!(
            ended(&hidden, json!({})),
            Some((OutcomeResult::Failure, OutcomeSource::Checks))
        );
        for none in ["cat notes-on-pytest.md", "echo mycargo testing", "ls"] {
            assert_eq!(ended(&ran(none, "x", false), json!({})), None, "{none}");
        }
    }

    #[test]
    fn what_a_person_says_at_the_end_is_a_claim() {
        let said = |text: &str| [Event::new(EventKind::User, text.into())];
        assert_eq!(
            ended(&said("That worked, thanks!"), json!({})),
            Some((OutcomeResult::Success, OutcomeSource::Claimed))
        );
        for none in [
            "Thanks",
            "It works now, but the second page is still empty.",
            "Has it worked now? It works now?",
            "Do it again",
        ] {
            assert_eq!(ended(&said(none), json!({})), None, "{none}");
        }
        let later: Vec<Event> = said("That worked")
            .into_iter()
            .chain(said("Now the same for March."))
            .collect();
        assert_eq!(ended(&later, json!({})), None);
    }

    #[test]
    fn thumbs_count_before_checks() {
        let failed = ran("go test ./...", "FAIL", true);
        for (feedback, good) in [
            (json!("thumbs_up"), true),
            (json!({"rating": -1}), false),
            (json!(1), true),
            (json!("👎"), false),
        ] {
            let result = if good {
                OutcomeResult::Success
            } else {
                OutcomeResult::Failure
            };
            assert_eq!(
                ended(&failed, json!({"feedback": feedback})),
                Some((result, OutcomeSource::Feedback))
            );
        }
        assert_eq!(ended(&[], json!({"rating": "so so"})), None);
    }
}
