//! Signing in, what a one-time link opens, asking for access, and one's own account.

use leptos::prelude::*;
use service::{LinkPurpose, OwnSignIn};

use crate::{
    components::{
        forms::{self, Refused, form_token},
        layout::Heading,
        text::Visible,
        when::When,
    },
    context::{Request, page},
};

/// `/sign-in`: the form for email and password.
#[component]
pub fn SignIn() -> impl IntoView {
    page("", |request| async move {
        let refused = request.refused().await;
        let email = forms::kept(refused.as_ref(), "email").unwrap_or_default();
        let next = request.query.get("next").cloned().unwrap_or_default();
        Ok(view! {
            <p class="brand">"Lucid"</p>
            <Heading title="Sign in" />
            <Refused form=refused />
            <form method="post" action="/do/sign_in" class="stack card">
                {form_token()}
                <input type="hidden" name="next" value=next />
                <label>
                    "Email"
                    <input
                        type="email"
                        name="email"
                        value=email
                        autocomplete="username"
                        required
                        autofocus
                    />
                </label>
                <label>
                    "Password"
                    <input
                        type="password"
                        name="password"
                        autocomplete="current-password"
                        required
                    />
                </label>
                <button class="primary">"Sign in"</button>
            </form>
            <p class="quiet">
                "No account? "<a href="/request-access">"Request access"</a>
                ". Forgot your password? An admin can send you a new sign-in link."
            </p>
        }
        .into_any())
    })
}

/// Sets a password, and makes the first admin where the link is for that.
#[component]
pub fn UseLink() -> impl IntoView {
    page("", |request| async move {
        let refused = request.refused().await;
        let token = request.params.get("token").cloned().unwrap_or_default();
        let purpose = request.lucid.link_purpose(&token).await?;
        let kept = |name: &str| forms::kept(refused.as_ref(), name).unwrap_or_default();
        let (title, who) = match purpose {
            LinkPurpose::FirstAdmin => {
                let (name, email) = (kept("name"), kept("email"));
                let fields = view! {
                    <p>"You are the first person here. This creates your account as an admin."</p>
                    <label>
                        "Name"
                        <input
                            name="name"
                            value=name
                            autocomplete="name"
                            required
                            maxlength="100"
                            autofocus
                        />
                    </label>
                    <label>
                        "Email"
                        <input
                            type="email"
                            name="email"
                            value=email
                            autocomplete="username"
                            required
                        />
                    </label>
                };
                ("Create the first account", fields.into_any())
            }
            LinkPurpose::SetPassword { name, email } => {
                let fields = view! {
                    <p>
                        "Welcome, "{name}". Choose a password for "<strong>{email.clone()}</strong>
                        "."
                    </p>
                    <input type="hidden" name="email" value=email autocomplete="username" />
                };
                ("Choose a password", fields.into_any())
            }
        };
        Ok(view! {
            <p class="brand">"Lucid"</p>
            <Heading title=title />
            <Refused form=refused />
            <form method="post" action="/do/use_link" class="stack card">
                {form_token()}
                <input type="hidden" name="token" value=token />
                {who}
                <label>
                    "Password"
                    <input
                        type="password"
                        name="password"
                        autocomplete="new-password"
                        required
                        minlength="12"
                        aria-describedby="rule"
                    />
                </label>
                <p id="rule" class="quiet">
                    "At least 12 characters. A few words are fine."
                </p>
                <label>
                    "Repeat password"
                    <input type="password" name="again" autocomplete="new-password" required />
                </label>
                <button class="primary">"Set password and sign in"</button>
            </form>
        }
        .into_any())
    })
}

/// Asks an admin for access; nobody needs to be signed in.
#[component]
pub fn RequestAccess() -> impl IntoView {
    page("", |request| async move {
        let refused = request.refused().await;
        if request.query.contains_key("asked") {
            return Ok(view! {
                <Heading title="Request sent" />
                <p>
                    "An admin accepts or declines your request. If it is accepted, you get a link \
                     to set a password."
                </p>
                <p>
                    <a href="/sign-in">"Back to sign-in"</a>
                </p>
            }
            .into_any());
        }
        let kept = |name: &str| forms::kept(refused.as_ref(), name);
        let me = request.current.as_ref().map(|c| c.user.clone());
        let name = kept("name")
            .or(me.as_ref().map(|u| u.name.clone()))
            .unwrap_or_default();
        let email = kept("email").or(me.map(|u| u.email)).unwrap_or_default();
        let reason = kept("reason").unwrap_or_default();
        Ok(view! {
            <Heading title="Request access" />
            <Refused form=refused />
            <form method="post" action="/do/request_access" class="stack card">
                {form_token()}
                <label>
                    "Name"
                    <input name="name" value=name autocomplete="name" required maxlength="100" />
                </label>
                <label>
                    "Email"
                    <input type="email" name="email" value=email autocomplete="username" required />
                </label>
                <label>"Reason"<input name="reason" value=reason maxlength="1000" /></label>
                <button class="primary">"Request access"</button>
            </form>
        }
        .into_any())
    })
}

/// One's own account: sign-ins and password.
#[component]
pub fn Account() -> impl IntoView {
    page("", |request| async move {
        let sign_ins = request.lucid.own_sign_ins(request.actor()?).await?;
        let refused = request.refused().await;
        let changed = request.query.contains_key("changed").then(|| {
            view! {
                <div class="notice good" role="status">
                    <strong>"Password changed. "</strong>
                    "All other sign-ins have ended."
                </div>
            }
        });
        let title = request
            .current
            .as_ref()
            .map(|c| c.user.name.clone())
            .unwrap_or_default();
        let about = request
            .current
            .as_ref()
            .map(|c| format!("{} · {}", c.user.email, c.user.role));
        let rows = sign_ins
            .iter()
            .map(|s| sign_in_row(s, &request))
            .collect_view();
        Ok(view! {
            <Heading title=title />
            <p class="about">{about}</p>
            <Refused form=refused />
            {changed}
            <h2>"Sign-ins"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Sign-ins">
                <table>
                    <thead>
                        <tr>
                            <th>"Browser"</th>
                            <th>"From"</th>
                            <th>"Since"</th>
                            <th>"Expires"</th>
                            <th>"Change"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <form method="post" action="/do/end_sign_in">
                {form_token()}
                <button>"Sign out everywhere else"</button>
            </form>
            <section class="setting">
                <div>
                    <h2>"Password"</h2>
                </div>
                <form method="post" action="/do/change_password" class="stack">
                    {form_token()}
                    <label>
                        "Current password"
                        <input
                            type="password"
                            name="before"
                            autocomplete="current-password"
                            required
                        />
                    </label>
                    <label>
                        "New password"
                        <input
                            type="password"
                            name="password"
                            autocomplete="new-password"
                            required
                            minlength="12"
                            aria-describedby="new-rule"
                        />
                    </label>
                    <p id="new-rule" class="quiet">
                        "At least 12 characters. A few words are fine."
                    </p>
                    <label>
                        "Repeat new password"
                        <input type="password" name="again" autocomplete="new-password" required />
                    </label>
                    <button class="primary">"Change password"</button>
                </form>
            </section>
        }
        .into_any())
    })
}

fn sign_in_row(sign_in: &OwnSignIn, request: &Request) -> impl IntoView + use<> {
    let end = if sign_in.current {
        "This browser".into_any()
    } else {
        view! {
            <form method="post" action="/do/end_sign_in">
                {form_token()}
                <input type="hidden" name="handle" value=sign_in.handle.clone() />
                <button class="plain">"Sign out"</button>
            </form>
        }
        .into_any()
    };
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    view! {
        <tr>
            <td>
                <Visible text=known(&sign_in.browser) />
            </td>
            <td>{known(&sign_in.from)}</td>
            <td>
                <When at=sign_in.since now=request.now() />
            </td>
            <td>
                <When at=sign_in.expires now=request.now() />
            </td>
            <td>{end}</td>
        </tr>
    }
}
