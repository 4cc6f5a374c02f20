-- The queue lists changes (0014), so nothing reads the counts of changesets that triggers kept. What they did for conflicts stays.
DROP TRIGGER queue_rows_of_new_changesets;
DROP TRIGGER queue_rows_of_closed_changesets;
DROP TRIGGER queue_rows_of_new_changes;
DROP TRIGGER queue_rows_of_moved_changes;
CREATE TRIGGER conflicts_of_moved_changes AFTER UPDATE OF state, revision, risk_level ON changes
BEGIN
    DELETE FROM conflicts WHERE change_id = NEW.id;
    INSERT INTO conflicts (change_id, changeset_id)
    SELECT x.change_id, NEW.changeset_id FROM conflicted_changes x WHERE x.change_id = NEW.id;
END;
DROP TABLE queue_rows;
DROP VIEW queue_counts;
