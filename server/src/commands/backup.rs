//! `lucid backup`: a copy of a running SQLite database.

use std::{path::Path, process::ExitCode};

use domain::actor::Actor;

use crate::Failure;

/// Copies the database into a new file, and checks that the copy's audit trail verifies.
pub async fn run(database: &str, file: &Path) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    lucid.backup(file).await?;
    lucid.close().await;
    let copy = super::open(&format!("sqlite:{}", file.display())).await?;
    let verified = copy.verify_audit(&Actor::operator()).await?;
    copy.close().await;
    match verified {
        Ok(verified) => {
            println!("{} holds a copy; its {} audit entries verify", file.display(), verified.entries);
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => Err(Failure::Said(format!("the copy was made, but its audit trail does not verify: {broken}"))),
    }
}
