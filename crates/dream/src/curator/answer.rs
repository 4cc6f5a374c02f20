//! Reads what a model answered: a list of items, of which those that can be used are kept. An
//! answer that was cut off, as happens at the limit of tokens, still holds what came before.

use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};

/// An item of the list that an answer holds.
pub trait Item: DeserializeOwned {
    /// The name of the list.
    const LIST: &'static str;
    /// Most items that are read.
    const MOST: usize;

    /// Returns what is wrong with it, if anything is.
    fn wrong(&self) -> Option<&'static str>;
}

/// The items of an answer that could not be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Items that are not as they were asked for.
    pub malformed: usize,
    /// The answer ends in its middle, or holds more items than are read.
    pub cut: bool,
}

/// The items of an answer. What is wrong with an answer of which nothing can be used is said so
/// that the model can mend it.
pub fn items<T: Item>(answer: &str) -> Result<(Vec<T>, Lost), String> {
    // Some models wrap JSON in a code fence even when told not to.
    let text = answer
        .trim()
        .trim_start_matches("```json")
        .trim_start_matches("```")
        .trim_end_matches("```")
        .trim();
    let mut lost = Lost::default();
    let values = match serde_json::from_str::<Value>(text) {
        Ok(mut whole) => match whole.get_mut(T::LIST).map(Value::take) {
            Some(Value::Array(values)) => values,
            _ => return Err(format!("it has no list `{}`", T::LIST)),
        },
        Err(error) => {
            lost.cut = true;
            let values = whole_items(text, T::LIST);
            if values.is_empty() {
                return Err(format!("it is not the JSON that was asked for: {error}"));
            }
            values
        }
    };
    lost.cut |= values.len() > T::MOST;
    let mut kept = Vec::new();
    let mut first_wrong = None;
    for (n, value) in values.into_iter().enumerate().take(T::MOST) {
        let read = serde_json::from_value::<T>(value).map_err(|e| e.to_string());
        match read.and_then(|item| item.wrong().map_or(Ok(item), |why| Err(why.to_owned()))) {
            Ok(item) => kept.push(item),
            Err(why) => {
                lost.malformed += 1;
                first_wrong.get_or_insert(format!("item {n} of `{}`: {why}", T::LIST));
            }
        }
    }
    match first_wrong {
        Some(wrong) if kept.is_empty() => Err(wrong),
        _ => Ok((kept, lost)),
    }
}

/// The items that stand whole in the list of an answer that breaks off.
fn whole_items(text: &str, list: &str) -> Vec<Value> {
    let name = format!("\"{list}\"");
    let Some(open) = text
        .rfind(&name)
        .and_then(|at| Some(at + name.len() + text[at + name.len()..].find('[')? + 1))
    else {
        return Vec::new();
    };
    let mut rest = &text[open..];
    let mut values = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        let mut stream = Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(value @ Value::Object(_))) = stream.next() else {
            return values;
        };
        values.push(value);
        rest = &rest[stream.byte_offset()..];
    }
}

/// True if a text is one non-empty line of at most `most` characters.
pub(super) fn is_line(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.contains(['\n', '\r'])
}
