/* What differs between two definitions, member by member. The order of an object's members is no
 * difference, that of a list's items is. */
#include "core/pipeline.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct Differ {
    Arena *arena; /* scratch */
    JsonOut *out;
    Buf path;
    bool no_memory;
} Differ;

typedef struct Key {
    Str name;
    size_t index;
    const Json *from, *to; /* one of them may be NULL */
} Key;

static int by_name(const void *left, const void *right)
{
    const Key *a = left, *b = right;
    int d = str_cmp(a->name, b->name);
    return d != 0 ? d : (a->index > b->index) - (a->index < b->index);
}

static bool same_number(const Json *a, const Json *b)
{
    double x, y;
    if (a->type == JSON_INT && b->type == JSON_INT)
        return a->integer == b->integer;
    if (str_eq(a->text, b->text))
        return true;
    return json_double(a, &x) && json_double(b, &y) && !(x < y) && !(x > y);
}

static bool is_number(const Json *j)
{
    return j->type == JSON_INT || j->type == JSON_NUMBER;
}

static bool same_plain(const Json *a, const Json *b)
{
    if (is_number(a) && is_number(b))
        return same_number(a, b);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case JSON_BOOL:
        return a->truth == b->truth;
    case JSON_TEXT:
        return str_eq(a->text, b->text);
    case JSON_NULL:
        return true;
    case JSON_INT:
    case JSON_NUMBER:
    case JSON_LIST:
    case JSON_OBJECT:
        break;
    }
    return false;
}

static void put_change(Differ *d, const char *kind, const Json *from, const Json *to)
{
    json_begin(d->out, '{');
    json_kv_c(d->out, "kind", kind);
    json_kv_str(d->out, "path", buf_str(&d->path));
    if (from != NULL) {
        json_key(d->out, "from");
        json_put(d->out, from);
    }
    if (to != NULL) {
        json_key(d->out, "to");
        json_put(d->out, to);
    }
    json_end(d->out, '}');
}

static void put_value(Differ *d, const Json *from, const Json *to);

static bool is_word(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '_' && c != '-')
            return false;
    }
    return s.len > 0;
}

static void put_member(Differ *d, const Key *k)
{
    size_t before = d->path.len;
    if (!is_word(k->name)) {
        JsonOut j = json_out(&d->path);
        buf_add_char(&d->path, '[');
        json_put_str(&j, k->name);
        buf_add_char(&d->path, ']');
    } else {
        buf_addf(&d->path, "%s" STR_FMT, before > 0 ? "." : "", STR_ARG(k->name));
    }
    put_value(d, k->from, k->to);
    d->path.len = before;
}

static size_t add_keys(Key *keys, size_t len, const Json *object, bool is_from)
{
    json_each(member, object) {
        keys[len] = (Key){.name = member->key, .index = len};
        *(is_from ? &keys[len].from : &keys[len].to) = member;
        len++;
    }
    return len;
}

static void put_object(Differ *d, const Json *from, const Json *to)
{
    Key *keys = arena_new(d->arena, Key, from->len + to->len);
    if (keys == NULL) {
        d->no_memory = true;
        return;
    }
    size_t len = add_keys(keys, add_keys(keys, 0, from, true), to, false);
    if (len > 1)
        qsort(keys, len, sizeof *keys, by_name);
    for (size_t i = 0; i < len && !d->no_memory;) {
        Key both = keys[i];
        for (; i < len && str_eq(keys[i].name, both.name); i++) { /* of doubles the last counts */
            both.from = keys[i].from != NULL ? keys[i].from : both.from;
            both.to = keys[i].to != NULL ? keys[i].to : both.to;
        }
        put_member(d, &both);
    }
}

static void put_list(Differ *d, const Json *from, const Json *to)
{
    const Json *a = from->first, *b = to->first;
    for (size_t i = 0; a != NULL || b != NULL; i++) {
        size_t before = d->path.len;
        buf_addf(&d->path, "[%zu]", i);
        put_value(d, a, b);
        d->path.len = before;
        a = a != NULL ? a->next : NULL;
        b = b != NULL ? b->next : NULL;
    }
}

static void put_value(Differ *d, const Json *from, const Json *to)
{
    if (d->path.failed || d->no_memory)
        d->no_memory = true;
    else if (from == NULL)
        put_change(d, "added", NULL, to);
    else if (to == NULL)
        put_change(d, "removed", from, NULL);
    else if (from->type == JSON_OBJECT && to->type == JSON_OBJECT)
        put_object(d, from, to);
    else if (from->type == JSON_LIST && to->type == JSON_LIST)
        put_list(d, from, to);
    else if (!same_plain(from, to))
        put_change(d, "changed", from, to);
}

void pipeline_put_diff(const Json *from, const Json *to, JsonOut *j)
{
    CLEANUP(arena_close) Arena *scratch = arena_open(64 * MIB);
    Differ d = {.arena = scratch, .out = j, .no_memory = scratch == NULL};
    json_begin(j, '[');
    if (scratch != NULL) {
        d.path = buf_init(scratch, PIPELINE_TEXT_MAX * 2);
        put_value(&d, from, to);
    }
    json_end(j, ']');
    if (d.no_memory)
        j->buf->failed = true;
}
