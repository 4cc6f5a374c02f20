//! The audit trail as files: JSON lines, which verify by themselves, and comma-separated values for
//! spreadsheets.

use audit::export::{ExportedEntry, Line};
use domain::Timestamp;

use crate::csv;

/// The first line of comma-separated values.
pub const CSV_HEADER: &str = "entry,time,actor,action,subject,store,commit,payload,hash\r\n";

/// Lines as JSON, each ended by a line feed.
pub fn jsonl(lines: &[Line]) -> String {
    lines
        .iter()
        .filter_map(|line| serde_json::to_string(line).ok())
        .map(|text| text + "\n")
        .collect()
}

/// The entries among the lines as comma-separated values.
pub fn csv(lines: &[Line]) -> String {
    let entries = lines.iter().filter_map(|line| {
        if let Line::Entry(entry) = line {
            Some(entry)
        } else {
            None
        }
    });
    entries.map(csv_line).collect()
}

fn csv_line(entry: &ExportedEntry) -> String {
    let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = [
        entry.seq.to_string(),
        Timestamp(entry.at).rfc3339(),
        entry.actor.clone(),
        entry.action.clone(),
        entry.subject.clone(),
        or_nothing(&entry.store),
        or_nothing(&entry.commit),
        or_nothing(&entry.payload),
        entry.hash.clone(),
    ];
    csv::line(fields.iter().map(String::as_str))
}
