/* fuzz_engine_message.c: one message of an engine, as hostile as can be. What comes out must be
 * harmless. */
#include "engine/talk_in.h"

#include <stdlib.h>
#include <string.h>

static void check(bool ok)
{
    if (!ok)
        abort();
}

static bool is_one_line(Str s, size_t max)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7F)
            return false;
    return s.len <= max && str_is_utf8(s);
}

/* A relative path that leads nowhere else: no empty part, no "." and no "..". */
static void check_path(Str path)
{
    Str rest = path, part;
    check(str_find_char(path, '\\') == STR_NONE);
    while (path.len > 0 && str_next(&rest, '/', &part))
        check(part.len > 0 && !str_eq_c(part, ".") && !str_eq_c(part, ".."));
}

static void check_said(const Said *s)
{
    check(is_one_line(s->text, SAID_TEXT_MAX) && is_one_line(s->unit, SAID_UNIT_MAX));
    check(is_one_line(s->name, SAID_NAME_MAX) && is_one_line(s->type, 127));
    check_path(s->name);
    check(s->kind != SAID_OUTPUT || (s->name.len > 0 && s->type.len > 0));
    check(s->kind != SAID_ERROR || (s->error.code != OK && s->error.code != ERR_NO_MEMORY));
    check(s->kind != SAID_RESULT || json_is(s->data, JSON_OBJECT));
    check(s->done >= 0 && s->total >= 0 && s->amount >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const Step step = {.name = "x.y"};
    Said said;
    Err err = {0};
    CLEANUP(arena_close) Arena *a = arena_open(32 * MIB);
    if (a == NULL || size == 0)
        return 0;
    /* The first byte says how many descriptors came along. */
    ErrCode rc =
        talk_read((Str){(const char *)bytes + 1, size - 1}, bytes[0] & 3, &step, a, &said, &err);
    check(rc == OK || rc == ERR_ENGINE_PROTOCOL || rc == ERR_NO_MEMORY);
    if (rc == OK)
        check_said(&said);
    else
        check(err.text[0] != 0);
    return 0;
}
