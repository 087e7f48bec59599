/* err.h: what went wrong, as a code for programs and a sentence for people.
 *
 * A function that can fail returns ErrCode. The one table of codes is errors.def: it gives each its
 * name (the API's "reason"), HTTP status, retry class, meaning and remedy. Err carries the
 * sentence; its text has a fixed size, so reporting an error cannot itself fail.
 *
 * Whoever detects the problem writes the message; callers pass it on. Messages are short, lower
 * case, without a full stop, and name the value. */
#ifndef PLATEN_BASE_ERR_H
#define PLATEN_BASE_ERR_H

#include "base/str.h"

typedef enum ErrCode {
    OK = 0,
#define ERROR(name, status, retry, meaning, remedy) ERR_##name,
#include "base/errors.def"
#undef ERROR
    ERR_COUNT
} ErrCode;

typedef enum RetryClass {
    RETRY_NEVER, /* the same input fails the same way */
    RETRY_LATER, /* a passing fault: exponential backoff */
    RETRY_AFTER, /* the other side said when */
} RetryClass;

typedef struct Err {
    ErrCode code;
    char text[256]; /* detail: what happened, with the value */
    char hint[192]; /* what to do; empty: the remedy of the table */
    char param[64]; /* parameter at fault, or empty */
} Err;

/* Fill *err (NULL is allowed) and return `code`. The hint and param of an earlier message are
 * cleared. */
ErrCode err_set(Err *err, ErrCode code, const char *fmt, ...) PRINTF(3, 4);
/* The same for errno `number`: appends its text; a full disk gives ERR_DISK_FULL, no memory
 * ERR_NO_MEMORY, and `code` otherwise. */
ErrCode err_set_errno(Err *err, ErrCode code, int number, const char *fmt, ...) PRINTF(4, 5);
/* Add to a message that is already set. */
void err_hint(Err *err, const char *fmt, ...) PRINTF(2, 3);
void err_param(Err *err, const char *name);

const char *err_reason(ErrCode code); /* "input_too_large"; "ok" for OK */
const char *err_meaning(ErrCode code);
const char *err_remedy(ErrCode code);
int err_status(ErrCode code); /* HTTP status */
RetryClass err_retry(ErrCode code);
/* The code whose reason is `reason`, or OK when there is none. */
ErrCode err_from_reason(Str reason);
/* err->hint, or the table's remedy when the message brought none. */
const char *err_advice(const Err *err);

#endif
