//! What a person proposes for the memory, and freezing.

use domain::{
    ids::{MemoryId, StoreId},
    validity::{self, Validity},
};
use leptos::prelude::*;
use service::{Error, MemoryWrite};

use super::{Answer, answer, fields, id};
use crate::context::Request;

/// Proposes a new memory in a store.
#[server(prefix = "/do", endpoint = "propose_memory")]
pub async fn propose_memory(
    store: String,
    path: String,
    content: String,
    reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let store_id = id::<StoreId>(&store, "store");
    let back = store_id
        .as_ref()
        .map_or_else(|_| "/stores".to_owned(), |s| format!("/stores/{s}"));
    let kept = fields([("path", &path), ("content", &content), ("reason", &reason)]);
    let result = async {
        let write = MemoryWrite::Create {
            path: parsed(&path)?,
            content: unix(&content),
        };
        let (changeset, _) = request
            .lucid
            .propose_change(request.actor()?, store_id?, &write, &reason)
            .await?;
        Ok(format!("/changesets/{changeset}"))
    }
    .await;
    answer(&request, result, &back, kept).await
}

/// Proposes other content or another path for a memory; `sha256` names what was shown.
#[server(prefix = "/do", endpoint = "propose_edit")]
pub async fn propose_edit(
    store: String,
    memory: String,
    sha256: String,
    path: String,
    content: String,
    reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let kept = fields([("path", &path), ("content", &content), ("reason", &reason)]);
    let result = async {
        let (_, stands) = request
            .lucid
            .read_for_edit(request.actor()?, id(&memory, "memory")?)
            .await?;
        // Browsers send CRLF; it is the person's only where it stood there before.
        let content = if stands.contains("\r\n") {
            content
        } else {
            unix(&content)
        };
        let write = MemoryWrite::Update {
            id: id(&memory, "memory")?,
            path: Some(parsed(&path)?),
            content: Some(content),
            expected_sha256: Some(sha256),
        };
        let (changeset, _) = request
            .lucid
            .propose_change(request.actor()?, id(&store, "store")?, &write, &reason)
            .await?;
        Ok(format!("/changesets/{changeset}"))
    }
    .await;
    answer(&request, result, &back(&memory), kept).await
}

/// Proposes when a statement of a memory is valid, by its number from 0; `sha256` names what was
/// shown.
#[server(prefix = "/do", endpoint = "propose_validity")]
pub async fn propose_validity(
    store: String,
    memory: String,
    sha256: String,
    #[server(default)] statement: usize,
    #[server(default)] from: String,
    #[server(default)] until: String,
    #[server(default)] reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let number = statement.to_string();
    let kept = fields([
        ("statement", &number),
        ("from", &from),
        ("until", &until),
        ("validity_reason", &reason),
    ]);
    let result = async {
        let (_, content) = request
            .lucid
            .read_for_edit(request.actor()?, id(&memory, "memory")?)
            .await?;
        let days = Validity::of_days(&from, &until).map_err(Error::Invalid)?;
        let content = validity::with_validity(&content, statement, days);
        let content = content
            .ok_or_else(|| Error::Invalid("choose a statement of this memory".to_owned()))?;
        let write = MemoryWrite::Update {
            id: id(&memory, "memory")?,
            path: None,
            content: Some(content),
            expected_sha256: Some(sha256),
        };
        let (changeset, _) = request
            .lucid
            .propose_change(request.actor()?, id(&store, "store")?, &write, &reason)
            .await?;
        Ok(format!("/changesets/{changeset}"))
    }
    .await;
    answer(&request, result, &back(&memory), kept).await
}

/// Proposes to remove a memory; `sha256` names what was shown.
#[server(prefix = "/do", endpoint = "propose_removal")]
pub async fn propose_removal(
    store: String,
    memory: String,
    sha256: String,
    reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let write = MemoryWrite::Delete {
            id: id(&memory, "memory")?,
            expected_sha256: Some(sha256),
        };
        let (changeset, _) = request
            .lucid
            .propose_change(request.actor()?, id(&store, "store")?, &write, &reason)
            .await?;
        Ok(format!("/changesets/{changeset}"))
    }
    .await;
    answer(
        &request,
        result,
        &back(&memory),
        fields([("removal_reason", &reason)]),
    )
    .await
}

/// Proposes to bring a version of a memory back, or the memory itself if it is gone.
#[server(prefix = "/do", endpoint = "propose_restore")]
pub async fn propose_restore(
    memory: String,
    version: i64,
    #[server(default)] reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let changeset = request
            .lucid
            .propose_restore(request.actor()?, id(&memory, "memory")?, version, &reason)
            .await?;
        Ok(format!("/changesets/{changeset}"))
    }
    .await;
    answer(
        &request,
        result,
        &format!("{}?version={version}", back(&memory)),
        fields([("reason", &reason)]),
    )
    .await
}

/// Freezes a memory: only people change it from now on.
#[server(prefix = "/do", endpoint = "freeze")]
pub async fn freeze(memory: String, reason: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .freeze(request.actor()?, id(&memory, "memory")?, &reason)
            .await?;
        Ok(back(&memory))
    }
    .await;
    answer(
        &request,
        result,
        &back(&memory),
        fields([("freeze_reason", &reason)]),
    )
    .await
}

/// Proposes to end that.
#[server(prefix = "/do", endpoint = "propose_unfreeze")]
pub async fn propose_unfreeze(memory: String, reason: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let (changeset, _) = request
            .lucid
            .propose_unfreeze(request.actor()?, id(&memory, "memory")?, &reason)
            .await?;
        Ok(format!("/changesets/{changeset}"))
    }
    .await;
    answer(
        &request,
        result,
        &back(&memory),
        fields([("freeze_reason", &reason)]),
    )
    .await
}

fn parsed(path: &str) -> service::Result<domain::memory::MemoryPath> {
    path.trim()
        .parse()
        .map_err(|e: domain::memory::BadMemory| Error::Invalid(e.to_string()))
}

/// A text as a form sends it, with the line ends of memory.
fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn back(memory: &str) -> String {
    memory
        .parse::<MemoryId>()
        .map_or_else(|_| "/stores".to_owned(), |m| format!("/memories/{m}"))
}
