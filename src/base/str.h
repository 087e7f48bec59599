/* str.h: text as pointer and length.
 *
 * Slices cost nothing, need no copy and may hold any byte. C strings appear in const tables and at
 * the edge of a library that wants one (str_to_c). A Str owns nothing: its bytes live in an arena,
 * a buffer or a constant. */
#ifndef PLATEN_BASE_STR_H
#define PLATEN_BASE_STR_H

#include "base/arena.h"

typedef struct Str {
    const char *ptr;
    size_t len;
} Str;

#define STR(literal) ((Str){"" literal, sizeof(literal) - 1})
#define STR_FMT      "%.*s"
#define STR_ARG(s)   (int)(s).len, (s).ptr

Str str_from_c(const char *s);   /* NULL gives the empty Str */
Str str_copy(Arena *a, Str s);   /* .ptr == NULL when the arena is full */
char *str_to_c(Arena *a, Str s); /* copy with a final 0; NULL when the arena is full */
/* .ptr == NULL when the arena is full; otherwise it is a C string too (a 0 follows the text). */
Str str_printf(Arena *a, const char *fmt, ...) PRINTF(2, 3);

bool str_eq(Str a, Str b);
bool str_eq_c(Str a, const char *b);
bool str_eq_nocase(Str a, Str b); /* ASCII letters only */
int str_cmp(Str a, Str b);
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
bool str_ends_nocase(Str s, Str suffix);

Str str_slice(Str s, size_t from, size_t to); /* both are clamped to the text */
Str str_trim(Str s);                          /* spaces, tabs, CR and LF at both ends */
#define STR_NONE SIZE_MAX
size_t str_find(Str s, Str needle);   /* index, or STR_NONE */
size_t str_find_char(Str s, char c);  /* index, or STR_NONE */
size_t str_rfind_char(Str s, char c); /* index, or STR_NONE */

/* Take the part before the next `sep` off the front of *rest. False when *rest is used up (ptr ==
 * NULL).
 *   Str rest = STR("a,b"), part;  while (str_next(&rest, ',', &part)) … */
bool str_next(Str *rest, char sep, Str *part);

/* Whole text as a decimal number; false on anything else, overflow included. *out is set only on
 * success. */
bool str_to_i64(Str s, int64_t *out);
bool str_to_double(Str s, double *out);

/* Lower-case copy, ASCII only. .ptr == NULL when the arena is full. */
Str str_lower(Arena *a, Str s);

/* UTF-8. Decode one code point at *at and move past it; an invalid byte gives U+FFFD and moves one
 * byte. */
uint32_t str_next_utf8(Str s, size_t *at);
bool str_is_utf8(Str s);
size_t str_put_utf8(char out[4], uint32_t cp); /* bytes written, 1 to 4 */
size_t str_count_utf8(Str s);                  /* code points */

#endif
