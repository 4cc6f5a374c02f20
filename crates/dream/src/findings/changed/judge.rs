//! What becomes of the values that people state for one line of the memory: a change, a question
//! for people, or nothing; and the line as it will be.

use std::collections::{BTreeMap, BTreeSet};

use domain::{changeset::ChangeKind, plural};

use super::{Grouped, Reading, parts::Line};
use crate::{
    MIN_SUPPORT, compose,
    findings::facts,
    reading::{
        spans::{Kind, MONEY},
        with_unit,
    },
    types::{Asks, Change, Finding},
};

/// Least log-odds of a change that is proposed. By `make train`, over authors that were not learned
/// from, and with as many traps as changes, nine in ten are true there.
const SURE: f64 = 1.0;
/// Least log-odds of one that people are asked about.
const LIKELY: f64 = -0.5;
/// The index of "several speakers name something else than the line does" among the features of a
/// change.
const NAME_SWAPPED: usize = 34;
/// The index of "they speak of what is their own".
const SPEAKERS_OWN: usize = 35;

impl Reading<'_> {
    /// Returns what becomes of the values that people state for one line.
    pub fn judge(&self, groups: Vec<(f64, Grouped)>) -> Option<Finding> {
        let (mut groups, alone): (Vec<_>, Vec<_>) = groups.into_iter().partition(|g| g.1.several);
        groups.sort_by(|a, b| {
            b.0.total_cmp(&a.0)
                .then_with(|| a.1.mentions[0].said.cmp(&b.1.mentions[0].said))
        });
        let (odds, group) = groups.first()?;
        if *odds < LIKELY {
            return None;
        }
        let line = &self.lines[group.line];
        let memory = &self.window.input.memories[line.memory];
        // "Wednesdays, 4 pm" in the place of "Friday at 14:00": each takes its own place.
        let mut together = vec![group];
        for (_, other) in groups.iter().skip(1).filter(|g| g.0 >= SURE) {
            if !together.iter().any(|g| g.slot.overlaps(&other.slot)) {
                together.push(other);
            }
        }
        together.sort_by_key(|g| g.slot.first);
        let new = self.new_statement(line, &together)?;
        let values: Vec<String> = together.iter().map(|g| self.written(g)).collect();
        let value = values.join(", ");
        let places = |group: &Grouped| {
            group
                .mentions
                .iter()
                .map(|l| (self.said[l.said].session, self.said[l.said].mention.at))
                .collect()
        };
        let for_it: Vec<_> = places(group);
        let support = self.window.support(for_it.iter().map(|p| p.0));
        let name = facts::named(&memory.path, line.statement, &value);
        let title = format!(
            "Now {}: {}",
            compose::short(&value),
            compose::short(line.statement)
        );
        let mut finding = Finding::new(facts::KIND, &name, title, support);
        let mut quotes = self.window.quotes(for_it.iter().copied(), false);
        if let Some(reason) = values.iter().find_map(|v| facts::unfit(v)) {
            "another value for what a memory states".clone_into(&mut finding.title);
            return Some(finding.held_back(reason));
        }
        let rival = groups
            .iter()
            .skip(1)
            .find(|other| other.0 >= LIKELY && other.1.slot.overlaps(&group.slot));
        if let Some((_, other)) = rival {
            finding.title = format!(
                "People state different values: {}",
                compose::short(line.statement)
            );
            quotes.extend(self.window.quotes(places(other), true));
            finding.evidence = quotes;
            return Some(
                finding.insight(
                    "people state two new values for it; somebody must say which one holds",
                ),
            );
        }
        if self.is_old_again(group) {
            return Some(finding.held_back("somebody has stated the old value since"));
        }
        let last = self.last(group);
        if let Some((_, other)) = alone
            .iter()
            .find(|o| o.0 >= LIKELY && o.1.slot.overlaps(&group.slot) && self.last(&o.1) > last)
        {
            quotes.extend(self.window.quotes(places(other), true));
            finding.evidence = quotes;
            return Some(finding.insight("somebody has stated another value since, alone"));
        }
        if group.values[SPEAKERS_OWN] > 0.0 {
            return Some(finding.held_back("people speak of what is their own"));
        }
        if *odds < SURE
            || group.values[NAME_SWAPPED] > 0.0
            || together.iter().any(|g| g.mentions[0].value.is_address())
        {
            finding.title = format!("Does this still hold? {}", compose::short(line.statement));
            finding.asks = Some(Asks {
                memory: line.memory,
                statement: line.statement.to_owned(),
                new: Some(new),
            });
            finding.evidence = quotes;
            return Some(finding.insight(format!("people seem to say that it is {value} now")));
        }
        let Some((plain, kept)) = facts::superseded(memory, (line.memory, line.statement), &new)
        else {
            return Some(finding.held_back(facts::NOT_ALONE));
        };
        finding.change = Some(Change {
            kind: ChangeKind::Supersede,
            rationale: format!(
                "The memory says “{}”. Since then it was said to be `{value}` in {}{}.",
                line.statement,
                plural::count(finding.support.sessions, "session"),
                if finding.support.subjects > 1 {
                    format!(" by {}", plural::count(finding.support.subjects, "speaker"))
                } else {
                    String::new()
                },
            ),
            confidence_bp: 6_500,
            tool_text: false,
            edits: vec![plain],
            quotes,
            gentle: Some(vec![kept]),
        });
        Some(finding)
    }

    /// The value as it was written; of a name the fullest form, if it says hardly more than what
    /// two speakers wrote: one speaker alone must not choose the words.
    fn written(&self, group: &Grouped) -> String {
        let mut forms: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for mention in &group.mentions {
            let said = &self.said[mention.said];
            let form = said.written(&mention.value);
            let form = form
                .strip_suffix("'s")
                .or(form.strip_suffix("’s"))
                .unwrap_or(form);
            forms
                .entry(form.to_owned())
                .or_default()
                .insert(said.session);
        }
        let words = |form: &str| form.split(' ').count();
        let shared = |form: &str| {
            forms
                .iter()
                .filter(|(other, _)| other.to_lowercase().contains(&form.to_lowercase()))
                .flat_map(|(_, by)| by)
                .count()
        };
        let most = forms
            .keys()
            .filter(|form| shared(form) >= MIN_SUPPORT)
            .map(|form| words(form))
            .max()
            .unwrap_or(1);
        let large = |form: &str| form.chars().filter(|c| c.is_uppercase()).count();
        let fits = forms.keys().filter(|form| words(form) <= most + 1);
        fits.max_by_key(|form| (large(form), shared(form), std::cmp::Reverse(form.as_str())))
            .cloned()
            .unwrap_or_default()
    }

    /// The line with the new values in the places of the old ones; the groups are in the order of
    /// their places.
    fn new_statement(&self, line: &Line, groups: &[&Grouped]) -> Option<String> {
        let mut statement = line.statement.to_owned();
        for group in groups.iter().rev() {
            let (start, end) = line.bytes(&group.slot)?;
            let before = group
                .slot
                .first
                .checked_sub(1)
                .map_or("", |n| line.tokens[n].lower.as_str());
            let new = self.in_place(
                line.statement.get(start..end)?,
                MONEY.contains(&before),
                group,
            );
            statement.replace_range(start..end, &new);
        }
        Some(statement)
    }

    /// The new value in the form of the old one.
    fn in_place(&self, old: &str, unit_before: bool, group: &Grouped) -> String {
        let written = self.written(group);
        let (bare, possessive) = ["'s", "’s"]
            .iter()
            .find_map(|end| Some((old.strip_suffix(end)?, *end)))
            .unwrap_or((old, ""));
        let mut new = if group.slot.kind == Kind::Number {
            with_unit(&written, bare)
        } else {
            written
        };
        // Where the unit is before the number it stays there.
        if group.slot.kind == Kind::Number && unit_before {
            let number = new
                .split(' ')
                .find(|w| w.chars().any(|c| c.is_ascii_digit()))
                .unwrap_or(&new)
                .trim_start_matches(['€', '$', '£']);
            new = String::from(number);
        }
        // "Mondays" becomes "Thursdays", also where somebody wrote "thursday".
        if group.slot.kind == Kind::Day {
            new.clone_from(&group.mentions[0].value.value);
            if bare.to_lowercase().ends_with("days") {
                new.push('s');
            }
        }
        if old.starts_with(char::is_uppercase)
            && let Some(first) = new.chars().next()
        {
            new.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
        }
        new + possessive
    }

    /// When the value was last stated.
    fn last(&self, group: &Grouped) -> i64 {
        group
            .mentions
            .iter()
            .map(|l| self.said[l.said].at)
            .max()
            .unwrap_or(i64::MAX)
    }

    /// True if somebody has stated the old value after the last who stated the new one.
    fn is_old_again(&self, group: &Grouped) -> bool {
        let line = &self.lines[group.line];
        let last = self.last(group);
        let value = &group.mentions[0].value;
        self.said.iter().filter(|s| s.at > last).any(|s| {
            s.spans.iter().any(|v| v.is(&group.slot))
                && !s.spans.iter().any(|v| v.is(value))
                && line.share(&s.stems, Some(&group.slot)) > 0.7
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::changed::CHANGE_NAMES;

    #[test]
    fn values_are_where_they_are_looked_for() {
        assert_eq!(
            (CHANGE_NAMES[NAME_SWAPPED], CHANGE_NAMES[SPEAKERS_OWN]),
            ("name_swapped", "speakers_own")
        );
    }
}
