/* schedule.c: schedules as rows: made, changed, read, paused, removed. */
#include "flow/schedule_in.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/id.h"
#include "db/queries.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { JITTER_MAX_MS = 24 * 3600 * 1000, DAY_MS = 24 * 3600 * 1000, ROWS_MAX = 2048 };

static const char *const missed_names[] = {"skip", "once", "all"};
static const char *const overlap_names[] = {"allow", "skip", "queue", "cancel"};

const char *missed_name(Missed m)
{
    return missed_names[m];
}

const char *overlap_name(Overlap o)
{
    return overlap_names[o];
}

Missed missed_from(Str name)
{
    int i = 0;
    while (i < MISSED_COUNT && !str_eq_c(name, missed_names[i]))
        i++;
    return (Missed)i;
}

Overlap overlap_from(Str name)
{
    int i = 0;
    while (i < OVERLAP_COUNT && !str_eq_c(name, overlap_names[i]))
        i++;
    return (Overlap)i;
}

/* --- when --- */

ErrCode timing_read(const ScheduleSpec *s, int64_t created_ms, Arena *a, Timing *out, Err *err)
{
    ErrCode rc = cron_parse(s->cron, &out->cron, err);
    if (rc == OK)
        rc = zone_open(a, s->zone, &out->zone, err);
    out->start_ms = s->start_ms;
    out->end_ms = s->end_ms;
    out->anchor_ms = s->start_ms > 0 ? s->start_ms : created_ms;
    return rc;
}

static int64_t every_next(const Timing *t, int64_t after_ms)
{
    int64_t every = t->cron.every_ms, anchor = t->anchor_ms;
    if (after_ms < anchor)
        return t->start_ms > 0 ? anchor : anchor + every;
    return anchor + ((after_ms - anchor) / every + 1) * every;
}

int64_t timing_next(const Timing *t, int64_t after_ms)
{
    int64_t from = after_ms < t->start_ms - 1 ? t->start_ms - 1 : after_ms;
    int64_t at =
        t->cron.every_ms > 0 ? every_next(t, after_ms) : cron_next(&t->cron, &t->zone, from);
    return t->end_ms > 0 && at > t->end_ms ? INT64_MAX : at;
}

/* A time that is done does not come again, unless the clock was wrong by days when it was done. */
int64_t timing_begin(const Timing *t, int64_t last_ms, int64_t now_ms)
{
    bool trusted = last_ms > now_ms && last_ms - now_ms <= DAY_MS;
    int64_t at = timing_next(t, trusted ? last_ms : now_ms);
    return at == INT64_MAX ? 0 : at;
}

ErrCode schedule_preview(const ScheduleSpec *s, int64_t created_ms, int64_t after_ms, int64_t *out,
                         size_t max, size_t *len, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(SCHEDULE_SCRATCH);
    Timing t;
    *len = 0;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a schedule");
    ErrCode rc = timing_read(s, created_ms, a, &t, err);
    int64_t at = rc == OK ? timing_next(&t, after_ms) : INT64_MAX;
    for (; at != INT64_MAX && *len < max; at = timing_next(&t, at))
        out[(*len)++] = at;
    return rc;
}

static Str local_text(const Zone *z, int64_t ms, Arena *a)
{
    int32_t offset = zone_span(z, ms / 1000 - (ms % 1000 < 0)).offset;
    char text[CLOCK_TEXT_SIZE];
    int minutes = abs(offset) / 60;
    clock_text(ms + offset * INT64_C(1000), text);
    return str_printf(a, "%.19s%c%02d:%02d", text, offset < 0 ? '-' : '+', minutes / 60,
                      minutes % 60);
}

ErrCode schedule_local(Str zone, const int64_t *ms, size_t len, Arena *a, Str *out, Err *err)
{
    Zone z;
    ErrCode rc = zone_open(a, zone, &z, err);
    for (size_t i = 0; rc == OK && i < len; i++) {
        out[i] = local_text(&z, ms[i], a);
        if (out[i].ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "writing a time");
    }
    return rc;
}

/* --- what can be wrong --- */

static ErrCode bad(Err *err, const char *param, const char *why)
{
    err_set(err, ERR_BAD_PARAM, "%s %s", param, why);
    err_param(err, param);
    return ERR_BAD_PARAM;
}

static bool name_ok(Str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", name.ptr[i]) == NULL ||
            name.ptr[i] == 0)
            return false;
    return name.len > 0 && name.len <= SCHEDULE_NAME_MAX;
}

static ErrCode check_target(const ScheduleSpec *s, const Registry *r, Err *err)
{
    if (s->step.len == 0) {
        if (s->queue.len > 0)
            return bad(err, "queue", "is a step's: a pipeline's steps have queues of their own");
        if (s->overlap == OVERLAP_QUEUE)
            return bad(err, "overlap", "queue is for steps: give the pipeline a concurrency");
        return OK;
    }
    const Step *step = registry_find(r, s->step);
    if (step == NULL) {
        Str shown = str_slice(s->step, 0, 64);
        return err_set(err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\"", STR_ARG(shown));
    }
    return flow_check(&(JobNew){.step = step,
                                .priority = s->priority,
                                .attempts = s->attempts,
                                .timeout_ms = s->timeout_ms,
                                .queue = s->queue},
                      err);
}

ErrCode schedule_check(const ScheduleSpec *s, const Registry *r, Err *err)
{
    int64_t next;
    size_t len;
    if (str_eq_c(s->name, "preview"))
        return bad(err, "name", "\"preview\" is a path of the API");
    if (!name_ok(s->name))
        return bad(err, "name", "must be 1 to 64 of a-z 0-9 - _ .");
    if ((s->step.len > 0) == (s->pipeline.len > 0))
        return bad(err, "step", "or pipeline: exactly one of them says what starts");
    if (s->jitter_ms < 0 || s->jitter_ms > JITTER_MAX_MS)
        return bad(err, "jitter_ms", "must be 0 to 24 hours");
    if (s->start_ms < 0)
        return bad(err, "start", "must be after 1970");
    if (s->end_ms < 0 || (s->end_ms > 0 && s->end_ms <= s->start_ms))
        return bad(err, "end", "must come after start");
    if (s->params.len > SCHEDULE_PARAMS_MAX)
        return bad(err, "params", "must be at most 64 kB");
    ErrCode rc = schedule_preview(s, 0, 0, &next, 1, &len, err);
    if (rc == OK && len == 0 && s->end_ms == 0)
        rc = bad(err, "cron", "names a day that never comes");
    return rc != OK ? rc : check_target(s, r, err);
}

/* --- rows --- */

static void read_row(const DbRows *rows, Arena *a, Schedule *s)
{
    *s = (Schedule){.id = db_int(rows, 0),
                    .project = db_int(rows, 1),
                    .key = db_int(rows, 2),
                    .pipeline_of = db_str_copy(rows, 19, a),
                    .created_ms = db_int(rows, 20),
                    .changed_ms = db_int(rows, 21),
                    .next_ms = db_int(rows, 22),
                    .last_ms = db_int(rows, 23),
                    .last_fired_ms = db_int(rows, 24),
                    .last_job = db_int(rows, 25),
                    .fired = db_int(rows, 26),
                    .skipped = db_int(rows, 27),
                    .last_skip_ms = db_int(rows, 28),
                    .skip_reason = db_str_copy(rows, 29, a)};
    s->spec = (ScheduleSpec){.name = db_str_copy(rows, 3, a),
                             .cron = db_str_copy(rows, 4, a),
                             .zone = db_str_copy(rows, 5, a),
                             .step = db_str_copy(rows, 6, a),
                             .pipeline = db_str_copy(rows, 7, a),
                             .params = db_str_copy(rows, 8, a),
                             .queue = db_str_copy(rows, 9, a),
                             .priority = db_int(rows, 10),
                             .attempts = db_int(rows, 11),
                             .timeout_ms = db_int(rows, 12),
                             .jitter_ms = db_int(rows, 13),
                             .start_ms = db_int(rows, 14),
                             .end_ms = db_int(rows, 15),
                             .missed = missed_from(db_str(rows, 16)),
                             .overlap = overlap_from(db_str(rows, 17)),
                             .paused = db_int(rows, 18) != 0};
}

ErrCode schedule_rows(DbConn *c, const Query *q, const DbVal *args, size_t args_len, Arena *a,
                      Schedule **out, size_t *len, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    size_t cap = 0;
    *out = NULL;
    *len = 0;
    ErrCode rc = db_query(c, q, args, args_len, &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (*len == cap) {
            size_t more = cap == 0 ? 16 : cap * 2;
            Schedule *grown = arena_new(a, Schedule, more);
            if (grown == NULL || fault_hit("schedule.rows"))
                return err_set(err, ERR_NO_MEMORY, "reading schedules");
            if (cap > 0)
                memcpy(grown, *out, cap * sizeof **out);
            *out = grown;
            cap = more;
        }
        Schedule *s = &(*out)[(*len)++];
        read_row(&rows, a, s);
        if (s->spec.params.ptr == NULL || s->skip_reason.ptr == NULL || s->spec.name.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading schedules");
        assert(*len < ROWS_MAX);
    }
    return rc;
}

static ErrCode not_found(Str name, Err *err)
{
    Str shown = str_slice(name, 0, SCHEDULE_NAME_MAX);
    err_set(err, ERR_NOT_FOUND, "there is no schedule \"" STR_FMT "\"", STR_ARG(shown));
    err_hint(err, "GET /api/v1/schedules or `platen schedules` lists them.");
    return ERR_NOT_FOUND;
}

ErrCode schedule_get(DbConn *reader, int64_t project, Str name, Arena *a, Schedule *out, Err *err)
{
    Schedule *rows = NULL;
    size_t n = 0;
    ErrCode rc = schedule_rows(reader, &sql_schedule_get, DB_ARGS(DB_I(project), DB_S(name)), a,
                               &rows, &n, err);
    if (rc == OK && n == 0)
        return not_found(name, err);
    if (rc == OK)
        *out = rows[0];
    return rc;
}

ErrCode schedule_list(DbConn *reader, int64_t project, Arena *a, Schedule **out, size_t *len,
                      Err *err)
{
    return schedule_rows(reader, &sql_schedule_list, DB_ARGS(DB_I(project), DB_I(SCHEDULES_MAX)), a,
                         out, len, err);
}

ErrCode schedule_store_tx(DbConn *tx, const Schedule *s, int64_t now_ms, Err *err)
{
    const ScheduleSpec *p = &s->spec;
    ErrCode rc = db_exec(
        tx, &sql_schedule_put,
        DB_ARGS(DB_I(s->id), DB_I(s->project), DB_I(s->key), DB_S(p->name), DB_S(p->cron),
                DB_S(p->zone.len > 0 ? p->zone : STR("UTC")), db_text_or_null(p->step),
                db_text_or_null(p->pipeline), DB_S(p->params.len > 0 ? p->params : STR("{}")),
                db_text_or_null(p->queue), DB_I(p->priority), DB_I(p->attempts),
                DB_I(p->timeout_ms), DB_I(p->jitter_ms), DB_I(p->start_ms), DB_I(p->end_ms),
                DB_S(str_from_c(missed_name(p->missed))),
                DB_S(str_from_c(overlap_name(p->overlap))), DB_I(p->paused),
                db_text_or_null(s->pipeline_of), DB_I(now_ms), db_int_or_null(s->next_ms)),
        NULL, err);
    return rc == OK && s->next_ms > 0 ? flow_tell_due(tx, s->next_ms, err) : rc;
}

/* --- changes --- */

typedef struct Put {
    const Registry *registry;
    int64_t id, project, key, now_ms;
    const ScheduleSpec *spec;
    bool replace, made;
} Put;

static bool same_times(const ScheduleSpec *a, const ScheduleSpec *b)
{
    Str zone = b->zone.len > 0 ? b->zone : STR("UTC");
    return str_eq(a->cron, b->cron) && str_eq(a->zone, zone) && a->start_ms == b->start_ms &&
           a->end_ms == b->end_ms && !a->paused && !b->paused;
}

static ErrCode check_room(DbConn *tx, int64_t project, Err *err)
{
    int64_t count = 0;
    ErrCode rc = db_get_int(tx, &sql_schedule_count, DB_ARGS(DB_I(project)), 0, &count, err);
    if (rc == OK && count >= SCHEDULES_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "a project has at most %d schedules", SCHEDULES_MAX);
    return rc;
}

static ErrCode declared(const Schedule *s, Err *err)
{
    err_set(err, ERR_CONFLICT, "the pipeline \"" STR_FMT "\" declares this schedule",
            STR_ARG(s->pipeline_of));
    err_hint(err, "Change it in the pipeline's `on`; pausing it works here.");
    return ERR_CONFLICT;
}

static ErrCode put_write(DbConn *tx, void *arg, Err *err)
{
    Put *p = arg;
    CLEANUP(arena_close) Arena *a = arena_open(SCHEDULE_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "storing a schedule");
    Schedule old = {0};
    Timing t;
    ErrCode rc = schedule_get(tx, p->project, p->spec->name, a, &old, err);
    p->made = rc == ERR_NOT_FOUND;
    if (rc != OK && rc != ERR_NOT_FOUND)
        return rc;
    if (rc == OK && !p->replace)
        return err_set(err, ERR_CONFLICT, "there is a schedule \"" STR_FMT "\" already",
                       STR_ARG(p->spec->name));
    if (rc == OK && old.pipeline_of.len > 0)
        return declared(&old, err);
    rc = p->made ? check_room(tx, p->project, err) : OK;
    Schedule s = {.id = p->id, .project = p->project, .key = p->key, .spec = *p->spec};
    if (rc == OK)
        rc = timing_read(&s.spec, p->made ? p->now_ms : old.created_ms, a, &t, err);
    if (rc != OK)
        return rc;
    if (!s.spec.paused)
        s.next_ms = !p->made && same_times(&old.spec, &s.spec)
                        ? old.next_ms
                        : timing_begin(&t, old.last_ms, p->now_ms);
    return schedule_store_tx(tx, &s, p->now_ms, err);
}

ErrCode schedule_put(Db *db, const Registry *r, int64_t project, int64_t key, const ScheduleSpec *s,
                     bool replace, int64_t now_ms, bool *made, Err *err)
{
    Put p = {.registry = r,
             .id = id_new(),
             .project = project,
             .key = key,
             .now_ms = now_ms,
             .spec = s,
             .replace = replace};
    ErrCode rc = schedule_check(s, r, err);
    if (rc == OK)
        rc = db_write(db, put_write, &p, err);
    if (rc == OK)
        *made = p.made;
    return rc;
}

typedef struct Change {
    int64_t project, now_ms;
    Str name;
    bool paused;
} Change;

static ErrCode delete_write(DbConn *tx, void *arg, Err *err)
{
    const Change *c = arg;
    CLEANUP(arena_close) Arena *a = arena_open(SCHEDULE_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "removing a schedule");
    Schedule s;
    ErrCode rc = schedule_get(tx, c->project, c->name, a, &s, err);
    if (rc == OK && s.pipeline_of.len > 0)
        return declared(&s, err);
    return rc != OK ? rc
                    : db_exec(tx, &sql_schedule_delete, DB_ARGS(DB_I(c->project), DB_S(c->name)),
                              NULL, err);
}

ErrCode schedule_delete(Db *db, int64_t project, Str name, Err *err)
{
    return db_write(db, delete_write, &(Change){.project = project, .name = name}, err);
}

static ErrCode pause_write(DbConn *tx, void *arg, Err *err)
{
    const Change *c = arg;
    CLEANUP(arena_close) Arena *a = arena_open(SCHEDULE_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "pausing a schedule");
    Schedule s;
    Timing t;
    ErrCode rc = schedule_get(tx, c->project, c->name, a, &s, err);
    if (rc != OK || s.spec.paused == c->paused)
        return rc;
    if (!c->paused)
        rc = timing_read(&s.spec, s.created_ms, a, &t, err);
    int64_t next_ms = rc == OK && !c->paused ? timing_begin(&t, s.last_ms, c->now_ms) : 0;
    if (rc == OK)
        rc = db_exec(tx, &sql_schedule_pause,
                     DB_ARGS(DB_I(c->project), DB_S(c->name), DB_I(c->paused),
                             db_int_or_null(next_ms), DB_I(c->now_ms)),
                     NULL, err);
    return rc == OK && next_ms > 0 ? flow_tell_due(tx, next_ms, err) : rc;
}

ErrCode schedule_pause(Db *db, int64_t project, Str name, bool paused, int64_t now_ms, Err *err)
{
    return db_write(db, pause_write,
                    &(Change){.project = project, .name = name, .paused = paused, .now_ms = now_ms},
                    err);
}
