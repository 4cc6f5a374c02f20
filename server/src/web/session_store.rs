//! tower-sessions on Lucid's own database. Ids are hashed at rest; see `service`'s web sessions.

use std::fmt;

use domain::{
    Timestamp,
    ids::{SignInId, UserId},
};
use service::Lucid;
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// Web sessions in the database.
#[derive(Clone)]
pub struct DatabaseSessions(pub Lucid);

impl fmt::Debug for DatabaseSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseSessions")
    }
}

fn backend(error: service::Error) -> Error {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "web sessions could not be reached"
    );
    Error::Backend(error.message())
}

/// Whose session it is, and in which sign-in; nobody's before somebody signs in.
type Whose = (Option<UserId>, Option<SignInId>);

/// Whose session it is, what it holds and when it expires.
fn stored(record: &Record) -> Result<(Whose, String, Timestamp)> {
    let data = serde_json::to_string(&record.data).map_err(|e| Error::Encode(e.to_string()))?;
    let user = record
        .data
        .get(app::actions::account::USER)
        .and_then(|v| serde_json::from_value(v.clone()).ok());
    let expires = Timestamp(
        i64::try_from(record.expiry_date.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX),
    );
    let sign_in = record
        .data
        .get(app::actions::account::SIGN_IN)
        .and_then(|v| serde_json::from_value(v.clone()).ok());
    Ok(((user, sign_in), data, expires))
}

#[async_trait::async_trait]
impl SessionStore for DatabaseSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // Ids have 128 random bits: a collision is refused by the database, and not waited for.
        let (whose, data, expires) = stored(record)?;
        self.0
            .create_web_session(&record.id.0.to_be_bytes(), whose, &data, expires)
            .await
            .map_err(backend)
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (whose, data, expires) = stored(record)?;
        self.0
            .save_web_session(&record.id.0.to_be_bytes(), whose, &data, expires)
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some((data, expires)) = self
            .0
            .web_session(&id.0.to_be_bytes())
            .await
            .map_err(backend)?
        else {
            return Ok(None);
        };
        let data = serde_json::from_str(&data).map_err(|e| Error::Decode(e.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(expires.0) * 1_000)
            .map_err(|e| Error::Decode(e.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0
            .delete_web_session(&id.0.to_be_bytes())
            .await
            .map_err(backend)
    }
}
