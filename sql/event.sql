-- name: event_add
-- Event $2 of job $1, number $3 over all.
INSERT INTO job_event (job, seq, id, project, time_ms, type, data) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: event_list
-- Stored events of job $1 from number $2 to $3.
SELECT seq, id, time_ms, type, data FROM job_event WHERE job = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq;
