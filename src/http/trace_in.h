/* trace_in.h: correlation ids (W3C Trace Context). */
#ifndef PLATEN_HTTP_TRACE_IN_H
#define PLATEN_HTTP_TRACE_IN_H

#include "http/http_in.h"

/* The trace id of a traceparent header; false when it is not a valid one. */
bool http_trace_from(Str traceparent, char trace[33]);
void http_trace_new(HttpLoop *l, char trace[33]);
void http_trace_hex(uint64_t v, char out[16]);

#endif
