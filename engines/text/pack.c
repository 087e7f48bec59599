#include "text/pack.h"
#include "text/sentences.h"

#include <string.h>

static void begin_chunk(Pack *p, size_t from)
{
    p->from = p->to = p->heading_from = from;
    p->only_headings = true;
    p->room = p->limit;
    p->next_head_from = p->next_head_to = 0;
    meter_begin(&p->meter, from);
}

void pack_begin(Pack *p)
{
    p->held = (PackChunk){0};
    p->head_from = p->head_to = 0;
    begin_chunk(p, 0);
}

static ErrCode give_held(Pack *p, bool last, Err *err)
{
    if (p->held.to == p->held.from)
        return OK;
    p->held.last = last;
    return p->take(p->ctx, &p->held, err);
}

/* End the chunk in the making at `at`. What is in it behind that begins the next one. */
static ErrCode end_chunk_at(Pack *p, size_t at, Err *err)
{
    ErrCode rc = give_held(p, false, err);
    if (rc != OK)
        return rc;
    size_t to = p->to;
    p->held = (PackChunk){
        .from = p->from, .to = at, .head_from = p->next_head_from, .head_to = p->next_head_to};
    begin_chunk(p, at);
    p->to = to;
    return OK;
}

/* The chunk is full: headings at its end go along with what follows them. */
static ErrCode end_chunk(Pack *p, Err *err)
{
    bool headings = p->heading_from < p->to && p->heading_from > p->from;
    return end_chunk_at(p, headings ? p->heading_from : p->to, err);
}

/* The chunk in the making begins within a table: its head is repeated, if it leaves room enough. */
static ErrCode repeat_head(Pack *p, Err *err)
{
    if (!p->heads || p->head_to == p->head_from || p->from < p->head_to)
        return OK;
    Meter m = p->meter;
    int64_t n = 0;
    meter_begin(&m, p->head_from);
    ErrCode rc = meter_to(&m, p->head_to, p->limit, &n, err);
    if (rc != OK || n > p->limit / 2)
        return rc;
    p->room = p->limit - n;
    p->next_head_from = p->head_from;
    p->next_head_to = p->head_to;
    return OK;
}

static ErrCode measure(Pack *p, size_t to, int64_t *out, Err *err)
{
    return meter_to(&p->meter, to, p->limit, out, err);
}

static void add(Pack *p, const PackUnit *u)
{
    bool heading = u->block != NULL && u->block->kind == SOURCE_HEADING;
    if (!heading) {
        p->only_headings = false;
        p->heading_from = u->to;
    } else if (p->heading_from == p->to) {
        p->heading_from = u->from;
    }
    p->to = u->to;
}

/* Words: as many as fit, chunk after chunk. */
static ErrCode fill(Pack *p, const PackUnit *u, Err *err)
{
    PackUnit rest = *u;
    while (rest.from < rest.to) {
        size_t cut = 0;
        ErrCode rc = meter_fit(&p->meter, rest.from, rest.to, p->room, &cut, err);
        if (rc != OK)
            return rc;
        if (cut > rest.from) {
            add(p, &(PackUnit){.from = rest.from, .to = cut, .block = u->block});
            rest.from = cut;
            if (cut == rest.to)
                return OK;
        } else if (p->to == p->from) {
            return err_set(err, ERR_LIMIT_OUTPUT, "not one character fits into a chunk");
        }
        rc = end_chunk(p, err);
        if (rc == OK)
            rc = repeat_head(p, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static size_t line_end(Str text, size_t at, size_t max)
{
    const char *end = memchr(text.ptr + at, '\n', max - at);
    return end != NULL ? (size_t)(end - text.ptr) + 1 : max;
}

static ErrCode put(Pack *p, const PackUnit *u, bool whole, Err *err);

/* A table between rows, code between lines. */
static ErrCode put_lines(Pack *p, const PackUnit *u, Err *err)
{
    const SourceBlock *b = u->block;
    ErrCode rc = OK;
    if (b->kind == SOURCE_TABLE && b->body > b->from && b->body < b->to) {
        p->head_from = b->from;
        p->head_to = b->body;
    }
    for (size_t at = u->from, end; at < u->to && rc == OK; at = end) {
        /* the head of a table with its first row, the white space behind it with its last */
        bool head = b->kind == SOURCE_TABLE && at < b->body && b->body < u->to;
        end = line_end(p->source->text, head ? b->body : at, u->to);
        if (end >= b->to)
            end = u->to;
        rc = put(p, &(PackUnit){.from = at, .to = end, .block = b}, false, err);
    }
    p->head_from = p->head_to = 0;
    return rc;
}

static ErrCode put_sentences(Pack *p, const PackUnit *u, Err *err)
{
    Sentences s = sentences_begin(str_slice(p->source->text, u->from, u->to));
    ErrCode rc = OK;
    for (size_t at = 0, end; rc == OK && sentences_next(&s, &end); at = end)
        rc = put(p, &(PackUnit){.from = u->from + at, .to = u->from + end, .block = u->block},
                 false, err);
    return rc;
}

static bool stays_in_lines(const PackUnit *u)
{
    return u->block != NULL && (u->block->kind == SOURCE_TABLE || u->block->kind == SOURCE_CODE);
}

static ErrCode take_apart(Pack *p, const PackUnit *u, bool whole, Err *err)
{
    if (whole && stays_in_lines(u))
        return put_lines(p, u, err);
    if (whole && !p->words)
        return put_sentences(p, u, err);
    return fill(p, u, err);
}

/* Is the unit, alone, small enough for a chunk of its own? */
static ErrCode fits_alone(Pack *p, const PackUnit *u, bool *out, Err *err)
{
    Meter m = p->meter;
    int64_t n = 0;
    meter_begin(&m, u->from);
    ErrCode rc = meter_to(&m, u->to, p->limit, &n, err);
    *out = n <= p->limit;
    return rc;
}

/* `whole`: a block or a sentence, which may be taken apart into smaller units. */
static ErrCode put(Pack *p, const PackUnit *u, bool whole, Err *err)
{
    int64_t n = 0, before = 0;
    ErrCode rc = measure(p, u->to, &n, err);
    if (rc != OK)
        return rc;
    if (n <= p->room) {
        add(p, u);
        return OK;
    }
    if (p->to > p->from) {
        bool alone = false;
        rc = measure(p, p->to, &before, err);
        if (rc == OK)
            rc = fits_alone(p, u, &alone, err);
        if (rc != OK)
            return rc;
        /* A chunk that is half full ends here; a nearly empty one takes part of what is coming. */
        if (!p->only_headings && before >= p->smallest && (alone || before > p->room / 2)) {
            rc = end_chunk(p, err);
            if (rc == OK)
                rc = repeat_head(p, err);
            return rc == OK ? put(p, u, whole, err) : rc;
        }
    }
    return take_apart(p, u, whole, err);
}

static ErrCode end_as_wished(Pack *p, Err *err)
{
    int64_t n = 0;
    if (p->to == p->from || p->only_headings)
        return OK;
    ErrCode rc = measure(p, p->to, &n, err);
    return rc == OK && n >= p->smallest ? end_chunk_at(p, p->to, err) : rc;
}

ErrCode pack_unit(Pack *p, const PackUnit *u, Err *err)
{
    ErrCode rc = u->starts ? end_as_wished(p, err) : OK;
    if (rc != OK)
        return rc;
    if (p->words && !stays_in_lines(u))
        return fill(p, u, err);
    return put(p, u, true, err);
}

/* A last chunk that is too small goes to the one before it, when both fit into one. */
static ErrCode join_last(Pack *p, Err *err)
{
    int64_t n = 0;
    bool apart = p->held.to == p->held.from || p->held.head_to > p->held.head_from;
    ErrCode rc = measure(p, p->to, &n, err);
    if (rc != OK || n >= p->smallest || apart)
        return rc;
    Meter m = p->meter;
    meter_begin(&m, p->held.from);
    rc = meter_to(&m, p->to, p->limit, &n, err);
    if (rc == OK && n <= p->limit) {
        p->held.to = p->to;
        begin_chunk(p, p->to);
    }
    return rc;
}

ErrCode pack_end(Pack *p, Err *err)
{
    ErrCode rc = p->to > p->from ? join_last(p, err) : OK;
    if (rc == OK)
        rc = give_held(p, p->to == p->from, err);
    if (rc != OK || p->to == p->from)
        return rc;
    p->held = (PackChunk){
        .from = p->from, .to = p->to, .head_from = p->next_head_from, .head_to = p->next_head_to};
    return give_held(p, true, err);
}
