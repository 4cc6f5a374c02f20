//! Risk and labels of edits that people, keys and reverts make. They compare with the memory as it
//! is now: restoring an old text counts as adding it, and a credential is one although it was there
//! before. The rules are in `domain::risk`.

use domain::{
    changeset::Edit,
    memory::MemoryPath,
    risk::{self, Facts, Label, RiskLevel},
};
use store::{Tx, memories};

use crate::Result;

/// Risk and labels of edits under a title. `known` says what is known of the change apart from its
/// edits; the memories that they touch add to it. With `known.frozen` the change ends a memory's
/// being frozen: it counts for that memory although it leaves it as it is.
pub async fn assess(
    tx: &mut Tx,
    title: &str,
    edits: &[Edit],
    known: Facts<'static>,
) -> Result<(RiskLevel, Vec<Label>)> {
    let (mut before, mut human_written, mut frozen) =
        (Vec::new(), known.human_written, known.frozen);
    for edit in edits {
        if let Some(sha256) = &edit.base_sha256 {
            before.extend(memories::content(tx, sha256).await?);
        }
        let Some(id) = edit.memory_id.filter(|_| known.frozen || !stays(edit)) else {
            continue;
        };
        if let Some(memory) = memories::get(tx, id)
            .await?
            .filter(|m| Some(m.version_id) == edit.base_version)
        {
            human_written |= memory.by_person;
            frozen |= memory.frozen;
        }
    }
    let paths = edits
        .iter()
        .flat_map(|e| e.new_path.iter().chain([&e.path]))
        .map(MemoryPath::as_str);
    Ok(risk::assess(&Facts {
        before: before.iter().map(String::as_str).collect(),
        after: edits.iter().filter_map(|e| e.content.as_deref()).collect(),
        names: std::iter::once(title).chain(paths).collect(),
        human_written,
        frozen,
        memories: edits.len(),
        ..known
    }))
}

/// True if an edit leaves its memory as it is.
pub fn stays(edit: &Edit) -> bool {
    let same = |content: &String| {
        Some(domain::canonical::sha256_hex(content.as_bytes())) == edit.base_sha256
    };
    edit.new_path.is_none() && edit.content.as_ref().is_some_and(same)
}
