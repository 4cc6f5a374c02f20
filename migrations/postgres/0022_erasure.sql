-- Erasure of what is known of an end user, or of one version's text; legal holds, which refuse it; transcripts that are kept for a time only.

CREATE TABLE legal_holds (
    id UUID PRIMARY KEY,
    -- What is held: a store, a memory, or an end user.
    store_id UUID REFERENCES stores (id),
    memory_id UUID,
    subject TEXT COLLATE "C",
    reason TEXT NOT NULL,
    placed_by UUID NOT NULL REFERENCES users (id),
    placed_at BIGINT NOT NULL,
    released_by UUID REFERENCES users (id),
    released_at BIGINT,
    release_reason TEXT,
    CHECK ((released_at IS NULL) = (released_by IS NULL))
);
CREATE INDEX legal_holds_in_force ON legal_holds (placed_at) WHERE released_at IS NULL;

CREATE TABLE erasures (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('subject', 'version', 'retention')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'withdrawn')),
    -- The end user, only while it waits for a second admin.
    subject TEXT COLLATE "C",
    -- Names and the like that were to be erased as well, one a line; only while it waits, too.
    also TEXT,
    -- The version, where one was redacted.
    version_id UUID REFERENCES memory_versions (id),
    reason TEXT NOT NULL,
    -- Memories that a person said hold nothing of the end user, as a JSON list of ids.
    kept TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    decided_by UUID REFERENCES users (id),
    done_at BIGINT,
    -- How much was erased, by what it was, as JSON.
    counts TEXT NOT NULL,
    -- When the database's files were written anew, so that they hold no trace.
    cleaned_at BIGINT
);
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
DROP TRIGGER memory_versions_no_update ON memory_versions;
DROP TRIGGER memory_versions_no_new_content ON memory_versions;
DROP TRIGGER commits_no_update ON commits;
DROP TRIGGER decisions_no_update ON decisions;
DROP TRIGGER policy_applications_no_update ON policy_applications;
CREATE TRIGGER memory_versions_no_update BEFORE UPDATE OF id, memory_id, store_id, commit_id, number, operation, created_at, by_person, change_id ON memory_versions
    FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER memory_versions_no_new_content BEFORE UPDATE OF content_sha256 ON memory_versions
    FOR EACH ROW WHEN ((NEW.content_sha256 IS NOT NULL AND NEW.content_sha256 <> '774971fa368a7f694e7546f7e9865ddd68cbbb53f3ea4e78e9e50dd9b58b3201') OR NEW.redacted_at IS NULL) EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER memory_versions_no_new_path BEFORE UPDATE OF path ON memory_versions
    FOR EACH ROW WHEN (NEW.path NOT LIKE '/erased/%') EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER commits_no_update BEFORE UPDATE OF id, store_id, revision, created_at, actor, changeset_id, approvals ON commits
    FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER commits_no_delete BEFORE DELETE ON commits
    FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER commits_no_new_message BEFORE UPDATE OF message ON commits
    FOR EACH ROW WHEN (NEW.message <> '[erased]') EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER decisions_no_update BEFORE UPDATE OF id, change_id, revision, digest, user_id, verdict, reject_code, meaning,
    confirmed_at, sign_in, signature, created_at ON decisions
    FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER decisions_no_new_note BEFORE UPDATE OF note ON decisions
    FOR EACH ROW WHEN (NEW.note <> '[erased]') EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER policy_applications_no_update BEFORE UPDATE OF change_id, store_id, policy_id, number, commit_id, revision, memories, applied_at, sampled ON policy_applications
    FOR EACH ROW EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER policy_applications_no_new_input BEFORE UPDATE OF input ON policy_applications
    FOR EACH ROW WHEN (NEW.input <> '{}') EXECUTE FUNCTION lucid_refuse();
CREATE TRIGGER policy_applications_no_new_detail BEFORE UPDATE OF detail ON policy_applications
    FOR EACH ROW WHEN (NEW.detail <> '{}') EXECUTE FUNCTION lucid_refuse();

CREATE FUNCTION erasures_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('erasures', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.kind, OLD.state, OLD.subject, OLD.also, OLD.version_id, OLD.reason, OLD.kept, OLD.asked_by, OLD.asked_at, OLD.decided_by, OLD.done_at, OLD.counts) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('erasures', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.kind, OLD.state, OLD.subject, OLD.also, OLD.version_id, OLD.reason, OLD.kept, OLD.asked_by, OLD.asked_at, OLD.decided_by, OLD.done_at, OLD.counts) AS TEXT), CAST(ROW(NEW.id, NEW.kind, NEW.state, NEW.subject, NEW.also, NEW.version_id, NEW.reason, NEW.kept, NEW.asked_by, NEW.asked_at, NEW.decided_by, NEW.done_at, NEW.counts) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('erasures', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.kind, NEW.state, NEW.subject, NEW.also, NEW.version_id, NEW.reason, NEW.kept, NEW.asked_by, NEW.asked_at, NEW.decided_by, NEW.done_at, NEW.counts) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER erasures_covered_insert AFTER INSERT ON erasures FOR EACH ROW EXECUTE FUNCTION erasures_covered();
CREATE TRIGGER erasures_covered_update AFTER UPDATE ON erasures FOR EACH ROW WHEN (ROW(OLD.id, OLD.kind, OLD.state, OLD.subject, OLD.also, OLD.version_id, OLD.reason, OLD.kept, OLD.asked_by, OLD.asked_at, OLD.decided_by, OLD.done_at, OLD.counts) IS DISTINCT FROM ROW(NEW.id, NEW.kind, NEW.state, NEW.subject, NEW.also, NEW.version_id, NEW.reason, NEW.kept, NEW.asked_by, NEW.asked_at, NEW.decided_by, NEW.done_at, NEW.counts)) EXECUTE FUNCTION erasures_covered();
CREATE TRIGGER erasures_covered_delete AFTER DELETE ON erasures FOR EACH ROW EXECUTE FUNCTION erasures_covered();

CREATE FUNCTION legal_holds_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('legal_holds', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.memory_id, OLD.subject, OLD.reason, OLD.placed_by, OLD.placed_at, OLD.released_by, OLD.released_at, OLD.release_reason) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('legal_holds', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.memory_id, OLD.subject, OLD.reason, OLD.placed_by, OLD.placed_at, OLD.released_by, OLD.released_at, OLD.release_reason) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.memory_id, NEW.subject, NEW.reason, NEW.placed_by, NEW.placed_at, NEW.released_by, NEW.released_at, NEW.release_reason) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('legal_holds', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.memory_id, NEW.subject, NEW.reason, NEW.placed_by, NEW.placed_at, NEW.released_by, NEW.released_at, NEW.release_reason) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER legal_holds_covered_insert AFTER INSERT ON legal_holds FOR EACH ROW EXECUTE FUNCTION legal_holds_covered();
CREATE TRIGGER legal_holds_covered_update AFTER UPDATE ON legal_holds FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.memory_id, OLD.subject, OLD.reason, OLD.placed_by, OLD.placed_at, OLD.released_by, OLD.released_at, OLD.release_reason) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.memory_id, NEW.subject, NEW.reason, NEW.placed_by, NEW.placed_at, NEW.released_by, NEW.released_at, NEW.release_reason)) EXECUTE FUNCTION legal_holds_covered();
CREATE TRIGGER legal_holds_covered_delete AFTER DELETE ON legal_holds FOR EACH ROW EXECUTE FUNCTION legal_holds_covered();
