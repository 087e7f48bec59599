/* push.h: what the routes of Web Push take and answer. */
#ifndef PLATEN_API_PUSH_H
#define PLATEN_API_PUSH_H

#include "core/param.h"
#include "core/schema.h"

typedef struct PushBody {
    Str endpoint, p256dh, auth, label;
    int language;
    bool mine, failed, approvals;
} PushBody;
extern const Param push_body_params[];
extern const Choice push_languages[];

extern const Field push_fields[], push_browser_fields[];

#endif
