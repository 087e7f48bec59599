/* chunk_in.h: the chunked transfer coding, strictly by RFC 9112, 7.1. Pure.
 *
 *   while (http_chunk(&c, &in, &data) == CHUNK_DATA) … use data …    // data is a slice of what was
 * in `in`
 *
 * CHUNK_MORE: `in` is used up. CHUNK_END: the body is whole; `in` begins with what follows it.
 * Extensions and trailers are checked for form, limited and thrown away. */
#ifndef PLATEN_HTTP_CHUNK_IN_H
#define PLATEN_HTTP_CHUNK_IN_H

#include "base/str.h"

typedef enum HttpChunked { CHUNK_MORE, CHUNK_DATA, CHUNK_END, CHUNK_BAD } HttpChunked;

typedef struct HttpChunk {
    uint8_t state, digits;
    uint32_t extra; /* bytes of extensions and trailers so far */
    int64_t left;   /* of this chunk */
    const char *why;
} HttpChunk;

HttpChunked http_chunk(HttpChunk *c, Str *in, Str *data);

#endif
