-- The feed: what happened in a project, in order (feed/feed.h).
--
-- Appended to at the end of a project's rows; the key is the only tree. When it happened is in the id. job, subject and data
-- are NULL when there is nothing to say, and for job.done, whose story is in the job's own rows: the writer pays 1 us for it
-- instead of 4.
CREATE TABLE feed (
    project bigint NOT NULL,
    id bigint NOT NULL,
    type text NOT NULL,
    job bigint,
    subject text,
    data text,
    PRIMARY KEY (project, id)
) /*sqlite WITHOUT ROWID */;
