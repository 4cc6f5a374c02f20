//! A line of the memory and what a person said, taken apart, and what of one is in the other.

use std::collections::{BTreeMap, BTreeSet};

use domain::linear::{Hashed, of_length_one, place};

use super::{
    LINK_NAMES,
    cues::{DENIED, EMPTY, NOW, ONE_CASE, OTHERS, PAST, WISH},
};
use crate::{
    curation::similar,
    findings::{count, yes},
    reading::{
        Mention, root,
        spans::{Span, TITLES, Token, spans, tokens},
    },
};

/// A line of the memory that holds a value.
pub struct Line<'a> {
    pub memory: usize,
    pub statement: &'a str,
    pub tokens: Vec<Token>,
    pub stems: Vec<String>,
    pub spans: Vec<Span>,
    pub words: BTreeSet<String>,
}

/// A person's sentence, taken apart.
pub struct Said<'a> {
    pub session: usize,
    pub at: i64,
    pub mention: &'a Mention,
    pub tokens: Vec<Token>,
    pub stems: Vec<String>,
    pub spans: Vec<Span>,
}

impl<'a> Line<'a> {
    /// Takes a statement of a memory apart; none if it holds no value.
    pub fn of(memory: usize, statement: &'a str) -> Option<Self> {
        let tokens = tokens(statement);
        let spans = spans(&tokens);
        if spans.is_empty() {
            return None;
        }
        let stems = stems(&tokens);
        let words = content(&tokens, &stems);
        // "The manager is Dr.": a sentence that was cut in a name.
        if tokens
            .iter()
            .rev()
            .find(|t| t.is_word())
            .is_some_and(|t| TITLES.contains(&t.lower.as_str()))
        {
            return None;
        }
        (!words.is_empty()).then_some(Self {
            memory,
            statement,
            tokens,
            stems,
            spans,
            words,
        })
    }

    /// The one place of the line that a value may take, if the line does not hold that value
    /// already; none where two could be meant.
    pub fn slot(&self, value: &Span, said: &Said) -> Option<&Span> {
        if self.spans.iter().any(|s| s.is(value)) {
            return None;
        }
        let mut places: Vec<&Span> = self
            .spans
            .iter()
            .filter(|s| value.fits(s) && self.is_free(s) && !self.is_named_by(value, s))
            .collect();
        if places.iter().any(|s| s.unit == value.unit) {
            places.retain(|s| s.unit == value.unit);
        }
        // What was said of the line names the thing; its value is what was not said.
        let unsaid = |s: &&Span| {
            !self.stems[s.first..s.last]
                .iter()
                .any(|w| said.stems.contains(w))
        };
        if places.len() > 1 && places.iter().any(unsaid) {
            places.retain(|s| unsaid(s));
        }
        if value.is_name() {
            places.last().copied()
        } else {
            places.first().copied().filter(|_| places.len() == 1)
        }
    }

    /// "Corrib VAT" is no new value where the line is about Corrib; "PostgreSQL 16" is one in the
    /// place of "PostgreSQL 14".
    fn is_named_by(&self, value: &Span, slot: &Span) -> bool {
        let numbered = value.value.chars().any(|c| c.is_ascii_digit());
        let own = |w: &str| {
            self.words.contains(&root(w))
                && !(numbered && self.stems[slot.first..slot.last].contains(&root(w)))
        };
        value.is_name() && value.value.split(' ').any(own)
    }

    /// True if a value can be replaced alone: it is no part of a range, an address, a link or code,
    /// and has no sign before it.
    fn is_free(&self, slot: &Span) -> bool {
        let Some((start, end)) = self.bytes(slot) else {
            return false;
        };
        let (before, after) = (
            self.statement[..start].chars().next_back(),
            self.statement[end..].chars().next(),
        );
        let joins = |c: Option<char>| {
            c.is_some_and(|c| {
                matches!(
                    c,
                    '-' | '−' | '+' | '–' | '—' | '/' | '=' | '`' | '[' | ']' | '_' | '~'
                )
            })
        };
        let in_link = || {
            self.statement[..start]
                .rfind("](")
                .is_some_and(|at| !self.statement[at..start].contains(')'))
        };
        !joins(before) && !joins(after) && !in_link()
    }

    /// The first byte of a value in the statement, and the byte after its last.
    pub fn bytes(&self, span: &Span) -> Option<(usize, usize)> {
        Some((
            self.tokens.get(span.first)?.start,
            self.tokens.get(span.last.checked_sub(1)?)?.end(),
        ))
    }

    /// The words beside a value.
    pub fn beside(&self, slot: Option<&Span>) -> Vec<&String> {
        let inside: Vec<&String> = slot
            .map(|s| self.stems[s.first..s.last].iter().collect())
            .unwrap_or_default();
        self.words.iter().filter(|w| !inside.contains(w)).collect()
    }

    /// Returns what the line names beside a value.
    fn names_beside<'s>(&'s self, slot: &'s Span) -> impl Iterator<Item = &'s Span> {
        self.spans.iter().filter(move |s| s.is_name() && *s != slot)
    }

    /// The share of the line's words, beside a value, that were said.
    pub fn share(&self, said: &[String], slot: Option<&Span>) -> f64 {
        let beside = self.beside(slot);
        count(beside.iter().filter(|w| said.contains(w)).count()) / count(beside.len().max(1))
    }

    /// How well a said value fits this line's, as figures in the order of [`LINK_NAMES`].
    /// `share_of_others` and `cosine_of_others` are the best figures of all other lines.
    pub fn link_values(
        &self,
        said: &Said,
        (value, slot): (&Span, &Span),
        (share_of_others, cosine, cosine_of_others): (f64, f64, f64),
    ) -> [f64; LINK_NAMES.len()] {
        let beside = self.beside(Some(slot));
        let common = beside.iter().filter(|w| said.stems.contains(w)).count();
        let share = count(common) / count(beside.len().max(1));
        let names: Vec<&Span> = self.names_beside(slot).collect();
        let named = names
            .iter()
            .filter(|n| {
                self.stems[n.first..n.last]
                    .iter()
                    .any(|w| said.stems.contains(w))
            })
            .count();
        let foreign = said
            .spans
            .iter()
            .filter(|s| {
                s.is_name()
                    && !s.is(value)
                    && !said.stems[s.first..s.last]
                        .iter()
                        .any(|w| self.words.contains(w))
            })
            .count();
        [
            share,
            count(common) / 3.0,
            yes(common >= 2),
            yes(share > 0.99),
            share - share_of_others,
            if names.is_empty() {
                1.0
            } else {
                count(named) / count(names.len())
            },
            if named < names.len() {
                count(foreign.min(2))
            } else {
                0.0
            },
            yes(said.spans.iter().any(|s| s.is(slot))),
            cosine,
            cosine - cosine_of_others,
            count(beside.len()) / 5.0,
        ]
    }

    /// Returns what was said with marks for the line's words, its values and the new value, so that
    /// what is learned holds for any subject: single words, pairs and triples, and those near the
    /// value once more.
    pub fn so_now(&self, said: &Said, value: &Span) -> Hashed {
        let mut marked: Vec<&str> = Vec::new();
        let mut at = 0;
        while at < said.tokens.len() {
            let span = said.spans.iter().find(|s| s.first == at);
            let (mark, next) = match span {
                Some(span) if span.is(value) => ("<value>", span.last),
                Some(span) if self.spans.iter().any(|s| s.is(span)) => ("<old>", span.last),
                Some(span)
                    if said.stems[span.first..span.last]
                        .iter()
                        .all(|w| self.words.contains(w)) =>
                {
                    ("<line>", span.last)
                }
                Some(span) => ("<other>", span.last),
                None if self.words.contains(&said.stems[at]) => ("<line>", at + 1),
                None => (said.stems[at].as_str(), at + 1),
            };
            if !(mark.starts_with('<') && marked.last() == Some(&mark)) {
                marked.push(mark);
            }
            at = next;
        }
        let values: Vec<usize> = marked
            .iter()
            .enumerate()
            .filter(|(_, m)| **m == "<value>")
            .map(|(n, _)| n)
            .collect();
        let mut counts: BTreeMap<usize, u16> = BTreeMap::new();
        for length in 1..=3 {
            for (n, group) in marked.windows(length).enumerate() {
                let text = group.join(" ");
                *counts.entry(place(11, text.chars())).or_default() = 1;
                if values
                    .iter()
                    .any(|v| (n..n + length).any(|i| i.abs_diff(*v) <= 3))
                {
                    *counts.entry(place(12, text.chars())).or_default() = 1;
                }
            }
        }
        of_length_one(counts)
            .into_iter()
            .map(|(place, v)| (place, 2.0 * v))
            .collect()
    }

    /// Words that were said and are neither the line's, nor the value, nor empty, nor signs of
    /// change.
    pub fn foreign<'s>(&self, said: &'s Said, value: &Span) -> Vec<&'s String> {
        let of_value = |at: usize| {
            said.spans.iter().any(|s| {
                (s.first..s.last).contains(&at)
                    && (s.is(value) || self.spans.iter().any(|own| own.is(s)))
            })
        };
        let cue = |lower: &str| {
            [WISH, PAST, DENIED, OTHERS, ONE_CASE, NOW]
                .iter()
                .any(|list| list.contains(&lower))
        };
        let tokens = said.tokens.iter().enumerate().filter(|(at, t)| {
            t.is_word() && !is_empty(&t.lower) && !cue(&t.lower) && !of_value(*at)
        });
        tokens
            .map(|(at, _)| &said.stems[at])
            .filter(|stem| !self.words.contains(*stem))
            .collect()
    }

    /// True if the line names something beside its value, and nobody did.
    pub fn names_are_missing(&self, said: &[String], slot: &Span) -> bool {
        let mut names = self.names_beside(slot).peekable();
        names.peek().is_some()
            && names.all(|n| !self.stems[n.first..n.last].iter().any(|w| said.contains(w)))
    }

    /// True if a word of the line was said to be so as the speaker's own: "my credit limit is ..".
    pub fn is_own_of(&self, said: &Said) -> bool {
        let own = |at: usize| {
            let after = at + 1..said.tokens.len().min(at + 6);
            let is = said.tokens[after.clone()]
                .iter()
                .position(|t| matches!(t.lower.as_str(), "is" | "are" | "was" | "has"));
            said.tokens[at].lower == "my"
                && is.is_some_and(|n| {
                    said.stems[after.start..after.start + n]
                        .iter()
                        .any(|w| self.words.contains(w))
                })
        };
        (0..said.tokens.len()).any(own)
    }

    /// How many words of the line were said after another word than the line's: "the moderation
    /// model" is not "the translation model".
    pub fn other_modifiers(&self, said: &Said, slot: &Span) -> f64 {
        let counts =
            |tokens: &[Token], at: usize| tokens[at].is_word() && !is_empty(&tokens[at].lower);
        let differs = |i: &usize| {
            let (word, before) = (&self.stems[*i], &self.stems[*i - 1]);
            let mut other = false;
            for j in (1..said.stems.len())
                .filter(|&j| said.stems[j] == *word && counts(&said.tokens, j - 1))
            {
                if said.stems[j - 1] == *before {
                    return false;
                }
                other |= !self.words.contains(&said.stems[j - 1]);
            }
            other
        };
        let own = (1..self.stems.len()).filter(|&i| {
            !(slot.first..slot.last).contains(&i)
                && counts(&self.tokens, i)
                && counts(&self.tokens, i - 1)
        });
        count(own.filter(differs).count())
    }
}

impl<'a> Said<'a> {
    /// Takes a sentence apart. Values that are quoted or shown as code are left out.
    pub fn of(session: usize, at: i64, mention: &'a Mention) -> Self {
        let tokens = tokens(&mention.text);
        // What somebody quotes or shows as code is not what they say.
        let (mut quoted, mut inside) = (vec![false; tokens.len()], false);
        for (n, token) in tokens.iter().enumerate() {
            match token.text.as_str() {
                "\"" | "`" => inside = !inside,
                "“" | "„" | "«" => inside = true,
                "”" | "»" => inside = false,
                _ => quoted[n] = inside,
            }
        }
        let spans = spans(&tokens)
            .into_iter()
            .filter(|s| !quoted[s.first..s.last].contains(&true))
            .collect();
        Self {
            session,
            at,
            mention,
            stems: stems(&tokens),
            tokens,
            spans,
        }
    }

    /// A value as it was written.
    pub fn written(&self, span: &Span) -> &str {
        let end = span
            .last
            .checked_sub(1)
            .map_or(0, |last| self.tokens[last].end());
        self.mention
            .text
            .get(self.tokens[span.first].start..end)
            .unwrap_or_default()
    }

    /// The sentences that hold a value, in lower case, words and signs apart.
    pub fn around(&self, value: &Span) -> String {
        let ends: Vec<usize> = (0..self.tokens.len())
            .filter(|&i| matches!(self.tokens[i].text.as_str(), "." | "!" | "?"))
            .collect();
        let mut start = 0;
        let mut found = String::from(" ");
        for end in ends.into_iter().map(|e| e + 1).chain([self.tokens.len()]) {
            if self
                .spans
                .iter()
                .any(|s| s.is(value) && (start..end).contains(&s.first))
            {
                for token in &self.tokens[start..end] {
                    found.push_str(&token.lower);
                    found.push(' ');
                }
            }
            start = end;
        }
        found
    }

    /// True if a word is part of a name here.
    pub fn names(&self, stem: &str) -> bool {
        self.spans
            .iter()
            .filter(|s| s.is_name())
            .any(|s| self.stems[s.first..s.last].iter().any(|w| w == stem))
    }

    /// How many of the phrases are around a value, at most 3.
    pub fn cues(&self, value: &Span, phrases: &[&str]) -> f64 {
        let around = self.around(value);
        count(
            phrases
                .iter()
                .filter(|p| around.contains(&format!(" {p} ")))
                .count()
                .min(3),
        )
    }

    /// True if the words around a value hold a question mark.
    pub fn asks(&self, value: &Span) -> bool {
        self.around(value).contains('?')
    }
}

fn stems(tokens: &[Token]) -> Vec<String> {
    tokens
        .iter()
        .map(|t| root(t.lower.strip_suffix("'s").unwrap_or(&t.lower)))
        .collect()
}

fn content(tokens: &[Token], stems: &[String]) -> BTreeSet<String> {
    tokens
        .iter()
        .zip(stems)
        .filter(|(t, _)| t.is_word() && !is_empty(&t.lower))
        .map(|(_, s)| s.clone())
        .collect()
}

fn is_empty(lower: &str) -> bool {
    similar::is_function_word(lower) || EMPTY.contains(&lower)
}
