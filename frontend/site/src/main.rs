//! Makes the site: `site WASM STYLE_DIR OUT`. Bindings by wasm-bindgen, the wasm made small by
//! wasm-opt where it is there, the style sheets joined, the fonts and the icon sprite; each file
//! with the hash of its content in its name, beside its brotli and gzip forms, and a manifest that
//! names them. The server's build takes them in.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

/// What Chromium, Firefox and Safari all take; never `--all-features`, whose compact imports they
/// refuse.
const WASM_OPT: &[&str] = &[
    "-Oz",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Most bytes of wasm that a page may load, compressed.
const MOST_BROTLI: u64 = 150_000;

/// Most bytes of the style sheet, before it is compressed.
const MOST_CSS: usize = 40_000;

/// The order in which the style sheets build on each other.
const STYLES: &[&str] = &[
    "tokens.css",
    "base.css",
    "layout.css",
    "components.css",
    "pages.css",
];

/// The fonts: name, and the word in the style sheets that stands for the file's address.
const FONTS: &[(&str, &str)] = &[("inter", "FONT_SANS"), ("mono", "FONT_MONO")];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [wasm, style, out] = arguments.as_slice() else {
        return Err("usage: site WASM STYLE_DIR OUT".into());
    };
    let work = out.with_extension("work");
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .out_name("lucid")
        .generate(&work)?;
    let small = optimised(&work.join("lucid_bg.wasm"))?;
    // A new folder takes the place of the old one whole, so that a build never sees half a site.
    let fresh = out.with_extension("new");
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir_all(&fresh)?;
    let wasm_name = put(&fresh, "lucid", "wasm", &small)?;
    let script_name = put(&fresh, "lucid", "js", &fs::read(work.join("lucid.js"))?)?;
    let boot = include_str!("boot.js")
        .replace("LUCID_JS", &script_name)
        .replace("LUCID_WASM", &wasm_name);
    let boot_name = put(&fresh, "boot", "js", boot.as_bytes())?;
    let mut styles = String::new();
    for name in STYLES {
        styles.push_str(&compact(&fs::read_to_string(style.join(name))?));
    }
    let mut fonts = Vec::new();
    for (font, word) in FONTS {
        let name = put(
            &fresh,
            font,
            "woff2",
            &fs::read(style.join(format!("fonts/{font}.woff2")))?,
        )?;
        styles = styles.replace(word, &name);
        fonts.push(name);
    }
    if styles.len() > MOST_CSS {
        return Err(format!(
            "the style sheet is {} bytes; it may have at most {MOST_CSS}",
            styles.len()
        )
        .into());
    }
    let icons_name = put(&fresh, "icons", "svg", &fs::read(style.join("icons.svg"))?)?;
    let style_name = put(&fresh, "lucid", "css", styles.as_bytes())?;
    let files: Vec<&String> = [
        &wasm_name,
        &script_name,
        &boot_name,
        &style_name,
        &icons_name,
    ]
    .into_iter()
    .chain(&fonts)
    .collect();
    let manifest = serde_json::json!({ "boot": boot_name, "style": style_name, "icons": icons_name, "font": fonts[0], "files": files });
    fs::write(fresh.join("manifest.json"), manifest.to_string())?;
    let _ = fs::remove_dir_all(out);
    fs::rename(&fresh, out)?;
    let brotli = fs::metadata(out.join(format!("{wasm_name}.br")))?.len();
    if env::var_os("WASM_OPT").is_some() && brotli > MOST_BROTLI {
        return Err(format!(
            "the wasm is {brotli} bytes as brotli; pages may load at most {MOST_BROTLI}"
        )
        .into());
    }
    println!(
        "site: wasm {} kB, as brotli {} kB; style sheet {} kB",
        small.len() / 1_000,
        brotli / 1_000,
        styles.len() / 1_000
    );
    Ok(())
}

/// A style sheet without comments, and without blanks where CSS needs none. No string in it holds a
/// brace, a semicolon or a comma.
fn compact(css: &str) -> String {
    let mut out = String::new();
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    let mut css = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for mark in ["{", "}", ";", ","] {
        css = css
            .replace(&format!(" {mark}"), mark)
            .replace(&format!("{mark} "), mark);
    }
    css
}

/// The wasm through wasm-opt, or as it is with a word that it is larger.
fn optimised(wasm: &Path) -> io::Result<Vec<u8>> {
    let Some(tool) = env::var_os("WASM_OPT").filter(|t| !t.is_empty()) else {
        eprintln!(
            "site: no wasm-opt (WASM_OPT is not set), so the wasm stays larger than it could be"
        );
        return fs::read(wasm);
    };
    let small = wasm.with_extension("opt.wasm");
    let status = Command::new(tool)
        .args(WASM_OPT)
        .arg(wasm)
        .arg("-o")
        .arg(&small)
        .status()?;
    if status.success() {
        fs::read(small)
    } else {
        Err(io::Error::other("wasm-opt failed"))
    }
}

/// Writes a file under the hash of its content, with its compressed forms; returns its name.
fn put(folder: &Path, stem: &str, extension: &str, bytes: &[u8]) -> io::Result<String> {
    let hash = hex::encode(Sha256::digest(bytes));
    let name = format!("{stem}.{}.{extension}", &hash[..16]);
    fs::write(folder.join(&name), bytes)?;
    let mut br = brotli::CompressorWriter::new(
        fs::File::create(folder.join(format!("{name}.br")))?,
        64 * 1024,
        11,
        24,
    );
    br.write_all(bytes)?;
    br.flush()?;
    drop(br);
    let mut gz = flate2::write::GzEncoder::new(
        fs::File::create(folder.join(format!("{name}.gz")))?,
        flate2::Compression::best(),
    );
    gz.write_all(bytes)?;
    gz.finish()?;
    Ok(name)
}
