#include "core/registry.h"
#include "core/nearest.h"

#include <string.h>

enum { FIRST_CAP = 32 };

struct Registry {
    Arena *arena;
    const Step **steps; /* sorted by name */
    size_t len, cap;
};

Registry *registry_open(Arena *a)
{
    Registry *r = arena_new(a, Registry, 1);
    if (r != NULL)
        r->arena = a;
    return r;
}

/* Where the name is, or belongs. */
static size_t place_of(const Registry *r, Str name, bool *found)
{
    size_t from = 0, to = r->len;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int d = str_cmp(str_from_c(r->steps[middle]->name), name);
        if (d == 0) {
            *found = true;
            return middle;
        }
        if (d < 0)
            from = middle + 1;
        else
            to = middle;
    }
    *found = false;
    return from;
}

static bool make_room(Registry *r)
{
    if (r->len < r->cap)
        return true;
    size_t cap = r->cap > 0 ? r->cap * 2 : FIRST_CAP;
    const Step **steps = arena_new(r->arena, const Step *, cap);
    if (steps == NULL)
        return false;
    if (r->len > 0)
        memcpy(steps, r->steps, r->len * sizeof *steps);
    r->steps = steps;
    r->cap = cap;
    return true;
}

ErrCode registry_add(Registry *r, const Step *s, Err *err)
{
    const char *problem = registry_problem(s, r->arena);
    if (problem != NULL)
        return err_set(err, ERR_INTERNAL, "step %s: %s",
                       s->name != NULL ? s->name : "without a name", problem);
    bool found;
    size_t at = place_of(r, str_from_c(s->name), &found);
    if (found)
        return err_set(err, ERR_CONFLICT, "two steps are called %s", s->name);
    if (!make_room(r))
        return err_set(err, ERR_NO_MEMORY, "no memory for step %s", s->name);
    memmove(&r->steps[at + 1], &r->steps[at], (r->len - at) * sizeof *r->steps);
    r->steps[at] = s;
    r->len++;
    return OK;
}

const Step *registry_find(const Registry *r, Str name)
{
    bool found;
    size_t at = place_of(r, name, &found);
    return found ? r->steps[at] : NULL;
}

const Step *registry_nearest(const Registry *r, Str name)
{
    Nearest n = nearest_to(name);
    for (size_t i = 0; i < r->len; i++)
        if (!r->steps[i]->internal)
            nearest_try(&n, r->steps[i]->name);
    return n.name != NULL ? registry_find(r, str_from_c(n.name)) : NULL;
}

size_t registry_count(const Registry *r)
{
    return r->len;
}

const Step *registry_at(const Registry *r, size_t index)
{
    return index < r->len ? r->steps[index] : NULL;
}
