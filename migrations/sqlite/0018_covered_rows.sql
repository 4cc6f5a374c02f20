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
    content TEXT,
    taken INTEGER NOT NULL DEFAULT 0 REFERENCES audit_taken (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (tbl, k)
) STRICT;

CREATE TRIGGER answers_covered_insert AFTER INSERT ON answers
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'answers' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('answers', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.fingerprint, NEW.kind, NEW.title, NEW.answer, NEW.support, quote(NEW.answered_by), quote(NEW.change_id), NEW.created_at, NEW.reopened_at, NEW.near));
END;
CREATE TRIGGER answers_covered_update AFTER UPDATE ON answers WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.fingerprint IS NOT NEW.fingerprint OR OLD.kind IS NOT NEW.kind OR OLD.title IS NOT NEW.title OR OLD.answer IS NOT NEW.answer OR OLD.support IS NOT NEW.support OR OLD.answered_by IS NOT NEW.answered_by OR OLD.change_id IS NOT NEW.change_id OR OLD.created_at IS NOT NEW.created_at OR OLD.reopened_at IS NOT NEW.reopened_at OR OLD.near IS NOT NEW.near)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'answers' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('answers', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.fingerprint, NEW.kind, NEW.title, NEW.answer, NEW.support, quote(NEW.answered_by), quote(NEW.change_id), NEW.created_at, NEW.reopened_at, NEW.near));
END;
CREATE TRIGGER answers_covered_delete AFTER DELETE ON answers
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'answers' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('answers', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER api_keys_covered_insert AFTER INSERT ON api_keys
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'api_keys' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('api_keys', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.user_id), quote(NEW.store_id), NEW.name, quote(NEW.secret_hash), NEW.scopes, NEW.created_at, NEW.expires_at, NEW.revoked_at, quote(NEW.created_by)));
END;
CREATE TRIGGER api_keys_covered_update AFTER UPDATE ON api_keys WHEN (OLD.id IS NOT NEW.id OR OLD.user_id IS NOT NEW.user_id OR OLD.store_id IS NOT NEW.store_id OR OLD.name IS NOT NEW.name OR OLD.secret_hash IS NOT NEW.secret_hash OR OLD.scopes IS NOT NEW.scopes OR OLD.created_at IS NOT NEW.created_at OR OLD.expires_at IS NOT NEW.expires_at OR OLD.revoked_at IS NOT NEW.revoked_at OR OLD.created_by IS NOT NEW.created_by)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'api_keys' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('api_keys', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.user_id), quote(NEW.store_id), NEW.name, quote(NEW.secret_hash), NEW.scopes, NEW.created_at, NEW.expires_at, NEW.revoked_at, quote(NEW.created_by)));
END;
CREATE TRIGGER api_keys_covered_delete AFTER DELETE ON api_keys
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'api_keys' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('api_keys', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER change_contributors_covered_insert AFTER INSERT ON change_contributors
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'change_contributors' AND k = lower(hex(NEW.change_id)) || '/' || lower(hex(NEW.user_id)) || '/' || NEW.how;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('change_contributors', lower(hex(NEW.change_id)) || '/' || lower(hex(NEW.user_id)) || '/' || NEW.how, json_array(quote(NEW.change_id), quote(NEW.user_id), NEW.how, NEW.created_at));
END;
CREATE TRIGGER change_contributors_covered_update AFTER UPDATE ON change_contributors WHEN (OLD.change_id IS NOT NEW.change_id OR OLD.user_id IS NOT NEW.user_id OR OLD.how IS NOT NEW.how OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'change_contributors' AND k = lower(hex(NEW.change_id)) || '/' || lower(hex(NEW.user_id)) || '/' || NEW.how;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('change_contributors', lower(hex(NEW.change_id)) || '/' || lower(hex(NEW.user_id)) || '/' || NEW.how, json_array(quote(NEW.change_id), quote(NEW.user_id), NEW.how, NEW.created_at));
END;
CREATE TRIGGER change_contributors_covered_delete AFTER DELETE ON change_contributors
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'change_contributors' AND k = lower(hex(OLD.change_id)) || '/' || lower(hex(OLD.user_id)) || '/' || OLD.how;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('change_contributors', lower(hex(OLD.change_id)) || '/' || lower(hex(OLD.user_id)) || '/' || OLD.how, NULL);
END;

CREATE TRIGGER change_edits_covered_insert AFTER INSERT ON change_edits
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'change_edits' AND k = lower(hex(NEW.change_id)) || '/' || CAST(NEW.revision AS TEXT) || '/' || CAST(NEW.position AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('change_edits', lower(hex(NEW.change_id)) || '/' || CAST(NEW.revision AS TEXT) || '/' || CAST(NEW.position AS TEXT), json_array(quote(NEW.change_id), NEW.revision, NEW.position, quote(NEW.memory_id), quote(NEW.base_version), NEW.base_sha256, NEW.path, NEW.new_path, NEW.content_sha256));
END;
CREATE TRIGGER change_edits_covered_update AFTER UPDATE ON change_edits WHEN (OLD.change_id IS NOT NEW.change_id OR OLD.revision IS NOT NEW.revision OR OLD.position IS NOT NEW.position OR OLD.memory_id IS NOT NEW.memory_id OR OLD.base_version IS NOT NEW.base_version OR OLD.base_sha256 IS NOT NEW.base_sha256 OR OLD.path IS NOT NEW.path OR OLD.new_path IS NOT NEW.new_path OR OLD.content_sha256 IS NOT NEW.content_sha256)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'change_edits' AND k = lower(hex(NEW.change_id)) || '/' || CAST(NEW.revision AS TEXT) || '/' || CAST(NEW.position AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('change_edits', lower(hex(NEW.change_id)) || '/' || CAST(NEW.revision AS TEXT) || '/' || CAST(NEW.position AS TEXT), json_array(quote(NEW.change_id), NEW.revision, NEW.position, quote(NEW.memory_id), quote(NEW.base_version), NEW.base_sha256, NEW.path, NEW.new_path, NEW.content_sha256));
END;
CREATE TRIGGER change_edits_covered_delete AFTER DELETE ON change_edits
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'change_edits' AND k = lower(hex(OLD.change_id)) || '/' || CAST(OLD.revision AS TEXT) || '/' || CAST(OLD.position AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('change_edits', lower(hex(OLD.change_id)) || '/' || CAST(OLD.revision AS TEXT) || '/' || CAST(OLD.position AS TEXT), NULL);
END;

CREATE TRIGGER changes_covered_insert AFTER INSERT ON changes
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'changes' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('changes', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.changeset_id), quote(NEW.store_id), NEW.position, NEW.kind, NEW.title, NEW.rationale, NEW.confidence_bp, NEW.state, NEW.revision, NEW.digest, NEW.risk_level, NEW.labels, NEW.finding, NEW.fingerprint, NEW.support_sessions, NEW.support_subjects, NEW.support_tasks, NEW.occurrences, NEW.eligible_sessions, NEW.facts, NEW.defer_until, quote(NEW.commit_id), NEW.created_at, NEW.updated_at, NEW.recorders));
END;
CREATE TRIGGER changes_covered_update AFTER UPDATE ON changes WHEN (OLD.id IS NOT NEW.id OR OLD.changeset_id IS NOT NEW.changeset_id OR OLD.store_id IS NOT NEW.store_id OR OLD.position IS NOT NEW.position OR OLD.kind IS NOT NEW.kind OR OLD.title IS NOT NEW.title OR OLD.rationale IS NOT NEW.rationale OR OLD.confidence_bp IS NOT NEW.confidence_bp OR OLD.state IS NOT NEW.state OR OLD.revision IS NOT NEW.revision OR OLD.digest IS NOT NEW.digest OR OLD.risk_level IS NOT NEW.risk_level OR OLD.labels IS NOT NEW.labels OR OLD.finding IS NOT NEW.finding OR OLD.fingerprint IS NOT NEW.fingerprint OR OLD.support_sessions IS NOT NEW.support_sessions OR OLD.support_subjects IS NOT NEW.support_subjects OR OLD.support_tasks IS NOT NEW.support_tasks OR OLD.occurrences IS NOT NEW.occurrences OR OLD.eligible_sessions IS NOT NEW.eligible_sessions OR OLD.facts IS NOT NEW.facts OR OLD.defer_until IS NOT NEW.defer_until OR OLD.commit_id IS NOT NEW.commit_id OR OLD.created_at IS NOT NEW.created_at OR OLD.updated_at IS NOT NEW.updated_at OR OLD.recorders IS NOT NEW.recorders)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'changes' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('changes', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.changeset_id), quote(NEW.store_id), NEW.position, NEW.kind, NEW.title, NEW.rationale, NEW.confidence_bp, NEW.state, NEW.revision, NEW.digest, NEW.risk_level, NEW.labels, NEW.finding, NEW.fingerprint, NEW.support_sessions, NEW.support_subjects, NEW.support_tasks, NEW.occurrences, NEW.eligible_sessions, NEW.facts, NEW.defer_until, quote(NEW.commit_id), NEW.created_at, NEW.updated_at, NEW.recorders));
END;
CREATE TRIGGER changes_covered_delete AFTER DELETE ON changes
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'changes' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('changes', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER changesets_covered_insert AFTER INSERT ON changesets
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'changesets' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('changesets', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.dream_id), NEW.origin, NEW.title, NEW.state, NEW.base_revision, quote(NEW.reverts), NEW.created_by, NEW.created_at, NEW.closed_at));
END;
CREATE TRIGGER changesets_covered_update AFTER UPDATE ON changesets WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.dream_id IS NOT NEW.dream_id OR OLD.origin IS NOT NEW.origin OR OLD.title IS NOT NEW.title OR OLD.state IS NOT NEW.state OR OLD.base_revision IS NOT NEW.base_revision OR OLD.reverts IS NOT NEW.reverts OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at OR OLD.closed_at IS NOT NEW.closed_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'changesets' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('changesets', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.dream_id), NEW.origin, NEW.title, NEW.state, NEW.base_revision, quote(NEW.reverts), NEW.created_by, NEW.created_at, NEW.closed_at));
END;
CREATE TRIGGER changesets_covered_delete AFTER DELETE ON changesets
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'changesets' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('changesets', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER comments_covered_insert AFTER INSERT ON comments
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'comments' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('comments', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.change_id), NEW.revision, quote(NEW.user_id), NEW.body, NEW.created_at));
END;
CREATE TRIGGER comments_covered_update AFTER UPDATE ON comments WHEN (OLD.id IS NOT NEW.id OR OLD.change_id IS NOT NEW.change_id OR OLD.revision IS NOT NEW.revision OR OLD.user_id IS NOT NEW.user_id OR OLD.body IS NOT NEW.body OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'comments' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('comments', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.change_id), NEW.revision, quote(NEW.user_id), NEW.body, NEW.created_at));
END;
CREATE TRIGGER comments_covered_delete AFTER DELETE ON comments
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'comments' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('comments', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER commit_freezes_covered_insert AFTER INSERT ON commit_freezes
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'commit_freezes' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('commit_freezes', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.starts_at, NEW.ends_at, NEW.reason, NEW.exceptions, NEW.created_by, NEW.created_at));
END;
CREATE TRIGGER commit_freezes_covered_update AFTER UPDATE ON commit_freezes WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.starts_at IS NOT NEW.starts_at OR OLD.ends_at IS NOT NEW.ends_at OR OLD.reason IS NOT NEW.reason OR OLD.exceptions IS NOT NEW.exceptions OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'commit_freezes' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('commit_freezes', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.starts_at, NEW.ends_at, NEW.reason, NEW.exceptions, NEW.created_by, NEW.created_at));
END;
CREATE TRIGGER commit_freezes_covered_delete AFTER DELETE ON commit_freezes
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'commit_freezes' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('commit_freezes', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER commits_covered_insert AFTER INSERT ON commits
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'commits' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('commits', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.revision, NEW.created_at, NEW.actor, NEW.message, quote(NEW.changeset_id), NEW.approvals));
END;
CREATE TRIGGER commits_covered_update AFTER UPDATE ON commits WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.revision IS NOT NEW.revision OR OLD.created_at IS NOT NEW.created_at OR OLD.actor IS NOT NEW.actor OR OLD.message IS NOT NEW.message OR OLD.changeset_id IS NOT NEW.changeset_id OR OLD.approvals IS NOT NEW.approvals)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'commits' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('commits', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.revision, NEW.created_at, NEW.actor, NEW.message, quote(NEW.changeset_id), NEW.approvals));
END;
CREATE TRIGGER commits_covered_delete AFTER DELETE ON commits
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'commits' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('commits', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER decisions_covered_insert AFTER INSERT ON decisions
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'decisions' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('decisions', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.change_id), NEW.revision, NEW.digest, quote(NEW.user_id), NEW.verdict, NEW.reject_code, NEW.note, NEW.created_at, NEW.taken_back_at, NEW.meaning, NEW.confirmed_at, quote(NEW.taken_back_by), quote(NEW.sign_in), NEW.signature));
END;
CREATE TRIGGER decisions_covered_update AFTER UPDATE ON decisions WHEN (OLD.id IS NOT NEW.id OR OLD.change_id IS NOT NEW.change_id OR OLD.revision IS NOT NEW.revision OR OLD.digest IS NOT NEW.digest OR OLD.user_id IS NOT NEW.user_id OR OLD.verdict IS NOT NEW.verdict OR OLD.reject_code IS NOT NEW.reject_code OR OLD.note IS NOT NEW.note OR OLD.created_at IS NOT NEW.created_at OR OLD.taken_back_at IS NOT NEW.taken_back_at OR OLD.meaning IS NOT NEW.meaning OR OLD.confirmed_at IS NOT NEW.confirmed_at OR OLD.taken_back_by IS NOT NEW.taken_back_by OR OLD.sign_in IS NOT NEW.sign_in OR OLD.signature IS NOT NEW.signature)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'decisions' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('decisions', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.change_id), NEW.revision, NEW.digest, quote(NEW.user_id), NEW.verdict, NEW.reject_code, NEW.note, NEW.created_at, NEW.taken_back_at, NEW.meaning, NEW.confirmed_at, quote(NEW.taken_back_by), quote(NEW.sign_in), NEW.signature));
END;
CREATE TRIGGER decisions_covered_delete AFTER DELETE ON decisions
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'decisions' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('decisions', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER dreams_covered_insert AFTER INSERT ON dreams
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'dreams' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('dreams', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.distiller, NEW.instructions, NEW.requested_by, NEW.created_at, NEW.chosen));
END;
CREATE TRIGGER dreams_covered_update AFTER UPDATE ON dreams WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.distiller IS NOT NEW.distiller OR OLD.instructions IS NOT NEW.instructions OR OLD.requested_by IS NOT NEW.requested_by OR OLD.created_at IS NOT NEW.created_at OR OLD.chosen IS NOT NEW.chosen)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'dreams' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('dreams', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.distiller, NEW.instructions, NEW.requested_by, NEW.created_at, NEW.chosen));
END;
CREATE TRIGGER dreams_covered_delete AFTER DELETE ON dreams
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'dreams' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('dreams', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER evidence_covered_insert AFTER INSERT ON evidence
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'evidence' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('evidence', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.change_id), NEW.position, NEW.counter, NEW.appendix, quote(NEW.session_id), quote(NEW.event_id), NEW.byte_start, NEW.byte_end, NEW.sha256, NEW.quote, NEW.key_id));
END;
CREATE TRIGGER evidence_covered_update AFTER UPDATE ON evidence WHEN (OLD.id IS NOT NEW.id OR OLD.change_id IS NOT NEW.change_id OR OLD.position IS NOT NEW.position OR OLD.counter IS NOT NEW.counter OR OLD.appendix IS NOT NEW.appendix OR OLD.session_id IS NOT NEW.session_id OR OLD.event_id IS NOT NEW.event_id OR OLD.byte_start IS NOT NEW.byte_start OR OLD.byte_end IS NOT NEW.byte_end OR OLD.sha256 IS NOT NEW.sha256 OR OLD.quote IS NOT NEW.quote OR OLD.key_id IS NOT NEW.key_id)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'evidence' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('evidence', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.change_id), NEW.position, NEW.counter, NEW.appendix, quote(NEW.session_id), quote(NEW.event_id), NEW.byte_start, NEW.byte_end, NEW.sha256, NEW.quote, NEW.key_id));
END;
CREATE TRIGGER evidence_covered_delete AFTER DELETE ON evidence
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'evidence' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('evidence', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER fingerprints_covered_insert AFTER INSERT ON fingerprints
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'fingerprints' AND k = lower(hex(NEW.store_id)) || '/' || NEW.fingerprint;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('fingerprints', lower(hex(NEW.store_id)) || '/' || NEW.fingerprint, json_array(quote(NEW.store_id), NEW.fingerprint, NEW.reject_code, NEW.support, quote(NEW.change_id), NEW.created_at, NEW.unmuted_at));
END;
CREATE TRIGGER fingerprints_covered_update AFTER UPDATE ON fingerprints WHEN (OLD.store_id IS NOT NEW.store_id OR OLD.fingerprint IS NOT NEW.fingerprint OR OLD.reject_code IS NOT NEW.reject_code OR OLD.support IS NOT NEW.support OR OLD.change_id IS NOT NEW.change_id OR OLD.created_at IS NOT NEW.created_at OR OLD.unmuted_at IS NOT NEW.unmuted_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'fingerprints' AND k = lower(hex(NEW.store_id)) || '/' || NEW.fingerprint;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('fingerprints', lower(hex(NEW.store_id)) || '/' || NEW.fingerprint, json_array(quote(NEW.store_id), NEW.fingerprint, NEW.reject_code, NEW.support, quote(NEW.change_id), NEW.created_at, NEW.unmuted_at));
END;
CREATE TRIGGER fingerprints_covered_delete AFTER DELETE ON fingerprints
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'fingerprints' AND k = lower(hex(OLD.store_id)) || '/' || OLD.fingerprint;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('fingerprints', lower(hex(OLD.store_id)) || '/' || OLD.fingerprint, NULL);
END;

CREATE TRIGGER grants_covered_insert AFTER INSERT ON grants
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'grants' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('grants', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.user_id), quote(NEW.store_id), NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at));
END;
CREATE TRIGGER grants_covered_update AFTER UPDATE ON grants WHEN (OLD.id IS NOT NEW.id OR OLD.user_id IS NOT NEW.user_id OR OLD.store_id IS NOT NEW.store_id OR OLD.path_prefix IS NOT NEW.path_prefix OR OLD.role IS NOT NEW.role OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'grants' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('grants', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.user_id), quote(NEW.store_id), NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at));
END;
CREATE TRIGGER grants_covered_delete AFTER DELETE ON grants
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'grants' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('grants', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER mappings_covered_insert AFTER INSERT ON mappings
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'mappings' AND k = NEW.name;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('mappings', NEW.name, json_array(NEW.name, NEW.mapping, NEW.updated_by, NEW.updated_at));
END;
CREATE TRIGGER mappings_covered_update AFTER UPDATE ON mappings WHEN (OLD.name IS NOT NEW.name OR OLD.mapping IS NOT NEW.mapping OR OLD.updated_by IS NOT NEW.updated_by OR OLD.updated_at IS NOT NEW.updated_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'mappings' AND k = NEW.name;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('mappings', NEW.name, json_array(NEW.name, NEW.mapping, NEW.updated_by, NEW.updated_at));
END;
CREATE TRIGGER mappings_covered_delete AFTER DELETE ON mappings
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'mappings' AND k = OLD.name;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('mappings', OLD.name, NULL);
END;

CREATE TRIGGER memories_covered_insert AFTER INSERT ON memories
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'memories' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('memories', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.path, quote(NEW.version_id), NEW.content_sha256, NEW.frozen, NEW.support, NEW.created_at, NEW.updated_at, NEW.frozen_reason, NEW.frozen_by, NEW.frozen_at));
END;
CREATE TRIGGER memories_covered_update AFTER UPDATE ON memories WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.path IS NOT NEW.path OR OLD.version_id IS NOT NEW.version_id OR OLD.content_sha256 IS NOT NEW.content_sha256 OR OLD.frozen IS NOT NEW.frozen OR OLD.support IS NOT NEW.support OR OLD.created_at IS NOT NEW.created_at OR OLD.updated_at IS NOT NEW.updated_at OR OLD.frozen_reason IS NOT NEW.frozen_reason OR OLD.frozen_by IS NOT NEW.frozen_by OR OLD.frozen_at IS NOT NEW.frozen_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'memories' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('memories', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.path, quote(NEW.version_id), NEW.content_sha256, NEW.frozen, NEW.support, NEW.created_at, NEW.updated_at, NEW.frozen_reason, NEW.frozen_by, NEW.frozen_at));
END;
CREATE TRIGGER memories_covered_delete AFTER DELETE ON memories
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'memories' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('memories', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER memory_versions_covered_insert AFTER INSERT ON memory_versions
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'memory_versions' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('memory_versions', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.memory_id), quote(NEW.store_id), quote(NEW.commit_id), NEW.number, NEW.operation, NEW.path, NEW.content_sha256, NEW.created_at, NEW.by_person, quote(NEW.change_id), NEW.key_id, NEW.redacted_at));
END;
CREATE TRIGGER memory_versions_covered_update AFTER UPDATE ON memory_versions WHEN (OLD.id IS NOT NEW.id OR OLD.memory_id IS NOT NEW.memory_id OR OLD.store_id IS NOT NEW.store_id OR OLD.commit_id IS NOT NEW.commit_id OR OLD.number IS NOT NEW.number OR OLD.operation IS NOT NEW.operation OR OLD.path IS NOT NEW.path OR OLD.content_sha256 IS NOT NEW.content_sha256 OR OLD.created_at IS NOT NEW.created_at OR OLD.by_person IS NOT NEW.by_person OR OLD.change_id IS NOT NEW.change_id OR OLD.key_id IS NOT NEW.key_id OR OLD.redacted_at IS NOT NEW.redacted_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'memory_versions' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('memory_versions', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.memory_id), quote(NEW.store_id), quote(NEW.commit_id), NEW.number, NEW.operation, NEW.path, NEW.content_sha256, NEW.created_at, NEW.by_person, quote(NEW.change_id), NEW.key_id, NEW.redacted_at));
END;
CREATE TRIGGER memory_versions_covered_delete AFTER DELETE ON memory_versions
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'memory_versions' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('memory_versions', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER outcomes_covered_insert AFTER INSERT ON outcomes
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'outcomes' AND k = lower(hex(NEW.session_id)) || '/' || CAST(NEW.seq AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('outcomes', lower(hex(NEW.session_id)) || '/' || CAST(NEW.seq AS TEXT), json_array(quote(NEW.session_id), NEW.seq, NEW.result, NEW.score, NEW.note, NEW.created_at, NEW.source));
END;
CREATE TRIGGER outcomes_covered_update AFTER UPDATE ON outcomes WHEN (OLD.session_id IS NOT NEW.session_id OR OLD.seq IS NOT NEW.seq OR OLD.result IS NOT NEW.result OR OLD.score IS NOT NEW.score OR OLD.note IS NOT NEW.note OR OLD.created_at IS NOT NEW.created_at OR OLD.source IS NOT NEW.source)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'outcomes' AND k = lower(hex(NEW.session_id)) || '/' || CAST(NEW.seq AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('outcomes', lower(hex(NEW.session_id)) || '/' || CAST(NEW.seq AS TEXT), json_array(quote(NEW.session_id), NEW.seq, NEW.result, NEW.score, NEW.note, NEW.created_at, NEW.source));
END;
CREATE TRIGGER outcomes_covered_delete AFTER DELETE ON outcomes
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'outcomes' AND k = lower(hex(OLD.session_id)) || '/' || CAST(OLD.seq AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('outcomes', lower(hex(OLD.session_id)) || '/' || CAST(OLD.seq AS TEXT), NULL);
END;

CREATE TRIGGER policies_covered_insert AFTER INSERT ON policies
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policies' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policies', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.name, quote(NEW.owner_id), NEW.created_at));
END;
CREATE TRIGGER policies_covered_update AFTER UPDATE ON policies WHEN (OLD.id IS NOT NEW.id OR OLD.name IS NOT NEW.name OR OLD.owner_id IS NOT NEW.owner_id OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policies' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policies', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.name, quote(NEW.owner_id), NEW.created_at));
END;
CREATE TRIGGER policies_covered_delete AFTER DELETE ON policies
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policies' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policies', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER policy_applications_covered_insert AFTER INSERT ON policy_applications
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_applications' AND k = lower(hex(NEW.change_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_applications', lower(hex(NEW.change_id)), json_array(quote(NEW.change_id), quote(NEW.store_id), quote(NEW.policy_id), NEW.number, quote(NEW.commit_id), NEW.revision, NEW.input, NEW.detail, NEW.memories, NEW.applied_at, NEW.sampled, NEW.checked_at, quote(NEW.checked_by), NEW.confirmed, NEW.note));
END;
CREATE TRIGGER policy_applications_covered_update AFTER UPDATE ON policy_applications WHEN (OLD.change_id IS NOT NEW.change_id OR OLD.store_id IS NOT NEW.store_id OR OLD.policy_id IS NOT NEW.policy_id OR OLD.number IS NOT NEW.number OR OLD.commit_id IS NOT NEW.commit_id OR OLD.revision IS NOT NEW.revision OR OLD.input IS NOT NEW.input OR OLD.detail IS NOT NEW.detail OR OLD.memories IS NOT NEW.memories OR OLD.applied_at IS NOT NEW.applied_at OR OLD.sampled IS NOT NEW.sampled OR OLD.checked_at IS NOT NEW.checked_at OR OLD.checked_by IS NOT NEW.checked_by OR OLD.confirmed IS NOT NEW.confirmed OR OLD.note IS NOT NEW.note)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_applications' AND k = lower(hex(NEW.change_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_applications', lower(hex(NEW.change_id)), json_array(quote(NEW.change_id), quote(NEW.store_id), quote(NEW.policy_id), NEW.number, quote(NEW.commit_id), NEW.revision, NEW.input, NEW.detail, NEW.memories, NEW.applied_at, NEW.sampled, NEW.checked_at, quote(NEW.checked_by), NEW.confirmed, NEW.note));
END;
CREATE TRIGGER policy_applications_covered_delete AFTER DELETE ON policy_applications
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_applications' AND k = lower(hex(OLD.change_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_applications', lower(hex(OLD.change_id)), NULL);
END;

CREATE TRIGGER policy_authors_covered_insert AFTER INSERT ON policy_authors
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_authors' AND k = lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || lower(hex(NEW.user_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_authors', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || lower(hex(NEW.user_id)), json_array(quote(NEW.policy_id), NEW.number, quote(NEW.user_id)));
END;
CREATE TRIGGER policy_authors_covered_update AFTER UPDATE ON policy_authors WHEN (OLD.policy_id IS NOT NEW.policy_id OR OLD.number IS NOT NEW.number OR OLD.user_id IS NOT NEW.user_id)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_authors' AND k = lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || lower(hex(NEW.user_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_authors', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || lower(hex(NEW.user_id)), json_array(quote(NEW.policy_id), NEW.number, quote(NEW.user_id)));
END;
CREATE TRIGGER policy_authors_covered_delete AFTER DELETE ON policy_authors
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_authors' AND k = lower(hex(OLD.policy_id)) || '/' || CAST(OLD.number AS TEXT) || '/' || lower(hex(OLD.user_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_authors', lower(hex(OLD.policy_id)) || '/' || CAST(OLD.number AS TEXT) || '/' || lower(hex(OLD.user_id)), NULL);
END;

CREATE TRIGGER policy_back_tests_covered_insert AFTER INSERT ON policy_back_tests
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_back_tests' AND k = lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.run_at AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_back_tests', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.run_at AS TEXT), json_array(quote(NEW.policy_id), NEW.number, NEW.sha256, NEW.days, NEW.run_by, NEW.run_at, NEW.report));
END;
CREATE TRIGGER policy_back_tests_covered_update AFTER UPDATE ON policy_back_tests WHEN (OLD.policy_id IS NOT NEW.policy_id OR OLD.number IS NOT NEW.number OR OLD.sha256 IS NOT NEW.sha256 OR OLD.days IS NOT NEW.days OR OLD.run_by IS NOT NEW.run_by OR OLD.run_at IS NOT NEW.run_at OR OLD.report IS NOT NEW.report)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_back_tests' AND k = lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.run_at AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_back_tests', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT) || '/' || CAST(NEW.run_at AS TEXT), json_array(quote(NEW.policy_id), NEW.number, NEW.sha256, NEW.days, NEW.run_by, NEW.run_at, NEW.report));
END;
CREATE TRIGGER policy_back_tests_covered_delete AFTER DELETE ON policy_back_tests
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_back_tests' AND k = lower(hex(OLD.policy_id)) || '/' || CAST(OLD.number AS TEXT) || '/' || CAST(OLD.run_at AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_back_tests', lower(hex(OLD.policy_id)) || '/' || CAST(OLD.number AS TEXT) || '/' || CAST(OLD.run_at AS TEXT), NULL);
END;

CREATE TRIGGER policy_holds_covered_insert AFTER INSERT ON policy_holds
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_holds' AND k = lower(hex(NEW.change_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_holds', lower(hex(NEW.change_id)), json_array(quote(NEW.change_id), quote(NEW.held_by), NEW.held_at));
END;
CREATE TRIGGER policy_holds_covered_update AFTER UPDATE ON policy_holds WHEN (OLD.change_id IS NOT NEW.change_id OR OLD.held_by IS NOT NEW.held_by OR OLD.held_at IS NOT NEW.held_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_holds' AND k = lower(hex(NEW.change_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_holds', lower(hex(NEW.change_id)), json_array(quote(NEW.change_id), quote(NEW.held_by), NEW.held_at));
END;
CREATE TRIGGER policy_holds_covered_delete AFTER DELETE ON policy_holds
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_holds' AND k = lower(hex(OLD.change_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_holds', lower(hex(OLD.change_id)), NULL);
END;

CREATE TRIGGER policy_stops_covered_insert AFTER INSERT ON policy_stops
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_stops' AND k = NEW.scope;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_stops', NEW.scope, json_array(NEW.scope, NEW.stopped_at, NEW.stopped_by, NEW.reason));
END;
CREATE TRIGGER policy_stops_covered_update AFTER UPDATE ON policy_stops WHEN (OLD.scope IS NOT NEW.scope OR OLD.stopped_at IS NOT NEW.stopped_at OR OLD.stopped_by IS NOT NEW.stopped_by OR OLD.reason IS NOT NEW.reason)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_stops' AND k = NEW.scope;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_stops', NEW.scope, json_array(NEW.scope, NEW.stopped_at, NEW.stopped_by, NEW.reason));
END;
CREATE TRIGGER policy_stops_covered_delete AFTER DELETE ON policy_stops
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_stops' AND k = OLD.scope;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_stops', OLD.scope, NULL);
END;

CREATE TRIGGER policy_versions_covered_insert AFTER INSERT ON policy_versions
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_versions' AND k = lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_versions', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT), json_array(quote(NEW.policy_id), NEW.number, NEW.content, NEW.sha256, NEW.state, NEW.state_since, NEW.note, NEW.created_at));
END;
CREATE TRIGGER policy_versions_covered_update AFTER UPDATE ON policy_versions WHEN (OLD.policy_id IS NOT NEW.policy_id OR OLD.number IS NOT NEW.number OR OLD.content IS NOT NEW.content OR OLD.sha256 IS NOT NEW.sha256 OR OLD.state IS NOT NEW.state OR OLD.state_since IS NOT NEW.state_since OR OLD.note IS NOT NEW.note OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_versions' AND k = lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_versions', lower(hex(NEW.policy_id)) || '/' || CAST(NEW.number AS TEXT), json_array(quote(NEW.policy_id), NEW.number, NEW.content, NEW.sha256, NEW.state, NEW.state_since, NEW.note, NEW.created_at));
END;
CREATE TRIGGER policy_versions_covered_delete AFTER DELETE ON policy_versions
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'policy_versions' AND k = lower(hex(OLD.policy_id)) || '/' || CAST(OLD.number AS TEXT);
    INSERT INTO audit_touched (tbl, k, content) VALUES ('policy_versions', lower(hex(OLD.policy_id)) || '/' || CAST(OLD.number AS TEXT), NULL);
END;

CREATE TRIGGER schedules_covered_insert AFTER INSERT ON schedules
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'schedules' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('schedules', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.cron, NEW.time_zone, NEW.min_sessions, NEW.idle_minutes, NEW.enabled, NEW.created_by, NEW.created_at, NEW.distiller));
END;
CREATE TRIGGER schedules_covered_update AFTER UPDATE ON schedules WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.cron IS NOT NEW.cron OR OLD.time_zone IS NOT NEW.time_zone OR OLD.min_sessions IS NOT NEW.min_sessions OR OLD.idle_minutes IS NOT NEW.idle_minutes OR OLD.enabled IS NOT NEW.enabled OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at OR OLD.distiller IS NOT NEW.distiller)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'schedules' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('schedules', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.cron, NEW.time_zone, NEW.min_sessions, NEW.idle_minutes, NEW.enabled, NEW.created_by, NEW.created_at, NEW.distiller));
END;
CREATE TRIGGER schedules_covered_delete AFTER DELETE ON schedules
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'schedules' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('schedules', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER session_recorders_covered_insert AFTER INSERT ON session_recorders
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'session_recorders' AND k = lower(hex(NEW.session_id)) || '/' || NEW.recorder;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('session_recorders', lower(hex(NEW.session_id)) || '/' || NEW.recorder, json_array(quote(NEW.session_id), NEW.recorder));
END;
CREATE TRIGGER session_recorders_covered_update AFTER UPDATE ON session_recorders WHEN (OLD.session_id IS NOT NEW.session_id OR OLD.recorder IS NOT NEW.recorder)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'session_recorders' AND k = lower(hex(NEW.session_id)) || '/' || NEW.recorder;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('session_recorders', lower(hex(NEW.session_id)) || '/' || NEW.recorder, json_array(quote(NEW.session_id), NEW.recorder));
END;
CREATE TRIGGER session_recorders_covered_delete AFTER DELETE ON session_recorders
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'session_recorders' AND k = lower(hex(OLD.session_id)) || '/' || OLD.recorder;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('session_recorders', lower(hex(OLD.session_id)) || '/' || OLD.recorder, NULL);
END;

CREATE TRIGGER session_stores_covered_insert AFTER INSERT ON session_stores
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'session_stores' AND k = lower(hex(NEW.store_id)) || '/' || lower(hex(NEW.session_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('session_stores', lower(hex(NEW.store_id)) || '/' || lower(hex(NEW.session_id)), json_array(quote(NEW.store_id), quote(NEW.session_id)));
END;
CREATE TRIGGER session_stores_covered_update AFTER UPDATE ON session_stores WHEN (OLD.store_id IS NOT NEW.store_id OR OLD.session_id IS NOT NEW.session_id)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'session_stores' AND k = lower(hex(NEW.store_id)) || '/' || lower(hex(NEW.session_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('session_stores', lower(hex(NEW.store_id)) || '/' || lower(hex(NEW.session_id)), json_array(quote(NEW.store_id), quote(NEW.session_id)));
END;
CREATE TRIGGER session_stores_covered_delete AFTER DELETE ON session_stores
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'session_stores' AND k = lower(hex(OLD.store_id)) || '/' || lower(hex(OLD.session_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('session_stores', lower(hex(OLD.store_id)) || '/' || lower(hex(OLD.session_id)), NULL);
END;

CREATE TRIGGER sessions_covered_insert AFTER INSERT ON sessions
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'sessions' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('sessions', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.import_key, NEW.source, NEW.external_id, NEW.agent, NEW.subject, NEW.team, NEW.task_key, NEW.metadata, NEW.trust, NEW.event_count, NEW.events_digest, NEW.first_event_at, NEW.last_event_at, NEW.created_at, NEW.updated_at, NEW.deleted_at, NEW.key_id, NEW.created_by));
END;
CREATE TRIGGER sessions_covered_update AFTER UPDATE ON sessions WHEN (OLD.id IS NOT NEW.id OR OLD.import_key IS NOT NEW.import_key OR OLD.source IS NOT NEW.source OR OLD.external_id IS NOT NEW.external_id OR OLD.agent IS NOT NEW.agent OR OLD.subject IS NOT NEW.subject OR OLD.team IS NOT NEW.team OR OLD.task_key IS NOT NEW.task_key OR OLD.metadata IS NOT NEW.metadata OR OLD.trust IS NOT NEW.trust OR OLD.event_count IS NOT NEW.event_count OR OLD.events_digest IS NOT NEW.events_digest OR OLD.first_event_at IS NOT NEW.first_event_at OR OLD.last_event_at IS NOT NEW.last_event_at OR OLD.created_at IS NOT NEW.created_at OR OLD.updated_at IS NOT NEW.updated_at OR OLD.deleted_at IS NOT NEW.deleted_at OR OLD.key_id IS NOT NEW.key_id OR OLD.created_by IS NOT NEW.created_by)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'sessions' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('sessions', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.import_key, NEW.source, NEW.external_id, NEW.agent, NEW.subject, NEW.team, NEW.task_key, NEW.metadata, NEW.trust, NEW.event_count, NEW.events_digest, NEW.first_event_at, NEW.last_event_at, NEW.created_at, NEW.updated_at, NEW.deleted_at, NEW.key_id, NEW.created_by));
END;
CREATE TRIGGER sessions_covered_delete AFTER DELETE ON sessions
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'sessions' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('sessions', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER setting_changes_covered_insert AFTER INSERT ON setting_changes
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'setting_changes' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('setting_changes', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.setting, NEW.summary, quote(NEW.proposed_by), NEW.state, NEW.created_at, NEW.decided_at, quote(NEW.decided_by)));
END;
CREATE TRIGGER setting_changes_covered_update AFTER UPDATE ON setting_changes WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.setting IS NOT NEW.setting OR OLD.summary IS NOT NEW.summary OR OLD.proposed_by IS NOT NEW.proposed_by OR OLD.state IS NOT NEW.state OR OLD.created_at IS NOT NEW.created_at OR OLD.decided_at IS NOT NEW.decided_at OR OLD.decided_by IS NOT NEW.decided_by)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'setting_changes' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('setting_changes', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.store_id), NEW.setting, NEW.summary, quote(NEW.proposed_by), NEW.state, NEW.created_at, NEW.decided_at, quote(NEW.decided_by)));
END;
CREATE TRIGGER setting_changes_covered_delete AFTER DELETE ON setting_changes
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'setting_changes' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('setting_changes', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER settings_covered_insert AFTER INSERT ON settings WHEN NEW.name <> 'people'
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'settings' AND k = NEW.name;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('settings', NEW.name, json_array(NEW.name, NEW.value));
END;
CREATE TRIGGER settings_covered_update AFTER UPDATE ON settings WHEN NEW.name <> 'people' AND (OLD.name IS NOT NEW.name OR OLD.value IS NOT NEW.value)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'settings' AND k = NEW.name;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('settings', NEW.name, json_array(NEW.name, NEW.value));
END;
CREATE TRIGGER settings_covered_delete AFTER DELETE ON settings WHEN OLD.name <> 'people'
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'settings' AND k = OLD.name;
    INSERT INTO audit_touched (tbl, k, content) VALUES ('settings', OLD.name, NULL);
END;

CREATE TRIGGER stores_covered_insert AFTER INSERT ON stores
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'stores' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('stores', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.name, NEW.description, NEW.metadata, NEW.gate_mode, NEW.revision, NEW.created_by, NEW.created_at, NEW.archived_at, NEW.deleted_at, NEW.updated_at, NEW.budget_tokens, NEW.approvals_low, NEW.approvals_medium, NEW.approvals_high, NEW.owners_only, NEW.clean_up_until));
END;
CREATE TRIGGER stores_covered_update AFTER UPDATE ON stores WHEN (OLD.id IS NOT NEW.id OR OLD.name IS NOT NEW.name OR OLD.description IS NOT NEW.description OR OLD.metadata IS NOT NEW.metadata OR OLD.gate_mode IS NOT NEW.gate_mode OR OLD.revision IS NOT NEW.revision OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at OR OLD.archived_at IS NOT NEW.archived_at OR OLD.deleted_at IS NOT NEW.deleted_at OR OLD.updated_at IS NOT NEW.updated_at OR OLD.budget_tokens IS NOT NEW.budget_tokens OR OLD.approvals_low IS NOT NEW.approvals_low OR OLD.approvals_medium IS NOT NEW.approvals_medium OR OLD.approvals_high IS NOT NEW.approvals_high OR OLD.owners_only IS NOT NEW.owners_only OR OLD.clean_up_until IS NOT NEW.clean_up_until)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'stores' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('stores', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.name, NEW.description, NEW.metadata, NEW.gate_mode, NEW.revision, NEW.created_by, NEW.created_at, NEW.archived_at, NEW.deleted_at, NEW.updated_at, NEW.budget_tokens, NEW.approvals_low, NEW.approvals_medium, NEW.approvals_high, NEW.owners_only, NEW.clean_up_until));
END;
CREATE TRIGGER stores_covered_delete AFTER DELETE ON stores
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'stores' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('stores', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER team_grants_covered_insert AFTER INSERT ON team_grants
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'team_grants' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('team_grants', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.team_id), quote(NEW.store_id), NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at));
END;
CREATE TRIGGER team_grants_covered_update AFTER UPDATE ON team_grants WHEN (OLD.id IS NOT NEW.id OR OLD.team_id IS NOT NEW.team_id OR OLD.store_id IS NOT NEW.store_id OR OLD.path_prefix IS NOT NEW.path_prefix OR OLD.role IS NOT NEW.role OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'team_grants' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('team_grants', lower(hex(NEW.id)), json_array(quote(NEW.id), quote(NEW.team_id), quote(NEW.store_id), NEW.path_prefix, NEW.role, NEW.created_by, NEW.created_at));
END;
CREATE TRIGGER team_grants_covered_delete AFTER DELETE ON team_grants
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'team_grants' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('team_grants', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER team_members_covered_insert AFTER INSERT ON team_members
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'team_members' AND k = lower(hex(NEW.team_id)) || '/' || lower(hex(NEW.user_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('team_members', lower(hex(NEW.team_id)) || '/' || lower(hex(NEW.user_id)), json_array(quote(NEW.team_id), quote(NEW.user_id)));
END;
CREATE TRIGGER team_members_covered_update AFTER UPDATE ON team_members WHEN (OLD.team_id IS NOT NEW.team_id OR OLD.user_id IS NOT NEW.user_id)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'team_members' AND k = lower(hex(NEW.team_id)) || '/' || lower(hex(NEW.user_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('team_members', lower(hex(NEW.team_id)) || '/' || lower(hex(NEW.user_id)), json_array(quote(NEW.team_id), quote(NEW.user_id)));
END;
CREATE TRIGGER team_members_covered_delete AFTER DELETE ON team_members
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'team_members' AND k = lower(hex(OLD.team_id)) || '/' || lower(hex(OLD.user_id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('team_members', lower(hex(OLD.team_id)) || '/' || lower(hex(OLD.user_id)), NULL);
END;

CREATE TRIGGER teams_covered_insert AFTER INSERT ON teams
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'teams' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('teams', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.name, NEW.created_by, NEW.created_at));
END;
CREATE TRIGGER teams_covered_update AFTER UPDATE ON teams WHEN (OLD.id IS NOT NEW.id OR OLD.name IS NOT NEW.name OR OLD.created_by IS NOT NEW.created_by OR OLD.created_at IS NOT NEW.created_at)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'teams' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('teams', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.name, NEW.created_by, NEW.created_at));
END;
CREATE TRIGGER teams_covered_delete AFTER DELETE ON teams
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'teams' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('teams', lower(hex(OLD.id)), NULL);
END;

CREATE TRIGGER users_covered_insert AFTER INSERT ON users
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'users' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('users', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.email, NEW.name, NEW.password_hash, NEW.role, NEW.created_at, NEW.disabled_at, quote(NEW.credential_issuer)));
END;
CREATE TRIGGER users_covered_update AFTER UPDATE ON users WHEN (OLD.id IS NOT NEW.id OR OLD.email IS NOT NEW.email OR OLD.name IS NOT NEW.name OR OLD.password_hash IS NOT NEW.password_hash OR OLD.role IS NOT NEW.role OR OLD.created_at IS NOT NEW.created_at OR OLD.disabled_at IS NOT NEW.disabled_at OR OLD.credential_issuer IS NOT NEW.credential_issuer)
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'users' AND k = lower(hex(NEW.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('users', lower(hex(NEW.id)), json_array(quote(NEW.id), NEW.email, NEW.name, NEW.password_hash, NEW.role, NEW.created_at, NEW.disabled_at, quote(NEW.credential_issuer)));
END;
CREATE TRIGGER users_covered_delete AFTER DELETE ON users
BEGIN
    DELETE FROM audit_touched WHERE tbl = 'users' AND k = lower(hex(OLD.id));
    INSERT INTO audit_touched (tbl, k, content) VALUES ('users', lower(hex(OLD.id)), NULL);
END;

