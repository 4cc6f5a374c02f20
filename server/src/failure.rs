//! Why a command stopped, in words for the person who ran it.

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A use case refused.
    #[error("{}{}", chain(.0), if let service::Error::Store(error) = .0 { hint(error) } else { "" })]
    Service(#[from] service::Error),
    /// The database could not be opened.
    #[error("{}{}", chain(.0), hint(.0))]
    Store(#[from] store::Error),
    /// A file or socket failed.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// Anything else, already in words.
    #[error("{0}")]
    Said(String),
}

impl Failure {
    /// As a use case refuses, for an answer over HTTP.
    pub fn into_service(self) -> service::Error {
        match self {
            Self::Service(error) => error,
            other => service::Error::Invalid(other.to_string()),
        }
    }
}

/// Returns what can be done about a database that cannot be opened.
fn hint(error: &store::Error) -> &'static str {
    if error.is_damaged() {
        ". The file is damaged, or is no SQLite database; take the last `lucid backup`, or see \
         `sqlite3 FILE .recover`"
    } else if error.is_full() {
        ". The disk is full; nothing was written"
    } else if matches!(error, store::Error::SigningKey(_)) {
        ". Put its file beside the database (NAME.signing-key), or name it with --signing-key"
    } else if error.is_unreachable() {
        ". Is the database running, and is its address right?"
    } else if error.is_forbidden() {
        ". Its file or folder cannot be written by this user"
    } else {
        ""
    }
}

/// An error and its causes, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}
