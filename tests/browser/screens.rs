//! Screens as they were when somebody last looked at them: the style guide and eight pages,
//! compared by their pixels. `make screens` takes them anew. What a fault looks like is written to
//! `target/screens`.

use std::{fs, path::PathBuf};

use crate::{
    driver::{Browser, Settings},
    review::sign_in,
    support::process::Served,
};

/// Sides of the squares that are compared, in pixels. A letter that is drawn a little differently
/// hardly changes a square's colour.
const SQUARE: usize = 4;
/// How much the mean of a colour may differ in a square, of 255.
const MOST: u64 = 32;
/// Squares that may differ more. A button that moved by its margin changes some hundred.
const SQUARES: usize = 20;

/// Times, days and everything else that differs from run to run, set to one text of one length.
const STILL: &str = r"
    document.activeElement?.blur();
    for (const time of document.querySelectorAll('time')) time.textContent = '1 day ago';
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
        const text = words.currentNode;
        text.data = text.data
            .replace(/\d{4}-\d\d-\d\d/g, '2026-01-01').replace(/\d\d:\d\d(:\d\d)?( UTC)?/g, '00:00')
            .replace(/\b(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b/g, 'Monday').replace(/\b\d+ ms\b|\b\d+ s\b/g, '1 s')
            .replace(/\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December)/g, '1 May')
            .replace(/[0-9a-f]{8,}/g, (hex) => '0'.repeat(hex.length));
    }
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { animation: none !important; transition: none !important; caret-color: transparent !important; }');
    document.adoptedStyleSheets.push(sheet);
    window.scrollTo(0, 0);
";

/// A picture: its width in pixels, and four bytes a pixel.
struct Picture {
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn read(bytes: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(
            png::Transformations::normalize_to_color8() | png::Transformations::ALPHA,
        );
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("it fits into memory")];
        let info = reader.next_frame(&mut pixels).expect("its pixels");
        Self {
            width: info.width as usize,
            pixels,
        }
    }

    fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let height = self.pixels.len() / 4 / self.width;
        let size = |n: usize| u32::try_from(n).expect("a screen's size");
        let mut encoder = png::Encoder::new(&mut bytes, size(self.width), size(height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let opaque: Vec<u8> = self
            .pixels
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect();
        let mut writer = encoder.write_header().expect("it is written to memory");
        writer
            .write_image_data(&opaque)
            .expect("it is written to memory");
        drop(writer);
        bytes
    }

    /// The mean colour of each square, row by row.
    fn squares(&self) -> Vec<[u64; 3]> {
        let height = self.pixels.len() / 4 / self.width;
        let (across, down) = (self.width / SQUARE, height / SQUARE);
        let mut sums = vec![[0; 3]; across * down];
        for (at, pixel) in self.pixels.chunks_exact(4).enumerate() {
            let (x, y) = (at % self.width / SQUARE, at / self.width / SQUARE);
            if x < across && y < down {
                for (sum, part) in sums[y * across + x].iter_mut().zip(pixel) {
                    *sum += u64::from(*part);
                }
            }
        }
        let pixels = (SQUARE * SQUARE) as u64;
        sums.into_iter()
            .map(|sum| sum.map(|s| s / pixels))
            .collect()
    }

    /// The squares in which this differs visibly from another picture: their numbers, row by row;
    /// all of them, if the sizes differ.
    fn differences(&self, other: &Self) -> Vec<usize> {
        let (mine, theirs) = (self.squares(), other.squares());
        if (self.width, self.pixels.len()) != (other.width, other.pixels.len()) {
            return (0..mine.len()).collect();
        }
        let differ =
            |a: &[u64; 3], b: &[u64; 3]| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > MOST);
        mine.iter()
            .zip(&theirs)
            .enumerate()
            .filter(|(_, (a, b))| differ(a, b))
            .map(|(n, _)| n)
            .collect()
    }

    /// The picture with these squares in red.
    fn marked(mut self, squares: &[usize]) -> Self {
        let across = self.width / SQUARE;
        for square in squares {
            for at in 0..SQUARE * SQUARE {
                let (x, y) = (
                    square % across * SQUARE + at % SQUARE,
                    square / across * SQUARE + at / SQUARE,
                );
                let pixel = (y * self.width + x) * 4;
                self.pixels[pixel..pixel + 2].copy_from_slice(&[255, 0]);
            }
        }
        self
    }
}

/// What the window shows, with everything still.
async fn still(browser: &Browser) -> Picture {
    browser
        .page
        .execute(STILL, vec![])
        .await
        .expect("the page is set still");
    let fonts = "const done = arguments[0]; document.fonts.ready.then(() => \
        requestAnimationFrame(() => requestAnimationFrame(done)))";
    browser
        .page
        .execute_async(fonts, vec![])
        .await
        .expect("its fonts are loaded");
    Picture::read(&browser.page.screenshot().await.expect("a screenshot"))
}

/// Compares what the window shows with the picture of that name, or puts it in its place. Says what
/// is wrong with it.
async fn compare(browser: &Browser, name: &str) -> Option<String> {
    let now = still(browser).await;
    let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../tests/browser/screens/{name}.png"));
    if std::env::var_os("LUCID_TAKE_SCREENS").is_some() {
        fs::write(&kept, now.write()).expect("the screen is kept");
        return None;
    }
    let Ok(bytes) = fs::read(&kept) else {
        return Some(format!(
            "{name}: there is no screen to compare with; `make screens` takes it"
        ));
    };
    let differences = now.differences(&Picture::read(&bytes));
    if differences.len() <= SQUARES {
        return None;
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/screens");
    fs::create_dir_all(&folder).expect("a folder for the pictures");
    fs::write(folder.join(format!("{name}.png")), now.write()).expect("the screen is written");
    fs::write(
        folder.join(format!("{name}-differences.png")),
        now.marked(&differences).write(),
    )
    .expect("the differences are written");
    Some(format!(
        "{name}: {} squares of {SQUARE} pixels differ; see target/screens/{name}-differences.png",
        differences.len()
    ))
}

/// Compares each page and fails with everything that is wrong.
async fn check(browser: &Browser, pages: &[(&str, String)]) {
    let mut wrong = Vec::new();
    for (name, address) in pages {
        browser.go(address).await;
        browser.wait_for_islands().await;
        // Beside the queue its first change is loaded.
        if browser.holds("#preview").await {
            browser.find("#preview article").await;
        }
        wrong.extend(compare(browser, name).await);
    }
    assert!(
        wrong.is_empty(),
        "If this is how it should look, run `make screens` and look at what it changed.\n{}",
        wrong.join("\n")
    );
}

async fn style_guide(dark: bool) -> (Served, Browser, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::start(
        &format!("sqlite:{}", folder.path().join("guide.db").display()),
        &["--style-guide"],
    );
    let browser = Browser::start(Settings {
        dark,
        height: 3600,
        ..Settings::default()
    })
    .await;
    (lucid, browser, folder)
}

#[tokio::test]
async fn the_style_guide_looks_as_it_did() {
    for dark in [false, true] {
        let (lucid, browser, _folder) = style_guide(dark).await;
        let name = if dark {
            "style-guide-dark"
        } else {
            "style-guide"
        };
        check(&browser, &[(name, format!("{}/styleguide", lucid.url))]).await;
        browser.check_accessibility().await;
        browser.check_width().await;
        browser.check_console().await;
    }
}

#[tokio::test]
async fn a_button_that_moved_is_seen_and_the_same_page_is_the_same() {
    let (lucid, browser, _folder) = style_guide(false).await;
    let address = format!("{}/styleguide", lucid.url);
    browser.go(&address).await;
    browser.wait_for_islands().await;
    let first = still(&browser).await;
    browser.go(&address).await;
    browser.wait_for_islands().await;
    assert_eq!(still(&browser).await.differences(&first).len(), 0);
    for (what, script) in [
        (
            "a button that moved by eight pixels",
            "document.querySelector('main .line button').style.translate = '8px'",
        ),
        (
            "a button of another colour",
            "document.querySelector('main .line button').style.background = 'green'",
        ),
        (
            "a text that grew",
            "document.querySelector('h2').style.fontSize = '16px'",
        ),
    ] {
        browser.go(&address).await;
        browser.wait_for_islands().await;
        browser.page.execute(script, vec![]).await.unwrap();
        let squares = still(&browser).await.differences(&first).len();
        assert!(squares > SQUARES, "{what}: {squares}");
    }
}

#[tokio::test]
async fn eight_pages_look_as_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings {
        height: 800,
        ..Settings::default()
    })
    .await;
    let url = &lucid.url;
    check(&browser, &[("sign-in", format!("{url}/sign-in"))]).await;
    sign_in(&browser, &lucid.link("admin@")).await;
    let first = async |page: &str, start: &str| {
        browser.go(page).await;
        browser
            .property_of(&format!("main a[href^='{start}']"), "href")
            .await
            .expect("a link has an address")
    };
    let store = first(&format!("{url}/stores"), "/stores/").await;
    let memory = first(&store, "/memories/").await;
    let desk = first(&format!("{url}/queue"), "/changesets/").await;
    let dream = first(&format!("{url}/dreams"), "/dreams/").await;
    let pages = [
        ("queue", format!("{url}/queue")),
        ("desk", desk),
        ("store", store),
        ("memory", memory),
        ("dream", dream),
        ("audit", format!("{url}/audit")),
        ("people", format!("{url}/people")),
    ];
    check(&browser, &pages).await;
}
