-- name: batch_task_add
-- The task of batch $1, of project $2, which waits for $3 items of $4 ($7 have ended); $5: number of the job's last event; begun at $6.
INSERT INTO task (id, project, job, queue, state, priority, run_at_ms, attempt, max_attempts, seq, started_ms, pending,
                  progress_done, progress_total)
VALUES ($1, $2, $1, 'batch', 'waiting', 0, 0, 0, 1, $5, $6, $3, $7, $4);

-- name: batch_item_ended
-- One item of batch $1 has ended. No row: the batch has ended before (it was cancelled).
UPDATE task SET pending = pending - 1, progress_done = progress_done + 1, seq = seq + 1
 WHERE id = $1 AND state = 'waiting'
RETURNING project, job, seq, pending, started_ms, progress_done, progress_total, flags, halt;

-- name: batch_item_again
-- One item of batch $1 is to run again. No row: the batch has ended.
UPDATE task SET pending = pending + 1, progress_done = progress_done - 1, seq = seq + 1
 WHERE id = $1 AND state = 'waiting'
RETURNING project, job, seq;

-- name: batch_grow
-- Batch $1 has $2 items more.
UPDATE task SET pending = pending + $2, progress_total = progress_total + $2 WHERE id = $1 AND state = 'waiting';

-- name: batch_task_delete
-- Batch $1 has no items left to wait for.
DELETE FROM task WHERE id = $1 AND state = 'waiting';

-- name: batch_ask
-- What an item of batch $1 is made from.
SELECT j.project, j.key_id, j.step, j.queue, j.params, j.priority, j.max_attempts, j.timeout_ms, j.trace, j.concurrency_key,
       COALESCE(o.concurrency_limit, 0), COALESCE(o.retry_ms, 0), COALESCE(j.pipeline, 0), COALESCE(j.pipeline_version, 0),
       j.no_memo
  FROM job j LEFT JOIN job_option o ON o.job = j.id WHERE j.id = $1;

-- name: batch_last_place
-- The highest place among the items of batch $1.
SELECT max(place) FROM job WHERE parent = $1;

-- name: batch_counts
-- How the items of batch $1 stand: state and number.
SELECT CASE WHEN e.state IS NOT NULL THEN e.state WHEN t.state IN ('leased', 'waiting') THEN 'running' ELSE 'queued' END, count(*)
  FROM job j LEFT JOIN task t ON t.id = j.id LEFT JOIN job_end e ON e.job = j.id
 WHERE j.parent = $1
 GROUP BY 1;

-- name: batch_live
-- Items of batch $1 that have not ended.
SELECT id FROM task WHERE parent = $1;

-- name: batch_unfinished
-- Items of batch $1 that failed or were cancelled.
SELECT j.id FROM job j JOIN job_end e ON e.job = j.id WHERE j.parent = $1 AND e.state <> 'done' ORDER BY j.id;

-- name: batch_unpacked
-- Job $1 is an item of batch $2 and did something else than the batch's step: it unpacked an archive.
SELECT 1 FROM job i JOIN job b ON b.id = i.parent WHERE i.id = $1 AND b.id = $2 AND i.step <> b.step;

-- name: batch_items
-- Items of batch $1 with an id above $2 in state $3 ('': any), in their order, at most $4.
SELECT j.id
  FROM job j LEFT JOIN task t ON t.id = j.id LEFT JOIN job_end e ON e.job = j.id
 WHERE j.parent = $1 AND j.id > $2
   AND ($3 = ''
        OR $3 = CASE WHEN e.state IS NOT NULL THEN e.state WHEN t.state IN ('leased', 'waiting') THEN 'running' ELSE 'queued' END)
 ORDER BY j.id LIMIT $4;

-- name: batch_outputs
-- What the items of batch $1 gave: in the order of the items, at most $2.
SELECT f.name, f.type, f.hash, f.size_bytes
  FROM job j JOIN job_file f ON f.job = j.id AND f.is_output = 1
 WHERE j.parent = $1 AND j.step = (SELECT step FROM job WHERE id = $1)
 ORDER BY j.place, f.place LIMIT $2;

-- name: batch_pipeline
-- Batch $1 does version $3 of pipeline $2; $4: it reuses no results.
UPDATE job SET pipeline = $2, pipeline_version = $3, no_memo = $4 WHERE id = $1;

-- name: batch_hold
-- Item $1 is a pipeline's job that is to begin later: nothing of it runs.
UPDATE task SET state = 'held', started_ms = 0 WHERE id = $1 AND state = 'waiting';

-- name: batch_held
-- The next items of batch $1 that are to begin, at most $2.
SELECT id FROM task WHERE parent = $1 AND state = 'held' ORDER BY id LIMIT $2;

-- name: batch_unhold
-- Item $1 begins at $2.
UPDATE task SET state = 'waiting', started_ms = $2 WHERE id = $1 AND state = 'held';

-- name: batch_under_way
-- How many items of batch $1 have begun and not ended.
SELECT count(*) FROM task WHERE parent = $1 AND state <> 'held';

-- name: batch_item_began
-- Item $1 has ended: 1 when it had begun before, and is a pipeline's job.
SELECT CASE WHEN e.started_ms > 0 AND j.pipeline IS NOT NULL THEN 1 ELSE 0 END
  FROM job j JOIN job_end e ON e.job = j.id WHERE j.id = $1;

-- name: batch_results
-- What the items of batch $1 gave, in their order: item, the name of its first file, then a file or nothing.
SELECT j.id, COALESCE(i.name, ''), COALESCE(f.name, ''), COALESCE(f.type, ''), COALESCE(f.hash, ''),
       COALESCE(f.size_bytes, 0)
  FROM job j JOIN job_end e ON e.job = j.id AND e.state = 'done'
  LEFT JOIN job_file i ON i.job = j.id AND i.is_output = 0 AND i.place = 0
  LEFT JOIN job_file f ON f.job = j.id AND f.is_output = 1
 WHERE j.parent = $1 AND j.step = (SELECT step FROM job WHERE id = $1)
 ORDER BY j.place, j.id, f.place;

-- name: batch_room
-- How many pipelines of batch $1 run at once: 0 when it has none, has ended or is paused.
SELECT o.concurrency_limit FROM task t JOIN job j ON j.id = t.id JOIN job_option o ON o.job = t.id
 WHERE t.id = $1 AND t.state = 'waiting' AND t.halt = 0 AND j.batch = 1 AND j.pipeline IS NOT NULL;

-- name: batch_item_timeout
-- How long item $1 may take; 0: it says nothing.
SELECT timeout_ms FROM job WHERE id = $1;
