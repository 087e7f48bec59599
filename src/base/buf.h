/* buf.h: text that grows in an arena, up to a ceiling.
 *
 * A Buf remembers failure, so one question at the end is enough:
 *
 *   Buf b = buf_init(arena, 64 * KIB);
 *   buf_addf(&b, "<li>%" PRId64 " pages: ", pages);
 *   buf_add_html(&b, title);                 // one escaping function per language
 *   if (b.failed) …
 */
#ifndef PLATEN_BASE_BUF_H
#define PLATEN_BASE_BUF_H

#include "base/str.h"

typedef struct Buf {
    Arena *arena;
    char *ptr;
    size_t len, cap, ceiling;
    bool failed; /* ceiling or arena reached: the text is cut and must not be used */
    bool over;   /* it was the ceiling */
} Buf;

Buf buf_init(Arena *a, size_t ceiling_bytes);
void buf_add(Buf *b, Str s);
void buf_add_c(Buf *b, const char *s);
void buf_add_char(Buf *b, char c);
void buf_addf(Buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_add_int(Buf *b, int64_t v);
void buf_add_utf8(Buf *b, uint32_t cp);
void buf_add_html(Buf *b, Str s); /* & < > " ' escaped */
void buf_add_url(Buf *b, Str s);  /* percent-encoded: all but A-Z a-z 0-9 - . _ ~ */
/* Room for `n` bytes at the end, to be written by the caller, then buf_wrote. NULL when there is
 * none. */
char *buf_room(Buf *b, size_t n);
void buf_wrote(Buf *b, size_t n);
void buf_clear(Buf *b); /* empty again, memory kept */
Str buf_str(const Buf *b);
const char *buf_c(Buf *b); /* with a final 0; "" after a failure */

#endif
