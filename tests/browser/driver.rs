//! Headless Chromium by ChromeDriver, with the checks that every page must pass.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::{CmdError, ErrorStatus},
    wd::WebDriverCompatibleCommand,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// A browser of the test's own.
pub struct Browser {
    driver: Child,
    /// The session with it.
    pub page: Client,
}

/// What is different about a browser.
#[derive(Clone, Copy, Default)]
pub struct Settings {
    /// Scripts do not run, so no wasm either.
    pub without_scripts: bool,
    /// The person prefers dark.
    pub dark: bool,
    /// Window width; 1280 where it is 0.
    pub width: u32,
    /// Height of what a page sees of the window; a little over 720 where it is 0.
    pub height: u32,
}

impl Browser {
    /// Starts ChromeDriver and a headless Chromium.
    pub async fn start(settings: Settings) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port")
            .port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect(
                "chromedriver is missing: run tests/setup.sh, or on Debian `apt-get install \
                 chromium chromium-driver`",
            );
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let capabilities = capabilities(settings);
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        let page = page.expect("Chromium starts");
        Self { driver, page }
    }

    /// Waits until the page holds what the selector finds.
    pub async fn find(&self, css: &str) {
        self.element(css).await;
    }

    /// Clicks what leads to another page, and waits until the page it stood on is gone: else what
    /// is looked for next may be found on the old page, which goes away in between.
    pub async fn follow(&self, css: &str) {
        let old = self.element("html").await;
        self.click(css).await;
        for _ in 0..200 {
            if old.attr("lang").await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "{css} led nowhere; still on {}:\n{}",
            self.address().await,
            self.text().await
        );
    }

    /// Clicks what the selector finds and stays on the page.
    pub async fn click(&self, css: &str) {
        self.on(css, async |element| {
            // WebDriver scrolls only as far as the window's edge, where the bar that commits may
            // lie over the element.
            let target = serde_json::to_value(element.clone())?;
            self.page
                .execute(
                    "arguments[0].scrollIntoView({block: 'center'})",
                    vec![target],
                )
                .await?;
            element.click().await
        })
        .await;
    }

    /// Types into a field, in place of what stands there.
    pub async fn fill(&self, css: &str, text: &str) {
        self.on(css, async |element| {
            element.clear().await?;
            element.send_keys(text).await
        })
        .await;
    }

    /// Types into what the selector finds, after what stands there.
    pub async fn type_into(&self, css: &str, keys: &str) {
        self.on(css, async |element| element.send_keys(keys).await)
            .await;
    }

    /// Chooses the option with that value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.on(css, async |element| element.select_by_value(value).await)
            .await;
    }

    /// Chooses the option that is called so.
    pub async fn choose_named(&self, css: &str, label: &str) {
        self.on(css, async |element| element.select_by_label(label).await)
            .await;
    }

    /// The text of what the selector finds.
    pub async fn text_of(&self, css: &str) -> String {
        self.on(css, async |element| element.text().await).await
    }

    /// A property of what the selector finds; nothing where it has none.
    pub async fn property_of(&self, css: &str, name: &str) -> Option<String> {
        self.on(css, async |element| element.prop(name).await).await
    }

    /// Chooses the option at that place, counted from 0.
    pub async fn choose_nth(&self, css: &str, place: usize) {
        self.on(css, async |element| element.select_by_index(place).await)
            .await;
    }

    /// Whether the page holds what the selector finds now, without waiting for it.
    pub async fn holds(&self, css: &str) -> bool {
        match self.page.find(Locator::Css(css)).await {
            Ok(_) => true,
            Err(error) if error.is_no_such_element() => false,
            Err(error) => panic!("{css} cannot be looked for: {error}"),
        }
    }

    /// The element, waited for.
    async fn element(&self, css: &str) -> Element {
        let found = self
            .page
            .wait()
            .at_most(Duration::from_secs(20))
            .for_element(Locator::Css(css))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => {
                let log = self.page.issue_cmd(BrowserLog).await.unwrap_or_default();
                panic!(
                    "no {css} on {}: {error}\n{log:#}\n{}",
                    self.address().await,
                    self.text().await
                )
            }
        }
    }

    /// Does something with what the selector finds. Pages follow what others do: an element may be
    /// put anew, or still be on its way to its place, between the moment it is found and the moment
    /// it is used; then it is found once more.
    async fn on<T>(&self, css: &str, act: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        let mut last = None;
        for _ in 0..40 {
            match act(self.element(css).await).await {
                Ok(done) => return done,
                Err(error) if may_pass(&error) => last = Some(error),
                Err(error) => panic!("{css} on {}: {error}", self.address().await),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "{css} on {} is never there to be used: {last:?}\n{}",
            self.address().await,
            self.text().await
        );
    }

    /// Opens an address.
    pub async fn go(&self, url: &str) {
        self.page
            .goto(url)
            .await
            .unwrap_or_else(|e| panic!("{url} does not open: {e}"));
    }

    /// The address that is open.
    pub async fn address(&self) -> String {
        self.page
            .current_url()
            .await
            .map(|u| u.to_string())
            .unwrap_or_default()
    }

    /// The text of the page.
    pub async fn text(&self) -> String {
        match self.page.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until the page's text holds something.
    pub async fn wait_for_text(&self, text: &str) {
        for _ in 0..100 {
            if self.text().await.contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "`{text}` did not appear on {}:\n{}",
            self.address().await,
            self.text().await
        );
    }

    /// Waits until nothing on the page fits the selector any more.
    pub async fn wait_until_gone(&self, css: &str) {
        for _ in 0..200 {
            // A page that is just going away answers with other errors.
            if self
                .page
                .find(Locator::Css(css))
                .await
                .is_err_and(|e| e.is_no_such_element())
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "{css} is still on {}:\n{}",
            self.address().await,
            self.text().await
        );
    }

    /// Waits until another address is open.
    pub async fn wait_for_other_address(&self, before: &str) {
        for _ in 0..200 {
            if self.address().await != before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("still on {before}:\n{}", self.text().await);
    }

    /// Waits until a change that was decided has made room: for the next, or for itself without
    /// what decides.
    pub async fn wait_for_decided(&self, change: &str) {
        for _ in 0..400 {
            let waits = format!(
                "return !!document.querySelector(\"{change}\") && \
                 !!document.querySelector('button[data-key=a]')"
            );
            if self
                .page
                .execute(&waits, vec![])
                .await
                .is_ok_and(|w| w == false)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "{change} still waits on {}:\n{}",
            self.address().await,
            self.text().await
        );
    }

    /// Waits until the islands of the page are awake.
    pub async fn wait_for_islands(&self) {
        self.find("html[data-islands='awake']").await;
    }

    /// axe-core finds nothing on the page that is open.
    pub async fn check_accessibility(&self) {
        let axe = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/browser/node_modules/axe-core/axe.min.js"
        ));
        let axe = axe.expect("axe-core is missing: run tests/setup.sh");
        self.page
            .execute(&axe, vec![])
            .await
            .expect("axe-core loads");
        let script = "const done = arguments[arguments.length - 1]; axe.run().then(r => \
            done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + \
            n.failureSummary).join(' | '))));";
        let found = self
            .page
            .execute_async(script, vec![])
            .await
            .expect("axe-core runs");
        assert_eq!(found, json!([]), "axe-core on {}", self.address().await);
    }

    /// Nothing on the page is wider than the window.
    pub async fn check_width(&self) {
        let script =
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]";
        let widths = self.page.execute(script, vec![]).await.expect("widths");
        assert!(
            widths[0].as_u64() <= widths[1].as_u64(),
            "{} is {} wide in a window of {}",
            self.address().await,
            widths[0],
            widths[1]
        );
    }

    /// The console holds no error.
    pub async fn check_console(&self) {
        let log = self
            .page
            .issue_cmd(BrowserLog)
            .await
            .expect("the browser's log");
        // A refused form leads to a page that answers 401, 409 or 422, which the browser's log
        // calls a failure to load.
        let is_refusal = |l: &Value| {
            let said = l["message"].as_str().unwrap_or_default();
            l["source"] == "network"
                && said.contains("refused=draft_")
                && ["401", "409", "422"].iter().any(|s| said.contains(s))
        };
        let errors: Vec<&Value> = log
            .as_array()
            .into_iter()
            .flatten()
            .filter(|l| l["level"] == "SEVERE" && !is_refusal(l))
            .collect();
        assert!(
            errors.is_empty(),
            "console on {}: {errors:#?}",
            self.address().await
        );
    }

    /// Lets pages believe that the person's system asks for these media features.
    pub async fn emulate(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> = features
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        self.page
            .issue_cmd(DevTools(
                "Emulation.setEmulatedMedia",
                json!({"features": features}),
            ))
            .await
            .expect("media are emulated");
    }

    /// Keeps a picture of the page in the folder that `LUCID_SCREENSHOTS` names.
    pub async fn picture(&self, name: &str) {
        let Ok(folder) = std::env::var("LUCID_SCREENSHOTS") else {
            return;
        };
        std::fs::create_dir_all(&folder).expect("the folder for screenshots");
        let png = self.page.screenshot().await.expect("a screenshot");
        std::fs::write(format!("{folder}/{name}.png"), png).expect("the screenshot is written");
    }

    /// Presses a key on the page, as one who has no field in focus.
    pub async fn press(&self, key: &str) {
        let mut last = None;
        for _ in 0..40 {
            let pressed = match self.page.active_element().await {
                Ok(active) => active.send_keys(key).await,
                Err(error) => Err(error),
            };
            match pressed {
                Ok(()) => return,
                // While a page is replaced, nothing has the focus.
                Err(error) if may_pass(&error) || error.is_no_such_element() => last = Some(error),
                Err(error) => panic!("{key} cannot be pressed: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{key} cannot be pressed: {last:?}");
    }
}

/// Whether the page was put anew under one's hands, which the next try need not meet.
fn may_pass(error: &CmdError) -> bool {
    error.is_stale_element_reference()
        || matches!(error, CmdError::Standard(said) if said.error == ErrorStatus::ElementClickIntercepted)
        || error.is_element_not_interactable()
}

impl Drop for Browser {
    fn drop(&mut self) {
        // ChromeDriver ends its Chromium when it is told to; killed, it leaves it behind.
        let _ = Command::new("pkill")
            .args(["-P", &self.driver.id().to_string()])
            .status();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn capabilities(settings: Settings) -> serde_json::Map<String, Value> {
    let width = if settings.width == 0 {
        1280
    } else {
        settings.width
    };
    // A window has bars of its own: what a page sees is less.
    let height = if settings.height == 0 {
        900
    } else {
        settings.height + 143
    };
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        // Letters are drawn in the same way on every machine.
        "--font-render-hinting=none".to_owned(),
        "--disable-lcd-text".to_owned(),
        "--force-color-profile=srgb".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        format!("--window-size={width},{height}"),
    ];
    if settings.dark {
        arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    let mut options = json!({"args": arguments});
    if settings.without_scripts {
        options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
    }
    if width < 500 {
        // A window has a least width; a phone does not.
        options["mobileEmulation"] = json!({"deviceMetrics": {"width": width, "height": 800, "pixelRatio": 1.0, "mobile": false, "touch": false}});
    }
    let all = json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
    all.as_object().cloned().unwrap_or_default()
}

/// ChromeDriver's way to Chromium's own protocol: a command and its parameters.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (
            http::Method::POST,
            Some(json!({"cmd": self.0, "params": self.1}).to_string()),
        )
    }
}

/// ChromeDriver's own command for the console.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (
            http::Method::POST,
            Some(json!({"type": "browser"}).to_string()),
        )
    }
}
