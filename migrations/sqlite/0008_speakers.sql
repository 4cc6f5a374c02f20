-- Who said what in a transcript, and what of it happened in its session.

ALTER TABLE events ADD COLUMN speaker TEXT NOT NULL DEFAULT 'unknown'
    CHECK (speaker IN ('person', 'agent', 'tool', 'harness', 'parent_agent', 'unknown'));
-- The sub-agent in whose conversation it stands; NULL in the session's own.
ALTER TABLE events ADD COLUMN thread TEXT;
ALTER TABLE events ADD COLUMN standing TEXT NOT NULL DEFAULT 'live' CHECK (standing IN ('live', 'copied', 'abandoned'));
-- The session that a copied event comes from, as its source or Lucid calls it.
ALTER TABLE events ADD COLUMN copied_from TEXT;

-- Of what was taken in before, no more is known than the role.
UPDATE events SET speaker = CASE kind WHEN 'user' THEN 'person' WHEN 'agent' THEN 'agent' WHEN 'thinking' THEN 'agent'
    WHEN 'tool_use' THEN 'agent' WHEN 'tool_result' THEN 'tool' WHEN 'system' THEN 'harness' WHEN 'outcome' THEN 'harness'
    ELSE 'unknown' END;

-- A copy is found by the ids that its source gave, in whichever session they stand.
CREATE INDEX events_by_source_id ON events (external_id) WHERE external_id IS NOT NULL;

CREATE TRIGGER events_no_new_speaker BEFORE UPDATE OF speaker, thread, standing, copied_from ON events
BEGIN SELECT RAISE(ABORT, 'events never change'); END;
