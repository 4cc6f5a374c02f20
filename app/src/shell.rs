//! The document around every page, and the table of routes.

use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

use crate::{
    components::{icon::IconSheet, layout::NotFound, title::TitleFormat},
    pages,
};

/// Addresses of the site's files, with the hash of their content in the name. Empty where the
/// server was built without them.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    pub style: Option<String>,
    /// The script that wakes the islands.
    pub boot: Option<String>,
    /// The sprite of icons.
    pub icons: Option<String>,
    /// The font that most text is set in, so that it is there when the page is.
    pub font: Option<String>,
}

/// The document of every page.
pub fn shell(assets: Assets) -> impl IntoView {
    document(assets, || view! { <App /> }.into_any())
}

/// The document of the style guide, which needs nobody to be signed in.
pub fn style_guide(assets: Assets) -> impl IntoView {
    document(assets, || {
        provide_meta_context();
        view! {
            <TitleFormat />
            <pages::style_guide::StyleGuide />
        }
        .into_any()
    })
}

fn document(assets: Assets, body: impl Fn() -> AnyView) -> impl IntoView {
    let style = assets
        .style
        .map(|href| view! { <link rel="stylesheet" href=href /> });
    let font = assets.font.map(|href| view! { <link rel="preload" r#as="font" type="font/woff2" crossorigin="anonymous" href=href /> });
    if let Some(icons) = assets.icons {
        provide_context(IconSheet(icons));
    }
    let boot = assets
        .boot
        .map(|src| view! { <script type="module" src=src></script> });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="data:," />
                {font}
                {style}
                {boot}
                <MetaTags />
            </head>
            <body>{body()}</body>
        </html>
    }
}

/// The routes. Every page is complete when it is sent.
#[component]
#[expect(clippy::too_many_lines, reason = "one route after another")]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <TitleFormat />
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/") view=pages::queue::Home ssr=SsrMode::Async />
                <Route path=path!("/sign-in") view=pages::account::SignIn ssr=SsrMode::Async />
                <Route path=path!("/link/:token") view=pages::account::UseLink ssr=SsrMode::Async />
                <Route
                    path=path!("/request-access")
                    view=pages::account::RequestAccess
                    ssr=SsrMode::Async
                />
                <Route path=path!("/account") view=pages::account::Account ssr=SsrMode::Async />
                <Route path=path!("/people") view=pages::people::People ssr=SsrMode::Async />
                <Route path=path!("/people/:id") view=pages::people::Person ssr=SsrMode::Async />
                <Route path=path!("/rights") view=pages::people::Rights ssr=SsrMode::Async />
                <Route path=path!("/keys") view=pages::keys::Keys ssr=SsrMode::Async />
                <Route path=path!("/policies") view=pages::policies::Policies ssr=SsrMode::Async />
                <Route
                    path=path!("/policies/new")
                    view=pages::policies::NewPolicy
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/policies/drill")
                    view=pages::policies::Drill
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/policies/:id")
                    view=pages::policies::Policy
                    ssr=SsrMode::Async
                />
                <Route path=path!("/queue") view=pages::queue::Queue ssr=SsrMode::Async />
                <Route
                    path=path!("/changesets/:id")
                    view=pages::desk::Changeset
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/changesets/:id/after")
                    view=pages::desk::After
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/changesets/:id/before")
                    view=pages::desk::Before
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/changes/:id/related")
                    view=pages::desk::Related
                    ssr=SsrMode::Async
                />
                <Route path=path!("/bulk") view=pages::bulk::Bulk ssr=SsrMode::Async />
                <Route path=path!("/search") view=pages::search::Search ssr=SsrMode::Async />
                <Route path=path!("/inbox") view=pages::inbox::Inbox ssr=SsrMode::Async />
                <Route
                    path=path!("/questions")
                    view=pages::questions::Questions
                    ssr=SsrMode::Async
                />
                <Route path=path!("/insights") view=pages::insights::Insights ssr=SsrMode::Async />
                <Route path=path!("/stores") view=pages::stores::Stores ssr=SsrMode::Async />
                <Route
                    path=path!("/stores/:id")
                    view=pages::memories::Memories
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/stores/:id/history")
                    view=pages::history::History
                    ssr=SsrMode::Async
                />
                <Route path=path!("/stores/:id/at") view=pages::past::AsOf ssr=SsrMode::Async />
                <Route
                    path=path!("/stores/:id/compare")
                    view=pages::past::CompareRevisions
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/stores/:id/dreams")
                    view=pages::dreams::StoreDreams
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/stores/:id/sessions")
                    view=pages::sessions::StoreSessions
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/stores/:id/briefing")
                    view=pages::store_settings::Briefing
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/stores/:id/muted")
                    view=pages::muted::Muted
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/stores/:id/settings")
                    view=pages::store_settings::StoreSettings
                    ssr=SsrMode::Async
                />
                <Route path=path!("/memories/:id") view=pages::memory::Memory ssr=SsrMode::Async />
                <Route
                    path=path!("/memories/:id/compare")
                    view=pages::memory::Compare
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/memories/:id/loads")
                    view=pages::recalls::MemoryLoads
                    ssr=SsrMode::Async
                />
                <Route path=path!("/recalls") view=pages::recalls::Recalls ssr=SsrMode::Async />
                <Route path=path!("/recalls/:id") view=pages::recalls::Recall ssr=SsrMode::Async />
                <Route path=path!("/commits/:id") view=pages::history::Commit ssr=SsrMode::Async />
                <Route path=path!("/dreams") view=pages::dreams::Dreams ssr=SsrMode::Async />
                <Route path=path!("/dreams/:id") view=pages::dream::Dream ssr=SsrMode::Async />
                <Route path=path!("/sessions") view=pages::sessions::Sessions ssr=SsrMode::Async />
                <Route
                    path=path!("/sessions/:id")
                    view=pages::transcript::Transcript
                    ssr=SsrMode::Async
                />
                <Route path=path!("/import") view=pages::import::Import ssr=SsrMode::Async />
                <Route path=path!("/mappings") view=pages::mappings::Mappings ssr=SsrMode::Async />
                <Route path=path!("/mappings/edit") view=pages::mappings::Edit ssr=SsrMode::Async />
                <Route path=path!("/erasure") view=pages::privacy::Erasure ssr=SsrMode::Async />
                <Route
                    path=path!("/subjects/:id")
                    view=pages::privacy::Subject
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/audit/integrity")
                    view=pages::integrity::Integrity
                    ssr=SsrMode::Async
                />
                <Route path=path!("/audit") view=pages::audit::Audit ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
