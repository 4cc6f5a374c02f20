//! Sealed transcripts: which folder of keys is used, sealing what was stored before there was one,
//! and destroying the keys of what was erased.

use domain::audit_action::AuditAction;
use serde_json::{Value, json};
use store::{
    Tx,
    sealing::{self, SessionKeys},
    settings,
};

use crate::{Error, Lucid, Record, Result, authority::Authorized};

/// Sessions that are sealed in one transaction.
const AT_ONCE: i64 = 20;
/// Sessions whose keys are looked for, to see whether a folder is the right one.
const LOOKED_AT: i64 = 20;
/// Keys that are destroyed before it is noted.
const DESTROYED_AT_ONCE: i64 = 100;
/// The setting: the id of the folder of keys.
const FOLDER: &str = "session_keys_folder";
/// Set while the files still hold text that was sealed since.
const TO_REWRITE: &str = "sealed_text_to_rewrite";

/// How the transcripts of a database are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealingState {
    /// They are not, and no folder of keys is given.
    Off,
    /// They are, and the folder of keys that was given holds some of the newest.
    On,
    /// They are, but no folder of keys is given.
    NoFolder,
    /// They are, but with the keys of another folder.
    OtherFolder,
    /// They are, but the folder holds no key of the newest sessions: they were erased since this
    /// copy of the database was made.
    KeysGone,
}

impl Lucid {
    /// The same, sealing the transcripts of new sessions with a key each, and opening sealed ones.
    #[must_use]
    pub fn with_session_keys(self, keys: SessionKeys) -> Self {
        Self {
            db: self.db.with_session_keys(keys),
            ..self
        }
    }

    /// Returns whether transcripts are sealed, and whether the folder of keys is the right one.
    #[tracing::instrument(skip_all)]
    pub async fn sealing_state(&self) -> Result<SealingState> {
        let mut tx = self.db.read().await?;
        let Some(keys) = self.db.session_keys() else {
            return Ok(if sealing::is_used(&mut tx).await? {
                SealingState::NoFolder
            } else {
                SealingState::Off
            });
        };
        if !is_own_folder(&mut tx, keys).await? {
            return Ok(SealingState::OtherFolder);
        }
        let (there, looked_at) = sealing::keys_there(&mut tx, LOOKED_AT).await?;
        Ok(if there == 0 && looked_at > 0 {
            SealingState::KeysGone
        } else {
            SealingState::On
        })
    }

    /// Notes the folder of keys as that of this database, if it has none yet.
    #[tracing::instrument(skip_all)]
    pub async fn note_folder_of_keys(&self) -> Result<()> {
        let Some(keys) = self.db.session_keys() else {
            return Ok(());
        };
        if settings::get(&mut self.db.read().await?, FOLDER)
            .await?
            .is_some()
        {
            return Ok(());
        }
        let mut tx = self.db.background().await?;
        settings::put(&mut tx, FOLDER, keys.id()).await?;
        self.record(
            &mut tx,
            Authorized::operator(),
            sealed_record(&json!({"folder": keys.id()})),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// True if new transcripts are sealed.
    #[must_use]
    pub const fn seals_transcripts(&self) -> bool {
        self.db.session_keys().is_some()
    }

    /// Seals transcripts that were stored before there was a folder of keys, and has the database's
    /// files written anew at the end; what a worker does by itself. Returns how many sessions it
    /// sealed.
    #[tracing::instrument(skip_all)]
    pub async fn seal_transcripts(&self) -> Result<usize> {
        if self.db.session_keys().is_none() {
            return Ok(0);
        }
        self.note_folder_of_keys().await?;
        let mut all = 0;
        loop {
            let mut tx = self.db.background().await?;
            let sealed = sealing::seal_next(&mut tx, AT_ONCE).await?;
            if sealed.sessions == 0 && sealed.quotes == 0 {
                tx.commit().await?;
                break;
            }
            all += sealed.sessions;
            settings::put(&mut tx, TO_REWRITE, "yes").await?;
            let payload = json!({"sessions": sealed.sessions, "events": sealed.events, "quotes": sealed.quotes});
            self.record(&mut tx, Authorized::worker(), sealed_record(&payload))
                .await?;
            tx.commit().await?;
        }
        let is_to_rewrite = settings::get(&mut self.db.read().await?, TO_REWRITE)
            .await?
            .is_some_and(|value| !value.is_empty());
        if is_to_rewrite && self.db.rewrite().await? {
            let mut tx = self.db.background().await?;
            settings::put(&mut tx, TO_REWRITE, "").await?;
            self.record(
                &mut tx,
                Authorized::worker(),
                sealed_record(&json!({"files": "written anew"})),
            )
            .await?;
            tx.commit().await?;
        }
        Ok(all)
    }

    /// Destroys the keys of transcripts that were erased; what a worker does by itself. A key that
    /// cannot be destroyed now is tried again.
    #[tracing::instrument(skip_all)]
    pub async fn destroy_keys(&self) -> Result<()> {
        let Some(keys) = self.db.session_keys() else {
            return Ok(());
        };
        let mut tx = self.db.read().await?;
        let names = sealing::keys_to_destroy(&mut tx, DESTROYED_AT_ONCE).await?;
        if !names.is_empty() && !is_own_folder(&mut tx, keys).await? {
            return Err(Error::Conflict(
                "the folder of keys is not the one that this database is used with".to_owned(),
            ));
        }
        drop(tx);
        for name in &names {
            let mut tx = self.db.background().await?;
            if sealing::is_needed(&mut tx, name).await? {
                tracing::warn!(
                    "the key {name} of an erased transcript still seals something, and is not \
                     destroyed"
                );
                continue;
            }
            if let Err(error) = keys.destroy(name).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the key {name} of an erased transcript could not be destroyed"
                );
                continue;
            }
            sealing::destroyed(&mut tx, name).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// True if this is the folder of keys that the database is used with, or it is used with none yet.
async fn is_own_folder(tx: &mut Tx, keys: &SessionKeys) -> Result<bool> {
    Ok(settings::get(tx, FOLDER)
        .await?
        .is_none_or(|id| id == keys.id()))
}

fn sealed_record(payload: &Value) -> Record<'_> {
    Record {
        action: AuditAction::TranscriptsSeal,
        subject: "installation".into(),
        store: None,
        commit: None,
        payload,
    }
}
