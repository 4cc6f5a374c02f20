//! `lucid export --git STORE`: the history of a store as a stream that `git fast-import` reads, one
//! commit for each of Lucid's.

use std::{
    io::{BufWriter, Write},
    process::ExitCode,
};

use domain::{actor::Actor, memory::Operation};
use service::ExportedCommit;

use crate::{Failure, cli::ExportArgs};

/// Writes the stream to standard output.
pub async fn run(database: super::Database<'_>, args: &ExportArgs) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let store = super::store_named(&lucid, &args.git).await?;
    let failed = |e| Failure::Io("standard output".to_owned(), e);
    let mut out = BufWriter::new(std::io::stdout());
    out.write_all(b"feature done\n").map_err(failed)?;
    let mut after = 0;
    while let Some(commit) = lucid.next_commit(&Actor::operator(), store, after).await? {
        after = commit.commit.revision;
        out.write_all(&stream(&commit)).map_err(failed)?;
    }
    out.write_all(b"done\n")
        .and_then(|()| out.flush())
        .map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

/// One commit: what left its path first, then what is there now.
fn stream(exported: &ExportedCommit) -> Vec<u8> {
    let commit = &exported.commit;
    let who = identity(&exported.by, &commit.actor);
    let at = commit.created_at.0.div_euclid(1_000_000);
    let message = message(exported);
    let mut text =
        format!("commit refs/heads/main\nauthor {who} {at} +0000\ncommitter {who} {at} +0000\n")
            .into_bytes();
    data(&mut text, message.as_bytes());
    for row in &exported.written {
        let left = match row.operation {
            Operation::Deleted => Some(&row.path),
            _ => row
                .path_before
                .as_ref()
                .filter(|before| **before != row.path),
        };
        if let Some(path) = left {
            text.extend(format!("D {}\n", quoted(path.as_str())).bytes());
        }
    }
    for row in exported
        .written
        .iter()
        .filter(|row| row.operation != Operation::Deleted)
    {
        text.extend(format!("M 100644 inline {}\n", quoted(row.path.as_str())).bytes());
        data(
            &mut text,
            row.content.as_deref().unwrap_or_default().as_bytes(),
        );
    }
    text
}

fn data(text: &mut Vec<u8>, bytes: &[u8]) {
    text.extend(format!("data {}\n", bytes.len()).bytes());
    text.extend(bytes);
    text.push(b'\n');
}

/// The commit's message, with what git has no field for as trailers.
fn message(exported: &ExportedCommit) -> String {
    let commit = &exported.commit;
    let mut trailers = vec![
        format!("Lucid-Revision: {}", commit.revision),
        format!("Lucid-Commit: {}", commit.id),
    ];
    trailers.extend(
        commit
            .changeset_id
            .map(|id| format!("Lucid-Changeset: {id}")),
    );
    trailers.extend(
        exported
            .approvers
            .iter()
            .map(|name| format!("Approved-by: {}", one_line(name))),
    );
    format!("{}\n\n{}\n", one_line(&commit.message), trailers.join("\n"))
}

/// Name and address as git writes them; the address is the actor's id.
fn identity(name: &str, actor: &str) -> String {
    let plain = |text: &str| {
        text.chars()
            .filter(|c| !matches!(c, '<' | '>') && !c.is_control())
            .collect::<String>()
    };
    format!(
        "{} <{}@lucid.invalid>",
        plain(name).trim(),
        plain(actor.split_once(':').map_or(actor, |(_, id)| id))
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A path without its first `/`, quoted as git reads it.
fn quoted(path: &str) -> String {
    format!(
        "\"{}\"",
        path.trim_start_matches('/')
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_would_take_for_its_own_is_left_out_or_escaped() {
        assert_eq!(
            identity("Eve <x>\n author", "person:user_1"),
            "Eve x author <user_1@lucid.invalid>"
        );
        assert_eq!(quoted("/a \"b\"\\c.md"), "\"a \\\"b\\\"\\\\c.md\"");
        assert_eq!(
            one_line("a\n\nApproved-by: nobody"),
            "a Approved-by: nobody"
        );
    }
}
