//! Deciding and committing.
#![expect(clippy::too_many_arguments, reason = "a form's fields are its function's parameters")]

use domain::{changeset::RejectCode, ids::ChangeId};
use leptos::prelude::*;
use service::{CommitRequest, Decision, Error, Expected, Verdict};

use super::{Answer, Fields, answer, fields, id};
use crate::context::Request;

/// A vote on one change, naming the revision and digest that were shown. `verdict` is `approve`, `reject` or `defer`.
#[server(prefix = "/do", endpoint = "decide")]
pub async fn decide(
    changeset: String,
    change: String,
    revision: i64,
    digest: String,
    verdict: String,
    #[server(default)] reject_code: String,
    #[server(default)] note: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = format!("/changesets/{}#{}", plain(&changeset), plain(&change));
    let kept = fields([("change", &change), ("verdict", &verdict), ("reject_code", &reject_code), ("note", &note)]);
    let result = async {
        let verdict = match verdict.as_str() {
            "approve" => Verdict::Approve,
            "defer" => Verdict::Defer,
            "reject" => {
                Verdict::Reject(reject_code.parse::<RejectCode>().map_err(|_| Error::Invalid("choose why you reject it".to_owned()))?)
            }
            _ => return Err(Error::Invalid("a verdict is approve, reject or defer".to_owned())),
        };
        let change: ChangeId = id(&change, "change")?;
        let changeset = request.lucid.decide(request.actor()?, &Decision { change, revision, digest, verdict, note }).await?;
        // On to what waits next, without a click.
        let next = next_pending(&request, changeset, change).await?;
        Ok(format!("/changesets/{changeset}#{}", next.unwrap_or(change)))
    }
    .await;
    answer(&request, result, &back, kept).await
}

/// Takes the decision on a change back.
#[server(prefix = "/do", endpoint = "take_back")]
pub async fn take_back(changeset: String, change: String, revision: i64) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = format!("/changesets/{}#{}", plain(&changeset), plain(&change));
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let changeset = request.lucid.take_back(request.actor()?, change, revision).await?;
        Ok(format!("/changesets/{changeset}#{change}"))
    }
    .await;
    answer(&request, result, &back, fields([("change", &change)])).await
}

/// Gives a change other contents: a new revision. `content_0`, `content_1` .. are the texts in order; a change has at most five
/// that can be edited at once.
#[server(prefix = "/do", endpoint = "edit_change")]
pub async fn edit_change(
    changeset: String,
    change: String,
    revision: i64,
    digest: String,
    content_0: String,
    #[server(default)] content_1: Option<String>,
    #[server(default)] content_2: Option<String>,
    #[server(default)] content_3: Option<String>,
    #[server(default)] content_4: Option<String>,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = format!("/changesets/{}#{}", plain(&changeset), plain(&change));
    let contents: Vec<String> = [Some(content_0), content_1, content_2, content_3, content_4].into_iter().flatten().collect();
    let mut kept: Fields = fields([("change", &change), ("verdict", "edit")]);
    kept.extend(contents.iter().enumerate().map(|(n, text)| (format!("content_{n}"), text.clone())));
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let changeset = request.lucid.edit_change(request.actor()?, change, (revision, &digest), &contents).await?;
        Ok(format!("/changesets/{changeset}#{change}"))
    }
    .await;
    answer(&request, result, &back, kept).await
}

/// Commits the approved changes that were shown: `expected` is `change:revision:digest`, one after the other, with commas.
#[server(prefix = "/do", endpoint = "commit")]
pub async fn commit(changeset: String, #[server(default)] expected: String, idempotency_key: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = format!("/changesets/{}", plain(&changeset));
    let result = async {
        let expected = expected.split(',').filter(|e| !e.is_empty()).map(parse_expected).collect::<service::Result<Vec<_>>>()?;
        let asked = CommitRequest { changeset: id(&changeset, "changeset")?, expected, idempotency_key };
        let done = request.lucid.commit(request.actor()?, &asked).await?;
        Ok(format!("/changesets/{}?committed={}", asked.changeset, done.commit))
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

fn parse_expected(text: &str) -> service::Result<Expected> {
    let mut parts = text.split(':');
    let bad = || Error::Invalid("the list of approved changes cannot be read; reload the page".to_owned());
    let (change, revision, digest) = (parts.next().ok_or_else(bad)?, parts.next().ok_or_else(bad)?, parts.next().ok_or_else(bad)?);
    Ok(Expected { change: id(change, "change")?, revision: revision.parse().map_err(|_| bad())?, digest: digest.to_owned() })
}

async fn next_pending(request: &Request, changeset: domain::ids::ChangesetId, after: ChangeId) -> service::Result<Option<ChangeId>> {
    let view = request.lucid.changeset(request.actor()?, changeset).await?;
    let at = view.changes.iter().position(|c| c.change.id == after).unwrap_or(0);
    let (before, rest) = view.changes.split_at(at);
    let waits = |c: &&service::ChangeView| c.change.state == domain::changeset::ChangeState::Pending && c.change.id != after;
    Ok(rest.iter().chain(before).find(waits).map(|c| c.change.id))
}

/// What may stand in an address: an id as it was sent, without anything that means something there.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(80).collect()
}
