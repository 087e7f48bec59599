/* guard.h: which addresses are nobody's business from outside. Pure. */
#ifndef PLATEN_NET_GUARD_H
#define PLATEN_NET_GUARD_H

#include "base/err.h"

#include <netinet/in.h>

enum { GUARD_RANGES_MAX = 32 };

typedef struct GuardRange {
    struct in6_addr from; /* v4 as ::ffff:a.b.c.d */
    int bits;             /* of 128 */
} GuardRange;

typedef struct Guard {
    GuardRange allowed[GUARD_RANGES_MAX];
    size_t len;
} Guard;

/* Ranges joined by commas; NULL or "": none. ERR_USAGE. */
MUST_CHECK ErrCode guard_read(const char *ranges, Guard *out, Err *err);
/* False: neither public nor allowed. Other families than v4 and v6: false. */
bool guard_allows(const Guard *g, const struct sockaddr *address);

#endif
