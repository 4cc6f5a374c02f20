//! The letter to an end user who asks what is known of them: each memory that rests on what they
//! said, who approved it, which agents were given it, and since when. What points to other people
//! in it is masked. It is signed, so that nobody can change it unseen.

use std::{collections::BTreeSet, fmt::Write as _};

use domain::{
    Timestamp,
    actor::Actor,
    audit_action::AuditAction,
    erasure::TheirWords,
    ids::{ChangeId, MemoryId, SessionId},
    masking::mask_unless,
    plural::count,
    rights::Action,
};
use serde_json::json;
use store::{
    Tx,
    erasing::{self, LiveMemory},
    memories, reads, sessions,
};

use super::{subject_data::known, subject_of};
use crate::{Error, Lucid, Record, Result, memory::approvers, names::Names, require_in_general};

/// Lines of a memory that the letter quotes.
const LONGEST_MEMORY: usize = 200;

/// A letter, as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Markdown, with its signature at the end.
    pub text: String,
    /// The SHA-256 of what is signed, as the trail has it.
    pub sha256: String,
}

impl Lucid {
    /// The signed letter about what is known of the end user of a session. That it was made is an
    /// entry of the trail.
    #[tracing::instrument(skip_all, fields(%session))]
    pub async fn subject_letter(&self, actor: &Actor, session: SessionId) -> Result<Letter> {
        self.flush_small_writes().await?;
        let Some(key) = self.signing_key.as_deref() else {
            return Err(Error::Conflict(
                "a letter is signed with the key of the trail: start Lucid with --signing-key FILE"
                    .to_owned(),
            ));
        };
        require_in_general(actor, Action::ManagePrivacy)?;
        let body = self.letter_about(actor, session).await?;
        let (mut tx, acting) = self.begin(actor).await?;
        let right = acting.may_in_installation(Action::ManagePrivacy)?;
        acting.own_account()?;
        let sha256 = hex::encode(audit::sha256(&body));
        let text = audit::letter::sign(key, &body);
        let payload = json!({"sha256": sha256});
        let record = Record {
            action: AuditAction::SubjectLetter,
            subject: "installation".into(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(Letter { text, sha256 })
    }
}

impl Lucid {
    /// The letter without its signature.
    async fn letter_about(&self, actor: &Actor, session: SessionId) -> Result<String> {
        let mut tx = self.db.read().await?;
        let name = subject_of(&mut tx, session).await?;
        let known = known(&mut tx, &name, "", &[]).await?;
        let mut rest: BTreeSet<MemoryId> = known.live.keys().copied().collect();
        let (mut quoted, mut quotes) = (BTreeSet::new(), 0);
        let (mut first, mut last) = (None, None);
        let mut agents = BTreeSet::new();
        for &session in &known.sessions {
            rest.extend(erasing::quoted_for(&mut tx, session).await?);
            quoted.extend(erasing::changes_on(&mut tx, session, true).await?);
            quotes += erasing::size_of(&mut tx, session).await?.1;
            let Some(row) = sessions::get(&mut tx, session).await? else {
                continue;
            };
            let at = row.first_event_at.unwrap_or(row.created_at);
            first = Some(first.map_or(at, |first: Timestamp| first.min(at)));
            let at = row.last_event_at.unwrap_or(at);
            last = Some(last.map_or(at, |last: Timestamp| last.max(at)));
            agents.extend(row.agent);
        }
        let sessions = i64::try_from(known.sessions.len()).unwrap_or(i64::MAX);
        let verb = |n: i64| if n == 1 { "is" } else { "are" };
        let mut text = format!(
            "# What is known of {}\n\nMade on {}.\n\n## Sessions\n\n",
            line(&name),
            day(self.now())
        );
        let _ = write!(
            text,
            "There {} {}",
            verb(sessions),
            count(sessions, "session")
        );
        if let (Some(first), Some(last)) = (first, last) {
            let _ = write!(text, ", from {} to {}", day(first), day(last));
        }
        if !agents.is_empty() {
            let _ = write!(
                text,
                ", with {}",
                agents
                    .iter()
                    .map(|a| line(a))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
        let _ = write!(
            text,
            ". {} from them {} kept as evidence.\n\n## Memory\n\n",
            count(quotes, "quote"),
            verb(quotes)
        );
        let (mut remembered, mut elsewhere) = (0_usize, 0_usize);
        for id in rest {
            match erasing::live_memory(&mut tx, id).await? {
                Some(memory) if actor.may(Action::SeeMemory, memory.store_id) => {
                    if let Some(part) = self
                        .memory_part(
                            &mut tx,
                            actor,
                            &memory,
                            (&known.sessions, &quoted, &known.words),
                        )
                        .await?
                    {
                        text.push_str(&part);
                        remembered += 1;
                    }
                }
                Some(_) => elsewhere += 1,
                None => {}
            }
        }
        if remembered == 0 && elsewhere == 0 {
            text.push_str(
                "Agents remember nothing that rests on what was said in these sessions.\n",
            );
        }
        if elsewhere > 0 {
            let _ = writeln!(
                text,
                "{} in stores that the person who made this letter may not see {} not told here.",
                count(elsewhere, "memory"),
                if elsewhere == 1 { "is" } else { "are" }
            );
        }
        Ok(text)
    }

    /// Returns what the letter says of one memory: the lines that rest on their sessions or say
    /// what they said. Nothing of one without such lines.
    async fn memory_part(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        memory: &LiveMemory,
        (theirs, quoted, words): (&[SessionId], &BTreeSet<ChangeId>, &TheirWords),
    ) -> Result<Option<String>> {
        let Some(row) = memories::get(tx, memory.id).await? else {
            return Ok(None);
        };
        let Some(version) = memories::version_whole(tx, memory.id, row.number).await? else {
            return Ok(None);
        };
        let shown = |text: &str| line(&mask_unless(text, |value| words.are_in(value)));
        let mut text = format!(
            "### {} ({})\n\n",
            shown(memory.path.as_str()),
            line(&memory.store_name)
        );
        let (mut lines, mut left_out) = (0, false);
        for blamed in self.blame(actor, memory.id).await? {
            let of_theirs = blamed
                .version
                .version
                .change_id
                .is_some_and(|change| quoted.contains(&change));
            for said in &blamed.lines {
                if !said.trim().is_empty()
                    && lines < LONGEST_MEMORY
                    && (of_theirs || words.are_in(said))
                {
                    let _ = writeln!(text, "> {}", shown(said));
                    lines += 1;
                } else {
                    left_out |= !said.trim().is_empty();
                }
            }
        }
        if lines == 0 && !words.are_in(memory.path.as_str()) {
            return Ok(None);
        }
        if left_out {
            text.push_str("> […]\n");
        }
        let names = Names::of_actors(tx, [version.actor.as_str()]).await?;
        let approved = approvers(&version.approvals, version.change_id);
        let _ = write!(
            text,
            "\n- Remembered since {}; this text since {}.\n",
            day(row.created_at),
            day(version.created_at)
        );
        if approved.is_empty() {
            let _ = writeln!(
                text,
                "- Written by {}; nobody approved it.",
                line(&names.of(&version.actor))
            );
        } else {
            let _ = writeln!(text, "- Approved by {}.", line(&approved.join(", ")));
        }
        for &session in theirs {
            for quote in erasing::quotes_for(tx, session, memory.id).await? {
                let _ = writeln!(text, "- It rests on these words: “{}”", shown(&quote));
            }
        }
        let readers = reads::readers(tx, memory.id, Timestamp(0)).await?;
        for reader in &readers {
            let agent = reader
                .agent
                .as_deref()
                .unwrap_or("a reader outside of sessions");
            let _ = writeln!(
                text,
                "- Given to {}: {}, last on {}.",
                line(agent),
                count(reader.times, "time"),
                day(reader.last_at)
            );
        }
        if readers.is_empty() {
            text.push_str("- No agent has loaded it yet.\n");
        }
        text.push('\n');
        Ok(Some(text))
    }
}

/// A text of somebody else on one line of the letter, with nothing that would end the line.
fn line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A day, as a letter writes it.
fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}
