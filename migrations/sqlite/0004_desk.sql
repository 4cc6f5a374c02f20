-- What a desk needs at which several people decide: requirements, claims, signatures, comments, who opened what, an inbox.

-- Independent approvals that a change of each risk needs before it may be committed.
ALTER TABLE stores ADD COLUMN approvals_low INTEGER NOT NULL DEFAULT 1;
ALTER TABLE stores ADD COLUMN approvals_medium INTEGER NOT NULL DEFAULT 1;
ALTER TABLE stores ADD COLUMN approvals_high INTEGER NOT NULL DEFAULT 2;
-- Whether only approvals of the store's owners count. Where somebody is named for a path, only theirs count there, always.
ALTER TABLE stores ADD COLUMN owners_only INTEGER NOT NULL DEFAULT 0;

-- A signature: what the signer means by it, and when the password was entered that it rests on. NULL is not signed.
ALTER TABLE decisions ADD COLUMN meaning TEXT;
ALTER TABLE decisions ADD COLUMN confirmed_at INTEGER;
-- Who took it back: its maker, who undoes it, or somebody else, who overrides it.
ALTER TABLE decisions ADD COLUMN taken_back_by BLOB REFERENCES users (id);
CREATE INDEX decisions_by_user ON decisions (user_id, created_at);

CREATE TABLE claims (
    changeset_id BLOB PRIMARY KEY REFERENCES changesets (id),
    user_id BLOB NOT NULL REFERENCES users (id),
    claimed_at INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE comments (
    id BLOB PRIMARY KEY,
    change_id BLOB NOT NULL REFERENCES changes (id),
    revision INTEGER NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX comments_by_change ON comments (change_id, id);

-- Who has had which revision of a change before their eyes, and since when.
CREATE TABLE change_openings (
    change_id BLOB NOT NULL REFERENCES changes (id),
    revision INTEGER NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    first_at INTEGER NOT NULL,
    PRIMARY KEY (change_id, revision, user_id)
) STRICT;

-- What somebody is told: once for each person, reason and changeset.
CREATE TABLE notices (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    reason TEXT NOT NULL CHECK (reason IN ('your_turn', 'comment', 'conflict', 'decided')),
    changeset_id BLOB NOT NULL REFERENCES changesets (id),
    created_at INTEGER NOT NULL,
    read_at INTEGER,
    mailed_at INTEGER,
    UNIQUE (user_id, reason, changeset_id)
) STRICT;
CREATE INDEX notices_by_user ON notices (user_id, read_at, id);
CREATE INDEX notices_by_changeset ON notices (changeset_id, reason);
CREATE INDEX notices_by_mail ON notices (mailed_at, id);

-- Whether a person wants to be told by email, too.
ALTER TABLE users ADD COLUMN mail_notices INTEGER NOT NULL DEFAULT 0;

-- Who waits for what: the queue is read from open changes, and deferrals end by their date.
CREATE INDEX changes_by_changeset ON changes (changeset_id, state);
CREATE INDEX changes_by_deferral ON changes (state, defer_until);
CREATE INDEX changesets_by_reverted ON changesets (reverts);
CREATE INDEX changesets_by_state ON changesets (state, created_at);

-- What is open, a row a changeset: how much of it waits for what, its highest risk (3 high, 2 medium, 1 low), and when the first of it
-- is due: a day after it was proposed for high risk, three days for medium, a week for low.
CREATE VIEW open_changesets AS
SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at,
    CAST(SUM(CASE WHEN c.state = 'pending' THEN 1 ELSE 0 END) AS INTEGER) AS pending,
    CAST(SUM(CASE WHEN c.state = 'approved' THEN 1 ELSE 0 END) AS INTEGER) AS approved,
    CAST(SUM(CASE WHEN c.state = 'rejected' THEN 1 ELSE 0 END) AS INTEGER) AS rejected,
    CAST(SUM(CASE WHEN c.state = 'deferred' THEN 1 ELSE 0 END) AS INTEGER) AS deferred,
    CAST(SUM(CASE WHEN c.state = 'committed' THEN 1 ELSE 0 END) AS INTEGER) AS committed,
    CAST(SUM(CASE WHEN x.change_id IS NULL THEN 0 ELSE 1 END) AS INTEGER) AS conflicted,
    CAST(MAX(CASE WHEN c.state NOT IN ('pending', 'approved', 'deferred') THEN 0
        WHEN c.risk_level = 'high' THEN 3 WHEN c.risk_level = 'medium' THEN 2 ELSE 1 END) AS INTEGER) AS risk,
    CAST(MIN(CASE WHEN c.state NOT IN ('pending', 'approved') THEN NULL
        WHEN c.risk_level = 'high' THEN c.created_at + 86400000000
        WHEN c.risk_level = 'medium' THEN c.created_at + 259200000000 ELSE c.created_at + 604800000000 END) AS INTEGER) AS due_at
FROM changesets cs JOIN stores s ON s.id = cs.store_id JOIN changes c ON c.changeset_id = cs.id
    LEFT JOIN conflicted_changes x ON x.change_id = c.id
WHERE s.deleted_at IS NULL AND cs.state = 'open'
GROUP BY cs.id, cs.store_id, s.name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at;

-- Which memory a change became: asked for every change that waits or was committed, each time something is proposed.
CREATE INDEX memory_versions_by_change ON memory_versions (change_id);
