-- name: feed_add
-- Row $2 of project $1: type $3, job $4 or none, subject $5 or none, data $6 or none.
INSERT INTO feed (project, id, type, job, subject, data) VALUES ($1, $2, $3, $4, $5, $6);

-- name: feed_add_job
-- The same with the pipeline or step of job $4 as the subject.
INSERT INTO feed (project, id, type, job, subject, data) 
SELECT $1, $2, $3, $4, COALESCE((SELECT p.name FROM pipeline p WHERE p.id = j.pipeline), j.step), $5 FROM job j WHERE j.id = $4;

-- name: feed_read
-- Rows of project $1 after $2, oldest first, at most $3. What job.done says is in the job's own rows.
SELECT f.id, f.project, f.type, f.job, f.subject, f.data, COALESCE((SELECT p.name FROM pipeline p WHERE p.id = j.pipeline), j.step),
       e.attempts, e.started_ms, e.finished_ms
  FROM feed f
  LEFT JOIN job j ON j.id = f.job AND f.type = 'job.done'
  LEFT JOIN job_end e ON e.job = f.job AND f.type = 'job.done'
 WHERE f.project = $1 AND f.id > $2 ORDER BY f.id LIMIT $3;

-- name: feed_read_all
-- Rows of all projects after $1, oldest first, at most $2: the first of each project, then the first of these.
SELECT f.id, f.project, f.type, f.job, f.subject, f.data, COALESCE((SELECT p.name FROM pipeline p WHERE p.id = j.pipeline), j.step),
       e.attempts, e.started_ms, e.finished_ms
  FROM project p
  JOIN feed f ON f.project = p.id
             AND f.id IN (SELECT g.id FROM feed g WHERE g.project = p.id AND g.id > $1 ORDER BY g.id LIMIT $2)
  LEFT JOIN job j ON j.id = f.job AND f.type = 'job.done'
  LEFT JOIN job_end e ON e.job = f.job AND f.type = 'job.done'
 ORDER BY f.id LIMIT $2;

-- name: feed_get
-- Row $2 of project $1.
SELECT f.id, f.project, f.type, f.job, f.subject, f.data, COALESCE((SELECT p.name FROM pipeline p WHERE p.id = j.pipeline), j.step),
       e.attempts, e.started_ms, e.finished_ms
  FROM feed f
  LEFT JOIN job j ON j.id = f.job AND f.type = 'job.done'
  LEFT JOIN job_end e ON e.job = f.job AND f.type = 'job.done'
 WHERE f.project = $1 AND f.id = $2;

-- name: feed_last
-- The newest row of project $1.
SELECT id FROM feed WHERE project = $1 ORDER BY id DESC LIMIT 1;

-- name: feed_last_all
-- The newest row of all projects.
SELECT max((SELECT max(g.id) FROM feed g WHERE g.project = p.id)) FROM project p;

-- name: feed_kept_from
-- The id of row number $2 of project $1, counted from the newest (0): those below it are too many.
SELECT id FROM feed WHERE project = $1 ORDER BY id DESC LIMIT 1 OFFSET $2;

-- name: feed_trim
-- Remove the oldest $3 rows of project $1 that are below $2.
DELETE FROM feed WHERE project = $1 AND id IN
    (SELECT g.id FROM feed g WHERE g.project = $1 AND g.id < $2 ORDER BY g.id LIMIT $3);

-- name: feed_oldest
-- The oldest row of project $1.
SELECT id FROM feed WHERE project = $1 ORDER BY id LIMIT 1;
