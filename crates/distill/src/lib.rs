//! Speaks to language models: Anthropic's Messages API, and chat completions of any compatible
//! server (vLLM, Ollama, llama.cpp, `LiteLLM` ..). A model gets no tools but the one that carries
//! its answer; what it answers is text, and is trusted by nobody.

mod anthropic;
mod embeddings;
mod openai;
mod recording;
mod wire;

use std::{
    pin::Pin,
    sync::{Once, atomic::AtomicBool},
    time::Duration,
};

use dream::model::{Answer, Ask, Failed, Model};
use url::Url;

pub use embeddings::Embeddings;
pub use recording::{BadRecord, Recorder, Replay};
use wire::Wire;

/// Chooses the library for TLS (ring, which the database's driver has already), once a process.
/// Clients do it by themselves.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Which wire format a model's server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Anthropic,
    /// Chat completions with a JSON schema as `response_format`.
    OpenAi,
}

impl Kind {
    /// Its name as a distiller.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
        }
    }
}

/// How a model is reached.
#[derive(Clone)]
pub struct Settings {
    pub kind: Kind,
    pub url: String,
    pub model: String,
    /// The key; none for a server that asks for none.
    pub key: Option<String>,
    /// The server may be this machine or be in a private network.
    pub private: bool,
    /// How long one request may take, with all its retries.
    pub deadline: Duration,
}

/// Shows everything but the key.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("kind", &self.kind)
            .field("url", &self.url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Why a model's server is not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// The address is none.
    #[error(
        "{0} is not an address of a model's server: it begins with https://, or http:// where \
         private addresses are allowed"
    )]
    Url(String),
    /// The address is private.
    #[error(
        "{0} is this machine or a private network; allow it with LUCID_MODEL_PRIVATE if that is \
         meant"
    )]
    Private(String),
    /// The key cannot be in a header.
    #[error("the model's key holds characters that a key cannot have")]
    Key,
    /// The client could not be made.
    #[error("no connection to models can be made: {0}")]
    Client(String),
}

/// A client of one model on one server.
pub struct Client {
    kind: Kind,
    model: String,
    wire: Wire,
    older: AtomicBool,
}

impl Client {
    /// A client for a server. Nothing is sent yet.
    pub fn new(settings: &Settings) -> Result<Self, BadSettings> {
        let url = Url::parse(&settings.url).map_err(|_| BadSettings::Url(settings.url.clone()))?;
        Ok(Self {
            kind: settings.kind,
            model: settings.model.clone(),
            wire: Wire::new(url, settings)?,
            older: AtomicBool::new(false),
        })
    }

    async fn asked(&self, ask: &Ask) -> Result<Answer, Failed> {
        match self.kind {
            Kind::Anthropic => anthropic::ask(&self.wire, &self.model, ask).await,
            Kind::OpenAi => openai::ask(&self.wire, &self.model, &self.older, ask).await,
        }
    }
}

impl Model for Client {
    fn name(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.model)
    }

    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Failed>> + Send + 'a>> {
        Box::pin(self.asked(ask))
    }
}
