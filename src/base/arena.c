#include "base/arena.h"
#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_FIRST = 4096, CHUNK_LARGEST = 1 << 20, ALIGN = 16 };

typedef struct Chunk {
    struct Chunk *before;
    size_t size, used;
    _Alignas(ALIGN) unsigned char bytes[];
} Chunk;

struct Arena {
    Chunk *last;
    size_t ceiling, total;
    size_t next_size;
};

Arena *arena_open(size_t ceiling_bytes)
{
    Arena *a = fault_hit("arena.open") ? NULL : malloc(sizeof *a);
    if (a != NULL)
        *a = (Arena){.ceiling = ceiling_bytes, .next_size = CHUNK_FIRST};
    return a;
}

static void drop_chunks_after(Arena *a, const Chunk *keep)
{
    while (a->last != keep) {
        Chunk *c = a->last;
        a->last = c->before;
        free(c);
    }
}

void arena_close(Arena **a)
{
    if (a == NULL || *a == NULL)
        return;
    drop_chunks_after(*a, NULL);
    free(*a);
    *a = NULL;
}

static bool add_chunk(Arena *a, size_t need)
{
    size_t size = a->next_size > need ? a->next_size : need;
    if (size > SIZE_MAX - sizeof(Chunk))
        return false;
    Chunk *c = fault_hit("arena.chunk") ? NULL : malloc(sizeof *c + size);
    if (c == NULL)
        return false;
    *c = (Chunk){.before = a->last, .size = size};
    a->last = c;
    if (a->next_size < CHUNK_LARGEST)
        a->next_size *= 2;
    return true;
}

void *arena_alloc_raw(Arena *a, size_t size)
{
    if (size > SIZE_MAX - ALIGN)
        return NULL;
    size_t want = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (want > a->ceiling - a->total)
        return NULL;
    if (a->last == NULL || want > a->last->size - a->last->used)
        if (!add_chunk(a, want))
            return NULL;
    void *p = a->last->bytes + a->last->used;
    a->last->used += want;
    a->total += want;
    return p;
}

void *arena_alloc(Arena *a, size_t size)
{
    void *p = arena_alloc_raw(a, size);
    if (p != NULL)
        memset(p, 0, size);
    return p;
}

void *arena_alloc_array(Arena *a, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return arena_alloc(a, count * size);
}

/* The last allocation of the last chunk can grow in place. */
static bool grow_in_place(Arena *a, const void *ptr, size_t old_size, size_t new_size)
{
    Chunk *c = a->last;
    if (c == NULL || ptr == NULL)
        return false;
    size_t old_want = (old_size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    size_t new_want = (new_size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (old_want > c->used || c->bytes + c->used - old_want != ptr)
        return false;
    size_t more = new_want - old_want;
    if (more > c->size - c->used || more > a->ceiling - a->total)
        return false;
    c->used += more;
    a->total += more;
    return true;
}

void *arena_grow(Arena *a, void *ptr, size_t old_size, size_t new_size)
{
    if (new_size > SIZE_MAX - ALIGN)
        return NULL;
    if (new_size <= old_size || grow_in_place(a, ptr, old_size, new_size))
        return ptr;
    void *p = arena_alloc_raw(a, new_size);
    if (p != NULL && old_size > 0)
        memcpy(p, ptr, old_size);
    return p;
}

ArenaMark arena_mark(const Arena *a)
{
    return (ArenaMark){a->last, a->last != NULL ? a->last->used : 0, a->total};
}

void arena_rewind(Arena *a, ArenaMark m)
{
    drop_chunks_after(a, m.chunk);
    if (a->last != NULL)
        a->last->used = m.used;
    a->total = m.total;
}

void arena_reset(Arena *a)
{
    arena_rewind(a, (ArenaMark){0});
    a->next_size = CHUNK_FIRST;
}

void arena_recycle(Arena *a)
{
    Chunk *first = a->last;
    while (first != NULL && first->before != NULL)
        first = first->before;
    if (first != NULL && first->size > CHUNK_FIRST)
        first = NULL; /* it was made for something large */
    arena_rewind(a, (ArenaMark){.chunk = first});
    a->next_size = first != NULL ? CHUNK_FIRST * 2 : CHUNK_FIRST;
}

size_t arena_used(const Arena *a)
{
    return a->total;
}

size_t arena_left(const Arena *a)
{
    return a->ceiling - a->total;
}
