//! Records a model's answers and replays them, so that a dream can be run again without the model:
//! for tests, and to track down a fault. A record has one JSON line per answer, with the hash of
//! its request. It contains any session text that the model repeated.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use domain::canonical::sha256_hex;
use dream::model::{Answer, Ask, Failed, Model, Usage};
use serde::{Deserialize, Serialize};

/// A line of a record.
#[derive(Serialize, Deserialize)]
struct Line {
    model: String,
    request_sha256: String,
    text: String,
    usage: Usage,
}

fn hash(ask: &Ask) -> String {
    sha256_hex(serde_json::to_string(ask).unwrap_or_default().as_bytes())
}

/// A model whose answers are written down.
pub struct Recorder {
    model: Arc<dyn Model>,
    file: Mutex<File>,
}

impl Recorder {
    /// Adds to the file, which only its owner can read when it is made here.
    pub fn new(model: Arc<dyn Model>, file: &Path) -> std::io::Result<Self> {
        let mut options = File::options();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self {
            model,
            file: Mutex::new(options.open(file)?),
        })
    }

    fn write(&self, ask: &Ask, answer: &Answer) -> std::io::Result<()> {
        let line = Line {
            model: self.model.name(),
            request_sha256: hash(ask),
            text: answer.text.clone(),
            usage: answer.usage,
        };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(format!("{}\n", serde_json::to_string(&line)?).as_bytes())
    }
}

impl Model for Recorder {
    fn name(&self) -> String {
        self.model.name()
    }

    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Failed>> + Send + 'a>> {
        Box::pin(async move {
            let answer = self.model.ask(ask).await?;
            if let Err(error) = self.write(ask, &answer) {
                tracing::warn!(%error, "an answer could not be recorded");
            }
            Ok(answer)
        })
    }
}

/// A record that answers in the place of its model.
pub struct Replay {
    name: String,
    answers: HashMap<String, Answer>,
}

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadRecord {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A line is none of a record.
    #[error("line {0} is none of a record of answers: {1}")]
    Line(usize, serde_json::Error),
    /// It holds no answer.
    #[error("it holds no answers")]
    Empty,
}

impl Replay {
    /// Reads a file of recorded answers.
    pub fn read(file: &Path) -> Result<Self, BadRecord> {
        let mut replay = Self {
            name: String::new(),
            answers: HashMap::new(),
        };
        for (n, line) in BufReader::new(File::open(file)?).lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_str(&line).map_err(|e| BadRecord::Line(n + 1, e))?;
            replay.name = line.model;
            replay.answers.insert(
                line.request_sha256,
                Answer {
                    text: line.text,
                    usage: line.usage,
                },
            );
        }
        if replay.answers.is_empty() {
            Err(BadRecord::Empty)
        } else {
            Ok(replay)
        }
    }
}

impl Model for Replay {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Failed>> + Send + 'a>> {
        let known = self.answers.get(&hash(ask)).cloned();
        Box::pin(std::future::ready(known.ok_or_else(|| {
            Failed::Refused("this request is not in the record".to_owned())
        })))
    }
}
