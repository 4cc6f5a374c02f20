//! What curation must not lose: the observations of long conversations (`LoCoMo`) as a store, each
//! statement a unit that is searched for evidence, before curation and after it, by the same code.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write,
    path::Path,
};

use domain::statement::{bare, statements, told};
use dream::{Input, Memory};
use serde_json::Value;

use crate::airline::proposals;

/// How many units a search gives back.
const TOP: usize = 10;

struct Conversation {
    memories: Vec<Memory>,
    /// Statement without its full stop to the turns that prove it.
    evidence: HashMap<String, BTreeSet<String>>,
    questions: Vec<(String, BTreeSet<String>)>,
}

fn ids(value: &Value) -> BTreeSet<String> {
    let text = match value {
        Value::Array(all) => all
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" "),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    text.split([' ', ',', ';'])
        .filter(|w| w.starts_with('D') && w.contains(':'))
        .map(str::to_owned)
        .collect()
}

fn conversation(path: &Path) -> Option<Conversation> {
    let text = std::fs::read_to_string(path).ok()?;
    let whole: Value = serde_json::from_str(&text).ok()?;
    let mut found = Conversation {
        memories: Vec::new(),
        evidence: HashMap::new(),
        questions: Vec::new(),
    };
    for (name, said) in whole
        .as_object()?
        .iter()
        .filter(|(name, _)| name.ends_with("_observation"))
    {
        for (speaker, facts) in said.as_object()? {
            let mut content = format!(
                "# {speaker}, {}\n\n",
                name.trim_end_matches("_observation").replace('_', " ")
            );
            for fact in facts.as_array()? {
                let text = fact[0].as_str().unwrap_or_default();
                let _ = writeln!(content, "- {text}");
                for statement in statements(text) {
                    found
                        .evidence
                        .entry(bare(&statement).to_owned())
                        .or_default()
                        .extend(ids(&fact[1]));
                }
            }
            let path = format!(
                "/{}/{}.md",
                name.trim_end_matches("_observation"),
                speaker.to_lowercase()
            );
            found.memories.push(Memory::plain(&path, &content));
        }
    }
    for question in whole["qa"].as_array()? {
        let evidence = ids(&question["evidence"]);
        if let Some(text) = question["question"]
            .as_str()
            .filter(|_| !evidence.is_empty())
        {
            found.questions.push((text.to_owned(), evidence));
        }
    }
    Some(found)
}

fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Okapi BM25 (k1 1.2, b .75) over units.
struct Search {
    units: Vec<(BTreeMap<String, f64>, f64)>,
    idf: HashMap<String, f64>,
    mean: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of words")]
impl Search {
    fn of(units: &[String]) -> Self {
        let mut idf: HashMap<String, f64> = HashMap::new();
        let counted: Vec<(BTreeMap<String, f64>, f64)> = units
            .iter()
            .map(|u| {
                let words = words(u);
                let mut counts: BTreeMap<String, f64> = BTreeMap::new();
                for w in &words {
                    *counts.entry(w.clone()).or_default() += 1.0;
                }
                for w in counts.keys() {
                    *idf.entry(w.clone()).or_default() += 1.0;
                }
                (counts, words.len() as f64)
            })
            .collect();
        let all = units.len() as f64;
        for df in idf.values_mut() {
            *df = (1.0 + (all - *df + 0.5) / (*df + 0.5)).ln();
        }
        let mean = counted.iter().map(|u| u.1).sum::<f64>() / all.max(1.0);
        Self {
            units: counted,
            idf,
            mean,
        }
    }

    fn top(&self, query: &str) -> Vec<usize> {
        let query: BTreeSet<String> = words(query).into_iter().collect();
        let score = |(counts, length): &(BTreeMap<String, f64>, f64)| {
            let of = |w: &String| {
                counts.get(w).map_or(0.0, |n| {
                    self.idf[w] * n * 2.2 / (n + 1.2 * (0.25 + 0.75 * length / self.mean))
                })
            };
            query.iter().map(of).sum::<f64>()
        };
        let mut scored: Vec<(f64, usize)> = self
            .units
            .iter()
            .map(score)
            .zip(0..)
            .filter(|(s, _)| *s > 0.0)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.into_iter().take(TOP).map(|(_, i)| i).collect()
    }
}

/// Statements, and how much of the questions' evidence is among the first ten of a search.
#[expect(clippy::cast_precision_loss, reason = "counts of turns")]
fn measured(memories: &[Memory], c: &Conversation) -> (usize, f64) {
    let units: Vec<String> = memories
        .iter()
        .flat_map(|m| statements(&m.content))
        .filter(|s| told(s).iter().any(|t| c.evidence.contains_key(t)))
        .collect();
    let proves = |unit: &String| {
        told(unit)
            .iter()
            .filter_map(|t| c.evidence.get(t))
            .flatten()
            .cloned()
            .collect::<BTreeSet<String>>()
    };
    let proofs: Vec<BTreeSet<String>> = units.iter().map(proves).collect();
    let search = Search::of(&units);
    let recall = |(question, evidence): &(String, BTreeSet<String>)| {
        let found: BTreeSet<&String> = search
            .top(question)
            .into_iter()
            .flat_map(|i| &proofs[i])
            .collect();
        evidence.iter().filter(|e| found.contains(e)).count() as f64 / evidence.len() as f64
    };
    let sum: f64 = c.questions.iter().map(recall).sum();
    (units.len(), sum / c.questions.len().max(1) as f64)
}

fn apply(memories: &mut Vec<Memory>) -> usize {
    let mut done = 0;
    for _ in 0..5 {
        let found = proposals(&Input {
            memories: memories.clone(),
            ..Input::default()
        });
        if found.is_empty() {
            break;
        }
        let mut gone = BTreeSet::new();
        for change in found.iter().filter_map(|f| f.change.as_ref()) {
            done += 1;
            for edit in &change.edits {
                match (edit.memory, &edit.content) {
                    (Some(i), Some(content)) => memories[i].content.clone_from(content),
                    (Some(i), None) => drop(gone.insert(i)),
                    (None, Some(content)) => memories.push(Memory::plain(&edit.path, content)),
                    (None, None) => {}
                }
            }
        }
        let mut n = 0;
        memories.retain(|_| {
            n += 1;
            !gone.contains(&(n - 1))
        });
    }
    done
}

/// Each conversation before curation and after.
pub fn curated(folder: &Path) {
    for name in ["locomo-26.json", "locomo-30.json"] {
        let Some(c) = conversation(&folder.join(name)) else {
            println!("SKIPPED: {name} is not in {}", folder.display());
            continue;
        };
        let mut memories = c.memories.clone();
        let (before, recall) = measured(&memories, &c);
        let changes = apply(&mut memories);
        let (after, recall_after) = measured(&memories, &c);
        let fewer = 100 * before.saturating_sub(after) / before.max(1);
        println!(
            "{name:<34} {before:>8} {after:>8}   {fewer} % fewer by {changes} changes; evidence \
             recall@{TOP} {recall:.4} before, {recall_after:.4} after"
        );
    }
}
