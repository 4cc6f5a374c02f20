-- What a service needs that people run: teams, requests for access, checkpoints, budgets.

ALTER TABLE stores ADD COLUMN updated_at BIGINT;
-- Most tokens (4 bytes each) that all memories of the store may have together; NULL is no budget.
ALTER TABLE stores ADD COLUMN budget_tokens BIGINT;

-- Who recorded a session over the API: one that belongs to no store is theirs alone.
ALTER TABLE sessions ADD COLUMN created_by TEXT COLLATE "C";

-- Who made a key, if not its owner: neither counts as approver of what comes through it.
ALTER TABLE api_keys ADD COLUMN created_by UUID REFERENCES users (id);

CREATE TABLE teams (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE team_members (
    team_id UUID NOT NULL REFERENCES teams (id),
    user_id UUID NOT NULL REFERENCES users (id),
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_by_user ON team_members (user_id);

CREATE TABLE team_grants (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id),
    store_id UUID NOT NULL REFERENCES stores (id),
    path_prefix TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('reader', 'reviewer', 'owner')),
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (team_id, store_id, path_prefix)
);
CREATE INDEX team_grants_by_store ON team_grants (store_id);

-- Every grant that somebody has, their own or by a team, on stores that are not deleted.
CREATE VIEW user_grants AS
SELECT g.user_id, g.store_id, g.path_prefix, g.role
FROM grants g JOIN stores s ON s.id = g.store_id AND s.deleted_at IS NULL
UNION ALL
SELECT m.user_id, g.store_id, g.path_prefix, g.role
FROM team_grants g JOIN team_members m ON m.team_id = g.team_id JOIN stores s ON s.id = g.store_id AND s.deleted_at IS NULL;

CREATE TABLE access_requests (
    id UUID PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'accepted', 'declined')),
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT COLLATE "C"
);
CREATE INDEX access_requests_by_state ON access_requests (state, id);

CREATE TABLE audit_checkpoints (
    size BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    head_hash BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    signature BYTEA NOT NULL
);
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE OR DELETE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION lucid_refuse();

CREATE INDEX api_keys_by_user ON api_keys (user_id);
CREATE INDEX web_sessions_by_user ON web_sessions (user_id);
