//! Markdown as a person reads it: headings, lists, code and paragraphs. Nothing of it is HTML or a
//! link, and nothing is loaded: the text is an agent's. What is no such structure is shown as it
//! is.

use leptos::prelude::*;

use super::text::Visible;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading with its level.
    Heading(usize, String),
    /// A list; numbered or not.
    List(bool, Vec<String>),
    /// Code, as it is.
    Code(String),
    /// Any other lines, joined.
    Paragraph(String),
}

/// The parts of a Markdown text, in order.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block> {
    let mut all: Vec<Block> = Vec::new();
    let mut fence: Option<String> = None;
    let mut apart = true;
    for line in text.lines() {
        if let Some(code) = &mut fence {
            if line.trim_start().starts_with("```") {
                all.push(Block::Code(std::mem::take(code)));
                fence = None;
            } else {
                code.push_str(line);
                code.push('\n');
            }
            apart = true;
            continue;
        }
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            fence = Some(String::new());
        } else if trimmed.is_empty() {
            apart = true;
        } else {
            add(&mut all, trimmed, line.starts_with("  "), apart);
            apart = false;
        }
    }
    all.extend(fence.map(Block::Code));
    all
}

fn add(all: &mut Vec<Block>, line: &str, indented: bool, apart: bool) {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    if (1..=6).contains(&level) && line[level..].starts_with(' ') {
        all.push(Block::Heading(level, line[level..].trim().to_owned()));
        return;
    }
    if let Some((numbered, item)) = item(line) {
        match all.last_mut() {
            Some(Block::List(kind, items)) if *kind == numbered => items.push(item.to_owned()),
            _ => all.push(Block::List(numbered, vec![item.to_owned()])),
        }
        return;
    }
    match all.last_mut() {
        Some(Block::Paragraph(text)) if !apart => *text = format!("{text} {line}"),
        Some(Block::List(_, items)) if !apart || indented => {
            if let Some(last) = items.last_mut() {
                *last = format!("{last} {line}");
            }
        }
        _ => all.push(Block::Paragraph(line.to_owned())),
    }
}

/// The text of a list item, and whether it is numbered.
fn item(line: &str) -> Option<(bool, &str)> {
    if let Some(rest) = ["- ", "* ", "+ "]
        .iter()
        .find_map(|mark| line.strip_prefix(mark))
    {
        return Some((false, rest.trim()));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line[digits..]
        .strip_prefix(". ")
        .or_else(|| line[digits..].strip_prefix(") "))?;
    (digits > 0).then_some((true, rest.trim()))
}

/// A text in which what is between backticks is code.
#[component]
pub fn Inline(#[prop(into)] text: String) -> impl IntoView {
    inline(&text)
}

fn inline(text: &str) -> AnyView {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of backticks: one of them is only a backtick.
    if parts.len().is_multiple_of(2) {
        return view! { <Visible text=text.to_owned() /> }.into_any();
    }
    let part = |(i, part): (usize, &str)| {
        let text = view! { <Visible text=part.to_owned() /> };
        if i % 2 == 1 {
            view! { <code>{text}</code> }.into_any()
        } else {
            text.into_any()
        }
    };
    parts
        .into_iter()
        .enumerate()
        .map(part)
        .collect_view()
        .into_any()
}

/// A memory as a person reads it.
#[component]
pub fn Prose(#[prop(into)] text: String) -> impl IntoView {
    let block = |block: Block| match block {
        Block::Heading(1, text) => view! { <h2>{inline(&text)}</h2> }.into_any(),
        Block::Heading(_, text) => view! { <h3>{inline(&text)}</h3> }.into_any(),
        Block::List(numbered, items) => {
            let items = items
                .iter()
                .map(|i| view! { <li>{inline(i)}</li> })
                .collect_view();
            if numbered {
                view! { <ol>{items}</ol> }.into_any()
            } else {
                view! { <ul>{items}</ul> }.into_any()
            }
        }
        Block::Code(text) => view! {
            <pre tabindex="0">
                <Visible text=text />
            </pre>
        }
        .into_any(),
        Block::Paragraph(text) => view! { <p>{inline(&text)}</p> }.into_any(),
    };
    view! { <div class="prose">{blocks(&text).into_iter().map(block).collect_view()}</div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_note() {
        let text = "# query_logs\n\nUse it\nfor logs.\n\n- one\n- two,\n  and more\n\n1. first\n2) \
            second\n\n```\na < b\n```\nend";
        let list = |numbered, items: &[&str]| {
            Block::List(numbered, items.iter().map(|i| (*i).to_owned()).collect())
        };
        assert_eq!(
            blocks(text),
            [
                Block::Heading(1, "query_logs".into()),
                Block::Paragraph("Use it for logs.".into()),
                list(false, &["one", "two, and more"]),
                list(true, &["first", "second"]),
                Block::Code("a < b\n".into()),
                Block::Paragraph("end".into()),
            ]
        );
    }

    #[test]
    fn nothing_is_dropped_and_nothing_is_markup() {
        let hostile =
            "<script>x</script> [a](javascript:1) ![b](http://c)\n####### seven\n-not a list\n`odd";
        let html = view! { <Prose text=hostile /> }.to_html();
        assert!(
            !html.contains("<script") && !html.contains("<a ") && !html.contains("<img"),
            "{html}"
        );
        for word in [
            "javascript:1",
            "http://c",
            "####### seven",
            "-not a list",
            "`odd",
        ] {
            assert!(html.contains(word), "{word} in {html}");
        }
        assert_eq!(blocks("```\nunclosed"), [Block::Code("unclosed\n".into())]);
        assert_eq!(blocks(""), []);
    }
}
