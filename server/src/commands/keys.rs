//! `lucid key`.

use std::process::ExitCode;

use domain::{
    actor::{Actor, Role},
    ids::UserId,
};
use service::{Lucid, NewKey};

use crate::{
    Failure,
    cli::{KeyArgs, KeyCommand},
};

/// Makes, lists or revokes keys.
pub async fn run(database: super::Database<'_>, args: &KeyArgs) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let operator = Actor::operator();
    match &args.command {
        KeyCommand::Add {
            name,
            scopes,
            store,
            owner,
            days,
        } => {
            let store = match store {
                Some(name) => Some(super::store_named(&lucid, name).await?),
                None => None,
            };
            let owner = Some(owner_of(&lucid, owner.as_deref()).await?);
            let new = NewKey {
                name: name.clone(),
                owner,
                store,
                scopes: scopes.clone(),
                days: *days,
            };
            let (id, secret) = lucid.add_key(&operator, &new).await?;
            eprintln!("{id} is made. Its secret is shown only now:");
            println!("{secret}");
        }
        KeyCommand::List => {
            for key in lucid.keys(&operator).await? {
                let state = if key.good { "good" } else { "ended" };
                let used = key.row.last_used_at.map_or_else(
                    || "never used".to_owned(),
                    |at| format!("used {}", at.rfc3339()),
                );
                println!(
                    "{}  {state}  {}  ({})  {}  {used}",
                    key.row.id, key.row.name, key.row.owner, key.row.scopes
                );
            }
        }
        KeyCommand::Revoke { id } => {
            lucid.revoke_key(&operator, *id).await?;
            println!("{id} is revoked");
        }
    }
    lucid.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The person of an address, or the only admin there is.
async fn owner_of(lucid: &Lucid, email: Option<&str>) -> Result<UserId, Failure> {
    let people = lucid.people(&Actor::operator()).await?.people;
    let users: Vec<_> = people
        .into_iter()
        .map(|m| m.user)
        .filter(|u| u.disabled_at.is_none())
        .collect();
    if let Some(email) = email {
        let found = users
            .iter()
            .find(|u| u.email == email.trim().to_lowercase());
        return found.map(|u| u.id).ok_or_else(|| {
            Failure::Said(format!("nobody who may sign in has the address {email}"))
        });
    }
    let admins: Vec<_> = users.iter().filter(|u| u.role == Role::Admin).collect();
    match admins[..] {
        [one] => Ok(one.id),
        [] => Err(Failure::Said(
            "a key belongs to a person, and nobody has an account yet: `lucid user add` makes one"
                .to_owned(),
        )),
        _ => Err(Failure::Said(
            "there are several admins; say whose the key is with --owner ADDRESS".to_owned(),
        )),
    }
}
