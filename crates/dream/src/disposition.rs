//! What becomes of each finding: what already waits, was committed or was rejected is not proposed
//! again; what the memory says is extended and not doubled; limits of number and loss hold; every
//! new note gets a path that nobody has.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{changeset::ChangeKind, scan, sensitive, statement::statements};

use crate::{
    MAX_CHANGES, compose,
    curation::{
        loss::{self, Loss},
        similar,
    },
    findings::{candidates, facts, standing},
    steering::Steering,
    types::{Change, Disposition, Edit, Finding, Input, Known, KnownState, Memory},
};

/// Open failures that one dream shows; the best supported ones.
const MOST_OPEN: usize = 50;
/// The names of the folder of each kind of note, Lucid's own name first.
const FOLDERS: &[&[&str]] = &[
    &[
        "failures",
        "errors",
        "troubleshooting",
        "known-issues",
        "issues",
        "problems",
        "pitfalls",
    ],
    &[
        "workflows",
        "procedures",
        "playbooks",
        "runbooks",
        "processes",
        "how-to",
        "howto",
    ],
    &[
        "preferences",
        "conventions",
        "style",
        "rules",
        "guidelines",
        "standards",
    ],
    &["facts", "reference", "knowledge"],
];

/// Settles the findings, best supported first. Says how much dreams lose of the store with what is
/// proposed now.
pub fn settle(findings: &mut [Finding], input: &Input) -> Loss {
    let steering = Steering::of(input);
    let matters = Matters::of(findings, &input.memories);
    let mut proposed = 0;
    let store = loss::of_store(&input.memories);
    let mut lost = input.lost_recently;
    let mut touched: HashSet<usize> = HashSet::new();
    for finding in findings
        .iter_mut()
        .filter(|f| matches!(f.disposition, Disposition::Insight(_)))
    {
        let answered = |k: &&Known| matches!(k.state, KnownState::Answered { .. }) && k.is(finding);
        if let Some(reason) = input
            .known
            .iter()
            .filter(answered)
            .find_map(|k| k.holds_back(&finding.support))
        {
            finding.disposition = Disposition::HeldBack(reason);
        }
    }
    for (n, finding) in findings
        .iter_mut()
        .filter(|f| f.disposition == Disposition::Open)
        .enumerate()
    {
        if n >= MOST_OPEN {
            finding.disposition =
                Disposition::HeldBack(format!("a dream shows at most {MOST_OPEN} open failures"));
        } else if let Some(reason) = closed(finding, input) {
            finding.disposition = Disposition::HeldBack(reason);
        }
    }
    for finding in findings.iter_mut().filter(|f| f.is_proposed()) {
        // What waits already goes on waiting, whatever this dream was told.
        let settled = known(finding, input)
            .or_else(|| steering.leaves_out(finding).map(Disposition::HeldBack));
        let settled = settled.or_else(|| match replaces_opposite(finding, input, &matters) {
            Some(()) => None,
            None => already_said(finding, input),
        });
        if let Some(settled) = settled.or_else(|| unfit(finding, input)) {
            finding.disposition = settled;
            continue;
        }
        let Some(change) = &mut finding.change else {
            continue;
        };
        if proposed == MAX_CHANGES {
            finding.disposition =
                Disposition::HeldBack(format!("a dream proposes at most {MAX_CHANGES} changes"));
            continue;
        }
        // No two changes of a changeset touch the same memory.
        if change
            .edits
            .iter()
            .filter_map(|e| e.memory)
            .any(|m| touched.contains(&m))
        {
            finding.disposition = Disposition::HeldBack(
                "another change of this dream touches the same memory".to_owned(),
            );
            continue;
        }
        let mut loses = loss::of_change(change, &input.memories, &touched);
        let over = |loses: Loss| {
            !input.clean_up && loses != Loss::default() && !lost.and(loses).is_within(store)
        };
        if over(loses)
            && let Some(gentle) = change.gentle.take()
        {
            change.edits = gentle;
            loses = loss::of_change(change, &input.memories, &touched);
        }
        if over(loses) {
            finding.disposition = Disposition::HeldBack(format!(
                "dreams may lose {} % of a store's statements and bytes in 30 days, and this would \
                 be more",
                loss::PERCENT
            ));
            continue;
        }
        touched.extend(change.edits.iter().filter_map(|e| e.memory));
        proposed += 1;
        lost = lost.and(loses);
    }
    give_paths(findings, input);
    lost
}

/// The last gate, whatever found it: what a change would newly say holds nothing that must not
/// are in a memory, nor does its title or path, and fits.
fn unfit(finding: &mut Finding, input: &Input) -> Option<Disposition> {
    let change = finding.change.as_ref()?;
    let mut fresh = vec![finding.title.clone()];
    for edit in &change.edits {
        let before: BTreeSet<String> = edit
            .memory
            .iter()
            .flat_map(|&i| statements(&input.memories[i].content))
            .collect();
        let after = edit.content.as_deref().unwrap_or_default();
        if domain::memory::check_content(after).is_err() {
            return Some(Disposition::HeldBack(
                "the memory would be larger than one may be".to_owned(),
            ));
        }
        // Where whole statements move, they were there before.
        if !matches!(change.kind, ChangeKind::Restructure | ChangeKind::Merge)
            || finding.kind == candidates::KIND
        {
            fresh.extend(
                statements(after)
                    .into_iter()
                    .filter(|s| !before.contains(s)),
            );
        }
        if edit.memory.is_none() && change.kind == ChangeKind::Add {
            fresh.push(edit.path.replace(['-', '/'], " "));
        }
    }
    let text = fresh.join("\n");
    let spaced = text.replace('\n', " ");
    let reason = if scan::has_hidden(&spaced) {
        "it would hold characters that are not seen"
    } else if !sensitive::sensitive_spans(&text).is_empty() {
        "it would hold personal data or a credential"
    } else if scan::holds_an_instruction(&spaced) {
        "it would read as text that redirects an agent"
    } else if text.contains("![")
        || (text.contains("://")
            && (change.kind == ChangeKind::Add || finding.kind == "recurring_failure"))
    {
        "it would hold an address or a picture"
    } else {
        return None;
    };
    "what was found does not bear repeating".clone_into(&mut finding.title);
    Some(Disposition::HeldBack(reason.to_owned()))
}

/// Why a failure without a way out is no question any more: somebody wrote one down, or said that
/// none belongs into the memory.
fn closed(finding: &Finding, input: &Input) -> Option<String> {
    let rejected = input
        .known
        .iter()
        .filter(|k| k.is(finding))
        .find_map(|k| k.holds_back(&finding.support));
    let subject = finding
        .title
        .split_once(": ")
        .map_or("", |(subject, _)| subject);
    let near = || {
        input
            .memories
            .iter()
            .filter(|m| compose::names(&m.content, subject))
    };
    let told = || near().any(|m| is_about(&statements(&m.content), &finding.title));
    rejected.or_else(|| told().then(|| "the memory already says what to do about it".to_owned()))
}

/// Returns what an earlier proposal of the same finding means for it.
fn known(finding: &mut Finding, input: &Input) -> Option<Disposition> {
    let mut committed = None;
    let mut personal = None;
    for known in input.known.iter().filter(|k| k.is(finding)) {
        if known.state == KnownState::Committed {
            if is_of_others(known, finding) {
                personal = Some(known);
            } else {
                committed = Some(known);
            }
        } else if known.state == KnownState::Waiting {
            // Somebody may have written it down meanwhile: then there is nothing left to wait for.
            return Some(already_said(&mut finding.clone(), input).unwrap_or(Disposition::Waits));
        } else if let Some(reason) = known.holds_back(&finding.support) {
            return Some(Disposition::HeldBack(reason));
        }
    }
    let Some(known) = committed else {
        personal
            .and_then(|known| known.memory)
            .and_then(|memory| share(finding, memory, input));
        return None;
    };
    // The memory says the old value again, and people the new one: a value that returns is a change
    // like any other.
    if finding.kind == facts::KIND && !input.nothing_new {
        return None;
    }
    let held_back = |reason: &str| Some(Disposition::HeldBack(reason.to_owned()));
    let change = finding.change.as_mut()?;
    let ([edit], Some(memory), Some(composed)) = (&change.edits[..], known.memory, &known.composed)
    else {
        return held_back("the same was already committed");
    };
    let now = edit.content.as_ref()?;
    // Only a note that a dream wrote as a whole is written anew; a rule stays as it was worded when
    // somebody approved it.
    if finding.kind == standing::KIND || !is_own_note(composed) {
        return held_back("the same was already committed");
    }
    if now == composed || input.nothing_new || now == &input.memories[memory].content {
        return held_back("the same was already committed");
    }
    if input.memories[memory].content != *composed {
        return Some(Disposition::Insight(
            "the memory was worded by a person; sessions since then say more".to_owned(),
        ));
    }
    rewrite(change, memory, input);
    None
}

/// True if a committed rule is one person's own, and the finding is not that person's.
fn is_of_others(known: &Known, finding: &Finding) -> bool {
    let path = finding
        .change
        .as_ref()
        .and_then(|c| c.edits.first())
        .map(|e| &e.path);
    let before = known.path.as_deref().and_then(owner);
    finding.kind == standing::KIND
        && before.is_some()
        && before != path.and_then(|path| owner(path))
}

/// Makes the addition of a rule for all a move of the note that says it for one person, unless the
/// note is frozen.
fn share(finding: &mut Finding, memory: usize, input: &Input) -> Option<()> {
    let change = finding.change.as_mut()?;
    let path = change
        .edits
        .first()
        .map(|e| e.path.clone())
        .filter(|path| owner(path).is_none())?;
    let now = input
        .memories
        .get(memory)
        .filter(|m| !m.frozen && owner(&m.path).is_some())?;
    change.kind = ChangeKind::Move;
    change.rationale = format!(
        "Until now this was one person's own preference; others say the same. {}",
        change.rationale
    );
    change.edits = vec![Edit {
        memory: Some(memory),
        path: now.path.clone(),
        new_path: Some(path),
        content: Some(now.content.clone()),
    }];
    Some(())
}

/// Most statements of a note that a dream writes.
const OWN_STATEMENTS: usize = 6;

/// True if a content is a whole note of a dream's own: not a file of somebody else to which a dream
/// added, or in which it changed a line.
fn is_own_note(content: &str) -> bool {
    let told = statements(content);
    let of_failure = || content.contains("\n- When: ");
    let of_workflow = || content.contains("\n- Why: tries at the same task");
    content.starts_with("# ") && told.len() <= OWN_STATEMENTS && (of_failure() || of_workflow())
}

/// Makes an addition an update of the note that it added before; where more was masked since, the
/// note's name is, too.
fn rewrite(change: &mut Change, memory: usize, input: &Input) {
    let now = &input.memories[memory];
    change.kind = ChangeKind::Update;
    change.rationale = format!(
        "More was seen since this note was written. {}",
        change.rationale
    );
    for edit in &mut change.edits {
        let folder = now.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = edit.path.rsplit('/').next().unwrap_or_default();
        let numbered = |n: &str| {
            now.path
                .strip_suffix(".md")
                .and_then(|p| p.strip_prefix(&format!("{folder}/{}", n.trim_end_matches(".md"))))
        };
        let same = numbered(name).is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix('-')
                    .is_some_and(|n| n.parse::<u32>().is_ok())
        });
        let moved = format!("{folder}/{name}");
        let free =
            !input.memories.iter().any(|m| m.path == moved) && !input.taken_paths.contains(&moved);
        let new_path = (!same && free).then_some(moved);
        *edit = Edit {
            memory: Some(memory),
            path: now.path.clone(),
            new_path,
            content: edit.content.take(),
        };
    }
}

/// The subject of each statement of the memory, whether it forbids it, and its place: computed once
/// for all rules of a dream.
struct Matters {
    by_matter: HashMap<(Vec<String>, bool), (usize, String)>,
}

impl Matters {
    fn of(findings: &[Finding], memories: &[Memory]) -> Self {
        let mut by_matter = HashMap::new();
        // Without a rule nobody asks.
        if findings
            .iter()
            .any(|f| f.kind == standing::KIND && f.is_proposed())
        {
            for (n, memory) in memories.iter().enumerate().filter(|(_, m)| !m.frozen) {
                for statement in statements(&memory.content) {
                    let (matter, negated) = standing::matter_of(&statement);
                    if matter.len() >= 2 {
                        by_matter.entry((matter, negated)).or_insert((n, statement));
                    }
                }
            }
        }
        Self { by_matter }
    }
}

/// Whose note a path is: a person's own below `/people`, or everybody's.
fn owner(path: &str) -> Option<&str> {
    path.strip_prefix("/people/")
        .map(|rest| rest.split('/').next().unwrap_or_default())
}

/// A rule that says the opposite of what the memory says is proposed in its place: a person sees
/// both, and what is lost. What one person wants for themselves is no opposite of what all want.
fn replaces_opposite(finding: &mut Finding, input: &Input, matters: &Matters) -> Option<()> {
    let change = finding
        .change
        .as_mut()
        .filter(|c| finding.kind == standing::KIND && c.kind == ChangeKind::Add)?;
    let first = change.edits.first()?;
    let rule = statements(first.content.as_deref()?).get(1)?.clone();
    let (matter, negated) = standing::matter_of(&rule);
    let (index, opposite) = matters.by_matter.get(&(matter, !negated)).cloned()?;
    if owner(&first.path) != owner(&input.memories[index].path) {
        return None;
    }
    let (edit, kept) = facts::superseded(&input.memories[index], (index, &opposite), &rule)?;
    change.kind = ChangeKind::Supersede;
    change.rationale = format!(
        "The memory says the opposite: “{opposite}”. {}",
        change.rationale
    );
    change.edits = vec![edit];
    // Where no more may be lost, the old rule stays below as a quotation.
    change.gentle = Some(vec![kept]);
    Some(())
}

/// Returns what a note of somebody else says already is not said again; what it leaves out is added
/// to it.
fn already_said(finding: &mut Finding, input: &Input) -> Option<Disposition> {
    let change = finding
        .change
        .as_mut()
        .filter(|c| c.kind == ChangeKind::Add)?;
    let content = change.edits.first()?.content.clone()?;
    let said: Vec<String> = statements(&content);
    // A rule is its sentence; of other notes the title says the point.
    let point = similar::key_of(said.get(usize::from(finding.kind == "standing_instruction"))?);
    let whose = change
        .edits
        .first()
        .and_then(|e| owner(&e.path))
        .map(str::to_owned);
    let held_back = |reason: &str| Some(Disposition::HeldBack(reason.to_owned()));
    for (index, memory) in input.memories.iter().enumerate() {
        // Agents do not load one person's note for anybody else.
        if owner(&memory.path).is_some_and(|owner| Some(owner) != whose.as_deref()) {
            continue;
        }
        let there: Vec<String> = statements(&memory.content);
        let keys: BTreeSet<Vec<String>> = there.iter().map(|s| similar::key_of(s)).collect();
        let missing: Vec<&String> = said
            .iter()
            .skip(1)
            .filter(|s| !keys.contains(&similar::key_of(s)) && !s.starts_with("Why:"))
            .collect();
        // A model's title is what one would search for, and may be a heading of another note.
        let by_title = finding.kind != "recurring_failure" && finding.kind != candidates::KIND;
        if missing.is_empty() || (by_title && keys.contains(&point)) {
            return held_back("the memory already says so");
        }
        if finding.kind != "recurring_failure" || !is_about(&there, &finding.title) {
            continue;
        }
        if memory.frozen || memory.by_person {
            return held_back("a memory that a person keeps is about the same");
        }
        // Only what to do is worth adding to a note that already tells of the failure.
        let tells = |s: &&&String| s.starts_with("What to do:");
        let add: Vec<&str> = missing.iter().filter(tells).map(|s| s.as_str()).collect();
        if add.is_empty() {
            return held_back("the memory already says so");
        }
        let edit = Edit {
            memory: Some(index),
            path: memory.path.clone(),
            new_path: None,
            content: Some(format!(
                "{}\n- {}\n",
                memory.content.trim_end(),
                add.join("\n- ")
            )),
        };
        change.kind = ChangeKind::Update;
        change.rationale = format!(
            "`{}` is about the same and does not say what to do. {}",
            memory.path, change.rationale
        );
        change.edits = vec![edit];
        return None;
    }
    None
}

/// True if one of the statements tells of the failure of this title: it names the tool and most of
/// the error's words.
fn is_about(there: &[String], title: &str) -> bool {
    let Some((tool, point)) = title.split_once(": ") else {
        return false;
    };
    let words: Vec<String> = similar::content_words(&point.replace('`', ""))
        .into_iter()
        .filter(|w| !w.contains('<'))
        .collect();
    let tells = |s: &String| {
        let has: BTreeSet<String> = similar::content_words(&s.replace('`', ""))
            .into_iter()
            .collect();
        compose::names(s, tool)
            && words.len() >= 2
            && 10 * words.iter().filter(|w| has.contains(*w)).count() >= 7 * words.len()
    };
    there.iter().any(tells)
}

/// Gives each new memory, and each note that becomes everybody's, a path that no memory, open
/// change or other finding has, in the store's own folder for its kind if it has one.
fn give_paths(findings: &mut [Finding], input: &Input) {
    let own = own_folders(&input.memories);
    let mut taken: BTreeSet<String> = input
        .memories
        .iter()
        .map(|m| m.path.clone())
        .chain(input.taken_paths.iter().cloned())
        .collect();
    for finding in findings.iter_mut().filter(|f| f.is_proposed()) {
        let Some(change) = &mut finding.change else {
            continue;
        };
        for edit in &mut change.edits {
            let shared = finding.kind == standing::KIND && change.kind == ChangeKind::Move;
            let path = match &mut edit.new_path {
                Some(path) if shared => path,
                None if edit.memory.is_none() => &mut edit.path,
                _ => continue,
            };
            if let Some((folder, rest)) = path[1..].split_once('/')
                && (shared || change.kind == ChangeKind::Add)
            {
                *path = format!("/{}/{rest}", own.get(folder).unwrap_or(&folder));
            }
            *path = compose::free_path(path, &taken);
            taken.insert(path.clone());
        }
    }
}

/// How the store calls the folders of our kinds of notes: the one with most memories.
fn own_folders(memories: &[Memory]) -> BTreeMap<&'static str, &'static str> {
    let holds = |folder: &str| {
        memories
            .iter()
            .filter(|m| {
                m.path[1..]
                    .split_once('/')
                    .is_some_and(|(first, _)| first == folder)
            })
            .count()
    };
    let best = |names: &&[&'static str]| {
        let (n, name) = names
            .iter()
            .map(|name| (holds(name), *name))
            .rev()
            .max_by_key(|(n, _)| *n)?;
        (n > 0).then_some((names[0], name))
    };
    FOLDERS.iter().filter_map(best).collect()
}
