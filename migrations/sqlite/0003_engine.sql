-- What the dream engine keeps: answers of models, so that none is paid for twice.

CREATE TABLE model_batches (
    store_id BLOB NOT NULL REFERENCES stores (id),
    request_sha256 TEXT NOT NULL,
    dream_id BLOB NOT NULL REFERENCES dreams (id),
    model TEXT NOT NULL,
    -- Session id to number of events that the model was shown, as JSON; empty for what brings candidates together.
    sessions TEXT NOT NULL,
    candidates TEXT NOT NULL,
    dropped INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    -- Millionths of the currency that the operator's prices are in.
    cost_micros INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (store_id, request_sha256)
) STRICT;
CREATE INDEX model_batches_by_time ON model_batches (created_at);
CREATE INDEX model_batches_by_dream ON model_batches (dream_id);

ALTER TABLE schedules ADD COLUMN distiller TEXT NOT NULL DEFAULT 'builtin';
