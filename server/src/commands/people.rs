//! `lucid user`.

use std::process::ExitCode;

use domain::actor::{Actor, Grant};
use service::NewUser;

use crate::{
    Failure,
    cli::{UserArgs, UserCommand},
};

/// Adds a person and prints their one-time link.
pub async fn add(database: &str, args: &UserArgs) -> Result<ExitCode, Failure> {
    let UserCommand::Add { email, name, role, stores, grant, path, public_url } = &args.command;
    let lucid = super::open(database).await?;
    let mut grants = Vec::new();
    for store in stores {
        grants.push(Grant { store: super::store_named(&lucid, store).await?, path: path.clone(), role: *grant });
    }
    let new = NewUser { email: email.clone(), name: name.clone(), role: *role, grants };
    let (_, token) = lucid.add_user(&Actor::operator(), &new).await?;
    match token {
        Some(token) => {
            println!("{name} sets a password and signs in here, once, within 24 hours:\n{}", crate::web::link(public_url, &token));
        }
        None => println!("{email} has an account and a password; it has the grants now"),
    }
    Ok(ExitCode::SUCCESS)
}
