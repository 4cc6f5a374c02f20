//! Takes the site (made by `make site` in `target/site`, or where `LUCID_SITE` says) into the
//! binary. Without it the server still builds, says so, and serves pages without style and islands.

use std::{env, fmt::Write, fs, path::PathBuf};

/// The files that pages name, as the site's manifest calls them.
const ASSETS: [&str; 4] = ["style", "boot", "icons", "font"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-env-changed=LUCID_SITE");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let site = env::var_os("LUCID_SITE").map_or_else(|| root.join("target/site"), PathBuf::from);
    let manifest = site.join("manifest.json");
    println!("cargo:rerun-if-changed={}", manifest.display());
    let mut code = String::new();
    if let Ok(text) = fs::read_to_string(&manifest) {
        let manifest: serde_json::Value = serde_json::from_str(&text)?;
        let name = |key: &str| manifest[key].as_str().unwrap_or_default().to_owned();
        for asset in ASSETS {
            writeln!(
                code,
                "pub const {}: Option<&str> = Some({:?});",
                asset.to_uppercase(),
                name(asset)
            )?;
        }
        writeln!(code, "pub const FILES: &[File] = &[")?;
        for file in manifest["files"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|f| f.as_str())
        {
            let path = site.join(file).canonicalize()?;
            writeln!(
                code,
                "File {{ name: {file:?}, plain: include_bytes!(\"{0}\"), brotli: \
                 include_bytes!(\"{0}.br\"), gzip: include_bytes!(\"{0}.gz\") }},",
                path.display()
            )?;
        }
        writeln!(code, "];")?;
    } else {
        println!(
            "cargo:warning=there is no site in {}: pages will have no style and no islands (run \
             `make site`)",
            site.display()
        );
        for asset in ASSETS {
            writeln!(
                code,
                "pub const {}: Option<&str> = None;",
                asset.to_uppercase()
            )?;
        }
        code.push_str("pub const FILES: &[File] = &[];\n");
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("site.rs"), code)?;
    Ok(())
}
