//! Live updates: one stream of server-sent events a page, closed while the tab is hidden. An event
//! reloads the page's region. If the reader is working in it, a notice offers the reload instead.
#![allow(missing_docs, reason = "the macro makes a struct beside each island")]

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// One message of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Position in the audit trail.
    pub seq: i64,
    /// In words: `Rui Reviewer decided on a change`.
    pub text: String,
}

/// Renews the region of that id with the stream's news.
#[island]
pub fn Live(
    /// Address of the stream.
    stream: String,
    /// Id of the region.
    region: String,
) -> impl IntoView {
    let (news, set_news) = signal(None::<String>);
    #[cfg(feature = "hydrate")]
    follow(stream, region, set_news);
    #[cfg(not(feature = "hydrate"))]
    let _ = (stream, region, set_news);
    let said = move || {
        news.get()
            .map(|text| view! { <span>{text}". "<a href="">"Show"</a></span> })
    };
    view! {
        <div class="live-news" role="status">
            {said}
        </div>
    }
}

#[cfg(feature = "hydrate")]
fn follow(address: String, region: String, set_news: WriteSignal<Option<String>>) {
    use super::desk::swap::{After, go, is_in_use};

    super::stream::follow(address, move |text| {
        let Ok(news) = serde_json::from_str::<News>(&text) else {
            return;
        };
        let Some(place) = document().get_element_by_id(&region) else {
            return;
        };
        let shown = place
            .get_attribute("data-position")
            .and_then(|p| p.parse::<i64>().ok())
            .unwrap_or(0);
        // The first event says only that the stream is there.
        if news.text.is_empty() {
            let _ = document()
                .document_element()
                .map(|root| root.set_attribute("data-live", "on"));
        } else if news.seq <= shown {
            // The page was made after it happened.
        } else if is_in_use() {
            set_news.set(Some(news.text));
        } else if let Ok(here) = window().location().href() {
            set_news.set(None);
            go(here, None, After::Renew);
        }
    });
}
