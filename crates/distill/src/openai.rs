//! Chat completions with a JSON schema as `response_format`, as `OpenAI` defined them and vLLM, Ollama, llama.cpp and others speak them.

use dream::model::{Answer, Ask, Failed, Role, Usage};
use serde_json::{Value, json};

use crate::wire::Wire;

/// Asks a model.
pub async fn ask(wire: &Wire, model: &str, ask: &Ask) -> Result<Answer, Failed> {
    let role = |r: &Role| if *r == Role::User { "user" } else { "assistant" };
    let turns = ask.turns.iter().map(|(r, text)| json!({"role": role(r), "content": text}));
    let messages: Vec<Value> = std::iter::once(json!({"role": "system", "content": ask.system})).chain(turns).collect();
    let body = json!({
        "model": model,
        "messages": messages,
        "max_tokens": ask.max_tokens,
        "temperature": 0,
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": ask.schema}},
    });
    let headers: Vec<_> = wire.key().map(|key| ("authorization", format!("Bearer {key}"))).into_iter().collect();
    read(&wire.post("chat/completions", &headers, &body).await?)
}

fn read(answer: &Value) -> Result<Answer, Failed> {
    let message = &answer["choices"][0]["message"];
    if let Some(refusal) = message["refusal"].as_str() {
        return Err(Failed::Refused(refusal.chars().take(200).collect()));
    }
    let text = message["content"].as_str().ok_or_else(|| Failed::Nonsense("it has no message".to_owned()))?;
    let count = |name: &str| answer["usage"][name].as_u64().unwrap_or(0);
    Ok(Answer { text: text.to_owned(), usage: Usage { input: count("prompt_tokens"), output: count("completion_tokens") } })
}
