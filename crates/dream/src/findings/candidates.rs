//! What a model proposed, under the same checks as everything else: quotes that were found,
//! distinct subjects, no personal data, no secrets, no instructions, nothing long, no literal that
//! could be a customer's. What it would do to a note is done here, line by line: a model never
//! writes a note anew.

use std::collections::{BTreeSet, HashMap};

use domain::{changeset::ChangeKind, memory::MemoryPath, scan, sensitive, statement::statements};

use crate::{
    MIN_SUPPORT, compose,
    curation::similar::{self, Likeness, Prepared},
    curator::{Action, Candidate, Second, Speaker, Topic, folded, verify},
    findings::facts,
    reading::Place,
    types::{Change, Edit, Finding, Memory},
    window::Window,
};

/// The name of this kind of finding.
pub const KIND: &str = "model_candidate";
/// Longest content, in characters.
const LONGEST: usize = 1_600;
/// Quotes that a finding of the built-in engine and one of a model share, when they are the same.
const SHARED_QUOTES: usize = 2;

/// Judges every candidate of the models.
pub fn find(window: &Window) -> Vec<Finding> {
    let places: HashMap<&str, usize> = window
        .sessions()
        .map(|(i, s)| (s.head.key.as_str(), i))
        .collect();
    // Parts of the observations may lead to the same change: of those, one that is proposed.
    let mut found: Vec<Finding> = Vec::new();
    for finding in window
        .input
        .candidates
        .iter()
        .map(|c| judge(c, &places, window))
    {
        match found
            .iter_mut()
            .find(|f| f.fingerprint == finding.fingerprint)
        {
            Some(same) if !same.is_proposed() && finding.is_proposed() => *same = finding,
            Some(_) => {}
            None => found.push(finding),
        }
    }
    found
}

/// Puts a model's findings beside those of the built-in engine. What both found is proposed once,
/// and says so.
pub fn agree(findings: &mut Vec<Finding>, by_model: Vec<Finding>) {
    let own = findings.len();
    for mut finding in by_model {
        let same = findings[..own]
            .iter_mut()
            .find(|f| f.is_proposed() && finding.is_proposed() && are_same(f, &finding));
        if let Some(same) = same {
            let models = finding
                .found_by
                .iter()
                .filter(|m| !same.found_by.contains(m))
                .cloned()
                .collect::<Vec<_>>();
            if let Some(change) = &mut same.change {
                change.rationale = format!(
                    "{} {} found the same by reading the sessions.",
                    change.rationale,
                    models.join(", ")
                );
            }
            same.found_by.extend(models);
            finding =
                finding.held_back("the built-in engine found the same, and its change says so");
        }
        findings.push(finding);
    }
}

/// True if a finding of the built-in engine and one of a model would do the same: they are of one
/// kind and rest on the same quotes, or say alike things.
fn are_same(own: &Finding, of_model: &Finding) -> bool {
    let (Some(a), Some(b)) = (&own.change, &of_model.change) else {
        return false;
    };
    let topic = match own.kind {
        "recurring_failure" => Topic::Failure,
        "workflow" => Topic::Workflow,
        "standing_instruction" => Topic::Preference,
        "fact_changed" => Topic::Fact,
        _ => return false,
    };
    let adds = |change: &Change| {
        change
            .edits
            .iter()
            .find(|e| e.memory.is_none())
            .map(|e| e.path.clone())
    };
    let touches = |change: &Change| {
        change
            .edits
            .iter()
            .filter_map(|e| e.memory)
            .collect::<BTreeSet<_>>()
    };
    let one_note = !touches(a).is_disjoint(&touches(b));
    if !one_note && !adds(b).is_some_and(|path| path.starts_with(&format!("/{}/", topic.folder())))
    {
        return false;
    }
    let overlaps = |x: &crate::types::Quote| {
        b.quotes.iter().any(|y| {
            (x.session, x.event) == (y.session, y.event) && x.start < y.end && y.start < x.end
        })
    };
    if a.quotes.iter().filter(|q| overlaps(q)).count() >= SHARED_QUOTES {
        return true;
    }
    let said = |change: &Change| -> Vec<Prepared> {
        let lines = change
            .edits
            .iter()
            .filter_map(|e| e.content.as_deref())
            .flat_map(str::lines)
            .filter(|l| !l.starts_with('#'));
        lines
            .flat_map(statements)
            .map(|s| Prepared::of(&s))
            .collect()
    };
    let (own, others) = (said(a), said(b));
    own.iter()
        .any(|x| others.iter().any(|y| x.likeness(y) != Likeness::Different))
}

fn judge(candidate: &Candidate, places: &HashMap<&str, usize>, window: &Window) -> Finding {
    let needs_person = matches!(candidate.topic, Topic::Preference | Topic::Fact);
    // What the agent itself says proves nothing; what people want, only people say.
    let counts = |by: Speaker| {
        if needs_person {
            by == Speaker::Person
        } else {
            by != Speaker::Agent
        }
    };
    // A quote that shares no word with what is proposed proves nothing of it, no matter who chose
    // it.
    let about: BTreeSet<String> = std::iter::once(&candidate.title)
        .chain(&candidate.statements)
        .chain(&candidate.replaces)
        .flat_map(|text| similar::content_words(text))
        .collect();
    let shares = |text: &str| {
        similar::content_words(text)
            .iter()
            .any(|w| about.contains(w))
    };
    let shown = verify::shown_quotes(candidate);
    let seen: Vec<(usize, Place)> = shown
        .into_iter()
        .filter(|q| counts(q.by) && (shares(&q.text) || candidate.action == Action::Remove))
        .filter_map(|q| Some((*places.get(q.session.as_str())?, q.at)))
        .collect();
    let mut support = window.support(seen.iter().map(|s| s.0));
    support.eligible = window.input.sessions.len();
    if seen.is_empty() {
        support = crate::Support {
            occurrences: 1,
            ..crate::Support::default()
        };
    }
    let title: String = domain::masking::mask(candidate.title.trim())
        .chars()
        .take(80)
        .collect();
    let mut finding = Finding::new(KIND, &name(candidate), title, support);
    finding.found_by = vec![candidate.model.clone()];
    let text = format!(
        "{}\n{}\n{}",
        candidate.title,
        candidate.statements.join("\n"),
        candidate.new_path.as_deref().unwrap_or_default()
    );
    if let Some(reason) = unfit(&text).or_else(|| lone_literal(candidate, &text, places, window)) {
        "what a model proposed".clone_into(&mut finding.title);
        return finding.held_back(reason);
    }
    if let Second::Not(why) = &candidate.second {
        return finding.held_back(said_of(
            "a second reading did not find it in its quotes",
            why,
        ));
    }
    let (kind, edits) = match edits(candidate, &finding.title, window) {
        Ok(done) => done,
        Err(reason) => return finding.held_back(reason),
    };
    let needs_sessions = match candidate.action {
        Action::Add | Action::Update => true,
        Action::Remove => !is_elsewhere(candidate, window),
        Action::Merge => !says_no_more(candidate, &edits, &window.input.memories),
        Action::Move => false,
    };
    if needs_sessions && (seen.is_empty() || finding.support.distinct() < MIN_SUPPORT) {
        return finding
            .held_back("its quotes stand with one subject or task only, or were not found");
    }
    // Where no more may be lost, an old line stays below as a quotation.
    let gentle = match (
        &edits[..],
        &candidate.replaces[..],
        &candidate.statements[..],
    ) {
        (
            [
                Edit {
                    memory: Some(index),
                    ..
                },
            ],
            [old],
            [new],
        ) if kind == ChangeKind::Supersede => facts::superseded(
            &window.input.memories[*index],
            (*index, &folded(text_of(old))),
            new,
        )
        .map(|(_, kept)| vec![kept]),
        _ => None,
    };
    let tool_text = candidate.quotes.iter().any(|q| q.by != Speaker::Person);
    finding.change = Some(Change {
        kind,
        rationale: rationale(candidate, !seen.is_empty()),
        confidence_bp: match candidate.second {
            Second::Entailed => 7_000,
            Second::None => 5_000,
            Second::Partly(_) | Second::Not(_) => 4_000,
        },
        tool_text,
        edits,
        quotes: window.quotes(seen, false),
        gentle,
    });
    finding
}

/// Returns what it is known by. A model words the same thing otherwise each time: the words
/// themselves count, in any order.
fn name(candidate: &Candidate) -> String {
    let words: BTreeSet<String> = candidate
        .statements
        .iter()
        .flat_map(|s| similar::content_words(s))
        .collect();
    let words = words.into_iter().collect::<Vec<_>>().join(" ");
    let targets = || {
        let targets: BTreeSet<&str> = candidate.targets.iter().map(String::as_str).collect();
        targets.into_iter().collect::<Vec<_>>().join(" ")
    };
    let replaced = || {
        let keys: Vec<String> = candidate
            .replaces
            .iter()
            .map(|line| similar::key_of(line).join(" "))
            .collect();
        keys.join("\0")
    };
    match candidate.action {
        Action::Add => words,
        Action::Update => format!("update {} {words}\0{}", targets(), replaced()),
        Action::Merge => format!("merge {}", targets()),
        Action::Move => format!(
            "move {} {}",
            targets(),
            candidate.new_path.as_deref().unwrap_or_default()
        ),
        Action::Remove => format!("remove {}", targets()),
    }
}

/// Returns what a reviewer reads of it first.
fn rationale(candidate: &Candidate, has_quotes: bool) -> String {
    let reason = if unfit(&candidate.reason).is_none() {
        candidate.reason.as_str()
    } else {
        ""
    };
    let second = match &candidate.second {
        Second::Entailed => "A second reading found all of it in the quotes.".to_owned(),
        Second::Partly(why) => said_of("A second reading found only part of it in the quotes", why),
        Second::None | Second::Not(_) if candidate.action == Action::Move => String::new(),
        Second::None | Second::Not(_) => "It was not read a second time.".to_owned(),
    };
    let counts = if has_quotes {
        "Its quotes stand word for word in the sessions, and the counts are Lucid's own."
    } else {
        ""
    };
    let parts = [
        reason,
        &format!("Proposed by {}.", candidate.model),
        &second,
        counts,
    ];
    parts
        .into_iter()
        .filter(|p| !p.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A model's words after ours, if they may be repeated.
fn said_of(ours: &str, theirs: &str) -> String {
    if theirs.is_empty() || unfit(theirs).is_some() {
        format!("{ours}.")
    } else {
        format!("{ours}: {theirs}")
    }
}

/// The kind of change and its edits, or why there are none.
fn edits(
    candidate: &Candidate,
    title: &str,
    window: &Window,
) -> Result<(ChangeKind, Vec<Edit>), &'static str> {
    let memories = &window.input.memories;
    if candidate.action == Action::Add {
        let content = format!(
            "# {}\n\n- {}\n",
            title.trim_start_matches('#').trim(),
            candidate.statements.join("\n- ")
        );
        let edit = Edit {
            memory: None,
            path: compose::file(candidate.topic.folder(), title),
            new_path: None,
            content: Some(content),
        };
        return Ok((ChangeKind::Add, vec![edit]));
    }
    let mut targets: Vec<usize> = Vec::new();
    for path in &candidate.targets {
        let index = memories
            .iter()
            .position(|m| m.path == *path)
            .ok_or("it names a note that is not there")?;
        let memory = &memories[index];
        if memory.frozen {
            return Err("a note that it would change is frozen: only a person changes it");
        }
        if !memory.is_shared() {
            return Err("what stands below /people is one person's own");
        }
        if !targets.contains(&index) {
            targets.push(index);
        }
    }
    let edit = |index: usize, content: Option<String>| Edit {
        memory: Some(index),
        path: memories[index].path.clone(),
        new_path: None,
        content,
    };
    let not_there = "a line that it would replace does not stand in the note as it was quoted, by \
        itself and once";
    match (candidate.action, &targets[..]) {
        (Action::Update, [index]) => {
            let content = rewritten(
                &memories[*index].content,
                &candidate.replaces,
                &candidate.statements,
            )
            .ok_or(not_there)?;
            let kind = if candidate.replaces.is_empty() {
                ChangeKind::Update
            } else {
                ChangeKind::Supersede
            };
            Ok((kind, vec![edit(*index, Some(content))]))
        }
        (Action::Merge, [first, rest @ ..]) if !rest.is_empty() => {
            let notes: Vec<&Memory> = targets.iter().map(|i| &memories[*i]).collect();
            let content =
                merged(&notes, &candidate.replaces, &candidate.statements).ok_or(not_there)?;
            let gone = rest.iter().map(|i| edit(*i, None));
            Ok((
                ChangeKind::Merge,
                std::iter::once(edit(*first, Some(content)))
                    .chain(gone)
                    .collect(),
            ))
        }
        (Action::Move, [index]) => {
            let path = candidate.new_path.as_deref().unwrap_or_default();
            let valid = path.parse::<MemoryPath>().is_ok() && !path.starts_with("/people/");
            if !valid
                || memories.iter().any(|m| m.path == path)
                || window.input.taken_paths.iter().any(|p| p == path)
            {
                return Err("its new path cannot be used, or is taken");
            }
            let mut moved = edit(*index, Some(memories[*index].content.clone()));
            moved.new_path = Some(path.to_owned());
            Ok((ChangeKind::Move, vec![moved]))
        }
        (Action::Remove, [index]) => Ok((ChangeKind::Remove, vec![edit(*index, None)])),
        _ => Err("it names too few notes"),
    }
}

/// True if other notes say everything that these say: shared ones, which no other change of the
/// model touches.
fn is_elsewhere(candidate: &Candidate, window: &Window) -> bool {
    let touched: BTreeSet<&String> = window
        .input
        .candidates
        .iter()
        .flat_map(|c| &c.targets)
        .collect();
    let keys = |notes: &mut dyn Iterator<Item = &Memory>| -> BTreeSet<Vec<String>> {
        notes
            .flat_map(|m| statements(&m.content))
            .map(|s| similar::key_of(&s))
            .collect()
    };
    let memories = &window.input.memories;
    let gone = keys(
        &mut memories
            .iter()
            .filter(|m| candidate.targets.contains(&m.path)),
    );
    let kept = keys(
        &mut memories
            .iter()
            .filter(|m| !touched.contains(&m.path) && m.is_shared()),
    );
    gone.is_subset(&kept)
}

/// True if notes that become one say afterwards what they said before, and nothing new.
fn says_no_more(candidate: &Candidate, edits: &[Edit], memories: &[Memory]) -> bool {
    let keys = |text: &str| {
        statements(text)
            .iter()
            .map(|s| similar::key_of(s))
            .collect::<BTreeSet<_>>()
    };
    let before: BTreeSet<Vec<String>> = memories
        .iter()
        .filter(|m| candidate.targets.contains(&m.path))
        .flat_map(|m| keys(&m.content))
        .collect();
    let after: BTreeSet<Vec<String>> = edits
        .iter()
        .filter_map(|e| e.content.as_deref())
        .flat_map(keys)
        .collect();
    let replaced = candidate
        .replaces
        .iter()
        .flat_map(|line| keys(line))
        .all(|key| after.contains(&key));
    replaced && after.is_subset(&before)
}

/// The content with statements in the place of lines; none if a line is not there as it was quoted,
/// by itself and once. Without lines the statements are at its end.
pub fn rewritten(content: &str, replaces: &[String], new: &[String]) -> Option<String> {
    if content.contains("\r\n") {
        return rewritten(&content.replace("\r\n", "\n"), replaces, new)
            .map(|text| text.replace('\n', "\r\n"));
    }
    let lines: Vec<&str> = content.lines().collect();
    let plain = plain_lines(&lines);
    let mut at: Vec<usize> = Vec::new();
    for quoted in replaces {
        let wanted = folded(text_of(quoted));
        let mut same = (0..lines.len())
            .filter(|&n| plain[n] && !wanted.is_empty() && folded(text_of(lines[n])) == wanted);
        match (same.next(), same.next()) {
            (Some(n), None) if !at.contains(&n) => at.push(n),
            _ => return None,
        }
    }
    let mut whole: Vec<String> = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let Some(k) = at.iter().position(|&r| r == n) else {
            whole.push((*line).to_owned());
            continue;
        };
        let marker = &line[..line.len() - text_of(line).len()];
        let last = k + 1 == at.len();
        let here = new
            .iter()
            .enumerate()
            .filter(|(m, _)| *m == k || (last && *m > k));
        whole.extend(here.map(|(_, statement)| format!("{marker}{statement}")));
    }
    let mut text = whole.join("\n");
    if at.is_empty() {
        text = with_lines(&text, new);
    }
    Some(format!("{}\n", text.trim_end()))
}

/// Several notes as one: the first one, with every line of the others that it does not say.
fn merged(notes: &[&Memory], replaces: &[String], new: &[String]) -> Option<String> {
    let mut open: Vec<&String> = replaces.iter().collect();
    let mut contents: Vec<String> = Vec::new();
    for (n, note) in notes.iter().enumerate() {
        let here = |quoted: &&&String| {
            note.content
                .lines()
                .any(|l| folded(text_of(l)) == folded(text_of(quoted)))
        };
        let mine: Vec<String> = open.iter().filter(here).map(|q| (*q).clone()).collect();
        open.retain(|q| !mine.contains(q));
        // What replaces a line of the first note is in its place; the rest goes to the end.
        let in_place = n == 0 && !mine.is_empty();
        contents.push(rewritten(
            &note.content,
            &mine,
            if in_place { new } else { &[] },
        )?);
        if n == 0 && !in_place {
            contents[0] = format!("{}\n", with_lines(contents[0].trim_end(), new));
        }
    }
    if !open.is_empty() {
        return None;
    }
    let (first, rest) = contents.split_first()?;
    let mut sections = sections(first);
    for content in rest {
        for (n, section) in self::sections(content).into_iter().enumerate() {
            // Under the same heading only, else a rule would hold for something else.
            let is_title = n == 0 && section.heading.starts_with("# ");
            let name = |heading: &str| folded(heading.trim_start_matches('#')).to_lowercase();
            let same = if section.heading.is_empty() {
                Some(0)
            } else {
                sections
                    .iter()
                    .position(|s| name(&s.heading) == name(&section.heading))
            };
            let said: BTreeSet<Vec<String>> =
                same.map(|at| sections[at].said()).unwrap_or_default();
            let lines = section.without(&if is_title && same.is_none() {
                sections[0].said()
            } else {
                said
            });
            let is_bare = lines.iter().all(|l| l.trim().is_empty());
            match same {
                _ if is_bare && (same.is_some() || is_title) => {}
                Some(at) => sections[at].add(&lines),
                None => {
                    let heading = if is_title {
                        format!("#{}", section.heading)
                    } else {
                        section.heading
                    };
                    sections.push(Section { heading, lines });
                }
            }
        }
    }
    let whole: Vec<String> = sections
        .iter()
        .map(Section::text)
        .filter(|t| !t.is_empty())
        .collect();
    Some(format!("{}\n", whole.join("\n\n")))
}

/// A heading with what is below it, down to the next one.
struct Section {
    heading: String,
    lines: Vec<String>,
}

/// A note by its headings; what is before the first one has none.
fn sections(content: &str) -> Vec<Section> {
    let lines: Vec<&str> = content.lines().collect();
    let mut all = vec![Section {
        heading: String::new(),
        lines: Vec::new(),
    }];
    for (line, plain) in lines.iter().zip(plain_lines(&lines)) {
        let is_heading =
            plain && line.starts_with('#') && line.trim_start_matches('#').starts_with(' ');
        match all.last_mut() {
            Some(last) if is_heading && last.heading.is_empty() && last.lines.is_empty() => {
                (*line).clone_into(&mut last.heading);
            }
            Some(last) if !is_heading => last.lines.push((*line).to_owned()),
            _ => all.push(Section {
                heading: (*line).to_owned(),
                lines: Vec::new(),
            }),
        }
    }
    all
}

impl Section {
    /// Returns what its lines say by themselves.
    fn said(&self) -> BTreeSet<Vec<String>> {
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        let plain = plain_lines(&lines);
        lines
            .iter()
            .zip(plain)
            .filter(|(_, plain)| *plain)
            .flat_map(|(line, _)| statements(line))
            .map(|s| similar::key_of(&s))
            .collect()
    }

    /// Its lines without those of which all is said.
    fn without(&self, said: &BTreeSet<Vec<String>>) -> Vec<String> {
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        let is_said = |line: &str| {
            let keys: Vec<Vec<String>> = statements(line)
                .iter()
                .map(|s| similar::key_of(s))
                .collect();
            !keys.is_empty() && keys.iter().all(|k| said.contains(k))
        };
        lines
            .iter()
            .zip(plain_lines(&lines))
            .filter(|(line, plain)| !(*plain && is_said(line)))
            .map(|(l, _)| (*l).to_owned())
            .collect()
    }

    fn add(&mut self, lines: &[String]) {
        while self.lines.last().is_some_and(|l| l.trim().is_empty()) {
            self.lines.pop();
        }
        let first = lines.iter().position(|l| !l.trim().is_empty()).unwrap_or(0);
        if !(self.lines.last().is_some_and(|l| is_bullet(l))
            && lines.get(first).is_some_and(|l| is_bullet(l)))
        {
            self.lines.push(String::new());
        }
        self.lines.extend(lines[first..].iter().cloned());
    }

    fn text(&self) -> String {
        let below = self.lines.join("\n");
        let below = below.trim_matches('\n').trim_end();
        match (self.heading.is_empty(), below.is_empty()) {
            (true, _) => below.to_owned(),
            (false, true) => self.heading.clone(),
            (false, false) => format!("{}\n\n{below}", self.heading),
        }
    }
}

/// A content with statements as bullets at its end.
fn with_lines(content: &str, new: &[String]) -> String {
    let content = content.trim_end();
    let last = content.lines().last().unwrap_or_default();
    let marker = if last.trim_start().starts_with("* ") {
        "* "
    } else {
        "- "
    };
    let glue = if is_bullet(last) { "\n" } else { "\n\n" };
    let lines: Vec<String> = new.iter().map(|s| format!("{marker}{s}")).collect();
    if lines.is_empty() {
        content.to_owned()
    } else {
        format!("{content}{glue}{}", lines.join("\n"))
    }
}

fn is_bullet(line: &str) -> bool {
    line.trim_start().starts_with("- ") || line.trim_start().starts_with("* ")
}

/// Which lines say something by themselves: not those of code, tables, quotations and what stands
/// before a note between dashes.
fn plain_lines(lines: &[&str]) -> Vec<bool> {
    let (mut fenced, mut front) = (false, lines.first().is_some_and(|l| l.trim_end() == "---"));
    let mut plain = Vec::with_capacity(lines.len());
    for (n, line) in lines.iter().enumerate() {
        let is_fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        let ends_front = front && n > 0 && line.trim_end() == "---";
        let is_code = line.starts_with("    ") && !is_bullet(line);
        plain.push(
            !fenced
                && !is_fence
                && !front
                && !is_code
                && !line.trim_start().starts_with(['|', '>']),
        );
        fenced ^= is_fence;
        front &= !ends_front;
    }
    plain
}

/// A line without its marker.
fn text_of(line: &str) -> &str {
    let trimmed = line.trim_start();
    ["- ", "* ", "+ "]
        .iter()
        .find_map(|m| trimmed.strip_prefix(m))
        .unwrap_or(trimmed)
        .trim_start()
}

/// Why it must not become a memory.
fn unfit(text: &str) -> Option<&'static str> {
    if text.chars().count() > LONGEST {
        return Some("it is longer than a note may be");
    }
    if !sensitive::sensitive_spans(text).is_empty() {
        return Some("it holds personal data or a credential");
    }
    if scan::holds_an_instruction(text) {
        return Some("it reads as text that redirects an agent");
    }
    if scan::has_hidden(&text.replace('\n', " ")) {
        return Some("it holds characters that are not seen");
    }
    (text.contains("://") || text.contains("![")).then_some("it holds an address or a picture")
}

/// A long number, or letters and digits like an id, is one customer's as long as only one subject
/// or task names it. Years are none.
fn lone_literal(
    candidate: &Candidate,
    text: &str,
    places: &HashMap<&str, usize>,
    window: &Window,
) -> Option<&'static str> {
    let literal = |w: &&str| {
        let digits = w.chars().filter(char::is_ascii_digit).count();
        let is_year = w.len() == 4 && digits == 4 && (w.starts_with("19") || w.starts_with("20"));
        let like_an_id = digits > 0
            && w.len() >= 6
            && w.chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        (digits >= 4 && !is_year) || like_an_id
    };
    let words = text
        .split_whitespace()
        .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()));
    let known = |word: &str| {
        let named = candidate
            .quotes
            .iter()
            .filter(|q| q.text.contains(word))
            .filter_map(|q| places.get(q.session.as_str()).copied());
        let in_notes = window
            .input
            .memories
            .iter()
            .any(|m| candidate.targets.contains(&m.path) && m.content.contains(word));
        in_notes || window.distinct(named) >= MIN_SUPPORT
    };
    words
        .filter(literal)
        .any(|w| !known(w))
        .then_some("it holds an id, a date or a number that only one subject or task names")
}

#[cfg(test)]
mod tests;
