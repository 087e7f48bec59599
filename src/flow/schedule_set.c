/* schedule_set.c: the schedules that a pipeline declares. */
#include "flow/schedule_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "core/pipeline.h"
#include "db/queries.h"

/* What of an earlier one stays: its row, its history, whether it is paused, and its next time when
 * nothing about the times has changed. */
static void take_over(Schedule *s, const Schedule *old, const Timing *t, int64_t now_ms)
{
    bool same = str_eq(old->spec.cron, s->spec.cron) && str_eq(old->spec.zone, s->spec.zone) &&
                old->spec.start_ms == s->spec.start_ms && old->spec.end_ms == s->spec.end_ms;
    s->spec.paused = s->spec.paused || old->spec.paused;
    if (s->spec.paused)
        s->next_ms = 0;
    else
        s->next_ms =
            same && old->next_ms > 0 ? old->next_ms : timing_begin(t, old->last_ms, now_ms);
}

/* "nightly", "nightly.2" … */
static Str name_of(Arena *a, Str pipeline, size_t index)
{
    return index == 0 ? pipeline : str_printf(a, STR_FMT ".%zu", STR_ARG(pipeline), index + 1);
}

static const Schedule *find(const Schedule *list, size_t len, Str name)
{
    for (size_t i = 0; i < len; i++)
        if (str_eq(list[i].spec.name, name))
            return &list[i];
    return NULL;
}

static ErrCode taken(Str name, Err *err)
{
    err_set(err, ERR_CONFLICT,
            "there is a schedule \"" STR_FMT "\" already that is not this "
            "pipeline's",
            STR_ARG(name));
    err_hint(err, "Delete that schedule, or give the pipeline another name.");
    return ERR_CONFLICT;
}

static ErrCode set_one(DbConn *tx, const Registry *r, Schedule *s, const Schedule *old, Arena *a,
                       int64_t now_ms, Err *err)
{
    Timing t;
    Schedule other;
    ErrCode rc = schedule_check(&s->spec, r, err);
    if (rc == OK && old == NULL) {
        rc = schedule_get(tx, s->project, s->spec.name, a, &other, err);
        rc = rc == OK ? taken(s->spec.name, err) : rc == ERR_NOT_FOUND ? OK : rc;
    }
    if (rc == OK)
        rc = timing_read(&s->spec, old != NULL ? old->created_ms : now_ms, a, &t, err);
    if (rc != OK)
        return rc;
    if (old != NULL)
        take_over(s, old, &t, now_ms);
    else
        s->next_ms = s->spec.paused ? 0 : timing_begin(&t, 0, now_ms);
    return schedule_store_tx(tx, s, now_ms, err);
}

static ErrCode remove_others(DbConn *tx, int64_t project, const Schedule *old, size_t len,
                             const Str *names, size_t names_len, Err *err)
{
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < len; i++) {
        bool stays = false;
        for (size_t k = 0; k < names_len; k++)
            stays = stays || str_eq(names[k], old[i].spec.name);
        if (!stays)
            rc = db_exec(tx, &sql_schedule_delete, DB_ARGS(DB_I(project), DB_S(old[i].spec.name)),
                         NULL, err);
    }
    return rc;
}

ErrCode schedule_set_for_pipeline_tx(DbConn *tx, const Registry *r, int64_t project, int64_t key,
                                     Str pipeline, const ScheduleSpec *specs, size_t len,
                                     int64_t now_ms, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(SCHEDULE_SCRATCH + len * SCHEDULE_PARAMS_MAX);
    Str *names = a != NULL ? arena_new(a, Str, len + 1) : NULL;
    Schedule *old = NULL;
    size_t old_len = 0;
    if (names == NULL)
        return err_set(err, ERR_NO_MEMORY, "storing a pipeline's schedules");
    ErrCode rc = schedule_rows(tx, &sql_schedule_of_pipeline,
                               DB_ARGS(DB_I(project), DB_S(pipeline)), a, &old, &old_len, err);
    for (size_t i = 0; rc == OK && i < len; i++) {
        Schedule s = {.id = id_new(),
                      .project = project,
                      .key = key,
                      .spec = specs[i],
                      .pipeline_of = pipeline};
        s.spec.name = names[i] = name_of(a, pipeline, i);
        s.spec.step = (Str){0};
        s.spec.pipeline = pipeline;
        if (s.spec.zone.len == 0)
            s.spec.zone = STR("UTC");
        rc = set_one(tx, r, &s, find(old, old_len, s.spec.name), a, now_ms, err);
    }
    return rc == OK ? remove_others(tx, project, old, old_len, names, len, err) : rc;
}

/* --- as a pipeline's definition has them --- */

enum { DECLARED_MAX = 100 };

static bool known_key(Str key)
{
    static const char *const keys[] = {"cron", "every",  "zone",    "with",   "start",
                                       "end",  "missed", "overlap", "jitter", "priority"};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (str_eq_c(key, keys[i]))
            return true;
    return false;
}

static ErrCode bad(const char *why, Err *err)
{
    return err_set(err, ERR_BAD_PIPELINE, "%s", why);
}

static ErrCode read_time(const Json *entry, const char *key, int64_t *out, Err *err)
{
    const Json *j = json_get(entry, key);
    if (j != NULL && !clock_parse(json_text(j), out))
        return err_set(err, ERR_BAD_PIPELINE, "%s is no time as in RFC 3339", key);
    return OK;
}

static ErrCode read_with(const Json *entry, Arena *a, Str *out, Err *err)
{
    const Json *with = json_get(entry, "with");
    Buf b = buf_init(a, SCHEDULE_PARAMS_MAX);
    JsonOut j = json_out(&b);
    if (with == NULL)
        return OK;
    if (with->type != JSON_OBJECT)
        return bad("with is no object of inputs", err);
    json_put(&j, with);
    if (b.failed)
        return bad("with is larger than 64 kB", err);
    *out = buf_str(&b);
    return OK;
}

static ErrCode read_policies(const Json *entry, ScheduleSpec *s, Err *err)
{
    const Json *missed = json_get(entry, "missed"), *overlap = json_get(entry, "overlap");
    const Json *jitter = json_get(entry, "jitter");
    if (missed != NULL && (s->missed = missed_from(json_text(missed))) == MISSED_COUNT)
        return bad("missed is none of skip, once, all", err);
    if (overlap != NULL && (s->overlap = overlap_from(json_text(overlap))) == OVERLAP_COUNT)
        return bad("overlap is none of allow, skip, cancel", err);
    if (jitter != NULL && (s->jitter_ms = pipeline_duration_ms(jitter)) < 0)
        return bad("jitter is no duration", err);
    s->priority = json_int(json_get(entry, "priority"), 0);
    return OK;
}

static ErrCode read_entry(const Json *entry, Arena *a, ScheduleSpec *s, Err *err)
{
    *s = (ScheduleSpec){.cron = json_text(entry)};
    if (s->cron.len > 0)
        return OK;
    if (entry->type != JSON_OBJECT)
        return bad("is no object", err);
    json_each(member, entry)
        if (!known_key(member->key))
            return err_set(err, ERR_BAD_PIPELINE, "\"" STR_FMT "\" is not known here",
                           STR_ARG(str_slice(member->key, 0, 40)));
    Str every = json_text(json_get(entry, "every"));
    s->cron = json_text(json_get(entry, "cron"));
    s->zone = json_text(json_get(entry, "zone"));
    if ((s->cron.len > 0) == (every.len > 0))
        return bad("needs either cron or every", err);
    if (every.len > 0)
        s->cron = str_printf(a, "@every " STR_FMT, STR_ARG(every));
    ErrCode rc = read_with(entry, a, &s->params, err);
    if (rc == OK)
        rc = read_time(entry, "start", &s->start_ms, err);
    if (rc == OK)
        rc = read_time(entry, "end", &s->end_ms, err);
    return rc == OK ? read_policies(entry, s, err) : rc;
}

/* "on.schedule[2]: …" before what is wrong. */
static ErrCode at_entry(size_t index, ErrCode rc, Err *err)
{
    if (err_status(rc) >= 500)
        return rc;
    const Err what = *err;
    err_set(err, ERR_BAD_PIPELINE, "on.schedule[%zu]: %s", index, what.text);
    if (what.hint[0] != 0)
        err_hint(err, "%s", what.hint);
    return ERR_BAD_PIPELINE;
}

static ErrCode read_entries(const Json *list, Arena *a, ScheduleSpec *specs, size_t *len, Err *err)
{
    bool is_list = json_is(list, JSON_LIST);
    const Json *entry = is_list ? list->first : list;
    for (*len = 0; entry != NULL; entry = is_list ? entry->next : NULL) {
        if (*len == DECLARED_MAX)
            return bad("on.schedule has more than 100 entries", err);
        ScheduleSpec *s = &specs[*len];
        ErrCode rc = read_entry(entry, a, s, err);
        ScheduleSpec check = *s;
        check.name = check.pipeline = STR("x");
        if (rc == OK)
            rc = schedule_check(&check, NULL, err);
        if (rc != OK)
            return at_entry(*len, rc, err);
        (*len)++;
    }
    return OK;
}

ErrCode schedule_declare_tx(DbConn *tx, int64_t project, int64_t key, Str pipeline, Str definition,
                            int64_t now_ms, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
    ScheduleSpec *specs = a != NULL ? arena_new(a, ScheduleSpec, DECLARED_MAX) : NULL;
    const Json *tree = NULL;
    size_t len = 0;
    if (specs == NULL)
        return err_set(err, ERR_NO_MEMORY, "storing a pipeline's schedules");
    ErrCode rc = json_parse(a, definition, &tree, err);
    if (rc == OK)
        rc = read_entries(json_get(json_get(tree, "on"), "schedule"), a, specs, &len, err);
    return rc != OK ? rc
                    : schedule_set_for_pipeline_tx(tx, NULL, project, key, pipeline, specs, len,
                                                   now_ms, err);
}
