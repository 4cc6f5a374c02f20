//! The past of a store, with git as the judge: what a store held at a revision, what differs
//! between two, and which commit each line comes from are what git says of the exported history.
//! And what is brought back goes through the gate.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use domain::{
    actor::Actor,
    changeset::ChangeKind,
    ids::StoreId,
    memory::{CommitSource, Operation},
    rights::Scope,
};
use service::{BriefingRequest, CommitFilter, Kind, Lucid, MemoryWrite, NewKey, NewMemory};

use crate::{
    support::{
        process::{Served, run},
        soak::rounds,
    },
    world::{World, create, on_both_engines},
};

on_both_engines!(
    git_says_the_same_of_any_history,
    a_version_is_brought_back_through_the_gate,
    a_removal_is_explained_by_its_own_change,
    the_history_is_filtered,
    a_superseded_memory_is_read_only_if_asked_for,
    a_revert_of_a_revert_is_the_original,
    one_change_of_a_commit_is_reverted
);

/// Commits in each history that is made up.
const COMMITS: u64 = 14;

/// A number below a limit, the same each time (splitmix64, Steele et al. 2014).
fn below(seed: u64, limit: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % limit
}

/// Writes commits in which memories are made, edited, moved and removed. No two lines are the same,
/// so that there is one way to read a diff.
async fn history(lucid: &Lucid, store: StoreId, seed: u64) {
    let operator = Actor::operator();
    for n in 0..COMMITS {
        let at = seed * 1_000 + n;
        let rows = lucid.memories(&operator, store, None).await.unwrap().rows;
        let pick = below(at, 10);
        let write =
            match rows.get(usize::try_from(below(at + 7, rows.len().max(1) as u64)).unwrap()) {
                Some(one) if pick < 5 => {
                    let (_, content) = lucid.read_for_edit(&operator, one.id).await.unwrap();
                    MemoryWrite::Update {
                        id: one.id,
                        path: None,
                        content: Some(edited(&content, at)),
                        expected_sha256: None,
                    }
                }
                Some(one) if pick == 5 => MemoryWrite::Delete {
                    id: one.id,
                    expected_sha256: None,
                },
                Some(one) if pick == 6 => {
                    let path = format!("/moved \"{at}\"/ü {at}.md").parse().unwrap();
                    MemoryWrite::Update {
                        id: one.id,
                        path: Some(path),
                        content: None,
                        expected_sha256: None,
                    }
                }
                _ => {
                    let notes = [0, 1].map(|k| NewMemory {
                        path: format!("/note/{at}-{k}.md").parse().unwrap(),
                        content: (0..6).fold(String::new(), |text, line| {
                            text + &format!("Line {at}.{k}.{line}\n")
                        }),
                        by_person: false,
                    });
                    lucid
                        .write_memories(&operator, store, &notes, &format!("Notes {at}"))
                        .await
                        .unwrap();
                    continue;
                }
            };
        lucid.write_memory(&operator, store, &write).await.unwrap();
    }
}

/// A text with one line more, one less and one other.
fn edited(text: &str, at: u64) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let place = |k: u64, n: usize| usize::try_from(below(at * 3 + k, n.max(1) as u64)).unwrap();
    if lines.len() > 2 {
        lines.remove(place(1, lines.len()));
    }
    let changed = place(2, lines.len());
    if let Some(line) = lines.get_mut(changed) {
        *line = format!("Line {at} changed");
    }
    lines.insert(place(3, lines.len()), format!("Line {at} added"));
    let mut text = lines.join("\n");
    // Some texts have no line break at their end.
    if below(at, 3) > 0 {
        text.push('\n');
    }
    text
}

fn git(folder: &Path, args: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "core.quotePath=false"])
        .args(args)
        .current_dir(folder)
        .output();
    let done = done.expect("git is needed for this test: apt-get install git");
    assert!(
        done.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

/// The exported history in a repository of its own.
fn exported(folder: &Path, url: &str, store: &str) {
    let (code, stream, err) = run(&["--database", url, "export", "--git", store]);
    assert_eq!(code, 0, "{err}");
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    let mut import = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    import
        .stdin
        .take()
        .unwrap()
        .write_all(stream.as_bytes())
        .unwrap();
    assert!(import.wait().unwrap().success(), "{stream}");
}

async fn git_says_the_same_of_any_history(world: World) {
    for seed in 0..rounds(12, 100) as u64 {
        let name = format!("History {seed}");
        let store = world
            .lucid
            .create_store(&Actor::operator(), &name, "")
            .await
            .unwrap();
        history(&world.lucid, store, seed).await;
        let folder = tempfile::tempdir().unwrap();
        let (path, url) = (folder.path().to_owned(), world.url().to_owned());
        tokio::task::spawn_blocking(move || exported(&path, &url, &name))
            .await
            .unwrap();
        as_git(&world.lucid, store, folder.path()).await;
    }
    world.verified().await;
}

async fn as_git(lucid: &Lucid, store: StoreId, folder: &Path) {
    let operator = Actor::operator();
    let hashes: Vec<String> = git(folder, &["log", "--format=%H", "--reverse", "main"])
        .lines()
        .map(str::to_owned)
        .collect();
    let newest = i64::try_from(hashes.len()).unwrap();
    let of = |revision: i64| hashes[usize::try_from(revision - 1).unwrap()].as_str();
    for revision in 1..=newest {
        let held = lucid
            .as_of(&operator, store, revision, None)
            .await
            .unwrap()
            .memories
            .rows;
        let mut ours = String::new();
        for m in &held {
            let _ = writeln!(ours, "{}", m.path.as_str().trim_start_matches('/'));
            let said = lucid
                .past_version(&operator, m.memory_id, m.number)
                .await
                .unwrap()
                .content;
            assert_eq!(
                said,
                git(
                    folder,
                    &[
                        "show",
                        &format!(
                            "{}:{}",
                            of(revision),
                            m.path.as_str().trim_start_matches('/')
                        )
                    ]
                )
            );
        }
        let mut theirs: Vec<String> = git(
            folder,
            &["ls-tree", "-r", "-z", "--name-only", of(revision)],
        )
        .split('\0')
        .map(str::to_owned)
        .collect();
        theirs.retain(|p| !p.is_empty());
        let mut ours: Vec<String> = ours.lines().map(str::to_owned).collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs);
    }
    // Two revisions that are far apart: the same lines are added and removed.
    let (from, to) = (newest / 3, newest);
    let diff = git(
        folder,
        &["diff", "--no-renames", "--unified=0", of(from), of(to)],
    );
    let marked = |sign: char| {
        let header = if sign == '+' { "+++ " } else { "--- " };
        let mut all: Vec<String> = diff
            .lines()
            .filter(|l| l.starts_with(sign) && !l.starts_with(header))
            .map(|l| l[1..].to_owned())
            .collect();
        all.sort();
        all
    };
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    let page = lucid
        .compare_revisions(&operator, store, (from, to), None)
        .await
        .unwrap();
    for one in page.rows {
        let moved = one.before.is_some() && one.after.is_some() && one.before != one.after;
        for line in one.lines {
            let text: String = line.runs.iter().map(|run| run.text.as_str()).collect();
            match line.mark {
                domain::diff::Mark::Added => added.push(text),
                domain::diff::Mark::Removed => removed.push(text),
                // What git has as another file is a memory that moved here.
                domain::diff::Mark::Same if moved => {
                    added.push(text.clone());
                    removed.push(text);
                }
                domain::diff::Mark::Same => {}
            }
        }
    }
    added.sort();
    removed.sort();
    assert_eq!((added, removed), (marked('+'), marked('-')));
    // Every line of every memory comes from the same commit.
    for m in lucid.memories(&operator, store, None).await.unwrap().rows {
        let blame = lucid.blame(&operator, m.id).await.unwrap();
        let ours: Vec<(String, String)> = blame
            .iter()
            .flat_map(|g| {
                g.lines
                    .iter()
                    .map(|line| (of(g.version.version.revision).to_owned(), line.clone()))
            })
            .collect();
        let porcelain = git(
            folder,
            &[
                "blame",
                "--line-porcelain",
                "-M",
                "-C",
                "main",
                "--",
                m.path.as_str().trim_start_matches('/'),
            ],
        );
        let mut theirs = Vec::new();
        let mut commit = String::new();
        for line in porcelain.lines() {
            match line.strip_prefix('\t') {
                Some(text) => theirs.push((commit.clone(), text.to_owned())),
                None if line.split(' ').next().is_some_and(|word| word.len() == 40) => {
                    line[..40].clone_into(&mut commit);
                }
                None => {}
            }
        }
        assert_eq!(ours, theirs, "{}", m.path);
    }
}

async fn a_version_is_brought_back_through_the_gate(world: World) {
    let lucid = &world.lucid;
    world.remember(&[("/a.md", "First.\n", false)]).await;
    world.remember(&[("/a.md", "Second.\n", false)]).await;
    let id = lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows[0]
        .id;
    let says = async || {
        lucid
            .read_for_edit(&world.admin, id)
            .await
            .map(|(_, content)| content)
    };
    let changeset = lucid
        .propose_restore(&world.admin, id, 1, "")
        .await
        .unwrap();
    assert_eq!(
        says().await.unwrap(),
        "Second.\n",
        "nothing is brought back before it is approved"
    );
    let change = world.changes(changeset).await.remove(0);
    assert_eq!(change.change.rationale, "Version 1 is brought back.");
    // The memory moves on: the proposal is a conflict, and is not committed over it.
    world.remember(&[("/a.md", "Third.\n", false)]).await;
    assert!(world.changes(changeset).await[0].change.conflicted);
    lucid.withdraw(&world.admin, changeset).await.unwrap();
    let again = lucid
        .propose_restore(&world.admin, id, 1, "It was right.")
        .await
        .unwrap();
    world.approve_and_commit(again).await;
    assert_eq!(says().await.unwrap(), "First.\n");
    // And a memory that is gone.
    let delete = MemoryWrite::Delete {
        id,
        expected_sha256: None,
    };
    let (gone, _) = lucid
        .propose_change(&world.admin, world.store, &delete, "It is no longer true.")
        .await
        .unwrap();
    world.approve_and_commit(gone).await;
    assert!(says().await.is_err());
    let newest = lucid.memory(&world.admin, id, None).await.unwrap().newest;
    let back = lucid
        .propose_restore(&world.admin, id, newest, "")
        .await
        .unwrap();
    world.approve_and_commit(back).await;
    assert_eq!(world.paths().await, ["/a.md"]);
    assert!(
        lucid
            .propose_restore(&world.stranger, id, 1, "")
            .await
            .is_err()
    );
    world.verified().await;
}

/// Two changes of one commit: what is gone is explained by the one that removed it.
async fn a_removal_is_explained_by_its_own_change(world: World) {
    let lucid = &world.lucid;
    world
        .remember(&[("/a.md", "One.\n", false), ("/b.md", "Two.\n", false)])
        .await;
    let rows = lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows;
    let delete = MemoryWrite::Delete {
        id: rows[0].id,
        expected_sha256: None,
    };
    let (gone, _) = lucid
        .propose_change(&world.admin, world.store, &delete, "It is no longer true.")
        .await
        .unwrap();
    world.approve_and_commit(gone).await;
    let (made, _) = lucid
        .propose_change(
            &world.admin,
            world.store,
            &create("/c.md", "Three.\n"),
            "It is new.",
        )
        .await
        .unwrap();
    world.approve_and_commit(made).await;
    let about = lucid.memory_about(&world.admin, rows[0].id).await.unwrap();
    assert_eq!(
        about.learned.unwrap().change.rationale,
        "It is no longer true."
    );
    let view = lucid.memory(&world.admin, rows[0].id, None).await.unwrap();
    assert!(view.memory.is_none() && !view.versions[0].approved_by.is_empty());
}

async fn the_history_is_filtered(world: World) {
    let lucid = &world.lucid;
    let merged = world.proposal().await;
    world.approve_and_commit(merged).await;
    let dream = lucid
        .dreams(&world.admin, Some(world.store), None)
        .await
        .unwrap()
        .rows[0]
        .id;
    let (made, _) = lucid
        .propose_change(
            &world.admin,
            world.store,
            &create("/team/c.md", "Three.\n"),
            "It is new.",
        )
        .await
        .unwrap();
    world.approve_and_commit(made).await;
    world.revert_newest().await;
    world.wait_seconds(86_400);
    let later = lucid.now();
    world.remember(&[("/teams.md", "Direct.\n", false)]).await;
    let all = CommitFilter::default;
    let reviewer = world.reviewer.who.person();
    for (filter, wanted) in [
        (all(), vec![5, 4, 3, 2, 1]),
        (
            CommitFilter {
                source: Some(CommitSource::Dream),
                ..all()
            },
            vec![2],
        ),
        (
            CommitFilter {
                source: Some(CommitSource::Person),
                ..all()
            },
            vec![3],
        ),
        (
            CommitFilter {
                source: Some(CommitSource::Revert),
                ..all()
            },
            vec![4],
        ),
        (
            CommitFilter {
                source: Some(CommitSource::Direct),
                ..all()
            },
            vec![5, 1],
        ),
        (
            CommitFilter {
                source: Some(CommitSource::Policy),
                ..all()
            },
            vec![],
        ),
        (
            CommitFilter {
                path: Some("/team".into()),
                ..all()
            },
            vec![4, 3],
        ),
        (
            CommitFilter {
                path: Some("/team/c.md".into()),
                ..all()
            },
            vec![4, 3],
        ),
        (
            CommitFilter {
                path: Some("/teams.md".into()),
                ..all()
            },
            vec![5],
        ),
        (
            CommitFilter {
                path: Some("/".into()),
                ..all()
            },
            vec![5, 4, 3, 2, 1],
        ),
        (
            CommitFilter {
                person: reviewer,
                ..all()
            },
            vec![3, 2],
        ),
        (
            CommitFilter {
                person: world.admin.who.person(),
                ..all()
            },
            vec![4],
        ),
        (
            CommitFilter {
                dream: Some(dream),
                ..all()
            },
            vec![2],
        ),
        (
            CommitFilter {
                since: Some(later),
                ..all()
            },
            vec![5],
        ),
        (
            CommitFilter {
                until: Some(later),
                before: Some(3),
                ..all()
            },
            vec![2, 1],
        ),
    ] {
        let rows = lucid
            .history_where(&world.admin, world.store, &filter)
            .await
            .unwrap()
            .rows;
        assert_eq!(
            rows.iter().map(|r| r.commit.revision).collect::<Vec<_>>(),
            wanted,
            "{filter:?}"
        );
    }
    assert!(
        lucid
            .history_where(&world.stranger, world.store, &all())
            .await
            .is_err()
    );
    assert_eq!(
        lucid.person_called(&world.admin, "review").await.unwrap(),
        reviewer.unwrap()
    );
    assert!(
        lucid
            .person_called(&world.stranger, "reviewer")
            .await
            .is_err(),
        "who has no store in common is not known to be there"
    );
    assert_eq!(
        lucid
            .person_called(&world.admin, "nobody")
            .await
            .unwrap_err()
            .kind(),
        service::Kind::Invalid
    );
}

/// What every memory says, by path.
async fn everything(world: &World) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for memory in world
        .lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows
    {
        all.insert(
            memory.path.to_string(),
            world
                .lucid
                .read_for_edit(&world.admin, memory.id)
                .await
                .unwrap()
                .1,
        );
    }
    all
}

async fn a_revert_of_a_revert_is_the_original(world: World) {
    world.remember(&[("/kept.md", "Kept.\n", true)]).await;
    let merged = world.proposal().await;
    let before = everything(&world).await;
    world.approve_and_commit(merged).await;
    let after = everything(&world).await;
    assert_ne!(before, after);
    // A merged memory leads to the one that took its place.
    let all = world
        .lucid
        .history(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows;
    let written = world
        .lucid
        .commit_view(&world.admin, all[0].commit.id, None)
        .await
        .unwrap()
        .versions;
    let gone = written
        .iter()
        .find(|(v, _)| v.version.operation == Operation::Deleted)
        .unwrap()
        .0
        .version
        .clone();
    let about = world
        .lucid
        .memory_about(&world.admin, gone.memory_id)
        .await
        .unwrap();
    let [(_, path)] = &about.superseded_by[..] else {
        panic!("{:?}", about.superseded_by)
    };
    assert!(*path != gone.path && ["/a.md", "/b.md"].contains(&path.as_str()));
    world.revert_newest().await;
    assert_eq!(
        everything(&world).await,
        before,
        "a merge is taken apart again, and what was added is removed"
    );
    world.revert_newest().await;
    assert_eq!(everything(&world).await, after);
    world.revert_newest().await;
    assert_eq!(everything(&world).await, before);
    world.verified().await;
}

async fn one_change_of_a_commit_is_reverted(world: World) {
    let lucid = &world.lucid;
    let changeset = world.proposal().await;
    world.approve_and_commit(changeset).await;
    let after = everything(&world).await;
    let commit = lucid
        .history(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows[0]
        .commit
        .id;
    let changes = world.changes(changeset).await;
    assert_eq!(changes.len(), 2, "one merges two notes, one adds a note");
    let merge = changes
        .iter()
        .find(|c| c.change.kind == ChangeKind::Merge)
        .unwrap()
        .change
        .id;
    let revert = lucid
        .revert_change(&world.reviewer, commit, merge)
        .await
        .unwrap();
    assert_eq!(
        lucid
            .revert_change(&world.reviewer, commit, merge)
            .await
            .unwrap(),
        revert,
        "asked twice, proposed once"
    );
    let whole = lucid.revert(&world.reviewer, commit).await.unwrap();
    assert_ne!(whole, revert, "the whole commit is another proposal");
    lucid.withdraw(&world.reviewer, whole).await.unwrap();
    world.land_revert(revert).await;
    let now = everything(&world).await;
    assert_eq!(
        (now["/a.md"].as_str(), now["/b.md"].as_str()),
        ("Same.", "Same.")
    );
    let added = |all: &BTreeMap<String, String>| {
        all.iter()
            .filter(|(path, _)| !["/a.md", "/b.md"].contains(&path.as_str()))
            .map(|(p, c)| (p.clone(), c.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(added(&now), added(&after), "the other change stays");
    let nothing = lucid
        .revert_change(
            &world.reviewer,
            commit,
            domain::ids::ChangeId(uuid::Uuid::nil()),
        )
        .await
        .unwrap_err();
    assert_eq!(nothing.kind(), service::Kind::NotFound);
}

async fn a_superseded_memory_is_read_only_if_asked_for(world: World) {
    let lucid = &world.lucid;
    let changeset = world.proposal().await;
    world.approve_and_commit(changeset).await;
    let commit = lucid
        .history(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows[0]
        .commit
        .id;
    let written = lucid
        .commit_view(&world.admin, commit, None)
        .await
        .unwrap()
        .versions;
    let gone = written
        .iter()
        .find(|(v, _)| v.version.operation == Operation::Deleted)
        .unwrap()
        .0
        .version
        .clone();
    let about = lucid
        .memory_about(&world.admin, gone.memory_id)
        .await
        .unwrap();
    let (successor, path) = about.superseded_by[0].clone();
    let new = NewKey {
        name: "agent".into(),
        owner: None,
        store: Some(world.store),
        scopes: vec![Scope::MemoryRead],
        days: None,
    };
    let (_, secret) = lucid.add_key(&world.admin, &new).await.unwrap();
    let agent = lucid.key_actor(&secret).await.unwrap();

    assert_eq!(
        lucid
            .read_memory(&agent, world.store, gone.memory_id, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    let old = lucid
        .read_superseded(&agent, world.store, gone.memory_id, None)
        .await
        .unwrap();
    assert_eq!(
        (old.memory.content.as_str(), &old.superseded_by),
        ("Same.", &about.superseded_by)
    );
    assert_eq!(
        lucid
            .read_superseded(&world.stranger, world.store, gone.memory_id, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    let replaced = lucid
        .supersedes(&agent, world.store, &[successor])
        .await
        .unwrap();
    assert_eq!(
        replaced[&successor]
            .iter()
            .map(|r| &r.path)
            .collect::<Vec<_>>(),
        [&gone.path]
    );
    let other = lucid
        .create_store(&Actor::operator(), "Other", "")
        .await
        .unwrap();
    assert!(
        lucid
            .supersedes(&Actor::operator(), other, &[successor])
            .await
            .unwrap()
            .is_empty(),
        "it is of another store"
    );

    let without = lucid
        .briefing(&agent, world.store, &BriefingRequest::default())
        .await
        .unwrap();
    assert!(
        without.superseded.is_empty() && !without.text.contains(gone.path.as_str()),
        "{}",
        without.text
    );
    let with = BriefingRequest {
        superseded: true,
        ..BriefingRequest::default()
    };
    let with = lucid.briefing(&agent, world.store, &with).await.unwrap();
    let line = format!(
        "- {} (replaced by {path} on 2026-11-22): Same.\n",
        gone.path
    );
    assert!(
        with.text.contains("## No longer current") && with.text.ends_with(&line),
        "{}",
        with.text
    );
    assert_eq!(with.tokens, domain::briefing::tokens(&with.text));

    let keys = ["--session-keys", world.keys()];
    let served = Served::start(
        world.url(),
        if matches!(world.db, store::Db::Postgres(_)) {
            &keys
        } else {
            &[]
        },
    );
    let at = format!("{}/v1/memory_stores/{}", served.url, world.store);
    let get = async |address: String| {
        let answer = crate::support::http()
            .build()
            .unwrap()
            .get(address)
            .header("x-api-key", &secret)
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.json::<serde_json::Value>().await.unwrap(),
        )
    };
    let id = gone.memory_id;
    assert_eq!(get(format!("{at}/memories/{id}")).await.0, 404);
    let (status, memory) = get(format!("{at}/memories/{id}?superseded=true")).await;
    assert_eq!(
        (status, memory["content"].as_str(), memory["type"].as_str()),
        (200, Some("Same."), Some("memory"))
    );
    assert_eq!(
        (
            memory["superseded_by"][0]["path"].as_str(),
            memory["superseded_at"].is_string()
        ),
        (Some(path.as_str()), true)
    );
    let is_old = |value: &serde_json::Value| {
        value["id"] == id.to_string() && value["path"] == gone.path.as_str()
    };
    let (_, one) = get(format!("{at}/memories/{successor}?superseded=true")).await;
    let (_, list) = get(format!("{at}/memories?superseded=true")).await;
    let listed = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["id"] == successor.to_string())
        .unwrap();
    assert!(
        is_old(&one["supersedes"][0]) && is_old(&listed["supersedes"][0]),
        "{one} {list}"
    );
    assert!(
        get(format!("{at}/memories")).await.1["data"][0]
            .get("supersedes")
            .is_none()
    );
    let (_, briefing) = get(format!("{at}/briefing?superseded=true")).await;
    assert!(
        is_old(&briefing["superseded"][0])
            && briefing["superseded"][0]["superseded_by"]["path"] == path.as_str(),
        "{briefing}"
    );

    // Once it is restored, it is current again and replaced by nothing.
    drop(served);
    let lucid = match store::Db::open(world.url()).await.unwrap().signing_key() {
        Some(key) => lucid.clone().with_signing_key(key),
        None => lucid.clone(),
    };
    let world = World {
        lucid: lucid.clone(),
        ..world
    };
    world.revert_newest().await;
    assert!(
        lucid
            .supersedes(&agent, world.store, &[successor])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        lucid
            .read_superseded(&agent, world.store, id, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
}
