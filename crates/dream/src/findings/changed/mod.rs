//! Facts that people say have changed, in natural words: "we're on PostgreSQL 16 there since
//! Tuesday". A mention of a value is linked to the line of the memory that it is about, by their
//! common words and their vectors; two small trained classifiers weigh whether it is that line, and
//! whether it is so now (and not a wish, a question, the past, somebody else's or one case). A
//! third one weighs all mentions of one value together. Needs vectors; without them only
//! [`super::facts`] looks, which knows nearly the same words.

mod cues;
mod judge;
mod parts;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::LazyLock,
};

use domain::{
    linear::{Hashed, Linear, Named},
    statement::statements,
};

use self::{
    cues::{DENIED, NOW, ONE_CASE, OTHERS, PAST, WISH},
    parts::{Line, Said},
};
use super::{count, yes};
use crate::{
    MIN_SUPPORT,
    reading::{
        spans::{Kind, Span},
        unquoted,
    },
    types::Finding,
    window::Window,
};

/// The features of the classifier of lines, in the order of its weights.
pub const LINK_NAMES: [&str; 11] = [
    "share_of_words",
    "words_in_common",
    "two_in_common",
    "all_in_common",
    "share_above_other_lines",
    "names_in_common",
    "foreign_names",
    "old_value_named",
    "cosine",
    "cosine_above_other_lines",
    "words_of_line",
];
/// The features of the classifier of changes, in the order of its weights.
pub const CHANGE_NAMES: [&str; 36] = [
    "so_now_most",
    "so_now_least",
    "so_now_mean",
    "line_most",
    "line_least",
    "line_mean",
    "share_of_all_mentions",
    "all_words_said",
    "share_least",
    "share_most",
    "share_margin_least",
    "foreign_names_most",
    "names_least",
    "old_value_named",
    "cosine_most",
    "cosine_least",
    "cosine_margin_least",
    "other_modifier_most",
    "mentions",
    "wish_most",
    "wish_least",
    "past_most",
    "past_least",
    "denied_most",
    "others_most",
    "one_case_most",
    "one_case_least",
    "now_least",
    "any_asks",
    "all_ask",
    "same_unit",
    "one_place",
    "foreign_words_of_all",
    "word_swapped",
    "name_swapped",
    "speakers_own",
];

/// Mentions of one value that are weighed: those that speak of it most clearly.
const WEIGHED: usize = 3;
/// A word in more lines than this links nothing.
const COMMON: usize = 200;
/// Values of one line that are looked at.
const MOST_VALUES: usize = 50;
/// Lines that one mention is linked with before the nearest is taken.
const MOST_LINES: usize = 12;

static HEADS: LazyLock<Option<Heads>> = LazyLock::new(|| {
    Some(Heads {
        so_now: Linear::of(include_bytes!("so_now.weights").as_slice())?,
        line: Named::of(include_str!("line.weights"), &LINK_NAMES)?,
        change: Named::of(include_str!("change.weights"), &CHANGE_NAMES)?,
    })
});

/// The learned weights of the classifiers.
#[derive(Debug, Clone)]
pub struct Heads {
    /// Weights for: a mention says that a value is so now.
    pub so_now: Linear,
    /// Weights for: a mention is about a line.
    pub line: Named,
    /// Weights for: the mentions of one value together say that the line has changed.
    pub change: Named,
}

/// A mention of a value, and the line that it may be about.
#[derive(Debug, Clone)]
pub struct Linked {
    line: usize,
    said: usize,
    value: Span,
    slot: Span,
    /// Values in the order of [`LINK_NAMES`].
    pub link: [f64; LINK_NAMES.len()],
}

/// Mentions of one value for one line.
#[derive(Debug, Clone)]
pub struct Grouped {
    line: usize,
    slot: Span,
    /// Two speakers at least named it.
    pub several: bool,
    mentions: Vec<Linked>,
    /// Values in the order of [`CHANGE_NAMES`].
    pub values: [f64; CHANGE_NAMES.len()],
}

/// Memory and mentions, taken apart and linked.
pub struct Reading<'a> {
    window: &'a Window<'a>,
    lines: Vec<Line<'a>>,
    said: Vec<Said<'a>>,
    /// Every mention of a value, with each line that it may be about.
    pub linked: Vec<Linked>,
}

/// The mentions whose meanings are compared: those that share a word with a line that holds a
/// value, and name another one of its kind.
pub fn wanted(window: &Window, said: &[Vec<String>]) -> Vec<String> {
    let reading = Reading::of(window, said);
    let texts: BTreeSet<&str> = reading
        .linked
        .iter()
        .map(|l| reading.said[l.said].mention.text.as_str())
        .collect();
    texts.into_iter().map(str::to_owned).collect()
}

/// A statement of the memory: which memory, and its words.
pub type Statement = (usize, String);

/// Every line that people say has changed, surely or likely, and the lines of which a change is
/// proposed.
pub fn find(window: &Window, said: &[Vec<String>]) -> (Vec<Finding>, BTreeSet<Statement>) {
    let Some(heads) = HEADS.as_ref().filter(|_| !window.input.vectors.is_empty()) else {
        return Default::default();
    };
    let reading = Reading::of(window, said);
    let mut by_line: BTreeMap<usize, Vec<(f64, Grouped)>> = BTreeMap::new();
    for group in reading.grouped(heads) {
        by_line
            .entry(group.line)
            .or_default()
            .push((heads.change.odds(&group.values), group));
    }
    let (mut findings, mut changed) = (Vec::new(), BTreeSet::new());
    for (line, groups) in by_line {
        let Some(finding) = reading.judge(groups) else {
            continue;
        };
        if finding.is_proposed() {
            changed.insert((
                reading.lines[line].memory,
                reading.lines[line].statement.to_owned(),
            ));
        }
        findings.push(finding);
    }
    (findings, changed)
}

impl<'a> Reading<'a> {
    /// Takes memory and mentions apart, and links them by their words.
    pub fn of(window: &'a Window<'a>, said: &'a [Vec<String>]) -> Self {
        let own = |(m, all): (usize, &'a Vec<String>)| {
            let prose = prose(&window.input.memories[m].content);
            all.iter()
                .filter(move |s| prose.contains(s.as_str()))
                .filter_map(move |s| Line::of(m, s))
                .collect::<Vec<Line>>()
        };
        let lines: Vec<Line> = said.iter().enumerate().flat_map(own).collect();
        let mut by_word: HashMap<&str, Vec<usize>> = HashMap::new();
        for (n, line) in lines.iter().enumerate() {
            for word in &line.words {
                by_word.entry(word).or_default().push(n);
            }
        }
        let mut reading = Self {
            window,
            lines: Vec::new(),
            said: Vec::new(),
            linked: Vec::new(),
        };
        for (index, session) in window.sessions() {
            let Some(at) = session.head.at else { continue };
            for mention in &session.features.mentions {
                let said = Said::of(index, at, mention);
                let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
                let stems: BTreeSet<&str> = said.stems.iter().map(String::as_str).collect();
                for lines in stems
                    .iter()
                    .filter_map(|w| by_word.get(w))
                    .filter(|lines| lines.len() <= COMMON)
                {
                    for n in lines {
                        *shared.entry(*n).or_default() += 1;
                    }
                }
                let mut near: Vec<(usize, usize)> =
                    shared.into_iter().map(|(line, n)| (n, line)).collect();
                near.sort_by_key(|(n, line)| (std::cmp::Reverse(*n), *line));
                near.truncate(MOST_LINES);
                let near: Vec<usize> = near.into_iter().map(|(_, line)| line).collect();
                let before = reading.linked.len();
                reading.link(&lines, &said, &near);
                // What restates an old value speaks against a new one.
                let restates = |n: &usize| {
                    lines[*n]
                        .spans
                        .iter()
                        .any(|old| said.spans.iter().any(|s| s.is(old)))
                };
                if reading.linked.len() > before || near.iter().any(restates) {
                    reading.said.push(said);
                }
            }
        }
        reading.lines = lines;
        reading
    }

    /// Links what was said with each line near it whose value may be another one now.
    fn link(&mut self, lines: &[Line], said: &Said, near: &[usize]) {
        let vectors = &self.window.input.vectors;
        let vector = vectors.of(&said.mention.text);
        let cosine = |line: &Line| {
            vector
                .zip(vectors.of(line.statement))
                .map_or(0.0, |(a, b)| f64::from(a.cosine(b)) / 1_000.0)
        };
        let nearness: Vec<(usize, f64, f64)> = near
            .iter()
            .map(|&n| (n, lines[n].share(&said.stems, None), cosine(&lines[n])))
            .collect();
        for &(n, _, cosine) in &nearness {
            let line = &lines[n];
            let later = self.window.input.memories[line.memory]
                .updated_at
                .is_none_or(|written| said.at > written);
            if !later {
                continue;
            }
            let others = nearness.iter().filter(|(other, ..)| *other != n);
            let (share_of_others, cosine_of_others) = others
                .fold((0.0_f64, 0.0_f64), |(share, cosine), (_, s, c)| {
                    (share.max(*s), cosine.max(*c))
                });
            let mut seen: Vec<&Span> = Vec::new();
            for value in &said.spans {
                let Some(slot) = line
                    .slot(value, said)
                    .filter(|_| !seen.iter().any(|s| s.is(value)))
                else {
                    continue;
                };
                seen.push(value);
                let link = line.link_values(
                    said,
                    (value, slot),
                    (share_of_others, cosine, cosine_of_others),
                );
                self.linked.push(Linked {
                    line: n,
                    said: self.said.len(),
                    value: value.clone(),
                    slot: slot.clone(),
                    link,
                });
            }
        }
    }

    /// Returns where a linked mention is, for those who label it: the statement, what was said, and
    /// the value as it was written.
    #[must_use]
    pub fn labelled(&self, linked: &Linked) -> (&str, &str, &str) {
        let said = &self.said[linked.said];
        (
            self.lines[linked.line].statement,
            &said.mention.text,
            said.written(&linked.value),
        )
    }

    /// The same of the mentions of one value.
    #[must_use]
    pub fn labelled_group(&self, group: &Grouped) -> (&str, &str, &str) {
        self.labelled(&group.mentions[0])
    }

    /// Returns what the classifier of what is so now sees of a linked mention.
    #[must_use]
    pub fn so_now(&self, linked: &Linked) -> Hashed {
        self.lines[linked.line].so_now(&self.said[linked.said], &linked.value)
    }

    /// The mentions of each value, each at the line that it is most likely about, for lines of
    /// which several speakers mention one value.
    #[must_use]
    pub fn grouped(&self, heads: &Heads) -> Vec<Grouped> {
        // Each mention of a value belongs to one line.
        let mut best: BTreeMap<(usize, usize), (f64, &Linked)> = BTreeMap::new();
        for linked in &self.linked {
            let odds = heads.line.odds(&linked.link);
            let one = best
                .entry((linked.said, linked.value.first))
                .or_insert((odds, linked));
            if odds > one.0 {
                *one = (odds, linked);
            }
        }
        let mut by_line: BTreeMap<usize, Vec<&Linked>> = BTreeMap::new();
        for (_, linked) in best.into_values() {
            by_line.entry(linked.line).or_default().push(linked);
        }
        let groups = by_line.into_values().flat_map(|of_line| {
            let groups: Vec<(bool, Vec<&Linked>)> = by_value(of_line)
                .into_iter()
                .map(|g| (self.is_of_several(&g), g))
                .collect();
            // A value of one speaker is only looked at where it may speak against one of several.
            let any = groups.iter().any(|g| g.0);
            groups.into_iter().filter(move |_| any)
        });
        groups
            .map(|(several, g)| self.group(g, several, heads))
            .collect()
    }

    fn is_of_several(&self, mentions: &[&Linked]) -> bool {
        self.window
            .distinct(mentions.iter().map(|l| self.said[l.said].session))
            >= MIN_SUPPORT
    }

    /// Weighs the mentions of one value together.
    fn group(&self, mentions: Vec<&Linked>, several: bool, heads: &Heads) -> Grouped {
        // How surely each is about the line, and so now.
        let odds = |l: &Linked| {
            [
                heads.line.odds(&l.link),
                f64::from(heads.so_now.odds(&self.so_now(l))),
            ]
        };
        let mut mentions: Vec<([f64; 2], &Linked)> =
            mentions.into_iter().map(|l| (odds(l), l)).collect();
        mentions.sort_by(|a, b| {
            (b.0[0] + b.0[1])
                .total_cmp(&(a.0[0] + a.0[1]))
                .then(a.1.said.cmp(&b.1.said))
        });
        let mut sessions = BTreeSet::new();
        let weighed: Vec<&([f64; 2], &Linked)> = mentions
            .iter()
            .filter(|(_, l)| sessions.insert(self.said[l.said].session))
            .take(WEIGHED)
            .collect();
        let (on_line, so_now): (Vec<f64>, Vec<f64>) =
            weighed.iter().map(|(odds, _)| (odds[0], odds[1])).unzip();
        let clearest: Vec<&Linked> = weighed.into_iter().map(|(_, l)| *l).collect();
        let line = &self.lines[clearest[0].line];
        let (slot, value) = (&clearest[0].slot, &clearest[0].value);
        let of = |value: &dyn Fn(&Linked) -> f64| -> Vec<f64> {
            clearest.iter().map(|l| value(l)).collect()
        };
        let cues = |phrases: &[&str]| of(&|l| self.said[l.said].cues(&l.value, phrases));
        let link = |n: usize| of(&|l| l.link[n]);
        let modifiers = of(&|l| line.other_modifiers(&self.said[l.said], slot));
        let asks = of(&|l| yes(self.said[l.said].asks(&l.value)));
        let said: Vec<&Said> = clearest.iter().map(|l| &self.said[l.said]).collect();
        let all_said: Vec<String> = said.iter().flat_map(|s| s.stems.iter().cloned()).collect();
        let share = line.share(&all_said, Some(slot));
        // "The dev box has 64 GB": what all say, and the line does not, may be another thing's
        // name.
        let foreign: Vec<&String> = line
            .foreign(said[0], value)
            .into_iter()
            .filter(|w| said.iter().all(|s| s.stems.contains(w)))
            .collect();
        let (wish, past, one_case) = (cues(WISH), cues(PAST), cues(ONE_CASE));
        let places = line.spans.iter().filter(|s| value.fits(s)).count();
        let values = [
            most(&so_now),
            least(&so_now),
            mean(&so_now),
            most(&on_line),
            least(&on_line),
            mean(&on_line),
            share,
            yes(share > 0.99),
            least(&link(0)),
            most(&link(0)),
            least(&link(4)),
            most(&link(6)),
            least(&link(5)),
            most(&link(7)),
            most(&link(8)),
            least(&link(8)),
            least(&link(9)),
            most(&modifiers),
            count(clearest.len()),
            most(&wish),
            least(&wish),
            most(&past),
            least(&past),
            most(&cues(DENIED)),
            most(&cues(OTHERS)),
            most(&one_case),
            least(&one_case),
            least(&cues(NOW)),
            most(&asks),
            least(&asks),
            yes(value.kind == Kind::Number && value.unit == slot.unit),
            yes(places == 1),
            count(foreign.len().min(2)),
            yes(!foreign.is_empty() && share < 0.99),
            yes(line.names_are_missing(&all_said, slot)
                && foreign.iter().any(|w| said.iter().all(|s| s.names(w)))),
            yes(said.iter().any(|s| line.is_own_of(s))),
        ];
        let (line, slot) = (clearest[0].line, slot.clone());
        Grouped {
            line,
            slot,
            several,
            mentions: mentions.into_iter().map(|m| m.1.clone()).collect(),
            values,
        }
    }
}

/// The mentions of each value: a short form belongs to a longer one that it can only mean.
fn by_value(mut mentions: Vec<&Linked>) -> Vec<Vec<&Linked>> {
    mentions.sort_by(|a, b| {
        let full = |l: &Linked| {
            (
                std::cmp::Reverse(l.value.value.split(' ').count()),
                l.value.unit.is_empty(),
            )
        };
        full(a).cmp(&full(b)).then_with(|| {
            (&a.value.value, &a.value.unit, a.said).cmp(&(&b.value.value, &b.value.unit, b.said))
        })
    });
    let mut groups: Vec<Vec<&Linked>> = Vec::new();
    for mention in mentions {
        let mut fitting: Vec<usize> = (0..groups.len())
            .filter(|&g| groups[g].iter().all(|other| other.value.is(&mention.value)))
            .collect();
        match (fitting.pop(), fitting.is_empty()) {
            (Some(one), true) => groups[one].push(mention),
            (None, _) if groups.len() < MOST_VALUES => groups.push(vec![mention]),
            // "Kim" may be Kim Berg or Kim Voss.
            _ => {}
        }
    }
    groups
}

/// The statements of a text that are its own and are prose: no quotations, headings, rows of
/// tables, code or front matter.
fn prose(content: &str) -> BTreeSet<String> {
    let front = content.starts_with("---\n");
    let lines = content
        .lines()
        .skip(usize::from(front))
        .skip_while(|line| front && line.trim_end() != "---")
        .skip(usize::from(front));
    unquoted(&lines.collect::<Vec<_>>().join("\n"))
        .lines()
        .filter(|line| !line.trim_start().starts_with(['|', '#']))
        .flat_map(statements)
        .collect()
}

fn most(all: &[f64]) -> f64 {
    all.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn least(all: &[f64]) -> f64 {
    all.iter().copied().fold(f64::INFINITY, f64::min)
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / count(all.len().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_whole() {
        assert!(HEADS.is_some());
    }
}
