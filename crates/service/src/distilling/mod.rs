//! Dreams with a model. It reads in three passes (see [`dream::curator`]): what each session that
//! it has not seen shows, which changes follow from all of that beside the memory, and whether each
//! change is in its quotes. Answers are kept, so that nothing is paid for twice; limits of
//! tokens and cost stop it cleanly, and what was found until then is used. Its candidates then pass
//! the engine's checks like everything else.

mod passes;
mod requests;

use std::{collections::BTreeMap, sync::Arc};

use domain::{actor::Actor, ids::StoreId, rights::Action};
use dream::{
    Memory,
    curator::{self, ANSWER_TOKENS, Candidate, observe::TOKEN_BYTES},
    model::{Model, Usage},
};
use serde::Serialize;
use store::{dreams::DreamRow, sessions, sessions::SessionRow};

use crate::{Error, Lucid, Result};
use requests::{Run, cost};

/// Sessions of which the size is looked at to guess the size of all.
const SAMPLE: usize = 50;
/// Tokens that the first pass answers with for each session, roughly; and what the other passes
/// take, for each session of the first.
const ANSWERED_A_SESSION: u64 = 150;

/// The limits of what dreams may spend on models, and the price of a token. None is no limit.
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
    /// Tokens of one answer; what a model with a small window can give.
    pub answer_tokens: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tokens_a_dream: 1_000_000,
            tokens_a_day: 5_000_000,
            cost_a_dream: None,
            cost_a_day: None,
            price_in: 0,
            price_out: 0,
            answer_tokens: ANSWER_TOKENS,
        }
    }
}

/// The models that dreams may ask, by the distiller's name.
#[derive(Clone, Default)]
pub struct Distillers {
    /// `anthropic` or `openai`, and the model behind it.
    pub models: BTreeMap<&'static str, Arc<dyn Model>>,
    pub limits: Limits,
}

/// The work of a dream's model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Distilled {
    pub model: String,
    /// Which prompts it was asked with.
    pub prompts: String,
    /// Requests that were asked.
    pub asked: usize,
    /// Requests whose answers were there already.
    pub kept: usize,
    /// Answers that were mended in a second turn.
    pub mended: usize,
    /// Requests that were asked in halves, because nothing of the whole could be used.
    pub split: usize,
    /// Answers that were dropped.
    pub dropped: usize,
    /// Answers that broke off, of which the beginning was used.
    pub cut: usize,
    /// Observations and changes that were not as they were asked for.
    pub malformed: usize,
    /// Observations that were dropped because none of their quotes was found.
    pub ungrounded: usize,
    /// Quotes that are in no session.
    pub quotes_unfound: usize,
    /// Quotes that are too short or too long.
    pub quotes_unfit: usize,
    /// Quotes with personal data or a credential.
    pub quotes_personal: usize,
    /// Observations of the window's sessions, of this dream and of those before it.
    pub observations: usize,
    /// Observations that were not asked about, because there were too many.
    pub left_out: usize,
    /// Changes that came out.
    pub candidates: usize,
    /// Changes that a second reading found in their quotes as a whole.
    pub entailed: usize,
    /// Changes of which a second reading did not find all in their quotes.
    pub doubted: usize,
    /// Tokens asked by this dream.
    pub input_tokens: i64,
    pub output_tokens: i64,
    /// Their cost, in millionths.
    pub cost_micros: i64,
    /// Why it stopped before everything was asked.
    pub stopped: Option<String>,
}

/// A rough estimate of what a dream with a model would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Sessions that the model has not seen.
    pub sessions: usize,
    /// Tokens that it would be asked.
    pub input_tokens: i64,
    /// Tokens that it would answer.
    pub output_tokens: i64,
    /// What that would cost, in millionths; 0 where no price is set.
    pub cost_micros: i64,
    /// It is more than one dream may take: the rest would wait for the next one.
    pub is_over: bool,
}

impl Lucid {
    /// The distillers that a dream may be asked for, `builtin` first.
    #[must_use]
    pub fn distillers(&self) -> Vec<&'static str> {
        std::iter::once("builtin")
            .chain(self.distillers.models.keys().copied())
            .collect()
    }

    /// Refuses a distiller that is not set up.
    pub(crate) fn check_distiller(&self, name: &str) -> Result<&'static str> {
        let found = self.distillers().into_iter().find(|d| *d == name);
        found.ok_or_else(|| {
            Error::Invalid(format!(
                "`{name}` is not set up; this Lucid dreams with: {}",
                self.distillers().join(", ")
            ))
        })
    }

    /// Returns what a dream over a store would take with each model that is set up, by the
    /// distiller's name. The size of the sessions is guessed from the newest ones.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn estimates(
        &self,
        actor: &Actor,
        store: StoreId,
    ) -> Result<Vec<(&'static str, Estimate)>> {
        if !actor.may(Action::Dream, store) {
            return Err(Error::NotFound("store"));
        }
        let since = self.now().plus_seconds(-crate::dreams::WINDOW_SECONDS);
        let mut all = Vec::new();
        for (name, model) in &self.distillers.models {
            let mut tx = self.db.read().await?;
            // Somebody's own instructions are not known yet; without them more was seen.
            let seen = passes::seen(
                &mut tx,
                store,
                &requests::told_model(model.as_ref(), None),
                since,
            )
            .await?;
            let window =
                sessions::window_of(&mut tx, store, since, crate::dreams::WINDOW_SESSIONS).await?;
            let unseen: Vec<_> = window
                .into_iter()
                .filter(|(id, events)| seen.get(id) != Some(events))
                .collect();
            let mut bytes = 0_i64;
            for (session, _) in unseen.iter().take(SAMPLE) {
                bytes += sessions::bytes_of(&mut tx, *session).await?;
            }
            let sample = i64::try_from(unseen.len().min(SAMPLE)).unwrap_or(1).max(1);
            let count = u64::try_from(unseen.len()).unwrap_or(u64::MAX);
            let read = count.saturating_mul(u64::try_from(bytes / sample).unwrap_or(0))
                / TOKEN_BYTES as u64;
            // Each request begins with the prompt; what the first pass answers is read again by the
            // other two.
            let prompts = (1 + read / passes::BATCH_TOKENS as u64) * 1_200;
            let answered = count.saturating_mul(ANSWERED_A_SESSION);
            let later = if count == 0 {
                0
            } else {
                2 * u64::from(ANSWER_TOKENS)
            };
            let usage = Usage {
                input: read + prompts + 2 * answered + later,
                output: answered + later / 4,
            };
            let limits = self.distillers.limits;
            let cost_micros = cost(limits, usage);
            let tokens = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            let is_over = tokens(usage.total()) > limits.tokens_a_dream
                || limits.cost_a_dream.is_some_and(|most| cost_micros > most);
            let estimate = Estimate {
                sessions: unseen.len(),
                input_tokens: tokens(usage.input),
                output_tokens: tokens(usage.output),
                cost_micros,
                is_over,
            };
            all.push((*name, estimate));
        }
        Ok(all)
    }

    /// Asks the dream's model about what it has not seen yet. `None` if the dream was canceled
    /// meanwhile.
    pub(crate) async fn distil(
        &self,
        dream: &DreamRow,
        window: &[SessionRow],
        memories: &[Memory],
    ) -> Result<Option<(Vec<Candidate>, Distilled)>> {
        let Some(model) = self
            .distillers
            .models
            .get(dream.distiller.as_str())
            .cloned()
        else {
            return Err(Error::Invalid(format!(
                "the distiller `{}` is not set up here any more",
                dream.distiller
            )));
        };
        let mut run = Run::new(self, dream, model);
        run.told.prompts = curator::prompts_version();
        let Some(observations) = run.observe(window).await? else {
            return Ok(None);
        };
        run.told.observations = observations.len();
        let candidates = run.curate(&observations, window, memories).await?;
        let candidates = run.verify(candidates, memories).await?;
        run.told.candidates = candidates.len();
        Ok(Some((candidates, run.told)))
    }
}
