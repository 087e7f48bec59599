/* pipelines.c: definitions, by name and version. */
#include "flow/pipeline_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <stdlib.h>

#include <openssl/evp.h>

/* --- what is there --- */

typedef struct Found {
    PipelineKey key; /* id 0: there is none */
    int64_t created_ms;
    bool built_in;
} Found;

static ErrCode find(DbConn *c, int64_t project, Str name, Found *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(c, &sql_pipeline_find, DB_ARGS(DB_I(project), DB_S(name)), &rows, err);
    *out = (Found){0};
    while (rc == OK && db_next(&rows, &rc, err))
        *out = (Found){.key = {db_int(&rows, 0), db_int(&rows, 1)},
                       .built_in = db_int(&rows, 2) != 0,
                       .created_ms = db_int(&rows, 3)};
    return rc;
}

static ErrCode unknown(Str name, Err *err)
{
    return err_set(err, ERR_UNKNOWN_PIPELINE, "there is no pipeline \"" STR_FMT "\"",
                   STR_ARG(str_slice(name, 0, PIPELINE_NAME_MAX)));
}

static ErrCode unknown_version(Str name, int64_t version, Err *err)
{
    return err_set(err, ERR_UNKNOWN_PIPELINE, "pipeline \"" STR_FMT "\" has no version %" PRId64,
                   STR_ARG(str_slice(name, 0, PIPELINE_NAME_MAX)), version);
}

/* --- a further version --- */

static ErrCode hash_text(Str text, Arena *a, Str *out, Err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    Buf hex = buf_init(a, 256);
    if (EVP_Digest(text.ptr, text.len, digest, &len, EVP_sha256(), NULL) != 1)
        return err_set(err, ERR_NO_MEMORY, "hashing a pipeline");
    for (unsigned int i = 0; i < len; i++)
        buf_addf(&hex, "%02x", digest[i]);
    *out = buf_str(&hex);
    return hex.failed ? err_set(err, ERR_NO_MEMORY, "hashing a pipeline") : OK;
}

typedef struct Put {
    const PipelineNew *n;
    Str hash;
    int64_t id;
    bool built_in;
    PipelineKey key;
    bool made;
} Put;

static ErrCode is_newest(DbConn *tx, const Found *f, Str hash, bool *same, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_pipeline_version_get,
                          DB_ARGS(DB_I(f->key.id), DB_I(f->key.version)), &rows, err);
    *same = false;
    while (rc == OK && db_next(&rows, &rc, err))
        *same = str_eq(db_str(&rows, 2), hash);
    return rc;
}

static ErrCode tell_stored(DbConn *tx, int64_t project, int64_t key, Str name, Str definition,
                           Err *err)
{
    const FlowHooks *hooks = db_attached(tx);
    if (hooks == NULL || hooks->stored == NULL)
        return OK;
    return hooks->stored(hooks->stored_ctx, tx, project, key, name, definition, err);
}

/* Nobody's change is lost unseen: what was changed must still be the newest. A pipeline that comes
 * with platen is no change of anybody's. */
static ErrCode check_base(const PipelineNew *n, const Found *f, Err *err)
{
    int64_t newest = f->key.id != 0 && !f->built_in ? f->key.version : 0;
    if (!n->based || newest == n->base || (newest == 0 && f->key.id != 0))
        return OK;
    if (newest == 0)
        err_set(err, ERR_CONFLICT, "pipeline \"" STR_FMT "\" was deleted meanwhile",
                STR_ARG(n->name));
    else if (n->base == 0)
        err_set(err, ERR_CONFLICT, "there is a pipeline \"" STR_FMT "\" already", STR_ARG(n->name));
    else
        err_set(err, ERR_CONFLICT,
                "pipeline \"" STR_FMT "\" is at version %" PRId64 " by now, not %" PRId64,
                STR_ARG(n->name), newest, n->base);
    err_hint(err, "Compare the two; store with base_version=%" PRId64 " to make yours the newest.",
             newest);
    return ERR_CONFLICT;
}

static ErrCode put_tx(DbConn *tx, Put *p, Err *err)
{
    const PipelineNew *n = p->n;
    Found f;
    bool same = false;
    p->made = false;
    ErrCode rc = find(tx, n->project, n->name, &f, err);
    if (rc == OK && f.key.id != 0)
        rc = is_newest(tx, &f, p->hash, &same, err);
    p->key = f.key;
    if (rc == OK && !same)
        rc = check_base(n, &f, err);
    if (rc != OK || same)
        return rc;
    p->made = true;
    p->key = f.key.id != 0 ? (PipelineKey){f.key.id, f.key.version + 1} : (PipelineKey){p->id, 1};
    int64_t now_ms = clock_now_ms();
    flow_forget_version(tx, &p->key);
    if (f.key.id != 0)
        rc = db_exec(tx, &sql_pipeline_grow,
                     DB_ARGS(DB_I(p->key.id), DB_I(p->key.version), DB_I(p->built_in)), NULL, err);
    else
        rc = db_exec(
            tx, &sql_pipeline_add,
            DB_ARGS(DB_I(p->id), DB_I(n->project), DB_S(n->name), DB_I(p->built_in), DB_I(now_ms)),
            NULL, err);
    if (rc == OK && !p->built_in)
        rc = tell_stored(tx, n->project, n->key, n->name, n->definition, err);
    if (rc != OK)
        return rc;
    return db_exec(tx, &sql_pipeline_version_add,
                   DB_ARGS(DB_I(p->key.id), DB_I(p->key.version), DB_S(n->title), DB_S(n->summary),
                           DB_S(p->hash), DB_S(n->definition),
                           DB_S(n->source.len > 0 ? n->source : n->definition), DB_I(n->key),
                           DB_I(now_ms)),
                   NULL, err);
}

static ErrCode put_write(DbConn *tx, void *arg, Err *err)
{
    return put_tx(tx, arg, err);
}

ErrCode flow_pipeline_put(Db *db, const PipelineNew *n, PipelineInfo *out, bool *made, Arena *a,
                          Err *err)
{
    if (!pipeline_name_ok(n->name))
        return err_set(err, ERR_BAD_PIPELINE,
                       "a name has at most %d of a-z 0-9 - _ . and begins with a letter",
                       PIPELINE_NAME_MAX);
    Put p = {.n = n, .id = id_new()};
    DbConn *reader = NULL;
    ErrCode rc = hash_text(n->definition, a, &p.hash, err);
    if (rc == OK)
        rc = db_write(db, put_write, &p, err);
    if (rc == OK)
        rc = db_reader(db, &reader, err);
    if (rc == OK)
        rc = flow_pipeline_get(reader, n->project, n->name, p.key.version, a, out, err);
    *made = p.made;
    return rc;
}

/* --- built in --- */

static const BuiltInPipeline *built_in(DbConn *c, Str name)
{
    const FlowHooks *hooks = db_attached(c);
    const BuiltInPipeline *b = hooks != NULL ? hooks->built_in : NULL;
    for (; b != NULL && b->name != NULL; b++)
        if (str_eq_c(name, b->name))
            return b;
    return NULL;
}

/* As it comes with this platen: stored when a job is to stay on it. */
static ErrCode put_built_in(DbConn *tx, int64_t project, const BuiltInPipeline *b, PipelineKey *out,
                            Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "storing a pipeline");
    const PipelineNew n = {.project = project,
                           .name = str_from_c(b->name),
                           .title = str_from_c(b->title),
                           .summary = str_from_c(b->summary),
                           .definition = str_from_c(b->definition),
                           .source = str_from_c(b->source)};
    Put p = {.n = &n, .id = id_new(), .built_in = true};
    ErrCode rc = hash_text(n.definition, a, &p.hash, err);
    if (rc == OK)
        rc = put_tx(tx, &p, err);
    *out = p.key;
    return rc;
}

ErrCode flow_pipeline_key_tx(DbConn *tx, int64_t project, Str name, int64_t version,
                             PipelineKey *out, Err *err)
{
    Found f;
    const BuiltInPipeline *b = built_in(tx, name);
    ErrCode rc = find(tx, project, name, &f, err);
    if (rc != OK)
        return rc;
    if ((f.key.id == 0 || f.built_in) && version == 0 && b != NULL)
        return put_built_in(tx, project, b, out, err);
    if (f.key.id == 0)
        return unknown(name, err);
    *out = (PipelineKey){f.key.id, version > 0 ? version : f.key.version};
    return version > f.key.version ? unknown_version(name, version, err) : OK;
}

static PipelineInfo built_in_info(const BuiltInPipeline *b, int64_t project)
{
    return (PipelineInfo){.project = project,
                          .version = 1,
                          .versions = 1,
                          .built_in = true,
                          .name = str_from_c(b->name),
                          .title = str_from_c(b->title),
                          .summary = str_from_c(b->summary),
                          .definition = str_from_c(b->definition),
                          .source = str_from_c(b->source)};
}

/* --- reading --- */

static ErrCode copied(bool ok, Err *err)
{
    return ok ? OK : err_set(err, ERR_NO_MEMORY, "reading pipelines");
}

static ErrCode get_version(DbConn *reader, const PipelineKey *key, Arena *a, PipelineInfo *out,
                           Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_pipeline_version_get,
                          DB_ARGS(DB_I(key->id), DB_I(key->version)), &rows, err);
    bool found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        found = true;
        out->title = db_str_copy(&rows, 0, a);
        out->summary = db_str_copy(&rows, 1, a);
        out->hash = db_str_copy(&rows, 2, a);
        out->definition = db_str_copy(&rows, 3, a);
        out->source = db_str_copy(&rows, 4, a);
        out->key = db_int(&rows, 5);
        out->changed_ms = db_int(&rows, 6);
        rc = copied(out->title.ptr != NULL && out->summary.ptr != NULL && out->hash.ptr != NULL &&
                        out->definition.ptr != NULL && out->source.ptr != NULL,
                    err);
    }
    return rc == OK && !found ? unknown_version(out->name, key->version, err) : rc;
}

ErrCode flow_pipeline_get(DbConn *reader, int64_t project, Str name, int64_t version, Arena *a,
                          PipelineInfo *out, Err *err)
{
    Found f;
    const BuiltInPipeline *b = built_in(reader, name);
    ErrCode rc = find(reader, project, name, &f, err);
    if (rc != OK)
        return rc;
    if (b != NULL && version <= 1 && (f.key.id == 0 || (f.built_in && version == 0))) {
        *out = built_in_info(b, project);
        return OK;
    }
    if (f.key.id == 0)
        return unknown(name, err);
    const PipelineKey key = {f.key.id, version > 0 ? version : f.key.version};
    *out = (PipelineInfo){.id = key.id,
                          .project = project,
                          .version = key.version,
                          .versions = f.key.version,
                          .created_ms = f.created_ms,
                          .built_in = f.built_in,
                          .name = str_copy(a, name)};
    rc = copied(out->name.ptr != NULL, err);
    return rc == OK ? get_version(reader, &key, a, out, err) : rc;
}

typedef struct Infos {
    PipelineInfo *items;
    size_t len, cap;
} Infos;

static PipelineInfo *info_room(Infos *l, Arena *a)
{
    if (l->len == l->cap) {
        size_t cap = l->cap > 0 ? 2 * l->cap : 16;
        PipelineInfo *grown = arena_grow(a, l->items, l->cap * sizeof *grown, cap * sizeof *grown);
        if (grown == NULL)
            return NULL;
        l->items = grown;
        l->cap = cap;
    }
    return &l->items[l->len++];
}

static bool has_name(const Infos *l, Str name)
{
    for (size_t i = 0; i < l->len; i++)
        if (str_eq(l->items[i].name, name))
            return true;
    return false;
}

static ErrCode add_built_in(DbConn *reader, int64_t project, Infos *l, Arena *a, Err *err)
{
    const FlowHooks *hooks = db_attached(reader);
    const BuiltInPipeline *b = hooks != NULL ? hooks->built_in : NULL;
    for (; b != NULL && b->name != NULL; b++) {
        PipelineInfo *info = has_name(l, str_from_c(b->name)) ? NULL : info_room(l, a);
        if (info != NULL) {
            *info = built_in_info(b, project);
            info->definition = info->source = (Str){0};
        } else if (!has_name(l, str_from_c(b->name))) {
            return err_set(err, ERR_NO_MEMORY, "listing pipelines");
        }
    }
    return OK;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const PipelineInfo *)a)->name, ((const PipelineInfo *)b)->name);
}

ErrCode flow_pipeline_list(DbConn *reader, int64_t project, Arena *a, PipelineInfo **out,
                           size_t *len, Err *err)
{
    Infos l = {0};
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_pipeline_list, DB_ARGS(DB_I(project)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        PipelineInfo *p = info_room(&l, a);
        if (p == NULL)
            return err_set(err, ERR_NO_MEMORY, "listing pipelines");
        *p = (PipelineInfo){.id = db_int(&rows, 0),
                            .project = project,
                            .name = db_str_copy(&rows, 1, a),
                            .version = db_int(&rows, 2),
                            .versions = db_int(&rows, 2),
                            .built_in = db_int(&rows, 3) != 0,
                            .created_ms = db_int(&rows, 4),
                            .title = db_str_copy(&rows, 5, a),
                            .summary = db_str_copy(&rows, 6, a),
                            .hash = db_str_copy(&rows, 7, a),
                            .key = db_int(&rows, 8),
                            .changed_ms = db_int(&rows, 9)};
        rc = copied(p->name.ptr != NULL && p->title.ptr != NULL && p->summary.ptr != NULL &&
                        p->hash.ptr != NULL,
                    err);
    }
    if (rc == OK)
        rc = add_built_in(reader, project, &l, a, err);
    if (rc == OK && l.len > 1)
        qsort(l.items, l.len, sizeof *l.items, by_name);
    *out = l.items;
    *len = l.len;
    return rc;
}

ErrCode flow_pipeline_versions(DbConn *reader, int64_t project, Str name, Arena *a,
                               PipelineInfo **out, size_t *len, Err *err)
{
    Infos l = {0};
    Found f;
    Str kept = str_copy(a, name);
    ErrCode rc = copied(kept.ptr != NULL, err);
    if (rc == OK)
        rc = find(reader, project, name, &f, err);
    if (rc == OK && f.key.id == 0 && built_in(reader, name) == NULL)
        return unknown(name, err);
    CLEANUP(db_rows_done) DbRows rows = {0};
    if (rc == OK && f.key.id != 0)
        rc = db_query(reader, &sql_pipeline_versions, DB_ARGS(DB_I(f.key.id)), &rows, err);
    else if (rc == OK && info_room(&l, a) != NULL)
        l.items[0] = built_in_info(built_in(reader, name), project);
    while (rc == OK && rows.stmt != NULL && db_next(&rows, &rc, err)) {
        PipelineInfo *p = info_room(&l, a);
        if (p == NULL)
            return err_set(err, ERR_NO_MEMORY, "listing versions");
        *p = (PipelineInfo){.id = f.key.id,
                            .project = project,
                            .name = kept,
                            .version = db_int(&rows, 0),
                            .versions = f.key.version,
                            .built_in = f.built_in,
                            .created_ms = f.created_ms,
                            .title = db_str_copy(&rows, 1, a),
                            .summary = db_str_copy(&rows, 2, a),
                            .hash = db_str_copy(&rows, 3, a),
                            .key = db_int(&rows, 4),
                            .changed_ms = db_int(&rows, 5)};
        rc = copied(p->title.ptr != NULL && p->summary.ptr != NULL && p->hash.ptr != NULL, err);
    }
    *out = l.items;
    *len = l.len;
    return rc;
}

typedef struct Delete {
    int64_t project;
    Str name;
    int64_t gone;
} Delete;

static ErrCode delete_write(DbConn *tx, void *arg, Err *err)
{
    Delete *d = arg;
    ErrCode rc =
        db_exec(tx, &sql_pipeline_delete,
                DB_ARGS(DB_I(d->project), DB_S(d->name), DB_I(clock_now_ms())), &d->gone, err);
    return rc == OK && d->gone > 0 ? tell_stored(tx, d->project, 0, d->name, STR(""), err) : rc;
}

ErrCode flow_pipeline_delete(Db *db, int64_t project, Str name, Err *err)
{
    Delete d = {.project = project, .name = name};
    DbConn *reader = NULL;
    ErrCode rc = db_write(db, delete_write, &d, err);
    if (rc != OK || d.gone > 0)
        return rc;
    if ((rc = db_reader(db, &reader, err)) != OK)
        return rc;
    return built_in(reader, name) != NULL
               ? err_set(err, ERR_CONFLICT, "\"" STR_FMT "\" comes with platen", STR_ARG(name))
               : unknown(name, err);
}

ErrCode flow_pipeline_hold(DbConn *c, int64_t project, Str name, int64_t version,
                           PipelineHeld **out, Err *err)
{
    Found f;
    ErrCode rc = find(c, project, name, &f, err);
    *out = NULL;
    if (rc != OK)
        return rc;
    const BuiltInPipeline *b = built_in(c, name);
    if (b != NULL && version <= 1 && (f.key.id == 0 || (f.built_in && version == 0)))
        return flow_hold_built_in(c, b, out, err);
    if (f.key.id == 0)
        return unknown(name, err);
    if (version > f.key.version)
        return unknown_version(name, version, err);
    return flow_hold_version(c, f.key.id, version > 0 ? version : f.key.version, out, err);
}
