//! Erasing: in one transaction everything that is known of an end user goes from every table, and
//! the entry that says so names the payloads that went with it. Afterwards the database's files are
//! written anew, so that they hold no trace.

use std::collections::BTreeMap;

use domain::{
    actor::{Actor, Role},
    audit_action::AuditAction,
    erasure::{ErasureKind, ErasureState, LONGEST_REASON, TheirWords},
    ids::{ErasureId, MemoryId, SessionId, StoreId, UserId, VersionId},
    plural::count,
    rights::Action,
};
use serde_json::{Value, json};
use store::{
    Tx, audit_log, dreams,
    erasing::{self, Erased, TEXTS},
    erasures::{self, ErasureRow},
    memories, memory_stores, sealing, search, sessions, users,
};

use super::{
    refuse_held,
    subject_data::{Known, known},
    subject_of,
};
use crate::{
    Error, Lucid, Record, Result, authority::Authorized, independence::Identities, recalls::text,
    setting_changes::second_admins,
};

/// How an end user is erased.
#[derive(Debug, Clone, Copy, Default)]
pub struct AskedErasure<'a> {
    /// Memories that a person said hold nothing of them; every other one that does must be changed
    /// first.
    pub kept: &'a [MemoryId],
    /// Names and the like that are erased wherever they are, one a line; at most 1,000 characters.
    pub also: &'a str,
    pub reason: &'a str,
    /// True if the person said once more that they want it: what is erased cannot be brought back.
    pub confirmed: bool,
}

/// The state of an erasure that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    Done(ErasureId),
    /// It waits for a second admin.
    Waits(ErasureId),
}

impl Lucid {
    /// Erases what is known of the end user of a session, or asks a second admin to, if there is
    /// one. A reason has 1 to 1,000 characters.
    #[tracing::instrument(skip_all, fields(%session))]
    pub async fn erase_subject(
        &self,
        actor: &Actor,
        session: SessionId,
        asked: &AskedErasure<'_>,
    ) -> Result<Erasure> {
        self.flush_small_writes().await?;
        let (mut tx, acting) = self.begin_changing_rights(actor).await?;
        let right = acting.may_in_installation(Action::ManagePrivacy)?;
        let (person, _) = acting.own_account()?;
        let reason = text(asked.reason, "a reason")?;
        if !asked.confirmed {
            return Err(Error::Invalid(
                "type “erase” in the last field: what is erased cannot be brought back".to_owned(),
            ));
        }
        let also = asked.also.trim();
        if also.chars().count() > LONGEST_REASON || also.contains('\0') {
            return Err(Error::Invalid(format!(
                "the words to erase as well have at most {LONGEST_REASON} characters together"
            )));
        }
        let subject = subject_of(&mut tx, session).await?;
        if erasures::waiting_for(&mut tx, &subject).await?.is_some() {
            return Err(Error::Conflict(
                "an erasure of this end user already waits for a second admin".to_owned(),
            ));
        }
        let known = known(&mut tx, &subject, also, asked.kept).await?;
        if known.unreadable > 0 && also.is_empty() {
            return Err(Error::Conflict(format!(
                "{} of theirs cannot be read, because the key is gone (as in a restored backup), \
                 so what memory holds of them cannot be found by their words: name words to erase \
                 as well",
                count(known.unreadable, "event")
            )));
        }
        self.refuse_erasure(&mut tx, &acting, &known, &subject)
            .await?;
        let id = self.id(ErasureId::new);
        let alone = second_admins(&mut tx, person, &[]).await?.is_empty();
        let kept = json!(as_they_are(&mut tx, asked.kept).await?).to_string();
        let by = acting.who.to_string();
        let row = ErasureRow {
            kept,
            ..ErasureRow::done(
                id,
                ErasureKind::Subject,
                reason.to_owned(),
                by,
                "{}".to_owned(),
                self.now(),
            )
        };
        if !alone {
            let (subject, also) = (Some(subject), Some(also.to_owned()));
            erasures::insert(
                &mut tx,
                &ErasureRow {
                    state: ErasureState::Waiting,
                    subject,
                    also,
                    done_at: None,
                    ..row
                },
            )
            .await?;
            let record = Record {
                action: AuditAction::ErasureAsk,
                subject: id.to_string(),
                store: None,
                commit: None,
                payload: &json!({}),
            };
            self.record(&mut tx, right, record).await?;
            tx.commit().await?;
            return Ok(Erasure::Waits(id));
        }
        let (mut counts, payloads) = self.erase_known(&mut tx, &known, id, &subject).await?;
        counts["overridden"] = json!("there is no second, independent admin to confirm it");
        let reason = known.words.erased_from(&row.reason).unwrap_or(row.reason);
        erasures::insert(
            &mut tx,
            &ErasureRow {
                reason,
                counts: counts.to_string(),
                ..row
            },
        )
        .await?;
        self.record_erasure(&mut tx, right, id, &counts, &payloads)
            .await?;
        tx.commit().await?;
        Ok(Erasure::Done(id))
    }

    /// Does an erasure that another, independent admin asked for.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn confirm_erasure(&self, actor: &Actor, id: ErasureId) -> Result<()> {
        self.flush_small_writes().await?;
        let (mut tx, acting) = self.begin_changing_rights(actor).await?;
        let right = acting.may_in_installation(Action::ManagePrivacy)?;
        let (by, _) = acting.own_account()?;
        let (row, subject) = waiting(&mut tx, id).await?;
        let asker = asker(&row).ok_or(Error::Internal("an erasure was asked for by nobody"))?;
        if Identities::read(&mut tx).await?.same(by, asker) {
            return Err(Error::Forbidden(
                "you asked for this yourself, or you and the admin who did count as one person; \
                 another admin has to confirm it",
            ));
        }
        let is_admin =
            |user: &users::UserRow| user.disabled_at.is_none() && user.role == Role::Admin;
        if !users::get(&mut tx, asker)
            .await?
            .is_some_and(|user| is_admin(&user))
        {
            return Err(Error::Conflict(
                "the person who asked for this is no admin any more; decline it".to_owned(),
            ));
        }
        let said: Vec<(MemoryId, String)> = serde_json::from_str(&row.kept).unwrap_or_default();
        let kept: Vec<MemoryId> = said.iter().map(|(id, _)| *id).collect();
        if as_they_are(&mut tx, &kept).await? != said {
            let why = "a memory that was said to hold nothing of them was changed since; decline \
                this and ask again";
            return Err(Error::Conflict(why.to_owned()));
        }
        let known = known(
            &mut tx,
            &subject,
            row.also.as_deref().unwrap_or_default(),
            &kept,
        )
        .await?;
        self.refuse_erasure(&mut tx, &acting, &known, &subject)
            .await?;
        let (counts, payloads) = self.erase_known(&mut tx, &known, id, &subject).await?;
        erasures::end(
            &mut tx,
            id,
            ErasureState::Done,
            Some(by),
            self.now(),
            &counts.to_string(),
        )
        .await?;
        self.record_erasure(&mut tx, right, id, &counts, &payloads)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Declines an erasure that waits, or withdraws one's own.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn decline_erasure(&self, actor: &Actor, id: ErasureId) -> Result<()> {
        let (mut tx, acting) = self.begin(actor).await?;
        let right = acting.may_in_installation(Action::ManagePrivacy)?;
        let (by, _) = acting.own_account()?;
        waiting(&mut tx, id).await?;
        erasures::end(
            &mut tx,
            id,
            ErasureState::Withdrawn,
            Some(by),
            self.now(),
            "{}",
        )
        .await?;
        let record = Record {
            action: AuditAction::ErasureDecline,
            subject: id.to_string(),
            store: None,
            commit: None,
            payload: &json!({}),
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// Erases the text of a past version of a memory, with that of every other past version and
    /// proposal that says the same.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn redact(&self, actor: &Actor, id: VersionId, reason: &str) -> Result<ErasureId> {
        let (mut tx, acting) = self.begin_changing_rights(actor).await?;
        let version = erasing::version(&mut tx, id)
            .await?
            .filter(|v| acting.knows(v.store_id))
            .ok_or(Error::NotFound("version"))?;
        let right = acting.may_on(Action::Redact, version.store_id)?;
        let reason = text(reason, "a reason")?;
        memory_stores::lock(&mut tx, version.store_id).await?;
        let Some(sha256) = version
            .content_sha256
            .filter(|_| version.redacted_at.is_none())
        else {
            return Err(Error::Conflict(
                "this version has no text: it removed the memory, or its text was erased before"
                    .to_owned(),
            ));
        };
        if version.live {
            return Err(Error::Conflict(
                "this is what the memory says now: change or remove the memory first, then erase \
                 this version"
                    .to_owned(),
            ));
        }
        if let Some(memory) = erasing::live_with(&mut tx, &sha256).await?.first() {
            let place = if acting.knows(memory.store_id) {
                memory.path.as_str()
            } else {
                "a memory of another store"
            };
            return Err(Error::Conflict(format!(
                "{place} says the same now: change or remove it first"
            )));
        }
        if !erasing::proposed_in(&mut tx, &sha256).await?.is_empty() {
            return Err(Error::Conflict(
                "an open change holds the same text: decide on it first".to_owned(),
            ));
        }
        let places = erasing::memories_with(&mut tx, &sha256).await?;
        let (memories, mut stores): (Vec<MemoryId>, Vec<StoreId>) = places.into_iter().unzip();
        stores.extend(erasing::stores_of_edits(&mut tx, &sha256).await?);
        // The same text in a store that one does not manage is not one's own to erase.
        for &store in &stores {
            acting.may_on(Action::Redact, store)?;
        }
        refuse_held(&mut tx, None, &stores, &memories).await?;
        let versions = erasing::erase_content(&mut tx, &sha256, self.now()).await?;
        erasing::drop_vectors(&mut tx).await?;
        let counts = json!({"versions": versions});
        let erasure = self.id(ErasureId::new);
        let by = acting.who.to_string();
        let row = ErasureRow::done(
            erasure,
            ErasureKind::Version,
            reason.to_owned(),
            by,
            counts.to_string(),
            self.now(),
        );
        let row = ErasureRow {
            version_id: Some(id),
            ..row
        };
        erasures::insert(&mut tx, &row).await?;
        let payload = json!({"path": version.path, "version": id, "number": version.number, "versions": versions, "reason": reason});
        let subject = version.memory_id.to_string();
        let record = Record {
            action: AuditAction::MemoryRedact,
            subject,
            store: Some(version.store_id),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(erasure)
    }

    /// Writes the database's files anew if something was erased since, so that they hold no trace
    /// of it; what a worker does by itself.
    #[tracing::instrument(skip_all)]
    pub async fn clean_after_erasures(&self) -> Result<()> {
        let now = self.now();
        if !erasures::is_to_clean(&mut self.db.read().await?, now).await? {
            return Ok(());
        }
        let mut tx = self.db.background().await?;
        search::merge(&mut tx).await?;
        tx.commit().await?;
        if !self.db.rewrite().await? {
            return Ok(());
        }
        let mut tx = self.db.background().await?;
        erasures::cleaned(&mut tx, now, self.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Refuses an erasure while memory still says what is to be erased, or a hold is on it.
    async fn refuse_erasure(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        known: &Known,
        subject: &str,
    ) -> Result<()> {
        let stores: Vec<StoreId> = known.stores.iter().copied().collect();
        let memories: Vec<MemoryId> = known.memories.iter().copied().collect();
        refuse_held(tx, Some(subject), &stores, &memories).await?;
        if known.live.is_empty() {
            return Ok(());
        }
        let seen = known
            .live
            .values()
            .filter(|(memory, _)| actor.may(Action::SeeMemory, memory.store_id));
        let paths: Vec<&str> = seen
            .take(5)
            .map(|(memory, _)| memory.path.as_str())
            .collect();
        let more = known.live.len().saturating_sub(paths.len());
        let what = match (paths.is_empty(), more) {
            (true, n) => format!(
                "{n} in stores that you may not see; an admin with a grant on them has to ask"
            ),
            (false, 0) => paths.join(", "),
            (false, n) => format!("{} and {n} more", paths.join(", ")),
        };
        Err(Error::Conflict(format!(
            "nothing was erased, because memory still holds something of them: change or remove \
             {what}, or mark it as holding nothing of them"
        )))
    }

    /// Erases all that is known. Returns how much it was, and the entries whose payloads went with
    /// it.
    async fn erase_known(
        &self,
        tx: &mut Tx,
        known: &Known,
        id: ErasureId,
        subject: &str,
    ) -> Result<(Value, Vec<i64>)> {
        let now = self.now();
        for &store in &known.stores {
            memory_stores::lock(tx, store).await?;
            // A dream that has read them already would write down what it read.
            dreams::cancel_all(tx, store).await?;
        }
        let open: Vec<_> = known
            .open
            .iter()
            .map(|(&change, &changeset)| (change, changeset))
            .collect();
        let withdrawn = self.retire(tx, &open).await?;
        let (mut events, mut quotes, mut versions) = (0, 0, 0);
        for &session in &known.sessions {
            // Who appends to it just now is waited for.
            sessions::lock(tx, session).await?;
            events += erasing::erase_transcript(tx, session, now).await?;
            quotes += erasing::erase_session(tx, session, now).await?;
            sealing::change_key(tx, session, now).await?;
        }
        for sha256 in &known.texts {
            versions += erasing::erase_content(tx, sha256, now).await?;
        }
        for &change in &known.own {
            erasing::erase_change(tx, change).await?;
        }
        let texts = erase_texts(tx, &known.words).await?;
        for (number, path) in known.paths.iter().enumerate() {
            erasing::erase_path(tx, path, &format!("/erased/{id}/{}", number + 1)).await?;
        }
        erasing::erase_released_holds(tx, subject).await?;
        erasing::find_changes_again(tx).await?;
        erasing::drop_vectors(tx).await?;
        let payloads = erase_payloads(tx, &known.words).await?;
        let counts = json!({"sessions": known.sessions.len(), "events": events, "quotes": quotes, "versions": versions, "texts": texts,
            "withdrawn": withdrawn.len(), "entries": payloads.len()});
        Ok((counts, payloads))
    }

    async fn record_erasure(
        &self,
        tx: &mut Tx,
        right: Authorized,
        id: ErasureId,
        counts: &Value,
        payloads: &[i64],
    ) -> Result<()> {
        let record = Record {
            action: AuditAction::SubjectErase,
            subject: id.to_string(),
            store: None,
            commit: None,
            payload: counts,
        };
        audit_log::append_erasing(
            tx,
            &self.entry(right, record),
            self.signing_key.as_deref(),
            payloads,
        )
        .await?;
        Ok(())
    }
}

/// An erasure that waits, with whom it is about.
async fn waiting(tx: &mut Tx, id: ErasureId) -> Result<(ErasureRow, String)> {
    let row = erasures::get(tx, id)
        .await?
        .ok_or(Error::NotFound("erasure"))?;
    match row.subject.clone() {
        Some(subject) if row.state == ErasureState::Waiting => Ok((row, subject)),
        _ => Err(Error::Conflict(
            "this erasure does not wait any more".to_owned(),
        )),
    }
}

/// Erases what they said from every other column. Returns how many texts held it.
async fn erase_texts(tx: &mut Tx, words: &TheirWords) -> Result<u64> {
    let mut rows = 0;
    for column in TEXTS {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        erasing::each_text(tx, column, |text| {
            if let Some(left) = words.erased_from(&text) {
                found.insert(
                    text,
                    if column.erased == Erased::Object {
                        "{}".to_owned()
                    } else {
                        left
                    },
                );
            }
        })
        .await?;
        for (old, new) in found {
            rows += erasing::replace_text(tx, column, &old, &new).await?;
        }
    }
    Ok(rows)
}

/// Returns who asked for an erasure.
pub fn asker(row: &ErasureRow) -> Option<UserId> {
    row.asked_by.strip_prefix("person:")?.parse().ok()
}

/// Memories with the SHA-256 of what they say now.
async fn as_they_are(tx: &mut Tx, ids: &[MemoryId]) -> Result<Vec<(MemoryId, String)>> {
    let mut all = Vec::with_capacity(ids.len());
    for &id in ids {
        if let Some(memory) = memories::get(tx, id).await? {
            all.push((id, memory.content_sha256));
        }
    }
    Ok(all)
}

/// Erases the payloads of entries that say what they said; the positions of those entries.
async fn erase_payloads(tx: &mut Tx, words: &TheirWords) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    erasing::each_payload(tx, |seq, payload| {
        if words.erased_from(&payload).is_some() {
            found.push(seq);
        }
    })
    .await?;
    for &seq in &found {
        erasing::erase_payload(tx, seq).await?;
    }
    Ok(found)
}
