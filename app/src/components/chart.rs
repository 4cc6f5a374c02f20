//! Bars by week, drawn on the server, with the same numbers as a table beneath.

use leptos::prelude::*;

/// Width of a bar's place, of the whole drawing's height, and of the room for labels, in units of
/// the drawing.
const PLACE: i64 = 48;
const HEIGHT: i64 = 150;
const BELOW: i64 = 34;
const LEFT: i64 = 44;

/// A part of every bar: its name in the key, and the class that colours it.
pub type Series = (&'static str, &'static str);

/// A bar: what is below it, and its parts in the order of the series; and how many marks it has.
#[derive(Debug, Clone)]
pub struct BarOf {
    pub label: String,
    /// From the bottom up.
    pub parts: Vec<i64>,
    /// Marks above its label.
    pub marks: i64,
}

/// A drawing of bars with its table.
#[component]
pub fn Bars(
    /// The title of the table and of the drawing.
    title: &'static str,
    /// The parts of each bar, from the bottom up.
    series: &'static [Series],
    /// The bars, from left to right.
    bars: Vec<BarOf>,
    /// The name of the marks in the key; empty if no bar has one.
    #[prop(optional)]
    marked: &'static str,
) -> impl IntoView {
    let most = bars
        .iter()
        .map(|bar| bar.parts.iter().sum::<i64>())
        .max()
        .unwrap_or_default()
        .max(1);
    let width = LEFT + PLACE * i64::try_from(bars.len()).unwrap_or_default();
    let height_of = |value: i64| value.max(0) * (HEIGHT - 10) / most;
    let bar = |(n, bar): (usize, &BarOf)| {
        let x = LEFT + PLACE * i64::try_from(n).unwrap_or_default();
        let mut top = HEIGHT;
        let parts = series.iter().zip(&bar.parts).map(|((_, class), value)| {
            let height = height_of(*value);
            top -= height;
            view! {
                <rect
                    class=*class
                    x=(x + 6).to_string()
                    y=top.to_string()
                    width=(PLACE - 12).to_string()
                    height=height.to_string()
                ></rect>
            }
        });
        let parts = parts.collect_view();
        let label = (n % 2 == 0).then(|| {
            view! {
                <text
                    x=(x + PLACE / 2).to_string()
                    y=(HEIGHT + BELOW - 6).to_string()
                    text-anchor="middle"
                >
                    {bar.label.clone()}
                </text>
            }
        });
        let mark = (bar.marks > 0).then(|| {
            let (x, y) = (x + PLACE / 2, HEIGHT + 4);
            view! { <path class="c-mark" d=format!("M{x} {y}l5 8h-10z")></path> }
        });
        view! {
            {parts}
            {mark}
            {label}
        }
        .into_any()
    };
    let names: Vec<String> = bars.iter().map(|bar| bar.label.clone()).collect();
    let alt = format!(
        "{title}, by week from {} to {}",
        names.first().cloned().unwrap_or_default(),
        names.last().cloned().unwrap_or_default()
    );
    let key = |(name, class): &Series| {
        view! {
            <span class="line">
                <svg width="10" height="10" aria-hidden="true">
                    <rect class=*class width="10" height="10" rx="2"></rect>
                </svg>
                {*name}
            </span>
        }
    };
    let mark_key = (!marked.is_empty()).then(|| {
        view! {
            <span class="line">
                <svg width="10" height="10" aria-hidden="true">
                    <path class="c-mark" d="M5 1l5 8h-10z"></path>
                </svg>
                {marked}
            </span>
        }
    });
    let head = series
        .iter()
        .map(|(name, _)| view! { <th>{*name}</th> })
        .collect_view();
    let mark_head = (!marked.is_empty()).then(|| view! { <th>{marked}</th> });
    let row = |bar: &BarOf| {
        let marks = (!marked.is_empty()).then(|| view! { <td>{bar.marks}</td> });
        view! {
            <tr>
                <td>{bar.label.clone()}</td>
                {bar.parts.iter().map(|n| view! { <td>{*n}</td> }).collect_view()}
                {marks}
            </tr>
        }
    };
    view! {
        <figure class="chart">
            <div class="scroll" tabindex="0" role="region" aria-label=format!("Drawing: {title}")>
                <svg viewBox=format!("0 0 {width} {}", HEIGHT + BELOW) role="img" aria-label=alt>
                    <text x=(LEFT - 6).to_string() y="14" text-anchor="end">
                        {most}
                    </text>
                    <text x=(LEFT - 6).to_string() y=HEIGHT.to_string() text-anchor="end">
                        "0"
                    </text>
                    <path class="c-axis" d=format!("M{LEFT} {HEIGHT}H{width}")></path>
                    {bars.iter().enumerate().map(bar).collect_view()}
                </svg>
            </div>
            <figcaption class="line wrap quiet">
                {series.iter().map(key).collect_view()}{mark_key}
            </figcaption>
            <details>
                <summary>"As a table"</summary>
                <div class="scroll" tabindex="0" role="region" aria-label=title>
                    <table>
                        <thead>
                            <tr>
                                <th>"Week of"</th>
                                {head}
                                {mark_head}
                            </tr>
                        </thead>
                        <tbody>{bars.iter().map(row).collect_view()}</tbody>
                    </table>
                </div>
            </details>
        </figure>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIES: &[Series] = &[("Succeeded", "c-good"), ("Failed", "c-bad")];

    #[test]
    fn parts_are_stacked_to_the_height_of_the_largest_bar() {
        let bar = |parts: &[i64], marks| BarOf {
            label: "3 Nov".into(),
            parts: parts.to_vec(),
            marks,
        };
        let html = view! {
            <Bars
                title="Sessions"
                series=SERIES
                bars=vec![bar(&[10, 4], 0), bar(&[0, 7], 2)]
                marked="Commit"
            />
        }
        .to_html();
        assert!(
            html.contains("height=\"100\"")
                && html.contains("height=\"40\"")
                && html.contains("height=\"70\""),
            "{html}"
        );
        assert_eq!(
            html.matches("class=\"c-mark\"").count(),
            2,
            "one at the bar, one in the key"
        );
        assert!(
            html.contains("<td>10</td><td>4</td>") && html.contains("<td>0</td><td>7</td>"),
            "{html}"
        );
        let empty =
            view! { <Bars title="Sessions" series=SERIES bars=vec![bar(&[0, 0], 0)] /> }.to_html();
        assert!(empty.contains("height=\"0\""));
    }
}
