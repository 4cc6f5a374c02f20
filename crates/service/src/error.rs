//! What a use case can answer but success, and the one mapping of it to what a client is told.

/// The result of every use case.
pub type Result<T> = std::result::Result<T, Error>;

/// Something that was decided on is no longer as it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// What it is, by id or name.
    pub what: String,
    /// Why it is stale.
    pub why: String,
}

/// Why a use case did not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, or the actor may not know that it is.
    #[error("this {0} does not exist, or you do not have access to it")]
    NotFound(&'static str),
    /// The actor sees it but may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The input is wrong; the text says how to mend it.
    #[error("{0}")]
    Invalid(String),
    /// The state does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// What the decision names has changed since it was shown; refused whole (rule 4).
    #[error("{}", list(.0))]
    Stale(Vec<Stale>),
    /// A decision on a change of high risk is signed.
    #[error("this change is of high risk: enter your password to sign the approval")]
    Sign,
    /// Name and password do not match; deliberately not which.
    #[error("wrong email or password")]
    SignIn,
    /// Account or sign-in ended while the request was on its way.
    #[error(
        "you were signed out, or your account was disabled, before this was done; nothing was \
         changed, sign in again"
    )]
    Ended,
    /// The API key is not good.
    #[error(
        "this API key is not known, was revoked, has expired, or its owner's account is disabled"
    )]
    Key,
    /// Too many tries; seconds to wait.
    #[error("too many tries; wait {0} seconds")]
    TooMany(i64),
    /// A one-time link could not be sent to its owner.
    #[error(
        "everything else was done, but the link could not be sent by mail: {0}. Send a new one \
         once mail works"
    )]
    Mail(String),
    /// The link was used, has expired, or never was.
    #[error("this link was already used or has expired; ask for a new one")]
    Link,
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("a file could not be read or written: {0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Internal(&'static str),
}

fn list(stale: &[Stale]) -> String {
    let each: Vec<String> = stale
        .iter()
        .map(|s| format!("{}: {}", s.what, s.why))
        .collect();
    format!(
        "this changed after you opened it, so your decision was not recorded: {}",
        each.join("; ")
    )
}

/// The kinds of errors a client tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    NotFound,
    Permission,
    Invalid,
    Conflict,
    Authentication,
    RateLimit,
    Unavailable,
    Mail,
    Full,
    Internal,
}

impl Kind {
    /// HTTP status on the API, where what is wrong with a request is a 400, as clients of Managed
    /// Agents expect.
    #[must_use]
    pub const fn api_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            other => other.status(),
        }
    }

    /// The stable word for it in the API's error body.
    #[must_use]
    pub const fn api_type(self) -> &'static str {
        match self {
            Self::NotFound => "not_found_error",
            Self::Permission => "permission_error",
            Self::Invalid => "invalid_request_error",
            Self::Conflict => "conflict_error",
            Self::Authentication => "authentication_error",
            Self::RateLimit => "rate_limit_error",
            Self::Unavailable => "overloaded_error",
            Self::Mail => "mail_error",
            Self::Full => "storage_full_error",
            Self::Internal => "api_error",
        }
    }

    /// The HTTP status on pages.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Permission => 403,
            Self::Invalid => 422,
            Self::Conflict => 409,
            Self::Authentication => 401,
            Self::RateLimit => 429,
            Self::Unavailable => 503,
            Self::Mail => 502,
            Self::Full => 507,
            Self::Internal => 500,
        }
    }
}

impl Error {
    /// The one mapping to what a client is told.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound(_) => Kind::NotFound,
            Self::Forbidden(_) => Kind::Permission,
            Self::Invalid(_) | Self::Sign | Self::Link => Kind::Invalid,
            Self::Conflict(_)
            | Self::Stale(_)
            | Self::Store(
                store::Error::Moved
                | store::Error::Stale
                | store::Error::SigningKey(_)
                | store::Error::SessionKey(_),
            ) => Kind::Conflict,
            Self::SignIn | Self::Ended | Self::Key => Kind::Authentication,
            Self::Store(error) if error.is_full() => Kind::Full,
            Self::Store(error) if error.is_unreachable() => Kind::Unavailable,
            Self::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => Kind::Full,
            Self::TooMany(_) => Kind::RateLimit,
            Self::Mail(_) => Kind::Mail,
            Self::Store(_) | Self::Io(_) | Self::Internal(_) => Kind::Internal,
        }
    }

    /// Returns what a person is told: Lucid's own faults without their insides.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Store(store::Error::Moved | store::Error::Stale) => {
                "somebody else changed this in between; reload the page and look again".to_owned()
            }
            Self::Store(error @ (store::Error::Trail | store::Error::Schema(_))) => {
                error.to_string()
            }
            Self::Store(error @ store::Error::SigningKey(_)) => {
                format!("{error}. Whoever runs Lucid gives it the file with --signing-key")
            }
            error if error.kind() == Kind::Unavailable => {
                "Lucid cannot reach its database just now; nothing was changed, try again in a \
                 moment"
                    .to_owned()
            }
            error if error.kind() == Kind::Full => {
                "the disk under Lucid is full; nothing was changed, and nothing can be until \
                 whoever runs it makes room"
                    .to_owned()
            }
            error if error.kind() == Kind::Internal => "Lucid could not do this; the server's log \
                says why"
                .to_owned(),
            error => error.to_string(),
        }
    }
}
