//! Reading sessions and their transcripts, masked.

use domain::{
    actor::Actor,
    ids::{SessionId, StoreId},
    masking,
    rights::Action,
};
use store::{
    Page,
    sessions::{self, EventRow, SessionRow},
};

use crate::{Error, Lucid, Result};

/// Events on one page of a transcript.
const EVENTS_PAGE: i64 = 200;
/// Longest text of an event that a page shows, in characters.
const SHOWN_CHARACTERS: i32 = 50_000;

/// A session with the stores it belongs to, of those that the actor may see.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// The session.
    pub session: SessionRow,
    /// Its stores.
    pub stores: Vec<StoreId>,
}

/// A part of a transcript.
#[derive(Debug, Clone)]
pub struct TranscriptView {
    /// The session.
    pub session: SessionRow,
    /// A store of it that the actor may see.
    pub store: StoreId,
    /// Events in order, their texts masked.
    pub events: Page<EventRow>,
}

impl Lucid {
    /// The newest sessions that the actor may see, in one store or all.
    pub async fn sessions(&self, actor: &Actor, store: Option<StoreId>, before: Option<SessionId>) -> Result<Page<SessionRow>> {
        let (visible, store) = actor.visible(Action::SeeSessions).narrowed(store);
        let mut tx = self.db.read().await?;
        Ok(sessions::list(&mut tx, visible, store, before, domain::limits::PAGE).await?)
    }

    /// A page of a session's transcript after an event's position. What is sensitive in it is masked.
    pub async fn transcript(&self, actor: &Actor, id: SessionId, after: i64) -> Result<TranscriptView> {
        let mut tx = self.db.read().await?;
        let session = sessions::get(&mut tx, id).await?.ok_or(Error::NotFound("session"))?;
        let stores = sessions::stores_of(&mut tx, id).await?;
        let store = stores.into_iter().find(|&s| actor.may(Action::SeeSessions, s)).ok_or(Error::NotFound("session"))?;
        let mut events = sessions::shown_events(&mut tx, id, after.max(0), EVENTS_PAGE, SHOWN_CHARACTERS).await?;
        for event in &mut events.rows {
            event.text = masking::mask(&event.text);
        }
        Ok(TranscriptView { session, store, events })
    }
}
