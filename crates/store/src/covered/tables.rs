//! Which tables and columns the trail covers, and why others are left out. A new column of a
//! covered table is listed here, and a migration writes its triggers anew; a new table is listed
//! here either way. Tests say what is missing.

use super::Table;

const fn table(
    name: &'static str,
    key: &'static str,
    columns: &'static str,
    left_out: &'static [&'static str],
) -> Table {
    Table {
        name,
        key,
        columns,
        left_out,
        only: "",
    }
}

/// Every table that the trail covers.
pub const TABLES: &[Table] = &[
    table(
        "answers",
        "id",
        "id:u store_id:u fingerprint:t kind:t title:t answer:t support:i answered_by:u change_id:u \
            created_at:i reopened_at:i near:i",
        &[],
    ),
    table(
        "api_keys",
        "id",
        "id:u user_id:u store_id:u name:t secret_hash:x scopes:t created_at:i expires_at:i \
            revoked_at:i created_by:u",
        &["last_used_at"],
    ),
    table(
        "change_contributors",
        "change_id user_id how",
        "change_id:u user_id:u how:t created_at:i",
        &[],
    ),
    table(
        "change_edits",
        "change_id revision position",
        "change_id:u revision:i position:i memory_id:u base_version:u base_sha256:t path:t \
            new_path:t content_sha256:t",
        &[],
    ),
    table(
        "changes",
        "id",
        "id:u changeset_id:u store_id:u position:i kind:t title:t rationale:t confidence_bp:i \
            state:t revision:i digest:t risk_level:t \
         labels:t finding:t fingerprint:t support_sessions:i support_subjects:i support_tasks:i \
         occurrences:i eligible_sessions:i facts:t \
         defer_until:i commit_id:u created_at:i updated_at:i recorders:i",
        &["title_folded"],
    ),
    table(
        "changesets",
        "id",
        "id:u store_id:u dream_id:u origin:t title:t state:t base_revision:i reverts:u \
            created_by:t created_at:i closed_at:i",
        &["title_folded", "updated_at"],
    ),
    table(
        "comments",
        "id",
        "id:u change_id:u revision:i user_id:u body:t created_at:i",
        &[],
    ),
    table(
        "commit_freezes",
        "id",
        "id:u store_id:u starts_at:i ends_at:i reason:t exceptions:t created_by:t created_at:i",
        &[],
    ),
    table(
        "commits",
        "id",
        "id:u store_id:u revision:i created_at:i actor:t message:t changeset_id:u approvals:t",
        &[],
    ),
    table(
        "decisions",
        "id",
        "id:u change_id:u revision:i digest:t user_id:u verdict:t reject_code:t note:t \
            created_at:i taken_back_at:i meaning:t \
         confirmed_at:i taken_back_by:u sign_in:u signature:t",
        &[],
    ),
    table(
        "dreams",
        "id",
        "id:u store_id:u distiller:t instructions:t requested_by:t created_at:i chosen:b",
        &[
            "state",
            "base_revision",
            "cancel_requested",
            "progress",
            "stats",
            "error",
            "started_at",
            "ended_at",
        ],
    ),
    table(
        "erasures",
        "id",
        "id:u kind:t state:t subject:t also:t version_id:u reason:t kept:t asked_by:t asked_at:i \
            decided_by:u done_at:i counts:t",
        &["cleaned_at"],
    ),
    table(
        "evidence",
        "id",
        "id:u change_id:u position:i counter:b appendix:b session_id:u event_id:u byte_start:i \
            byte_end:i sha256:t quote:t key_id:t",
        &[],
    ),
    table(
        "fingerprints",
        "store_id fingerprint",
        "store_id:u fingerprint:t reject_code:t support:i change_id:u created_at:i unmuted_at:i",
        &[],
    ),
    table(
        "grants",
        "id",
        "id:u user_id:u store_id:u path_prefix:t role:t created_by:t created_at:i",
        &[],
    ),
    table(
        "legal_holds",
        "id",
        "id:u store_id:u memory_id:u subject:t reason:t placed_by:u placed_at:i released_by:u \
            released_at:i release_reason:t",
        &[],
    ),
    table(
        "mappings",
        "name",
        "name:t mapping:t updated_by:t updated_at:i",
        &[],
    ),
    table(
        "memories",
        "id",
        "id:u store_id:u path:t version_id:u content_sha256:t frozen:b support:t created_at:i \
            updated_at:i frozen_reason:t frozen_by:t \
         frozen_at:i",
        &[],
    ),
    table(
        "memory_versions",
        "id",
        "id:u memory_id:u store_id:u commit_id:u number:i operation:t path:t content_sha256:t \
            created_at:i by_person:b change_id:u \
         key_id:t redacted_at:i",
        &[],
    ),
    table(
        "outcomes",
        "session_id seq",
        "session_id:u seq:i result:t score:i note:t created_at:i source:t",
        &[],
    ),
    table("policies", "id", "id:u name:t owner_id:u created_at:i", &[]),
    table(
        "policy_applications",
        "change_id",
        "change_id:u store_id:u policy_id:u number:i commit_id:u revision:i input:t detail:t \
            memories:i applied_at:i sampled:b \
         checked_at:i checked_by:u confirmed:b note:t",
        &[],
    ),
    table(
        "policy_authors",
        "policy_id number user_id",
        "policy_id:u number:i user_id:u",
        &[],
    ),
    table(
        "policy_back_tests",
        "policy_id number run_at",
        "policy_id:u number:i sha256:t days:i run_by:t run_at:i report:t",
        &[],
    ),
    table(
        "policy_holds",
        "change_id",
        "change_id:u held_by:u held_at:i",
        &[],
    ),
    table(
        "policy_stops",
        "scope",
        "scope:t stopped_at:i stopped_by:t reason:t",
        &[],
    ),
    table(
        "policy_versions",
        "policy_id number",
        "policy_id:u number:i content:t sha256:t state:t state_since:i note:t created_at:i",
        &[],
    ),
    table(
        "recall_marks",
        "recall_id loaded_by",
        "recall_id:u loaded_by:t session_id:u mark:t note:t marked_by:u marked_at:i",
        &[],
    ),
    table(
        "recalls",
        "id",
        "id:u store_id:u memory_id:u first_version:i last_version:i reason:t opened_by:u \
            opened_at:i closed_by:u closed_at:i outcome:t",
        &[],
    ),
    table(
        "schedules",
        "id",
        "id:u store_id:u cron:t time_zone:t min_sessions:i idle_minutes:i enabled:b created_by:t \
            created_at:i distiller:t",
        &["next_run_at", "last_result"],
    ),
    table(
        "session_recorders",
        "session_id recorder",
        "session_id:u recorder:t",
        &[],
    ),
    table(
        "session_stores",
        "store_id session_id",
        "store_id:u session_id:u",
        &[],
    ),
    table(
        "sessions",
        "id",
        "id:u import_key:t source:t external_id:t agent:t subject:t team:t task_key:t metadata:t \
            trust:i event_count:i events_digest:t \
         first_event_at:i last_event_at:i created_at:i updated_at:i deleted_at:i key_id:t \
         created_by:t",
        &[],
    ),
    table(
        "setting_changes",
        "id",
        "id:u store_id:u setting:t summary:t proposed_by:u state:t created_at:i decided_at:i \
            decided_by:u",
        &[],
    ),
    // The row of this name is the lock of all rights, and holds nothing.
    Table {
        name: "settings",
        key: "name",
        columns: "name:t value:t",
        left_out: &[],
        only: "{}name <> 'people'",
    },
    table(
        "stores",
        "id",
        "id:u name:t description:t metadata:t gate_mode:t revision:i created_by:t created_at:i \
            archived_at:i deleted_at:i updated_at:i \
         budget_tokens:i approvals_low:i approvals_medium:i approvals_high:i owners_only:b \
         clean_up_until:i",
        &[],
    ),
    table(
        "team_grants",
        "id",
        "id:u team_id:u store_id:u path_prefix:t role:t created_by:t created_at:i",
        &[],
    ),
    table(
        "team_members",
        "team_id user_id",
        "team_id:u user_id:u",
        &[],
    ),
    table("teams", "id", "id:u name:t created_by:t created_at:i", &[]),
    table(
        "users",
        "id",
        "id:u email:t name:t password_hash:t role:t created_at:i disabled_at:i credential_issuer:u",
        &["mail_notices"],
    ),
];

/// Tables that the trail does not cover, and why.
pub const NOT_COVERED: &[(&str, &str)] = &[
    (
        "access_requests",
        "asked for by people without an account; what came of it is an entry",
    ),
    (
        "audit",
        "the trail itself: its entries are chained and signed",
    ),
    ("audit_checkpoints", "each is signed"),
    ("audit_head", "signed, and compared with the last entry"),
    ("audit_taken", "always empty"),
    (
        "audit_touched",
        "what a transaction wrote, until its entry binds it",
    ),
    ("change_openings", "who looked at a change, and when first"),
    ("claims", "who works on a changeset for some minutes"),
    ("conflicts", "follows from changes and memories"),
    (
        "contents",
        "each text is stored by its SHA-256, which verifying computes anew",
    ),
    ("cosignatures", "each is signed by its witness"),
    ("dream_sessions", "which sessions a dream reads"),
    (
        "events",
        "what agents did; quotes of it are covered as evidence, with their SHA-256",
    ),
    (
        "findings",
        "what a dream saw; what was proposed of it is covered",
    ),
    ("form_drafts", "input of refused forms"),
    ("idempotency_keys", "answers to repeated requests"),
    ("jobs", "work in hand"),
    (
        "keys_to_destroy",
        "keys of erased transcripts, until their files are destroyed",
    ),
    ("known_browsers", "browsers that somebody signed in from"),
    ("model_batches", "answers of models"),
    (
        "note_effects",
        "how failures went on that a note is about; counted anew by each dream",
    ),
    ("notices", "what somebody is told"),
    (
        "policy_inputs",
        "what policies were asked with; of what they applied it is covered",
    ),
    (
        "policy_outcomes",
        "what policies say of open changes; asked again in the transaction that applies one",
    ),
    ("policy_shadows", "what policies in shadow would have done"),
    ("recall_notices", "who was notified of a recall"),
    (
        "recorded_reads",
        "which sessions loaded which version; written in groups",
    ),
    (
        "reverted_changes",
        "which change a revert is of; in the facts of the revert's change, too",
    ),
    ("saved_views", "filters that somebody saved"),
    (
        "search_documents",
        "follows from versions, sessions and changes",
    ),
    (
        "search_index",
        "the words of those; each search reads what it shows from their own tables",
    ),
    (
        "session_features",
        "what the engine reads of a session; made anew if it is gone",
    ),
    ("sign_in_failures", "counts that slow guessing down"),
    (
        "sign_in_links",
        "one-time links; that one was made or used is an entry",
    ),
    ("vectors", "made anew if they are gone"),
    (
        "web_sessions",
        "sign-ins; that one began or ended is an entry",
    ),
];
