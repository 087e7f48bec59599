-- name: usage_add
-- Attempt $3 of task $2 of job $5 of project $1 used $6 of unit $4; recorded at $7, and once however often it is told.
INSERT INTO usage_event (project, task, attempt, unit, job, amount, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (project, task, attempt, unit) DO NOTHING;

-- name: usage_count
-- That job $1 used $3 of unit $2 at $4 counts in the sums of that hour, or day: $5 is how long it is.
INSERT INTO usage_total (project, span_ms, start_ms, unit, step, pipeline, key_id, amount, facts)
SELECT j.project, CAST($5 AS bigint), CAST($4 AS bigint) - CAST($4 AS bigint) % CAST($5 AS bigint), CAST($2 AS text), j.step,
       COALESCE(l.name, ''), j.key_id, CAST($3 AS bigint), 1
  FROM job j LEFT JOIN job p ON p.id = j.parent LEFT JOIN pipeline l ON l.id = COALESCE(j.pipeline, p.pipeline)
 WHERE j.id = $1
ON CONFLICT (project, span_ms, start_ms, unit, step, pipeline, key_id) DO UPDATE
   SET amount = usage_total.amount + excluded.amount, facts = usage_total.facts + 1;

-- name: usage_sum
-- What project $1 used from the hour $2 until before $3, by unit.
SELECT unit, CAST(sum(amount) AS bigint), CAST(sum(facts) AS bigint) FROM usage_total
 WHERE project = $1 AND span_ms = 3600000 AND start_ms >= $2 AND start_ms < $3
 GROUP BY unit ORDER BY unit;

-- name: usage_rows
-- What project $1 used in spans of $2 that begin from $3 until before $4; only step $5, pipeline $6, unit $8 ('': any), key $7 (0: any).
SELECT start_ms, unit, step, pipeline, key_id, amount, facts FROM usage_total
 WHERE project = $1 AND span_ms = $2 AND start_ms >= $3 AND start_ms < $4 AND ($5 = '' OR step = $5)
   AND ($6 = '' OR pipeline = $6) AND ($7 = 0 OR key_id = $7) AND ($8 = '' OR unit = $8)
 ORDER BY start_ms, unit;

-- name: usage_key_name
-- What key $2 of project $1 is called.
SELECT name FROM api_key WHERE id = $2 AND project = $1;
