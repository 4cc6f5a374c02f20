//! `lucid audit`: verify the trail of a database or of an export, and write one.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    process::ExitCode,
};

use audit::{
    Checkpoint,
    export::{ExportVerifier, Line},
};
use domain::actor::Actor;

use crate::{
    Failure,
    cli::{AuditArgs, AuditCommand},
};

/// Verifies or exports.
pub async fn run(database: super::Database<'_>, args: &AuditArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        AuditCommand::Verify { export, checkpoint, public_key } => {
            let kept = checkpoint.iter().map(|file| read_checkpoint(file)).collect::<Result<Vec<_>, _>>()?;
            match export {
                Some(file) => verify_export(file, kept, public_key.clone()),
                None => verify(database, kept, public_key.clone()).await,
            }
        }
        AuditCommand::Export => export(database).await,
        AuditCommand::Checkpoint => sign(database).await,
    }
}

fn read_checkpoint(file: &Path) -> Result<Checkpoint, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::Io(file.display().to_string(), e))?;
    serde_json::from_str(&text).map_err(|e| Failure::Said(format!("{} is not a checkpoint: {e}", file.display())))
}

async fn sign(database: super::Database<'_>) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let signed = lucid.sign_checkpoint(&Actor::operator()).await?;
    lucid.close().await;
    println!("{}", serde_json::to_string(&signed).map_err(|e| Failure::Said(e.to_string()))?);
    Ok(ExitCode::SUCCESS)
}

async fn verify(database: super::Database<'_>, kept: Vec<Checkpoint>, key: Option<String>) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    Ok(match lucid.verify_audit_with(&Actor::operator(), kept, key).await? {
        Ok(verified) => {
            println!("{} entries verify; the last has the hash {}", verified.entries, verified.head);
            match verified.since {
                Some(1) => println!("{} rows of the database are as the trail has them", verified.rows),
                Some(since) => println!("{} rows of the database are as the trail has them; of what happened before entry {since}, it says only what was done", verified.rows),
                None => println!("the trail binds no rows yet: the next entry will"),
            }
            match verified.signed_by {
                Some(key) => println!("its end is signed with the key {key}"),
                None => println!("its end is not signed"),
            }
            ExitCode::SUCCESS
        }
        Err(broken) => not_good(&broken),
    })
}

fn not_good(why: &dyn std::fmt::Display) -> ExitCode {
    println!("the audit trail does NOT verify: {why}");
    ExitCode::FAILURE
}

/// Checks a file that `lucid audit export` wrote; the database is not asked.
fn verify_export(file: &Path, kept: Vec<Checkpoint>, key: Option<String>) -> Result<ExitCode, Failure> {
    let failed = |e| Failure::Io(file.display().to_string(), e);
    let mut verifier = match ExportVerifier::expecting(kept, key) {
        Ok(verifier) => verifier,
        Err(broken) => return Ok(not_good(&broken)),
    };
    for (number, text) in (1..).zip(BufReader::new(File::open(file).map_err(failed)?).lines()) {
        let line: Line = match serde_json::from_str(&text.map_err(failed)?) {
            Ok(line) => line,
            Err(error) => return Ok(not_good(&format!("line {number} is not a line of an export: {error}"))),
        };
        if let Err(broken) = verifier.next(&line) {
            return Ok(not_good(&broken));
        }
    }
    Ok(match verifier.finish() {
        Some(entries) => {
            println!("{entries} entries verify");
            ExitCode::SUCCESS
        }
        None => not_good(&"its last line, the head, is missing: the end may have been cut off"),
    })
}

async fn export(database: super::Database<'_>) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let mut out = BufWriter::new(std::io::stdout());
    lucid
        .export_audit(&Actor::operator(), &mut |line| {
            serde_json::to_writer(&mut out, line)?;
            out.write_all(b"\n")
        })
        .await?;
    out.flush().map_err(|e| Failure::Io("standard output".to_owned(), e))?;
    Ok(ExitCode::SUCCESS)
}
