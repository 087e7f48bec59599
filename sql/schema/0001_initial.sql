-- Projects, keys, blobs, documents, idempotency, usage.
--
-- Every row carries its project. Ids come from C (base/id.h) and sort by time; times end in _ms (0: not yet); flags are
-- 0 and 1. Tables that are read by their key alone are kept in its order (WITHOUT ROWID): one tree instead of two.

-- Settings of the installation (project 0) or of a project, by key.
CREATE TABLE meta (
    project bigint NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (project, key)
) /*sqlite WITHOUT ROWID */;

-- The tenants.
CREATE TABLE project (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_ms bigint NOT NULL
);

-- API keys. hash: SHA-256 of the key in hex; the key itself is nowhere. hint: its first characters.
CREATE TABLE api_key (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    hash text NOT NULL UNIQUE,
    hint text NOT NULL,
    created_ms bigint NOT NULL,
    revoked_ms bigint NOT NULL DEFAULT 0,
    used_ms bigint NOT NULL DEFAULT 0
);
CREATE INDEX api_key_by_project ON api_key (project, id);

-- Which project may see which blob. The bytes are in the blob store under the same hash, once for all projects.
CREATE TABLE blob (
    project bigint NOT NULL,
    hash text NOT NULL,
    size_bytes bigint NOT NULL,
    created_ms bigint NOT NULL,
    PRIMARY KEY (project, hash)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX blob_by_hash ON blob (hash);
CREATE INDEX blob_by_created ON blob (created_ms);

-- What refers to a blob: kind 'document' …, owner: its id. A blob without a row here goes after a grace period.
CREATE TABLE blob_ref (
    project bigint NOT NULL,
    hash text NOT NULL,
    kind text NOT NULL,
    owner bigint NOT NULL,
    PRIMARY KEY (project, hash, kind, owner)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX blob_ref_by_owner ON blob_ref (project, kind, owner);

-- Named things people work on. version rises with each change; a deleted one stays as a row without its blob.
CREATE TABLE document (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    hash text NOT NULL,
    size_bytes bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_ms bigint NOT NULL,
    changed_ms bigint NOT NULL,
    deleted_ms bigint NOT NULL DEFAULT 0
);
CREATE INDEX document_by_project ON document (project, id) WHERE deleted_ms = 0;

-- What an Idempotency-Key stood for: request_hash tells a repetition from another request; target: what was made then.
CREATE TABLE idempotency (
    project bigint NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    kind text NOT NULL,
    target bigint NOT NULL,
    created_ms bigint NOT NULL,
    PRIMARY KEY (project, key)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX idempotency_by_created ON idempotency (created_ms);

-- Metered facts, once per attempt of a task and unit.
CREATE TABLE usage_event (
    project bigint NOT NULL,
    task bigint NOT NULL,
    attempt bigint NOT NULL,
    unit text NOT NULL,
    job bigint NOT NULL,
    amount bigint NOT NULL,
    created_ms bigint NOT NULL,
    PRIMARY KEY (project, task, attempt, unit)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX usage_event_by_created ON usage_event (project, created_ms);
