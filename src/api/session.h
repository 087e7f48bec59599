/* session.h: the cookie of a browser, and what a request that comes with it must prove.
 *
 * A cookie goes out with every request to this address, also with one that another site's page has
 * made. SameSite=Strict keeps it from other sites, but not from other ports of the same host. So a
 * request by cookie must show where it comes from:
 *
 *   what                        needs
 *   anything but GET and HEAD   the header X-Platen, or an Origin that is this server
 *   a WebSocket                 an Origin that is this server
 *   a stream of events          no sign (Origin, Sec-Fetch-Site) of another place
 *   other reading               nothing: another page cannot read the answer
 *
 * X-Platen is enough because no page may send it elsewhere without asking (CORS), which is never
 * granted. A request with a key needs none of this: no browser sends it by itself. */
#ifndef PLATEN_API_SESSION_H
#define PLATEN_API_SESSION_H

#include "http/http.h"

#define SESSION_COOKIE "platen_session"

/* The value of the cookie; "" when there is none. */
Str session_cookie(const HttpRequest *req);
/* ERR_FORBIDDEN: nothing shows that a page of this server has made the request. */
MUST_CHECK ErrCode session_origin(const HttpRequest *req, Err *err);
/* Signing in needs no cookie, but no other site's page may do it for somebody either. */
MUST_CHECK ErrCode session_not_foreign(const HttpRequest *req, Err *err);

#endif
