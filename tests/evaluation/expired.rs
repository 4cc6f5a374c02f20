//! Lines of a memory that name a day which has passed: those that hold up to that day, and those
//! that hold still. The set was written by somebody who does not see the code, and is only
//! measured.

use std::ops::ControlFlow;

use domain::Timestamp;
use dream::{Head, Input, Memory, Seen};
use serde::Deserialize;

use crate::figures::Calls;

#[derive(Deserialize)]
struct Set {
    now: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    line: String,
    expired: bool,
}

/// Prints how many expired lines are proposed to go or asked about, and how many of those are
/// right.
pub fn print() {
    let set: Set = serde_json::from_str(include_str!("heldout/expired_measured.json"))
        .expect("the set is whole");
    let now = Timestamp::morning_of(&set.now).expect("a date");
    let (mut proposed, mut asked) = (Calls::default(), Calls::default());
    for line in &set.lines {
        // Beside more that is not lost, so that the loss budget leaves room.
        let filler = (0..12).map(|n| {
            Memory::plain(
                &format!("/rooms/{n}.md"),
                &format!("The door of room {n} has its own key.\n"),
            )
        });
        let memories = std::iter::once(Memory::plain(
            "/notes/line.md",
            &format!(
                "# Notes\n\n- {}\n- Ask before you change this.\n",
                line.line
            ),
        ));
        let seen = Seen {
            head: Head {
                key: "s".into(),
                at: Some(now.0),
                ..Head::default()
            },
            features: dream::Features::default(),
        };
        let input = Input {
            sessions: vec![seen],
            memories: memories.chain(filler).collect(),
            ..Input::default()
        };
        let proposal =
            dream::run(&input, &mut |_| ControlFlow::Continue(())).expect("nobody stops it");
        let Some(found) = proposal.findings.iter().find(|f| f.kind == "expired") else {
            continue;
        };
        if found.is_proposed() {
            &mut proposed
        } else {
            &mut asked
        }
        .add(line.expired);
    }
    let expired = set.lines.iter().filter(|l| l.expired).count();
    proposed.print("expired lines proposed, measured");
    asked.print("expired lines asked, measured");
    Calls {
        called: expired,
        good: proposed.good + asked.good,
    }
    .print("expired lines found, measured: recall");
}
