//! Lists that are read day by day.

use domain::Timestamp;
use leptos::prelude::*;

/// A list in sections, one a day, in the order in which it came. `item` shows one entry, as an
/// `<li>`.
pub fn by_day<T, V: IntoView + 'static>(
    rows: Vec<T>,
    now: Timestamp,
    at: impl Fn(&T) -> Timestamp,
    item: impl Fn(T) -> V,
) -> AnyView {
    let mut days: Vec<(String, Vec<T>)> = Vec::new();
    for row in rows {
        let day = at(&row).day();
        match days.last_mut() {
            Some((last, inside)) if *last == day => inside.push(row),
            _ => days.push((day, vec![row])),
        }
    }
    let show = |(day, rows): (String, Vec<T>)| {
        let title = if day == now.day() {
            "Today (UTC)".to_owned()
        } else {
            format!("{day} (UTC)")
        };
        let items = rows.into_iter().map(&item).collect_view();
        view! {
            <section>
                <h2>{title}</h2>
                <ol class="timeline dated">{items}</ol>
            </section>
        }
    };
    view! { <div class="stack">{days.into_iter().map(show).collect_view()}</div> }.into_any()
}
