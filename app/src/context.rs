//! What a page or an action knows about its request: Lucid, who is signed in, and what a refused
//! form held.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use cookie::{Cookie, SameSite};
use domain::{Timestamp, actor::Actor, ids::StoreId};
use http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_router::hooks::{use_params_map, use_query_map};
use service::{Error, Kind, Lucid, RefusedForm, StoreName, UserView};
use tower_sessions::Session;

use crate::components::{
    forms::{FormToken, Refused},
    layout::{COUNTED, ErrorPage, Frame, Framed},
};

/// The person who is signed in; the server's middleware puts it into the request.
#[derive(Debug, Clone)]
pub struct Current {
    pub actor: Actor,
    /// How they are called.
    pub user: UserView,
    /// What every form of their web session carries, and no other form can.
    pub form_token: String,
}

/// The address and browser of a request; the server's middleware puts it into the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Network address, as far as it is known: of the last proxy, unless Lucid was told to believe
    /// that one.
    pub address: Option<String>,
    /// What the browser calls itself; at most 200 characters.
    pub browser: Option<String>,
    /// The address that browsers use for Lucid, without a slash at the end.
    pub public_url: String,
    /// True if cookies go over https (or to this machine) only.
    pub secure: bool,
    /// The id of the request, as the log and the answer's header `request-id` have it.
    pub request_id: String,
}

/// The cookie with a text that is shown once: the secret of a new key, a one-time link. The answer
/// of a form sets it, and the next page deletes it; Lucid stores it nowhere.
const ONCE: &str = "lucid-once";
/// The cookie by which a browser is known in which somebody signed in before: who guesses elsewhere
/// cannot lock its owner out.
const BROWSER: &str = "lucid-browser";

/// The web session's key for what was revealed last, and when.
const REVEALED: &str = "revealed";
/// How long it stays unmasked, in seconds.
const REVEALED_SECONDS: i64 = 600;
/// The web session's key for how diffs are shown.
const DIFF_VIEW: &str = "diff_view";

/// Everything that a page needs, taken before it waits for anything.
#[derive(Clone)]
pub struct Request {
    pub lucid: Lucid,
    pub current: Option<Current>,
    pub params: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    pub client: Client,
    /// The web session that it belongs to, if it has one.
    pub session: Option<Session>,
    cookies: Option<String>,
    response: ResponseOptions,
    /// The page itself shows the refused form.
    shows_refused: Arc<AtomicBool>,
    /// The page is the desk.
    is_desk: Arc<AtomicBool>,
    /// The store that the page is about.
    store: Arc<OnceLock<StoreId>>,
    /// The stores that the reader sees, once somebody asked.
    stores: Arc<OnceLock<Vec<StoreName>>>,
}

impl Request {
    /// The request that is being answered by a page.
    pub fn of_page() -> Self {
        let read = |map: Memo<leptos_router::params::ParamsMap>| {
            let map = map.get_untracked();
            map.into_iter().map(|(k, v)| (k.into_owned(), v)).collect()
        };
        Self {
            params: read(use_params_map()),
            query: read(use_query_map()),
            ..Self::of_action()
        }
    }

    /// The request that is being answered by an action.
    pub fn of_action() -> Self {
        let parts = use_context::<Parts>();
        let extension = parts.as_ref().map(|p| &p.extensions);
        Self {
            lucid: expect_context::<Lucid>(),
            current: extension.and_then(|e| e.get::<Current>().cloned()),
            client: extension
                .and_then(|e| e.get::<Client>().cloned())
                .unwrap_or_default(),
            session: extension.and_then(|e| e.get::<Session>().cloned()),
            cookies: parts
                .as_ref()
                .and_then(|p| p.headers.get(header::COOKIE))
                .and_then(|v| v.to_str().ok())
                .map(str::to_owned),
            params: BTreeMap::new(),
            query: BTreeMap::new(),
            response: expect_context::<ResponseOptions>(),
            shows_refused: Arc::default(),
            is_desk: Arc::default(),
            store: Arc::default(),
            stores: Arc::default(),
        }
    }

    /// The person who is signed in, or that nobody is.
    pub fn actor(&self) -> service::Result<&Actor> {
        self.current.as_ref().map(|c| &c.actor).ok_or(Error::SignIn)
    }

    /// The stores that the reader sees, by name; read once for the page and its frame.
    pub async fn store_names(&self) -> service::Result<Vec<StoreName>> {
        if let Some(names) = self.stores.get() {
            return Ok(names.clone());
        }
        let names = self.lucid.store_names(self.actor()?).await?;
        Ok(self.stores.get_or_init(|| names).clone())
    }

    /// Gives the page that follows a text to show once, about this subject alone. Both may hold
    /// letters, digits and `_`.
    pub fn show_once(&self, about: &str, text: &str) {
        self.set_once(&format!("{about}.{text}"), 60);
    }

    /// The text about this subject that the form before gave to be shown once; whatever it was
    /// about, it is gone with this page.
    pub fn shown_once(&self, about: &str) -> Option<String> {
        let text = self.cookie(ONCE)?;
        self.set_once("", 0);
        let (subject, text) = text.split_once('.')?;
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !text.is_empty();
        (plain && subject == about).then(|| text.to_owned())
    }

    /// The token that this browser keeps since somebody signed in here.
    pub fn browser_token(&self) -> Option<String> {
        self.cookie(BROWSER)
    }

    /// Lets this browser be known by a token for half a year.
    pub fn know_browser(&self, token: &str) {
        self.set_cookie(BROWSER, token, 182 * 86_400, SameSite::Lax);
    }

    fn set_once(&self, text: &str, seconds: i64) {
        self.set_cookie(ONCE, text, seconds, SameSite::Strict);
    }

    fn cookie_name(&self, name: &str) -> String {
        if self.client.secure {
            format!("__Host-{name}")
        } else {
            name.to_owned()
        }
    }

    fn cookie(&self, name: &str) -> Option<String> {
        let name = self.cookie_name(name);
        let mut all = self
            .cookies
            .as_deref()?
            .split(';')
            .filter_map(|c| c.trim().split_once('='));
        all.find(|(n, _)| *n == name)
            .map(|(_, value)| value.to_owned())
    }

    fn set_cookie(&self, name: &str, value: &str, seconds: i64, same_site: SameSite) {
        let cookie = Cookie::build((self.cookie_name(name), value))
            .path("/")
            .max_age(cookie::time::Duration::seconds(seconds))
            .http_only(true)
            .same_site(same_site)
            .secure(self.client.secure);
        if let Ok(cookie) = HeaderValue::from_str(&cookie.to_string()) {
            self.response.append_header(header::SET_COOKIE, cookie);
        }
    }

    /// The id in the path. One that cannot be an id names nothing.
    pub fn id<T: std::str::FromStr>(&self, what: &'static str) -> service::Result<T> {
        self.params
            .get("id")
            .and_then(|id| id.parse().ok())
            .ok_or(Error::NotFound(what))
    }

    /// A query parameter, if it is there and can be read.
    pub fn asked<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.query.get(name).and_then(|v| v.parse().ok())
    }

    /// Says which store the page is about; the sidebar then leads to that store's pages.
    pub fn is_about(&self, store: StoreId) {
        let _ = self.store.set(store);
    }

    /// The current time by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.lucid.now()
    }

    /// True if the reader revealed this a moment ago: quotes of a change, or a part of a
    /// transcript.
    pub async fn is_revealed(&self, what: &str) -> bool {
        let Some(session) = &self.session else {
            return false;
        };
        let revealed: Option<(String, Timestamp)> = session.get(REVEALED).await.ok().flatten();
        revealed.is_some_and(|(subject, at)| {
            subject == what && at.plus_seconds(REVEALED_SECONDS) > self.now()
        })
    }

    /// Lets pages show this unmasked for a while; the trail must say so already.
    pub async fn reveal(&self, what: &str) -> service::Result<()> {
        let session = self.session.as_ref().ok_or(Error::Ended)?;
        session
            .insert(REVEALED, (what, self.now()))
            .await
            .map_err(|_| Error::Internal("the session could not be written"))
    }

    /// Masks again what was revealed.
    pub async fn mask(&self) -> service::Result<()> {
        let session = self.session.as_ref().ok_or(Error::Ended)?;
        session
            .remove::<(String, Timestamp)>(REVEALED)
            .await
            .map_err(|_| Error::Internal("the session could not be written"))?;
        Ok(())
    }

    /// How the reader wants diffs shown, as they last chose: `unified`, `side` or `preview`.
    pub async fn diff_view(&self) -> String {
        let unified = || "unified".to_owned();
        let Some(session) = &self.session else {
            return unified();
        };
        session
            .get(DIFF_VIEW)
            .await
            .ok()
            .flatten()
            .unwrap_or_else(unified)
    }

    /// Keeps how the reader wants diffs shown.
    pub async fn show_diffs_as(&self, view: &str) -> service::Result<()> {
        let session = self.session.as_ref().ok_or(Error::Ended)?;
        session
            .insert(DIFF_VIEW, view)
            .await
            .map_err(|_| Error::Internal("the session could not be written"))
    }

    /// Answers with another page instead of this one.
    pub fn lead_to(&self, address: &str) {
        if let Ok(to) = HeaderValue::from_str(address) {
            self.response.insert_header(header::LOCATION, to);
            self.set_status(303);
        }
    }

    /// Sets the status of the answer.
    pub fn set_status(&self, status: u16) {
        self.response
            .set_status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    }

    /// The refused form that the address names, if it is this person's; the page then answers with
    /// its status.
    pub async fn refused(&self) -> Option<RefusedForm> {
        let id = self.asked("refused")?;
        let user = self.current.as_ref().map(|c| c.user.id);
        let form = self.lucid.refused_form(user, id).await.ok()??;
        self.set_status(form.status);
        self.shows_refused.store(true, Ordering::Relaxed);
        Some(form)
    }

    /// Tells the frame that the page is the desk, which needs the room.
    pub fn show_as_desk(&self) {
        self.is_desk.store(true, Ordering::Relaxed);
    }

    /// The refused form that the page does not show by itself: a form that it has none of its own
    /// for led here.
    async fn refused_elsewhere(&self) -> Option<RefusedForm> {
        if self.shows_refused.load(Ordering::Relaxed) {
            None
        } else {
            self.refused().await
        }
    }
}

/// A page with the frame around it: waits for its content, or shows why there is none.
pub fn page<F>(here: &'static str, content: impl FnOnce(Request) -> F) -> AnyView
where
    F: Future<Output = service::Result<AnyView>> + Send + 'static,
{
    let request = Request::of_page();
    let framed = request.clone();
    if let Some(current) = &request.current {
        provide_context(FormToken(current.form_token.clone()));
    }
    let content = content(request);
    let whole = async move {
        let trouble = framed
            .asked::<u16>("trouble")
            .map(|status| in_trouble(&framed, status));
        let inner = match content.await {
            Ok(view) => {
                let refused = framed.refused_elsewhere().await;
                view! {
                    <Refused form=refused />
                    {view}
                }
                .into_any()
            }
            Err(error) => failed(&framed, &error),
        };
        let beside = beside(&framed).await;
        view! {
            <Frame here=here user=framed.current.map(|c| c.user) framed=beside>
                {trouble}
                {inner}
            </Frame>
        }
    };
    view! { <Suspense>{Suspend::new(whole)}</Suspense> }.into_any()
}

/// Returns what the frame says beside a page. A page is shown without it where it cannot be read.
async fn beside(request: &Request) -> Framed {
    let Some(current) = &request.current else {
        return Framed::default();
    };
    let (lucid, actor) = (&request.lucid, &current.actor);
    Framed {
        waiting: lucid.my_turn(actor, COUNTED).await.unwrap_or(0),
        unread: lucid.unread(actor).await.unwrap_or(0),
        stores: request.store_names().await.unwrap_or_default(),
        store: request.store.get().copied(),
        is_desk: request.is_desk.load(Ordering::Relaxed),
    }
}

/// Shows the message for a refused form that could not be stored, because the database is
/// unreachable or its disk is full.
fn in_trouble(request: &Request, status: u16) -> AnyView {
    let status = if status == Kind::Full.status() {
        status
    } else {
        Kind::Unavailable.status()
    };
    request.set_status(status);
    let why = if status == Kind::Full.status() {
        "The disk of this server is full. Nothing was saved. The operator has to free space first."
    } else {
        "Lucid cannot reach its database. Nothing was saved. Try again in a moment."
    };
    view! {
        <div class="notice bad" role="alert">
            {why}
        </div>
    }
    .into_any()
}

fn failed(request: &Request, error: &Error) -> AnyView {
    let kind = error.kind();
    if kind == Kind::Internal {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "a page could not be made"
        );
    }
    request.set_status(kind.status());
    let request_id = request.client.request_id.clone();
    view! { <ErrorPage status=kind.status() message=error.message() request_id=request_id /> }
        .into_any()
}
