-- Erasure of what is known of an end user, or of one version's text; legal holds, which refuse it; transcripts that are kept for a time only.

CREATE TABLE legal_holds (
    id BLOB PRIMARY KEY,
    -- What is held: a store, a memory, or an end user.
    store_id BLOB REFERENCES stores (id),
    memory_id BLOB,
    subject TEXT,
    reason TEXT NOT NULL,
    placed_by BLOB NOT NULL REFERENCES users (id),
    placed_at INTEGER NOT NULL,
    released_by BLOB REFERENCES users (id),
    released_at INTEGER,
    release_reason TEXT,
    CHECK ((released_at IS NULL) = (released_by IS NULL))
) STRICT;
CREATE INDEX legal_holds_in_force ON legal_holds (placed_at) WHERE released_at IS NULL;

CREATE TABLE erasures (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('subject', 'version', 'retention')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'withdrawn')),
    -- The end user, only while it waits for a second admin.
    subject TEXT,
    -- Names and the like that were to be erased as well, one a line; only while it waits, too.
    also TEXT,
    -- The version, where one was redacted.
    version_id BLOB REFERENCES memory_versions (id),
    reason TEXT NOT NULL,
    -- Memories that a person said hold nothing of the end user, as a JSON list of ids.
    kept TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    decided_by BLOB REFERENCES users (id),
    done_at INTEGER,
    -- How much was erased, by what it was, as JSON.
    counts TEXT NOT NULL,
    -- When the database's files were written anew, so that they hold no trace.
    cleaned_at INTEGER
) STRICT;
CREATE INDEX erasures_to_clean ON erasures (done_at) WHERE cleaned_at IS NULL;
CREATE INDEX sessions_by_subject ON sessions (subject) WHERE subject IS NOT NULL;
CREATE INDEX evidence_by_session ON evidence (session_id);
CREATE INDEX events_by_copy ON events (copied_from) WHERE copied_from IS NOT NULL;
CREATE INDEX memories_by_content ON memories (content_sha256);
CREATE INDEX memory_versions_by_content ON memory_versions (content_sha256);
CREATE INDEX change_edits_by_base ON change_edits (base_sha256);
-- Who acted, for the filter of the audit.
CREATE INDEX audit_by_actor ON audit (actor, seq);

-- What never changes may still be erased: to nothing, to one text, or to a path that says so.
INSERT INTO contents (sha256, bytes, content) VALUES ('774971fa368a7f694e7546f7e9865ddd68cbbb53f3ea4e78e9e50dd9b58b3201', 8, '[erased]') ON CONFLICT (sha256) DO NOTHING;
DROP TRIGGER memory_versions_no_update;
DROP TRIGGER memory_versions_no_new_content;
DROP TRIGGER commits_no_update;
DROP TRIGGER decisions_no_update;
DROP TRIGGER policy_applications_no_update;
CREATE TRIGGER memory_versions_no_update BEFORE UPDATE OF id, memory_id, store_id, commit_id, number, operation, created_at, by_person, change_id ON memory_versions
BEGIN SELECT RAISE(ABORT, 'memory versions never change'); END;
CREATE TRIGGER memory_versions_no_new_content BEFORE UPDATE OF content_sha256 ON memory_versions WHEN ((NEW.content_sha256 IS NOT NULL AND NEW.content_sha256 <> '774971fa368a7f694e7546f7e9865ddd68cbbb53f3ea4e78e9e50dd9b58b3201') OR NEW.redacted_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'memory versions never change'); END;
CREATE TRIGGER memory_versions_no_new_path BEFORE UPDATE OF path ON memory_versions WHEN (NEW.path NOT LIKE '/erased/%')
BEGIN SELECT RAISE(ABORT, 'memory versions never change'); END;
CREATE TRIGGER commits_no_update BEFORE UPDATE OF id, store_id, revision, created_at, actor, changeset_id, approvals ON commits
BEGIN SELECT RAISE(ABORT, 'commits never change'); END;
CREATE TRIGGER commits_no_new_message BEFORE UPDATE OF message ON commits WHEN (NEW.message <> '[erased]')
BEGIN SELECT RAISE(ABORT, 'commits never change'); END;
CREATE TRIGGER decisions_no_update BEFORE UPDATE OF id, change_id, revision, digest, user_id, verdict, reject_code, meaning,
    confirmed_at, sign_in, signature, created_at ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions never change'); END;
CREATE TRIGGER decisions_no_new_note BEFORE UPDATE OF note ON decisions WHEN (NEW.note <> '[erased]')
BEGIN SELECT RAISE(ABORT, 'decisions never change'); END;
CREATE TRIGGER policy_applications_no_update BEFORE UPDATE OF change_id, store_id, policy_id, number, commit_id, revision, memories, applied_at, sampled ON policy_applications
BEGIN SELECT RAISE(ABORT, 'what was applied never changes'); END;
CREATE TRIGGER policy_applications_no_new_input BEFORE UPDATE OF input ON policy_applications WHEN (NEW.input <> '{}')
BEGIN SELECT RAISE(ABORT, 'what was applied never changes'); END;
CREATE TRIGGER policy_applications_no_new_detail BEFORE UPDATE OF detail ON policy_applications WHEN (NEW.detail <> '{}')
BEGIN SELECT RAISE(ABORT, 'what was applied never changes'); END;

CREATE TRIGGER erasures_covered_insert AFTER INSERT ON erasures
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('erasures', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), typeof(NEW.kind), NEW.kind, typeof(NEW.state), NEW.state, typeof(NEW.subject), NEW.subject, typeof(NEW.also), NEW.also, quote(NEW.version_id), typeof(NEW.reason), NEW.reason, typeof(NEW.kept), NEW.kept, typeof(NEW.asked_by), NEW.asked_by, quote(NEW.asked_at), quote(NEW.decided_by), quote(NEW.done_at), typeof(NEW.counts), NEW.counts))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER erasures_covered_update AFTER UPDATE ON erasures WHEN (OLD.id IS NOT NEW.id OR OLD.kind IS NOT NEW.kind OR OLD.state IS NOT NEW.state OR OLD.subject IS NOT NEW.subject OR OLD.also IS NOT NEW.also OR OLD.version_id IS NOT NEW.version_id OR OLD.reason IS NOT NEW.reason OR OLD.kept IS NOT NEW.kept OR OLD.asked_by IS NOT NEW.asked_by OR OLD.asked_at IS NOT NEW.asked_at OR OLD.decided_by IS NOT NEW.decided_by OR OLD.done_at IS NOT NEW.done_at OR OLD.counts IS NOT NEW.counts)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('erasures', lower(hex(NEW.id)), json_array(quote(OLD.id), typeof(OLD.kind), OLD.kind, typeof(OLD.state), OLD.state, typeof(OLD.subject), OLD.subject, typeof(OLD.also), OLD.also, quote(OLD.version_id), typeof(OLD.reason), OLD.reason, typeof(OLD.kept), OLD.kept, typeof(OLD.asked_by), OLD.asked_by, quote(OLD.asked_at), quote(OLD.decided_by), quote(OLD.done_at), typeof(OLD.counts), OLD.counts), json_array(quote(NEW.id), typeof(NEW.kind), NEW.kind, typeof(NEW.state), NEW.state, typeof(NEW.subject), NEW.subject, typeof(NEW.also), NEW.also, quote(NEW.version_id), typeof(NEW.reason), NEW.reason, typeof(NEW.kept), NEW.kept, typeof(NEW.asked_by), NEW.asked_by, quote(NEW.asked_at), quote(NEW.decided_by), quote(NEW.done_at), typeof(NEW.counts), NEW.counts))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER erasures_covered_delete AFTER DELETE ON erasures
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('erasures', lower(hex(OLD.id)), json_array(quote(OLD.id), typeof(OLD.kind), OLD.kind, typeof(OLD.state), OLD.state, typeof(OLD.subject), OLD.subject, typeof(OLD.also), OLD.also, quote(OLD.version_id), typeof(OLD.reason), OLD.reason, typeof(OLD.kept), OLD.kept, typeof(OLD.asked_by), OLD.asked_by, quote(OLD.asked_at), quote(OLD.decided_by), quote(OLD.done_at), typeof(OLD.counts), OLD.counts), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER legal_holds_covered_insert AFTER INSERT ON legal_holds
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('legal_holds', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.memory_id), typeof(NEW.subject), NEW.subject, typeof(NEW.reason), NEW.reason, quote(NEW.placed_by), quote(NEW.placed_at), quote(NEW.released_by), quote(NEW.released_at), typeof(NEW.release_reason), NEW.release_reason))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER legal_holds_covered_update AFTER UPDATE ON legal_holds WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.memory_id IS NOT NEW.memory_id OR OLD.subject IS NOT NEW.subject OR OLD.reason IS NOT NEW.reason OR OLD.placed_by IS NOT NEW.placed_by OR OLD.placed_at IS NOT NEW.placed_at OR OLD.released_by IS NOT NEW.released_by OR OLD.released_at IS NOT NEW.released_at OR OLD.release_reason IS NOT NEW.release_reason)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('legal_holds', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.memory_id), typeof(OLD.subject), OLD.subject, typeof(OLD.reason), OLD.reason, quote(OLD.placed_by), quote(OLD.placed_at), quote(OLD.released_by), quote(OLD.released_at), typeof(OLD.release_reason), OLD.release_reason), json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.memory_id), typeof(NEW.subject), NEW.subject, typeof(NEW.reason), NEW.reason, quote(NEW.placed_by), quote(NEW.placed_at), quote(NEW.released_by), quote(NEW.released_at), typeof(NEW.release_reason), NEW.release_reason))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER legal_holds_covered_delete AFTER DELETE ON legal_holds
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('legal_holds', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.memory_id), typeof(OLD.subject), OLD.subject, typeof(OLD.reason), OLD.reason, quote(OLD.placed_by), quote(OLD.placed_at), quote(OLD.released_by), quote(OLD.released_at), typeof(OLD.release_reason), OLD.release_reason), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
