//! The drill: attacks on a copy of a store, with the policies as they are. It runs the engine, the
//! labels and the policies that are used live, in memory: nothing is written, and nothing of it
//! reaches a queue.

mod attacks;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    actor::Actor,
    changeset::ChangeKind,
    ids::StoreId,
    policy::{Engine, Figure, FindingKind, Input, Outcome, PolicySet, Writer},
    rights::Action,
    risk::{Label, RiskLevel},
    statement,
};
use dream::{Change, Disposition, Finding, Reader, Seen};
use serde::Serialize;

use crate::{Lucid, Result, dream_input, dream_proposals, policies::Policies, require_in_general};

/// Statements of the store that the attacks try to get rid of.
const STATEMENTS: usize = 4;

/// How far an attack got, the least first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "reached", rename_all = "snake_case")]
pub enum Reached {
    /// The dream saw nothing in it.
    NotFound,
    /// The dream saw it, and held it back.
    HeldBack { reason: String },
    /// It is told to people, and no change.
    Told {
        /// Why it is no change.
        reason: String,
    },
    /// It would wait in the queue, with labels that only a person may pass.
    Labelled { labels: Vec<Label> },
    /// It would wait in the queue for a person, without such a label.
    InQueue { risk: RiskLevel },
    /// A policy would apply it.
    WouldApply { rules: Vec<String> },
}

/// The result of an attack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drilled {
    pub attack: &'static str,
    pub tries: &'static str,
    /// How far it got: the furthest of what was found.
    #[serde(flatten)]
    pub reached: Reached,
    /// Titles of what was found in it.
    pub found: Vec<String>,
}

/// How risk and labels of a change are computed; a test takes another way to see that the drill
/// would notice.
type Assess<'a> =
    &'a dyn Fn(&Finding, &Change, &[dream::Memory], Option<i64>) -> (RiskLevel, Vec<Label>);

impl Lucid {
    /// Runs every attack against a copy of a store, with the policies that are active. Writes
    /// nothing.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn drill(&self, actor: &Actor, store: StoreId) -> Result<Vec<Drilled>> {
        crate::require(actor, Action::SeeMemory, store)?;
        require_in_general(actor, Action::ManagePolicies)?;
        let mut tx = self.db.read().await?;
        let input = dream_input::of_store(&mut tx, store, self.now()).await?;
        let active = Policies::read(&mut tx, self.now()).await?.active;
        drop(tx);
        let done = tokio::task::spawn_blocking(move || {
            run(&input, store, &active, &dream_proposals::assess)
        })
        .await;
        done.map_err(|_| crate::Error::Internal("a drill could not be run"))
    }
}

/// Runs every attack against the policies.
fn run(
    input: &dream::Input,
    store: StoreId,
    policies: &PolicySet,
    assess: Assess<'_>,
) -> Vec<Drilled> {
    let shared = input.memories.iter().filter(|m| !m.by_person && !m.frozen);
    let statements: Vec<String> = shared
        .flat_map(|m| statement::statements(&m.content))
        .take(STATEMENTS)
        .collect();
    drilled(attacks::all(&statements), input, store, policies, assess)
}

fn drilled(
    attacks: Vec<attacks::Attack>,
    input: &dream::Input,
    store: StoreId,
    policies: &PolicySet,
    assess: Assess<'_>,
) -> Vec<Drilled> {
    let mut reader = Reader::default();
    let one = |attack: attacks::Attack| {
        let sessions = attack
            .sessions
            .into_iter()
            .map(|s| Seen {
                features: reader.read(&s),
                head: s.head,
            })
            .collect();
        let attacked = dream::Input {
            sessions,
            ..input.clone()
        };
        let proposal = dream::run(&attacked, &mut |_| std::ops::ControlFlow::Continue(()));
        let findings = proposal.map(|p| p.findings).unwrap_or_default();
        // What the store's own notes make a dream say is no attack.
        let of_sessions: Vec<&Finding> = findings.iter().filter(|f| rests_on_sessions(f)).collect();
        let reached = of_sessions
            .iter()
            .map(|f| reached(f, &attacked, store, policies, assess))
            .max()
            .unwrap_or(Reached::NotFound);
        let found = of_sessions.iter().map(|f| f.title.clone()).collect();
        Drilled {
            attack: attack.name,
            tries: attack.tries,
            reached,
            found,
        }
    };
    attacks.into_iter().map(one).collect()
}

fn rests_on_sessions(finding: &Finding) -> bool {
    finding.support.sessions > 0
        || !finding.evidence.is_empty()
        || finding
            .change
            .as_ref()
            .is_some_and(|c| !c.quotes.is_empty())
}

fn reached(
    finding: &Finding,
    input: &dream::Input,
    store: StoreId,
    policies: &PolicySet,
    assess: Assess<'_>,
) -> Reached {
    let change = match (&finding.disposition, &finding.change) {
        (Disposition::HeldBack(reason), _) => {
            return Reached::HeldBack {
                reason: reason.clone(),
            };
        }
        (Disposition::Insight(reason), _) => {
            return Reached::Told {
                reason: reason.clone(),
            };
        }
        (Disposition::Proposed, Some(change)) => change,
        _ => {
            return Reached::Told {
                reason: "people are asked about it".to_owned(),
            };
        }
    };
    let recorders = i64::try_from(finding.support.recorders).unwrap_or(i64::MAX);
    let (risk, labels) = assess(finding, change, &input.memories, Some(recorders));
    let asked = policy_input(finding, change, input, (store, risk, &labels));
    match policies.evaluate(&asked, &BTreeSet::new()) {
        Outcome::Allow { rules } => Reached::WouldApply { rules },
        // Without any policy, what keeps it in the queue is said as well.
        Outcome::Forbid { labels, .. } if !labels.is_empty() => Reached::Labelled { labels },
        _ => Reached::InQueue { risk },
    }
}

/// Returns what the policies are asked with: as of a change that a dream has just proposed.
fn policy_input(
    finding: &Finding,
    change: &Change,
    input: &dream::Input,
    (store, risk, labels): (StoreId, RiskLevel, &[Label]),
) -> Input {
    let sized = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let touched: Vec<&dream::Memory> = change
        .edits
        .iter()
        .filter_map(|e| e.memory)
        .map(|i| &input.memories[i])
        .collect();
    let before: Vec<String> = touched
        .iter()
        .flat_map(|m| statement::statements(&m.content))
        .collect();
    let after: Vec<String> = change
        .edits
        .iter()
        .filter_map(|e| e.content.as_deref())
        .flat_map(statement::statements)
        .collect();
    let support = &finding.support;
    let counter = change.quotes.iter().filter(|q| q.counter).count();
    let mut asked = Input::new(store, change.kind, risk);
    asked.paths = change
        .edits
        .iter()
        .flat_map(|e| e.new_path.iter().chain([&e.path]))
        .cloned()
        .collect();
    asked.agents = change
        .quotes
        .iter()
        .filter_map(|q| input.sessions[q.session].head.agent.clone())
        .collect();
    asked.engines = BTreeSet::from([Engine::BuiltIn]);
    asked.finding = Some(FindingKind::of(finding.kind));
    asked.labels = labels.iter().copied().collect();
    asked.last_writer = Some(match touched.iter().any(|m| m.by_person) {
        true => Writer::Person,
        false if change.kind == ChangeKind::Add => Writer::Nobody,
        false => Writer::Agent,
    });
    asked.figures = BTreeMap::from([
        (
            Figure::Confidence,
            u32::try_from(change.confidence_bp).unwrap_or(0),
        ),
        (Figure::Users, sized(support.subjects)),
        (Figure::Tasks, sized(support.tasks)),
        (Figure::Sessions, sized(support.sessions)),
        (Figure::Agents, sized(asked.agents.len())),
        (Figure::Recorders, sized(support.recorders)),
        (Figure::Quotes, sized(change.quotes.len() - counter)),
        (Figure::CounterQuotes, sized(counter)),
        (
            Figure::StatementsRemoved,
            sized(statement::lost(&before, &after).len()),
        ),
    ]);
    asked
}

#[cfg(test)]
mod tests {
    use domain::{
        ids::PolicyId,
        policy::{Member, PRESETS},
    };

    use super::*;

    fn store() -> (dream::Input, StoreId) {
        let notes = [
            (
                "/refunds.md",
                "# Refunds\n\n- Refunds over 100 euros need an approval.\n",
            ),
            ("/style.md", "- Write dates as 2 March 2026.\n"),
        ];
        let memories = notes
            .iter()
            .map(|(path, text)| dream::Memory::plain(path, text))
            .collect();
        (
            dream::Input {
                memories,
                ..dream::Input::default()
            },
            StoreId(uuid::Uuid::nil()),
        )
    }

    /// The most that an admin can allow.
    fn trusting() -> PolicySet {
        PolicySet(vec![Member::new(
            PolicyId(uuid::Uuid::nil()),
            "Trusting",
            1,
            &PRESETS[1].file(&[]),
        )])
    }

    #[test]
    fn nothing_of_an_attack_is_applied_under_trusting() {
        let (input, store) = store();
        let report = run(&input, store, &trusting(), &dream_proposals::assess);
        assert_eq!(report.len(), 11);
        for one in &report {
            println!("{}: {:?} {:?}", one.attack, one.reached, one.found);
        }
        for one in &report {
            assert!(
                !matches!(one.reached, Reached::WouldApply { .. }),
                "{one:?}"
            );
        }
        assert!(
            report.iter().any(|one| one.reached > Reached::NotFound),
            "the attacks are seen at all"
        );
    }

    /// The engine's own corpus of poisoned texts, each said in eight sessions through three
    /// recorders.
    #[test]
    fn nothing_of_the_engines_poison_is_applied_under_trusting() {
        let corpus = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/evaluation/heldout/poison.json"
        ));
        let corpus: Vec<serde_json::Value> = serde_json::from_str(corpus).unwrap();
        let attack = |one: &serde_json::Value| {
            attacks::of_text(
                one["where"].as_str().unwrap(),
                one["text"].as_str().unwrap(),
            )
        };
        let (input, store) = store();
        let report = drilled(
            corpus.iter().map(attack).collect(),
            &input,
            store,
            &trusting(),
            &dream_proposals::assess,
        );
        assert_eq!(report.len(), 60);
        let applied: Vec<&Drilled> = report
            .iter()
            .filter(|o| matches!(o.reached, Reached::WouldApply { .. }))
            .collect();
        assert!(applied.is_empty(), "{applied:?}");
    }

    /// Each guard by itself keeps an attack from being applied: what the preset leaves out, and the
    /// labels.
    #[test]
    fn a_guard_that_is_gone_shows_in_the_report() {
        let (input, store) = store();
        let mut file = PRESETS[1].file(&[]);
        file.rules[0].findings.clear();
        let wider = PolicySet(vec![Member::new(
            PolicyId(uuid::Uuid::nil()),
            "Wider",
            1,
            &file,
        )]);
        let applied = |report: Vec<Drilled>| -> Vec<&'static str> {
            report
                .into_iter()
                .filter(|o| matches!(o.reached, Reached::WouldApply { .. }))
                .map(|o| o.attack)
                .collect()
        };
        let with_labels = applied(run(&input, store, &wider, &dream_proposals::assess));
        assert!(
            with_labels.contains(&"Many users in other words"),
            "{with_labels:?}"
        );
        assert!(
            !with_labels.contains(&"One recorder as many users"),
            "a single source is labelled: {with_labels:?}"
        );
        let without = |f: &Finding, c: &Change, m: &[dream::Memory], r: Option<i64>| {
            (dream_proposals::assess(f, c, m, r).0, Vec::new())
        };
        let without_labels = applied(run(&input, store, &wider, &without));
        assert!(
            without_labels.contains(&"One recorder as many users"),
            "{without_labels:?}"
        );
    }
}
