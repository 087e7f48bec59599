-- Schedules: what is started again and again.
--
-- next_ms is the next time that is not done yet; NULL: paused, or over. It moves on in the transaction that starts the jobs, so
-- a time is done once, whatever the clock or the process does. One of step and pipeline is set. pipeline_of: the pipeline
-- whose definition declares it; NULL: somebody made it. fired and skipped count times.
CREATE TABLE schedule (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    key_id bigint NOT NULL,
    name text NOT NULL,
    cron text NOT NULL,
    zone text NOT NULL,
    step text,
    pipeline text,
    params text NOT NULL,
    queue text,
    priority bigint NOT NULL,
    attempts bigint NOT NULL,
    timeout_ms bigint NOT NULL,
    jitter_ms bigint NOT NULL,
    start_ms bigint NOT NULL,
    end_ms bigint NOT NULL,
    missed text NOT NULL,
    overlap text NOT NULL,
    is_paused bigint NOT NULL,
    pipeline_of text,
    created_ms bigint NOT NULL,
    changed_ms bigint NOT NULL,
    next_ms bigint,
    last_ms bigint NOT NULL DEFAULT 0,
    last_fired_ms bigint NOT NULL DEFAULT 0,
    last_job bigint NOT NULL DEFAULT 0,
    fired bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    last_skip_ms bigint NOT NULL DEFAULT 0,
    skip_reason text
);
CREATE UNIQUE INDEX schedule_by_name ON schedule (project, name);
CREATE INDEX schedule_by_time ON schedule (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX schedule_by_pipeline ON schedule (project, pipeline_of) WHERE pipeline_of IS NOT NULL;
