#include "text/chunk_out.h"
#include "base/fd.h"

#include <string.h>

enum { WRITE_BYTES = 64 * 1024 };

/* Of the whole source, eight bytes at a time. */
static uint64_t hash_of(Str s)
{
    uint64_t h = s.len * 0x9E3779B97F4A7C15ull, part = 0;
    for (size_t i = 0; i < s.len; i += 8) {
        size_t n = s.len - i < 8 ? s.len - i : 8;
        part = 0;
        memcpy(&part, s.ptr + i, n);
        h = (h ^ part) * 0xFF51AFD7ED558CCDull;
        h ^= h >> 32;
    }
    return h;
}

static ErrCode flush(ChunkOut *o, Err *err)
{
    if (o->line.failed)
        return err_set(err, ERR_NO_MEMORY, "writing chunk %zu", o->count);
    ErrCode rc = fd_write_all(o->fd, o->line.ptr, o->line.len, err);
    buf_clear(&o->line);
    return rc;
}

ErrCode chunk_out_begin(ChunkOut *o)
{
    o->line = buf_init(o->step->arena, 256 * MIB);
    o->hash = hash_of(o->source->text);
    o->tokens_min = INT64_MAX;
    o->head_at = STR_NONE;
    o->page = o->source->pages > 0 ? 1 : 0;
    if (o->list)
        buf_add_c(&o->line, "{\"chunks\":[");
    return OK;
}

ErrCode chunk_out_end(ChunkOut *o)
{
    if (o->list)
        buf_add_c(&o->line, "\n]}\n");
    return flush(o, o->step->err);
}

/* A title for people: one line, not too long. */
static Str title_of(const ChunkOut *o, const SourceBlock *b)
{
    Str t = source_heading_text(o->source, b);
    size_t len = t.len < CHUNK_TITLE_MAX ? t.len : CHUNK_TITLE_MAX;
    while (len > 0 && len < t.len && ((uint8_t)t.ptr[len] & 0xC0) == 0x80)
        len--;
    return str_slice(t, 0, len);
}

static void enter_heading(ChunkOut *o, const SourceBlock *b)
{
    while (o->path_len > 0 && o->path[o->path_len - 1].level >= b->level)
        o->path_len--;
    if (o->path_len < CHUNK_PATH_MAX)
        o->path[o->path_len++] =
            (ChunkHeading){.title = title_of(o, b), .level = b->level, .chunk = o->count};
}

typedef struct Place {
    int64_t first_page, last_page;
    size_t after; /* the first block behind the headings that the chunk begins with */
    size_t end;   /* the first block that begins behind the chunk */
} Place;

/* Walk the blocks of a chunk: its pages, and the headings it begins with, which enter the path. */
static Place walk(ChunkOut *o, const PackChunk *chunk)
{
    const SourceBlock *b = o->source->blocks;
    size_t len = o->source->blocks_len;
    while (o->block < len && b[o->block].to <= chunk->from)
        o->block++;
    Place p = {.end = o->block};
    for (; p.end < len && b[p.end].from < chunk->to; p.end++) {
        o->page = b[p.end].page > 0 ? b[p.end].page : o->page;
        p.first_page = p.end == o->block ? o->page : p.first_page;
    }
    p.last_page = o->page;
    p.first_page = p.first_page > 0 ? p.first_page : o->page;
    for (p.after = o->block; p.after < p.end && b[p.after].kind == SOURCE_HEADING; p.after++)
        if (b[p.after].from >= chunk->from)
            enter_heading(o, &b[p.after]);
    return p;
}

static void put_id(ChunkOut *o, JsonOut *j, const char *key, size_t index, bool there)
{
    json_key(j, key);
    if (!there) {
        json_put_null(j);
        return;
    }
    Str id = str_printf(o->scratch, "%012" PRIx64 "-%05zu", o->hash >> 16, index);
    if (id.ptr == NULL)
        o->line.failed = true;
    json_put_str(j, id);
}

static void put_page(JsonOut *j, const char *key, int64_t page)
{
    json_key(j, key);
    if (page > 0)
        json_put_int(j, page);
    else
        json_put_null(j);
}

static void put_path(ChunkOut *o, JsonOut *j)
{
    json_key(j, "headings");
    json_begin(j, '[');
    for (size_t i = 0; i < o->path_len; i++)
        json_put_str(j, o->path[i].title);
    json_end(j, ']');
}

static void put_relatives(ChunkOut *o, JsonOut *j, bool last)
{
    size_t above = o->path_len;
    while (above > 0 && o->path[above - 1].chunk >= o->count)
        above--;
    put_id(o, j, "previous", o->count - 1, o->count > 0);
    put_id(o, j, "next", o->count + 1, !last);
    put_id(o, j, "parent", above > 0 ? o->path[above - 1].chunk : 0, above > 0);
}

/* A part of the text that goes in front of the chunk. */
static ErrCode put_part(ChunkOut *o, JsonOut *j, const char *key, Str text, int64_t from, Err *err)
{
    int64_t tokens = 0, characters = (int64_t)str_count_utf8(text);
    ErrCode rc = tokenizer_count(o->tokenizer, text, &tokens, err);
    json_key(j, key);
    json_begin(j, '{');
    json_kv_int(j, "from", from);
    json_kv_int(j, "to", from + characters);
    json_kv_int(j, "tokens", tokens);
    json_kv_int(j, "characters", characters);
    json_kv_str(j, "text", text);
    json_end(j, '}');
    return rc;
}

static ErrCode put_overlap(ChunkOut *o, JsonOut *j, const PackChunk *chunk, Err *err)
{
    size_t from = chunk->from;
    ErrCode rc = overlap_find(o, chunk, &from, err);
    if (rc != OK || from == chunk->from)
        return rc;
    Str text = str_slice(o->source->text, from, chunk->from);
    return put_part(o, j, "overlap", text, o->characters - (int64_t)str_count_utf8(text), err);
}

static ErrCode put_head(ChunkOut *o, JsonOut *j, const PackChunk *chunk, Err *err)
{
    if (chunk->head_to == chunk->head_from)
        return OK;
    if (o->head_at != chunk->head_from) {
        o->head_at = chunk->head_from;
        o->head_chars =
            o->characters -
            (int64_t)str_count_utf8(str_slice(o->source->text, chunk->head_from, chunk->from));
    }
    Str text = str_slice(o->source->text, chunk->head_from, chunk->head_to);
    return put_part(o, j, "header", text, o->head_chars, err);
}

static ErrCode put_chunk(ChunkOut *o, const PackChunk *chunk, const Place *p, Err *err)
{
    JsonOut out = json_out(&o->line), *j = &out;
    Str text = str_slice(o->source->text, chunk->from, chunk->to);
    int64_t tokens = 0, characters = (int64_t)str_count_utf8(text);
    ErrCode rc = tokenizer_count(o->tokenizer, text, &tokens, err);
    if (rc != OK)
        return rc;
    json_begin(j, '{');
    json_kv_int(j, "index", (int64_t)o->count);
    put_id(o, j, "id", o->count, true);
    json_kv_str(j, "text", text);
    json_kv_int(j, "tokens", tokens);
    json_kv_int(j, "characters", characters);
    json_kv_int(j, "from", o->characters);
    json_kv_int(j, "to", o->characters + characters);
    put_page(j, "first_page", p->first_page);
    put_page(j, "last_page", p->last_page);
    put_path(o, j);
    put_relatives(o, j, chunk->last);
    rc = put_overlap(o, j, chunk, err);
    if (rc == OK)
        rc = put_head(o, j, chunk, err);
    json_end(j, '}');
    o->tokens += tokens;
    o->tokens_min = tokens < o->tokens_min ? tokens : o->tokens_min;
    o->tokens_max = tokens > o->tokens_max ? tokens : o->tokens_max;
    o->characters += characters;
    return rc;
}

ErrCode chunk_out_take(ChunkOut *o, const PackChunk *chunk, Err *err)
{
    arena_recycle(o->scratch);
    Place p = walk(o, chunk);
    if (o->list)
        buf_add_c(&o->line, o->count > 0 ? ",\n" : "\n");
    ErrCode rc = put_chunk(o, chunk, &p, err);
    if (!o->list)
        buf_add_char(&o->line, '\n');
    for (size_t i = p.after; i < p.end; i++) /* those within count for the chunks that follow */
        if (o->source->blocks[i].kind == SOURCE_HEADING && o->source->blocks[i].from >= chunk->from)
            enter_heading(o, &o->source->blocks[i]);
    o->before_from = chunk->from;
    o->count++;
    return rc == OK && o->line.len >= WRITE_BYTES ? flush(o, err) : rc;
}
