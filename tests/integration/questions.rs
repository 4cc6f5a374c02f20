//! What dreams ask: shown with the words that it rests on, answered once, and what follows goes
//! through the queue.

use std::{path::Path, sync::Arc};

use domain::{
    changeset::{ChangeKind, RejectCode},
    dream_state::DreamState,
    ids::ChangesetId,
    question::{Answer, QuestionKind},
};
use serde_json::json;
use service::{Error, Lucid, QuestionView, Verdict};

use crate::world::{World, on_both_engines};

on_both_engines!(
    removing_one_of_two_statements_is_proposed,
    what_was_answered_is_not_asked_again_until_somebody_lets_it,
    a_way_out_of_an_open_failure_is_proposed_with_its_quotes,
    what_may_have_changed_is_asked_and_proposed,
    only_who_decides_answers_and_only_what_was_asked,
    a_clean_up_has_a_reason_and_an_end,
);

const TWO: &str = "Answer every customer mail within two working days.";
const SAME: &str = "Every customer mail is answered within two working days.";

async fn dream(world: &World, lucid: &Lucid) -> Vec<QuestionView> {
    let id = lucid
        .request_dream(&world.admin, world.store, None)
        .await
        .unwrap();
    assert!(lucid.work_once("test").await.unwrap());
    assert_eq!(
        lucid.dream_row(&world.admin, id).await.unwrap().state,
        DreamState::Completed
    );
    lucid
        .questions(&world.reviewer, Some(world.store))
        .await
        .unwrap()
}

/// Two notes of which some statement says nearly the same.
pub async fn alike(world: &World) -> QuestionView {
    let first = format!("# Mail\n\n- {TWO}\n- Sign with the team's name.\n");
    let second = format!("# Service\n\n- {SAME}\n- Phones are staffed until six.\n");
    world
        .remember(&[("/mail.md", &first, false), ("/service.md", &second, false)])
        .await;
    let mut asked = dream(world, &world.lucid).await;
    asked.retain(|q| q.kind == QuestionKind::Similar);
    assert_eq!(asked.len(), 1, "{asked:#?}");
    asked.remove(0)
}

pub async fn answer(
    world: &World,
    q: &QuestionView,
    answer: Answer,
    words: &str,
) -> service::Result<Option<ChangesetId>> {
    world
        .lucid
        .answer_question(&world.reviewer, world.store, &q.fingerprint, answer, words)
        .await
}

async fn removing_one_of_two_statements_is_proposed(world: World) {
    let q = alike(&world).await;
    let sides: Vec<_> = q
        .sides
        .iter()
        .map(|s| (s.path.to_string(), s.statement.as_str()))
        .collect();
    assert_eq!(
        sides,
        [
            ("/mail.md".to_owned(), TWO),
            ("/service.md".to_owned(), SAME)
        ]
    );
    let made = answer(&world, &q, Answer::First, "")
        .await
        .unwrap()
        .expect("a change is proposed");
    let change = world.changes(made).await.remove(0);
    assert_eq!(
        change.edits[0].content.as_deref(),
        Some("# Service\n\n- Phones are staffed until six.\n")
    );
    assert!(
        change.change.rationale.contains("The other one is to stay"),
        "{}",
        change.change.rationale
    );
    // Nothing has changed yet, and whoever answered does not approve what follows.
    assert!(
        world
            .lucid
            .questions(&world.reviewer, None)
            .await
            .unwrap()
            .iter()
            .all(|o| o.fingerprint != q.fingerprint)
    );
    let own = world
        .vote(&world.reviewer, &change, Verdict::Approve)
        .await
        .unwrap_err();
    assert!(own.to_string().contains("contributed"), "{own}");
    world
        .vote(&world.admin, &change, Verdict::Approve)
        .await
        .unwrap();
    let entries = world
        .lucid
        .audit(&world.admin, &service::AuditFilter::default())
        .await
        .unwrap()
        .rows;
    assert!(entries.iter().any(|e| e.row.action == "question.answer"));
    world.verified().await;
}

async fn what_was_answered_is_not_asked_again_until_somebody_lets_it(world: World) {
    let q = alike(&world).await;
    assert_eq!(answer(&world, &q, Answer::Both, "").await.unwrap(), None);
    let twice = answer(&world, &q, Answer::First, "").await.unwrap_err();
    assert!(
        matches!(twice, Error::Conflict(_)) && twice.to_string().contains("answered already"),
        "{twice}"
    );
    assert!(
        dream(&world, &world.lucid)
            .await
            .iter()
            .all(|o| o.fingerprint != q.fingerprint)
    );
    let answered = world
        .lucid
        .answered_questions(&world.reviewer, Some(world.store))
        .await
        .unwrap();
    assert_eq!(
        (
            answered.len(),
            answered[0].answer,
            answered[0].answered_by.as_str()
        ),
        (1, Answer::Both, "reviewer")
    );
    world
        .lucid
        .reopen_question(&world.reviewer, world.store, answered[0].id)
        .await
        .unwrap();
    assert!(matches!(
        world
            .lucid
            .reopen_question(&world.reviewer, world.store, answered[0].id)
            .await,
        Err(Error::Conflict(_))
    ));
    assert!(
        dream(&world, &world.lucid)
            .await
            .iter()
            .any(|o| o.fingerprint == q.fingerprint)
    );
    // What the memory no longer says is not asked about, and cannot be answered.
    let again = world
        .lucid
        .questions(&world.reviewer, None)
        .await
        .unwrap()
        .into_iter()
        .find(|o| o.fingerprint == q.fingerprint)
        .unwrap();
    let mut other = world
        .changes(
            answer(&world, &again, Answer::Second, "")
                .await
                .unwrap()
                .unwrap(),
        )
        .await;
    world
        .vote(&world.admin, &other.remove(0), Verdict::Approve)
        .await
        .unwrap();
    world.verified().await;
}

/// A tool that fails in the same way, and nobody finds out what helps.
fn stuck(id: &str, user: &str, n: u32) -> String {
    let call = json!({"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "export_report", "arguments": format!("{{\"month\":\"2026-0{n}\"}}")}}]});
    let answer = json!({"role": "tool", "tool_call_id": "c1", "content": "Error: the report \
        exceeds the export limit of 500 rows"});
    let messages = [
        json!({"role": "user", "content": "I need the report."}),
        call,
        answer,
        json!({"role": "assistant", "content": "It fails."}),
    ];
    json!({"id": id, "user": user, "messages": messages}).to_string()
}

async fn a_way_out_of_an_open_failure_is_proposed_with_its_quotes(world: World) {
    for (n, user) in [(1, "ana"), (2, "bo"), (3, "cy")] {
        world.import(&stuck(&format!("s{n}"), user, n)).await;
    }
    let asked = dream(&world, &world.lucid).await;
    let open = asked
        .iter()
        .find(|q| q.kind == QuestionKind::OpenFailure)
        .unwrap_or_else(|| panic!("{asked:#?}"));
    assert!(
        open.quotes.len() >= 2
            && open
                .quotes
                .iter()
                .all(|q| q.masked.contains("export limit")),
        "{:#?}",
        open.quotes
    );
    assert_eq!((open.sessions, open.may_answer), (3, true));
    let silent = answer(&world, open, Answer::Written, "  ")
        .await
        .unwrap_err();
    assert!(matches!(silent, Error::Invalid(_)), "{silent}");
    let made = answer(&world, open, Answer::Written, "Export one week at a time.")
        .await
        .unwrap()
        .unwrap();
    let change = world.changes(made).await.remove(0);
    let content = change.edits[0].content.clone().unwrap();
    assert!(
        change.edits[0]
            .path
            .to_string()
            .starts_with("/failures/export-report-"),
        "{}",
        change.edits[0].path
    );
    assert!(
        content.contains("- What to do: Export one week at a time.\n"),
        "{content}"
    );
    assert!(change.quotes.len() >= 2 && change.quotes.iter().all(|q| q.verified));
    // Turned down: the question stays answered until more of it is seen, or somebody lets it be
    // asked again.
    world
        .vote(&world.admin, &change, Verdict::Reject(RejectCode::Wording))
        .await
        .unwrap();
    assert!(
        dream(&world, &world.lucid)
            .await
            .iter()
            .all(|q| q.kind != QuestionKind::OpenFailure)
    );
    world.wait_seconds(3_600);
    for n in 4..7 {
        world
            .import(&stuck(&format!("s{n}"), &format!("user{n}"), n))
            .await;
    }
    let more = dream(&world, &world.lucid).await;
    let open = more
        .iter()
        .find(|q| q.kind == QuestionKind::OpenFailure)
        .expect("twice as many hit it");
    assert_eq!(
        answer(&world, open, Answer::MendTool, "").await.unwrap(),
        None
    );
    let answered = world
        .lucid
        .answered_questions(&world.reviewer, None)
        .await
        .unwrap();
    assert_eq!(
        (answered.len(), answered[0].answer),
        (1, Answer::MendTool),
        "the later answer takes the place of the earlier one"
    );
    assert!(
        dream(&world, &world.lucid)
            .await
            .iter()
            .all(|q| q.kind != QuestionKind::OpenFailure)
    );
    world.verified().await;
}

async fn what_may_have_changed_is_asked_and_proposed(world: World) {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/models/all-minilm-l6-v2"
    );
    let model = embed::SentenceModel::load(Path::new(folder)).expect("models/fetch.sh fetches it");
    let lucid = world.lucid.clone().with_embedder(Arc::new(model));
    world
        .remember(&[(
            "/portal.md",
            "The docs portal for partners lives at docs.acme.example.\n",
            false,
        )])
        .await;
    world.wait_seconds(86_400);
    for (id, text) in [
        (
            "a",
            "the docs portal for partners lives at docs.partner.example now",
        ),
        (
            "b",
            "fyi the docs portal for partners lives at docs.partner.example now",
        ),
    ] {
        let at = lucid.now().plus_seconds(-60).rfc3339();
        let messages = [json!({"role": "user", "content": text, "timestamp": at})];
        world
            .import(&json!({"id": id, "user": id, "messages": messages}).to_string())
            .await;
    }
    let asked = dream(&world, &lucid).await;
    let q = asked
        .iter()
        .find(|q| q.kind == QuestionKind::Holds)
        .unwrap_or_else(|| panic!("{asked:#?}"));
    assert_eq!(
        q.new.as_deref(),
        Some("The docs portal for partners lives at docs.partner.example.")
    );
    assert_eq!((q.sides.len(), q.quotes.len()), (1, 2));
    let made = answer(&world, q, Answer::Changed, "")
        .await
        .unwrap()
        .unwrap();
    let change = world.changes(made).await.remove(0);
    assert_eq!(change.change.kind, ChangeKind::Supersede);
    assert_eq!(
        change.edits[0].content.as_deref(),
        Some("The docs portal for partners lives at docs.partner.example.\n")
    );
    assert_eq!(change.quotes.iter().filter(|q| q.verified).count(), 2);
    world.verified().await;
}

async fn only_who_decides_answers_and_only_what_was_asked(world: World) {
    let q = alike(&world).await;
    let by = |who| {
        world
            .lucid
            .answer_question(who, world.store, &q.fingerprint, Answer::Both, "")
    };
    assert!(matches!(by(&world.stranger).await, Err(Error::NotFound(_))));
    assert!(matches!(
        by(&domain::actor::Actor::operator()).await,
        Err(Error::Forbidden(_))
    ));
    assert!(
        world
            .lucid
            .questions(&world.stranger, None)
            .await
            .unwrap()
            .is_empty()
    );
    let wrong = answer(&world, &q, Answer::MendTool, "").await.unwrap_err();
    assert!(
        wrong.to_string().contains("no answer to this question"),
        "{wrong}"
    );
    let unknown = world
        .lucid
        .answer_question(
            &world.reviewer,
            world.store,
            &"0".repeat(64),
            Answer::Both,
            "",
        )
        .await;
    assert!(matches!(unknown, Err(Error::Conflict(_))));
    world.verified().await;
}

/// What it does to a dream, the engine's own tests show.
async fn a_clean_up_has_a_reason_and_an_end(world: World) {
    world
        .remember(&[("/a.md", "# A\n\n- The office is in Berlin.\n", false)])
        .await;
    let is_open_in_a_dream = async || {
        let id = world
            .lucid
            .request_dream(&world.admin, world.store, None)
            .await
            .unwrap();
        assert!(world.lucid.work_once("test").await.unwrap());
        let stats = world
            .lucid
            .dream(&world.admin, id)
            .await
            .unwrap()
            .dream
            .stats;
        serde_json::from_str::<serde_json::Value>(&stats).unwrap()["clean_up"]
            .as_bool()
            .unwrap()
    };
    assert!(!is_open_in_a_dream().await);
    for (days, reason) in [(0, "why"), (31, "why"), (7, "  "), (7, "a\0b")] {
        assert!(matches!(
            world
                .lucid
                .open_clean_up(&world.admin, world.store, days, reason)
                .await,
            Err(Error::Invalid(_))
        ));
    }
    assert!(
        world
            .lucid
            .open_clean_up(&world.reviewer, world.store, 7, "why")
            .await
            .is_err()
    );
    let until = world
        .lucid
        .open_clean_up(&world.admin, world.store, 7, "the offers of last year")
        .await
        .unwrap();
    assert_eq!(
        world
            .lucid
            .store(&world.admin, world.store)
            .await
            .unwrap()
            .clean_up_until,
        Some(until)
    );
    let again = world
        .lucid
        .open_clean_up(&world.admin, world.store, 7, "once more")
        .await;
    assert!(
        matches!(again, Err(Error::Conflict(_))),
        "it has an end: {again:?}"
    );
    assert!(is_open_in_a_dream().await);
    world
        .lucid
        .end_clean_up(&world.admin, world.store)
        .await
        .unwrap();
    assert!(!is_open_in_a_dream().await);
    assert!(matches!(
        world.lucid.end_clean_up(&world.admin, world.store).await,
        Err(Error::Conflict(_))
    ));
    let entries = world
        .lucid
        .audit(&world.admin, &service::AuditFilter::default())
        .await
        .unwrap()
        .rows;
    let opened = entries
        .iter()
        .find(|e| e.row.action == "store.clean_up")
        .unwrap();
    assert!(
        opened
            .row
            .payload
            .as_deref()
            .unwrap()
            .contains("the offers of last year")
    );
    assert!(entries.iter().any(|e| e.row.action == "store.clean_up_end"));
    world.verified().await;
}
