-- Which change each change of a revert is the inverse of. Of reverts that are older than this, each stands for the whole commit.
CREATE TABLE reverted_changes (
    change_id UUID NOT NULL REFERENCES changes (id),
    of_change UUID NOT NULL REFERENCES changes (id),
    PRIMARY KEY (change_id, of_change)
);
CREATE INDEX reverted_changes_by_change ON reverted_changes (of_change);

INSERT INTO reverted_changes (change_id, of_change)
SELECT rc.id, c.id FROM changesets r JOIN changes rc ON rc.changeset_id = r.id JOIN changes c ON c.commit_id = r.reverts;
