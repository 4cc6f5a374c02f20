//! The letter to an end user who asks what is known of them: each memory that rests on what they said, who approved it, which agents were
//! given it, and since when. What points to other people in it is masked. It is signed, so that nobody can change it unseen.

use std::{collections::BTreeSet, fmt::Write as _};

use domain::{
    Timestamp,
    actor::Actor,
    audit_action::AuditAction,
    erasure::TheirWords,
    ids::{MemoryId, SessionId},
    masking::mask_unless,
    plural::count,
    rights::Action,
};
use serde_json::json;
use store::{Tx, erasing, memories, memory_stores, reads, sessions};

use super::{known::known, subject_of};
use crate::{Error, Lucid, Record, Result, memory::approvers, names::Names};

/// Characters of a memory that the letter quotes.
const LONGEST_MEMORY: usize = 4_000;

/// A letter, as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Markdown, with its signature at the end.
    pub text: String,
    /// The SHA-256 of what is signed, as the trail has it.
    pub sha256: String,
}

impl Lucid {
    /// The signed letter about what is known of the end user of a session. That it was made is an entry of the trail.
    pub async fn subject_letter(&self, actor: &Actor, session: SessionId) -> Result<Letter> {
        self.flush_small_writes().await?;
        let Some(key) = self.signing_key.as_deref() else {
            return Err(Error::Conflict("a letter is signed with the key of the trail: start Lucid with --signing-key FILE".to_owned()));
        };
        let (mut tx, acting) = self.begin(actor).await?;
        let right = acting.may_in_installation(Action::ManagePrivacy)?;
        acting.own_account()?;
        let name = subject_of(&mut tx, session).await?;
        let body = body(&mut tx, &name, self.now()).await?;
        let sha256 = hex::encode(audit::sha256(&body));
        let text = audit::letter::sign(key, &body);
        let payload = json!({"sha256": sha256});
        let record =
            Record { action: AuditAction::SubjectLetter, subject: "installation".into(), store: None, commit: None, payload: &payload };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(Letter { text, sha256 })
    }
}

/// The letter without its signature.
async fn body(tx: &mut Tx, name: &str, now: Timestamp) -> Result<String> {
    let known = known(tx, name, "").await?;
    let mut rest: BTreeSet<MemoryId> = known.live.keys().copied().collect();
    let mut quoted = 0;
    let (mut first, mut last) = (None, None);
    let mut agents = BTreeSet::new();
    for &session in &known.sessions {
        rest.extend(erasing::quoted_for(tx, session).await?);
        quoted += erasing::size_of(tx, session).await?.1;
        let Some(row) = sessions::get(tx, session).await? else { continue };
        let at = row.first_event_at.unwrap_or(row.created_at);
        first = Some(first.map_or(at, |first: Timestamp| first.min(at)));
        let at = row.last_event_at.unwrap_or(at);
        last = Some(last.map_or(at, |last: Timestamp| last.max(at)));
        agents.extend(row.agent);
    }
    let sessions = i64::try_from(known.sessions.len()).unwrap_or(i64::MAX);
    let mut text = format!("# What is known of {name}\n\nMade on {}.\n\n## Sessions\n\n", day(now));
    let _ = write!(text, "There {} {}", if sessions == 1 { "is" } else { "are" }, count(sessions, "session"));
    if let (Some(first), Some(last)) = (first, last) {
        let _ = write!(text, ", from {} to {}", day(first), day(last));
    }
    if !agents.is_empty() {
        let _ = write!(text, ", with {}", agents.into_iter().collect::<Vec<_>>().join(", "));
    }
    let _ = write!(
        text,
        ". {} from them {} kept as evidence.\n\n## Memory\n\n",
        count(quoted, "quote"),
        if quoted == 1 { "is" } else { "are" }
    );
    let mut remembered = 0;
    for id in rest {
        if let Some(part) = memory_part(tx, id, &known.sessions, &known.words).await? {
            text.push_str(&part);
            remembered += 1;
        }
    }
    if remembered == 0 {
        text.push_str("Agents remember nothing that rests on what was said in these sessions.\n");
    }
    Ok(text)
}

/// What the letter says of one memory; nothing of one that is deleted.
async fn memory_part(tx: &mut Tx, id: MemoryId, theirs: &[SessionId], words: &TheirWords) -> Result<Option<String>> {
    let Some(memory) = memories::get(tx, id).await? else { return Ok(None) };
    let Some(store) = memory_stores::get(tx, memory.store_id).await? else { return Ok(None) };
    let Some(version) = memories::version_whole(tx, id, memory.number).await? else { return Ok(None) };
    let content = memories::content(tx, &memory.content_sha256).await?.unwrap_or_default();
    let masked = mask_unless(&content, |value| words.are_in(value));
    let shown: String = masked.chars().take(LONGEST_MEMORY).collect();
    let names = Names::of_actors(tx, [version.actor.as_str()]).await?;
    let approved = approvers(&version.approvals, version.change_id);
    let mut text = format!("### {} ({})\n\n", memory.path, store.name);
    for line in shown.lines() {
        let _ = writeln!(text, "> {line}");
    }
    if shown.len() < masked.len() {
        text.push_str("> …\n");
    }
    let _ = write!(text, "\n- Remembered since {}; this text since {}.\n", day(memory.created_at), day(version.created_at));
    if approved.is_empty() {
        let _ = writeln!(text, "- Written by {}; nobody approved it.", names.of(&version.actor));
    } else {
        let _ = writeln!(text, "- Approved by {}.", approved.join(", "));
    }
    for &session in theirs {
        for quote in erasing::quotes_for(tx, session, id).await? {
            let quote = mask_unless(&quote, |value| words.are_in(value));
            let _ = writeln!(text, "- It rests on these words: “{}”", quote.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    let readers = reads::readers(tx, id, Timestamp(0)).await?;
    for reader in &readers {
        let agent = reader.agent.as_deref().unwrap_or("a reader outside of sessions");
        let _ = writeln!(text, "- Given to {agent}: {}, last on {}.", count(reader.times, "time"), day(reader.last_at));
    }
    if readers.is_empty() {
        text.push_str("- No agent has loaded it yet.\n");
    }
    text.push('\n');
    Ok(Some(text))
}

/// A day, as a letter writes it.
fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}
