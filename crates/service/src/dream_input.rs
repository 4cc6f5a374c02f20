//! What a dream looks at, in the engine's form: the features of the pinned sessions, the memory,
//! what was proposed before, and what was lost lately. A session is read once; its features are
//! stored, and later dreams load those.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    Timestamp,
    changeset::ChangeState,
    event::{EventKind, Outcome, OutcomeResult},
    ids::{DreamId, SessionId, StoreId, UserId},
    question::Answer,
};
use dream::{
    Features, Head, Input, Known, KnownState, Memory, Progress, QuestionKind, Reader, Session,
    Taught, reading,
};
use store::{
    Tx, changes, decisions, dreams::DreamRow, features, memories, memory_stores, questions, reads,
    sessions, sessions::SessionRow,
};

use crate::{
    Error, Lucid, Result, dream_proposals::Loaded, independence::Identities, keys::answer_for,
};

/// Days over which what dreams lose is counted (rule 11), and what agents read; in seconds.
const MONTH_SECONDS: i64 = 30 * 86_400;
/// Stored features that are loaded at once.
const PAGE: i64 = 1_000;
/// Sessions that are read before their features are stored together.
const BATCH: usize = 50;
/// The last answers that teach what is worth asking.
const TAUGHT: i64 = 100;

impl Lucid {
    /// Everything that a dream may look at, in the engine's form, beside the ids that its indices
    /// mean. Reads the sessions that no dream has read yet; `None` if it was canceled meanwhile.
    pub(crate) async fn load(
        &self,
        dream: &DreamRow,
        window: &[SessionRow],
        whole: bool,
    ) -> Result<Option<Loaded>> {
        let mut known = self.known_features(dream, window).await?;
        let missing: Vec<&SessionRow> = window
            .iter()
            .filter(|s| !known.contains_key(&s.id))
            .collect();
        let (all, done) = (window.len(), window.len() - missing.len());
        let missing_none = missing.is_empty();
        let mut reader = Reader::default();
        let mut fresh: Vec<(SessionId, Features)> = Vec::new();
        let mut beaten = tokio::time::Instant::now();
        for (n, &row) in missing.iter().enumerate() {
            let session = read_session(&mut self.db.read().await?, row, false).await?;
            // Reading ten megabytes of text takes a while; other tasks go on meanwhile.
            let (back, features) = tokio::task::spawn_blocking(move || {
                let features = reader.read(&session);
                (reader, features)
            })
            .await
            .map_err(|_| Error::Internal("a session could not be read"))?;
            reader = back;
            fresh.push((row.id, features));
            if fresh.len() == BATCH {
                self.keep_features(&mut fresh, &mut known).await?;
            }
            if beaten.elapsed() >= crate::dreams::BEAT {
                beaten = tokio::time::Instant::now();
                if !self
                    .beat(
                        dream.id,
                        Progress {
                            sessions_done: done + n,
                            sessions: all,
                        },
                    )
                    .await?
                {
                    return Ok(None);
                }
            }
        }
        self.keep_features(&mut fresh, &mut known).await?;
        let mut tx = self.db.read().await?;
        let mut loaded = Loaded {
            input: memory(&mut tx, dream.store_id, self.now()).await?,
            memories: memories::contents_of_store(&mut tx, dream.store_id).await?,
            sessions: Vec::with_capacity(all),
            trust: Vec::with_capacity(all),
            recorders: Vec::with_capacity(all),
            sentence_model: None,
            whole,
        };
        let recorders = Recorders::read(&mut tx, dream.id).await?;
        loaded.input.memories =
            contents(&mut tx, dream.store_id, &loaded.memories, self.now()).await?;
        loaded.input.nothing_new = whole
            && missing_none
            && sessions::new_for_dreams(
                &mut tx,
                dream.store_id,
                self.now().plus_seconds(-crate::dreams::WINDOW_SECONDS),
            )
            .await?
                == 0;
        loaded.input.known =
            known_findings(&mut tx, dream.store_id, &loaded.input.memories).await?;
        for row in window {
            let features = known.remove(&row.id).unwrap_or_default();
            loaded.sessions.push(row.id);
            loaded.trust.push(row.trust);
            let (accounts, numbers) = recorders.of(row.id);
            let head = Head {
                recorders: numbers,
                ..head(row)
            };
            loaded.recorders.push(accounts);
            loaded.input.sessions.push(dream::Seen { head, features });
        }
        Ok(Some(loaded))
    }

    /// The stored features that cover their sessions as far as these are pinned.
    async fn known_features(
        &self,
        dream: &DreamRow,
        window: &[SessionRow],
    ) -> Result<HashMap<SessionId, Features>> {
        let events: HashMap<SessionId, i64> =
            window.iter().map(|s| (s.id, s.event_count)).collect();
        let mut known = HashMap::with_capacity(window.len());
        let mut after = None;
        loop {
            let mut tx = self.db.read().await?;
            let page = features::of_dream(&mut tx, dream.id, reading::VERSION, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(known);
            };
            after = Some(last.session_id);
            for row in page {
                // What cannot be read was written by another version; the session is read again.
                let Ok(features) = serde_json::from_str::<Features>(&row.features) else {
                    continue;
                };
                if events
                    .get(&row.session_id)
                    .is_some_and(|n| usize::try_from(*n) == Ok(features.events))
                {
                    known.insert(row.session_id, features);
                }
            }
        }
    }

    async fn keep_features(
        &self,
        fresh: &mut Vec<(SessionId, Features)>,
        known: &mut HashMap<SessionId, Features>,
    ) -> Result<()> {
        if fresh.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.background().await?;
        // Two dreams of one session write its features in the same order, so that neither waits for
        // the other in a circle.
        fresh.sort_by_key(|(id, _)| *id);
        for (id, one) in fresh.iter() {
            let json = serde_json::to_string(one)
                .map_err(|_| Error::Internal("features could not be written"))?;
            features::put(&mut tx, *id, reading::VERSION, &json, self.now()).await?;
        }
        tx.commit().await?;
        known.extend(fresh.drain(..));
        Ok(())
    }
}

/// How a session ended as far as conclusions may be drawn from it.
fn decided(row: &SessionRow) -> OutcomeResult {
    let result = row.outcome.unwrap_or_default();
    Outcome {
        source: row.outcome_source.unwrap_or_default(),
        ..Outcome::stated(result)
    }
    .decided()
}

pub(crate) fn head(row: &SessionRow) -> Head {
    Head {
        key: row.id.to_string(),
        agent: row.agent.clone(),
        subject: row.subject.clone(),
        task: row.task_key.clone(),
        outcome: decided(row),
        at: row.last_event_at.map(|t| t.0),
        recorders: Vec::new(),
    }
}

/// The person or key that answers for a recording.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Recorder {
    /// A person, by one of their accounts.
    Person(UserId),
    /// The command line, or what was recorded before recorders were kept.
    Other(String),
}

/// Recorders of the sessions of a dream.
#[derive(Default)]
struct Recorders {
    /// The accounts behind each recorder, and the number of the person that they count as: keys of
    /// one person, and accounts that count as one, are one.
    known: HashMap<String, (Vec<UserId>, u32)>,
    of: HashMap<SessionId, Vec<String>>,
}

impl Recorders {
    async fn read(tx: &mut Tx, dream: DreamId) -> Result<Self> {
        let identities = Identities::read(tx).await?;
        let mut numbers: BTreeMap<Recorder, u32> = BTreeMap::new();
        let mut all = Self::default();
        for (session, recorder) in sessions::recorders_of_dream(tx, dream).await? {
            if !all.known.contains_key(&recorder) {
                let accounts = answer_for(tx, &recorder).await?;
                let one = accounts.first().map_or_else(
                    || Recorder::Other(recorder.clone()),
                    |user| Recorder::Person(identities.of(*user)),
                );
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                let number = *numbers.entry(one).or_insert(next);
                all.known.insert(recorder.clone(), (accounts, number));
            }
            all.of.entry(session).or_default().push(recorder);
        }
        Ok(all)
    }

    /// The accounts through which a session came, and the numbers of the people that they count as.
    fn of(&self, session: SessionId) -> (BTreeSet<UserId>, Vec<u32>) {
        let known = self
            .of
            .get(&session)
            .into_iter()
            .flatten()
            .filter_map(|recorder| self.known.get(recorder));
        let (mut accounts, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for (of_one, number) in known {
            accounts.extend(of_one);
            numbers.insert(*number);
        }
        (accounts, numbers.into_iter().collect())
    }
}

/// A session's events up to its pinned one: what was appended since belongs to the next dream. What
/// the agent said is read for models only.
pub(crate) async fn read_session(
    tx: &mut Tx,
    row: &SessionRow,
    agent_too: bool,
) -> Result<Session> {
    let mut events = Vec::new();
    let mut after = 0;
    loop {
        let page = sessions::events(tx, row.id, after, 500).await?;
        for event in page.rows.iter().filter(|e| e.seq <= row.event_count) {
            // What is not looked at is not held either.
            let kind = event.counts_as();
            let read = matches!(
                kind,
                EventKind::System | EventKind::User | EventKind::ToolUse | EventKind::ToolResult
            ) || (agent_too && kind == EventKind::Agent);
            events.push(dream::Event {
                kind,
                tool: event.tool.clone(),
                tool_use_id: event.tool_use_id.clone(),
                is_error: event.is_error,
                text: if read {
                    event.text.clone()
                } else {
                    String::new()
                },
            });
        }
        match page.rows.last() {
            Some(last) if page.more => after = last.seq,
            _ => break,
        }
    }
    Ok(Session {
        head: Head {
            key: row.id.to_string(),
            ..Head::default()
        },
        events,
    })
}

/// Returns what a dream knows of a store before it looks at any session, as if nothing had been
/// proposed before.
pub async fn of_store(tx: &mut Tx, store: StoreId, now: Timestamp) -> Result<Input> {
    let rows = memories::contents_of_store(tx, store).await?;
    Ok(Input {
        memories: contents(tx, store, &rows, now).await?,
        ..memory(tx, store, now).await?
    })
}

/// Returns what the input says of the store beside memories and sessions.
async fn memory(tx: &mut Tx, store: StoreId, now: Timestamp) -> Result<Input> {
    Ok(Input {
        taken_paths: changes::open_paths(tx, store).await?,
        lost_recently: lost(tx, store, now.plus_seconds(-MONTH_SECONDS)).await?,
        clean_up: memory_stores::get(tx, store)
            .await?
            .and_then(|s| s.clean_up_until)
            .is_some_and(|until| until > now),
        taught: taught(tx, store).await?,
        ..Input::default()
    })
}

/// The memories in the engine's form, each with how often it was read in the last 30 days; unknown
/// if nothing was read at all.
async fn contents(
    tx: &mut Tx,
    store: StoreId,
    memories: &[memories::MemoryContent],
    now: Timestamp,
) -> Result<Vec<Memory>> {
    let read: BTreeMap<_, _> = reads::of_store(tx, store, now.plus_seconds(-MONTH_SECONDS))
        .await?
        .into_iter()
        .collect();
    let times = |id: domain::ids::VersionId| {
        usize::try_from(read.get(&id).copied().unwrap_or(0)).unwrap_or(usize::MAX)
    };
    let one = |m: &memories::MemoryContent| Memory {
        path: m.path.to_string(),
        content: m.content.clone(),
        frozen: m.frozen,
        by_person: m.by_person,
        updated_at: Some(m.updated_at.0),
        reads: (!read.is_empty()).then(|| times(m.version_id)),
    };
    Ok(memories.iter().map(one).collect())
}

/// Returns what dreams have lost of a store since then, and what still waits would lose.
async fn lost(tx: &mut Tx, store: StoreId, since: Timestamp) -> Result<dream::Loss> {
    let facts = changes::facts_of_dreams(tx, store, since).await?;
    let of = |facts: String| {
        serde_json::from_str::<serde_json::Value>(&facts)
            .ok()
            .and_then(|f| serde_json::from_value(f["lost"].clone()).ok())
    };
    Ok(facts
        .into_iter()
        .filter_map(of)
        .fold(dream::Loss::default(), dream::Loss::and))
}

/// Returns what answers teach about pairs that are near in meaning.
async fn taught(tx: &mut Tx, store: StoreId) -> Result<Vec<Taught>> {
    let one = |(kind, near, answer): (domain::question::QuestionKind, i64, Answer)| {
        let kind = match kind {
            domain::question::QuestionKind::Contradiction => QuestionKind::Contradiction,
            domain::question::QuestionKind::Similar => QuestionKind::Similar,
            _ => return None,
        };
        Some(Taught {
            kind,
            near: i32::try_from(near).ok()?,
            worth: answer.proposes(),
        })
    };
    Ok(questions::taught(tx, store, TAUGHT)
        .await?
        .into_iter()
        .filter_map(one)
        .collect())
}

async fn known_findings(tx: &mut Tx, store: StoreId, memories: &[Memory]) -> Result<Vec<Known>> {
    let place: HashMap<&str, usize> = memories
        .iter()
        .enumerate()
        .map(|(i, m)| (m.path.as_str(), i))
        .collect();
    // What is conflicted can no longer be committed as it is: the dream may propose it anew, and
    // then it takes its place.
    let mut proposed: Vec<Known> = changes::known(tx, store)
        .await?
        .into_iter()
        .filter(|k| !k.conflicted)
        .map(|k| Known {
            state: if k.state == ChangeState::Committed {
                KnownState::Committed
            } else {
                KnownState::Waiting
            },
            memory: k
                .memory_path
                .as_deref()
                .and_then(|path| place.get(path))
                .copied(),
            composed: k.composed,
            path: k.path,
            fingerprint: k.fingerprint,
        })
        .collect();
    // Of several commits of one finding the last one counts, which is the one that the memory is
    // still as it left it.
    proposed.sort_by_key(|k| k.memory.is_some());
    let rejected = decisions::muted(tx, store).await?.into_iter().map(|m| {
        let support = usize::try_from(m.support).unwrap_or(usize::MAX);
        Known::new(&m.fingerprint, KnownState::Rejected(m.reject_code, support))
    });
    let answered =
        questions::known(tx, store)
            .await?
            .into_iter()
            .map(|(fingerprint, answer, support)| {
                let support = usize::try_from(support).unwrap_or(usize::MAX);
                Known::new(
                    &fingerprint,
                    KnownState::Answered {
                        for_good: answer.is_for_good(),
                        support,
                    },
                )
            });
    Ok(proposed
        .into_iter()
        .chain(rejected)
        .chain(answered)
        .collect())
}
