//! The text of an element whose content HTML reads as text with character references (`title`,
//! `textarea`). Leptos 0.8 writes both raw.

/// The text with whatever could end the element, or be read as a reference, written as a reference.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_ends_the_element() {
        assert_eq!(
            escaped("</textarea><script>&"),
            "&lt;/textarea&gt;&lt;script&gt;&amp;"
        );
        assert_eq!(escaped("</title><form>"), "&lt;/title&gt;&lt;form&gt;");
    }
}
