-- Work that is done outside: queues whose tasks are leased by programs over HTTP or pushed to an address; bridges to queues
-- of others.

-- Queues of outside work. A row is made with the first task; queues without one are served by this server's own lanes.
-- kind 'workers' (they lease), 'push' (each task is sent to url) or 'bridge'. secret: what pushes are signed with, sealed or "".
CREATE TABLE outside_queue (
    project bigint NOT NULL,
    queue text NOT NULL,
    kind text NOT NULL DEFAULT 'workers',
    url text,
    secret text,
    concurrency bigint NOT NULL DEFAULT 0,
    timeout_ms bigint NOT NULL DEFAULT 0,
    changed_ms bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (project, queue)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX outside_queue_by_name ON outside_queue (queue);
CREATE INDEX outside_queue_push ON outside_queue (project, queue) WHERE kind = 'push';

-- Bridges to Cloudflare Queues. direction 'in': their messages become jobs of `step` (or tasks of the local queue); 'out': tasks
-- of the local queue become their messages. token_env: where the token is found; it is not stored. dead_remote: their dead letter
-- queue, mirrored into the local dead letters. poison: a message that came so often and still cannot be taken becomes one.
CREATE TABLE bridge (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    name text NOT NULL,
    direction text NOT NULL,
    account text NOT NULL,
    remote text NOT NULL,
    dead_remote text,
    token_env text NOT NULL,
    queue text NOT NULL,
    step text,
    pipeline text,
    base_url text,
    poison bigint NOT NULL,
    created_ms bigint NOT NULL,
    UNIQUE (project, name)
);

-- Messages of others that have become jobs: a message that comes again is not taken again.
CREATE TABLE bridge_seen (
    bridge bigint NOT NULL,
    message text NOT NULL,
    job bigint NOT NULL,
    seen_ms bigint NOT NULL,
    PRIMARY KEY (bridge, message)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX bridge_seen_by_time ON bridge_seen (seen_ms);
