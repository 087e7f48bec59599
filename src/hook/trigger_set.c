/* Triggers as rows: written with the pipeline's version, listed, paused. */
#include "hook/trigger_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"
#include "feed/feed.h"
#include "net/signing.h"

#include <sys/random.h>

enum { SCRATCH = 8 << 20 };

static ErrCode no_memory(Err *err)
{
    return err_set(err, ERR_NO_MEMORY, "reading triggers");
}

/* --- rows --- */

static TriggerKind kind_from(Str name)
{
    int k = 0;
    while (k < TRIGGER_KIND_COUNT && !str_eq_c(name, trigger_kind_name((TriggerKind)k)))
        k++;
    return (TriggerKind)k;
}

static bool read_columns(const DbRows *rows, Arena *a, Trigger *t)
{
    *t = (Trigger){.id = db_int(rows, 0),
                   .project = db_int(rows, 1),
                   .pipeline = db_str_copy(rows, 2, a),
                   .name = db_str_copy(rows, 3, a),
                   .kind = kind_from(db_str(rows, 4)),
                   .spec = db_str_copy(rows, 5, a),
                   .token = db_str_copy(rows, 6, a),
                   .secret = db_str_copy(rows, 7, a),
                   .key = db_int(rows, 8),
                   .paused = db_int(rows, 9) != 0,
                   .feed_id = db_int(rows, 10),
                   .fired = db_int(rows, 11),
                   .last_ms = db_int(rows, 12),
                   .last_job = db_int(rows, 13),
                   .fault = db_str_copy(rows, 14, a),
                   .created_ms = db_int(rows, 15)};
    return t->pipeline.ptr != NULL && t->name.ptr != NULL && t->spec.ptr != NULL &&
           t->token.ptr != NULL && t->secret.ptr != NULL && t->fault.ptr != NULL;
}

ErrCode trigger_rows(DbConn *c, const Query *q, const DbVal *args, size_t args_len, Arena *a,
                     Trigger **out, size_t *len, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(c, q, args, args_len, &rows, err);
    size_t cap = 0;
    *out = NULL;
    *len = 0;
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (*len == cap) {
            Trigger *grown = arena_new(a, Trigger, cap > 0 ? 2 * cap : 8);
            for (size_t i = 0; grown != NULL && i < *len; i++)
                grown[i] = (*out)[i];
            if (grown == NULL)
                return no_memory(err);
            *out = grown;
            cap = cap > 0 ? 2 * cap : 8;
        }
        if (!read_columns(&rows, a, &(*out)[(*len)++]))
            return no_memory(err);
    }
    return rc;
}

ErrCode trigger_row(DbConn *c, int64_t id, Arena *a, Trigger *out, Err *err)
{
    Trigger *all;
    size_t len;
    ErrCode rc = trigger_rows(c, &sql_trigger_by_id, DB_ARGS(DB_I(id)), a, &all, &len, err);
    if (rc == OK && len == 0)
        return err_set(err, ERR_NOT_FOUND, "the trigger is gone");
    if (rc == OK)
        *out = all[0];
    return rc;
}

/* --- writing --- */

typedef struct Set {
    const TriggerWorld *world;
    DbConn *tx;
    Arena *arena;
    int64_t project, key;
    Str pipeline;
    bool paused; /* those that are new */
} Set;

static void on_changed(void *ctx, int64_t project, int64_t row)
{
    hub_feed(ctx, project, row);
}

/* Row 0 of project 0: that is how the thread is told to look at the triggers again. */
static ErrCode tell_thread(const Set *s, Err *err)
{
    if (s->world->hub == NULL)
        return OK;
    return db_after_commit(s->tx, on_changed, s->world->hub, 0, 0, err);
}

static ErrCode make_token(char out[TRIGGER_TOKEN_SIZE], Err *err)
{
    unsigned char raw[20];
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
        return err_set(err, ERR_INTERNAL, "no random bytes for an address");
    for (size_t i = 0; i < sizeof raw; i++) {
        out[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    out[2 * sizeof raw] = 0;
    return OK;
}

static ErrCode put_spec(const Set *s, const TriggerSpec *spec, Err *err)
{
    char token[TRIGGER_TOKEN_SIZE] = "", secret[SIGNING_SECRET_SIZE] = "";
    Buf b = buf_init(s->arena, PIPELINE_TEXT_MAX);
    JsonOut j = json_out(&b);
    int64_t feed_id = 0;
    json_put(&j, spec->source);
    if (b.failed)
        return no_memory(err);
    ErrCode rc = feed_last(s->tx, s->project, &feed_id, err);
    if (rc == OK && spec->kind == TRIGGER_WEBHOOK)
        rc = make_token(token, err);
    if (rc == OK && spec->kind == TRIGGER_WEBHOOK)
        rc = signing_secret_make(secret, err);
    if (rc != OK)
        return rc;
    return db_exec(s->tx, &sql_trigger_put,
                   DB_ARGS(DB_I(id_new()), DB_I(s->project), DB_S(s->pipeline), DB_S(spec->name),
                           DB_S(str_from_c(trigger_kind_name(spec->kind))), DB_S(buf_str(&b)),
                           DB_S(str_from_c(token)), DB_S(str_from_c(secret)), DB_I(s->key),
                           DB_I(s->paused), DB_I(feed_id), DB_I(clock_now_ms())),
                   NULL, err);
}

static ErrCode drop_row(const Set *s, int64_t id, Err *err)
{
    ErrCode rc = db_exec(s->tx, &sql_trigger_file_forget, DB_ARGS(DB_I(id)), NULL, err);
    return rc == OK ? db_exec(s->tx, &sql_trigger_delete, DB_ARGS(DB_I(id)), NULL, err) : rc;
}

static ErrCode drop_others(const Set *s, const TriggerSpec *specs, size_t len, Err *err)
{
    Trigger *rows;
    size_t rows_len;
    ErrCode rc =
        trigger_rows(s->tx, &sql_trigger_of_pipeline, DB_ARGS(DB_I(s->project), DB_S(s->pipeline)),
                     s->arena, &rows, &rows_len, err);
    for (size_t i = 0; rc == OK && i < rows_len; i++) {
        bool kept = false;
        for (size_t k = 0; k < len; k++)
            kept |= str_eq(rows[i].name, specs[k].name);
        if (!kept)
            rc = drop_row(s, rows[i].id, err);
    }
    return rc;
}

static ErrCode schedule_inputs(const TriggerSpec *spec, Arena *a, Str *out, Err *err)
{
    Buf b = buf_init(a, SCHEDULE_PARAMS_MAX);
    JsonOut j = json_out(&b);
    const Json nothing = {.type = JSON_OBJECT};
    json_put(&j, spec->with != NULL ? template_eval(spec->with, &nothing, a) : &nothing);
    *out = buf_str(&b);
    return b.failed
               ? err_set(err, ERR_BAD_PARAM, "the inputs of a schedule are larger than %d bytes",
                         SCHEDULE_PARAMS_MAX)
               : OK;
}

/* The clock's part: rows that are not paused, as schedules of the pipeline. */
static ErrCode set_schedules(const Set *s, Err *err)
{
    Trigger *rows;
    size_t rows_len, n = 0;
    ScheduleSpec *specs = arena_new(s->arena, ScheduleSpec, TRIGGERS_MAX);
    if (specs == NULL)
        return no_memory(err);
    ErrCode rc =
        trigger_rows(s->tx, &sql_trigger_of_pipeline, DB_ARGS(DB_I(s->project), DB_S(s->pipeline)),
                     s->arena, &rows, &rows_len, err);
    for (size_t i = 0; rc == OK && i < rows_len; i++) {
        TriggerSpec spec;
        if (rows[i].kind != TRIGGER_SCHEDULE || rows[i].paused || n == TRIGGERS_MAX)
            continue;
        rc = trigger_read_row(&rows[i], s->arena, &spec, err);
        if (rc == OK)
            rc = schedule_inputs(&spec, s->arena, &spec.schedule.params, err);
        if (rc == OK)
            specs[n++] = spec.schedule;
    }
    if (rc != OK)
        return rc;
    return schedule_set_for_pipeline_tx(s->tx, s->world->registry, s->project, s->key, s->pipeline,
                                        specs, n, clock_now_ms(), err);
}

static ErrCode set_all(const Set *s, Str definition, Err *err)
{
    TriggerSpec *specs = NULL;
    const Json *tree = NULL;
    size_t len = 0;
    ErrCode rc = OK;
    if (definition.len > 0)
        rc = json_parse(s->arena, definition, &tree, err);
    if (rc == OK)
        rc = trigger_read(json_get(tree, "on"), NULL, s->arena, &specs, &len, err);
    if (rc == OK)
        rc = drop_others(s, specs, len, err);
    for (size_t i = 0; rc == OK && i < len; i++)
        rc = put_spec(s, &specs[i], err);
    if (rc == OK)
        rc = set_schedules(s, err);
    return rc == OK ? tell_thread(s, err) : rc;
}

ErrCode trigger_stored(void *ctx, DbConn *tx, int64_t project, int64_t key, Str pipeline,
                       Str definition, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(SCRATCH);
    if (a == NULL)
        return no_memory(err);
    const Set s = {
        .world = ctx, .tx = tx, .arena = a, .project = project, .key = key, .pipeline = pipeline};
    return set_all(&s, definition, err);
}

/* --- reading --- */

static ErrCode put_list(Trigger **list, size_t *len, const Trigger *t, Arena *a, Err *err)
{
    Trigger *grown = arena_grow(a, *list, *len * sizeof *grown, (*len + 1) * sizeof *grown);
    if (grown == NULL)
        return no_memory(err);
    grown[(*len)++] = *t;
    *list = grown;
    return OK;
}

static bool has_row(const Trigger *rows, size_t len, Str pipeline, Str name)
{
    for (size_t i = 0; i < len; i++)
        if (str_eq(rows[i].pipeline, pipeline) && str_eq(rows[i].name, name))
            return true;
    return false;
}

/* Of a pipeline that comes with platen: what it declares and nobody has turned on. */
static ErrCode add_built_in(DbConn *reader, int64_t project, const BuiltInPipeline *b, Arena *a,
                            Trigger **list, size_t *len, Err *err)
{
    PipelineInfo info;
    TriggerSpec *specs;
    const Json *tree;
    size_t specs_len = 0;
    ErrCode rc = flow_pipeline_get(reader, project, str_from_c(b->name), 0, a, &info, err);
    if (rc != OK || !info.built_in)
        return rc;
    rc = json_parse(a, str_from_c(b->definition), &tree, err);
    if (rc == OK)
        rc = trigger_read(json_get(tree, "on"), NULL, a, &specs, &specs_len, err);
    for (size_t i = 0; rc == OK && i < specs_len; i++) {
        Buf spec = buf_init(a, PIPELINE_TEXT_MAX);
        JsonOut j = json_out(&spec);
        json_put(&j, specs[i].source);
        const Trigger t = {.project = project,
                           .pipeline = str_from_c(b->name),
                           .name = specs[i].name,
                           .kind = specs[i].kind,
                           .spec = buf_str(&spec),
                           .paused = true};
        if (!has_row(*list, *len, t.pipeline, t.name))
            rc = put_list(list, len, &t, a, err);
    }
    return rc;
}

ErrCode trigger_list(DbConn *reader, int64_t project, Arena *a, Trigger **out, size_t *len,
                     Err *err)
{
    const FlowHooks *hooks = db_attached(reader);
    ErrCode rc = trigger_rows(reader, &sql_trigger_list, DB_ARGS(DB_I(project)), a, out, len, err);
    const BuiltInPipeline *b = hooks != NULL ? hooks->built_in : NULL;
    if (rc != OK || b == NULL || b->name == NULL)
        return rc;
    Trigger *list = arena_new(a, Trigger, *len + 1);
    if (list == NULL)
        return no_memory(err);
    for (size_t i = 0; i < *len; i++)
        list[i] = (*out)[i];
    for (; rc == OK && b->name != NULL; b++)
        rc = add_built_in(reader, project, b, a, &list, len, err);
    *out = list;
    return rc;
}

ErrCode trigger_get(DbConn *reader, int64_t project, Str pipeline, Str name, Arena *a, Trigger *out,
                    Err *err)
{
    Trigger *all;
    size_t len;
    ErrCode rc = trigger_list(reader, project, a, &all, &len, err);
    for (size_t i = 0; rc == OK && i < len; i++)
        if (str_eq(all[i].pipeline, pipeline) && str_eq(all[i].name, name)) {
            *out = all[i];
            return OK;
        }
    return rc != OK ? rc
                    : err_set(err, ERR_NOT_FOUND, "there is no trigger \"" STR_FMT "." STR_FMT "\"",
                              STR_ARG(pipeline), STR_ARG(name));
}

/* --- pausing --- */

typedef struct Pause {
    const TriggerWorld *world;
    int64_t project, key;
    Str pipeline, name;
    bool paused;
} Pause;

/* A built-in pipeline's triggers become rows when the first of them is turned on. */
static ErrCode make_rows(const Set *s, Err *err)
{
    PipelineInfo info;
    ErrCode rc = flow_pipeline_get(s->tx, s->project, s->pipeline, 0, s->arena, &info, err);
    return rc == OK ? set_all(s, info.definition, err) : rc;
}

static ErrCode pause_write(DbConn *tx, void *arg, Err *err)
{
    const Pause *p = arg;
    CLEANUP(arena_close) Arena *a = arena_open(SCRATCH);
    if (a == NULL)
        return no_memory(err);
    const Set s = {.world = p->world,
                   .tx = tx,
                   .arena = a,
                   .project = p->project,
                   .key = p->key,
                   .pipeline = p->pipeline,
                   .paused = true};
    Trigger t;
    int64_t feed_id = 0;
    ErrCode rc = trigger_get(tx, p->project, p->pipeline, p->name, a, &t, err);
    if (rc != OK || (t.id == 0 && p->paused))
        return rc;
    if (t.id == 0) {
        rc = make_rows(&s, err);
        if (rc == OK)
            rc = trigger_get(tx, p->project, p->pipeline, p->name, a, &t, err);
    }
    if (rc == OK && t.paused == p->paused)
        return OK;
    if (rc == OK)
        rc = feed_last(tx, p->project, &feed_id, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_trigger_pause, DB_ARGS(DB_I(t.id), DB_I(p->paused), DB_I(feed_id)),
                     NULL, err);
    if (rc == OK && t.kind == TRIGGER_SCHEDULE)
        rc = set_schedules(&s, err);
    return rc == OK ? tell_thread(&s, err) : rc;
}

ErrCode trigger_pause(Db *db, const TriggerWorld *w, int64_t project, int64_t key, Str pipeline,
                      Str name, bool paused, Err *err)
{
    Pause p = {w, project, key, pipeline, name, paused};
    return db_write(db, pause_write, &p, err);
}
