//! The policy of what pages may load and run, and what browsers report when something tries to pass
//! it: a sign that markup got in.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderValue, StatusCode, header},
};
use leptos::{nonce::use_nonce, prelude::use_context};
use leptos_axum::ResponseOptions;
use serde_json::Value;
use service::Lucid;

/// The address that browsers send their reports to.
pub const REPORTS: &str = "/csp-report";
/// Most bytes of a report.
pub const REPORT_BYTES: usize = 16 * 1024;
/// Reports that are logged in a minute; the rest are counted only.
const LOGGED_A_MINUTE: u32 = 30;

static MINUTE: AtomicI64 = AtomicI64::new(0);
static LOGGED: AtomicU32 = AtomicU32::new(0);

/// The policy for answers that are no pages; a page brings its own with the nonce of its scripts.
pub fn policy(scripts: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{scripts}; style-src 'self'; \
            img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri {REPORTS}; \
         report-to csp"
    )
}

/// Lets the page that is being made run the scripts that leptos writes into it, and no others.
pub fn allow_own_scripts() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    if let Ok(policy) = HeaderValue::from_str(&policy(&format!(" 'nonce-{nonce}'"))) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Logs what a browser reports. Anybody may send anything here: it is bounded, cut, and never
/// stored.
pub async fn report(State(lucid): State<Lucid>, body: Bytes) -> StatusCode {
    let minute = lucid.now().0 / 60_000_000;
    if MINUTE.swap(minute, Ordering::Relaxed) != minute {
        LOGGED.store(0, Ordering::Relaxed);
    }
    if LOGGED.fetch_add(1, Ordering::Relaxed) < LOGGED_A_MINUTE {
        let report: Value = serde_json::from_slice(&body).unwrap_or_default();
        // The old form has one report, the new a list of them.
        let one = report
            .get("csp-report")
            .or_else(|| report.get(0)?.get("body"))
            .cloned()
            .unwrap_or_default();
        let field = |names: [&str; 2]| {
            names
                .iter()
                .find_map(|n| one[*n].as_str())
                .map(shown)
                .unwrap_or_default()
        };
        tracing::warn!(
            page = field(["document-uri", "documentURL"]),
            directive = field(["violated-directive", "effectiveDirective"]),
            blocked = field(["blocked-uri", "blockedURL"]),
            "a browser reports that a page tried what its policy forbids"
        );
    }
    StatusCode::NO_CONTENT
}

/// A part of a report as it may be in a log: one line of at most 200 characters, without a query
/// or a one-time link's token.
fn shown(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let text = text.split_once("/link/").map_or_else(
        || text.to_owned(),
        |(before, _)| format!("{before}/link/***"),
    );
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_is_short_and_says_no_secret() {
        assert_eq!(
            shown("https://l.example/link/abcdef?x=1"),
            "https://l.example/link/***"
        );
        assert_eq!(shown("inline\r\nforged line"), "inlineforged line");
        assert_eq!(shown(&"x".repeat(500)).len(), 200);
    }
}
