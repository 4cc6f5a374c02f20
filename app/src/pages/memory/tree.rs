//! The memories of a store as a tree of folders, with a search in them.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    ids::{MemoryId, StoreId},
    plural::count,
};
use leptos::prelude::*;
use service::{Tree, TreeRow};

use crate::components::{icon::Icon, text::Visible};

/// A folder of the tree.
#[derive(Default)]
struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    memories: Vec<&'a TreeRow>,
}

impl<'a> Folder<'a> {
    fn of(rows: &'a [TreeRow]) -> Self {
        let mut root = Self::default();
        for row in rows {
            let mut at = &mut root;
            for name in row.path.folder().split('/').filter(|n| !n.is_empty()) {
                at = at.folders.entry(name).or_default();
            }
            at.memories.push(row);
        }
        root
    }

    fn len(&self) -> usize {
        self.memories.len() + self.folders.values().map(Self::len).sum::<usize>()
    }

    fn holds(&self, memory: Option<MemoryId>) -> bool {
        self.memories.iter().any(|m| Some(m.id) == memory)
            || self.folders.values().any(|f| f.holds(memory))
    }
}

/// Memories of a tree up to which every folder is open.
const OPEN: usize = 40;

/// The left pane: search and tree. `here` is the memory that is open.
pub fn pane(store: StoreId, tree: &Tree, here: Option<MemoryId>, now: Timestamp) -> AnyView {
    let root = Folder::of(&tree.rows);
    let open = tree.rows.len() <= OPEN;
    let of = match &tree.folder {
        Some(folder) => format!("{} in {folder}", count(tree.rows.len(), "memory")),
        None if tree.more => format!("The first {}", count(tree.rows.len(), "memory")),
        None => count(tree.rows.len(), "memory"),
    };
    let all = (tree.more || tree.folder.is_some()).then(|| {
        view! {
            <a class="link" href=format!("/stores/{store}")>
                "Show all"
            </a>
        }
    });
    view! {
        <nav class="pane first" id="list" popover aria-label="Memories">
            <div class="stack">
                {search(store, String::new(), "Search this memory")}
                <ul class="tree">{inside(&root, here, open, now)}</ul>
                <p class="quiet">{of}" "{all}</p>
            </div>
        </nav>
    }
    .into_any()
}

/// The search in a store's memory.
pub fn search(store: StoreId, asked: String, label: &'static str) -> impl IntoView {
    view! {
        <form
            method="get"
            action=format!("/stores/{store}")
            class="find"
            role="search"
            aria-label=label
        >
            <Icon name="search" />
            <input
                type="search"
                name="q"
                value=asked
                maxlength="200"
                placeholder="Search this memory"
                aria-label=label
                data-key="/"
            />
        </form>
    }
}

fn inside(folder: &Folder<'_>, here: Option<MemoryId>, open: bool, now: Timestamp) -> AnyView {
    let folders = folder.folders.iter().map(|(name, f)| {
        let is_open = open || f.holds(here);
        view! {
            <li>
                <details open=is_open>
                    <summary>
                        <Icon name="chevron-down" />
                        <span class="cut">
                            <Visible text=(*name).to_owned() />
                        </span>
                        <span class="count">{f.len()}</span>
                    </summary>
                    <ul>{inside(f, here, open, now)}</ul>
                </details>
            </li>
        }
    });
    let memories = folder.memories.iter().map(|m| {
        let current = (Some(m.id) == here).then_some("page");
        let icon = if m.frozen {
            view! { <Icon name="snowflake" /> }.into_any()
        } else {
            view! { <Icon name="file-text" /> }.into_any()
        };
        let frozen = m
            .frozen
            .then(|| view! { <span class="visually-hidden">", frozen"</span> });
        let fresh = (m.updated_at.plus_seconds(86_400) > now)
            .then(|| view! { <b class="dot accent" title="Changed in the last 24 hours"></b> });
        view! {
            <li>
                <a href=format!("/memories/{}", m.id) aria-current=current>
                    {icon}
                    <span class="cut">
                        <Visible text=m.path.name().to_owned() />
                    </span>
                    {frozen}
                    {fresh}
                </a>
            </li>
        }
    });
    view! {
        {folders.collect_view()}
        {memories.collect_view()}
    }
    .into_any()
}
