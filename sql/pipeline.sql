-- name: pipeline_find
-- Pipeline $2 of project $1.
SELECT id, version, built_in, created_ms FROM pipeline WHERE project = $1 AND name = $2 AND deleted_ms = 0;

-- name: pipeline_name
-- Name of pipeline $1.
SELECT name FROM pipeline WHERE id = $1;

-- name: pipeline_add
-- Pipeline $1 of project $2 named $3, built in ($4), with its first version, at $5.
INSERT INTO pipeline (id, project, name, version, built_in, created_ms) VALUES ($1, $2, $3, 1, $4, $5);

-- name: pipeline_grow
-- Pipeline $1 has version $2; built in: $3.
UPDATE pipeline SET version = $2, built_in = $3 WHERE id = $1;

-- name: pipeline_delete
-- Pipeline $2 of project $1 is deleted at $3.
UPDATE pipeline SET deleted_ms = $3 WHERE project = $1 AND name = $2 AND deleted_ms = 0 AND built_in = 0;

-- name: pipeline_version_add
-- Version $2 of pipeline $1.
INSERT INTO pipeline_version (pipeline, version, title, summary, hash, definition, source, key_id, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: pipeline_version_get
-- Version $2 of pipeline $1.
SELECT title, summary, hash, definition, source, key_id, created_ms FROM pipeline_version
 WHERE pipeline = $1 AND version = $2;

-- name: pipeline_definition
-- Definition of version $2 of pipeline $1.
SELECT definition FROM pipeline_version WHERE pipeline = $1 AND version = $2;

-- name: pipeline_list
-- Pipelines of project $1 with their newest version.
SELECT p.id, p.name, p.version, p.built_in, p.created_ms, v.title, v.summary, v.hash, v.key_id, v.created_ms
  FROM pipeline p JOIN pipeline_version v ON v.pipeline = p.id AND v.version = p.version
 WHERE p.project = $1 AND p.deleted_ms = 0
 ORDER BY p.name;

-- name: pipeline_versions
-- Versions of pipeline $1, newest first.
SELECT version, title, summary, hash, key_id, created_ms FROM pipeline_version WHERE pipeline = $1 ORDER BY version DESC;
