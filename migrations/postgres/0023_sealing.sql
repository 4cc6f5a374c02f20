-- Transcripts sealed by a key a session, which is no part of the database: what is sealed has the key's name in `key_id`.

-- Keys that nothing needs any more, until their files are destroyed.
CREATE TABLE keys_to_destroy (
    key_id TEXT PRIMARY KEY,
    since BIGINT NOT NULL
);
CREATE INDEX events_by_key ON events (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX evidence_by_key ON evidence (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX evidence_unsealed ON evidence (id) WHERE key_id IS NULL;
CREATE INDEX session_features_unsealed ON session_features (session_id) WHERE key_id IS NULL;
CREATE INDEX sessions_unsealed ON sessions (id) WHERE key_id IS NULL AND deleted_at IS NULL;
-- A copied event is sealed with the key of the session that it was copied from.
CREATE INDEX sessions_by_external_id ON sessions (external_id) WHERE external_id IS NOT NULL;
ALTER TABLE model_batches ADD COLUMN sealed BOOLEAN NOT NULL DEFAULT FALSE;

-- The text of an event changes in form only: when it is sealed, or sealed anew with another key.
DROP TRIGGER events_no_new_text ON events;
CREATE TRIGGER events_no_new_text BEFORE UPDATE OF text, raw ON events
    FOR EACH ROW WHEN (NEW.redacted_at IS NULL AND (NEW.key_id IS NOT DISTINCT FROM OLD.key_id OR NEW.key_id IS NULL)) EXECUTE FUNCTION lucid_refuse();

-- Who recorded the sessions that a recall is about, and is told of it.
CREATE TABLE recall_notices (
    recall_id UUID NOT NULL REFERENCES recalls (id),
    user_id UUID NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    read_at BIGINT,
    PRIMARY KEY (recall_id, user_id)
);
CREATE INDEX recall_notices_by_user ON recall_notices (user_id, created_at);

-- How a failure went on about which a note is in the memory, as the last dream over the whole store counted it: sessions that used the tool,
-- and those among them that met the failure.
CREATE TABLE note_effects (
    change_id UUID PRIMARY KEY REFERENCES changes (id),
    store_id UUID NOT NULL REFERENCES stores (id),
    memory_id UUID NOT NULL,
    -- Before the note was written.
    before_used BIGINT NOT NULL,
    before_met BIGINT NOT NULL,
    -- Those that loaded it.
    loaded_used BIGINT NOT NULL,
    loaded_met BIGINT NOT NULL,
    -- Those since then that did not.
    other_used BIGINT NOT NULL,
    other_met BIGINT NOT NULL
);
CREATE INDEX note_effects_by_store ON note_effects (store_id);

-- The newest tree head that each witness cosigned.
CREATE TABLE cosignatures (
    witness TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    at BIGINT NOT NULL,
    note TEXT NOT NULL
);
