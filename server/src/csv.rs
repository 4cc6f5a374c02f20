//! Comma-separated values (RFC 4180) that are safe to open in a spreadsheet.

/// A line, every field quoted. A field that a spreadsheet would take for a formula begins with an
/// apostrophe, as does one that begins with an apostrophe itself, so that reading it back is taking
/// one away.
pub fn line<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    fields.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
}

fn quoted(field: &str) -> String {
    let mark = if field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'']) {
        "'"
    } else {
        ""
    };
    format!("\"{mark}{}\"", field.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula_and_every_field_comes_back() {
        for field in [
            "plain",
            "=1+1",
            "+1",
            "-1",
            "@x",
            "'quoted",
            "a \"b\", c",
            "two\r\nlines",
            "",
        ] {
            let text = quoted(field);
            let inside = text[1..text.len() - 1].replace("\"\"", "\"");
            assert_eq!(inside.strip_prefix('\'').unwrap_or(&inside), field);
            assert!(!inside.starts_with(['=', '+', '-', '@']), "{text}");
        }
    }
}
