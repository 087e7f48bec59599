-- name: job_add
-- What was asked. Never changed afterwards.
INSERT INTO job (id, project, key_id, step, queue, params, priority, max_attempts, timeout_ms, trace, concurrency_key,
                 batch, parent, place, node, memo, reused)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: job_of_task
-- What a worker needs to know of job $1.
SELECT step, params, timeout_ms, trace FROM job WHERE id = $1;

-- name: job_get
-- Job $1 of project $2 with its live task or its end.
SELECT j.id, j.project, j.key_id, j.step, j.queue, j.params, j.trace, j.priority,
       CASE WHEN e.state IS NOT NULL THEN e.state WHEN t.state IN ('leased', 'waiting') THEN 'running' ELSE 'queued' END,
       COALESCE(e.attempts, t.attempt, 0), COALESCE(e.max_attempts, t.max_attempts, j.max_attempts),
       COALESCE(e.seq, t.seq, 0), COALESCE(e.started_ms, t.started_ms, 0), COALESCE(e.finished_ms, 0),
       COALESCE(t.run_at_ms, 0), COALESCE(e.progress_done, t.progress_done, 0),
       COALESCE(e.progress_total, t.progress_total, 0), COALESCE(e.reason, t.reason), COALESCE(e.detail, t.detail),
       COALESCE(e.hint, t.hint), e.data, j.batch, COALESCE(j.parent, 0), COALESCE(j.place, 0),
       CASE WHEN j.pipeline IS NULL THEN '' ELSE (SELECT p.name FROM pipeline p WHERE p.id = j.pipeline) END,
       COALESCE(j.pipeline_version, 0), COALESCE(j.origin, 0), COALESCE(j.reused, 0), COALESCE(j.node, -1),
       COALESCE(t.halt, 0), COALESCE(t.state, ''),
       (SELECT f.name FROM job_file f WHERE f.job = j.id AND f.is_output = 0 AND f.place = 0)
  FROM job j LEFT JOIN task t ON t.id = j.id LEFT JOIN job_end e ON e.job = j.id
 WHERE j.id = $1 AND j.project = $2;

-- name: job_trigger
-- What started job $1 of project $2: JSON, or nothing.
SELECT trigger_data FROM job WHERE id = $1 AND project = $2 AND trigger_data IS NOT NULL;

-- name: job_state
-- How job $1 of project $2 stands; whether it belongs to another; the number of its last event.
SELECT CASE WHEN e.state IS NOT NULL THEN e.state WHEN t.state IN ('leased', 'waiting') THEN 'running' ELSE 'queued' END,
       COALESCE(j.parent, 0), COALESCE(e.seq, t.seq, 0)
  FROM job j LEFT JOIN task t ON t.id = j.id LEFT JOIN job_end e ON e.job = j.id
 WHERE j.id = $1 AND j.project = $2;

-- name: job_usage
-- What job $1 of project $2 and all below it have used, by unit.
WITH RECURSIVE tree (id) AS (
    SELECT CAST($1 AS bigint) UNION ALL SELECT j.id FROM tree JOIN job j ON j.parent = tree.id
)
SELECT u.unit, CAST(sum(u.amount) AS bigint)
  FROM tree JOIN usage_event u ON u.project = $2 AND u.task = tree.id
 GROUP BY u.unit ORDER BY u.unit;

-- name: job_history
-- What the regular events of job $1 of project $2 are read from.
SELECT j.step, COALESCE(e.seq, t.seq, 0), COALESCE(e.started_ms, t.started_ms, 0), COALESCE(e.finished_ms, 0),
       COALESCE(e.state, ''), COALESCE(e.attempts, 0)
  FROM job j LEFT JOIN task t ON t.id = j.id LEFT JOIN job_end e ON e.job = j.id
 WHERE j.id = $1 AND j.project = $2;

-- name: job_ids
-- Jobs of project $1 with $3 <= id < $2, of step $4, queue $6 ('': any) and key $7 (0: any), newest first, at most $5.
SELECT id FROM job
 WHERE project = $1 AND parent IS NULL AND id < $2 AND id >= $3 AND ($4 = '' OR step = $4) AND ($6 = '' OR queue = $6)
   AND ($7 = 0 OR key_id = $7)
 ORDER BY id DESC LIMIT $5;

-- name: job_ids_pipeline
-- Jobs of project $1 with $3 <= id < $2 of pipeline $4, queue $6 and key $7 as above, in state $8 ('': any), newest first, at most $5.
SELECT j.id FROM job j LEFT JOIN task t ON t.id = j.id LEFT JOIN job_end e ON e.job = j.id
 WHERE j.pipeline = (SELECT p.id FROM pipeline p WHERE p.project = $1 AND p.name = $4 AND p.deleted_ms = 0)
   AND j.parent IS NULL AND j.id < $2 AND j.id >= $3 AND ($6 = '' OR j.queue = $6) AND ($7 = 0 OR j.key_id = $7)
   AND ($8 = '' OR $8 = CASE WHEN e.state IS NOT NULL THEN e.state WHEN t.state IN ('leased', 'waiting') THEN 'running' ELSE 'queued' END)
 ORDER BY j.id DESC LIMIT $5;

-- name: job_ids_batch
-- Batches of project $1 with $3 <= id < $2 in state $5 ('': any), newest first, at most $4.
SELECT j.id FROM job j LEFT JOIN task t ON t.id = j.id LEFT JOIN job_end e ON e.job = j.id
 WHERE j.project = $1 AND j.batch = 1 AND j.id < $2 AND j.id >= $3
   AND ($5 = '' OR $5 = CASE WHEN e.state IS NOT NULL THEN e.state WHEN t.state IN ('leased', 'waiting') THEN 'running' ELSE 'queued' END)
 ORDER BY j.id DESC LIMIT $4;

-- name: job_ids_queued
-- The same, those that wait. Walks the live tasks only.
SELECT t.id FROM task t JOIN job j ON j.id = t.id
 WHERE t.project = $1 AND t.id < $2 AND t.id >= $3 AND t.state IN ('ready', 'delayed', 'blocked') AND t.parent IS NULL
   AND ($4 = '' OR j.step = $4) AND ($6 = '' OR j.queue = $6) AND ($7 = 0 OR j.key_id = $7)
 ORDER BY t.id DESC LIMIT $5;

-- name: job_ids_running
-- The same, those that run: few, so they are found by their lease and sorted then ("+ 0" keeps SQLite off the walk by id).
SELECT t.id + 0 FROM task t JOIN job j ON j.id = t.id
 WHERE t.state = 'leased' AND t.lease_until_ms > 0 AND t.project = $1 AND t.parent IS NULL AND t.id + 0 < $2
   AND t.id + 0 >= $3 AND ($4 = '' OR j.step = $4) AND ($6 = '' OR j.queue = $6) AND ($7 = 0 OR j.key_id = $7)
 UNION ALL
SELECT t.id + 0 FROM task t JOIN job j ON j.id = t.id
 WHERE t.state = 'waiting' AND t.project = $1 AND t.parent IS NULL AND t.id < $2 AND t.id >= $3
   AND ($4 = '' OR j.step = $4) AND ($6 = '' OR j.queue = $6) AND ($7 = 0 OR j.key_id = $7)
 ORDER BY 1 DESC LIMIT $5;

-- name: job_ids_done
-- The same, those that are done: most are, so all are walked.
SELECT j.id FROM job j JOIN job_end e ON e.job = j.id
 WHERE j.project = $1 AND j.parent IS NULL AND j.id < $2 AND j.id >= $3 AND e.state = 'done' AND ($4 = '' OR j.step = $4)
   AND ($6 = '' OR j.queue = $6) AND ($7 = 0 OR j.key_id = $7)
 ORDER BY j.id DESC LIMIT $5;

-- name: job_ids_failed
-- The same, those that failed.
SELECT e.job FROM job_end e JOIN job j ON j.id = e.job
 WHERE e.project = $1 AND e.job < $2 AND e.job >= $3 AND e.state = 'failed' AND j.parent IS NULL
   AND ($4 = '' OR j.step = $4) AND ($6 = '' OR j.queue = $6) AND ($7 = 0 OR j.key_id = $7)
 ORDER BY e.job DESC LIMIT $5;

-- name: job_ids_canceled
-- The same, those that were cancelled.
SELECT e.job FROM job_end e JOIN job j ON j.id = e.job
 WHERE e.project = $1 AND e.job < $2 AND e.job >= $3 AND e.state = 'canceled' AND j.parent IS NULL
   AND ($4 = '' OR j.step = $4) AND ($6 = '' OR j.queue = $6) AND ($7 = 0 OR j.key_id = $7)
 ORDER BY e.job DESC LIMIT $5;

-- name: job_end_add
-- Job $1 ended in state $3.
INSERT INTO job_end (job, project, state, attempts, max_attempts, seq, started_ms, finished_ms, progress_done, progress_total,
                     reason, detail, hint, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: job_end_take
-- Job $1 of project $2, which failed or was cancelled, is to run again. $3: it is a batch.
DELETE FROM job_end WHERE job = $1 AND project = $2 AND state <> 'done'
   AND EXISTS (SELECT 1 FROM job WHERE id = $1 AND batch = $3)
RETURNING attempts, seq, started_ms;

-- name: job_again
-- What the task of job $1 is made from when it runs again.
SELECT queue, priority, max_attempts, concurrency_key, COALESCE(parent, 0) FROM job WHERE id = $1 AND batch = 0;

-- name: job_exists
-- Is there a job $1 in project $2?
SELECT 1 FROM job WHERE id = $1 AND project = $2;

-- name: job_file_add
-- File $3 of job $1: an input ($2 = 0) or an output ($2 = 1).
INSERT INTO job_file (job, is_output, place, project, name, type, hash, size_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: job_files
-- Files of job $1: inputs ($2 = 0) or outputs ($2 = 1), in order.
SELECT name, type, hash, size_bytes FROM job_file WHERE job = $1 AND is_output = $2 ORDER BY place;

-- name: job_blob_add
-- Project $1 may see blob $2 of $3 bytes, which came at $4.
INSERT INTO blob (project, hash, size_bytes, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (project, hash) DO NOTHING;

-- name: job_blob_ref_add
-- Job $3 holds blob $2 of project $1.
INSERT INTO blob_ref (project, hash, kind, owner) VALUES ($1, $2, 'job', $3)
ON CONFLICT (project, hash, kind, owner) DO NOTHING;

-- name: job_idempotency_get
-- What idempotency key $2 of project $1 stood for, when it is not older than $3.
SELECT target, request_hash, kind FROM idempotency WHERE project = $1 AND key = $2 AND created_ms > $3;

-- name: job_idempotency_put
-- From $5 on idempotency key $2 of project $1 stands for request $3, which made job $4.
INSERT INTO idempotency (project, key, request_hash, kind, target, created_ms) VALUES ($1, $2, $3, 'job', $4, $5)
ON CONFLICT (project, key) DO UPDATE
   SET request_hash = excluded.request_hash, kind = excluded.kind, target = excluded.target, created_ms = excluded.created_ms;

-- name: job_idempotency_expire
-- Forget the oldest keys of those that came before $1: $2 of them, and what came in the same millisecond as the last.
DELETE FROM idempotency
 WHERE created_ms <= (SELECT max(old.created_ms)
                        FROM (SELECT created_ms FROM idempotency WHERE created_ms <= $1 ORDER BY created_ms LIMIT $2) old);

-- name: dead_add
-- Task $1 is dead.
INSERT INTO dead_letter (id, project, job, queue, step, attempts, died_ms, reason, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: dead_list
-- Dead letters of project $1 in queue $2, of step $5, reason $6 ('': any) with an id below $3, newest first, at most $4.
SELECT id, job, died_ms, attempts, step, queue, reason, detail FROM dead_letter
 WHERE project = $1 AND ($2 = '' OR queue = $2) AND id < $3 AND ($5 = '' OR step = $5) AND ($6 = '' OR reason = $6)
 ORDER BY id DESC LIMIT $4;

-- name: dead_some
-- Oldest dead letters of project $1 with an id above $2, at most $3.
SELECT id, job FROM dead_letter WHERE project = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: dead_delete
-- Dead letter $1 of project $2 is no more.
DELETE FROM dead_letter WHERE id = $1 AND project = $2;

-- name: dead_drop
-- Dead letter of task $1, if there is one, is no more.
DELETE FROM dead_letter WHERE id = $1;

-- name: dead_delete_all
-- All dead letters of project $1 are no more.
DELETE FROM dead_letter WHERE project = $1;

-- name: option_add
-- What job $1 asks for beyond the usual.
INSERT INTO job_option (job, project, concurrency_limit, start_by_ms, deadline_ms, retry_ms, unique_key)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: option_get
-- What job $1 asks for.
SELECT concurrency_limit, retry_ms, unique_key FROM job_option WHERE job = $1;

-- name: option_retry
-- Base of the backoff of job $1.
SELECT retry_ms FROM job_option WHERE job = $1;

-- name: option_flag
-- The task of job $1 has flags $2 as well.
UPDATE task SET flags = flags | $2 WHERE id = $1;

-- name: job_concurrency_key
-- The concurrency key of job $1.
SELECT concurrency_key FROM job WHERE id = $1;

-- name: unique_get
-- The live job of project $1 that has unique key $2.
SELECT job FROM unique_key WHERE project = $1 AND key = $2;

-- name: unique_put
-- Unique key $2 of project $1 is job $3's.
INSERT INTO unique_key (project, key, job) VALUES ($1, $2, $3) ON CONFLICT (project, key) DO NOTHING;

-- name: unique_drop
-- Job $3 of project $1 has ended: unique key $2 is free.
DELETE FROM unique_key WHERE project = $1 AND key = $2 AND job = $3;

-- name: job_alive
-- The project of the live task $1, and whether it has started.
SELECT project, started_ms FROM task WHERE id = $1;

-- name: retire_page
-- Jobs with $1 < id < $2 that stand for themselves, oldest first, at most $3: with their end, if they have one.
SELECT j.id, j.project, j.queue, COALESCE(e.finished_ms, 0)
  FROM job j LEFT JOIN job_end e ON e.job = j.id
 WHERE j.id > $1 AND j.id < $2 AND j.parent IS NULL ORDER BY j.id LIMIT $3;

-- name: retire_get
-- The same of job $1.
SELECT j.id, j.project, j.queue, COALESCE(e.finished_ms, 0) FROM job j LEFT JOIN job_end e ON e.job = j.id WHERE j.id = $1;

-- name: retire_children
-- Children of job $1, at most $2.
SELECT id FROM job WHERE parent = $1 ORDER BY id LIMIT $2;

-- name: retire_events
-- The history of job $1 goes.
DELETE FROM job_event WHERE job = $1;

-- name: retire_files
-- The files of job $1 go.
DELETE FROM job_file WHERE job = $1;

-- name: retire_refs
-- What kept the bytes of the files of job $1, in project $2.
DELETE FROM blob_ref WHERE project = $2 AND kind = 'job' AND owner = $1;

-- name: retire_options
-- What job $1 asked for goes.
DELETE FROM job_option WHERE job = $1;

-- name: retire_nodes
-- How the nodes of job $1 stood.
DELETE FROM job_node WHERE job = $1;

-- name: retire_signals
-- Signals of job $1 that nobody waited for.
DELETE FROM job_signal WHERE job = $1;

-- name: retire_memo
-- What the result of job $1 could be found by, in project $2.
DELETE FROM memo WHERE project = $2 AND hash = (SELECT memo FROM job WHERE id = $1) AND job = $1;

-- name: retire_end
-- The end of job $1 goes.
DELETE FROM job_end WHERE job = $1;

-- name: retire_job
-- Job $1 is gone.
DELETE FROM job WHERE id = $1;

-- name: bulk_live
-- Live jobs of project $1 (0: any) with $2 < id, $3 <= id < $4, of step $5, queue $6, pipeline $10 ('': any) and key $11 (0: any); those
-- that wait ($7 = 1), that run ($8 = 1); at most $9.
SELECT t.id, t.project FROM task t JOIN job j ON j.id = t.id
 WHERE ($1 = 0 OR t.project = $1) AND t.id > $2 AND t.id >= $3 AND t.id < $4 AND t.parent IS NULL AND ($5 = '' OR j.step = $5)
   AND ($6 = '' OR j.queue = $6) AND ($11 = 0 OR j.key_id = $11)
   AND ($10 = '' OR j.pipeline = (SELECT p.id FROM pipeline p WHERE p.project = $1 AND p.name = $10 AND p.deleted_ms = 0))
   AND (($7 = 1 AND t.state NOT IN ('leased', 'waiting')) OR ($8 = 1 AND t.state IN ('leased', 'waiting')))
 ORDER BY t.id LIMIT $9;

-- name: bulk_failed
-- Jobs of project $1 that failed, with $2 < id, $3 <= id < $4, of step $5, queue $6, reason $7, pipeline $9 ('': any) and key $10
-- (0: any), at most $8.
SELECT e.job FROM job_end e JOIN job j ON j.id = e.job
 WHERE e.project = $1 AND e.job > $2 AND e.job >= $3 AND e.job < $4 AND e.state = 'failed' AND j.parent IS NULL
   AND ($5 = '' OR j.step = $5) AND ($6 = '' OR j.queue = $6) AND ($7 = '' OR e.reason = $7)
   AND ($9 = '' OR j.pipeline = (SELECT p.id FROM pipeline p WHERE p.project = $1 AND p.name = $9 AND p.deleted_ms = 0)) AND ($10 = 0 OR j.key_id = $10)
 ORDER BY e.job LIMIT $8;

-- name: bulk_canceled
-- Jobs of project $1 that were cancelled; $2 to $10 as in bulk_failed.
SELECT e.job FROM job_end e JOIN job j ON j.id = e.job
 WHERE e.project = $1 AND e.job > $2 AND e.job >= $3 AND e.job < $4 AND e.state = 'canceled' AND j.parent IS NULL
   AND ($5 = '' OR j.step = $5) AND ($6 = '' OR j.queue = $6) AND ($7 = '' OR e.reason = $7)
   AND ($9 = '' OR j.pipeline = (SELECT p.id FROM pipeline p WHERE p.project = $1 AND p.name = $9 AND p.deleted_ms = 0)) AND ($10 = 0 OR j.key_id = $10)
 ORDER BY e.job LIMIT $8;

-- name: bulk_done
-- Jobs of project $1 that are done; $2 to $10 as in bulk_failed.
SELECT e.job FROM job j JOIN job_end e ON e.job = j.id
 WHERE j.project = $1 AND j.id > $2 AND j.id >= $3 AND j.id < $4 AND e.state = 'done' AND j.parent IS NULL
   AND ($5 = '' OR j.step = $5) AND ($6 = '' OR j.queue = $6) AND ($7 = '' OR e.reason = $7)
   AND ($9 = '' OR j.pipeline = (SELECT p.id FROM pipeline p WHERE p.project = $1 AND p.name = $9 AND p.deleted_ms = 0)) AND ($10 = 0 OR j.key_id = $10)
 ORDER BY j.id LIMIT $8;

-- name: bulk_letters
-- Oldest dead letters of project $1 with an id above $2 that died in [$3, $4), of queue $5, step $6, reason $7 ('': any), at most $8.
SELECT id, job FROM dead_letter
 WHERE project = $1 AND id > $2 AND died_ms >= $3 AND died_ms < $4 AND ($5 = '' OR queue = $5) AND ($6 = '' OR step = $6)
   AND ($7 = '' OR reason = $7)
 ORDER BY id LIMIT $8;

-- name: job_has_ended
-- Has job $1 of project $2 ended?
SELECT 1 FROM job_end WHERE job = $1 AND project = $2;

-- name: job_failed_since
-- How many jobs of project $1 with an id of at least $2 failed.
SELECT count(*) FROM job_end WHERE project = $1 AND job >= $2 AND state = 'failed';

-- name: job_failed_lately
-- Newest jobs of project $1 that stand for themselves, have an id of at least $2 and failed, at most $3.
SELECT e.job, j.step, COALESCE(l.name, ''), COALESCE(e.reason, ''), COALESCE(e.detail, ''), e.finished_ms
  FROM job_end e JOIN job j ON j.id = e.job LEFT JOIN pipeline l ON l.id = j.pipeline
 WHERE e.project = $1 AND e.state = 'failed' AND e.job >= $2 AND j.parent IS NULL
 ORDER BY e.job DESC LIMIT $3;

-- name: few_dead
-- How many dead letters project $1 has, counted up to $2.
SELECT count(*) FROM (SELECT 1 FROM dead_letter WHERE project = $1 LIMIT $2) few;
