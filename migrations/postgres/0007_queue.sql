-- The queue as rows of its own: what it counts is kept by triggers, so that a page of it does not read every open change.

-- An open changeset: how much of it waits for what, its highest risk (3 high, 2 medium, 1 low, 0 nothing open), and when the first of it
-- is due: a day after it was proposed for high risk, three days for medium, a week for low.
CREATE TABLE queue_rows (
    changeset_id UUID PRIMARY KEY REFERENCES changesets (id),
    store_id UUID NOT NULL REFERENCES stores (id),
    pending BIGINT NOT NULL DEFAULT 0,
    approved BIGINT NOT NULL DEFAULT 0,
    rejected BIGINT NOT NULL DEFAULT 0,
    deferred BIGINT NOT NULL DEFAULT 0,
    committed BIGINT NOT NULL DEFAULT 0,
    risk BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT
);

-- The two orders of the queue.
CREATE INDEX queue_rows_by_risk ON queue_rows ((-risk), changeset_id);
CREATE INDEX queue_rows_by_due ON queue_rows (COALESCE(due_at, 9223372036854775807), changeset_id);

-- Where the view conflicted_changes has to be asked: all that it names stands here. A decision at the moment of a write may leave a row
-- more, so readers ask the view for these few.
CREATE TABLE conflicts (
    change_id UUID PRIMARY KEY REFERENCES changes (id),
    changeset_id UUID NOT NULL REFERENCES changesets (id)
);
CREATE INDEX conflicts_by_changeset ON conflicts (changeset_id);

DROP INDEX changes_by_changeset;
CREATE INDEX changes_by_changeset ON changes (changeset_id, state, risk_level, created_at);
CREATE INDEX decisions_by_user_and_change ON decisions (user_id, change_id, revision);
CREATE INDEX change_edits_by_memory ON change_edits (memory_id) WHERE memory_id IS NOT NULL;
CREATE INDEX change_edits_by_target ON change_edits (COALESCE(new_path, path));

-- What the counts of a changeset are, from its changes.
CREATE VIEW queue_counts AS
SELECT changeset_id,
    SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END) AS pending,
    SUM(CASE WHEN state = 'approved' THEN 1 ELSE 0 END) AS approved,
    SUM(CASE WHEN state = 'rejected' THEN 1 ELSE 0 END) AS rejected,
    SUM(CASE WHEN state = 'deferred' THEN 1 ELSE 0 END) AS deferred,
    SUM(CASE WHEN state = 'committed' THEN 1 ELSE 0 END) AS committed,
    MAX(CASE WHEN state NOT IN ('pending', 'approved', 'deferred') THEN 0
        WHEN risk_level = 'high' THEN 3 WHEN risk_level = 'medium' THEN 2 ELSE 1 END) AS risk,
    MIN(CASE WHEN state NOT IN ('pending', 'approved') THEN NULL
        WHEN risk_level = 'high' THEN created_at + 86400000000
        WHEN risk_level = 'medium' THEN created_at + 259200000000 ELSE created_at + 604800000000 END) AS due_at
FROM changes GROUP BY changeset_id;

INSERT INTO queue_rows (changeset_id, store_id, pending, approved, rejected, deferred, committed, risk, due_at)
SELECT cs.id, cs.store_id, n.pending, n.approved, n.rejected, n.deferred, n.committed, n.risk, n.due_at
FROM changesets cs JOIN queue_counts n ON n.changeset_id = cs.id WHERE cs.state = 'open';
INSERT INTO conflicts (change_id, changeset_id)
SELECT c.id, c.changeset_id FROM conflicted_changes x JOIN changes c ON c.id = x.change_id;

CREATE FUNCTION lucid_queue_row_of_changeset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO queue_rows (changeset_id, store_id) VALUES (NEW.id, NEW.store_id);
    ELSE
        DELETE FROM queue_rows WHERE changeset_id = NEW.id;
        IF NEW.state = 'open' THEN
            INSERT INTO queue_rows (changeset_id, store_id, pending, approved, rejected, deferred, committed, risk, due_at)
            SELECT NEW.id, NEW.store_id, n.pending, n.approved, n.rejected, n.deferred, n.committed, n.risk, n.due_at
            FROM queue_counts n WHERE n.changeset_id = NEW.id;
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER queue_rows_of_new_changesets AFTER INSERT ON changesets
    FOR EACH ROW WHEN (NEW.state = 'open') EXECUTE FUNCTION lucid_queue_row_of_changeset();
CREATE TRIGGER queue_rows_of_closed_changesets AFTER UPDATE OF state ON changesets
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION lucid_queue_row_of_changeset();

CREATE FUNCTION lucid_queue_row_of_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE queue_rows q SET pending = n.pending, approved = n.approved, rejected = n.rejected, deferred = n.deferred,
        committed = n.committed, risk = n.risk, due_at = n.due_at
    FROM queue_counts n WHERE n.changeset_id = NEW.changeset_id AND q.changeset_id = NEW.changeset_id;
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM conflicts WHERE change_id = NEW.id;
        INSERT INTO conflicts (change_id, changeset_id)
        SELECT x.change_id, NEW.changeset_id FROM conflicted_changes x WHERE x.change_id = NEW.id
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER queue_rows_of_new_changes AFTER INSERT ON changes FOR EACH ROW EXECUTE FUNCTION lucid_queue_row_of_change();
CREATE TRIGGER queue_rows_of_moved_changes AFTER UPDATE OF state, revision, risk_level ON changes
    FOR EACH ROW EXECUTE FUNCTION lucid_queue_row_of_change();

CREATE FUNCTION lucid_conflict_of_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conflicts (change_id, changeset_id)
    SELECT c.id, c.changeset_id FROM changes c
    WHERE c.id = NEW.change_id AND EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = NEW.change_id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER conflicts_of_new_edits AFTER INSERT ON change_edits FOR EACH ROW EXECUTE FUNCTION lucid_conflict_of_edit();

-- Which open changes a memory concerns: those that edit it, and those that would put something where it stands.
CREATE VIEW open_targets AS
SELECT e.change_id, c.changeset_id, c.store_id, e.memory_id, COALESCE(e.new_path, e.path) AS path
FROM change_edits e JOIN changes c ON c.id = e.change_id AND c.revision = e.revision
WHERE c.state IN ('pending', 'approved', 'deferred');

CREATE FUNCTION lucid_conflicts_of_memory() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed memories%ROWTYPE;
    paths TEXT[];
    concerned UUID[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := NEW; paths := ARRAY[NEW.path];
    ELSIF TG_OP = 'DELETE' THEN
        changed := OLD; paths := ARRAY[OLD.path];
    ELSE
        changed := NEW; paths := ARRAY[OLD.path, NEW.path];
    END IF;
    concerned := ARRAY(
        SELECT t.change_id FROM open_targets t WHERE t.memory_id = changed.id
        UNION SELECT t.change_id FROM open_targets t WHERE t.path = ANY (paths) AND t.store_id = changed.store_id);
    IF cardinality(concerned) > 0 THEN
        DELETE FROM conflicts WHERE change_id = ANY (concerned);
        INSERT INTO conflicts (change_id, changeset_id)
        SELECT c.id, c.changeset_id FROM changes c
        WHERE c.id = ANY (concerned) AND EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = c.id)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER conflicts_of_memories AFTER INSERT OR DELETE OR UPDATE OF version_id, path ON memories
    FOR EACH ROW EXECUTE FUNCTION lucid_conflicts_of_memory();

DROP VIEW open_changesets;
