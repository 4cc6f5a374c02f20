//! `/v1/memory_stores/{id}/briefing`: what an agent loads at the start of a session, or what is
//! known about a failure.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use domain::briefing::TOKEN_RULE;
use serde::Deserialize;
use serde_json::{Value, json};
use service::{BriefedMemory, BriefingRequest, Lucid, SupersededTitle};

use super::{ApiError, Key, id, memories::superseded};

/// The parameters in the address.
#[derive(Deserialize)]
pub struct Asked {
    agent: Option<String>,
    session_id: Option<String>,
    budget_tokens: Option<i64>,
    tool: Option<String>,
    error: Option<String>,
    #[serde(default)]
    all_times: bool,
    #[serde(default)]
    superseded: bool,
}

/// `GET /v1/memory_stores/{id}/briefing`: the committed memory that fits the budget.
pub async fn retrieve(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(store): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let session = asked
        .session_id
        .as_deref()
        .filter(|s| !s.is_empty())
        .map(|s| id(s, "session"))
        .transpose()?;
    let request = BriefingRequest {
        agent: asked.agent,
        session,
        budget_tokens: asked.budget_tokens,
        tool: asked.tool,
        error: asked.error,
        all_times: asked.all_times,
        superseded: asked.superseded,
    };
    let view = lucid
        .briefing(&actor, id(&store, "store")?, &request)
        .await?;
    // For hooks of a shell: only the text.
    if headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("text/markdown"))
    {
        return Ok((
            [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")],
            view.text,
        )
            .into_response());
    }
    let memory = |m: &BriefedMemory| json!({"id": m.id, "memory_version_id": m.version_id, "path": m.path, "title": m.title, "frozen": m.frozen, "support": m.support});
    let listed = |all: &[BriefedMemory]| all.iter().map(memory).collect::<Vec<_>>();
    let superseded = |old: &SupersededTitle| {
        let mut value = superseded(&old.row);
        value["title"] = json!(old.title);
        value["superseded_by"] = json!({"id": old.row.successor, "path": old.successor_path});
        value
    };
    let mut answer: Value = json!({
        "type": "briefing",
        "memory_store_id": view.store.id,
        "revision": view.store.revision,
        "budget_tokens": view.budget_tokens,
        "tokens": view.tokens,
        "token_rule": TOKEN_RULE,
        "text": view.text,
        "memories": listed(&view.memories),
        "titles": listed(&view.titles),
        "left_out": view.left_out,
        "not_valid": view.not_valid,
    });
    if asked.superseded {
        answer["superseded"] = view.superseded.iter().map(superseded).collect();
    }
    Ok(Json(answer).into_response())
}
