-- Who or what says how a session ended. What somebody only claims decides nothing.
ALTER TABLE outcomes ADD COLUMN source TEXT NOT NULL DEFAULT 'stated'
    CHECK (source IN ('stated', 'pull_request', 'feedback', 'checks', 'claimed'));
