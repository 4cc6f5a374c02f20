//! Mappings of transcripts: guessed from a sample, tried on it, saved, deleted.

use std::collections::BTreeMap;

use leptos::prelude::*;
use service::{
    Error,
    transcripts::mapping::{Mapping, Places, Role},
};

use super::{Answer, Fields, answer, fields};
use crate::{actions::account::encoded, context::Request};

/// Longest sample that is kept while a mapping is worked on, in bytes.
const SAMPLE_BYTES: usize = 256 * 1024;
/// The page with the form.
const EDIT: &str = "/mappings/edit";

/// Guesses a mapping from the sample, shows what becomes of the sample, or saves the mapping, as
/// `what` says.
#[server(prefix = "/do", endpoint = "edit_mapping")]
pub async fn edit_mapping(
    what: String,
    name: String,
    #[server(default)] sample: String,
    #[server(default)] roles: String,
    #[server(default)] parts: BTreeMap<String, String>,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let mut kept = fields([("name", &name), ("sample", &sample), ("roles", &roles)]);
    kept.extend(parts.clone());
    let result = async {
        let actor = request.actor()?;
        // Anyone who may not save one has nothing to try either.
        request.lucid.mappings(actor).await?;
        if sample.len() > SAMPLE_BYTES {
            return Err(Error::Invalid(format!(
                "a sample has at most {} kB: its first records are enough",
                SAMPLE_BYTES / 1024
            )));
        }
        match what.as_str() {
            "save" => {
                let mapping = mapping_of(&kept).map_err(Error::Invalid)?;
                request.lucid.save_mapping(actor, &mapping).await?;
                Ok(format!("/mappings?done={}", encoded(mapping.name.trim())))
            }
            "guess" => {
                let guess = Mapping::guess_from(sample.trim().as_bytes())
                    .and_then(|text| serde_json::from_str::<Mapping>(&text).ok())
                    .ok_or_else(|| {
                        Error::Invalid(
                            "the sample has to begin with a JSON object, or a list of them"
                                .to_owned(),
                        )
                    })?;
                let mut guessed = fields_of(&guess);
                guessed.extend(fields([
                    ("name", &name),
                    ("sample", &sample),
                    ("roles", &roles),
                ]));
                kept_for(&request, &guessed).await
            }
            _ => {
                mapping_of(&kept).map_err(Error::Invalid)?;
                kept_for(&request, &kept).await
            }
        }
    }
    .await;
    answer(&request, result, EDIT, kept.clone()).await
}

/// Deletes a saved mapping.
#[server(prefix = "/do", endpoint = "delete_mapping")]
pub async fn delete_mapping(name: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .delete_mapping(request.actor()?, &name)
            .await?;
        Ok("/mappings".to_owned())
    }
    .await;
    answer(&request, result, "/mappings", fields([])).await
}

/// Keeps what was typed; the address of the page that shows it again.
async fn kept_for(request: &Request, fields: &Fields) -> service::Result<String> {
    let user = request.actor()?.who.person().ok_or(Error::SignIn)?;
    Ok(format!(
        "{EDIT}?draft={}#seen",
        request.lucid.keep_form(user, fields).await?
    ))
}

/// The mapping that the fields of the form mean: places separated by spaces or commas, and a word
/// with its meaning a line.
pub fn mapping_of(fields: &Fields) -> Result<Mapping, String> {
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let mut mapping = Mapping {
        name: field("name").trim().to_owned(),
        ..Mapping::default()
    };
    let names: Vec<&str> = mapping.parts().iter().map(|(name, _)| *name).collect();
    for name in names {
        let places: Vec<String> = field(name)
            .split([' ', ',', '\n', '\r', '\t'])
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect();
        if let Some(part) = mapping.part_mut(name) {
            *part = Places(places);
        }
    }
    for line in field("roles").lines().filter(|l| !l.trim().is_empty()) {
        let (word, meaning) = line
            .split_once('=')
            .ok_or_else(|| format!("write `{}` as word = user", line.trim()))?;
        let role: Role = serde_json::from_value(serde_json::Value::String(
            meaning.trim().to_owned(),
        ))
        .map_err(|_| {
            format!(
                "`{}` is no meaning of a word: user, agent, thinking, system, tool, denial or raw",
                meaning.trim()
            )
        })?;
        mapping.roles.insert(word.trim().to_owned(), role);
    }
    mapping.check()?;
    Ok(mapping)
}

/// The fields of the form that mean a mapping.
pub fn fields_of(mapping: &Mapping) -> Fields {
    let mut found: Fields = mapping
        .parts()
        .iter()
        .map(|(name, places)| ((*name).to_owned(), places.0.join(" ")))
        .collect();
    found.insert("name".to_owned(), mapping.name.clone());
    let word = |role: &Role| {
        serde_json::to_value(role)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    };
    let roles: Vec<String> = mapping
        .roles
        .iter()
        .map(|(from, to)| format!("{from} = {}", word(to)))
        .collect();
    found.insert("roles".to_owned(), roles.join("\n"));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_and_the_fields_of_its_form_mean_the_same() {
        let text = r#"{"name":"desk","records":"/turns","role":"/who","text":["/a","/b"],"roles":{"gast":"user","kasse":"tool"}}"#;
        let mapping = Mapping::parse(text).unwrap();
        assert_eq!(mapping_of(&fields_of(&mapping)).unwrap(), mapping);
        let mut wrong = fields_of(&mapping);
        wrong.insert("roles".into(), "gast user".into());
        assert!(mapping_of(&wrong).unwrap_err().contains("word = user"));
        wrong.insert("roles".into(), "gast = owner".into());
        assert!(mapping_of(&wrong).unwrap_err().contains("no meaning"));
    }
}
