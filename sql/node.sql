-- name: flow_task_add
-- The task of pipeline job $1 of project $2: it waits for its children. $3: number of the job's last event; begun at $4 (0: not
-- yet); priority $5; child of $6.
INSERT INTO task (id, project, job, queue, state, priority, run_at_ms, attempt, max_attempts, seq, started_ms, parent)
VALUES ($1, $2, $1, 'flow', 'waiting', $5, 0, 0, 1, $3, $4, $6);

-- name: flow_task_get
-- The waiting task of job $1.
SELECT project, seq, started_ms, COALESCE(parent, 0), halt, flags FROM task WHERE id = $1 AND state = 'waiting' /*pg FOR UPDATE */;

-- name: flow_task_set
-- The waiting task of job $1: last event $2, $3 nodes of $4 have ended.
UPDATE task SET seq = $2, progress_done = $3, progress_total = $4 WHERE id = $1;

-- name: flow_task_begin
-- The delayed start of job $1 is over, at $2.
UPDATE task SET started_ms = $2 WHERE id = $1 AND state = 'waiting';

-- name: flow_task_slot
-- The task of pipeline job $1 has a slot of key $2 (state $3 'waiting'; its flag is $4), or waits for one ('blocked').
UPDATE task SET concurrency_key = $2, state = $3, flags = flags | $4 WHERE id = $1 AND state = 'waiting';

-- name: job_parent
-- The job that job $1 is a child of.
SELECT COALESCE(parent, 0) FROM job WHERE id = $1;

-- name: job_pipeline
-- Is job $1 a pipeline's?
SELECT 1 FROM job WHERE id = $1 AND project = $2 AND pipeline IS NOT NULL AND batch = 0;

-- name: flow_halt
-- Job $1 of project $2 is paused (1), cancelled (2) …: $3 is added.
UPDATE task SET halt = halt | $3 WHERE id = $1 AND project = $2 AND state = 'waiting' AND (halt & $3) = 0
RETURNING halt;

-- name: flow_unhalt
-- Job $1 of project $2 is not $3 any more.
UPDATE task SET halt = halt - $3 WHERE id = $1 AND project = $2 AND state = 'waiting' AND (halt & $3) <> 0
RETURNING halt;

-- name: flow_ask
-- What the nodes of pipeline job $1 are made from.
SELECT project, key_id, params, priority, trace, pipeline, pipeline_version, no_memo, trigger_data, token, timeout_ms,
       COALESCE(parent, 0), concurrency_key
  FROM job WHERE id = $1 AND pipeline IS NOT NULL AND batch = 0;

-- name: flow_child_get
-- Child $1: which node, item and result key it has; whether its parent is a batch (no node).
SELECT COALESCE(node, -1), COALESCE(place, 0), memo FROM job WHERE id = $1;

-- name: flow_child_value
-- How child $1 ended.
SELECT e.state, e.data, e.reason, e.detail FROM job_end e WHERE e.job = $1;

-- name: flow_children
-- Children of node $2 of job $1, in the order of their items.
SELECT j.id, COALESCE(j.place, 0), e.state, e.data, e.reason, e.detail
  FROM job j LEFT JOIN job_end e ON e.job = j.id
 WHERE j.parent = $1 AND j.node = $2
 ORDER BY j.place, j.id;

-- name: flow_children_live
-- Children of job $1 that are alive.
SELECT id, state FROM task WHERE parent = $1;

-- name: flow_children_failed
-- Children of job $1 that can run again: cancelled, or failed after an attempt; those of nodes that have no row are history.
SELECT j.id FROM job j JOIN job_end e ON e.job = j.id JOIN job_node n ON n.job = j.parent AND n.node = j.node
 WHERE j.parent = $1 AND (e.state = 'canceled' OR (e.state = 'failed' AND e.attempts > 0)) ORDER BY j.id;

-- name: node_all
-- Nodes of job $1 that have begun.
SELECT node, state, total, begun, ended, failed, child, started_ms, finished_ms, due_ms, reason, detail
  FROM job_node WHERE job = $1 AND node >= 0;

-- name: node_children
-- The only children of nodes of job $1: when they began, attempts, how far they are.
SELECT n.node, COALESCE(e.started_ms, t.started_ms, 0), COALESCE(e.attempts, t.attempt, 0),
       COALESCE(e.progress_done, t.progress_done, 0), COALESCE(e.progress_total, t.progress_total, 0)
  FROM job_node n LEFT JOIN task t ON t.id = n.child LEFT JOIN job_end e ON e.job = n.child
 WHERE n.job = $1 AND n.child > 0;

-- name: node_data
-- What the wait that is node $2 of job $1 gave.
SELECT data FROM job_node WHERE job = $1 AND node = $2;

-- name: node_add
-- Node $2 of job $1 begins, or has ended at once.
INSERT INTO job_node (job, node, project, state, total, begun, ended, failed, child, started_ms, finished_ms, due_ms, reason,
                      detail, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: node_set
-- How node $2 of job $1 stands now.
UPDATE job_node SET state = $3, total = $4, begun = $5, ended = $6, failed = $7, child = $8, finished_ms = $9, reason = $10,
                    detail = $11, due_ms = 0
 WHERE job = $1 AND node = $2;

-- name: node_set_data
-- The wait that is node $2 of job $1 gave $3.
UPDATE job_node SET data = $3 WHERE job = $1 AND node = $2;

-- name: node_remove
-- Node $2 of job $1 has not begun after all.
DELETE FROM job_node WHERE job = $1 AND node = $2;

-- name: node_reset
-- What a failure in job $1 had held up is open again: nodes that were omitted or never had a child, and those from place $2 on,
-- which run at the end.
DELETE FROM job_node
 WHERE job = $1 AND (node >= $2 OR state = 'omitted' OR (state IN ('failed', 'canceled') AND begun = 0)
                     OR (state = 'failed' AND total = 1
                         AND EXISTS (SELECT 1 FROM job_end e WHERE e.job = job_node.child AND e.attempts = 0)));

-- name: node_cancel
-- Job $1 has ended: nothing of it waits or runs any more.
UPDATE job_node SET state = 'canceled', due_ms = 0 WHERE job = $1 AND state IN ('waiting', 'running');

-- name: node_start_add
-- Job $1 of project $2 is to begin at $3; said at $4.
INSERT INTO job_node (job, node, project, state, started_ms, due_ms) VALUES ($1, -1, $2, 'waiting', $4, $3);

-- name: node_due
-- Waits whose time has come at $1, oldest first, at most $2.
SELECT job, node FROM job_node WHERE state = 'waiting' AND due_ms > 0 AND due_ms <= $1 ORDER BY due_ms LIMIT $2;

-- name: node_next_due
-- When the next wait ends by itself.
SELECT min(due_ms) FROM job_node WHERE state = 'waiting' AND due_ms > 0;

-- name: node_waiting
-- Waits of project $1 of jobs with an id above $2, at most $3.
SELECT job, node, started_ms, due_ms FROM job_node
 WHERE project = $1 AND state = 'waiting' AND job > $2 AND node >= 0 ORDER BY job LIMIT $3;

-- name: node_items
-- Children of node $5 of job $1 with an id above $2 in state $3 ('': any), in their order, at most $4.
SELECT j.id
  FROM job j LEFT JOIN task t ON t.id = j.id LEFT JOIN job_end e ON e.job = j.id
 WHERE j.parent = $1 AND j.id > $2 AND j.node = $5
   AND ($3 = '' OR $3 = CASE WHEN e.state IS NOT NULL THEN e.state WHEN t.state IN ('leased', 'waiting') THEN 'running' ELSE 'queued' END)
 ORDER BY j.id LIMIT $4;

-- name: node_usage
-- What the children of job $1 of project $2 have used, by node and unit.
SELECT j.node, u.unit, CAST(sum(u.amount) AS bigint)
  FROM job j JOIN usage_event u ON u.project = $2 AND u.task = j.id
 WHERE j.parent = $1 AND j.node IS NOT NULL
 GROUP BY j.node, u.unit ORDER BY j.node, u.unit;

-- name: signal_add
-- Job $1 was sent signal $2; payload $4.
INSERT INTO job_signal (job, name, id, payload) VALUES ($1, $2, $3, $4);

-- name: signal_first
-- The oldest signal $2 of job $1.
SELECT id, payload FROM job_signal WHERE job = $1 AND name = $2 ORDER BY id LIMIT 1;

-- name: signal_count
-- Signals of job $1 that nobody has waited for yet.
SELECT count(*) FROM job_signal WHERE job = $1;

-- name: signal_delete
-- Signal $3 (name $2) of job $1 was taken.
DELETE FROM job_signal WHERE job = $1 AND name = $2 AND id = $3;

-- name: signal_delete_all
-- Job $1 has ended.
DELETE FROM job_signal WHERE job = $1;

-- name: memo_get
-- The job whose result is known by $2 in project $1, when it still is there and done.
SELECT m.job FROM memo m JOIN job_end e ON e.job = m.job WHERE m.project = $1 AND m.hash = $2 AND e.state = 'done';

-- name: memo_put
-- From now on $2 is the result of job $3 in project $1.
INSERT INTO memo (project, hash, job) VALUES ($1, $2, $3) ON CONFLICT (project, hash) DO UPDATE SET job = excluded.job;

-- name: flow_blob
-- Size of blob $2 when project $1 may see it.
SELECT size_bytes FROM blob WHERE project = $1 AND hash = $2;

-- name: flow_document
-- Document $2 of project $1 as a file.
SELECT name, type, hash, size_bytes FROM document WHERE id = $2 AND project = $1 AND deleted_ms = 0;

-- name: flow_child_copy
-- Job $1 is asked what job $2 was asked: node $3 (item $4) of pipeline job $5, in its place.
INSERT INTO job (id, project, key_id, step, queue, params, priority, max_attempts, timeout_ms, trace, parent, node, place, memo,
                 reused, pipeline, pipeline_version)
SELECT $1, project, key_id, step, queue, params, priority, max_attempts, timeout_ms, trace, $5, $3, $4, memo, $2, pipeline,
       pipeline_version
  FROM job WHERE id = $2;

-- name: flow_end_copy
-- Job $1 ends as job $2 has.
INSERT INTO job_end (job, project, state, attempts, max_attempts, seq, started_ms, finished_ms, progress_done, progress_total,
                     data)
SELECT $1, project, 'done', 0, max_attempts, 3, $3, $3, progress_done, progress_total, data FROM job_end WHERE job = $2;

-- name: flow_files_copy
-- The outputs of job $2 are those of job $1 too.
INSERT INTO job_file (job, is_output, place, project, name, type, hash, size_bytes)
SELECT $1, is_output, place, project, name, type, hash, size_bytes FROM job_file WHERE job = $2 AND is_output = 1;

-- name: flow_refs_copy
-- Job $1 holds what the outputs of job $2 hold.
INSERT INTO blob_ref (project, hash, kind, owner)
SELECT DISTINCT project, hash, 'job', CAST($1 AS bigint) FROM job_file WHERE job = $2 AND is_output = 1
ON CONFLICT (project, hash, kind, owner) DO NOTHING;

-- name: job_pipeline_add
-- Job $1: version $9 of pipeline $8.
INSERT INTO job (id, project, key_id, step, queue, params, priority, max_attempts, timeout_ms, trace, pipeline, pipeline_version,
                 no_memo, trigger_data, token, origin, parent, node, place, concurrency_key)
VALUES ($1, $2, $3, 'flow.run', 'flow', $4, $5, 1, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: job_reused
-- The job whose result job $1 took.
SELECT COALESCE(reused, 0) FROM job WHERE id = $1;

-- name: job_pipeline_of
-- Pipeline and version of job $1 of project $2; whether it has ended.
SELECT CASE WHEN j.batch = 1 THEN 0 ELSE COALESCE(j.pipeline, 0) END, COALESCE(j.pipeline_version, 0),
       CASE WHEN e.job IS NULL THEN 0 ELSE 1 END
  FROM job j LEFT JOIN job_end e ON e.job = j.id
 WHERE j.id = $1 AND j.project = $2;

-- name: task_pause
-- The task of job $1 of project $2 leaves its queue; it has not begun.
UPDATE task SET state = 'paused' WHERE id = $1 AND project = $2 AND state IN ('ready', 'delayed')
RETURNING queue, run_at_ms;

-- name: task_resume
-- The task of job $1 of project $2 is back in its queue at $3.
UPDATE task SET state = CASE WHEN run_at_ms > $3 THEN 'delayed' ELSE 'ready' END
 WHERE id = $1 AND project = $2 AND state = 'paused'
RETURNING queue, run_at_ms;

-- name: task_count_event
-- Job $1 has one event more.
UPDATE task SET seq = seq + 1 WHERE id = $1 RETURNING seq;
