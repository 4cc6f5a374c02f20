//! `/v1/memory_stores`.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
};
use domain::ids::StoreId;
use serde::Deserialize;
use serde_json::{Value, json};
use service::{Lucid, StoreRow, StoreText};

use super::{ApiError, Key, body, id};

/// Most stores on one page.
const MOST: i64 = 100;

/// The fields of a new or changed store: a field that is missing stays as it is.
#[derive(Deserialize)]
pub struct Text {
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, Option<String>>>,
}

impl From<Text> for StoreText {
    fn from(text: Text) -> Self {
        Self {
            name: text.name,
            description: text.description,
            metadata: text.metadata.unwrap_or_default(),
        }
    }
}

/// Which page of the list.
#[derive(Deserialize)]
pub struct Asked {
    limit: Option<i64>,
    page: Option<String>,
}

/// `POST /v1/memory_stores`.
pub async fn create(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let text: Text = body(&bytes, false)?;
    let made = lucid.create_store_with(&actor, &text.into()).await?;
    // The key's actor was read before its owner owned the new store.
    let actor = lucid.refreshed(&actor).await?.ok_or(service::Error::Key)?;
    Ok(Json(shown(&lucid.store(&actor, made).await?)))
}

/// `GET /v1/memory_stores`: the stores that the key reaches.
pub async fn list(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, ApiError> {
    let limit = asked.limit.unwrap_or(20).clamp(1, MOST);
    let after: Option<StoreId> = asked.page.as_deref().map(|p| id(p, "page")).transpose()?;
    let page = lucid.newest_stores(&actor, after, limit).await?;
    let next = page.rows.last().filter(|_| page.more).map(|s| s.id);
    Ok(Json(
        json!({"data": page.rows.iter().map(shown).collect::<Vec<_>>(), "next_page": next}),
    ))
}

/// `GET /v1/memory_stores/{id}`.
pub async fn retrieve(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(store): Path<String>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(shown(
        &lucid.store(&actor, id(&store, "store")?).await?,
    )))
}

/// `POST /v1/memory_stores/{id}`: name, description and metadata.
pub async fn update(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(store): Path<String>,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let text: Text = body(&bytes, false)?;
    Ok(Json(shown(
        &lucid
            .describe_store(&actor, id(&store, "store")?, &text.into())
            .await?,
    )))
}

/// `DELETE /v1/memory_stores/{id}`: an admin can restore it for 30 days.
pub async fn delete(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(store): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let store: StoreId = id(&store, "store")?;
    lucid.delete_store(&actor, store, None).await?;
    Ok(Json(json!({"id": store, "type": "memory_store_deleted"})))
}

/// The store in the API's shape; `gate_mode`, `revision` and `budget_tokens` are Lucid's own.
fn shown(store: &StoreRow) -> Value {
    let metadata: Value = serde_json::from_str(&store.metadata).unwrap_or_else(|_| json!({}));
    json!({
        "id": store.id,
        "type": "memory_store",
        "name": store.name,
        "description": store.description,
        "metadata": metadata,
        "created_at": store.created_at.rfc3339(),
        "updated_at": store.updated_at.rfc3339(),
        "archived_at": null,
        "gate_mode": store.gate_mode,
        "revision": store.revision,
        "budget_tokens": store.budget_tokens,
    })
}
