//! Saved mappings: where the parts of transcripts stand that are in no known form.

use std::sync::Arc;

use domain::{Timestamp, actor::Actor, audit_action::AuditAction, rights::Action};
use serde_json::json;
use store::mappings::{self, MappingRow};

use crate::{Error, Lucid, Record, Result, names::Names, transcripts::mapping::Mapping};

/// Most mappings that are kept.
const MOST: i64 = 200;

/// A mapping that was saved by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMapping {
    pub mapping: Arc<Mapping>,
    pub updated_by: String,
    pub updated_at: Timestamp,
}

impl Lucid {
    /// Every saved mapping, by name.
    #[tracing::instrument(skip_all)]
    pub async fn mappings(&self, actor: &Actor) -> Result<Vec<SavedMapping>> {
        may(actor)?;
        let mut tx = self.db.read().await?;
        let rows = mappings::all(&mut tx).await?;
        let names = Names::of_actors(&mut tx, rows.iter().map(|r| r.updated_by.as_str())).await?;
        rows.into_iter()
            .map(|row| {
                Ok(SavedMapping {
                    updated_by: names.of(&row.updated_by),
                    updated_at: row.updated_at,
                    mapping: read(&row)?,
                })
            })
            .collect()
    }

    /// The saved mapping of a name.
    #[tracing::instrument(skip_all)]
    pub async fn mapping(&self, actor: &Actor, name: &str) -> Result<Arc<Mapping>> {
        may(actor)?;
        let mut tx = self.db.read().await?;
        read(
            &mappings::get(&mut tx, name)
                .await?
                .ok_or(Error::NotFound("mapping"))?,
        )
    }

    /// Saves a mapping under its name, in place of the one that is there.
    #[tracing::instrument(skip_all)]
    pub async fn save_mapping(&self, actor: &Actor, mapping: &Mapping) -> Result<()> {
        let mut mapping = mapping.clone();
        mapping.name = mapping.name.trim().to_owned();
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_in_installation(Action::ManageMappings)?;
        mapping.check().map_err(Error::Invalid)?;
        if mapping.name.is_empty() {
            return Err(Error::Invalid(
                "a mapping needs a name to be saved under".to_owned(),
            ));
        }
        if mappings::count_others(&mut tx, &mapping.name).await? >= MOST {
            return Err(Error::Conflict(format!(
                "{MOST} mappings are kept at most: delete one that is not used any more"
            )));
        }
        let text = serde_json::to_string(&mapping)
            .map_err(|_| Error::Internal("a mapping could not be written"))?;
        let row = MappingRow {
            name: mapping.name.clone(),
            mapping: text,
            updated_by: actor.who.to_string(),
            updated_at: self.now(),
        };
        mappings::put(&mut tx, &row).await?;
        let payload = json!({"mapping": mapping});
        let record = Record {
            action: AuditAction::MappingSave,
            subject: mapping.name.clone(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// Deletes the mapping of a name. Its last form stays in the audit trail.
    #[tracing::instrument(skip_all)]
    pub async fn delete_mapping(&self, actor: &Actor, name: &str) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_in_installation(Action::ManageMappings)?;
        if !mappings::delete(&mut tx, name).await? {
            return Err(Error::NotFound("mapping"));
        }
        let payload = json!({});
        let record = Record {
            action: AuditAction::MappingDelete,
            subject: name.to_owned(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }
}

fn may(actor: &Actor) -> Result<()> {
    if actor.may_in_general(Action::ManageMappings) {
        Ok(())
    } else {
        Err(Error::Forbidden(Action::ManageMappings.needs()))
    }
}

fn read(row: &MappingRow) -> Result<Arc<Mapping>> {
    Mapping::parse(&row.mapping)
        .map(Arc::new)
        .map_err(|_| Error::Internal("a saved mapping cannot be read"))
}
