//! `make eval`: how good the engine's findings are, on corpora that are not part of the project. Prints a table; a corpus that is not
//! there is named as skipped. `LUCID_EVAL_DATA` names the folder.
#![allow(clippy::print_stdout, reason = "it prints a table")]

use std::path::{Path, PathBuf};

use dream::similar::{Likeness, Prepared};

fn main() {
    // `cargo test` passes arguments of its own; without a folder there is nothing to measure.
    let Some(folder) = std::env::var_os("LUCID_EVAL_DATA").map(PathBuf::from) else {
        println!("SKIPPED: set LUCID_EVAL_DATA to the folder with the corpora (make eval DATA=..)");
        return;
    };
    println!("{:<34} {:>8} {:>8} {:>20}", "what", "called", "good", "precision (95 %)");
    near_duplicates(&folder);
}

/// A rule's calls: how many, and how many of them were right.
#[derive(Default)]
struct Calls {
    called: usize,
    good: usize,
}

impl Calls {
    fn add(&mut self, good: bool) {
        self.called += 1;
        self.good += usize::from(good);
    }

    fn print(&self, what: &str) {
        let (low, high) = wilson(self.good, self.called);
        let precision = ratio(self.good, self.called);
        println!("{what:<34} {:>8} {:>8} {precision:>8.3} ({low:.3}-{high:.3})", self.called, self.good);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
fn ratio(good: usize, all: usize) -> f64 {
    if all == 0 { f64::NAN } else { good as f64 / all as f64 }
}

/// Wilson's interval for a share, 95 %.
#[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
fn wilson(good: usize, all: usize) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (p, n, z) = (ratio(good, all), all as f64, 1.96_f64);
    let center = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    ((center - half) / scale, (center + half) / scale)
}

/// The rows of a file of values with tabs between, without its head; `None`, and said so, if it is not there.
fn rows(folder: &Path, name: &str) -> Option<Vec<Vec<String>>> {
    let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
        println!("SKIPPED: {name} is not in {}", folder.display());
        return None;
    };
    Some(text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// Same and alike on labelled pairs: MSRP (paraphrase or not), SICK (a contradiction must never be the same).
fn near_duplicates(folder: &Path) {
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
        for row in rows.iter().filter(|r| r.len() >= 5 && likeness(&r[1], &r[2]) == Likeness::Same) {
            same.add(row[4] == "ENTAILMENT");
            contradictions += usize::from(row[4] == "CONTRADICTION");
        }
        same.print("merge, SICK train: entailment");
        println!("{:<34} {:>8}", "merge, SICK train: contradictions", contradictions);
    }
}
