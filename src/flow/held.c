/* held.c: parsed definitions, kept by the process: a running job reads no text. */
#include "flow/pipeline_in.h"
#include "base/thread.h"
#include "db/queries.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { HELD_MEMORY = 64 << 20, HELD_BUCKETS = 512 };

struct PipelineHeld {
    Arena *arena;
    Pipeline pipeline;
    PipelineKey key;
    _Atomic int refs;
    uint64_t used; /* PipelineCache.clock when it was last asked for; the cache's lock */
    PipelineHeld *next;
};

struct PipelineCache {
    const Registry *registry;
    Mutex lock;
    PipelineHeld *buckets[HELD_BUCKETS];
    size_t len;
    uint64_t clock;
};

static size_t bucket_of(const PipelineKey *k)
{
    uint64_t h = (uint64_t)k->id * 0x9e3779b97f4a7c15u + (uint64_t)k->version;
    return (size_t)((h ^ (h >> 29)) % HELD_BUCKETS);
}

PipelineCache *pipeline_cache_open(const Registry *registry)
{
    PipelineCache *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->registry = registry;
    mutex_init(&c->lock);
    return c;
}

void flow_pipeline_release(PipelineHeld **held)
{
    PipelineHeld *h = *held;
    if (h != NULL && atomic_fetch_sub(&h->refs, 1) == 1) {
        arena_close(&h->arena);
        free(h);
    }
    *held = NULL;
}

void pipeline_cache_close(PipelineCache **cache)
{
    PipelineCache *c = *cache;
    if (c == NULL)
        return;
    for (size_t i = 0; i < HELD_BUCKETS; i++)
        while (c->buckets[i] != NULL) {
            PipelineHeld *h = c->buckets[i];
            c->buckets[i] = h->next;
            flow_pipeline_release(&h);
        }
    mutex_done(&c->lock);
    free(c);
    *cache = NULL;
}

static PipelineHeld *find(PipelineCache *c, const PipelineKey *key)
{
    MUTEX_HELD(&c->lock);
    for (PipelineHeld *h = c->buckets[bucket_of(key)]; h != NULL; h = h->next)
        if (h->key.id == key->id && h->key.version == key->version) {
            atomic_fetch_add(&h->refs, 1);
            h->used = ++c->clock;
            return h;
        }
    return NULL;
}

/* The one that was not asked for longest goes; who holds it keeps it. */
static void drop_oldest_locked(PipelineCache *c)
{
    mutex_assert_held(&c->lock);
    PipelineHeld **oldest = NULL;
    for (size_t i = 0; i < HELD_BUCKETS; i++)
        for (PipelineHeld **at = &c->buckets[i]; *at != NULL; at = &(*at)->next)
            if (oldest == NULL || (*at)->used < (*oldest)->used)
                oldest = at;
    if (oldest == NULL)
        return;
    PipelineHeld *h = *oldest;
    *oldest = h->next;
    c->len--;
    flow_pipeline_release(&h);
}

/* A version is about to be stored: what was kept under its number is of a write that was taken back
 * (the disk was full at its commit). */
void flow_forget_version(DbConn *tx, const PipelineKey *key)
{
    const FlowHooks *hooks = db_attached(tx);
    PipelineCache *c = hooks != NULL ? hooks->pipelines : NULL;
    if (c == NULL)
        return;
    MUTEX_HELD(&c->lock);
    for (PipelineHeld **at = &c->buckets[bucket_of(key)]; *at != NULL;) {
        PipelineHeld *h = *at;
        if (h->key.id != key->id || h->key.version != key->version) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        c->len--;
        flow_pipeline_release(&h);
    }
}

/* Two threads may have parsed the same: both are right, one is kept. */
static void keep(PipelineCache *c, PipelineHeld *h)
{
    MUTEX_HELD(&c->lock);
    if (c->len >= PIPELINES_KEPT)
        drop_oldest_locked(c);
    PipelineHeld **bucket = &c->buckets[bucket_of(&h->key)];
    atomic_fetch_add(&h->refs, 1);
    h->used = ++c->clock;
    h->next = *bucket;
    *bucket = h;
    c->len++;
}

static PipelineHeld *held_open(const PipelineKey *key)
{
    PipelineHeld *h = calloc(1, sizeof *h);
    if (h == NULL || (h->arena = arena_open(HELD_MEMORY)) == NULL) {
        free(h);
        return NULL;
    }
    h->key = *key;
    atomic_store(&h->refs, 1);
    return h;
}

static ErrCode read_definition(DbConn *c, const PipelineKey *key, Arena *a, Str *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(c, &sql_pipeline_definition, DB_ARGS(DB_I(key->id), DB_I(key->version)),
                          &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        if ((*out = db_str_copy(&rows, 0, a)).ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a pipeline");
    return rc == OK && out->ptr == NULL
               ? err_set(err, ERR_DB_DAMAGED, "version %" PRId64 " of a pipeline is missing",
                         key->version)
               : rc;
}

static ErrCode parse(const Registry *registry, Str text, PipelineHeld *h, Err *err)
{
    const Json *tree = NULL;
    PipelineFaults *faults = arena_new(h->arena, PipelineFaults, 1);
    if (faults == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a pipeline");
    const PipelineWorld world = {.registry = registry, .stored = true};
    ErrCode rc = json_parse(h->arena, text, &tree, err);
    return rc == OK ? pipeline_read(tree, NULL, &world, h->arena, &h->pipeline, faults, err) : rc;
}

/* text: of the definition; .ptr NULL: it is in the database. */
static ErrCode hold(DbConn *c, PipelineKey key, Str text, PipelineHeld **out, Err *err)
{
    const FlowHooks *hooks = db_attached(c);
    PipelineCache *cache = hooks != NULL ? hooks->pipelines : NULL;
    *out = NULL;
    if (cache == NULL)
        return err_set(err, ERR_INTERNAL, "there is no registry to read pipelines against");
    PipelineHeld *h = find(cache, &key);
    if (h != NULL) {
        *out = h;
        return OK;
    }
    if ((h = held_open(&key)) == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a pipeline");
    ErrCode rc = text.ptr != NULL ? OK : read_definition(c, &key, h->arena, &text, err);
    if (rc == OK)
        rc = parse(cache->registry, text, h, err);
    if (rc == OK)
        keep(cache, h);
    else
        flow_pipeline_release(&h);
    *out = h;
    return rc;
}

ErrCode flow_hold_version(DbConn *c, int64_t pipeline, int64_t version, PipelineHeld **out,
                          Err *err)
{
    return hold(c, (PipelineKey){pipeline, version}, (Str){0}, out, err);
}

/* By the place of its name in memory: built-in ones live as long as the program. */
ErrCode flow_hold_built_in(DbConn *c, const BuiltInPipeline *b, PipelineHeld **out, Err *err)
{
    return hold(c, (PipelineKey){-(int64_t)(uintptr_t)b, 1}, str_from_c(b->definition), out, err);
}

const Pipeline *flow_pipeline_of(const PipelineHeld *h)
{
    return &h->pipeline;
}

bool flow_pipeline_is_built_in(const PipelineHeld *h)
{
    return h->key.id < 0;
}

int64_t flow_pipeline_version_of(const PipelineHeld *h)
{
    return h->key.version;
}
