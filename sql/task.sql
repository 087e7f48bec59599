-- name: task_add
-- A task in state $5 ('ready' or 'delayed'). Attempts begun so far $8, at most $9; $10: number of the job's last event.
INSERT INTO task (id, project, job, queue, state, priority, run_at_ms, attempt, max_attempts, seq, started_ms, concurrency_key,
                  parent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: task_wake
-- Delayed tasks of queue $1 that are due at $2 become ready, at most $3 of them.
UPDATE task
   SET state = 'ready'
 WHERE state = 'delayed'
   AND id IN (SELECT id FROM task WHERE queue = $1 AND state = 'delayed' AND run_at_ms <= $2
               ORDER BY run_at_ms LIMIT $3 /*pg FOR UPDATE SKIP LOCKED */);

-- name: task_lease
-- Lease the first $2 ready tasks of queue $1 to worker $3 until $4; $5 is now. The attempt is counted, and its start is an event.
-- Keep the outer "state = 'ready'": after waiting for a row, PostgreSQL tests that line again but not the inner SELECT.
UPDATE task
   SET state = 'leased', worker = $3, lease_until_ms = $4, attempt = attempt + 1, seq = seq + 1,
       started_ms = CASE WHEN started_ms = 0 THEN $5 ELSE started_ms END, progress_done = 0, progress_total = 0
 WHERE state = 'ready'
   AND id IN (SELECT id FROM task WHERE queue = $1 AND state = 'ready'
               ORDER BY priority DESC, id LIMIT $2 /*pg FOR UPDATE SKIP LOCKED */)
RETURNING id, project, job, priority, attempt, max_attempts, seq, run_at_ms;

-- name: task_next_due
-- When the next delayed task of queue $1 is due.
SELECT min(run_at_ms) FROM task WHERE queue = $1 AND state = 'delayed';

-- name: task_of_attempt
-- Task $1 as its attempt $2 holds it. No row: that attempt does not hold it any more.
SELECT project, job, attempt, max_attempts, seq, started_ms, progress_done, progress_total, queue, state,
       COALESCE(parent, 0) FROM task
 WHERE id = $1 AND attempt = $2 AND state = 'leased' /*pg FOR UPDATE */;

-- name: task_of_project
-- Task $1 of project $2 in whatever state.
SELECT project, job, attempt, max_attempts, seq, started_ms, progress_done, progress_total, queue, state,
       COALESCE(parent, 0) FROM task
 WHERE id = $1 AND project = $2 /*pg FOR UPDATE */;

-- name: task_delete
-- Task $1 has ended. Apart from the SELECT before it: on SQLite RETURNING builds a table for its one row, which costs as much
-- as the rest.
DELETE FROM task WHERE id = $1;

-- name: task_delay
-- Attempt $2 of task $1 failed and another may follow: not before $3, because of $4, $5, $6. No row: not ours, or none is left.
UPDATE task
   SET state = 'delayed', run_at_ms = $3, seq = seq + 1, reason = $4, detail = $5, hint = $6
 WHERE id = $1 AND attempt = $2 AND state = 'leased' AND attempt < max_attempts
RETURNING project, job, seq, max_attempts, queue;

-- name: task_lose
-- The worker of attempt $2 of task $1 is gone: ready again at $3, because of $4, $5, $6. No row: not ours, or no attempt is left.
UPDATE task
   SET state = 'ready', run_at_ms = $3, seq = seq + 1, reason = $4, detail = $5, hint = $6
 WHERE id = $1 AND attempt = $2 AND state = 'leased' AND attempt < max_attempts
RETURNING project, job, seq, max_attempts, queue;

-- name: task_give_back
-- The worker of attempt $2 of task $1 stops: ready again at $3, and the attempt does not count ($4 more may begin).
UPDATE task
   SET state = 'ready', run_at_ms = $3, seq = seq + 1, max_attempts = max_attempts + $4
 WHERE id = $1 AND attempt = $2 AND state = 'leased'
RETURNING project, job, seq, max_attempts, queue;

-- name: task_extend
-- The lease of attempt $2 of task $1 lasts until $3.
UPDATE task SET lease_until_ms = $3 WHERE id = $1 AND attempt = $2 AND state = 'leased';

-- name: task_progress
-- Attempt $2 of task $1 has done $3 of $4.
UPDATE task
   SET progress_done = $3, progress_total = $4, seq = seq + 1
 WHERE id = $1 AND attempt = $2 AND state = 'leased'
RETURNING project, job, seq;

-- name: task_note
-- Attempt $2 of task $1 says something that is worth an event.
UPDATE task SET seq = seq + 1 WHERE id = $1 AND attempt = $2 AND state = 'leased'
RETURNING project, job, seq;

-- name: task_expired
-- Leases that have run out at $1, at most $2.
SELECT id, attempt FROM task WHERE state = 'leased' AND lease_until_ms <= $1 ORDER BY lease_until_ms LIMIT $2;

-- name: task_expired_any
-- Has any lease run out at $1?
SELECT 1 FROM task WHERE state = 'leased' AND lease_until_ms <= $1 LIMIT 1;

-- name: queue_names
-- Every queue that has ready or delayed tasks, by hopping from one name to the next in the index.
WITH RECURSIVE ready (name) AS (
         SELECT min(queue) FROM task WHERE state = 'ready'
         UNION ALL
         SELECT (SELECT min(queue) FROM task WHERE state = 'ready' AND queue > ready.name) FROM ready
          WHERE ready.name IS NOT NULL),
     delayed (name) AS (
         SELECT min(queue) FROM task WHERE state = 'delayed'
         UNION ALL
         SELECT (SELECT min(queue) FROM task WHERE state = 'delayed' AND queue > delayed.name) FROM delayed
          WHERE delayed.name IS NOT NULL)
SELECT name FROM ready WHERE name IS NOT NULL
 UNION
SELECT name FROM delayed WHERE name IS NOT NULL;

-- name: queue_ready
-- Ready tasks per queue, and the first of them by id.
SELECT queue, count(*), min(id) FROM task WHERE state = 'ready' GROUP BY queue;

-- name: queue_delayed
-- Delayed tasks per queue.
SELECT queue, count(*) FROM task WHERE state = 'delayed' GROUP BY queue;

-- name: queue_leased
-- Leased tasks per queue.
SELECT queue, count(*) FROM task WHERE state = 'leased' GROUP BY queue;

-- name: queue_dead
-- Dead letters per queue.
SELECT queue, count(*) FROM dead_letter GROUP BY queue;
