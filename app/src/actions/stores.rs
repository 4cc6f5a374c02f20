//! Making stores.

use leptos::prelude::*;

use super::{Answer, answer, fields};
use crate::context::Request;

/// Makes an empty store.
#[server(prefix = "/do", endpoint = "create_store")]
pub async fn create_store(name: String, #[server(default)] description: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let store = request.lucid.create_store(request.actor()?, &name, &description).await?;
        Ok(format!("/stores/{store}"))
    }
    .await;
    answer(&request, result, "/stores", fields([("name", &name), ("description", &description)])).await
}
