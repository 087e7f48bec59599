-- name: trigger_put
-- Trigger $4 of pipeline $3 in project $2. One that is there stays paused, keeps its address, its secret and its place in the feed.
INSERT INTO trigger (id, project, pipeline, name, kind, spec, token, secret, key_id, is_paused, feed_id, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (project, pipeline, name) DO UPDATE
   SET kind = excluded.kind, spec = excluded.spec, key_id = excluded.key_id, fault = '';

-- name: trigger_of_pipeline
-- Triggers of pipeline $2 in project $1.
SELECT id, project, pipeline, name, kind, spec, token, secret, key_id, is_paused, feed_id, fired, last_ms, last_job, fault, created_ms
  FROM trigger WHERE project = $1 AND pipeline = $2 ORDER BY name;

-- name: trigger_list
-- Triggers of project $1.
SELECT id, project, pipeline, name, kind, spec, token, secret, key_id, is_paused, feed_id, fired, last_ms, last_job, fault, created_ms
  FROM trigger WHERE project = $1 ORDER BY pipeline, name;

-- name: trigger_by_id
-- Trigger $1.
SELECT id, project, pipeline, name, kind, spec, token, secret, key_id, is_paused, feed_id, fired, last_ms, last_job, fault, created_ms
  FROM trigger WHERE id = $1;

-- name: trigger_by_token
-- The webhook behind address $1.
SELECT id, project, pipeline, name, kind, spec, token, secret, key_id, is_paused, feed_id, fired, last_ms, last_job, fault, created_ms
  FROM trigger WHERE token = $1 AND token <> '';

-- name: trigger_at_work
-- Triggers of kind $1 that are not paused.
SELECT id, project, pipeline, name, kind, spec, token, secret, key_id, is_paused, feed_id, fired, last_ms, last_job, fault, created_ms
  FROM trigger WHERE kind = $1 AND is_paused = 0;

-- name: trigger_delete
-- Trigger $1 is gone.
DELETE FROM trigger WHERE id = $1;

-- name: trigger_pause
-- Trigger $1: paused $2, from row $3 of the feed on.
UPDATE trigger SET is_paused = $2, feed_id = $3, fault = '' WHERE id = $1;

-- name: trigger_fired
-- Trigger $1 started job $2 (0: none) at $3; row $4 of the feed is done, $5 says why there is no job.
UPDATE trigger
   SET fired = fired + CASE WHEN $2 <> 0 THEN 1 ELSE 0 END, last_ms = $3,
       last_job = CASE WHEN $2 <> 0 THEN $2 ELSE last_job END, feed_id = $4, fault = $5
 WHERE id = $1;

-- name: trigger_file_get
-- What was taken of path $2 by trigger $1.
SELECT size_bytes, changed_ns, hash, job FROM trigger_file WHERE trigger_id = $1 AND path = $2;

-- name: trigger_file_put
-- Trigger $1 has taken path $2 as job $6.
INSERT INTO trigger_file (trigger_id, path, size_bytes, changed_ns, hash, job, taken_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (trigger_id, path) DO UPDATE
   SET size_bytes = excluded.size_bytes, changed_ns = excluded.changed_ns, hash = excluded.hash, job = excluded.job,
       taken_ms = excluded.taken_ms;

-- name: trigger_file_forget
-- Files of trigger $1, which is gone.
DELETE FROM trigger_file WHERE trigger_id = $1;

-- name: trigger_pipeline_of
-- Name of the pipeline that job $1 runs.
SELECT p.name FROM job j JOIN pipeline p ON p.id = j.pipeline WHERE j.id = $1;

-- name: trigger_advance
-- Trigger $1 has nothing to do before row $2 of the feed.
UPDATE trigger SET feed_id = $2 WHERE id = $1 AND feed_id < $2;
