//! The words of the pages: every visible text is read from the source and held against the words
//! that the design replaced.

use std::{fs, path::Path};

/// Words and phrases that pages do not use, with what they say instead.
const REPLACED: &[(&str, &str)] = &[
    (" stands ", "is"),
    (" stand ", "are"),
    ("whoever", "a person, the operator, a contributor"),
    ("had a hand", "contributed"),
    ("take back", "withdraw, revert or remove access"),
    ("takes it back", "reverts it"),
    ("taken back", "withdrawn, reverted"),
    ("took back", "withdrew, reverted"),
    ("distiller", "engine"),
    ("nevertheless", "anyway"),
    ("say it otherwise", "needs rewording"),
    ("way out", "workaround"),
    ("mend", "fix"),
    ("the same again", "repeat"),
    ("make it", "create"),
    ("find out", "detect automatically"),
    ("you may see", "you see, you have access to"),
    ("beside the change", "related memories and past decisions"),
    (" goes,", "is removed"),
];

/// The string literals of a source that have more than one word and are no address, without
/// comments.
fn texts(source: &str) -> Vec<String> {
    let pages = source
        .split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .replace("'\"'", "");
    let shown = |l: &&str| {
        !l.trim_start().starts_with("//") && !l.contains("reason = \"") && !l.contains("#![")
    };
    // A text that goes on in the next line is one text.
    let mut pieces = pages.split("\\\n");
    let first = pieces.next().unwrap_or_default().to_owned();
    let pages = pieces.fold(first, |whole, piece| whole + piece.trim_start());
    let code = pages.lines().filter(shown).collect::<Vec<_>>().join("\n");
    let mut texts = Vec::new();
    let mut parts = code.split('"');
    // Between quotation marks is every second part; one with a backslash at its end goes on.
    while let (Some(_), Some(mut text)) = (parts.next(), parts.next().map(str::to_owned)) {
        while text.ends_with('\\') {
            text.push_str(parts.next().unwrap_or_default());
        }
        if text.trim().contains(' ') && !text.starts_with('/') && !text.contains("[data-") {
            texts.push(text);
        }
    }
    texts
}

fn all_texts(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all_texts(&path, into);
        } else {
            let name = path.display().to_string();
            into.extend(
                texts(&fs::read_to_string(&path).unwrap())
                    .into_iter()
                    .map(|t| (name.clone(), t)),
            );
        }
    }
}

#[test]
fn pages_use_the_words_of_the_design() {
    let mut all = Vec::new();
    all_texts(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../app/src")),
        &mut all,
    );
    assert!(
        all.len() > 300,
        "the texts of the pages are found: {}",
        all.len()
    );
    let mut wrong = Vec::new();
    for (file, text) in &all {
        let lower = format!(" {} ", text.to_lowercase());
        for (word, instead) in REPLACED.iter().filter(|(word, _)| lower.contains(word)) {
            wrong.push(format!(
                "{file}: “{text}” has “{}”; the pages say: {instead}",
                word.trim()
            ));
        }
        let percent = text
            .match_indices(" %")
            .any(|(at, _)| text[..at].ends_with(|c: char| c.is_ascii_digit() || c == '}'));
        if percent {
            wrong.push(format!(
                "{file}: “{text}”: percent is written without a space"
            ));
        }
        if text.contains('!')
            && !text.contains("!=")
            && !text.contains("![")
            && !text.contains("DOCTYPE")
            && text.contains(' ')
        {
            wrong.push(format!("{file}: “{text}”: no exclamation marks"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn texts_are_read_from_a_source() {
    let source = "// \"not this one\"\nview! { <p>\"One text\"</p><a href=\"/no \
        address\">\"Go\"</a> }\nformat!(\"with \\\"quotes\\\" inside\")";
    assert_eq!(texts(source), ["One text", "with \\quotes\\ inside"]);
}
