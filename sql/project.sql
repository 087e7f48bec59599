-- name: project_add
-- Project $1, called $2, made at $3.
INSERT INTO project (id, name, created_ms) VALUES ($1, $2, $3);

-- name: project_count
-- How many there are.
SELECT count(*) FROM project;

-- name: project_first
-- The oldest project: the one a single-tenant installation works in.
SELECT id FROM project ORDER BY id LIMIT 1;

-- name: project_list
-- All of them, oldest first.
SELECT id, name, created_ms FROM project ORDER BY id;
