-- Files: earlier contents of documents, their tags, what they are found by; and what jobs made, newest first.
--
-- What it costs: a document one row of document_word for each of the first three beginnings of each word of its name and tags
-- (about ten), a change of its content one row of document_version. An output of a job one entry of job_file_made; inputs,
-- and jobs without files, nothing. Which jobs took or made a blob is read from blob_ref, which was there before.

-- content: number of the current content, from 1; content_ms: when it came, 0: with the document. tags: joined by commas, in
-- order. family: document, image, audio, video, archive, other. words: folded words of name and tags (content/words.h); '' of
-- a document from before this was known, until it is read for the first time by index_documents.
ALTER TABLE document ADD COLUMN content bigint NOT NULL DEFAULT 1;
ALTER TABLE document ADD COLUMN content_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN tags text NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN family text NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN words text NOT NULL DEFAULT '';
CREATE INDEX document_by_family ON document (project, family, id) WHERE deleted_ms = 0;
CREATE INDEX document_unread ON document (id) WHERE family = '';

-- The contents that a document had before.
CREATE TABLE document_version (
    document bigint NOT NULL,
    content bigint NOT NULL,
    project bigint NOT NULL,
    type text NOT NULL,
    hash text NOT NULL,
    size_bytes bigint NOT NULL,
    made_ms bigint NOT NULL,
    PRIMARY KEY (document, content)
) /*sqlite WITHOUT ROWID */;

-- Beginnings of words, at most three characters: a search walks the one that says most, newest document first.
CREATE TABLE document_word (
    project bigint NOT NULL,
    word text NOT NULL,
    document bigint NOT NULL,
    PRIMARY KEY (project, word, document)
) /*sqlite WITHOUT ROWID */;

CREATE TABLE document_tag (
    project bigint NOT NULL,
    tag text NOT NULL,
    document bigint NOT NULL,
    PRIMARY KEY (project, tag, document)
) /*sqlite WITHOUT ROWID */;

-- How many documents carry a tag: what is offered to choose from.
CREATE TABLE tag_count (
    project bigint NOT NULL,
    tag text NOT NULL,
    documents bigint NOT NULL,
    PRIMARY KEY (project, tag)
) /*sqlite WITHOUT ROWID */;

CREATE INDEX job_file_made ON job_file (project, job, place) WHERE is_output = 1;
