-- What dreams ask people, and what they answered.

-- Quotes of what makes no change, each as {"session", "seq", "start", "end", "counter"}; and what it asks about, as
-- {"sides": [{"memory", "statement"}], "new"}, a statement by the SHA-256 of its text.
ALTER TABLE findings ADD COLUMN evidence TEXT NOT NULL DEFAULT '[]';
ALTER TABLE findings ADD COLUMN about TEXT NOT NULL DEFAULT '{}';

CREATE TABLE answers (
    id UUID PRIMARY KEY,
    store_id UUID NOT NULL REFERENCES stores (id),
    fingerprint TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    answer TEXT NOT NULL,
    -- Distinct subjects, tasks or sessions behind it when it was answered.
    support BIGINT NOT NULL,
    answered_by UUID NOT NULL REFERENCES users (id),
    -- What was proposed in consequence.
    change_id UUID REFERENCES changes (id),
    created_at BIGINT NOT NULL,
    -- When somebody let it be asked again.
    reopened_at BIGINT
);
CREATE UNIQUE INDEX answers_that_stand ON answers (store_id, fingerprint) WHERE reopened_at IS NULL;
CREATE INDEX answers_by_time ON answers (store_id, created_at);
CREATE INDEX findings_by_fingerprint ON findings (fingerprint, dream_id);
