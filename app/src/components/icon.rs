//! Icons of the one sprite, made by `style/icons.sh`. An icon is decoration: the word beside it, or
//! the name of its button, says what it means.

use leptos::prelude::*;

/// Address of the sprite, known to everything on a page; without it pages have no icons.
#[derive(Debug, Clone)]
pub struct IconSheet(pub String);

/// An icon, hidden from screen readers.
#[component]
pub fn Icon(
    /// The name that Lucide gives it; a test sees to it that the sprite has it.
    name: &'static str,
    #[prop(optional)] class: &'static str,
) -> impl IntoView {
    let sheet = use_context::<IconSheet>()?;
    let class = if class.is_empty() {
        "i".to_owned()
    } else {
        format!("i {class}")
    };
    Some(view! {
        <svg class=class aria-hidden="true">
            <use href=format!("{}#{name}", sheet.0)></use>
        </svg>
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    /// Names between `before` and the next quotation mark, in every file of a folder.
    fn named(folder: &Path, before: &str, into: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                named(&entry.path(), before, into);
                continue;
            }
            let text = fs::read_to_string(entry.path()).unwrap();
            into.extend(
                text.split(before)
                    .skip(1)
                    .filter_map(|rest| rest.split('"').next())
                    .map(str::to_owned),
            );
        }
    }

    #[test]
    fn the_sprite_has_every_icon_that_pages_name() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sprite = fs::read_to_string(root.join("../style/icons.svg")).unwrap();
        let has: BTreeSet<String> = sprite
            .split("symbol id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .map(str::to_owned)
            .collect();
        let mut wants = BTreeSet::new();
        named(&root.join("src"), "<Icon name=\"", &mut wants);
        named(&root.join("src"), "icon: \"", &mut wants);
        assert!(wants.len() > 10);
        assert!(
            wants.is_subset(&has),
            "run style/icons.sh with {:?}",
            wants.difference(&has)
        );
    }
}
