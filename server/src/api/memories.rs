//! `/v1/memory_stores/{id}/memories`: committed memory, and writes as the store's gate lets them.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    ids::{MemoryId, SessionId, StoreId},
    memory::MemoryPath,
};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{
    Error, Listed, Listing, Lucid, MemoryRow, MemoryWrite, SupersededMemory, SupersededRow, Written,
};

use super::{ApiError, Key, body, id};

/// Most items on a page, and most of them with their contents.
const MOST: usize = 100;
const MOST_FULL: usize = 20;

/// A memory to be made.
#[derive(Deserialize)]
pub struct New {
    path: String,
    content: Option<String>,
}

/// The fields to change.
#[derive(Deserialize)]
pub struct Change {
    path: Option<String>,
    content: Option<String>,
    precondition: Option<Precondition>,
}

/// A condition of the change.
#[derive(Deserialize)]
pub struct Precondition {
    #[serde(rename = "type")]
    kind: String,
    content_sha256: Option<String>,
}

/// Which view of it, which page of which part, and on what condition.
#[derive(Deserialize)]
pub struct Asked {
    view: Option<String>,
    depth: Option<u8>,
    limit: Option<usize>,
    page: Option<String>,
    path_prefix: Option<String>,
    expected_content_sha256: Option<String>,
    /// The session that the content is read for.
    session_id: Option<String>,
    /// Also the memories that others replaced.
    #[serde(default)]
    superseded: bool,
}

impl Asked {
    fn session(&self) -> Result<Option<SessionId>, ApiError> {
        Ok(self
            .session_id
            .as_deref()
            .filter(|id| !id.is_empty())
            .map(|text| id(text, "session"))
            .transpose()?)
    }
}

/// `POST /v1/memory_stores/{id}/memories`: 200 if it was written, 202 if a person has to decide on
/// it.
pub async fn create(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(store): Path<String>,
    Query(asked): Query<Asked>,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let new: New = body(&bytes, false)?;
    let write = MemoryWrite::Create {
        path: path(&new.path)?,
        content: new.content.unwrap_or_default(),
    };
    answer(&lucid, &actor, id(&store, "store")?, &write, &asked).await
}

/// `POST /v1/memory_stores/{id}/memories/{memory}`: other content, another path, or both.
pub async fn update(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path((store, memory)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let change: Change = body(&bytes, false)?;
    if let Some(other) = change
        .precondition
        .as_ref()
        .filter(|p| p.kind != "content_sha256")
    {
        return Err(ApiError::invalid(&format!(
            "a precondition has the type content_sha256, not {}",
            other.kind
        )));
    }
    let write = MemoryWrite::Update {
        id: id(&memory, "memory")?,
        path: change.path.as_deref().map(path).transpose()?,
        content: change.content,
        expected_sha256: change.precondition.and_then(|p| p.content_sha256),
    };
    answer(&lucid, &actor, id(&store, "store")?, &write, &asked).await
}

/// `DELETE /v1/memory_stores/{id}/memories/{memory}`.
pub async fn delete(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path((store, memory)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let write = MemoryWrite::Delete {
        id: id(&memory, "memory")?,
        expected_sha256: asked.expected_content_sha256.clone(),
    };
    answer(&lucid, &actor, id(&store, "store")?, &write, &asked).await
}

/// `GET /v1/memory_stores/{id}/memories/{memory}`: records the read.
pub async fn retrieve(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path((store, memory)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = (
        id::<StoreId>(&store, "store")?,
        id::<MemoryId>(&memory, "memory")?,
    );
    let is_full = asked.view.as_deref() != Some("basic");
    match lucid.read_memory(&actor, store, id, asked.session()?).await {
        Ok((memory, content)) => {
            let mut value = shown(&memory, is_full.then_some(&content));
            if asked.superseded {
                let replaced = lucid.supersedes(&actor, store, &[id]).await?;
                value["supersedes"] = replaced.values().flatten().map(superseded).collect();
            }
            Ok(Json(value))
        }
        Err(Error::NotFound("memory")) if asked.superseded => {
            let old = lucid
                .read_superseded(&actor, store, id, asked.session()?)
                .await?;
            Ok(Json(shown_superseded(&old, is_full)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /v1/memory_stores/{id}/memories`: a page by path. With contents, the reads are recorded.
pub async fn list(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(store): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, ApiError> {
    let full = asked.view.as_deref() == Some("full");
    let listing = Listing {
        prefix: asked.path_prefix.clone().unwrap_or_else(|| "/".to_owned()),
        children_only: asked.depth == Some(1),
        after: asked.page.as_deref().map(from_page).transpose()?,
        limit: asked
            .limit
            .unwrap_or(20)
            .clamp(1, if full { MOST_FULL } else { MOST }),
        contents: full,
        session: asked.session()?,
    };
    let store = id(&store, "store")?;
    let (items, next) = lucid.list_memories(&actor, store, &listing).await?;
    let ids: Vec<MemoryId> = items.iter().filter_map(Listed::memory_id).collect();
    let replaced = if asked.superseded {
        Some(lucid.supersedes(&actor, store, &ids).await?)
    } else {
        None
    };
    let shown = |item: &Listed| match item {
        Listed::Memory(memory, content) => {
            let mut value = shown(memory, content.as_ref());
            if let Some(replaced) = &replaced {
                value["supersedes"] = replaced
                    .get(&memory.id)
                    .into_iter()
                    .flatten()
                    .map(superseded)
                    .collect();
            }
            value
        }
        Listed::Prefix(path) => json!({"type": "memory_prefix", "path": path}),
    };
    let next = next.map(|path| hex::encode(path.as_bytes()));
    Ok(Json(
        json!({"data": items.iter().map(shown).collect::<Vec<_>>(), "next_page": next}),
    ))
}

/// Writes, and answers what became of it: what a person has to decide on first is a 202.
async fn answer(
    lucid: &Lucid,
    actor: &domain::actor::Actor,
    store: StoreId,
    write: &MemoryWrite,
    asked: &Asked,
) -> Result<Response, ApiError> {
    let content = match write {
        MemoryWrite::Create { content, .. }
        | MemoryWrite::Update {
            content: Some(content),
            ..
        } => Some(content),
        _ => None,
    };
    Ok(match lucid.write_memory(actor, store, write).await? {
        Written::Committed {
            memory: Some(memory),
            ..
        } => {
            let content = content.filter(|_| asked.view.as_deref() == Some("full"));
            Json(shown(&memory, content)).into_response()
        }
        Written::Committed { memory: None, id } => {
            Json(json!({"id": id, "type": "memory_deleted"})).into_response()
        }
        Written::Proposed {
            changeset,
            change,
            reason,
        } => {
            let said = json!({
                "id": change,
                "type": "memory_proposal",
                "changeset_id": changeset,
                "change_id": change,
                "memory_store_id": store,
                "reason": format!("{reason}: it waits for a person's decision and is not in the \
                    memory yet"),
            });
            (StatusCode::ACCEPTED, Json(said)).into_response()
        }
    })
}

fn path(text: &str) -> Result<MemoryPath, ApiError> {
    text.parse()
        .map_err(|e: domain::memory::BadMemory| ApiError::invalid(&e.to_string()))
}

fn from_page(page: &str) -> Result<String, Error> {
    hex::decode(page)
        .ok()
        .and_then(|b| String::from_utf8(b).ok())
        .ok_or(Error::NotFound("page"))
}

/// The memory in the API's shape.
fn shown(memory: &MemoryRow, content: Option<&String>) -> Value {
    json!({
        "id": memory.id,
        "type": "memory",
        "memory_store_id": memory.store_id,
        "memory_version_id": memory.version_id,
        "path": memory.path,
        "content": content,
        "content_sha256": memory.content_sha256,
        "content_size_bytes": memory.bytes,
        "created_at": memory.created_at.rfc3339(),
        "updated_at": memory.updated_at.rfc3339(),
    })
}

/// A memory that another one replaced, in the API's shape.
pub fn superseded(row: &SupersededRow) -> Value {
    json!({
        "id": row.memory_id,
        "type": "superseded_memory",
        "memory_version_id": row.version_id,
        "path": row.path,
        "superseded_at": row.superseded_at.rfc3339(),
    })
}

/// A memory that others replaced, in the shape of one that is there, with what replaced it.
fn shown_superseded(old: &SupersededMemory, is_full: bool) -> Value {
    let successor = |(id, path): &(MemoryId, MemoryPath)| json!({"id": id, "path": path});
    let mut value = shown(&old.memory.row, is_full.then_some(&old.memory.content));
    value["superseded_at"] = json!(old.memory.superseded_at.rfc3339());
    value["superseded_by"] = old.superseded_by.iter().map(successor).collect();
    value
}
