//! API keys, and checkpoints of the audit trail.

use domain::{ids::KeyId, rights::Scope};
use leptos::prelude::*;
use service::{Error, NewKey};

use super::{Answer, answer, fields, id};
use crate::context::Request;

/// Makes a key; the page that follows shows its secret, once.
#[server(prefix = "/do", endpoint = "add_key")]
pub async fn add_key(
    name: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] store: String,
    #[server(default)] owner: String,
    #[server(default)] days: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let kept = fields([
        ("name", &name),
        ("store", &store),
        ("owner", &owner),
        ("days", &days),
        ("scopes", &scopes.join(" ")),
    ]);
    let result = async {
        let days = days.trim();
        let new = NewKey {
            name,
            owner: if owner.is_empty() {
                None
            } else {
                Some(id(&owner, "person")?)
            },
            store: if store.is_empty() {
                None
            } else {
                Some(id(&store, "store")?)
            },
            scopes: scopes
                .iter()
                .map(|s| s.parse::<Scope>())
                .collect::<Result<_, _>>()
                .map_err(|e| Error::Invalid(e.to_string()))?,
            days: if days.is_empty() {
                None
            } else {
                Some(
                    days.parse()
                        .map_err(|_| Error::Invalid("days are a whole number".to_owned()))?,
                )
            },
        };
        let (_, secret) = request.lucid.add_key(request.actor()?, &new).await?;
        request.show_once("key", &secret);
        Ok("/keys".to_owned())
    }
    .await;
    answer(&request, result, "/keys", kept).await
}

/// Ends a key at once.
#[server(prefix = "/do", endpoint = "revoke_key")]
pub async fn revoke_key(key: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .revoke_key(request.actor()?, id::<KeyId>(&key, "key")?)
            .await?;
        Ok("/keys".to_owned())
    }
    .await;
    answer(&request, result, "/keys", fields([])).await
}

/// Signs how long the audit trail is and what it ends with.
#[server(prefix = "/do", endpoint = "sign_checkpoint")]
pub async fn sign_checkpoint() -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request.lucid.sign_checkpoint(request.actor()?).await?;
        Ok("/audit/integrity".to_owned())
    }
    .await;
    answer(&request, result, "/audit/integrity", fields([])).await
}
