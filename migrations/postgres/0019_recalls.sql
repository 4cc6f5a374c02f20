-- Recalls: memory that turned out wrong, and what was done about each session that loaded it.

-- Who read: kind and id, as in the trail; not known of older reads.
ALTER TABLE recorded_reads ADD COLUMN reader TEXT COLLATE "C";
CREATE INDEX recorded_reads_by_session ON recorded_reads (session_id) WHERE session_id IS NOT NULL;

CREATE TABLE recalls (
    id UUID PRIMARY KEY,
    store_id UUID NOT NULL REFERENCES stores (id),
    memory_id UUID NOT NULL,
    first_version BIGINT NOT NULL,
    last_version BIGINT NOT NULL CHECK (last_version >= first_version),
    reason TEXT NOT NULL,
    opened_by UUID NOT NULL REFERENCES users (id),
    opened_at BIGINT NOT NULL,
    closed_by UUID REFERENCES users (id),
    closed_at BIGINT,
    outcome TEXT,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX recalls_by_memory ON recalls (memory_id);

-- Loaded by: the session's id as text, or, for reads outside of sessions, who read.
CREATE TABLE recall_marks (
    recall_id UUID NOT NULL REFERENCES recalls (id),
    loaded_by TEXT COLLATE "C" NOT NULL,
    session_id UUID REFERENCES sessions (id),
    mark TEXT NOT NULL CHECK (mark IN ('told', 'checked', 'harmless')),
    note TEXT NOT NULL,
    marked_by UUID NOT NULL REFERENCES users (id),
    marked_at BIGINT NOT NULL,
    PRIMARY KEY (recall_id, loaded_by)
);

CREATE INDEX recall_marks_by_session ON recall_marks (recall_id, session_id);

CREATE FUNCTION recall_marks_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recall_marks', CAST(OLD.recall_id AS TEXT) || '/' || OLD.loaded_by, CAST(ROW(OLD.recall_id, OLD.loaded_by, OLD.session_id, OLD.mark, OLD.note, OLD.marked_by, OLD.marked_at) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recall_marks', CAST(NEW.recall_id AS TEXT) || '/' || NEW.loaded_by, CAST(ROW(OLD.recall_id, OLD.loaded_by, OLD.session_id, OLD.mark, OLD.note, OLD.marked_by, OLD.marked_at) AS TEXT), CAST(ROW(NEW.recall_id, NEW.loaded_by, NEW.session_id, NEW.mark, NEW.note, NEW.marked_by, NEW.marked_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recall_marks', CAST(NEW.recall_id AS TEXT) || '/' || NEW.loaded_by, NULL, CAST(ROW(NEW.recall_id, NEW.loaded_by, NEW.session_id, NEW.mark, NEW.note, NEW.marked_by, NEW.marked_at) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER recall_marks_covered_insert AFTER INSERT ON recall_marks FOR EACH ROW EXECUTE FUNCTION recall_marks_covered();
CREATE TRIGGER recall_marks_covered_update AFTER UPDATE ON recall_marks FOR EACH ROW WHEN (ROW(OLD.recall_id, OLD.loaded_by, OLD.session_id, OLD.mark, OLD.note, OLD.marked_by, OLD.marked_at) IS DISTINCT FROM ROW(NEW.recall_id, NEW.loaded_by, NEW.session_id, NEW.mark, NEW.note, NEW.marked_by, NEW.marked_at)) EXECUTE FUNCTION recall_marks_covered();
CREATE TRIGGER recall_marks_covered_delete AFTER DELETE ON recall_marks FOR EACH ROW EXECUTE FUNCTION recall_marks_covered();

CREATE FUNCTION recalls_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recalls', CAST(OLD.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.memory_id, OLD.first_version, OLD.last_version, OLD.reason, OLD.opened_by, OLD.opened_at, OLD.closed_by, OLD.closed_at, OLD.outcome) AS TEXT), NULL)
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recalls', CAST(NEW.id AS TEXT), CAST(ROW(OLD.id, OLD.store_id, OLD.memory_id, OLD.first_version, OLD.last_version, OLD.reason, OLD.opened_by, OLD.opened_at, OLD.closed_by, OLD.closed_at, OLD.outcome) AS TEXT), CAST(ROW(NEW.id, NEW.store_id, NEW.memory_id, NEW.first_version, NEW.last_version, NEW.reason, NEW.opened_by, NEW.opened_at, NEW.closed_by, NEW.closed_at, NEW.outcome) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    ELSE
        INSERT INTO audit_touched (tbl, k, before, content) VALUES ('recalls', CAST(NEW.id AS TEXT), NULL, CAST(ROW(NEW.id, NEW.store_id, NEW.memory_id, NEW.first_version, NEW.last_version, NEW.reason, NEW.opened_by, NEW.opened_at, NEW.closed_by, NEW.closed_at, NEW.outcome) AS TEXT))
        ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER recalls_covered_insert AFTER INSERT ON recalls FOR EACH ROW EXECUTE FUNCTION recalls_covered();
CREATE TRIGGER recalls_covered_update AFTER UPDATE ON recalls FOR EACH ROW WHEN (ROW(OLD.id, OLD.store_id, OLD.memory_id, OLD.first_version, OLD.last_version, OLD.reason, OLD.opened_by, OLD.opened_at, OLD.closed_by, OLD.closed_at, OLD.outcome) IS DISTINCT FROM ROW(NEW.id, NEW.store_id, NEW.memory_id, NEW.first_version, NEW.last_version, NEW.reason, NEW.opened_by, NEW.opened_at, NEW.closed_by, NEW.closed_at, NEW.outcome)) EXECUTE FUNCTION recalls_covered();
CREATE TRIGGER recalls_covered_delete AFTER DELETE ON recalls FOR EACH ROW EXECUTE FUNCTION recalls_covered();
