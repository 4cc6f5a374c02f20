//! `lucid audit`: verify the trail of a database or of an export, and write one.

mod bills;
mod proofs;

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
use service::ExportPeriod;

use crate::{
    Failure,
    cli::{AuditArgs, AuditCommand, TrailFormat},
    trail_export,
};

/// Why an export that ends too early does not hold.
const HEAD_MISSING: &str = "its last line, the head, is missing: the end may have been cut off";

/// Runs a command of `lucid audit`.
pub async fn run(database: super::Database<'_>, args: &AuditArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        AuditCommand::Verify {
            letter: Some(letter),
            public_key,
            ..
        } => verify_letter(letter, public_key.as_deref()),
        AuditCommand::Verify {
            proof: Some(proof),
            public_key,
            tree_head,
            ..
        } => proofs::verify(
            proof,
            public_key.as_deref().unwrap_or_default(),
            tree_head.as_deref(),
        ),
        AuditCommand::Prove { entry, since } => {
            proofs::print(database, *entry, since.as_deref()).await
        }
        AuditCommand::TreeHead { cosigned } => proofs::print_tree_head(database, *cosigned).await,
        AuditCommand::Verify {
            export,
            checkpoint,
            public_key,
            bill,
            ..
        } => {
            let kept = checkpoint
                .iter()
                .map(|file| read_checkpoint(file))
                .collect::<Result<Vec<_>, _>>()?;
            match (bill, export) {
                (Some(bill), export) => {
                    bills::verify(bill, export.as_deref(), kept, public_key.as_deref())
                }
                (None, Some(file)) => verify_export(file, kept, public_key.clone()),
                (None, None) => verify(database, kept, public_key.clone()).await,
            }
        }
        AuditCommand::Bill { session } => bills::print(database, *session).await,
        AuditCommand::Export {
            since,
            until,
            format,
        } => {
            export(
                database,
                ExportPeriod {
                    since: *since,
                    until: *until,
                },
                *format,
            )
            .await
        }
        AuditCommand::ReplaceKey { new, lost } => replace_key(database, new, *lost).await,
        AuditCommand::Checkpoint => sign(database).await,
    }
}

/// Checks the signature of a letter to an end user.
fn verify_letter(file: &Path, key: Option<&str>) -> Result<ExitCode, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|e| Failure::Io(file.display().to_string(), e))?;
    Ok(match audit::letter::verify(&text, key) {
        Ok((signer, _)) => {
            println!("the letter is as it was signed with the key {signer}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("the letter does NOT verify: {why}");
            ExitCode::FAILURE
        }
    })
}

fn read_checkpoint(file: &Path) -> Result<Checkpoint, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|e| Failure::Io(file.display().to_string(), e))?;
    serde_json::from_str(&text)
        .map_err(|e| Failure::Said(format!("{} is not a checkpoint: {e}", file.display())))
}

async fn sign(database: super::Database<'_>) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let signed = lucid.sign_checkpoint(&Actor::operator()).await?;
    lucid.close().await;
    println!(
        "{}",
        serde_json::to_string(&signed).map_err(|e| Failure::Said(e.to_string()))?
    );
    Ok(ExitCode::SUCCESS)
}

async fn verify(
    database: super::Database<'_>,
    kept: Vec<Checkpoint>,
    key: Option<String>,
) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    Ok(
        match lucid
            .verify_audit_with(&Actor::operator(), kept, key)
            .await?
        {
            Ok(verified) => {
                println!(
                    "{} entries verify; the last has the hash {}",
                    verified.entries, verified.head
                );
                match verified.since {
                    Some(1) => println!(
                        "{} rows of the database are as the trail has them",
                        verified.rows
                    ),
                    Some(since) => println!(
                        "{} rows of the database are as the trail has them; of what happened \
                         before entry {since}, it says only what was done",
                        verified.rows
                    ),
                    None => println!("the trail binds no rows yet: the next entry will"),
                }
                for entry in &verified.lost_keys {
                    println!(
                        "WARNING: from entry {entry} on another key signs; the one before was said \
                         to be lost. Ask whoever runs Lucid"
                    );
                }
                match verified.signed_by {
                    Some(key) => println!("its end is signed with the key {key}"),
                    None => println!("its end is not signed"),
                }
                ExitCode::SUCCESS
            }
            Err(broken) => not_good(&broken),
        },
    )
}

fn not_good(why: &dyn std::fmt::Display) -> ExitCode {
    println!("the audit trail does NOT verify: {why}");
    ExitCode::FAILURE
}

/// Checks every line of an export and gives it to `also`; why it does not hold, if it does not.
fn read_export(
    file: &Path,
    kept: Vec<Checkpoint>,
    key: Option<String>,
    mut also: impl FnMut(&Line),
) -> Result<Result<ExportVerifier, String>, Failure> {
    let failed = |e| Failure::Io(file.display().to_string(), e);
    let mut verifier = match ExportVerifier::expecting(kept, key) {
        Ok(verifier) => verifier,
        Err(broken) => return Ok(Err(broken.to_string())),
    };
    for (number, text) in (1..).zip(BufReader::new(File::open(file).map_err(failed)?).lines()) {
        let line: Line = match serde_json::from_str(&text.map_err(failed)?) {
            Ok(line) => line,
            Err(error) => {
                return Ok(Err(format!(
                    "line {number} is not a line of an export: {error}"
                )));
            }
        };
        if let Err(broken) = verifier.next(&line) {
            return Ok(Err(broken.to_string()));
        }
        also(&line);
    }
    Ok(Ok(verifier))
}

/// Checks a file that `lucid audit export` wrote; the database is not asked.
fn verify_export(
    file: &Path,
    kept: Vec<Checkpoint>,
    key: Option<String>,
) -> Result<ExitCode, Failure> {
    let verifier = match read_export(file, kept, key, |_| {})? {
        Ok(verifier) => verifier,
        Err(why) => return Ok(not_good(&why)),
    };
    let window = verifier.is_window();
    Ok(match verifier.finish() {
        Some(entries) if window => {
            println!(
                "a window of the trail: it verifies up to entry {entries}; of what was before, \
                 nothing is said"
            );
            ExitCode::SUCCESS
        }
        Some(entries) => {
            println!("{entries} entries verify");
            ExitCode::SUCCESS
        }
        None => not_good(&HEAD_MISSING),
    })
}

async fn export(
    database: super::Database<'_>,
    period: ExportPeriod,
    format: TrailFormat,
) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let failed = |e| Failure::Io("standard output".to_owned(), e);
    let mut out = BufWriter::new(std::io::stdout());
    let mut export = lucid.export_audit(&Actor::operator(), period).await?;
    if format == TrailFormat::Csv {
        out.write_all(trail_export::CSV_HEADER.as_bytes())
            .map_err(failed)?;
    }
    while let Some(lines) = export.next().await? {
        let text = match format {
            TrailFormat::Jsonl => trail_export::jsonl(&lines),
            TrailFormat::Csv => trail_export::csv(&lines),
        };
        out.write_all(text.as_bytes()).map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

async fn replace_key(
    database: super::Database<'_>,
    new: &Path,
    lost: bool,
) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let public = lucid
        .replace_signing_key(&super::made_key(new)?, lost)
        .await?;
    lucid.close().await;
    println!(
        "The trail is signed with the key {public} from now on. Start every Lucid on this database \
         with --signing-key {}",
        new.display()
    );
    Ok(ExitCode::SUCCESS)
}
