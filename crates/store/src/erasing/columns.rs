//! Every column of text: those that an erasure searches, and those that it does not, with the
//! reason.

use crate::{Result, Tx};

/// How a text of a column is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// The strings of JSON that hold what is erased, any other text as a whole.
    Strings,
    /// The whole value, by an empty JSON object: what was applied is read by a form that no part of
    /// may be missing.
    Object,
}

/// A column that may hold what somebody said.
#[derive(Debug, Clone, Copy)]
pub struct TextColumn {
    pub name: &'static str,
    /// How its texts are erased.
    pub erased: Erased,
    pub(crate) read: &'static str,
    pub(crate) write: &'static str,
}

/// The two statements of each column: they find rows by the text itself, so that no table needs a
/// key of its own here.
macro_rules! texts_sql {
    ($($table:literal: $($column:literal $erased:ident),+;)+) => {
        /// Every column that may hold what somebody said, but for those that the functions of this
        /// module know by themselves.
        pub const TEXTS: &[TextColumn] = &[$($(TextColumn {
            name: concat!($table, ".", $column),
            erased: Erased::$erased,
            read: concat!("SELECT DISTINCT ", $column, " FROM ", $table, " WHERE ", $column, " IS NOT NULL"),
            write: concat!("UPDATE ", $table, " SET ", $column, " = $2 WHERE ", $column, " = $1"),
        }),+),+];
    };
}

texts_sql! {
    "answers": "title" Strings, "answer" Strings;
    "changes": "title" Strings, "title_folded" Strings, "rationale" Strings, "facts" Strings;
    "changesets": "title" Strings, "title_folded" Strings;
    "comments": "body" Strings;
    "commit_freezes": "reason" Strings;
    "commits": "message" Strings;
    "decisions": "note" Strings;
    "dreams": "instructions" Strings, "progress" Strings, "stats" Strings, "error" Strings;
    "erasures": "reason" Strings;
    "findings": "title" Strings, "reason" Strings, "support" Strings;
    "form_drafts": "message" Strings, "fields" Strings;
    "idempotency_keys": "response" Strings;
    "jobs": "error" Strings;
    "legal_holds": "reason" Strings, "release_reason" Strings;
    "memories": "support" Strings, "frozen_reason" Strings;
    "model_batches": "candidates" Strings;
    "outcomes": "note" Strings;
    "policy_applications": "input" Object, "detail" Object, "note" Strings;
    "policy_back_tests": "report" Strings;
    "policy_inputs": "input" Strings;
    "policy_outcomes": "detail" Strings;
    "policy_shadows": "detail" Strings;
    "policy_stops": "reason" Strings;
    "policy_versions": "note" Strings;
    "recall_marks": "note" Strings;
    "recalls": "reason" Strings, "outcome" Strings;
    "setting_changes": "summary" Strings;
    "stores": "description" Strings, "metadata" Strings;
}

/// Erased by the functions of this module, which know them by name.
const ERASED_BY_NAME: &str = "erased by name";
/// Kinds, states, ids, hashes and the like.
const OWN: &str = "written by Lucid itself";
/// The reason for columns that hold names of people with an account, and their configuration.
const PEOPLE: &str = "about people who use Lucid, and its settings";
/// The reason for columns that hold a recorder's names of tools, threads, agents and teams.
const RECORDED: &str = "names of tools, threads, agents and teams";

/// Columns of text that are not among [`TEXTS`], and why: table, columns, reason.
pub const NOT_SEARCHED: &[(&str, &str, &str)] = &[
    (
        "access_requests",
        "decided_by email name network reason state",
        PEOPLE,
    ),
    ("answers", "fingerprint kind", OWN),
    ("api_keys", "name scopes", PEOPLE),
    ("audit", "payload", ERASED_BY_NAME),
    ("audit", "action actor rows subject", OWN),
    ("audit_touched", "before content k tbl", ERASED_BY_NAME),
    ("change_contributors", "how", OWN),
    (
        "change_edits",
        "base_sha256 content_sha256 new_path path",
        ERASED_BY_NAME,
    ),
    (
        "changes",
        "digest finding fingerprint kind labels risk_level state",
        OWN,
    ),
    ("changesets", "created_by origin state", OWN),
    ("commit_freezes", "created_by", OWN),
    ("commit_freezes", "exceptions", PEOPLE),
    ("commits", "actor", OWN),
    ("commits", "approvals", PEOPLE),
    ("contents", "content sha256", ERASED_BY_NAME),
    ("cosignatures", "note witness", OWN),
    (
        "decisions",
        "digest meaning reject_code signature verdict",
        OWN,
    ),
    ("dreams", "distiller requested_by state", OWN),
    ("erasures", "also subject", ERASED_BY_NAME),
    ("erasures", "asked_by counts kept kind state", OWN),
    ("events", "raw text", ERASED_BY_NAME),
    ("events", "key_id kind speaker standing", OWN),
    (
        "events",
        "copied_from external_id thread tool tool_use_id",
        RECORDED,
    ),
    ("evidence", "quote sha256", ERASED_BY_NAME),
    ("evidence", "key_id", OWN),
    ("findings", "about evidence", ERASED_BY_NAME),
    ("findings", "disposition fingerprint kind", OWN),
    ("fingerprints", "fingerprint reject_code", OWN),
    ("grants", "created_by path_prefix role", PEOPLE),
    (
        "idempotency_keys",
        "actor idempotency_key request_sha256",
        OWN,
    ),
    ("jobs", "kind lease_owner state", OWN),
    ("keys_to_destroy", "key_id", OWN),
    ("legal_holds", "subject", ERASED_BY_NAME),
    ("mappings", "mapping name updated_by", PEOPLE),
    ("memories", "content_sha256 path", ERASED_BY_NAME),
    ("memories", "frozen_by", OWN),
    ("memory_versions", "content_sha256 path", ERASED_BY_NAME),
    ("memory_versions", "key_id operation", OWN),
    ("model_batches", "request_sha256 sessions", ERASED_BY_NAME),
    ("model_batches", "model", OWN),
    ("notices", "reason", OWN),
    ("outcomes", "result source", OWN),
    ("policies", "name", PEOPLE),
    ("policy_back_tests", "run_by sha256", OWN),
    ("policy_outcomes", "outcome", OWN),
    ("policy_shadows", "outcome", OWN),
    ("policy_stops", "scope stopped_by", OWN),
    ("policy_versions", "sha256 state", OWN),
    ("policy_versions", "content", PEOPLE),
    ("recall_marks", "loaded_by mark", OWN),
    ("recorded_reads", "reader", OWN),
    ("saved_views", "name query", PEOPLE),
    (
        "schedules",
        "created_by cron distiller last_result time_zone",
        PEOPLE,
    ),
    ("search_documents", "kind", OWN),
    ("session_features", "features", ERASED_BY_NAME),
    ("session_features", "key_id", OWN),
    ("session_recorders", "recorder", OWN),
    (
        "sessions",
        "events_digest external_id import_key metadata subject task_key",
        ERASED_BY_NAME,
    ),
    ("sessions", "created_by key_id source", OWN),
    ("sessions", "agent team", RECORDED),
    ("setting_changes", "state", OWN),
    ("setting_changes", "setting", PEOPLE),
    ("settings", "name value", PEOPLE),
    ("sign_in_failures", "name", PEOPLE),
    ("sign_in_links", "purpose", PEOPLE),
    ("stores", "created_by gate_mode", OWN),
    ("stores", "name", PEOPLE),
    ("team_grants", "created_by path_prefix role", PEOPLE),
    ("teams", "created_by name", PEOPLE),
    ("users", "email name password_hash role", PEOPLE),
    ("vectors", "name", OWN),
    ("web_sessions", "data", PEOPLE),
];

/// Gives every text of a column to `take`.
pub async fn each_text(
    tx: &mut Tx,
    column: &TextColumn,
    mut take: impl FnMut(String),
) -> Result<()> {
    each_row!(tx, (String,), column.read, |(text,)| take(text));
    Ok(())
}

/// Puts a text in the place of another, in every row of a column. Returns how many rows had it.
pub async fn replace_text(tx: &mut Tx, column: &TextColumn, old: &str, new: &str) -> Result<u64> {
    execute!(tx, column.write, old, new)
}
