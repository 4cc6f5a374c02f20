//! The diff of two texts: `<ins>` and `<del>` with a sign beside each line, so that colour is never
//! alone in saying it.

use domain::diff::{Line, Mark, lines};
use leptos::prelude::*;

use super::text::Visible;

/// Lines that stay are folded away but for so many around a change.
const AROUND: usize = 3;

/// One side of a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Added,
    Removed,
}

impl Side {
    /// How many lines of a diff are of this side.
    #[must_use]
    pub fn count(self, lines: &[Line]) -> usize {
        let wanted = if self == Self::Added {
            Mark::Added
        } else {
            Mark::Removed
        };
        lines.iter().filter(|l| l.mark == wanted).count()
    }
}

/// A stretch of a diff.
enum Stretch {
    Shown(Vec<Line>),
    Folded(Vec<Line>),
}

/// The diff of two texts, by line and word; long stretches in which nothing changed are folded.
#[component]
pub fn Diff(
    /// The text before; empty for a new one.
    #[prop(into)]
    before: String,
    /// The text after; empty for a removal.
    #[prop(into)]
    after: String,
) -> impl IntoView {
    view! { <DiffLines lines=lines(&before, &after) /> }
}

/// A diff that was computed elsewhere.
#[component]
pub fn DiffLines(lines: Vec<Line>) -> impl IntoView {
    if lines.is_empty() {
        return view! { <p class="quiet">"Both are empty."</p> }.into_any();
    }
    let show = |stretch| match stretch {
        Stretch::Shown(lines) => hunks(lines).into_iter().map(hunk).collect_view().into_any(),
        Stretch::Folded(lines) => {
            let unchanged = domain::plural::count(lines.len(), "unchanged line");
            view! {
                <details class="fold">
                    <summary>{unchanged}</summary>
                    {lines.into_iter().map(line).collect_view()}
                </details>
            }
            .into_any()
        }
    };
    view! {
        <div class="diff" role="group" aria-label="Difference" tabindex="0">
            {folded(lines).into_iter().map(show).collect_view()}
        </div>
    }
    .into_any()
}

fn folded(lines: Vec<Line>) -> Vec<Stretch> {
    let unchanged = lines.iter().all(|l| l.mark == Mark::Same);
    let mut near = vec![unchanged; lines.len()];
    for (i, _) in lines
        .iter()
        .enumerate()
        .filter(|(_, l)| l.mark != Mark::Same)
    {
        let end = (i + AROUND + 1).min(near.len());
        near[i.saturating_sub(AROUND)..end].fill(true);
    }
    let mut stretches: Vec<Stretch> = Vec::new();
    for (i, line) in lines.into_iter().enumerate() {
        match (stretches.last_mut(), near[i]) {
            (Some(Stretch::Shown(last)), true) | (Some(Stretch::Folded(last)), false) => {
                last.push(line);
            }
            (_, true) => stretches.push(Stretch::Shown(vec![line])),
            (_, false) => stretches.push(Stretch::Folded(vec![line])),
        }
    }
    stretches
}

/// Most lines of a hunk. The browser lays out only the hunks that are in sight.
const HUNK: usize = 400;

/// Lines that changed one after the other, together: side by side, removed and added lines are next
/// to each other.
fn hunks(lines: Vec<Line>) -> Vec<Vec<Line>> {
    let mut hunks: Vec<Vec<Line>> = Vec::new();
    for line in lines {
        match hunks.last_mut() {
            Some(last)
                if last.len() < HUNK
                    && (last[0].mark == Mark::Same) == (line.mark == Mark::Same) =>
            {
                last.push(line);
            }
            _ => hunks.push(vec![line]),
        }
    }
    hunks
}

fn hunk(lines: Vec<Line>) -> impl IntoView {
    let long = lines.len() == HUNK;
    let differs = lines.iter().any(|l| l.mark != Mark::Same);
    // The keys `.` and `,` go from one difference to the next.
    view! {
        <div
            class="hunk"
            class:long=long
            data-difference=differs.then_some("")
            tabindex=differs.then_some("-1")
        >
            {lines.into_iter().map(line).collect_view()}
        </div>
    }
}

fn line(line: Line) -> impl IntoView {
    let (sign, class) = match line.mark {
        Mark::Same => ("", "line same"),
        Mark::Removed => ("−", "line removed"),
        Mark::Added => ("+", "line added"),
    };
    let number = |n: Option<usize>| {
        view! {
            <span class=if n.is_some() { "number" } else { "number none" } aria-hidden="true">
                {n.map(|n| n.to_string())}
            </span>
        }
    };
    let (before, after) = (number(line.before), number(line.after));
    let mark = line.mark;
    let moved = line.moved.map(|n| {
        if mark == Mark::Removed {
            format!("moved to line {n}")
        } else {
            format!("moved from line {n}")
        }
    });
    let unended =
        (line.unended && mark != Mark::Same).then(|| "no line break at the end".to_owned());
    let notes = moved
        .into_iter()
        .chain(unended)
        .map(|note| view! { <small>{note}</small> })
        .collect_view();
    let class = if line.moved.is_some() {
        format!("{class} moved")
    } else {
        class.to_owned()
    };
    let runs = line.runs.into_iter().map(move |run| {
        let text = view! { <Visible text=run.text /> };
        if run.changed {
            view! { <mark>{text}</mark> }.into_any()
        } else {
            text.into_any()
        }
    });
    let words = runs.collect_view();
    let words = match mark {
        Mark::Same => view! { <span>{words}</span> }.into_any(),
        Mark::Removed => view! { <del>{words}</del> }.into_any(),
        Mark::Added => view! { <ins>{words}</ins> }.into_any(),
    };
    view! {
        <div class=class>
            {before}{after} <span class="sign" aria-hidden="true">
                {sign}
            </span> <span class="words">{words}{notes}</span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_stretches_are_folded_and_nothing_is_dropped() {
        let text = (0..40)
            .map(|n| format!("line {n}"))
            .collect::<Vec<_>>()
            .join("\n")
            + "\n";
        let all = lines(&text, &text.replace("line 20\n", "line twenty\n"));
        let count = all.len();
        let shapes: Vec<(bool, usize)> = folded(all)
            .iter()
            .map(|s| match s {
                Stretch::Shown(lines) => (true, lines.len()),
                Stretch::Folded(lines) => (false, lines.len()),
            })
            .collect();
        assert_eq!(shapes, [(false, 17), (true, 8), (false, 16)]);
        assert_eq!(shapes.iter().map(|(_, n)| n).sum::<usize>(), count);
        assert!(
            matches!(&folded(lines(&text, &text))[..], [Stretch::Shown(all)] if all.len() == 40)
        );
    }
}
