//! Chat completions with a JSON schema as `response_format`, as `OpenAI` defined them and vLLM,
//! Ollama, llama.cpp and others speak them. Servers that know the older `json_object` only
//! (llama-cpp-python is one, which takes the schema beside it) are asked that way.

use std::sync::atomic::{AtomicBool, Ordering};

use dream::model::{Answer, Ask, Failed, Role, Usage};
use serde_json::{Value, json};

use crate::wire::Wire;

/// Asks a model. `older` remembers that its server does not know JSON schemas as a format.
pub async fn ask(
    wire: &Wire,
    model: &str,
    older: &AtomicBool,
    ask: &Ask,
) -> Result<Answer, Failed> {
    if !older.load(Ordering::Relaxed) {
        match asked(wire, model, ask, false).await {
            Err(Failed::Refused(why))
                if why.contains("response_format") || why.contains("json_schema") =>
            {
                older.store(true, Ordering::Relaxed);
            }
            done => return done,
        }
    }
    asked(wire, model, ask, true).await
}

async fn asked(wire: &Wire, model: &str, ask: &Ask, older: bool) -> Result<Answer, Failed> {
    let role = |r: &Role| {
        if *r == Role::User {
            "user"
        } else {
            "assistant"
        }
    };
    let turns = ask
        .turns
        .iter()
        .map(|(r, text)| json!({"role": role(r), "content": text}));
    let messages: Vec<Value> = std::iter::once(json!({"role": "system", "content": ask.system}))
        .chain(turns)
        .collect();
    let format = if older {
        json!({"type": "json_object", "schema": without(&ask.schema, &["maxLength", "maxItems"])})
    } else {
        json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": without(&ask.schema, &["maxLength"])}})
    };
    let body = json!({
        "model": model,
        "messages": messages,
        "max_tokens": ask.max_tokens,
        "temperature": 0,
        "response_format": format,
    });
    let headers: Vec<_> = wire
        .key()
        .map(|key| ("authorization", format!("Bearer {key}")))
        .into_iter()
        .collect();
    read(&wire.post("chat/completions", &headers, &body).await?)
}

/// A schema without these limits: strict servers do not know the lengths of texts, and older ones
/// make a grammar of a schema that grows with each limit (llama-cpp-python 0.3.36 cannot read that
/// of a text of 1,500 characters). The limit of tokens bounds what they answer.
fn without(schema: &Value, limits: &[&str]) -> Value {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !limits.contains(&name.as_str()))
            .map(|(k, v)| (k.clone(), without(v, limits)))
            .collect(),
        Value::Array(all) => all.iter().map(|v| without(v, limits)).collect(),
        other => other.clone(),
    }
}

fn read(answer: &Value) -> Result<Answer, Failed> {
    let message = &answer["choices"][0]["message"];
    if !message.is_object() {
        return Err(Failed::Nonsense("it has no message".to_owned()));
    }
    // A refusal, or a message that a filter emptied, is an answer that cannot be used: another
    // request may do better.
    let text = message["content"]
        .as_str()
        .or(message["refusal"].as_str())
        .unwrap_or_default();
    let count = |name: &str| answer["usage"][name].as_u64().unwrap_or(0);
    Ok(Answer {
        text: text.to_owned(),
        usage: Usage {
            input: count("prompt_tokens"),
            output: count("completion_tokens"),
        },
    })
}
