//! A store's commits, and what each did.

use std::collections::BTreeSet;

use domain::{
    Timestamp,
    ids::ChangeId,
    memory::{CommitSource, Operation},
    plural::count,
    rights::Action,
};
use leptos::prelude::*;
use service::{CommitFilter, CommitView, Error, HistoryRow, Kind, Page};

use super::stores::store_heading;
use crate::{
    actions::account::encoded,
    components::{
        days::by_day,
        diff::DiffLines,
        forms::{form_token, sentence},
        layout::{Empty, Heading, actor_mark, actor_name},
        text::Visible,
        when::When,
    },
    context::{Request, page},
};

const DAY: i64 = 86_400;
/// The periods that the form offers, in days.
const PERIODS: &[(i64, &str)] = &[
    (7, "the last week"),
    (30, "the last month"),
    (90, "the last three months"),
    (365, "the last year"),
];

/// The commits of a store, newest first.
#[component]
pub fn History() -> impl IntoView {
    page("memory", |request| async move {
        let store = request
            .lucid
            .store(request.actor()?, request.id("store")?)
            .await?;
        request.is_about(store.id);
        let days: Option<i64> = request
            .asked("days")
            .filter(|days| (1..=36_500).contains(days));
        let who = request
            .query
            .get("who")
            .map(|who| who.trim().to_owned())
            .filter(|who| !who.is_empty());
        let (filter, trouble) = match asked_for(&request, days, who.as_deref()).await {
            Ok(filter) => (filter, None),
            Err(error) if error.kind() == Kind::Invalid => {
                request.set_status(error.kind().status());
                (
                    CommitFilter::default(),
                    Some(view! {
                        <p class="notice bad" role="alert">
                            {sentence(&error.message())}
                        </p>
                    }),
                )
            }
            Err(error) => return Err(error),
        };
        // What was not understood lists nothing: everything would be taken for the answer.
        let list = match trouble {
            Some(_) => Page {
                rows: Vec::new(),
                more: false,
            },
            None => {
                request
                    .lucid
                    .history_where(request.actor()?, store.id, &filter)
                    .await?
            }
        };
        let now = request.now();
        let asked = [
            ("from", filter.source.map(|s| s.to_string())),
            ("path", filter.path.clone()),
            ("who", who.clone()),
            ("days", days.map(|d| d.to_string())),
            ("dream", filter.dream.map(|d| d.to_string())),
            ("policy", filter.policy.map(|p| p.to_string())),
        ];
        let asked: Vec<String> = asked
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", encoded(&value?))))
            .collect();
        let next = list.rows.last().filter(|_| list.more).map(|r| {
            let query = [vec![format!("before={}", r.commit.revision)], asked.clone()]
                .concat()
                .join("&");
            format!("/stores/{}/history?{query}", store.id)
        });
        let body = if trouble.is_some() {
            ().into_any()
        } else if list.rows.is_empty() && asked.is_empty() {
            view! {
                <Empty title="No commit yet">
                    "Every write to this store is a commit and stays listed here."
                </Empty>
            }
            .into_any()
        } else if list.rows.is_empty() {
            view! {
                <Empty title="No commit fits">
                    "Ask for less, or "
                    <a href=format!("/stores/{}/history", store.id)>"show all commits"</a>"."
                </Empty>
            }
            .into_any()
        } else {
            by_day(list.rows, now, |r| r.commit.created_at, |r| entry(r, now))
        };
        let as_of = view! {
            <form method="get" action=format!("/stores/{}/at", store.id) class="filters">
                <label class="wrap">
                    "What was remembered as of (UTC)"
                    <input type="datetime-local" name="time" required />
                </label>
                <button>"Show"</button>
            </form>
        };
        let filters = filters(&filter, days, who.unwrap_or_default());
        Ok(view! {
            {store_heading(&store, "History", None)}
            {as_of}
            {filters}
            {trouble}
            {body}
            {next
                .map(|href| {
                    view! {
                        <p>
                            <a href=href>"Older"</a>
                        </p>
                    }
                })}
        }
        .into_any())
    })
}

/// Returns what the address asks for; what of it cannot be understood is said.
async fn asked_for(
    request: &Request,
    days: Option<i64>,
    who: Option<&str>,
) -> service::Result<CommitFilter> {
    fn parsed<T: std::str::FromStr>(
        request: &Request,
        name: &'static str,
    ) -> service::Result<Option<T>> {
        let text = request
            .query
            .get(name)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty());
        text.map(|text| {
            text.parse()
                .map_err(|_| Error::Invalid(format!("the filter “{name}” was not understood")))
        })
        .transpose()
    }
    let path = match parsed::<String>(request, "path")? {
        Some(path) if path.chars().any(char::is_control) => {
            return Err(Error::Invalid(
                "a path holds no control characters".to_owned(),
            ));
        }
        Some(path) if path.starts_with('/') => Some(path),
        Some(path) => Some(format!("/{path}")),
        None => None,
    };
    let person = match who {
        Some(name) => Some(request.lucid.person_called(request.actor()?, name).await?),
        None => None,
    };
    Ok(CommitFilter {
        before: parsed(request, "before")?,
        since: days.map(|days| request.now().plus_seconds(-days * DAY)),
        until: None,
        source: parsed(request, "from")?,
        path,
        person,
        dream: parsed(request, "dream")?,
        policy: parsed(request, "policy")?,
    })
}

/// Which commits are listed.
fn filters(filter: &CommitFilter, days: Option<i64>, who: String) -> impl IntoView + use<> {
    let source = |(source, text): &(CommitSource, &'static str)| {
        view! {
            <option value=source.as_str() selected=filter.source == Some(*source)>
                {*text}
            </option>
        }
    };
    let period = |(d, text): &(i64, &'static str)| {
        view! {
            <option value=d.to_string() selected=days == Some(*d)>
                {*text}
            </option>
        }
    };
    // A dream or policy is chosen on its own page, by a link here.
    let dream = filter
        .dream
        .map(|id| view! { <label>"Dream "<input name="dream" value=id.to_string() /></label> });
    let policy = filter
        .policy
        .map(|id| view! { <label>"Policy "<input name="policy" value=id.to_string() /></label> });
    view! {
        <form method="get" class="filters" aria-label="Commits">
            <label>
                "From "<select name="from">
                    <option value="">"anything"</option>
                    {SOURCES.iter().map(source).collect_view()}
                </select>
            </label>
            <label>
                "Path "
                <input
                    name="path"
                    value=filter.path.clone().unwrap_or_default()
                    placeholder="/folder"
                    maxlength="1024"
                />
            </label>
            <label>"Person "<input name="who" value=who maxlength="100" /></label>
            <label>
                "When "<select name="days">
                    <option value="">"ever"</option>
                    {PERIODS.iter().map(period).collect_view()}
                </select>
            </label>
            {dream}
            {policy}
            <button>"Show"</button>
        </form>
    }
}

/// The origins of commits, in the words of the page.
const SOURCES: &[(CommitSource, &str)] = &[
    (CommitSource::Dream, "dreams"),
    (CommitSource::Agent, "agents"),
    (CommitSource::Person, "people"),
    (CommitSource::Policy, "policies"),
    (CommitSource::Revert, "reverts"),
    (CommitSource::Direct, "direct writes"),
];

/// A commit in the list.
fn entry(row: HistoryRow, now: Timestamp) -> impl IntoView {
    let (commit, by) = (row.commit, row.committed_by);
    let mark = actor_mark(&commit.actor, &by);
    let from = commit.changeset_id.map(|id| {
        view! {
            ", from "
            <a class="link" href=format!("/changesets/{id}")>
                "a changeset"
            </a>
        }
    });
    let at = format!(
        "/stores/{}/at?revision={}",
        commit.store_id, commit.revision
    );
    view! {
        <li>
            {mark} <div>
                <p>
                    <a href=format!("/commits/{}", commit.id)>
                        <Visible text=commit.message />
                    </a>
                </p>
                <p class="quiet">
                    {actor_name(&by)}" wrote "{count(commit.versions, "memory")}{from}" · "
                    <a class="link" href=at>
                        "revision "
                        {commit.revision}
                    </a>{row.solo.then(solo_badge)}
                </p>
            </div> <When at=commit.created_at now=now />
        </li>
    }
}

/// A commit with what it did to each memory.
#[component]
pub fn Commit() -> impl IntoView {
    page("memory", |request| async move {
        let reader = request.actor()?.clone();
        let view = request
            .lucid
            .commit_view(
                request.actor()?,
                request.id("commit")?,
                request.asked("after"),
            )
            .await?;
        let store = request
            .lucid
            .store(request.actor()?, view.commit.store_id)
            .await?;
        request.is_about(store.id);
        let now = request.now();
        let trail = vec![
            ("/stores".into(), "Memory".into()),
            (format!("/stores/{}", store.id), store.name),
            (format!("/stores/{}/history", store.id), "History".into()),
        ];
        let from = view.commit.changeset_id.map(|id| {
            view! {
                " from "
                <a href=format!("/changesets/{id}")>"a changeset"</a>
            }
        });
        let paths: Vec<&str> = view
            .versions
            .iter()
            .map(|(v, _)| v.version.path.as_str())
            .collect();
        let may_revert = request.actor()?.may_at(Action::Decide, store.id, &paths);
        let revert = may_revert.then(|| {
            view! {
                <form method="post" action="/do/revert">
                    {form_token()}
                    <input type="hidden" name="commit" value=view.commit.id.to_string() />
                    <button title="Proposes the inverse, through review">"Revert commit"</button>
                </form>
            }
            .into_any()
        });
        let solo = view.solo.then(solo_badge);
        let next = view
            .versions
            .last()
            .filter(|_| view.more)
            .map(|(v, _)| format!("/commits/{}?after={}", view.commit.id, v.version.id));
        Ok(view! {
            <Heading title=format!("Revision {}", view.commit.revision) trail=trail />
            {revert}
            <p class="about">
                <strong>
                    <Visible text=view.commit.message.clone() />
                </strong>
                " · committed by "
                {view.committed_by.clone()}
                " "
                <When at=view.commit.created_at now=now />
                {from}
                {solo}
            </p>
            {versions(view, |path| reader.may_at(Action::Decide, store.id, &[path]))}
            {next
                .map(|href| {
                    view! {
                        <p>
                            <a href=href>"Next page"</a>
                        </p>
                    }
                })}
        }
        .into_any())
    })
}

/// Says that one person alone decided.
fn solo_badge() -> impl IntoView {
    view! {
        " "
        <span class="badge label">"solo mode"</span>
    }
}

fn versions(view: CommitView, may_revert: impl Fn(&str) -> bool) -> impl IntoView {
    let several = view.changes > 1;
    let commit = view.commit.id;
    // A commit of one change is reverted as a whole. A change that wrote several memories has its
    // button at the first.
    let mut offered = BTreeSet::new();
    let mut revert = move |change: Option<ChangeId>, may: bool| {
        let change = change.filter(|id| several && may && offered.insert(*id))?;
        Some(view! {
            <form method="post" action="/do/revert" class="inline">
                {form_token()}
                <input type="hidden" name="commit" value=commit.to_string() />
                <input type="hidden" name="change" value=change.to_string() />
                <button title="Proposes the inverse of this change alone, through review">
                    "Revert change"
                </button>
            </form>
        })
    };
    let one = move |(v, lines): (service::VersionView, Vec<domain::diff::Line>)| {
        let revert = revert(v.version.change_id, may_revert(v.version.path.as_str()));
        let approved = (!v.approved_by.is_empty())
            .then(|| format!(" · approved by {}", v.approved_by.join(", ")));
        let loads = format!(
            "/memories/{}/loads?from={}",
            v.version.memory_id, v.version.number
        );
        let loads = (v.version.operation != Operation::Deleted).then(|| {
            view! {
                " · "
                <a class="link" href=loads>
                    "Who loaded it"
                </a>
            }
        });
        view! {
            <section class="card">
                <h2>
                    <a href=format!("/memories/{}", v.version.memory_id)>
                        <code>{v.version.path.to_string()}</code>
                    </a>
                </h2>
                <p class="quiet">
                    {v.version.operation.as_str()}", version "{v.version.number}{approved}{loads}
                </p>
                <DiffLines lines=lines />
                {revert}
            </section>
        }
    };
    view.versions.into_iter().map(one).collect_view()
}
