//! `/styleguide`: every component in each of its states, for developers; served only with
//! `--style-guide`. What it shows is made up.

use domain::{
    Timestamp,
    changeset::{ChangeKind, ChangeState},
    event::{OutcomeResult, OutcomeSource},
    risk::{Label, RiskLevel},
};
use leptos::prelude::*;

use crate::components::{
    badges::{KindBadge, Labels, OutcomeBadge, RiskBadge, StateBadge},
    diff::Diff,
    drawings::{Bar, Squares},
    icon::Icon,
    layout::{Avatar, Crumbs, Empty, Heading, Machine},
    number::Number,
    prose::{Inline, Prose},
    text::Visible,
    text_area::TextArea,
    when::When,
};

/// The page's sections, in one column.
#[component]
pub fn StyleGuide() -> impl IntoView {
    view! {
        <main id="main" tabindex="-1">
            <Heading
                title="Style guide"
                action=view! {
                    <button class="quiet">"Quiet"</button>
                    <button>"Secondary"</button>
                    <button class="primary">"Primary"</button>
                }
                    .into_any()
            />
            {tabs()}
            {section("Buttons", buttons())}
            {section("Marks", marks())}
            {section("Labels", view! { <Labels labels=Label::ALL.to_vec() /> }.into_any())}
            {section("Fields", fields())}
            {section("Notices", notices())}
            {section("Figures", figures())}
            {section("Rows", rows())}
            {section("Diff", diff())}
            {section("Text", text())}
            {section("Activity", activity())}
            {section("Table", table())}
            {section(
                "Nothing yet",
                view! {
                    <Empty title="Nothing waits for a decision">
                        <p>"What to do is said here."</p>
                        <a class="button primary" href="#main">
                            "Do it"
                        </a>
                    </Empty>
                }
                    .into_any(),
            )}
        </main>
    }
}

fn section(title: &'static str, content: AnyView) -> AnyView {
    view! {
        <section class="stack" aria-label=title>
            <h2>{title}</h2>
            {content}
        </section>
    }
    .into_any()
}

fn tabs() -> AnyView {
    view! {
        <nav class="tabs" aria-label="Tabs">
            <ul>
                <li>
                    <a href="#main" aria-current="page">
                        "Chosen "
                        <span>"3"</span>
                    </a>
                </li>
                <li>
                    <a href="#main">"Another "<span>"12"</span></a>
                </li>
                <li>
                    <a href="#main">"Without a number"</a>
                </li>
            </ul>
        </nav>
    }
    .into_any()
}

fn buttons() -> AnyView {
    view! {
        <p class="line wrap">
            <button class="primary">
                "Primary"<kbd class="key" aria-hidden="true">
                    "A"
                </kbd>
            </button>
            <button class="danger primary">"Reject"</button>
            <button>
                "Secondary"<kbd class="key" aria-hidden="true">
                    "E"
                </kbd>
            </button>
            <button class="danger">"Remove"</button>
            <button class="quiet">
                <Icon name="list-checks" />
                "Quiet"
            </button>
            <button class="icon" aria-label="Claim">
                <Icon name="hand" />
            </button>
            <button disabled>"Disabled"</button>
            <button class="plain">"Plain"</button>
            <a class="button" href="#main">
                "A link as a button"
            </a>
        </p>
        <p class="line wrap">
            <button type="button" class="chip bare">
                "A filter"
                <Icon name="chevron-down" />
            </button>
            <a class="chip on" href="#main">
                "Risk: High"
                <Icon name="x" />
            </a>
        </p>
        <div class="seg">
            <button class="bare" aria-current="true">
                "Unified"
            </button>
            <button class="bare">"Split"</button>
            <button class="bare">"Preview"</button>
        </div>
        <Crumbs trail=vec![
            ("#main".to_owned(), "Queue".to_owned()),
            ("#main".to_owned(), "Support".to_owned()),
        ]>
            <b>"Where one is"</b>
        </Crumbs>
    }
    .into_any()
}

fn marks() -> AnyView {
    let risks = [RiskLevel::High, RiskLevel::Medium, RiskLevel::Low]
        .map(|level| view! { <RiskBadge level=level long=true /> });
    let kinds = ChangeKind::ALL
        .iter()
        .map(|kind| view! { <KindBadge kind=*kind /> })
        .collect_view();
    let states = ChangeState::ALL
        .iter()
        .map(|state| view! { <StateBadge state=*state conflicted=false /> })
        .collect_view();
    let outcomes = [
        (Some(OutcomeResult::Success), Some(OutcomeSource::Checks)),
        (Some(OutcomeResult::Failure), Some(OutcomeSource::Claimed)),
        (None, None),
    ];
    let outcomes =
        outcomes.map(|(outcome, source)| view! { <OutcomeBadge outcome=outcome source=source /> });
    view! {
        <p class="line wrap">{risks}</p>
        <p class="meta">{kinds}</p>
        <p class="line wrap">{states}<StateBadge state=ChangeState::Pending conflicted=true /></p>
        <p class="line wrap">{outcomes}</p>
        <p class="line wrap">
            <span class="badge">"Plain"</span>
            <span class="badge good">"Good"</span>
            <span class="badge warn">"Warning"</span>
            <span class="badge bad">"Bad"</span>
            <span class="badge info">"Information"</span>
        </p>
        <p class="line wrap">
            <Avatar name="Rui Reviewer" />
            <Avatar name="Ada Admin" me=true />
            <Machine />
            <span class="pips">
                <i class="on"></i>
                <i></i>
            </span>
        </p>
    }
    .into_any()
}

fn fields() -> AnyView {
    view! {
        <label>"A field"<input name="text" value="What was typed" /></label>
        <label>
            "Empty, with an example"<input name="empty" placeholder="Filter by title or path" />
        </label>
        <label>
            "A choice"<select name="choice">
                <option>"Monday"</option>
                <option>"Tuesday"</option>
            </select>
        </label>
        <label class="check">
            <input type="checkbox" name="check" checked />
            "A box that is checked"
        </label>
        <label class="option">
            <input type="radio" name="radio" />
            "A numbered option"
            <kbd class="key" aria-hidden="true">
                "1"
            </kbd>
        </label>
        <TextArea
            name="area"
            id="area"
            value="# A note\n\n- One line."
            rows=4
            label="A text area"
        />
        <div class="find">
            <Icon name="search" />
            <input type="search" name="q" placeholder="Search" aria-label="Search" />
        </div>
        <progress max="10" value="4" aria-label="Progress"></progress>
    }
    .into_any()
}

fn notices() -> AnyView {
    view! {
        <p class="notice">"Something to know."</p>
        <p class="notice info">"Something that helps now."</p>
        <p class="notice good">
            <strong>"Saved. "</strong>
            "What was saved."
        </p>
        <p class="notice warn">
            <strong>"Conflict. "</strong>
            "What to look at first."
        </p>
        <p class="notice bad">
            <strong>"Not saved. "</strong>
            "How to fix it."
        </p>
        <p class="check-line">
            <Icon name="check" class="ok" />
            <span>"A requirement that is met"</span>
        </p>
        <p class="check-line">
            <Icon name="triangle-alert" class="no" />
            <span>"A requirement that is open"</span>
        </p>
    }
    .into_any()
}

fn figures() -> AnyView {
    view! {
        <div class="facts">
            <div>
                <b>"14 of 18 sessions"</b>
                <Squares some=14 all=18 label="14 of 18 sessions".to_owned() />
                <small>"showed this, of those that could"</small>
            </div>
            <div>
                <b>"65% confidence"</b>
                <Bar some=65 all=100 label="65 percent".to_owned() />
                <small>"not used by any rule"</small>
            </div>
            <div>
                <b>"8 users, 12 tasks"</b>
                <small>"through 3 recorders"</small>
            </div>
        </div>
        <p>
            <Number text="Revision 2" means="Each edit makes a new revision." />
        </p>
    }
    .into_any()
}

fn rows() -> AnyView {
    let now = Timestamp(1_800_000_000_000_000);
    let row = |(title, detail, level, given): (&'static str, &'static str, RiskLevel, i64)| {
        let pips = (0..2)
            .map(|n| view! { <i class=if n < given { "on" } else { "" }></i> })
            .collect_view();
        view! {
            <li class="row">
                <input type="checkbox" name=title aria-label=title />
                <div class="b">
                    <p class="t cut">
                        <a href="#main">{title}</a>
                    </p>
                    <p class="d cut">
                        <Inline text=detail />
                    </p>
                </div>
                <span class="c">
                    <RiskBadge level=level />
                </span>
                <span class="c">
                    <span class="pips">{pips}</span>
                    <span>{given}"/2"</span>
                </span>
                <span class="c num due soon">
                    <When at=now.plus_seconds(7_200) now=now />
                </span>
                <span class="c num">
                    <Avatar name="Rui Reviewer" />
                </span>
            </li>
        }
    };
    let all = [
        (
            "Merge 2 copies of Headlines",
            "Both say the same; `/style/headlines.md` is kept.",
            RiskLevel::Medium,
            1,
        ),
        (
            "query_logs: range over 24 hours",
            "14 of 18 sessions failed, then asked for 24 hours.",
            RiskLevel::Low,
            0,
        ),
        (
            "Remove an expired note",
            "It ended on 1 March.",
            RiskLevel::High,
            0,
        ),
    ];
    view! {
        <div class="rows">
            <h2>
                <b>"Due within a day"</b>
                " 3"
            </h2>
            <ul>{all.map(row)}</ul>
        </div>
    }
    .into_any()
}

fn diff() -> AnyView {
    let rest = "\n## Later\n\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
    let before = format!(
        "# Refunds\n\n- Ask for the order number first.\n- Refund within 30 days.\n- Offer a \
         voucher.\n- Be brief.\n{rest}"
    );
    let after = format!(
        "# Refunds\n\n- Refund within 14 days.\n- Offer a voucher.\n- Be brief.\n- Ask for the \
         order number first.\n{rest}The end"
    );
    view! {
        <div class="diff-card">
            <header>
                <Icon name="file-text" />
                <span class="cut">
                    <code>"/policies/refunds.md"</code>
                </span>
                <span class="delta">
                    <b>"+3"</b>
                    " "
                    <s>"−2"</s>
                </span>
            </header>
            <Diff before=before.clone() after=after.clone() />
        </div>
        <div class="diff-card side-by-side">
            <Diff before=before after=after />
        </div>
    }
    .into_any()
}

fn text() -> AnyView {
    view! {
        <p>
            "A paragraph with "<a href="#main">"a link"</a>", "<code>"code"</code>
            ", and a letter that hides: "<Visible text="pay\u{200b}pal".to_owned() />
        </p>
        <p class="quiet">"Less important, smaller."</p>
        <p class="muted">"Less important."</p>
        <div class="card">
            <h3>"A card"</h3>
            <p>"It holds one topic."</p>
        </div>
        <figure class="quote">
            <blockquote>"Please always answer in German."</blockquote>
            <figcaption>"User, in session s-102"</figcaption>
        </figure>
        <figure class="quote against">
            <blockquote>"English is fine."</blockquote>
            <figcaption>"Against it"</figcaption>
        </figure>
        <Prose text="# A note\n\nWhen `query_logs` fails:\n\n- ask for 24 hours at most\n- then \
        page through\n\n1. first\n2. second\n\n```\nquery_logs --hours 24\n```\n" />
    }
    .into_any()
}

fn activity() -> AnyView {
    let now = Timestamp(1_800_000_000_000_000);
    view! {
        <ol class="timeline">
            <li>
                <Machine />
                <p>
                    <b>"A dream"</b>
                    " proposed this"
                </p>
                <When at=now.plus_seconds(-90_000) now=now />
            </li>
            <li>
                <Avatar name="Rui Reviewer" />
                <div>
                    <p>
                        <b>"Rui Reviewer"</b>
                        " approved"
                    </p>
                </div>
                <When at=now.plus_seconds(-3_600) now=now />
            </li>
            <li>
                <Avatar name="Ada Admin" me=true />
                <div>
                    <p>
                        <b>"You"</b>
                        " commented"
                    </p>
                    <p>"Is this still so?"</p>
                </div>
                <When at=now.plus_seconds(-60) now=now />
            </li>
        </ol>
    }
    .into_any()
}

fn table() -> AnyView {
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label="Table">
            <table>
                <thead>
                    <tr>
                        <th>"Name"</th>
                        <th>"Role"</th>
                        <th>"Stores"</th>
                    </tr>
                </thead>
                <tbody>
                    <tr>
                        <td>"Ada Admin"</td>
                        <td>"Admin"</td>
                        <td>"All"</td>
                    </tr>
                    <tr>
                        <td>"Rui Reviewer"</td>
                        <td>"Reviewer"</td>
                        <td>"Support"</td>
                    </tr>
                </tbody>
            </table>
        </div>
    }
    .into_any()
}
