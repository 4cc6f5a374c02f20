//! Starting and canceling dreams, and their schedule.
#![expect(
    clippy::too_many_arguments,
    reason = "a form's fields are its function's parameters"
)]

use domain::{
    ids::{DreamId, StoreId},
    rhythm::{Every, Rhythm},
};
use leptos::prelude::*;
use service::{Error, NewSchedule};

use super::{Answer, answer, fields, id};
use crate::context::Request;

/// Asks for a dream over a store.
#[server(prefix = "/do", endpoint = "dream")]
pub async fn dream(
    store: String,
    #[server(default)] instructions: String,
    #[server(default)] distiller: Option<String>,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let store_id = id::<StoreId>(&store, "store");
    let back = store_id
        .as_ref()
        .map_or_else(|_| "/dreams".to_owned(), |s| format!("/stores/{s}/dreams"));
    let distiller = distiller.as_deref().unwrap_or("builtin");
    let result = async {
        let dream = request
            .lucid
            .request_dream_over(
                request.actor()?,
                store_id?,
                distiller,
                Some(&instructions),
                &[],
            )
            .await?;
        Ok(format!("/dreams/{dream}"))
    }
    .await;
    answer(
        &request,
        result,
        &back,
        fields([
            ("instructions", instructions.as_str()),
            ("distiller", distiller),
        ]),
    )
    .await
}

/// Asks a dream to stop.
#[server(prefix = "/do", endpoint = "cancel_dream")]
pub async fn cancel_dream(dream: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let dream_id = id::<DreamId>(&dream, "dream");
    let back = dream_id
        .as_ref()
        .map_or_else(|_| "/dreams".to_owned(), |d| format!("/dreams/{d}"));
    let result = async {
        request
            .lucid
            .cancel_dream(request.actor()?, dream_id?)
            .await?;
        Ok(back.clone())
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Sets a store's schedule. `every` is `hour`, `day` (with `time`) or `week` (with `time` and
/// `weekday`, 0 is Sunday); with `cron`, or without any, the pattern in `cron` counts.
#[server(prefix = "/do", endpoint = "schedule")]
pub async fn schedule(
    store: String,
    #[server(default)] every: String,
    #[server(default)] time: String,
    #[server(default)] weekday: String,
    #[server(default)] cron: String,
    time_zone: String,
    min_sessions: String,
    idle_minutes: String,
    #[server(default)] enabled: Option<String>,
    #[server(default)] distiller: Option<String>,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let store_id = id::<StoreId>(&store, "store");
    let back = store_id
        .as_ref()
        .map_or_else(|_| "/stores".to_owned(), |s| format!("/stores/{s}/dreams"));
    let on = if enabled.is_some() { "on" } else { "" };
    let kept = fields([
        ("every", &every),
        ("time", &time),
        ("weekday", &weekday),
        ("cron", &cron),
        ("time_zone", &time_zone),
        ("min_sessions", &min_sessions),
        ("idle_minutes", &idle_minutes),
        ("enabled", on),
    ]);
    let result = async {
        let number = |text: &str, what: &str| {
            text.trim()
                .parse()
                .map_err(|_| Error::Invalid(format!("{what} is a whole number")))
        };
        let every = every.parse().unwrap_or(Every::Cron);
        let rhythm = Rhythm::of_form(every, &time, &weekday).ok_or_else(|| {
            Error::Invalid("choose a time, and for a weekly schedule a day".to_owned())
        })?;
        let new = NewSchedule {
            cron: rhythm.cron().unwrap_or(cron),
            time_zone,
            min_sessions: number(&min_sessions, "the number of new sessions")?,
            idle_minutes: number(&idle_minutes, "the number of minutes")?,
            enabled: enabled.is_some(),
            distiller: distiller.unwrap_or_else(|| "builtin".to_owned()),
        };
        request
            .lucid
            .set_schedule(request.actor()?, store_id?, &new)
            .await?;
        Ok(back.clone())
    }
    .await;
    answer(&request, result, &back, kept).await
}

/// Lets what was rejected come back.
#[server(prefix = "/do", endpoint = "unmute")]
pub async fn unmute(store: String, change: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let store_id = id::<StoreId>(&store, "store");
    let back = store_id
        .as_ref()
        .map_or_else(|_| "/stores".to_owned(), |s| format!("/stores/{s}/muted"));
    let result = async {
        request
            .lucid
            .unmute(request.actor()?, store_id?, id(&change, "change")?)
            .await?;
        Ok(back.clone())
    }
    .await;
    answer(&request, result, &back, fields([])).await
}
