/* cdp.h: a small client of the Chrome DevTools Protocol over a pipe: JSON messages, each ended by a
 * NUL. One call at a time; events that come in between go to a function. What comes is read as if an
 * enemy had written it: a page may have taken the browser over. */
#ifndef PLATEN_BROWSER_CDP_H
#define PLATEN_BROWSER_CDP_H

#include "base/json.h"

enum { CDP_MESSAGE_MAX = 16 * 1024 * 1024 };

typedef struct Cdp {
    int to, from; /* -1: not open */
    Arena *arena; /* of one message; rewound for the next */
    char *buffer; /* CDP_MESSAGE_MAX; what has come and was not read yet */
    size_t have, used;
    int64_t next_id;
    int64_t deadline_us; /* of all calls (clock_mono_us) */
    void (*event)(void *ctx, Str method, Str session, const Json *params);
    void *ctx;
} Cdp;

MUST_CHECK ErrCode cdp_open(Cdp *c, int to, int from, Err *err);
void cdp_close(Cdp *c);

/* Call `method` with `params` (a JSON object; empty: none) in `session` (NULL: the browser) and wait
 * for its answer, which lives until the next call. ERR_LIMIT_TIME: the deadline has passed.
 * ERR_ENGINE_CRASHED: the browser is gone. ERR_BAD_PARAM: it refused; *err has its words. */
MUST_CHECK ErrCode cdp_call(Cdp *c, const char *session, const char *method, Str params,
                            const Json **out, Err *err);
/* Say something whose answer is of no interest: from event functions. */
void cdp_say(Cdp *c, Str session, const char *method, Str params);
/* Take events until *flag is set, or `until_us`; *flag is set by the event function. */
MUST_CHECK ErrCode cdp_wait(Cdp *c, const bool *flag, int64_t until_us, Err *err);

/* {"key":"value"} for a call with one parameter, in `a`. */
Str cdp_one(Arena *a, const char *key, const char *value);

#endif
