-- The review queue shows changes, the earliest due first: a day after it was proposed for high risk, three days for medium, a week for low.
CREATE INDEX changes_by_due ON changes (
    (created_at + CASE risk_level WHEN 'high' THEN 86400000000 WHEN 'medium' THEN 259200000000 ELSE 604800000000 END), id
) WHERE state IN ('pending', 'approved', 'deferred');
-- All that the counts of the queue's tabs need.
CREATE INDEX changes_waiting ON changes (store_id, state, risk_level, created_at, changeset_id, revision, id)
    WHERE state IN ('pending', 'approved', 'deferred');
