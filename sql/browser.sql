-- name: browser_put
-- Browser $1 of key $3 in project $2 (session $4 or 0): endpoint $5, keys $6 and $7 (sealed), subject $8, label $9,
-- language $10, wants $11, at $12. The same endpoint is the same browser: it keeps its id.
INSERT INTO push_browser (id, project, key_id, session_id, endpoint, p256dh, auth, subject, label, language, wants, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (endpoint) DO UPDATE
   SET project = excluded.project, key_id = excluded.key_id, session_id = excluded.session_id, p256dh = excluded.p256dh,
       auth = excluded.auth, subject = excluded.subject, label = excluded.label, language = excluded.language,
       wants = excluded.wants;

-- name: browser_by_endpoint
-- The id of the browser with the endpoint $1.
SELECT id FROM push_browser WHERE endpoint = $1;

-- name: browser_count
-- How many browsers key $2 of project $1 has, besides endpoint $3.
SELECT count(*) FROM push_browser WHERE project = $1 AND key_id = $2 AND endpoint <> $3;

-- name: browser_any
-- 1 when there is a browser at all.
SELECT 1 FROM push_browser WHERE id > 0 ORDER BY id LIMIT 1;

-- name: browser_list
-- Browsers of key $2 of project $1, newest first, at most $3.
SELECT id, endpoint, label, language, wants, created_ms, told_ms FROM push_browser
 WHERE project = $1 AND key_id = $2 ORDER BY id DESC LIMIT $3;

-- name: browser_awake
-- All browsers above id $1 whose key lives and whose session lasts at $2, at most $3.
SELECT b.id, b.project, b.key_id, b.language, b.wants FROM push_browser b
  JOIN api_key k ON k.id = b.key_id AND k.revoked_ms = 0
 WHERE b.id > $1 AND (b.session_id = 0 OR EXISTS (SELECT 1 FROM session s WHERE s.id = b.session_id AND s.expires_ms > $2))
 ORDER BY b.id LIMIT $3;

-- name: browser_drop_asleep
-- Forget browsers whose key is revoked or whose session is over at $1, among the $3 after id $2.
DELETE FROM push_browser WHERE id IN
    (SELECT b.id FROM push_browser b JOIN api_key k ON k.id = b.key_id
      WHERE b.id > $2 AND (k.revoked_ms > 0 OR (b.session_id <> 0 AND NOT EXISTS
            (SELECT 1 FROM session s WHERE s.id = b.session_id AND s.expires_ms > $1))) ORDER BY b.id LIMIT $3);

-- name: browser_remove
-- Forget browser $3 of key $2 of project $1.
DELETE FROM push_browser WHERE project = $1 AND key_id = $2 AND id = $3;

-- name: browser_gone
-- Forget browser $1: its push service does not know it any more.
DELETE FROM push_browser WHERE id = $1;

-- name: browser_told
-- Browser $1 got a message at $2.
UPDATE push_browser SET told_ms = $2 WHERE id = $1;

-- name: browser_language
-- Language of browser $3 of key $2 of project $1.
SELECT language FROM push_browser WHERE project = $1 AND key_id = $2 AND id = $3;

-- name: browser_job_key
-- The key that started job $1.
SELECT key_id FROM job WHERE id = $1;

-- name: push_message_add
-- Message $1 to browser $2: body $3, topic $4, urgent $5, due at $6.
INSERT INTO push_message (id, browser, body, topic, urgent, next_ms) VALUES ($1, $2, $3, $4, $5, $6);

-- name: push_message_due
-- Messages that are due at $1 with what is needed to send them, at most $2.
SELECT m.id, m.browser, m.body, m.topic, m.urgent, m.attempts, b.endpoint, b.p256dh, b.auth, b.subject
  FROM push_message m JOIN push_browser b ON b.id = m.browser
 WHERE m.next_ms <= $1 ORDER BY m.next_ms, m.id LIMIT $2;

-- name: push_message_next
-- When the next one is due.
SELECT m.next_ms FROM push_message m JOIN push_browser b ON b.id = m.browser WHERE m.next_ms > 0 ORDER BY m.next_ms, m.id LIMIT 1;

-- name: push_message_later
-- Message $1 is tried again at $3, after attempt number $2.
UPDATE push_message SET attempts = $2, next_ms = $3 WHERE id = $1;

-- name: push_message_end
-- Message $1 has arrived, or will not.
DELETE FROM push_message WHERE id = $1;

-- name: push_message_drop
-- Messages to browser $1, which is gone.
DELETE FROM push_message WHERE browser = $1;

-- name: push_message_trim
-- Messages of before $1, at most $2.
DELETE FROM push_message WHERE id IN (SELECT m.id FROM push_message m WHERE m.id < $1 ORDER BY m.id LIMIT $2);
