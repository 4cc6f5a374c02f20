-- What a sentence model made of a text, so that each text is turned into a vector once: named by the SHA-256 of the model's name and the
-- text, the parts as signed bytes.
CREATE TABLE vectors (
    name TEXT PRIMARY KEY,
    parts BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX vectors_by_age ON vectors (created_at);
