//! The audit trail as files: JSON lines, which verify by themselves, and comma-separated values for spreadsheets.

use audit::export::{ExportedEntry, Line};
use domain::Timestamp;

/// The first line of comma-separated values.
pub const CSV_HEADER: &str = "entry,time,actor,action,subject,store,commit,payload,hash\r\n";

/// Lines as JSON, each ended by a line feed.
pub fn jsonl(lines: &[Line]) -> String {
    lines.iter().filter_map(|line| serde_json::to_string(line).ok()).map(|text| text + "\n").collect()
}

/// The entries among the lines as comma-separated values (RFC 4180): every field quoted. A field that a spreadsheet would take for a
/// formula begins with an apostrophe, as does one that begins with an apostrophe itself, so that reading it back is taking one away.
pub fn csv(lines: &[Line]) -> String {
    let entries = lines.iter().filter_map(|line| if let Line::Entry(entry) = line { Some(entry) } else { None });
    entries.map(csv_line).collect()
}

fn csv_line(entry: &ExportedEntry) -> String {
    let fields = [
        entry.seq.to_string(),
        Timestamp(entry.at).rfc3339(),
        entry.actor.clone(),
        entry.action.clone(),
        entry.subject.clone(),
        entry.store.clone().unwrap_or_default(),
        entry.commit.clone().unwrap_or_default(),
        entry.payload.clone().unwrap_or_default(),
        entry.hash.clone(),
    ];
    fields.map(|field| quoted(&field)).join(",") + "\r\n"
}

fn quoted(field: &str) -> String {
    let mark = if field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'']) { "'" } else { "" };
    format!("\"{mark}{}\"", field.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula_and_every_field_comes_back() {
        for field in ["plain", "=1+1", "+1", "-1", "@x", "'quoted", "a \"b\", c", "two\r\nlines", ""] {
            let text = quoted(field);
            let inside = text[1..text.len() - 1].replace("\"\"", "\"");
            assert_eq!(inside.strip_prefix('\'').unwrap_or(&inside), field);
            assert!(!inside.starts_with(['=', '+', '-', '@']), "{text}");
        }
    }
}
