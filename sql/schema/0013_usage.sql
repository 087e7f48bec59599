-- What was used, summed up: by hour and by day (UTC), step, pipeline, key and unit.
--
-- Written with each row of usage_event, in its transaction, so the sums of both are the same. A year reads in milliseconds:
-- whole days from the rows of a day (span_ms 86400000), what is left of others, and days of other time zones, from those of an
-- hour (3600000). step: '' of jobs that were gone when this table was made. pipeline: the one the job is a step of, or ''.
CREATE TABLE usage_total (
    project bigint NOT NULL,
    span_ms bigint NOT NULL,
    start_ms bigint NOT NULL,
    unit text NOT NULL,
    step text NOT NULL,
    pipeline text NOT NULL,
    key_id bigint NOT NULL,
    amount bigint NOT NULL,
    facts bigint NOT NULL,
    PRIMARY KEY (project, span_ms, start_ms, unit, step, pipeline, key_id)
) /*sqlite WITHOUT ROWID */;

INSERT INTO usage_total (project, span_ms, start_ms, unit, step, pipeline, key_id, amount, facts)
SELECT u.project, s.span_ms, u.created_ms - u.created_ms % s.span_ms, u.unit, COALESCE(j.step, ''), COALESCE(l.name, ''),
       COALESCE(j.key_id, 0), sum(u.amount), count(*)
  FROM usage_event u CROSS JOIN (SELECT 3600000 AS span_ms UNION ALL SELECT 86400000) s
       LEFT JOIN job j ON j.id = u.job LEFT JOIN job p ON p.id = j.parent
       LEFT JOIN pipeline l ON l.id = COALESCE(j.pipeline, p.pipeline)
 GROUP BY 1, 2, 3, 4, 5, 6, 7;
