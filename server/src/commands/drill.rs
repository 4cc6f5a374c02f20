//! `lucid drill`: attacks on a copy of a store, with the policies as they are.

use std::process::ExitCode;

use domain::actor::Actor;
use service::{Drilled, Reached};

use crate::{Failure, cli::DrillArgs};

/// Runs the drill and prints how far each attack got.
pub async fn run(database: super::Database<'_>, args: &DrillArgs) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let operator = Actor::operator();
    let store = lucid.store_named(&operator, &args.store).await?;
    let store =
        store.ok_or_else(|| Failure::Said(format!("no store is called “{}”", args.store)))?;
    let report = lucid.drill(&operator, store).await?;
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&report).map_err(|e| Failure::Said(e.to_string()))?
        );
    } else {
        for one in &report {
            println!("{:<30} {}", one.attack, in_words(one));
        }
    }
    let applied = report
        .iter()
        .any(|one| matches!(one.reached, Reached::WouldApply { .. }));
    Ok(if applied {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn in_words(one: &Drilled) -> String {
    match &one.reached {
        Reached::NotFound => "not found".to_owned(),
        Reached::HeldBack { reason } => format!("held back: {reason}"),
        Reached::Told { reason } => format!("told to people: {reason}"),
        Reached::Labelled { labels } => {
            let labels: Vec<&str> = labels.iter().map(|label| label.as_str()).collect();
            format!("would wait for a person, labelled {}", labels.join(", "))
        }
        Reached::InQueue { risk } => format!("would wait for a person, as {risk} risk"),
        Reached::WouldApply { rules } => format!("WOULD BE APPLIED by {}", rules.join(", ")),
    }
}
