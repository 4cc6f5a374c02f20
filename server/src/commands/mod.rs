//! One file a command.

pub mod audit;
pub mod backup;
pub mod briefing;
pub mod doctor;
pub mod dream;
pub mod drill;
pub mod follow;
pub mod import;
pub mod keys;
pub mod map_preview;
pub mod people;
pub mod policy;
pub mod preview;
pub mod record;
pub mod serve;
pub mod worker;

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use domain::{actor::Actor, ids::StoreId};
use service::{
    Lucid,
    transcripts::{Options, UNPACKED_BYTES, mapping::Mapping},
};
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

/// Lets it sign checkpoints with the key in this file, which is made if it is not there, for its owner's eyes only.
pub fn with_signing_key(lucid: Lucid, file: Option<&Path>) -> Result<Lucid, Failure> {
    let Some(file) = file else { return Ok(lucid) };
    let failed = |e| Failure::Io(file.display().to_string(), e);
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut secret = [0; 32];
            clock::system_random()(&mut secret);
            let text = hex::encode(secret);
            let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
            new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).map_err(failed)?;
            text
        }
        Err(error) => return Err(failed(error)),
    };
    let mut secret = [0; 32];
    hex::decode_to_slice(text.trim(), &mut secret)
        .map_err(|_| Failure::Said(format!("{} does not hold a signing key: 64 hexadecimal digits", file.display())))?;
    Ok(lucid.with_signing_key(secret))
}

/// The store of a name, or that there is none.
pub async fn store_named(lucid: &Lucid, name: &str) -> Result<StoreId, Failure> {
    lucid
        .store_named(&Actor::operator(), name)
        .await?
        .ok_or_else(|| Failure::Said(format!("there is no store called {name}; `lucid import` makes one")))
}

/// The options that the flags mean.
pub fn options(args: &FormatArgs) -> Result<Options, Failure> {
    let mapping = match &args.map {
        Some(file) => {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file).map_err(|e| Failure::Io(name.clone(), e))?;
            Some(Arc::new(Mapping::parse(&text).map_err(|e| Failure::Said(format!("{name}: {e}")))?))
        }
        None => None,
    };
    Ok(Options {
        format: args.format,
        agent: args.agent.clone(),
        team: args.team.clone(),
        subject_key: args.subject_key.clone(),
        task_key: args.task_key.clone(),
        strict: args.strict,
        unpacked_bytes: UNPACKED_BYTES,
        pull_requests: Arc::default(),
        mapping,
    })
}
