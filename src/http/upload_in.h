/* upload_in.h: a body on its way to blobs.
 *
 *   loop:  socket ─► part[filling] ──┐ hand over, swap        pool:  given ─► [multipart] ─►
 * BlobWriter part[other] ◄───┴──────────────── returned ◄────┘
 *
 * Two buffers: while the sink writes one, the loop fills the other; when both are full nothing is
 * read. With the last piece the connection is BUSY and the same job goes on to run the handler. */
#ifndef PLATEN_HTTP_UPLOAD_IN_H
#define PLATEN_HTTP_UPLOAD_IN_H

#include "http/http_in.h"
#include "http/multipart_in.h"

enum { HTTP_PIECE = 256 * 1024, HTTP_FIELDS_MAX = 1000 };

struct HttpSink {
    /* the loop's */
    struct {
        char *bytes;
        size_t len;
    } piece[2];
    size_t cap;
    int filling;
    bool busy, whole, stopping;
    int64_t received;
    Err stop; /* what to answer; code OK: nobody is there to read it */

    /* the job's, from hand-over to return */
    Str given;
    bool last;
    BlobWriter *writer;
    HttpMultipart *multi; /* NULL: a raw body is one blob */
    bool multi_ended;
    HttpUpload *uploads;
    size_t uploads_len, uploads_cap;
    HttpHeader *form;
    size_t form_len, form_cap, form_bytes;
    HttpUpload now; /* the part being written */
    Str field_name;
    Buf field; /* its value when it is no file */
};

bool http_sink_open(HttpExchange *ex); /* false: it has answered */
void http_sink_abandon(HttpSink *s);

#endif
