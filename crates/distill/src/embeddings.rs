//! Vectors of sentences from a server that speaks `/v1/embeddings`, as `OpenAI` defined it and
//! vLLM, Ollama, llama.cpp, TEI and others speak it. What is sent is masked first.

use domain::masking::mask;
use dream::meaning::{EmbedError, Embedder, Vector};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use url::Url;

use crate::{BadSettings, Settings, wire::Wire};

/// Texts of one request.
const TOGETHER: usize = 64;
/// Longest text that is sent, in characters: what follows says little more.
const LONGEST: usize = 1_000;

/// A server of embeddings.
pub struct Embeddings {
    wire: Wire,
    model: String,
    name: String,
    runtime: Handle,
}

impl Embeddings {
    /// A client; nothing is sent yet. Made within a runtime, and asked from a thread that may wait.
    pub fn new(settings: &Settings) -> Result<Self, BadSettings> {
        let url = Url::parse(&settings.url).map_err(|_| BadSettings::Url(settings.url.clone()))?;
        // Vectors of another server or model are never compared with these.
        let name = format!("{}/{}", url.host_str().unwrap_or_default(), settings.model);
        Ok(Self {
            wire: Wire::new(url, settings)?,
            model: settings.model.clone(),
            name,
            runtime: Handle::current(),
        })
    }

    async fn vectors(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        let input: Vec<String> = texts
            .iter()
            .map(|t| mask(t).chars().take(LONGEST).collect())
            .collect();
        let headers: Vec<_> = self
            .wire
            .key()
            .map(|key| ("authorization", format!("Bearer {key}")))
            .into_iter()
            .collect();
        let body = json!({"model": self.model, "input": input, "encoding_format": "float"});
        let answer = self
            .wire
            .post("embeddings", &headers, &body)
            .await
            .map_err(|e| EmbedError(e.to_string()))?;
        read(&answer, texts.len()).ok_or_else(|| {
            EmbedError("the server answered with what are no vectors of these texts".to_owned())
        })
    }
}

/// A vector for each text, in their order: by their index where the server gives one.
fn read(answer: &Value, texts: usize) -> Option<Vec<Vector>> {
    let rows = answer["data"].as_array()?;
    let mut found: Vec<Option<Vector>> = vec![None; texts];
    for (n, row) in rows.iter().enumerate() {
        let at = row["index"]
            .as_u64()
            .map_or(Some(n), |i| usize::try_from(i).ok())?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "parts of a direction, rounded to eight bits next"
        )]
        let parts: Vec<f32> = row["embedding"]
            .as_array()?
            .iter()
            .map(|v| v.as_f64().map(|f| f as f32))
            .collect::<Option<_>>()?;
        *found.get_mut(at)? = Vector::of(&parts);
    }
    let all: Vec<Vector> = found.into_iter().collect::<Option<_>>()?;
    let size = |v: &Vector| v.to_bytes().len();
    all.windows(2)
        .all(|p| size(&p[0]) == size(&p[1]))
        .then_some(all)
}

impl Embedder for Embeddings {
    fn name(&self) -> &str {
        &self.name
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        let mut all = Vec::with_capacity(texts.len());
        for part in texts.chunks(TOGETHER) {
            all.extend(tokio::task::block_in_place(|| {
                self.runtime.block_on(self.vectors(part))
            })?);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_read_by_their_index_and_all_or_none() {
        let row =
            |index: Option<u64>, embedding: Value| json!({"index": index, "embedding": embedding});
        let good =
            json!({"data": [row(Some(1), json!([0.0, 1.0])), row(Some(0), json!([1.0, 0.0]))]});
        let vectors = read(&good, 2).unwrap();
        assert!(vectors[0].cosine(&Vector::of(&[1.0, 0.0]).unwrap()) > 990);
        let unnumbered =
            json!({"data": [row(None, json!([1.0, 0.0])), row(None, json!([0.0, 1.0]))]});
        assert_eq!(read(&unnumbered, 2).unwrap(), vectors);
        for bad in [
            json!({"data": [row(Some(0), json!([1.0]))]}),
            json!({"data": [row(Some(0), json!([1.0])), row(Some(7), json!([1.0]))]}),
            json!({"data": [row(Some(0), json!([1.0])), row(Some(1), json!([1.0, 2.0]))]}),
            json!({"data": [row(Some(0), json!(["x"])), row(Some(1), json!([1.0]))]}),
            json!({"error": "no"}),
        ] {
            assert_eq!(read(&bad, 2), None, "{bad}");
        }
    }
}
