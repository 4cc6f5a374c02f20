//! Erasing end users and versions, legal holds, and how long transcripts are kept.

use domain::ids::{ErasureId, HoldId, MemoryId, SessionId, StoreId, VersionId};
use leptos::prelude::*;
use service::{AskedErasure, Error, HoldOn};

use super::{Answer, answer, fields, id};
use crate::context::Request;

/// The page of erasures and holds.
const PAGE: &str = "/erasure";

fn subject_page(session: &str) -> String {
    session
        .parse::<SessionId>()
        .map_or_else(|_| PAGE.to_owned(), |id| format!("/subjects/{id}"))
}

/// Leads to what is known of an end user, by the name that recorders gave them.
#[server(prefix = "/do", endpoint = "find_subject")]
pub async fn find_subject(#[server(default)] subject: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let session = request
            .lucid
            .session_of_subject(request.actor()?, &subject)
            .await?;
        Ok(format!("/subjects/{session}"))
    }
    .await;
    answer(&request, result, PAGE, fields([("subject", &subject)])).await
}

/// Erases what is known of the end user of a session; `kept` are memories that hold nothing of
/// them.
#[server(prefix = "/do", endpoint = "erase_subject")]
pub async fn erase_subject(
    session: String,
    #[server(default)] kept: Vec<String>,
    #[server(default)] also: String,
    #[server(default)] reason: String,
    #[server(default)] again: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let memories = kept
            .iter()
            .map(|memory| id::<MemoryId>(memory, "memory"))
            .collect::<Result<Vec<_>, _>>()?;
        let asked = AskedErasure {
            kept: &memories,
            also: &also,
            reason: &reason,
            confirmed: again.trim() == "erase",
        };
        request
            .lucid
            .erase_subject(request.actor()?, id(&session, "session")?, &asked)
            .await?;
        Ok(PAGE.to_owned())
    }
    .await;
    answer(
        &request,
        result,
        &subject_page(&session),
        fields([
            ("also", &also),
            ("reason", &reason),
            ("kept", &kept.join(" ")),
        ]),
    )
    .await
}

/// Does an erasure that another admin asked for.
#[server(prefix = "/do", endpoint = "confirm_erasure")]
pub async fn confirm_erasure(erasure: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .confirm_erasure(request.actor()?, id::<ErasureId>(&erasure, "erasure")?)
            .await?;
        Ok(PAGE.to_owned())
    }
    .await;
    answer(&request, result, PAGE, fields([])).await
}

/// Declines an erasure, or withdraws one's own.
#[server(prefix = "/do", endpoint = "decline_erasure")]
pub async fn decline_erasure(erasure: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .decline_erasure(request.actor()?, id::<ErasureId>(&erasure, "erasure")?)
            .await?;
        Ok(PAGE.to_owned())
    }
    .await;
    answer(&request, result, PAGE, fields([])).await
}

/// Places a legal hold on the end user of a session, or else on a memory of a store by its path, or
/// else on the store.
#[server(prefix = "/do", endpoint = "place_hold")]
pub async fn place_hold(
    #[server(default)] session: String,
    #[server(default)] store: String,
    #[server(default)] path: String,
    #[server(default)] reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = if session.is_empty() {
        PAGE.to_owned()
    } else {
        subject_page(&session)
    };
    let result = async {
        let actor = request.actor()?;
        let on = if !session.is_empty() {
            HoldOn::SubjectOf(id(&session, "session")?)
        } else if path.trim().is_empty() {
            HoldOn::Store(id::<StoreId>(&store, "store")?)
        } else {
            HoldOn::Memory(
                request
                    .lucid
                    .memory_at(actor, id(&store, "store")?, path.trim())
                    .await?,
            )
        };
        request.lucid.place_hold(actor, on, &reason).await?;
        Ok(PAGE.to_owned())
    }
    .await;
    answer(
        &request,
        result,
        &back,
        fields([("store", &store), ("path", &path), ("hold_reason", &reason)]),
    )
    .await
}

/// Releases a legal hold.
#[server(prefix = "/do", endpoint = "release_hold")]
pub async fn release_hold(
    hold: String,
    #[server(default)] reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .release_hold(request.actor()?, id::<HoldId>(&hold, "hold")?, &reason)
            .await?;
        Ok(PAGE.to_owned())
    }
    .await;
    answer(
        &request,
        result,
        PAGE,
        fields([("hold", &hold), ("release_reason", &reason)]),
    )
    .await
}

/// Sets for how many days transcripts are kept; for good without a number.
#[server(prefix = "/do", endpoint = "set_retention")]
pub async fn set_retention(#[server(default)] days: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let text = days.trim();
        let number = if text.is_empty() {
            None
        } else {
            Some(
                text.parse()
                    .map_err(|_| Error::Invalid(format!("`{text}` is no number of days")))?,
            )
        };
        request
            .lucid
            .set_transcript_days(request.actor()?, number)
            .await?;
        Ok(PAGE.to_owned())
    }
    .await;
    answer(&request, result, PAGE, fields([("days", &days)])).await
}

/// Erases the text of a past version of a memory.
#[server(prefix = "/do", endpoint = "redact_version")]
pub async fn redact_version(
    memory: String,
    version: String,
    number: i64,
    #[server(default)] reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let page = memory.parse::<MemoryId>().map_or_else(
        |_| "/stores".to_owned(),
        |memory| format!("/memories/{memory}?version={number}"),
    );
    let result = async {
        request
            .lucid
            .redact(
                request.actor()?,
                id::<VersionId>(&version, "version")?,
                &reason,
            )
            .await?;
        Ok(page.clone())
    }
    .await;
    answer(
        &request,
        result,
        &page,
        fields([("redact_reason", &reason)]),
    )
    .await
}
