//! Files to keep: a saved mapping as JSON, the audit trail, recalls and bills of memory.

use app::context::Current;
use axum::{
    Extension, Form,
    body::Body,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use serde::Deserialize;
use service::{Error, ExportPeriod, Lucid};

use super::guard;
use crate::{recall_export, trail_export};

/// The mapping that the address asks for.
#[derive(Deserialize)]
pub struct Asked {
    name: String,
}

/// The media type of comma-separated values with a first line of names.
const CSV: &str = "text/csv; charset=utf-8; header=present";

/// An answer that browsers save and no cache keeps.
fn file(kind: &'static str, disposition: &'static str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}

fn refused(error: &Error) -> Response {
    let status =
        StatusCode::from_u16(error.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    guard::plain(status, &error.message())
}

/// The mapping of a name, as a file for `lucid import --map`.
pub async fn mapping(
    State(lucid): State<Lucid>,
    Extension(current): Extension<Current>,
    Query(asked): Query<Asked>,
) -> Response {
    let mapping = match lucid.mapping(&current.actor, &asked.name).await {
        Ok(mapping) => mapping,
        Err(error) => return refused(&error),
    };
    let Ok(text) = serde_json::to_string_pretty(&*mapping) else {
        return refused(&Error::Internal("a mapping could not be written"));
    };
    file(
        "application/json",
        "attachment; filename=\"mapping.json\"",
        Body::from(text + "\n"),
    )
}

/// Which part of the trail, and in which form.
#[derive(Deserialize)]
pub struct AskedTrail {
    #[serde(default)]
    format: String,
    /// The last so many days; all without.
    #[serde(default)]
    days: String,
}

/// The audit trail, or the part of it that a period holds, a page of entries at a time.
pub async fn audit(
    State(lucid): State<Lucid>,
    Extension(current): Extension<Current>,
    Query(asked): Query<AskedTrail>,
) -> Response {
    let days = asked
        .days
        .parse::<i64>()
        .ok()
        .map(|days| days.clamp(0, 36_500));
    let period = ExportPeriod {
        since: days.map(|days| lucid.now().plus_seconds(-days * 86_400)),
        until: None,
    };
    let export = match lucid.export_audit(&current.actor, period).await {
        Ok(export) => export,
        Err(error) => return refused(&error),
    };
    let csv = asked.format == "csv";
    let (kind, disposition) = if csv {
        (CSV, "attachment; filename=\"audit.csv\"")
    } else {
        ("application/jsonl", "attachment; filename=\"audit.jsonl\"")
    };
    let head = stream::once(async move {
        Ok(if csv {
            trail_export::CSV_HEADER.to_owned()
        } else {
            String::new()
        })
    });
    let lines = stream::try_unfold(export, move |mut export| async move {
        let lines = export.next().await.map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(lines.map(|lines| {
            (
                if csv {
                    trail_export::csv(&lines)
                } else {
                    trail_export::jsonl(&lines)
                },
                export,
            )
        }))
    });
    file(
        kind,
        disposition,
        Body::from_stream(futures::StreamExt::chain(head, lines)),
    )
}

/// The entry that the address asks for.
#[derive(Deserialize)]
pub struct AskedEntry {
    entry: String,
}

/// A proof that an entry is in the trail.
pub async fn proof(
    State(lucid): State<Lucid>,
    Extension(current): Extension<Current>,
    Query(asked): Query<AskedEntry>,
) -> Response {
    let Ok(entry) = asked.entry.parse() else {
        return refused(&Error::NotFound("entry"));
    };
    let proof = match lucid.prove_entry(&current.actor, entry).await {
        Ok(proof) => proof,
        Err(error) => return refused(&error),
    };
    let Ok(text) = serde_json::to_string(&proof) else {
        return refused(&Error::Internal("a proof could not be written"));
    };
    file(
        "application/json",
        "attachment; filename=\"proof.json\"",
        Body::from(text + "\n"),
    )
}

/// The signed tree head of the trail.
pub async fn tree_head(
    State(lucid): State<Lucid>,
    Extension(current): Extension<Current>,
) -> Response {
    match lucid.tree_head(&current.actor).await {
        Ok(note) => file(
            "text/plain; charset=utf-8",
            "attachment; filename=\"tree-head.txt\"",
            Body::from(note),
        ),
        Err(error) => refused(&error),
    }
}

/// The recall that the address asks for.
#[derive(Deserialize)]
pub struct AskedRecall {
    id: String,
}

/// A recall as comma-separated values: a line for each session or reader, with what was done about
/// it.
pub async fn recall(
    State(lucid): State<Lucid>,
    Extension(current): Extension<Current>,
    Query(asked): Query<AskedRecall>,
) -> Response {
    let Ok(id) = asked.id.parse() else {
        return refused(&Error::NotFound("recall"));
    };
    let view = match lucid.whole_recall(&current.actor, id).await {
        Ok(view) => view,
        Err(error) => return refused(&error),
    };
    file(
        CSV,
        "attachment; filename=\"recall.csv\"",
        Body::from(recall_export::csv(&view)),
    )
}

/// The session that the address asks for.
#[derive(Deserialize)]
pub struct AskedSession {
    session: String,
}

/// The signed letter about what is known of the end user of a session.
pub async fn letter(
    State(lucid): State<Lucid>,
    Extension(current): Extension<Current>,
    Form(asked): Form<AskedSession>,
) -> Response {
    let Ok(session) = asked.session.parse() else {
        return refused(&Error::NotFound("session"));
    };
    match lucid.subject_letter(&current.actor, session).await {
        Ok(letter) => file(
            "text/markdown; charset=utf-8",
            "attachment; filename=\"letter.md\"",
            Body::from(letter.text),
        ),
        Err(error) => refused(&error),
    }
}

/// The signed bill of memory of a session.
pub async fn bill(
    State(lucid): State<Lucid>,
    Extension(current): Extension<Current>,
    Form(asked): Form<AskedSession>,
) -> Response {
    let Ok(session) = asked.session.parse() else {
        return refused(&Error::NotFound("session"));
    };
    let bill = match lucid.bill_of_memory(&current.actor, session).await {
        Ok(bill) => bill,
        Err(error) => return refused(&error),
    };
    let Ok(text) = serde_json::to_string(&bill) else {
        return refused(&Error::Internal("a bill could not be written"));
    };
    file(
        "application/json",
        "attachment; filename=\"bill-of-memory.json\"",
        Body::from(text + "\n"),
    )
}
