-- Views of the queue that a person saved under a name: the filters as they are in the address.
CREATE TABLE saved_views (
    user_id BLOB NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, name)
) STRICT;
