#include "document/ole.h"

#include <string.h>

#include "document/bytes.h"

enum {
    HEADER_SIZE = 512,
    HEADER_TABLES = 109, /* table sectors that the header names; a chain of sectors names more */
    ENTRY_SIZE = 128,
    MINI_SIZE = 64,
    MINI_CUTOFF = 4096,
    NO_PARENT = -1
};
#define LAST_SECTOR 0xFFFFFFFAu /* this and above are marks, not sectors */

bool ole_is(Str bytes)
{
    return str_starts(bytes, STR("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"));
}

/* Sector 0 begins after the header, which takes a sector's room. */
static size_t sector_at(const Ole *o, uint32_t sector)
{
    return ((size_t)sector + 1) * o->sector_size;
}

static bool has_sector(const Ole *o, uint32_t sector)
{
    return sector < LAST_SECTOR && sector < o->sectors;
}

static uint32_t table_entry(const Ole *o, const uint32_t *tables, size_t len, uint32_t index)
{
    size_t per = o->sector_size / 4, table = index / per;
    if (table >= len || !has_sector(o, tables[table]))
        return LAST_SECTOR;
    size_t at = sector_at(o, tables[table]) + index % per * 4;
    return at + 4 <= o->bytes.len ? le32(o->bytes, at) : LAST_SECTOR;
}

static uint32_t next_sector(const Ole *o, uint32_t sector)
{
    return table_entry(o, o->tables, o->tables_len, sector);
}

/* All sectors of a chain, at most `most` of them. NULL: no memory; an empty chain is no failure. */
static uint32_t *take_chain(const Ole *o, uint32_t sector, size_t most, size_t *len)
{
    size_t count = 0;
    for (uint32_t s = sector; has_sector(o, s) && count < most; s = next_sector(o, s))
        count++;
    uint32_t *chain = arena_alloc_array(o->arena, count + 1, sizeof *chain);
    *len = chain != NULL ? count : 0;
    for (size_t i = 0; i < *len; i++, sector = next_sector(o, sector))
        chain[i] = sector;
    return chain;
}

/* The header names the first sectors of the table; each sector of the other kind names more, and
 * its last number is the sector that goes on. */
static bool read_tables(Ole *o)
{
    size_t per = o->sector_size / 4, most = o->sectors / per + 2;
    o->tables = arena_alloc_array(o->arena, most, sizeof *o->tables);
    if (o->tables == NULL)
        return false;
    for (size_t i = 0; i < HEADER_TABLES && o->tables_len < most; i++) {
        uint32_t s = le32(o->bytes, 76 + i * 4);
        if (!has_sector(o, s))
            return true;
        o->tables[o->tables_len++] = s;
    }
    uint32_t more = le32(o->bytes, 68);
    for (size_t n = 0; has_sector(o, more) && n < o->sectors; n++) {
        size_t at = sector_at(o, more);
        for (size_t i = 0; i + 1 < per && o->tables_len < most; i++) {
            uint32_t s = le32(o->bytes, at + i * 4);
            if (!has_sector(o, s))
                return true;
            o->tables[o->tables_len++] = s;
        }
        more = le32(o->bytes, at + (per - 1) * 4);
    }
    return true;
}

static Str name_of(Arena *a, Str entry)
{
    size_t bytes = le16(entry, 64), len = 0;
    char name[OLE_NAME_MAX + 4];
    for (size_t i = 0; i + 2 <= bytes && i < 64 && len < OLE_NAME_MAX; i += 2) {
        uint32_t c = le16(entry, i);
        if (c == 0)
            break;
        len += str_put_utf8(name + len, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
    }
    return str_copy(a, (Str){name, len});
}

static bool read_directory(Ole *o)
{
    size_t chain_len, per = o->sector_size / ENTRY_SIZE;
    uint32_t *chain = take_chain(o, le32(o->bytes, 48), OLE_ENTRIES_MAX / per + 1, &chain_len);
    o->entries = chain != NULL ? arena_new(o->arena, OleEntry, chain_len * per + 1) : NULL;
    if (o->entries == NULL)
        return false;
    for (size_t i = 0; i < chain_len; i++)
        for (size_t k = 0; k < per; k++) {
            size_t at = sector_at(o, chain[i]) + k * ENTRY_SIZE;
            Str e = str_slice(o->bytes, at, at + ENTRY_SIZE);
            OleEntry *to = &o->entries[o->len++];
            if (e.len < ENTRY_SIZE)
                continue;
            uint64_t size = o->sector_size == 512 ? le32(e, 120) : le64(e, 120);
            *to = (OleEntry){.name = name_of(o->arena, e),
                             .kind = (OleKind)(unsigned char)e.ptr[66],
                             .parent = NO_PARENT,
                             .left = le32(e, 68),
                             .right = le32(e, 72),
                             .child = le32(e, 76),
                             .clsid = str_slice(e, 80, 96),
                             .start = le32(e, 116),
                             .size_bytes = size};
            if (to->name.ptr == NULL)
                return false;
        }
    return true;
}

/* Walk the tree of every storage without recursion; an entry is reached once. */
static bool set_parents(Ole *o)
{
    typedef struct Step {
        uint32_t entry;
        int parent;
    } Step;
    Step *stack = arena_new(o->arena, Step, o->len * 3 + 3);
    bool *seen = arena_new(o->arena, bool, o->len + 1);
    if (stack == NULL || seen == NULL)
        return false;
    size_t depth = 0;
    if (o->len > 0) {
        seen[0] = true;
        stack[depth++] = (Step){o->entries[0].child, 0};
    }
    while (depth > 0) {
        Step s = stack[--depth];
        if (s.entry >= o->len || seen[s.entry])
            continue;
        OleEntry *e = &o->entries[s.entry];
        seen[s.entry] = true;
        e->parent = s.parent;
        stack[depth++] = (Step){e->left, s.parent};
        stack[depth++] = (Step){e->right, s.parent};
        if (e->kind == OLE_STORAGE)
            stack[depth++] = (Step){e->child, (int)s.entry};
    }
    return true;
}

ErrCode ole_open(Arena *a, Str bytes, Ole *out, Err *err)
{
    Ole o = {.arena = a, .bytes = bytes};
    uint32_t shift = le16(bytes, 30);
    o.sector_size = shift == 12 ? 4096 : 512;
    o.sectors = bytes.len > o.sector_size ? (bytes.len - 1) / o.sector_size : 0;
    if (!ole_is(bytes) || bytes.len < HEADER_SIZE)
        return err_set(err, ERR_INPUT_DAMAGED, "the file ends within its head");
    bool whole = read_tables(&o) && read_directory(&o) && set_parents(&o);
    if (whole && o.len > 0) {
        o.mini_tables = take_chain(&o, le32(bytes, 60), o.sectors, &o.mini_tables_len);
        o.mini_sectors = take_chain(&o, o.entries[0].start, o.sectors, &o.mini_sectors_len);
        whole = o.mini_tables != NULL && o.mini_sectors != NULL;
    }
    if (!whole)
        return err_set(err, ERR_LIMIT_MEMORY, "the file's directory does not fit into memory");
    if (o.len == 0)
        return err_set(err, ERR_INPUT_DAMAGED, "the file's directory is missing");
    *out = o;
    return OK;
}

int ole_find(const Ole *o, int storage, const char *name)
{
    Str want = str_from_c(name);
    for (size_t i = 1; i < o->len; i++)
        if (o->entries[i].parent == storage && str_eq_nocase(o->entries[i].name, want))
            return (int)i;
    return -1;
}

int ole_find_any(const Ole *o, const char *name)
{
    Str want = str_from_c(name);
    for (size_t i = 1; i < o->len; i++)
        if (o->entries[i].kind != OLE_UNUSED && str_eq_nocase(o->entries[i].name, want))
            return (int)i;
    return -1;
}

/* --- streams */

static Str mini_sector(const Ole *o, uint32_t index)
{
    size_t at = (size_t)index * MINI_SIZE, sector = at / o->sector_size;
    if (sector >= o->mini_sectors_len)
        return STR("");
    at = sector_at(o, o->mini_sectors[sector]) + at % o->sector_size;
    return str_slice(o->bytes, at, at + MINI_SIZE);
}

static Str one_sector(const Ole *o, uint32_t sector, bool mini)
{
    if (mini)
        return mini_sector(o, sector);
    size_t at = sector_at(o, sector);
    return has_sector(o, sector) ? str_slice(o->bytes, at, at + o->sector_size) : STR("");
}

static uint32_t following(const Ole *o, uint32_t sector, bool mini)
{
    return mini ? table_entry(o, o->mini_tables, o->mini_tables_len, sector)
                : next_sector(o, sector);
}

Str ole_read(const Ole *o, int entry, Arena *a, size_t max)
{
    if (entry < 0 || (size_t)entry >= o->len)
        return STR("");
    const OleEntry *e = &o->entries[entry];
    bool mini = e->size_bytes < MINI_CUTOFF && e->kind != OLE_ROOT;
    size_t want = e->size_bytes < max ? (size_t)e->size_bytes : max;
    want = want < o->bytes.len ? want : o->bytes.len;
    Str first = one_sector(o, e->start, mini);
    if (want == 0 || first.len == 0)
        return STR("");
    /* most streams lie in one piece */
    size_t got = first.len;
    uint32_t sector = e->start;
    while (got < want) {
        uint32_t next = following(o, sector, mini);
        Str s = one_sector(o, next, mini);
        if (s.len == 0 || s.ptr != first.ptr + got)
            break;
        got += s.len;
        sector = next;
    }
    if (got >= want)
        return (Str){first.ptr, want};
    char *copy = arena_alloc_raw(a, want);
    if (copy == NULL)
        return (Str){0};
    memcpy(copy, first.ptr, got);
    while (got < want) {
        sector = following(o, sector, mini);
        Str s = str_slice(one_sector(o, sector, mini), 0, want - got);
        if (s.len == 0)
            break;
        memcpy(copy + got, s.ptr, s.len);
        got += s.len;
    }
    return (Str){copy, got};
}
