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

/// Address and password.
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
            <form method="post" action="/do/sign_in" class="stack card">{form_token()}
                <input type="hidden" name="next" value=next />
                <label>"Address"<input type="email" name="email" value=email autocomplete="username" required autofocus /></label>
                <label>"Password"<input type="password" name="password" autocomplete="current-password" required /></label>
                <button class="primary">"Sign in"</button>
            </form>
            <p class="quiet">"No account yet? "<a href="/request-access">"Ask for access"</a>". No password, or forgotten it? An admin makes you a one-time link."</p>
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
                    <p>"You are the first here: this makes your account, and you are its admin."</p>
                    <label>"Name"<input name="name" value=name autocomplete="name" required maxlength="100" autofocus /></label>
                    <label>"Address"<input type="email" name="email" value=email autocomplete="username" required /></label>
                };
                ("Make the first account", fields.into_any())
            }
            LinkPurpose::SetPassword { name, email } => {
                let fields = view! {
                    <p>"Welcome, "{name}". Choose a password for "<strong>{email.clone()}</strong>"."</p>
                    <input type="hidden" name="email" value=email autocomplete="username" />
                };
                ("Choose a password", fields.into_any())
            }
        };
        Ok(view! {
            <p class="brand">"Lucid"</p>
            <Heading title=title />
            <Refused form=refused />
            <form method="post" action="/do/use_link" class="stack card">{form_token()}
                <input type="hidden" name="token" value=token />
                {who}
                <label>"Password"<input type="password" name="password" autocomplete="new-password" required minlength="12" aria-describedby="rule" /></label>
                <p id="rule" class="quiet">"At least 12 characters; a few words do."</p>
                <label>"The same again"<input type="password" name="again" autocomplete="new-password" required /></label>
                <button class="primary">"Set it and sign in"</button>
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
                <Heading title="Your request waits" />
                <p>"An admin accepts or declines it. If it is accepted, they send you a one-time link with which you choose a password."</p>
                <p><a href="/sign-in">"To the sign-in"</a></p>
            }
            .into_any());
        }
        let kept = |name: &str| forms::kept(refused.as_ref(), name);
        let me = request.current.as_ref().map(|c| c.user.clone());
        let name = kept("name").or(me.as_ref().map(|u| u.name.clone())).unwrap_or_default();
        let email = kept("email").or(me.map(|u| u.email)).unwrap_or_default();
        let reason = kept("reason").unwrap_or_default();
        Ok(view! {
            <Heading title="Ask for access" />
            <Refused form=refused />
            <form method="post" action="/do/request_access" class="stack card">{form_token()}
                <label>"Name"<input name="name" value=name autocomplete="name" required maxlength="100" /></label>
                <label>"Address"<input type="email" name="email" value=email autocomplete="username" required /></label>
                <label>"What for"<input name="reason" value=reason maxlength="1000" /></label>
                <button class="primary">"Ask"</button>
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
            view! { <div class="notice good" role="status"><strong>"Your password is changed. "</strong>"Every other sign-in has ended."</div> }
        });
        let title = request.current.as_ref().map(|c| c.user.name.clone()).unwrap_or_default();
        let about = request.current.as_ref().map(|c| format!("{} · {}", c.user.email, c.user.role));
        let rows = sign_ins.iter().map(|s| sign_in_row(s, &request)).collect_view();
        Ok(view! {
            <Heading title=title />
            <p class="about">{about}</p>
            <Refused form=refused />
            {changed}
            <h2>"Where you are signed in"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Sign-ins">
                <table>
                    <thead><tr><th>"Browser"</th><th>"From"</th><th>"Since"</th><th>"Ends"</th><th>"Change"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <form method="post" action="/do/end_sign_in">{form_token()}<button>"End every other sign-in"</button></form>
            <h2>"Password"</h2>
            <form method="post" action="/do/change_password" class="stack card">{form_token()}
                <label>"The one you have"<input type="password" name="before" autocomplete="current-password" required /></label>
                <label>"The new one"<input type="password" name="password" autocomplete="new-password" required minlength="12" aria-describedby="new-rule" /></label>
                <p id="new-rule" class="quiet">"At least 12 characters; a few words do."</p>
                <label>"The new one again"<input type="password" name="again" autocomplete="new-password" required /></label>
                <button class="primary">"Change it"</button>
            </form>
        }
        .into_any())
    })
}

fn sign_in_row(sign_in: &OwnSignIn, request: &Request) -> impl IntoView + use<> {
    let end = if sign_in.current {
        "this one".into_any()
    } else {
        view! {
            <form method="post" action="/do/end_sign_in">{form_token()}
                <input type="hidden" name="handle" value=sign_in.handle.clone() />
                <button class="plain">"end it"</button>
            </form>
        }
        .into_any()
    };
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "not known".to_owned());
    view! {
        <tr>
            <td><Visible text=known(&sign_in.browser) /></td>
            <td>{known(&sign_in.from)}</td>
            <td><When at=sign_in.since now=request.now() /></td>
            <td><When at=sign_in.expires now=request.now() /></td>
            <td>{end}</td>
        </tr>
    }
}
