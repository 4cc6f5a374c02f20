//! Hostile text, shown as it is: plain, with hidden characters made visible.

use domain::scan::{look_alikes, must_be_shown};
use leptos::prelude::*;

/// A run of text that is either plain or one character that would not be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Shown as it is.
    Plain(String),
    /// Shown by its code point.
    Hidden(char),
    /// Shown as it is, with its code point: it passes for another letter.
    Alike(char),
}

/// Cuts a text at the characters that would not be seen.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let alike = look_alikes(text);
    for (at, c) in text.char_indices() {
        let passes = alike.binary_search(&at).is_ok();
        if passes || must_be_shown(c) {
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(if passes {
                Piece::Alike(c)
            } else {
                Piece::Hidden(c)
            });
        } else {
            plain.push(c);
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Plain(plain));
    }
    pieces
}

/// The same for where no markup can be: hidden characters as their code points.
#[must_use]
pub fn visible(text: &str) -> String {
    let show = |piece| match piece {
        Piece::Plain(text) => text,
        Piece::Hidden(c) => format!("U+{:04X}", u32::from(c)),
        Piece::Alike(c) => format!("{c} U+{:04X}", u32::from(c)),
    };
    pieces(text).into_iter().map(show).collect()
}

/// Text from agents, tools or memory. It is never HTML, and what hides in it is shown.
#[component]
pub fn Visible(#[prop(into)] text: String) -> impl IntoView {
    let show = |piece| match piece {
        Piece::Plain(text) => view! { {text} }.into_any(),
        Piece::Hidden(c) => {
            let code = format!("U+{:04X}", u32::from(c));
            view! {
                <span class="hidden-char" title="a character that is not seen">
                    {code}
                </span>
            }
            .into_any()
        }
        Piece::Alike(c) => {
            let text = format!("{c} U+{:04X}", u32::from(c));
            view! {
                <span
                    class="hidden-char"
                    title="a letter of another alphabet that passes for a Latin one"
                >
                    {text}
                </span>
            }
            .into_any()
        }
    };
    pieces(&text).into_iter().map(show).collect_view()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_cut_out() {
        let plain = |t: &str| Piece::Plain(t.into());
        assert_eq!(
            pieces("a\u{202e}b"),
            [plain("a"), Piece::Hidden('\u{202e}'), plain("b")]
        );
        assert_eq!(
            pieces("p\u{430}y"),
            [plain("p"), Piece::Alike('\u{430}'), plain("y")]
        );
        assert_eq!(pieces("a\nb\t"), [plain("a\nb\t")]);
        assert_eq!(
            pieces("\u{200b}\u{200b}"),
            [Piece::Hidden('\u{200b}'), Piece::Hidden('\u{200b}')]
        );
    }
}
