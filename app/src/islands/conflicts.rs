//! The buttons that resolve the marked conflicts of an editor's text. Without scripts the marks are
//! resolved in the text.

use domain::merge::{Choice, conflicts};
use leptos::prelude::document;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Element, Event, HtmlElement, HtmlTextAreaElement};

/// Listens to the buttons of the cards that belong to a text area: `data-choice` in a
/// `data-conflict`, in the order of the text.
pub fn listen(area: &HtmlTextAreaElement) {
    let Ok(Some(cards)) =
        document().query_selector(&format!("[data-conflicts-of='{}']", area.id()))
    else {
        return;
    };
    let (place, text) = (cards.clone(), area.clone());
    let on_click = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        let button = event.target().and_then(|t| t.dyn_into::<Element>().ok());
        if let Some(button) = button.filter(|b| b.has_attribute("data-choice")) {
            choose(&place, &text, &button);
        }
    });
    let _ = cards.add_event_listener_with_callback("click", on_click.as_ref().unchecked_ref());
    on_click.forget();
    let text = area.clone();
    let on_input =
        Closure::<dyn FnMut()>::new(move || count(&cards, conflicts(&text.value()).len()));
    let _ = area.add_event_listener_with_callback("input", on_input.as_ref().unchecked_ref());
    on_input.forget();
}

/// Puts the choice into the text, as if it were typed, and goes on to the next conflict.
fn choose(cards: &Element, area: &HtmlTextAreaElement, button: &Element) {
    let Ok(Some(card)) = button.closest("[data-conflict]") else {
        return;
    };
    let at = before(&card);
    let choice = match button.get_attribute("data-choice").as_deref() {
        Some("now") => Choice::Now,
        Some("proposed") => Choice::Proposed,
        _ => Choice::Both,
    };
    let text = area.value();
    if let Some(conflict) = conflicts(&text).get(at) {
        area.set_value(&conflict.resolve(&text, choice));
        card.remove();
        if let Ok(typed) = Event::new("input") {
            let _ = area.dispatch_event(&typed);
        }
    }
    let next = cards
        .query_selector("button")
        .ok()
        .flatten()
        .and_then(|b| b.dyn_into::<HtmlElement>().ok());
    let _ = next.map_or_else(|| area.focus(), |button| button.focus());
}

/// How many cards are before this one.
fn before(card: &Element) -> usize {
    let earlier = std::iter::successors(
        card.previous_element_sibling(),
        Element::previous_element_sibling,
    );
    earlier.filter(|e| e.has_attribute("data-conflict")).count()
}

/// Says how many are left. Where one was resolved or spoilt by typing, the cards no longer fit the
/// text and go.
fn count(cards: &Element, left: usize) {
    let Ok(shown) = cards.query_selector_all("[data-conflict]") else {
        return;
    };
    if shown.length() as usize != left {
        (0..shown.length())
            .filter_map(|i| shown.get(i)?.dyn_into::<Element>().ok())
            .for_each(|card| card.remove());
    }
    if let Ok(Some(status)) = cards.query_selector("[role=status]") {
        let text = if left == 0 {
            "No conflict is left.".to_owned()
        } else {
            format!("{} left.", domain::plural::count(left, "conflict"))
        };
        status.set_text_content(Some(&text));
    }
}
