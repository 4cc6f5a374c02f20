//! People for admins: who is here and asks to be, their roles, teams and grants; and the table of
//! who may do what.

use domain::{
    actor::{Role, StoreRole},
    ids::UserId,
    rights::{Access, TABLE},
};
use leptos::prelude::*;
use service::{Error, Member, PeopleView, RefusedForm, RequestRow, StoreName, TeamRow};

use crate::{
    components::{
        forms::{self, Refused, choices, form_token},
        layout::Heading,
        text::Visible,
        waiting_settings::waiting_settings,
        when::When,
    },
    context::{Request, page},
};

/// Everybody, who asks to join, and the teams.
#[component]
pub fn People() -> impl IntoView {
    page("people", |request| async move {
        let actor = request.actor()?;
        let (view, stores) = (
            request.lucid.people(actor).await?,
            request.store_names().await?,
        );
        let waiting = waiting_settings(
            &request.lucid.waiting_settings(actor).await?,
            None,
            request.now(),
        );
        let refused = request.refused().await;
        let action = view! {
            <a class="button" href="/rights">
                "Permissions"
            </a>
        }
        .into_any();
        let requests = view
            .requests
            .iter()
            .map(|r| ask(r, &stores, &request))
            .collect_view();
        let requests = (!view.requests.is_empty()).then(|| {
            view! {
                <h2>"Access requests"</h2>
                <ul class="cards">{requests}</ul>
            }
        });
        let rows = view
            .people
            .iter()
            .map(|m| row(m, &view, &request))
            .collect_view();
        Ok(view! {
            <Heading title="People" action=action />
            <Refused form=refused.clone() />
            {waiting}
            {requests}
            <div class="scroll" tabindex="0" role="region" aria-label="People">
                <table>
                    <thead>
                        <tr>
                            <th>"Name"</th>
                            <th>"Email"</th>
                            <th>"Role"</th>
                            <th>"Teams"</th>
                            <th>"Grants"</th>
                            <th>"Account"</th>
                            <th>"Since"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {invite(&stores, refused.as_ref())}
            {teams(&view, refused.as_ref())}
            {solo(&view)}
        }
        .into_any())
    })
}

/// Why an account counts as one person with another, and what ends that.
fn one_person(user: UserId, view: &PeopleView) -> Option<String> {
    let (_, issuer) = view.issued.iter().find(|(account, _)| *account == user)?;
    let issuer = view
        .people
        .iter()
        .find(|m| m.user.id == *issuer)
        .map_or("another admin", |m| m.user.name.as_str());
    Some(format!(
        "Counts as one person with {issuer}, who saw their sign-in link. Ends with a new password \
         through a link that {issuer} does not see: by mail, or `lucid user link` on the server."
    ))
}

fn row(member: &Member, view: &PeopleView, request: &Request) -> impl IntoView + use<> {
    let user = &member.user;
    let state = match (user.disabled_at, &user.password_hash) {
        (Some(_), _) => "disabled",
        (None, None) => "no password yet",
        (None, Some(_)) => "active",
    };
    view! {
        <tr>
            <td>
                <a href=format!("/people/{}", user.id)>{user.name.clone()}</a>
            </td>
            <td>{user.email.clone()}</td>
            <td>{user.role.as_str()}</td>
            <td>{member.teams.join(", ")}</td>
            <td>{member.grants.len()}</td>
            <td>
                {state}{one_person(user.id, view).map(|why| view! { <p class="quiet">{why}</p> })}
            </td>
            <td>
                <When at=user.created_at now=request.now() />
            </td>
        </tr>
    }
}

/// The fields of a first grant; no store is chosen at first.
fn first_grant(stores: &[StoreName]) -> impl IntoView + use<> {
    let options = stores
        .iter()
        .map(|s| view! { <option value=s.id.to_string()>{s.name.clone()}</option> })
        .collect_view();
    view! {
        <label>
            "Store"<select name="store">
                <option value="">"none yet"</option>
                {options}
            </select>
        </label>
        <label>
            "Role on it"
            <select name="grant">{choices(StoreRole::ALL, StoreRole::Reviewer.as_str())}</select>
        </label>
    }
}

fn ask(row: &RequestRow, stores: &[StoreName], request: &Request) -> impl IntoView + use<> {
    let id = row.id.to_string();
    view! {
        <li class="card">
            <h3>
                <Visible text=row.name.clone() />
            </h3>
            <p>{row.email.clone()}" "<When at=row.created_at now=request.now() /></p>
            <p>
                <Visible text=row.reason.clone() />
            </p>
            <form method="post" action="/do/accept_request" class="stack">
                {form_token()}
                <input type="hidden" name="request_id" value=id.clone() />
                <label>
                    "Role"<select name="role">{choices(Role::ALL, Role::Member.as_str())}</select>
                </label>
                {first_grant(stores)}
                <button class="primary">"Accept"</button>
            </form>
            <form method="post" action="/do/decline_request">
                {form_token()}
                <input type="hidden" name="request_id" value=id />
                <button class="danger">"Decline"</button>
            </form>
        </li>
    }
}

fn invite(stores: &[StoreName], refused: Option<&RefusedForm>) -> impl IntoView + use<> {
    let kept = |name: &str| forms::kept(refused, name).unwrap_or_default();
    let (email, name) = (kept("email"), kept("name"));
    let role = Some(kept("role"))
        .filter(|r| !r.is_empty())
        .unwrap_or_else(|| Role::Reviewer.as_str().to_owned());
    view! {
        <section class="setting">
            <div>
                <h2>"Invite a person"</h2>
            </div>
            <form method="post" action="/do/invite" class="stack">
                {form_token()}
                <label>"Name"<input name="name" value=name required maxlength="100" /></label>
                <label>
                    "Email"
                    <input type="email" name="email" value=email required autocomplete="off" />
                </label>
                <label>"Role"<select name="role">{choices(Role::ALL, &role)}</select></label>
                {first_grant(stores)}
                <button class="primary">"Invite"</button>
            </form>
        </section>
    }
}

fn teams(view: &PeopleView, refused: Option<&RefusedForm>) -> impl IntoView + use<> {
    let name = forms::kept(refused, "team_name").unwrap_or_default();
    let one = |(team, inside): &(TeamRow, Vec<UserId>)| {
        let hidden = |user: String, into: &'static str| {
            view! {
                <input type="hidden" name="team" value=team.id.to_string() />
                <input type="hidden" name="user" value=user />
                <input type="hidden" name="inside" value=into />
            }
        };
        let (members, others): (Vec<&Member>, Vec<&Member>) = view
            .people
            .iter()
            .partition(|m| inside.contains(&m.user.id));
        let members = members.iter().map(|m| {
            let label = format!("Remove {} from {}", m.user.name, team.name);
            view! {
                <li>
                    {m.user.name.clone()}" "
                    <form method="post" action="/do/set_member" class="inline">
                        {form_token()}
                        {hidden(m.user.id.to_string(), "no")}
                        <button class="plain" aria-label=label>
                            "Remove"
                        </button>
                    </form>
                </li>
            }
        });
        let options = others
            .iter()
            .map(|m| view! { <option value=m.user.id.to_string()>{m.user.name.clone()}</option> })
            .collect_view();
        view! {
            <li class="card">
                <h3>{team.name.clone()}</h3>
                <ul>{members.collect_view()}</ul>
                <form method="post" action="/do/set_member" class="filters">
                    {form_token()}
                    <input type="hidden" name="team" value=team.id.to_string() />
                    <input type="hidden" name="inside" value="yes" />
                    <label>
                        "Person "<select name="user" required>
                            <option value="">"choose"</option>
                            {options}
                        </select>
                    </label>
                    <button>"Add"</button>
                </form>
            </li>
        }
    };
    view! {
        <h2 id="teams">"Teams"</h2>
        <p class="quiet">
            "A team's members have the access that the team has. Grant a team access on a store's \
             settings page."
        </p>
        <ul class="cards">{view.teams.iter().map(one).collect_view()}</ul>
        <form method="post" action="/do/create_team" class="filters">
            {form_token()}
            <label>"New team "<input name="name" value=name required maxlength="100" /></label>
            <button>"Create team"</button>
        </form>
    }
}

fn solo(view: &PeopleView) -> impl IntoView + use<> {
    let text = match (view.solo, view.eligible) {
        (true, _) => {
            "One person alone decides here, also on changes that they contributed to. Every commit \
             records that. Solo mode ends as soon as a second, independent person can decide."
        }
        (false, 1) => {
            "Only one independent person can decide here. In solo mode they can also approve \
             changes that they contributed to; every commit records that."
        }
        (false, 0) => {
            "Nobody can decide yet. Grant a reviewer or an admin the role reviewer on a store."
        }
        (false, _) => {
            "More than one person can decide, so a contributor to a change does not count as its \
             approver."
        }
    };
    let (on, label) = if view.solo {
        ("no", "Turn off solo mode")
    } else {
        ("yes", "Turn on solo mode")
    };
    let form = (view.solo || view.eligible == 1).then(|| {
        view! {
            <form method="post" action="/do/set_solo">
                {form_token()}
                <input type="hidden" name="on" value=on />
                <button>{label}</button>
            </form>
        }
    });
    view! {
        <h2 id="solo">"Solo mode"</h2>
        <p>{text}</p>
        {form}
    }
}

/// One person: role, account, grants.
#[component]
pub fn Person() -> impl IntoView {
    page("people", |request| async move {
        let id: UserId = request.id("person")?;
        let actor = request.actor()?;
        let view = request.lucid.people(actor).await?;
        let stores = request.store_names().await?;
        let with = one_person(id, &view).map(|why| view! { <p class="notice">{why}</p> });
        let mailed = request.query.contains_key("mailed").then(|| {
            view! {
                <div class="notice good" role="status">
                    "The sign-in link was sent to their email address. Nobody else has seen it."
                </div>
            }
        });
        let member = view
            .people
            .into_iter()
            .find(|m| m.user.id == id)
            .ok_or(Error::NotFound("person"))?;
        let refused = request.refused().await;
        let link = request
            .shown_once(&id.to_string())
            .map(|token| one_time_link(&request, &member.user.name, &token));
        let grants = member.grants.iter().map(|g| {
            let name = stores
                .iter()
                .find(|s| s.id == g.store)
                .map_or_else(|| g.store.to_string(), |s| s.name.clone());
            view! {
                <tr>
                    <td>
                        <a href=format!("/stores/{}/settings", g.store)>{name}</a>
                    </td>
                    <td>
                        <code>{g.path.to_string()}</code>
                    </td>
                    <td>{g.role.as_str()}</td>
                </tr>
            }
        });
        let grants = if member.grants.is_empty() {
            view! {
                <p class="quiet">
                    "No access to a store that you can see. Grant access on the store's settings \
                     page, or add the person to a team."
                </p>
            }
            .into_any()
        } else {
            view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Grants">
                    <table>
                        <thead>
                            <tr>
                                <th>"Store"</th>
                                <th>"Path"</th>
                                <th>"Role"</th>
                            </tr>
                        </thead>
                        <tbody>{grants.collect_view()}</tbody>
                    </table>
                </div>
            }
            .into_any()
        };
        Ok(view! {
            <Heading
                title=member.user.name.clone()
                trail=vec![("/people".into(), "People".into())]
            />
            <Refused form=refused />
            {link}
            {mailed}
            {with}
            <p class="about">
                {member.user.email.clone()}" · since "
                <When at=member.user.created_at now=request.now() />
            </p>
            {account(&member)}
            <h2>"Grants"</h2>
            {grants}
        }
        .into_any())
    })
}

fn one_time_link(request: &Request, name: &str, token: &str) -> impl IntoView + use<> {
    let link = format!("{}/link/{token}", request.client.public_url);
    view! {
        <div class="notice good" role="status">
            <p>
                <strong>
                    {format!(
                        "With this link {name} sets a password, once, within 24 hours. It is shown \
                         only now:",
                    )}
                </strong>
            </p>
            <p>
                "Because you see this link, their account and yours count as one person for \
                 approvals until they get a link that you do not see."
            </p>
            <p>
                <code class="wrap">{link}</code>
            </p>
        </div>
    }
}

fn account(member: &Member) -> impl IntoView + use<> {
    let user = &member.user;
    let id = user.id.to_string();
    let disabled = user.disabled_at.is_some();
    let (yes, label) = if disabled {
        ("no", "Enable account")
    } else {
        ("yes", "Disable account")
    };
    let reset = (!disabled).then(|| {
        view! {
            <form method="post" action="/do/reset_password">
                {form_token()}
                <input type="hidden" name="user" value=id.clone() />
                <button>"Reset password"</button>
            </form>
        }
    });
    view! {
        <div class="filters">
            <form method="post" action="/do/set_role" class="filters">
                {form_token()}
                <input type="hidden" name="user" value=id.clone() />
                <label>
                    "Role "<select name="role">{choices(Role::ALL, user.role.as_str())}</select>
                </label>
                <button>"Change role"</button>
            </form>
            {reset}
            <form method="post" action="/do/set_disabled">
                {form_token()}
                <input type="hidden" name="user" value=id.clone() />
                <input type="hidden" name="disabled" value=yes />
                <button class="danger">{label}</button>
            </form>
        </div>
        <p class="quiet">
            "A reset ends the password and every sign-in and creates a sign-in link. A disabled \
             account cannot sign in, and its keys do not work."
        </p>
    }
}

/// The written table of who may do what, as the server reads it.
#[component]
pub fn Rights() -> impl IntoView {
    page("people", |request| async move {
        request.lucid.people(request.actor()?).await?;
        let cell = |access: Access| match access {
            Access::No => view! { <td class="quiet">"no"</td> }.into_any(),
            Access::Yes => view! { <td>"yes"</td> }.into_any(),
            Access::Granted(role) => {
                view! { <td>{format!("as {role} of the store")}</td> }.into_any()
            }
        };
        let row = |right: &domain::rights::Right| {
            let keys = right.scope.map_or("—", domain::rights::Scope::as_str);
            view! {
                <tr>
                    <td>{right.action.as_str()}</td>
                    <td>{right.resource.as_str()}</td>
                    {Role::ALL.iter().map(|&r| cell(right.access(r))).collect_view()}
                    <td>
                        <code>{keys}</code>
                    </td>
                    <td>{if right.unattended { "yes" } else { "no" }}</td>
                </tr>
            }
        };
        let roles = Role::ALL
            .iter()
            .map(|r| view! { <th>{r.as_str()}</th> })
            .collect_view();
        Ok(view! {
            <Heading title="Permissions" trail=vec![("/people".into(), "People".into())] />
            <p>
                "A person with access to a store, or to a path in it, sees all of that store. To \
                 decide on a change, a person needs the role reviewer or owner on the store or on \
                 every path that the change touches. Without access there is nothing to see, also \
                 for admins. A key can do what its scopes say, on the stores that its owner has \
                 access to, or on the one store that it was created for."
            </p>
            <div class="scroll" tabindex="0" role="region" aria-label="Rights">
                <table>
                    <thead>
                        <tr>
                            <th>"What"</th>
                            <th>"On"</th>
                            {roles}
                            <th>"Key with scope"</th>
                            <th>"Command line"</th>
                        </tr>
                    </thead>
                    <tbody>{TABLE.iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any())
    })
}
