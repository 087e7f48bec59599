-- name: document_add
-- Document $1 of project $2: name $3, media type $4, blob $5 of $6 bytes, made at $7, tags $8, family $9, words $10.
INSERT INTO document (id, project, name, type, hash, size_bytes, created_ms, changed_ms, tags, family, words)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10);

-- name: document_get
-- Document $2 of project $1, unless it is deleted.
SELECT id, name, type, hash, size_bytes, version, created_ms, changed_ms, content, content_ms, tags, words
  FROM document WHERE id = $2 AND project = $1 AND deleted_ms = 0;

-- name: document_deleted
-- Document $2 of project $1 if it is deleted.
SELECT id, name, type, hash, size_bytes, version, created_ms, changed_ms, content, content_ms, tags, words
  FROM document WHERE id = $2 AND project = $1 AND deleted_ms > 0;

-- name: document_list
-- Documents of project $1 older than the one with id $2 (the largest bigint: from the newest), newest first, at most $3.
SELECT id, name, type, hash, size_bytes, version, created_ms, changed_ms, content, content_ms, tags, words
  FROM document WHERE project = $1 AND id < $2 AND deleted_ms = 0
 ORDER BY id DESC LIMIT $3;

-- name: document_list_family
-- The same, those of family $4.
SELECT id, name, type, hash, size_bytes, version, created_ms, changed_ms, content, content_ms, tags, words
  FROM document WHERE project = $1 AND id < $2 AND deleted_ms = 0 AND family = $4
 ORDER BY id DESC LIMIT $3;

-- name: document_list_tag
-- The same, those that carry the tag $4.
SELECT d.id, d.name, d.type, d.hash, d.size_bytes, d.version, d.created_ms, d.changed_ms, d.content, d.content_ms, d.tags, d.words
  FROM document_tag t JOIN document d ON d.id = t.document
 WHERE t.project = $1 AND t.tag = $4 AND t.document < $2
 ORDER BY t.document DESC LIMIT $3;

-- name: document_list_word
-- The same, those with a word that begins with $4 (at most three characters).
SELECT d.id, d.name, d.type, d.hash, d.size_bytes, d.version, d.created_ms, d.changed_ms, d.content, d.content_ms, d.tags, d.words
  FROM document_word w JOIN document d ON d.id = w.document
 WHERE w.project = $1 AND w.word = $4 AND w.document < $2
 ORDER BY w.document DESC LIMIT $3;

-- name: document_change
-- Document $2 of project $1, which must be at version $3, has name $4, tags $5 and words $6 from now ($7) on.
UPDATE document SET name = $4, tags = $5, words = $6, changed_ms = $7, version = version + 1
 WHERE id = $2 AND project = $1 AND version = $3 AND deleted_ms = 0;

-- name: document_replace
-- Document $2 of project $1, which must be at version $3, has media type $4 of family $8 and blob $5 of $6 bytes from now ($7) on.
UPDATE document SET type = $4, hash = $5, size_bytes = $6, changed_ms = $7, content_ms = $7, family = $8,
                    content = content + 1, version = version + 1
 WHERE id = $2 AND project = $1 AND version = $3 AND deleted_ms = 0;

-- name: document_delete
-- Document $2 of project $1 is gone from now ($3) on; its row stays.
UPDATE document SET deleted_ms = $3, changed_ms = $3, version = version + 1
 WHERE id = $2 AND project = $1 AND deleted_ms = 0;

-- name: document_undelete
-- Document $2 of project $1 is there again from now ($3) on.
UPDATE document SET deleted_ms = 0, changed_ms = $3, version = version + 1
 WHERE id = $2 AND project = $1 AND deleted_ms > 0;

-- name: document_version
-- Version of document $2 of project $1, to tell a changed one from one that is not there.
SELECT version FROM document WHERE id = $2 AND project = $1 AND deleted_ms = 0;

-- name: document_unread
-- Documents from before words and families were known, after $1, at most $2.
SELECT id, project, name, type FROM document WHERE family = '' AND id > $1 ORDER BY id LIMIT $2;

-- name: document_read
-- Document $1 is of family $2 and has the words $3.
UPDATE document SET family = $2, words = $3 WHERE id = $1;

-- name: document_count
-- How many documents project $1 has.
SELECT count(*) FROM document WHERE project = $1 AND deleted_ms = 0;

-- name: document_word_add
-- Document $3 of project $1 has a word that begins with $2.
INSERT INTO document_word (project, word, document) VALUES ($1, $2, $3)
ON CONFLICT (project, word, document) DO NOTHING;

-- name: document_word_drop
-- It has not any more.
DELETE FROM document_word WHERE project = $1 AND word = $2 AND document = $3;

-- name: document_tag_add
-- Document $3 of project $1 carries the tag $2.
INSERT INTO document_tag (project, tag, document) VALUES ($1, $2, $3);

-- name: document_tag_drop
-- It does not any more.
DELETE FROM document_tag WHERE project = $1 AND tag = $2 AND document = $3;

-- name: tag_count_add
-- In project $1, $3 more (or less) documents carry the tag $2.
INSERT INTO tag_count (project, tag, documents) VALUES ($1, $2, $3)
ON CONFLICT (project, tag) DO UPDATE SET documents = tag_count.documents + excluded.documents;

-- name: tag_count_forget
-- Nobody carries the tag $2 of project $1.
DELETE FROM tag_count WHERE project = $1 AND tag = $2 AND documents <= 0;

-- name: tag_list
-- Tags of project $1 after $2 in order, at most $3.
SELECT tag, documents FROM tag_count WHERE project = $1 AND tag > $2 ORDER BY tag LIMIT $3;

-- name: document_version_add
-- Content $2 of document $1 of project $3, which was: type $4, blob $5 of $6 bytes, from $7 on.
INSERT INTO document_version (document, content, project, type, hash, size_bytes, made_ms) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: document_version_get
-- Content $2 of document $1, an earlier one.
SELECT content, type, hash, size_bytes, made_ms FROM document_version WHERE document = $1 AND content = $2;

-- name: document_version_list
-- Contents of document $1 before $2, newest first, at most $3.
SELECT content, type, hash, size_bytes, made_ms FROM document_version
 WHERE document = $1 AND content < $2 ORDER BY content DESC LIMIT $3;

-- name: document_version_drop
-- Content $2 of document $1 goes.
DELETE FROM document_version WHERE document = $1 AND content = $2;

-- name: document_version_unref
-- In project $1 document $2 held blob $3 for an earlier content; it does no more, unless another one is the same.
DELETE FROM blob_ref
 WHERE project = $1 AND hash = $3 AND kind = 'version' AND owner = $2
   AND NOT EXISTS (SELECT 1 FROM document_version v WHERE v.document = $2 AND v.hash = $3);

-- name: document_version_lost
-- Earlier contents of document $2 of project $1 whose bytes are gone.
DELETE FROM document_version
 WHERE document = $2
   AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.project = $1 AND b.hash = document_version.hash);

-- name: document_version_refs
-- Document $2 of project $1 holds the blobs of its earlier contents.
INSERT INTO blob_ref (project, hash, kind, owner)
SELECT DISTINCT project, hash, 'version', document FROM document_version WHERE document = $2 AND project = $1
ON CONFLICT (project, hash, kind, owner) DO NOTHING;

-- name: document_blobs_seen
-- The blobs that document $2 of project $1 holds begin their grace period now ($3).
UPDATE blob SET created_ms = $3
 WHERE project = $1
   AND hash IN (SELECT r.hash FROM blob_ref r WHERE r.project = $1 AND r.kind IN ('document', 'version') AND r.owner = $2);

-- name: few_documents
-- How many documents project $1 has, counted up to $2.
SELECT count(*) FROM (SELECT 1 FROM document WHERE project = $1 AND deleted_ms = 0 LIMIT $2) few;
