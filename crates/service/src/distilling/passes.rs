//! The three passes: what is asked in each, and what is kept of the answers.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

use domain::{
    Timestamp,
    ids::{SessionId, StoreId},
};
use dream::{
    Head, Memory, Progress, Session,
    curator::{
        Candidate, Observation, Second,
        curate::{self, Rejected, Sources},
        observe::{self, Dropped},
        verify,
    },
};
use store::{Tx, decisions, model_batches, sessions::SessionRow};

use super::requests::{Answered, Run};
use crate::{
    Result,
    dream_input::{head, read_session},
};

/// Tokens of transcripts in one request.
pub const BATCH_TOKENS: usize = 24_000;
/// Most sessions in one request.
const BATCH_SESSIONS: usize = 40;

/// A session with what a model is shown of it.
struct Shown<'s> {
    row: &'s SessionRow,
    label: String,
    session: Session,
    text: String,
}

/// The sessions that a model was shown, with how many events.
pub async fn seen(
    tx: &mut Tx,
    store: StoreId,
    model: &str,
    since: Timestamp,
) -> Result<HashMap<SessionId, i64>> {
    let rows = model_batches::shown(tx, store, model, since).await?;
    Ok(rows
        .iter()
        .flat_map(|sessions| shown_in(sessions))
        .collect())
}

/// The sessions that an answer rests on, as a JSON list: with each of them it is erased.
fn resting_on<'a>(sessions: impl Iterator<Item = &'a str>) -> String {
    serde_json::json!(sessions.collect::<BTreeSet<_>>()).to_string()
}

fn shown_in(sessions: &str) -> Vec<(SessionId, i64)> {
    let shown: HashMap<String, i64> = serde_json::from_str(sessions).unwrap_or_default();
    shown
        .into_iter()
        .filter_map(|(id, n)| Some((id.parse().ok()?, n)))
        .collect()
}

impl Run<'_> {
    /// Returns what the window's sessions show, each by itself: those that the model has seen
    /// before, and now the others. `None` if the dream was canceled meanwhile.
    pub async fn observe(&mut self, window: &[SessionRow]) -> Result<Option<Vec<Observation>>> {
        let since = self
            .lucid
            .now()
            .plus_seconds(-crate::dreams::WINDOW_SECONDS);
        let before = model_batches::of_store(
            &mut self.lucid.db.read().await?,
            self.dream.store_id,
            &self.told_model(),
            since,
        )
        .await?;
        let seen: HashMap<SessionId, i64> = before
            .iter()
            .flat_map(|row| shown_in(&row.sessions))
            .collect();
        // What was seen of a session before it grew still is there.
        let known = before
            .iter()
            .filter_map(|row| {
                serde_json::from_str::<Option<Vec<Observation>>>(&row.candidates)
                    .ok()
                    .flatten()
            })
            .flatten();
        let mut found: Vec<Observation> = known.collect();
        let unseen: Vec<&SessionRow> = window
            .iter()
            .filter(|s| seen.get(&s.id) != Some(&s.event_count))
            .collect();
        let mut done = 0;
        while done < unseen.len() && self.told.stopped.is_none() {
            let sessions = self.next_sessions(&unseen[done..]).await?;
            let sizes: Vec<usize> = sessions.iter().map(|s| s.text.len()).collect();
            // The next one last.
            let mut open: Vec<Range<usize>> = observe::batches(&sizes, BATCH_TOKENS)
                .into_iter()
                .rev()
                .collect();
            while let Some(range) = open.pop() {
                if self.told.stopped.is_some() {
                    break;
                }
                let sessions_done = window.len() - unseen.len() + done + range.start;
                if !self
                    .lucid
                    .beat(
                        self.dream.id,
                        Progress {
                            sessions_done,
                            sessions: window.len(),
                        },
                    )
                    .await?
                {
                    return Ok(None);
                }
                match self.batch(&sessions[range.clone()]).await? {
                    Answered::Got(observations) => found.extend(observations),
                    Answered::Unusable if range.len() > 1 => self.halves(range, &mut open),
                    Answered::Unusable | Answered::None => {}
                }
            }
            done += sessions.len();
        }
        let keys: BTreeSet<String> = window.iter().map(|s| s.id.to_string()).collect();
        found.retain(|o| keys.contains(o.session()));
        // In one order, whatever was seen when: the same observations make the same request.
        found.sort_by(|a, b| {
            (a.session(), a.quotes[0].at, &a.statement).cmp(&(
                b.session(),
                b.quotes[0].at,
                &b.statement,
            ))
        });
        // A session that grew is read again, and says the same in other words.
        found.dedup_by(|a, b| {
            (a.session(), a.topic, a.quotes[0].at) == (b.session(), b.topic, b.quotes[0].at)
        });
        Ok(Some(found))
    }

    fn halves(&mut self, range: Range<usize>, open: &mut Vec<Range<usize>>) {
        self.told.split += 1;
        let middle = range.start + range.len() / 2;
        open.extend([middle..range.end, range.start..middle]);
    }

    /// The next sessions as a model is shown them.
    async fn next_sessions<'s>(&self, unseen: &[&'s SessionRow]) -> Result<Vec<Shown<'s>>> {
        let mut sessions = Vec::new();
        for (n, &row) in unseen.iter().take(BATCH_SESSIONS).enumerate() {
            let mut session = read_session(&mut self.lucid.db.read().await?, row, true).await?;
            session.head = head(row);
            let label = format!("s{}", n + 1);
            let text = observe::shown(&label, &session);
            sessions.push(Shown {
                row,
                label,
                session,
                text,
            });
        }
        Ok(sessions)
    }

    /// Returns what some sessions show.
    async fn batch(&mut self, sessions: &[Shown<'_>]) -> Result<Answered<Observation>> {
        let text = sessions.iter().map(|s| s.text.as_str()).collect();
        let ask = observe::ask(text, self.dream.instructions.as_deref());
        let names: BTreeMap<String, i64> = sessions
            .iter()
            .map(|s| (s.row.id.to_string(), s.row.event_count))
            .collect();
        let labelled: Vec<(String, &Session)> = sessions
            .iter()
            .map(|s| (s.label.clone(), &s.session))
            .collect();
        self.answered(
            &ask,
            (
                &serde_json::json!(names).to_string(),
                "",
                sessions.len() > 1,
            ),
            &mut |raw: observe::Raw, told| {
                let mut dropped = Dropped::default();
                let found = observe::ground(raw, &labelled, &mut dropped);
                told.quotes_unfound += dropped.unfound;
                told.quotes_unfit += dropped.unfit;
                told.quotes_personal += dropped.personal;
                told.ungrounded += usize::from(found.is_none());
                found
            },
        )
        .await
    }

    /// Which changes follow from all observations.
    pub async fn curate(
        &mut self,
        observations: &[Observation],
        window: &[SessionRow],
        memories: &[Memory],
    ) -> Result<Vec<Candidate>> {
        if observations.is_empty() {
            return Ok(Vec::new());
        }
        let muted =
            decisions::muted_of_store(&mut self.lucid.db.read().await?, self.dream.store_id)
                .await?;
        let rejected: Vec<Rejected> = muted
            .into_iter()
            .map(|m| Rejected {
                title: m.title,
                why: m.reject_code.explained().to_owned(),
            })
            .collect();
        let heads: HashMap<String, Head> = window
            .iter()
            .map(|row| (row.id.to_string(), head(row)))
            .collect();
        let instructions = self.dream.instructions.as_deref();
        let words = curate::words_of(memories);
        let sources = Sources {
            observations,
            heads: &heads,
            memories,
            notes: &words,
            rejected: &rejected,
            instructions,
        };
        let mut open = curate::parts(&sources);
        self.told.left_out = open
            .drain(curate::MOST_PARTS.min(open.len())..)
            .map(|part| part.len())
            .sum();
        open.reverse();
        let name = self.model.name();
        let mut candidates: Vec<Candidate> = Vec::new();
        while let Some(part) = open.pop() {
            if self.told.stopped.is_some() {
                break;
            }
            let ask = curate::ask(&part, &sources);
            let mut ground = |raw: curate::Raw, _: &mut super::Distilled| {
                Some(curate::ground(raw, observations, &name))
            };
            // The same words of other sessions are another request.
            let about: Vec<_> = part
                .iter()
                .map(|n| (observations[*n].session(), &observations[*n].quotes[0].at))
                .collect();
            let sessions = resting_on(part.iter().map(|n| observations[*n].session()));
            match self
                .answered(
                    &ask,
                    (
                        &sessions,
                        &serde_json::json!(about).to_string(),
                        part.len() > 1,
                    ),
                    &mut ground,
                )
                .await?
            {
                Answered::Got(found) => {
                    candidates.extend(found.into_iter().filter(|c| !c.title.is_empty()));
                }
                Answered::Unusable if part.len() > 1 => {
                    self.told.split += 1;
                    let (first, second) = part.split_at(part.len() / 2);
                    open.extend([second.to_vec(), first.to_vec()]);
                }
                Answered::Unusable | Answered::None => {}
            }
        }
        Ok(candidates)
    }

    /// The changes, each with what a second reading finds in its quotes. Without an answer they
    /// are as they are, and say so.
    pub async fn verify(
        &mut self,
        mut candidates: Vec<Candidate>,
        memories: &[Memory],
    ) -> Result<Vec<Candidate>> {
        for together in candidates.chunks_mut(verify::TOGETHER) {
            if self.told.stopped.is_some() {
                break;
            }
            let read: Vec<(String, &Candidate)> = (1..)
                .zip(together.iter())
                .filter(|(_, c)| verify::can_be_read(c))
                .map(|(n, c)| (format!("c{n}"), c))
                .collect();
            if read.is_empty() {
                continue;
            }
            let ask = verify::ask(&read, memories, self.dream.instructions.as_deref());
            let sessions = resting_on(
                read.iter()
                    .flat_map(|(_, c)| &c.quotes)
                    .map(|q| q.session.as_str()),
            );
            let answered = self
                .answered(
                    &ask,
                    (&sessions, "", false),
                    &mut |verdict: verify::Verdict, _| Some(verdict),
                )
                .await?;
            let Answered::Got(requests) = answered else {
                continue;
            };
            for (n, candidate) in (1..)
                .zip(together.iter_mut())
                .filter(|(_, c)| verify::can_be_read(c))
            {
                candidate.second = verify::second(&format!("c{n}"), &requests);
                match candidate.second {
                    Second::Entailed => self.told.entailed += 1,
                    Second::Partly(_) | Second::Not(_) => self.told.doubted += 1,
                    Second::None => {}
                }
            }
        }
        Ok(candidates)
    }
}
