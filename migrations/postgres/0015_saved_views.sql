-- Views of the queue that a person saved under a name: the filters as they are in the address.
CREATE TABLE saved_views (
    user_id UUID NOT NULL REFERENCES users (id),
    name TEXT COLLATE "C" NOT NULL,
    query TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, name)
);
