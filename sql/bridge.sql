-- name: bridge_add
-- Bridge $1 of project $2, called $3.
INSERT INTO bridge (id, project, name, direction, account, remote, dead_remote, token_env, queue, step, base_url, poison, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: bridge_get
-- Bridge $2 of project $1.
SELECT id, project, name, direction, account, remote, COALESCE(dead_remote, ''), token_env, queue, COALESCE(step, ''),
       COALESCE(base_url, ''), poison FROM bridge WHERE project = $1 AND name = $2;

-- name: bridge_list
-- All bridges of projects from $1 to $2.
SELECT id, project, name, direction, account, remote, COALESCE(dead_remote, ''), token_env, queue, COALESCE(step, ''),
       COALESCE(base_url, ''), poison FROM bridge WHERE project >= $1 AND project <= $2 ORDER BY project, name;

-- name: bridge_delete
-- Bridge $1 is no more.
DELETE FROM bridge WHERE id = $1;

-- name: bridge_seen_get
-- The job that message $2 of bridge $1 became.
SELECT job FROM bridge_seen WHERE bridge = $1 AND message = $2;

-- name: bridge_seen_add
-- Message $2 of bridge $1 became job $3 at $4.
INSERT INTO bridge_seen (bridge, message, job, seen_ms) VALUES ($1, $2, $3, $4);

-- name: bridge_seen_trim
-- Forget messages taken before $1: the oldest $2 of them, and what came in the same millisecond as the last.
DELETE FROM bridge_seen
 WHERE seen_ms <= (SELECT max(old.seen_ms)
                     FROM (SELECT seen_ms FROM bridge_seen WHERE seen_ms < $1 ORDER BY seen_ms LIMIT $2) old);
