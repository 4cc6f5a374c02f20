//! Deciding and committing: each action names the change, revision and digest that were shown, and
//! leads on to what waits next.
#![expect(
    clippy::too_many_arguments,
    reason = "a form's fields are its function's parameters"
)]

use domain::{
    Timestamp,
    changeset::RejectCode,
    ids::{ChangeId, ChangesetId, CommitId, MemoryId, VersionId},
};
use leptos::prelude::*;
use service::{CommitRequest, Decision, Error, Expected, Verdict};

use super::{Answer, Fields, answer, fields, id};
use crate::context::Request;

/// A vote on one change, naming the revision and digest that were shown. `verdict` is `approve`,
/// `reject` or `defer`; `until` a day (`2026-11-22`); `password` signs, where the change is of high
/// risk.
#[server(prefix = "/do", endpoint = "decide")]
pub async fn decide(
    changeset: String,
    change: String,
    revision: i64,
    digest: String,
    verdict: String,
    #[server(default)] reject_code: String,
    #[server(default)] until: String,
    #[server(default)] note: String,
    #[server(default)] password: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let kept = fields([
        ("change", &change),
        ("verdict", &verdict),
        ("reject_code", &reject_code),
        ("until", &until),
        ("note", &note),
    ]);
    let result = async {
        let verdict = parse_verdict(&verdict, &reject_code, &until)?;
        let id: ChangeId = id(&change, "change")?;
        confirm(&request, &password).await?;
        let decision = Decision {
            change: id,
            revision,
            digest,
            verdict,
            note,
        };
        let changeset = request.lucid.decide(request.actor()?, &decision).await?;
        // What was decided is decided, also if the next cannot be found just now.
        Ok(on_to_next(&request, changeset, id)
            .await
            .unwrap_or_else(|_| at(changeset, id)))
    }
    .await;
    answer(&request, result, &back(&changeset, &change), kept).await
}

/// Votes on many changes: each of `chosen` is `change:revision:digest`; `expected` names several,
/// with commas.
#[server(prefix = "/do", endpoint = "decide_many")]
pub async fn decide_many(
    #[server(default)] expected: String,
    #[server(default)] chosen: Vec<String>,
    verdict: String,
    #[server(default)] reject_code: String,
    #[server(default)] until: String,
    #[server(default)] note: String,
    #[server(default)] password: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let all = chosen
        .iter()
        .map(String::as_str)
        .chain([expected.as_str()])
        .collect::<Vec<_>>()
        .join(",");
    let chosen = parse_all(&all);
    let names: Vec<String> = chosen
        .iter()
        .flatten()
        .map(|e| format!("{}=on", e.change))
        .collect();
    let back = format!("/bulk?{}", names.join("&"));
    let mut kept = fields([("verdict", &verdict)]);
    let result = async {
        let verdict = parse_verdict(&verdict, &reject_code, &until)?;
        confirm(&request, &password).await?;
        let named = |e: Expected| Decision {
            change: e.change,
            revision: e.revision,
            digest: e.digest,
            verdict,
            note: note.clone(),
        };
        let decisions: Vec<Decision> = chosen?.into_iter().map(named).collect();
        let results = request
            .lucid
            .decide_many(request.actor()?, &decisions)
            .await?;
        let refused: Vec<String> = results
            .iter()
            .filter_map(|r| {
                r.refused
                    .as_ref()
                    .map(|why| format!("“{}”: {}", r.title, why.message()))
            })
            .collect();
        if refused.is_empty() {
            return Ok(back.clone());
        }
        // One alone is refused for what is wrong with it; of many, each says it for itself.
        if let [only] = &mut results.into_iter().collect::<Vec<_>>()[..]
            && let Some(why) = only.refused.take()
        {
            return Err(why);
        }
        if decisions.len() > refused.len() {
            kept.insert("partly".to_owned(), "on".to_owned());
        }
        Err(Error::Conflict(format!(
            "{} of {} were not decided: {}",
            refused.len(),
            decisions.len(),
            refused.join("; ")
        )))
    }
    .await;
    answer(&request, result, &back, kept).await
}

/// Takes the decision on a change back.
#[server(prefix = "/do", endpoint = "take_back")]
pub async fn take_back(
    changeset: String,
    change: String,
    revision: i64,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let changeset = request
            .lucid
            .take_back(request.actor()?, change, revision)
            .await?;
        Ok(at(changeset, change))
    }
    .await;
    answer(
        &request,
        result,
        &back(&changeset, &change),
        fields([("change", &change)]),
    )
    .await
}

/// Undoes the reader's last decision. `back` is the changeset that they look at.
#[server(prefix = "/do", endpoint = "undo")]
pub async fn undo(#[server(default)] back: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let undone = request.lucid.undo(request.actor()?).await?;
        Ok(at(undone.changeset, undone.change))
    }
    .await;
    let to = if back.is_empty() {
        "/queue".to_owned()
    } else {
        format!("/changesets/{}", plain(&back))
    };
    answer(&request, result, &to, fields([])).await
}

/// Gives a change other contents: a new revision. `content_0`, `content_1` .. are the texts in
/// order; a change has at most five that can be edited at once.
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
    let contents: Vec<String> = [Some(content_0), content_1, content_2, content_3, content_4]
        .into_iter()
        .flatten()
        .collect();
    let kept = typed(&change, "edit", &contents);
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let changeset = request
            .lucid
            .edit_change(request.actor()?, change, (revision, &digest), &contents)
            .await?;
        Ok(at(changeset, change))
    }
    .await;
    answer(&request, result, &back(&changeset, &change), kept).await
}

/// Carries a conflicted change over to the memory as it is now. `against` names the version shown
/// for each edit, with commas, `-` where nothing stands.
#[server(prefix = "/do", endpoint = "rebase_change")]
pub async fn rebase_change(
    changeset: String,
    change: String,
    revision: i64,
    digest: String,
    against: String,
    #[server(default)] content_0: Option<String>,
    #[server(default)] content_1: Option<String>,
    #[server(default)] content_2: Option<String>,
    #[server(default)] content_3: Option<String>,
    #[server(default)] content_4: Option<String>,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let contents: Vec<String> = [content_0, content_1, content_2, content_3, content_4]
        .into_iter()
        .flatten()
        .collect();
    let kept = typed(&change, "rebase", &contents);
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let version = |v: &str| {
            if v == "-" {
                Ok(None)
            } else {
                id::<VersionId>(v, "version").map(Some)
            }
        };
        let against = against
            .split(',')
            .map(version)
            .collect::<service::Result<Vec<_>>>()?;
        let changeset = request
            .lucid
            .rebase_change(
                request.actor()?,
                change,
                (revision, &digest),
                &against,
                &contents,
            )
            .await?;
        Ok(at(changeset, change))
    }
    .await;
    answer(&request, result, &back(&changeset, &change), kept).await
}

/// Takes back the last edit of a change, by a new revision.
#[server(prefix = "/do", endpoint = "discard_revision")]
pub async fn discard_revision(
    changeset: String,
    change: String,
    revision: i64,
    digest: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let changeset = request
            .lucid
            .discard_revision(request.actor()?, change, (revision, &digest))
            .await?;
        Ok(at(changeset, change))
    }
    .await;
    answer(
        &request,
        result,
        &back(&changeset, &change),
        fields([("change", &change)]),
    )
    .await
}

/// Lets a proposed new memory take the place of one that says nearly the same.
#[server(prefix = "/do", endpoint = "replace_instead")]
pub async fn replace_instead(
    changeset: String,
    change: String,
    revision: i64,
    digest: String,
    memory: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let memory: MemoryId = id(&memory, "memory")?;
        let changeset = request
            .lucid
            .replace_instead(request.actor()?, change, (revision, &digest), memory)
            .await?;
        Ok(at(changeset, change))
    }
    .await;
    answer(
        &request,
        result,
        &back(&changeset, &change),
        fields([("change", &change)]),
    )
    .await
}

/// Saves the queue's filters under a name. `query` is that of the address.
#[server(prefix = "/do", endpoint = "save_view")]
pub async fn save_view(
    name: String,
    #[server(default)] query: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .save_view(request.actor()?, &name, &query)
            .await?;
        Ok(queue_with(&query))
    }
    .await;
    answer(
        &request,
        result,
        &queue_with(&query),
        fields([("name", &name)]),
    )
    .await
}

/// Removes a saved view. `query` is that of the address to go back to.
#[server(prefix = "/do", endpoint = "delete_view")]
pub async fn delete_view(
    name: String,
    #[server(default)] query: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request.lucid.delete_view(request.actor()?, &name).await?;
        Ok(queue_with(&query))
    }
    .await;
    answer(&request, result, &queue_with(&query), fields([])).await
}

/// The queue with these filters; without any where they are none of its own making.
fn queue_with(query: &str) -> String {
    let plain = query.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if query.is_empty() || !plain {
        "/queue".to_owned()
    } else {
        format!("/queue?{query}")
    }
}

/// Says something about a change.
#[server(prefix = "/do", endpoint = "comment")]
pub async fn comment(
    changeset: String,
    change: String,
    body: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let kept = fields([("change", &change), ("verdict", "comment"), ("body", &body)]);
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let changeset = request
            .lucid
            .comment(request.actor()?, change, &body.replace("\r\n", "\n"))
            .await?;
        Ok(at(changeset, change))
    }
    .await;
    answer(&request, result, &back(&changeset, &change), kept).await
}

/// Claims a changeset, or renews one's claim.
#[server(prefix = "/do", endpoint = "claim")]
pub async fn claim(changeset: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let to = format!("/changesets/{}", plain(&changeset));
    let result = async {
        request
            .lucid
            .claim(request.actor()?, id(&changeset, "changeset")?)
            .await?;
        Ok(to.clone())
    }
    .await;
    answer(&request, result, &to, fields([])).await
}

/// Lets go of one's claim.
#[server(prefix = "/do", endpoint = "release")]
pub async fn release(changeset: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let to = format!("/changesets/{}", plain(&changeset));
    let result = async {
        request
            .lucid
            .release(request.actor()?, id(&changeset, "changeset")?)
            .await?;
        Ok(to.clone())
    }
    .await;
    answer(&request, result, &to, fields([])).await
}

/// Takes a changeset back that one proposed.
#[server(prefix = "/do", endpoint = "withdraw")]
pub async fn withdraw(changeset: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let to = format!("/changesets/{}", plain(&changeset));
    let result = async {
        request
            .lucid
            .withdraw(request.actor()?, id(&changeset, "changeset")?)
            .await?;
        Ok(to.clone())
    }
    .await;
    answer(&request, result, &to, fields([])).await
}

/// Commits the approved changes that were shown: `expected` is `change:revision:digest`, one after
/// the other, with commas.
#[server(prefix = "/do", endpoint = "commit")]
pub async fn commit(
    changeset: String,
    #[server(default)] expected: String,
    idempotency_key: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = format!("/changesets/{}", plain(&changeset));
    let result = async {
        let asked = CommitRequest {
            changeset: id(&changeset, "changeset")?,
            expected: parse_all(&expected)?,
            idempotency_key,
        };
        let done = request.lucid.commit(request.actor()?, &asked).await?;
        Ok(format!(
            "/changesets/{}?committed={}",
            asked.changeset, done.commit
        ))
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Proposes to revert a commit, or one change of it.
#[server(prefix = "/do", endpoint = "revert")]
pub async fn revert(
    commit: String,
    #[server(default)] change: Option<String>,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = format!("/commits/{}", plain(&commit));
    let result = async {
        let (actor, commit) = (request.actor()?, id::<CommitId>(&commit, "commit")?);
        let changeset = match change {
            Some(change) => {
                request
                    .lucid
                    .revert_change(actor, commit, id(&change, "change")?)
                    .await?
            }
            None => request.lucid.revert(actor, commit).await?,
        };
        Ok(format!("/changesets/{changeset}"))
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Shows the quotes of a change with nothing masked, for ten minutes in this sign-in; the trail
/// says so.
#[server(prefix = "/do", endpoint = "reveal_quotes")]
pub async fn reveal_quotes(changeset: String, change: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let changeset = request
            .lucid
            .reveal_quotes(request.actor()?, change)
            .await?;
        request.reveal(&change.to_string()).await?;
        Ok(at(changeset, change))
    }
    .await;
    answer(
        &request,
        result,
        &back(&changeset, &change),
        fields([("change", &change)]),
    )
    .await
}

/// Shows a part of a transcript with nothing masked; the trail says so.
#[server(prefix = "/do", endpoint = "reveal_session")]
pub async fn reveal_session(
    session: String,
    #[server(default)] after: i64,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let page = format!("/sessions/{}?after={after}", plain(&session));
    let result = async {
        let session: domain::ids::SessionId = id(&session, "session")?;
        request
            .lucid
            .reveal_transcript(request.actor()?, session, after)
            .await?;
        request.reveal(&format!("{session} {after}")).await?;
        Ok(page.clone())
    }
    .await;
    answer(&request, result, &page, fields([])).await
}

/// Masks again what was revealed.
#[server(prefix = "/do", endpoint = "mask")]
pub async fn mask(#[server(default)] back: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = if super::account::is_own_page(&back) {
        back
    } else {
        "/queue".to_owned()
    };
    let result = async {
        request.actor()?;
        request.mask().await?;
        Ok(back.clone())
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Notes that a change is before the reader's eyes, and that they have read what they were told of
/// its changeset. A page that is looked at sends it by itself; without scripts there is a button.
#[server(prefix = "/do", endpoint = "note_opened")]
pub async fn note_opened(
    changeset: String,
    change: String,
    revision: i64,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let id: ChangeId = id(&change, "change")?;
        let changeset = request.lucid.changeset_of(request.actor()?, id).await?;
        request
            .lucid
            .note_opened(request.actor()?, id, revision)
            .await?;
        request
            .lucid
            .mark_read(request.actor()?, Some(changeset))
            .await?;
        Ok(at(changeset, id))
    }
    .await;
    answer(&request, result, &back(&changeset, &change), fields([])).await
}

/// How diffs are shown from now on in this sign-in: `unified`, `side` or `preview`.
#[server(prefix = "/do", endpoint = "set_view")]
pub async fn set_view(
    changeset: String,
    change: String,
    view: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let to = back(&changeset, &change);
    let result = async {
        request.actor()?;
        let view = ["side", "preview"]
            .into_iter()
            .find(|v| *v == view)
            .unwrap_or("unified");
        request.show_diffs_as(view).await?;
        Ok(to.clone())
    }
    .await;
    answer(&request, result, &to, fields([])).await
}

/// Marks everything in the inbox as read.
#[server(prefix = "/do", endpoint = "read_all")]
pub async fn read_all() -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request.lucid.mark_read(request.actor()?, None).await?;
        Ok("/inbox".to_owned())
    }
    .await;
    answer(&request, result, "/inbox", fields([])).await
}

/// Turns notices by email on or off: `yes` or `no`.
#[server(prefix = "/do", endpoint = "mail_notices")]
pub async fn mail_notices(wants: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .set_wants_mail(request.actor()?, wants == "yes")
            .await?;
        Ok("/inbox".to_owned())
    }
    .await;
    answer(&request, result, "/inbox", fields([])).await
}

fn parse_verdict(verdict: &str, reject_code: &str, until: &str) -> service::Result<Verdict> {
    match verdict {
        "approve" => Ok(Verdict::Approve),
        "defer" if until.is_empty() => Ok(Verdict::Defer(None)),
        "defer" => {
            let until = Timestamp::morning_of(until)
                .ok_or_else(|| Error::Invalid("the day is written like 2026-11-22".to_owned()))?;
            Ok(Verdict::Defer(Some(until)))
        }
        "reject" => {
            let code = reject_code
                .parse::<RejectCode>()
                .map_err(|_| Error::Invalid("choose why you reject it".to_owned()))?;
            Ok(Verdict::Reject(code))
        }
        _ => Err(Error::Invalid(
            "a verdict is approve, reject or defer".to_owned(),
        )),
    }
}

/// Confirms the password for this sign-in, if it came with the form.
async fn confirm(request: &Request, password: &str) -> service::Result<()> {
    if password.is_empty() {
        return Ok(());
    }
    request
        .lucid
        .confirm_password(request.actor()?, password)
        .await
}

fn parse_all(expected: &str) -> service::Result<Vec<Expected>> {
    expected
        .split(',')
        .filter(|e| !e.is_empty())
        .map(parse_expected)
        .collect()
}

fn parse_expected(text: &str) -> service::Result<Expected> {
    let mut parts = text.split(':');
    let bad = || Error::Invalid("the list of changes cannot be read; reload the page".to_owned());
    let (change, revision, digest) = (
        parts.next().ok_or_else(bad)?,
        parts.next().ok_or_else(bad)?,
        parts.next().ok_or_else(bad)?,
    );
    Ok(Expected {
        change: id(change, "change")?,
        revision: revision.parse().map_err(|_| bad())?,
        digest: digest.to_owned(),
    })
}

/// Returns what was typed into an editor, to be shown again.
fn typed(change: &str, verdict: &str, contents: &[String]) -> Fields {
    let mut kept = fields([("change", change), ("verdict", verdict)]);
    kept.extend(
        contents
            .iter()
            .enumerate()
            .map(|(n, text)| (format!("content_{n}"), text.clone())),
    );
    kept
}

/// On to the change that waits for the reader next, without a click; back to the one that was
/// decided, if none does.
async fn on_to_next(
    request: &Request,
    changeset: ChangesetId,
    after: ChangeId,
) -> service::Result<String> {
    let next = request
        .lucid
        .next_waiting(request.actor()?, changeset, after)
        .await?;
    Ok(at(changeset, next.unwrap_or(after)))
}

/// The desk with a change open.
fn at(changeset: ChangesetId, change: ChangeId) -> String {
    format!("/changesets/{changeset}?change={change}")
}

/// The desk that a form came from.
pub(super) fn back(changeset: &str, change: &str) -> String {
    format!("/changesets/{}?change={}", plain(changeset), plain(change))
}

/// Returns what may be in an address: an id as it was sent, without anything that means
/// something there.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(80)
        .collect()
}
