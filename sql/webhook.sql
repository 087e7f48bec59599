-- name: webhook_add
-- Webhook $1 of project $2: url $3, types $4, description $5, sealed secret $6, cursor $7, made at $8.
INSERT INTO webhook (id, project, url, types, description, state, secret, cursor, created_ms, changed_ms)
VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $8, $8);

-- name: webhook_callback_add
-- The row $1 that project $2 needs for callbacks, unless it is there; events from $3 on; made at $4.
INSERT INTO webhook (id, project, is_callback, url, types, description, state, cursor, created_ms, changed_ms)
VALUES ($1, $2, 1, '', 'job.done,job.failed,job.canceled', 'callback_url of jobs', 'active', $3, $4, $4)
ON CONFLICT DO NOTHING;

-- name: webhook_list
-- Webhooks of project $1.
SELECT id, is_callback, url, types, description, state, disabled_for, secret, old_secret, old_until_ms, cursor, created_ms,
       changed_ms, project
  FROM webhook WHERE project = $1 ORDER BY id;

-- name: webhook_get
-- Webhook $2 of project $1.
SELECT id, is_callback, url, types, description, state, disabled_for, secret, old_secret, old_until_ms, cursor, created_ms,
       changed_ms, project
  FROM webhook WHERE project = $1 AND id = $2;

-- name: webhook_active
-- Those that are served, of all projects.
SELECT id, is_callback, url, types, description, state, disabled_for, secret, old_secret, old_until_ms, cursor, created_ms,
       changed_ms, project
  FROM webhook WHERE state = 'active';

-- name: webhook_change
-- Webhook $2 of project $1 gets url $3, types $4, description $5, state $6 at $7.
UPDATE webhook SET url = $3, types = $4, description = $5, state = $6, disabled_for = NULL, changed_ms = $7
 WHERE project = $1 AND id = $2;

-- name: webhook_rotate
-- Webhook $2 of project $1 signs with the sealed secret $3 from now ($5) on; with the one before until $4.
UPDATE webhook SET old_secret = secret, old_until_ms = $4, secret = $3, changed_ms = $5 WHERE project = $1 AND id = $2;

-- name: webhook_disable
-- Webhook $1 is served no more, for the reason $2, at $3.
UPDATE webhook SET state = 'disabled', disabled_for = $2, changed_ms = $3 WHERE id = $1 AND state = 'active';

-- name: webhook_move
-- Deliveries of webhook $1 exist up to the row $2 of the feed.
UPDATE webhook SET cursor = $2 WHERE id = $1 AND cursor < $2;

-- name: webhook_delete
-- Webhook $2 of project $1 is gone.
DELETE FROM webhook WHERE project = $1 AND id = $2 AND is_callback = 0;

-- name: delivery_add
-- Message $1 of project $2 to webhook $3: event $4 of type $5, url $6 of a callback, body $7, due at $8.
INSERT INTO delivery (id, project, webhook, event, type, url, body, state, next_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8);

-- name: delivery_due
-- Messages of webhook $1 that are due at $2, at most $3.
SELECT id, project, type, url, body, attempts, round FROM delivery
 WHERE webhook = $1 AND state = 'pending' AND next_ms <= $2 ORDER BY next_ms, id LIMIT $3;

-- name: delivery_next
-- When the next message of webhook $1 after $2 is due.
SELECT next_ms FROM delivery WHERE webhook = $1 AND state = 'pending' AND next_ms > $2 ORDER BY next_ms LIMIT 1;

-- name: delivery_attempt_add
-- Attempt $2 of message $1 at $3: it took $4 ms, status $5; reason $6, detail $7, answer $8.
INSERT INTO delivery_attempt (delivery, number, time_ms, took_ms, status, reason, detail, answer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: delivery_tried
-- Message $1 is in state $2 after attempt $3, number $4 of this round; next at $5, last status $6, ended at $7.
UPDATE delivery SET state = $2, attempts = $3, round = $4, next_ms = $5, status = $6, ended_ms = $7 WHERE id = $1;

-- name: delivery_list
-- Messages to webhook $2 of project $1 before $3, newest first, at most $4.
SELECT id, webhook, event, type, state, attempts, next_ms, status, ended_ms FROM delivery
 WHERE webhook = $2 AND project = $1 AND id < $3 ORDER BY id DESC LIMIT $4;

-- name: delivery_list_failed
-- The same, only those that failed.
SELECT id, webhook, event, type, state, attempts, next_ms, status, ended_ms FROM delivery
 WHERE webhook = $2 AND project = $1 AND state = 'failed' AND id < $3 ORDER BY id DESC LIMIT $4;

-- name: delivery_get
-- Message $3 to webhook $2 of project $1.
SELECT id, webhook, event, type, state, attempts, next_ms, status, ended_ms, body, url FROM delivery
 WHERE id = $3 AND webhook = $2 AND project = $1;

-- name: delivery_attempts
-- What came of the attempts of message $1.
SELECT number, time_ms, took_ms, status, reason, detail, answer FROM delivery_attempt WHERE delivery = $1 ORDER BY number;

-- name: delivery_again
-- Message $3 to webhook $2 of project $1 is sent again at $4.
UPDATE delivery SET state = 'pending', round = 0, next_ms = $4, ended_ms = 0
 WHERE id = $3 AND webhook = $2 AND project = $1 AND state <> 'pending';

-- name: delivery_again_failed
-- At most $5 failed messages to webhook $2 of project $1 with an id from $3 on are sent again at $4.
UPDATE delivery SET state = 'pending', round = 0, next_ms = $4, ended_ms = 0
 WHERE id IN (SELECT d.id FROM delivery d WHERE d.webhook = $2 AND d.project = $1 AND d.state = 'failed' AND d.id >= $3
               ORDER BY d.id LIMIT $5);

-- name: delivery_drop_webhook
-- At most $2 messages to webhook $1, which is gone.
DELETE FROM delivery WHERE id IN (SELECT d.id FROM delivery d WHERE d.webhook = $1 ORDER BY d.id LIMIT $2);

-- name: delivery_drop_old
-- At most $2 messages older than $1.
DELETE FROM delivery WHERE id IN (SELECT d.id FROM delivery d WHERE d.id < $1 ORDER BY d.id LIMIT $2);

-- name: delivery_attempt_drop_old
-- At most $2 messages' attempts older than $1.
DELETE FROM delivery_attempt WHERE delivery IN
    (SELECT a.delivery FROM delivery_attempt a WHERE a.delivery < $1 ORDER BY a.delivery LIMIT $2);

-- name: callback_add
-- The end of job $1 is told at $2.
INSERT INTO job_callback (job, url) VALUES ($1, $2);

-- name: callback_get
-- Where the end of job $1 is told.
SELECT url FROM job_callback WHERE job = $1;

-- name: callback_drop_old
-- At most $2 callbacks of jobs older than $1.
DELETE FROM job_callback WHERE job IN (SELECT c.job FROM job_callback c WHERE c.job < $1 ORDER BY c.job LIMIT $2);
