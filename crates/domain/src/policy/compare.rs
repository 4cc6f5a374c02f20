//! True if one set of rules applies a change that another does not, decided exactly.
//!
//! Every condition of a rule cuts one dimension of the input (the kind, a label, a figure, ..) into
//! few pieces, and all rules of both sets together cut it into finitely many *cells* that no rule
//! tells apart. A rule is then a box of cells, a set of rules a union of boxes less another, and
//! the question is whether one such region lies inside the other. What lies outside is an example.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Effect, Engine, Figure, FindingKind, Input, Rule, Writer, evaluate::NEVER, matches_path,
};
use crate::{
    changeset::ChangeKind,
    ids::StoreId,
    risk::{Label, RiskLevel},
};

/// The answer to whether a set of rules applies more than another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wider {
    /// It applies nothing that the other does not.
    No,
    /// It applies this change, and the other does not.
    Yes(Box<Input>),
    /// Both have more rules than can be compared: over 127 different bounds on one figure, or over
    /// 100,000 regions.
    Undecided,
}

/// Regions that are looked at before the comparison is given up.
const MOST_REGIONS: usize = 100_000;

/// Finds a change that `after` applies and `before` does not.
#[must_use]
pub fn wider<R: Borrow<Rule>>(before: &[R], after: &[R]) -> Wider {
    let rules = |all: &[R]| {
        all.iter()
            .map(Borrow::borrow)
            .cloned()
            .collect::<Vec<Rule>>()
    };
    let (before, after) = (&rules(before)[..], &rules(after)[..]);
    let Some(space) = Space::of(before.iter().chain(after)) else {
        return Wider::Undecided;
    };
    let boxes = |rules: &[Rule], effect: Effect| -> Vec<Region> {
        rules
            .iter()
            .filter(|r| r.effect == effect)
            .flat_map(|rule| space.boxes(rule))
            .collect()
    };
    let never = space.never();
    let (allowed, blocked) = (boxes(before, Effect::Allow), boxes(before, Effect::Forbid));
    let blocked_after: Vec<Region> = boxes(after, Effect::Forbid)
        .into_iter()
        .chain(never)
        .collect();
    let mut looked_at = 0;
    for allows in boxes(after, Effect::Allow) {
        let Some(applied) = less(vec![allows], &blocked_after, &mut looked_at) else {
            return Wider::Undecided;
        };
        // What the other set forbids, or could not tell whether it does.
        let meets = |region: &Region| {
            blocked
                .iter()
                .map(|b| region.meet(b))
                .find(|both| space.is_inhabited(both))
        };
        if let Some(both) = applied.iter().find_map(meets) {
            return Wider::Yes(Box::new(space.example(&both)));
        }
        let Some(rest) = less(applied, &allowed, &mut looked_at) else {
            return Wider::Undecided;
        };
        if let Some(region) = rest.iter().find(|region| space.is_inhabited(region)) {
            return Wider::Yes(Box::new(space.example(region)));
        }
    }
    Wider::No
}

/// Regions without what some boxes cover; `None` if there are too many.
fn less(mut regions: Vec<Region>, boxes: &[Region], looked_at: &mut usize) -> Option<Vec<Region>> {
    for one in boxes {
        regions = regions
            .into_iter()
            .flat_map(|region| region.without(one))
            .collect();
        *looked_at += regions.len();
        if *looked_at > MOST_REGIONS {
            return None;
        }
    }
    Some(regions)
}

/// A box: of each dimension the cells that are in it, as bits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Region(Vec<u128>);

impl Region {
    fn is_empty(&self) -> bool {
        self.0.contains(&0)
    }

    fn meet(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    /// The part in which a label is there.
    fn with_label(&self, label: Label) -> Self {
        let mut region = self.clone();
        let at = Label::ALL
            .iter()
            .position(|l| *l == label)
            .unwrap_or_default();
        region.0[LABELS_AT + at] &= PRESENT;
        region
    }

    /// Returns what of this is not in the other, as disjoint boxes.
    fn without(self, other: &Self) -> Vec<Self> {
        if self.meet(other).is_empty() {
            return vec![self];
        }
        let (mut rest, mut pieces) = (self, Vec::new());
        for at in 0..rest.0.len() {
            let outside = rest.0[at] & !other.0[at];
            if outside != 0 {
                let mut piece = rest.clone();
                piece.0[at] = outside;
                pieces.push(piece);
                rest.0[at] &= other.0[at];
            }
        }
        pieces
    }
}

/// The cells of every dimension, each with a sample value.
struct Space {
    /// A store of each set of rules that name it; the last is named by none.
    stores: Vec<StoreId>,
    /// A path of each set of patterns that match it. Each is a dimension of two cells: no such path
    /// is touched, or one is.
    paths: Vec<String>,
    /// Each agent that a rule names, and one that none names; a dimension of two cells, too.
    agents: Vec<String>,
    /// Of each figure that is bounded, the least value of each cell; before these, a cell in which
    /// it is not known.
    figures: BTreeMap<Figure, Vec<u32>>,
}

/// Cells of the dimension of engines: not known, each alone, both.
const ENGINES: [&[Engine]; 4] = [
    &[],
    &[Engine::BuiltIn],
    &[Engine::Model],
    &[Engine::BuiltIn, Engine::Model],
];
/// Most cells of a dimension.
const MOST_CELLS: usize = 128;
const ABSENT: u128 = 1;
const PRESENT: u128 = 2;
/// The index of the first label. Before them are the dimensions that every space has: stores,
/// engines, kinds, risk, last writer, finding; after them paths, agents and figures.
const LABELS_AT: usize = 6;

impl Space {
    fn of<'r>(rules: impl Iterator<Item = &'r Rule> + Clone) -> Option<Self> {
        let named: BTreeSet<StoreId> = rules
            .clone()
            .flat_map(|r| r.stores.iter().copied())
            .collect();
        let told_apart = |store: &StoreId| {
            rules
                .clone()
                .map(|r| r.stores.contains(store))
                .collect::<Vec<bool>>()
        };
        let stores = one_of_each(named.iter().copied().chain([unnamed(&named)]), told_apart);
        let patterns: BTreeSet<&str> = rules
            .clone()
            .flat_map(|r| r.paths.iter().map(String::as_str))
            .collect();
        let matched = |path: &String| {
            patterns
                .iter()
                .map(|p| matches_path(p, path))
                .collect::<Vec<bool>>()
        };
        let paths = one_of_each(sample_paths(&patterns).into_iter(), matched);
        let mut agents: BTreeSet<String> = rules
            .clone()
            .flat_map(|r| r.agents.iter().cloned())
            .collect();
        if !agents.is_empty() {
            agents.extend(
                (0..=agents.len())
                    .map(|n| format!("agent {n}"))
                    .find(|name| !agents.contains(name)),
            );
        }
        let mut figures: BTreeMap<Figure, BTreeSet<u32>> = BTreeMap::new();
        for bound in rules.flat_map(|r| &r.bounds).filter(|b| b.restricts()) {
            let begins = figures
                .entry(bound.figure)
                .or_insert_with(|| BTreeSet::from([0]));
            begins.extend(bound.at_least);
            begins.extend(bound.at_most.and_then(|most| most.checked_add(1)));
        }
        let figures: BTreeMap<Figure, Vec<u32>> = figures
            .into_iter()
            .map(|(f, begins)| (f, begins.into_iter().collect()))
            .collect();
        let fits =
            stores.len() <= MOST_CELLS && figures.values().all(|begins| begins.len() < MOST_CELLS);
        fits.then_some(Self {
            stores,
            paths,
            agents: agents.into_iter().collect(),
            figures,
        })
    }

    /// The region that holds every change.
    fn whole(&self) -> Region {
        let all = |cells: usize| {
            if cells >= MOST_CELLS {
                u128::MAX
            } else {
                (1 << cells) - 1
            }
        };
        let mut cells = vec![
            all(self.stores.len()),
            all(ENGINES.len()),
            all(ChangeKind::ALL.len()),
            all(RiskLevel::ALL.len()),
            all(Writer::ALL.len() + 1),
            all(FindingKind::ALL.len() + 1),
        ];
        cells.extend(Label::ALL.iter().map(|_| ABSENT | PRESENT));
        cells.extend(
            self.paths
                .iter()
                .chain(&self.agents)
                .map(|_| ABSENT | PRESENT),
        );
        cells.extend(self.figures.values().map(|begins| all(begins.len() + 1)));
        Region(cells)
    }

    /// The boxes of what a rule allows; or, of one that forbids, of what it forbids or cannot tell
    /// whether it does.
    fn boxes(&self, rule: &Rule) -> Vec<Region> {
        // An unknown value fails every condition of a rule that allows, and may meet any condition
        // of a rule that forbids.
        let unknown = u128::from(rule.effect == Effect::Forbid);
        let mut region = self.whole();
        let cells = &mut region.0;
        if !rule.stores.is_empty() {
            cells[0] = bits(self.stores.iter().map(|store| rule.stores.contains(store)));
        }
        if !rule.engines.is_empty() {
            let named = |e: &Engine| rule.engines.contains(e);
            let by = |found: &&[Engine]| match rule.effect {
                Effect::Allow => !found.is_empty() && found.iter().all(named),
                Effect::Forbid => found.iter().any(named),
            };
            cells[1] = bits(ENGINES.iter().map(by)) | unknown;
        }
        if !rule.kinds.is_empty() {
            cells[2] = bits(ChangeKind::ALL.iter().map(|kind| rule.kinds.contains(kind)));
        }
        if let Some(most) = rule.risk_at_most {
            cells[3] = bits(RiskLevel::ALL.iter().map(|risk| *risk <= most));
        }
        if !rule.last_writers.is_empty() {
            cells[4] = bits(
                Writer::ALL
                    .iter()
                    .map(|writer| rule.last_writers.contains(writer)),
            ) << 1
                | unknown;
        }
        if !rule.findings.is_empty() {
            cells[5] = bits(
                FindingKind::ALL
                    .iter()
                    .map(|finding| rule.findings.contains(finding)),
            ) << 1
                | unknown;
        }
        for (at, label) in Label::ALL.iter().enumerate() {
            if rule.labels_none_of.contains(label) {
                cells[LABELS_AT + at] &= ABSENT;
            }
        }
        let paths_at = LABELS_AT + Label::ALL.len();
        let allows = rule.effect == Effect::Allow;
        let lies = |path: &String| rule.paths.iter().any(|pattern| matches_path(pattern, path));
        for (at, path) in self.paths.iter().enumerate() {
            if allows && !rule.paths.is_empty() && !lies(path) {
                cells[paths_at + at] &= ABSENT;
            }
        }
        let agents_at = paths_at + self.paths.len();
        for (at, agent) in self.agents.iter().enumerate() {
            if allows && !rule.agents.is_empty() && !rule.agents.contains(agent) {
                cells[agents_at + at] &= ABSENT;
            }
        }
        for (at, (figure, begins)) in self.figures.iter().enumerate() {
            for bound in rule
                .bounds
                .iter()
                .filter(|b| b.figure == *figure && b.restricts())
            {
                let within = |begin: &u32| {
                    bound.at_least.is_none_or(|n| *begin >= n)
                        && bound.at_most.is_none_or(|n| *begin <= n)
                };
                cells[agents_at + self.agents.len() + at] &=
                    bits(begins.iter().map(within)) << 1 | unknown;
            }
        }
        let mut regions = if rule.labels_any_of.is_empty() {
            vec![region]
        } else {
            rule.labels_any_of
                .iter()
                .map(|label| region.with_label(*label))
                .collect()
        };
        // One of the named agents backs it. Where none is known, a rule that names some allows
        // nothing, and may forbid.
        if !rule.agents.is_empty() {
            let named: Vec<usize> = (0..self.agents.len())
                .filter(|at| rule.agents.contains(&self.agents[*at]))
                .collect();
            let unknown = |region: &Region| {
                let mut one = region.clone();
                for at in 0..self.agents.len() {
                    one.0[agents_at + at] &= ABSENT;
                }
                one
            };
            let nobody: Vec<Region> = if allows {
                Vec::new()
            } else {
                regions.iter().map(unknown).collect()
            };
            regions = nobody
                .into_iter()
                .chain(each_present(&regions, agents_at, &named))
                .collect();
        }
        // A rule that forbids does so as soon as one path lies where it says.
        if !rule.paths.is_empty() && !allows {
            let named: Vec<usize> = (0..self.paths.len())
                .filter(|at| lies(&self.paths[*at]))
                .collect();
            regions = each_present(&regions, paths_at, &named);
        }
        regions
    }

    /// Returns what no rule lifts.
    fn never(&self) -> Vec<Region> {
        let whole = self.whole();
        let mut all: Vec<Region> = NEVER.iter().map(|label| whole.with_label(*label)).collect();
        let mut high = whole.clone();
        high.0[3] = bits(RiskLevel::ALL.iter().map(|risk| *risk == RiskLevel::High));
        let mut by_person = whole;
        by_person.0[4] = bits(Writer::ALL.iter().map(|writer| *writer == Writer::Person)) << 1;
        all.extend([high, by_person]);
        all
    }

    /// True if a change can lie in a region: it touches one path at least.
    fn is_inhabited(&self, region: &Region) -> bool {
        let paths_at = LABELS_AT + Label::ALL.len();
        !region.is_empty()
            && region.0[paths_at..paths_at + self.paths.len()]
                .iter()
                .any(|cells| cells & PRESENT != 0)
    }

    /// A change of an inhabited region.
    fn example(&self, region: &Region) -> Input {
        let first = |at: usize| region.0[at].trailing_zeros() as usize;
        let paths_at = LABELS_AT + Label::ALL.len();
        let must = |at: usize| region.0[at] & ABSENT == 0;
        let mut paths: BTreeSet<String> = self
            .paths
            .iter()
            .enumerate()
            .filter(|(n, _)| must(paths_at + n))
            .map(|(_, path)| path.clone())
            .collect();
        if paths.is_empty() {
            let may = |(n, _): &(usize, &String)| region.0[paths_at + n] & PRESENT != 0;
            paths.extend(
                self.paths
                    .iter()
                    .enumerate()
                    .find(may)
                    .map(|(_, path)| path.clone()),
            );
        }
        let agents_at = paths_at + self.paths.len();
        let agents = self
            .agents
            .iter()
            .enumerate()
            .filter(|(n, _)| must(agents_at + n))
            .map(|(_, agent)| agent.clone())
            .collect();
        let labels = Label::ALL
            .iter()
            .enumerate()
            .filter(|(n, _)| must(LABELS_AT + n))
            .map(|(_, label)| *label)
            .collect();
        let value = |(n, (figure, begins)): (usize, (&Figure, &Vec<u32>))| {
            let cell = first(agents_at + self.agents.len() + n).checked_sub(1)?;
            Some((*figure, begins[cell]))
        };
        Input {
            store: self.stores[first(0)],
            paths,
            agents,
            engines: ENGINES[first(1)].iter().copied().collect(),
            finding: first(5).checked_sub(1).map(|n| FindingKind::ALL[n]),
            kind: ChangeKind::ALL[first(2)],
            risk: RiskLevel::ALL[first(3)],
            labels,
            last_writer: first(4).checked_sub(1).map(|n| Writer::ALL[n]),
            figures: self.figures.iter().enumerate().filter_map(value).collect(),
            needs_person: false,
            over_loss_budget: false,
            approved_recently: false,
        }
    }
}

/// Each region once for each of these dimensions, with that one present.
fn each_present(regions: &[Region], from: usize, named: &[usize]) -> Vec<Region> {
    let with = |region: &Region, at: usize| {
        let mut one = region.clone();
        one.0[from + at] &= PRESENT;
        one
    };
    regions
        .iter()
        .flat_map(|region| named.iter().map(move |at| with(region, *at)))
        .collect()
}

fn bits(cells: impl Iterator<Item = bool>) -> u128 {
    cells
        .enumerate()
        .filter(|(_, holds)| *holds)
        .fold(0, |bits, (at, _)| bits | 1 << at)
}

/// One sample for each distinct answer of `told_apart`: the first that gives it.
fn one_of_each<T>(all: impl Iterator<Item = T>, told_apart: impl Fn(&T) -> Vec<bool>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    all.filter(|one| seen.insert(told_apart(one))).collect()
}

/// A store that is none of these.
fn unnamed(named: &BTreeSet<StoreId>) -> StoreId {
    let ids = (0..).map(|n| StoreId(uuid::Uuid::from_u128(n)));
    ids.into_iter()
        .find(|id| !named.contains(id))
        .unwrap_or(StoreId(uuid::Uuid::nil()))
}

/// Paths of which one lies in every set of patterns in which any path does: each path that is
/// named, a new one in each folder, and one that lies in no folder.
fn sample_paths(patterns: &BTreeSet<&str>) -> Vec<String> {
    let fresh = |folder: &str| {
        let all = (0..).map(|n| format!("{folder}/any-{n}.md"));
        all.into_iter()
            .find(|path| !patterns.contains(path.as_str()))
            .unwrap_or_default()
    };
    let mut paths: Vec<String> = patterns
        .iter()
        .map(|p| p.strip_suffix("/**").map_or_else(|| (*p).to_owned(), fresh))
        .collect();
    paths.push(fresh(""));
    paths
}
