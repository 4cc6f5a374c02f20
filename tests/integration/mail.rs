//! Mail: a real `lucid serve` speaks to a mail server of the test's own.

use std::time::Duration;

use domain::actor::Actor;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::support::{mixed, process::Served};

/// Takes messages in as RFC 5321 asks.
async fn mail_server() -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(session(stream, sender.clone()));
        }
    });
    (url, receiver)
}

async fn session(stream: TcpStream, sender: mpsc::UnboundedSender<String>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.example\r\n").await.unwrap();
    let mut message = None::<String>;
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match (&mut message, line.to_uppercase().as_str()) {
            (Some(text), ".") => {
                let _ = sender.send(std::mem::take(text));
                message = None;
                "250 taken\r\n"
            }
            (Some(text), _) => {
                text.push_str(&line);
                text.push('\n');
                continue;
            }
            (None, "DATA") => {
                message = Some(String::new());
                "354 go on\r\n"
            }
            (None, "QUIT") => "221 bye\r\n",
            (None, _) => "250 fine\r\n",
        };
        if write.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn your_turn_is_told_once_to_who_asked_for_it() {
    let (url, mut mails) = mail_server().await;
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    // The demo's changeset waits before anybody asked for mail.
    drop(Served::demo(folder.path()));
    let lucid = mixed::open(&database).await;
    let people = lucid.people(&Actor::operator()).await.unwrap().people;
    let rui = people
        .iter()
        .find(|m| m.user.name == "Rui Reviewer")
        .unwrap();
    let (actor, _) = lucid.actor(rui.user.id, None).await.unwrap().unwrap();
    lucid.mark_read(&actor, None).await.unwrap();
    lucid.set_wants_mail(&actor, true).await.unwrap();
    let store = lucid.stores(&Actor::operator()).await.unwrap()[0].id;
    mixed::propose(
        &lucid,
        store,
        vec![("/x.md".into(), "Secret content <b>x</b>".into())],
    )
    .await;
    lucid.close().await;
    let served = Served::start(
        &database,
        &[
            "--no-worker",
            "--smtp-url",
            &url,
            "--mail-from",
            "Lucid <lucid@lucid.example>",
        ],
    );
    let mail = tokio::time::timeout(Duration::from_secs(30), mails.recv())
        .await
        .expect("a mail within 30 seconds")
        .unwrap();
    assert!(
        mail.contains("reviewer@lucid.example") && mail.contains("Your turn"),
        "{mail}"
    );
    assert!(
        mail.replace("=\n", "")
            .contains(&format!("{}/changesets/chgset_", served.url)),
        "{mail}"
    );
    assert!(
        !mail.contains("Secret content") && !mail.contains("x.md"),
        "what it says stays in Lucid: {mail}"
    );
    assert!(
        tokio::time::timeout(Duration::from_secs(3), mails.recv())
            .await
            .is_err(),
        "one message, to one person"
    );
    drop(served);
    let again = Served::start(
        &database,
        &[
            "--no-worker",
            "--smtp-url",
            &url,
            "--mail-from",
            "Lucid <lucid@lucid.example>",
        ],
    );
    assert!(
        tokio::time::timeout(Duration::from_secs(3), mails.recv())
            .await
            .is_err(),
        "not again after a restart"
    );
    drop(again);
}

#[test]
fn a_server_without_a_sender_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("x.db").display());
    let serve = [
        "--database",
        &database,
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--smtp-url",
        "smtp://127.0.0.1:1",
    ];
    let (code, _, err) = crate::support::process::run(&serve);
    assert!(code == 1 && err.contains("--mail-from"), "{code}: {err}");
}
