/* detect_pdf.c: does a PDF need a password, run scripts, carry files? Told by the names in it, also
 * in compressed object streams, without building its objects: so it costs little and no damage
 * hides anything. Names may be written as #4A#53. */
#include "document/detect_in.h"

#include <string.h>
#include <zlib.h>

enum { NAME_MAX_LEN = 40, STREAMS_MAX = 2000, DICT_BACK = 1024, PIECE = 64 << 10 };
#define INFLATED_MAX (32 * MIB)

typedef struct Scan {
    TypeFlags *flags;
    size_t inflated;
    int streams;
    char *piece; /* what a stream holds, a part at a time */
} Scan;

static bool is_name_end(char c)
{
    return (unsigned char)c <= ' ' || strchr("/<>[](){}%", c) != NULL;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

/* The name after a slash at `at`, its escapes resolved. */
static Str name_at(Str s, size_t at, char out[NAME_MAX_LEN])
{
    size_t len = 0;
    while (at < s.len && len < NAME_MAX_LEN && !is_name_end(s.ptr[at])) {
        char c = s.ptr[at++];
        if (c == '#' && at + 2 <= s.len && hex(s.ptr[at]) >= 0 && hex(s.ptr[at + 1]) >= 0) {
            c = (char)(hex(s.ptr[at]) * 16 + hex(s.ptr[at + 1]));
            at += 2;
        }
        out[len++] = c;
    }
    return (Str){out, len};
}

static void take_name(Scan *x, Str name)
{
    TypeFlags *f = x->flags;
    f->javascript = f->javascript || str_eq_c(name, "JavaScript") || str_eq_c(name, "JS");
    f->encrypted = f->encrypted || str_eq_c(name, "Encrypt");
    f->embedded = f->embedded || str_eq_c(name, "EmbeddedFile") ||
                  str_eq_c(name, "EmbeddedFiles") || str_eq_c(name, "FileAttachment");
}

static void take_names(Scan *x, Str s)
{
    for (size_t at = 0; at < s.len;) {
        const char *p = memchr(s.ptr + at, '/', s.len - at);
        if (p == NULL)
            return;
        at = (size_t)(p - s.ptr) + 1;
        char c = at < s.len ? s.ptr[at] : 0;
        if (c != 'J' && c != 'E' && c != 'F' && c != '#')
            continue;
        char buffer[NAME_MAX_LEN];
        take_name(x, name_at(s, at, buffer));
    }
}

/* Object streams hold dictionaries; pieces overlap by a name's length. */
static void take_object_stream(Scan *x, Str packed)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr,
                  .avail_in = (uInt)(packed.len < UINT32_MAX ? packed.len : UINT32_MAX)};
    if (x->streams++ >= STREAMS_MAX || inflateInit(&z) != Z_OK)
        return;
    size_t kept = 0;
    int rc = Z_OK;
    while (rc == Z_OK && x->inflated < INFLATED_MAX) {
        z.next_out = (Bytef *)x->piece + kept;
        z.avail_out = (uInt)(PIECE - kept);
        rc = inflate(&z, Z_SYNC_FLUSH);
        size_t len = PIECE - z.avail_out;
        if (len == kept)
            break;
        x->inflated += len - kept;
        take_names(x, (Str){x->piece, len});
        kept = len < NAME_MAX_LEN ? len : NAME_MAX_LEN;
        memmove(x->piece, x->piece + len - kept, kept);
    }
    inflateEnd(&z);
}

/* Between streams the bytes are looked at; of streams only those that hold objects. */
static void take_all(Scan *x, Str s)
{
    for (size_t at = 0; at < s.len;) {
        const char *p = memmem(s.ptr + at, s.len - at, "stream", 6);
        size_t begin = p != NULL ? (size_t)(p - s.ptr) : s.len;
        Str objects = str_slice(s, at, begin);
        take_names(x, objects);
        if (p == NULL)
            return;
        size_t from = begin + 6;
        while (from < s.len && (s.ptr[from] == '\r' || s.ptr[from] == '\n'))
            from++;
        const char *q = memmem(s.ptr + from, s.len - from, "endstream", 9);
        size_t end = q != NULL ? (size_t)(q - s.ptr) : s.len;
        Str dict =
            str_slice(objects, objects.len > DICT_BACK ? objects.len - DICT_BACK : 0, objects.len);
        size_t last = STR_NONE; /* of the objects before it only the last one is its own */
        for (size_t i = 0, next;
             (next = str_find(str_slice(dict, i, dict.len), STR(" obj"))) != STR_NONE;
             i += next + 4)
            last = i + next;
        dict = last != STR_NONE ? str_slice(dict, last, dict.len) : dict;
        if (str_find(dict, STR("ObjStm")) != STR_NONE)
            take_object_stream(x, str_slice(s, from, end));
        at = q != NULL ? end + 9 : s.len;
    }
}

void detect_pdf(Arena *a, Str s, TypeFlags *flags)
{
    ArenaMark mark = arena_mark(a);
    Scan x = {.flags = flags, .piece = arena_alloc_raw(a, PIECE)};
    if (x.piece != NULL)
        take_all(&x, s);
    arena_rewind(a, mark);
}
