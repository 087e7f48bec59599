-- name: idempotency_get
-- What key $2 of project $1 stood for.
SELECT request_hash, kind, target, created_ms FROM idempotency WHERE project = $1 AND key = $2;

-- name: idempotency_add
-- In project $1 key $2 stands for the request $3, which made the $4 (job …) with id $5 at $6.
INSERT INTO idempotency (project, key, request_hash, kind, target, created_ms) VALUES ($1, $2, $3, $4, $5, $6);

-- name: idempotency_expire
-- Forget keys from before $1, at most $2 at a time: others wait for the writer meanwhile.
DELETE FROM idempotency
 WHERE (project, key) IN (SELECT project, key FROM idempotency WHERE created_ms < $1 ORDER BY created_ms LIMIT $2);
