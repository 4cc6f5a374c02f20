//! Requests that take long: what their sender may no longer do when the last byte arrives is not
//! done, and streams end with the sign-in. Over HTTP, against a server of its own, on both engines.

use std::{fmt::Write, time::Duration};

use domain::{
    actor::{Actor, Role},
    ids::StoreId,
};
use futures::StreamExt;
use reqwest::header;
use service::{Lucid, NewUser};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    http::Visitor,
    support::{
        databases::TestDb,
        form_token, mixed,
        process::{Served, run},
    },
};

/// A request whose body comes in two parts.
struct Slow(TcpStream);

impl Slow {
    /// Sends the head and the first part of a body of so many bytes.
    async fn begin(served: &Served, head: &str, first: &[u8], bytes: usize) -> Self {
        let host = served.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1"))
            .await
            .unwrap();
        let head = format!(
            "{head}\r\nHost: {host}\r\nOrigin: {}\r\nContent-Length: {bytes}\r\nConnection: \
             close\r\n\r\n",
            served.url
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(first).await.unwrap();
        stream.flush().await.unwrap();
        // The server has read the head, and waits for the rest.
        tokio::time::sleep(Duration::from_millis(300)).await;
        Self(stream)
    }

    /// Sends the rest; the status of the answer. A server that has answered already need not read
    /// it.
    async fn end(mut self, rest: &[u8]) -> u16 {
        let _ = self.0.write_all(rest).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(20), self.0.read_to_end(&mut answer))
            .await
            .expect("it answers");
        let line = String::from_utf8_lossy(&answer)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        line.split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("no status in {line:?}"))
    }
}

/// The demo on this database, with a second process that changes who may do what.
struct Demo {
    served: Served,
    visitor: Visitor,
    lucid: Lucid,
    store: StoreId,
    _on: TestDb,
}

impl Demo {
    async fn on(on: TestDb) -> Self {
        let served = Served::start(&on.url, &["--demo", "--no-worker"]);
        let visitor = Visitor::new(&served);
        let lucid = mixed::open(&on.url).await;
        let store = lucid.stores(&Actor::operator()).await.unwrap()[0].id;
        Self {
            served,
            visitor,
            lucid,
            store,
            _on: on,
        }
    }

    async fn person(&self, email: &str) -> domain::ids::UserId {
        let people = self.lucid.people(&Actor::operator()).await.unwrap().people;
        people
            .into_iter()
            .find(|m| m.user.email == email)
            .unwrap()
            .user
            .id
    }

    /// Signs in through a new link, as somebody whose account stands.
    async fn sign_in(&self, email: &str) -> String {
        let token = self
            .lucid
            .operator_link(&Actor::operator(), email)
            .await
            .unwrap();
        self.visitor.sign_in(&format!("/link/{token}")).await
    }
}

async fn what_a_sender_may_no_longer_do_is_not_done(on: TestDb) {
    let url = on.url.clone();
    let demo = Demo::on(on).await;
    let (lucid, operator) = (&demo.lucid, Actor::operator());
    // A key that is revoked while its write is on its way.
    let (code, key, err) = run(&[
        "--database",
        &url,
        "key",
        "add",
        "slow",
        "--owner",
        "admin@lucid.example",
        "--scope",
        "memory:write",
        "--scope",
        "memory:read",
    ]);
    assert_eq!(code, 0, "{err}");
    let body = br#"{"path": "/late.md", "content": "It came too late.\n"}"#;
    let head = format!(
        "POST /v1/memory_stores/{}/memories HTTP/1.1\r\nx-api-key: {}\r\nContent-Type: \
         application/json",
        demo.store,
        key.trim()
    );
    let slow = Slow::begin(&demo.served, &head, &body[..20], body.len()).await;
    let id = lucid
        .keys(&operator)
        .await
        .unwrap()
        .into_iter()
        .find(|k| k.row.name == "slow")
        .unwrap()
        .row
        .id;
    lucid.revoke_key(&operator, id).await.unwrap();
    assert_eq!(slow.end(&body[20..]).await, 401);
    let memories = lucid
        .memories(&operator, demo.store, None)
        .await
        .unwrap()
        .rows;
    assert!(!memories.iter().any(|m| m.path.as_str() == "/late.md"));
    // An admin, one of two, who is disabled while an invitation is on its way.
    let second = NewUser {
        email: "second@lucid.example".into(),
        name: "Second".into(),
        role: Role::Admin,
        grants: Vec::new(),
    };
    lucid.add_user(&operator, &second).await.unwrap();
    let cookie = demo.sign_in("admin@lucid.example").await;
    let form = format!(
        "form_token={}&email=late%40lucid.example&name=Late&role=admin",
        form_token(&cookie)
    );
    let head = format!(
        "POST /do/invite HTTP/1.1\r\nCookie: {cookie}\r\nContent-Type: \
         application/x-www-form-urlencoded"
    );
    let slow = Slow::begin(&demo.served, &head, &form.as_bytes()[..30], form.len()).await;
    let admin = demo.person("admin@lucid.example").await;
    lucid.set_disabled(&operator, admin, true).await.unwrap();
    assert_eq!(slow.end(&form.as_bytes()[30..]).await, 401);
    assert!(
        !lucid
            .people(&operator)
            .await
            .unwrap()
            .people
            .iter()
            .any(|m| m.user.email == "late@lucid.example")
    );
    // An uploader who is disabled in the middle of a file. The server looks again every few
    // megabytes, and stores nothing of it.
    let cookie = demo.sign_in("reviewer@lucid.example").await;
    let before = lucid
        .sessions(&operator, None, None)
        .await
        .unwrap()
        .rows
        .len();
    let (head, body) = upload(&cookie, demo.store);
    let half = body.len() / 2;
    let slow = Slow::begin(&demo.served, &head, &body[..half], body.len()).await;
    let reviewer = demo.person("reviewer@lucid.example").await;
    lucid.set_disabled(&operator, reviewer, true).await.unwrap();
    let status = slow.end(&body[half..]).await;
    assert!(matches!(status, 303 | 401 | 403), "{status}");
    assert_eq!(
        lucid
            .sessions(&operator, None, None)
            .await
            .unwrap()
            .rows
            .len(),
        before
    );
    assert!(lucid.check_audit(&operator).await.unwrap().is_ok());
}

/// Head and body of an upload of twelve megabytes with one session.
fn upload(cookie: &str, store: StoreId) -> (String, Vec<u8>) {
    let said = "It is still not done. ".repeat(600_000);
    let session =
        serde_json::json!({"id": "late", "messages": [{"role": "user", "content": said}]});
    let field = |name: &str, value: &str| {
        format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut body = field("form_token", &form_token(cookie))
        + &field("store", &store.to_string())
        + &field("format", "auto");
    body.push_str(
        "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"late.jsonl\"\r\n\r\n",
    );
    let _ = write!(body, "{session}\n\r\n--cut--\r\n");
    let head = format!(
        "POST /do/import HTTP/1.1\r\nCookie: {cookie}\r\nContent-Type: multipart/form-data; \
         boundary=cut"
    );
    (head, body.into_bytes())
}

async fn a_stream_ends_with_its_sign_in(on: TestDb) {
    let demo = Demo::on(on).await;
    let operator = Actor::operator();
    let email = "reviewer@lucid.example";
    for how in ["signing out", "a new password", "the account is disabled"] {
        let cookie = demo.sign_in(email).await;
        let request = demo
            .visitor
            .client
            .get(format!("{}/live/queue?after=0", demo.served.url))
            .header(header::COOKIE, &cookie);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{how}");
        let mut stream = answer.bytes_stream();
        stream.next().await.expect("it says hello").unwrap();
        match how {
            "signing out" => assert_eq!(
                demo.visitor
                    .post("/do/sign_out", &cookie, &[])
                    .await
                    .status(),
                303
            ),
            "a new password" => drop(demo.sign_in(email).await),
            _ => demo
                .lucid
                .set_disabled(&operator, demo.person(email).await, true)
                .await
                .unwrap(),
        }
        let ended = async { while stream.next().await.is_some_and(|part| part.is_ok()) {} };
        tokio::time::timeout(Duration::from_secs(20), ended)
            .await
            .unwrap_or_else(|_| panic!("the stream went on after {how}"));
    }
}

#[tokio::test]
async fn what_a_sender_may_no_longer_do_is_not_done_on_sqlite() {
    what_a_sender_may_no_longer_do_is_not_done(TestDb::sqlite()).await;
}

#[tokio::test]
async fn what_a_sender_may_no_longer_do_is_not_done_on_postgres() {
    what_a_sender_may_no_longer_do_is_not_done(TestDb::postgres().await).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_sign_in_on_sqlite() {
    a_stream_ends_with_its_sign_in(TestDb::sqlite()).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_sign_in_on_postgres() {
    a_stream_ends_with_its_sign_in(TestDb::postgres().await).await;
}
