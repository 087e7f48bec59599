-- Jobs, their tasks, files, events and dead letters.
--
-- A thing is stored once. job is what was asked and is never changed; task is what is alive and holds its state; job_end is
-- how it ended. So a job has exactly one of a task (queued, running) and a job_end (done, failed, canceled), and its
-- state needs no column that could disagree. The wide row (params) is written once, never rewritten.
--
-- The one task of a one-step job carries the job's id: no index from job to task is needed. When a job was made is in its id
-- (base/id.h), so the newest are found by walking job_by_project backwards.

CREATE TABLE job (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    step text NOT NULL,
    queue text NOT NULL,
    params text NOT NULL,
    priority bigint NOT NULL,
    max_attempts bigint NOT NULL,
    timeout_ms bigint NOT NULL,
    key_id bigint NOT NULL,
    trace text,
    concurrency_key text,
    pipeline bigint,
    pipeline_version bigint
);
CREATE INDEX job_by_project ON job (project, id);

-- Live tasks only: ready, delayed (until run_at_ms) or leased (until lease_until_ms, by worker). attempt counts the attempts
-- begun. seq is the number of the job's last event. reason, detail, hint: of the last attempt that failed.
-- node: the step of a pipeline that this task is; NULL for the one task of a one-step job.
CREATE TABLE task (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    job bigint NOT NULL,
    queue text NOT NULL,
    state text NOT NULL,
    priority bigint NOT NULL,
    run_at_ms bigint NOT NULL,
    attempt bigint NOT NULL,
    max_attempts bigint NOT NULL,
    seq bigint NOT NULL,
    started_ms bigint NOT NULL DEFAULT 0,
    lease_until_ms bigint NOT NULL DEFAULT 0,
    progress_done bigint NOT NULL DEFAULT 0,
    progress_total bigint NOT NULL DEFAULT 0,
    worker text,
    reason text,
    detail text,
    hint text,
    concurrency_key text,
    node text
);
-- One small tree per state: a task stands in one of them, and leasing reads the front of the first.
CREATE INDEX task_ready ON task (queue, priority DESC, id) WHERE state = 'ready';
CREATE INDEX task_delayed ON task (queue, run_at_ms) WHERE state = 'delayed';
CREATE INDEX task_leased ON task (lease_until_ms) WHERE state = 'leased';
CREATE INDEX task_of_pipeline ON task (job) WHERE node IS NOT NULL;

-- How a job ended. Taken back (deleted) when the job is retried; the events keep the story.
CREATE TABLE job_end (
    job /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    state text NOT NULL,
    attempts bigint NOT NULL,
    max_attempts bigint NOT NULL,
    seq bigint NOT NULL,
    started_ms bigint NOT NULL,
    finished_ms bigint NOT NULL,
    progress_done bigint NOT NULL,
    progress_total bigint NOT NULL,
    reason text,
    detail text,
    hint text,
    data text
);
-- Most jobs are done: those are found by walking job_by_project. The others have a tree of their own.
CREATE INDEX job_end_failed ON job_end (project, job) WHERE state = 'failed';
CREATE INDEX job_end_canceled ON job_end (project, job) WHERE state = 'canceled';

-- Files of a job, in order. is_output: 0 went in, 1 came out. The bytes are blobs; blob_ref holds them.
CREATE TABLE job_file (
    job bigint NOT NULL,
    is_output bigint NOT NULL,
    place bigint NOT NULL,
    project bigint NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    hash text NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (job, is_output, place)
) /*sqlite WITHOUT ROWID */;

-- History of jobs, numbered per job from 1 without gaps; id rises over all jobs in the order of commits. What the job's own
-- rows say already has no row here (flow/event.c): job.added is always number 1, the first task.started is number 2
-- when nothing else is, task.done and job.done are the last two of a job that is done.
CREATE TABLE job_event (
    job bigint NOT NULL,
    seq bigint NOT NULL,
    id bigint NOT NULL,
    project bigint NOT NULL,
    time_ms bigint NOT NULL,
    type text NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (job, seq)
) /*sqlite WITHOUT ROWID */;

-- Tasks that used up their attempts or cannot succeed, until somebody redrives or deletes them. id: of the task.
CREATE TABLE dead_letter (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    job bigint NOT NULL,
    queue text NOT NULL,
    step text NOT NULL,
    attempts bigint NOT NULL,
    died_ms bigint NOT NULL,
    reason text NOT NULL,
    detail text
);
CREATE INDEX dead_letter_by_project ON dead_letter (project, id);
CREATE INDEX dead_letter_by_queue ON dead_letter (queue);

-- Settings of a queue (project 0: for all projects). Nothing reads them yet: they are the place for pause, limits, fairness.
CREATE TABLE queue_setting (
    project bigint NOT NULL,
    queue text NOT NULL,
    is_paused bigint NOT NULL DEFAULT 0,
    concurrency bigint NOT NULL DEFAULT 0,
    rate bigint NOT NULL DEFAULT 0,
    rate_window_ms bigint NOT NULL DEFAULT 0,
    weight bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (project, queue)
) /*sqlite WITHOUT ROWID */;
