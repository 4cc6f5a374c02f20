//! What dreams ask people, with the words that it rests on, and what follows from an answer. An
//! answer changes no memory by itself: where something should change, it proposes that, with the
//! same quotes, and somebody else decides.

use domain::{
    Timestamp,
    actor::Actor,
    audit_action::AuditAction,
    canonical::sha256_hex,
    changeset::{ChangeKind, Quote},
    ids::{AnswerId, ChangesetId, DreamId, MemoryId, SessionId, StoreId},
    masking::mask,
    memory::MemoryPath,
    question::{Answer, QuestionKind},
    rights::Action,
    statement::statements,
};
use dream::short;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Tx, changes, memories, memory_stores,
    questions::{self, AnsweredRow, AskedRow, NewAnswer},
    sessions,
};

use crate::{
    Error, Lucid, Record, Result,
    direct_writes::{MemoryWrite, check, target},
    single_proposals::Proposal,
};

/// Questions that a page shows.
const SHOWN: usize = 50;
/// Questions that are looked at for those: the memory may say no more what others ask about.
const LOOKED_AT: i64 = 300;
/// Answers that a page shows.
const ANSWERS: i64 = 50;
/// Quotes that are kept of a finding that makes no change.
pub const QUOTES: usize = 6;
/// Longest answer in words, in characters.
const WORDS: usize = 1_000;

/// A quote of a question, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spoken {
    pub session: SessionId,
    /// Position of the event in it.
    pub seq: i64,
    /// First byte in the event's text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// It speaks for the other side.
    pub counter: bool,
}

/// The subject of a question, as it is stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct About {
    /// Statements of the memory.
    #[serde(default)]
    pub sides: Vec<AboutSide>,
    #[serde(default)]
    pub new: Option<String>,
    /// How near in meaning its two statements are, in thousandths of a cosine, where that is why
    /// they are asked about.
    #[serde(default)]
    pub near: Option<i64>,
}

/// A statement of the memory that a question is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AboutSide {
    pub memory: MemoryId,
    /// SHA-256 of the statement.
    pub statement: String,
}

impl AboutSide {
    /// A question about a statement of a memory.
    pub fn of(memory: MemoryId, statement: &str) -> Self {
        Self {
            memory,
            statement: sha256_hex(statement.as_bytes()),
        }
    }
}

/// A question as people see it.
#[derive(Debug, Clone)]
pub struct QuestionView {
    pub store_id: StoreId,
    pub store_name: String,
    /// The dream that asks.
    pub dream_id: DreamId,
    /// When that dream ended.
    pub asked_at: Option<Timestamp>,
    pub fingerprint: String,
    pub kind: QuestionKind,
    pub title: String,
    /// Why it is asked.
    pub why: String,
    /// The statements of the memory that it is about.
    pub sides: Vec<SideView>,
    /// What a statement would say instead, masked.
    pub new: Option<String>,
    /// What people and tools said, masked; the session and the event.
    pub quotes: Vec<SpokenView>,
    /// Sessions in which it was seen.
    pub sessions: i64,
    /// True if the actor may answer.
    pub may_answer: bool,
}

/// A statement of the memory.
#[derive(Debug, Clone)]
pub struct SideView {
    pub memory_id: MemoryId,
    pub path: MemoryPath,
    pub statement: String,
}

/// A quote of what a person said.
#[derive(Debug, Clone)]
pub struct SpokenView {
    pub session_id: SessionId,
    /// Position of the event in it.
    pub seq: i64,
    pub masked: String,
    /// It speaks for the other side.
    pub counter: bool,
    /// When it was said, if known.
    pub at: Option<Timestamp>,
}

/// A statement with the memory that holds it.
struct Side {
    row: memories::MemoryRow,
    content: String,
    statement: String,
}

impl Lucid {
    /// Returns what is open in the stores that the actor may see, or in one of them, at most 50.
    /// What the memory no longer says is left out.
    #[tracing::instrument(skip_all)]
    pub async fn questions(
        &self,
        actor: &Actor,
        store: Option<StoreId>,
    ) -> Result<Vec<QuestionView>> {
        let (visible, store) = actor.visible(Action::SeeDreams).narrowed(store);
        let mut tx = self.db.read().await?;
        let mut open = Vec::new();
        for asked in questions::open(&mut tx, visible, store, LOOKED_AT).await? {
            if open.len() < SHOWN
                && actor.may(Action::SeeChanges, asked.store_id)
                && let Some(view) = view(&mut tx, actor, asked).await?
            {
                open.push(view);
            }
        }
        Ok(open)
    }

    /// The answers that are in the stores that the actor may see, or in one of them; newest
    /// first, at most 50.
    #[tracing::instrument(skip_all)]
    pub async fn answered_questions(
        &self,
        actor: &Actor,
        store: Option<StoreId>,
    ) -> Result<Vec<AnsweredRow>> {
        let (visible, store) = actor.visible(Action::SeeChanges).narrowed(store);
        Ok(questions::answered(&mut self.db.read().await?, visible, store, ANSWERS).await?)
    }

    /// Answers a question, as somebody who may decide in its store. Names the changeset, if
    /// something is proposed in consequence. `words` says what to do about an open failure, in 1 to
    /// 1,000 characters.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn answer_question(
        &self,
        actor: &Actor,
        store: StoreId,
        fingerprint: &str,
        answer: Answer,
        words: &str,
    ) -> Result<Option<ChangesetId>> {
        let (mut tx, acting) = self.begin(actor).await?;
        let right = acting.may_on(Action::Decide, store)?;
        let Some(answered_by) = actor.who.person().filter(|_| !actor.who.is_key()) else {
            return Err(Error::Forbidden("a person: keys answer no questions"));
        };
        memory_stores::lock(&mut tx, store).await?;
        let asked = questions::asked(&mut tx, store, fingerprint).await?;
        let asked = asked
            .ok_or_else(|| Error::Conflict("this question is not asked any more".to_owned()))?;
        let kind = kind_of(&asked);
        if !kind.answers().contains(&answer) {
            return Err(Error::Invalid(format!(
                "`{answer}` is no answer to this question"
            )));
        }
        if questions::is_answered(
            &mut tx,
            store,
            fingerprint,
            asked.started_at.unwrap_or(Timestamp(0)),
        )
        .await?
        {
            return Err(Error::Conflict(
                "this question was answered already; it can be asked again below".to_owned(),
            ));
        }
        let made = match self.consequence(&mut tx, &asked, answer, words).await? {
            Some((target, proposal)) => {
                let right = acting.may_on_paths(Action::Propose, store, &target.paths())?;
                let row = memory_stores::get(&mut tx, store)
                    .await?
                    .ok_or(Error::NotFound("store"))?;
                Some((
                    right,
                    self.put_proposal(&mut tx, right, &row, &proposal.of(target))
                        .await?,
                ))
            }
            None => None,
        };
        let change_id = made.as_ref().map(|(_, m)| m.change);
        let new = NewAnswer {
            id: self.id(AnswerId::new),
            store_id: store,
            fingerprint: fingerprint.to_owned(),
            kind,
            title: asked.title.clone(),
            answer,
            support: distinct(&asked.support),
            answered_by,
            change_id,
            near: serde_json::from_str::<About>(&asked.about)
                .ok()
                .and_then(|about| about.near),
        };
        questions::answer(&mut tx, &new, self.now()).await?;
        let changeset = made.as_ref().map(|(_, m)| m.changeset);
        if let Some((right, made)) = made {
            self.record_proposal(&mut tx, right, store, &made).await?;
        }
        let payload = json!({"question": kind, "answer": answer, "fingerprint": fingerprint, "dream": asked.dream_id, "change": change_id});
        let record = Record {
            action: AuditAction::QuestionAnswer,
            subject: new.id.to_string(),
            store: Some(store),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(changeset)
    }

    /// Takes an answer back: the next dream may ask again. What was proposed in consequence stays
    /// in the queue.
    #[tracing::instrument(skip_all, fields(%store, %id))]
    pub async fn reopen_question(&self, actor: &Actor, store: StoreId, id: AnswerId) -> Result<()> {
        let (mut tx, acting) = self.begin(actor).await?;
        let right = acting.may_on(Action::Decide, store)?;
        let gone = || Error::Conflict("this answer was taken back already".to_owned());
        let answer = questions::get(&mut tx, id)
            .await?
            .filter(|a| a.store_id == store)
            .ok_or_else(gone)?;
        if !questions::reopen(&mut tx, id, self.now()).await? {
            return Err(gone());
        }
        let payload = json!({"question": answer.kind, "answer": answer.answer, "fingerprint": answer.fingerprint});
        let record = Record {
            action: AuditAction::QuestionReopen,
            subject: id.to_string(),
            store: Some(answer.store_id),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// Returns what an answer would change, and the proposal of it.
    async fn consequence(
        &self,
        tx: &mut Tx,
        asked: &AskedRow,
        answer: Answer,
        words: &str,
    ) -> Result<Option<(crate::direct_writes::Target, Consequence)>> {
        if !answer.proposes() {
            return Ok(None);
        }
        let gone = || Error::Conflict("the memory no longer says what was asked about".to_owned());
        let about: About = serde_json::from_str(&asked.about).unwrap_or_default();
        let sides = sides(tx, &about).await?;
        let (write, title, reason, kind) = match (answer, &sides[..]) {
            (Answer::First, [kept, dropped]) | (Answer::Second, [dropped, kept]) => {
                let reason = format!(
                    "A dream asked about “{}” in {} and this statement. The other one is to stay.",
                    short(&kept.statement),
                    kept.row.path
                );
                let after = with(&dropped.content, &dropped.statement, None).ok_or_else(gone)?;
                (
                    rewrite(dropped, after),
                    format!("Drop “{}”", short(&dropped.statement)),
                    reason,
                    None,
                )
            }
            (Answer::Changed, [side]) => {
                let new = about.new.as_deref();
                let reason = format!(
                    "A dream asked whether “{}” still holds. It does not.",
                    short(&side.statement)
                );
                let after = with(&side.content, &side.statement, new).ok_or_else(gone)?;
                let title = new.map_or_else(
                    || format!("Drop “{}”", short(&side.statement)),
                    |new| format!("Now “{}”", short(new)),
                );
                (
                    rewrite(side, after),
                    title,
                    reason,
                    new.map(|_| ChangeKind::Supersede),
                )
            }
            (Answer::Written, _) => {
                let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
                if words.is_empty() || words.chars().count() > WORDS {
                    return Err(Error::Invalid(format!(
                        "say what to do, in 1 to {WORDS} characters"
                    )));
                }
                let (subject, says) = asked.title.split_once(": ").unwrap_or(("it", &asked.title));
                let says = says.replace('`', "'");
                let content = format!(
                    "# {}\n\n- When: `{subject}` fails with `{says}`.\n- What to do: {words}\n",
                    asked.title.replace('`', "'")
                );
                let path = free_path(tx, asked.store_id, &asked.title).await?;
                let reason = "A dream found this failure again and again, and no way out of it. \
                    Somebody knows one."
                    .to_owned();
                (
                    MemoryWrite::Create { path, content },
                    asked.title.clone(),
                    reason,
                    None,
                )
            }
            _ => return Err(gone()),
        };
        let target = target(tx, asked.store_id, &write).await?;
        check(tx, asked.store_id, &target, &write).await?;
        let quotes = quotes(tx, &asked.evidence).await?;
        Ok(Some((
            target,
            Consequence {
                title,
                reason,
                kind,
                quotes,
            },
        )))
    }
}

/// The change that an answer proposes, without its target.
struct Consequence {
    title: String,
    reason: String,
    kind: Option<ChangeKind>,
    quotes: Vec<Quote>,
}

impl Consequence {
    fn of(self, target: crate::direct_writes::Target) -> Proposal {
        Proposal::by_answer(target, (self.title, self.reason), self.kind, self.quotes)
    }
}

/// Returns what was asked by a finding.
fn kind_of(asked: &AskedRow) -> QuestionKind {
    match (asked.disposition.as_str(), asked.kind.as_str()) {
        ("question", "contradiction") => QuestionKind::Contradiction,
        ("question", _) => QuestionKind::Similar,
        ("open", _) => QuestionKind::OpenFailure,
        _ if serde_json::from_str::<About>(&asked.about)
            .is_ok_and(|about| about.sides.len() == 1) =>
        {
            QuestionKind::Holds
        }
        _ => QuestionKind::Notice,
    }
}

/// How much is behind it: distinct users, else tasks, else sessions.
fn distinct(support: &str) -> i64 {
    let support: serde_json::Value = serde_json::from_str(support).unwrap_or_default();
    let most = ["subjects", "tasks", "sessions"]
        .iter()
        .filter_map(|k| support[*k].as_i64())
        .find(|n| *n > 0);
    most.or_else(|| support["occurrences"].as_i64())
        .unwrap_or(1)
}

async fn view(tx: &mut Tx, actor: &Actor, asked: AskedRow) -> Result<Option<QuestionView>> {
    let kind = kind_of(&asked);
    let about: About = serde_json::from_str(&asked.about).unwrap_or_default();
    let sides = sides(tx, &about).await?;
    let seen =
        |side: &Side| actor.may_at(Action::SeeMemory, asked.store_id, &[side.row.path.as_str()]);
    // Since it was asked, the memory may have changed.
    if sides.len() != about.sides.len() || !sides.iter().all(seen) {
        return Ok(None);
    }
    let mut quotes = Vec::new();
    for spoken in serde_json::from_str::<Vec<Spoken>>(&asked.evidence).unwrap_or_default() {
        let Some(event) = sessions::events(tx, spoken.session, spoken.seq - 1, 1)
            .await?
            .rows
            .into_iter()
            .find(|e| e.seq == spoken.seq)
        else {
            continue;
        };
        if let Some(text) = event.text.get(spoken.start..spoken.end) {
            quotes.push(SpokenView {
                session_id: spoken.session,
                seq: spoken.seq,
                masked: mask(text),
                counter: spoken.counter,
                at: event.occurred_at,
            });
        }
    }
    let support: serde_json::Value = serde_json::from_str(&asked.support).unwrap_or_default();
    let side = |side: Side| SideView {
        memory_id: side.row.id,
        path: side.row.path,
        statement: mask(&side.statement),
    };
    Ok(Some(QuestionView {
        store_id: asked.store_id,
        store_name: asked.store_name,
        dream_id: asked.dream_id,
        asked_at: asked.asked_at,
        kind,
        title: asked.title,
        why: asked.reason,
        sides: sides.into_iter().map(side).collect(),
        new: about.new.as_deref().map(mask),
        quotes,
        sessions: support["sessions"].as_i64().unwrap_or(0),
        may_answer: actor.may(Action::Decide, asked.store_id) && actor.who.person().is_some(),
        fingerprint: asked.fingerprint,
    }))
}

/// The statements that a question is about, as far as the memory still holds them.
async fn sides(tx: &mut Tx, about: &About) -> Result<Vec<Side>> {
    let mut found = Vec::new();
    for side in &about.sides {
        let Some(row) = memories::get(tx, side.memory).await? else {
            continue;
        };
        let content = memories::content(tx, &row.content_sha256)
            .await?
            .unwrap_or_default();
        let statement = statements(&content)
            .into_iter()
            .find(|s| sha256_hex(s.as_bytes()) == side.statement);
        if let Some(statement) = statement {
            found.push(Side {
                row,
                content,
                statement,
            });
        }
    }
    Ok(found)
}

/// The quotes that are in their events.
async fn quotes(tx: &mut Tx, evidence: &str) -> Result<Vec<Quote>> {
    let mut found = Vec::new();
    for spoken in serde_json::from_str::<Vec<Spoken>>(evidence).unwrap_or_default() {
        let Some((event_id, text)) = sessions::event_at(tx, spoken.session, spoken.seq).await?
        else {
            continue;
        };
        if let Some(words) = text.get(spoken.start..spoken.end) {
            let (start, end, counter) = (spoken.start, spoken.end, spoken.counter);
            found.push(Quote {
                session_id: spoken.session,
                event_id,
                start,
                end,
                text: words.to_owned(),
                counter,
            });
        }
    }
    Ok(found)
}

/// The content with other words in a statement's place, or without it; none if it is not there by
/// itself and once.
fn with(content: &str, statement: &str, new: Option<&str>) -> Option<String> {
    if content.contains("\r\n") {
        return with(&content.replace("\r\n", "\n"), statement, new)
            .map(|text| text.replace('\n', "\r\n"));
    }
    let holds = |line: &str| {
        statements(line).iter().any(|s| s == statement) && line.matches(statement).count() == 1
    };
    let mut lines: Vec<String> = content.lines().map(str::to_owned).collect();
    let places: Vec<usize> = (0..lines.len()).filter(|&n| holds(&lines[n])).collect();
    let [at] = places[..] else { return None };
    match new {
        Some(new) => lines[at] = lines[at].replacen(statement, new, 1),
        None if statements(&lines[at]).len() == 1 => {
            lines.remove(at);
        }
        None => {
            let (before, after) = lines[at].split_once(statement)?;
            lines[at] = if after.is_empty() {
                before.trim_end().to_owned()
            } else {
                format!("{before}{}", after.trim_start())
            };
        }
    }
    Some(format!("{}\n", lines.join("\n").trim_end()))
}

/// A note whose last statement went is removed.
fn rewrite(side: &Side, content: String) -> MemoryWrite {
    let (id, expected_sha256) = (side.row.id, Some(side.row.content_sha256.clone()));
    let says_nothing = statements(&content).len() <= usize::from(content.starts_with('#'));
    if says_nothing {
        MemoryWrite::Delete {
            id,
            expected_sha256,
        }
    } else {
        MemoryWrite::Update {
            id,
            path: None,
            content: Some(content),
            expected_sha256,
        }
    }
}

/// A path for a note about a failure that no memory has.
async fn free_path(tx: &mut Tx, store: StoreId, title: &str) -> Result<MemoryPath> {
    let mut taken: std::collections::BTreeSet<String> =
        changes::open_paths(tx, store).await?.into_iter().collect();
    loop {
        let path: MemoryPath = dream::free_path("failures", title, &taken)
            .parse()
            .map_err(|_| Error::Internal("a path could not be made"))?;
        if memories::at_path(tx, store, &path).await?.is_none() {
            return Ok(path);
        }
        taken.insert(path.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::with;

    #[test]
    fn a_statement_is_removed_or_changed_if_it_is_there_once() {
        let note = "# Logs\n\n- Kept for 30 days. Ask by day.\n- Times are UTC.\n";
        assert_eq!(
            with(note, "Times are UTC.", None).as_deref(),
            Some("# Logs\n\n- Kept for 30 days. Ask by day.\n")
        );
        assert_eq!(
            with(note, "Ask by day.", None).as_deref(),
            Some("# Logs\n\n- Kept for 30 days.\n- Times are UTC.\n")
        );
        let after = with(note, "Kept for 30 days.", Some("Kept for 60 days."));
        assert_eq!(
            after.as_deref(),
            Some("# Logs\n\n- Kept for 60 days. Ask by day.\n- Times are UTC.\n")
        );
        assert_eq!(with("- Twice.\n- Twice.\n", "Twice.", None), None);
        assert_eq!(with(note, "Never there.", None), None);
    }
}
