//! The published exports in `vectors/`: one that holds, each kind of tampering with it, and what is
//! said of each. Another implementation of the verifier is right if it says the same of all of
//! them. `LUCID_WRITE_VECTORS=1 cargo test -p audit --test vectors` writes them anew.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::{fs, path::Path};

use audit::{
    Checkpoint, Entry, GENESIS,
    checkpoint::{public_key, vouch},
    commitment,
    export::{ExportVerifier, ExportedEntry, Line},
    rows::{EARLIER, ERASED, Earlier, KEY, Row, text},
    sha256,
};
use serde::{Deserialize, Serialize};

const FIRST_KEY: [u8; 32] = [1; 32];
const SECOND_KEY: [u8; 32] = [2; 32];
/// Entries of the first version, then those that bind rows.
const OLD: i64 = 3;
const ENTRIES: i64 = 12;

/// The expected result for an export.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Case {
    file: String,
    /// A public key that the reader trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    /// A checkpoint that the reader kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Checkpoint>,
    /// How many entries are good; none if it does not hold.
    entries: Option<i64>,
    says: String,
}

fn some_row(n: i64) -> Row {
    (
        "memories".to_owned(),
        format!("{n:032x}"),
        Some(hex::encode(sha256(&n.to_string()))),
        None,
    )
}

/// Returns what an entry binds.
fn bound(seq: i64, earlier: &Earlier) -> Vec<Row> {
    match seq {
        4 => vec![
            (
                EARLIER.to_owned(),
                OLD.to_string(),
                Some(earlier.digest()),
                None,
            ),
            some_row(4),
            (
                KEY.to_owned(),
                public_key(&FIRST_KEY),
                Some(hex::encode(sha256(&public_key(&FIRST_KEY)))),
                None,
            ),
        ],
        8 => vec![(ERASED.to_owned(), "5".to_owned(), None, None)],
        9 => vec![(
            KEY.to_owned(),
            public_key(&SECOND_KEY),
            Some(vouch(&FIRST_KEY, &public_key(&SECOND_KEY))),
            None,
        )],
        10 => vec![(
            "memories".to_owned(),
            format!("{:032x}", 4),
            None,
            some_row(4).2,
        )],
        _ => vec![some_row(seq)],
    }
}

/// A trail with everything that one can have.
fn good() -> Vec<Line> {
    let (mut prev, mut earlier, mut lines) = (GENESIS, Earlier::default(), Vec::new());
    for seq in 1..=ENTRIES {
        let rows = (seq > OLD).then(|| text(&bound(seq, &earlier)));
        let payload = format!("{{\"n\":{seq},\"said\":\"Grüße\"}}");
        let salt = [u8::try_from(seq).unwrap(); 16];
        let entry = Entry {
            seq,
            at: 1_772_323_200_000_000 + seq * 60_000_000,
            actor: "person:user_0198".to_owned(),
            action: if seq % 2 == 0 {
                "change.decide"
            } else {
                "memory.write"
            }
            .to_owned(),
            subject: format!("mem_{seq}"),
            store: (seq % 3 > 0).then(|| "ab".repeat(16)),
            commit: (seq % 2 == 1).then(|| format!("{seq:032x}")),
            rows: rows.as_deref().map(sha256),
            commitment: commitment(&salt, &payload),
            prev,
            hash: GENESIS,
        }
        .sealed();
        if seq <= OLD {
            earlier.take(&entry);
        }
        prev = entry.hash;
        lines.push(Line::Entry(ExportedEntry::new(
            &entry,
            &salt,
            (seq != 5).then_some(payload),
            rows,
        )));
        if seq == 6 {
            lines.push(Line::Checkpoint(Checkpoint::sign(
                &FIRST_KEY, seq, entry.at, entry.hash,
            )));
        }
    }
    let signed = Some(Checkpoint::sign_head(
        &SECOND_KEY,
        ENTRIES,
        1_772_323_999_000_000,
        prev,
    ));
    lines.push(Line::Head {
        seq: ENTRIES,
        hash: hex::encode(prev),
        signed,
    });
    lines
}

fn change(lines: &mut [Line], seq: i64, with: impl FnOnce(&mut ExportedEntry)) {
    let entry = lines.iter_mut().find_map(|line| {
        if let Line::Entry(entry) = line {
            (entry.seq == seq).then_some(entry)
        } else {
            None
        }
    });
    with(entry.unwrap());
}

/// The place of an entry among the lines.
fn at(lines: &[Line], seq: i64) -> usize {
    lines
        .iter()
        .position(|line| matches!(line, Line::Entry(entry) if entry.seq == seq))
        .unwrap()
}

fn end_at(lines: &mut Vec<Line>, seq: i64, signed: Option<Checkpoint>) {
    let cut = at(lines, seq);
    let Line::Entry(last) = lines[cut].clone() else {
        panic!()
    };
    lines.truncate(cut + 1);
    lines.push(Line::Head {
        seq,
        hash: last.hash,
        signed,
    });
}

type Tamper = fn(&mut Vec<Line>);

/// Every way of tampering, by the name of its file, with what is said of it.
#[expect(clippy::too_many_lines, reason = "a list of attacks")]
fn tampered() -> Vec<(&'static str, Tamper, &'static str)> {
    vec![
        (
            "changed-actor",
            |l| change(l, 7, |e| e.actor.push('x')),
            "entry 7 was changed: its fields do not give its hash",
        ),
        (
            "changed-store",
            |l| change(l, 7, |e| e.store = None),
            "entry 7 was changed: its fields do not give its hash",
        ),
        (
            "changed-payload",
            |l| change(l, 7, |e| e.payload = Some("{}".to_owned())),
            "the payload of entry 7 was changed",
        ),
        (
            "changed-salt",
            |l| change(l, 7, |e| e.salt = "00".repeat(16)),
            "the payload of entry 7 was changed",
        ),
        (
            "changed-rows",
            |l| change(l, 7, |e| e.rows = Some("[]".to_owned())),
            "entry 7 was changed: its fields do not give its hash",
        ),
        (
            "changed-old-store",
            |l| change(l, 2, |e| e.store = None),
            "the store or commit of an entry before 4 was changed",
        ),
        (
            "erased-in-secret",
            |l| change(l, 7, |e| e.payload = None),
            "the payload of entry 7 was removed, and no entry says that it was erased",
        ),
        (
            "removed",
            |l| drop(l.remove(at(l, 7))),
            "after entry 6 comes entry 8: what was between was removed",
        ),
        (
            "inserted",
            |l| l.insert(at(l, 8), l[at(l, 6)].clone()),
            "after entry 7 comes entry 6: entries were reordered, or inserted",
        ),
        (
            "swapped",
            |l| {
                let (a, b) = (at(l, 7), at(l, 8));
                l.swap(a, b);
            },
            "after entry 6 comes entry 8: what was between was removed",
        ),
        (
            "front-cut",
            |l| drop(l.drain(..2)),
            "the trail begins with entry 3: its front was cut off",
        ),
        (
            "end-cut",
            |l| drop(l.drain(at(l, 11)..=at(l, 12))),
            "the trail ends at entry 10, but its head says 12: its end was cut off",
        ),
        (
            "end-cut-head-fits",
            |l| end_at(l, 10, None),
            "the trail is signed, but not up to its end at entry 10: entries were added or \
             replaced without the key",
        ),
        (
            "end-cut-other-key",
            |l| {
                let Line::Entry(e) = l[at(l, 10)].clone() else {
                    panic!()
                };
                let mut hash = [0; 32];
                hex::decode_to_slice(e.hash, &mut hash).unwrap();
                end_at(l, 10, Some(Checkpoint::sign_head(&[3; 32], 10, 0, hash)));
            },
            "the trail is signed, but not up to its end at entry 10: entries were added or \
             replaced without the key",
        ),
        (
            "head-missing",
            |l| drop(l.pop()),
            "its last line, the head, is missing: the end may have been cut off",
        ),
        (
            "changed-signature",
            |l| {
                if let Some(Line::Checkpoint(c)) =
                    l.iter_mut().find(|x| matches!(x, Line::Checkpoint(_)))
                {
                    c.at += 1;
                }
            },
            "the signature of the checkpoint at 6 does not hold",
        ),
        (
            "bound-again",
            |l| {
                rewritten(
                    l,
                    7,
                    &[(
                        EARLIER.to_owned(),
                        "3".to_owned(),
                        Some(String::new()),
                        None,
                    )],
                );
            },
            "entry 7 binds all rows anew, as only the first may: what was changed before it is not \
             to be told",
        ),
        (
            "overwritten",
            |l| {
                rewritten(
                    l,
                    11,
                    &[(
                        "memories".to_owned(),
                        format!("{:032x}", 7),
                        None,
                        Some(String::new()),
                    )],
                );
            },
            "memories 00000000000000000000000000000007 was changed past the trail before entry 11 \
             wrote it anew",
        ),
        (
            "key-given-up",
            |l| {
                rewritten(
                    l,
                    11,
                    &[(KEY.to_owned(), public_key(&SECOND_KEY), None, None)],
                );
            },
            "entry 11 names another signing key without the word of the key before: from there on \
             the trail was written by somebody else",
        ),
        (
            "window-inside",
            |l| {
                let Line::Entry(eighth) = l[at(l, 8)].clone() else {
                    panic!()
                };
                l.insert(
                    at(l, 9),
                    Line::Window {
                        after: 8,
                        hash: eighth.hash,
                    },
                );
            },
            "after entry 8 comes entry 9: entries were reordered, or inserted",
        ),
        (
            "forged-version",
            |l| {
                change(l, 7, |e| {
                    e.rows = None;
                    let text = Entry {
                        seq: e.seq,
                        at: e.at,
                        actor: e.actor.clone(),
                        action: e.action.clone(),
                        subject: e.subject.clone(),
                        store: None,
                        commit: None,
                        rows: None,
                        commitment: bytes(&e.commitment),
                        prev: bytes(&e.prev),
                        hash: GENESIS,
                    };
                    e.hash = hex::encode(text.computed_hash());
                });
            },
            "entry 7 binds no rows, though entries before it do: it was replaced",
        ),
    ]
}

/// Replaces the rows of an entry and chains everything after it anew, with an end signed by the
/// last key: what somebody writes who has it.
fn rewritten(lines: &mut [Line], from: i64, rows: &[Row]) {
    let mut prev: Option<String> = None;
    for seq in from..=ENTRIES {
        change(lines, seq, |e| {
            if seq == from {
                e.rows = Some(text(rows));
            }
            e.prev = prev.clone().unwrap_or_else(|| e.prev.clone());
            let entry = Entry {
                seq: e.seq,
                at: e.at,
                actor: e.actor.clone(),
                action: e.action.clone(),
                subject: e.subject.clone(),
                store: e.store.clone(),
                commit: e.commit.clone(),
                rows: e.rows.as_deref().map(sha256),
                commitment: bytes(&e.commitment),
                prev: bytes(&e.prev),
                hash: GENESIS,
            };
            e.hash = hex::encode(entry.computed_hash());
            prev = Some(e.hash.clone());
        });
    }
    let end = prev.unwrap();
    let signed = Some(Checkpoint::sign_head(&SECOND_KEY, ENTRIES, 0, bytes(&end)));
    *lines.last_mut().unwrap() = Line::Head {
        seq: ENTRIES,
        hash: end,
        signed,
    };
}

fn bytes(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).unwrap();
    bytes
}

fn jsonl(lines: &[Line]) -> String {
    lines
        .iter()
        .map(|line| serde_json::to_string(line).unwrap() + "\n")
        .collect()
}

/// Every file with its text, and every case.
fn all() -> (Vec<(String, String)>, Vec<Case>) {
    let good = good();
    let mut files = vec![("good.jsonl".to_owned(), jsonl(&good))];
    let case = |file: &str, entries: Option<i64>, says: &str| Case {
        file: file.to_owned(),
        public_key: None,
        checkpoint: None,
        entries,
        says: says.to_owned(),
    };
    let mut cases = vec![
        case("good.jsonl", Some(ENTRIES), ""),
        // The second key is trusted by the word of the first.
        Case {
            public_key: Some(public_key(&FIRST_KEY)),
            ..case("good.jsonl", Some(ENTRIES), "")
        },
        Case {
            public_key: Some(public_key(&SECOND_KEY)),
            ..case(
                "good.jsonl",
                None,
                &format!(
                    "the checkpoint at 6 was signed with the key {}, not with {}",
                    public_key(&FIRST_KEY),
                    public_key(&SECOND_KEY)
                ),
            )
        },
    ];
    let Line::Entry(sixth) = &good[at(&good, 6)] else {
        panic!()
    };
    let kept = Checkpoint::sign(&FIRST_KEY, 6, 7, bytes(&sixth.hash));
    cases.push(Case {
        checkpoint: Some(kept.clone()),
        ..case("good.jsonl", Some(ENTRIES), "")
    });
    let mut window: Vec<Line> = vec![Line::Window {
        after: 6,
        hash: sixth.hash.clone(),
    }];
    window.extend(good[at(&good, 7)..].iter().cloned());
    files.push(("window.jsonl".to_owned(), jsonl(&window)));
    cases.push(case("window.jsonl", Some(ENTRIES), "window"));
    for (name, tamper, says) in tampered() {
        let mut lines = good.clone();
        tamper(&mut lines);
        let file = format!("{name}.jsonl");
        files.push((file.clone(), jsonl(&lines)));
        cases.push(case(&file, None, says));
    }
    let beyond = "a checkpoint covers 12 entries, but the trail has only 10: its end was cut off";
    let Some(Line::Head { hash, .. }) = good.last() else {
        panic!()
    };
    let last = Checkpoint::sign(&SECOND_KEY, ENTRIES, 7, bytes(hash));
    cases.push(Case {
        checkpoint: Some(last),
        ..case("end-cut-head-fits.jsonl", None, beyond)
    });
    (files, cases)
}

fn verify(text: &str, case: &Case) -> (Option<i64>, String) {
    let mut verifier = match ExportVerifier::expecting(
        case.checkpoint.iter().cloned().collect(),
        case.public_key.clone(),
    ) {
        Ok(verifier) => verifier,
        Err(broken) => return (None, broken.to_string()),
    };
    for line in text.lines() {
        if let Err(broken) = verifier.next(&serde_json::from_str(line).unwrap()) {
            return (None, broken.to_string());
        }
    }
    let window = verifier.is_window();
    match verifier.finish() {
        Some(entries) => (
            Some(entries),
            if window {
                "window".to_owned()
            } else {
                String::new()
            },
        ),
        None => (
            None,
            "its last line, the head, is missing: the end may have been cut off".to_owned(),
        ),
    }
}

#[test]
fn the_published_vectors_are_what_the_verifier_says() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
    let (files, cases) = all();
    let listed = serde_json::to_string_pretty(&cases).unwrap() + "\n";
    if std::env::var_os("LUCID_WRITE_VECTORS").is_some() {
        for (name, text) in &files {
            fs::write(folder.join(name), text).unwrap();
        }
        fs::write(folder.join("cases.json"), &listed).unwrap();
    }
    assert_eq!(
        fs::read_to_string(folder.join("cases.json")).unwrap(),
        listed
    );
    for (name, text) in &files {
        assert_eq!(
            &fs::read_to_string(folder.join(name)).unwrap(),
            text,
            "{name}"
        );
    }
    for case in &cases {
        let text = fs::read_to_string(folder.join(&case.file)).unwrap();
        assert_eq!(
            verify(&text, case),
            (case.entries, case.says.clone()),
            "{}",
            case.file
        );
    }
}
