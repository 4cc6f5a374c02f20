-- The queue lists changes (0014), so nothing reads the counts of changesets that triggers kept. What they did for conflicts stays.
DROP TRIGGER queue_rows_of_new_changesets ON changesets;
DROP TRIGGER queue_rows_of_closed_changesets ON changesets;
DROP TRIGGER queue_rows_of_new_changes ON changes;
DROP TRIGGER queue_rows_of_moved_changes ON changes;
DROP FUNCTION lucid_queue_row_of_changeset();
DROP FUNCTION lucid_queue_row_of_change();
CREATE FUNCTION lucid_conflict_of_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM conflicts WHERE change_id = NEW.id;
    INSERT INTO conflicts (change_id, changeset_id)
    SELECT x.change_id, NEW.changeset_id FROM conflicted_changes x WHERE x.change_id = NEW.id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER conflicts_of_moved_changes AFTER UPDATE OF state, revision, risk_level ON changes
    FOR EACH ROW EXECUTE FUNCTION lucid_conflict_of_change();
DROP TABLE queue_rows;
DROP VIEW queue_counts;
