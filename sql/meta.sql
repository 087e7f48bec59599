-- name: meta_get
-- The setting $2 of project $1 (0: of the installation).
SELECT value FROM meta WHERE project = $1 AND key = $2;

-- name: meta_set
-- Set it to $3.
INSERT INTO meta (project, key, value) VALUES ($1, $2, $3)
ON CONFLICT (project, key) DO UPDATE SET value = excluded.value;

-- name: meta_delete
-- Forget the setting $2 of project $1.
DELETE FROM meta WHERE project = $1 AND key = $2;

-- name: meta_list
-- All settings of project $1.
SELECT key, value FROM meta WHERE project = $1 ORDER BY key;
