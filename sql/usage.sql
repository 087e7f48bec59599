-- name: usage_add
-- In project $1 attempt $3 of task $2 of job $5 used $6 of unit $4; recorded at $7, and once however often it is told.
INSERT INTO usage_event (project, task, attempt, unit, job, amount, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (project, task, attempt, unit) DO NOTHING;

-- name: usage_sum
-- What project $1 used from $2 until before $3, by unit.
SELECT unit, sum(amount), count(*) FROM usage_event
 WHERE project = $1 AND created_ms >= $2 AND created_ms < $3
 GROUP BY unit ORDER BY unit;
