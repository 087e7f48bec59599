-- name: schedule_put
-- Make schedule $4 of project $2, or change it; its history stays.
INSERT INTO schedule (id, project, key_id, name, cron, zone, step, pipeline, params, queue, priority, attempts, timeout_ms,
                      jitter_ms, start_ms, end_ms, missed, overlap, is_paused, pipeline_of, created_ms, changed_ms, next_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $21, $22)
ON CONFLICT (project, name) DO UPDATE
   SET key_id = excluded.key_id, cron = excluded.cron, zone = excluded.zone, step = excluded.step, pipeline = excluded.pipeline,
       params = excluded.params, queue = excluded.queue, priority = excluded.priority, attempts = excluded.attempts,
       timeout_ms = excluded.timeout_ms, jitter_ms = excluded.jitter_ms, start_ms = excluded.start_ms,
       end_ms = excluded.end_ms, missed = excluded.missed, overlap = excluded.overlap, is_paused = excluded.is_paused,
       pipeline_of = excluded.pipeline_of, changed_ms = excluded.changed_ms, next_ms = excluded.next_ms;

-- name: schedule_get
-- Schedule $2 of project $1.
SELECT id, project, key_id, name, cron, zone, step, pipeline, params, queue, priority, attempts, timeout_ms, jitter_ms, start_ms,
       end_ms, missed, overlap, is_paused, pipeline_of, created_ms, changed_ms, COALESCE(next_ms, 0), last_ms, last_fired_ms,
       last_job, fired, skipped, last_skip_ms, skip_reason
  FROM schedule WHERE project = $1 AND name = $2;

-- name: schedule_list
-- Schedules of project $1 by name, at most $2.
SELECT id, project, key_id, name, cron, zone, step, pipeline, params, queue, priority, attempts, timeout_ms, jitter_ms, start_ms,
       end_ms, missed, overlap, is_paused, pipeline_of, created_ms, changed_ms, COALESCE(next_ms, 0), last_ms, last_fired_ms,
       last_job, fired, skipped, last_skip_ms, skip_reason
  FROM schedule WHERE project = $1 ORDER BY name LIMIT $2;

-- name: schedule_of_pipeline
-- Schedules that pipeline $2 of project $1 declares.
SELECT id, project, key_id, name, cron, zone, step, pipeline, params, queue, priority, attempts, timeout_ms, jitter_ms, start_ms,
       end_ms, missed, overlap, is_paused, pipeline_of, created_ms, changed_ms, COALESCE(next_ms, 0), last_ms, last_fired_ms,
       last_job, fired, skipped, last_skip_ms, skip_reason
  FROM schedule WHERE project = $1 AND pipeline_of = $2 ORDER BY name;

-- name: schedule_due
-- Schedules of all projects whose time has come at $1, earliest first, at most $2.
SELECT id, project, key_id, name, cron, zone, step, pipeline, params, queue, priority, attempts, timeout_ms, jitter_ms, start_ms,
       end_ms, missed, overlap, is_paused, pipeline_of, created_ms, changed_ms, COALESCE(next_ms, 0), last_ms, last_fired_ms,
       last_job, fired, skipped, last_skip_ms, skip_reason
  FROM schedule WHERE next_ms <= $1 ORDER BY next_ms LIMIT $2;

-- name: schedule_next
-- When the next one is due.
SELECT next_ms FROM schedule WHERE next_ms IS NOT NULL ORDER BY next_ms LIMIT 1;

-- name: schedule_count
-- How many schedules project $1 has.
SELECT count(*) FROM schedule WHERE project = $1;

-- name: schedule_fired
-- Times of schedule $1 are done: the last one was $2, the next is $3. $4 of them started jobs, the last one at $5 job $6; $7
-- did not, the last one at $8 because of $9.
UPDATE schedule
   SET last_ms = $2, next_ms = $3, fired = fired + $4,
       last_fired_ms = CASE WHEN $4 > 0 THEN $5 ELSE last_fired_ms END,
       last_job = CASE WHEN $4 > 0 THEN $6 ELSE last_job END,
       skipped = skipped + $7,
       last_skip_ms = CASE WHEN $7 > 0 THEN $8 ELSE last_skip_ms END,
       skip_reason = CASE WHEN $7 > 0 THEN $9 ELSE skip_reason END
 WHERE id = $1;

-- name: schedule_pause
-- Schedule $2 of project $1 is paused ($3 = 1) or goes on with $4, from $5 on.
UPDATE schedule SET is_paused = $3, next_ms = $4, changed_ms = $5 WHERE project = $1 AND name = $2;

-- name: schedule_delete
-- Schedule $2 of project $1 is no more.
DELETE FROM schedule WHERE project = $1 AND name = $2;

-- name: schedule_job_lives
-- Has job $1 not ended?
SELECT 1 FROM task WHERE id = $1;
