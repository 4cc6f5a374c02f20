//! `lucid doctor`: whether everything that Lucid needs is there and right. It changes nothing but
//! what opening a database does.

use std::{os::unix::fs::PermissionsExt, path::Path, process::ExitCode};

use domain::actor::Actor;
use service::{Lucid, SealingState};

use crate::{Failure, cli::DoctorArgs, web};

/// 2026-01-01: a clock that says less was never set.
const EARLIEST: i64 = 1_767_225_600_000_000;

/// How one thing stands.
enum Finding {
    Good(String),
    /// It works, and should be looked at.
    Warn(String),
    /// It does not work; how to mend it.
    Bad(String),
}

use Finding::{Bad, Good, Warn};

/// Looks at everything and prints a line for each.
pub async fn run(database: super::Database<'_>, args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let mut found: Vec<(&str, Finding)> = vec![
        ("assets", assets()),
        ("public URL", public_url(args)),
        ("signing key", key(database)),
    ];
    if let Some(file) = database.file() {
        found.push(("file", rights(file)));
    }
    match super::open_existing(database).await {
        Ok(lucid) => {
            found.push(("database", Good(format!("{} answers", lucid.engine()))));
            found.push(("migrations", migrations(&lucid).await));
            found.push(("clock", clock(&lucid).await));
            found.push(("audit", audit(&lucid).await));
            found.push(("transcripts", transcripts(&lucid).await));
            found.push(("jobs", jobs(&lucid).await));
            found.push(("independence", independence(&lucid).await));
            if let Some(bytes) = lucid.wal_bytes().await {
                found.push(("log", write_ahead_log(bytes)));
            }
            lucid.close().await;
        }
        Err(error) => found.push(("database", Bad(error.to_string()))),
    }
    let mut bad = 0;
    for (what, finding) in &found {
        let (mark, text) = match finding {
            Good(text) => ("ok  ", text),
            Warn(text) => ("warn", text),
            Bad(text) => {
                bad += 1;
                ("BAD ", text)
            }
        };
        println!("{mark}  {what:<12} {text}");
    }
    Ok(if bad == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn assets() -> Finding {
    if web::assets::addresses().boot.is_some() {
        return Good("the pages' files are in this binary".to_owned());
    }
    Bad(
        "this binary was built without the pages' files; run `make site`, then build it again"
            .to_owned(),
    )
}

fn public_url(args: &DoctorArgs) -> Finding {
    match &args.public_url {
        None => Warn(
            "not set; links point to http://localhost. Set --public-url or LUCID_PUBLIC_URL"
                .to_owned(),
        ),
        Some(url) => match web::WebConfig::new(url, args.insecure_http) {
            Ok(config) if config.insecure_http => Warn(format!(
                "{url} is plain http: passwords go over the wire in clear"
            )),
            Ok(_) => Good(url.clone()),
            Err(error) => Bad(error.to_string()),
        },
    }
}

fn mode(file: &Path) -> Option<u32> {
    std::fs::metadata(file)
        .ok()
        .map(|m| m.permissions().mode() & 0o777)
}

fn key(database: super::Database<'_>) -> Finding {
    let beside = database.file().map(store::key_file);
    let named = database.signing_key.is_some();
    let Some(file) = database.signing_key.map(Path::to_owned).or(beside) else {
        return Warn(
            "none; the audit trail is not signed. Set --signing-key or LUCID_SIGNING_KEY, the same \
             for every server"
                .to_owned(),
        );
    };
    let file = file.as_path();
    match (mode(file), std::fs::read_to_string(file)) {
        (None, _) => Warn(format!(
            "{} is not there yet; it is made when Lucid starts",
            file.display()
        )),
        (Some(mode), _) if mode & 0o077 != 0 => Bad(format!(
            "{} can be read by others: chmod 600 it",
            file.display()
        )),
        (_, Ok(text)) if hex::decode(text.trim()).is_ok_and(|k| k.len() == 32) && named => {
            Good(format!("{} holds one", file.display()))
        }
        (_, Ok(text)) if hex::decode(text.trim()).is_ok_and(|k| k.len() == 32) => {
            let at = file.display();
            Warn(format!(
                "{at} is beside the database: who can write both can forge the trail. Keep it \
                 elsewhere, and name it with --signing-key"
            ))
        }
        _ => Bad(format!(
            "{} does not hold a signing key of 64 hexadecimal digits, or cannot be read",
            file.display()
        )),
    }
}

async fn transcripts(lucid: &Lucid) -> Finding {
    match lucid.sealing_state().await {
        Ok(SealingState::On) => Good("are sealed, and the keys of the newest are there".to_owned()),
        Ok(SealingState::Off) => Warn(
            "are not sealed: a backup keeps what is erased later. Name a folder of keys with \
             --session-keys (docs/erasure.md)"
                .to_owned(),
        ),
        Ok(SealingState::OtherFolder) => Bad(
            "are sealed, but with the keys of another folder than that of --session-keys; is its \
             disk mounted?"
                .to_owned(),
        ),
        Ok(SealingState::KeysGone) => Warn(
            "are sealed, and no key of the newest is there: they were erased since this copy of \
             the database was made"
                .to_owned(),
        ),
        Ok(SealingState::NoFolder) => Bad("are sealed; name the folder of their keys with \
            --session-keys"
            .to_owned()),
        Err(error) => Bad(error.to_string()),
    }
}

fn rights(file: &Path) -> Finding {
    match mode(file) {
        None => Bad(format!(
            "there is no database at {}; name it with --database or LUCID_DATABASE",
            file.display()
        )),
        Some(mode) if mode & 0o077 != 0 => Warn(format!(
            "{} can be read by others on this machine: chmod 600 it",
            file.display()
        )),
        Some(_) => Good(format!("{} is its owner's alone", file.display())),
    }
}

async fn migrations(lucid: &Lucid) -> Finding {
    match lucid.migrations().await {
        Ok((has, knows)) if has == knows => {
            Good(format!("the schema is at {has}, as this binary knows it"))
        }
        Ok((has, knows)) if has > knows => Warn(format!(
            "the schema is at {has}, this binary knows {knows}: a newer Lucid was here; update \
             this one"
        )),
        Ok((has, knows)) => Bad(format!("the schema is at {has}, this binary needs {knows}")),
        Err(error) => Bad(error.to_string()),
    }
}

async fn clock(lucid: &Lucid) -> Finding {
    let now = lucid.now();
    if now.0 < EARLIEST {
        return Bad(format!(
            "this machine says it is {}; set its clock",
            now.rfc3339()
        ));
    }
    match lucid
        .audit(&Actor::operator(), &service::AuditFilter::default())
        .await
    {
        Ok(page) => match page
            .rows
            .first()
            .map(|r| r.row.at)
            .filter(|&at| at > now.plus_seconds(60))
        {
            Some(ahead) => Warn(format!(
                "the newest audit entry is of {}, ahead of this machine's {}: a clock was set back",
                ahead.rfc3339(),
                now.rfc3339()
            )),
            None => Good(now.rfc3339()),
        },
        Err(error) => Bad(error.to_string()),
    }
}

/// Checks that two people here can approve independently of each other.
async fn independence(lucid: &Lucid) -> Finding {
    let view = match lucid.people(&Actor::operator()).await {
        Ok(view) => view,
        Err(error) => return Bad(error.to_string()),
    };
    match (view.eligible, view.issued.len()) {
        (0, _) => Warn(
            "nobody may decide yet: give a reviewer or an admin a reviewer's grant on a store"
                .to_owned(),
        ),
        (1, 0) => Warn(
            "one person may decide: nothing that needs two approvals passes, but in solo mode, \
             which every commit says"
                .to_owned(),
        ),
        (1, issued) => Warn(format!(
            "no two accounts are independent: {issued} got a sign-in link that another account \
             saw, and count as one person with it. Give each a new one that nobody sees: `lucid \
             user link ADDRESS` here, or set up mail (--smtp-url) and reset the password"
        )),
        (people, _) => Good(format!(
            "{people} people may decide independently of each other"
        )),
    }
}

/// SQLite cuts its write-ahead log back after a checkpoint; one that stays large has a reader that
/// never ends.
fn write_ahead_log(bytes: u64) -> Finding {
    let megabytes = bytes / 1_000_000;
    if megabytes > 256 {
        return Warn(format!(
            "the write-ahead log has {megabytes} MB: something has been reading for a long time; \
             restart Lucid when it suits"
        ));
    }
    Good(format!("the write-ahead log has {megabytes} MB"))
}

async fn audit(lucid: &Lucid) -> Finding {
    match lucid.check_audit(&Actor::operator()).await {
        Ok(Ok(verified)) => Good(format!("{} entries verify", verified.entries)),
        Ok(Err(broken)) => Bad(format!("the trail does NOT verify: {broken}")),
        Err(error) => Bad(error.to_string()),
    }
}

async fn jobs(lucid: &Lucid) -> Finding {
    match lucid.installation_counts().await {
        Ok(now) if now.jobs_failed > 0 => Warn(format!(
            "{} queued, {} running, {} failed for good; the dreams' pages say why",
            now.jobs_queued, now.jobs_running, now.jobs_failed
        )),
        Ok(now) => Good(format!(
            "{} queued, {} running",
            now.jobs_queued, now.jobs_running
        )),
        Err(error) => Bad(error.to_string()),
    }
}
