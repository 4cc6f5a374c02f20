//! `/v1/sessions`: what agents record while they work.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use domain::{
    event::{Event, Outcome, OutcomeResult, SessionHead},
    ids::{SessionId, StoreId},
};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use service::{Lucid, NewRecording, Once, SessionRow, transcripts};

use super::{
    ApiError, Key,
    answer::{cleaned, parsed},
    body, id,
};

/// A session as a client makes it. `subject`, `team`, `task_key` and `external_id` may also be
/// in its metadata.
#[derive(Deserialize)]
pub struct New<'a> {
    agent: Option<Value>,
    environment_id: Option<String>,
    title: Option<String>,
    #[serde(default)]
    metadata: Map<String, Value>,
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default, borrow)]
    initial_events: Vec<&'a RawValue>,
    subject: Option<String>,
    team: Option<String>,
    task_key: Option<String>,
    external_id: Option<String>,
}

/// A resource of a session; Lucid uses memory stores and keeps nothing of the rest.
#[derive(Deserialize)]
pub struct Resource {
    #[serde(rename = "type")]
    kind: String,
    memory_store_id: Option<String>,
}

/// Events to be appended.
#[derive(Deserialize)]
pub struct Sent<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

/// How a session ended.
#[derive(Deserialize)]
pub struct Ended {
    result: OutcomeResult,
    score: Option<f64>,
    note: Option<String>,
}

/// `POST /v1/sessions`: begins a recorded session.
pub async fn create(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let text = cleaned(&bytes)?;
    let new: New<'_> = parsed(&text)?;
    let stores = new.resources.iter().filter(|r| r.kind == "memory_store");
    let stores = stores
        .map(|r| id(r.memory_store_id.as_deref().unwrap_or_default(), "store"))
        .collect::<Result<Vec<StoreId>, _>>()?;
    let recording = NewRecording {
        events: events(&new.initial_events)?,
        head: head(new),
        stores,
    };
    let once = once(&headers, "POST /v1/sessions", &bytes)?;
    let done = lucid
        .record_session(&actor, &recording, once.as_ref())
        .await?;
    Ok(Json(shown(
        &lucid.recorded(&actor, done.session).await?,
        &recording.stores,
    )))
}

/// `GET /v1/sessions/{id}`.
pub async fn retrieve(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(session): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let (session, stores) = lucid.session(&actor, id(&session, "session")?).await?;
    Ok(Json(shown(&session, &stores)))
}

/// `POST /v1/sessions/{id}/events`: appends events; one whose id is there already is not appended
/// again.
pub async fn send(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(session): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let text = cleaned(&bytes)?;
    let sent: Sent<'_> = parsed(&text)?;
    let session: SessionId = id(&session, "session")?;
    let once = once(
        &headers,
        &format!("POST /v1/sessions/{session}/events"),
        &bytes,
    )?;
    let done = lucid
        .record_events(&actor, session, &events(&sent.events)?, once.as_ref())
        .await?;
    // Each event as it was sent, with the id that it has here.
    let shown = |(raw, id): (&&RawValue, &domain::ids::EventId)| {
        let mut event: Value = serde_json::from_str(raw.get()).unwrap_or_default();
        event["id"] = json!(id);
        event
    };
    Ok(Json(
        json!({"data": sent.events.iter().zip(&done.events).map(shown).collect::<Vec<_>>()}),
    ))
}

/// `POST /v1/sessions/{id}/outcome`: records how the session ended.
pub async fn outcome(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(session): Path<String>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let ended: Ended = body(&bytes, true)?;
    if ended.score.is_some_and(|s| !(0.0..=1.0).contains(&s)) {
        return Err(ApiError::invalid("a score is 0 to 1"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "0 to 1 by the check above")]
    let score = ended.score.map(|s| (s * 1_000_000.0).round() as i64);
    let session: SessionId = id(&session, "session")?;
    lucid
        .record_outcome(
            &actor,
            session,
            Outcome {
                score,
                ..Outcome::stated(ended.result)
            },
            ended.note.as_deref(),
        )
        .await?;
    let said = json!({"type": "session_outcome", "session_id": session, "result": ended.result, "score": ended.score, "note": ended.note});
    Ok((StatusCode::OK, Json(said)))
}

fn once(headers: &HeaderMap, what: &str, bytes: &Bytes) -> Result<Option<Once>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key
        .to_str()
        .map_err(|_| ApiError::invalid("an Idempotency-Key is ASCII"))?;
    Ok(Some(Once::new(key, what, bytes)?))
}

fn events(raw: &[&RawValue]) -> Result<Vec<Event>, ApiError> {
    let read = |(n, raw): (usize, &&RawValue)| {
        transcripts::read_event(raw.get())
            .map_err(|why| ApiError::invalid(&format!("event {}: {why}", n + 1)))
    };
    raw.iter().enumerate().map(read).collect()
}

fn head(new: New<'_>) -> SessionHead {
    let from_metadata = |own: Option<String>, name: &str| {
        own.or_else(|| {
            new.metadata
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        })
        .filter(|t| !t.is_empty())
    };
    let agent = match &new.agent {
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Object(agent)) => ["name", "id"]
            .iter()
            .find_map(|k| agent.get(*k))
            .and_then(Value::as_str)
            .map(str::to_owned),
        _ => None,
    };
    let kept =
        json!({"title": new.title, "environment_id": new.environment_id, "metadata": new.metadata});
    SessionHead {
        external_id: from_metadata(new.external_id, "external_id"),
        agent,
        subject: from_metadata(new.subject, "subject"),
        team: from_metadata(new.team, "team"),
        task_key: from_metadata(new.task_key, "task_key"),
        metadata: kept.as_object().cloned().unwrap_or_default(),
        outcome: None,
    }
}

/// The session in the API's shape. Lucid runs no agent, so what belongs to running one is empty.
fn shown(session: &SessionRow, stores: &[StoreId]) -> Value {
    let kept: Value = serde_json::from_str(&session.metadata).unwrap_or_default();
    let agent = session.agent.as_deref().unwrap_or("unknown");
    let object = |value: &Value| {
        if value.is_object() {
            value.clone()
        } else {
            json!({})
        }
    };
    json!({
        "id": session.id,
        "type": "session",
        "agent": {"type": "agent", "id": agent, "name": agent, "version": 1, "model": {"id": "unknown"}, "mcp_servers": [], "skills": [], "tools": []},
        "environment_id": kept["environment_id"].as_str().unwrap_or_default(),
        "title": kept["title"],
        "metadata": object(&kept["metadata"]),
        "resources": stores.iter().map(|s| json!({"type": "memory_store", "memory_store_id": s, "access": "read_write"})).collect::<Vec<_>>(),
        "status": "idle",
        "stats": {},
        "usage": {},
        "outcome_evaluations": [],
        "vault_ids": [],
        "archived_at": null,
        "created_at": session.created_at.rfc3339(),
        "updated_at": session.last_event_at.unwrap_or(session.created_at).rfc3339(),
        "subject": session.subject,
        "team": session.team,
        "task_key": session.task_key,
        "event_count": session.event_count,
        "outcome": session.outcome,
    })
}
