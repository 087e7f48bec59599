-- Browsers that want to hear of events by Web Push (hook/browser.h). endpoint, p256dh and auth (sealed) are the browser's; subject:
-- where this server is seen at, for the push service. wants: 1 ends of jobs that the key started, 2 failures, 4 approvals.
-- session_id: 0, or the session that made it, with which it ends.
CREATE TABLE push_browser (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    project bigint NOT NULL,
    key_id bigint NOT NULL,
    session_id bigint NOT NULL,
    endpoint text NOT NULL UNIQUE,
    p256dh text NOT NULL,
    auth text NOT NULL,
    subject text NOT NULL,
    label text NOT NULL,
    language text NOT NULL,
    wants bigint NOT NULL,
    created_ms bigint NOT NULL,
    told_ms bigint NOT NULL DEFAULT 0
);
CREATE INDEX push_browser_by_key ON push_browser (project, key_id, id);

-- Messages on their way to them; one that arrived, or became too old, is gone. topic: a newer one of the same replaces it.
CREATE TABLE push_message (
    id /*sqlite INTEGER *//*pg bigint */ PRIMARY KEY,
    browser bigint NOT NULL,
    body text NOT NULL,
    topic text NOT NULL,
    urgent bigint NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    next_ms bigint NOT NULL
);
CREATE INDEX push_message_due ON push_message (next_ms, id);
CREATE INDEX push_message_by_browser ON push_message (browser);
