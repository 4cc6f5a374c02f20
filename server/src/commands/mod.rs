//! One file a command.

pub mod audit;
pub mod backup;
pub mod briefing;
pub mod doctor;
pub mod dream;
pub mod drill;
pub mod export;
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
    Lucid, SealingState,
    transcripts::{Options, UNPACKED_BYTES, mapping::Mapping},
};
use store::{Db, sealing::SessionKeys};

use crate::{Failure, cli::FormatArgs, clock};

/// Which database, and the file with the key that signs its audit trail, if one is named.
#[derive(Debug, Clone, Copy)]
pub struct Database<'a> {
    pub url: &'a str,
    /// The file, which is made if it is not there.
    pub signing_key: Option<&'a Path>,
    /// The folder of keys that seal transcripts, which is made if it is not there.
    pub session_keys: Option<&'a Path>,
}

impl Database<'_> {
    /// The SQLite file, if it is one.
    fn file(&self) -> Option<&Path> {
        self.url
            .strip_prefix("sqlite:")
            .map(|path| Path::new(path.trim_start_matches("//")))
    }
}

/// Opens the database with the system's clock and random numbers. The trail of an SQLite database
/// is signed with the key in the file that is named, else with the one beside it, which is made
/// unless the trail is signed already.
pub async fn open(database: Database<'_>) -> Result<Lucid, Failure> {
    let lucid = Lucid::new(
        Db::open(database.url).await?,
        clock::system(),
        clock::system_random(),
    );
    let lucid = match database.session_keys {
        Some(folder) => lucid.with_session_keys(session_keys(database, folder)?),
        None => lucid,
    };
    let beside = database.file().map(store::key_file);
    let file = match (database.signing_key, beside) {
        (Some(named), _) => named.to_owned(),
        (None, Some(beside)) if lucid.signed_head().await?.is_none() => beside,
        _ => return Ok(lucid),
    };
    Ok(lucid.with_signing_key(made_key(&file)?))
}

/// Lucid as it reads or writes transcripts: where they are sealed, the folder of their keys must be
/// named.
pub async fn with_transcripts(lucid: Lucid) -> Result<Lucid, Failure> {
    match lucid.sealing_state().await? {
        SealingState::NoFolder => {
            let why = "the transcripts of this database are sealed; name the folder of their keys \
                with --session-keys or LUCID_SESSION_KEYS";
            return Err(Failure::Said(why.to_owned()));
        }
        SealingState::OtherFolder => {
            let why = "the folder of --session-keys is not the one that this database is used \
                with; is its disk mounted?";
            return Err(Failure::Said(why.to_owned()));
        }
        SealingState::KeysGone => {
            tracing::warn!(
                "no key of the newest sealed transcripts is there: they were erased since this \
                 copy was made"
            );
        }
        SealingState::On | SealingState::Off => {}
    }
    lucid.note_folder_of_keys().await?;
    Ok(lucid)
}

/// The keys in a folder, which must not be part of what a backup of the database's folder copies.
fn session_keys(database: Database<'_>, folder: &Path) -> Result<SessionKeys, Failure> {
    let keys = SessionKeys::in_folder(folder)?;
    let beside = database.file().and_then(|file| file.parent()).map(|p| {
        if p.as_os_str().is_empty() {
            Path::new(".")
        } else {
            p
        }
    });
    if beside
        .and_then(|p| p.canonicalize().ok())
        .is_some_and(|p| keys.folder().starts_with(p))
    {
        return Err(Failure::Said(format!(
            "{} is in the folder of the database, where a backup would copy the keys along with \
             what they seal; name another with --session-keys",
            folder.display()
        )));
    }
    Ok(keys)
}

/// As [`open`], but refuses where there is no SQLite file yet: what only reads must not make an
/// empty database and find it in order.
pub async fn open_existing(database: Database<'_>) -> Result<Lucid, Failure> {
    if let Some(file) = database.file().filter(|file| !file.exists()) {
        return Err(Failure::Said(format!(
            "there is no database at {}; name it with --database or LUCID_DATABASE",
            file.display()
        )));
    }
    open(database).await
}

/// The key in a file, which is made if it is not there, for its owner's eyes only.
fn made_key(file: &Path) -> Result<[u8; 32], Failure> {
    let failed = |e| Failure::Io(file.display().to_string(), e);
    if let Some(key) = store::read_key(file)? {
        return Ok(key);
    }
    let mut key = [0; 32];
    clock::system_random()(&mut key);
    // Another process may be making it just now: it is written elsewhere and linked to its name,
    // which only one of them can do.
    let new = file.with_extension(format!("new-{}", std::process::id()));
    let mut opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .map_err(failed)?;
    opened
        .write_all(hex::encode(key).as_bytes())
        .and_then(|()| opened.sync_all())
        .map_err(failed)?;
    let linked = std::fs::hard_link(&new, file);
    std::fs::remove_file(&new).map_err(failed)?;
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => store::read_key(file)?
            .ok_or_else(|| Failure::Said(format!("{} was removed again", file.display()))),
        Err(error) => Err(failed(error)),
    }
}

/// The store of a name, or that there is none.
pub async fn store_named(lucid: &Lucid, name: &str) -> Result<StoreId, Failure> {
    lucid
        .store_named(&Actor::operator(), name)
        .await?
        .ok_or_else(|| {
            Failure::Said(format!(
                "there is no store called {name}; `lucid import` makes one"
            ))
        })
}

/// The options that the flags mean.
pub fn options(args: &FormatArgs) -> Result<Options, Failure> {
    let mapping = match &args.map {
        Some(file) => {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file).map_err(|e| Failure::Io(name.clone(), e))?;
            Some(Arc::new(
                Mapping::parse(&text).map_err(|e| Failure::Said(format!("{name}: {e}")))?,
            ))
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
