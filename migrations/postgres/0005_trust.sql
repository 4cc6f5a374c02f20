-- Rights at the moment of writing, signatures of one sign-in, who recorded what, who issued a credential, settings that two admins
-- confirm, frozen memories with a reason.

-- The row that is the lock of all rights: writes share it, changes of rights take it alone.
INSERT INTO settings (name, value) VALUES ('people', 'the lock of all rights') ON CONFLICT (name) DO NOTHING;

-- A sign-in, and when the password was last confirmed in it.
ALTER TABLE web_sessions ADD COLUMN sign_in UUID;
ALTER TABLE web_sessions ADD COLUMN confirmed_at BIGINT;

-- What a signature covers beside user, time, meaning and digest: the sign-in; and the SHA-256 over all of them.
ALTER TABLE decisions ADD COLUMN sign_in UUID;
ALTER TABLE decisions ADD COLUMN signature TEXT COLLATE "C";

-- Browsers from which somebody has signed in before, by the SHA-256 of a token that the browser keeps.
CREATE TABLE known_browsers (
    token_hash BYTEA NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (token_hash, user_id)
);
CREATE INDEX known_browsers_by_last ON known_browsers (last_at);

-- Who issued a link and saw it; who issued the credential that an account has now. NULL: nobody but its owner saw it.
ALTER TABLE sign_in_links ADD COLUMN issued_by UUID REFERENCES users (id);
ALTER TABLE users ADD COLUMN credential_issuer UUID REFERENCES users (id);

-- Where a request for access came from: the network address, or its /64 for IPv6.
ALTER TABLE access_requests ADD COLUMN network TEXT COLLATE "C";
CREATE INDEX access_requests_by_network ON access_requests (network, created_at);

-- Everybody through whom events of a session came: a person, a key, the command line. Of older sessions it is not known.
CREATE TABLE session_recorders (
    session_id UUID NOT NULL REFERENCES sessions (id),
    recorder TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (session_id, recorder)
);
INSERT INTO session_recorders (session_id, recorder) SELECT id, COALESCE(created_by, 'unknown') FROM sessions;

-- Through how many independent recorders the support of a change came; NULL where it has none.
ALTER TABLE changes ADD COLUMN recorders BIGINT;

-- Settings that make the gate weaker, until a second admin confirms them.
CREATE TABLE setting_changes (
    id UUID PRIMARY KEY,
    store_id UUID REFERENCES stores (id),
    setting TEXT COLLATE "C" NOT NULL,
    summary TEXT COLLATE "C" NOT NULL,
    proposed_by UUID NOT NULL REFERENCES users (id),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'confirmed', 'declined', 'withdrawn')),
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by UUID REFERENCES users (id)
);
CREATE INDEX setting_changes_by_state ON setting_changes (state, id);

-- Why a memory is frozen, and by whom.
ALTER TABLE memories ADD COLUMN frozen_reason TEXT COLLATE "C";
ALTER TABLE memories ADD COLUMN frozen_by TEXT COLLATE "C";
ALTER TABLE memories ADD COLUMN frozen_at BIGINT;

-- Whether the sessions of a dream were chosen by whoever asked for it.
ALTER TABLE dreams ADD COLUMN chosen BOOLEAN NOT NULL DEFAULT FALSE;

-- What housekeeping trims is found by its time.
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);
CREATE INDEX recorded_reads_by_time ON recorded_reads (read_at);
CREATE INDEX form_drafts_by_time ON form_drafts (created_at);
-- A quota counts what one key proposed since a time; contributors are carried from the change that is proposed again.
CREATE INDEX changesets_by_proposer ON changesets (created_by, created_at);
CREATE INDEX changes_by_fingerprint ON changes (store_id, fingerprint);
CREATE INDEX change_edits_by_content ON change_edits (content_sha256);
CREATE INDEX events_by_external_id ON events (session_id, external_id);

-- Decisions stay as they were made; only that they were taken back is added.
CREATE TRIGGER decisions_no_update BEFORE UPDATE OF id, change_id, revision, digest, user_id, verdict, reject_code, note, meaning,
    confirmed_at, sign_in, signature, created_at ON decisions
    FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
-- TRUNCATE passes by the triggers for rows.
CREATE TRIGGER decisions_no_truncate BEFORE TRUNCATE ON decisions EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER commits_no_truncate BEFORE TRUNCATE ON commits EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER memory_versions_no_truncate BEFORE TRUNCATE ON memory_versions EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER contents_no_truncate BEFORE TRUNCATE ON contents EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER memories_no_truncate BEFORE TRUNCATE ON memories EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER audit_checkpoints_no_truncate BEFORE TRUNCATE ON audit_checkpoints EXECUTE FUNCTION lucid_refuse();
