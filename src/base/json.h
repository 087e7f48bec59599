/* json.h: strict JSON (RFC 8259), read into an arena and written into a Buf.
 *
 * Reading: UTF-8 checked, surrogate pairs checked, no trailing commas, comments, NaN or leading
 * zeros; depth and size are limited. Integers that fit int64_t are exact (JSON_INT); every other
 * number keeps its text (JSON_NUMBER). Duplicate keys: the last one counts. Text without escapes
 * points into the source, which must outlive the tree.
 *
 *   const Json *doc;
 *   if (json_parse(a, text, &doc, err) != OK) …
 *   Str name = json_text(json_get(doc, "name"));       // absent or another type: the empty Str
 *   json_each(item, json_get(doc, "items")) …
 *
 * Writing keeps track of commas; the result is valid JSON by construction as long as begin and end
 * match:
 *
 *   JsonOut j = json_out(&buf);
 *   json_begin(&j, '{');  json_key(&j, "pages");  json_put_int(&j, 3);  json_end(&j, '}');
 *   json_kv_str(&j, "name", name);                     // key and value in one
 */
#ifndef PLATEN_BASE_JSON_H
#define PLATEN_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"

enum { JSON_DEPTH_MAX = 64 };

typedef enum JsonType {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,
    JSON_NUMBER,
    JSON_TEXT,
    JSON_LIST,
    JSON_OBJECT,
} JsonType;

typedef struct Json {
    JsonType type;
    bool truth;      /* JSON_BOOL */
    int64_t integer; /* JSON_INT */
    Str text;        /* JSON_TEXT: unescaped; JSON_INT, JSON_NUMBER: as written */
    Str key;         /* when this is an object's member: unescaped name */
    size_t len;      /* JSON_LIST, JSON_OBJECT: number of members */
    struct Json *first, *next;
} Json;

/* ERR_BAD_JSON with line and column, or ERR_NO_MEMORY when the arena is full. */
MUST_CHECK ErrCode json_parse(Arena *a, Str text, const Json **out, Err *err);

/* All accept NULL and the wrong type, so paths can be read without asking at each step. */
const Json *json_get(const Json *object, const char *key);
const Json *json_get_str(const Json *object, Str key);
Str json_text(const Json *j); /* empty Str when not text */
int64_t json_int(const Json *j, int64_t otherwise);
bool json_bool(const Json *j, bool otherwise);
bool json_double(const Json *j, double *out); /* JSON_INT and JSON_NUMBER */
bool json_is(const Json *j, JsonType type);
#define json_each(item, list)                                                                      \
    for (const Json *item = (list) != NULL ? (list)->first : NULL; item != NULL; item = item->next)

typedef struct JsonOut {
    Buf *buf;
    bool comma; /* the next value or key needs one before it */
} JsonOut;

JsonOut json_out(Buf *b);
void json_begin(JsonOut *j, char open); /* '{' or '[' */
void json_end(JsonOut *j, char close);
void json_key(JsonOut *j, const char *key);
void json_key_str(JsonOut *j, Str key);
void json_put_str(JsonOut *j, Str s);       /* invalid UTF-8 becomes U+FFFD */
void json_put_c(JsonOut *j, const char *s); /* NULL is written as null */
void json_put_int(JsonOut *j, int64_t v);
void json_put_double(JsonOut *j, double v); /* not finite: null */
void json_put_bool(JsonOut *j, bool v);
void json_put_null(JsonOut *j);
void json_put_raw(JsonOut *j, Str json);      /* text that is JSON already */
void json_put(JsonOut *j, const Json *value); /* NULL is written as null */

void json_kv_str(JsonOut *j, const char *key, Str v);
void json_kv_c(JsonOut *j, const char *key, const char *v);
void json_kv_int(JsonOut *j, const char *key, int64_t v);
void json_kv_double(JsonOut *j, const char *key, double v);
void json_kv_bool(JsonOut *j, const char *key, bool v);
void json_kv_raw(JsonOut *j, const char *key, Str json);

#endif
