//! A server of models that answers what it is told to, in every bad way there is.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, Uri},
};
use serde_json::{Value, json};

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Does {
    /// Answers with these items in the list that was asked for, as the API that was asked does.
    Lists(Value),
    /// Judges every change that it is shown with this word.
    Judges(&'static str),
    /// Answers with this text where the list should be.
    Says(String),
    /// Answers with a status, and how long to wait.
    Status(u16, Option<&'static str>),
    /// Says how long its answer is, and ends in its middle.
    Cut,
    /// Answers with so many bytes.
    Long(usize),
    /// Says that it knows no JSON schemas, as its own error.
    KnowsNoSchemas,
    /// Says nothing.
    Hangs,
}

/// The server.
#[derive(Clone)]
pub struct MockModel {
    pub url: String,
    todo: Arc<Mutex<VecDeque<Does>>>,
    heard: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl MockModel {
    /// Listens on a port of its own.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mock = Self {
            url,
            todo: Arc::default(),
            heard: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(mock.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        mock
    }

    /// What it does next, in order. Afterwards its lists are empty.
    pub fn will(&self, does: impl IntoIterator<Item = Does>) {
        self.todo.lock().unwrap().extend(does);
    }

    /// What it was asked since the last time, and forgets it and what it was told to do.
    pub fn heard(&self) -> Vec<(HeaderMap, Value)> {
        self.todo.lock().unwrap().clear();
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

/// A vector for each text, of its words: texts of the same words have the same one.
fn embeddings(asked: &Value) -> Value {
    let vector = |text: &Value| {
        let mut parts = vec![0.01_f64; 32];
        for word in text
            .as_str()
            .unwrap_or_default()
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| w.len() > 3)
        {
            parts[word.bytes().map(usize::from).sum::<usize>() % 32] += 1.0;
        }
        parts
    };
    let texts = asked["input"].as_array().cloned().unwrap_or_default();
    let rows: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| json!({"index": n, "embedding": vector(text)}))
        .collect();
    json!({"data": rows})
}

/// The list that a request asks for.
fn list(asked: &Value) -> &'static str {
    let schemas = [
        &asked["tools"][0]["input_schema"],
        &asked["response_format"]["json_schema"]["schema"],
        &asked["response_format"]["schema"],
    ];
    let names = ["observations", "changes", "verdicts"];
    names
        .into_iter()
        .find(|name| schemas.iter().any(|s| s["properties"].get(name).is_some()))
        .unwrap_or("observations")
}

/// What a request says, without the task.
pub fn said(asked: &Value) -> String {
    let turns = asked["messages"].as_array().cloned().unwrap_or_default();
    turns
        .iter()
        .filter(|m| m["role"] == "user")
        .filter_map(|m| m["content"].as_str())
        .collect()
}

fn judged(asked: &Value, word: &str) -> Value {
    let said = said(asked);
    let labels = said
        .split("<change ")
        .skip(1)
        .filter_map(|rest| rest.split(' ').next());
    labels
        .map(|label| json!({"change": label, "reason": "The quotes say so.", "verdict": word}))
        .collect()
}

async fn answer(
    State(mock): State<MockModel>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    mock.heard.lock().unwrap().push((headers, asked.clone()));
    if uri.path().ends_with("/embeddings") {
        return Response::new(Body::from(embeddings(&asked).to_string()));
    }
    let does = mock
        .todo
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or_else(|| Does::Lists(json!([])));
    let does = match does {
        Does::Judges(word) => Does::Lists(judged(&asked, word)),
        other => other,
    };
    let anthropic = uri.path().ends_with("/messages");
    let json = |text: &str, input: Option<Value>| {
        let body = match (anthropic, input) {
            (true, Some(input)) => {
                json!({"content": [{"type": "tool_use", "name": "answer", "input": input}], "usage": {"input_tokens": 1000, "output_tokens": 50}})
            }
            (true, None) => {
                json!({"content": [{"type": "text", "text": text}], "usage": {"input_tokens": 1000, "output_tokens": 50}})
            }
            (false, _) => {
                json!({"choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 1000, "completion_tokens": 50}})
            }
        };
        Response::new(Body::from(body.to_string()))
    };
    match does {
        Does::Lists(items) => {
            let whole = json!({"analysis": "I looked.", list(&asked): items});
            json(&whole.to_string(), Some(whole))
        }
        Does::Judges(_) => unreachable!("it has become a list"),
        Does::Says(text) => json(&text, None),
        Does::Status(status, wait) => {
            let mut response = Response::builder().status(status);
            if let Some(wait) = wait {
                response = response.header("retry-after", wait);
            }
            response.body(Body::from(r#"{"error":{"message":"no, not now"}}"#)).unwrap()
        }
        Does::Cut => Response::builder()
            .header("content-length", "500")
            .body(Body::from_stream(futures::stream::iter([
                Ok(Bytes::from_static(b"{\"content\":[{\"te")),
                Err(std::io::Error::other("cut")),
            ])))
            .unwrap(),
        Does::Long(bytes) => json(&"x".repeat(bytes), None),
        Does::KnowsNoSchemas => Response::builder()
            .status(500)
            .body(Body::from(r#"{"error":{"message":"1 validation error: ('body', 'response_format', 'type'), Input should be 'text' or 'json_object'"}}"#))
            .unwrap(),
        Does::Hangs => {
            tokio::time::sleep(Duration::from_mins(5)).await;
            Response::new(Body::empty())
        }
    }
}
