/* schedule_set.c: the schedules that a pipeline declares. */
#include "flow/schedule_in.h"
#include "base/id.h"
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
