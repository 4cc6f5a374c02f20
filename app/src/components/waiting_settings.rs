//! Settings that would make the gate weaker and wait for a second admin.

use domain::Timestamp;
use leptos::prelude::*;
use service::WaitingSetting;

use super::{forms::form_token, text::Visible, when::When};

/// The list, with what the reader can do; nothing where nothing waits.
pub fn waiting_settings(
    waiting: &[WaitingSetting],
    page_of: Option<String>,
    now: Timestamp,
) -> Option<AnyView> {
    if waiting.is_empty() {
        return None;
    }
    let one = |w: &WaitingSetting| {
        let store = page_of.clone().unwrap_or_default();
        let button = |action: &'static str, word: &'static str, class: &'static str| {
            view! {
                <form method="post" action=action class="inline">
                    {form_token()}
                    <input type="hidden" name="setting" value=w.row.id.to_string() />
                    <input type="hidden" name="store" value=store.clone() />
                    <button class=class>{word}</button>
                </form>
            }
        };
        let confirm = w
            .may_confirm
            .then(|| button("/do/confirm_setting", "Confirm", "primary"));
        let decline = button(
            "/do/decline_setting",
            if w.mine { "Withdraw" } else { "Decline" },
            "",
        );
        let of = w.row.store_name.clone().map(|name| {
            view! {
                "In "
                <strong>
                    <Visible text=name />
                </strong>
                ": "
            }
        });
        let why_not = (!w.may_confirm && !w.mine).then_some(
            "You cannot confirm it: one of you two issued the other’s sign-in link, so you count \
             as one person. ",
        );
        view! {
            <li class="card">
                <p>{of}<Visible text=w.row.summary.clone() />"."</p>
                <p class="quiet">
                    <Visible text=w.row.proposer.clone() />
                    " asked for it "
                    <When at=w.row.created_at now=now />
                    ". "
                    {why_not}
                </p>
                <div class="filters">{confirm}{decline}</div>
            </li>
        }
    };
    Some(
        view! {
            <section aria-labelledby="waiting-settings">
                <h2 id="waiting-settings">"Waiting for a second admin"</h2>
                <p class="quiet">
                    "These settings weaken the review. Nothing changes until another, independent \
                     admin confirms them."
                </p>
                <ul class="cards">{waiting.iter().map(one).collect_view()}</ul>
            </section>
        }
        .into_any(),
    )
}
