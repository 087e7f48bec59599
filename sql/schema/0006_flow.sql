-- Pipelines: their versions, what their jobs know of each node, signals, memo.
--
-- A running pipeline is a job whose task waits (as a batch's does); its steps are jobs of their own, its children: job.parent is
-- the pipeline's job, job.node the place of the node in the definition, job.place the item (from 0) of a foreach or matrix.

CREATE TABLE pipeline (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,  -- the newest
    built_in bigint NOT NULL, -- 1: comes with platen; kept here once it has run
    created_ms bigint NOT NULL,
    deleted_ms bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX pipeline_by_name ON pipeline (project, name) WHERE deleted_ms = 0;

-- Never changed. definition: JSON; source: as somebody wrote it.
CREATE TABLE pipeline_version (
    pipeline bigint NOT NULL,
    version bigint NOT NULL,
    title text NOT NULL,
    summary text NOT NULL,
    hash text NOT NULL,
    definition text NOT NULL,
    source text NOT NULL,
    key_id bigint NOT NULL,
    created_ms bigint NOT NULL,
    PRIMARY KEY (pipeline, version)
) /*sqlite WITHOUT ROWID */;

ALTER TABLE job ADD COLUMN node bigint;    -- of a child: which node of its pipeline
ALTER TABLE job ADD COLUMN memo text;      -- of a child: what its result can be found by (hex), once it is done
ALTER TABLE job ADD COLUMN reused bigint;  -- of a child: the job whose result it took
ALTER TABLE job ADD COLUMN origin bigint;  -- of a pipeline's job: the one it replays
ALTER TABLE job ADD COLUMN trigger_data text; -- of a pipeline's job: what started it, JSON
ALTER TABLE job ADD COLUMN token text;     -- of a pipeline's job with callbacks: part of their addresses
ALTER TABLE job ADD COLUMN no_memo bigint NOT NULL DEFAULT 0;
CREATE INDEX job_by_pipeline ON job (pipeline, id) WHERE pipeline IS NOT NULL;

-- What somebody wants of a waiting job: 1 paused, 2 cancelled (what is to run at the end runs), 4 its deadline has passed.
ALTER TABLE task ADD COLUMN halt bigint NOT NULL DEFAULT 0;

-- How the nodes of a pipeline's job stand; none: has not begun. begun, ended, failed count children, of `total`.
-- due_ms: when a wait ends by itself; 0: never. data: what a wait gave. Node -1 is the job's delayed start.
CREATE TABLE job_node (
    job bigint NOT NULL,
    node bigint NOT NULL,
    project bigint NOT NULL,
    state text NOT NULL,
    total bigint NOT NULL DEFAULT 0,
    begun bigint NOT NULL DEFAULT 0,
    ended bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    child bigint NOT NULL DEFAULT 0,
    started_ms bigint NOT NULL,
    finished_ms bigint NOT NULL DEFAULT 0,
    due_ms bigint NOT NULL DEFAULT 0,
    reason text,
    detail text,
    data text,
    PRIMARY KEY (job, node)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX job_node_due ON job_node (due_ms) WHERE state = 'waiting' AND due_ms > 0;
CREATE INDEX job_node_waiting ON job_node (project, job) WHERE state = 'waiting';

-- Signals that came before somebody waited for them.
CREATE TABLE job_signal (
    job bigint NOT NULL,
    name text NOT NULL,
    id bigint NOT NULL,
    payload text NOT NULL,
    PRIMARY KEY (job, name, id)
) /*sqlite WITHOUT ROWID */;

-- Results by what made them: hash covers step, its version, parameters and input bytes.
CREATE TABLE memo (
    project bigint NOT NULL,
    hash text NOT NULL,
    job bigint NOT NULL,
    PRIMARY KEY (project, hash)
) /*sqlite WITHOUT ROWID */;
