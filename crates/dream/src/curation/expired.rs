//! Statements whose own end has come: what says so is proposed to go, what perhaps says so is
//! asked.

use domain::{changeset::ChangeKind, statement::statements};

use crate::{
    compose,
    findings::candidates,
    reading::dates::{self, Sure},
    types::{Asks, Change, Edit, Finding, Support},
    window::Window,
};

/// The name of this kind of finding.
pub const KIND: &str = "expired";
/// Most of a dream; the others come with the next one.
const MOST: usize = 20;

/// Every statement that names a last day which has passed.
pub fn find(window: &Window) -> Vec<Finding> {
    let Some(now) = window.now() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (index, memory) in window
        .input
        .memories
        .iter()
        .enumerate()
        .filter(|(_, m)| !m.frozen)
    {
        for statement in statements(&memory.content) {
            let Some(ends) = dates::ends(&statement).filter(|e| e.after <= now) else {
                continue;
            };
            let support = Support {
                occurrences: 1,
                ..Support::default()
            };
            let title = format!("Expired: {}", compose::short(&statement));
            let mut finding = Finding::new(
                KIND,
                &format!("{}\0{statement}", memory.path),
                title,
                support,
            );
            let rest =
                candidates::rewritten(&memory.content, std::slice::from_ref(&statement), &[]);
            // If the note was written after that day, its writer knew the date had passed.
            let knew = memory.updated_at.is_some_and(|at| at >= ends.after);
            let Some(rest) = rest.filter(|_| ends.sure == Sure::Says && !knew) else {
                finding.title = format!("Does this still hold? {}", compose::short(&statement));
                finding.asks = Some(Asks {
                    memory: index,
                    statement,
                    new: None,
                });
                found.push(finding.insight(format!("it names {}, which has passed", ends.written)));
                continue;
            };
            let edit = |content: Option<String>| Edit {
                memory: Some(index),
                path: memory.path.clone(),
                new_path: None,
                content,
            };
            let is_empty = statements(&rest).len() <= usize::from(rest.starts_with('#'));
            finding.change = Some(Change {
                kind: if is_empty {
                    ChangeKind::Remove
                } else {
                    ChangeKind::Supersede
                },
                rationale: format!("It names {} as its end, which has passed.", ends.written),
                confidence_bp: 7_500,
                tool_text: false,
                gentle: Some(vec![edit(Some(format!(
                    "{}\n\nExpired:\n> {statement}\n",
                    rest.trim_end()
                )))]),
                edits: vec![edit((!is_empty).then_some(rest))],
                quotes: Vec::new(),
            });
            found.push(finding);
        }
    }
    found.truncate(MOST);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Disposition, Head, Input, Memory, Seen};

    const DAY: i64 = 86_400_000_000;

    /// Returns what is found of one note, at midsummer 2026.
    fn found(content: &str, updated_at: Option<i64>) -> Vec<Finding> {
        let head = Head {
            key: "s".into(),
            at: Some(1_781_913_600_000_000),
            ..Head::default()
        };
        let seen = Seen {
            head,
            features: crate::Features::default(),
        };
        let memories = vec![Memory {
            updated_at,
            ..Memory::plain("/a.md", content)
        }];
        let input = Input {
            sessions: vec![seen],
            memories,
            ..Input::default()
        };
        find(&Window::of(&input))
    }

    #[test]
    fn a_statement_with_an_end_is_removed_and_an_unclear_one_is_asked_about() {
        let note =
            "# Shop\n\n- The spring discount is valid until 31 May 2026.\n- Returns are free.\n";
        let gone = found(note, None);
        let change = gone[0].change.as_ref().unwrap();
        assert_eq!(
            change.edits[0].content.as_deref(),
            Some("# Shop\n\n- Returns are free.\n")
        );
        let kept = change.gentle.as_ref().unwrap()[0]
            .content
            .as_deref()
            .unwrap();
        assert!(
            kept.ends_with(
                "- Returns are free.\n\nExpired:\n> The spring discount is valid until 31 May \
                 2026.\n"
            ),
            "{kept}"
        );
        assert!(found("The discount is valid until 31 May 2027.\n", None).is_empty());
        let whole = found("The discount is valid until 31 May 2026.\n", None);
        assert_eq!(
            (whole[0].change.as_ref().unwrap().kind, whole.len()),
            (ChangeKind::Remove, 1)
        );
        for (content, updated_at) in [
            ("We meet in room 4 until 31 May 2026.\n", None),
            // Written after that day.
            (
                "The discount is valid until 31 May 2026.\n",
                Some(1_781_913_600_000_000 - DAY),
            ),
            // Two sentences in one line: a person should cut it.
            (
                "- The discount is valid until 31 May 2026. Returns are free.\n",
                None,
            ),
        ] {
            let asked = found(content, updated_at);
            assert!(
                matches!(asked[0].disposition, Disposition::Insight(_)) && asked[0].asks.is_some(),
                "{content}: {asked:#?}"
            );
        }
    }
}
