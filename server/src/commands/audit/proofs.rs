//! `lucid audit tree-head`, `lucid audit prove`, and checking what they print.

use std::{path::Path, process::ExitCode};

use audit::tlog::{Proof, TreeHead};
use domain::actor::Actor;

use crate::{Failure, commands};

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|e| Failure::Io(file.display().to_string(), e))
}

/// Prints the signed tree head.
pub async fn print_tree_head(
    database: commands::Database<'_>,
    cosigned: bool,
) -> Result<ExitCode, Failure> {
    let lucid = commands::open_existing(database).await?;
    if cosigned {
        let newest = lucid
            .cosignatures(&Actor::operator())
            .await?
            .into_iter()
            .max_by_key(|c| c.size);
        let none = "no witness has cosigned a tree head of this trail; start `lucid serve` with \
            --witness-url and --witness-key";
        print!(
            "{}",
            newest.ok_or_else(|| Failure::Said(none.to_owned()))?.note
        );
    } else {
        print!("{}", lucid.tree_head(&Actor::operator()).await?);
    }
    lucid.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Prints a proof of an entry, or of growth since a tree head.
pub async fn print(
    database: commands::Database<'_>,
    entry: Option<i64>,
    since: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let lucid = commands::open_existing(database).await?;
    let operator = Actor::operator();
    let proof = match (entry, since) {
        (Some(entry), _) => lucid.prove_entry(&operator, entry).await?,
        (None, Some(file)) => {
            let key = lucid
                .trail_key()
                .await?
                .ok_or_else(|| Failure::Said("the trail is not signed".to_owned()))?;
            let kept = TreeHead::read(&read(file)?, &key.public_key)
                .map_err(|why| Failure::Said(format!("{}: {why}", file.display())))?;
            lucid.prove_growth(&operator, kept.size).await?
        }
        (None, None) => {
            return Err(Failure::Said(
                "say which entry, or since which tree head".to_owned(),
            ));
        }
    };
    lucid.close().await;
    println!(
        "{}",
        serde_json::to_string(&proof).map_err(|e| Failure::Said(e.to_string()))?
    );
    Ok(ExitCode::SUCCESS)
}

/// Checks a proof; needs no database.
pub fn verify(file: &Path, public_key: &str, kept: Option<&Path>) -> Result<ExitCode, Failure> {
    let proof: Proof = serde_json::from_str(&read(file)?)
        .map_err(|e| Failure::Said(format!("{} is no proof: {e}", file.display())))?;
    let kept = kept.map(read).transpose()?;
    let shown = match proof.verify(public_key, kept.as_deref()) {
        Ok(shown) => shown,
        Err(why) => {
            println!("the proof does NOT hold: {why}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let (origin, size) = (&shown.head.origin, shown.head.size);
    match (shown.entry, shown.from) {
        (Some(entry), _) => {
            println!("entry {entry} is in the trail {origin}, which had {size} entries");
        }
        (_, Some(from)) => println!(
            "the trail {origin} of {size} entries continues the one of {from}: nothing before was \
             changed"
        ),
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}
