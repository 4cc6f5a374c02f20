//! `lucid briefing`: what an agent would load, as Markdown on standard output.

use std::process::ExitCode;

use domain::actor::Actor;
use service::BriefingRequest;

use crate::{Failure, cli::BriefingArgs};

/// Prints the briefing of a store.
pub async fn run(database: super::Database<'_>, args: &BriefingArgs) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let store = super::store_named(&lucid, &args.store).await?;
    let asked = BriefingRequest {
        agent: args.agent.clone(),
        session: None,
        budget_tokens: Some(args.budget_tokens),
        tool: args.tool.clone(),
        error: args.error.clone(),
        all_times: args.all_times,
        superseded: args.superseded,
    };
    let view = lucid.briefing(&Actor::operator(), store, &asked).await?;
    lucid.close().await;
    print!("{}", view.text);
    eprintln!(
        "{} of {} tokens ({})",
        view.tokens,
        view.budget_tokens,
        domain::briefing::TOKEN_RULE
    );
    Ok(ExitCode::SUCCESS)
}
