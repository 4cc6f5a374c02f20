-- Auto-apply policies: their versions, what they said of each change, and what they applied.

CREATE TABLE policies (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 120),
    -- Who is told when it pauses itself.
    owner_id BLOB NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE policy_versions (
    policy_id BLOB NOT NULL REFERENCES policies (id),
    number INTEGER NOT NULL,
    -- Rules, limits and tests, as JSON; its SHA-256 names it.
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'shadow', 'active', 'paused', 'retired')),
    state_since INTEGER NOT NULL,
    -- Why it is paused or retired.
    note TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    PRIMARY KEY (policy_id, number)
) STRICT;
CREATE UNIQUE INDEX policy_versions_in_force ON policy_versions (policy_id) WHERE state IN ('active', 'paused');
CREATE UNIQUE INDEX policy_versions_to_come ON policy_versions (policy_id) WHERE state IN ('draft', 'shadow');

-- Whoever wrote a version does not count as independent of what it applies.
CREATE TABLE policy_authors (
    policy_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    PRIMARY KEY (policy_id, number, user_id),
    FOREIGN KEY (policy_id, number) REFERENCES policy_versions (policy_id, number)
) STRICT;

CREATE TABLE policy_back_tests (
    policy_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    -- Of which text of the version.
    sha256 TEXT NOT NULL,
    days INTEGER NOT NULL,
    run_by TEXT NOT NULL,
    run_at INTEGER NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (policy_id, number, run_at),
    FOREIGN KEY (policy_id, number) REFERENCES policy_versions (policy_id, number)
) STRICT;

-- What was known of a change when the policies were last asked about it, so that the same question can be asked again.
CREATE TABLE policy_inputs (
    change_id BLOB PRIMARY KEY REFERENCES changes (id),
    revision INTEGER NOT NULL,
    input TEXT NOT NULL,
    read_at INTEGER NOT NULL
) STRICT;

-- What the active policies say of an open change.
CREATE TABLE policy_outcomes (
    change_id BLOB PRIMARY KEY REFERENCES changes (id),
    revision INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('allow', 'forbid', 'review')),
    detail TEXT NOT NULL,
    -- The version that applies it, and from when on; nothing unless it is allowed.
    policy_id BLOB,
    number INTEGER,
    due_at INTEGER,
    -- Which state of all policies was asked.
    epoch INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    -- Since when it has been allowed without a break: the cooling-off begins then.
    allowed_since INTEGER,
    FOREIGN KEY (policy_id, number) REFERENCES policy_versions (policy_id, number)
) STRICT;
CREATE INDEX policy_outcomes_due ON policy_outcomes (due_at) WHERE due_at IS NOT NULL;

-- Changes that somebody took away from the policies.
CREATE TABLE policy_holds (
    change_id BLOB PRIMARY KEY REFERENCES changes (id),
    held_by BLOB NOT NULL REFERENCES users (id),
    held_at INTEGER NOT NULL
) STRICT;

-- What a version in shadow would have done; it applies nothing.
CREATE TABLE policy_shadows (
    policy_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    change_id BLOB NOT NULL REFERENCES changes (id),
    revision INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('allow', 'forbid', 'review')),
    detail TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    PRIMARY KEY (policy_id, number, change_id),
    FOREIGN KEY (policy_id, number) REFERENCES policy_versions (policy_id, number)
) STRICT;

-- What was applied, by which version, on which inputs; and what a person who was asked to check it said.
CREATE TABLE policy_applications (
    change_id BLOB PRIMARY KEY REFERENCES changes (id),
    store_id BLOB NOT NULL REFERENCES stores (id),
    policy_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    commit_id BLOB NOT NULL REFERENCES commits (id),
    revision INTEGER NOT NULL,
    input TEXT NOT NULL,
    detail TEXT NOT NULL,
    memories INTEGER NOT NULL,
    applied_at INTEGER NOT NULL,
    sampled INTEGER NOT NULL,
    checked_at INTEGER,
    checked_by BLOB REFERENCES users (id),
    confirmed INTEGER,
    note TEXT NOT NULL DEFAULT '',
    FOREIGN KEY (policy_id, number) REFERENCES policy_versions (policy_id, number)
) STRICT;
CREATE INDEX policy_applications_by_policy ON policy_applications (policy_id, applied_at);
CREATE INDEX policy_applications_by_store ON policy_applications (store_id, applied_at);
CREATE INDEX policy_applications_by_commit ON policy_applications (commit_id);

-- Stops: one for all stores, which is always there, and one for each store that was ever stopped. Applying locks the row that it reads.
CREATE TABLE policy_stops (
    scope TEXT PRIMARY KEY,
    stopped_at INTEGER,
    stopped_by TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO policy_stops (scope) VALUES ('all');

-- Times in which nothing is committed, by policy or by person, but for the people who are named.
CREATE TABLE commit_freezes (
    id BLOB PRIMARY KEY,
    store_id BLOB REFERENCES stores (id),
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL CHECK (ends_at > starts_at),
    reason TEXT NOT NULL,
    -- The people who may commit all the same, as a JSON list.
    exceptions TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX commit_freezes_by_end ON commit_freezes (ends_at);

-- What was tested, activated or applied stays as it was.
CREATE TRIGGER policy_versions_no_new_content BEFORE UPDATE OF content, sha256 ON policy_versions WHEN OLD.state <> 'draft'
BEGIN SELECT RAISE(ABORT, 'only drafts of policies change'); END;
CREATE TRIGGER policy_versions_no_delete BEFORE DELETE ON policy_versions
BEGIN SELECT RAISE(ABORT, 'versions of policies are never deleted'); END;
CREATE TRIGGER policy_applications_no_update
BEFORE UPDATE OF change_id, store_id, policy_id, number, commit_id, revision, input, detail, memories, applied_at, sampled ON policy_applications
BEGIN SELECT RAISE(ABORT, 'what was applied never changes'); END;
CREATE TRIGGER policy_applications_no_delete BEFORE DELETE ON policy_applications
BEGIN SELECT RAISE(ABORT, 'what was applied is never deleted'); END;
