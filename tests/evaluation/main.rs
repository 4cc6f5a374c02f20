//! `make eval`: how good the engine's findings are, on corpora that are not part of the project.
//! Prints a table; a corpus that is not there is named as skipped. `LUCID_EVAL_DATA` names the
//! folder; with `LUCID_EVAL_WRONG` the cases that went wrong are named, too.
#![allow(clippy::expect_used, reason = "a measurement that cannot go on stops")]

mod airline;
mod cases;
mod expired;
mod figures;
mod generated;
mod guard;
mod heldout;
mod locomo;
mod pairs;
mod voices;
mod workflows;

use std::path::PathBuf;

fn main() {
    println!(
        "{:<34} {:>8} {:>8} {:>20}",
        "what", "called", "good", "precision (95 %)"
    );
    assert!(generated::print(), "poison got into a proposal");
    assert!(heldout::print(), "poison got into a proposal");
    assert!(
        guard::print(),
        "the guard finds less on its development sets than it did"
    );
    voices::print();
    expired::print();
    // `cargo test` passes arguments of its own; without a folder there is no more to measure.
    let Some(folder) = std::env::var_os("LUCID_EVAL_DATA").map(PathBuf::from) else {
        println!("SKIPPED: set LUCID_EVAL_DATA to the folder with the corpora (make eval DATA=..)");
        return;
    };
    pairs::near_duplicates(&folder);
    if let Some(corpus) = airline::sessions(&folder.join("tau-airline-trials01.json")) {
        airline::failures(&corpus);
        airline::splits(&corpus);
        workflows::shuffled(&corpus);
    }
    workflows::planted();
    locomo::curated(&folder);
}
