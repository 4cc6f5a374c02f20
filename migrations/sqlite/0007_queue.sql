-- The queue as rows of its own: what it counts is kept by triggers, so that a page of it does not read every open change.

-- An open changeset: how much of it waits for what, its highest risk (3 high, 2 medium, 1 low, 0 nothing open), and when the first of it
-- is due: a day after it was proposed for high risk, three days for medium, a week for low.
CREATE TABLE queue_rows (
    changeset_id BLOB PRIMARY KEY REFERENCES changesets (id),
    store_id BLOB NOT NULL REFERENCES stores (id),
    pending INTEGER NOT NULL DEFAULT 0,
    approved INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    deferred INTEGER NOT NULL DEFAULT 0,
    committed INTEGER NOT NULL DEFAULT 0,
    risk INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER
) STRICT;

-- The two orders of the queue.
CREATE INDEX queue_rows_by_risk ON queue_rows ((-risk), changeset_id);
CREATE INDEX queue_rows_by_due ON queue_rows (COALESCE(due_at, 9223372036854775807), changeset_id);

-- Where the view conflicted_changes has to be asked: all that it names stands here. A decision at the moment of a write may leave a row
-- more, so readers ask the view for these few.
CREATE TABLE conflicts (
    change_id BLOB PRIMARY KEY REFERENCES changes (id),
    changeset_id BLOB NOT NULL REFERENCES changesets (id)
) STRICT;
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

CREATE TRIGGER queue_rows_of_new_changesets AFTER INSERT ON changesets WHEN NEW.state = 'open'
BEGIN
    INSERT INTO queue_rows (changeset_id, store_id) VALUES (NEW.id, NEW.store_id);
END;
CREATE TRIGGER queue_rows_of_closed_changesets AFTER UPDATE OF state ON changesets WHEN NEW.state <> OLD.state
BEGIN
    DELETE FROM queue_rows WHERE changeset_id = NEW.id;
    INSERT INTO queue_rows (changeset_id, store_id, pending, approved, rejected, deferred, committed, risk, due_at)
    SELECT NEW.id, NEW.store_id, n.pending, n.approved, n.rejected, n.deferred, n.committed, n.risk, n.due_at
    FROM queue_counts n WHERE n.changeset_id = NEW.id AND NEW.state = 'open';
END;
CREATE TRIGGER queue_rows_of_new_changes AFTER INSERT ON changes
BEGIN
    UPDATE queue_rows SET (pending, approved, rejected, deferred, committed, risk, due_at) =
        (SELECT n.pending, n.approved, n.rejected, n.deferred, n.committed, n.risk, n.due_at FROM queue_counts n WHERE n.changeset_id = NEW.changeset_id)
    WHERE changeset_id = NEW.changeset_id;
END;
CREATE TRIGGER queue_rows_of_moved_changes AFTER UPDATE OF state, revision, risk_level ON changes
BEGIN
    UPDATE queue_rows SET (pending, approved, rejected, deferred, committed, risk, due_at) =
        (SELECT n.pending, n.approved, n.rejected, n.deferred, n.committed, n.risk, n.due_at FROM queue_counts n WHERE n.changeset_id = NEW.changeset_id)
    WHERE changeset_id = NEW.changeset_id;
    DELETE FROM conflicts WHERE change_id = NEW.id;
    INSERT INTO conflicts (change_id, changeset_id)
    SELECT x.change_id, NEW.changeset_id FROM conflicted_changes x WHERE x.change_id = NEW.id;
END;
CREATE TRIGGER conflicts_of_new_edits AFTER INSERT ON change_edits
BEGIN
    INSERT OR IGNORE INTO conflicts (change_id, changeset_id)
    SELECT c.id, c.changeset_id FROM changes c
    WHERE c.id = NEW.change_id AND EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = NEW.change_id);
END;

-- Which open changes a memory concerns: those that edit it, and those that would put something where it stands.
CREATE VIEW open_targets AS
SELECT e.change_id, c.changeset_id, c.store_id, e.memory_id, COALESCE(e.new_path, e.path) AS path
FROM change_edits e JOIN changes c ON c.id = e.change_id AND c.revision = e.revision
WHERE c.state IN ('pending', 'approved', 'deferred');

CREATE TRIGGER conflicts_of_new_memories AFTER INSERT ON memories
BEGIN
    INSERT OR IGNORE INTO conflicts (change_id, changeset_id)
    SELECT t.change_id, t.changeset_id FROM open_targets t
    WHERE t.path = NEW.path AND t.store_id = NEW.store_id
        AND EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = t.change_id);
END;
CREATE TRIGGER conflicts_of_moved_memories AFTER UPDATE OF version_id, path ON memories
BEGIN
    DELETE FROM conflicts WHERE change_id IN (
        SELECT t.change_id FROM open_targets t WHERE t.memory_id = NEW.id
        UNION ALL SELECT t.change_id FROM open_targets t WHERE t.path IN (OLD.path, NEW.path) AND t.store_id = NEW.store_id);
    INSERT OR IGNORE INTO conflicts (change_id, changeset_id)
    SELECT t.change_id, t.changeset_id FROM (
        SELECT change_id, changeset_id FROM open_targets WHERE memory_id = NEW.id
        UNION ALL SELECT change_id, changeset_id FROM open_targets WHERE path IN (OLD.path, NEW.path) AND store_id = NEW.store_id) t
    WHERE EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = t.change_id);
END;
CREATE TRIGGER conflicts_of_removed_memories AFTER DELETE ON memories
BEGIN
    DELETE FROM conflicts WHERE change_id IN (
        SELECT t.change_id FROM open_targets t WHERE t.memory_id = OLD.id
        UNION ALL SELECT t.change_id FROM open_targets t WHERE t.path = OLD.path AND t.store_id = OLD.store_id);
    INSERT OR IGNORE INTO conflicts (change_id, changeset_id)
    SELECT t.change_id, t.changeset_id FROM (
        SELECT change_id, changeset_id FROM open_targets WHERE memory_id = OLD.id
        UNION ALL SELECT change_id, changeset_id FROM open_targets WHERE path = OLD.path AND store_id = OLD.store_id) t
    WHERE EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = t.change_id);
END;

DROP VIEW open_changesets;
