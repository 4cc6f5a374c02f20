//! Answers to what dreams ask.

use domain::ids::{AnswerId, StoreId};
use leptos::prelude::*;
use service::Error;

use super::{Answer, fields, id};
use crate::context::Request;

/// The list that somebody came from.
fn list(store: &str) -> String {
    store.parse::<StoreId>().map_or_else(
        |_| "/questions".to_owned(),
        |s| format!("/questions?store={s}"),
    )
}

/// Records a person's answer to a question of a dream.
#[server(prefix = "/do", endpoint = "answer_question")]
pub async fn answer_question(
    store: String,
    question: String,
    #[server(default)] answer: String,
    #[server(default)] words: String,
    #[server(default)] back: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let here = list(&back);
    let result = async {
        let said = answer
            .parse()
            .map_err(|_| Error::Invalid("choose an answer".to_owned()))?;
        let made = request
            .lucid
            .answer_question(
                request.actor()?,
                id(&store, "store")?,
                &question,
                said,
                &words,
            )
            .await?;
        let glue = if here.contains('?') { '&' } else { '?' };
        Ok(made.map_or_else(
            || here.clone(),
            |changeset| format!("{here}{glue}proposed={changeset}"),
        ))
    }
    .await;
    super::answer(&request, result, &here, fields([("words", words.as_str())])).await
}

/// Lets a question be asked again.
#[server(prefix = "/do", endpoint = "reopen_question")]
pub async fn reopen_question(
    store: String,
    answer: String,
    #[server(default)] back: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let here = list(&back);
    let result = async {
        request
            .lucid
            .reopen_question(
                request.actor()?,
                id(&store, "store")?,
                id::<AnswerId>(&answer, "answer")?,
            )
            .await?;
        Ok(here.clone())
    }
    .await;
    super::answer(&request, result, &here, fields([])).await
}
