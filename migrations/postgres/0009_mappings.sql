-- Where the parts of transcripts stand that are in no known form, by name.
CREATE TABLE mappings (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 80),
    mapping TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
