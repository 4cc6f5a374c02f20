//! A stream of server-sent events, closed while the tab is hidden: a browser opens six connections
//! to one origin, no more.

use std::{cell::RefCell, rc::Rc};

use leptos::prelude::document;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{EventSource, MessageEvent, VisibilityState};

/// Follows a stream for as long as the page lives; each event's text is given to `on_text`.
pub fn follow(address: String, on_text: impl Fn(String) + 'static) {
    let open: Rc<RefCell<Option<EventSource>>> = Rc::default();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(text) = event.data().as_string() {
            on_text(text);
        }
    });
    let callback = on_message
        .as_ref()
        .unchecked_ref::<js_sys::Function>()
        .clone();
    on_message.forget();
    let switch = move || {
        let visible = document().visibility_state() == VisibilityState::Visible;
        let mut open = open.borrow_mut();
        if !visible {
            if let Some(source) = open.take() {
                source.close();
            }
        } else if open.is_none()
            && let Ok(source) = EventSource::new(&address)
        {
            source.set_onmessage(Some(&callback));
            *open = Some(source);
        }
    };
    switch();
    let on_switch = Closure::<dyn FnMut()>::new(switch);
    let _ = document()
        .add_event_listener_with_callback("visibilitychange", on_switch.as_ref().unchecked_ref());
    on_switch.forget();
}
