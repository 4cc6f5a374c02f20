//! What a session was given: the versions that it loaded, and where each comes from; as a page
//! shows it, and as a signed bill of memory.

use audit::bill::{Bill, Envelope, Given, Statement};
use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{SessionId, StoreId},
    rights::Action,
};
use serde_json::json;
use store::{
    Tx, memory_stores,
    reads::{self, GivenRow},
    sessions,
};

use crate::{Error, Lucid, Record, Result, memory::approvers, names::Names, sessions::mask_name};

/// Versions that a page shows.
const SHOWN: usize = 100;
/// Versions that a bill lists; a session with more has none.
const MOST: i64 = 50_000;

/// A version that a session was given.
#[derive(Debug, Clone)]
pub struct GivenMemory {
    /// The version, and how often it was loaded.
    pub row: GivenRow,
    pub committed_by: String,
    /// Who approved it, by name; nobody where it was written directly or by a policy.
    pub approved_by: Vec<String>,
}

impl Lucid {
    /// The versions that a session was given from stores that the actor may see, at most 100; and
    /// how many there are.
    #[tracing::instrument(skip_all, fields(%session))]
    pub async fn given_to(
        &self,
        actor: &Actor,
        session: SessionId,
    ) -> Result<(Vec<GivenMemory>, usize)> {
        let mut tx = self.db.read().await?;
        self.seen_session(&mut tx, actor, session).await?;
        let mut rows = reads::of_session(&mut tx, session, MOST).await?;
        rows.retain(|row| actor.may(Action::SeeMemory, row.store_id));
        let all = rows.len();
        rows.truncate(SHOWN);
        Ok((with_names(&mut tx, rows).await?, all))
    }

    /// True if there is a key to sign bills with.
    #[must_use]
    pub const fn signs(&self) -> bool {
        self.signing_key.is_some()
    }

    /// The signed bill of memory of a session. That it was made is an entry of the trail.
    #[tracing::instrument(skip_all, fields(%session))]
    pub async fn bill_of_memory(&self, actor: &Actor, session: SessionId) -> Result<Envelope> {
        self.flush_small_writes().await?;
        let Some(key) = self.signing_key.as_deref() else {
            return Err(Error::Conflict(
                "a bill is signed with the key of the trail: start Lucid with --signing-key FILE"
                    .to_owned(),
            ));
        };
        let (mut tx, acting) = self.begin(actor).await?;
        let store = self.seen_session(&mut tx, &acting, session).await?;
        let right = acting.may_on(Action::SeeSessions, store)?;
        let mut agent = sessions::get(&mut tx, session).await?.and_then(|s| s.agent);
        mask_name(&mut agent);
        let mut rows = reads::of_session(&mut tx, session, MOST + 1).await?;
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) > MOST {
            return Err(Error::Invalid(format!(
                "this session loaded more than {MOST} versions, which is the most that a bill lists"
            )));
        }
        let all = rows.len();
        rows.retain(|row| acting.may(Action::SeeMemory, row.store_id));
        let left_out = all - rows.len();
        let memories: Vec<Given> = with_names(&mut tx, rows)
            .await?
            .into_iter()
            .map(given)
            .collect();
        let listed = memories.len();
        let bill = Bill {
            session: session.to_string(),
            agent,
            made_at: self.now().rfc3339(),
            memories,
            left_out,
        };
        let signed = Statement::new(bill)
            .sign(key)
            .map_err(|_| Error::Internal("a bill could not be written"))?;
        let payload = json!({"sha256": signed.sha256(), "memories": listed, "left_out": left_out});
        let subject = session.to_string();
        let record = Record {
            action: AuditAction::SessionBill,
            subject,
            store: Some(store),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(signed)
    }

    /// The first store of a session in which the actor may see it.
    async fn seen_session(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        session: SessionId,
    ) -> Result<StoreId> {
        for store in sessions::stores_of(tx, session).await? {
            if actor.may(Action::SeeSessions, store)
                && memory_stores::get(tx, store).await?.is_some()
            {
                return Ok(store);
            }
        }
        Err(Error::NotFound("session"))
    }
}

async fn with_names(tx: &mut Tx, rows: Vec<GivenRow>) -> Result<Vec<GivenMemory>> {
    let names = Names::of_actors(tx, rows.iter().map(|r| r.actor.as_str())).await?;
    let one = |row: GivenRow| GivenMemory {
        committed_by: names.of(&row.actor),
        approved_by: approvers(&row.approvals, row.change_id),
        row,
    };
    Ok(rows.into_iter().map(one).collect())
}

fn given(of: GivenMemory) -> Given {
    let row = of.row;
    Given {
        version: row.version_id.to_string(),
        memory: row.memory_id.to_string(),
        number: row.number,
        store: row.store_id.to_string(),
        store_name: row.store_name,
        path: row.path.to_string(),
        sha256: row.content_sha256,
        commit: row.commit_id.to_string(),
        revision: row.revision,
        committed_at: row.committed_at.rfc3339(),
        committed_by: of.committed_by,
        approved_by: of.approved_by,
        times: row.times,
        first_loaded_at: row.first_at.rfc3339(),
        last_loaded_at: row.last_at.rfc3339(),
    }
}
