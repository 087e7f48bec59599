-- name: session_add
-- Session $1 of key $3 in project $2; $4 is the SHA-256 of its cookie. Made at $5, it ends at $6.
INSERT INTO session (id, project, key_id, hash, created_ms, used_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $5, $6);

-- name: session_check
-- The session whose cookie has the SHA-256 $1, while it lasts ($2 is now) and its key lives.
SELECT s.id, k.id, k.project, k.role, s.used_ms, s.expires_ms
  FROM session s JOIN api_key k ON k.id = s.key_id AND k.project = s.project
 WHERE s.hash = $1 AND s.expires_ms > $2 AND k.revoked_ms = 0;

-- name: session_used
-- Session $1 was used at $2. Only ever forward: these updates may overtake each other.
UPDATE session SET used_ms = $2 WHERE id = $1 AND used_ms < $2;

-- name: session_end
-- End session $1.
DELETE FROM session WHERE id = $1;

-- name: session_end_of_key
-- End all sessions of key $1.
DELETE FROM session WHERE key_id = $1;

-- name: session_crowd
-- End the sessions of key $1 but for its $2 newest.
DELETE FROM session
 WHERE id IN (SELECT id FROM session WHERE key_id = $1 ORDER BY id DESC LIMIT 1000 OFFSET $2);

-- name: session_expired
-- End what was over at $1.
DELETE FROM session WHERE expires_ms <= $1;

-- name: session_who
-- Names of project $1 and its key $2, and when session $3 ends (0: no session).
SELECT p.name, k.name,
       coalesce((SELECT s.expires_ms FROM session s WHERE s.id = $3 AND s.key_id = k.id), 0)
  FROM project p JOIN api_key k ON k.project = p.id
 WHERE p.id = $1 AND k.id = $2;
