/* multipart_in.h: multipart/form-data (RFC 7578), piece by piece. Pure: no memory of its own, no
 * I/O.
 *
 *   while ((what = http_multipart(m, &in, &data)) …)
 *
 *   MULTIPART_MORE   `in` is used up
 *   MULTIPART_PART   a part begins; m->name, m->filename, m->type describe it (valid until the next
 * call) MULTIPART_DATA   bytes of the part: a slice of `in` or of m; valid until the next call
 *   MULTIPART_PART_END
 *   MULTIPART_END    the last boundary was seen; whatever follows is ignored
 *   MULTIPART_BAD    m->why
 *
 * The end of the body before MULTIPART_END means that the body was cut: that is for the caller to
 * see. */
#ifndef PLATEN_HTTP_MULTIPART_IN_H
#define PLATEN_HTTP_MULTIPART_IN_H

#include "base/str.h"

enum { MULTIPART_BOUNDARY_MAX = 70, MULTIPART_HEAD_MAX = 8192, MULTIPART_NAME_MAX = 255 };

typedef enum HttpMultiparted {
    MULTIPART_MORE,
    MULTIPART_PART,
    MULTIPART_DATA,
    MULTIPART_PART_END,
    MULTIPART_END,
    MULTIPART_BAD,
} HttpMultiparted;

typedef struct HttpMultipart {
    uint8_t state;
    bool line_start; /* the first two bytes matched were not there: a boundary may begin right here
                      */
    bool file;       /* the part named a file, even if the name is empty */
    char mark[MULTIPART_BOUNDARY_MAX + 4]; /* CR LF - - boundary */
    size_t mark_len, matched, skipped, head_len;
    Str name, filename, type;
    const char *why;
    char name_text[MULTIPART_NAME_MAX * 4], filename_text[MULTIPART_NAME_MAX * 4];
    char head[MULTIPART_HEAD_MAX];
} HttpMultipart;

/* False: `content_type` is not multipart/form-data with a boundary that RFC 2046 allows. */
bool http_multipart_init(HttpMultipart *m, Str content_type);
HttpMultiparted http_multipart(HttpMultipart *m, Str *in, Str *data);

/* The value of parameter `name` in a header value such as form-data; name="a\"b". Quoted or token;
 * unescaped into `out`, of `size` bytes. False: it is absent, longer, or not well-formed
 * (disposition.c). */
bool http_param(Str value, const char *name, char *out, size_t size, Str *found);
/* All parameters are well-formed. */
bool http_params_valid(Str value);
/* filename* (RFC 8187) or filename of a Content-Disposition: base name only, valid UTF-8, no
 * control characters, at most MULTIPART_NAME_MAX bytes. False: there is none. `out` needs
 * MULTIPART_NAME_MAX * 4 bytes. */
bool http_disposition_filename(Str value, char *out, Str *found);

#endif
