-- What a service needs that people run: teams, requests for access, checkpoints, budgets.

ALTER TABLE stores ADD COLUMN updated_at INTEGER;
-- Most tokens (4 bytes each) that all memories of the store may have together; NULL is no budget.
ALTER TABLE stores ADD COLUMN budget_tokens INTEGER;

-- Who recorded a session over the API: one that belongs to no store is theirs alone.
ALTER TABLE sessions ADD COLUMN created_by TEXT;

-- Who made a key, if not its owner: neither counts as approver of what comes through it.
ALTER TABLE api_keys ADD COLUMN created_by BLOB REFERENCES users (id);

CREATE TABLE teams (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE team_members (
    team_id BLOB NOT NULL REFERENCES teams (id),
    user_id BLOB NOT NULL REFERENCES users (id),
    PRIMARY KEY (team_id, user_id)
) STRICT;
CREATE INDEX team_members_by_user ON team_members (user_id);

CREATE TABLE team_grants (
    id BLOB PRIMARY KEY,
    team_id BLOB NOT NULL REFERENCES teams (id),
    store_id BLOB NOT NULL REFERENCES stores (id),
    path_prefix TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('reader', 'reviewer', 'owner')),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (team_id, store_id, path_prefix)
) STRICT;
CREATE INDEX team_grants_by_store ON team_grants (store_id);

-- Every grant that somebody has, their own or by a team, on stores that are not deleted.
CREATE VIEW user_grants AS
SELECT g.user_id, g.store_id, g.path_prefix, g.role
FROM grants g JOIN stores s ON s.id = g.store_id AND s.deleted_at IS NULL
UNION ALL
SELECT m.user_id, g.store_id, g.path_prefix, g.role
FROM team_grants g JOIN team_members m ON m.team_id = g.team_id JOIN stores s ON s.id = g.store_id AND s.deleted_at IS NULL;

CREATE TABLE access_requests (
    id BLOB PRIMARY KEY,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'declined')),
    created_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT
) STRICT;
CREATE INDEX access_requests_by_state ON access_requests (state, id);

CREATE TABLE audit_checkpoints (
    size INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    head_hash BLOB NOT NULL,
    public_key BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints never change'); END;
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;

CREATE INDEX api_keys_by_user ON api_keys (user_id);
CREATE INDEX web_sessions_by_user ON web_sessions (user_id);
