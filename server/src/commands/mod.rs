//! One file a command.

pub mod audit;
pub mod backup;
pub mod dream;
pub mod import;
pub mod people;
pub mod preview;
pub mod serve;
pub mod worker;

use domain::{actor::Actor, ids::StoreId};
use service::{Lucid, transcripts::Options};
use store::Db;

use crate::{Failure, cli::FormatArgs, clock};

/// Opens the database with the system's clock and random numbers.
pub async fn open(database: &str) -> Result<Lucid, Failure> {
    Ok(Lucid::new(Db::open(database).await?, clock::system(), clock::system_random()))
}

/// As [`open`], but refuses where there is no SQLite file yet: what only reads must not make an empty database and find it in order.
pub async fn open_existing(database: &str) -> Result<Lucid, Failure> {
    let file = database.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
    if let Some(file) = file.filter(|f| !std::path::Path::new(f).exists()) {
        return Err(Failure::Said(format!("there is no database at {file}; name it with --database or LUCID_DATABASE")));
    }
    open(database).await
}

/// The store of a name, or that there is none.
pub async fn store_named(lucid: &Lucid, name: &str) -> Result<StoreId, Failure> {
    lucid
        .store_named(&Actor::operator(), name)
        .await?
        .ok_or_else(|| Failure::Said(format!("there is no store called {name}; `lucid import` makes one")))
}

/// The options that the flags mean.
pub fn options(args: &FormatArgs) -> Options {
    Options {
        format: args.format,
        agent: args.agent.clone(),
        team: args.team.clone(),
        subject_key: args.subject_key.clone(),
        task_key: args.task_key.clone(),
    }
}
