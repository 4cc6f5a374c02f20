//! Dreams with a model: sessions that it has not seen go to it in batches, what it proposes is grounded in them, and all candidates are
//! brought together against the memory. Answers are kept, so that nothing is paid for twice; limits of tokens and cost stop it cleanly,
//! and what was found until then is used. Its candidates then pass the engine's checks like everything else.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use domain::{canonical::sha256_hex, ids::SessionId};
use dream::{
    Memory, Progress, Session,
    model::{self, Ask, Candidate, Failed, Model, Role, Usage},
    reading::Place,
};
use serde::Serialize;
use store::{
    dreams::DreamRow,
    model_batches::{self, BatchRow, Spent},
    sessions::SessionRow,
};

use crate::{Error, Lucid, Result, dream_input::read_session};

/// Tokens of transcripts in one request.
const BATCH_TOKENS: usize = 24_000;
/// Most sessions in one request.
const BATCH_SESSIONS: usize = 40;
/// Most tokens of an answer.
const ANSWER_TOKENS: u32 = 4_096;
/// Requests that fail one after the other before a dream stops asking.
const FAILURES: usize = 3;
/// Most candidates that are brought together at once.
const BROUGHT_TOGETHER: usize = 60;
/// A day, in seconds.
const DAY_SECONDS: i64 = 86_400;

/// What dreams may spend on models, and what a token costs. None is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of one dream.
    pub tokens_a_dream: i64,
    /// Tokens of all dreams within 24 hours.
    pub tokens_a_day: i64,
    /// Cost of one dream, in millionths.
    pub cost_a_dream: Option<i64>,
    /// Cost of all dreams within 24 hours, in millionths.
    pub cost_a_day: Option<i64>,
    /// Price of a million tokens asked, in millionths.
    pub price_in: i64,
    /// Price of a million tokens answered, in millionths.
    pub price_out: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tokens_a_dream: 1_000_000, tokens_a_day: 5_000_000, cost_a_dream: None, cost_a_day: None, price_in: 0, price_out: 0 }
    }
}

/// The models that dreams may ask, by the distiller's name.
#[derive(Clone, Default)]
pub struct Distillers {
    /// `anthropic` or `openai`, and the model behind it.
    pub models: BTreeMap<&'static str, Arc<dyn Model>>,
    /// What they may spend.
    pub limits: Limits,
}

/// What a dream did with its model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Distilled {
    /// The model's name.
    pub model: String,
    /// Requests that were asked.
    pub asked: usize,
    /// Requests whose answers were there already.
    pub kept: usize,
    /// Answers that were mended in a second turn.
    pub mended: usize,
    /// Answers that were dropped.
    pub dropped: usize,
    /// Candidates that were dropped because none of their quotes was found.
    pub ungrounded: usize,
    /// Candidates that came out.
    pub candidates: usize,
    /// Tokens asked by this dream.
    pub input_tokens: i64,
    /// Tokens answered.
    pub output_tokens: i64,
    /// Their cost, in millionths.
    pub cost_micros: i64,
    /// Why it stopped before all sessions were shown.
    pub stopped: Option<String>,
}

/// One answer to be kept.
struct Kept {
    candidates: Vec<Candidate>,
    dropped: i64,
    usage: Usage,
}

impl Lucid {
    /// The distillers that a dream may be asked for, `builtin` first.
    #[must_use]
    pub fn distillers(&self) -> Vec<&'static str> {
        std::iter::once("builtin").chain(self.distillers.models.keys().copied()).collect()
    }

    /// Refuses a distiller that is not set up.
    pub(crate) fn check_distiller(&self, name: &str) -> Result<&'static str> {
        let found = self.distillers().into_iter().find(|d| *d == name);
        found.ok_or_else(|| Error::Invalid(format!("`{name}` is not set up; this Lucid dreams with: {}", self.distillers().join(", "))))
    }

    /// Asks the dream's model about what it has not seen yet. `None` if the dream was canceled meanwhile.
    pub(crate) async fn distil(
        &self,
        dream: &DreamRow,
        window: &[SessionRow],
        memories: &[Memory],
    ) -> Result<Option<(Vec<Candidate>, Distilled)>> {
        let Some(model) = self.distillers.models.get(dream.distiller.as_str()).cloned() else {
            return Err(Error::Invalid(format!("the distiller `{}` is not set up here any more", dream.distiller)));
        };
        let mut run = Run { lucid: self, dream, model, told: Distilled::default(), failures: 0 };
        run.told.model = run.model.name();
        let mut seen = run.candidates_before().await?;
        let unseen: Vec<&SessionRow> = window.iter().filter(|s| seen.sessions.get(&s.id) != Some(&s.event_count)).collect();
        let mut done = 0;
        while done < unseen.len() && run.told.stopped.is_none() {
            let sessions = run.next_sessions(&unseen[done..]).await?;
            let sizes: Vec<usize> = sessions.iter().map(|s| s.text.len()).collect();
            for range in model::batches(&sizes, BATCH_TOKENS) {
                if run.told.stopped.is_some() {
                    break;
                }
                if !self.beat(dream.id, Progress { sessions_done: window.len() - unseen.len() + done, sessions: window.len() }).await? {
                    return Ok(None);
                }
                seen.candidates.extend(run.batch(&sessions[range]).await?);
            }
            done += sessions.len();
        }
        let inside: Vec<Candidate> = {
            let keys: std::collections::BTreeSet<String> = window.iter().map(|s| s.id.to_string()).collect();
            seen.candidates.into_iter().filter(|c| c.grounded.iter().any(|(key, _)| keys.contains(key))).collect()
        };
        let together = run.together(inside, memories).await?;
        run.told.candidates = together.len();
        Ok(Some((together, run.told)))
    }
}

/// A session with what a model is shown of it.
struct Shown<'s> {
    row: &'s SessionRow,
    label: String,
    session: Session,
    text: String,
}

/// What a model saw before.
struct Before {
    candidates: Vec<Candidate>,
    sessions: HashMap<SessionId, i64>,
}

/// A dream's talk with its model.
struct Run<'a> {
    lucid: &'a Lucid,
    dream: &'a DreamRow,
    model: Arc<dyn Model>,
    told: Distilled,
    failures: usize,
}

impl Run<'_> {
    /// The model, and what it was told: what somebody steered is never taken for what nobody did.
    fn told_model(&self) -> String {
        let steered = self.dream.instructions.as_deref().map(|told| format!(" told {}", &sha256_hex(told.as_bytes())[..16]));
        format!("{}{}", self.model.name(), steered.unwrap_or_default())
    }

    async fn candidates_before(&self) -> Result<Before> {
        let since = self.lucid.now().plus_seconds(-crate::dreams::WINDOW_SECONDS);
        let mut tx = self.lucid.db.read().await?;
        let mut before = Before { candidates: Vec::new(), sessions: HashMap::new() };
        for row in model_batches::of_store(&mut tx, self.dream.store_id, &self.told_model(), since).await? {
            before.candidates.extend(serde_json::from_str::<Vec<Candidate>>(&row.candidates).unwrap_or_default());
            let shown: HashMap<String, i64> = serde_json::from_str(&row.sessions).unwrap_or_default();
            before.sessions.extend(shown.into_iter().filter_map(|(id, n)| Some((id.parse().ok()?, n))));
        }
        Ok(before)
    }

    /// The next sessions as a model is shown them.
    async fn next_sessions<'s>(&self, unseen: &[&'s SessionRow]) -> Result<Vec<Shown<'s>>> {
        let mut sessions = Vec::new();
        for (n, &row) in unseen.iter().take(BATCH_SESSIONS).enumerate() {
            let mut session = read_session(&mut self.lucid.db.read().await?, row, true).await?;
            session.head.outcome = crate::dream_input::decided(row);
            let label = format!("s{}", n + 1);
            let text = model::shown(&label, &session);
            sessions.push(Shown { row, label, session, text });
        }
        Ok(sessions)
    }

    /// The candidates of some sessions.
    async fn batch(&mut self, sessions: &[Shown<'_>]) -> Result<Vec<Candidate>> {
        let text = sessions.iter().map(|s| s.text.as_str()).collect();
        let ask = model::ask_of_batch(text, self.dream.instructions.as_deref(), ANSWER_TOKENS);
        let names: BTreeMap<String, i64> = sessions.iter().map(|s| (s.row.id.to_string(), s.row.event_count)).collect();
        let labelled: Vec<(String, &Session)> = sessions.iter().map(|s| (s.label.clone(), &s.session)).collect();
        let found = self.answered(&ask, &serde_json::json!(names).to_string(), &mut |raw| model::ground(raw, &labelled)).await?;
        Ok(found.unwrap_or_default())
    }

    /// What of all candidates holds together. One batch alone has seen everything there is.
    async fn together(&mut self, mut all: Vec<Candidate>, memories: &[Memory]) -> Result<Vec<Candidate>> {
        // The newest ones, if there are too many.
        all.drain(..all.len().saturating_sub(BROUGHT_TOGETHER));
        if all.len() < 2 || self.told.stopped.is_some() {
            return Ok(all);
        }
        let mut label: BTreeMap<String, String> = BTreeMap::new();
        let mut place: HashMap<(String, String), (String, Place, bool)> = HashMap::new();
        for candidate in &mut all {
            let grounded: Vec<_> = candidate.grounded.clone();
            for (quote, (key, at)) in candidate.raw.quotes.iter_mut().zip(&grounded) {
                let next = format!("s{}", label.len() + 1);
                quote.session.clone_from(key);
                let name = label.entry(key.clone()).or_insert(next).clone();
                place.insert((name, quote.text.clone()), (key.clone(), *at, candidate.tool_only));
            }
        }
        let names = |key: &str| label.get(key).cloned().unwrap_or_default();
        let ask = model::ask_of_candidates(&all, &names, memories, self.dream.instructions.as_deref(), ANSWER_TOKENS);
        let mut ground = |raw: model::Raw| {
            let mut raw = raw;
            raw.quotes.retain(|q| place.contains_key(&(q.session.clone(), q.text.clone())));
            let found: Vec<_> = raw.quotes.iter().filter_map(|q| place.get(&(q.session.clone(), q.text.clone()))).collect();
            let tool_only = found.iter().all(|f| f.2);
            let grounded = found.into_iter().map(|(key, at, _)| (key.clone(), *at)).collect();
            Candidate { raw, grounded, tool_only }
        };
        // Without an answer the candidates stand as they are.
        Ok(self.answered(&ask, "{}", &mut ground).await?.unwrap_or(all))
    }

    /// The grounded candidates of a request: kept ones, else asked for. None if there is no answer, or no more may be spent.
    async fn answered(
        &mut self,
        ask: &Ask,
        sessions: &str,
        ground: &mut (dyn FnMut(model::Raw) -> Candidate + Send),
    ) -> Result<Option<Vec<Candidate>>> {
        let asked = serde_json::to_string(ask).map_err(|_| Error::Internal("a request to a model could not be written"))?;
        let request_sha256 = sha256_hex(format!("{}\0{sessions}\0{asked}", self.model.name()).as_bytes());
        let kept = model_batches::get(&mut self.lucid.db.read().await?, self.dream.store_id, &request_sha256).await?;
        if let Some(row) = kept {
            self.told.kept += 1;
            return Ok(Some(serde_json::from_str(&row.candidates).unwrap_or_default()));
        }
        if let Some(reason) = self.over(asked.len()).await? {
            self.told.stopped = Some(reason);
            return Ok(None);
        }
        let Some(kept) = self.ask(ask, ground).await else { return Ok(None) };
        let cost_micros = self.cost(kept.usage);
        self.told.input_tokens += count(kept.usage.input);
        self.told.output_tokens += count(kept.usage.output);
        self.told.cost_micros += cost_micros;
        let row = BatchRow {
            request_sha256,
            model: self.told_model(),
            sessions: sessions.to_owned(),
            candidates: serde_json::to_string(&kept.candidates).map_err(|_| Error::Internal("candidates could not be written"))?,
            dropped: kept.dropped,
            input_tokens: count(kept.usage.input),
            output_tokens: count(kept.usage.output),
            cost_micros,
        };
        let mut tx = self.lucid.db.background().await?;
        model_batches::put(&mut tx, self.dream.store_id, self.dream.id, &row, self.lucid.now()).await?;
        tx.commit().await?;
        Ok(Some(kept.candidates))
    }

    /// Asks, and once more if the answer is not as it was asked for. None if nothing came; what came and cannot be used is paid for, too.
    async fn ask(&mut self, ask: &Ask, ground: &mut (dyn FnMut(model::Raw) -> Candidate + Send)) -> Option<Kept> {
        self.told.asked += 1;
        let first = self.heard(self.model.ask(ask).await)?;
        let mut usage = first.usage;
        let raw = match model::read(&first.text) {
            Ok(raw) => Some(raw),
            Err(wrong) => {
                let mut again = ask.clone();
                let said: String = first.text.chars().take(8_000).collect();
                again.turns.push((Role::Assistant, if said.trim().is_empty() { "(nothing)".to_owned() } else { said }));
                again.turns.push((Role::User, format!("That cannot be used: {wrong}. Answer once more, exactly as the schema says.")));
                let second = self.heard(self.model.ask(&again).await);
                usage = second.as_ref().map_or(usage, |s| usage.and(s.usage));
                let mended = second.and_then(|s| model::read(&s.text).ok());
                self.told.mended += usize::from(mended.is_some());
                mended
            }
        };
        let Some(raw) = raw else {
            self.told.dropped += 1;
            return Some(Kept { candidates: Vec::new(), dropped: 1, usage });
        };
        let (grounded, lost): (Vec<Candidate>, Vec<Candidate>) = raw.into_iter().map(&mut *ground).partition(|c| !c.grounded.is_empty());
        self.told.ungrounded += lost.len();
        Some(Kept { dropped: i64::try_from(lost.len()).unwrap_or(i64::MAX), candidates: grounded, usage })
    }

    /// An answer, or a note of the failure; too many failures one after the other stop the dream's asking.
    fn heard(&mut self, answer: std::result::Result<model::Answer, Failed>) -> Option<model::Answer> {
        match answer {
            Ok(answer) => {
                self.failures = 0;
                Some(answer)
            }
            Err(failed) => {
                tracing::warn!(dream = %self.dream.id, error = %failed, "a model did not answer");
                self.failures += 1;
                self.told.dropped += 1;
                if self.failures >= FAILURES || matches!(failed, Failed::Refused(_)) {
                    self.told.stopped = Some(failed.to_string());
                }
                None
            }
        }
    }

    /// Why a request of so many bytes may not be asked any more.
    async fn over(&self, bytes: usize) -> Result<Option<String>> {
        let limits = self.lucid.distillers.limits;
        let next = Usage { input: u64::try_from(bytes / 4).unwrap_or(u64::MAX), output: u64::from(ANSWER_TOKENS) };
        let (tokens, cost) = (count(next.total()), self.cost(next));
        let mut tx = self.lucid.db.read().await?;
        let dream = model_batches::spent_by(&mut tx, self.dream.id).await?;
        let day = model_batches::spent_since(&mut tx, self.lucid.now().plus_seconds(-DAY_SECONDS)).await?;
        let above = |spent: Spent, most: i64, cost_most: Option<i64>| {
            spent.tokens + tokens > most || cost_most.is_some_and(|most| spent.cost_micros + cost > most)
        };
        Ok(if above(dream, limits.tokens_a_dream, limits.cost_a_dream) {
            Some("one dream may spend no more on its model; the rest waits for the next dream".to_owned())
        } else if above(day, limits.tokens_a_day, limits.cost_a_day) {
            Some("dreams may spend no more on models today; the rest waits".to_owned())
        } else {
            None
        })
    }

    fn cost(&self, usage: Usage) -> i64 {
        let limits = self.lucid.distillers.limits;
        let part = |tokens: u64, price: i64| count(tokens).saturating_mul(price) / 1_000_000;
        part(usage.input, limits.price_in) + part(usage.output, limits.price_out)
    }
}

fn count(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
