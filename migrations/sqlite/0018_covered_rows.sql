-- The trail binds the rows that are written with each entry, and is signed at its end.

ALTER TABLE audit ADD COLUMN rows TEXT;
ALTER TABLE audit_head ADD COLUMN baseline INTEGER;
ALTER TABLE audit_head ADD COLUMN signed_at INTEGER;
ALTER TABLE audit_head ADD COLUMN public_key BLOB;
ALTER TABLE audit_head ADD COLUMN signature BLOB;
CREATE TRIGGER audit_no_new_rows BEFORE UPDATE OF rows ON audit
BEGIN SELECT RAISE(ABORT, 'audit entries never change'); END;

CREATE INDEX audit_verified ON audit (seq) WHERE action IN ('audit.verify', 'audit.alarm');

-- What a transaction wrote to covered tables, until its entry takes it. The second table is always empty, so that no transaction can commit
-- while something of its own is left here: nothing covered is written without an entry.
CREATE TABLE audit_taken (
    id INTEGER PRIMARY KEY
) STRICT;
CREATE TABLE audit_touched (
    tbl TEXT NOT NULL,
    k TEXT NOT NULL,
    before TEXT,
    content TEXT,
    taken INTEGER NOT NULL DEFAULT 0 REFERENCES audit_taken (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (tbl, k)
) STRICT;

CREATE TRIGGER answers_covered_insert AFTER INSERT ON answers
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('answers', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.fingerprint), NEW.fingerprint, typeof(NEW.kind), NEW.kind, typeof(NEW.title), NEW.title, typeof(NEW.answer), NEW.answer, quote(NEW.support), quote(NEW.answered_by), quote(NEW.change_id), quote(NEW.created_at), quote(NEW.reopened_at), quote(NEW.near)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER answers_covered_update AFTER UPDATE ON answers WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.fingerprint IS NOT NEW.fingerprint OR OLD.kind IS NOT NEW.kind OR OLD.title IS NOT NEW.title OR OLD.answer IS NOT NEW.answer OR OLD.support IS NOT NEW.support OR OLD.answered_by IS NOT NEW.answered_by OR OLD.change_id IS NOT NEW.change_id OR OLD.created_at IS NOT NEW.created_at OR OLD.reopened_at IS NOT NEW.reopened_at OR OLD.near IS NOT NEW.near)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('answers', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.fingerprint), OLD.fingerprint, typeof(OLD.kind), OLD.kind, typeof(OLD.title), OLD.title, typeof(OLD.answer), OLD.answer, quote(OLD.support), quote(OLD.answered_by), quote(OLD.change_id), quote(OLD.created_at), quote(OLD.reopened_at), quote(OLD.near)), json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.fingerprint), NEW.fingerprint, typeof(NEW.kind), NEW.kind, typeof(NEW.title), NEW.title, typeof(NEW.answer), NEW.answer, quote(NEW.support), quote(NEW.answered_by), quote(NEW.change_id), quote(NEW.created_at), quote(NEW.reopened_at), quote(NEW.near)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER answers_covered_delete AFTER DELETE ON answers
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('answers', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.fingerprint), OLD.fingerprint, typeof(OLD.kind), OLD.kind, typeof(OLD.title), OLD.title, typeof(OLD.answer), OLD.answer, quote(OLD.support), quote(OLD.answered_by), quote(OLD.change_id), quote(OLD.created_at), quote(OLD.reopened_at), quote(OLD.near)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER api_keys_covered_insert AFTER INSERT ON api_keys
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('api_keys', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.user_id), quote(NEW.store_id), typeof(NEW.name), NEW.name, quote(NEW.secret_hash), typeof(NEW.scopes), NEW.scopes, quote(NEW.created_at), quote(NEW.expires_at), quote(NEW.revoked_at), quote(NEW.created_by)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER api_keys_covered_update AFTER UPDATE ON api_keys WHEN (OLD.id IS NOT NEW.id OR OLD.user_id IS NOT NEW.user_id OR OLD.store_id IS NOT NEW.store_id OR OLD.name IS NOT NEW.name OR OLD.secret_hash IS NOT NEW.secret_hash OR OLD.scopes IS NOT NEW.scopes OR OLD.created_at IS NOT NEW.created_at OR OLD.expires_at IS NOT NEW.expires_at OR OLD.revoked_at IS NOT NEW.revoked_at OR OLD.created_by IS NOT NEW.created_by)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('api_keys', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.user_id), quote(OLD.store_id), typeof(OLD.name), OLD.name, quote(OLD.secret_hash), typeof(OLD.scopes), OLD.scopes, quote(OLD.created_at), quote(OLD.expires_at), quote(OLD.revoked_at), quote(OLD.created_by)), json_array(quote(NEW.id), quote(NEW.user_id), quote(NEW.store_id), typeof(NEW.name), NEW.name, quote(NEW.secret_hash), typeof(NEW.scopes), NEW.scopes, quote(NEW.created_at), quote(NEW.expires_at), quote(NEW.revoked_at), quote(NEW.created_by)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER api_keys_covered_delete AFTER DELETE ON api_keys
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('api_keys', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.user_id), quote(OLD.store_id), typeof(OLD.name), OLD.name, quote(OLD.secret_hash), typeof(OLD.scopes), OLD.scopes, quote(OLD.created_at), quote(OLD.expires_at), quote(OLD.revoked_at), quote(OLD.created_by)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER change_contributors_covered_insert AFTER INSERT ON change_contributors
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_contributors', lower(hex(NEW.change_id)) || '/' || lower(hex(NEW.user_id)) || '/' || NEW.how, NULL, json_array(quote(NEW.change_id), quote(NEW.user_id), typeof(NEW.how), NEW.how, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER change_contributors_covered_update AFTER UPDATE ON change_contributors WHEN (OLD.change_id IS NOT NEW.change_id OR OLD.user_id IS NOT NEW.user_id OR OLD.how IS NOT NEW.how OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_contributors', lower(hex(NEW.change_id)) || '/' || lower(hex(NEW.user_id)) || '/' || NEW.how, json_array(quote(OLD.change_id), quote(OLD.user_id), typeof(OLD.how), OLD.how, quote(OLD.created_at)), json_array(quote(NEW.change_id), quote(NEW.user_id), typeof(NEW.how), NEW.how, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER change_contributors_covered_delete AFTER DELETE ON change_contributors
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_contributors', lower(hex(OLD.change_id)) || '/' || lower(hex(OLD.user_id)) || '/' || OLD.how, json_array(quote(OLD.change_id), quote(OLD.user_id), typeof(OLD.how), OLD.how, quote(OLD.created_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER change_edits_covered_insert AFTER INSERT ON change_edits
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_edits', lower(hex(NEW.change_id)) || '/' || CAST(NEW.revision AS TEXT) || '/' || CAST(NEW.position AS TEXT), NULL, json_array(quote(NEW.change_id), quote(NEW.revision), quote(NEW.position), quote(NEW.memory_id), quote(NEW.base_version), typeof(NEW.base_sha256), NEW.base_sha256, typeof(NEW.path), NEW.path, typeof(NEW.new_path), NEW.new_path, typeof(NEW.content_sha256), NEW.content_sha256))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER change_edits_covered_update AFTER UPDATE ON change_edits WHEN (OLD.change_id IS NOT NEW.change_id OR OLD.revision IS NOT NEW.revision OR OLD.position IS NOT NEW.position OR OLD.memory_id IS NOT NEW.memory_id OR OLD.base_version IS NOT NEW.base_version OR OLD.base_sha256 IS NOT NEW.base_sha256 OR OLD.path IS NOT NEW.path OR OLD.new_path IS NOT NEW.new_path OR OLD.content_sha256 IS NOT NEW.content_sha256)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_edits', lower(hex(NEW.change_id)) || '/' || CAST(NEW.revision AS TEXT) || '/' || CAST(NEW.position AS TEXT), json_array(quote(OLD.change_id), quote(OLD.revision), quote(OLD.position), quote(OLD.memory_id), quote(OLD.base_version), typeof(OLD.base_sha256), OLD.base_sha256, typeof(OLD.path), OLD.path, typeof(OLD.new_path), OLD.new_path, typeof(OLD.content_sha256), OLD.content_sha256), json_array(quote(NEW.change_id), quote(NEW.revision), quote(NEW.position), quote(NEW.memory_id), quote(NEW.base_version), typeof(NEW.base_sha256), NEW.base_sha256, typeof(NEW.path), NEW.path, typeof(NEW.new_path), NEW.new_path, typeof(NEW.content_sha256), NEW.content_sha256))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER change_edits_covered_delete AFTER DELETE ON change_edits
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('change_edits', lower(hex(OLD.change_id)) || '/' || CAST(OLD.revision AS TEXT) || '/' || CAST(OLD.position AS TEXT), json_array(quote(OLD.change_id), quote(OLD.revision), quote(OLD.position), quote(OLD.memory_id), quote(OLD.base_version), typeof(OLD.base_sha256), OLD.base_sha256, typeof(OLD.path), OLD.path, typeof(OLD.new_path), OLD.new_path, typeof(OLD.content_sha256), OLD.content_sha256), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER changes_covered_insert AFTER INSERT ON changes
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changes', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.changeset_id), quote(NEW.store_id), quote(NEW.position), typeof(NEW.kind), NEW.kind, typeof(NEW.title), NEW.title, typeof(NEW.rationale), NEW.rationale, quote(NEW.confidence_bp), typeof(NEW.state), NEW.state, quote(NEW.revision), typeof(NEW.digest), NEW.digest, typeof(NEW.risk_level), NEW.risk_level, typeof(NEW.labels), NEW.labels, typeof(NEW.finding), NEW.finding, typeof(NEW.fingerprint), NEW.fingerprint, quote(NEW.support_sessions), quote(NEW.support_subjects), quote(NEW.support_tasks), quote(NEW.occurrences), quote(NEW.eligible_sessions), typeof(NEW.facts), NEW.facts, quote(NEW.defer_until), quote(NEW.commit_id), quote(NEW.created_at), quote(NEW.updated_at), quote(NEW.recorders)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER changes_covered_update AFTER UPDATE ON changes WHEN (OLD.id IS NOT NEW.id OR OLD.changeset_id IS NOT NEW.changeset_id OR OLD.store_id IS NOT NEW.store_id OR OLD.position IS NOT NEW.position OR OLD.kind IS NOT NEW.kind OR OLD.title IS NOT NEW.title OR OLD.rationale IS NOT NEW.rationale OR OLD.confidence_bp IS NOT NEW.confidence_bp OR OLD.state IS NOT NEW.state OR OLD.revision IS NOT NEW.revision OR OLD.digest IS NOT NEW.digest OR OLD.risk_level IS NOT NEW.risk_level OR OLD.labels IS NOT NEW.labels OR OLD.finding IS NOT NEW.finding OR OLD.fingerprint IS NOT NEW.fingerprint OR OLD.support_sessions IS NOT NEW.support_sessions OR OLD.support_subjects IS NOT NEW.support_subjects OR OLD.support_tasks IS NOT NEW.support_tasks OR OLD.occurrences IS NOT NEW.occurrences OR OLD.eligible_sessions IS NOT NEW.eligible_sessions OR OLD.facts IS NOT NEW.facts OR OLD.defer_until IS NOT NEW.defer_until OR OLD.commit_id IS NOT NEW.commit_id OR OLD.created_at IS NOT NEW.created_at OR OLD.updated_at IS NOT NEW.updated_at OR OLD.recorders IS NOT NEW.recorders)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changes', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.changeset_id), quote(OLD.store_id), quote(OLD.position), typeof(OLD.kind), OLD.kind, typeof(OLD.title), OLD.title, typeof(OLD.rationale), OLD.rationale, quote(OLD.confidence_bp), typeof(OLD.state), OLD.state, quote(OLD.revision), typeof(OLD.digest), OLD.digest, typeof(OLD.risk_level), OLD.risk_level, typeof(OLD.labels), OLD.labels, typeof(OLD.finding), OLD.finding, typeof(OLD.fingerprint), OLD.fingerprint, quote(OLD.support_sessions), quote(OLD.support_subjects), quote(OLD.support_tasks), quote(OLD.occurrences), quote(OLD.eligible_sessions), typeof(OLD.facts), OLD.facts, quote(OLD.defer_until), quote(OLD.commit_id), quote(OLD.created_at), quote(OLD.updated_at), quote(OLD.recorders)), json_array(quote(NEW.id), quote(NEW.changeset_id), quote(NEW.store_id), quote(NEW.position), typeof(NEW.kind), NEW.kind, typeof(NEW.title), NEW.title, typeof(NEW.rationale), NEW.rationale, quote(NEW.confidence_bp), typeof(NEW.state), NEW.state, quote(NEW.revision), typeof(NEW.digest), NEW.digest, typeof(NEW.risk_level), NEW.risk_level, typeof(NEW.labels), NEW.labels, typeof(NEW.finding), NEW.finding, typeof(NEW.fingerprint), NEW.fingerprint, quote(NEW.support_sessions), quote(NEW.support_subjects), quote(NEW.support_tasks), quote(NEW.occurrences), quote(NEW.eligible_sessions), typeof(NEW.facts), NEW.facts, quote(NEW.defer_until), quote(NEW.commit_id), quote(NEW.created_at), quote(NEW.updated_at), quote(NEW.recorders)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER changes_covered_delete AFTER DELETE ON changes
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changes', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.changeset_id), quote(OLD.store_id), quote(OLD.position), typeof(OLD.kind), OLD.kind, typeof(OLD.title), OLD.title, typeof(OLD.rationale), OLD.rationale, quote(OLD.confidence_bp), typeof(OLD.state), OLD.state, quote(OLD.revision), typeof(OLD.digest), OLD.digest, typeof(OLD.risk_level), OLD.risk_level, typeof(OLD.labels), OLD.labels, typeof(OLD.finding), OLD.finding, typeof(OLD.fingerprint), OLD.fingerprint, quote(OLD.support_sessions), quote(OLD.support_subjects), quote(OLD.support_tasks), quote(OLD.occurrences), quote(OLD.eligible_sessions), typeof(OLD.facts), OLD.facts, quote(OLD.defer_until), quote(OLD.commit_id), quote(OLD.created_at), quote(OLD.updated_at), quote(OLD.recorders)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER changesets_covered_insert AFTER INSERT ON changesets
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changesets', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.dream_id), typeof(NEW.origin), NEW.origin, typeof(NEW.title), NEW.title, typeof(NEW.state), NEW.state, quote(NEW.base_revision), quote(NEW.reverts), typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at), quote(NEW.closed_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER changesets_covered_update AFTER UPDATE ON changesets WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.dream_id IS NOT NEW.dream_id OR OLD.origin IS NOT NEW.origin OR OLD.title IS NOT NEW.title OR OLD.state IS NOT NEW.state OR OLD.base_revision IS NOT NEW.base_revision OR OLD.reverts IS NOT NEW.reverts OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at OR OLD.closed_at IS NOT NEW.closed_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changesets', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.dream_id), typeof(OLD.origin), OLD.origin, typeof(OLD.title), OLD.title, typeof(OLD.state), OLD.state, quote(OLD.base_revision), quote(OLD.reverts), typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at), quote(OLD.closed_at)), json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.dream_id), typeof(NEW.origin), NEW.origin, typeof(NEW.title), NEW.title, typeof(NEW.state), NEW.state, quote(NEW.base_revision), quote(NEW.reverts), typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at), quote(NEW.closed_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER changesets_covered_delete AFTER DELETE ON changesets
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('changesets', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.dream_id), typeof(OLD.origin), OLD.origin, typeof(OLD.title), OLD.title, typeof(OLD.state), OLD.state, quote(OLD.base_revision), quote(OLD.reverts), typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at), quote(OLD.closed_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER comments_covered_insert AFTER INSERT ON comments
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('comments', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.change_id), quote(NEW.revision), quote(NEW.user_id), typeof(NEW.body), NEW.body, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER comments_covered_update AFTER UPDATE ON comments WHEN (OLD.id IS NOT NEW.id OR OLD.change_id IS NOT NEW.change_id OR OLD.revision IS NOT NEW.revision OR OLD.user_id IS NOT NEW.user_id OR OLD.body IS NOT NEW.body OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('comments', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.change_id), quote(OLD.revision), quote(OLD.user_id), typeof(OLD.body), OLD.body, quote(OLD.created_at)), json_array(quote(NEW.id), quote(NEW.change_id), quote(NEW.revision), quote(NEW.user_id), typeof(NEW.body), NEW.body, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER comments_covered_delete AFTER DELETE ON comments
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('comments', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.change_id), quote(OLD.revision), quote(OLD.user_id), typeof(OLD.body), OLD.body, quote(OLD.created_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER commit_freezes_covered_insert AFTER INSERT ON commit_freezes
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commit_freezes', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.starts_at), quote(NEW.ends_at), typeof(NEW.reason), NEW.reason, typeof(NEW.exceptions), NEW.exceptions, typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER commit_freezes_covered_update AFTER UPDATE ON commit_freezes WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.starts_at IS NOT NEW.starts_at OR OLD.ends_at IS NOT NEW.ends_at OR OLD.reason IS NOT NEW.reason OR OLD.exceptions IS NOT NEW.exceptions OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commit_freezes', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.starts_at), quote(OLD.ends_at), typeof(OLD.reason), OLD.reason, typeof(OLD.exceptions), OLD.exceptions, typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at)), json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.starts_at), quote(NEW.ends_at), typeof(NEW.reason), NEW.reason, typeof(NEW.exceptions), NEW.exceptions, typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER commit_freezes_covered_delete AFTER DELETE ON commit_freezes
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commit_freezes', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.starts_at), quote(OLD.ends_at), typeof(OLD.reason), OLD.reason, typeof(OLD.exceptions), OLD.exceptions, typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER commits_covered_insert AFTER INSERT ON commits
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commits', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.revision), quote(NEW.created_at), typeof(NEW.actor), NEW.actor, typeof(NEW.message), NEW.message, quote(NEW.changeset_id), typeof(NEW.approvals), NEW.approvals))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER commits_covered_update AFTER UPDATE ON commits WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.revision IS NOT NEW.revision OR OLD.created_at IS NOT NEW.created_at OR OLD.actor IS NOT NEW.actor OR OLD.message IS NOT NEW.message OR OLD.changeset_id IS NOT NEW.changeset_id OR OLD.approvals IS NOT NEW.approvals)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commits', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.revision), quote(OLD.created_at), typeof(OLD.actor), OLD.actor, typeof(OLD.message), OLD.message, quote(OLD.changeset_id), typeof(OLD.approvals), OLD.approvals), json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.revision), quote(NEW.created_at), typeof(NEW.actor), NEW.actor, typeof(NEW.message), NEW.message, quote(NEW.changeset_id), typeof(NEW.approvals), NEW.approvals))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER commits_covered_delete AFTER DELETE ON commits
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('commits', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.revision), quote(OLD.created_at), typeof(OLD.actor), OLD.actor, typeof(OLD.message), OLD.message, quote(OLD.changeset_id), typeof(OLD.approvals), OLD.approvals), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER decisions_covered_insert AFTER INSERT ON decisions
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('decisions', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.change_id), quote(NEW.revision), typeof(NEW.digest), NEW.digest, quote(NEW.user_id), typeof(NEW.verdict), NEW.verdict, typeof(NEW.reject_code), NEW.reject_code, typeof(NEW.note), NEW.note, quote(NEW.created_at), quote(NEW.taken_back_at), typeof(NEW.meaning), NEW.meaning, quote(NEW.confirmed_at), quote(NEW.taken_back_by), quote(NEW.sign_in), typeof(NEW.signature), NEW.signature))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER decisions_covered_update AFTER UPDATE ON decisions WHEN (OLD.id IS NOT NEW.id OR OLD.change_id IS NOT NEW.change_id OR OLD.revision IS NOT NEW.revision OR OLD.digest IS NOT NEW.digest OR OLD.user_id IS NOT NEW.user_id OR OLD.verdict IS NOT NEW.verdict OR OLD.reject_code IS NOT NEW.reject_code OR OLD.note IS NOT NEW.note OR OLD.created_at IS NOT NEW.created_at OR OLD.taken_back_at IS NOT NEW.taken_back_at OR OLD.meaning IS NOT NEW.meaning OR OLD.confirmed_at IS NOT NEW.confirmed_at OR OLD.taken_back_by IS NOT NEW.taken_back_by OR OLD.sign_in IS NOT NEW.sign_in OR OLD.signature IS NOT NEW.signature)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('decisions', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.change_id), quote(OLD.revision), typeof(OLD.digest), OLD.digest, quote(OLD.user_id), typeof(OLD.verdict), OLD.verdict, typeof(OLD.reject_code), OLD.reject_code, typeof(OLD.note), OLD.note, quote(OLD.created_at), quote(OLD.taken_back_at), typeof(OLD.meaning), OLD.meaning, quote(OLD.confirmed_at), quote(OLD.taken_back_by), quote(OLD.sign_in), typeof(OLD.signature), OLD.signature), json_array(quote(NEW.id), quote(NEW.change_id), quote(NEW.revision), typeof(NEW.digest), NEW.digest, quote(NEW.user_id), typeof(NEW.verdict), NEW.verdict, typeof(NEW.reject_code), NEW.reject_code, typeof(NEW.note), NEW.note, quote(NEW.created_at), quote(NEW.taken_back_at), typeof(NEW.meaning), NEW.meaning, quote(NEW.confirmed_at), quote(NEW.taken_back_by), quote(NEW.sign_in), typeof(NEW.signature), NEW.signature))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER decisions_covered_delete AFTER DELETE ON decisions
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('decisions', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.change_id), quote(OLD.revision), typeof(OLD.digest), OLD.digest, quote(OLD.user_id), typeof(OLD.verdict), OLD.verdict, typeof(OLD.reject_code), OLD.reject_code, typeof(OLD.note), OLD.note, quote(OLD.created_at), quote(OLD.taken_back_at), typeof(OLD.meaning), OLD.meaning, quote(OLD.confirmed_at), quote(OLD.taken_back_by), quote(OLD.sign_in), typeof(OLD.signature), OLD.signature), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER dreams_covered_insert AFTER INSERT ON dreams
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('dreams', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.distiller), NEW.distiller, typeof(NEW.instructions), NEW.instructions, typeof(NEW.requested_by), NEW.requested_by, quote(NEW.created_at), quote(NEW.chosen)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER dreams_covered_update AFTER UPDATE ON dreams WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.distiller IS NOT NEW.distiller OR OLD.instructions IS NOT NEW.instructions OR OLD.requested_by IS NOT NEW.requested_by OR OLD.created_at IS NOT NEW.created_at OR OLD.chosen IS NOT NEW.chosen)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('dreams', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.distiller), OLD.distiller, typeof(OLD.instructions), OLD.instructions, typeof(OLD.requested_by), OLD.requested_by, quote(OLD.created_at), quote(OLD.chosen)), json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.distiller), NEW.distiller, typeof(NEW.instructions), NEW.instructions, typeof(NEW.requested_by), NEW.requested_by, quote(NEW.created_at), quote(NEW.chosen)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER dreams_covered_delete AFTER DELETE ON dreams
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('dreams', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.distiller), OLD.distiller, typeof(OLD.instructions), OLD.instructions, typeof(OLD.requested_by), OLD.requested_by, quote(OLD.created_at), quote(OLD.chosen)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER evidence_covered_insert AFTER INSERT ON evidence
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('evidence', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.change_id), quote(NEW.position), quote(NEW.counter), quote(NEW.appendix), quote(NEW.session_id), quote(NEW.event_id), quote(NEW.byte_start), quote(NEW.byte_end), typeof(NEW.sha256), NEW.sha256, typeof(NEW.quote), NEW.quote, typeof(NEW.key_id), NEW.key_id))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER evidence_covered_update AFTER UPDATE ON evidence WHEN (OLD.id IS NOT NEW.id OR OLD.change_id IS NOT NEW.change_id OR OLD.position IS NOT NEW.position OR OLD.counter IS NOT NEW.counter OR OLD.appendix IS NOT NEW.appendix OR OLD.session_id IS NOT NEW.session_id OR OLD.event_id IS NOT NEW.event_id OR OLD.byte_start IS NOT NEW.byte_start OR OLD.byte_end IS NOT NEW.byte_end OR OLD.sha256 IS NOT NEW.sha256 OR OLD.quote IS NOT NEW.quote OR OLD.key_id IS NOT NEW.key_id)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('evidence', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.change_id), quote(OLD.position), quote(OLD.counter), quote(OLD.appendix), quote(OLD.session_id), quote(OLD.event_id), quote(OLD.byte_start), quote(OLD.byte_end), typeof(OLD.sha256), OLD.sha256, typeof(OLD.quote), OLD.quote, typeof(OLD.key_id), OLD.key_id), json_array(quote(NEW.id), quote(NEW.change_id), quote(NEW.position), quote(NEW.counter), quote(NEW.appendix), quote(NEW.session_id), quote(NEW.event_id), quote(NEW.byte_start), quote(NEW.byte_end), typeof(NEW.sha256), NEW.sha256, typeof(NEW.quote), NEW.quote, typeof(NEW.key_id), NEW.key_id))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER evidence_covered_delete AFTER DELETE ON evidence
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('evidence', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.change_id), quote(OLD.position), quote(OLD.counter), quote(OLD.appendix), quote(OLD.session_id), quote(OLD.event_id), quote(OLD.byte_start), quote(OLD.byte_end), typeof(OLD.sha256), OLD.sha256, typeof(OLD.quote), OLD.quote, typeof(OLD.key_id), OLD.key_id), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER fingerprints_covered_insert AFTER INSERT ON fingerprints
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('fingerprints', lower(hex(NEW.store_id)) || '/' || NEW.fingerprint, NULL, json_array(quote(NEW.store_id), typeof(NEW.fingerprint), NEW.fingerprint, typeof(NEW.reject_code), NEW.reject_code, quote(NEW.support), quote(NEW.change_id), quote(NEW.created_at), quote(NEW.unmuted_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER fingerprints_covered_update AFTER UPDATE ON fingerprints WHEN (OLD.store_id IS NOT NEW.store_id OR OLD.fingerprint IS NOT NEW.fingerprint OR OLD.reject_code IS NOT NEW.reject_code OR OLD.support IS NOT NEW.support OR OLD.change_id IS NOT NEW.change_id OR OLD.created_at IS NOT NEW.created_at OR OLD.unmuted_at IS NOT NEW.unmuted_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('fingerprints', lower(hex(NEW.store_id)) || '/' || NEW.fingerprint, json_array(quote(OLD.store_id), typeof(OLD.fingerprint), OLD.fingerprint, typeof(OLD.reject_code), OLD.reject_code, quote(OLD.support), quote(OLD.change_id), quote(OLD.created_at), quote(OLD.unmuted_at)), json_array(quote(NEW.store_id), typeof(NEW.fingerprint), NEW.fingerprint, typeof(NEW.reject_code), NEW.reject_code, quote(NEW.support), quote(NEW.change_id), quote(NEW.created_at), quote(NEW.unmuted_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER fingerprints_covered_delete AFTER DELETE ON fingerprints
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('fingerprints', lower(hex(OLD.store_id)) || '/' || OLD.fingerprint, json_array(quote(OLD.store_id), typeof(OLD.fingerprint), OLD.fingerprint, typeof(OLD.reject_code), OLD.reject_code, quote(OLD.support), quote(OLD.change_id), quote(OLD.created_at), quote(OLD.unmuted_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER grants_covered_insert AFTER INSERT ON grants
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('grants', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.user_id), quote(NEW.store_id), typeof(NEW.path_prefix), NEW.path_prefix, typeof(NEW.role), NEW.role, typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER grants_covered_update AFTER UPDATE ON grants WHEN (OLD.id IS NOT NEW.id OR OLD.user_id IS NOT NEW.user_id OR OLD.store_id IS NOT NEW.store_id OR OLD.path_prefix IS NOT NEW.path_prefix OR OLD.role IS NOT NEW.role OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('grants', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.user_id), quote(OLD.store_id), typeof(OLD.path_prefix), OLD.path_prefix, typeof(OLD.role), OLD.role, typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at)), json_array(quote(NEW.id), quote(NEW.user_id), quote(NEW.store_id), typeof(NEW.path_prefix), NEW.path_prefix, typeof(NEW.role), NEW.role, typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER grants_covered_delete AFTER DELETE ON grants
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('grants', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.user_id), quote(OLD.store_id), typeof(OLD.path_prefix), OLD.path_prefix, typeof(OLD.role), OLD.role, typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER mappings_covered_insert AFTER INSERT ON mappings
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('mappings', NEW.name, NULL, json_array(typeof(NEW.name), NEW.name, typeof(NEW.mapping), NEW.mapping, typeof(NEW.updated_by), NEW.updated_by, quote(NEW.updated_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER mappings_covered_update AFTER UPDATE ON mappings WHEN (OLD.name IS NOT NEW.name OR OLD.mapping IS NOT NEW.mapping OR OLD.updated_by IS NOT NEW.updated_by OR OLD.updated_at IS NOT NEW.updated_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('mappings', NEW.name, json_array(typeof(OLD.name), OLD.name, typeof(OLD.mapping), OLD.mapping, typeof(OLD.updated_by), OLD.updated_by, quote(OLD.updated_at)), json_array(typeof(NEW.name), NEW.name, typeof(NEW.mapping), NEW.mapping, typeof(NEW.updated_by), NEW.updated_by, quote(NEW.updated_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER mappings_covered_delete AFTER DELETE ON mappings
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('mappings', OLD.name, json_array(typeof(OLD.name), OLD.name, typeof(OLD.mapping), OLD.mapping, typeof(OLD.updated_by), OLD.updated_by, quote(OLD.updated_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER memories_covered_insert AFTER INSERT ON memories
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memories', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.path), NEW.path, quote(NEW.version_id), typeof(NEW.content_sha256), NEW.content_sha256, quote(NEW.frozen), typeof(NEW.support), NEW.support, quote(NEW.created_at), quote(NEW.updated_at), typeof(NEW.frozen_reason), NEW.frozen_reason, typeof(NEW.frozen_by), NEW.frozen_by, quote(NEW.frozen_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER memories_covered_update AFTER UPDATE ON memories WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.path IS NOT NEW.path OR OLD.version_id IS NOT NEW.version_id OR OLD.content_sha256 IS NOT NEW.content_sha256 OR OLD.frozen IS NOT NEW.frozen OR OLD.support IS NOT NEW.support OR OLD.created_at IS NOT NEW.created_at OR OLD.updated_at IS NOT NEW.updated_at OR OLD.frozen_reason IS NOT NEW.frozen_reason OR OLD.frozen_by IS NOT NEW.frozen_by OR OLD.frozen_at IS NOT NEW.frozen_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memories', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.path), OLD.path, quote(OLD.version_id), typeof(OLD.content_sha256), OLD.content_sha256, quote(OLD.frozen), typeof(OLD.support), OLD.support, quote(OLD.created_at), quote(OLD.updated_at), typeof(OLD.frozen_reason), OLD.frozen_reason, typeof(OLD.frozen_by), OLD.frozen_by, quote(OLD.frozen_at)), json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.path), NEW.path, quote(NEW.version_id), typeof(NEW.content_sha256), NEW.content_sha256, quote(NEW.frozen), typeof(NEW.support), NEW.support, quote(NEW.created_at), quote(NEW.updated_at), typeof(NEW.frozen_reason), NEW.frozen_reason, typeof(NEW.frozen_by), NEW.frozen_by, quote(NEW.frozen_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER memories_covered_delete AFTER DELETE ON memories
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memories', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.path), OLD.path, quote(OLD.version_id), typeof(OLD.content_sha256), OLD.content_sha256, quote(OLD.frozen), typeof(OLD.support), OLD.support, quote(OLD.created_at), quote(OLD.updated_at), typeof(OLD.frozen_reason), OLD.frozen_reason, typeof(OLD.frozen_by), OLD.frozen_by, quote(OLD.frozen_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER memory_versions_covered_insert AFTER INSERT ON memory_versions
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memory_versions', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.memory_id), quote(NEW.store_id), quote(NEW.commit_id), quote(NEW.number), typeof(NEW.operation), NEW.operation, typeof(NEW.path), NEW.path, typeof(NEW.content_sha256), NEW.content_sha256, quote(NEW.created_at), quote(NEW.by_person), quote(NEW.change_id), typeof(NEW.key_id), NEW.key_id, quote(NEW.redacted_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER memory_versions_covered_update AFTER UPDATE ON memory_versions WHEN (OLD.id IS NOT NEW.id OR OLD.memory_id IS NOT NEW.memory_id OR OLD.store_id IS NOT NEW.store_id OR OLD.commit_id IS NOT NEW.commit_id OR OLD.number IS NOT NEW.number OR OLD.operation IS NOT NEW.operation OR OLD.path IS NOT NEW.path OR OLD.content_sha256 IS NOT NEW.content_sha256 OR OLD.created_at IS NOT NEW.created_at OR OLD.by_person IS NOT NEW.by_person OR OLD.change_id IS NOT NEW.change_id OR OLD.key_id IS NOT NEW.key_id OR OLD.redacted_at IS NOT NEW.redacted_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memory_versions', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.memory_id), quote(OLD.store_id), quote(OLD.commit_id), quote(OLD.number), typeof(OLD.operation), OLD.operation, typeof(OLD.path), OLD.path, typeof(OLD.content_sha256), OLD.content_sha256, quote(OLD.created_at), quote(OLD.by_person), quote(OLD.change_id), typeof(OLD.key_id), OLD.key_id, quote(OLD.redacted_at)), json_array(quote(NEW.id), quote(NEW.memory_id), quote(NEW.store_id), quote(NEW.commit_id), quote(NEW.number), typeof(NEW.operation), NEW.operation, typeof(NEW.path), NEW.path, typeof(NEW.content_sha256), NEW.content_sha256, quote(NEW.created_at), quote(NEW.by_person), quote(NEW.change_id), typeof(NEW.key_id), NEW.key_id, quote(NEW.redacted_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER memory_versions_covered_delete AFTER DELETE ON memory_versions
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('memory_versions', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.memory_id), quote(OLD.store_id), quote(OLD.commit_id), quote(OLD.number), typeof(OLD.operation), OLD.operation, typeof(OLD.path), OLD.path, typeof(OLD.content_sha256), OLD.content_sha256, quote(OLD.created_at), quote(OLD.by_person), quote(OLD.change_id), typeof(OLD.key_id), OLD.key_id, quote(OLD.redacted_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER outcomes_covered_insert AFTER INSERT ON outcomes
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('outcomes', lower(hex(NEW.session_id)) || '/' || CAST(NEW.seq AS TEXT), NULL, json_array(quote(NEW.session_id), quote(NEW.seq), typeof(NEW.result), NEW.result, quote(NEW.score), typeof(NEW.note), NEW.note, quote(NEW.created_at), typeof(NEW.source), NEW.source))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER outcomes_covered_update AFTER UPDATE ON outcomes WHEN (OLD.session_id IS NOT NEW.session_id OR OLD.seq IS NOT NEW.seq OR OLD.result IS NOT NEW.result OR OLD.score IS NOT NEW.score OR OLD.note IS NOT NEW.note OR OLD.created_at IS NOT NEW.created_at OR OLD.source IS NOT NEW.source)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('outcomes', lower(hex(NEW.session_id)) || '/' || CAST(NEW.seq AS TEXT), json_array(quote(OLD.session_id), quote(OLD.seq), typeof(OLD.result), OLD.result, quote(OLD.score), typeof(OLD.note), OLD.note, quote(OLD.created_at), typeof(OLD.source), OLD.source), json_array(quote(NEW.session_id), quote(NEW.seq), typeof(NEW.result), NEW.result, quote(NEW.score), typeof(NEW.note), NEW.note, quote(NEW.created_at), typeof(NEW.source), NEW.source))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER outcomes_covered_delete AFTER DELETE ON outcomes
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('outcomes', lower(hex(OLD.session_id)) || '/' || CAST(OLD.seq AS TEXT), json_array(quote(OLD.session_id), quote(OLD.seq), typeof(OLD.result), OLD.result, quote(OLD.score), typeof(OLD.note), OLD.note, quote(OLD.created_at), typeof(OLD.source), OLD.source), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER policies_covered_insert AFTER INSERT ON policies
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policies', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), typeof(NEW.name), NEW.name, quote(NEW.owner_id), quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policies_covered_update AFTER UPDATE ON policies WHEN (OLD.id IS NOT NEW.id OR OLD.name IS NOT NEW.name OR OLD.owner_id IS NOT NEW.owner_id OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policies', lower(hex(NEW.id)), json_array(quote(OLD.id), typeof(OLD.name), OLD.name, quote(OLD.owner_id), quote(OLD.created_at)), json_array(quote(NEW.id), typeof(NEW.name), NEW.name, quote(NEW.owner_id), quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policies_covered_delete AFTER DELETE ON policies
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policies', lower(hex(OLD.id)), json_array(quote(OLD.id), typeof(OLD.name), OLD.name, quote(OLD.owner_id), quote(OLD.created_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER policy_applications_covered_insert AFTER INSERT ON policy_applications
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_applications', lower(hex(NEW.change_id)), NULL, json_array(quote(NEW.change_id), quote(NEW.store_id), quote(NEW.policy_id), quote(NEW.number), quote(NEW.commit_id), quote(NEW.revision), typeof(NEW.input), NEW.input, typeof(NEW.detail), NEW.detail, quote(NEW.memories), quote(NEW.applied_at), quote(NEW.sampled), quote(NEW.checked_at), quote(NEW.checked_by), quote(NEW.confirmed), typeof(NEW.note), NEW.note))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_applications_covered_update AFTER UPDATE ON policy_applications WHEN (OLD.change_id IS NOT NEW.change_id OR OLD.store_id IS NOT NEW.store_id OR OLD.policy_id IS NOT NEW.policy_id OR OLD.number IS NOT NEW.number OR OLD.commit_id IS NOT NEW.commit_id OR OLD.revision IS NOT NEW.revision OR OLD.input IS NOT NEW.input OR OLD.detail IS NOT NEW.detail OR OLD.memories IS NOT NEW.memories OR OLD.applied_at IS NOT NEW.applied_at OR OLD.sampled IS NOT NEW.sampled OR OLD.checked_at IS NOT NEW.checked_at OR OLD.checked_by IS NOT NEW.checked_by OR OLD.confirmed IS NOT NEW.confirmed OR OLD.note IS NOT NEW.note)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_applications', lower(hex(NEW.change_id)), json_array(quote(OLD.change_id), quote(OLD.store_id), quote(OLD.policy_id), quote(OLD.number), quote(OLD.commit_id), quote(OLD.revision), typeof(OLD.input), OLD.input, typeof(OLD.detail), OLD.detail, quote(OLD.memories), quote(OLD.applied_at), quote(OLD.sampled), quote(OLD.checked_at), quote(OLD.checked_by), quote(OLD.confirmed), typeof(OLD.note), OLD.note), json_array(quote(NEW.change_id), quote(NEW.store_id), quote(NEW.policy_id), quote(NEW.number), quote(NEW.commit_id), quote(NEW.revision), typeof(NEW.input), NEW.input, typeof(NEW.detail), NEW.detail, quote(NEW.memories), quote(NEW.applied_at), quote(NEW.sampled), quote(NEW.checked_at), quote(NEW.checked_by), quote(NEW.confirmed), typeof(NEW.note), NEW.note))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_applications_covered_delete AFTER DELETE ON policy_applications
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_applications', lower(hex(OLD.change_id)), json_array(quote(OLD.change_id), quote(OLD.store_id), quote(OLD.policy_id), quote(OLD.number), quote(OLD.commit_id), quote(OLD.revision), typeof(OLD.input), OLD.input, typeof(OLD.detail), OLD.detail, quote(OLD.memories), quote(OLD.applied_at), quote(OLD.sampled), quote(OLD.checked_at), quote(OLD.checked_by), quote(OLD.confirmed), typeof(OLD.note), OLD.note), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER policy_authors_covered_insert AFTER INSERT ON policy_authors
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_authors', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || lower(hex(NEW.user_id)), NULL, json_array(quote(NEW.policy_id), quote(NEW.number), quote(NEW.user_id)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_authors_covered_update AFTER UPDATE ON policy_authors WHEN (OLD.policy_id IS NOT NEW.policy_id OR OLD.number IS NOT NEW.number OR OLD.user_id IS NOT NEW.user_id)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_authors', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || lower(hex(NEW.user_id)), json_array(quote(OLD.policy_id), quote(OLD.number), quote(OLD.user_id)), json_array(quote(NEW.policy_id), quote(NEW.number), quote(NEW.user_id)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_authors_covered_delete AFTER DELETE ON policy_authors
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_authors', lower(hex(OLD.policy_id)) || '/' || CAST(OLD.number AS TEXT) || '/' || lower(hex(OLD.user_id)), json_array(quote(OLD.policy_id), quote(OLD.number), quote(OLD.user_id)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER policy_back_tests_covered_insert AFTER INSERT ON policy_back_tests
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_back_tests', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.run_at AS TEXT), NULL, json_array(quote(NEW.policy_id), quote(NEW.number), typeof(NEW.sha256), NEW.sha256, quote(NEW.days), typeof(NEW.run_by), NEW.run_by, quote(NEW.run_at), typeof(NEW.report), NEW.report))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_back_tests_covered_update AFTER UPDATE ON policy_back_tests WHEN (OLD.policy_id IS NOT NEW.policy_id OR OLD.number IS NOT NEW.number OR OLD.sha256 IS NOT NEW.sha256 OR OLD.days IS NOT NEW.days OR OLD.run_by IS NOT NEW.run_by OR OLD.run_at IS NOT NEW.run_at OR OLD.report IS NOT NEW.report)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_back_tests', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.run_at AS TEXT), json_array(quote(OLD.policy_id), quote(OLD.number), typeof(OLD.sha256), OLD.sha256, quote(OLD.days), typeof(OLD.run_by), OLD.run_by, quote(OLD.run_at), typeof(OLD.report), OLD.report), json_array(quote(NEW.policy_id), quote(NEW.number), typeof(NEW.sha256), NEW.sha256, quote(NEW.days), typeof(NEW.run_by), NEW.run_by, quote(NEW.run_at), typeof(NEW.report), NEW.report))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_back_tests_covered_delete AFTER DELETE ON policy_back_tests
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_back_tests', lower(hex(OLD.policy_id)) || '/' || CAST(OLD.number AS TEXT) || '/' || CAST(OLD.run_at AS TEXT), json_array(quote(OLD.policy_id), quote(OLD.number), typeof(OLD.sha256), OLD.sha256, quote(OLD.days), typeof(OLD.run_by), OLD.run_by, quote(OLD.run_at), typeof(OLD.report), OLD.report), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER policy_holds_covered_insert AFTER INSERT ON policy_holds
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_holds', lower(hex(NEW.change_id)), NULL, json_array(quote(NEW.change_id), quote(NEW.held_by), quote(NEW.held_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_holds_covered_update AFTER UPDATE ON policy_holds WHEN (OLD.change_id IS NOT NEW.change_id OR OLD.held_by IS NOT NEW.held_by OR OLD.held_at IS NOT NEW.held_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_holds', lower(hex(NEW.change_id)), json_array(quote(OLD.change_id), quote(OLD.held_by), quote(OLD.held_at)), json_array(quote(NEW.change_id), quote(NEW.held_by), quote(NEW.held_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_holds_covered_delete AFTER DELETE ON policy_holds
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_holds', lower(hex(OLD.change_id)), json_array(quote(OLD.change_id), quote(OLD.held_by), quote(OLD.held_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER policy_stops_covered_insert AFTER INSERT ON policy_stops
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_stops', NEW.scope, NULL, json_array(typeof(NEW.scope), NEW.scope, quote(NEW.stopped_at), typeof(NEW.stopped_by), NEW.stopped_by, typeof(NEW.reason), NEW.reason))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_stops_covered_update AFTER UPDATE ON policy_stops WHEN (OLD.scope IS NOT NEW.scope OR OLD.stopped_at IS NOT NEW.stopped_at OR OLD.stopped_by IS NOT NEW.stopped_by OR OLD.reason IS NOT NEW.reason)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_stops', NEW.scope, json_array(typeof(OLD.scope), OLD.scope, quote(OLD.stopped_at), typeof(OLD.stopped_by), OLD.stopped_by, typeof(OLD.reason), OLD.reason), json_array(typeof(NEW.scope), NEW.scope, quote(NEW.stopped_at), typeof(NEW.stopped_by), NEW.stopped_by, typeof(NEW.reason), NEW.reason))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_stops_covered_delete AFTER DELETE ON policy_stops
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_stops', OLD.scope, json_array(typeof(OLD.scope), OLD.scope, quote(OLD.stopped_at), typeof(OLD.stopped_by), OLD.stopped_by, typeof(OLD.reason), OLD.reason), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER policy_versions_covered_insert AFTER INSERT ON policy_versions
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_versions', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT), NULL, json_array(quote(NEW.policy_id), quote(NEW.number), typeof(NEW.content), NEW.content, typeof(NEW.sha256), NEW.sha256, typeof(NEW.state), NEW.state, quote(NEW.state_since), typeof(NEW.note), NEW.note, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_versions_covered_update AFTER UPDATE ON policy_versions WHEN (OLD.policy_id IS NOT NEW.policy_id OR OLD.number IS NOT NEW.number OR OLD.content IS NOT NEW.content OR OLD.sha256 IS NOT NEW.sha256 OR OLD.state IS NOT NEW.state OR OLD.state_since IS NOT NEW.state_since OR OLD.note IS NOT NEW.note OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_versions', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT), json_array(quote(OLD.policy_id), quote(OLD.number), typeof(OLD.content), OLD.content, typeof(OLD.sha256), OLD.sha256, typeof(OLD.state), OLD.state, quote(OLD.state_since), typeof(OLD.note), OLD.note, quote(OLD.created_at)), json_array(quote(NEW.policy_id), quote(NEW.number), typeof(NEW.content), NEW.content, typeof(NEW.sha256), NEW.sha256, typeof(NEW.state), NEW.state, quote(NEW.state_since), typeof(NEW.note), NEW.note, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER policy_versions_covered_delete AFTER DELETE ON policy_versions
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('policy_versions', lower(hex(OLD.policy_id)) || '/' || CAST(OLD.number AS TEXT), json_array(quote(OLD.policy_id), quote(OLD.number), typeof(OLD.content), OLD.content, typeof(OLD.sha256), OLD.sha256, typeof(OLD.state), OLD.state, quote(OLD.state_since), typeof(OLD.note), OLD.note, quote(OLD.created_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER schedules_covered_insert AFTER INSERT ON schedules
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('schedules', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.cron), NEW.cron, typeof(NEW.time_zone), NEW.time_zone, quote(NEW.min_sessions), quote(NEW.idle_minutes), quote(NEW.enabled), typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at), typeof(NEW.distiller), NEW.distiller))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER schedules_covered_update AFTER UPDATE ON schedules WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.cron IS NOT NEW.cron OR OLD.time_zone IS NOT NEW.time_zone OR OLD.min_sessions IS NOT NEW.min_sessions OR OLD.idle_minutes IS NOT NEW.idle_minutes OR OLD.enabled IS NOT NEW.enabled OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at OR OLD.distiller IS NOT NEW.distiller)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('schedules', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.cron), OLD.cron, typeof(OLD.time_zone), OLD.time_zone, quote(OLD.min_sessions), quote(OLD.idle_minutes), quote(OLD.enabled), typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at), typeof(OLD.distiller), OLD.distiller), json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.cron), NEW.cron, typeof(NEW.time_zone), NEW.time_zone, quote(NEW.min_sessions), quote(NEW.idle_minutes), quote(NEW.enabled), typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at), typeof(NEW.distiller), NEW.distiller))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER schedules_covered_delete AFTER DELETE ON schedules
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('schedules', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.cron), OLD.cron, typeof(OLD.time_zone), OLD.time_zone, quote(OLD.min_sessions), quote(OLD.idle_minutes), quote(OLD.enabled), typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at), typeof(OLD.distiller), OLD.distiller), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER session_recorders_covered_insert AFTER INSERT ON session_recorders
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_recorders', lower(hex(NEW.session_id)) || '/' || NEW.recorder, NULL, json_array(quote(NEW.session_id), typeof(NEW.recorder), NEW.recorder))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER session_recorders_covered_update AFTER UPDATE ON session_recorders WHEN (OLD.session_id IS NOT NEW.session_id OR OLD.recorder IS NOT NEW.recorder)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_recorders', lower(hex(NEW.session_id)) || '/' || NEW.recorder, json_array(quote(OLD.session_id), typeof(OLD.recorder), OLD.recorder), json_array(quote(NEW.session_id), typeof(NEW.recorder), NEW.recorder))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER session_recorders_covered_delete AFTER DELETE ON session_recorders
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_recorders', lower(hex(OLD.session_id)) || '/' || OLD.recorder, json_array(quote(OLD.session_id), typeof(OLD.recorder), OLD.recorder), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER session_stores_covered_insert AFTER INSERT ON session_stores
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_stores', lower(hex(NEW.store_id)) || '/' || lower(hex(NEW.session_id)), NULL, json_array(quote(NEW.store_id), quote(NEW.session_id)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER session_stores_covered_update AFTER UPDATE ON session_stores WHEN (OLD.store_id IS NOT NEW.store_id OR OLD.session_id IS NOT NEW.session_id)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_stores', lower(hex(NEW.store_id)) || '/' || lower(hex(NEW.session_id)), json_array(quote(OLD.store_id), quote(OLD.session_id)), json_array(quote(NEW.store_id), quote(NEW.session_id)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER session_stores_covered_delete AFTER DELETE ON session_stores
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('session_stores', lower(hex(OLD.store_id)) || '/' || lower(hex(OLD.session_id)), json_array(quote(OLD.store_id), quote(OLD.session_id)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER sessions_covered_insert AFTER INSERT ON sessions
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('sessions', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), typeof(NEW.import_key), NEW.import_key, typeof(NEW.source), NEW.source, typeof(NEW.external_id), NEW.external_id, typeof(NEW.agent), NEW.agent, typeof(NEW.subject), NEW.subject, typeof(NEW.team), NEW.team, typeof(NEW.task_key), NEW.task_key, typeof(NEW.metadata), NEW.metadata, quote(NEW.trust), quote(NEW.event_count), typeof(NEW.events_digest), NEW.events_digest, quote(NEW.first_event_at), quote(NEW.last_event_at), quote(NEW.created_at), quote(NEW.updated_at), quote(NEW.deleted_at), typeof(NEW.key_id), NEW.key_id, typeof(NEW.created_by), NEW.created_by))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER sessions_covered_update AFTER UPDATE ON sessions WHEN (OLD.id IS NOT NEW.id OR OLD.import_key IS NOT NEW.import_key OR OLD.source IS NOT NEW.source OR OLD.external_id IS NOT NEW.external_id OR OLD.agent IS NOT NEW.agent OR OLD.subject IS NOT NEW.subject OR OLD.team IS NOT NEW.team OR OLD.task_key IS NOT NEW.task_key OR OLD.metadata IS NOT NEW.metadata OR OLD.trust IS NOT NEW.trust OR OLD.event_count IS NOT NEW.event_count OR OLD.events_digest IS NOT NEW.events_digest OR OLD.first_event_at IS NOT NEW.first_event_at OR OLD.last_event_at IS NOT NEW.last_event_at OR OLD.created_at IS NOT NEW.created_at OR OLD.updated_at IS NOT NEW.updated_at OR OLD.deleted_at IS NOT NEW.deleted_at OR OLD.key_id IS NOT NEW.key_id OR OLD.created_by IS NOT NEW.created_by)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('sessions', lower(hex(NEW.id)), json_array(quote(OLD.id), typeof(OLD.import_key), OLD.import_key, typeof(OLD.source), OLD.source, typeof(OLD.external_id), OLD.external_id, typeof(OLD.agent), OLD.agent, typeof(OLD.subject), OLD.subject, typeof(OLD.team), OLD.team, typeof(OLD.task_key), OLD.task_key, typeof(OLD.metadata), OLD.metadata, quote(OLD.trust), quote(OLD.event_count), typeof(OLD.events_digest), OLD.events_digest, quote(OLD.first_event_at), quote(OLD.last_event_at), quote(OLD.created_at), quote(OLD.updated_at), quote(OLD.deleted_at), typeof(OLD.key_id), OLD.key_id, typeof(OLD.created_by), OLD.created_by), json_array(quote(NEW.id), typeof(NEW.import_key), NEW.import_key, typeof(NEW.source), NEW.source, typeof(NEW.external_id), NEW.external_id, typeof(NEW.agent), NEW.agent, typeof(NEW.subject), NEW.subject, typeof(NEW.team), NEW.team, typeof(NEW.task_key), NEW.task_key, typeof(NEW.metadata), NEW.metadata, quote(NEW.trust), quote(NEW.event_count), typeof(NEW.events_digest), NEW.events_digest, quote(NEW.first_event_at), quote(NEW.last_event_at), quote(NEW.created_at), quote(NEW.updated_at), quote(NEW.deleted_at), typeof(NEW.key_id), NEW.key_id, typeof(NEW.created_by), NEW.created_by))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER sessions_covered_delete AFTER DELETE ON sessions
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('sessions', lower(hex(OLD.id)), json_array(quote(OLD.id), typeof(OLD.import_key), OLD.import_key, typeof(OLD.source), OLD.source, typeof(OLD.external_id), OLD.external_id, typeof(OLD.agent), OLD.agent, typeof(OLD.subject), OLD.subject, typeof(OLD.team), OLD.team, typeof(OLD.task_key), OLD.task_key, typeof(OLD.metadata), OLD.metadata, quote(OLD.trust), quote(OLD.event_count), typeof(OLD.events_digest), OLD.events_digest, quote(OLD.first_event_at), quote(OLD.last_event_at), quote(OLD.created_at), quote(OLD.updated_at), quote(OLD.deleted_at), typeof(OLD.key_id), OLD.key_id, typeof(OLD.created_by), OLD.created_by), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER setting_changes_covered_insert AFTER INSERT ON setting_changes
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('setting_changes', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.setting), NEW.setting, typeof(NEW.summary), NEW.summary, quote(NEW.proposed_by), typeof(NEW.state), NEW.state, quote(NEW.created_at), quote(NEW.decided_at), quote(NEW.decided_by)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER setting_changes_covered_update AFTER UPDATE ON setting_changes WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.setting IS NOT NEW.setting OR OLD.summary IS NOT NEW.summary OR OLD.proposed_by IS NOT NEW.proposed_by OR OLD.state IS NOT NEW.state OR OLD.created_at IS NOT NEW.created_at OR OLD.decided_at IS NOT NEW.decided_at OR OLD.decided_by IS NOT NEW.decided_by)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('setting_changes', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.setting), OLD.setting, typeof(OLD.summary), OLD.summary, quote(OLD.proposed_by), typeof(OLD.state), OLD.state, quote(OLD.created_at), quote(OLD.decided_at), quote(OLD.decided_by)), json_array(quote(NEW.id), quote(NEW.store_id), typeof(NEW.setting), NEW.setting, typeof(NEW.summary), NEW.summary, quote(NEW.proposed_by), typeof(NEW.state), NEW.state, quote(NEW.created_at), quote(NEW.decided_at), quote(NEW.decided_by)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER setting_changes_covered_delete AFTER DELETE ON setting_changes
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('setting_changes', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), typeof(OLD.setting), OLD.setting, typeof(OLD.summary), OLD.summary, quote(OLD.proposed_by), typeof(OLD.state), OLD.state, quote(OLD.created_at), quote(OLD.decided_at), quote(OLD.decided_by)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER settings_covered_insert AFTER INSERT ON settings WHEN NEW.name <> 'people'
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('settings', NEW.name, NULL, json_array(typeof(NEW.name), NEW.name, typeof(NEW.value), NEW.value))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER settings_covered_update AFTER UPDATE ON settings WHEN NEW.name <> 'people' AND (OLD.name IS NOT NEW.name OR OLD.value IS NOT NEW.value)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('settings', NEW.name, json_array(typeof(OLD.name), OLD.name, typeof(OLD.value), OLD.value), json_array(typeof(NEW.name), NEW.name, typeof(NEW.value), NEW.value))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER settings_covered_delete AFTER DELETE ON settings WHEN OLD.name <> 'people'
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('settings', OLD.name, json_array(typeof(OLD.name), OLD.name, typeof(OLD.value), OLD.value), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER stores_covered_insert AFTER INSERT ON stores
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('stores', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), typeof(NEW.name), NEW.name, typeof(NEW.description), NEW.description, typeof(NEW.metadata), NEW.metadata, typeof(NEW.gate_mode), NEW.gate_mode, quote(NEW.revision), typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at), quote(NEW.archived_at), quote(NEW.deleted_at), quote(NEW.updated_at), quote(NEW.budget_tokens), quote(NEW.approvals_low), quote(NEW.approvals_medium), quote(NEW.approvals_high), quote(NEW.owners_only), quote(NEW.clean_up_until)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER stores_covered_update AFTER UPDATE ON stores WHEN (OLD.id IS NOT NEW.id OR OLD.name IS NOT NEW.name OR OLD.description IS NOT NEW.description OR OLD.metadata IS NOT NEW.metadata OR OLD.gate_mode IS NOT NEW.gate_mode OR OLD.revision IS NOT NEW.revision OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at OR OLD.archived_at IS NOT NEW.archived_at OR OLD.deleted_at IS NOT NEW.deleted_at OR OLD.updated_at IS NOT NEW.updated_at OR OLD.budget_tokens IS NOT NEW.budget_tokens OR OLD.approvals_low IS NOT NEW.approvals_low OR OLD.approvals_medium IS NOT NEW.approvals_medium OR OLD.approvals_high IS NOT NEW.approvals_high OR OLD.owners_only IS NOT NEW.owners_only OR OLD.clean_up_until IS NOT NEW.clean_up_until)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('stores', lower(hex(NEW.id)), json_array(quote(OLD.id), typeof(OLD.name), OLD.name, typeof(OLD.description), OLD.description, typeof(OLD.metadata), OLD.metadata, typeof(OLD.gate_mode), OLD.gate_mode, quote(OLD.revision), typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at), quote(OLD.archived_at), quote(OLD.deleted_at), quote(OLD.updated_at), quote(OLD.budget_tokens), quote(OLD.approvals_low), quote(OLD.approvals_medium), quote(OLD.approvals_high), quote(OLD.owners_only), quote(OLD.clean_up_until)), json_array(quote(NEW.id), typeof(NEW.name), NEW.name, typeof(NEW.description), NEW.description, typeof(NEW.metadata), NEW.metadata, typeof(NEW.gate_mode), NEW.gate_mode, quote(NEW.revision), typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at), quote(NEW.archived_at), quote(NEW.deleted_at), quote(NEW.updated_at), quote(NEW.budget_tokens), quote(NEW.approvals_low), quote(NEW.approvals_medium), quote(NEW.approvals_high), quote(NEW.owners_only), quote(NEW.clean_up_until)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER stores_covered_delete AFTER DELETE ON stores
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('stores', lower(hex(OLD.id)), json_array(quote(OLD.id), typeof(OLD.name), OLD.name, typeof(OLD.description), OLD.description, typeof(OLD.metadata), OLD.metadata, typeof(OLD.gate_mode), OLD.gate_mode, quote(OLD.revision), typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at), quote(OLD.archived_at), quote(OLD.deleted_at), quote(OLD.updated_at), quote(OLD.budget_tokens), quote(OLD.approvals_low), quote(OLD.approvals_medium), quote(OLD.approvals_high), quote(OLD.owners_only), quote(OLD.clean_up_until)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER team_grants_covered_insert AFTER INSERT ON team_grants
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_grants', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.team_id), quote(NEW.store_id), typeof(NEW.path_prefix), NEW.path_prefix, typeof(NEW.role), NEW.role, typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER team_grants_covered_update AFTER UPDATE ON team_grants WHEN (OLD.id IS NOT NEW.id OR OLD.team_id IS NOT NEW.team_id OR OLD.store_id IS NOT NEW.store_id OR OLD.path_prefix IS NOT NEW.path_prefix OR OLD.role IS NOT NEW.role OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_grants', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.team_id), quote(OLD.store_id), typeof(OLD.path_prefix), OLD.path_prefix, typeof(OLD.role), OLD.role, typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at)), json_array(quote(NEW.id), quote(NEW.team_id), quote(NEW.store_id), typeof(NEW.path_prefix), NEW.path_prefix, typeof(NEW.role), NEW.role, typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER team_grants_covered_delete AFTER DELETE ON team_grants
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_grants', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.team_id), quote(OLD.store_id), typeof(OLD.path_prefix), OLD.path_prefix, typeof(OLD.role), OLD.role, typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER team_members_covered_insert AFTER INSERT ON team_members
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_members', lower(hex(NEW.team_id)) || '/' || lower(hex(NEW.user_id)), NULL, json_array(quote(NEW.team_id), quote(NEW.user_id)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER team_members_covered_update AFTER UPDATE ON team_members WHEN (OLD.team_id IS NOT NEW.team_id OR OLD.user_id IS NOT NEW.user_id)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_members', lower(hex(NEW.team_id)) || '/' || lower(hex(NEW.user_id)), json_array(quote(OLD.team_id), quote(OLD.user_id)), json_array(quote(NEW.team_id), quote(NEW.user_id)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER team_members_covered_delete AFTER DELETE ON team_members
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('team_members', lower(hex(OLD.team_id)) || '/' || lower(hex(OLD.user_id)), json_array(quote(OLD.team_id), quote(OLD.user_id)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER teams_covered_insert AFTER INSERT ON teams
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('teams', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), typeof(NEW.name), NEW.name, typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER teams_covered_update AFTER UPDATE ON teams WHEN (OLD.id IS NOT NEW.id OR OLD.name IS NOT NEW.name OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('teams', lower(hex(NEW.id)), json_array(quote(OLD.id), typeof(OLD.name), OLD.name, typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at)), json_array(quote(NEW.id), typeof(NEW.name), NEW.name, typeof(NEW.created_by), NEW.created_by, quote(NEW.created_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER teams_covered_delete AFTER DELETE ON teams
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('teams', lower(hex(OLD.id)), json_array(quote(OLD.id), typeof(OLD.name), OLD.name, typeof(OLD.created_by), OLD.created_by, quote(OLD.created_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER users_covered_insert AFTER INSERT ON users
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('users', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), typeof(NEW.email), NEW.email, typeof(NEW.name), NEW.name, typeof(NEW.password_hash), NEW.password_hash, typeof(NEW.role), NEW.role, quote(NEW.created_at), quote(NEW.disabled_at), quote(NEW.credential_issuer)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER users_covered_update AFTER UPDATE ON users WHEN (OLD.id IS NOT NEW.id OR OLD.email IS NOT NEW.email OR OLD.name IS NOT NEW.name OR OLD.password_hash IS NOT NEW.password_hash OR OLD.role IS NOT NEW.role OR OLD.created_at IS NOT NEW.created_at OR OLD.disabled_at IS NOT NEW.disabled_at OR OLD.credential_issuer IS NOT NEW.credential_issuer)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('users', lower(hex(NEW.id)), json_array(quote(OLD.id), typeof(OLD.email), OLD.email, typeof(OLD.name), OLD.name, typeof(OLD.password_hash), OLD.password_hash, typeof(OLD.role), OLD.role, quote(OLD.created_at), quote(OLD.disabled_at), quote(OLD.credential_issuer)), json_array(quote(NEW.id), typeof(NEW.email), NEW.email, typeof(NEW.name), NEW.name, typeof(NEW.password_hash), NEW.password_hash, typeof(NEW.role), NEW.role, quote(NEW.created_at), quote(NEW.disabled_at), quote(NEW.credential_issuer)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER users_covered_delete AFTER DELETE ON users
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('users', lower(hex(OLD.id)), json_array(quote(OLD.id), typeof(OLD.email), OLD.email, typeof(OLD.name), OLD.name, typeof(OLD.password_hash), OLD.password_hash, typeof(OLD.role), OLD.role, quote(OLD.created_at), quote(OLD.disabled_at), quote(OLD.credential_issuer)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
