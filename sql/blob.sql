-- name: blob_add
-- Project $1 may see the blob with hash $2 of $3 bytes from now ($4) on. Seen again, its grace period begins anew.
INSERT INTO blob (project, hash, size_bytes, created_ms) VALUES ($1, $2, $3, $4)
ON CONFLICT (project, hash) DO UPDATE SET created_ms = excluded.created_ms;

-- name: blob_get
-- Size of blob $2 if project $1 may see it; no row else.
SELECT size_bytes, created_ms FROM blob WHERE project = $1 AND hash = $2;

-- name: blob_ref_add
-- In project $1 the $3 (document …) with id $4 refers to blob $2.
INSERT INTO blob_ref (project, hash, kind, owner) VALUES ($1, $2, $3, $4)
ON CONFLICT (project, hash, kind, owner) DO NOTHING;

-- name: blob_ref_drop
-- In project $1 the $2 (document …) with id $3 refers to no blob any more.
DELETE FROM blob_ref WHERE project = $1 AND kind = $2 AND owner = $3;

-- name: blob_unreferenced
-- For the sweep, on a reader: blobs last seen at $1 or later but before $2 that nothing refers to, oldest first, at most $3.
SELECT project, hash, created_ms FROM blob
 WHERE created_ms >= $1 AND created_ms < $2
   AND NOT EXISTS (SELECT 1 FROM blob_ref r WHERE r.project = blob.project AND r.hash = blob.hash)
 ORDER BY created_ms LIMIT $3;

-- name: blob_forget
-- Project $1 does not see blob $2 any more, if it was last seen before $3 and still nothing refers to it.
DELETE FROM blob
 WHERE project = $1 AND hash = $2 AND created_ms < $3
   AND NOT EXISTS (SELECT 1 FROM blob_ref r WHERE r.project = blob.project AND r.hash = blob.hash);

-- name: blob_kept
-- Whether any project still knows the blob $1: the sweep keeps its file.
SELECT count(*) FROM (SELECT 1 FROM blob WHERE hash = $1 LIMIT 1) AS one;

-- name: blob_hashes
-- The next $2 hashes after $1 that any project knows, in order.
SELECT DISTINCT hash FROM blob WHERE hash > $1 ORDER BY hash LIMIT $2;

-- name: blob_total
-- Number and bytes of the blobs of project $1.
SELECT count(*), sum(size_bytes) FROM blob WHERE project = $1;
