//! Reading and verifying the audit trail.

use audit::{
    Verifier,
    export::{ExportedEntry, Line},
};
use domain::actor::{Actor, Role, Visible};
use store::{
    Page,
    audit_log::{self, Filter},
    users,
};

use crate::{Error, Lucid, Result};

/// An entry as the page shows it.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// The row.
    pub row: audit_log::Row,
    /// The actor by name.
    pub actor: String,
    /// The entry's hash, hexadecimal.
    pub hash: String,
}

/// A trail that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries.
    pub entries: i64,
    /// Hash of the last one, hexadecimal.
    pub head: String,
}

impl Lucid {
    /// The newest entries that the actor may see, of those that the filter names.
    pub async fn audit(&self, actor: &Actor, filter: &Filter) -> Result<Page<AuditRow>> {
        let mut tx = self.db.read().await?;
        let (visible, storeless) = (actor.visible_audit(), actor.sees_storeless_audit());
        let page = audit_log::list(&mut tx, visible, storeless, filter, domain::limits::PAGE).await?;
        let names = users::all(&mut tx).await?;
        let rows =
            page.rows.into_iter().map(|row| AuditRow { actor: name_of(&row.actor, &names), hash: hex::encode(row.entry().hash), row });
        Ok(Page { rows: rows.collect(), more: page.more })
    }

    /// Checks the whole trail in the database. The outer error is the database's; the inner one names what is wrong.
    pub async fn verify_audit(&self, actor: &Actor) -> Result<std::result::Result<Verified, audit::Broken>> {
        if !matches!(actor.role, Role::Admin | Role::Auditor) {
            return Err(Error::Forbidden("verifying the audit trail needs the role admin or auditor"));
        }
        // One transaction on SQLite is one view; on PostgreSQL entries up to the head that is read first never change.
        let mut tx = self.db.read().await?;
        let (head_seq, head_hash) = audit_log::head(&mut tx).await?;
        let mut verifier = Verifier::default();
        let mut after = 0;
        loop {
            let rows = audit_log::chain(&mut tx, after, 1_000).await?;
            let Some(last) = rows.last().map(|r| r.seq) else { break };
            for row in rows.iter().filter(|r| r.seq <= head_seq) {
                if let Err(broken) = verifier.next(&row.entry(), row.payload.as_deref().map(|p| (row.salt.as_slice(), p))) {
                    return Ok(Err(broken));
                }
            }
            after = last;
        }
        Ok(verifier.finish(head_seq, head_hash).map(|entries| Verified { entries, head: hex::encode(head_hash) }))
    }
}

impl Lucid {
    /// Gives every entry and then the head to `take`, in the form of an export: everything that verifying offline needs.
    pub async fn export_audit(&self, actor: &Actor, take: &mut (dyn FnMut(&Line) -> std::io::Result<()> + Send)) -> Result<i64> {
        if actor.visible_audit() != Visible::All {
            return Err(Error::Forbidden("exporting the whole audit trail needs the role auditor, or the command line"));
        }
        let mut tx = self.db.read().await?;
        let (head_seq, head_hash) = audit_log::head(&mut tx).await?;
        let mut after = 0;
        while after < head_seq {
            let rows = audit_log::chain(&mut tx, after, 1_000).await?;
            let Some(last) = rows.last().map(|r| r.seq) else { break };
            for row in rows.iter().filter(|r| r.seq <= head_seq) {
                take(&Line::Entry(ExportedEntry::new(&row.entry(), &row.salt, row.payload.clone())))?;
            }
            after = last;
        }
        take(&Line::Head { seq: head_seq, hash: hex::encode(head_hash) })?;
        Ok(head_seq)
    }
}

/// An actor by name: `person:user_..` as the person is called, others as they are.
pub fn name_of(actor: &str, users: &[users::UserRow]) -> String {
    let person = actor.strip_prefix("person:").and_then(|id| users.iter().find(|u| u.id.to_string() == id));
    person.map_or_else(|| actor.to_owned(), |u| u.name.clone())
}
