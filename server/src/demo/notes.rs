//! The notes that are in the demo's memory before anybody dreams: good ones, doubles, and stale
//! ones.

use service::NewMemory;

use crate::Failure;

/// Path, content, and whether a person wrote it.
const NOTES: &[(&str, &str, bool)] = &[
    (
        "/style/tone.md",
        "# Tone\n\n- Plain words, short sentences, no exclamation marks.\n- Say what to do first, \
         then why.\n",
        true,
    ),
    (
        "/style/dates.md",
        "# Dates\n\n- Write dates as 22 November 2026, never 11/22/26.\n- Name the time zone with \
         every clock time.\n",
        false,
    ),
    (
        "/notes/2026-09/dates.md",
        "Dates\n\nWrite dates as 22 November 2026, never 11/22/26.\nName the time zone with every \
         clock time.\n",
        false,
    ),
    (
        "/notes/2026-10/date-format.md",
        "# Dates\n\n* Write dates as 22 November 2026, never 11/22/26.\n* Name the time zone with \
         every clock time.\n",
        false,
    ),
    (
        "/style/headlines.md",
        "# Headlines\n\n- At most 70 characters.\n- The point comes first.\n",
        true,
    ),
    (
        "/content/headlines.md",
        "# Headlines\n\n- At most 70 characters.\n- The point comes first.\n",
        true,
    ),
    (
        "/logs/retention.md",
        "# Retention\n\n- Raw logs are kept for 30 days.\n- Summaries are kept for one year.\n",
        false,
    ),
    (
        "/logs/regions.md",
        "# Regions\n\n- Logs of the EU customers stand in eu-central only.\n",
        true,
    ),
    (
        "/notes/2026-08/logs.md",
        "Logs of the EU customers stand in eu-central only.\n",
        false,
    ),
    (
        "/documents/clauses.md",
        "# Clauses\n\n- Clause numbers follow the customer's own template, not ours.\n- Quote a \
         clause with its number and its first five words.\n",
        false,
    ),
    (
        "/documents/handover.md",
        "# Handover\n\n- End every review with open questions, each with an owner.\n",
        true,
    ),
    (
        "/notes/2026-10/reviews.md",
        "Each review ends with a list of open questions and who owns them.\n",
        false,
    ),
    (
        "/notes/2026-09/scratch.md",
        "Asked twice about the March report. Nothing to remember here.\n",
        false,
    ),
];

/// The notes as they are written.
pub fn notes() -> Result<Vec<NewMemory>, Failure> {
    let note = |&(path, content, by_person): &(&str, &str, bool)| {
        let path = path
            .parse()
            .map_err(|e| Failure::Said(format!("{path}: {e}")))?;
        Ok(NewMemory {
            path,
            content: content.to_owned(),
            by_person,
        })
    };
    NOTES.iter().map(note).collect()
}
