//! Transcripts by upload: streamed into temporary files, then the same two passes as on the command
//! line.

use std::collections::BTreeMap;

use app::{actions::account::encoded, components::forms::TOKEN, context::Current};
use axum::{
    Extension,
    extract::{Multipart, State, multipart::Field},
    response::{IntoResponse, Redirect, Response},
};
use domain::ids::StoreId;
use service::{
    Error, Lucid, Result,
    transcripts::{self, Format, Options, Source, Spool},
};

use super::receiving::{self, UPLOAD_BYTES};
use crate::commands::import::{Summary, write};

/// Why an upload that is not from a page of the sign-in is refused.
const FOREIGN: &str = "this form is not from a page of your present sign-in";

/// The fields of the form.
#[derive(Default)]
struct Form {
    /// The token came, and is the web session's.
    own: bool,
    store: Option<StoreId>,
    options: Options,
    files: Vec<(String, tempfile::TempPath)>,
}

/// Takes the form, and leads back to its page with what came of it.
pub async fn take(
    State(lucid): State<Lucid>,
    Extension(current): Extension<Current>,
    multipart: Multipart,
) -> Response {
    let user = Some(current.user.id);
    match import(&lucid, &current, multipart).await {
        Err(Error::Forbidden(FOREIGN)) => super::forms::foreign(),
        Ok((store, summary)) if summary.problems.is_empty() => Redirect::to(&format!(
            "/import?store={store}&done={}",
            encoded(&summary.in_one_line())
        ))
        .into_response(),
        Ok((_, summary)) => {
            let problems: Vec<String> = summary
                .problems
                .iter()
                .take(20)
                .map(ToString::to_string)
                .collect();
            let more = summary.problems.len().saturating_sub(20);
            let more = if more > 0 {
                format!("; and {more} more")
            } else {
                String::new()
            };
            let error = Error::Invalid(format!(
                "{} ({}){more}",
                summary.in_one_line(),
                problems.join("; ")
            ));
            refused(&lucid, user, &error, true).await
        }
        Err(error) => refused(&lucid, user, &error, false).await,
    }
}

async fn refused(
    lucid: &Lucid,
    user: Option<domain::ids::UserId>,
    error: &Error,
    partly: bool,
) -> Response {
    let fields: BTreeMap<String, String> = partly
        .then(|| ("partly".to_owned(), "on".to_owned()))
        .into_iter()
        .collect();
    match lucid.keep_refused_form(user, error, &fields).await {
        Ok(id) => Redirect::to(&format!("/import?refused={id}")).into_response(),
        Err(error) => super::guard::plain(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            &error.message(),
        ),
    }
}

async fn import(
    lucid: &Lucid,
    current: &Current,
    mut multipart: Multipart,
) -> Result<(StoreId, Summary)> {
    let unreadable = |_| {
        Error::Invalid(format!(
            "the upload broke off, or is over {} MB",
            UPLOAD_BYTES / 1_000_000
        ))
    };
    let mut form = Form::default();
    while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
        take_field(field, lucid, current, &mut form).await?;
    }
    let store = form.store.ok_or(Error::NotFound("store"))?;
    if form.files.is_empty() {
        return Err(Error::Invalid("choose at least one file".to_owned()));
    }
    let spool = tokio::task::spawn_blocking(move || spool(&form))
        .await
        .map_err(|_| Error::Internal("reading an upload stopped in error"))??;
    let summary = write(lucid, &current.actor, store, spool)
        .await
        .map_err(crate::Failure::into_service)?;
    Ok((store, summary))
}

/// Takes one field. The token comes first, then the store, then the files: each is checked before
/// anything after it is taken.
async fn take_field(
    field: Field<'_>,
    lucid: &Lucid,
    current: &Current,
    form: &mut Form,
) -> Result<()> {
    let actor = &current.actor;
    match field.name().unwrap_or_default() {
        TOKEN => form.own = short(field).await? == current.form_token,
        _ if !form.own => return Err(Error::Forbidden(FOREIGN)),
        "store" => {
            let store = short(field)
                .await?
                .parse()
                .ok()
                .filter(|&s| actor.may(domain::rights::Action::RecordSessions, s));
            form.store = Some(store.ok_or(Error::NotFound("store"))?);
        }
        "format" => {
            form.options.format = short(field)
                .await?
                .parse::<Format>()
                .map_err(Error::Invalid)?;
        }
        "mapping" => {
            let name = short(field).await?;
            if !name.is_empty() {
                form.options.mapping = Some(lucid.mapping(actor, &name).await?);
            }
        }
        "agent" => {
            form.options.agent =
                Some(short(field).await?.trim().to_owned()).filter(|a| !a.is_empty());
        }
        "file" if form.store.is_none() => {
            return Err(Error::Invalid(
                "the store comes before the files".to_owned(),
            ));
        }
        "file" => {
            let name = field.file_name().unwrap_or("upload").to_owned();
            form.files
                .push((name, receiving::into_file(field, lucid, actor).await?));
        }
        _ => {}
    }
    Ok(())
}

/// A field that is no file: short text.
async fn short(mut field: Field<'_>) -> Result<String> {
    let broken = |_| Error::Invalid("the upload broke off".to_owned());
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > 1_024 {
            return Err(Error::Invalid("a field of the form is too long".to_owned()));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| Error::Invalid("a field of the form is not UTF-8".to_owned()))
}

fn spool(form: &Form) -> Result<Spool> {
    let mut spool = Spool::new()?;
    let options = Options {
        unpacked_bytes: transcripts::UNPACKED_BYTES_SENT,
        ..form.options.clone()
    };
    for (name, path) in &form.files {
        transcripts::read_from(
            std::fs::File::open(path)?,
            &Source::named(name),
            &options,
            &mut spool,
            &mut |_| {},
        )?;
    }
    Ok(spool)
}
