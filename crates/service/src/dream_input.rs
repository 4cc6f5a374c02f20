//! What a dream looks at, in the engine's form: the pinned sessions, the memory, what was proposed before, and what was lost lately.

use domain::{
    Timestamp,
    changeset::ChangeState,
    event::{EventKind, OutcomeResult},
    ids::{SessionId, StoreId},
};
use dream::{Input, Known, KnownState, Memory, Session};
use store::{Tx, changes, decisions, dreams::DreamRow, memories, sessions};

use crate::{Result, propose::Loaded};

/// Days over which what dreams lose is counted, in seconds: 30 (rule 9).
const LOSS_SECONDS: i64 = 30 * 86_400;

/// What dreams have lost of a store since then, and what still waits would lose.
async fn lost(tx: &mut Tx, store: StoreId, since: Timestamp) -> Result<dream::Loss> {
    let facts = changes::facts_of_dreams(tx, store, since).await?;
    let of =
        |facts: String| serde_json::from_str::<serde_json::Value>(&facts).ok().and_then(|f| serde_json::from_value(f["lost"].clone()).ok());
    Ok(facts.into_iter().filter_map(of).fold(dream::Loss::default(), dream::Loss::and))
}

/// Everything that a dream may look at, in the engine's form, beside the ids that its indices mean.
pub async fn load(tx: &mut Tx, dream: &DreamRow, window: Vec<sessions::SessionRow>, now: Timestamp) -> Result<Loaded> {
    let mut loaded =
        Loaded { input: Input::default(), sessions: Vec::new(), memories: memories::contents_of_store(tx, dream.store_id).await? };
    for row in window {
        let (ids, session) = load_session(tx, row).await?;
        loaded.sessions.push(ids);
        loaded.input.sessions.push(session);
    }
    loaded.input.memories = loaded
        .memories
        .iter()
        .map(|m| Memory { path: m.path.to_string(), content: m.content.clone(), frozen: m.frozen, by_person: m.by_person })
        .collect();
    loaded.input.known = known(tx, dream.store_id).await?;
    loaded.input.taken_paths = changes::open_paths(tx, dream.store_id).await?;
    loaded.input.lost_recently = lost(tx, dream.store_id, now.plus_seconds(-LOSS_SECONDS)).await?;
    Ok(loaded)
}

async fn load_session(tx: &mut Tx, row: sessions::SessionRow) -> Result<((SessionId, Vec<domain::ids::EventId>), Session)> {
    let mut ids = Vec::new();
    let mut events = Vec::new();
    let mut after = 0;
    loop {
        let page = sessions::events(tx, row.id, after, 500).await?;
        // Only up to the pinned event: what was appended since belongs to the next dream.
        for event in page.rows.iter().filter(|e| e.seq <= row.event_count) {
            ids.push(event.id);
            // What the agent said and thought is not looked at, so it is not held either.
            let read = matches!(event.kind, EventKind::User | EventKind::ToolUse | EventKind::ToolResult);
            let text = if read { event.text.clone() } else { String::new() };
            events.push(dream::Event {
                kind: event.kind,
                tool: event.tool.clone(),
                tool_use_id: event.tool_use_id.clone(),
                is_error: event.is_error,
                text,
            });
        }
        match page.rows.last() {
            Some(last) if page.more => after = last.seq,
            _ => break,
        }
    }
    let session = Session {
        key: row.id.to_string(),
        agent: row.agent,
        subject: row.subject,
        task: row.task_key,
        outcome: row.outcome.unwrap_or(OutcomeResult::Unknown),
        events,
    };
    Ok(((row.id, ids), session))
}

async fn known(tx: &mut Tx, store: StoreId) -> Result<Vec<Known>> {
    // What is conflicted can no longer be committed as it is: the dream may propose it anew, and then it takes its place.
    let proposed = changes::known(tx, store).await?.into_iter().filter(|k| !k.conflicted).map(|k| {
        let state = if k.state == ChangeState::Committed { KnownState::Committed } else { KnownState::Waiting };
        Known { fingerprint: k.fingerprint, state }
    });
    let rejected = decisions::muted(tx, store).await?.into_iter().map(|m| Known {
        fingerprint: m.fingerprint,
        state: KnownState::Rejected(m.reject_code, usize::try_from(m.support).unwrap_or(usize::MAX)),
    });
    Ok(proposed.chain(rejected).collect())
}
