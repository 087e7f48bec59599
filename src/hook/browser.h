/* browser.h: browsers that hear of events when no page is open (Web Push, net/webpush.h).
 *
 * A browser belongs to the key that signed it in, and ends with its session. It says what it wants to
 * hear of; what is sent is small and says what happened, never what is in a file:
 *
 *   {"type": "job.failed", "job": "job_…", "name": "image.convert", "reason": …, "detail": …,
 *    "path": "/jobs/job_…", "time": …, "language": "en"}
 *
 * A message that cannot be sent is tried again for a day. An endpoint that its push service does not
 * know any more (404, 410) takes the browser with it. More than BROWSER_PER_MINUTE messages to one
 * browser in a minute are not sent: notifications are hints, the app shows everything.
 *
 * The sender is one key pair of the installation, made when it is first needed and sealed in meta.
 * Threads: any; browser_list works on a reader. */
#ifndef PLATEN_HOOK_BROWSER_H
#define PLATEN_HOOK_BROWSER_H

#include "base/seal.h"
#include "feed/feed.h"
#include "flow/hub.h"
#include "net/webpush.h"

enum {
    BROWSERS_PER_KEY = 20,
    BROWSER_ENDPOINT_MAX = 1000,
    BROWSER_PER_MINUTE = 10,
    BROWSER_TTL_S = 24 * 3600
};

enum { BROWSER_MINE = 1, BROWSER_FAILED = 2, BROWSER_APPROVALS = 4 }; /* wants */

typedef struct Browser {
    int64_t id, project, key, session, created_ms, told_ms;
    Str endpoint, label, language, subject;
    int wants;
} Browser;

/* The public key that browsers subscribe with, base64url; the pair is made when there is none. */
MUST_CHECK ErrCode browser_keys(Db *db, const Seal *seal, WebpushPair *out, Err *err);

/* id, created_ms and told_ms are not read. The same endpoint again replaces what was said before.
 * ERR_BAD_PARAM: p256dh, auth; ERR_LIMIT_COUNT. */
MUST_CHECK ErrCode browser_add(Db *db, const Seal *seal, const Browser *b, Str p256dh, Str auth,
                               Arena *a, int64_t *id, Err *err);
/* Those of one key, newest first. */
MUST_CHECK ErrCode browser_list(DbConn *reader, int64_t project, int64_t key, Arena *a,
                                Browser **out, size_t *len, Err *err);
MUST_CHECK ErrCode browser_remove(Db *db, int64_t project, int64_t key, int64_t id, Err *err);
/* A message of the type "test", due at once. */
MUST_CHECK ErrCode browser_test(Db *db, int64_t project, int64_t key, int64_t id, Err *err);

/* notify.c: the thread that reads the feed and sends. */
typedef struct Notify Notify;
typedef struct NotifyOptions {
    Db *db;
    Hub *hub;
    const Seal *seal;
    const char *allow_private; /* net/outbound.h */
} NotifyOptions;
MUST_CHECK ErrCode notify_open(const NotifyOptions *o, Notify **out, Err *err);
/* What is being sent is given up and sent again at the next start. */
void notify_close(Notify **n);
/* Browsers or messages have changed: look at them. */
void notify_changed(Notify *n);

/* How long after attempt number `attempt` (from 1) the next one follows; -1: none. Pure. */
int64_t browser_backoff_ms(int64_t attempt, int64_t asked_ms);
/* The body of the message about `row` in `language`, in `a`; .ptr NULL: no memory. */
Str browser_body(const FeedRow *row, Str language, Arena *a);
/* notify.c remembers up to where it has read: meta of the installation. */
extern const char browser_cursor_key[];

#endif
