/* multipart/form-data whole and in pieces: the same parts and bytes; names that are safe. */
#include "http/multipart_in.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Outcome {
    HttpMultiparted end;
    int parts, ends;
    uint64_t sum;
} Outcome;

static void check(bool fine)
{
    if (!fine)
        abort();
}

static void add(Outcome *o, Str s)
{
    for (size_t i = 0; i < s.len; i++)
        o->sum = o->sum * 33 + (unsigned char)s.ptr[i];
}

static void check_part(Outcome *o, const HttpMultipart *m)
{
    check(str_is_utf8(m->name) && m->filename.len <= MULTIPART_NAME_MAX &&
          str_is_utf8(m->filename));
    check(str_find_char(m->filename, '/') == STR_NONE &&
          str_find_char(m->filename, '\\') == STR_NONE);
    check(str_find_char(m->filename, 0) == STR_NONE && !str_eq(m->filename, STR("..")));
    o->parts++;
    add(o, m->name);
    add(o, m->filename);
    add(o, m->type);
}

static void feed(Outcome *o, HttpMultipart *m, Str in)
{
    char *copy = malloc(in.len);
    memcpy(copy, in.ptr, in.len);
    Str data, rest = {copy, in.len};
    do {
        o->end = http_multipart(m, &rest, &data);
        if (o->end == MULTIPART_PART)
            check_part(o, m);
        else if (o->end == MULTIPART_DATA)
            add(o, data);
        else if (o->end == MULTIPART_PART_END)
            o->ends++;
    } while (o->end == MULTIPART_PART || o->end == MULTIPART_DATA || o->end == MULTIPART_PART_END);
    free(copy);
}

static Outcome run(Str type, Str body, size_t step)
{
    Outcome o = {.end = MULTIPART_MORE};
    HttpMultipart *m = malloc(sizeof *m);
    if (!http_multipart_init(m, type)) {
        o.end = MULTIPART_BAD;
        free(m);
        return o;
    }
    for (size_t at = 0; at < body.len && o.end != MULTIPART_BAD; at += step)
        feed(&o, m, str_slice(body, at, body.len - at < step ? body.len : at + step));
    check(o.end != MULTIPART_BAD || m->why != NULL);
    check(o.parts - o.ends <= 1);
    free(m);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Str all = {(const char *)data, size};
    size_t line =
        str_find_char(all, '\n'); /* the first line may be the type; else the boundary is b */
    bool own_type = str_starts(all, STR("multipart/"));
    Str type = own_type ? str_slice(all, 0, line) : STR("multipart/form-data; boundary=b");
    Str body = own_type ? str_slice(all, line == STR_NONE ? size : line + 1, size) : all;
    Outcome whole = run(type, body, SIZE_MAX / 2);
    static const size_t steps[] = {1, 3, 16};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        Outcome cut = run(type, body, steps[i]);
        check(cut.end == whole.end && cut.parts == whole.parts && cut.ends == whole.ends &&
              cut.sum == whole.sum);
    }
    return 0;
}
