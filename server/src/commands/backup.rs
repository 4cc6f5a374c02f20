//! `lucid backup`: a copy of a running SQLite database.

use std::{path::Path, process::ExitCode};

use domain::actor::Actor;
use service::Lucid;
use store::Db;

use crate::{Failure, clock};

/// Copies the database into a new file, and checks that the copy's audit trail verifies.
pub async fn run(database: super::Database<'_>, file: &Path) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    lucid.backup(file).await?;
    let sealed = lucid.seals_transcripts();
    lucid.close().await;
    // Without the key: nothing is written to the copy.
    let copy = Lucid::new(
        Db::open(&format!("sqlite:{}", file.display())).await?,
        clock::system(),
        clock::system_random(),
    );
    let verified = copy.check_audit(&Actor::operator()).await?;
    copy.close().await;
    match verified {
        Ok(verified) => {
            println!(
                "{} holds a copy; its {} audit entries verify",
                file.display(),
                verified.entries
            );
            if sealed {
                println!("The keys of its sealed transcripts are not in it.");
            }
            if verified.signed_by.is_some() {
                println!(
                    "The key that signs its trail is not in it, and it cannot be written to \
                     without: keep a copy of that elsewhere."
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => Err(Failure::Said(format!(
            "the copy was made, but its audit trail does not verify: {broken}"
        ))),
    }
}
