//! What is known of an end user, found in whatever holds it: their sessions, what quotes them,
//! memory that rests on nobody else, and every text that says what they said.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    actor::Actor,
    erasure::{ERASED_SHA256, TheirWords},
    event::Speaker,
    ids::{ChangeId, ChangesetId, MemoryId, SessionId, StoreId},
    rights::Action,
};
use store::{
    Tx,
    erasing::{self, LiveMemory},
    memories, sessions,
};

use super::subject_of;
use crate::{Lucid, Result, require_in_general};

/// Events that are read at once.
const A_PAGE: i64 = 500;

/// Why a memory is looked at before an end user is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeping {
    /// It says what they said, or names them.
    Words,
    /// A change wrote to it that nobody else's sessions back.
    Alone,
}

/// Everything known of an end user, before it is erased.
#[derive(Debug, Clone)]
pub struct SubjectView {
    /// How the recorder calls them, masked.
    pub name: String,
    /// How many sessions they have.
    pub sessions: usize,
    /// How many events those hold.
    pub events: i64,
    /// How many quotes of those there are.
    pub quotes: i64,
    /// Memories that must be changed first, or said to hold nothing of them, of the stores that the
    /// actor may see.
    pub memories: Vec<(LiveMemory, Keeping)>,
    /// How many more there are in stores that the actor may not see.
    pub elsewhere: usize,
    /// Texts of past versions and of proposals that would be erased.
    pub texts: usize,
    /// Open changes that would be withdrawn.
    pub open: usize,
    /// An erasure of theirs waits for a second admin.
    pub waits: bool,
}

/// All that is known of an end user.
pub struct Known {
    pub words: TheirWords,
    /// Events of theirs whose key is gone, so that their words are not known.
    pub unreadable: usize,
    pub sessions: Vec<SessionId>,
    pub stores: BTreeSet<StoreId>,
    /// Changes that nobody else's sessions back.
    pub own: BTreeSet<ChangeId>,
    /// Open changes that quote them, or propose what they said.
    pub open: BTreeMap<ChangeId, ChangesetId>,
    /// Memories that such changes wrote, with the number of the first version.
    pub alone: BTreeMap<MemoryId, i64>,
    /// The SHA-256 of texts that say what they said.
    pub texts: BTreeSet<String>,
    /// Past paths that name them.
    pub paths: Vec<String>,
    /// Every memory that says, or once said, any of it.
    pub memories: BTreeSet<MemoryId>,
    /// Memories that still do.
    pub live: BTreeMap<MemoryId, (LiveMemory, Keeping)>,
}

impl Lucid {
    /// Returns what is known of the end user of a session, by what would have to be done to erase
    /// it; `also` as in an erasure.
    #[tracing::instrument(skip_all, fields(%session))]
    pub async fn subject(
        &self,
        actor: &Actor,
        session: SessionId,
        also: &str,
    ) -> Result<SubjectView> {
        require_in_general(actor, Action::ManagePrivacy)?;
        let mut tx = self.db.read().await?;
        let name = subject_of(&mut tx, session).await?;
        let known = known(&mut tx, &name, also, &[]).await?;
        let (mut events, mut quotes) = (0, 0);
        for &session in &known.sessions {
            let size = erasing::size_of(&mut tx, session).await?;
            events += size.0;
            quotes += size.1;
        }
        let all: Vec<(LiveMemory, Keeping)> = known.live.into_values().collect();
        let found = all.len();
        let memories: Vec<_> = all
            .into_iter()
            .filter(|(memory, _)| actor.may(Action::SeeMemory, memory.store_id))
            .collect();
        let waits = store::erasures::waiting_for(&mut tx, &name)
            .await?
            .is_some();
        Ok(SubjectView {
            name: domain::masking::mask(&name),
            sessions: known.sessions.len(),
            events,
            quotes,
            texts: known.texts.len(),
            open: known.open.len(),
            elsewhere: found - memories.len(),
            memories,
            waits,
        })
    }
}

/// Everything that is known of an end user. `also` are names and the like that are looked for as
/// well, one a line; `kept` are memories that hold nothing of them.
pub async fn known(tx: &mut Tx, subject: &str, also: &str, kept: &[MemoryId]) -> Result<Known> {
    let sessions = erasing::sessions_of(tx, subject).await?;
    let (mut words, unreadable) = words_of(tx, subject, &sessions).await?;
    words.add_lines(also);
    let mut known = Known {
        words,
        unreadable,
        stores: BTreeSet::new(),
        own: BTreeSet::new(),
        open: BTreeMap::new(),
        alone: BTreeMap::new(),
        texts: BTreeSet::new(),
        paths: Vec::new(),
        memories: BTreeSet::new(),
        live: BTreeMap::new(),
        sessions,
    };
    known.find_changes(tx).await?;
    known.find_texts(tx).await?;
    known.find_memories(tx).await?;
    known.keep(tx, kept).await?;
    known.find_what_texts_touch(tx).await?;
    Ok(known)
}

/// Returns what they said, with the addresses, numbers and the like that they gave; and how many of
/// their events cannot be read.
async fn words_of(
    tx: &mut Tx,
    subject: &str,
    sessions: &[SessionId],
) -> Result<(TheirWords, usize)> {
    let (mut words, mut unreadable) = (TheirWords::of(subject), 0);
    for &session in sessions {
        let mut after = 0;
        loop {
            let page = sessions::events(tx, session, after, A_PAGE).await?;
            for event in &page.rows {
                unreadable += usize::from(event.is_unreadable());
                if event.speaker == Speaker::Person {
                    words.add_said(&event.text);
                    words.add_personal(&event.text);
                }
            }
            match page.rows.last() {
                Some(last) if page.more => after = last.seq,
                _ => break,
            }
        }
    }
    Ok((words, unreadable))
}

impl Known {
    /// Changes that rest on their sessions alone, with what they wrote and proposed, and open ones
    /// that quote them.
    async fn find_changes(&mut self, tx: &mut Tx) -> Result<()> {
        let theirs: BTreeSet<SessionId> = self.sessions.iter().copied().collect();
        for session in self.sessions.clone() {
            self.stores.extend(sessions::stores_of(tx, session).await?);
            for id in erasing::changes_on(tx, session, true).await? {
                // A hold on what quotes them keeps the quotes.
                for (memory, store, _) in erasing::written_by(tx, id).await? {
                    self.memories.insert(memory);
                    self.stores.insert(store);
                }
                self.withdraw(tx, id).await?;
            }
            for id in erasing::changes_on(tx, session, false).await? {
                if !self.own.contains(&id)
                    && erasing::backed_by(tx, id)
                        .await?
                        .iter()
                        .all(|s| theirs.contains(s))
                {
                    self.own.insert(id);
                }
            }
        }
        for &id in &self.own {
            let written = erasing::written_by(tx, id).await?;
            if written.is_empty() {
                self.texts.extend(erasing::texts_of_change(tx, id).await?);
            }
            for (memory, store, number) in written {
                self.stores.insert(store);
                self.memories.insert(memory);
                let first = self.alone.entry(memory).or_insert(number);
                *first = number.min(*first);
            }
        }
        Ok(())
    }

    /// Texts that say what they said, wherever they are.
    async fn find_texts(&mut self, tx: &mut Tx) -> Result<()> {
        let (words, texts) = (&self.words, &mut self.texts);
        erasing::each_content(tx, |sha256, content| {
            if words.are_in(&content) {
                texts.insert(sha256);
            }
        })
        .await?;
        self.texts.remove(ERASED_SHA256);
        let words = &self.words;
        self.paths = erasing::paths(tx)
            .await?
            .into_iter()
            .filter(|path| words.are_in(path))
            .collect();
        Ok(())
    }

    /// A change that is still open is withdrawn; what was decided stays.
    async fn withdraw(&mut self, tx: &mut Tx, id: ChangeId) -> Result<()> {
        if let Some((id, changeset, store, state)) = erasing::change(tx, id).await? {
            self.stores.insert(store);
            if state.is_open() {
                self.open.insert(id, changeset);
            }
        }
        Ok(())
    }

    /// Leaves alone what a person said holds nothing of them; of the others, every text since
    /// theirs was written to it is erased.
    async fn keep(&mut self, tx: &mut Tx, kept: &[MemoryId]) -> Result<()> {
        let kept: BTreeSet<MemoryId> = kept.iter().copied().collect();
        self.live.retain(|id, _| !kept.contains(id));
        self.alone.retain(|id, _| !kept.contains(id));
        for (&memory, &number) in &self.alone {
            self.texts
                .extend(erasing::said_since(tx, memory, number).await?);
        }
        for &memory in &kept {
            if let Some(says) = memories::get(tx, memory).await? {
                self.texts.remove(&says.content_sha256);
                self.paths.retain(|path| *path != says.path.as_str());
            }
        }
        self.texts.remove(ERASED_SHA256);
        let mut left = BTreeSet::new();
        for &change in &self.own {
            let written = erasing::written_by(tx, change).await?;
            if written.is_empty() || written.iter().any(|(memory, ..)| !kept.contains(memory)) {
                left.insert(change);
            }
        }
        self.own = left;
        Ok(())
    }

    /// Every memory and store that the texts and paths are of, and every open change that proposes
    /// them or says them of itself.
    async fn find_what_texts_touch(&mut self, tx: &mut Tx) -> Result<()> {
        for sha256 in self.texts.clone() {
            for (memory, store) in erasing::memories_with(tx, &sha256).await? {
                self.memories.insert(memory);
                self.stores.insert(store);
            }
            self.stores
                .extend(erasing::stores_of_edits(tx, &sha256).await?);
            for id in erasing::proposed_in(tx, &sha256).await? {
                self.withdraw(tx, id).await?;
            }
        }
        for path in self.paths.clone() {
            for (memory, store) in erasing::of_path(tx, &path).await? {
                self.memories.extend(memory);
                self.stores.insert(store);
            }
            for id in erasing::open_at_path(tx, &path).await? {
                self.withdraw(tx, id).await?;
            }
        }
        for (id, title, rationale, facts) in erasing::open_texts(tx).await? {
            if [title, rationale, facts]
                .iter()
                .any(|text| self.words.erased_from(text).is_some())
            {
                self.withdraw(tx, id).await?;
            }
        }
        Ok(())
    }

    /// Memories that say any of it now, or are named after them.
    async fn find_memories(&mut self, tx: &mut Tx) -> Result<()> {
        for sha256 in &self.texts {
            for memory in erasing::live_with(tx, sha256).await? {
                self.live.insert(memory.id, (memory, Keeping::Words));
            }
        }
        for memory in erasing::live_memories(tx).await? {
            if self.words.are_in(memory.path.as_str()) {
                self.memories.insert(memory.id);
                self.stores.insert(memory.store_id);
                self.live.insert(memory.id, (memory, Keeping::Words));
            }
        }
        for &id in self.alone.keys() {
            if let Some(memory) = erasing::live_memory(tx, id).await? {
                self.live.entry(id).or_insert((memory, Keeping::Alone));
            }
        }
        Ok(())
    }
}
