//! Web sessions at rest: by the SHA-256 of their id, so that a stolen database signs nobody in.

use domain::{Timestamp, ids::UserId};
use sha2::{Digest, Sha256};
use store::sign_in;

use crate::{Lucid, Result};

impl Lucid {
    /// Stores a web session's data until it expires.
    pub async fn save_web_session(&self, id: &[u8], user: Option<UserId>, data: &str, expires: Timestamp) -> Result<()> {
        let mut tx = self.db.write().await?;
        sign_in::save_session(&mut tx, &Sha256::digest(id), user, data, self.now(), expires).await?;
        Ok(tx.commit().await?)
    }

    /// A web session's data and when it expires.
    pub async fn web_session(&self, id: &[u8]) -> Result<Option<(String, Timestamp)>> {
        let mut tx = self.db.read().await?;
        Ok(sign_in::session(&mut tx, &Sha256::digest(id), self.now()).await?)
    }

    /// Ends a web session.
    pub async fn delete_web_session(&self, id: &[u8]) -> Result<()> {
        let mut tx = self.db.write().await?;
        sign_in::delete_session(&mut tx, &Sha256::digest(id)).await?;
        Ok(tx.commit().await?)
    }

    /// Removes expired web sessions; the worker calls it now and then.
    pub async fn delete_expired_web_sessions(&self) -> Result<u64> {
        let mut tx = self.db.write().await?;
        let gone = sign_in::delete_expired(&mut tx, self.now()).await?;
        tx.commit().await?;
        Ok(gone)
    }
}
