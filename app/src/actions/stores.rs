//! Making, describing, gating and deleting stores.

use std::collections::BTreeMap;

use domain::{ids::StoreId, memory::GateMode, review::Approvals};
use leptos::prelude::*;
use service::{Error, StoreText};

use super::{Answer, answer, fields, id, people::after};
use crate::context::Request;

/// Makes an empty store.
#[server(prefix = "/do", endpoint = "create_store")]
pub async fn create_store(
    name: String,
    #[server(default)] description: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let store = request
            .lucid
            .create_store(request.actor()?, &name, &description)
            .await?;
        Ok(format!("/stores/{store}"))
    }
    .await;
    answer(
        &request,
        result,
        "/stores",
        fields([("name", &name), ("description", &description)]),
    )
    .await
}

/// Calls and describes a store otherwise.
#[server(prefix = "/do", endpoint = "describe_store")]
pub async fn describe_store(
    store: String,
    name: String,
    #[server(default)] description: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings(&store);
    let kept = fields([("name", &name), ("description", &description)]);
    let result = async {
        let text = StoreText {
            name: Some(name),
            description: Some(description),
            metadata: BTreeMap::new(),
        };
        request
            .lucid
            .describe_store(request.actor()?, id(&store, "store")?, &text)
            .await?;
        Ok(back.clone())
    }
    .await;
    answer(&request, result, &back, kept).await
}

/// Sets what goes through the gate, and the budget in tokens (empty for none).
#[server(prefix = "/do", endpoint = "set_gate")]
pub async fn set_gate(
    store: String,
    gate_mode: String,
    #[server(default)] budget_tokens: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings(&store);
    let kept = fields([("gate_mode", &gate_mode), ("budget_tokens", &budget_tokens)]);
    let result = async {
        let mode: GateMode = gate_mode
            .parse()
            .map_err(|_| Error::Invalid("choose what goes through the gate".to_owned()))?;
        let budget = match budget_tokens.trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| {
                Error::Invalid("the budget is a whole number of tokens, or empty".to_owned())
            })?),
        };
        let outcome = request
            .lucid
            .set_gate(request.actor()?, id(&store, "store")?, mode, budget)
            .await?;
        Ok(after(outcome, &back))
    }
    .await;
    answer(&request, result, &back, kept).await
}

/// Opens a clean-up of a store for a number of days, with a reason.
#[server(prefix = "/do", endpoint = "open_clean_up")]
pub async fn open_clean_up(
    store: String,
    days: i64,
    reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings(&store);
    let kept = fields([("days", &days.to_string()), ("reason", &reason)]);
    let result = async {
        request
            .lucid
            .open_clean_up(request.actor()?, id(&store, "store")?, days, &reason)
            .await?;
        Ok(back.clone())
    }
    .await;
    answer(&request, result, &back, kept).await
}

/// Ends a clean-up before its time.
#[server(prefix = "/do", endpoint = "end_clean_up")]
pub async fn end_clean_up(store: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings(&store);
    let result = async {
        request
            .lucid
            .end_clean_up(request.actor()?, id(&store, "store")?)
            .await?;
        Ok(back.clone())
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Sets how many independent approvals changes of each risk need, and whether only owners' count
/// (`yes`).
#[server(prefix = "/do", endpoint = "set_approvals")]
pub async fn set_approvals(
    store: String,
    low: i64,
    medium: i64,
    high: i64,
    #[server(default)] owners_only: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings(&store);
    let result = async {
        let to = Approvals {
            low,
            medium,
            high,
            owners_only: owners_only == "yes",
        };
        let outcome = request
            .lucid
            .set_approvals(request.actor()?, id(&store, "store")?, to)
            .await?;
        Ok(after(outcome, &back))
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Deletes a store, if its name was typed again.
#[server(prefix = "/do", endpoint = "delete_store")]
pub async fn delete_store(store: String, again: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings(&store);
    let result = async {
        request
            .lucid
            .delete_store(request.actor()?, id(&store, "store")?, Some(&again))
            .await?;
        Ok("/stores".to_owned())
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Restores a deleted store under a name.
#[server(prefix = "/do", endpoint = "restore_store")]
pub async fn restore_store(store: String, name: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let id: StoreId = id(&store, "deleted store")?;
        request
            .lucid
            .restore_store(request.actor()?, id, &name)
            .await?;
        Ok(format!("/stores/{id}"))
    }
    .await;
    answer(&request, result, "/stores", fields([])).await
}

fn settings(store: &str) -> String {
    store.parse::<StoreId>().map_or_else(
        |_| "/stores".to_owned(),
        |s| format!("/stores/{s}/settings"),
    )
}
