//! `/v1/dreams`: asked for, looked at, canceled. What a dream finds becomes a changeset; it writes
//! nothing by itself.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use domain::{
    dream_state::DreamState,
    ids::{DreamId, SessionId, StoreId},
};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{DreamRow, Lucid};

use super::{ApiError, Key, body, id};

/// A dream to be dreamt.
#[derive(Deserialize)]
pub struct New {
    inputs: Vec<Input>,
    model: Value,
    instructions: Option<String>,
    output_behavior: Option<Output>,
}

/// An input of the dream.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Input {
    MemoryStore { memory_store_id: String },
    Sessions { session_ids: Vec<String> },
}

/// The destination of the result.
#[derive(Deserialize)]
struct Output {
    #[serde(rename = "type")]
    kind: String,
    memory_store_id: Option<String>,
}

/// `POST /v1/dreams`: asks for a dream over one store.
pub async fn create(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let new: New = body(&bytes, true)?;
    let model = new
        .model
        .as_str()
        .or_else(|| new.model["id"].as_str())
        .unwrap_or_default();
    let stores = new.inputs.iter().filter_map(|i| {
        if let Input::MemoryStore { memory_store_id } = i {
            Some(memory_store_id)
        } else {
            None
        }
    });
    let [store] = stores.collect::<Vec<_>>()[..] else {
        return Err(ApiError::invalid(
            "a dream is over exactly one memory store: name it in `inputs`",
        ));
    };
    check_output(new.output_behavior.as_ref(), store)?;
    let store: StoreId = id(store, "store")?;
    let sessions = new.inputs.iter().filter_map(|i| {
        if let Input::Sessions { session_ids } = i {
            Some(session_ids)
        } else {
            None
        }
    });
    let sessions = sessions
        .flatten()
        .map(|s| id(s, "session"))
        .collect::<Result<Vec<SessionId>, _>>()?;
    let dream = lucid
        .request_dream_over(&actor, store, model, new.instructions.as_deref(), &sessions)
        .await?;
    shown(&lucid, &actor, dream).await
}

/// `GET /v1/dreams/{id}`.
pub async fn retrieve(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(dream): Path<String>,
) -> Result<Json<Value>, ApiError> {
    shown(&lucid, &actor, id(&dream, "dream")?).await
}

/// `POST /v1/dreams/{id}/cancel`: stops a dream that is pending or running.
pub async fn cancel(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(dream): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let dream: DreamId = id(&dream, "dream")?;
    lucid.cancel_dream(&actor, dream).await?;
    shown(&lucid, &actor, dream).await
}

/// Only proposals to the store itself are offered; a copy would be one that nobody asked a reviewer
/// about.
fn check_output(output: Option<&Output>, store: &str) -> Result<(), ApiError> {
    match output {
        Some(o)
            if o.kind == "update_existing"
                && o.memory_store_id.as_deref().is_none_or(|s| s == store) =>
        {
            Ok(())
        }
        Some(o) if o.kind == "update_existing" => Err(ApiError::invalid(
            "the result goes into the memory store that the dream is over",
        )),
        _ => Err(ApiError::invalid(
            "a dream into a new store is not offered yet: ask with output_behavior {\"type\": \
                \"update_existing\", \"memory_store_id\": ..}; \
             what it finds is proposed as a changeset, and the store changes when a person commits \
             it",
        )),
    }
}

async fn shown(
    lucid: &Lucid,
    actor: &domain::actor::Actor,
    id: DreamId,
) -> Result<Json<Value>, ApiError> {
    let (dream, sessions) = lucid.dream_with_sessions(actor, id).await?;
    Ok(Json(dream_shown(&dream, &sessions)))
}

/// The dream in the API's shape; `changeset_id` is Lucid's own, where the result waits.
fn dream_shown(dream: &DreamRow, sessions: &[SessionId]) -> Value {
    let store = json!({"type": "memory_store", "memory_store_id": dream.store_id});
    let done = dream.state == DreamState::Completed;
    let stats: Value = serde_json::from_str(&dream.stats).unwrap_or_default();
    let tokens = |name: &str| stats["model"][name].as_i64().unwrap_or(0);
    json!({
        "id": dream.id,
        "type": "dream",
        "status": dream.state,
        "inputs": [store, {"type": "sessions", "session_ids": sessions}],
        "outputs": if done { vec![store.clone()] } else { Vec::new() },
        "output_behavior": {"type": "update_existing", "memory_store_id": dream.store_id},
        "model": {"id": dream.distiller},
        "instructions": dream.instructions,
        "error": dream.error.as_ref().map(|e| json!({"type": "dream_failed", "message": e})),
        "usage": {"input_tokens": tokens("input_tokens"), "output_tokens": tokens("output_tokens"), "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0},
        "session_id": null,
        "archived_at": null,
        "created_at": dream.created_at.rfc3339(),
        "ended_at": dream.ended_at.map(domain::Timestamp::rfc3339),
        "changeset_id": dream.changeset_id,
    })
}
