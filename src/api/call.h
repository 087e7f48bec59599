/* call.h: what every handler needs: the app, the caller, a reader, and the ways to answer.
 *
 *   static void get_thing(HttpRequest *req)
 *   {
 *       Call c;
 *       if (!call_begin(req, &c))
 *           return;                                   // it has answered
 *       …
 *       if (rc != OK) { call_fail(&c); return; }      // c.err as a problem
 *       call_answer(&c, 200, &j);
 *   } */
#ifndef PLATEN_API_CALL_H
#define PLATEN_API_CALL_H

#include "api/app.h"

typedef struct Call {
    HttpRequest *req;
    App *app;
    Arena *arena;
    Caller who;
    DbConn *reader;
    Buf body; /* the answer's JSON */
    JsonOut json;
    Err err;
} Call;

/* Which app a request belongs to, and the least role its route asks for; the route table's
 * `user`. */
typedef struct RouteUser {
    App *app;
    Role role;
} RouteUser;

/* The guard of routes that need a key: finds it (Authorization: Bearer, X-API-Key) or a session
 * (session.h), checks the role; refuses with a problem. */
bool call_guard(HttpRequest *req);
bool call_begin(HttpRequest *req, Call *out);
/* The same for public routes: no caller, no reader. */
void call_begin_public(HttpRequest *req, Call *out);

void call_fail(Call *c);
void call_fail_params(Call *c, const ParamFaults *faults); /* all of them, as "errors" */
void call_answer(Call *c, int status);                     /* c->body */
void call_answer_empty(Call *c, int status);

/* An id of this kind in the path; fills c->err with not_found otherwise. */
MUST_CHECK ErrCode call_path_id(Call *c, int index, const char *prefix, int64_t *out);
/* The query string against a Param table: *args is filled, faults are answered by the caller with
 * call_fail_params. */
MUST_CHECK ErrCode call_query(Call *c, const Param *params, void *args, ParamFaults *faults);
/* The JSON body, parsed; an empty one gives NULL. */
MUST_CHECK ErrCode call_json(Call *c, const Json **out);
/* The JSON body against a Param table, as call_query. */
MUST_CHECK ErrCode call_body(Call *c, const Param *params, void *args, ParamFaults *faults);
/* May the end of a job be told there? OK for "". */
MUST_CHECK ErrCode call_callback(Call *c, Str url);
/* Cursor paging: "before" an id of this kind, from text; "" gives 0. */
MUST_CHECK ErrCode call_cursor(Call *c, const char *prefix, Str text, int64_t *out);
/* Write a failure of params or else; for `return call_refuse(&c, rc, &faults);` */
void call_refuse(Call *c, ErrCode rc, const ParamFaults *faults);

#endif
