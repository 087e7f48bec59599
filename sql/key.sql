-- name: key_add
-- Key $1 of project $2, called $3, with role $4; $5 is the SHA-256 of its text, $6 its first characters, $7 is now.
INSERT INTO api_key (id, project, name, role, hash, hint, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: key_check
-- The living key whose text has the SHA-256 $1.
SELECT id, project, role, used_ms FROM api_key WHERE hash = $1 AND revoked_ms = 0;

-- name: key_used
-- Key $1 of project $2 was used at $3. Only ever forward: these updates may overtake each other.
UPDATE api_key SET used_ms = $3 WHERE id = $1 AND project = $2 AND used_ms < $3;

-- name: key_revoke
-- Revoke key $1 of project $2 at $3. One that is revoked keeps its time.
UPDATE api_key SET revoked_ms = $3 WHERE id = $1 AND project = $2 AND revoked_ms = 0;

-- name: key_exists
-- Whether project $2 has a key $1, revoked or not.
SELECT count(*) FROM api_key WHERE id = $1 AND project = $2;

-- name: key_list
-- All keys of project $1, newest first, at most $2.
SELECT id, project, name, role, hint, created_ms, revoked_ms, used_ms
  FROM api_key WHERE project = $1 ORDER BY id DESC LIMIT $2;
