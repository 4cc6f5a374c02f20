//! Signing in, and what a one-time link opens.

use leptos::prelude::*;
use service::LinkPurpose;

use crate::{
    components::{forms::Refused, layout::Heading},
    context::page,
};

/// Address and password.
#[component]
pub fn SignIn() -> impl IntoView {
    page("", |request| async move {
        let refused = request.refused().await;
        let email = refused.as_ref().and_then(|f| f.fields.get("email").cloned()).unwrap_or_default();
        let next = request.query.get("next").cloned().unwrap_or_default();
        Ok(view! {
            <p class="brand">"Lucid"</p>
            <Heading title="Sign in" />
            <Refused form=refused />
            <form method="post" action="/do/sign_in" class="stack card">
                <input type="hidden" name="next" value=next />
                <label>"Address"<input type="email" name="email" value=email autocomplete="username" required autofocus /></label>
                <label>"Password"<input type="password" name="password" autocomplete="current-password" required /></label>
                <button class="primary">"Sign in"</button>
            </form>
            <p class="quiet">"No account, or no password yet? Ask an admin for a one-time link."</p>
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
        let kept = |name: &str| refused.as_ref().and_then(|f| f.fields.get(name).cloned()).unwrap_or_default();
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
            <form method="post" action="/do/use_link" class="stack card">
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
