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

-- Webhooks out (hook/webhook.h): addresses that hear of events. types: patterns joined by commas, '' all. state: active,
-- paused, disabled (disabled_for says why). cursor: the row of the feed up to which its deliveries exist. secret and
-- old_secret (valid until old_until_ms) are sealed. is_callback: the one row of a project whose deliveries go to the
-- callback_url of its jobs; its url is ''.
CREATE TABLE webhook (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    is_callback bigint NOT NULL DEFAULT 0,
    url text NOT NULL,
    types text NOT NULL,
    description text NOT NULL,
    state text NOT NULL,
    disabled_for text,
    secret text,
    old_secret text,
    old_until_ms bigint NOT NULL DEFAULT 0,
    cursor bigint NOT NULL,
    created_ms bigint NOT NULL,
    changed_ms bigint NOT NULL
);
CREATE INDEX webhook_by_project ON webhook (project, id);
CREATE UNIQUE INDEX webhook_callback ON webhook (project) WHERE is_callback = 1;

-- One message to one address. id is the webhook-id that the receiver sees, on every attempt. body: as it is sent. url: of a
-- callback. state: pending (next at next_ms), done, failed. status: of the last answer, 0: there was none.
CREATE TABLE delivery (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    webhook bigint NOT NULL,
    event bigint NOT NULL,
    type text NOT NULL,
    url text,
    body text NOT NULL,
    state text NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    round bigint NOT NULL DEFAULT 0,
    next_ms bigint NOT NULL,
    status bigint NOT NULL DEFAULT 0,
    ended_ms bigint NOT NULL DEFAULT 0
);
CREATE INDEX delivery_due ON delivery (webhook, next_ms, id) WHERE state = 'pending';
CREATE INDEX delivery_by_webhook ON delivery (webhook, id);
CREATE INDEX delivery_failed ON delivery (webhook, id) WHERE state = 'failed';

-- What came of each attempt. answer: the first bytes of the body.
CREATE TABLE delivery_attempt (
    delivery bigint NOT NULL,
    number bigint NOT NULL,
    time_ms bigint NOT NULL,
    took_ms bigint NOT NULL,
    status bigint NOT NULL,
    reason text,
    detail text,
    answer text,
    PRIMARY KEY (delivery, number)
) /*sqlite WITHOUT ROWID */;

-- Where the end of a job is told, besides the webhooks.
CREATE TABLE job_callback (
    job bigint PRIMARY KEY,
    url text NOT NULL
) /*sqlite WITHOUT ROWID */;
