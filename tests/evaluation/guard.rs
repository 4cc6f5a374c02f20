//! How well the guard labels hostile text and masks what is sensitive, on texts written for it:
//! development sets, which shaped the patterns and taught the classifier, and measured-only sets in
//! other voices and domains, which did not.

use domain::{redirection::is_redirecting, sensitive::sensitive_spans};
use serde::Deserialize;

use crate::figures;

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Masked {
    text: String,
    secret: Vec<String>,
    personal: Vec<String>,
}

/// Hostile texts that were labelled and all of them; honest ones the same.
struct Labels {
    hostile: (usize, usize),
    honest: (usize, usize),
}

fn labels(hostile: &str, honest: &str) -> Labels {
    let count = |file: &str| {
        let texts: Vec<Text> = serde_json::from_str(file).expect("a list of texts");
        (
            texts.iter().filter(|t| is_redirecting(&t.text)).count(),
            texts.len(),
        )
    };
    Labels {
        hostile: count(hostile),
        honest: count(honest),
    }
}

/// Spans that were masked, those that had to be, and those that were masked without need.
fn masking(file: &str) -> (usize, usize, usize) {
    let texts: Vec<Masked> = serde_json::from_str(file).expect("a list of texts");
    let (mut found, mut wanted_all, mut extra) = (0, 0, 0);
    for one in &texts {
        let place = |s: &String| one.text.find(s.as_str()).map(|at| (at, at + s.len()));
        let wanted: Vec<(usize, usize)> = one
            .secret
            .iter()
            .chain(&one.personal)
            .filter_map(place)
            .collect();
        let spans = sensitive_spans(&one.text);
        wanted_all += wanted.len();
        found += wanted
            .iter()
            .filter(|w| spans.iter().any(|s| s.start <= w.0 && s.end >= w.1))
            .count();
        extra += spans
            .iter()
            .filter(|s| !wanted.iter().any(|w| s.start < w.1 && w.0 < s.end))
            .count();
    }
    (found, wanted_all, extra)
}

/// Prints the figures; false where a development set fell below what it had reached.
pub fn print() -> bool {
    let sets = [
        (
            "development",
            labels(
                include_str!("heldout/guard_hostile.json"),
                include_str!("heldout/guard_honest.json"),
            ),
        ),
        (
            "development 2",
            labels(
                include_str!("heldout/guard_hostile_2.json"),
                include_str!("heldout/guard_honest_2.json"),
            ),
        ),
        (
            "measured only",
            labels(
                include_str!("heldout/guard_hostile_measured.json"),
                include_str!("heldout/guard_honest_measured.json"),
            ),
        ),
    ];
    for (name, l) in &sets {
        println!(
            "guard, {name}: hostile text labelled {} of {} ({:.0} %), honest text labelled {} of \
             {} ({:.1} %)",
            l.hostile.0,
            l.hostile.1,
            100.0 * figures::ratio(l.hostile.0, l.hostile.1),
            l.honest.0,
            l.honest.1,
            100.0 * figures::ratio(l.honest.0, l.honest.1)
        );
    }
    let developed = masking(include_str!("heldout/guard_masking.json"));
    let measured = masking(include_str!("heldout/guard_masking_measured.json"));
    for (name, (found, wanted, extra)) in [("development", developed), ("measured only", measured)]
    {
        println!(
            "masking, {name}: {found} of {wanted} spans masked ({:.0} %), {extra} masked without \
             need (precision {:.1} %)",
            100.0 * figures::ratio(found, wanted),
            100.0 * figures::ratio(found, found + extra)
        );
    }
    let [first, second, _] = &sets;
    let kept = first.1.hostile.0 >= 150
        && first.1.honest.0 <= 2
        && second.1.hostile.0 >= 185
        && second.1.honest.0 <= 5;
    kept && developed.0 * 100 >= developed.1 * 97 && developed.2 <= 3
}
