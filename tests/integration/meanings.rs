//! Dreams with a sentence model: what different people say in different words is one rule,
//! paraphrases become questions, and each text is turned into a vector once.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use dream::meaning::{EmbedError, Embedder, Vector};
use embed::SentenceModel;
use service::Lucid;

use crate::world::{World, on_both_engines};

on_both_engines!(
    a_store_learns_from_answers_what_is_worth_asking,
    memory_is_searched_by_words_and_by_meaning,
    like_decisions_are_found_by_meaning,
    a_server_of_embeddings_is_asked_once_for_each_text,
    what_is_said_in_different_words_is_found,
    a_model_that_fails_leaves_a_dream_that_compares_words
);

/// The real model, counting the texts that it is given.
struct Counting {
    model: SentenceModel,
    texts: Arc<AtomicUsize>,
}

impl Embedder for Counting {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.texts.fetch_add(texts.len(), Ordering::Relaxed);
        self.model.embed(texts)
    }
}

fn model() -> SentenceModel {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/models/all-minilm-l6-v2"
    );
    SentenceModel::load(Path::new(folder)).expect("models/fetch.sh fetches it")
}

fn says(id: &str, user: &str, text: &str) -> String {
    let messages = [serde_json::json!({"role": "user", "content": text})];
    serde_json::json!({"session_id": id, "user": user, "messages": messages}).to_string()
}

/// Dreams once; the dream's view.
async fn dreamed(world: &World, lucid: &Lucid) -> service::DreamView {
    let id = lucid
        .request_dream_over(&world.admin, world.store, "builtin", None, &[])
        .await
        .unwrap();
    assert!(lucid.work_once("test").await.unwrap());
    lucid.dream(&world.admin, id).await.unwrap()
}

async fn memory_is_searched_by_words_and_by_meaning(world: World) {
    let notes = [
        (
            "/ops/backups.md",
            "# Backups\n\n- The nightly backup runs at 02:30.\n- Restore drills happen every \
             quarter.\n",
            false,
        ),
        (
            "/hr/leave.md",
            "Parental leave requests go to the people team.\n",
            false,
        ),
        (
            "/shop/returns.md",
            "Customers can send goods back within 30 days.\n- Write to ana@example.com about large \
             returns.\n",
            false,
        ),
    ];
    world.remember(&notes).await;
    let plain = world
        .lucid
        .search_memory(&world.reviewer, world.store, "nightly back")
        .await
        .unwrap();
    assert!(
        !plain.by_meaning && plain.hits[0].statement == "The nightly backup runs at 02:30.",
        "{plain:?}"
    );
    // The path says it too, and what is personal is masked.
    let returns = world
        .lucid
        .search_memory(&world.reviewer, world.store, "returns")
        .await
        .unwrap();
    assert!(
        returns.hits.len() == 2 && returns.hits.iter().all(|h| !h.statement.contains("ana@")),
        "{returns:?}"
    );
    assert!(
        world
            .lucid
            .search_memory(&world.reviewer, world.store, "refund policy")
            .await
            .unwrap()
            .hits
            .is_empty()
    );
    let lucid = world.lucid.clone().with_embedder(Arc::new(model()));
    let meant = lucid
        .search_memory(
            &world.reviewer,
            world.store,
            "how long may a customer return what they bought?",
        )
        .await
        .unwrap();
    assert!(
        meant.by_meaning
            && meant.hits[0]
                .statement
                .starts_with("Customers can send goods back"),
        "{meant:?}"
    );
    let nothing = lucid
        .search_memory(&world.reviewer, world.store, "favourite colour of the cat")
        .await
        .unwrap();
    assert!(nothing.hits.is_empty(), "{nothing:?}");
    for bad in ["", "   ", &"x".repeat(201)] {
        assert!(matches!(
            lucid.search_memory(&world.reviewer, world.store, bad).await,
            Err(service::Error::Invalid(_))
        ));
    }
    assert!(
        lucid
            .search_memory(&world.stranger, world.store, "backup")
            .await
            .is_err()
    );
    for odd in ["%_\\", "'; DROP TABLE memories; --", "🦀🦀🦀", "a\0b"] {
        lucid
            .search_memory(&world.reviewer, world.store, odd)
            .await
            .unwrap();
    }
}

/// Pairs that are told apart again and again, one that is less near than those, and one that is
/// nearer.
async fn a_store_learns_from_answers_what_is_worth_asking(world: World) {
    let lucid = world.lucid.clone().with_embedder(Arc::new(model()));
    let pairs = [
        (
            "The ferry to Amrum leaves the northern pier at dawn.",
            "The bus to Husum leaves the northern pier at dawn.",
        ),
        (
            "Blue crates hold frozen herring for the market.",
            "Red crates hold frozen shrimp for the market.",
        ),
        (
            "Tariffs for freight are agreed with the harbour office.",
            "Tariffs for passengers are agreed with the county office.",
        ),
        (
            "Invoices of the yard are sent by registered letter.",
            "Reminders of the yard are sent by plain letter.",
        ),
        (
            "Pilots of the estuary sleep aboard the tender.",
            "Stewards of the estuary sleep aboard the tender.",
        ),
    ];
    let note = |title: &str, first: &str, of: fn(&(&'static str, &'static str)) -> &'static str| {
        let rest: String = pairs
            .iter()
            .map(|pair| ["- ", of(pair), "\n"].concat())
            .collect();
        format!("# {title}\n\n- {first}\n{rest}")
    };
    let left = note(
        "Left",
        "Lighthouse keepers report fog to the coast guard.",
        |pair| pair.0,
    );
    let right = note(
        "Right",
        "Fog is reported to the coast guard by lighthouse keepers.",
        |pair| pair.1,
    );
    world
        .remember(&[("/left.md", &left, false), ("/right.md", &right, false)])
        .await;
    dreamed(&world, &lucid).await;
    let asked = lucid
        .questions(&world.reviewer, Some(world.store))
        .await
        .unwrap();
    let (nearest, mut others): (Vec<_>, Vec<_>) = asked
        .into_iter()
        .partition(|q| q.title.contains("Lighthouse"));
    assert!(nearest.len() == 1 && others.len() == 5, "{others:#?}");
    let near = |q: &service::QuestionView| {
        let vectors = model()
            .embed(
                &q.sides
                    .iter()
                    .map(|s| s.statement.clone())
                    .collect::<Vec<_>>(),
            )
            .unwrap();
        vectors[0].cosine(&vectors[1])
    };
    others.sort_by_cached_key(|q| std::cmp::Reverse(near(q)));
    let farthest = others.pop().unwrap();
    for q in &others {
        lucid
            .answer_question(
                &world.reviewer,
                world.store,
                &q.fingerprint,
                domain::question::Answer::Both,
                "",
            )
            .await
            .unwrap();
    }
    let asked_again = async || {
        world.wait_seconds(60);
        dreamed(&world, &lucid).await;
        let asked = lucid
            .questions(&world.reviewer, Some(world.store))
            .await
            .unwrap();
        assert!(
            asked
                .iter()
                .any(|q| q.fingerprint == nearest[0].fingerprint),
            "{asked:#?}"
        );
        asked.iter().any(|q| q.fingerprint == farthest.fingerprint)
    };
    assert!(!asked_again().await, "nearer ones were told apart");
    // Whoever takes the answers back is asked again.
    for answer in lucid
        .answered_questions(&world.reviewer, Some(world.store))
        .await
        .unwrap()
    {
        lucid
            .reopen_question(&world.reviewer, world.store, answer.id)
            .await
            .unwrap();
    }
    assert!(asked_again().await);
}

async fn like_decisions_are_found_by_meaning(world: World) {
    let lucid = world.lucid.clone().with_embedder(Arc::new(model()));
    world
        .remember(&[(
            "/shop.md",
            "Goods can be sent back within 30 days.\n",
            false,
        )])
        .await;
    let propose = async |path: &str, content: &str| {
        let (changeset, _) = lucid
            .propose_change(
                &world.admin,
                world.store,
                &crate::world::create(path, content),
                "because",
            )
            .await
            .unwrap();
        world.changes(changeset).await.remove(0)
    };
    let rejected = propose("/returns-within-thirty-days.md", "Returns are free.\n").await;
    world
        .vote(
            &world.reviewer,
            &rejected,
            service::Verdict::Reject(domain::changeset::RejectCode::Wording),
        )
        .await
        .unwrap();
    let other = propose("/backups.md", "Backups run at night.\n").await;
    world
        .vote(
            &world.reviewer,
            &other,
            service::Verdict::Reject(domain::changeset::RejectCode::Never),
        )
        .await
        .unwrap();
    let asked = propose(
        "/returns-in-thirty-days.md",
        "Customers may return what they bought for 30 days.\n",
    )
    .await;
    let beside = lucid
        .beside(&world.reviewer, asked.change.id)
        .await
        .unwrap();
    let titles: Vec<&str> = beside.decided.iter().map(|d| d.title.as_str()).collect();
    assert_eq!(titles, ["Add /returns-within-thirty-days.md"]);
    assert!(
        beside
            .similar
            .iter()
            .any(|s| s.by_meaning && s.path == "/shop.md"),
        "{:?}",
        beside.similar
    );
    let by_words = world
        .lucid
        .beside(&world.reviewer, asked.change.id)
        .await
        .unwrap();
    assert!(!by_words.by_meaning && by_words.decided.is_empty());
}

/// A server in the place of the folder: what it is sent is masked, and each text is sent once.
async fn a_server_of_embeddings_is_asked_once_for_each_text(world: World) {
    let mock = crate::support::model::MockModel::start().await;
    let settings = distill::Settings {
        kind: distill::Kind::OpenAi,
        url: format!("{}/v1", mock.url),
        model: "some-embedder".into(),
        key: Some("sk-embed".into()),
        private: true,
        deadline: std::time::Duration::from_secs(3),
    };
    let lucid = world
        .lucid
        .clone()
        .with_embedder(Arc::new(distill::Embeddings::new(&settings).unwrap()));
    world
        .import(&says(
            "a",
            "ana",
            "Always answer mails from ana@example.com within two working days.",
        ))
        .await;
    let notes = [
        (
            "/a.md",
            "Customer mails are answered within two working days.\n",
            false,
        ),
        (
            "/b.md",
            "Within two working days customer mails are answered by us.\n",
            false,
        ),
    ];
    world.remember(&notes).await;
    let view = dreamed(&world, &lucid).await;
    let stats: serde_json::Value = serde_json::from_str(&view.dream.stats).unwrap();
    assert_eq!(stats["sentence_model"], "127.0.0.1/some-embedder");
    let heard = mock.heard();
    assert_eq!(
        (heard.len(), heard[0].0["authorization"].to_str().unwrap()),
        (1, "Bearer sk-embed")
    );
    let sent = heard[0].1["input"].to_string();
    assert!(
        sent.contains("answered within two working days") && !sent.contains("ana@example.com"),
        "{sent}"
    );
    assert!(
        view.findings.iter().any(|f| f.disposition == "question"),
        "{:#?}",
        view.findings
    );
    dreamed(&world, &lucid).await;
    assert_eq!(mock.heard().len(), 0, "what has a vector is not sent again");
}

async fn what_is_said_in_different_words_is_found(world: World) {
    let texts = Arc::new(AtomicUsize::new(0));
    let lucid = world.lucid.clone().with_embedder(Arc::new(Counting {
        model: model(),
        texts: texts.clone(),
    }));
    world
        .import(&says(
            "a",
            "ana",
            "Grant numbers go in the subject line of anything to the ministry.",
        ))
        .await;
    world
        .import(&says(
            "b",
            "bo",
            "mails to the ministry carry the grant number in the subject",
        ))
        .await;
    let paraphrases = [
        (
            "/a.md",
            "Keep secrets out of the repo; they belong in Vault.\n",
            false,
        ),
        (
            "/b.md",
            "Secrets live in Vault, not in the repository.\n",
            false,
        ),
    ];
    world.remember(&paraphrases).await;
    // Without a model neither is seen, and the dream says so.
    let without = dreamed(&world, &world.lucid).await;
    assert!(
        without.dream.changeset_id.is_none()
            && without.dream.stats.contains("\"sentence_model\":null"),
        "{}",
        without.dream.stats
    );
    assert!(
        without.findings.iter().all(|f| f.disposition != "question"),
        "{:?}",
        without.findings
    );
    let with = dreamed(&world, &lucid).await;
    let changes = world
        .changes(with.dream.changeset_id.expect("it proposes the rule"))
        .await;
    let note = changes[0].edits[0].content.clone().unwrap();
    assert_eq!(
        (
            changes.len(),
            changes[0].change.support_subjects,
            changes[0].quotes.len()
        ),
        (1, 2, 2)
    );
    assert!(
        note.contains("ministry") && note.contains("grant number"),
        "{note}"
    );
    assert!(
        with.findings
            .iter()
            .any(|f| f.disposition == "question" && f.title.contains("Vault")),
        "{:?}",
        with.findings
    );
    assert!(
        with.dream.stats.contains("all-minilm-l6-v2"),
        "{}",
        with.dream.stats
    );
    // What has a vector gets no other one, and nothing new proposes nothing.
    let made = texts.load(Ordering::Relaxed);
    let again = dreamed(&world, &lucid).await;
    assert_eq!(
        (again.dream.changeset_id, texts.load(Ordering::Relaxed)),
        (None, made)
    );
    world.verified().await;
}

/// A model that answers nothing.
struct Broken;

impl Embedder for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn embed(&self, _: &[String]) -> Result<Vec<Vector>, EmbedError> {
        Err(EmbedError("out of memory".to_owned()))
    }
}

async fn a_model_that_fails_leaves_a_dream_that_compares_words(world: World) {
    let lucid = world.lucid.clone().with_embedder(Arc::new(Broken));
    world
        .remember(&[
            ("/a.md", "All of it is the same.", false),
            ("/b.md", "All of it is the same.", false),
        ])
        .await;
    let view = dreamed(&world, &lucid).await;
    assert!(
        view.dream.changeset_id.is_some()
            && view.dream.stats.contains("\"sentence_model\":\"failed\""),
        "{}",
        view.dream.stats
    );
}
