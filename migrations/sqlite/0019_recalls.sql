-- Recalls: memory that turned out wrong, and what was done about each session that loaded it.

-- Who read: kind and id, as in the trail; not known of older reads.
ALTER TABLE recorded_reads ADD COLUMN reader TEXT;
CREATE INDEX recorded_reads_by_session ON recorded_reads (session_id) WHERE session_id IS NOT NULL;

CREATE TABLE recalls (
    id BLOB PRIMARY KEY,
    store_id BLOB NOT NULL REFERENCES stores (id),
    memory_id BLOB NOT NULL,
    first_version INTEGER NOT NULL,
    last_version INTEGER NOT NULL CHECK (last_version >= first_version),
    reason TEXT NOT NULL,
    opened_by BLOB NOT NULL REFERENCES users (id),
    opened_at INTEGER NOT NULL,
    closed_by BLOB REFERENCES users (id),
    closed_at INTEGER,
    outcome TEXT,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
) STRICT;
CREATE INDEX recalls_by_memory ON recalls (memory_id);

-- Loaded by: the session's id as text, or, for reads outside of sessions, who read.
CREATE TABLE recall_marks (
    recall_id BLOB NOT NULL REFERENCES recalls (id),
    loaded_by TEXT NOT NULL,
    session_id BLOB REFERENCES sessions (id),
    mark TEXT NOT NULL CHECK (mark IN ('told', 'checked', 'harmless')),
    note TEXT NOT NULL,
    marked_by BLOB NOT NULL REFERENCES users (id),
    marked_at INTEGER NOT NULL,
    PRIMARY KEY (recall_id, loaded_by)
) STRICT;

CREATE INDEX recall_marks_by_session ON recall_marks (recall_id, session_id);

CREATE TRIGGER recall_marks_covered_insert AFTER INSERT ON recall_marks
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recall_marks', lower(hex(NEW.recall_id)) || '/' || NEW.loaded_by, NULL, json_array(quote(NEW.recall_id), typeof(NEW.loaded_by), NEW.loaded_by, quote(NEW.session_id), typeof(NEW.mark), NEW.mark, typeof(NEW.note), NEW.note, quote(NEW.marked_by), quote(NEW.marked_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER recall_marks_covered_update AFTER UPDATE ON recall_marks WHEN (OLD.recall_id IS NOT NEW.recall_id OR OLD.loaded_by IS NOT NEW.loaded_by OR OLD.session_id IS NOT NEW.session_id OR OLD.mark IS NOT NEW.mark OR OLD.note IS NOT NEW.note OR OLD.marked_by IS NOT NEW.marked_by OR OLD.marked_at IS NOT NEW.marked_at)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recall_marks', lower(hex(NEW.recall_id)) || '/' || NEW.loaded_by, json_array(quote(OLD.recall_id), typeof(OLD.loaded_by), OLD.loaded_by, quote(OLD.session_id), typeof(OLD.mark), OLD.mark, typeof(OLD.note), OLD.note, quote(OLD.marked_by), quote(OLD.marked_at)), json_array(quote(NEW.recall_id), typeof(NEW.loaded_by), NEW.loaded_by, quote(NEW.session_id), typeof(NEW.mark), NEW.mark, typeof(NEW.note), NEW.note, quote(NEW.marked_by), quote(NEW.marked_at)))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER recall_marks_covered_delete AFTER DELETE ON recall_marks
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recall_marks', lower(hex(OLD.recall_id)) || '/' || OLD.loaded_by, json_array(quote(OLD.recall_id), typeof(OLD.loaded_by), OLD.loaded_by, quote(OLD.session_id), typeof(OLD.mark), OLD.mark, typeof(OLD.note), OLD.note, quote(OLD.marked_by), quote(OLD.marked_at)), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;

CREATE TRIGGER recalls_covered_insert AFTER INSERT ON recalls
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recalls', lower(hex(NEW.id)), NULL, json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.memory_id), quote(NEW.first_version), quote(NEW.last_version), typeof(NEW.reason), NEW.reason, quote(NEW.opened_by), quote(NEW.opened_at), quote(NEW.closed_by), quote(NEW.closed_at), typeof(NEW.outcome), NEW.outcome))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER recalls_covered_update AFTER UPDATE ON recalls WHEN (OLD.id IS NOT NEW.id OR OLD.store_id IS NOT NEW.store_id OR OLD.memory_id IS NOT NEW.memory_id OR OLD.first_version IS NOT NEW.first_version OR OLD.last_version IS NOT NEW.last_version OR OLD.reason IS NOT NEW.reason OR OLD.opened_by IS NOT NEW.opened_by OR OLD.opened_at IS NOT NEW.opened_at OR OLD.closed_by IS NOT NEW.closed_by OR OLD.closed_at IS NOT NEW.closed_at OR OLD.outcome IS NOT NEW.outcome)
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recalls', lower(hex(NEW.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.memory_id), quote(OLD.first_version), quote(OLD.last_version), typeof(OLD.reason), OLD.reason, quote(OLD.opened_by), quote(OLD.opened_at), quote(OLD.closed_by), quote(OLD.closed_at), typeof(OLD.outcome), OLD.outcome), json_array(quote(NEW.id), quote(NEW.store_id), quote(NEW.memory_id), quote(NEW.first_version), quote(NEW.last_version), typeof(NEW.reason), NEW.reason, quote(NEW.opened_by), quote(NEW.opened_at), quote(NEW.closed_by), quote(NEW.closed_at), typeof(NEW.outcome), NEW.outcome))
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
CREATE TRIGGER recalls_covered_delete AFTER DELETE ON recalls
BEGIN
    INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recalls', lower(hex(OLD.id)), json_array(quote(OLD.id), quote(OLD.store_id), quote(OLD.memory_id), quote(OLD.first_version), quote(OLD.last_version), typeof(OLD.reason), OLD.reason, quote(OLD.opened_by), quote(OLD.opened_at), quote(OLD.closed_by), quote(OLD.closed_at), typeof(OLD.outcome), OLD.outcome), NULL)
    ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;
END;
