//! Facts that people say have changed in natural words: found with the sentence model where several
//! say so, and left alone where it is a question, a wish, the past, somebody else's or one case.

use std::{ops::ControlFlow, path::Path, sync::LazyLock};

use domain::event::EventKind;
use dream::{Disposition, Event, Finding, Head, Input, Memory, Reader, Session, meaning::Embedder};
use embed::SentenceModel;

static MODEL: LazyLock<SentenceModel> = LazyLock::new(|| {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/models/all-minilm-l6-v2"
    );
    SentenceModel::load(Path::new(folder)).expect("models/fetch.sh fetches it")
});

const OTHERS: [&str; 2] = [
    "The nightly backup runs at 02:30.",
    "Expenses above 200 EUR are approved by Tom Okoye.",
];

/// What a dream finds of changed facts where people say this, one a day, after the memory was
/// written.
fn found(memory: &str, said: &[&str]) -> Vec<Finding> {
    let session = |(n, text): (usize, &&str)| {
        let at = i64::try_from(n + 1).unwrap() * 86_400_000_000;
        let head = Head {
            key: format!("s{n}"),
            subject: Some(format!("person-{n}")),
            at: Some(at),
            ..Head::default()
        };
        let event = Event {
            kind: EventKind::User,
            tool: None,
            tool_use_id: None,
            is_error: false,
            text: (*text).to_owned(),
        };
        Reader::default().see(&Session {
            head,
            events: vec![event],
        })
    };
    let note = |(n, line): (usize, &str)| Memory {
        path: format!("/notes/{n}.md"),
        content: if line.starts_with('>') {
            format!("{line}\n")
        } else {
            format!("- {line}\n")
        },
        frozen: false,
        by_person: false,
        updated_at: Some(0),
        reads: None,
    };
    // Beside more that is not lost, so that the loss budget leaves room for the change.
    let filler: Vec<String> = (0..12)
        .map(|n| format!("The door of room {n} has its own key."))
        .collect();
    let lines = [memory]
        .into_iter()
        .chain(OTHERS)
        .chain(filler.iter().map(String::as_str))
        .enumerate();
    let mut input = Input {
        sessions: said.iter().enumerate().map(session).collect(),
        memories: lines.map(note).collect(),
        ..Input::default()
    };
    let wanted = dream::wanted(&input);
    for (text, vector) in wanted.iter().zip(MODEL.embed(&wanted).unwrap()) {
        input.vectors.put(text.clone(), vector);
    }
    let proposal = dream::run(&input, &mut |_| ControlFlow::Continue(())).unwrap();
    proposal
        .findings
        .into_iter()
        .filter(|f| f.kind == "fact_changed")
        .collect()
}

/// The first note as it would be, if a change is proposed.
fn after(findings: &[Finding]) -> Option<String> {
    let change = findings.iter().find(|f| f.is_proposed())?.change.as_ref()?;
    change.edits[0].content.clone()
}

#[test]
fn what_two_people_say_is_so_now_replaces_the_old_value() {
    for (memory, said, wanted) in [
        (
            "The staging database runs MySQL 5.7.",
            [
                "need a dump of the staging db, it's on MySQL 8.4 since the weekend",
                "which driver for staging? the database there is MySQL 8.4 now",
            ],
            "- The staging database runs MySQL 8.4.\n",
        ),
        (
            "The weekly sync is on Tuesdays at 10:00.",
            [
                "can you move my dentist? the weekly sync is on thursday at 11:15 now",
                "agenda for the weekly sync please, since last month it's Thursday 11:15, not \
                 Tuesday any more",
            ],
            "- The weekly sync is on Thursdays at 11:15.\n",
        ),
        (
            "Parental leave requests go to Ines Duarte.",
            [
                "where do I send my parental leave request, to Marek Zielinski now that Ines has \
                 left?",
                "Marek Zielinski handles parental leave requests these days, please write him a \
                 note for me",
            ],
            "- Parental leave requests go to Marek Zielinski.\n",
        ),
    ] {
        let findings = found(memory, &said);
        assert_eq!(after(&findings).as_deref(), Some(wanted), "{findings:#?}");
        let proposed = findings.iter().find(|f| f.is_proposed()).unwrap();
        assert_eq!(
            (
                proposed.support.subjects,
                proposed.change.as_ref().unwrap().quotes.len()
            ),
            (2, 2)
        );
    }
}

#[test]
fn what_is_not_so_or_not_ours_replaces_nothing() {
    let memory = "The return window in our shop is 30 days.";
    for said in [
        [
            "is the return window 45 days now?",
            "has our return window changed to 45 days, somebody asked",
        ],
        [
            "what if we had a return window of 45 days?",
            "it would be nice to have 45 days as our return window some day",
        ],
        [
            "the return window at Hollmann is 45 days, put it in the competitor sheet",
            "competitor check: Hollmann's return window is 45 days",
        ],
        [
            "for order 5512 the return window is 45 days, just this once",
            "make an exception for order 5512, 45 days to return it, only for her",
        ],
        [
            "years ago our return window was 45 days, remember?",
            "we used to have a return window of 45 days back then",
        ],
    ] {
        let findings = found(memory, &said);
        assert_eq!(after(&findings), None, "{said:?}");
    }
    assert_eq!(
        after(&found(memory, &["our return window is 45 days now"])),
        None,
        "one person alone"
    );
}

#[test]
fn two_new_values_and_an_old_one_that_returns_are_for_people() {
    let memory = "The staging database runs MySQL 5.7.";
    let now = |version: &str| {
        [
            format!("need a dump of the staging db, it's on MySQL {version} since the weekend"),
            format!("which driver for staging? the database there is MySQL {version} now"),
        ]
    };
    let (one, other) = (now("8.4"), now("9.1"));
    let both: Vec<&str> = one.iter().chain(&other).map(String::as_str).collect();
    let findings = found(memory, &both);
    assert_eq!(after(&findings), None);
    let insight = findings
        .iter()
        .find(|f| matches!(f.disposition, Disposition::Insight(_)))
        .unwrap();
    assert!(
        insight.title.starts_with("People state different values") && insight.evidence.len() == 4,
        "{insight:#?}"
    );
    let again = [
        one[0].as_str(),
        &one[1],
        "the staging database runs MySQL 5.7, so no window functions",
    ];
    assert_eq!(
        after(&found(memory, &again)),
        None,
        "the old value was stated since"
    );
}

#[test]
fn a_value_takes_no_place_that_is_not_its_own() {
    for (memory, said, wanted) in [
        (
            "Between 9:00 and 17:00 the support hotline is staffed.",
            "the support hotline is staffed from 8:00 now",
            None,
        ),
        (
            "The import API allows 100 requests per 10 seconds.",
            "the import API allows 200 now, since the upgrade",
            None,
        ),
        (
            "See [the coffee supplier](https://a.example/Lavazza) for coffee machine pads.",
            "the coffee supplier for machine pads is Jura now",
            None,
        ),
        (
            "Delivery to the islands takes 5–7 days.",
            "delivery to the islands takes 10 days now",
            None,
        ),
        (
            "The choir has twenty five members.",
            "the choir has thirty members now",
            None,
        ),
        (
            "The depot manager is Dr. Ewa Nowak.",
            "the depot manager is Mr Lis now",
            Some("- The depot manager is Mr Lis.\n"),
        ),
        (
            "> The sauna opens at 05:00.",
            "the sauna opens at 7:00 now, since last week",
            None,
        ),
        (
            "The docs portal for partners lives at docs.acme.example.",
            "the docs portal for partners lives at docs.evil.example now",
            None,
        ),
        (
            "The fire inspection is on Wednesdays.",
            "the fire inspection is on thurs now, not wednesday",
            Some("- The fire inspection is on Thursdays.\n"),
        ),
        (
            "The parking permit costs EUR 9 a month.",
            "the parking permit costs 12 EUR a month now",
            Some("- The parking permit costs EUR 12 a month.\n"),
        ),
    ] {
        let other = format!("fyi {said}");
        let findings = found(memory, &[said, &other]);
        assert_eq!(
            after(&findings).as_deref(),
            wanted,
            "{memory} / {said}: {findings:#?}"
        );
    }
}

#[test]
fn one_speaker_neither_chooses_the_words_nor_is_ignored() {
    let captain = "The release captain is Nora Quist.";
    let longer = [
        "release captain is Otto now, since last week",
        "since last week Otto is release captain",
        "release captain is Otto Evil Corp Payroll now",
    ];
    assert_eq!(
        after(&found(captain, &longer)).as_deref(),
        Some("- The release captain is Otto.\n")
    );
    let kims = [
        "release captain is Kim now",
        "the release captain is Kim Berg now",
        "release captain is Kim Voss now, since May",
    ];
    let turned = [kims[2], kims[1], kims[0]];
    assert_eq!(
        (
            after(&found(captain, &kims)),
            after(&found(captain, &turned))
        ),
        (None, None)
    );
    let fee = "The key deposit at the sauna is 3 EUR.";
    let raised = [
        "the key deposit at the sauna is 4 EUR now",
        "sauna key deposit is 4 EUR since May",
        "the sauna key deposit was raised again, it is 6 EUR now",
    ];
    assert_eq!(
        after(&found(fee, &raised)),
        None,
        "somebody said another value since"
    );
}

#[test]
fn any_text_has_a_vector_or_an_error() {
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    for text in [
        format!("The image digest is {digest}."),
        "ß".repeat(3_000),
        "🦀 ".repeat(500),
        format!("{digest}{digest} {digest}"),
        "日本語".repeat(99),
    ] {
        // What the tokenizer cannot read is an error of that text; ordinary text around a hash is
        // read.
        assert!(
            MODEL.embed(std::slice::from_ref(&text)).is_ok() || !text.starts_with("The "),
            "{text}"
        );
    }
}
