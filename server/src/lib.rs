//! The edges of Lucid: command line, configuration, HTTP, the worker's loop and the demo. What they
//! do goes through `service`.

mod api;
mod checkpoints;
pub mod cli;
pub mod clock;
mod commands;
mod csv;
pub mod demo;
mod failure;
mod mail;
mod models;
mod outgoing;
mod recall_export;
mod telemetry;
mod trail_export;
pub mod web;
mod work;

use std::process::ExitCode;

use cli::{Cli, Command};
use telemetry::Telemetry;

pub use failure::Failure;

/// Runs a command; what went wrong is printed with how to mend it, and is exit code 1.
pub async fn run(cli: Cli) -> ExitCode {
    let done = match Telemetry::begin(&cli) {
        Ok(telemetry) => {
            let done = Box::pin(run_command(cli)).await;
            telemetry.end().await;
            done
        }
        Err(failure) => Err(failure),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("lucid: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run_command(cli: Cli) -> Result<ExitCode, Failure> {
    let database = commands::Database {
        url: &cli.database,
        signing_key: cli.signing_key.as_deref(),
        session_keys: cli.session_keys.as_deref(),
    };
    match cli.command {
        Command::Serve(args) => {
            Box::pin(commands::serve::run(
                database,
                (&cli.models, cli.expire_after),
                args,
            ))
            .await
        }
        Command::Import(args) => commands::import::run(database, &args).await,
        Command::Record(args) => commands::record::run(&args).await,
        Command::Dream(args) if args.preview => commands::preview::run(&cli.models, &args),
        Command::Dream(args) => commands::dream::run(database, &cli.models, &args).await,
        Command::User(args) => commands::people::run(database, &args).await,
        Command::Worker(args) => {
            commands::worker::run(database, &cli.models, cli.expire_after, args).await
        }
        Command::Policy(args) => commands::policy::run(database, &args).await,
        Command::Drill(args) => commands::drill::run(database, &args).await,
        Command::Backup { file } => commands::backup::run(database, &file).await,
        Command::Key(args) => commands::keys::run(database, &args).await,
        Command::Briefing(args) => commands::briefing::run(database, &args).await,
        Command::Doctor(args) => commands::doctor::run(database, &args).await,
        Command::Export(args) => commands::export::run(database, &args).await,
        Command::Audit(args) => commands::audit::run(database, &args).await,
    }
}
