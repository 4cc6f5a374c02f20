//! What another process does meanwhile.

use std::path::Path;

use domain::actor::Actor;

/// Writes a memory into the demo's store in this folder, as an agent would.
pub async fn write_memory(folder: &Path, path: &str, content: &str) {
    let lucid = super::mixed::open(&format!("sqlite:{}", folder.join("demo.db").display())).await;
    let operator = Actor::operator();
    let store = lucid.stores(&operator).await.expect("its stores")[0].id;
    let moved = service::NewMemory {
        path: path.parse().expect("a path"),
        content: content.into(),
        by_person: false,
    };
    lucid
        .write_memories(&operator, store, &[moved], "written elsewhere")
        .await
        .expect("the write");
    lucid.close().await;
}
