-- Triggers: what starts pipelines besides people and the clock. A pipeline's `on:` declares them; storing a version writes these
-- rows, deleting the pipeline takes them away. Schedules have a table of their own; they are rows here only to be found and paused.

CREATE TABLE trigger (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    pipeline text NOT NULL,
    name text NOT NULL,           -- "event", "folder-2": unique in the pipeline
    kind text NOT NULL,
    spec text NOT NULL,           -- JSON object: as declared
    token text NOT NULL,          -- of a webhook's address; "": none
    secret text NOT NULL,         -- what its messages are signed with; "": none
    key_id bigint NOT NULL,       -- who stored the pipeline
    is_paused bigint NOT NULL,
    feed_id bigint NOT NULL,      -- the last row of the feed that is done
    fired bigint NOT NULL DEFAULT 0,
    last_ms bigint NOT NULL DEFAULT 0,
    last_job bigint NOT NULL DEFAULT 0,
    fault text NOT NULL DEFAULT '', -- why it could not start a job the last time
    created_ms bigint NOT NULL
);
CREATE UNIQUE INDEX trigger_by_name ON trigger (project, pipeline, name);
CREATE UNIQUE INDEX trigger_by_token ON trigger (token) WHERE token <> '';
CREATE INDEX trigger_at_work ON trigger (kind) WHERE is_paused = 0;

-- Files that a trigger has taken, so that each is taken once: a file is another when its bytes are.
CREATE TABLE trigger_file (
    trigger_id bigint NOT NULL,
    path text NOT NULL,
    size_bytes bigint NOT NULL,
    changed_ns bigint NOT NULL,
    hash text NOT NULL,
    job bigint NOT NULL,
    taken_ms bigint NOT NULL,
    PRIMARY KEY (trigger_id, path)
) /*sqlite WITHOUT ROWID */;
