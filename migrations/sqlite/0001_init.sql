-- The first schema. Everything that later work needs to hang on to stands here already (design, section 4).
-- Times are microseconds since the epoch, unknown is NULL. Both engines have the same tables, columns and names.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Audit: one chain. The head row is the lock that serialises writers.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    store_id BLOB,
    commit_id BLOB UNIQUE,
    salt BLOB NOT NULL,
    payload TEXT,
    commitment BLOB NOT NULL,
    prev BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_store ON audit (store_id, seq);

CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, zeroblob(32));

-- People.
CREATE TABLE users (
    id BLOB PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT,
    role TEXT NOT NULL CHECK (role IN ('admin', 'reviewer', 'member', 'auditor')),
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE TABLE sign_in_links (
    token_hash BLOB PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('first_admin', 'set_password')),
    user_id BLOB REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE TABLE web_sessions (
    id_hash BLOB PRIMARY KEY,
    user_id BLOB REFERENCES users (id),
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX web_sessions_by_expiry ON web_sessions (expires_at);

CREATE TABLE sign_in_failures (
    name TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;

-- Memory stores, and who may see them.
CREATE TABLE stores (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    metadata TEXT NOT NULL,
    gate_mode TEXT NOT NULL CHECK (gate_mode IN ('dreams_gated', 'all_gated')),
    revision INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    archived_at INTEGER,
    deleted_at INTEGER
) STRICT;

CREATE TABLE grants (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    store_id BLOB NOT NULL REFERENCES stores (id),
    path_prefix TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('reader', 'reviewer', 'owner')),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (user_id, store_id, path_prefix)
) STRICT;
CREATE INDEX grants_by_store ON grants (store_id);

CREATE TABLE api_keys (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    store_id BLOB REFERENCES stores (id),
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;

-- Content stands once, by its hash; versions and edits point to it.
CREATE TABLE contents (
    sha256 TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;

-- Rule 3.1: a memory row equals a version of its own, the version has a commit, the commit an audit entry.
CREATE TABLE commits (
    id BLOB PRIMARY KEY REFERENCES audit (commit_id) DEFERRABLE INITIALLY DEFERRED,
    store_id BLOB NOT NULL REFERENCES stores (id),
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    message TEXT NOT NULL,
    changeset_id BLOB,
    approvals TEXT NOT NULL,
    UNIQUE (store_id, revision)
) STRICT;

CREATE TABLE memory_versions (
    id BLOB PRIMARY KEY,
    memory_id BLOB NOT NULL,
    store_id BLOB NOT NULL REFERENCES stores (id),
    commit_id BLOB NOT NULL REFERENCES commits (id) DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    operation TEXT NOT NULL CHECK (operation IN ('created', 'modified', 'deleted')),
    path TEXT NOT NULL,
    content_sha256 TEXT REFERENCES contents (sha256),
    created_at INTEGER NOT NULL,
    by_person INTEGER NOT NULL,
    change_id BLOB,
    key_id TEXT,
    redacted_at INTEGER,
    UNIQUE (memory_id, number),
    UNIQUE (memory_id, id, path, content_sha256)
) STRICT;
CREATE INDEX memory_versions_by_commit ON memory_versions (commit_id);
CREATE INDEX memory_versions_by_path ON memory_versions (store_id, path);

CREATE TABLE memories (
    id BLOB PRIMARY KEY,
    store_id BLOB NOT NULL REFERENCES stores (id),
    path TEXT NOT NULL,
    version_id BLOB NOT NULL,
    content_sha256 TEXT NOT NULL,
    frozen INTEGER NOT NULL,
    support TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (store_id, path),
    FOREIGN KEY (id, version_id, path, content_sha256)
        REFERENCES memory_versions (memory_id, id, path, content_sha256) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- Sessions: append-only.
CREATE TABLE sessions (
    id BLOB PRIMARY KEY,
    import_key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    external_id TEXT,
    agent TEXT,
    subject TEXT,
    team TEXT,
    task_key TEXT,
    metadata TEXT NOT NULL,
    trust INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    events_digest TEXT NOT NULL,
    first_event_at INTEGER,
    last_event_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    key_id TEXT
) STRICT;

CREATE TABLE session_stores (
    store_id BLOB NOT NULL REFERENCES stores (id),
    session_id BLOB NOT NULL REFERENCES sessions (id),
    PRIMARY KEY (store_id, session_id)
) STRICT;
CREATE INDEX session_stores_by_session ON session_stores (session_id);

CREATE TABLE events (
    session_id BLOB NOT NULL REFERENCES sessions (id),
    seq INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    external_id TEXT,
    kind TEXT NOT NULL,
    tool TEXT,
    tool_use_id TEXT,
    is_error INTEGER NOT NULL,
    text TEXT NOT NULL,
    raw TEXT NOT NULL,
    occurred_at INTEGER,
    key_id TEXT,
    redacted_at INTEGER,
    PRIMARY KEY (session_id, seq)
) STRICT;

CREATE TABLE outcomes (
    session_id BLOB NOT NULL REFERENCES sessions (id),
    seq INTEGER NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('success', 'failure', 'unknown')),
    score INTEGER,
    note TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, seq)
) STRICT;

CREATE TABLE session_features (
    session_id BLOB NOT NULL REFERENCES sessions (id),
    version INTEGER NOT NULL,
    features TEXT NOT NULL,
    key_id TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, version)
) STRICT;

CREATE TABLE recorded_reads (
    store_id BLOB NOT NULL REFERENCES stores (id),
    version_id BLOB NOT NULL REFERENCES memory_versions (id),
    session_id BLOB REFERENCES sessions (id),
    read_at INTEGER NOT NULL
) STRICT;
CREATE INDEX recorded_reads_by_version ON recorded_reads (version_id, read_at);

-- Dreams, schedules, jobs.
CREATE TABLE dreams (
    id BLOB PRIMARY KEY,
    store_id BLOB NOT NULL REFERENCES stores (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'completed', 'failed', 'canceled')),
    distiller TEXT NOT NULL,
    instructions TEXT,
    requested_by TEXT NOT NULL,
    base_revision INTEGER,
    cancel_requested INTEGER NOT NULL,
    progress TEXT NOT NULL,
    stats TEXT NOT NULL,
    error TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER
) STRICT;
CREATE INDEX dreams_by_store ON dreams (store_id, id);

CREATE TABLE dream_sessions (
    dream_id BLOB NOT NULL REFERENCES dreams (id),
    session_id BLOB NOT NULL REFERENCES sessions (id),
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (dream_id, session_id)
) STRICT;
CREATE INDEX dream_sessions_by_session ON dream_sessions (session_id);

CREATE TABLE schedules (
    id BLOB PRIMARY KEY,
    store_id BLOB NOT NULL UNIQUE REFERENCES stores (id),
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    min_sessions INTEGER NOT NULL,
    idle_minutes INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    next_run_at INTEGER NOT NULL,
    last_result TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX schedules_due ON schedules (enabled, next_run_at);

CREATE TABLE jobs (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    attempt INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER,
    error TEXT,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    UNIQUE (kind, subject_id)
) STRICT;
CREATE INDEX jobs_due ON jobs (state, run_at);

-- Changesets.
CREATE TABLE changesets (
    id BLOB PRIMARY KEY,
    store_id BLOB NOT NULL REFERENCES stores (id),
    dream_id BLOB UNIQUE REFERENCES dreams (id),
    origin TEXT NOT NULL CHECK (origin IN ('dream', 'person', 'revert', 'agent')),
    title TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'withdrawn', 'expired')),
    base_revision INTEGER NOT NULL,
    reverts BLOB,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
CREATE INDEX changesets_by_store ON changesets (store_id, state, id);

CREATE TABLE changes (
    id BLOB PRIMARY KEY,
    changeset_id BLOB NOT NULL REFERENCES changesets (id),
    store_id BLOB NOT NULL REFERENCES stores (id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('add', 'update', 'merge', 'supersede', 'restructure', 'move', 'remove')),
    title TEXT NOT NULL,
    rationale TEXT NOT NULL,
    confidence_bp INTEGER NOT NULL CHECK (confidence_bp BETWEEN 0 AND 10000),
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'deferred', 'obsolete', 'committed')),
    revision INTEGER NOT NULL,
    digest TEXT NOT NULL,
    risk_level TEXT NOT NULL CHECK (risk_level IN ('low', 'medium', 'high')),
    labels TEXT NOT NULL,
    finding TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    support_sessions INTEGER NOT NULL,
    support_subjects INTEGER NOT NULL,
    support_tasks INTEGER NOT NULL,
    occurrences INTEGER NOT NULL,
    eligible_sessions INTEGER NOT NULL,
    facts TEXT NOT NULL,
    defer_until INTEGER,
    commit_id BLOB REFERENCES commits (id),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (changeset_id, position)
) STRICT;
CREATE INDEX changes_by_store ON changes (store_id, state);

CREATE TABLE change_edits (
    change_id BLOB NOT NULL REFERENCES changes (id),
    revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    memory_id BLOB,
    base_version BLOB REFERENCES memory_versions (id),
    base_sha256 TEXT REFERENCES contents (sha256),
    path TEXT NOT NULL,
    new_path TEXT,
    content_sha256 TEXT REFERENCES contents (sha256),
    PRIMARY KEY (change_id, revision, position)
) STRICT;

-- A change whose bases have moved, or whose place was taken: derived, so that it is always true.
CREATE VIEW conflicted_changes AS
SELECT c.id AS change_id
FROM changes c
WHERE c.state IN ('pending', 'approved', 'deferred') AND EXISTS (
    SELECT 1 FROM change_edits e LEFT JOIN memories m ON m.id = e.memory_id
    WHERE e.change_id = c.id AND e.revision = c.revision AND (
        (e.memory_id IS NOT NULL AND (m.version_id IS NULL OR m.version_id <> e.base_version))
        OR ((e.memory_id IS NULL OR e.new_path IS NOT NULL) AND EXISTS (
            SELECT 1 FROM memories o WHERE o.store_id = c.store_id AND o.path = COALESCE(e.new_path, e.path)
                AND (e.memory_id IS NULL OR o.id <> e.memory_id)))));

CREATE TABLE change_contributors (
    change_id BLOB NOT NULL REFERENCES changes (id),
    user_id BLOB NOT NULL REFERENCES users (id),
    how TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (change_id, user_id, how)
) STRICT;

CREATE TABLE evidence (
    id BLOB PRIMARY KEY,
    change_id BLOB NOT NULL REFERENCES changes (id),
    position INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    appendix INTEGER NOT NULL,
    session_id BLOB NOT NULL REFERENCES sessions (id),
    event_id BLOB NOT NULL REFERENCES events (id),
    byte_start INTEGER NOT NULL,
    byte_end INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    quote TEXT NOT NULL,
    key_id TEXT,
    UNIQUE (change_id, position)
) STRICT;

CREATE TABLE decisions (
    id BLOB PRIMARY KEY,
    change_id BLOB NOT NULL REFERENCES changes (id),
    revision INTEGER NOT NULL,
    digest TEXT NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    verdict TEXT NOT NULL CHECK (verdict IN ('approve', 'reject', 'defer')),
    reject_code TEXT,
    note TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    taken_back_at INTEGER
) STRICT;
CREATE INDEX decisions_by_change ON decisions (change_id, revision);

-- What a dream saw; only some of it becomes changes.
CREATE TABLE findings (
    dream_id BLOB NOT NULL REFERENCES dreams (id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    support TEXT NOT NULL,
    disposition TEXT NOT NULL,
    reason TEXT NOT NULL,
    change_id BLOB REFERENCES changes (id),
    PRIMARY KEY (dream_id, position)
) STRICT;

-- What was rejected, and at which support, so that it does not come back unchanged.
CREATE TABLE fingerprints (
    store_id BLOB NOT NULL REFERENCES stores (id),
    fingerprint TEXT NOT NULL,
    reject_code TEXT NOT NULL,
    support INTEGER NOT NULL,
    change_id BLOB NOT NULL REFERENCES changes (id),
    created_at INTEGER NOT NULL,
    unmuted_at INTEGER,
    PRIMARY KEY (store_id, fingerprint)
) STRICT;

CREATE TABLE idempotency_keys (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    response TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
) STRICT;

-- Input of a refused form, kept for the page that shows it.
CREATE TABLE form_drafts (
    id BLOB PRIMARY KEY,
    user_id BLOB REFERENCES users (id),
    message TEXT NOT NULL,
    status INTEGER NOT NULL,
    fields TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- What was written stays: versions, commits, events, decisions on what they named, and the audit refuse to change,
-- but for the columns of redaction. (`INSERT OR REPLACE` fires these only with PRAGMA recursive_triggers = ON.)
CREATE TRIGGER audit_no_update BEFORE UPDATE OF seq, at, actor, action, subject, store_id, commit_id, commitment, prev, hash ON audit
BEGIN SELECT RAISE(ABORT, 'audit entries never change'); END;
CREATE TRIGGER audit_no_new_payload BEFORE UPDATE OF salt, payload ON audit WHEN NEW.payload IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'audit entries never change'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted'); END;
CREATE TRIGGER commits_no_update BEFORE UPDATE ON commits
BEGIN SELECT RAISE(ABORT, 'commits never change'); END;
CREATE TRIGGER commits_no_delete BEFORE DELETE ON commits
BEGIN SELECT RAISE(ABORT, 'commits are never deleted'); END;
CREATE TRIGGER memory_versions_no_update BEFORE UPDATE OF id, memory_id, store_id, commit_id, number, operation, path, created_at, by_person, change_id ON memory_versions
BEGIN SELECT RAISE(ABORT, 'memory versions never change'); END;
CREATE TRIGGER memory_versions_no_new_content BEFORE UPDATE OF content_sha256 ON memory_versions WHEN NEW.content_sha256 IS NOT NULL OR NEW.redacted_at IS NULL
BEGIN SELECT RAISE(ABORT, 'memory versions never change'); END;
CREATE TRIGGER memory_versions_no_delete BEFORE DELETE ON memory_versions
BEGIN SELECT RAISE(ABORT, 'memory versions are never deleted'); END;
CREATE TRIGGER events_no_update BEFORE UPDATE OF session_id, seq, id, external_id, kind, tool, tool_use_id, is_error, occurred_at ON events
BEGIN SELECT RAISE(ABORT, 'events never change'); END;
CREATE TRIGGER events_no_new_text BEFORE UPDATE OF text, raw ON events WHEN NEW.redacted_at IS NULL
BEGIN SELECT RAISE(ABORT, 'events never change'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TRIGGER contents_no_update BEFORE UPDATE ON contents
BEGIN SELECT RAISE(ABORT, 'contents never change'); END;
