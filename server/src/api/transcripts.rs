//! `/v1/transcripts`: a transcript as it is on the machine of an agent, in any form that an import
//! reads. It may be sent again as often as it has grown; what is there already is not taken in
//! twice.

use axum::{
    Json,
    body::Body,
    extract::{Query, State},
};
use domain::{ids::StoreId, rights::Action};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{
    Error, Lucid,
    transcripts::{self, Format, Options, Source, Spool},
};

use super::{ApiError, Key, id};
use crate::{
    commands::import::{Summary, write},
    web::receiving,
};

/// The parameters in the address.
#[derive(Deserialize)]
pub struct Sent {
    /// The file's name, with its folder where that names the session.
    #[serde(default)]
    name: Option<String>,
    /// The store; without, the only one that the key reaches.
    #[serde(default)]
    store: Option<String>,
    /// In which form it is.
    #[serde(default)]
    format: Option<String>,
    /// The agent, where the transcript does not say.
    #[serde(default)]
    agent: Option<String>,
    /// The team, where the transcript does not say.
    #[serde(default)]
    team: Option<String>,
}

/// Longest name of a file, in bytes.
const NAME_BYTES: usize = 1_000;
/// How many problems are told.
const TOLD: usize = 20;

/// `POST /v1/transcripts`: takes in transcript files as they are streamed.
pub async fn take(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Query(sent): Query<Sent>,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let store = match &sent.store {
        Some(named) => id::<StoreId>(named, "store")?,
        None => actor.only_store().ok_or_else(|| {
            ApiError::invalid("the key reaches several stores: name one with ?store=")
        })?,
    };
    if !actor.has_scope(Action::RecordSessions) {
        return Err(Error::Forbidden(
            "sending transcripts needs a key with the scope sessions:write",
        )
        .into());
    }
    if !actor.may(Action::RecordSessions, store) {
        // Anyone who may not know of a store is told that there is none.
        return Err(if actor.knows(store) {
            Error::Forbidden(Action::RecordSessions.needs())
        } else {
            Error::NotFound("store")
        }
        .into());
    }
    let name = sent
        .name
        .clone()
        .unwrap_or_else(|| "transcript.jsonl".to_owned());
    if name.len() > NAME_BYTES || name.chars().any(char::is_control) {
        return Err(ApiError::invalid(
            "a name has at most 1,000 bytes and no control characters",
        ));
    }
    let format: Format = sent
        .format
        .as_deref()
        .unwrap_or("auto")
        .parse()
        .map_err(|why: String| ApiError::invalid(&why))?;
    let options = Options {
        format,
        agent: sent.agent.clone(),
        team: sent.team.clone(),
        unpacked_bytes: transcripts::UNPACKED_BYTES_SENT,
        ..Options::default()
    };
    let file = receiving::into_file(body.into_data_stream(), &lucid, &actor).await?;
    let spool = tokio::task::spawn_blocking(move || -> std::io::Result<Spool> {
        let mut spool = Spool::new()?;
        transcripts::read_from(
            std::fs::File::open(&file)?,
            &Source::named(&name),
            &options,
            &mut spool,
            &mut |_| {},
        )?;
        Ok(spool)
    });
    let spool = spool
        .await
        .map_err(|_| Error::Internal("reading a transcript stopped in error"))?
        .map_err(Error::from)?;
    let summary = write(&lucid, &actor, store, spool)
        .await
        .map_err(crate::Failure::into_service)?;
    Ok(Json(shown(&summary)))
}

fn shown(summary: &Summary) -> Value {
    let told = |list: &[transcripts::Problem]| -> Vec<Value> {
        list.iter()
            .take(TOLD)
            .map(|p| json!({"line": p.line, "reason": p.reason}))
            .collect()
    };
    json!({
        "type": "transcript",
        "added": summary.added,
        "grown": summary.grown,
        "events_appended": summary.appended,
        "unchanged": summary.unchanged,
        "left_out": told(&summary.problems),
        "skipped": told(&summary.skipped),
        "events_by_speaker": summary.counts.by_speaker,
        "events_as_they_came": summary.counts.raw,
    })
}
