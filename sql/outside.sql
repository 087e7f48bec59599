-- name: outside_task
-- How task $1 of project $2 stands.
SELECT attempt, state, COALESCE(worker, ''), lease_until_ms FROM task WHERE id = $1 AND project = $2 /*pg FOR UPDATE */;

-- name: outside_ended
-- How the job of task $1 of project $2 ended, and with which attempt.
SELECT state, attempts FROM job_end WHERE job = $1 AND project = $2;

-- name: outside_abandoned
-- Leases that a former process of this server held, at most $2: all that were not given to an outside worker. $1: any time.
SELECT id, attempt FROM task
 WHERE state = 'leased' AND lease_until_ms <= $1 AND substr(COALESCE(worker, ''), 1, 4) <> 'out:'
 ORDER BY lease_until_ms LIMIT $2;

-- name: outside_next_end
-- When the first lease runs out.
SELECT min(lease_until_ms) FROM task WHERE state = 'leased';

-- name: outside_note
-- Queue $2 of project $1 is one of outside work.
INSERT INTO outside_queue (project, queue, changed_ms) VALUES ($1, $2, $3) ON CONFLICT (project, queue) DO NOTHING;

-- name: outside_any
-- Is queue $1 one of outside work, in any project?
SELECT 1 FROM outside_queue WHERE queue = $1 LIMIT 1;

-- name: outside_put
-- From now ($8) on queue $2 of project $1 is handled so.
INSERT INTO outside_queue (project, queue, kind, url, secret, concurrency, timeout_ms, changed_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (project, queue) DO UPDATE
   SET kind = excluded.kind, url = excluded.url, secret = excluded.secret, concurrency = excluded.concurrency,
       timeout_ms = excluded.timeout_ms, changed_ms = excluded.changed_ms;

-- name: outside_get
-- How queue $2 of project $1 is handled.
SELECT kind, COALESCE(url, ''), COALESCE(secret, ''), concurrency, timeout_ms, changed_ms FROM outside_queue
 WHERE project = $1 AND queue = $2;

-- name: outside_pushes
-- All queues whose tasks are pushed, of projects after $1.
SELECT project, queue, COALESCE(url, ''), COALESCE(secret, ''), concurrency, timeout_ms, changed_ms FROM outside_queue
 WHERE kind = 'push' AND project > $1 ORDER BY project, queue;
