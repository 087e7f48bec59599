-- name: document_add
-- Document $1 of project $2: name $3, media type $4, blob $5 of $6 bytes, made at $7.
INSERT INTO document (id, project, name, type, hash, size_bytes, created_ms, changed_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7);

-- name: document_get
-- Document $2 of project $1, unless it is deleted.
SELECT id, name, type, hash, size_bytes, version, created_ms, changed_ms
  FROM document WHERE id = $2 AND project = $1 AND deleted_ms = 0;

-- name: document_list
-- Documents of project $1 older than the one with id $2 (the largest bigint: from the newest), newest first, at most $3.
SELECT id, name, type, hash, size_bytes, version, created_ms, changed_ms
  FROM document WHERE project = $1 AND id < $2 AND deleted_ms = 0
 ORDER BY id DESC LIMIT $3;

-- name: document_rename
-- Document $2 of project $1, which must be at version $3, is called $4 from now ($5) on.
UPDATE document SET name = $4, changed_ms = $5, version = version + 1
 WHERE id = $2 AND project = $1 AND version = $3 AND deleted_ms = 0;

-- name: document_replace
-- Document $2 of project $1, which must be at version $3, has media type $4 and blob $5 of $6 bytes from now ($7) on.
UPDATE document SET type = $4, hash = $5, size_bytes = $6, changed_ms = $7, version = version + 1
 WHERE id = $2 AND project = $1 AND version = $3 AND deleted_ms = 0;

-- name: document_delete
-- Document $2 of project $1 is gone from now ($3) on; its row stays.
UPDATE document SET deleted_ms = $3, changed_ms = $3, version = version + 1
 WHERE id = $2 AND project = $1 AND deleted_ms = 0;

-- name: document_version
-- Version of document $2 of project $1, to tell a changed one from one that is not there.
SELECT version FROM document WHERE id = $2 AND project = $1 AND deleted_ms = 0;

-- name: document_count
-- How many documents project $1 has.
SELECT count(*) FROM document WHERE project = $1 AND deleted_ms = 0;

-- name: few_documents
-- How many documents project $1 has, counted up to $2.
SELECT count(*) FROM (SELECT 1 FROM document WHERE project = $1 AND deleted_ms = 0 LIMIT $2) few;
