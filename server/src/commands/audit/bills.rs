//! Bills of memory: printing one, and checking one offline.

use std::{path::Path, process::ExitCode};

use audit::{
    Checkpoint,
    bill::{Envelope, TrailCheck},
};
use domain::{actor::Actor, ids::SessionId, plural::count};

use super::{not_good, read_export};
use crate::{Failure, commands};

/// Prints the bill of a session.
pub async fn print(
    database: commands::Database<'_>,
    session: SessionId,
) -> Result<ExitCode, Failure> {
    let lucid = commands::open_existing(database).await?;
    let bill = lucid.bill_of_memory(&Actor::operator(), session).await?;
    lucid.close().await;
    println!(
        "{}",
        serde_json::to_string(&bill).map_err(|e| Failure::Said(e.to_string()))?
    );
    Ok(ExitCode::SUCCESS)
}

/// Checks a bill's signature and, with an export, what it says against the trail. The database is
/// not asked.
pub fn verify(
    bill: &Path,
    export: Option<&Path>,
    kept: Vec<Checkpoint>,
    key: Option<&str>,
) -> Result<ExitCode, Failure> {
    let text =
        std::fs::read_to_string(bill).map_err(|e| Failure::Io(bill.display().to_string(), e))?;
    let envelope: Envelope = match serde_json::from_str(&text) {
        Ok(envelope) => envelope,
        Err(error) => return Ok(wrong(&format!("this is not a bill of memory: {error}"))),
    };
    // With an export the entry that the bill was made is what counts, so that a bill from before
    // the key was replaced holds as well.
    let (statement, signed_by) = match envelope.verify(key.filter(|_| export.is_none())) {
        Ok(good) => good,
        Err(bad) => return Ok(wrong(&bad)),
    };
    let listed = statement.predicate.memories.len();
    println!(
        "{} was given {}",
        statement.predicate.session,
        count(listed, "version")
    );
    if statement.predicate.left_out > 0 {
        println!(
            "{} more are not listed: whoever asked for the bill may not see their stores",
            statement.predicate.left_out
        );
    }
    println!("the bill is signed with the key {signed_by}");
    if key.is_none() {
        println!(
            "no key was named: with --public-key KEY, what is not signed with the key that you \
             trust is refused"
        );
    }
    let Some(export) = export else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut trail = TrailCheck::default();
    match read_export(export, kept, key.map(str::to_owned), |line| {
        trail.line(line);
    })? {
        Ok(verifier) if verifier.clone().finish().is_some() => {}
        Ok(_) => return Ok(not_good(&super::HEAD_MISSING)),
        Err(why) => return Ok(not_good(&why)),
    }
    match trail.finish(&envelope, &statement.predicate) {
        Ok(confirmed) => {
            println!(
                "the trail confirms the content of {confirmed} of them, and the commit of all"
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(bad) => Ok(wrong(&bad)),
    }
}

fn wrong(why: &dyn std::fmt::Display) -> ExitCode {
    println!("the bill does NOT verify: {why}");
    ExitCode::FAILURE
}
