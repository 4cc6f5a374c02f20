//! Working on recalls of memory that turned out wrong.

use domain::ids::{MemoryId, RecallId};
use leptos::prelude::*;
use service::{Error, Marked};

use super::{Answer, Fields, answer, fields, id};
use crate::context::Request;

fn page(recall: &str) -> String {
    recall
        .parse::<RecallId>()
        .map_or_else(|_| "/recalls".to_owned(), |id| format!("/recalls/{id}"))
}

/// Opens a recall of some versions of a memory.
#[server(prefix = "/do", endpoint = "open_recall")]
pub async fn open_recall(
    memory: String,
    from: i64,
    to: i64,
    #[server(default)] reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = memory.parse::<MemoryId>().map_or_else(
        |_| "/stores".to_owned(),
        |memory| format!("/memories/{memory}/loads?from={from}&to={to}"),
    );
    let result = async {
        let recall = request
            .lucid
            .open_recall(
                request.actor()?,
                id(&memory, "memory")?,
                (from, to),
                &reason,
            )
            .await?;
        Ok(format!("/recalls/{recall}"))
    }
    .await;
    answer(&request, result, &back, fields([("reason", &reason)])).await
}

/// Says what was done about one session or reader; `again` changes what was said before.
#[server(prefix = "/do", endpoint = "mark_recalled")]
pub async fn mark_recalled(
    recall: String,
    loaded_by: String,
    #[server(default)] mark: String,
    #[server(default)] note: String,
    #[server(default)] again: bool,
) -> Result<Answer, ServerFnError> {
    let which = if again {
        Marked::Again(&loaded_by)
    } else {
        Marked::One(&loaded_by)
    };
    marked(
        &recall,
        &which,
        &mark,
        fields([("note", &note), ("loaded_by", &loaded_by)]),
    )
    .await
}

/// Says what was done about all that have no mark yet.
#[server(prefix = "/do", endpoint = "mark_all_recalled")]
pub async fn mark_all_recalled(
    recall: String,
    #[server(default)] mark: String,
    #[server(default)] note: String,
) -> Result<Answer, ServerFnError> {
    marked(&recall, &Marked::Left, &mark, fields([("note", &note)])).await
}

async fn marked(
    recall: &str,
    which: &Marked<'_>,
    mark: &str,
    fields: Fields,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let mark = mark
            .parse()
            .map_err(|_| Error::Invalid("choose what was done".to_owned()))?;
        let note = fields.get("note").map_or("", String::as_str);
        request
            .lucid
            .mark_recalled(request.actor()?, id(recall, "recall")?, which, mark, note)
            .await?;
        Ok(page(recall))
    }
    .await;
    answer(&request, result, &page(recall), fields.clone()).await
}

/// Closes a recall once every session and agent in it was handled.
#[server(prefix = "/do", endpoint = "close_recall")]
pub async fn close_recall(
    recall: String,
    #[server(default)] outcome: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .close_recall(request.actor()?, id(&recall, "recall")?, &outcome)
            .await?;
        Ok(page(&recall))
    }
    .await;
    answer(
        &request,
        result,
        &page(&recall),
        fields([("outcome", &outcome)]),
    )
    .await
}

/// Opens a closed recall again.
#[server(prefix = "/do", endpoint = "reopen_recall")]
pub async fn reopen_recall(recall: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .reopen_recall(request.actor()?, id(&recall, "recall")?)
            .await?;
        Ok(page(&recall))
    }
    .await;
    answer(&request, result, &page(&recall), fields([])).await
}
