//! Reading sessions and their transcripts, masked.

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{SessionId, StoreId},
    masking,
    rights::Action,
};
use serde_json::json;
use store::{
    Page, Tx,
    sessions::{self, EventRow, SessionFilter, SessionRow},
};

use crate::{Error, Lucid, Record, Result, require};

/// Events on one page of a transcript.
const EVENTS_PAGE: i64 = 200;
/// Longest text of an event that a page shows, in characters.
const SHOWN_CHARACTERS: i32 = 50_000;

/// A session with the stores it belongs to, of those that the actor may see.
#[derive(Debug, Clone)]
pub struct SessionView {
    pub session: SessionRow,
    pub stores: Vec<StoreId>,
}

/// A part of a transcript.
#[derive(Debug, Clone)]
pub struct TranscriptView {
    pub session: SessionRow,
    /// A store of it that the actor may see.
    pub store: StoreId,
    /// Events in order, their texts masked unless they were revealed.
    pub events: Page<EventRow>,
}

impl Lucid {
    /// The newest sessions that the actor may see, in one store or all.
    #[tracing::instrument(skip_all)]
    pub async fn sessions(
        &self,
        actor: &Actor,
        store: Option<StoreId>,
        before: Option<SessionId>,
    ) -> Result<Page<SessionRow>> {
        self.sessions_where(
            actor,
            &SessionFilter {
                store,
                before,
                ..SessionFilter::default()
            },
        )
        .await
    }

    /// A page of the sessions that fit a filter, newest first, the names in them masked.
    #[tracing::instrument(skip_all)]
    pub async fn sessions_where(
        &self,
        actor: &Actor,
        filter: &SessionFilter,
    ) -> Result<Page<SessionRow>> {
        let (visible, store) = actor.visible(Action::SeeSessions).narrowed(filter.store);
        let mut tx = self.db.read().await?;
        let filter = SessionFilter {
            store,
            ..filter.clone()
        };
        let mut page = sessions::list(&mut tx, visible, &filter, domain::limits::PAGE).await?;
        page.rows.iter_mut().for_each(mask_session);
        Ok(page)
    }

    /// A page of a session's transcript after an event's position. What is sensitive in it is
    /// masked, also in the names of its tools and in what the recorder calls it.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn transcript(
        &self,
        actor: &Actor,
        id: SessionId,
        after: i64,
    ) -> Result<TranscriptView> {
        let mut tx = self.db.read().await?;
        let mut view = Self::page_of_transcript(&mut tx, actor, id, after).await?;
        mask_session(&mut view.session);
        for event in &mut view.events.rows {
            event.text = masking::mask(&event.text);
            for name in [&mut event.tool, &mut event.thread, &mut event.copied_from] {
                mask_name(name);
            }
        }
        Ok(view)
    }

    /// The same with nothing masked, for who decides on changes of the store. That it is looked at
    /// was recorded before ([`Lucid::reveal_transcript`]).
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn revealed_transcript(
        &self,
        actor: &Actor,
        id: SessionId,
        after: i64,
    ) -> Result<TranscriptView> {
        let view = Self::page_of_transcript(&mut self.db.read().await?, actor, id, after).await?;
        require(actor, Action::Decide, view.store)?;
        Ok(view)
    }

    /// Records that a part of a transcript is shown with nothing masked: each time an entry in the
    /// store's audit.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn reveal_transcript(&self, actor: &Actor, id: SessionId, after: i64) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let view = Self::page_of_transcript(&mut tx, &actor, id, after).await?;
        let right = actor.may_on(Action::Decide, view.store)?;
        let seqs = view
            .events
            .rows
            .first()
            .map(|e| e.seq)
            .zip(view.events.rows.last().map(|e| e.seq));
        let payload = json!({"events": seqs});
        let record = Record {
            action: AuditAction::SessionReveal,
            subject: id.to_string(),
            store: Some(view.store),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    async fn page_of_transcript(
        tx: &mut Tx,
        actor: &Actor,
        id: SessionId,
        after: i64,
    ) -> Result<TranscriptView> {
        let session = sessions::get(tx, id)
            .await?
            .ok_or(Error::NotFound("session"))?;
        let stores = sessions::stores_of(tx, id).await?;
        let store = stores
            .into_iter()
            .find(|&s| actor.may(Action::SeeSessions, s))
            .ok_or(Error::NotFound("session"))?;
        let events =
            sessions::shown_events(tx, id, after.max(0), EVENTS_PAGE, SHOWN_CHARACTERS).await?;
        Ok(TranscriptView {
            session,
            store,
            events,
        })
    }
}

fn mask_session(session: &mut SessionRow) {
    for name in [
        &mut session.external_id,
        &mut session.agent,
        &mut session.subject,
        &mut session.team,
        &mut session.task_key,
    ] {
        mask_name(name);
    }
}

/// Masks what is sensitive in a name that a recorder gave.
pub fn mask_name(name: &mut Option<String>) {
    if let Some(text) = name {
        *text = masking::mask(text);
    }
}
