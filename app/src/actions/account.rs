//! Signing in and out.

use leptos::prelude::*;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use service::{Error, Place, SignedIn};
use tower_sessions::Session;

use super::{Answer, answer, fields};
use crate::context::Request;

/// Key of the signed-in person in the web session.
pub const USER: &str = "user";
/// Key of the sign-in in the web session, by which the trail knows it.
pub const SIGN_IN: &str = "sign_in";
/// Key of the time of signing in, in microseconds: the session ends 24 hours later whatever
/// happens.
pub const SIGNED_IN_AT: &str = "signed_in_at";

/// Signs in with address and password.
#[server(prefix = "/do", endpoint = "sign_in")]
pub async fn sign_in(
    email: String,
    password: String,
    next: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    // The start page leads each role to where its work is.
    let next = if is_own_page(&next) {
        next
    } else {
        "/".to_owned()
    };
    let result = async {
        let browser = request.browser_token();
        let signed_in = request
            .lucid
            .sign_in(&email, &password, place(&request, browser.as_deref()))
            .await?;
        remember(&request, &signed_in).await?;
        Ok(next.clone())
    }
    .await;
    answer(
        &request,
        result,
        &format!("/sign-in?next={}", encoded(&next)),
        fields([("email", &email)]),
    )
    .await
}

/// Uses a one-time link: sets the password and signs in.
#[server(prefix = "/do", endpoint = "use_link")]
pub async fn use_link(
    token: String,
    password: String,
    again: String,
    #[server(default)] email: String,
    #[server(default)] name: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let token = token
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(64)
        .collect::<String>();
    let result = async {
        if password != again {
            return Err(Error::Invalid(
                "the two passwords are not the same".to_owned(),
            ));
        }
        let browser = request.browser_token();
        let signed_in = request
            .lucid
            .use_link(
                &token,
                &password,
                &email,
                &name,
                place(&request, browser.as_deref()),
            )
            .await?;
        remember(&request, &signed_in).await?;
        Ok("/".to_owned())
    }
    .await;
    answer(
        &request,
        result,
        &format!("/link/{token}"),
        fields([("email", &email), ("name", &name)]),
    )
    .await
}

/// Signs out: the session ends here and in the database.
#[server(prefix = "/do", endpoint = "sign_out")]
pub async fn sign_out() -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        if let Some(current) = &request.current {
            request.lucid.sign_out(&current.actor).await?;
        }
        web_session(&request)?
            .flush()
            .await
            .map_err(|_| Error::Internal("the session could not be ended"))?;
        Ok("/sign-in".to_owned())
    }
    .await;
    answer(&request, result, "/queue", fields([])).await
}

/// Sets one's own password; every other sign-in ends.
#[server(prefix = "/do", endpoint = "change_password")]
pub async fn change_password(
    before: String,
    password: String,
    again: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        if password != again {
            return Err(Error::Invalid(
                "the two passwords are not the same".to_owned(),
            ));
        }
        request
            .lucid
            .change_password(request.actor()?, &before, &password)
            .await?;
        Ok("/account?changed=yes".to_owned())
    }
    .await;
    answer(&request, result, "/account", fields([])).await
}

/// Ends one of one's own sign-ins, or with no handle all but this one.
#[server(prefix = "/do", endpoint = "end_sign_in")]
pub async fn end_sign_in(#[server(default)] handle: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let handle = Some(handle.as_str()).filter(|h| !h.is_empty());
        request
            .lucid
            .end_own_sign_in(request.actor()?, handle)
            .await?;
        Ok("/account".to_owned())
    }
    .await;
    answer(&request, result, "/account", fields([])).await
}

fn web_session(request: &Request) -> service::Result<&Session> {
    request
        .session
        .as_ref()
        .ok_or(Error::Internal("a request came without a session"))
}

fn place<'a>(request: &'a Request, browser: Option<&'a str>) -> Place<'a> {
    Place {
        address: request.client.address.as_deref(),
        browser,
    }
}

/// Begins an empty web session for a new sign-in, under a new id: nothing that somebody else left
/// in this browser is taken over.
async fn remember(request: &Request, signed_in: &SignedIn) -> service::Result<()> {
    let session = web_session(request)?;
    let failed = |_| Error::Internal("the session could not be stored");
    session.flush().await.map_err(failed)?;
    request.know_browser(&signed_in.browser);
    session.insert(USER, signed_in.user).await.map_err(failed)?;
    session
        .insert(SIGN_IN, signed_in.sign_in)
        .await
        .map_err(failed)?;
    session
        .insert("browser", &request.client.browser)
        .await
        .map_err(failed)?;
    session
        .insert("from", &request.client.address)
        .await
        .map_err(failed)?;
    session
        .insert(SIGNED_IN_AT, request.now())
        .await
        .map_err(failed)
}

/// True if an address is a page of this Lucid: only such are gone to after signing in.
pub(super) fn is_own_page(next: &str) -> bool {
    next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(|c: char| c == '\\' || c.is_control())
        && !next.starts_with("/do/")
}

/// The bytes of a value that are escaped in a query.
const ESCAPED_IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'/');

/// A value for a query.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED_IN_QUERY).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_pages_are_gone_to() {
        assert!(is_own_page("/changesets/chgset_1?x=1#y"));
        for foreign in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/do/sign_out",
            "/a\r\nb",
            "/\t/evil.example",
        ] {
            assert!(!is_own_page(foreign), "{foreign:?}");
        }
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(encoded("/a?b=c&d"), "/a%3Fb%3Dc%26d");
    }
}
