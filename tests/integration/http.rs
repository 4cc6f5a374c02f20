//! What a hostile or clumsy client sees.

use reqwest::{Client, Response, StatusCode, header, redirect::Policy};

use crate::support::process::Served;

const PASSWORD: &str = "four plain words here";

/// Somebody with a browser that runs no scripts.
pub struct Visitor {
    pub client: Client,
    url: String,
}

impl Visitor {
    pub fn new(served: &Served) -> Self {
        let client = crate::support::http()
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            url: served.url.clone(),
        }
    }

    /// Signs in by a one-time link; the cookie for what follows (it is `Secure`, which reqwest
    /// keeps from plain http).
    pub async fn sign_in(&self, link: &str) -> String {
        let token = link.rsplit('/').next().unwrap();
        let answer = self
            .post(
                "/do/use_link",
                "",
                &[
                    ("token", token),
                    ("password", PASSWORD),
                    ("again", PASSWORD),
                ],
            )
            .await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let all = answer
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|v| v.to_str().unwrap().to_owned());
        let cookie = all
            .into_iter()
            .find(|c| c.starts_with("__Host-lucid="))
            .expect("a web session begins");
        assert!(
            cookie.starts_with("__Host-lucid=")
                && cookie.contains("HttpOnly")
                && cookie.contains("SameSite=Lax")
                && cookie.contains("Secure"),
            "{cookie}"
        );
        cookie.split(';').next().unwrap().to_owned()
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.url))
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT, "text/html")
            .send()
            .await
            .unwrap()
    }

    pub async fn post(&self, path: &str, cookie: &str, form: &[(&str, &str)]) -> Response {
        let token = crate::support::form_token(cookie);
        let form: Vec<_> = form
            .iter()
            .copied()
            .chain([("form_token", token.as_str())])
            .collect();
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT, "text/html");
        request
            .header(header::ORIGIN, &self.url)
            .form(&form)
            .send()
            .await
            .unwrap()
    }

    /// Follows the redirect of a refused form to the page that shows it.
    pub async fn shown(&self, answer: Response, cookie: &str) -> (StatusCode, String) {
        assert_eq!(
            answer.status(),
            StatusCode::SEE_OTHER,
            "{}",
            answer.text().await.unwrap()
        );
        let location = answer.headers()[header::LOCATION]
            .to_str()
            .unwrap()
            .to_owned();
        let page = self.get(&location, cookie).await;
        (page.status(), page.text().await.unwrap())
    }
}

/// The value of the first field of that name after some text.
fn field(html: &str, name: &str, after: &str) -> String {
    let from = html
        .find(after)
        .unwrap_or_else(|| panic!("no {after} in the page"));
    let start = html[from..]
        .find(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no field {name}"))
        + from;
    let start = start + format!("name=\"{name}\" value=\"").len();
    html[start..].split('"').next().unwrap().to_owned()
}

fn demo() -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::demo(folder.path());
    (folder, served)
}

/// The address of the demo's changeset.
async fn changeset(visitor: &Visitor, cookie: &str) -> String {
    let queue = visitor.get("/queue", cookie).await.text().await.unwrap();
    let start = queue.find("/changesets/").unwrap();
    queue[start..].split(['"', '?']).next().unwrap().to_owned()
}

#[tokio::test]
async fn without_signing_in_there_is_nothing() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    for page in [
        "/",
        "/queue",
        "/stores",
        "/audit",
        "/sessions",
        "/dreams",
        "/import",
        "/live/dreams/drm_1",
        "/changesets/chgset_1",
    ] {
        let answer = visitor.get(page, "").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{page}");
        assert!(
            answer.headers()[header::LOCATION]
                .to_str()
                .unwrap()
                .starts_with("/sign-in?next="),
            "{page}"
        );
    }
    for action in [
        "decide",
        "take_back",
        "edit_change",
        "commit",
        "dream",
        "cancel_dream",
        "schedule",
        "create_store",
        "import",
        "sign_out",
    ] {
        let answer = visitor.post(&format!("/do/{action}"), "", &[]).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{action}");
    }
    assert_eq!(visitor.get("/healthz", "").await.status(), StatusCode::OK);
    assert_eq!(visitor.get("/readyz", "").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_demo_on_postgres() {
    let database = crate::support::databases::TestDb::postgres().await;
    let served = Served::start(&database.url, &["--demo"]);
    let visitor = Visitor::new(&served);
    let cookie = visitor.sign_in(&served.link("reviewer@")).await;
    let address = changeset(&visitor, &cookie).await;
    for page in [
        address.as_str(),
        "/queue?state=done",
        "/stores",
        "/dreams",
        "/sessions",
        "/audit",
        "/import",
    ] {
        let answer = visitor.get(page, &cookie).await;
        assert_eq!(answer.status(), StatusCode::OK, "{page}");
    }
    let answer = visitor.get(&address, &cookie).await.text().await.unwrap();
    assert!(
        answer.contains("query_logs: time range exceeds 24 hours"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_wrong_sign_in_keeps_the_address_and_says_neither_which() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    let answer = visitor
        .post(
            "/do/sign_in",
            "",
            &[
                ("email", "reviewer@lucid.example"),
                ("password", "wrong"),
                ("next", "/audit"),
            ],
        )
        .await;
    let (status, page) = visitor.shown(answer, "").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(
        page.contains("Wrong email or password.")
            && page.contains("value=\"reviewer@lucid.example\""),
        "{page}"
    );
    assert!(!page.contains("value=\"wrong\""));
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    let cookie = visitor.sign_in(&served.link("reviewer@")).await;
    for (name, value) in [
        (header::ORIGIN.as_str(), "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        (header::ORIGIN.as_str(), "null"),
    ] {
        let request = visitor
            .client
            .post(format!("{}/do/sign_out", served.url))
            .header(header::COOKIE, &cookie)
            .header(name, value);
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::FORBIDDEN,
            "{name}: {value}"
        );
    }
    assert_eq!(
        visitor.get("/queue", &cookie).await.status(),
        StatusCode::OK,
        "still signed in"
    );
}

#[tokio::test]
async fn a_form_without_the_token_of_its_sign_in_is_refused() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    let cookie = visitor.sign_in(&served.link("reviewer@")).await;
    let other = visitor.sign_in(&served.link("admin@")).await;
    for token in [
        String::new(),
        "0".repeat(64),
        crate::support::form_token(&other),
    ] {
        let request = visitor
            .client
            .post(format!("{}/do/sign_out", served.url))
            .header(header::COOKIE, &cookie);
        let request = request
            .header(header::ACCEPT, "text/html")
            .header(header::ORIGIN, &served.url)
            .form(&[("form_token", &token)]);
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::FORBIDDEN,
            "{token}"
        );
    }
    assert_eq!(
        visitor.get("/queue", &cookie).await.status(),
        StatusCode::OK,
        "still signed in"
    );
    assert_eq!(
        visitor.get("/do/sign_out", &cookie).await.status(),
        StatusCode::METHOD_NOT_ALLOWED,
        "nothing is done by looking"
    );
}

#[tokio::test]
async fn a_form_without_a_field_that_it_needs_is_refused_on_its_own_page() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    let cookie = visitor.sign_in(&served.link("admin@")).await;
    let token = crate::support::form_token(&cookie);
    for (action, page) in [
        ("create_store", "/stores"),
        ("decide", "/queue"),
        ("invite", "/people"),
        ("set_gate", "/stores"),
        ("mail_notices", "/inbox"),
        ("revert", "/audit"),
        ("dream", "/insights"),
    ] {
        let send = |accept: &str| {
            let request = visitor
                .client
                .post(format!("{}/do/{action}", served.url))
                .header(header::COOKIE, &cookie);
            let request = request
                .header(header::ACCEPT, accept)
                .header(header::ORIGIN, &served.url);
            request
                .header(header::REFERER, format!("{}{page}", served.url))
                .form(&[("form_token", &token)])
                .send()
        };
        let answer = send("text/html").await.unwrap();
        let location = answer.headers()[header::LOCATION]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(location.starts_with(page), "{action} leads to {location}");
        let (status, shown) = visitor.shown(answer, &cookie).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{action}");
        assert!(
            shown.contains("The form came without a field that it needs"),
            "{action}: {shown}"
        );
        assert_eq!(
            send("application/json").await.unwrap().status(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "{action}"
        );
    }
}

#[tokio::test]
async fn violations_of_the_content_policy_are_logged() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    let policy = visitor.get("/sign-in", "").await.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("/csp-report"), "{policy}");
    let report = r#"{"csp-report":{"document-uri":"http://x/queue","violated-directive":"script-src","blocked-uri":"https://evil.example"}}"#;
    let sent = visitor
        .client
        .post(format!("{}/csp-report", served.url))
        .header(header::CONTENT_TYPE, "application/csp-report");
    assert_eq!(
        sent.body(report).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let sent = visitor
        .client
        .post(format!("{}/csp-report", served.url))
        .header(header::CONTENT_TYPE, "application/csp-report");
    assert!(
        sent.body("[".repeat(100_000))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
            < 500
    );
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    let cookie = visitor.sign_in(&served.link("reviewer@")).await;
    for page in ["/queue", "/sign-in", "/nowhere", "/assets/nothing.js"] {
        let answer = visitor.get(page, &cookie).await;
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|v| v.to_str().unwrap().to_owned())
                .unwrap_or_default()
        };
        assert!(
            header("content-security-policy").contains("default-src 'none'"),
            "{page}"
        );
        assert!(
            !header("content-security-policy").contains("unsafe-inline"),
            "{page}"
        );
        assert_eq!(
            (
                header("x-content-type-options").as_str(),
                header("referrer-policy").as_str()
            ),
            ("nosniff", "same-origin"),
            "{page}"
        );
        assert!(
            header("content-security-policy").contains("frame-ancestors 'none'")
                && header("content-security-policy").contains("base-uri 'none'")
        );
        assert_eq!(
            header("cross-origin-resource-policy"),
            "same-origin",
            "{page}"
        );
        assert_eq!(
            header("access-control-allow-origin"),
            "",
            "{page}: no other origin reads it"
        );
        assert_eq!(
            header("strict-transport-security"),
            "",
            "{page}: not over plain http"
        );
    }
}

#[tokio::test]
async fn a_double_submit_commits_once_and_a_moved_base_is_a_409() {
    let (folder, served) = demo();
    let visitor = Visitor::new(&served);
    let cookie = visitor.sign_in(&served.link("reviewer@")).await;
    let address = changeset(&visitor, &cookie).await;
    let named = |html: &str| {
        ["changeset", "change", "revision", "digest"]
            .map(|name| field(html, name, "action=\"/do/decide\""))
    };
    let page = visitor.get(&address, &cookie).await.text().await.unwrap();
    let [changeset, change, revision, digest] = named(&page);
    let vote = [
        ("changeset", changeset.as_str()),
        ("change", &change),
        ("revision", &revision),
        ("digest", &digest),
        ("verdict", "approve"),
    ];
    assert_eq!(
        visitor.post("/do/decide", &cookie, &vote).await.status(),
        StatusCode::SEE_OTHER
    );
    // The same vote again counts once, and the page says so with 409.
    let (status, shown) = visitor
        .shown(visitor.post("/do/decide", &cookie, &vote).await, &cookie)
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        shown.contains("You have approved this revision already."),
        "{shown}"
    );
    let page = visitor.get(&address, &cookie).await.text().await.unwrap();
    let expected = field(&page, "expected", "action=\"/do/commit\"");
    let key = field(&page, "idempotency_key", "action=\"/do/commit\"");
    let commit = [
        ("changeset", changeset.as_str()),
        ("expected", &expected),
        ("idempotency_key", &key),
    ];
    let location = |answer: Response| {
        answer.headers()[header::LOCATION]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let first = location(visitor.post("/do/commit", &cookie, &commit).await);
    let second = location(visitor.post("/do/commit", &cookie, &commit).await);
    assert!(first.contains("committed=commit_"), "{first}");
    assert_eq!(first, second, "the second submit gets the first's answer");
    // A merge is approved, then one of its memories changes: the commit is refused whole.
    let page = visitor.get(&address, &cookie).await.text().await.unwrap();
    let before_title = &page[..page.find("Merge 3 copies").unwrap()];
    let link = before_title
        .rfind("href=\"/changesets/")
        .map(|at| &before_title[at + 6..])
        .unwrap();
    let merge = visitor
        .get(link.split('"').next().unwrap(), &cookie)
        .await
        .text()
        .await
        .unwrap();
    let [_, change, revision, digest] = named(&merge);
    let vote = [
        ("changeset", changeset.as_str()),
        ("change", &change),
        ("revision", &revision),
        ("digest", &digest),
        ("verdict", "approve"),
    ];
    visitor.post("/do/decide", &cookie, &vote).await;
    let page = visitor.get(&address, &cookie).await.text().await.unwrap();
    let expected = field(&page, "expected", "action=\"/do/commit\"");
    crate::support::elsewhere::write_memory(folder.path(), "/style/dates.md", "Newer.").await;
    let commit = [
        ("changeset", changeset.as_str()),
        ("expected", &expected),
        ("idempotency_key", "another-key"),
    ];
    let (status, shown) = visitor
        .shown(visitor.post("/do/commit", &cookie, &commit).await, &cookie)
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{shown}");
    assert!(
        shown.contains("the memory that it changes has changed since")
            && shown.contains("conflicted"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_refused_edit_keeps_what_was_typed_and_runs_none_of_it() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    let cookie = visitor.sign_in(&served.link("reviewer@")).await;
    let address = changeset(&visitor, &cookie).await;
    let page = visitor
        .get(&format!("{address}?edit=1"), &cookie)
        .await
        .text()
        .await
        .unwrap();
    let [changeset, change] =
        ["changeset", "change"].map(|name| field(&page, name, "action=\"/do/edit_change\""));
    let typed = "</textarea><script>alert(1)</script>";
    let form = [
        ("changeset", changeset.as_str()),
        ("change", &change),
        ("revision", "1"),
        ("digest", "not the digest"),
        ("content_0", typed),
    ];
    let (status, shown) = visitor
        .shown(
            visitor.post("/do/edit_change", &cookie, &form).await,
            &cookie,
        )
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        shown.contains("&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
        "what was typed is still there"
    );
    assert!(!shown.contains("<script>alert"), "{shown}");
}

#[tokio::test]
async fn an_upload_takes_sessions_in_and_names_what_is_wrong() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    let cookie = visitor.sign_in(&served.link("reviewer@")).await;
    let page = visitor.get("/import", &cookie).await.text().await.unwrap();
    let start = page.find("<option value=\"memstore_").unwrap() + "<option value=\"".len();
    let store = page[start..].split('"').next().unwrap().to_owned();
    let upload = |text: String| {
        let part = reqwest::multipart::Part::bytes(text.into_bytes()).file_name("up.jsonl");
        let form = reqwest::multipart::Form::new()
            .text("form_token", crate::support::form_token(&cookie))
            .text("store", store.clone())
            .text("format", "auto")
            .part("file", part);
        visitor
            .client
            .post(format!("{}/do/import", served.url))
            .header(header::COOKIE, &cookie)
            .multipart(form)
            .send()
    };
    let good = crate::world::failing("up1", "t1", 1);
    let (status, shown) = visitor
        .shown(upload(good.clone()).await.unwrap(), &cookie)
        .await;
    assert!(
        status == StatusCode::OK && shown.contains("1 added, 0 grown"),
        "{shown}"
    );
    let (status, shown) = visitor
        .shown(upload(format!("{good}\n{{cut")).await.unwrap(), &cookie)
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        shown.contains("up.jsonl:2: it is not valid JSON") && shown.contains("1 unchanged"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_a_foreign_host_needs_https() {
    let (_folder, served) = demo();
    let visitor = Visitor::new(&served);
    let cookie = visitor.sign_in(&served.link("reviewer@")).await;
    let request = visitor
        .client
        .post(format!("{}/do/create_store", served.url))
        .header(header::COOKIE, &cookie);
    let answer = request
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(vec![b'x'; 11 * 1024 * 1024])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let (code, _, err) = crate::support::process::run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "http://lucid.example.com",
    ]);
    assert!(code == 1 && err.contains("is not https"), "{err}");
    let (code, _, err) = crate::support::process::run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "https://example.com/lucid",
    ]);
    assert!(
        code == 1 && err.contains("has a path"),
        "no page would be found there: {err}"
    );
}

#[test]
fn links_of_the_command_line_name_the_port_that_is_served() {
    let (folder, served) = demo();
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let link = crate::support::process::user_link(&database, "reviewer@lucid.example");
    assert!(link.contains(&format!("{}/link/", served.url)), "{link}");
}

#[tokio::test]
async fn behind_https_browsers_are_told_to_stay_there() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("https.db").display());
    let at = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .unwrap();
    let served = Served::start(
        &database,
        &[
            "--listen",
            &at.to_string(),
            "--public-url",
            "https://lucid.example.com",
        ],
    );
    assert_eq!(served.url, "https://lucid.example.com");
    let answer = crate::support::http()
        .build()
        .unwrap()
        .get(format!("http://{at}/sign-in"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.headers()[header::STRICT_TRANSPORT_SECURITY],
        "max-age=63072000"
    );
}

#[tokio::test]
async fn the_log_says_who_was_refused_what_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("log.db").display());
    let log = folder.path().join("log.jsonl");
    let served = Served::start_logging(&database, &["--demo"], &log);
    let visitor = Visitor::new(&served);
    let link = served.link("reviewer@");
    let cookie = visitor.sign_in(&link).await;
    assert_eq!(
        visitor.get("/people", &cookie).await.status(),
        StatusCode::FORBIDDEN
    );
    visitor
        .post(
            "/do/sign_in",
            "",
            &[
                ("email", "reviewer@lucid.example"),
                ("password", "a wrong long phrase"),
                ("next", "/"),
            ],
        )
        .await;
    visitor
        .client
        .get(format!("{}/v1/dreams/drm_0", served.url))
        .header("x-api-key", "lucid_sk_secret")
        .send()
        .await
        .unwrap();
    drop(served);
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).expect("one JSON object a line"))
        .collect();
    let of = |message: &str| {
        lines
            .iter()
            .find(|l| l["fields"]["message"] == message)
            .unwrap_or_else(|| panic!("{message} in {text}"))
    };
    let refused = of("refused");
    assert_eq!(
        (
            refused["span"]["path"].as_str(),
            refused["span"]["method"].as_str()
        ),
        (Some("/people"), Some("GET"))
    );
    assert!(
        refused["span"]["who"]
            .as_str()
            .unwrap()
            .starts_with("person:user_")
            && refused["span"]["from"] == "127.0.0.1",
        "{refused}"
    );
    assert!(refused["timestamp"].as_str().unwrap().ends_with('Z'), "UTC");
    of("a sign-in failed");
    of("not signed in, or with a key that is not good");
    for secret in [
        "a wrong long phrase",
        "lucid_sk_secret",
        link.rsplit('/').next().unwrap(),
        cookie.split('=').nth(1).unwrap(),
        "reviewer@",
    ] {
        assert!(!text.contains(secret), "{secret} stands in the log");
    }
}
