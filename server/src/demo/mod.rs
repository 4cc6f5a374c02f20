//! The demo: example sessions and notes, made by a seeded generator and taken in through the same
//! doors as real ones.

mod generator;
mod history;
mod notes;

use std::sync::Arc;

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    ids::StoreId,
};
use service::{
    BriefingRequest, Lucid, NewUser,
    transcripts::{self, Options, Source, Spool},
};

use crate::{Failure, commands, web};

/// The store that the demo fills.
pub const STORE: &str = "Studio agents";
/// How many days ago the store was made; what happened in the first days is over.
const STORE_DAYS: i64 = 31;
/// How many days ago the agents wrote their notes; the sessions are of the two weeks before now.
const NOTES_DAYS: i64 = 21;
/// The generator's seed: the demo is the same everywhere.
const SEED: u64 = 20_261_122;

/// The people of the demo: address, name, role and what they get on the store.
const PEOPLE: &[(&str, &str, Role, StoreRole)] = &[
    (
        "admin@lucid.example",
        "Ada Admin",
        Role::Admin,
        StoreRole::Owner,
    ),
    (
        "reviewer@lucid.example",
        "Rui Reviewer",
        Role::Reviewer,
        StoreRole::Reviewer,
    ),
];

/// Loads the examples into a fresh database, dreams once, and prints one-time links to sign in. On
/// a database that has the demo already only new links are printed; on any other it refuses.
pub async fn load(lucid: &Lucid, public_url: &str) -> Result<(), Failure> {
    let operator = Actor::operator();
    let known = lucid.store_named(&operator, STORE).await?;
    if known.is_none() && !lucid.stores(&operator).await?.is_empty() {
        return Err(Failure::Said(
            "the demo needs a fresh database; name one with --database sqlite:demo.db".to_owned(),
        ));
    }
    let fresh = known.is_none();
    let store = match known {
        Some(store) => store,
        None => remembered(lucid, &operator).await?,
    };
    let mut links = Vec::new();
    for person in PEOPLE {
        let &(email, _, role, _) = person;
        let (_, token) = lucid.add_user(&operator, &new_user(person, store)).await?;
        let how = token.shown().map_or_else(
            || "has a password already".to_owned(),
            |token| web::link(public_url, &token),
        );
        links.push(format!("  {role:<9} {email:<24} {how}"));
    }
    // After the people: who is there is told what the dream proposes.
    if fresh {
        fill(lucid, &operator, store).await?;
    }
    println!(
        "\nSign in with these links. Each works once and asks for a password first:\n\n{}\n",
        links.join("\n")
    );
    Ok(())
}

fn new_user(
    &(email, name, role, grant): &(&str, &str, Role, StoreRole),
    store: StoreId,
) -> NewUser {
    NewUser {
        email: email.to_owned(),
        name: name.to_owned(),
        role,
        grants: vec![Grant::whole(store, grant)],
    }
}

/// Creates the store with its people, what happened in it so far, and its notes, before the time of
/// the sessions: later ones say what has changed since.
async fn remembered(lucid: &Lucid, operator: &Actor) -> Result<StoreId, Failure> {
    let first = history::days_ago(lucid, STORE_DAYS);
    let store = first
        .create_store(
            operator,
            STORE,
            "What the log, document and content agents of one team remember",
        )
        .await?;
    let mut people = Vec::new();
    for person in PEOPLE {
        let (id, _) = first.add_user(operator, &new_user(person, store)).await?;
        people.extend(first.actor(id, None).await?.map(|(actor, _)| actor));
    }
    let [admin, reviewer] = &people[..] else {
        return Err(Failure::Said(
            "the people of the demo are not there".to_owned(),
        ));
    };
    Box::pin(history::fill(lucid, store, admin, reviewer)).await?;
    let before = history::days_ago(lucid, NOTES_DAYS);
    before
        .write_memories(
            operator,
            store,
            &notes::notes()?,
            "Notes that the agents had before",
        )
        .await?;
    Ok(store)
}

async fn fill(lucid: &Lucid, operator: &Actor, store: StoreId) -> Result<(), Failure> {
    let text = generator::sessions(SEED, lucid.now());
    let spool = tokio::task::spawn_blocking(move || spool(&text))
        .await
        .map_err(|e| Failure::Said(e.to_string()))?;
    let spool = spool.map_err(|e| Failure::Io("the temporary folder".to_owned(), e))?;
    let summary = commands::import::write(lucid, operator, store, spool).await?;
    println!(
        "Took in {} example sessions; dreaming over them",
        summary.added
    );
    let dream = lucid.request_dream(operator, store, None).await?;
    commands::dream::wait(lucid, operator, dream).await?;
    brief(lucid, operator, store).await
}

/// Each session loaded the briefing when it began.
async fn brief(lucid: &Lucid, operator: &Actor, store: StoreId) -> Result<(), Failure> {
    let mut before = None;
    loop {
        let page = lucid.sessions(operator, Some(store), before).await?;
        for session in &page.rows {
            let began = session.first_event_at.unwrap_or(session.created_at);
            let asked = BriefingRequest {
                agent: session.agent.clone(),
                session: Some(session.id),
                ..BriefingRequest::default()
            };
            lucid
                .clone()
                .with_clock(Arc::new(move || began))
                .briefing(operator, store, &asked)
                .await?;
        }
        before = page.rows.last().map(|last| last.id);
        if !page.more || before.is_none() {
            return Ok(lucid.flush_small_writes().await?);
        }
    }
}

fn spool(text: &str) -> std::io::Result<Spool> {
    let mut spool = Spool::new()?;
    let source = Source::named("demo.jsonl");
    let options = Options {
        format: transcripts::Format::Events,
        ..Options::default()
    };
    transcripts::read_from(text.as_bytes(), &source, &options, &mut spool, &mut |_| {})?;
    Ok(spool)
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn the_examples_are_the_same_each_time_and_read_without_a_problem() {
        let now = Timestamp(1_795_000_000_000_000);
        let text = generator::sessions(SEED, now);
        assert_eq!(text, generator::sessions(SEED, now));
        let (sessions, problems, _) = spool(&text).unwrap().finish().unwrap();
        assert_eq!((sessions.len(), problems), (54, vec![]));
        assert!(sessions.iter().all(|s| s.head.subject.is_some()
            && s.head.task_key.is_some()
            && s.head.outcome.is_some()
            && s.last_event_at.is_some()));
        assert!(notes::notes().is_ok());
    }
}
