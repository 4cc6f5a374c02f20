//! The written table of rights against the running server: every page, every action and every route
//! of the API, with every role, with and without a grant, and with a key of every scope. A route
//! that is not in the lists here fails the test.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use domain::{
    Timestamp,
    actor::{Actor, Role},
    ids::{ChangeId, ChangesetId, CommitId, DreamId, MemoryId, PolicyId, SessionId, StoreId},
    rights::{Access, Action, Resource, Scope},
};
use reqwest::{Client, Method, StatusCode, header, redirect::Policy};
use serde_json::json;

use crate::support::process::{Served, run};

const PASSWORD: &str = "four plain words here";
const ORIGIN: &str = "origin";

/// What a request needs.
#[derive(Clone, Copy, Debug)]
enum Needs {
    /// Nothing, not even to be signed in.
    Nothing,
    /// Somebody signed in, whatever they are; what they see is a list of what they may.
    SignedIn,
    /// This action, on the demo's store or in general.
    Action(Action),
}

/// The fields of a form.
type Form = Vec<(&'static str, String)>;

/// The numbers that a policy's form asks for.
const NUMBERS: [&str; 6] = [
    "form[after_hours]",
    "form[most_a_day]",
    "form[share_percent]",
    "form[sample_percent]",
    "form[pause_over_percent]",
    "form[of_last]",
];

/// Real ids of the demo.
struct Ids {
    store: StoreId,
    scratch: StoreId,
    changeset: ChangesetId,
    change: ChangeId,
    memory: MemoryId,
    commit: CommitId,
    session: SessionId,
    dream: DreamId,
    policy: PolicyId,
}

impl Ids {
    async fn of(folder: &Path) -> Self {
        let db = store::Db::open(&format!("sqlite:{}", folder.join("demo.db").display()))
            .await
            .unwrap();
        let lucid = service::Lucid::new(
            db,
            Arc::new(|| Timestamp(1_800_000_000_000_000)),
            Arc::new(|b: &mut [u8]| b.fill(9)),
        );
        let me = Actor::operator();
        let store = lucid.stores(&me).await.unwrap()[0].id;
        let scratch = lucid.create_store(&me, "Scratch", "").await.unwrap();
        let changeset = crate::world::open_changesets(&lucid, &me).await[0];
        let ids = Self {
            store,
            scratch,
            changeset,
            change: lucid.changeset(&me, changeset).await.unwrap().changes[0]
                .change
                .id,
            memory: lucid.memories(&me, store, None).await.unwrap().rows[0].id,
            commit: lucid.history(&me, store, None).await.unwrap().rows[0]
                .commit
                .id,
            session: lucid.sessions(&me, None, None).await.unwrap().rows[0].id,
            dream: lucid.dreams(&me, None, None).await.unwrap().rows[0].id,
            policy: lucid.policies(&me).await.unwrap().policies[0].id,
        };
        lucid.close().await;
        ids
    }

    /// Every page: its route, an address of it, and what it needs.
    fn pages(&self) -> Vec<(&'static str, String, Needs)> {
        use Action::{
            ManageKeys, ManagePeople, ManagePrivacy, SeeChanges, SeeDreams, SeeMemory, SeePrivacy,
            SeeSessions,
        };
        use Needs::{Action as May, Nothing, SignedIn};
        let Self {
            store,
            changeset,
            change,
            memory,
            commit,
            session,
            dream,
            policy,
            ..
        } = self;
        vec![
            ("/sign-in", "/sign-in".into(), Nothing),
            ("/request-access", "/request-access".into(), Nothing),
            ("/link/:token", "/link/0".into(), Nothing),
            ("/", "/".into(), SignedIn),
            ("/queue", "/queue".into(), SignedIn),
            ("/bulk", "/bulk".into(), SignedIn),
            ("/policies", "/policies".into(), May(Action::SeePolicies)),
            (
                "/policies/new",
                "/policies/new".into(),
                May(Action::ManagePolicies),
            ),
            (
                "/policies/drill",
                "/policies/drill".into(),
                May(Action::ManagePolicies),
            ),
            (
                "/policies/:id",
                format!("/policies/{policy}"),
                May(Action::SeePolicies),
            ),
            ("/inbox", "/inbox".into(), SignedIn),
            ("/questions", "/questions".into(), SignedIn),
            ("/insights", "/insights".into(), SignedIn),
            ("/search", "/search?q=x".into(), SignedIn),
            ("/stores", "/stores".into(), SignedIn),
            ("/dreams", "/dreams".into(), SignedIn),
            ("/sessions", "/sessions".into(), SignedIn),
            ("/import", "/import".into(), SignedIn),
            ("/mappings", "/mappings".into(), May(Action::ManageMappings)),
            (
                "/mappings/edit",
                "/mappings/edit".into(),
                May(Action::ManageMappings),
            ),
            ("/audit", "/audit".into(), SignedIn),
            ("/account", "/account".into(), May(Action::OwnAccount)),
            ("/people", "/people".into(), May(ManagePeople)),
            ("/people/:id", "/people/user_0".into(), May(ManagePeople)),
            ("/rights", "/rights".into(), May(ManagePeople)),
            ("/keys", "/keys".into(), May(ManageKeys)),
            (
                "/changesets/:id",
                format!("/changesets/{changeset}"),
                May(SeeChanges),
            ),
            (
                "/changesets/:id/after",
                format!("/changesets/{changeset}/after"),
                May(SeeChanges),
            ),
            (
                "/changesets/:id/before",
                format!("/changesets/{changeset}/before"),
                May(SeeChanges),
            ),
            (
                "/changes/:id/related",
                format!("/changes/{change}/related"),
                May(SeeChanges),
            ),
            ("/stores/:id", format!("/stores/{store}"), May(SeeMemory)),
            (
                "/stores/:id/history",
                format!("/stores/{store}/history"),
                May(SeeMemory),
            ),
            (
                "/stores/:id/at",
                format!("/stores/{store}/at?revision=1"),
                May(SeeMemory),
            ),
            (
                "/stores/:id/compare",
                format!("/stores/{store}/compare?from=0&to=1"),
                May(SeeMemory),
            ),
            (
                "/stores/:id/dreams",
                format!("/stores/{store}/dreams"),
                May(SeeDreams),
            ),
            (
                "/stores/:id/sessions",
                format!("/stores/{store}/sessions"),
                May(SeeSessions),
            ),
            (
                "/stores/:id/briefing",
                format!("/stores/{store}/briefing"),
                May(SeeMemory),
            ),
            (
                "/stores/:id/muted",
                format!("/stores/{store}/muted"),
                May(SeeChanges),
            ),
            (
                "/stores/:id/settings",
                format!("/stores/{store}/settings"),
                May(SeeMemory),
            ),
            (
                "/memories/:id",
                format!("/memories/{memory}"),
                May(SeeMemory),
            ),
            (
                "/memories/:id/compare",
                format!("/memories/{memory}/compare?from=1&to=1"),
                May(SeeMemory),
            ),
            (
                "/memories/:id/loads",
                format!("/memories/{memory}/loads?from=1"),
                May(SeeMemory),
            ),
            ("/recalls", "/recalls".into(), SignedIn),
            ("/recalls/:id", "/recalls/recall_0".into(), SignedIn),
            (
                "/audit/integrity",
                "/audit/integrity".into(),
                May(Action::ReadAudit),
            ),
            ("/erasure", "/erasure".into(), May(SeePrivacy)),
            (
                "/subjects/:id",
                format!("/subjects/{}", SessionId(uuid::Uuid::nil())),
                May(ManagePrivacy),
            ),
            ("/commits/:id", format!("/commits/{commit}"), May(SeeMemory)),
            ("/dreams/:id", format!("/dreams/{dream}"), May(SeeDreams)),
            (
                "/sessions/:id",
                format!("/sessions/{session}"),
                May(SeeSessions),
            ),
        ]
    }

    /// Every action: its form, which nobody's rights make it do any harm, and what it needs.
    #[expect(clippy::too_many_lines, reason = "a list with a line for each action")]
    fn actions(&self, somebody: &str) -> Vec<(&'static str, Form, Needs)> {
        use Action::{
            CreateStore, Decide, DeleteStore, DescribeStore, Dream, Freeze, ManageKeys,
            ManagePeople, ManagePolicies, ManagePrivacy, ManageStore, OwnAccount, Propose,
            ReadAudit, Redact,
        };
        use Needs::{Action as May, Nothing};
        let (store, changeset, change) = (
            self.store.to_string(),
            self.changeset.to_string(),
            self.change.to_string(),
        );
        let named = |more: &[(&'static str, &str)]| {
            let mut form = vec![
                ("changeset", changeset.clone()),
                ("change", change.clone()),
                ("revision", "99".into()),
                ("digest", "0".into()),
            ];
            form.extend(more.iter().map(|(k, v)| (*k, (*v).to_owned())));
            form
        };
        let form = |fields: &[(&'static str, &str)]| {
            fields
                .iter()
                .map(|(k, v)| (*k, (*v).to_owned()))
                .collect::<Vec<_>>()
        };
        let ask = domain::ids::AccessRequestId(uuid::Uuid::nil()).to_string();
        let team = domain::ids::TeamId(uuid::Uuid::nil()).to_string();
        let key = domain::ids::KeyId(uuid::Uuid::nil()).to_string();
        let setting = domain::ids::SettingChangeId(uuid::Uuid::nil()).to_string();
        let recall = domain::ids::RecallId(uuid::Uuid::nil()).to_string();
        let erasure = domain::ids::ErasureId(uuid::Uuid::nil()).to_string();
        let hold = domain::ids::HoldId(uuid::Uuid::nil()).to_string();
        let version = domain::ids::VersionId(uuid::Uuid::nil()).to_string();
        let numbers: Form = NUMBERS
            .iter()
            .map(|name| (*name, "10".to_owned()))
            .collect();
        let (memory, policy) = (self.memory.to_string(), self.policy.to_string());
        vec![
            (
                "sign_in",
                form(&[("email", "a@b.example"), ("password", "x"), ("next", "/")]),
                Nothing,
            ),
            (
                "use_link",
                form(&[("token", "0"), ("password", "x"), ("again", "x")]),
                Nothing,
            ),
            (
                "request_access",
                form(&[("email", "no address"), ("name", "x")]),
                Nothing,
            ),
            (
                "change_password",
                form(&[("before", "x"), ("password", "y"), ("again", "y")]),
                May(OwnAccount),
            ),
            ("end_sign_in", form(&[("handle", "00")]), May(OwnAccount)),
            ("decide", named(&[("verdict", "approve")]), May(Decide)),
            ("take_back", named(&[]), May(Decide)),
            ("edit_change", named(&[("content_0", "x")]), May(Decide)),
            (
                "rebase_change",
                named(&[("against", "-"), ("content_0", "x")]),
                May(Decide),
            ),
            ("discard_revision", named(&[]), May(Decide)),
            (
                "replace_instead",
                named(&[("memory", &self.memory.to_string())]),
                May(Decide),
            ),
            (
                "decide_many",
                form(&[
                    ("expected", &format!("{change}:99:0")),
                    ("verdict", "approve"),
                ]),
                May(Decide),
            ),
            ("comment", named(&[("body", "Seen.")]), May(Decide)),
            ("claim", form(&[("changeset", &changeset)]), May(Decide)),
            ("release", form(&[("changeset", &changeset)]), May(Decide)),
            // A dream's changeset is nobody's to withdraw: who sees it is told that.
            (
                "withdraw",
                form(&[("changeset", &changeset)]),
                May(Action::SeeChanges),
            ),
            (
                "revert",
                form(&[("commit", &self.commit.to_string())]),
                May(Decide),
            ),
            ("undo", form(&[]), May(OwnAccount)),
            ("read_all", form(&[]), May(OwnAccount)),
            (
                "save_view",
                form(&[("name", "High risk"), ("query", "risk=high")]),
                May(OwnAccount),
            ),
            (
                "delete_view",
                form(&[("name", "High risk"), ("query", "risk=high")]),
                May(OwnAccount),
            ),
            ("mail_notices", form(&[("wants", "no")]), May(OwnAccount)),
            (
                "commit",
                form(&[
                    ("changeset", &changeset),
                    ("expected", &format!("{change}:99:0")),
                    ("idempotency_key", "12345678"),
                ]),
                May(Decide),
            ),
            ("create_policy", form(&[("name", "")]), May(ManagePolicies)),
            (
                "save_policy",
                [
                    form(&[("policy", &policy), ("shown", "0"), ("form[name]", "x")]),
                    numbers,
                ]
                .concat(),
                May(ManagePolicies),
            ),
            (
                "check_policy",
                form(&[("policy", &policy), ("form[after_hours]", "soon")]),
                May(Action::SeePolicies),
            ),
            (
                "add_policy_test",
                form(&[("policy", &policy), ("shown", "0"), ("change", &change)]),
                May(ManagePolicies),
            ),
            (
                "move_policy",
                form(&[("policy", &policy), ("version", "99"), ("to", "paused")]),
                May(ManagePolicies),
            ),
            (
                "back_test_policy",
                form(&[("policy", &policy), ("version", "99"), ("days", "30")]),
                May(ManagePolicies),
            ),
            (
                "stop_policies",
                form(&[("store", ""), ("reason", &"x".repeat(600))]),
                May(Action::StopPolicies),
            ),
            ("lift_stop", form(&[("store", "")]), May(ManagePolicies)),
            (
                "set_freeze",
                form(&[
                    ("starts_at", "2026-01-01T00:00"),
                    ("ends_at", "2025-01-01T00:00"),
                    ("reason", "x"),
                ]),
                May(ManagePolicies),
            ),
            (
                "end_freeze",
                form(&[(
                    "freeze",
                    &domain::ids::FreezeId(uuid::Uuid::nil()).to_string(),
                )]),
                May(ManagePolicies),
            ),
            ("hold_change", named(&[]), May(Decide)),
            ("release_change", named(&[]), May(Decide)),
            (
                "check_application",
                named(&[("verdict", "confirm")]),
                May(Decide),
            ),
            (
                "dream",
                form(&[("store", &store), ("instructions", &"x".repeat(5_000))]),
                May(Dream),
            ),
            (
                "edit_mapping",
                form(&[("what", "save"), ("name", "")]),
                May(Action::ManageMappings),
            ),
            (
                "delete_mapping",
                form(&[("name", "none")]),
                May(Action::ManageMappings),
            ),
            (
                "unmute",
                form(&[("store", &store), ("change", &change)]),
                May(Decide),
            ),
            (
                "answer_question",
                form(&[("store", &store), ("question", "0"), ("answer", "both")]),
                May(Decide),
            ),
            (
                "reopen_question",
                form(&[
                    ("store", &store),
                    (
                        "answer",
                        &domain::ids::AnswerId(uuid::Uuid::nil()).to_string(),
                    ),
                ]),
                May(Decide),
            ),
            (
                "cancel_dream",
                form(&[("dream", &self.dream.to_string())]),
                May(Dream),
            ),
            (
                "schedule",
                form(&[
                    ("store", &store),
                    ("cron", "no"),
                    ("time_zone", "UTC"),
                    ("min_sessions", "1"),
                    ("idle_minutes", "1"),
                ]),
                May(ManageStore),
            ),
            ("create_store", form(&[("name", "")]), May(CreateStore)),
            (
                "describe_store",
                form(&[("store", &store), ("name", "")]),
                May(DescribeStore),
            ),
            (
                "set_gate",
                form(&[
                    ("store", &store),
                    ("gate_mode", "dreams_gated"),
                    ("budget_tokens", "-1"),
                ]),
                May(ManageStore),
            ),
            (
                "set_approvals",
                form(&[
                    ("store", &store),
                    ("low", "0"),
                    ("medium", "1"),
                    ("high", "2"),
                ]),
                May(ManageStore),
            ),
            (
                "open_clean_up",
                form(&[("store", &store), ("days", "0"), ("reason", "")]),
                May(ManageStore),
            ),
            ("end_clean_up", form(&[("store", &store)]), May(ManageStore)),
            (
                "delete_store",
                form(&[
                    ("store", &self.store.to_string()),
                    ("again", "not its name"),
                ]),
                May(DeleteStore),
            ),
            (
                "restore_store",
                form(&[("store", &self.store.to_string()), ("name", "x")]),
                May(ManagePeople),
            ),
            (
                "propose_memory",
                form(&[
                    ("store", &store),
                    ("path", "/x.md"),
                    ("content", "x"),
                    ("reason", ""),
                ]),
                May(Propose),
            ),
            (
                "propose_edit",
                form(&[
                    ("store", &store),
                    ("memory", &memory),
                    ("sha256", "0"),
                    ("path", "/x.md"),
                    ("content", "x"),
                    ("reason", "x"),
                ]),
                May(Propose),
            ),
            (
                "propose_validity",
                form(&[
                    ("store", &store),
                    ("memory", &memory),
                    ("sha256", "0"),
                    ("statement", "0"),
                    ("until", "2026-12-31"),
                    ("reason", "x"),
                ]),
                May(Propose),
            ),
            (
                "propose_restore",
                form(&[("memory", &memory), ("version", "1")]),
                May(Propose),
            ),
            (
                "propose_removal",
                form(&[
                    ("store", &store),
                    ("memory", &memory),
                    ("sha256", "0"),
                    ("reason", "x"),
                ]),
                May(Propose),
            ),
            (
                "freeze",
                form(&[("memory", &memory), ("reason", "")]),
                May(Freeze),
            ),
            (
                "propose_unfreeze",
                form(&[("memory", &memory), ("reason", "")]),
                May(Propose),
            ),
            (
                "open_recall",
                form(&[
                    ("memory", &memory),
                    ("from", "1"),
                    ("to", "1"),
                    ("reason", ""),
                ]),
                May(Decide),
            ),
            (
                "mark_recalled",
                form(&[
                    ("recall", &recall),
                    ("loaded_by", "unknown"),
                    ("mark", "told"),
                ]),
                May(Decide),
            ),
            (
                "mark_all_recalled",
                form(&[("recall", &recall), ("mark", "told")]),
                May(Decide),
            ),
            (
                "close_recall",
                form(&[("recall", &recall), ("outcome", "x")]),
                May(Decide),
            ),
            ("reopen_recall", form(&[("recall", &recall)]), May(Decide)),
            (
                "find_subject",
                form(&[("subject", "nobody")]),
                May(ManagePrivacy),
            ),
            (
                "erase_subject",
                form(&[("session", &self.session.to_string()), ("reason", "")]),
                May(ManagePrivacy),
            ),
            (
                "confirm_erasure",
                form(&[("erasure", &erasure)]),
                May(ManagePrivacy),
            ),
            (
                "decline_erasure",
                form(&[("erasure", &erasure)]),
                May(ManagePrivacy),
            ),
            (
                "place_hold",
                form(&[("store", &store), ("reason", "")]),
                May(ManagePrivacy),
            ),
            (
                "release_hold",
                form(&[("hold", &hold), ("reason", "")]),
                May(ManagePrivacy),
            ),
            ("set_retention", form(&[("days", "1")]), May(ManagePrivacy)),
            (
                "redact_version",
                form(&[
                    ("memory", &memory),
                    ("version", &version),
                    ("number", "1"),
                    ("reason", ""),
                ]),
                May(Redact),
            ),
            (
                "confirm_setting",
                form(&[("setting", &setting)]),
                May(ManagePeople),
            ),
            (
                "decline_setting",
                form(&[("setting", &setting)]),
                May(ManagePeople),
            ),
            (
                "reveal_quotes",
                form(&[("changeset", &changeset), ("change", &change)]),
                May(Decide),
            ),
            (
                "reveal_session",
                form(&[("session", &self.session.to_string()), ("after", "0")]),
                May(Decide),
            ),
            ("mask", form(&[("back", "/queue")]), May(OwnAccount)),
            ("note_opened", named(&[]), May(Action::SeeChanges)),
            (
                "set_view",
                form(&[
                    ("changeset", &changeset),
                    ("change", &change),
                    ("view", "side"),
                ]),
                May(OwnAccount),
            ),
            (
                "give_grant",
                form(&[
                    ("to", &team),
                    ("store", &store),
                    ("path", "/"),
                    ("role", "reader"),
                ]),
                May(ManageStore),
            ),
            (
                "revoke_grant",
                form(&[("to", &team), ("store", &store), ("path", "/")]),
                May(ManageStore),
            ),
            (
                "invite",
                form(&[("email", "no address"), ("name", "x"), ("role", "member")]),
                May(ManagePeople),
            ),
            (
                "set_role",
                form(&[("user", somebody), ("role", "member")]),
                May(ManagePeople),
            ),
            (
                "set_disabled",
                form(&[("user", somebody), ("disabled", "no")]),
                May(ManagePeople),
            ),
            (
                "reset_password",
                form(&[("user", &domain::ids::UserId(uuid::Uuid::nil()).to_string())]),
                May(ManagePeople),
            ),
            ("create_team", form(&[("name", "")]), May(ManagePeople)),
            (
                "set_member",
                form(&[("team", &team), ("user", somebody), ("inside", "yes")]),
                May(ManagePeople),
            ),
            (
                "accept_request",
                form(&[("request_id", &ask), ("role", "member")]),
                May(ManagePeople),
            ),
            (
                "decline_request",
                form(&[("request_id", &ask)]),
                May(ManagePeople),
            ),
            ("set_solo", form(&[("on", "yes")]), May(ManagePeople)),
            ("add_key", form(&[("name", "")]), May(ManageKeys)),
            ("revoke_key", form(&[("key", &key)]), May(ManageKeys)),
            ("sign_checkpoint", form(&[]), May(ReadAudit)),
        ]
    }

    /// Every route of the API: method, route, address, body, and what it needs. The scratch store
    /// is deleted, the demo's is not.
    fn api(&self) -> Vec<(Method, &'static str, String, serde_json::Value, Action)> {
        use Action::{
            CreateStore, DeleteMemory, DeleteStore, DescribeStore, Dream, RecordSessions,
            SeeDreams, SeeMemory, SeeSessions, WriteMemory,
        };
        let (post, get, delete) = (Method::POST, Method::GET, Method::DELETE);
        let Self {
            store,
            scratch,
            memory,
            session,
            dream,
            ..
        } = self;
        let wrong = json!({"content": "x", "precondition": {"type": "content_sha256", "content_sha256": "0"}});
        let over = json!({"model": "builtin", "inputs": [{"type": "memory_store", "memory_store_id": store}], "instructions": "x".repeat(5_000), "output_behavior": {"type": "update_existing", "memory_store_id": store}});
        let recorded = json!({"agent": "a", "environment_id": "e", "resources": [{"type": "memory_store", "memory_store_id": store}]});
        let events = json!({"events": [{"type": "user.message", "content": []}]});
        let (stores, one, memories) = (
            "/v1/memory_stores",
            "/v1/memory_stores/{id}",
            "/v1/memory_stores/{id}/memories",
        );
        let single = "/v1/memory_stores/{id}/memories/{memory}";
        let at = format!("/v1/memory_stores/{store}");
        let policy = format!("/v1/policies/{}", self.policy);
        vec![
            (
                post.clone(),
                stores,
                stores.into(),
                json!({"name": ""}),
                CreateStore,
            ),
            (get.clone(), stores, stores.into(), json!(null), SeeMemory),
            (get.clone(), one, at.clone(), json!(null), SeeMemory),
            (
                post.clone(),
                one,
                at.clone(),
                json!({"name": ""}),
                DescribeStore,
            ),
            (
                delete.clone(),
                one,
                format!("/v1/memory_stores/{scratch}"),
                json!(null),
                DeleteStore,
            ),
            (
                post.clone(),
                memories,
                format!("{at}/memories"),
                json!({"path": "/x", "content": "\0"}),
                WriteMemory,
            ),
            (
                get.clone(),
                memories,
                format!("{at}/memories"),
                json!(null),
                SeeMemory,
            ),
            (
                get.clone(),
                single,
                format!("{at}/memories/{memory}"),
                json!(null),
                SeeMemory,
            ),
            (
                post.clone(),
                single,
                format!("{at}/memories/{memory}"),
                wrong,
                WriteMemory,
            ),
            (
                delete,
                single,
                format!("{at}/memories/{memory}?expected_content_sha256=0"),
                json!(null),
                DeleteMemory,
            ),
            (
                get.clone(),
                "/v1/memory_stores/{id}/briefing",
                format!("{at}/briefing"),
                json!(null),
                SeeMemory,
            ),
            (
                post.clone(),
                "/v1/sessions",
                "/v1/sessions".into(),
                recorded,
                RecordSessions,
            ),
            (
                get.clone(),
                "/v1/sessions/{id}",
                format!("/v1/sessions/{session}"),
                json!(null),
                SeeSessions,
            ),
            (
                post.clone(),
                "/v1/sessions/{id}/events",
                format!("/v1/sessions/{session}/events"),
                events,
                RecordSessions,
            ),
            (
                post.clone(),
                "/v1/sessions/{id}/outcome",
                format!("/v1/sessions/{session}/outcome"),
                json!({"result": "unknown"}),
                RecordSessions,
            ),
            (
                post.clone(),
                "/v1/transcripts",
                format!("/v1/transcripts?store={store}&name=rights.jsonl"),
                json!({"role": "user", "content": "Hi"}),
                RecordSessions,
            ),
            (post.clone(), "/v1/dreams", "/v1/dreams".into(), over, Dream),
            (
                get.clone(),
                "/v1/policies",
                "/v1/policies".into(),
                json!(null),
                Action::SeePolicies,
            ),
            (
                post.clone(),
                "/v1/policies",
                "/v1/policies".into(),
                json!({"name": ""}),
                Action::ManagePolicies,
            ),
            (
                post.clone(),
                "/v1/policies/try",
                "/v1/policies/try".into(),
                json!({"name": "x"}),
                Action::SeePolicies,
            ),
            (
                post.clone(),
                "/v1/policies/stop",
                "/v1/policies/stop".into(),
                json!({"reason": "x".repeat(600)}),
                Action::StopPolicies,
            ),
            (
                get.clone(),
                "/v1/policies/{id}",
                policy.clone(),
                json!(null),
                Action::SeePolicies,
            ),
            (
                get.clone(),
                "/v1/policies/{id}/versions/{version}",
                format!("{policy}/versions/1"),
                json!(null),
                Action::SeePolicies,
            ),
            (
                post.clone(),
                "/v1/policies/{id}/versions/{version}/back_test",
                format!("{policy}/versions/1/back_test"),
                json!({"days": 0}),
                Action::ManagePolicies,
            ),
            (
                post.clone(),
                "/v1/policies/{id}/versions/{version}/state",
                format!("{policy}/versions/1/state"),
                json!({"state": "paused"}),
                Action::ManagePolicies,
            ),
            (
                get,
                "/v1/dreams/{id}",
                format!("/v1/dreams/{dream}"),
                json!(null),
                SeeDreams,
            ),
            (
                post,
                "/v1/dreams/{id}/cancel",
                format!("/v1/dreams/{dream}/cancel"),
                json!(null),
                Dream,
            ),
        ]
    }
}

/// Somebody signed in, or nobody.
struct Visitor {
    role: Option<Role>,
    granted: bool,
    cookie: String,
}

impl Visitor {
    /// What the written table says.
    fn may(&self, needs: Needs) -> bool {
        match (needs, self.role) {
            (Needs::Nothing, _) | (Needs::SignedIn, Some(_)) => true,
            (_, None) => false,
            (Needs::Action(action), Some(role)) => match action.right().access(role) {
                Access::No => false,
                Access::Yes => true,
                Access::Granted(_) => self.granted,
            },
        }
    }
}

fn client() -> Client {
    crate::support::http()
        .redirect(Policy::none())
        .build()
        .unwrap()
}

async fn visitors(served: &Served, database: &str) -> (Vec<Visitor>, String) {
    let mut all = vec![Visitor {
        role: None,
        granted: false,
        cookie: String::new(),
    }];
    for (role, granted) in Role::ALL.iter().flat_map(|&r| [(r, true), (r, false)]) {
        let email = format!("{role}-{granted}@lucid.example");
        let mut arguments = vec![
            "--database",
            database,
            "user",
            "add",
            &email,
            "--name",
            role.as_str(),
            "--role",
            role.as_str(),
        ];
        arguments.extend(["--public-url", &served.url]);
        if granted {
            arguments.extend(["--store", "Studio agents", "--grant", "owner"]);
        }
        let (code, out, err) = run(&arguments);
        assert_eq!(code, 0, "{err}");
        let token = out.trim().rsplit('/').next().unwrap().to_owned();
        let form = [
            ("token", token.as_str()),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        let answer = client()
            .post(format!("{}/do/use_link", served.url))
            .header(ORIGIN, &served.url)
            .form(&form)
            .send()
            .await
            .unwrap();
        let cookie = crate::support::session_cookie(&answer);
        all.push(Visitor {
            role: Some(role),
            granted,
            cookie,
        });
    }
    // Whom the actions on people name: the admin of the demo, who is one already and is not
    // disabled.
    let (_, out, _) = run(&[
        "--database",
        database,
        "user",
        "add",
        "somebody@lucid.example",
        "--name",
        "Some Body",
        "--role",
        "member",
    ]);
    assert!(out.contains("Some Body"), "{out}");
    let db = store::Db::open(database).await.unwrap();
    let lucid = service::Lucid::new(
        db,
        Arc::new(|| Timestamp(1_800_000_000_000_000)),
        Arc::new(|b: &mut [u8]| b.fill(8)),
    );
    let people = lucid.people(&Actor::operator()).await.unwrap().people;
    let somebody = people
        .into_iter()
        .find(|m| m.user.name == "Some Body")
        .unwrap()
        .user
        .id
        .to_string();
    lucid.close().await;
    (all, somebody)
}

#[tokio::test]
async fn every_page_and_action_is_as_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::demo(folder.path());
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let ids = Ids::of(folder.path()).await;
    let (visitors, somebody) = visitors(&served, &database).await;
    let (pages, actions) = (ids.pages(), ids.actions(&somebody));
    complete(&pages, &actions);
    let client = client();
    for visitor in &visitors {
        let who = format!("{:?}, granted {}", visitor.role, visitor.granted);
        for (route, address, needs) in &pages {
            let request = client
                .get(format!("{}{address}", served.url))
                .header(header::COOKIE, &visitor.cookie);
            let status = request
                .header(header::ACCEPT, "text/html")
                .send()
                .await
                .unwrap()
                .status();
            let missing = matches!(*route, "/people/:id" | "/recalls/:id" | "/subjects/:id")
                && visitor.may(*needs);
            let expected = match (visitor.may(*needs), visitor.role) {
                (true, _) if missing => status == StatusCode::NOT_FOUND,
                (true, _) => {
                    let leads_on = matches!(
                        *route,
                        "/" | "/changesets/:id/after" | "/changesets/:id/before"
                    );
                    status == StatusCode::OK
                        || status == StatusCode::UNPROCESSABLE_ENTITY
                        || (leads_on && status.is_redirection())
                }
                (false, None) => status == StatusCode::SEE_OTHER,
                (false, Some(_)) => {
                    status == StatusCode::FORBIDDEN || status == StatusCode::NOT_FOUND
                }
            };
            assert!(
                expected,
                "{who}: GET {address} is {status}, but needs {needs:?}"
            );
        }
        for (action, form, needs) in &actions {
            let request = client
                .post(format!("{}/do/{action}", served.url))
                .header(header::COOKIE, &visitor.cookie);
            let token = ("x-form-token", crate::support::form_token(&visitor.cookie));
            let status = request
                .header(token.0, token.1)
                .header(ORIGIN, &served.url)
                .form(form)
                .send()
                .await
                .unwrap()
                .status();
            let refused = match visitor.role {
                None => status == StatusCode::UNAUTHORIZED,
                Some(_) => status == StatusCode::FORBIDDEN || status == StatusCode::NOT_FOUND,
            };
            // Who may is told what is wrong with the form, or that what it names is not there
            // (which a form here never needs).
            let done = matches!(status.as_u16(), 200 | 409 | 422 | 429)
                || (status == 401 && *action == "sign_in");
            let names_nothing = matches!(
                *action,
                "give_grant"
                    | "revoke_grant"
                    | "reset_password"
                    | "set_member"
                    | "accept_request"
                    | "decline_request"
                    | "end_sign_in"
                    | "restore_store"
                    | "confirm_setting"
                    | "decline_setting"
                    | "delete_mapping"
                    | "save_policy"
                    | "add_policy_test"
                    | "move_policy"
                    | "back_test_policy"
                    | "end_freeze"
                    | "check_application"
                    | "mark_recalled"
                    | "mark_all_recalled"
                    | "close_recall"
                    | "reopen_recall"
                    | "confirm_erasure"
                    | "decline_erasure"
                    | "redact_version"
            );
            let allowed = done || (names_nothing && status == StatusCode::NOT_FOUND);
            let expected = if visitor.may(*needs) {
                allowed
            } else {
                refused
            };
            assert!(
                expected,
                "{who}: POST {action} is {status}, but needs {needs:?}"
            );
        }
    }
    let (code, out, _) = run(&["--database", &database, "audit", "verify"]);
    assert_eq!(code, 0, "{out}");
}

/// The routes of the pages, as the router has them.
pub fn page_routes() -> BTreeSet<String> {
    let shell =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../app/src/shell.rs"))
            .unwrap();
    shell
        .split("path!(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// Every route of the pages and every action of the server is in the lists above.
fn complete(pages: &[(&'static str, String, Needs)], actions: &[(&'static str, Form, Needs)]) {
    let listed: BTreeSet<&str> = pages.iter().map(|(route, ..)| *route).collect();
    assert_eq!(
        listed,
        page_routes().iter().map(String::as_str).collect(),
        "pages"
    );
    let mut listed: BTreeSet<&str> = actions.iter().map(|(action, ..)| *action).collect();
    // Signing out needs nothing but the cookie that it ends; an upload has its own test.
    listed.insert("sign_out");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/src/actions");
    let sources: String = crate::arrows::rust_files(folder.as_ref())
        .iter()
        .map(|f| std::fs::read_to_string(f).unwrap())
        .collect();
    let endpoints: BTreeSet<&str> = sources
        .split("endpoint = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(listed, endpoints, "actions");
}

#[tokio::test]
async fn every_route_of_the_api_is_as_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::demo(folder.path());
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let ids = Ids::of(folder.path()).await;
    let api = ids.api();
    let source = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../server/src/api/mod.rs"
    ))
    .unwrap();
    let source: String = source.split_whitespace().collect();
    let pieces: Vec<&str> = source.split(".route(\"").skip(1).collect();
    let routes: BTreeSet<&str> = pieces
        .iter()
        .filter_map(|rest| rest.split('"').next())
        .filter(|r| !r.contains('*'))
        .collect();
    assert_eq!(
        routes,
        api.iter().map(|(_, route, ..)| *route).collect(),
        "routes"
    );
    let handlers: String = pieces
        .iter()
        .filter_map(|rest| rest.split("))").next())
        .collect();
    let methods: usize = ["post(", "get(", "delete("]
        .iter()
        .map(|m| handlers.matches(m).count())
        .sum();
    assert_eq!(methods, api.len(), "methods");
    // The demo's admin owns the store; the stranger is an admin, too, who was granted nothing.
    run(&[
        "--database",
        &database,
        "user",
        "add",
        "stranger@lucid.example",
        "--name",
        "S",
        "--role",
        "admin",
    ]);
    for (owner, granted) in [
        ("admin@lucid.example", true),
        ("stranger@lucid.example", false),
    ] {
        for scope in Scope::ALL {
            let (code, key, err) = run(&[
                "--database",
                &database,
                "key",
                "add",
                "k",
                "--owner",
                owner,
                "--scope",
                scope.as_str(),
            ]);
            assert_eq!(code, 0, "{err}");
            for (method, route, address, body, action) in &api {
                let request = client()
                    .request(method.clone(), format!("{}{address}", served.url))
                    .header("x-api-key", key.trim());
                let answer = if body.is_null() {
                    request
                } else {
                    request.json(body)
                }
                .send()
                .await
                .unwrap();
                let status = answer.status();
                let text = answer.text().await.unwrap();
                let right = action.right();
                let may = right.scope == Some(*scope)
                    && (granted || right.resource == Resource::Installation);
                let is_list = *method == Method::GET && *route == "/v1/memory_stores";
                let allowed = if is_list {
                    text.contains("memstore_")
                } else {
                    matches!(status.as_u16(), 200 | 400 | 409)
                };
                let refused = if is_list {
                    !text.contains("memstore_")
                } else {
                    matches!(status.as_u16(), 403 | 404)
                };
                assert!(
                    if may { allowed } else { refused },
                    "{scope} of {owner}: {method} {address} is {status}, but needs {action}: {text}"
                );
                assert!(
                    status.is_success() || text.contains("\"type\":\"error\""),
                    "{text}"
                );
            }
        }
    }
    for key in ["", "lucid_sk_0", "Bearer nonsense"] {
        for (method, _, address, ..) in &api {
            let request = client()
                .request(method.clone(), format!("{}{address}", served.url))
                .header("x-api-key", key);
            assert_eq!(
                request.send().await.unwrap().status(),
                StatusCode::UNAUTHORIZED,
                "{address} with {key:?}"
            );
        }
    }
    let nowhere = client()
        .get(format!("{}/v1/nowhere", served.url))
        .send()
        .await
        .unwrap();
    assert!(
        nowhere.status() == StatusCode::NOT_FOUND
            && nowhere.text().await.unwrap().contains("not_found_error")
    );
    let large = client()
        .post(format!("{}/v1/sessions", served.url))
        .body(vec![b'x'; 11 * 1024 * 1024])
        .send()
        .await
        .unwrap();
    assert!(
        large.status() == StatusCode::PAYLOAD_TOO_LARGE
            && large.text().await.unwrap().contains("request_too_large")
    );
}
