-- The first schema. Everything that later work needs to hang on to stands here already (design, section 4).
-- Times are microseconds since the epoch, unknown is NULL. Both engines have the same tables, columns and names.

CREATE TABLE settings (
    name TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- Audit: one chain. The head row is the lock that serialises writers.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    store_id UUID,
    commit_id UUID UNIQUE,
    salt BYTEA NOT NULL,
    payload TEXT COLLATE "C",
    commitment BYTEA NOT NULL,
    prev BYTEA NOT NULL,
    hash BYTEA NOT NULL
);
CREATE INDEX audit_by_store ON audit (store_id, seq);

CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- People.
CREATE TABLE users (
    id UUID PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C",
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('admin', 'reviewer', 'member', 'auditor')),
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE sign_in_links (
    token_hash BYTEA PRIMARY KEY,
    purpose TEXT COLLATE "C" NOT NULL CHECK (purpose IN ('first_admin', 'set_password')),
    user_id UUID REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE web_sessions (
    id_hash BYTEA PRIMARY KEY,
    user_id UUID REFERENCES users (id),
    data TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX web_sessions_by_expiry ON web_sessions (expires_at);

CREATE TABLE sign_in_failures (
    name TEXT COLLATE "C" PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);

-- Memory stores, and who may see them.
CREATE TABLE stores (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    description TEXT COLLATE "C" NOT NULL,
    metadata TEXT COLLATE "C" NOT NULL,
    gate_mode TEXT COLLATE "C" NOT NULL CHECK (gate_mode IN ('dreams_gated', 'all_gated')),
    revision BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    deleted_at BIGINT
);

CREATE TABLE grants (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    store_id UUID NOT NULL REFERENCES stores (id),
    path_prefix TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('reader', 'reviewer', 'owner')),
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (user_id, store_id, path_prefix)
);
CREATE INDEX grants_by_store ON grants (store_id);

CREATE TABLE api_keys (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    store_id UUID REFERENCES stores (id),
    name TEXT COLLATE "C" NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    scopes TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);

-- Content stands once, by its hash; versions and edits point to it.
CREATE TABLE contents (
    sha256 TEXT COLLATE "C" PRIMARY KEY,
    bytes BIGINT NOT NULL,
    content TEXT COLLATE "C" NOT NULL
);

-- Rule 3.1: a memory row equals a version of its own, the version has a commit, the commit an audit entry.
CREATE TABLE commits (
    id UUID PRIMARY KEY REFERENCES audit (commit_id) DEFERRABLE INITIALLY DEFERRED,
    store_id UUID NOT NULL REFERENCES stores (id),
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    changeset_id UUID,
    approvals TEXT COLLATE "C" NOT NULL,
    UNIQUE (store_id, revision)
);

CREATE TABLE memory_versions (
    id UUID PRIMARY KEY,
    memory_id UUID NOT NULL,
    store_id UUID NOT NULL REFERENCES stores (id),
    commit_id UUID NOT NULL REFERENCES commits (id) DEFERRABLE INITIALLY DEFERRED,
    number BIGINT NOT NULL,
    operation TEXT COLLATE "C" NOT NULL CHECK (operation IN ('created', 'modified', 'deleted')),
    path TEXT COLLATE "C" NOT NULL,
    content_sha256 TEXT COLLATE "C" REFERENCES contents (sha256),
    created_at BIGINT NOT NULL,
    by_person BOOLEAN NOT NULL,
    change_id UUID,
    key_id TEXT COLLATE "C",
    redacted_at BIGINT,
    UNIQUE (memory_id, number),
    UNIQUE (memory_id, id, path, content_sha256)
);
CREATE INDEX memory_versions_by_commit ON memory_versions (commit_id);
CREATE INDEX memory_versions_by_path ON memory_versions (store_id, path);

CREATE TABLE memories (
    id UUID PRIMARY KEY,
    store_id UUID NOT NULL REFERENCES stores (id),
    path TEXT COLLATE "C" NOT NULL,
    version_id UUID NOT NULL,
    content_sha256 TEXT COLLATE "C" NOT NULL,
    frozen BOOLEAN NOT NULL,
    support TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (store_id, path),
    FOREIGN KEY (id, version_id, path, content_sha256)
        REFERENCES memory_versions (memory_id, id, path, content_sha256) DEFERRABLE INITIALLY DEFERRED
);

-- Sessions: append-only.
CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    import_key TEXT COLLATE "C" NOT NULL UNIQUE,
    source TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C",
    agent TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    team TEXT COLLATE "C",
    task_key TEXT COLLATE "C",
    metadata TEXT COLLATE "C" NOT NULL,
    trust BIGINT NOT NULL,
    event_count BIGINT NOT NULL,
    events_digest TEXT COLLATE "C" NOT NULL,
    first_event_at BIGINT,
    last_event_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    key_id TEXT COLLATE "C"
);

CREATE TABLE session_stores (
    store_id UUID NOT NULL REFERENCES stores (id),
    session_id UUID NOT NULL REFERENCES sessions (id),
    PRIMARY KEY (store_id, session_id)
);
CREATE INDEX session_stores_by_session ON session_stores (session_id);

CREATE TABLE events (
    session_id UUID NOT NULL REFERENCES sessions (id),
    seq BIGINT NOT NULL,
    id UUID NOT NULL UNIQUE,
    external_id TEXT COLLATE "C",
    kind TEXT COLLATE "C" NOT NULL,
    tool TEXT COLLATE "C",
    tool_use_id TEXT COLLATE "C",
    is_error BOOLEAN NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    raw TEXT COLLATE "C" NOT NULL,
    occurred_at BIGINT,
    key_id TEXT COLLATE "C",
    redacted_at BIGINT,
    PRIMARY KEY (session_id, seq)
);

CREATE TABLE outcomes (
    session_id UUID NOT NULL REFERENCES sessions (id),
    seq BIGINT NOT NULL,
    result TEXT COLLATE "C" NOT NULL CHECK (result IN ('success', 'failure', 'unknown')),
    score BIGINT,
    note TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, seq)
);

CREATE TABLE session_features (
    session_id UUID NOT NULL REFERENCES sessions (id),
    version BIGINT NOT NULL,
    features TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, version)
);

CREATE TABLE recorded_reads (
    store_id UUID NOT NULL REFERENCES stores (id),
    version_id UUID NOT NULL REFERENCES memory_versions (id),
    session_id UUID REFERENCES sessions (id),
    read_at BIGINT NOT NULL
);
CREATE INDEX recorded_reads_by_version ON recorded_reads (version_id, read_at);

-- Dreams, schedules, jobs.
CREATE TABLE dreams (
    id UUID PRIMARY KEY,
    store_id UUID NOT NULL REFERENCES stores (id),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'running', 'completed', 'failed', 'canceled')),
    distiller TEXT COLLATE "C" NOT NULL,
    instructions TEXT COLLATE "C",
    requested_by TEXT COLLATE "C" NOT NULL,
    base_revision BIGINT,
    cancel_requested BOOLEAN NOT NULL,
    progress TEXT COLLATE "C" NOT NULL,
    stats TEXT COLLATE "C" NOT NULL,
    error TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT
);
CREATE INDEX dreams_by_store ON dreams (store_id, id);

CREATE TABLE dream_sessions (
    dream_id UUID NOT NULL REFERENCES dreams (id),
    session_id UUID NOT NULL REFERENCES sessions (id),
    last_seq BIGINT NOT NULL,
    PRIMARY KEY (dream_id, session_id)
);
CREATE INDEX dream_sessions_by_session ON dream_sessions (session_id);

CREATE TABLE schedules (
    id UUID PRIMARY KEY,
    store_id UUID NOT NULL UNIQUE REFERENCES stores (id),
    cron TEXT COLLATE "C" NOT NULL,
    time_zone TEXT COLLATE "C" NOT NULL,
    min_sessions BIGINT NOT NULL,
    idle_minutes BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL,
    next_run_at BIGINT NOT NULL,
    last_result TEXT COLLATE "C",
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX schedules_due ON schedules (enabled, next_run_at);

CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    subject_id UUID NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    attempt BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    lease_owner TEXT COLLATE "C",
    lease_until BIGINT,
    error TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (kind, subject_id)
);
CREATE INDEX jobs_due ON jobs (state, run_at);

-- Changesets.
CREATE TABLE changesets (
    id UUID PRIMARY KEY,
    store_id UUID NOT NULL REFERENCES stores (id),
    dream_id UUID UNIQUE REFERENCES dreams (id),
    origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('dream', 'person', 'revert', 'agent')),
    title TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'closed', 'withdrawn', 'expired')),
    base_revision BIGINT NOT NULL,
    reverts UUID,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE INDEX changesets_by_store ON changesets (store_id, state, id);

CREATE TABLE changes (
    id UUID PRIMARY KEY,
    changeset_id UUID NOT NULL REFERENCES changesets (id),
    store_id UUID NOT NULL REFERENCES stores (id),
    position BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('add', 'update', 'merge', 'supersede', 'restructure', 'move', 'remove')),
    title TEXT COLLATE "C" NOT NULL,
    rationale TEXT COLLATE "C" NOT NULL,
    confidence_bp BIGINT NOT NULL CHECK (confidence_bp BETWEEN 0 AND 10000),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'deferred', 'obsolete', 'committed')),
    revision BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    risk_level TEXT COLLATE "C" NOT NULL CHECK (risk_level IN ('low', 'medium', 'high')),
    labels TEXT COLLATE "C" NOT NULL,
    finding TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    support_sessions BIGINT NOT NULL,
    support_subjects BIGINT NOT NULL,
    support_tasks BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    eligible_sessions BIGINT NOT NULL,
    facts TEXT COLLATE "C" NOT NULL,
    defer_until BIGINT,
    commit_id UUID REFERENCES commits (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (changeset_id, position)
);
CREATE INDEX changes_by_store ON changes (store_id, state);

CREATE TABLE change_edits (
    change_id UUID NOT NULL REFERENCES changes (id),
    revision BIGINT NOT NULL,
    position BIGINT NOT NULL,
    memory_id UUID,
    base_version UUID REFERENCES memory_versions (id),
    base_sha256 TEXT COLLATE "C" REFERENCES contents (sha256),
    path TEXT COLLATE "C" NOT NULL,
    new_path TEXT COLLATE "C",
    content_sha256 TEXT COLLATE "C" REFERENCES contents (sha256),
    PRIMARY KEY (change_id, revision, position)
);

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
    change_id UUID NOT NULL REFERENCES changes (id),
    user_id UUID NOT NULL REFERENCES users (id),
    how TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (change_id, user_id, how)
);

CREATE TABLE evidence (
    id UUID PRIMARY KEY,
    change_id UUID NOT NULL REFERENCES changes (id),
    position BIGINT NOT NULL,
    counter BOOLEAN NOT NULL,
    appendix BOOLEAN NOT NULL,
    session_id UUID NOT NULL REFERENCES sessions (id),
    event_id UUID NOT NULL REFERENCES events (id),
    byte_start BIGINT NOT NULL,
    byte_end BIGINT NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    quote TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C",
    UNIQUE (change_id, position)
);

CREATE TABLE decisions (
    id UUID PRIMARY KEY,
    change_id UUID NOT NULL REFERENCES changes (id),
    revision BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    verdict TEXT COLLATE "C" NOT NULL CHECK (verdict IN ('approve', 'reject', 'defer')),
    reject_code TEXT COLLATE "C",
    note TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    taken_back_at BIGINT
);
CREATE INDEX decisions_by_change ON decisions (change_id, revision);

-- What a dream saw; only some of it becomes changes.
CREATE TABLE findings (
    dream_id UUID NOT NULL REFERENCES dreams (id),
    position BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    support TEXT COLLATE "C" NOT NULL,
    disposition TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    change_id UUID REFERENCES changes (id),
    PRIMARY KEY (dream_id, position)
);

-- What was rejected, and at which support, so that it does not come back unchanged.
CREATE TABLE fingerprints (
    store_id UUID NOT NULL REFERENCES stores (id),
    fingerprint TEXT COLLATE "C" NOT NULL,
    reject_code TEXT COLLATE "C" NOT NULL,
    support BIGINT NOT NULL,
    change_id UUID NOT NULL REFERENCES changes (id),
    created_at BIGINT NOT NULL,
    unmuted_at BIGINT,
    PRIMARY KEY (store_id, fingerprint)
);

CREATE TABLE idempotency_keys (
    actor TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    request_sha256 TEXT COLLATE "C" NOT NULL,
    response TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
);

-- Input of a refused form, kept for the page that shows it.
CREATE TABLE form_drafts (
    id UUID PRIMARY KEY,
    user_id UUID REFERENCES users (id),
    message TEXT COLLATE "C" NOT NULL,
    status BIGINT NOT NULL,
    fields TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

-- What was written stays: versions, commits, events, contents and the audit refuse to change, but for the columns of redaction.
CREATE FUNCTION lucid_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% never change and are never deleted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_no_update BEFORE UPDATE OF seq, at, actor, action, subject, store_id, commit_id, commitment, prev, hash ON audit
    FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER audit_no_new_payload BEFORE UPDATE OF salt, payload ON audit
    FOR EACH ROW WHEN (NEW.payload IS NOT NULL) EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER commits_no_update BEFORE UPDATE OR DELETE ON commits FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER memory_versions_no_update BEFORE UPDATE OF id, memory_id, store_id, commit_id, number, operation, path, created_at, by_person, change_id ON memory_versions
    FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER memory_versions_no_new_content BEFORE UPDATE OF content_sha256 ON memory_versions
    FOR EACH ROW WHEN (NEW.content_sha256 IS NOT NULL OR NEW.redacted_at IS NULL) EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER memory_versions_no_delete BEFORE DELETE ON memory_versions FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER events_no_update BEFORE UPDATE OF session_id, seq, id, external_id, kind, tool, tool_use_id, is_error, occurred_at ON events
    FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER events_no_new_text BEFORE UPDATE OF text, raw ON events
    FOR EACH ROW WHEN (NEW.redacted_at IS NULL) EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER events_no_delete BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER contents_no_update BEFORE UPDATE ON contents FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
