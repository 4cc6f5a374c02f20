//! People, their roles, teams and grants, and requests for access.

use domain::{
    actor::{Grant, Role, StoreRole},
    ids::{AccessRequestId, StoreId, TeamId, UserId},
    memory::PathPrefix,
};
use leptos::prelude::*;
use service::{Error, Grantee, Link, NewUser, Outcome};

use super::{Answer, answer, fields, id};
use crate::context::Request;

/// Invites a person; the page that follows shows their one-time link.
#[server(prefix = "/do", endpoint = "invite")]
pub async fn invite(
    email: String,
    name: String,
    role: String,
    #[server(default)] store: String,
    #[server(default)] grant: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let kept = fields([("email", &email), ("name", &name), ("role", &role)]);
    let result = async {
        let grants = first_grant(&store, &grant)?.into_iter().collect();
        let new = NewUser {
            email,
            name,
            role: word::<Role>(&role, "role")?,
            grants,
        };
        let (user, link) = request.lucid.add_user(request.actor()?, &new).await?;
        Ok(with_link(&request, user, link))
    }
    .await;
    answer(&request, result, "/people", kept).await
}

/// Changes what somebody is.
#[server(prefix = "/do", endpoint = "set_role")]
pub async fn set_role(user: String, role: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let user: UserId = id(&user, "person")?;
        request
            .lucid
            .set_role(request.actor()?, user, word(&role, "role")?)
            .await?;
        Ok(person(user))
    }
    .await;
    answer(&request, result, &person_or_all(&user), fields([])).await
}

/// Disables an account (`disabled` is `yes`) or enables it again.
#[server(prefix = "/do", endpoint = "set_disabled")]
pub async fn set_disabled(user: String, disabled: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let user: UserId = id(&user, "person")?;
        request
            .lucid
            .set_disabled(request.actor()?, user, disabled == "yes")
            .await?;
        Ok(person(user))
    }
    .await;
    answer(&request, result, &person_or_all(&user), fields([])).await
}

/// Ends somebody's password and sign-ins; the page that follows shows the link to a new one.
#[server(prefix = "/do", endpoint = "reset_password")]
pub async fn reset_password(user: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let user: UserId = id(&user, "person")?;
        let link = request.lucid.reset_password(request.actor()?, user).await?;
        Ok(with_link(&request, user, link))
    }
    .await;
    answer(&request, result, &person_or_all(&user), fields([])).await
}

/// Gives a role on a store or path to a person or team (`to` is an id of either).
#[server(prefix = "/do", endpoint = "give_grant")]
pub async fn give_grant(
    to: String,
    store: String,
    #[server(default)] path: String,
    role: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings_or_all(&store);
    let kept = fields([("to", &to), ("path", &path), ("role", &role)]);
    let result = async {
        let grant = Grant {
            store: id(&store, "store")?,
            path: prefix(&path)?,
            role: word(&role, "role on a store")?,
        };
        let outcome = request
            .lucid
            .grant(request.actor()?, grantee(&to)?, &grant)
            .await?;
        Ok(after(outcome, &back))
    }
    .await;
    answer(&request, result, &back, kept).await
}

/// Takes a grant back.
#[server(prefix = "/do", endpoint = "revoke_grant")]
pub async fn revoke_grant(
    to: String,
    store: String,
    path: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings_or_all(&store);
    let result = async {
        let grant = Grant {
            store: id(&store, "store")?,
            path: prefix(&path)?,
            role: StoreRole::Reader,
        };
        let outcome = request
            .lucid
            .revoke(request.actor()?, grantee(&to)?, &grant)
            .await?;
        Ok(after(outcome, &back))
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Creates a team without members.
#[server(prefix = "/do", endpoint = "create_team")]
pub async fn create_team(name: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request.lucid.create_team(request.actor()?, &name).await?;
        Ok("/people#teams".to_owned())
    }
    .await;
    answer(
        &request,
        result,
        "/people#teams",
        fields([("team_name", &name)]),
    )
    .await
}

/// Puts somebody into a team (`inside` is `yes`), or takes them out.
#[server(prefix = "/do", endpoint = "set_member")]
pub async fn set_member(
    team: String,
    user: String,
    inside: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let (team, user): (TeamId, UserId) = (id(&team, "team")?, id(&user, "person")?);
        let outcome = request
            .lucid
            .set_member(request.actor()?, team, user, inside == "yes")
            .await?;
        Ok(after(outcome, "/people#teams"))
    }
    .await;
    answer(&request, result, "/people#teams", fields([])).await
}

/// Asks for access; nobody needs to be signed in.
#[server(prefix = "/do", endpoint = "request_access")]
pub async fn request_access(
    email: String,
    name: String,
    #[server(default)] reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let kept = fields([("email", &email), ("name", &name), ("reason", &reason)]);
    let result = async {
        request
            .lucid
            .request_access(&email, &name, &reason, request.client.address.as_deref())
            .await?;
        Ok("/request-access?asked=yes".to_owned())
    }
    .await;
    answer(&request, result, "/request-access", kept).await
}

/// Accepts a request for access; the page that follows shows the one-time link.
#[server(prefix = "/do", endpoint = "accept_request")]
pub async fn accept_request(
    request_id: String,
    role: String,
    #[server(default)] store: String,
    #[server(default)] grant: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let ask: AccessRequestId = id(&request_id, "request")?;
        let grant = first_grant(&store, &grant)?;
        let (user, link) = request
            .lucid
            .accept_request(request.actor()?, ask, word(&role, "role")?, grant.as_ref())
            .await?;
        Ok(with_link(&request, user, link))
    }
    .await;
    answer(&request, result, "/people", fields([])).await
}

/// Declines a request for access.
#[server(prefix = "/do", endpoint = "decline_request")]
pub async fn decline_request(request_id: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .decline_request(request.actor()?, id(&request_id, "request")?)
            .await?;
        Ok("/people".to_owned())
    }
    .await;
    answer(&request, result, "/people", fields([])).await
}

/// Lets one person alone decide (`on` is `yes`), or ends that.
#[server(prefix = "/do", endpoint = "set_solo")]
pub async fn set_solo(on: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let outcome = request
            .lucid
            .set_solo(request.actor()?, on == "yes")
            .await?;
        Ok(after(outcome, "/people#solo"))
    }
    .await;
    answer(&request, result, "/people#solo", fields([])).await
}

/// Confirms a setting that another admin asked for. `back` is the page that the form is on.
#[server(prefix = "/do", endpoint = "confirm_setting")]
pub async fn confirm_setting(
    setting: String,
    #[server(default)] store: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings_or_people(&store);
    let result = async {
        request
            .lucid
            .confirm_setting(request.actor()?, id(&setting, "setting")?)
            .await?;
        Ok(back.clone())
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Declines a setting, or withdraws one's own.
#[server(prefix = "/do", endpoint = "decline_setting")]
pub async fn decline_setting(
    setting: String,
    #[server(default)] store: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = settings_or_people(&store);
    let result = async {
        request
            .lucid
            .decline_setting(request.actor()?, id(&setting, "setting")?)
            .await?;
        Ok(back.clone())
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// The page on which a waiting setting was shown: a store's settings, the policies, or the people.
fn settings_or_people(store: &str) -> String {
    if store == "policies" {
        return "/policies".to_owned();
    }
    store.parse::<StoreId>().map_or_else(
        |_| "/people".to_owned(),
        |s| format!("/stores/{s}/settings"),
    )
}

/// The page that follows a setting: it says so where it waits for a second admin.
pub(super) fn after(outcome: Outcome, back: &str) -> String {
    match outcome {
        Outcome::Done => back.to_owned(),
        Outcome::Waits(_) => {
            let (path, _) = back.split_once('#').unwrap_or((back, ""));
            format!("{path}?waits=yes#waiting-settings")
        }
    }
}

/// The person's page, with their link shown once, or that it was sent.
fn with_link(request: &Request, user: UserId, link: Link) -> String {
    match link {
        Link::None => person(user),
        Link::Mailed => format!("{}?mailed=yes", person(user)),
        Link::Shown(token) => {
            request.show_once(&user.to_string(), &token);
            person(user)
        }
    }
}

fn person(user: UserId) -> String {
    format!("/people/{user}")
}

fn person_or_all(user: &str) -> String {
    user.parse().map_or_else(|_| "/people".to_owned(), person)
}

fn settings_or_all(store: &str) -> String {
    store.parse::<StoreId>().map_or_else(
        |_| "/stores".to_owned(),
        |s| format!("/stores/{s}/settings"),
    )
}

fn word<T: std::str::FromStr>(text: &str, what: &str) -> service::Result<T> {
    text.parse()
        .map_err(|_| Error::Invalid(format!("choose a {what}")))
}

fn prefix(text: &str) -> service::Result<PathPrefix> {
    let text = if text.trim().is_empty() {
        "/"
    } else {
        text.trim()
    };
    text.parse()
        .map_err(|e: domain::memory::BadMemory| Error::Invalid(e.to_string()))
}

fn grantee(text: &str) -> service::Result<Grantee> {
    let person = text.parse().map(Grantee::Person).ok();
    person
        .or_else(|| text.parse().map(Grantee::Team).ok())
        .ok_or_else(|| Error::Invalid("choose a person or a team".to_owned()))
}

/// The grant that somebody begins with; none where no store is chosen.
fn first_grant(store: &str, role: &str) -> service::Result<Option<Grant>> {
    if store.is_empty() {
        return Ok(None);
    }
    Ok(Some(Grant::whole(
        id(store, "store")?,
        word(role, "role on the store")?,
    )))
}
