-- Sessions of browsers: what a cookie stands for. hash: SHA-256 of the cookie in hex; the cookie itself is nowhere.
CREATE TABLE session (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    key_id bigint NOT NULL,
    hash text NOT NULL UNIQUE,
    created_ms bigint NOT NULL,
    used_ms bigint NOT NULL,
    expires_ms bigint NOT NULL
);
CREATE INDEX session_by_key ON session (key_id, id);
CREATE INDEX session_by_expiry ON session (expires_ms);
