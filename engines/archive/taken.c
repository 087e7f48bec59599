#include "archive/taken.h"

bool taken_init(Taken *t, Arena *a, size_t names_max)
{
    size_t len = 16;
    while (len < names_max * 2)
        len *= 2;
    *t = (Taken){.arena = a, .slots = arena_new(a, Str, len), .slots_len = len};
    return t->slots != NULL;
}

/* FNV-1a over lower case. The names are few, and all come from one archive: no harm in collisions.
 */
static size_t hash_of(Str s)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 1099511628211u;
    }
    return (size_t)(h ^ (h >> 29));
}

/* The slot that holds the name, or the empty one where it belongs. */
static Str *slot_of(Taken *t, Str name)
{
    for (size_t at = hash_of(name);; at++) {
        Str *slot = &t->slots[at & (t->slots_len - 1)];
        if (slot->ptr == NULL || str_eq_nocase(*slot, name))
            return slot;
    }
}

Str taken_name(Taken *t, Str name)
{
    enum { TRIES = 10000 };
    size_t slash = str_rfind_char(name, '/'), base = slash == STR_NONE ? 0 : slash + 1;
    size_t dot = str_rfind_char(str_slice(name, base, name.len), '.');
    size_t split = dot == STR_NONE || dot == 0 ? name.len : base + dot;
    ArenaMark mark = arena_mark(t->arena);
    Str attempt = str_copy(t->arena, name);
    for (int n = 2; attempt.ptr != NULL && n < TRIES; n++) {
        Str *slot = slot_of(t, attempt);
        if (slot->ptr == NULL) {
            *slot = attempt;
            return attempt;
        }
        arena_rewind(t->arena, mark);
        attempt = str_printf(t->arena, STR_FMT " (%d)" STR_FMT, STR_ARG(str_slice(name, 0, split)),
                             n, STR_ARG(str_slice(name, split, name.len)));
    }
    return (Str){0};
}
