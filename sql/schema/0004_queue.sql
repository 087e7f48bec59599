-- Queues, completed: fairness, settings, concurrency keys, unique jobs, time-outs, retention.
--
-- What a task without such wishes pays for all of it: nothing but a byte (flags 0) in its row. Everything else stands in
-- tables of its own, and flags says whether there is something to look for.

-- The project is chosen first, then what comes first in it.
DROP INDEX task_ready;
CREATE INDEX task_ready ON task (queue, project, priority DESC, id) WHERE state = 'ready';

-- 1: holds a slot of its concurrency key. 2: its job's unique key is taken. 4: its job has a row in job_option.
ALTER TABLE task ADD COLUMN flags bigint NOT NULL DEFAULT 0;

-- What few jobs ask for. start_by_ms, deadline_ms: when it must have started, ended. concurrency_limit: how many of its key.
CREATE TABLE job_option (
    job /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    concurrency_limit bigint NOT NULL,
    start_by_ms bigint NOT NULL,
    deadline_ms bigint NOT NULL,
    retry_ms bigint NOT NULL,
    unique_key text
);

-- Who waits for time: kind 1: a task with a concurrency key is due, 2: must have started, 3: must have ended, 4: an ended job is old
-- enough to go. A row whose task has gone means nothing and is dropped when its time comes.
CREATE TABLE task_timer (
    due_ms bigint NOT NULL,
    kind bigint NOT NULL,
    task bigint NOT NULL,
    PRIMARY KEY (due_ms, kind, task)
) /*sqlite WITHOUT ROWID */;

-- Slots of concurrency keys in use, and the time until which the key's rate is used up (GCRA), in microseconds.
CREATE TABLE key_slot (
    project bigint NOT NULL,
    key text NOT NULL,
    held bigint NOT NULL,
    tat_us bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (project, key)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX key_slot_unused ON key_slot (tat_us) WHERE held = 0;

-- Tasks in state 'blocked', in the order in which they get a slot. rank: the priority, negative; slots: how many may be held;
-- waits: 1 for the task of a job of many, which goes on in state 'waiting'.
CREATE TABLE task_blocked (
    project bigint NOT NULL,
    key text NOT NULL,
    rank bigint NOT NULL,
    task bigint NOT NULL,
    slots bigint NOT NULL,
    waits bigint NOT NULL,
    queue text NOT NULL,
    PRIMARY KEY (project, key, rank, task)
) /*sqlite WITHOUT ROWID */;

-- Unique keys of live jobs.
CREATE TABLE unique_key (
    project bigint NOT NULL,
    key text NOT NULL,
    job bigint NOT NULL,
    PRIMARY KEY (project, key)
) /*sqlite WITHOUT ROWID */;

-- retention_ms: 0: as for all projects, or as the server says; -1: ended jobs are kept. key_rate: starts per concurrency key in
-- rate_window_ms. runners: tasks at once in this process.
ALTER TABLE queue_setting ADD COLUMN is_draining bigint NOT NULL DEFAULT 0;
ALTER TABLE queue_setting ADD COLUMN key_rate bigint NOT NULL DEFAULT 0;
ALTER TABLE queue_setting ADD COLUMN retention_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE queue_setting ADD COLUMN runners bigint NOT NULL DEFAULT 0;

-- Until when the rate of a queue is used up, in microseconds. Apart from the settings: those are written by people.
CREATE TABLE queue_rate (
    project bigint NOT NULL,
    queue text NOT NULL,
    tat_us bigint NOT NULL,
    PRIMARY KEY (project, queue)
) /*sqlite WITHOUT ROWID */;
