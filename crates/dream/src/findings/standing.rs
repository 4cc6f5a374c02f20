//! Standing instructions: what people said as a rule, in these or nearly these words. Two speakers
//! must have said it, or one must have asked that it be remembered; what one speaker asked for is
//! theirs alone and goes below `/people`.

use std::collections::{BTreeMap, BTreeSet};

use domain::{changeset::ChangeKind, plural, scan, sensitive};

use super::{
    claims, meanings,
    templates::{link, root_of},
};
use crate::{
    MIN_SUPPORT, compose,
    curation::similar::{self, Prepared},
    reading::{COMMANDS, Rule, plain_words, statement_hash, without_opening},
    types::{Change, Disposition, Edit, Finding, fingerprint},
    window::Window,
};

/// The name of this kind of finding.
pub const KIND: &str = "standing_instruction";
/// The name of what people do not agree about.
const DISAGREEMENT: &str = "disagreement";
/// Distinct rules of a window that are compared with each other.
const MOST: usize = 5_000;

/// How likely two wordings together must be said for good, in thousandths of each, where none says
/// so in words.
const LIKELY: u32 = 1_300;
/// The same where both said it in one wording.
const LIKELY_IN_ONE_WORDING: u32 = 1_700;
/// How likely the likeliest wordings of three people are said for good on average, in thousandths,
/// that are only nearly the same.
const LIKELY_OF_THREE: u32 = 600;
/// How likely a sentence is said for good whose words say so, in thousandths.
const SURE: u16 = 950;
/// Sessions in which one speaker says the same before it is taken for what they always want.
const OWN_SESSIONS: usize = 3;
/// Why what one speaker said is no rule of a team.
const ONE_SPEAKER: &str = "one speaker only, who said it in fewer than three sessions and did not \
    ask that it be remembered";
/// Sessions that hold a sentence in one place, between the same sentences, after which it is a
/// template's.
const TEMPLATE_SESSIONS: usize = 3;

/// Wordings of one rule among which the middle one is looked for.
const MOST_COMPARED: usize = 50;
/// Longest title, in characters.
const LONGEST_TITLE: usize = 80;

/// The place of a sentence: its words, its message, and what is before or after it.
type Spot<'a> = (&'a str, usize, Option<u64>, Option<u64>);

/// A rule, with the session in which it was said.
type Said<'a> = (usize, &'a Rule);

/// Every rule that was said.
pub fn find(window: &Window) -> Vec<Finding> {
    let mut by_key: BTreeMap<Vec<String>, Vec<Said>> = BTreeMap::new();
    let mut first: Vec<Vec<String>> = Vec::new();
    for (index, session) in window.sessions() {
        for rule in &session.features.rules {
            let key = similar::key_of(&without_opening(&rule.text));
            if !by_key.contains_key(&key) {
                first.push(key.clone());
            }
            by_key.entry(key).or_default().push((index, rule));
        }
    }
    // In the order in which they were first said. Of too many, those stay that are rules by their
    // words, and then those said most often.
    if first.len() > MOST {
        first.sort_by_key(|key| {
            let said = &by_key[key];
            (
                !said.iter().any(|s| s.1.sure),
                std::cmp::Reverse(said.len()),
                std::cmp::Reverse(said.iter().map(|s| s.1.likely).max()),
            )
        });
        first.truncate(MOST);
    }
    let groups = linked(&first, &by_key, window);
    let mut findings: Vec<Option<Finding>> = groups
        .iter()
        .map(|group| judge(group, &by_key, window))
        .collect();
    let groups: Vec<Vec<&Vec<String>>> = groups.into_iter().map(|g| g.wordings).collect();
    let disagreements = disagreements(&groups, &by_key, &mut findings, window);
    findings
        .into_iter()
        .flatten()
        .chain(disagreements)
        .collect()
}

/// Rules of which one says the opposite of the other: neither is proposed, and people see who said
/// what.
fn disagreements(
    groups: &[Vec<&Vec<String>>],
    by_key: &BTreeMap<Vec<String>, Vec<Said>>,
    findings: &mut [Option<Finding>],
    window: &Window,
) -> Vec<Finding> {
    let mut by_matter: BTreeMap<Vec<String>, [Option<usize>; 2]> = BTreeMap::new();
    for (n, group) in groups
        .iter()
        .enumerate()
        .filter(|(n, _)| findings[*n].is_some())
    {
        let (matter, negated) = matter_of(&by_key[group[0]][0].1.text);
        by_matter.entry(matter).or_default()[usize::from(negated)].get_or_insert(n);
    }
    let pairs = by_matter
        .into_values()
        .filter_map(|[plain, negated]| plain.zip(negated));
    let mut found = Vec::new();
    for (plain, negated) in pairs {
        let (Some(a), Some(b)) = (&findings[plain], &findings[negated]) else {
            continue;
        };
        // What one of them must not say for other reasons is not repeated beside the other.
        if [a, b]
            .iter()
            .any(|f| f.change.is_none() && !f.is_of_one_speaker())
        {
            continue;
        }
        // One voice against many speaks against their rule, and does not silence it.
        let (many, few) = if a.support.distinct() >= b.support.distinct() {
            (plain, negated)
        } else {
            (negated, plain)
        };
        let said = |n: usize| {
            groups[n]
                .iter()
                .flat_map(|key| &by_key[*key])
                .copied()
                .collect::<Vec<Said>>()
        };
        let count = |n: usize| findings[n].as_ref().map_or(0, |f| f.support.distinct());
        if count(few) < MIN_SUPPORT {
            if let Some(change) = findings[many].as_mut().and_then(|f| f.change.as_mut()) {
                change
                    .quotes
                    .extend(window.quotes(said(few).iter().map(|s| (s.0, s.1.at)), true));
            }
            continue;
        }
        let all: Vec<Said> = said(plain).into_iter().chain(said(negated)).collect();
        let title = format!("People disagree: “{}” and “{}”", a.title, b.title);
        let name = format!("{}\0{}", a.fingerprint, b.fingerprint);
        let support = window.support(all.iter().map(|s| s.0));
        let mut finding = Finding::new(DISAGREEMENT, &name, title, support).insight(
            "two rules that say the opposite; somebody must decide which one holds before either \
             becomes a memory",
        );
        finding.evidence = window.quotes(said(plain).iter().map(|s| (s.0, s.1.at)), false);
        finding
            .evidence
            .extend(window.quotes(said(negated).iter().map(|s| (s.0, s.1.at)), true));
        found.push(finding);
        for n in [plain, negated] {
            if let Some(one) = &mut findings[n] {
                one.disposition =
                    Disposition::HeldBack("another rule says the opposite".to_owned());
            }
        }
    }
    found
}

/// Returns what a rule is about, and whether it forbids it.
pub fn matter_of(text: &str) -> (Vec<String>, bool) {
    let (mut words, negated) = similar::without_negation(similar::content_words(&essence(text)));
    words.sort_unstable();
    (words, negated)
}

/// Wordings of one rule.
struct Group<'k> {
    wordings: Vec<&'k Vec<String>>,
    /// Two of them were joined because they mean the same and are likely rules.
    by_meaning: bool,
    /// Of several, the one that is nearest in meaning to all others.
    middle: Option<&'k Vec<String>>,
}

/// Rules whose wordings are alike and hold the same numbers are one, and those that mean the same.
fn linked<'k>(
    first: &'k [Vec<String>],
    by_key: &BTreeMap<Vec<String>, Vec<Said>>,
    window: &Window,
) -> Vec<Group<'k>> {
    let essences: Vec<String> = first
        .iter()
        .map(|k| essence(&by_key[k][0].1.text))
        .collect();
    let texts: Vec<Prepared> = essences.iter().map(|e| Prepared::of(e)).collect();
    let mut root: Vec<usize> = (0..first.len()).collect();
    for (a, b) in similar::alike_pairs(&texts) {
        if texts[a].same_numbers(&texts[b]) && differ_softly(&essences[a], &essences[b]) {
            link(&mut root, a, b);
        }
    }
    // What differs only in the words by which a rule is said is the same.
    let mut same: BTreeMap<&[String], usize> = BTreeMap::new();
    for (i, text) in texts
        .iter()
        .enumerate()
        .filter(|(_, t)| !t.key().is_empty())
    {
        link(&mut root, i, *same.entry(text.key()).or_insert(i));
    }
    let opened: Vec<String> = first
        .iter()
        .map(|key| without_opening(&by_key[key][0].1.text))
        .collect();
    let wordings: Vec<meanings::Worded> = first
        .iter()
        .zip(&opened)
        .map(|(key, text)| (text.as_str(), likeliest(&by_key[key])))
        .collect();
    let likely = meanings::Likely::of(&wordings, &window.input.vectors);
    let mut by_meaning = likely.pairs().to_vec();
    for members in likely.groups() {
        let said: Vec<Said> = members
            .iter()
            .flat_map(|&n| &by_key[&first[n]])
            .copied()
            .collect();
        if is_said_by_several(&said, window) {
            by_meaning.extend(members[1..].iter().map(|&n| (members[0], n)));
        }
    }
    for (a, b) in &by_meaning {
        link(&mut root, *a, *b);
    }
    let met: BTreeSet<usize> = by_meaning.iter().map(|(a, _)| root_of(&root, *a)).collect();
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for i in 0..first.len() {
        groups.entry(root_of(&root, i)).or_default().push(i);
    }
    let group = |(root, members): (usize, Vec<usize>)| {
        // Of more nobody reads all, and the first say enough.
        let few = &members[..members.len().min(MOST_COMPARED)];
        let middle = if few.len() > 2 {
            likely.middle(few).map(|n| &first[n])
        } else {
            None
        };
        Group {
            wordings: members.iter().map(|&n| &first[n]).collect(),
            by_meaning: met.contains(&root),
            middle,
        }
    };
    groups.into_iter().map(group).collect()
}

/// True if wordings that are nearly the same were said by three people, who are likely to mean it
/// for good.
fn is_said_by_several(said: &[Said], window: &Window) -> bool {
    let likely = likeliest_of_each(said, |session| window.speaker(session));
    window.distinct(said.iter().map(|s| s.0)) >= 3
        && likely.iter().take(3).sum::<u32>() >= 3 * LIKELY_OF_THREE
}

/// The likelihood of the likeliest sentence of each speaker, or of each session, in thousandths,
/// largest first.
fn likeliest_of_each<K: Ord>(said: &[Said], whose: impl Fn(usize) -> K) -> Vec<u32> {
    let mut by_each: BTreeMap<K, u32> = BTreeMap::new();
    for one in said {
        let most = by_each.entry(whose(one.0)).or_default();
        *most = u32::from(likeliest(&[*one])).max(*most);
    }
    let mut likely: Vec<u32> = by_each.into_values().collect();
    likely.sort_unstable_by(|a, b| b.cmp(a));
    likely
}

/// Words by which two wordings of one rule may differ.
const SOFT: &[&str] = &[
    "always", "when", "whenever", "every", "time", "each", "ever", "should", "must", "make",
    "sure", "need", "remember", "rule", "default", "future", "now", "forward", "going", "team",
    "use", "using", "want", "general", "again", "all", "any",
];

/// True if the words that one wording has and the other has not only say that it is a rule: else
/// they are two.
fn differ_softly(a: &str, b: &str) -> bool {
    let words = |essence: &str| {
        similar::content_words(essence)
            .into_iter()
            .collect::<BTreeSet<String>>()
    };
    let (a, b) = (words(a), words(b));
    a.symmetric_difference(&b)
        .all(|w| SOFT.contains(&w.as_str()))
}

/// How a rule begins that says nothing of what it is; taken off in this order.
#[rustfmt::skip]
const SAYS_RULE: &[&str] = &[
    "new rule", "house rule", "team rule", "team policy", "company policy", "the rule here", "the rule is", "standard practice is to",
    "it's our policy to", "it is our policy to", "our policy", "our rule", "our convention", "next time", "from now on",
    "from here on out", "from here on", "from today onwards", "from today on", "henceforth", "moving forward", "effective \
        immediately",
    "as of today", "as of now", "starting now", "starting today", "going forward", "in future", "in the future", "for the future",
    "as a general rule", "as a rule", "by default", "make it a rule to", "make it a habit to", "it is important that you",
    "it's important that you", "it's important to", "i need you to", "i'd like you to", "i would like you to", "let's", "let us",
    "kindly", "you need to", "you have to", "make sure to", "make sure that", "make sure you", "make sure", "be sure to", "you should",
    "you must", "i want you to", "please", "we should", "we must", "we", "our team", "the team", "in our team", "always",
];
/// Beginnings of a rule that only say since when it holds.
const SINCE_WHEN: &[&str] = &[
    "from now on",
    "from here on out",
    "from here on",
    "from today on",
    "from today onwards",
    "going forward",
    "moving forward",
    "henceforth",
    "as of today",
    "as of now",
    "starting now",
    "starting today",
    "effective immediately",
    "new rule",
    "for the future",
];
/// Words anywhere in a rule that only say that it lasts.
#[rustfmt::skip]
const SAYS_LASTING: &[&str] = &[
    "from now on", "going forward", "moving forward", "henceforth", "as of now", "in future", "in the future", "for all future",
    "at all times", "please", "must always", "should always",
];

/// A rule without the words that only say that it is one; `never` and `not` are what it says.
fn essence(text: &str) -> String {
    let mut rest = without_opening(text)
        .to_lowercase()
        .replace('’', "'")
        .replace("don't", "do not")
        .replace("do not ever", "never")
        .replace("stop using", "never use")
        .replace("quit using", "never use")
        .replace("avoid using", "never use")
        .replace("refrain from using", "never use")
        .replace("under no circumstances", "never")
        .replace("at no time", "never")
        .replace("never ever", "never")
        .replace("anymore", "")
        .replace("any more", "");
    for opening in SAYS_RULE {
        rest = rest
            .trim_start_matches([' ', ',', ':'])
            .strip_prefix(opening)
            .filter(|r| r.starts_with([' ', ',', ':']))
            .map_or(rest.clone(), str::to_owned);
    }
    for inside in SAYS_LASTING {
        rest = rest.replace(inside, " ");
    }
    let rest = rest.trim_start_matches([' ', ',', ':']);
    let rest = rest
        .strip_prefix("do not ")
        .map_or_else(|| rest.to_owned(), |what| format!("never {what}"));
    // Words that say that it holds for all cases, which a rule does.
    rest.split(' ')
        .filter(|w| {
            !matches!(
                w.trim_matches([',', '.', '!']),
                "all" | "every" | "each" | "must" | "should" | "always" | "ever"
            )
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The likelihood of the likeliest sentence of one wording, in thousandths; what says in words that
/// it is a rule is nearly certain.
fn likeliest(said: &[Said]) -> u16 {
    said.iter()
        .map(|s| {
            if s.1.sure {
                s.1.likely.max(SURE)
            } else {
                s.1.likely
            }
        })
        .max()
        .unwrap_or(0)
}

fn judge(
    Group {
        wordings: group,
        by_meaning,
        middle,
    }: &Group,
    by_key: &BTreeMap<Vec<String>, Vec<Said>>,
    window: &Window,
) -> Option<Finding> {
    let said: Vec<Said> = group
        .iter()
        .flat_map(|key| &by_key[*key])
        .copied()
        .collect();
    let first = best_wording(&said, middle.map(|key| &by_key[key][0].1.text[..]))?;
    let text = cleaned(&first.text);
    let mut support = window.support(said.iter().map(|s| s.0));
    support.eligible = window.input.sessions.len();
    let remember = said.iter().any(|s| s.1.remember);
    // A speaker who says the same thing in several sessions means it as a standing preference.
    let insists = support.subjects == 1
        && support.sessions >= OWN_SESSIONS
        && said.iter().all(|s| window.head(s.0).subject.is_some());
    // A sentence that only may be a rule is one if somebody else says it, too, and one of them is
    // likely to mean it for good.
    let sure = said.iter().any(|s| s.1.sure)
        || (support.distinct() >= MIN_SUPPORT
            && (*by_meaning || are_likely(&said, are_one_wording(group, by_key))));
    if !sure {
        return None;
    }
    let template = is_template(&said);
    let title = compose::whole_words(&domain::masking::mask(&text), LONGEST_TITLE);
    let name = |key: &[String]| key.join(" ");
    let mut finding = Finding::new(KIND, &name(group[0]), title, support);
    finding.aliases = group
        .iter()
        .map(|key| fingerprint(KIND, &name(key)))
        .collect();
    finding.evidence = window.quotes(said.iter().map(|s| (s.0, s.1.at)), false);
    if template {
        "a sentence of a template".clone_into(&mut finding.title);
        return Some(finding.held_back(
            "it stands in the same place of many sessions, in the same words: a program put it \
             there, no person",
        ));
    }
    if claims::grants_the_speaker(&text) {
        "what a user claims for themselves".clone_into(&mut finding.title);
        return Some(finding.held_back(
            "it claims a right, an exception or a discount for the speaker, which only somebody \
             else can grant",
        ));
    }
    if let Some(reason) = unfit(&first.text, &text) {
        "what a user said as a rule".clone_into(&mut finding.title);
        return Some(finding.held_back(reason));
    }
    // One speaker who asked for it to be remembered, or says it again and again, speaks for
    // themselves.
    let own = said
        .iter()
        .find(|s| s.1.remember || insists)
        .and_then(|s| window.head(s.0).subject.as_deref());
    let folder = match own {
        _ if finding.support.distinct() >= MIN_SUPPORT => "preferences".to_owned(),
        Some(who) => format!("people/{}", compose::slug(who)),
        // Nobody knows who said so: it may hold for all only if it is not about the speaker.
        None if remember && !is_personal(&text) => "preferences".to_owned(),
        None => return Some(finding.held_back(ONE_SPEAKER)),
    };
    let content = format!("# {}\n\n- {text}\n", finding.title.trim_end_matches('.'));
    finding.change = Some(Change {
        kind: ChangeKind::Add,
        rationale: rationale(&finding, remember, group.len()),
        confidence_bp: if remember { 7_500 } else { 6_500 },
        tool_text: false,
        edits: vec![Edit {
            memory: None,
            path: compose::file(&folder, &text),
            new_path: None,
            content: Some(content),
        }],
        quotes: finding.evidence.clone(),
        gentle: None,
    });
    let sessions: BTreeSet<usize> = said.iter().map(|s| s.0).collect();
    let hashes: Vec<u64> = said
        .iter()
        .flat_map(|s| {
            [
                statement_hash(&s.1.text),
                statement_hash(&without_opening(&s.1.text)),
            ]
        })
        .flatten()
        .collect();
    let told = window.told(&sessions, &hashes);
    if told * 2 > sessions.len() {
        return Some(finding.insight(format!(
            "told but not followed: {told} of these {} sessions had been told",
            sessions.len()
        )));
    }
    Some(finding)
}

/// True if what was said came from a program in the user's role: a prompt, a demonstration, a
/// footer. It is verbatim in the same message of most of its sessions, beside the same
/// sentence. What a person says again has other words around it.
fn is_template(said: &[Said]) -> bool {
    // One of the sentences beside it may hold what differs from session to session.
    let mut at: BTreeMap<Spot, BTreeSet<usize>> = BTreeMap::new();
    for (session, rule) in said {
        let (before, after) = rule.beside;
        for (before, after) in [(before, None), (None, after)]
            .into_iter()
            .filter(|b| *b != (None, None))
        {
            at.entry((&rule.text, rule.turn, before, after))
                .or_default()
                .insert(*session);
        }
    }
    let all = said.iter().map(|s| s.0).collect::<BTreeSet<usize>>().len();
    at.values()
        .any(|sessions| sessions.len() >= TEMPLATE_SESSIONS && sessions.len() * 3 >= all * 2)
}

impl Finding {
    /// True if only one speaker said so, and nothing else speaks against it.
    fn is_of_one_speaker(&self) -> bool {
        self.disposition == Disposition::HeldBack(ONE_SPEAKER.to_owned())
    }
}

/// True if the two likeliest sessions' wordings are likely enough together.
fn are_likely(said: &[Said], one_wording: bool) -> bool {
    let likely = likeliest_of_each(said, |session| session);
    likely.iter().take(2).sum::<u32>()
        >= if one_wording {
            LIKELY_IN_ONE_WORDING
        } else {
            LIKELY
        }
}

/// True if all said it in nearly the same words, which is the mark of a phrase that everybody uses
/// and of what programs send.
fn are_one_wording(group: &[&Vec<String>], by_key: &BTreeMap<Vec<String>, Vec<Said>>) -> bool {
    let mut wordings = group
        .iter()
        .map(|key| Prepared::of(&essence(&by_key[*key][0].1.text)));
    let Some(first) = wordings.next() else {
        return true;
    };
    wordings.all(|other| first.likeness(&other) != similar::Likeness::Different)
}

/// The wording that a reader would choose: sure, an order, in the middle of what all said, of few
/// words, and not about the speaker. Among equals the first by its words.
fn best_wording<'a>(said: &[Said<'a>], middle: Option<&str>) -> Option<&'a Rule> {
    let points = |rule: &Rule| {
        let text = cleaned(&rule.text);
        let words = plain_words(&text);
        let orders = words
            .first()
            .is_some_and(|w| COMMANDS.contains(&w.as_str()) || matches!(w.as_str(), "no" | "only"));
        let sloppy = text.split(' ').any(|w| {
            matches!(
                w.to_lowercase().trim_matches(','),
                "btw" | "u" | "ur" | "ok" | "hey" | "lol" | "tbh"
            )
        });
        let short = (4..=20).contains(&words.len());
        i32::from(rule.sure) * 2
            + i32::from(orders) * 2
            + i32::from(middle == Some(&rule.text)) * 2
            + i32::from(short)
            + i32::from(rule.likely) / 400
            - i32::from(is_personal(&text)) * 3
            - i32::from(sloppy) * 2
            // "Not euros with a decimal point" is half of what somebody said.
            - i32::from(words.first().is_some_and(|w| w == "not")) * 4
    };
    said.iter().map(|s| s.1).max_by(|a, b| {
        points(a)
            .cmp(&points(b))
            .then_with(|| b.text.len().cmp(&a.text.len()))
            .then_with(|| b.text.cmp(&a.text))
    })
}

/// A rule without the words at its beginning that say since when it holds: in the memory it does.
fn without_lasting(text: &str) -> &str {
    let begins = |phrase: &&&str| {
        text.get(..phrase.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(phrase))
    };
    let rest = SINCE_WHEN
        .iter()
        .find(begins)
        .map_or("", |phrase| &text[phrase.len()..]);
    let rest = if rest.starts_with([',', ':', ' ']) {
        rest.trim_start_matches([',', ':', ' ', '-', '–'])
    } else {
        ""
    };
    if rest.split(' ').count() >= 3 {
        rest
    } else {
        text
    }
}

/// A rule's words for a note: without politeness and without asking that it be remembered.
fn cleaned(text: &str) -> String {
    let polite = |w: &&str| {
        !matches!(
            w.to_lowercase().trim_matches(['.', ',', '!']),
            "pls" | "plz" | "please" | "kindly"
        )
    };
    let opened = without_opening(text);
    let opened = without_lasting(&opened).to_owned();
    let kept: Vec<&str> = opened.split(' ').filter(polite).collect();
    let mut chars = kept
        .iter()
        .skip_while(|w| w.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    if let Some(first) = chars.chars().next().filter(|c| c.is_lowercase()) {
        chars.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    if chars.is_empty() {
        chars = opened;
    }
    // One sentence, one full stop, however it was typed.
    let bare = chars.trim_end_matches(['.', '!', ' ', ',']).len();
    chars.truncate(bare);
    if chars.ends_with(char::is_alphanumeric) || chars.ends_with([')', '"', '%']) {
        chars + "."
    } else {
        chars
    }
}

fn is_personal(text: &str) -> bool {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .any(|w| matches!(w, "i" | "me" | "my" | "mine" | "myself"))
}

fn rationale(finding: &Finding, remember: bool, wordings: usize) -> String {
    format!(
        "Said as a rule {} in {}{}{}{}.",
        compose::times(finding.support.occurrences),
        plural::count(finding.support.sessions, "session"),
        if finding.support.subjects > 0 {
            format!(" by {}", plural::count(finding.support.subjects, "speaker"))
        } else {
            String::new()
        },
        if wordings > 1 {
            format!(", in {}", plural::count(wordings, "wording"))
        } else {
            String::new()
        },
        if remember {
            ", and asked to be remembered"
        } else {
            ""
        }
    )
}

/// Why a rule must not become a memory.
fn unfit(said: &str, text: &str) -> Option<&'static str> {
    if scan::has_hidden(said) {
        return Some("it holds characters that are not seen");
    }
    if !sensitive::sensitive_spans(said).is_empty() {
        return Some("it holds personal data or a credential");
    }
    if text.contains("://") || text.contains("![") {
        return Some("it holds an address or a picture");
    }
    // "Remember to always .." is what people say; of the rest only what would redirect the agent
    // that loads it.
    scan::holds_an_instruction(text).then_some("it reads as text that redirects an agent")
}
