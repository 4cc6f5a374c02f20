//! Web sessions at rest: by the SHA-256 of their id, so that a stolen database signs nobody in.

use domain::{
    Timestamp,
    actor::WebSession,
    ids::{SignInId, UserId},
};
use sha2::{Digest, Sha256};
use store::{settings, sign_in};

use crate::{Lucid, Result};

/// A web session by its id.
#[must_use]
pub fn web_session_of(id: &[u8]) -> WebSession {
    WebSession(Sha256::digest(id).into())
}

/// The token that forms of a web session carry: anyone who does not know the session's id cannot
/// make one, and it says nothing of the id.
#[must_use]
pub fn form_token(id: &[u8]) -> String {
    hex::encode(Sha256::digest([b"lucid form token\0", id].concat()))
}

impl Lucid {
    /// Stores a new web session until it expires, and whose it is in which sign-in.
    #[tracing::instrument(skip_all)]
    pub async fn create_web_session(
        &self,
        id: &[u8],
        whose: (Option<UserId>, Option<SignInId>),
        data: &str,
        expires: Timestamp,
    ) -> Result<()> {
        let mut tx = self.db.background().await?;
        sign_in::create_session(
            &mut tx,
            &Sha256::digest(id),
            whose,
            data,
            (self.now(), expires),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Stores what a web session holds now; one that was ended meanwhile stays ended.
    #[tracing::instrument(skip_all)]
    pub async fn save_web_session(
        &self,
        id: &[u8],
        whose: (Option<UserId>, Option<SignInId>),
        data: &str,
        expires: Timestamp,
    ) -> Result<()> {
        let mut tx = self.db.background().await?;
        sign_in::save_session(&mut tx, &Sha256::digest(id), whose, data, expires).await?;
        Ok(tx.commit().await?)
    }

    /// A web session's data and when it expires.
    #[tracing::instrument(skip_all)]
    pub async fn web_session(&self, id: &[u8]) -> Result<Option<(String, Timestamp)>> {
        let mut tx = self.db.read().await?;
        Ok(sign_in::session(&mut tx, &Sha256::digest(id), self.now()).await?)
    }

    /// Ends a web session.
    #[tracing::instrument(skip_all)]
    pub async fn delete_web_session(&self, id: &[u8]) -> Result<()> {
        let mut tx = self.db.background().await?;
        // Writes that came through it are over, or will find it gone.
        settings::lock_people(&mut tx).await?;
        sign_in::delete_session(&mut tx, &Sha256::digest(id)).await?;
        Ok(tx.commit().await?)
    }
}
