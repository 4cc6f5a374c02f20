//! Small drawings beside the number that they show.

use leptos::prelude::*;

/// Most squares that are drawn one by one; a larger whole is a bar.
const SQUARES: i64 = 36;
/// Squares in a row.
const ROW: i64 = 18;

/// `14 of 18` as eighteen squares, fourteen of them filled; a bar where there are too many.
#[component]
pub fn Squares(some: i64, all: i64, label: String) -> impl IntoView {
    if all > SQUARES {
        return view! { <Bar some=some all=all label=label /> }.into_any();
    }
    let per_row = if all > ROW { ROW } else { all.max(1) };
    let rows = (all + per_row - 1) / per_row;
    let (width, height) = (per_row * 7, rows * 10);
    let one = |n: i64| {
        let class = if n < some { "u-on" } else { "u-off" };
        view! {
            <rect
                class=class
                x=((n % per_row) * 7).to_string()
                y=((n / per_row) * 10).to_string()
                width="5"
                height="8"
                rx="1.5"
            ></rect>
        }
    };
    view! {
        <svg
            width=width.to_string()
            height=height.to_string()
            viewBox=format!("0 0 {width} {height}")
            role="img"
            aria-label=label
        >
            {(0..all).map(one).collect_view()}
        </svg>
    }
    .into_any()
}

/// A part of a whole as a bar.
#[component]
pub fn Bar(some: i64, all: i64, label: String) -> impl IntoView {
    let filled = if all > 0 {
        (some.clamp(0, all) * 120 / all).to_string()
    } else {
        "0".to_owned()
    };
    view! {
        <svg width="120" height="8" viewBox="0 0 120 8" role="img" aria-label=label>
            <rect class="u-off" width="120" height="8" rx="4"></rect>
            <rect class="u-on" width=filled height="8" rx="4"></rect>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_squares_are_filled_as_there_are() {
        let html = view! { <Squares some=14 all=18 label="14 of 18".to_owned() /> }.to_html();
        assert_eq!(
            (html.matches("u-on").count(), html.matches("u-off").count()),
            (14, 4)
        );
        let large = view! { <Squares some=50 all=200 label=String::new() /> }.to_html();
        assert!(
            large.contains("width=\"30\""),
            "a quarter of the bar: {large}"
        );
        assert!(
            view! { <Bar some=0 all=0 label=String::new() /> }
                .to_html()
                .contains("width=\"0\"")
        );
    }
}
