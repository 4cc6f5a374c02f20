//! Same and alike, on labelled pairs of sentences.

use std::path::Path;

use dream::similar::{Likeness, Prepared};

use crate::figures::{Calls, ratio};

/// The rows of a file of values with tabs between, without its head; `None`, and said so, if it is
/// not there.
fn rows(folder: &Path, name: &str) -> Option<Vec<Vec<String>>> {
    let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
        println!("SKIPPED: {name} is not in {}", folder.display());
        return None;
    };
    Some(
        text.lines()
            .skip(1)
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect(),
    )
}

/// Same and alike on labelled pairs: MSRP (paraphrase or not), SICK (a contradiction must never be
/// the same).
pub fn near_duplicates(folder: &Path) {
    let likeness = |a: &str, b: &str| Prepared::of(a).likeness(&Prepared::of(b));
    if let Some(rows) = rows(folder, "msrp-train.tsv") {
        let (mut same, mut alike, mut paraphrases) = (Calls::default(), Calls::default(), 0);
        for row in rows.iter().filter(|r| r.len() >= 5) {
            let good = row[0] == "1";
            paraphrases += usize::from(good);
            match likeness(&row[3], &row[4]) {
                Likeness::Same => same.add(good),
                Likeness::Alike => alike.add(good),
                Likeness::Different => {}
            }
        }
        same.print("merge, MSRP train");
        alike.print("ask, MSRP train");
        println!(
            "{:<34} {:>8} {:>8} {:>8.3}",
            "ask, MSRP train: recall",
            paraphrases,
            alike.good + same.good,
            ratio(alike.good + same.good, paraphrases)
        );
    }
    if let Some(rows) = rows(folder, "sick-train.tsv") {
        let mut same = Calls::default();
        let mut contradictions = 0;
        for row in rows
            .iter()
            .filter(|r| r.len() >= 5 && likeness(&r[1], &r[2]) == Likeness::Same)
        {
            same.add(row[4] == "ENTAILMENT");
            contradictions += usize::from(row[4] == "CONTRADICTION");
        }
        same.print("merge, SICK train: entailment");
        println!(
            "{:<34} {:>8}",
            "merge, SICK train: contradictions", contradictions
        );
    }
}
