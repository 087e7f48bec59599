-- name: file_made
-- Outputs of jobs of project $1 before number $3 of job $2, newest job first, at most $4.
SELECT f.job, f.place, f.name, f.type, f.hash, f.size_bytes, j.step,
       COALESCE((SELECT p.name FROM pipeline p
                  WHERE p.id = COALESCE(j.pipeline, (SELECT b.pipeline FROM job b WHERE b.id = j.parent))), '')
  FROM job_file f JOIN job j ON j.id = f.job
 WHERE f.project = $1 AND f.is_output = 1 AND (f.job, f.place) < ($2, $3)
 ORDER BY f.job DESC, f.place DESC LIMIT $4;

-- name: file_jobs
-- Jobs of project $1 that took or made blob $2, older than $3, newest first, at most $4: as inputs and outputs, how often.
SELECT j.id, j.step,
       COALESCE((SELECT p.name FROM pipeline p
                  WHERE p.id = COALESCE(j.pipeline, (SELECT b.pipeline FROM job b WHERE b.id = j.parent))), ''),
       (SELECT count(*) FROM job_file f WHERE f.job = j.id AND f.is_output = 0 AND f.hash = $2),
       (SELECT count(*) FROM job_file f WHERE f.job = j.id AND f.is_output = 1 AND f.hash = $2),
       CASE WHEN e.state IS NOT NULL THEN e.state WHEN t.state IN ('leased', 'waiting') THEN 'running' ELSE 'queued' END
  FROM blob_ref r JOIN job j ON j.id = r.owner LEFT JOIN task t ON t.id = j.id LEFT JOIN job_end e ON e.job = j.id
 WHERE r.project = $1 AND r.hash = $2 AND r.kind = 'job' AND r.owner < $3
 ORDER BY r.owner DESC LIMIT $4;

-- name: file_job_files
-- The first $3 inputs ($2 = 0) or outputs ($2 = 1) of job $1.
SELECT name, type, hash, size_bytes, place FROM job_file WHERE job = $1 AND is_output = $2 ORDER BY place LIMIT $3;

-- name: file_documents
-- Documents of project $1 that are blob $2 now (kind 'document') or were (kind 'version'), newest first, at most $4.
SELECT d.id, d.name FROM blob_ref r JOIN document d ON d.id = r.owner
 WHERE r.project = $1 AND r.hash = $2 AND r.kind = $3 AND d.deleted_ms = 0
 ORDER BY r.owner DESC LIMIT $4;
