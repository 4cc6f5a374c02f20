-- What can be searched: each version of a memory, each session in each of its stores, each change. Triggers note what is new, so that
-- nothing can be written past the index; its words are filled in by Lucid, which folds and cuts them the same way for both engines.

CREATE TABLE search_documents (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('memory', 'session', 'change')),
    store_id BLOB NOT NULL REFERENCES stores (id),
    -- The version, session or change.
    subject_id BLOB NOT NULL,
    memory_id BLOB,
    -- Of a version: whether it is what the memory says now.
    current INTEGER NOT NULL,
    at INTEGER NOT NULL,
    indexed INTEGER NOT NULL DEFAULT FALSE
) STRICT;
CREATE UNIQUE INDEX search_documents_by_subject ON search_documents (subject_id, store_id);
CREATE INDEX search_documents_current ON search_documents (memory_id) WHERE current;
CREATE INDEX search_documents_pending ON search_documents (id) WHERE NOT indexed;
-- Tokens come ready, so the tokenizer only splits at spaces.
CREATE VIRTUAL TABLE search_index USING fts5 (terms, content = '', contentless_delete = 1, tokenize = 'ascii');

INSERT INTO search_documents (kind, store_id, subject_id, memory_id, current, at)
SELECT 'memory', v.store_id, v.id, v.memory_id, EXISTS (SELECT 1 FROM memories m WHERE m.version_id = v.id), v.created_at
FROM memory_versions v WHERE v.content_sha256 IS NOT NULL ORDER BY v.id;
INSERT INTO search_documents (kind, store_id, subject_id, current, at)
SELECT 'session', x.store_id, s.id, TRUE, s.created_at FROM session_stores x JOIN sessions s ON s.id = x.session_id ORDER BY s.id;
INSERT INTO search_documents (kind, store_id, subject_id, current, at)
SELECT 'change', store_id, id, TRUE, created_at FROM changes ORDER BY id;

CREATE TRIGGER search_version AFTER INSERT ON memory_versions
BEGIN
    UPDATE search_documents SET current = FALSE, indexed = FALSE WHERE memory_id = NEW.memory_id AND current;
    INSERT INTO search_documents (kind, store_id, subject_id, memory_id, current, at)
    SELECT 'memory', NEW.store_id, NEW.id, NEW.memory_id, TRUE, NEW.created_at WHERE NEW.content_sha256 IS NOT NULL;
END;
CREATE TRIGGER search_session AFTER INSERT ON session_stores
BEGIN
    INSERT INTO search_documents (kind, store_id, subject_id, current, at)
    SELECT 'session', NEW.store_id, s.id, TRUE, s.created_at FROM sessions s WHERE s.id = NEW.session_id;
END;
CREATE TRIGGER search_change AFTER INSERT ON changes
BEGIN
    INSERT INTO search_documents (kind, store_id, subject_id, current, at) VALUES ('change', NEW.store_id, NEW.id, TRUE, NEW.created_at);
END;
