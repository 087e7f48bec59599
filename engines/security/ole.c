/* ole.c: compound files. */
#include "security/ole.h"

#include "base/buf.h"

#include <string.h>

enum { HEADER = 512, ENTRY = 128, DIFAT_IN_HEADER = 109, LAST_SECTOR = 0xFFFFFFFA };

static const char magic[] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

static uint32_t u16(Str s, size_t at)
{
    const unsigned char *b = (const unsigned char *)s.ptr;
    return at + 2 > s.len ? 0 : (uint32_t)b[at] | (uint32_t)b[at + 1] << 8;
}

static uint32_t u32(Str s, size_t at)
{
    return at + 4 > s.len ? OLE_NONE : u16(s, at) | u16(s, at + 2) << 16;
}

bool ole_is(Str bytes)
{
    return bytes.len >= HEADER && str_starts(bytes, (Str){magic, 8});
}

static Str sector_of(const Ole *o, uint32_t sector)
{
    uint64_t at = ((uint64_t)sector + 1) * o->sector;
    return at >= o->bytes.len ? (Str){0} : str_slice(o->bytes, at, at + o->sector);
}

static size_t sectors_of(const Ole *o)
{
    return o->bytes.len / o->sector + 1;
}

/* All entries of one sector of the table. */
static void add_fat_sector(Ole *o, uint32_t sector, size_t cap)
{
    Str s = sector_of(o, sector);
    for (size_t i = 0; i + 4 <= o->sector && o->fat_len < cap; i += 4)
        o->fat[o->fat_len++] = i + 4 <= s.len ? u32(s, i) : OLE_NONE;
}

static bool read_fat(Ole *o)
{
    /* A table longer than the file's sectors says nothing. */
    size_t cap = sectors_of(o) + o->sector / 4;
    o->fat = arena_new(o->arena, uint32_t, cap);
    if (o->fat == NULL)
        return false;
    for (size_t i = 0; i < DIFAT_IN_HEADER; i++) {
        uint32_t sector = u32(o->bytes, 76 + i * 4);
        if (sector < LAST_SECTOR)
            add_fat_sector(o, sector, cap);
    }
    uint32_t next = u32(o->bytes, 68);
    for (size_t n = 0; next < LAST_SECTOR && n < sectors_of(o); n++) {
        Str s = sector_of(o, next);
        for (size_t i = 0; i + 8 <= s.len; i += 4)
            if (u32(s, i) < LAST_SECTOR)
                add_fat_sector(o, u32(s, i), cap);
        next = s.len == o->sector ? u32(s, o->sector - 4) : OLE_NONE;
    }
    return true;
}

/* The bytes of a chain, `max` at most. A chain that loops ends with the file's length. */
static Str read_chain(const Ole *o, Arena *a, uint32_t sector, size_t max)
{
    Buf b = buf_init(a, o->bytes.len + o->sector);
    for (size_t n = 0; sector < LAST_SECTOR && n < sectors_of(o) && b.len < max; n++) {
        buf_add(&b, sector_of(o, sector));
        sector = sector < o->fat_len ? o->fat[sector] : OLE_NONE;
    }
    return b.failed ? (Str){0} : str_slice(buf_str(&b), 0, max);
}

static bool read_mini_fat(Ole *o)
{
    Str table = read_chain(o, o->arena, u32(o->bytes, 60), o->bytes.len);
    o->mini_fat_len = table.len / 4;
    o->mini_fat = arena_new(o->arena, uint32_t, o->mini_fat_len + 1);
    if (o->mini_fat == NULL)
        return false;
    for (size_t i = 0; i < o->mini_fat_len; i++)
        o->mini_fat[i] = u32(table, i * 4);
    return true;
}

static Str name_of(Arena *a, Str entry)
{
    size_t len = u16(entry, 64);
    Buf b = buf_init(a, 256);
    for (size_t i = 0; i + 2 < len && i < 62; i += 2)
        buf_add_utf8(&b,
                     u16(entry, i) >= 0xD800 && u16(entry, i) < 0xE000 ? 0xFFFD : u16(entry, i));
    return b.failed ? (Str){0} : buf_str(&b);
}

static bool read_directory(Ole *o)
{
    Str dir = read_chain(o, o->arena, u32(o->bytes, 48), o->bytes.len);
    size_t count = dir.len / ENTRY;
    count = count < OLE_ENTRIES_MAX ? count : OLE_ENTRIES_MAX;
    o->entries = arena_new(o->arena, OleEntry, count + 1);
    if (o->entries == NULL || count == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        Str e = str_slice(dir, i * ENTRY, (i + 1) * ENTRY);
        unsigned char type = (unsigned char)e.ptr[66];
        OleEntry *out = &o->entries[i];
        *out = (OleEntry){.name = name_of(o->arena, e),
                          .storage = type == 1 || type == 5,
                          .root = type == 5,
                          .parent = OLE_NONE,
                          .left = u32(e, 68),
                          .right = u32(e, 72),
                          .child = u32(e, 76),
                          .start = u32(e, 116),
                          .size = u32(e, 120),
                          .orphan = true};
        memcpy(out->clsid, e.ptr + 80, 16);
        /* Unused entries have type 0. A stream of type 0 with a name and a size is hidden, not
         * unused. */
        if (type == 0 && (out->name.len == 0 || out->size == 0))
            out->name = (Str){0};
    }
    o->len = count;
    return true;
}

/* The tree of one storage is a red-black tree of its children; walked with a stack of our own. */
static void adopt(Ole *o, uint32_t parent, uint32_t *stack)
{
    size_t depth = 0;
    stack[depth++] = o->entries[parent].child;
    while (depth > 0) {
        uint32_t i = stack[--depth];
        if (i >= o->len || o->entries[i].visited)
            continue;
        OleEntry *e = &o->entries[i];
        e->visited = true;
        e->orphan = false;
        e->parent = parent;
        if (depth + 2 <= o->len) {
            stack[depth++] = e->left;
            stack[depth++] = e->right;
        }
    }
}

static bool find_parents(Ole *o)
{
    uint32_t *stack = arena_new(o->arena, uint32_t, o->len + 4);
    if (stack == NULL)
        return false;
    o->entries[0].visited = true;
    o->entries[0].orphan = false;
    for (uint32_t i = 0; i < o->len; i++)
        if (o->entries[i].storage)
            adopt(o, i, stack);
    return true;
}

ErrCode ole_open(Arena *a, Str bytes, Ole *out, Err *err)
{
    Ole *o = out;
    uint32_t shift = u16(bytes, 30), mini_shift = u16(bytes, 32);
    if (!ole_is(bytes))
        return err_set(err, ERR_INPUT_DAMAGED, "not a compound file");
    *o = (Ole){.arena = a,
               .bytes = bytes,
               .sector = shift == 12 ? 4096 : 512,
               .mini_sector = (size_t)1 << (mini_shift >= 4 && mini_shift <= 12 ? mini_shift : 6),
               .cutoff = 4096};
    if (!read_fat(o) || !read_mini_fat(o))
        return err_set(err, ERR_NO_MEMORY, "no memory for a compound file");
    if (!read_directory(o) || !find_parents(o))
        return err_set(err, ERR_INPUT_DAMAGED, "a compound file without a directory");
    o->mini = read_chain(o, a, o->entries[0].start,
                         o->entries[0].size < bytes.len ? o->entries[0].size : bytes.len);
    return OK;
}

static Str read_mini(const Ole *o, Arena *a, uint32_t sector, size_t max)
{
    Buf b = buf_init(a, o->mini.len + o->mini_sector);
    for (size_t n = 0; sector < LAST_SECTOR && n <= o->mini_fat_len && b.len < max; n++) {
        uint64_t at = (uint64_t)sector * o->mini_sector;
        if (at >= o->mini.len)
            break;
        buf_add(&b, str_slice(o->mini, at, at + o->mini_sector));
        sector = sector < o->mini_fat_len ? o->mini_fat[sector] : OLE_NONE;
    }
    return b.failed ? (Str){0} : str_slice(buf_str(&b), 0, max);
}

Str ole_stream(Ole *o, size_t entry, Arena *a, size_t max)
{
    const OleEntry *e = &o->entries[entry];
    size_t size = e->size < max ? (size_t)e->size : max;
    if (e->storage || size == 0)
        return (Str){0};
    return e->size < o->cutoff ? read_mini(o, a, e->start, size) : read_chain(o, a, e->start, size);
}

uint32_t ole_find(const Ole *o, uint32_t parent, const char *name)
{
    for (uint32_t i = 0; i < o->len; i++)
        if (o->entries[i].parent == parent && !o->entries[i].orphan &&
            str_eq_nocase(o->entries[i].name, str_from_c(name)))
            return i;
    return OLE_NONE;
}
