//! Which models dreams may ask, from flags and environment; a distiller is set up when its model is
//! named.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use distill::{Client, Embeddings, Kind, Recorder, Replay, Settings};
use dream::{meaning::Embedder, model::Model};
use embed::SentenceModel;
use service::{Distillers, Lucid, ModelLimits};

use crate::Failure;

/// How long a request to a model may take with all its retries, in seconds.
const DEADLINE: Duration = Duration::from_mins(5);

/// The settings of language models.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Models")]
pub struct ModelArgs {
    /// Model that the distiller `anthropic` asks, over the Messages API; its key is in
    /// `LUCID_ANTHROPIC_KEY` or the file below.
    #[arg(long, global = true, env = "LUCID_ANTHROPIC_MODEL")]
    pub anthropic_model: Option<String>,
    /// Address of the Messages API.
    #[arg(
        long,
        global = true,
        env = "LUCID_ANTHROPIC_URL",
        default_value = "https://api.anthropic.com"
    )]
    pub anthropic_url: String,
    /// File with the key for it.
    #[arg(long, global = true, env = "LUCID_ANTHROPIC_KEY_FILE")]
    pub anthropic_key_file: Option<PathBuf>,
    /// Model that the distiller `openai` asks, over chat completions of any compatible server; its
    /// key is in `LUCID_OPENAI_KEY` or the file below, if it needs one.
    #[arg(long, global = true, env = "LUCID_OPENAI_MODEL")]
    pub openai_model: Option<String>,
    /// Address of the chat completions, with its version.
    #[arg(
        long,
        global = true,
        env = "LUCID_OPENAI_URL",
        default_value = "https://api.openai.com/v1"
    )]
    pub openai_url: String,
    /// File with the key for it.
    #[arg(long, global = true, env = "LUCID_OPENAI_KEY_FILE")]
    pub openai_key_file: Option<PathBuf>,
    /// Allow models' servers on this machine or in a private network, also with plain http.
    #[arg(long, global = true, env = "LUCID_MODEL_PRIVATE")]
    pub model_private: bool,
    /// Most tokens that one dream may take, asked and answered.
    #[arg(
        long,
        global = true,
        env = "LUCID_MODEL_TOKENS_A_DREAM",
        default_value_t = 1_000_000
    )]
    pub model_tokens_a_dream: u32,
    /// Most tokens that all dreams together may take in 24 hours.
    #[arg(
        long,
        global = true,
        env = "LUCID_MODEL_TOKENS_A_DAY",
        default_value_t = 5_000_000
    )]
    pub model_tokens_a_day: u32,
    /// What a million asked tokens cost, in your currency; for the limits of cost and the dream's
    /// page.
    #[arg(
        long,
        global = true,
        env = "LUCID_MODEL_PRICE_IN",
        default_value_t = 0.0
    )]
    pub model_price_in: f64,
    /// What a million answered tokens cost.
    #[arg(
        long,
        global = true,
        env = "LUCID_MODEL_PRICE_OUT",
        default_value_t = 0.0
    )]
    pub model_price_out: f64,
    /// Most that one dream may cost.
    #[arg(long, global = true, env = "LUCID_MODEL_COST_A_DREAM")]
    pub model_cost_a_dream: Option<f64>,
    /// Most that all dreams together may cost in 24 hours.
    #[arg(long, global = true, env = "LUCID_MODEL_COST_A_DAY")]
    pub model_cost_a_day: Option<f64>,
    /// Most tokens of one answer; lower it for a model with a small window.
    #[arg(long, global = true, env = "LUCID_MODEL_ANSWER_TOKENS", default_value_t = 8_192, value_parser = clap::value_parser!(u32).range(256..=65_536))]
    pub model_answer_tokens: u32,
    /// Adds what models answer to this file, a line of JSON each, so that a dream can be run again
    /// without them.
    #[arg(
        long,
        global = true,
        env = "LUCID_MODEL_RECORD",
        conflicts_with = "model_replay"
    )]
    pub model_record: Option<PathBuf>,
    /// Answers from such a file in the place of the models' servers; a request that is not in it is
    /// refused.
    #[arg(long, global = true, env = "LUCID_MODEL_REPLAY")]
    pub model_replay: Option<PathBuf>,
    /// Folder of a sentence model (`model.onnx` and `tokenizer.json`), with which dreams compare
    /// what is meant; without it they compare words alone. `models/fetch.sh` fetches a small
    /// English one.
    #[arg(long, global = true, env = "LUCID_EMBEDDING_MODEL")]
    pub embedding_model: Option<PathBuf>,
    /// Address of a server of embeddings (`/v1/embeddings`) that is asked in place of such a
    /// folder, with its version, as `http://localhost:11434/v1`; its key is in
    /// `LUCID_EMBEDDING_KEY`, if it needs one. What is sent is masked.
    #[arg(
        long,
        global = true,
        env = "LUCID_EMBEDDING_URL",
        requires = "embedding_name",
        conflicts_with = "embedding_model"
    )]
    pub embedding_url: Option<String>,
    /// Name of the model that this server is asked for.
    #[arg(long, global = true, env = "LUCID_EMBEDDING_NAME")]
    pub embedding_name: Option<String>,
    /// A file of rules for secrets in gitleaks' format, on top of Lucid's own.
    #[arg(long, global = true, env = "LUCID_SECRET_RULES")]
    pub secret_rules: Option<PathBuf>,
}

/// Lets it dream with the models that are set up, and reads the operator's rules for secrets.
pub fn with_models(lucid: Lucid, args: &ModelArgs) -> Result<Lucid, Failure> {
    if let Some(file) = &args.secret_rules {
        let text = std::fs::read_to_string(file)
            .map_err(|e| Failure::Io(file.display().to_string(), e))?;
        let count = domain::secrets::add_own(&text)
            .map_err(|e| Failure::Said(format!("{}: {e}", file.display())))?;
        tracing::info!(count, "own rules for secrets are used");
    }
    let mut distillers = Distillers {
        limits: limits(args)?,
        ..Distillers::default()
    };
    let wanted = [
        (
            Kind::Anthropic,
            &args.anthropic_model,
            &args.anthropic_url,
            "LUCID_ANTHROPIC_KEY",
            &args.anthropic_key_file,
        ),
        (
            Kind::OpenAi,
            &args.openai_model,
            &args.openai_url,
            "LUCID_OPENAI_KEY",
            &args.openai_key_file,
        ),
    ];
    let in_file = |file: &PathBuf, error: &dyn std::fmt::Display| {
        Failure::Said(format!("{}: {error}", file.display()))
    };
    for (kind, model, url, variable, file) in wanted {
        let Some(model) = model.clone().filter(|m| !m.trim().is_empty()) else {
            continue;
        };
        if let Some(file) = &args.model_replay {
            let replay = Replay::read(file).map_err(|e| in_file(file, &e))?;
            distillers
                .models
                .insert(kind.as_str(), Arc::new(replay) as Arc<dyn Model>);
            continue;
        }
        let key = secret(variable, file.as_ref())?;
        if kind == Kind::Anthropic && key.is_none() {
            return Err(Failure::Said(format!(
                "the distiller anthropic needs a key: set {variable}, or name a file with \
                 --anthropic-key-file"
            )));
        }
        let settings = Settings {
            kind,
            url: url.clone(),
            model,
            key,
            private: args.model_private,
            deadline: DEADLINE,
        };
        let mut client: Arc<dyn Model> =
            Arc::new(Client::new(&settings).map_err(|e| Failure::Said(e.to_string()))?);
        if let Some(file) = &args.model_record {
            client = Arc::new(Recorder::new(client, file).map_err(|e| in_file(file, &e))?);
        }
        distillers.models.insert(kind.as_str(), client);
    }
    let lucid = lucid.with_distillers(distillers);
    Ok(match sentence_model(args)? {
        Some(model) => lucid.with_embedder(model),
        None => lucid,
    })
}

/// The sentence model that is set up, if one is: a folder's, or a server's.
pub fn sentence_model(args: &ModelArgs) -> Result<Option<Arc<dyn Embedder>>, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::Said(e.to_string());
    if let Some(url) = args
        .embedding_url
        .clone()
        .filter(|url| !url.trim().is_empty())
    {
        let settings = Settings {
            kind: Kind::OpenAi,
            url,
            model: args.embedding_name.clone().unwrap_or_default(),
            key: secret("LUCID_EMBEDDING_KEY", None)?,
            private: args.model_private,
            deadline: DEADLINE,
        };
        return Ok(Some(Arc::new(
            Embeddings::new(&settings).map_err(|e| failed(&e))?,
        )));
    }
    let Some(folder) = args
        .embedding_model
        .as_ref()
        .filter(|folder| !folder.as_os_str().is_empty())
    else {
        return Ok(None);
    };
    Ok(Some(Arc::new(
        SentenceModel::load(folder).map_err(|e| failed(&e))?,
    )))
}

/// A secret from its file, else from the environment; nothing if neither holds one.
pub fn secret(variable: &str, file: Option<&PathBuf>) -> Result<Option<String>, Failure> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file)
            .map_err(|e| Failure::Io(file.display().to_string(), e))?;
        return Ok(Some(text.trim().to_owned()).filter(|k| !k.is_empty()));
    }
    Ok(std::env::var(variable)
        .ok()
        .map(|k| k.trim().to_owned())
        .filter(|k| !k.is_empty()))
}

fn limits(args: &ModelArgs) -> Result<ModelLimits, Failure> {
    let micros = |amount: f64| {
        let fits = amount.is_finite() && (0.0..=1e9).contains(&amount);
        #[expect(clippy::cast_possible_truncation, reason = "checked just now")]
        fits.then(|| (amount * 1e6).round() as i64)
            .ok_or_else(|| Failure::Said(format!("{amount} is no price or cost")))
    };
    Ok(ModelLimits {
        tokens_a_dream: i64::from(args.model_tokens_a_dream),
        tokens_a_day: i64::from(args.model_tokens_a_day),
        cost_a_dream: args.model_cost_a_dream.map(micros).transpose()?,
        cost_a_day: args.model_cost_a_day.map(micros).transpose()?,
        price_in: micros(args.model_price_in)?,
        price_out: micros(args.model_price_out)?,
        answer_tokens: args.model_answer_tokens,
    })
}
