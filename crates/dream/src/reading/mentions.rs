//! Messages of people that name a value anywhere in a sentence: one may contradict what the memory
//! says. Only people's own words are kept, little of long messages, and nothing that holds personal
//! data.

use domain::{event::EventKind, scan, sensitive, statement::statements};
use serde::{Deserialize, Serialize};

use super::{Place, rules::unquoted, spans, values::head};
use crate::types::Session;

/// Mentions of one session that are kept.
const MOST_MENTIONS: usize = 30;
/// A sentence that names more values than this is pasted text and states no fact.
const MOST_VALUES: usize = 8;
/// Longest message that is kept whole, in bytes: its subject and its value may be in different
/// sentences.
const WHOLE: usize = 400;

/// Something that a person said and that names a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    pub at: Place,
    pub text: String,
}

/// Everything the session's people said that names a value.
pub fn of(session: &Session) -> Vec<Mention> {
    let mut found: Vec<Mention> = Vec::new();
    for (event, one) in session
        .events
        .iter()
        .enumerate()
        .filter(|(_, e)| e.kind == EventKind::User)
    {
        if !one.text.is_ascii() && scan::has_hidden(&one.text) {
            continue;
        }
        let read = head(&one.text);
        let own = unquoted(read);
        let parts = if own.trim().len() <= WHOLE && own.trim() == read.trim() {
            vec![read.trim().to_owned()]
        } else {
            statements(&own)
        };
        let names_values =
            |t: &String| (1..=MOST_VALUES).contains(&spans::spans(&spans::tokens(t)).len());
        for text in parts
            .into_iter()
            .filter(|t| (3..=WHOLE).contains(&t.len()) && names_values(t))
        {
            if found.len() == MOST_MENTIONS {
                return found;
            }
            // Personal data and credentials are kept nowhere but in the session, and make no
            // memory.
            if !sensitive::sensitive_spans(&text).is_empty() {
                continue;
            }
            // A statement folds white space; what is not verbatim cannot be quoted.
            if let Some(start) = read.find(text.as_str()) {
                found.push(Mention {
                    at: Place {
                        event,
                        start,
                        end: start + text.len(),
                    },
                    text,
                });
            }
        }
    }
    found
}
