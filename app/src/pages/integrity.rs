//! How an outsider can tell that nobody changed the trail: its key, its checkpoints, tree heads and
//! proofs.

use domain::{Timestamp, plural::count, rights::Action};
use leptos::prelude::*;
use service::{Checkpoint, Cosignature, TrailKey};

use super::audit::verified;
use crate::{
    components::{
        forms::{Refused, form_token},
        layout::{Empty, Heading},
        when::When,
    },
    context::page,
};

/// Checkpoints that are shown.
const SHOWN: usize = 10;

/// The key of the trail, when it was verified, and its checkpoints.
#[component]
pub fn Integrity() -> impl IntoView {
    page("audit", |request| async move {
        let actor = request.actor()?;
        let last = request.lucid.last_verified(actor).await?;
        let checkpoints = request.lucid.checkpoints(actor).await?;
        let key = request.lucid.trail_key().await?;
        let end = request.lucid.signed_head().await?;
        let cosignatures = request.lucid.cosignatures(actor).await?;
        let refused = request.refused().await;
        let now = request.now();
        let key = match key {
            Some(key) => signed(&key, end.as_ref(), now),
            None => view! {
                <Empty title="The trail is not signed">
                    "A person who can write to the database can rewrite it. Start Lucid with \
                     --signing-key FILE."
                </Empty>
            }
            .into_any(),
        };
        let proves = actor.may_in_general(Action::ExportAudit);
        Ok(view! {
            <Heading title="Integrity of the trail" trail=vec![("/audit".into(), "Audit".into())] />
            <Refused form=refused />
            {verified(last.as_ref(), now)}
            {key}
            {kept(&checkpoints, now)}
            {witnessed(&cosignatures, now)}
            {how(proves)}
        }
        .into_any())
    })
}

fn signed(key: &TrailKey, end: Option<&Checkpoint>, now: Timestamp) -> AnyView {
    let last = end.map(|end| {
        view! {
            <p>
                "Signed at every entry, the last, number "{end.size}", "
                <When at=Timestamp(end.at) now=now />"."
            </p>
        }
    });
    view! {
        <section class="setting">
            <div>
                <h2>"Key"</h2>
                <p class="quiet">
                    "Note it elsewhere and name it when you verify the trail: then nobody can sign \
                     another trail with another key."
                </p>
            </div>
            <div class="stack">
                {last} <dl class="about">
                    <div>
                        <dt>"Public key"</dt>
                        <dd>
                            <code class="wrap">{key.public_key.clone()}</code>
                        </dd>
                    </div>
                    <div>
                        <dt>"For witnesses"</dt>
                        <dd>
                            <code class="wrap">{key.verifier_key.clone()}</code>
                        </dd>
                    </div>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

fn kept(all: &[Checkpoint], now: Timestamp) -> AnyView {
    let rows = all.iter().rev().take(SHOWN).map(|c| {
        view! {
            <tr>
                <td>{c.size}</td>
                <td>
                    <When at=Timestamp(c.at) now=now />
                </td>
                <td>
                    <code class="wrap">{c.head.clone()}</code>
                </td>
            </tr>
        }
    });
    let table = (!all.is_empty()).then(|| {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Checkpoints">
                <table>
                    <thead>
                        <tr>
                            <th>"Entries"</th>
                            <th>"Signed"</th>
                            <th>"Hash of the last"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        }
    });
    let number = count(all.len(), "checkpoint");
    view! {
        <section class="setting">
            <div>
                <h2>"Checkpoints"</h2>
                <p class="quiet">
                    "Signed statements of how long the trail was. One that somebody else keeps \
                     shows every later change to what was before it."
                </p>
            </div>
            <div class="stack">
                <p>{number}" in the database."</p>
                {table}
                <form method="post" action="/do/sign_checkpoint" class="line wrap">
                    {form_token()}
                    <button>"Sign a checkpoint"</button>
                    <a class="button" href="/export/tree_head" download>
                        "Download tree head"
                    </a>
                </form>
            </div>
        </section>
    }
    .into_any()
}

/// Shows what witnesses cosigned last.
fn witnessed(all: &[Cosignature], now: Timestamp) -> AnyView {
    let row = |c: &Cosignature| {
        view! {
            <li>
                <code class="wrap">{c.witness.clone()}</code>
                " cosigned "
                {count(c.size, "entry")}
                " "
                <When at=c.at now=now />
            </li>
        }
    };
    let list = if all.is_empty() {
        view! { <p>"No witness yet. Start the server with --witness-url and --witness-key."</p> }
            .into_any()
    } else {
        view! { <ul>{all.iter().map(row).collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="setting">
            <div>
                <h2>"Witness"</h2>
                <p class="quiet">
                    "A server of somebody else that signs how long the trail is, after it has seen \
                     that the trail only grew. It learns no content."
                </p>
            </div>
            <div class="stack">{list}</div>
        </section>
    }
    .into_any()
}

/// The commands that check it all without this server.
fn how(proves: bool) -> AnyView {
    let proof = if proves {
        "Each entry of the audit has a link to its proof."
    } else {
        "A proof of one entry is for auditors, or on the command line."
    };
    view! {
        <section class="setting">
            <div>
                <h2>"Verify it elsewhere"</h2>
                <p class="quiet">
                    "Offline, on another machine. A second verifier in plain Python is in the \
                     repository."
                </p>
            </div>
            <div class="stack">
                <p>"The whole trail:"</p>
                <pre tabindex="0">"lucid audit verify --export audit.jsonl --public-key KEY"</pre>
                <p>"One entry, without the others. "{proof}</p>
                <pre tabindex="0">"lucid audit verify --proof proof.json --public-key KEY"</pre>
                <p>"That the trail only grew since a tree head that you kept:"</p>
                <pre tabindex="0">
                    "lucid audit prove --since tree-head.txt > grown.json\nlucid audit verify \
                     --proof grown.json --tree-head tree-head.txt --public-key KEY"
                </pre>
            </div>
        </section>
    }
    .into_any()
}
