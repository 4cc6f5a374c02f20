-- Lists that are paged by key, and searches that find a title in any case in every script.

-- Titles in lower case, as the server folds them: SQLite's LOWER knows ASCII only. NULL until it has.
ALTER TABLE changesets ADD COLUMN title_folded TEXT COLLATE "C";
ALTER TABLE changes ADD COLUMN title_folded TEXT COLLATE "C";
CREATE INDEX changesets_unfolded ON changesets (id) WHERE title_folded IS NULL;
CREATE INDEX changes_unfolded ON changes (id) WHERE title_folded IS NULL;

-- The names of agents are read from this index alone, however many sessions there are.
CREATE INDEX sessions_by_agent ON sessions (agent) WHERE agent IS NOT NULL;
