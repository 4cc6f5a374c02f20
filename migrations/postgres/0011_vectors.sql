-- What a sentence model made of a text, so that each text is turned into a vector once: named by the SHA-256 of the model's name and the
-- text, the parts as signed bytes.
CREATE TABLE vectors (
    name TEXT COLLATE "C" PRIMARY KEY,
    parts BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX vectors_by_age ON vectors (created_at);
