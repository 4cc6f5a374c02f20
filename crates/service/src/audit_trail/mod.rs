//! The audit trail: listing it, verifying it, signing it and exporting it.

mod exporting;
mod proofs;
mod signing;
mod verifying;

use std::collections::BTreeMap;

use audit::Checkpoint;
use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{ChangeId, ChangesetId},
    rights::Action,
};
use serde_json::Value;
use store::{
    Page, Tx,
    audit_log::{self, Filter},
    changes, changesets,
    checkpoints::CheckpointRow,
    history, keys, memory_stores, policies, recalls, users,
};

pub use self::{
    exporting::{Export, ExportPeriod},
    proofs::{TrailKey, Tree},
    verifying::{LastVerified, Verified},
};
use crate::{Lucid, Record, Result, names::Names};

/// An entry as the page shows it.
#[derive(Debug, Clone)]
pub struct AuditRow {
    pub row: audit_log::Row,
    /// The actor by name.
    pub actor: String,
    /// The entry's hash, hexadecimal.
    pub hash: String,
    /// The title of the change or changeset, or the name of the policy, that it is about.
    pub title: Option<String>,
    /// The changeset that it is about, or that its change is in.
    pub changeset: Option<ChangesetId>,
}

impl Lucid {
    /// The newest entries that the actor may see, of those that the filter names.
    #[tracing::instrument(skip_all)]
    pub async fn audit(&self, actor: &Actor, filter: &Filter) -> Result<Page<AuditRow>> {
        let mut tx = self.db.read().await?;
        let (visible, store) = actor.visible(Action::ReadStoreAudit).narrowed(filter.store);
        let filter = Filter {
            store,
            ..filter.clone()
        };
        let storeless = actor.may_in_general(Action::ReadAudit);
        let page =
            audit_log::list(&mut tx, visible, storeless, &filter, domain::limits::PAGE).await?;
        let names = Names::of_actors(&mut tx, page.rows.iter().map(|r| r.actor.as_str())).await?;
        let subjects: Vec<&str> = page.rows.iter().map(|r| r.subject.as_str()).collect();
        let of_change: Vec<ChangeId> = parsed(&subjects);
        let in_changeset: BTreeMap<ChangeId, ChangesetId> =
            changes::changesets_of(&mut tx, &of_change)
                .await?
                .into_iter()
                .collect();
        let titles = titles(&mut tx, &subjects).await?;
        let rows = page.rows.into_iter().map(|row| AuditRow {
            actor: names.of(&row.actor),
            hash: hex::encode(row.entry().hash),
            title: titles.get(&row.subject).cloned(),
            changeset: row
                .subject
                .parse()
                .ok()
                .or_else(|| in_changeset.get(&row.subject.parse().ok()?).copied()),
            row,
        });
        Ok(Page {
            rows: rows.collect(),
            more: page.more,
        })
    }

    /// Returns who made entries that the actor may see, at most 100 of them: kind and id, and their
    /// name; by name.
    #[tracing::instrument(skip_all)]
    pub async fn audit_actors(&self, actor: &Actor) -> Result<Vec<(String, String)>> {
        let mut tx = self.db.read().await?;
        let storeless = actor.may_in_general(Action::ReadAudit);
        let all = audit_log::actors(
            &mut tx,
            actor.visible(Action::ReadStoreAudit),
            storeless,
            100,
        )
        .await?;
        let names = Names::of_actors(&mut tx, all.iter().map(String::as_str)).await?;
        let mut named: Vec<(String, String)> = all
            .into_iter()
            .map(|who| (names.of(&who), who))
            .map(|(name, who)| (who, name))
            .collect();
        named.sort_by_key(|(_, name)| name.to_lowercase());
        Ok(named)
    }

    /// An entry that says what was done with the trail as a whole.
    async fn record_about_the_trail(
        &self,
        actor: &Actor,
        action: AuditAction,
        needs: Action,
        payload: &Value,
    ) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_in_installation(needs)?;
        let record = Record {
            action,
            subject: "installation".into(),
            store: None,
            commit: None,
            payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }
}

/// The ids of one kind among subjects.
fn parsed<T: std::str::FromStr>(subjects: &[&str]) -> Vec<T> {
    subjects
        .iter()
        .filter_map(|subject| subject.parse().ok())
        .collect()
}

/// Returns what people call the subjects that have a name, a title or a path.
async fn titles(tx: &mut Tx, subjects: &[&str]) -> Result<BTreeMap<String, String>> {
    fn named<T: std::fmt::Display>(
        all: Vec<(T, String)>,
    ) -> impl Iterator<Item = (String, String)> {
        all.into_iter().map(|(id, name)| (id.to_string(), name))
    }
    let mut titles = BTreeMap::new();
    titles.extend(named(changes::titles(tx, &parsed(subjects)).await?));
    titles.extend(named(changesets::titles(tx, &parsed(subjects)).await?));
    titles.extend(named(policies::names(tx, &parsed(subjects)).await?));
    titles.extend(named(users::names(tx, &parsed(subjects)).await?));
    titles.extend(named(memory_stores::called(tx, &parsed(subjects)).await?));
    titles.extend(named(history::paths(tx, &parsed(subjects)).await?));
    titles.extend(named(recalls::paths(tx, &parsed(subjects)).await?));
    titles.extend(named(history::messages(tx, &parsed(subjects)).await?));
    let keys = keys::names(tx, &parsed(subjects)).await?;
    titles.extend(
        keys.into_iter()
            .map(|(id, name, owner)| (id.to_string(), format!("{name} (key of {owner})"))),
    );
    Ok(titles)
}

fn checkpoint(row: &CheckpointRow) -> Checkpoint {
    Checkpoint {
        size: row.size,
        at: row.at.0,
        head: hex::encode(&row.head_hash),
        public_key: hex::encode(&row.public_key),
        signature: hex::encode(&row.signature),
    }
}
