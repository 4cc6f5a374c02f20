-- Which change each change of a revert is the inverse of. Of reverts that are older than this, it follows from the memories that both wrote.
CREATE TABLE reverted_changes (
    change_id UUID NOT NULL REFERENCES changes (id),
    of_change UUID NOT NULL REFERENCES changes (id),
    PRIMARY KEY (change_id, of_change)
);
CREATE INDEX reverted_changes_by_change ON reverted_changes (of_change);

INSERT INTO reverted_changes (change_id, of_change)
SELECT DISTINCT rc.id, v.change_id FROM changesets r JOIN changes rc ON rc.changeset_id = r.id
    JOIN change_edits e ON e.change_id = rc.id AND e.revision = rc.revision
    JOIN memory_versions v ON v.commit_id = r.reverts AND (v.memory_id = e.memory_id OR (e.memory_id IS NULL AND v.path = e.path))
WHERE v.change_id IS NOT NULL;
