//! What another process does meanwhile.

use std::{path::Path, sync::Arc};

use domain::{Timestamp, actor::Actor};

/// Writes a memory into the demo's store in this folder, as an agent would.
pub async fn write_memory(folder: &Path, path: &str, content: &str) {
    let db = store::Db::open(&format!("sqlite:{}", folder.join("demo.db").display())).await.expect("the demo's database opens");
    let clock = || Timestamp(1_800_000_000_000_000);
    let random = |bytes: &mut [u8]| bytes.fill(7);
    let lucid = service::Lucid::new(db, Arc::new(clock), Arc::new(random));
    let operator = Actor::operator();
    let store = lucid.stores(&operator).await.expect("its stores")[0].id;
    let moved = service::NewMemory { path: path.parse().expect("a path"), content: content.into(), by_person: false };
    lucid.write_memories(&operator, store, &[moved], "written elsewhere").await.expect("the write");
    lucid.close().await;
}
