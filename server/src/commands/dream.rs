//! `lucid dream`.

use std::{process::ExitCode, time::Duration};

use domain::{actor::Actor, dream_state::DreamState};
use service::Lucid;

use crate::{
    Failure,
    cli::DreamArgs,
    models::{ModelArgs, with_models},
    work,
};

/// Asks for a dream, and with `--wait` stays until it has ended.
pub async fn run(
    database: super::Database<'_>,
    models: &ModelArgs,
    args: &DreamArgs,
) -> Result<ExitCode, Failure> {
    let lucid = with_models(
        super::with_transcripts(super::open_existing(database).await?).await?,
        models,
    )?;
    let name = args.store.as_deref().unwrap_or_default();
    let store = super::store_named(&lucid, name).await?;
    let actor = Actor::operator();
    // Said before anything is spent.
    if let Some((_, e)) = lucid
        .estimates(&actor, store)
        .await?
        .into_iter()
        .find(|(name, _)| *name == args.distiller)
    {
        let sessions = domain::plural::count(e.sessions, "session");
        let over = if e.is_over {
            "; that is more than one dream may take, so the rest waits for the next one"
        } else {
            ""
        };
        let cost = domain::plural::cost(e.cost_micros);
        println!(
            "{sessions} to read, about {} tokens asked and {} answered, cost {cost}{over}",
            e.input_tokens, e.output_tokens
        );
    }
    let id = lucid
        .request_dream_over(
            &actor,
            store,
            &args.distiller,
            args.instructions.as_deref(),
            &[],
        )
        .await?;
    if !args.wait {
        println!("{id} waits for a worker; `lucid serve` is one");
        return Ok(ExitCode::SUCCESS);
    }
    let dream = wait(&lucid, &actor, id).await?;
    println!("{id} {}", dream.state);
    let stats: serde_json::Value = serde_json::from_str(&dream.stats).unwrap_or_default();
    let count = |key: &str| stats[key].as_u64().unwrap_or(0);
    println!(
        "{} sessions, {} findings proposed, {} held back",
        count("sessions"),
        count("proposed"),
        count("held_back")
    );
    if let Some(changeset) = dream.changeset_id {
        println!("{changeset}");
    }
    Ok(if dream.state == DreamState::Completed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Works off jobs, its own among them, until the dream has ended. Another worker may do it as well.
pub async fn wait(
    lucid: &Lucid,
    actor: &Actor,
    id: domain::ids::DreamId,
) -> Result<service::DreamRow, Failure> {
    let owner = work::owner_name();
    loop {
        let dream = lucid.dream_row(actor, id).await?;
        if dream.state.has_ended() {
            return Ok(dream);
        }
        if !lucid.work_once(&owner).await? {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
