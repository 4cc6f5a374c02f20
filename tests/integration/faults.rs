//! What breaks, and what people see of it: a full disk, a database that goes away, a clock that
//! goes back, a damaged file, files that may not be read, slow clients and a thousand of them.

use std::{fs, io::Write, process::Command, time::Duration};

use futures::StreamExt;
use reqwest::{Client, StatusCode, header, redirect::Policy};
use service::Verdict;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    support::{
        databases::TestDb,
        process::{LUCID, Served, run},
        proxy::Proxy,
        soak::rounds,
    },
    world::{World, failing, on_both_engines},
};

on_both_engines!(a_clock_that_goes_back_an_hour);

const PASSWORD: &str = "four plain words here";

async fn a_clock_that_goes_back_an_hour(world: World) {
    let id = world.proposal().await;
    let changes = world.changes(id).await;
    world
        .vote(&world.reviewer, &changes[0], Verdict::Approve)
        .await
        .unwrap();
    world.wait_seconds(-3_600);
    let request = world.commit_request(id, "clock").await;
    let first = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    world
        .vote(
            &world.reviewer,
            &world.changes(id).await[1],
            Verdict::Approve,
        )
        .await
        .unwrap();
    let request = world.commit_request(id, "clock2").await;
    let second = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(
        second.revision,
        first.revision + 1,
        "the order is the revision's, not the clock's"
    );
    let history = world
        .lucid
        .history(&world.admin, world.store, None)
        .await
        .unwrap();
    assert!(
        history
            .rows
            .windows(2)
            .all(|w| w[0].commit.revision > w[1].commit.revision)
    );
    // A dream that is asked for now runs now, and the trail verifies.
    world.import(&failing("s7", "t7", 7)).await;
    world.dream().await;
    world.verified().await;
}

struct Page {
    client: Client,
    url: String,
    cookie: String,
}

impl Page {
    async fn signed_in(served: &Served, link: &str) -> Self {
        let client = crate::support::http()
            .redirect(Policy::none())
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        let token = link.rsplit('/').next().unwrap();
        let form = [
            ("token", token),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        let answer = client
            .post(format!("{}/do/use_link", served.url))
            .header("origin", &served.url)
            .form(&form)
            .send()
            .await
            .unwrap();
        let cookie = crate::support::session_cookie(&answer);
        Self {
            client,
            url: served.url.clone(),
            cookie,
        }
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = self
            .client
            .get(format!("{}{path}", self.url))
            .header(header::COOKIE, &self.cookie)
            .header(header::ACCEPT, "text/html");
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header(header::COOKIE, &self.cookie)
            .header(header::ACCEPT, "text/html");
        let token = crate::support::form_token(&self.cookie);
        request
            .header("x-form-token", token)
            .header("origin", &self.url)
            .form(form)
            .send()
            .await
            .unwrap()
    }

    /// Waits until a page is answered so.
    async fn wait_for(&self, path: &str, status: StatusCode) -> String {
        let mut last = String::new();
        for _ in 0..400 {
            let (now, text) = self.get(path).await;
            if now == status {
                return text;
            }
            last = format!("{now}: {text}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{path} is not {status} but {last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_unreachable_and_returns() {
    let database = TestDb::postgres().await;
    let upstream: u16 = database
        .url
        .rsplit_once('/')
        .unwrap()
        .0
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let proxy = Proxy::to(upstream).await;
    let served = Served::start(&proxy.url(&database.url, upstream), &["--demo"]);
    let page = Page::signed_in(&served, &served.link("admin@")).await;
    assert_eq!(page.get("/queue").await.0, StatusCode::OK);
    // Something to dream over, so that the cut comes in the middle of it or before.
    let (_, stores) = page.get("/stores").await;
    let store = stores
        .split("/stores/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let asked = page.post("/do/dream", &[("store", &store)]).await;
    assert_eq!(asked.status(), StatusCode::SEE_OTHER);
    let dream = asked.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned();
    proxy.cut();
    let text = page
        .wait_for("/queue", StatusCode::SERVICE_UNAVAILABLE)
        .await;
    assert!(text.contains("cannot reach its database"), "{text}");
    assert_eq!(page.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        page.get("/healthz").await.0,
        StatusCode::OK,
        "the process lives"
    );
    let answer = page
        .client
        .get(format!("{}/v1/memory_stores", served.url))
        .header("x-api-key", "lucid_sk_0")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer.headers().contains_key(header::RETRY_AFTER)
            && answer.text().await.unwrap().contains("overloaded_error")
    );
    tokio::time::sleep(Duration::from_secs(rounds(1, 30) as u64)).await;
    proxy.mend();
    page.wait_for("/queue", StatusCode::OK).await;
    assert_eq!(page.get("/readyz").await.0, StatusCode::OK);
    for _ in 0..600 {
        if page.get(&dream).await.1.contains("completed") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        page.get(&dream).await.1.contains("completed"),
        "the dream was done in the end"
    );
    let (code, out, _) = run(&["--database", &database.url, "audit", "verify"]);
    assert_eq!(code, 0, "{out}");
}

/// Runs a shell script in a mount namespace of its own with a tmpfs of that size on a folder.
fn on_small_disk(folder: &std::path::Path, size: &str, script: &str) -> Command {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = Command::new("unshare");
    command
        .args(if root { &["-m"][..] } else { &["-rm"] })
        .args(["sh", "-ec"]);
    let mount = format!(
        "mount -t tmpfs -o size={size} tmpfs {0} || {{ echo 'this test needs to mount a tmpfs: run \
         it as root, or allow user namespaces' >&2; exit 99; }}\n",
        folder.display()
    );
    command.arg(format!("{mount}{script}"));
    command
}

#[test]
fn a_full_disk_takes_nothing_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let many = files.path().join("many.jsonl");
    let mut out = fs::File::create(&many).unwrap();
    for n in 0..3_000 {
        writeln!(out, "{}", failing(&format!("s{n}"), &format!("t{n}"), n)).unwrap();
    }
    let database = format!("sqlite:{}/small.db", folder.path().display());
    let script = format!(
        "{LUCID} --database {database} import {many} --store Air && exit 1\n\
         {LUCID} --database {database} audit verify\n\
         {LUCID} --database {database} doctor | grep audit\n",
        many = many.display()
    );
    let done = on_small_disk(folder.path(), "6m", &script)
        .output()
        .expect("unshare is there (util-linux)");
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{out}\n{err}");
    assert!(err.contains("disk is full"), "{err}");
    let entries: usize = out.split(' ').next().unwrap().parse().unwrap();
    assert!(
        entries > 100 && out.contains("entries verify"),
        "what was written before stands: {out}"
    );
}

#[tokio::test]
async fn what_people_see_while_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().with_extension("said");
    let database = format!("sqlite:{}/small.db", folder.path().display());
    // The disk is filled to its end once the demo stands.
    let script = format!(
        "{LUCID} --database {database} serve --demo --no-worker --behind-proxy --listen \
            127.0.0.1:0 >{said} 2>/dev/null & server=$!\n\
         while ! grep -q 'serves on' {said}; do sleep 0.1; done\n\
         cat /dev/zero >{folder}/full 2>/dev/null || true\n\
         echo full >>{said}\n\
         wait $server\n",
        said = said.display(),
        folder = folder.path().display()
    );
    let mut shell = on_small_disk(folder.path(), "8m", &script)
        .process_group()
        .spawn()
        .unwrap();
    let mut text = String::new();
    for _ in 0..300 {
        text = fs::read_to_string(&said).unwrap_or_default();
        if text.ends_with("full\n") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let url = text
        .split("serves on ")
        .nth(1)
        .unwrap_or_else(|| panic!("it does not serve: {text}"))
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    let page = Page {
        client: crate::support::http()
            .redirect(Policy::none())
            .build()
            .unwrap(),
        url,
        cookie: String::new(),
    };
    // Where a wrong sign-in leads; from many networks, because one is soon asked to wait.
    let sign_in = async |n: usize| {
        let from = format!("10.{}.{}.1", n / 250, n % 250);
        let email = format!("somebody{n}@lucid.example");
        let form = [
            ("email", email.as_str()),
            ("password", "wrong"),
            ("next", "/"),
        ];
        let request = page
            .client
            .post(format!("{}/do/sign_in", page.url))
            .header("x-forwarded-for", from)
            .header("origin", &page.url);
        let answer = request
            .header(header::ACCEPT, "text/html")
            .form(&form)
            .send()
            .await
            .unwrap();
        answer.headers()[header::LOCATION]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let mut seen = (StatusCode::OK, String::new());
    let mut last = String::new();
    // SQLite still fits a few small writes into pages that it has; then it says so.
    for n in 0..3_000 {
        last = sign_in(n).await;
        if last.contains("trouble=507") {
            seen = page.get(&last).await;
            break;
        }
    }
    // Each write that does not fit says the same, however many there were before.
    let mut after = String::new();
    for n in 3_000..3_020 {
        after = sign_in(n).await;
    }
    let _ = Command::new("kill")
        .args(["-9", "--", &format!("-{}", shell.id())])
        .status();
    let _ = shell.wait();
    let _ = fs::remove_file(said);
    assert!(
        seen.0.as_u16() == 507 && seen.1.contains("The disk of this server is full."),
        "{seen:?} {last}"
    );
    assert!(!after.contains("trouble=500"), "{after}");
}

/// `kill` reaches the shell and what it started.
trait OwnGroup {
    fn process_group(&mut self) -> &mut Self;
}

impl OwnGroup for Command {
    fn process_group(&mut self) -> &mut Self {
        std::os::unix::process::CommandExt::process_group(self, 0)
    }
}

#[test]
fn a_damaged_file_and_wrong_rights_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let no_database = folder.path().join("text.db");
    fs::write(
        &no_database,
        "this is a letter, not a database. ".repeat(200),
    )
    .unwrap();
    let url = |file: &std::path::Path| format!("sqlite:{}", file.display());
    for command in [
        &["audit", "verify"][..],
        &["serve", "--listen", "127.0.0.1:0"],
        &["worker"],
    ] {
        let (code, _, err) = run(&[&["--database", &url(&no_database)][..], command].concat());
        assert!(
            code == 1 && err.contains("damaged, or is no SQLite database"),
            "{command:?}: {err}"
        );
    }
    let (code, out, _) = run(&["--database", &url(&no_database), "doctor"]);
    assert!(code == 1 && out.contains("BAD   database"), "{out}");
    // A page in the middle that was overwritten is found, and named.
    let demo = folder.path().join("demo.db");
    let file = folder.path().join("chats.jsonl");
    fs::write(
        &file,
        (0..50)
            .map(|n| failing(&format!("s{n}"), &format!("t{n}"), n) + "\n")
            .collect::<String>(),
    )
    .unwrap();
    let (code, ..) = run(&[
        "--database",
        &url(&demo),
        "import",
        &file.display().to_string(),
        "--store",
        "Air",
    ]);
    assert_eq!(code, 0);
    let mut bytes = fs::read(&demo).unwrap();
    let half = bytes.len() / 2;
    for byte in &mut bytes[half..] {
        *byte = 0x5a;
    }
    fs::write(&demo, bytes).unwrap();
    let (code, out, err) = run(&["--database", &url(&demo), "audit", "verify"]);
    assert!(
        code == 1 && (err.contains("damaged") || out.contains("NOT verify")),
        "{out}{err}"
    );
    // Rights are no obstacle to root, so somebody else tries.
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o500)).unwrap();
    fs::set_permissions(
        folder.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let as_nobody = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = if as_nobody {
        Command::new("setpriv")
    } else {
        Command::new("env")
    };
    if as_nobody {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    let copy = folder.path().join("lucid");
    fs::copy(LUCID, &copy).unwrap();
    let done = command
        .arg(copy)
        .args([
            "--database",
            &url(&closed.join("new.db")),
            "serve",
            "--listen",
            "127.0.0.1:0",
        ])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(
        !done.status.success()
            && err.contains("closed/new.db")
            && err.contains("Permission denied"),
        "{err}"
    );
}

#[tokio::test]
async fn slow_clients_are_let_go_and_others_served() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::demo(folder.path());
    let at = served
        .url
        .trim_start_matches("http://")
        .replace("localhost", "127.0.0.1");
    let mut slow = tokio::net::TcpStream::connect(&at).await.unwrap();
    slow.write_all(b"GET /queue HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        .await
        .unwrap();
    // One that says nothing at all is no better.
    let mut silent = tokio::net::TcpStream::connect(&at).await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..200 {
        let mut one = tokio::net::TcpStream::connect(&at).await.unwrap();
        one.write_all(b"POST /do/sign_in HTTP/1.1\r\n")
            .await
            .unwrap();
        idle.push(one);
    }
    let page = Page {
        client: crate::support::http().build().unwrap(),
        url: served.url.clone(),
        cookie: String::new(),
    };
    assert_eq!(
        page.get("/sign-in").await.0,
        StatusCode::OK,
        "others are served meanwhile"
    );
    let mut answer = Vec::new();
    // The head must come within ten seconds.
    let ended = tokio::time::timeout(Duration::from_secs(30), slow.read_to_end(&mut answer)).await;
    assert!(
        ended.is_ok(),
        "a client that sends its head byte by byte is let go"
    );
    let ended =
        tokio::time::timeout(Duration::from_secs(30), silent.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "a client that sends nothing is let go");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_open_event_streams() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(
        &format!("sqlite:{}", folder.path().join("demo.db").display()),
        &["--demo", "--no-worker"],
    );
    let page = Page::signed_in(&served, &served.link("admin@")).await;
    let (_, stores) = page.get("/stores").await;
    let store = stores
        .split("/stores/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let asked = page.post("/do/dream", &[("store", &store)]).await;
    let dream = asked.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .trim_start_matches("/dreams/")
        .to_owned();
    let mut streams = Vec::new();
    for _ in 0..1_000 {
        let request = page
            .client
            .get(format!("{}/live/dreams/{dream}", page.url))
            .header(header::COOKIE, &page.cookie);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        streams.push(answer.bytes_stream());
    }
    for stream in &mut streams {
        let first = stream.next().await.unwrap().unwrap();
        assert!(
            String::from_utf8_lossy(&first).contains("pending"),
            "each is told where it stands"
        );
    }
    assert_eq!(
        page.get("/queue").await.0,
        StatusCode::OK,
        "pages are served meanwhile"
    );
    let cancel = page.post("/do/cancel_dream", &[("dream", &dream)]).await;
    assert_eq!(cancel.status(), StatusCode::SEE_OTHER);
    // The server ends with all of them open, and ends them.
    served.terminate(10);
    let mut open = 0;
    for stream in &mut streams {
        while let Some(Ok(_)) = stream.next().await {
            open += 1;
        }
    }
    assert!(open < 5_000, "every stream has ended");
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::demo(folder.path());
    let at = served
        .url
        .trim_start_matches("http://")
        .replace("localhost", "127.0.0.1");
    let mut endless = tokio::net::TcpStream::connect(&at).await.unwrap();
    endless
        .write_all(b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nx-api-key: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
    let mut sent = 0;
    while sent < 64 * 1024 * 1024 && endless.write_all(&chunk).await.is_ok() {
        sent += 0x10000;
    }
    let mut answer = String::new();
    let _ = endless.read_to_string(&mut answer).await;
    assert!(
        sent < 64 * 1024 * 1024 || answer.contains("401") || answer.contains("413"),
        "{sent} bytes were taken: {answer}"
    );
}
