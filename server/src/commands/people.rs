//! `lucid user`.

use std::process::ExitCode;

use domain::actor::{Actor, Grant};
use service::{Lucid, NewUser};

use crate::{
    Failure,
    cli::{UserArgs, UserCommand},
    web::link,
};

/// Adds a person, or makes a link for one, and prints it.
pub async fn run(database: super::Database<'_>, args: &UserArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        UserCommand::Add {
            email,
            name,
            role,
            stores,
            grant,
            path,
            public_url,
        } => {
            let lucid = super::open(database).await?;
            let mut grants = Vec::new();
            for store in stores {
                grants.push(Grant {
                    store: super::store_named(&lucid, store).await?,
                    path: path.clone(),
                    role: *grant,
                });
            }
            let new = NewUser {
                email: email.clone(),
                name: name.clone(),
                role: *role,
                grants,
            };
            let (_, token) = lucid.add_user(&Actor::operator(), &new).await?;
            match token.shown() {
                Some(token) => {
                    let url = address(&lucid, public_url.as_deref()).await?;
                    println!(
                        "{name} sets a password and signs in here, once, within 24 hours:\n{}",
                        link(&url, &token)
                    );
                }
                None => println!("{email} has an account and a password; it has the grants now"),
            }
            lucid.close().await;
        }
        UserCommand::Link { email, public_url } => {
            let lucid = super::open_existing(database).await?;
            let token = lucid.operator_link(&Actor::operator(), email).await?;
            let url = address(&lucid, public_url.as_deref()).await?;
            println!(
                "{email} chooses a new password here, once, within 24 hours. Give it to nobody \
                 else:\n{}",
                link(&url, &token)
            );
            lucid.close().await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The address that browsers use: as it is said, else as the server on this database said when it
/// last started.
async fn address(lucid: &Lucid, said: Option<&str>) -> Result<String, Failure> {
    if let Some(said) = said {
        return Ok(said.to_owned());
    }
    Ok(lucid
        .public_url()
        .await?
        .unwrap_or_else(|| "http://localhost:3000".to_owned()))
}
