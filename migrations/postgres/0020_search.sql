-- What can be searched: each version of a memory, each session in each of its stores, each change. Triggers note what is new, so that
-- nothing can be written past the index; its words are filled in by Lucid, which folds and cuts them the same way for both engines.

CREATE TABLE search_documents (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('memory', 'session', 'change')),
    store_id UUID NOT NULL REFERENCES stores (id),
    -- The version, session or change.
    subject_id UUID NOT NULL,
    memory_id UUID,
    -- Of a version: whether it is what the memory says now.
    current BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    -- The words, made by Lucid; none until it is indexed.
    terms TSVECTOR,
    indexed BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE UNIQUE INDEX search_documents_by_subject ON search_documents (subject_id, store_id);
CREATE INDEX search_documents_current ON search_documents (memory_id) WHERE current;
CREATE INDEX search_documents_pending ON search_documents (id) WHERE NOT indexed;
CREATE INDEX search_documents_terms ON search_documents USING gin (terms) WITH (fastupdate = off);

INSERT INTO search_documents (kind, store_id, subject_id, memory_id, current, at)
SELECT 'memory', v.store_id, v.id, v.memory_id, EXISTS (SELECT 1 FROM memories m WHERE m.version_id = v.id), v.created_at
FROM memory_versions v WHERE v.content_sha256 IS NOT NULL ORDER BY v.id;
INSERT INTO search_documents (kind, store_id, subject_id, current, at)
SELECT 'session', x.store_id, s.id, TRUE, s.created_at FROM session_stores x JOIN sessions s ON s.id = x.session_id ORDER BY s.id;
INSERT INTO search_documents (kind, store_id, subject_id, current, at)
SELECT 'change', store_id, id, TRUE, created_at FROM changes ORDER BY id;

CREATE FUNCTION search_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE search_documents SET current = FALSE, indexed = FALSE WHERE memory_id = NEW.memory_id AND current;
    INSERT INTO search_documents (kind, store_id, subject_id, memory_id, current, at)
    SELECT 'memory', NEW.store_id, NEW.id, NEW.memory_id, TRUE, NEW.created_at WHERE NEW.content_sha256 IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER search_version AFTER INSERT ON memory_versions FOR EACH ROW EXECUTE FUNCTION search_version();
CREATE FUNCTION search_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_documents (kind, store_id, subject_id, current, at)
    SELECT 'session', NEW.store_id, s.id, TRUE, s.created_at FROM sessions s WHERE s.id = NEW.session_id;
    RETURN NULL;
END $$;
CREATE TRIGGER search_session AFTER INSERT ON session_stores FOR EACH ROW EXECUTE FUNCTION search_session();
CREATE FUNCTION search_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_documents (kind, store_id, subject_id, current, at) VALUES ('change', NEW.store_id, NEW.id, TRUE, NEW.created_at);
    RETURN NULL;
END $$;
CREATE TRIGGER search_change AFTER INSERT ON changes FOR EACH ROW EXECUTE FUNCTION search_change();
