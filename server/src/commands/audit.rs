//! `lucid audit verify`.

use std::process::ExitCode;

use domain::actor::Actor;

use crate::{
    Failure,
    cli::{AuditArgs, AuditCommand},
};

/// Checks the chain in the database.
pub async fn run(database: &str, args: &AuditArgs) -> Result<ExitCode, Failure> {
    let AuditCommand::Verify = args.command;
    let lucid = super::open(database).await?;
    Ok(match lucid.verify_audit(&Actor::operator()).await? {
        Ok(verified) => {
            println!("{} entries verify; the last has the hash {}", verified.entries, verified.head);
            ExitCode::SUCCESS
        }
        Err(broken) => {
            println!("the audit trail does NOT verify: {broken}");
            ExitCode::FAILURE
        }
    })
}
