-- The trail binds the rows that are written with each entry, and is signed at its end.

ALTER TABLE audit ADD COLUMN rows TEXT COLLATE "C";
ALTER TABLE audit_head ADD COLUMN baseline BIGINT;
ALTER TABLE audit_head ADD COLUMN signed_at BIGINT;
ALTER TABLE audit_head ADD COLUMN public_key BYTEA;
ALTER TABLE audit_head ADD COLUMN signature BYTEA;
CREATE TRIGGER audit_no_new_rows BEFORE UPDATE OF rows ON audit FOR EACH ROW EXECUTE FUNCTION lucid_refuse();

CREATE INDEX audit_verified ON audit (seq) WHERE action IN ('audit.verify', 'audit.alarm');

-- What a transaction wrote to covered tables, until its entry takes it. The second table is always empty, so that no transaction can commit
-- while something of its own is left here: nothing covered is written without an entry.
CREATE TABLE audit_taken (
    id BIGINT PRIMARY KEY
);
CREATE UNLOGGED TABLE audit_touched (
    txid TEXT COLLATE "C" NOT NULL DEFAULT CAST(pg_current_xact_id() AS TEXT),
    tbl TEXT COLLATE "C" NOT NULL,
    k TEXT COLLATE "C" NOT NULL,
    before TEXT COLLATE "C",
    content TEXT COLLATE "C",
    taken BIGINT NOT NULL DEFAULT 0 REFERENCES audit_taken (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (txid, tbl, k)
);

CREATE FUNCTION answers_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('answers', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.fingerprint, OLD.kind, OLD.title, OLD.answer, OLD.support, OLD.answered_by, OLD.change_id, OLD.created_at, OLD.reopened_at, OLD.near) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('answers', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.fingerprint, OLD.kind, OLD.title, OLD.answer, OLD.support, OLD.answered_by, OLD.change_id, OLD.created_at, OLD.reopened_at, OLD.near) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.fingerprint, NEW.kind, NEW.title, NEW.answer, NEW.support, NEW.answered_by, NEW.change_id, NEW.created_at, NEW.reopened_at, NEW.near) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('answers', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.fingerprint, NEW.kind, NEW.title, NEW.answer, NEW.support, NEW.answered_by, NEW.change_id, NEW.created_at, NEW.reopened_at, NEW.near) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER answers_covered_insert AFTER INSERT ON answers FOR EACH ROW EXECUTE FUNCTION answers_covered();
CREATE TRIGGER answers_covered_update AFTER UPDATE ON answers FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.fingerprint, OLD.kind, OLD.title, OLD.answer, OLD.support, OLD.answered_by, OLD.change_id, OLD.created_at, OLD.reopened_at, OLD.near) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.fingerprint, NEW.kind, NEW.title, NEW.answer, NEW.support, NEW.answered_by, NEW.change_id, NEW.created_at, NEW.reopened_at, NEW.near)) EXECUTE FUNCTION answers_covered();
CREATE TRIGGER answers_covered_delete AFTER DELETE ON answers FOR EACH ROW EXECUTE FUNCTION answers_covered();

CREATE FUNCTION api_keys_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('api_keys', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.user_id, OLD.store_id, OLD.name, OLD.secret_hash, OLD.scopes, OLD.created_at, OLD.expires_at, OLD.revoked_at, OLD.created_by) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('api_keys', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.user_id, OLD.store_id, OLD.name, OLD.secret_hash, OLD.scopes, OLD.created_at, OLD.expires_at, OLD.revoked_at, OLD.created_by) AS TEXT), CAST(ROW(NEW.id, NEW.user_id, NEW.store_id, NEW.name, NEW.secret_hash, NEW.scopes, NEW.created_at, NEW.expires_at, NEW.revoked_at, NEW.created_by) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('api_keys', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.user_id, NEW.store_id, NEW.name, NEW.secret_hash, NEW.scopes, NEW.created_at, NEW.expires_at, NEW.revoked_at, NEW.created_by) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER api_keys_covered_insert AFTER INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION api_keys_covered();
CREATE TRIGGER api_keys_covered_update AFTER UPDATE ON api_keys FOR EACH ROW WHEN (ROW(OLD.id, OLD.user_id, OLD.store_id, OLD.name, OLD.secret_hash, OLD.scopes, OLD.created_at, OLD.expires_at, OLD.revoked_at, OLD.created_by) IS DISTINCT FROM ROW(NEW.id, NEW.user_id, NEW.store_id, NEW.name, NEW.secret_hash, NEW.scopes, NEW.created_at, NEW.expires_at, NEW.revoked_at, NEW.created_by)) EXECUTE FUNCTION api_keys_covered();
CREATE TRIGGER api_keys_covered_delete AFTER DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION api_keys_covered();

CREATE FUNCTION change_contributors_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_contributors', CAST(OLD.change_id AS TEXT) || '/' || CAST(OLD.user_id AS TEXT) || '/' || OLD.how, CAST(ROW(OLD.change_id, OLD.user_id, OLD.how, OLD.created_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_contributors', CAST(NEW.change_id AS TEXT) || '/' || CAST(NEW.user_id AS TEXT) || '/' || NEW.how, CAST(ROW(OLD.change_id, OLD.user_id, OLD.how, OLD.created_at) AS TEXT), CAST(ROW(NEW.change_id, NEW.user_id, NEW.how, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_contributors', CAST(NEW.change_id AS TEXT) || '/' || CAST(NEW.user_id AS TEXT) || '/' || NEW.how, NULL, CAST(ROW(NEW.change_id, NEW.user_id, NEW.how, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER change_contributors_covered_insert AFTER INSERT ON change_contributors FOR EACH ROW EXECUTE FUNCTION change_contributors_covered();
CREATE TRIGGER change_contributors_covered_update AFTER UPDATE ON change_contributors FOR EACH ROW WHEN (ROW(OLD.change_id, OLD.user_id, OLD.how, OLD.created_at) IS DISTINCT FROM ROW(NEW.change_id, NEW.user_id, NEW.how, NEW.created_at)) EXECUTE FUNCTION change_contributors_covered();
CREATE TRIGGER change_contributors_covered_delete AFTER DELETE ON change_contributors FOR EACH ROW EXECUTE FUNCTION change_contributors_covered();

CREATE FUNCTION change_edits_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_edits', CAST(OLD.change_id AS TEXT) || '/' || CAST(OLD.revision AS TEXT) || '/' || CAST(OLD.position AS TEXT), CAST(ROW(OLD.change_id, OLD.revision, OLD.position, OLD.memory_id, OLD.base_version, OLD.base_sha256, OLD.path, OLD.new_path, OLD.content_sha256) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_edits', CAST(NEW.change_id AS TEXT) || '/' || CAST(NEW.revision AS TEXT) || '/' || CAST(NEW.position AS TEXT), CAST(ROW(OLD.change_id, OLD.revision, OLD.position, OLD.memory_id, OLD.base_version, OLD.base_sha256, OLD.path, OLD.new_path, OLD.content_sha256) AS TEXT), CAST(ROW(NEW.change_id, NEW.revision, NEW.position, NEW.memory_id, NEW.base_version, NEW.base_sha256, NEW.path, NEW.new_path, NEW.content_sha256) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_edits', CAST(NEW.change_id AS TEXT) || '/' || CAST(NEW.revision AS TEXT) || '/' || CAST(NEW.position AS TEXT), NULL, CAST(ROW(NEW.change_id, NEW.revision, NEW.position, NEW.memory_id, NEW.base_version, NEW.base_sha256, NEW.path, NEW.new_path, NEW.content_sha256) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER change_edits_covered_insert AFTER INSERT ON change_edits FOR EACH ROW EXECUTE FUNCTION change_edits_covered();
CREATE TRIGGER change_edits_covered_update AFTER UPDATE ON change_edits FOR EACH ROW WHEN (ROW(OLD.change_id, OLD.revision, OLD.position, OLD.memory_id, OLD.base_version, OLD.base_sha256, OLD.path, OLD.new_path, OLD.content_sha256) IS DISTINCT FROM ROW(NEW.change_id, NEW.revision, NEW.position, NEW.memory_id, NEW.base_version, NEW.base_sha256, NEW.path, NEW.new_path, NEW.content_sha256)) EXECUTE FUNCTION change_edits_covered();
CREATE TRIGGER change_edits_covered_delete AFTER DELETE ON change_edits FOR EACH ROW EXECUTE FUNCTION change_edits_covered();

CREATE FUNCTION changes_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changes', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.changeset_id, OLD.store_id, OLD.position, OLD.kind, OLD.title, OLD.rationale, OLD.confidence_bp, OLD.state, OLD.revision, OLD.digest, OLD.risk_level, OLD.labels, OLD.finding, OLD.fingerprint, OLD.support_sessions, OLD.support_subjects, OLD.support_tasks, OLD.occurrences, OLD.eligible_sessions, OLD.facts, OLD.defer_until, OLD.commit_id, OLD.created_at, OLD.updated_at, OLD.recorders) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changes', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.changeset_id, OLD.store_id, OLD.position, OLD.kind, OLD.title, OLD.rationale, OLD.confidence_bp, OLD.state, OLD.revision, OLD.digest, OLD.risk_level, OLD.labels, OLD.finding, OLD.fingerprint, OLD.support_sessions, OLD.support_subjects, OLD.support_tasks, OLD.occurrences, OLD.eligible_sessions, OLD.facts, OLD.defer_until, OLD.commit_id, OLD.created_at, OLD.updated_at, OLD.recorders) AS TEXT), CAST(ROW(NEW.id, NEW.changeset_id, NEW.store_id, NEW.position, NEW.kind, NEW.title, NEW.rationale, NEW.confidence_bp, NEW.state, NEW.revision, NEW.digest, NEW.risk_level, NEW.labels, NEW.finding, NEW.fingerprint, NEW.support_sessions, NEW.support_subjects, NEW.support_tasks, NEW.occurrences, NEW.eligible_sessions, NEW.facts, NEW.defer_until, NEW.commit_id, NEW.created_at, NEW.updated_at, NEW.recorders) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changes', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.changeset_id, NEW.store_id, NEW.position, NEW.kind, NEW.title, NEW.rationale, NEW.confidence_bp, NEW.state, NEW.revision, NEW.digest, NEW.risk_level, NEW.labels, NEW.finding, NEW.fingerprint, NEW.support_sessions, NEW.support_subjects, NEW.support_tasks, NEW.occurrences, NEW.eligible_sessions, NEW.facts, NEW.defer_until, NEW.commit_id, NEW.created_at, NEW.updated_at, NEW.recorders) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER changes_covered_insert AFTER INSERT ON changes FOR EACH ROW EXECUTE FUNCTION changes_covered();
CREATE TRIGGER changes_covered_update AFTER UPDATE ON changes FOR EACH ROW WHEN (ROW(OLD.id, OLD.changeset_id, OLD.store_id, OLD.position, OLD.kind, OLD.title, OLD.rationale, OLD.confidence_bp, OLD.state, OLD.revision, OLD.digest, OLD.risk_level, OLD.labels, OLD.finding, OLD.fingerprint, OLD.support_sessions, OLD.support_subjects, OLD.support_tasks, OLD.occurrences, OLD.eligible_sessions, OLD.facts, OLD.defer_until, OLD.commit_id, OLD.created_at, OLD.updated_at, OLD.recorders) IS DISTINCT FROM ROW(NEW.id, NEW.changeset_id, NEW.store_id, NEW.position, NEW.kind, NEW.title, NEW.rationale, NEW.confidence_bp, NEW.state, NEW.revision, NEW.digest, NEW.risk_level, NEW.labels, NEW.finding, NEW.fingerprint, NEW.support_sessions, NEW.support_subjects, NEW.support_tasks, NEW.occurrences, NEW.eligible_sessions, NEW.facts, NEW.defer_until, NEW.commit_id, NEW.created_at, NEW.updated_at, NEW.recorders)) EXECUTE FUNCTION changes_covered();
CREATE TRIGGER changes_covered_delete AFTER DELETE ON changes FOR EACH ROW EXECUTE FUNCTION changes_covered();

CREATE FUNCTION changesets_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changesets', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.dream_id, OLD.origin, OLD.title, OLD.state, OLD.base_revision, OLD.reverts, OLD.created_by, OLD.created_at, OLD.closed_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changesets', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.dream_id, OLD.origin, OLD.title, OLD.state, OLD.base_revision, OLD.reverts, OLD.created_by, OLD.created_at, OLD.closed_at) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.dream_id, NEW.origin, NEW.title, NEW.state, NEW.base_revision, NEW.reverts, NEW.created_by, NEW.created_at, NEW.closed_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changesets', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.dream_id, NEW.origin, NEW.title, NEW.state, NEW.base_revision, NEW.reverts, NEW.created_by, NEW.created_at, NEW.closed_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER changesets_covered_insert AFTER INSERT ON changesets FOR EACH ROW EXECUTE FUNCTION changesets_covered();
CREATE TRIGGER changesets_covered_update AFTER UPDATE ON changesets FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.dream_id, OLD.origin, OLD.title, OLD.state, OLD.base_revision, OLD.reverts, OLD.created_by, OLD.created_at, OLD.closed_at) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.dream_id, NEW.origin, NEW.title, NEW.state, NEW.base_revision, NEW.reverts, NEW.created_by, NEW.created_at, NEW.closed_at)) EXECUTE FUNCTION changesets_covered();
CREATE TRIGGER changesets_covered_delete AFTER DELETE ON changesets FOR EACH ROW EXECUTE FUNCTION changesets_covered();

CREATE FUNCTION comments_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('comments', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.change_id, OLD.revision, OLD.user_id, OLD.body, OLD.created_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('comments', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.change_id, OLD.revision, OLD.user_id, OLD.body, OLD.created_at) AS TEXT), CAST(ROW(NEW.id, NEW.change_id, NEW.revision, NEW.user_id, NEW.body, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('comments', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.change_id, NEW.revision, NEW.user_id, NEW.body, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER comments_covered_insert AFTER INSERT ON comments FOR EACH ROW EXECUTE FUNCTION comments_covered();
CREATE TRIGGER comments_covered_update AFTER UPDATE ON comments FOR EACH ROW WHEN (ROW(OLD.id, OLD.change_id, OLD.revision, OLD.user_id, OLD.body, OLD.created_at) IS DISTINCT FROM ROW(NEW.id, NEW.change_id, NEW.revision, NEW.user_id, NEW.body, NEW.created_at)) EXECUTE FUNCTION comments_covered();
CREATE TRIGGER comments_covered_delete AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION comments_covered();

CREATE FUNCTION commit_freezes_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commit_freezes', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.starts_at, OLD.ends_at, OLD.reason, OLD.exceptions, OLD.created_by, OLD.created_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commit_freezes', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.starts_at, OLD.ends_at, OLD.reason, OLD.exceptions, OLD.created_by, OLD.created_at) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.starts_at, NEW.ends_at, NEW.reason, NEW.exceptions, NEW.created_by, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commit_freezes', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.starts_at, NEW.ends_at, NEW.reason, NEW.exceptions, NEW.created_by, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER commit_freezes_covered_insert AFTER INSERT ON commit_freezes FOR EACH ROW EXECUTE FUNCTION commit_freezes_covered();
CREATE TRIGGER commit_freezes_covered_update AFTER UPDATE ON commit_freezes FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.starts_at, OLD.ends_at, OLD.reason, OLD.exceptions, OLD.created_by, OLD.created_at) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.starts_at, NEW.ends_at, NEW.reason, NEW.exceptions, NEW.created_by, NEW.created_at)) EXECUTE FUNCTION commit_freezes_covered();
CREATE TRIGGER commit_freezes_covered_delete AFTER DELETE ON commit_freezes FOR EACH ROW EXECUTE FUNCTION commit_freezes_covered();

CREATE FUNCTION commits_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commits', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.revision, OLD.created_at, OLD.actor, OLD.message, OLD.changeset_id, OLD.approvals) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commits', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.revision, OLD.created_at, OLD.actor, OLD.message, OLD.changeset_id, OLD.approvals) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.revision, NEW.created_at, NEW.actor, NEW.message, NEW.changeset_id, NEW.approvals) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commits', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.revision, NEW.created_at, NEW.actor, NEW.message, NEW.changeset_id, NEW.approvals) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER commits_covered_insert AFTER INSERT ON commits FOR EACH ROW EXECUTE FUNCTION commits_covered();
CREATE TRIGGER commits_covered_update AFTER UPDATE ON commits FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.revision, OLD.created_at, OLD.actor, OLD.message, OLD.changeset_id, OLD.approvals) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.revision, NEW.created_at, NEW.actor, NEW.message, NEW.changeset_id, NEW.approvals)) EXECUTE FUNCTION commits_covered();
CREATE TRIGGER commits_covered_delete AFTER DELETE ON commits FOR EACH ROW EXECUTE FUNCTION commits_covered();

CREATE FUNCTION decisions_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('decisions', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.change_id, OLD.revision, OLD.digest, OLD.user_id, OLD.verdict, OLD.reject_code, OLD.note, OLD.created_at, OLD.taken_back_at, OLD.meaning, OLD.confirmed_at, OLD.taken_back_by, OLD.sign_in, OLD.signature) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('decisions', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.change_id, OLD.revision, OLD.digest, OLD.user_id, OLD.verdict, OLD.reject_code, OLD.note, OLD.created_at, OLD.taken_back_at, OLD.meaning, OLD.confirmed_at, OLD.taken_back_by, OLD.sign_in, OLD.signature) AS TEXT), CAST(ROW(NEW.id, NEW.change_id, NEW.revision, NEW.digest, NEW.user_id, NEW.verdict, NEW.reject_code, NEW.note, NEW.created_at, NEW.taken_back_at, NEW.meaning, NEW.confirmed_at, NEW.taken_back_by, NEW.sign_in, NEW.signature) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('decisions', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.change_id, NEW.revision, NEW.digest, NEW.user_id, NEW.verdict, NEW.reject_code, NEW.note, NEW.created_at, NEW.taken_back_at, NEW.meaning, NEW.confirmed_at, NEW.taken_back_by, NEW.sign_in, NEW.signature) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER decisions_covered_insert AFTER INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_covered();
CREATE TRIGGER decisions_covered_update AFTER UPDATE ON decisions FOR EACH ROW WHEN (ROW(OLD.id, OLD.change_id, OLD.revision, OLD.digest, OLD.user_id, OLD.verdict, OLD.reject_code, OLD.note, OLD.created_at, OLD.taken_back_at, OLD.meaning, OLD.confirmed_at, OLD.taken_back_by, OLD.sign_in, OLD.signature) IS DISTINCT FROM ROW(NEW.id, NEW.change_id, NEW.revision, NEW.digest, NEW.user_id, NEW.verdict, NEW.reject_code, NEW.note, NEW.created_at, NEW.taken_back_at, NEW.meaning, NEW.confirmed_at, NEW.taken_back_by, NEW.sign_in, NEW.signature)) EXECUTE FUNCTION decisions_covered();
CREATE TRIGGER decisions_covered_delete AFTER DELETE ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_covered();

CREATE FUNCTION dreams_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('dreams', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.distiller, OLD.instructions, OLD.requested_by, OLD.created_at, OLD.chosen) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('dreams', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.distiller, OLD.instructions, OLD.requested_by, OLD.created_at, OLD.chosen) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.distiller, NEW.instructions, NEW.requested_by, NEW.created_at, NEW.chosen) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('dreams', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.distiller, NEW.instructions, NEW.requested_by, NEW.created_at, NEW.chosen) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER dreams_covered_insert AFTER INSERT ON dreams FOR EACH ROW EXECUTE FUNCTION dreams_covered();
CREATE TRIGGER dreams_covered_update AFTER UPDATE ON dreams FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.distiller, OLD.instructions, OLD.requested_by, OLD.created_at, OLD.chosen) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.distiller, NEW.instructions, NEW.requested_by, NEW.created_at, NEW.chosen)) EXECUTE FUNCTION dreams_covered();
CREATE TRIGGER dreams_covered_delete AFTER DELETE ON dreams FOR EACH ROW EXECUTE FUNCTION dreams_covered();

CREATE FUNCTION evidence_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('evidence', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.change_id, OLD.position, OLD.counter, OLD.appendix, OLD.session_id, OLD.event_id, OLD.byte_start, OLD.byte_end, OLD.sha256, OLD.quote, OLD.key_id) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('evidence', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.change_id, OLD.position, OLD.counter, OLD.appendix, OLD.session_id, OLD.event_id, OLD.byte_start, OLD.byte_end, OLD.sha256, OLD.quote, OLD.key_id) AS TEXT), CAST(ROW(NEW.id, NEW.change_id, NEW.position, NEW.counter, NEW.appendix, NEW.session_id, NEW.event_id, NEW.byte_start, NEW.byte_end, NEW.sha256, NEW.quote, NEW.key_id) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('evidence', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.change_id, NEW.position, NEW.counter, NEW.appendix, NEW.session_id, NEW.event_id, NEW.byte_start, NEW.byte_end, NEW.sha256, NEW.quote, NEW.key_id) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER evidence_covered_insert AFTER INSERT ON evidence FOR EACH ROW EXECUTE FUNCTION evidence_covered();
CREATE TRIGGER evidence_covered_update AFTER UPDATE ON evidence FOR EACH ROW WHEN (ROW(OLD.id, OLD.change_id, OLD.position, OLD.counter, OLD.appendix, OLD.session_id, OLD.event_id, OLD.byte_start, OLD.byte_end, OLD.sha256, OLD.quote, OLD.key_id) IS DISTINCT FROM ROW(NEW.id, NEW.change_id, NEW.position, NEW.counter, NEW.appendix, NEW.session_id, NEW.event_id, NEW.byte_start, NEW.byte_end, NEW.sha256, NEW.quote, NEW.key_id)) EXECUTE FUNCTION evidence_covered();
CREATE TRIGGER evidence_covered_delete AFTER DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION evidence_covered();

CREATE FUNCTION fingerprints_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('fingerprints', CAST(OLD.store_id AS TEXT) || '/' || OLD.fingerprint, CAST(ROW(OLD.store_id, OLD.fingerprint, OLD.reject_code, OLD.support, OLD.change_id, OLD.created_at, OLD.unmuted_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('fingerprints', CAST(NEW.store_id AS TEXT) || '/' || NEW.fingerprint, CAST(ROW(OLD.store_id, OLD.fingerprint, OLD.reject_code, OLD.support, OLD.change_id, OLD.created_at, OLD.unmuted_at) AS TEXT), CAST(ROW(NEW.store_id, NEW.fingerprint, NEW.reject_code, NEW.support, NEW.change_id, NEW.created_at, NEW.unmuted_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('fingerprints', CAST(NEW.store_id AS TEXT) || '/' || NEW.fingerprint, NULL, CAST(ROW(NEW.store_id, NEW.fingerprint, NEW.reject_code, NEW.support, NEW.change_id, NEW.created_at, NEW.unmuted_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fingerprints_covered_insert AFTER INSERT ON fingerprints FOR EACH ROW EXECUTE FUNCTION fingerprints_covered();
CREATE TRIGGER fingerprints_covered_update AFTER UPDATE ON fingerprints FOR EACH ROW WHEN (ROW(OLD.store_id, OLD.fingerprint, OLD.reject_code, OLD.support, OLD.change_id, OLD.created_at, OLD.unmuted_at) IS DISTINCT FROM ROW(NEW.store_id, NEW.fingerprint, NEW.reject_code, NEW.support, NEW.change_id, NEW.created_at, NEW.unmuted_at)) EXECUTE FUNCTION fingerprints_covered();
CREATE TRIGGER fingerprints_covered_delete AFTER DELETE ON fingerprints FOR EACH ROW EXECUTE FUNCTION fingerprints_covered();

CREATE FUNCTION grants_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('grants', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.user_id, OLD.store_id, OLD.path_prefix, OLD.role, OLD.created_by, OLD.created_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('grants', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.user_id, OLD.store_id, OLD.path_prefix, OLD.role, OLD.created_by, OLD.created_at) AS TEXT), CAST(ROW(NEW.id, NEW.user_id, NEW.store_id, NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('grants', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.user_id, NEW.store_id, NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER grants_covered_insert AFTER INSERT ON grants FOR EACH ROW EXECUTE FUNCTION grants_covered();
CREATE TRIGGER grants_covered_update AFTER UPDATE ON grants FOR EACH ROW WHEN (ROW(OLD.id, OLD.user_id, OLD.store_id, OLD.path_prefix, OLD.role, OLD.created_by, OLD.created_at) IS DISTINCT FROM ROW(NEW.id, NEW.user_id, NEW.store_id, NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at)) EXECUTE FUNCTION grants_covered();
CREATE TRIGGER grants_covered_delete AFTER DELETE ON grants FOR EACH ROW EXECUTE FUNCTION grants_covered();

CREATE FUNCTION mappings_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('mappings', OLD.name, CAST(ROW(OLD.name, OLD.mapping, OLD.updated_by, OLD.updated_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('mappings', NEW.name, CAST(ROW(OLD.name, OLD.mapping, OLD.updated_by, OLD.updated_at) AS TEXT), CAST(ROW(NEW.name, NEW.mapping, NEW.updated_by, NEW.updated_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('mappings', NEW.name, NULL, CAST(ROW(NEW.name, NEW.mapping, NEW.updated_by, NEW.updated_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mappings_covered_insert AFTER INSERT ON mappings FOR EACH ROW EXECUTE FUNCTION mappings_covered();
CREATE TRIGGER mappings_covered_update AFTER UPDATE ON mappings FOR EACH ROW WHEN (ROW(OLD.name, OLD.mapping, OLD.updated_by, OLD.updated_at) IS DISTINCT FROM ROW(NEW.name, NEW.mapping, NEW.updated_by, NEW.updated_at)) EXECUTE FUNCTION mappings_covered();
CREATE TRIGGER mappings_covered_delete AFTER DELETE ON mappings FOR EACH ROW EXECUTE FUNCTION mappings_covered();

CREATE FUNCTION memories_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memories', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.path, OLD.version_id, OLD.content_sha256, OLD.frozen, OLD.support, OLD.created_at, OLD.updated_at, OLD.frozen_reason, OLD.frozen_by, OLD.frozen_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memories', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.path, OLD.version_id, OLD.content_sha256, OLD.frozen, OLD.support, OLD.created_at, OLD.updated_at, OLD.frozen_reason, OLD.frozen_by, OLD.frozen_at) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.path, NEW.version_id, NEW.content_sha256, NEW.frozen, NEW.support, NEW.created_at, NEW.updated_at, NEW.frozen_reason, NEW.frozen_by, NEW.frozen_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memories', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.path, NEW.version_id, NEW.content_sha256, NEW.frozen, NEW.support, NEW.created_at, NEW.updated_at, NEW.frozen_reason, NEW.frozen_by, NEW.frozen_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER memories_covered_insert AFTER INSERT ON memories FOR EACH ROW EXECUTE FUNCTION memories_covered();
CREATE TRIGGER memories_covered_update AFTER UPDATE ON memories FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.path, OLD.version_id, OLD.content_sha256, OLD.frozen, OLD.support, OLD.created_at, OLD.updated_at, OLD.frozen_reason, OLD.frozen_by, OLD.frozen_at) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.path, NEW.version_id, NEW.content_sha256, NEW.frozen, NEW.support, NEW.created_at, NEW.updated_at, NEW.frozen_reason, NEW.frozen_by, NEW.frozen_at)) EXECUTE FUNCTION memories_covered();
CREATE TRIGGER memories_covered_delete AFTER DELETE ON memories FOR EACH ROW EXECUTE FUNCTION memories_covered();

CREATE FUNCTION memory_versions_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memory_versions', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.memory_id, OLD.store_id, OLD.commit_id, OLD.number, OLD.operation, OLD.path, OLD.content_sha256, OLD.created_at, OLD.by_person, OLD.change_id, OLD.key_id, OLD.redacted_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memory_versions', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.memory_id, OLD.store_id, OLD.commit_id, OLD.number, OLD.operation, OLD.path, OLD.content_sha256, OLD.created_at, OLD.by_person, OLD.change_id, OLD.key_id, OLD.redacted_at) AS TEXT), CAST(ROW(NEW.id, NEW.memory_id, NEW.store_id, NEW.commit_id, NEW.number, NEW.operation, NEW.path, NEW.content_sha256, NEW.created_at, NEW.by_person, NEW.change_id, NEW.key_id, NEW.redacted_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memory_versions', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.memory_id, NEW.store_id, NEW.commit_id, NEW.number, NEW.operation, NEW.path, NEW.content_sha256, NEW.created_at, NEW.by_person, NEW.change_id, NEW.key_id, NEW.redacted_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER memory_versions_covered_insert AFTER INSERT ON memory_versions FOR EACH ROW EXECUTE FUNCTION memory_versions_covered();
CREATE TRIGGER memory_versions_covered_update AFTER UPDATE ON memory_versions FOR EACH ROW WHEN (ROW(OLD.id, OLD.memory_id, OLD.store_id, OLD.commit_id, OLD.number, OLD.operation, OLD.path, OLD.content_sha256, OLD.created_at, OLD.by_person, OLD.change_id, OLD.key_id, OLD.redacted_at) IS DISTINCT FROM ROW(NEW.id, NEW.memory_id, NEW.store_id, NEW.commit_id, NEW.number, NEW.operation, NEW.path, NEW.content_sha256, NEW.created_at, NEW.by_person, NEW.change_id, NEW.key_id, NEW.redacted_at)) EXECUTE FUNCTION memory_versions_covered();
CREATE TRIGGER memory_versions_covered_delete AFTER DELETE ON memory_versions FOR EACH ROW EXECUTE FUNCTION memory_versions_covered();

CREATE FUNCTION outcomes_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('outcomes', CAST(OLD.session_id AS TEXT) || '/' || CAST(OLD.seq AS TEXT), CAST(ROW(OLD.session_id, OLD.seq, OLD.result, OLD.score, OLD.note, OLD.created_at, OLD.source) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('outcomes', CAST(NEW.session_id AS TEXT) || '/' || CAST(NEW.seq AS TEXT), CAST(ROW(OLD.session_id, OLD.seq, OLD.result, OLD.score, OLD.note, OLD.created_at, OLD.source) AS TEXT), CAST(ROW(NEW.session_id, NEW.seq, NEW.result, NEW.score, NEW.note, NEW.created_at, NEW.source) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('outcomes', CAST(NEW.session_id AS TEXT) || '/' || CAST(NEW.seq AS TEXT), NULL, CAST(ROW(NEW.session_id, NEW.seq, NEW.result, NEW.score, NEW.note, NEW.created_at, NEW.source) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER outcomes_covered_insert AFTER INSERT ON outcomes FOR EACH ROW EXECUTE FUNCTION outcomes_covered();
CREATE TRIGGER outcomes_covered_update AFTER UPDATE ON outcomes FOR EACH ROW WHEN (ROW(OLD.session_id, OLD.seq, OLD.result, OLD.score, OLD.note, OLD.created_at, OLD.source) IS DISTINCT FROM ROW(NEW.session_id, NEW.seq, NEW.result, NEW.score, NEW.note, NEW.created_at, NEW.source)) EXECUTE FUNCTION outcomes_covered();
CREATE TRIGGER outcomes_covered_delete AFTER DELETE ON outcomes FOR EACH ROW EXECUTE FUNCTION outcomes_covered();

CREATE FUNCTION policies_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policies', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.name, OLD.owner_id, OLD.created_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policies', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.name, OLD.owner_id, OLD.created_at) AS TEXT), CAST(ROW(NEW.id, NEW.name, NEW.owner_id, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policies', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.name, NEW.owner_id, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER policies_covered_insert AFTER INSERT ON policies FOR EACH ROW EXECUTE FUNCTION policies_covered();
CREATE TRIGGER policies_covered_update AFTER UPDATE ON policies FOR EACH ROW WHEN (ROW(OLD.id, OLD.name, OLD.owner_id, OLD.created_at) IS DISTINCT FROM ROW(NEW.id, NEW.name, NEW.owner_id, NEW.created_at)) EXECUTE FUNCTION policies_covered();
CREATE TRIGGER policies_covered_delete AFTER DELETE ON policies FOR EACH ROW EXECUTE FUNCTION policies_covered();

CREATE FUNCTION policy_applications_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_applications', CAST(OLD.change_id AS TEXT), CAST(ROW(OLD.change_id, OLD.store_id, OLD.policy_id, OLD.number, OLD.commit_id, OLD.revision, OLD.input, OLD.detail, OLD.memories, OLD.applied_at, OLD.sampled, OLD.checked_at, OLD.checked_by, OLD.confirmed, OLD.note) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_applications', CAST(NEW.change_id AS TEXT), CAST(ROW(OLD.change_id, OLD.store_id, OLD.policy_id, OLD.number, OLD.commit_id, OLD.revision, OLD.input, OLD.detail, OLD.memories, OLD.applied_at, OLD.sampled, OLD.checked_at, OLD.checked_by, OLD.confirmed, OLD.note) AS TEXT), CAST(ROW(NEW.change_id, NEW.store_id, NEW.policy_id, NEW.number, NEW.commit_id, NEW.revision, NEW.input, NEW.detail, NEW.memories, NEW.applied_at, NEW.sampled, NEW.checked_at, NEW.checked_by, NEW.confirmed, NEW.note) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_applications', CAST(NEW.change_id AS TEXT), NULL, CAST(ROW(NEW.change_id, NEW.store_id, NEW.policy_id, NEW.number, NEW.commit_id, NEW.revision, NEW.input, NEW.detail, NEW.memories, NEW.applied_at, NEW.sampled, NEW.checked_at, NEW.checked_by, NEW.confirmed, NEW.note) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER policy_applications_covered_insert AFTER INSERT ON policy_applications FOR EACH ROW EXECUTE FUNCTION policy_applications_covered();
CREATE TRIGGER policy_applications_covered_update AFTER UPDATE ON policy_applications FOR EACH ROW WHEN (ROW(OLD.change_id, OLD.store_id, OLD.policy_id, OLD.number, OLD.commit_id, OLD.revision, OLD.input, OLD.detail, OLD.memories, OLD.applied_at, OLD.sampled, OLD.checked_at, OLD.checked_by, OLD.confirmed, OLD.note) IS DISTINCT FROM ROW(NEW.change_id, NEW.store_id, NEW.policy_id, NEW.number, NEW.commit_id, NEW.revision, NEW.input, NEW.detail, NEW.memories, NEW.applied_at, NEW.sampled, NEW.checked_at, NEW.checked_by, NEW.confirmed, NEW.note)) EXECUTE FUNCTION policy_applications_covered();
CREATE TRIGGER policy_applications_covered_delete AFTER DELETE ON policy_applications FOR EACH ROW EXECUTE FUNCTION policy_applications_covered();

CREATE FUNCTION policy_authors_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_authors', CAST(OLD.policy_id AS TEXT) || '/' || CAST(OLD.number AS TEXT) || '/' || CAST(OLD.user_id AS TEXT), CAST(ROW(OLD.policy_id, OLD.number, OLD.user_id) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_authors', CAST(NEW.policy_id AS TEXT) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.user_id AS TEXT), CAST(ROW(OLD.policy_id, OLD.number, OLD.user_id) AS TEXT), CAST(ROW(NEW.policy_id, NEW.number, NEW.user_id) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_authors', CAST(NEW.policy_id AS TEXT) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.user_id AS TEXT), NULL, CAST(ROW(NEW.policy_id, NEW.number, NEW.user_id) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER policy_authors_covered_insert AFTER INSERT ON policy_authors FOR EACH ROW EXECUTE FUNCTION policy_authors_covered();
CREATE TRIGGER policy_authors_covered_update AFTER UPDATE ON policy_authors FOR EACH ROW WHEN (ROW(OLD.policy_id, OLD.number, OLD.user_id) IS DISTINCT FROM ROW(NEW.policy_id, NEW.number, NEW.user_id)) EXECUTE FUNCTION policy_authors_covered();
CREATE TRIGGER policy_authors_covered_delete AFTER DELETE ON policy_authors FOR EACH ROW EXECUTE FUNCTION policy_authors_covered();

CREATE FUNCTION policy_back_tests_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_back_tests', CAST(OLD.policy_id AS TEXT) || '/' || CAST(OLD.number AS TEXT) || '/' || CAST(OLD.run_at AS TEXT), CAST(ROW(OLD.policy_id, OLD.number, OLD.sha256, OLD.days, OLD.run_by, OLD.run_at, OLD.report) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_back_tests', CAST(NEW.policy_id AS TEXT) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.run_at AS TEXT), CAST(ROW(OLD.policy_id, OLD.number, OLD.sha256, OLD.days, OLD.run_by, OLD.run_at, OLD.report) AS TEXT), CAST(ROW(NEW.policy_id, NEW.number, NEW.sha256, NEW.days, NEW.run_by, NEW.run_at, NEW.report) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_back_tests', CAST(NEW.policy_id AS TEXT) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.run_at AS TEXT), NULL, CAST(ROW(NEW.policy_id, NEW.number, NEW.sha256, NEW.days, NEW.run_by, NEW.run_at, NEW.report) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER policy_back_tests_covered_insert AFTER INSERT ON policy_back_tests FOR EACH ROW EXECUTE FUNCTION policy_back_tests_covered();
CREATE TRIGGER policy_back_tests_covered_update AFTER UPDATE ON policy_back_tests FOR EACH ROW WHEN (ROW(OLD.policy_id, OLD.number, OLD.sha256, OLD.days, OLD.run_by, OLD.run_at, OLD.report) IS DISTINCT FROM ROW(NEW.policy_id, NEW.number, NEW.sha256, NEW.days, NEW.run_by, NEW.run_at, NEW.report)) EXECUTE FUNCTION policy_back_tests_covered();
CREATE TRIGGER policy_back_tests_covered_delete AFTER DELETE ON policy_back_tests FOR EACH ROW EXECUTE FUNCTION policy_back_tests_covered();

CREATE FUNCTION policy_holds_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_holds', CAST(OLD.change_id AS TEXT), CAST(ROW(OLD.change_id, OLD.held_by, OLD.held_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_holds', CAST(NEW.change_id AS TEXT), CAST(ROW(OLD.change_id, OLD.held_by, OLD.held_at) AS TEXT), CAST(ROW(NEW.change_id, NEW.held_by, NEW.held_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_holds', CAST(NEW.change_id AS TEXT), NULL, CAST(ROW(NEW.change_id, NEW.held_by, NEW.held_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER policy_holds_covered_insert AFTER INSERT ON policy_holds FOR EACH ROW EXECUTE FUNCTION policy_holds_covered();
CREATE TRIGGER policy_holds_covered_update AFTER UPDATE ON policy_holds FOR EACH ROW WHEN (ROW(OLD.change_id, OLD.held_by, OLD.held_at) IS DISTINCT FROM ROW(NEW.change_id, NEW.held_by, NEW.held_at)) EXECUTE FUNCTION policy_holds_covered();
CREATE TRIGGER policy_holds_covered_delete AFTER DELETE ON policy_holds FOR EACH ROW EXECUTE FUNCTION policy_holds_covered();

CREATE FUNCTION policy_stops_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_stops', OLD.scope, CAST(ROW(OLD.scope, OLD.stopped_at, OLD.stopped_by, OLD.reason) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_stops', NEW.scope, CAST(ROW(OLD.scope, OLD.stopped_at, OLD.stopped_by, OLD.reason) AS TEXT), CAST(ROW(NEW.scope, NEW.stopped_at, NEW.stopped_by, NEW.reason) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_stops', NEW.scope, NULL, CAST(ROW(NEW.scope, NEW.stopped_at, NEW.stopped_by, NEW.reason) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER policy_stops_covered_insert AFTER INSERT ON policy_stops FOR EACH ROW EXECUTE FUNCTION policy_stops_covered();
CREATE TRIGGER policy_stops_covered_update AFTER UPDATE ON policy_stops FOR EACH ROW WHEN (ROW(OLD.scope, OLD.stopped_at, OLD.stopped_by, OLD.reason) IS DISTINCT FROM ROW(NEW.scope, NEW.stopped_at, NEW.stopped_by, NEW.reason)) EXECUTE FUNCTION policy_stops_covered();
CREATE TRIGGER policy_stops_covered_delete AFTER DELETE ON policy_stops FOR EACH ROW EXECUTE FUNCTION policy_stops_covered();

CREATE FUNCTION policy_versions_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_versions', CAST(OLD.policy_id AS TEXT) || '/' || CAST(OLD.number AS TEXT), CAST(ROW(OLD.policy_id, OLD.number, OLD.content, OLD.sha256, OLD.state, OLD.state_since, OLD.note, OLD.created_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_versions', CAST(NEW.policy_id AS TEXT) || '/' || CAST(NEW.number AS TEXT), CAST(ROW(OLD.policy_id, OLD.number, OLD.content, OLD.sha256, OLD.state, OLD.state_since, OLD.note, OLD.created_at) AS TEXT), CAST(ROW(NEW.policy_id, NEW.number, NEW.content, NEW.sha256, NEW.state, NEW.state_since, NEW.note, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_versions', CAST(NEW.policy_id AS TEXT) || '/' || CAST(NEW.number AS TEXT), NULL, CAST(ROW(NEW.policy_id, NEW.number, NEW.content, NEW.sha256, NEW.state, NEW.state_since, NEW.note, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER policy_versions_covered_insert AFTER INSERT ON policy_versions FOR EACH ROW EXECUTE FUNCTION policy_versions_covered();
CREATE TRIGGER policy_versions_covered_update AFTER UPDATE ON policy_versions FOR EACH ROW WHEN (ROW(OLD.policy_id, OLD.number, OLD.content, OLD.sha256, OLD.state, OLD.state_since, OLD.note, OLD.created_at) IS DISTINCT FROM ROW(NEW.policy_id, NEW.number, NEW.content, NEW.sha256, NEW.state, NEW.state_since, NEW.note, NEW.created_at)) EXECUTE FUNCTION policy_versions_covered();
CREATE TRIGGER policy_versions_covered_delete AFTER DELETE ON policy_versions FOR EACH ROW EXECUTE FUNCTION policy_versions_covered();

CREATE FUNCTION schedules_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('schedules', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.cron, OLD.time_zone, OLD.min_sessions, OLD.idle_minutes, OLD.enabled, OLD.created_by, OLD.created_at, OLD.distiller) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('schedules', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.cron, OLD.time_zone, OLD.min_sessions, OLD.idle_minutes, OLD.enabled, OLD.created_by, OLD.created_at, OLD.distiller) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.cron, NEW.time_zone, NEW.min_sessions, NEW.idle_minutes, NEW.enabled, NEW.created_by, NEW.created_at, NEW.distiller) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('schedules', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.cron, NEW.time_zone, NEW.min_sessions, NEW.idle_minutes, NEW.enabled, NEW.created_by, NEW.created_at, NEW.distiller) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER schedules_covered_insert AFTER INSERT ON schedules FOR EACH ROW EXECUTE FUNCTION schedules_covered();
CREATE TRIGGER schedules_covered_update AFTER UPDATE ON schedules FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.cron, OLD.time_zone, OLD.min_sessions, OLD.idle_minutes, OLD.enabled, OLD.created_by, OLD.created_at, OLD.distiller) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.cron, NEW.time_zone, NEW.min_sessions, NEW.idle_minutes, NEW.enabled, NEW.created_by, NEW.created_at, NEW.distiller)) EXECUTE FUNCTION schedules_covered();
CREATE TRIGGER schedules_covered_delete AFTER DELETE ON schedules FOR EACH ROW EXECUTE FUNCTION schedules_covered();

CREATE FUNCTION session_recorders_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_recorders', CAST(OLD.session_id AS TEXT) || '/' || OLD.recorder, CAST(ROW(OLD.session_id, OLD.recorder) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_recorders', CAST(NEW.session_id AS TEXT) || '/' || NEW.recorder, CAST(ROW(OLD.session_id, OLD.recorder) AS TEXT), CAST(ROW(NEW.session_id, NEW.recorder) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_recorders', CAST(NEW.session_id AS TEXT) || '/' || NEW.recorder, NULL, CAST(ROW(NEW.session_id, NEW.recorder) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER session_recorders_covered_insert AFTER INSERT ON session_recorders FOR EACH ROW EXECUTE FUNCTION session_recorders_covered();
CREATE TRIGGER session_recorders_covered_update AFTER UPDATE ON session_recorders FOR EACH ROW WHEN (ROW(OLD.session_id, OLD.recorder) IS DISTINCT FROM ROW(NEW.session_id, NEW.recorder)) EXECUTE FUNCTION session_recorders_covered();
CREATE TRIGGER session_recorders_covered_delete AFTER DELETE ON session_recorders FOR EACH ROW EXECUTE FUNCTION session_recorders_covered();

CREATE FUNCTION session_stores_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_stores', CAST(OLD.store_id AS TEXT) || '/' || CAST(OLD.session_id AS TEXT), CAST(ROW(OLD.store_id, OLD.session_id) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_stores', CAST(NEW.store_id AS TEXT) || '/' || CAST(NEW.session_id AS TEXT), CAST(ROW(OLD.store_id, OLD.session_id) AS TEXT), CAST(ROW(NEW.store_id, NEW.session_id) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_stores', CAST(NEW.store_id AS TEXT) || '/' || CAST(NEW.session_id AS TEXT), NULL, CAST(ROW(NEW.store_id, NEW.session_id) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER session_stores_covered_insert AFTER INSERT ON session_stores FOR EACH ROW EXECUTE FUNCTION session_stores_covered();
CREATE TRIGGER session_stores_covered_update AFTER UPDATE ON session_stores FOR EACH ROW WHEN (ROW(OLD.store_id, OLD.session_id) IS DISTINCT FROM ROW(NEW.store_id, NEW.session_id)) EXECUTE FUNCTION session_stores_covered();
CREATE TRIGGER session_stores_covered_delete AFTER DELETE ON session_stores FOR EACH ROW EXECUTE FUNCTION session_stores_covered();

CREATE FUNCTION sessions_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('sessions', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.import_key, OLD.source, OLD.external_id, OLD.agent, OLD.subject, OLD.team, OLD.task_key, OLD.metadata, OLD.trust, OLD.event_count, OLD.events_digest, OLD.first_event_at, OLD.last_event_at, OLD.created_at, OLD.updated_at, OLD.deleted_at, OLD.key_id, OLD.created_by) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('sessions', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.import_key, OLD.source, OLD.external_id, OLD.agent, OLD.subject, OLD.team, OLD.task_key, OLD.metadata, OLD.trust, OLD.event_count, OLD.events_digest, OLD.first_event_at, OLD.last_event_at, OLD.created_at, OLD.updated_at, OLD.deleted_at, OLD.key_id, OLD.created_by) AS TEXT), CAST(ROW(NEW.id, NEW.import_key, NEW.source, NEW.external_id, NEW.agent, NEW.subject, NEW.team, NEW.task_key, NEW.metadata, NEW.trust, NEW.event_count, NEW.events_digest, NEW.first_event_at, NEW.last_event_at, NEW.created_at, NEW.updated_at, NEW.deleted_at, NEW.key_id, NEW.created_by) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('sessions', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.import_key, NEW.source, NEW.external_id, NEW.agent, NEW.subject, NEW.team, NEW.task_key, NEW.metadata, NEW.trust, NEW.event_count, NEW.events_digest, NEW.first_event_at, NEW.last_event_at, NEW.created_at, NEW.updated_at, NEW.deleted_at, NEW.key_id, NEW.created_by) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sessions_covered_insert AFTER INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_covered();
CREATE TRIGGER sessions_covered_update AFTER UPDATE ON sessions FOR EACH ROW WHEN (ROW(OLD.id, OLD.import_key, OLD.source, OLD.external_id, OLD.agent, OLD.subject, OLD.team, OLD.task_key, OLD.metadata, OLD.trust, OLD.event_count, OLD.events_digest, OLD.first_event_at, OLD.last_event_at, OLD.created_at, OLD.updated_at, OLD.deleted_at, OLD.key_id, OLD.created_by) IS DISTINCT FROM ROW(NEW.id, NEW.import_key, NEW.source, NEW.external_id, NEW.agent, NEW.subject, NEW.team, NEW.task_key, NEW.metadata, NEW.trust, NEW.event_count, NEW.events_digest, NEW.first_event_at, NEW.last_event_at, NEW.created_at, NEW.updated_at, NEW.deleted_at, NEW.key_id, NEW.created_by)) EXECUTE FUNCTION sessions_covered();
CREATE TRIGGER sessions_covered_delete AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_covered();

CREATE FUNCTION setting_changes_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('setting_changes', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.setting, OLD.summary, OLD.proposed_by, OLD.state, OLD.created_at, OLD.decided_at, OLD.decided_by) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('setting_changes', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.setting, OLD.summary, OLD.proposed_by, OLD.state, OLD.created_at, OLD.decided_at, OLD.decided_by) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.setting, NEW.summary, NEW.proposed_by, NEW.state, NEW.created_at, NEW.decided_at, NEW.decided_by) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('setting_changes', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.setting, NEW.summary, NEW.proposed_by, NEW.state, NEW.created_at, NEW.decided_at, NEW.decided_by) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER setting_changes_covered_insert AFTER INSERT ON setting_changes FOR EACH ROW EXECUTE FUNCTION setting_changes_covered();
CREATE TRIGGER setting_changes_covered_update AFTER UPDATE ON setting_changes FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.setting, OLD.summary, OLD.proposed_by, OLD.state, OLD.created_at, OLD.decided_at, OLD.decided_by) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.setting, NEW.summary, NEW.proposed_by, NEW.state, NEW.created_at, NEW.decided_at, NEW.decided_by)) EXECUTE FUNCTION setting_changes_covered();
CREATE TRIGGER setting_changes_covered_delete AFTER DELETE ON setting_changes FOR EACH ROW EXECUTE FUNCTION setting_changes_covered();

CREATE FUNCTION settings_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('settings', OLD.name, CAST(ROW(OLD.name, OLD.value) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('settings', NEW.name, CAST(ROW(OLD.name, OLD.value) AS TEXT), CAST(ROW(NEW.name, NEW.value) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('settings', NEW.name, NULL, CAST(ROW(NEW.name, NEW.value) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER settings_covered_insert AFTER INSERT ON settings FOR EACH ROW WHEN (NEW.name <> 'people') EXECUTE FUNCTION settings_covered();
CREATE TRIGGER settings_covered_update AFTER UPDATE ON settings FOR EACH ROW WHEN (NEW.name <> 'people' AND ROW(OLD.name, OLD.value) IS DISTINCT FROM ROW(NEW.name, NEW.value)) EXECUTE FUNCTION settings_covered();
CREATE TRIGGER settings_covered_delete AFTER DELETE ON settings FOR EACH ROW WHEN (OLD.name <> 'people') EXECUTE FUNCTION settings_covered();

CREATE FUNCTION stores_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('stores', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.name, OLD.description, OLD.metadata, OLD.gate_mode, OLD.revision, OLD.created_by, OLD.created_at, OLD.archived_at, OLD.deleted_at, OLD.updated_at, OLD.budget_tokens, OLD.approvals_low, OLD.approvals_medium, OLD.approvals_high, OLD.owners_only, OLD.clean_up_until) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('stores', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.name, OLD.description, OLD.metadata, OLD.gate_mode, OLD.revision, OLD.created_by, OLD.created_at, OLD.archived_at, OLD.deleted_at, OLD.updated_at, OLD.budget_tokens, OLD.approvals_low, OLD.approvals_medium, OLD.approvals_high, OLD.owners_only, OLD.clean_up_until) AS TEXT), CAST(ROW(NEW.id, NEW.name, NEW.description, NEW.metadata, NEW.gate_mode, NEW.revision, NEW.created_by, NEW.created_at, NEW.archived_at, NEW.deleted_at, NEW.updated_at, NEW.budget_tokens, NEW.approvals_low, NEW.approvals_medium, NEW.approvals_high, NEW.owners_only, NEW.clean_up_until) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('stores', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.name, NEW.description, NEW.metadata, NEW.gate_mode, NEW.revision, NEW.created_by, NEW.created_at, NEW.archived_at, NEW.deleted_at, NEW.updated_at, NEW.budget_tokens, NEW.approvals_low, NEW.approvals_medium, NEW.approvals_high, NEW.owners_only, NEW.clean_up_until) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stores_covered_insert AFTER INSERT ON stores FOR EACH ROW EXECUTE FUNCTION stores_covered();
CREATE TRIGGER stores_covered_update AFTER UPDATE ON stores FOR EACH ROW WHEN (ROW(OLD.id, OLD.name, OLD.description, OLD.metadata, OLD.gate_mode, OLD.revision, OLD.created_by, OLD.created_at, OLD.archived_at, OLD.deleted_at, OLD.updated_at, OLD.budget_tokens, OLD.approvals_low, OLD.approvals_medium, OLD.approvals_high, OLD.owners_only, OLD.clean_up_until) IS DISTINCT FROM ROW(NEW.id, NEW.name, NEW.description, NEW.metadata, NEW.gate_mode, NEW.revision, NEW.created_by, NEW.created_at, NEW.archived_at, NEW.deleted_at, NEW.updated_at, NEW.budget_tokens, NEW.approvals_low, NEW.approvals_medium, NEW.approvals_high, NEW.owners_only, NEW.clean_up_until)) EXECUTE FUNCTION stores_covered();
CREATE TRIGGER stores_covered_delete AFTER DELETE ON stores FOR EACH ROW EXECUTE FUNCTION stores_covered();

CREATE FUNCTION team_grants_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_grants', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.team_id, OLD.store_id, OLD.path_prefix, OLD.role, OLD.created_by, OLD.created_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_grants', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.team_id, OLD.store_id, OLD.path_prefix, OLD.role, OLD.created_by, OLD.created_at) AS TEXT), CAST(ROW(NEW.id, NEW.team_id, NEW.store_id, NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_grants', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.team_id, NEW.store_id, NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER team_grants_covered_insert AFTER INSERT ON team_grants FOR EACH ROW EXECUTE FUNCTION team_grants_covered();
CREATE TRIGGER team_grants_covered_update AFTER UPDATE ON team_grants FOR EACH ROW WHEN (ROW(OLD.id, OLD.team_id, OLD.store_id, OLD.path_prefix, OLD.role, OLD.created_by, OLD.created_at) IS DISTINCT FROM ROW(NEW.id, NEW.team_id, NEW.store_id, NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at)) EXECUTE FUNCTION team_grants_covered();
CREATE TRIGGER team_grants_covered_delete AFTER DELETE ON team_grants FOR EACH ROW EXECUTE FUNCTION team_grants_covered();

CREATE FUNCTION team_members_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_members', CAST(OLD.team_id AS TEXT) || '/' || CAST(OLD.user_id AS TEXT), CAST(ROW(OLD.team_id, OLD.user_id) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_members', CAST(NEW.team_id AS TEXT) || '/' || CAST(NEW.user_id AS TEXT), CAST(ROW(OLD.team_id, OLD.user_id) AS TEXT), CAST(ROW(NEW.team_id, NEW.user_id) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_members', CAST(NEW.team_id AS TEXT) || '/' || CAST(NEW.user_id AS TEXT), NULL, CAST(ROW(NEW.team_id, NEW.user_id) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER team_members_covered_insert AFTER INSERT ON team_members FOR EACH ROW EXECUTE FUNCTION team_members_covered();
CREATE TRIGGER team_members_covered_update AFTER UPDATE ON team_members FOR EACH ROW WHEN (ROW(OLD.team_id, OLD.user_id) IS DISTINCT FROM ROW(NEW.team_id, NEW.user_id)) EXECUTE FUNCTION team_members_covered();
CREATE TRIGGER team_members_covered_delete AFTER DELETE ON team_members FOR EACH ROW EXECUTE FUNCTION team_members_covered();

CREATE FUNCTION teams_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('teams', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.name, OLD.created_by, OLD.created_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('teams', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.name, OLD.created_by, OLD.created_at) AS TEXT), CAST(ROW(NEW.id, NEW.name, NEW.created_by, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('teams', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.name, NEW.created_by, NEW.created_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER teams_covered_insert AFTER INSERT ON teams FOR EACH ROW EXECUTE FUNCTION teams_covered();
CREATE TRIGGER teams_covered_update AFTER UPDATE ON teams FOR EACH ROW WHEN (ROW(OLD.id, OLD.name, OLD.created_by, OLD.created_at) IS DISTINCT FROM ROW(NEW.id, NEW.name, NEW.created_by, NEW.created_at)) EXECUTE FUNCTION teams_covered();
CREATE TRIGGER teams_covered_delete AFTER DELETE ON teams FOR EACH ROW EXECUTE FUNCTION teams_covered();

CREATE FUNCTION users_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('users', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.email, OLD.name, OLD.password_hash, OLD.role, OLD.created_at, OLD.disabled_at, OLD.credential_issuer) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('users', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.email, OLD.name, OLD.password_hash, OLD.role, OLD.created_at, OLD.disabled_at, OLD.credential_issuer) AS TEXT), CAST(ROW(NEW.id, NEW.email, NEW.name, NEW.password_hash, NEW.role, NEW.created_at, NEW.disabled_at, NEW.credential_issuer) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('users', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.email, NEW.name, NEW.password_hash, NEW.role, NEW.created_at, NEW.disabled_at, NEW.credential_issuer) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER users_covered_insert AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION users_covered();
CREATE TRIGGER users_covered_update AFTER UPDATE ON users FOR EACH ROW WHEN (ROW(OLD.id, OLD.email, OLD.name, OLD.password_hash, OLD.role, OLD.created_at, OLD.disabled_at, OLD.credential_issuer) IS DISTINCT FROM ROW(NEW.id, NEW.email, NEW.name, NEW.password_hash, NEW.role, NEW.created_at, NEW.disabled_at, NEW.credential_issuer)) EXECUTE FUNCTION users_covered();
CREATE TRIGGER users_covered_delete AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION users_covered();
