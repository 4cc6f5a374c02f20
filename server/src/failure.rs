//! Why a command stopped, in words for whoever ran it.

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A use case refused.
    #[error("{}", chain(.0))]
    Service(#[from] service::Error),
    /// The database could not be opened.
    #[error("{}", chain(.0))]
    Store(#[from] store::Error),
    /// A file or socket failed.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// Anything else, already in words.
    #[error("{0}")]
    Said(String),
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
