//! Why a memory says what it says: what it was learned from, who approved it, who reads it, whether
//! it is frozen, and its versions.

use domain::{Timestamp, ids::MemoryId, memory::MemoryPath, plural::count};
use leptos::prelude::*;
use service::{Learned, MemoryAbout, MemoryRow, MemoryView, QuoteView, READ_DAYS, VersionView};

use crate::components::{
    badges::OutcomeBadge,
    icon::Icon,
    layout::{Avatar, Machine, actor_name},
    prose::Inline,
    text::Visible,
    when::When,
};
use crate::pages::desk::place;

/// The right pane: when and why it was learned, who approved it, who reads it.
pub fn rail(view: &MemoryView, about: Option<&MemoryAbout>, now: Timestamp) -> AnyView {
    let learned = about.and_then(|a| a.learned.as_ref());
    view! {
        <section class="slot">
            <h2>"About this memory"</h2>
            <div class="in">{why(view, learned)}{definitions(view, about, now)}</div>
        </section>
        {learned.filter(|l| !l.quotes.is_empty()).map(|l| evidence(l, now))}
        {versions(view, now)}
        {view.memory.as_ref().map(|m| protection(m, about.and_then(|a| a.frozen_by.clone()), now))}
    }
    .into_any()
}

/// In one sentence or two, why it is there.
fn why(view: &MemoryView, learned: Option<&Learned>) -> AnyView {
    if let (Some(l), true) = (learned, view.memory.is_none()) {
        return view! {
            <p class="wrap">
                "Removed by "
                <a href=format!("/changesets/{}?change={}", l.change.changeset_id, l.change.id)>
                    <Visible text=l.change.title.clone() />
                </a>". "<Inline text=l.change.rationale.clone() />
            </p>
        }
        .into_any();
    }
    if let Some(l) = learned {
        return view! {
            <p class="wrap">
                <Inline text=l.change.rationale.clone() />
            </p>
        }
        .into_any();
    }
    let by = view
        .versions
        .first()
        .map(|v| v.committed_by.clone())
        .unwrap_or_default();
    let did = if view.memory.is_some() {
        "Written"
    } else {
        "Removed"
    };
    view! { <p>{did}" directly by "{by}", without review."</p> }.into_any()
}

fn definitions(view: &MemoryView, about: Option<&MemoryAbout>, now: Timestamp) -> AnyView {
    let newest = view.versions.first();
    let learned = about.and_then(|a| a.learned.as_ref());
    let dream = learned.and_then(|l| l.change.dream_id).map(|id| {
        view! {
            ", "
            <a href=format!("/dreams/{id}")>"from a dream"</a>
        }
    });
    let since = view
        .memory
        .as_ref()
        .map(|m| m.updated_at)
        .or_else(|| newest.map(|v| v.version.created_at));
    let approved = newest.filter(|v| !v.approved_by.is_empty()).map(|v| {
        let names = v
            .approved_by
            .iter()
            .map(|n| {
                view! {
                    <span class="line">
                        <Avatar name=n.clone() />
                        {n.clone()}
                    </span>
                }
            })
            .collect_view();
        view! {
            <dt>"Approved by"</dt>
            <dd>{names}</dd>
        }
    });
    let committed = newest.map(|v| {
        let href = format!("/commits/{}", v.version.commit_id);
        view! {
            <dt>"Committed"</dt>
            <dd>
                <a href=href>"Revision "{v.version.revision}</a>
                " by "
                {v.committed_by.clone()}
            </dd>
        }
    });
    let owners = about.filter(|a| !a.owners.is_empty()).map(|a| {
        view! {
            <dt>"Owner"</dt>
            <dd>{a.owners.join(", ")}</dd>
        }
    });
    let size = format!(
        "{} bytes, {}",
        view.content.len(),
        count(domain::briefing::tokens(&view.content), "token")
    );
    view! {
        <dl class="defs">
            <dt>"Learned"</dt>
            <dd>
                <When at=since now=now />
                {dream}
            </dd>
            {approved}
            {committed}
            <dt>"Read by"</dt>
            <dd>{read_by(view, about, now)}</dd>
            {owners}
            {successors(about.map(|a| a.superseded_by.as_slice()))}
            <dt>"Size"</dt>
            <dd>{size}</dd>
        </dl>
    }
    .into_any()
}

/// Memories that took the place of this one; nothing where there are none.
fn successors(all: Option<&[(MemoryId, MemoryPath)]>) -> Option<AnyView> {
    let all = all.filter(|all| !all.is_empty())?;
    let link = |(id, path): &(MemoryId, MemoryPath)| {
        view! {
            <div>
                <a href=format!("/memories/{id}")>
                    <code>
                        <Visible text=path.to_string() />
                    </code>
                </a>
            </div>
        }
    };
    Some(
        view! {
            <dt>"Superseded by"</dt>
            <dd>{all.iter().map(link).collect_view()}</dd>
        }
        .into_any(),
    )
}

fn read_by(view: &MemoryView, about: Option<&MemoryAbout>, now: Timestamp) -> AnyView {
    let readers = about.map(|a| a.readers.as_slice()).unwrap_or_default();
    if readers.is_empty() {
        return view! { <span class="muted">{format!("No agent in the last {READ_DAYS} days")}</span> }.into_any();
    }
    let one = |r: &service::ReaderRow| {
        let who = r
            .agent
            .as_deref()
            .map_or_else(|| "unnamed agent".to_owned(), domain::masking::mask);
        view! {
            <div>
                <Visible text=who />
                ", "
                {count(r.times, "time")}
                ", last "
                <When at=r.last_at now=now />
            </div>
        }
    };
    let version = view.reads.as_ref().filter(|r| r.times > 0);
    let version = version.map(|r| {
        view! {
            <div class="quiet">
                "This version: "{count(r.times, "time")}" in "{count(r.sessions, "known session")}
            </div>
        }
    });
    let loads = (view.newest > 0).then(|| {
        let href = format!("/memories/{}/loads?from={}", view.id, view.newest);
        view! {
            <div>
                <a class="link" href=href>
                    "Who loaded it"
                </a>
            </div>
        }
    });
    view! {
        {readers.iter().take(3).map(one).collect_view()}
        {version}
        {loads}
    }
    .into_any()
}

fn evidence(learned: &Learned, now: Timestamp) -> AnyView {
    let of = format!(
        "{} of {} quoted",
        learned.quoted_sessions,
        count(learned.change.support_sessions, "session")
    );
    let href = format!(
        "/changesets/{}?change={}",
        learned.change.changeset_id, learned.change.id
    );
    let quote = |q: &QuoteView| {
        let who = q
            .row
            .agent
            .as_deref()
            .or(q.row.tool.as_deref())
            .unwrap_or("unknown agent")
            .to_owned();
        let label = format!("Open the quote in its session, {who}");
        let open = (!q.row.quote.is_empty()).then(|| {
            view! {
                " "
                <a class="link" href=place(q) aria-label=label>
                    "Open"
                </a>
            }
        });
        view! {
            <figure class=if q.row.counter { "quote against" } else { "quote" }>
                <blockquote>
                    <Visible text=q.shown() />
                </blockquote>
                <figcaption>
                    <Visible text=who />
                    " · "
                    <When at=q.row.occurred_at now=now />
                    " "
                    <OutcomeBadge outcome=q.row.outcome source=q.row.outcome_source />
                    {open}
                </figcaption>
            </figure>
        }
    };
    view! {
        <details class="slot" open>
            <summary>
                <h2>"Evidence"</h2>
                <span class="muted">{of}</span>
                <Icon name="chevron-down" />
            </summary>
            <div class="in">
                {learned.quotes.iter().map(quote).collect_view()}<p>
                    <a href=href>"All evidence, on the change"</a>
                </p>
            </div>
        </details>
    }
    .into_any()
}

fn versions(view: &MemoryView, now: Timestamp) -> AnyView {
    let id = view.id;
    let one = |v: &VersionView| {
        let version = &v.version;
        let title = version
            .change_title
            .clone()
            .unwrap_or_else(|| version.message.clone());
        let href = match version.number {
            1 => format!("/commits/{}", version.commit_id),
            n => format!("/memories/{id}/compare?from={}&to={n}", n - 1),
        };
        let mark = match v.approved_by.first() {
            Some(name) => view! { <Avatar name=name.clone() /> }.into_any(),
            None if version.by_person => {
                view! { <Avatar name=v.committed_by.clone() /> }.into_any()
            }
            None => view! { <Machine /> }.into_any(),
        };
        let approved = (!v.approved_by.is_empty())
            .then(|| format!(", approved by {}", v.approved_by.join(", ")));
        view! {
            <li>
                {mark} <p>
                    <a href=href>
                        <Visible text=title />
                    </a>
                    " "
                    <span class="muted">"Version "{version.number}</span>
                </p>
                <small>
                    {version.operation.as_str()}" by "{v.committed_by.clone()}{approved}" "
                    <When at=version.created_at now=now />
                </small>
            </li>
        }
    };
    let older = view.versions.last().filter(|_| view.more).map(|last| {
        let href = format!("/memories/{id}?before={}", last.version.number);
        view! {
            <p>
                <a href=href>"Older versions"</a>
            </p>
        }
    });
    view! {
        <details class="slot" open>
            <summary>
                <h2>"Versions"</h2>
                <span class="muted">{view.newest}</span>
                <Icon name="chevron-down" />
            </summary>
            <div class="in">
                <ol class="timeline">{view.versions.iter().map(one).collect_view()}</ol>
                {older}
            </div>
        </details>
    }
    .into_any()
}

/// Says since when and why the memory is frozen, if it is.
fn protection(memory: &MemoryRow, by: Option<String>, now: Timestamp) -> AnyView {
    let says = if memory.frozen {
        let why = memory.frozen_reason.clone().map(|why| {
            view! {
                ": "
                <Visible text=why />
            }
        });
        let by = by.map(|name| {
            view! {
                " by "
                <Visible text=actor_name(&name) />
            }
        });
        let since = memory.frozen_at.map(|at| {
            view! {
                " since "
                <When at=at now=now />
            }
        });
        view! {
            <p class="check-line">
                <Icon name="snowflake" />
                <span>"Frozen"{by}{since}{why}". Only people change it, through review."</span>
            </p>
        }
        .into_any()
    } else {
        view! {
            <p class="check-line">
                <Icon name="lock-open" />
                <span>"Not frozen. Dreams may propose changes."</span>
            </p>
        }
        .into_any()
    };
    view! {
        <details class="slot" open>
            <summary>
                <h2>"Protection"</h2>
                <Icon name="chevron-down" />
            </summary>
            <div class="in">{says}</div>
        </details>
    }
    .into_any()
}
