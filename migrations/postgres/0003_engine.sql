-- What the dream engine keeps: answers of models, so that none is paid for twice.

CREATE TABLE model_batches (
    store_id UUID NOT NULL REFERENCES stores (id),
    request_sha256 TEXT COLLATE "C" NOT NULL,
    dream_id UUID NOT NULL REFERENCES dreams (id),
    model TEXT COLLATE "C" NOT NULL,
    -- Session id to number of events that the model was shown, as JSON; empty for what brings candidates together.
    sessions TEXT COLLATE "C" NOT NULL,
    candidates TEXT COLLATE "C" NOT NULL,
    dropped BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    -- Millionths of the currency that the operator's prices are in.
    cost_micros BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (store_id, request_sha256)
);
CREATE INDEX model_batches_by_time ON model_batches (created_at);
CREATE INDEX model_batches_by_dream ON model_batches (dream_id);

ALTER TABLE schedules ADD COLUMN distiller TEXT COLLATE "C" NOT NULL DEFAULT 'builtin';
