-- name: task_add
-- A task in state $5 ('ready' or 'delayed'). Attempts begun so far $8, at most $9; $10: number of the job's last event.
INSERT INTO task (id, project, job, queue, state, priority, run_at_ms, attempt, max_attempts, seq, started_ms, concurrency_key,
                  parent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: task_add_flags
-- The same for a task with flags $14, in whatever state.
INSERT INTO task (id, project, job, queue, state, priority, run_at_ms, attempt, max_attempts, seq, started_ms, concurrency_key,
                  parent, flags)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: task_wake
-- Delayed tasks of queue $1 that are due at $2 become ready, at most $3 of them. Gives their projects.
UPDATE task
   SET state = 'ready'
 WHERE state = 'delayed'
   AND id IN (SELECT id FROM task WHERE queue = $1 AND state = 'delayed' AND run_at_ms <= $2
               ORDER BY run_at_ms LIMIT $3 /*pg FOR UPDATE SKIP LOCKED */)
RETURNING project;

-- name: task_lease
-- Lease the first $2 ready tasks of queue $1 and project $6 to worker $3 until $4; $5 is now. The attempt is counted, and its start is an event.
-- Keep the outer "state = 'ready'": after waiting for a row, PostgreSQL tests that line again but not the inner SELECT.
UPDATE task
   SET state = 'leased', worker = $3, lease_until_ms = $4, attempt = attempt + 1, seq = seq + 1,
       started_ms = CASE WHEN started_ms = 0 THEN $5 ELSE started_ms END, progress_done = 0, progress_total = 0
 WHERE state = 'ready'
   AND id IN (SELECT id FROM task WHERE queue = $1 AND project = $6 AND state = 'ready'
               ORDER BY priority DESC, id LIMIT $2 /*pg FOR UPDATE SKIP LOCKED */)
RETURNING id, project, job, priority, attempt, max_attempts, seq, run_at_ms;

-- name: queue_ready_few
-- How many tasks of queue $1 are ready, counted up to $2.
SELECT count(*) FROM (SELECT 1 FROM task WHERE queue = $1 AND state = 'ready' LIMIT $2) few;

-- name: task_lease_all
-- As task_lease, for whatever is ready in queue $1, of all projects; it is known to be no more than $2.
UPDATE task
   SET state = 'leased', worker = $3, lease_until_ms = $4, attempt = attempt + 1, seq = seq + 1,
       started_ms = CASE WHEN started_ms = 0 THEN $5 ELSE started_ms END, progress_done = 0, progress_total = 0
 WHERE state = 'ready'
   AND id IN (SELECT id FROM task WHERE queue = $1 AND state = 'ready' LIMIT $2 /*pg FOR UPDATE SKIP LOCKED */)
RETURNING id, project, job, priority, attempt, max_attempts, seq, run_at_ms;

-- name: task_next_due
-- When the next delayed task of queue $1 is due.
SELECT min(run_at_ms) FROM task WHERE queue = $1 AND state = 'delayed';

-- name: task_of_attempt
-- Task $1 as its attempt $2 holds it. No row: that attempt does not hold it any more.
SELECT project, job, attempt, max_attempts, seq, started_ms, progress_done, progress_total, queue, state,
       COALESCE(parent, 0), flags FROM task
 WHERE id = $1 AND attempt = $2 AND state = 'leased' /*pg FOR UPDATE */;

-- name: task_of_project
-- Task $1 of project $2 in whatever state.
SELECT project, job, attempt, max_attempts, seq, started_ms, progress_done, progress_total, queue, state,
       COALESCE(parent, 0), flags FROM task
 WHERE id = $1 AND project = $2 /*pg FOR UPDATE */;

-- name: task_delete
-- Task $1 has ended. Apart from the SELECT before it: on SQLite RETURNING builds a table for its one row, which costs as much
-- as the rest.
DELETE FROM task WHERE id = $1;

-- name: task_delay
-- Attempt $2 of task $1 failed and another may follow: not before $3, because of $4, $5, $6. No row: not ours, or none is left.
UPDATE task
   SET state = 'delayed', run_at_ms = $3, seq = seq + 1, reason = $4, detail = $5, hint = $6
 WHERE id = $1 AND attempt = $2 AND state = 'leased' AND attempt < max_attempts
RETURNING project, job, seq, max_attempts, queue;

-- name: task_lose
-- The worker of attempt $2 of task $1 is gone: ready again at $3, because of $4, $5, $6. No row: not ours, or no attempt is left.
UPDATE task
   SET state = 'ready', run_at_ms = $3, seq = seq + 1, reason = $4, detail = $5, hint = $6
 WHERE id = $1 AND attempt = $2 AND state = 'leased' AND attempt < max_attempts
RETURNING project, job, seq, max_attempts, queue;

-- name: task_give_back
-- The worker of attempt $2 of task $1 stops: ready again at $3, and the attempt does not count ($4 more may begin).
UPDATE task
   SET state = 'ready', run_at_ms = $3, seq = seq + 1, max_attempts = max_attempts + $4
 WHERE id = $1 AND attempt = $2 AND state = 'leased'
RETURNING project, job, seq, max_attempts, queue;

-- name: task_extend
-- The lease of attempt $2 of task $1 lasts until $3.
UPDATE task SET lease_until_ms = $3 WHERE id = $1 AND attempt = $2 AND state = 'leased';

-- name: task_progress
-- Attempt $2 of task $1 has done $3 of $4.
UPDATE task
   SET progress_done = $3, progress_total = $4, seq = seq + 1
 WHERE id = $1 AND attempt = $2 AND state = 'leased'
RETURNING project, job, seq;

-- name: task_note
-- Attempt $2 of task $1 says something that is worth an event.
UPDATE task SET seq = seq + 1 WHERE id = $1 AND attempt = $2 AND state = 'leased'
RETURNING project, job, seq;

-- name: task_expired
-- Leases that have run out at $1, at most $2.
SELECT id, attempt FROM task WHERE state = 'leased' AND lease_until_ms <= $1 ORDER BY lease_until_ms LIMIT $2;

-- name: task_expired_any
-- Has any lease run out at $1?
SELECT 1 FROM task WHERE state = 'leased' AND lease_until_ms <= $1 LIMIT 1;

-- name: queue_names
-- Every queue that has ready or delayed tasks, by hopping from one name to the next in the index.
WITH RECURSIVE ready (name) AS (
         SELECT min(queue) FROM task WHERE state = 'ready'
         UNION ALL
         SELECT (SELECT min(queue) FROM task WHERE state = 'ready' AND queue > ready.name) FROM ready
          WHERE ready.name IS NOT NULL),
     delayed (name) AS (
         SELECT min(queue) FROM task WHERE state = 'delayed'
         UNION ALL
         SELECT (SELECT min(queue) FROM task WHERE state = 'delayed' AND queue > delayed.name) FROM delayed
          WHERE delayed.name IS NOT NULL)
SELECT name FROM ready WHERE name IS NOT NULL
 UNION
SELECT name FROM delayed WHERE name IS NOT NULL;

-- name: queue_ready
-- Ready tasks per queue, and the first of them by id.
SELECT queue, count(*), min(id) FROM task WHERE state = 'ready' GROUP BY queue;

-- name: queue_delayed
-- Delayed tasks per queue.
SELECT queue, count(*) FROM task WHERE state = 'delayed' GROUP BY queue;

-- name: queue_leased
-- Leased tasks per queue.
SELECT queue, count(*) FROM task WHERE state = 'leased' GROUP BY queue;

-- name: queue_dead
-- Dead letters per queue.
SELECT queue, count(*) FROM dead_letter GROUP BY queue;

-- name: queue_projects
-- Projects that have ready tasks in queue $1, by hopping from one to the next in the index.
WITH RECURSIVE ready (project) AS (
         SELECT min(project) FROM task WHERE queue = $1 AND state = 'ready'
         UNION ALL
         SELECT (SELECT min(project) FROM task WHERE queue = $1 AND state = 'ready' AND project > ready.project) FROM ready
          WHERE ready.project IS NOT NULL)
SELECT project FROM ready WHERE project IS NOT NULL;

-- name: queue_settings
-- Settings of queue $1, for all projects (0) and of those that have some, with the time until which its rate is used up.
SELECT s.project, COALESCE(r.tat_us, 0), s.is_paused, s.is_draining, s.concurrency, s.rate, s.rate_window_ms, s.key_rate,
       s.weight, s.retention_ms, s.runners
  FROM queue_setting s LEFT JOIN queue_rate r ON r.project = s.project AND r.queue = s.queue
 WHERE s.queue = $1;

-- name: queue_settings_all
-- Settings of all queues that project $1 sees: its own, and those for all projects.
SELECT queue, project, is_paused, is_draining, concurrency, rate, rate_window_ms, key_rate, weight, retention_ms, runners
  FROM queue_setting WHERE project = 0 OR project = $1 ORDER BY queue, project;

-- name: queue_settings_get
-- Settings of queue $2 for project $1 (0: for all).
SELECT is_paused, is_draining, concurrency, rate, rate_window_ms, key_rate, weight, retention_ms, runners
  FROM queue_setting WHERE project = $1 AND queue = $2;

-- name: queue_settings_put
-- From now on queue $2 has settings $3 to $11 for project $1 (0: for all).
INSERT INTO queue_setting (project, queue, is_paused, is_draining, concurrency, rate, rate_window_ms, key_rate, weight,
                           retention_ms, runners)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (project, queue) DO UPDATE
   SET is_paused = excluded.is_paused, is_draining = excluded.is_draining, concurrency = excluded.concurrency,
       rate = excluded.rate, rate_window_ms = excluded.rate_window_ms, key_rate = excluded.key_rate, weight = excluded.weight,
       retention_ms = excluded.retention_ms, runners = excluded.runners;

-- name: queue_settings_drop
-- Queue $2 has no settings of its own for project $1 any more.
DELETE FROM queue_setting WHERE project = $1 AND queue = $2;

-- name: queue_rate_put
-- The rate of queue $2 for project $1 is used up until $3.
INSERT INTO queue_rate (project, queue, tat_us) VALUES ($1, $2, $3)
ON CONFLICT (project, queue) DO UPDATE SET tat_us = excluded.tat_us;

-- name: queue_running
-- What runs of queue $1, by project. Reads the leased tasks, which are few; asked only when a limit is set.
SELECT project, count(*) FROM task WHERE state = 'leased' AND lease_until_ms > 0 AND queue = $1 GROUP BY project;

-- name: queue_blocked
-- Blocked tasks per queue.
SELECT queue, count(*) FROM task_blocked GROUP BY queue;

-- name: slot_take
-- One more task of project $1 holds a slot of key $2, unless $3 do.
INSERT INTO key_slot (project, key, held) VALUES ($1, $2, 1)
ON CONFLICT (project, key) DO UPDATE SET held = key_slot.held + 1 WHERE key_slot.held < $3;

-- name: slot_give
-- One task less of project $1 holds a slot of key $2.
UPDATE key_slot SET held = held - 1 WHERE project = $1 AND key = $2 AND held > 0;

-- name: slot_clean
-- Nothing is known of key $2 of project $1 that matters after $3.
DELETE FROM key_slot WHERE project = $1 AND key = $2 AND held = 0 AND tat_us <= $3;

-- name: slot_clean_old
-- Nothing is known of keys that matters after $1.
DELETE FROM key_slot WHERE held = 0 AND tat_us <= $1;

-- name: slot_tat
-- Until when the rate of key $2 of project $1 is used up.
SELECT tat_us FROM key_slot WHERE project = $1 AND key = $2;

-- name: slot_tat_put
-- The rate of key $2 of project $1 is used up until $3.
UPDATE key_slot SET tat_us = $3 WHERE project = $1 AND key = $2;

-- name: slot_next
-- Who is the next for a slot of key $2 of project $1.
SELECT task, slots, waits, queue, rank FROM task_blocked WHERE project = $1 AND key = $2 ORDER BY rank, task LIMIT 1;

-- name: slot_block
-- Task $4 of project $1 and queue $7 waits for a slot of key $2, of which $5 may be held; $3: its rank; $6: it goes on as waiting.
INSERT INTO task_blocked (project, key, rank, task, slots, waits, queue) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (project, key, rank, task) DO NOTHING;

-- name: slot_unblock
-- Task $4 of project $1, of rank $3, waits for no slot of key $2 any more.
DELETE FROM task_blocked WHERE project = $1 AND key = $2 AND rank = $3 AND task = $4;

-- name: slot_grant
-- Task $1 has its slot, and is $2 ('ready', 'delayed' until $3, 'waiting').
UPDATE task SET state = $2, run_at_ms = $3, flags = flags | 1 WHERE id = $1 AND state = 'blocked';

-- name: queue_slots_wrong
-- Keys whose count of slots is not the number of tasks that hold one. For `platen doctor --full`: reads every live task.
SELECT count(*)
  FROM (SELECT project, key
          FROM (SELECT project, key, held AS n FROM key_slot
                 UNION ALL
                SELECT project, concurrency_key, -1 FROM task WHERE (flags & 1) = 1) each_slot
         GROUP BY project, key HAVING sum(n) <> 0) wrong;

-- name: task_keyed
-- What key task $1 asks for, and how.
SELECT t.project, t.queue, t.concurrency_key, t.priority, t.run_at_ms, t.state, COALESCE(o.concurrency_limit, 1)
  FROM task t LEFT JOIN job_option o ON o.job = t.job WHERE t.id = $1;

-- name: timer_add
-- At $1 something of kind $2 is due for task $3.
INSERT INTO task_timer (due_ms, kind, task) VALUES ($1, $2, $3) ON CONFLICT (due_ms, kind, task) DO NOTHING;

-- name: timer_due
-- What is due at $1, at most $2.
SELECT due_ms, kind, task FROM task_timer WHERE due_ms <= $1 ORDER BY due_ms LIMIT $2;

-- name: timer_drop
-- What was due at $1, of kind $2, for task $3, is dealt with.
DELETE FROM task_timer WHERE due_ms = $1 AND kind = $2 AND task = $3;

-- name: timer_next
-- When the next is due.
SELECT min(due_ms) FROM task_timer;

-- name: queue_retention_least
-- The shortest time that some queue keeps ended jobs; NULL: none says.
SELECT min(retention_ms) FROM queue_setting WHERE retention_ms > 0;
