//! A recall as comma-separated values.

use domain::{Timestamp, event::OutcomeResult};
use service::{Loaded, RecallView};

use crate::csv;

const HEADER: &str = "loaded_by,agent,team,owner,times,first_loaded_at,last_loaded_at,outcome,mark,note,marked_by,marked_at\r\n";

/// A line for each session or reader.
pub fn csv(view: &RecallView) -> String {
    HEADER.to_owned() + &view.loads.rows.iter().map(line).collect::<String>()
}

fn line(loaded: &Loaded) -> String {
    let row = &loaded.row;
    let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = [
        loaded.loaded_by.clone(),
        or_nothing(&row.agent),
        or_nothing(&row.team),
        loaded.owner.clone(),
        row.times.to_string(),
        row.first_at.rfc3339(),
        row.last_at.rfc3339(),
        row.outcome
            .map(OutcomeResult::as_str)
            .unwrap_or_default()
            .to_owned(),
        row.mark
            .map(|mark| mark.as_str().to_owned())
            .unwrap_or_default(),
        or_nothing(&row.note),
        or_nothing(&loaded.marked_by),
        row.marked_at.map(Timestamp::rfc3339).unwrap_or_default(),
    ];
    csv::line(fields.iter().map(String::as_str))
}
