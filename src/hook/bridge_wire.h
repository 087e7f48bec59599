/* bridge_wire.h: what Cloudflare Queues sends and takes over HTTP, as JSON. Pure.
 *
 *   POST {base}/accounts/{account}/queues/{queue}/messages/pull   {"visibility_timeout_ms":60000,"batch_size":100}
 *   POST …/messages/ack    {"acks":[{"lease_id":…}],"retries":[{"lease_id":…,"delay_seconds":…}]}
 *   POST …/messages/batch  {"messages":[{"body":…,"content_type":"json"}]}
 *   GET  {base}/accounts/{account}/queues/{queue}
 *
 * Answers are {"success":…,"errors":[{"code","message"}],"result":…}. */
#ifndef PLATEN_HOOK_BRIDGE_WIRE_H
#define PLATEN_HOOK_BRIDGE_WIRE_H

#include "base/json.h"

typedef struct WireMessage {
    Str id, lease;
    int64_t attempts; /* how often it was delivered, this time included */
    Str payload;      /* JSON; "": it cannot be read, `problem` says why */
    const char *problem;
} WireMessage;

/* An answer's result (NULL: none), or what went wrong: ERR_BRIDGE_MISSING (token refused, no such
 * account or queue), ERR_REMOTE_FAILED (may work later), ERR_REMOTE_REFUSED. */
MUST_CHECK ErrCode wire_result(int status, Str body, Arena *a, const Json **out, Err *err);
MUST_CHECK ErrCode wire_messages(const Json *result, Arena *a, WireMessage **out, size_t *len,
                                 Err *err);
void wire_put_pull(JsonOut *j, int batch, int64_t visible_ms);
/* Messages with keep[i] are acknowledged, the others come again after delay_s[i]. */
void wire_put_ack(JsonOut *j, const WireMessage *m, const bool *keep, const int *delay_s,
                  size_t len);

#endif
