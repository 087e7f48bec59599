/* arena.h: memory that follows a lifetime.
 *
 * A request, a task, a parse: each has an Arena, takes what it needs from it and frees everything
 * in one call. An arena has a ceiling; past it allocation answers NULL, so untrusted input cannot
 * take the machine. Arenas hold plain bytes only; descriptors and library objects are released by
 * scope (fd.h, CLEANUP).
 *
 * Threads: one arena, one thread at a time.
 *
 *   CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
 *   Str *names = arena_new(a, Str, 16);     // zeroed; NULL when the ceiling is reached
 *   ArenaMark m = arena_mark(a);            // scratch memory for a loop …
 *   arena_rewind(a, m);                     // … given back after each round */
#ifndef PLATEN_BASE_ARENA_H
#define PLATEN_BASE_ARENA_H

#include "base/macros.h"

typedef struct Arena Arena;
typedef struct ArenaMark {
    void *chunk;
    size_t used, total;
} ArenaMark;

/* A new arena that hands out at most `ceiling_bytes`. NULL: no memory. Close it with arena_close.
 */
Arena *arena_open(size_t ceiling_bytes);
void arena_close(Arena **a);

/* `size` zeroed bytes aligned for any type. NULL when the ceiling is reached, the system has no
 * memory, or count * size overflows. size 0 gives a valid pointer that must not be read. */
void *arena_alloc(Arena *a, size_t size);
void *arena_alloc_array(Arena *a, size_t count, size_t size);
#define arena_new(a, T, count) ((T *)arena_alloc_array((a), (count), sizeof(T)))

/* The same without zeroing, for text that is written at once. */
void *arena_alloc_raw(Arena *a, size_t size);

/* Grow the most recent allocation in place where possible, else copy it. Old bytes are kept. */
void *arena_grow(Arena *a, void *ptr, size_t old_size, size_t new_size);

ArenaMark arena_mark(const Arena *a);
void arena_rewind(Arena *a, ArenaMark m);
void arena_reset(Arena *a);
/* As arena_reset, but the first chunk is kept: for an arena that is used again and again. */
void arena_recycle(Arena *a);

/* Bytes handed out so far, and how many more may be. */
size_t arena_used(const Arena *a);
size_t arena_left(const Arena *a);

#endif
