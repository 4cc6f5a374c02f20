//! One request to a model: an answer that is there already, else one that is asked for, mended
//! once, kept and paid for.

use std::sync::Arc;

use domain::canonical::sha256_hex;
use dream::{
    curator::{self, Item},
    model::{self, Ask, Failed, Model, Role, Usage},
};
use serde::{Serialize, de::DeserializeOwned};
use store::{
    dreams::DreamRow,
    model_batches::{self, BatchRow, Spent},
};

use super::{Distilled, Limits};
use crate::{Error, Lucid, Result};

/// Requests that fail one after the other before a dream stops asking.
const FAILURES: usize = 3;
/// A day, in seconds.
const DAY_SECONDS: i64 = 86_400;
/// Characters of an answer that is to be mended which the model is shown again.
const SHOWN_AGAIN: usize = 8_000;

/// A dream's talk with its model.
pub struct Run<'a> {
    pub lucid: &'a Lucid,
    pub dream: &'a DreamRow,
    pub model: Arc<dyn Model>,
    pub told: Distilled,
    failures: usize,
}

/// The result of a request.
pub enum Answered<T> {
    /// What of it can be used, now or from before.
    Got(Vec<T>),
    /// Nothing of the answer can be used, or the server does not take the request: parts of it may
    /// do better.
    Unusable,
    /// There is no answer, or no more may be spent.
    None,
}

/// The model, its prompts, and what it was told: what somebody steered is never taken for what
/// nobody did.
pub fn told_model(model: &dyn Model, instructions: Option<&str>) -> String {
    let steered = instructions.map(|told| format!(" told {}", &sha256_hex(told.as_bytes())[..16]));
    format!(
        "{} prompts {}{}",
        model.name(),
        curator::prompts_version(),
        steered.unwrap_or_default()
    )
}

impl<'a> Run<'a> {
    /// A dream's requests to one model, before the first.
    pub fn new(lucid: &'a Lucid, dream: &'a DreamRow, model: Arc<dyn Model>) -> Self {
        let told = Distilled {
            model: model.name(),
            ..Distilled::default()
        };
        Self {
            lucid,
            dream,
            model,
            told,
            failures: 0,
        }
    }

    /// The model's name, and the instructions that go into every request.
    pub fn told_model(&self) -> String {
        told_model(self.model.as_ref(), self.dream.instructions.as_deref())
    }

    /// Returns what a request comes to, made of the items of its answer by `make`. `sessions` says
    /// which ones it shows, as a JSON object, or rests on, as a list, `about` what else an answer
    /// to the same words belongs to; `can_split` that its parts are asked if the answer cannot be
    /// used as a whole.
    pub async fn answered<R: Item + Send, T: Serialize + DeserializeOwned>(
        &mut self,
        ask: &Ask,
        (sessions, about, can_split): (&str, &str, bool),
        make: &mut (dyn FnMut(R, &mut Distilled) -> Option<T> + Send),
    ) -> Result<Answered<T>> {
        let most = self.lucid.distillers.limits.answer_tokens;
        let ask = &Ask {
            max_tokens: ask.max_tokens.min(most),
            ..ask.clone()
        };
        let asked = serde_json::to_string(ask)
            .map_err(|_| Error::Internal("a request to a model could not be written"))?;
        let request_sha256 =
            sha256_hex(format!("{}\0{sessions}\0{about}\0{asked}", self.model.name()).as_bytes());
        let kept = model_batches::get(
            &mut self.lucid.db.read().await?,
            self.dream.store_id,
            &request_sha256,
        )
        .await?;
        if let Some(row) = kept {
            self.told.kept += 1;
            // What could not be used is kept as nothing.
            return Ok(
                match serde_json::from_str::<Option<Vec<T>>>(&row.candidates) {
                    Ok(Some(made)) => Answered::Got(made),
                    Ok(None) | Err(_) => Answered::Unusable,
                },
            );
        }
        if let Some(reason) = self.over(asked.len()).await? {
            self.told.stopped = Some(reason);
            return Ok(Answered::None);
        }
        let dropped_before = (self.told.ungrounded, self.told.malformed);
        let (items, usage) = match self.ask::<R>(ask, can_split).await {
            Heard::Items(items, usage) => (Some(items), usage),
            Heard::Nonsense(usage) => (None, usage),
            Heard::Unfit if can_split => return Ok(Answered::Unusable),
            // A server that answers others does not take this one: it would come to nothing each
            // night.
            Heard::Unfit if self.told.output_tokens > 0 => (None, Usage::default()),
            Heard::Unfit | Heard::Nothing => return Ok(Answered::None),
        };
        let made: Option<Vec<T>> = items.map(|items| {
            items
                .into_iter()
                .filter_map(|item| make(item, &mut self.told))
                .collect()
        });
        let splits = made.is_none() && can_split;
        let cost_micros = cost(self.lucid.distillers.limits, usage);
        self.told.input_tokens += count(usage.input);
        self.told.output_tokens += count(usage.output);
        self.told.cost_micros += cost_micros;
        let dropped = self.told.ungrounded - dropped_before.0 + self.told.malformed
            - dropped_before.1
            + usize::from(made.is_none());
        // A single session of which nothing can be used counts as seen: it would come to nothing
        // each night.
        let stored = if splits {
            None
        } else {
            Some(made.as_deref().unwrap_or_default())
        };
        let row = BatchRow {
            request_sha256,
            model: self.told_model(),
            sessions: if splits {
                "{}".to_owned()
            } else {
                sessions.to_owned()
            },
            candidates: serde_json::to_string(&stored)
                .map_err(|_| Error::Internal("an answer could not be written"))?,
            dropped: i64::try_from(dropped).unwrap_or(i64::MAX),
            input_tokens: count(usage.input),
            output_tokens: count(usage.output),
            cost_micros,
            sealed: false,
        };
        let mut tx = self.lucid.db.background().await?;
        model_batches::put(
            &mut tx,
            self.dream.store_id,
            self.dream.id,
            &row,
            self.lucid.now(),
        )
        .await?;
        tx.commit().await?;
        Ok(match made {
            Some(made) => Answered::Got(made),
            None if can_split => Answered::Unusable,
            None => Answered::Got(Vec::new()),
        })
    }

    /// Asks, and once more if the answer is not as it was asked for. What came and cannot be used
    /// is paid for, too.
    async fn ask<R: Item>(&mut self, ask: &Ask, can_split: bool) -> Heard<R> {
        self.told.asked += 1;
        let first = match self.heard(self.model.ask(ask).await, can_split) {
            Ok(answer) => answer,
            Err(heard) => return heard,
        };
        let wrong = match curator::items::<R>(&first.text) {
            // What broke off in the middle would leave the rest unread: the halves fit.
            Ok((_, lost)) if lost.cut && can_split => {
                self.told.cut += 1;
                return Heard::Nonsense(first.usage);
            }
            Ok(read) => return self.read(read, first.usage),
            Err(wrong) => wrong,
        };
        let spent = i64::try_from(first.usage.total()).unwrap_or(i64::MAX);
        if self.told.input_tokens + self.told.output_tokens + 2 * spent
            > self.lucid.distillers.limits.tokens_a_dream
        {
            return Heard::Nonsense(first.usage);
        }
        let mut again = ask.clone();
        let said: String = first.text.chars().take(SHOWN_AGAIN).collect();
        again.turns.push((
            Role::Assistant,
            if said.trim().is_empty() {
                "(nothing)".to_owned()
            } else {
                said
            },
        ));
        again.turns.push((
            Role::User,
            format!("That cannot be used: {wrong}. Answer once more, exactly as the schema says."),
        ));
        // Without a second answer nothing is kept, and the next dream asks again.
        let Ok(second) = self.heard::<R>(self.model.ask(&again).await, false) else {
            return Heard::Nothing;
        };
        let usage = first.usage.and(second.usage);
        if let Ok(read) = curator::items::<R>(&second.text) {
            self.told.mended += 1;
            return self.read(read, usage);
        }
        self.told.dropped += usize::from(!can_split);
        Heard::Nonsense(usage)
    }

    fn read<R>(&mut self, (items, lost): (Vec<R>, curator::Lost), usage: Usage) -> Heard<R> {
        self.told.malformed += lost.malformed;
        self.told.cut += usize::from(lost.cut);
        Heard::Items(items, usage)
    }

    /// An answer, or a note of the failure; too many failures one after the other stop the dream's
    /// asking.
    fn heard<R>(
        &mut self,
        answer: std::result::Result<model::Answer, Failed>,
        can_split: bool,
    ) -> std::result::Result<model::Answer, Heard<R>> {
        match answer {
            Ok(answer) => {
                self.failures = 0;
                Ok(answer)
            }
            Err(Failed::Unfit(why)) if can_split || self.told.output_tokens > 0 => {
                tracing::info!(dream = %self.dream.id, why, "a model's server does not take a \
                    request");
                self.told.dropped += usize::from(!can_split);
                Err(Heard::Unfit)
            }
            Err(failed) => {
                tracing::warn!(dream = %self.dream.id, error = %failed, "a model did not answer");
                self.failures += 1;
                self.told.dropped += 1;
                if self.failures >= FAILURES || matches!(failed, Failed::Refused(_)) {
                    self.told.stopped = Some(failed.to_string());
                }
                Err(Heard::Nothing)
            }
        }
    }

    /// Why a request of so many bytes may not be asked any more.
    async fn over(&self, bytes: usize) -> Result<Option<String>> {
        let limits = self.lucid.distillers.limits;
        let next = Usage {
            input: u64::try_from(bytes / 4).unwrap_or(u64::MAX),
            output: u64::from(limits.answer_tokens),
        };
        let (tokens, cost) = (count(next.total()), cost(limits, next));
        let mut tx = self.lucid.db.read().await?;
        let dream = model_batches::spent_by(&mut tx, self.dream.id).await?;
        let day = model_batches::spent_since(&mut tx, self.lucid.now().plus_seconds(-DAY_SECONDS))
            .await?;
        let above = |spent: Spent, most: i64, cost_most: Option<i64>| {
            spent.tokens + tokens > most
                || cost_most.is_some_and(|most| spent.cost_micros + cost > most)
        };
        Ok(
            if above(dream, limits.tokens_a_dream, limits.cost_a_dream) {
                Some(
                    "one dream may spend no more on its model; the rest waits for the next dream"
                        .to_owned(),
                )
            } else if above(day, limits.tokens_a_day, limits.cost_a_day) {
                Some("dreams may spend no more on models today; the rest waits".to_owned())
            } else {
                None
            },
        )
    }
}

/// The answer of a model.
enum Heard<R> {
    Items(Vec<R>, Usage),
    /// Twice not as it was asked for.
    Nonsense(Usage),
    /// Its server does not take the request.
    Unfit,
    Nothing,
}

/// Returns what tokens cost, in millionths.
pub fn cost(limits: Limits, usage: Usage) -> i64 {
    let part = |tokens: u64, price: i64| count(tokens).saturating_mul(price) / 1_000_000;
    part(usage.input, limits.price_in) + part(usage.output, limits.price_out)
}

fn count(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
