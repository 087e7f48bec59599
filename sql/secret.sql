-- name: secret_put
-- Secret $2 of project $1 is $3 (sealed) from $4 on, written by key $5.
INSERT INTO secret (project, name, sealed, created_ms, changed_ms, key_id) VALUES ($1, $2, $3, $4, $4, $5)
ON CONFLICT (project, name) DO UPDATE
   SET sealed = excluded.sealed, changed_ms = excluded.changed_ms, key_id = excluded.key_id;

-- name: secret_created
-- When secret $2 of project $1 was first written.
SELECT created_ms FROM secret WHERE project = $1 AND name = $2;

-- name: secret_count
-- How many secrets project $1 has besides $2.
SELECT count(*) FROM secret WHERE project = $1 AND name <> $2;

-- name: secret_get
-- Secret $2 of project $1, sealed.
SELECT sealed FROM secret WHERE project = $1 AND name = $2;

-- name: secret_list
-- The secrets of project $1 without their values, at most $2.
SELECT name, created_ms, changed_ms, key_id FROM secret WHERE project = $1 ORDER BY name LIMIT $2;

-- name: secret_remove
-- Forget secret $2 of project $1.
DELETE FROM secret WHERE project = $1 AND name = $2;
