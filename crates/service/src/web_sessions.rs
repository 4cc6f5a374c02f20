//! Web sessions at rest: by the SHA-256 of their id, so that a stolen database signs nobody in.

use domain::{Timestamp, ids::UserId};
use sha2::{Digest, Sha256};
use store::sign_in;

use crate::{Lucid, Result};

impl Lucid {
    /// Stores a new web session until it expires.
    pub async fn create_web_session(&self, id: &[u8], user: Option<UserId>, data: &str, expires: Timestamp) -> Result<()> {
        let mut tx = self.db.write().await?;
        sign_in::create_session(&mut tx, &Sha256::digest(id), user, data, self.now(), expires).await?;
        Ok(tx.commit().await?)
    }

    /// Stores what a web session holds now; one that was ended meanwhile stays ended.
    pub async fn save_web_session(&self, id: &[u8], user: Option<UserId>, data: &str, expires: Timestamp) -> Result<()> {
        let mut tx = self.db.write().await?;
        sign_in::save_session(&mut tx, &Sha256::digest(id), user, data, expires).await?;
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

    /// Removes expired web sessions and failed sign-ins of more than a day ago; the worker calls it now and then.
    pub async fn tidy_sign_ins(&self) -> Result<()> {
        let mut tx = self.db.write().await?;
        sign_in::delete_expired(&mut tx, self.now()).await?;
        sign_in::drop_failures(&mut tx, self.now().plus_seconds(-86_400)).await?;
        Ok(tx.commit().await?)
    }
}
