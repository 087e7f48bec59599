/* schedule_fire.c: a schedule's time has come. */
#include "flow/schedule_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"
#include "flow/pipeline.h"

#include <string.h>
#include <sys/random.h>

enum {
    DUE_MAX = 50,         /* schedules per transaction */
    STEPS_MAX = 10000,    /* times that are counted one by one */
    FIRE_ARENA = 8 << 20, /* of the rows of one transaction */
    ZONE_GONE_MS = 3600 * 1000,
};

/* --- what is to be done --- */

static void plan(const Schedule *s, const Timing *t, int64_t now_ms, Firing *out)
{
    int64_t ring[SCHEDULE_MAKE_UP_MAX], count = 0, at = s->next_ms;
    *out = (Firing){.last_ms = at};
    for (int steps = 1; at <= now_ms; steps++) {
        ring[count++ % SCHEDULE_MAKE_UP_MAX] = out->last_ms = at;
        at = timing_next(t, at);
        if (steps % STEPS_MAX == 0 && at <= now_ms) { /* years of seconds: over half of the rest */
            int64_t half = timing_next(t, at + (now_ms - at) / 2);
            at = half <= now_ms ? half : at;
        }
    }
    out->next_ms = at;
    bool late = now_ms - out->last_ms > SCHEDULE_LATE_MS;
    int64_t want = s->spec.missed == MISSED_ALL            ? SCHEDULE_MAKE_UP_MAX
                   : s->spec.missed == MISSED_SKIP && late ? 0
                                                           : 1;
    out->len = (size_t)(want < count ? want : count);
    out->left_out = count - (int64_t)out->len;
    for (size_t i = 0; i < out->len; i++)
        out->times[i] = ring[(count - (int64_t)out->len + (int64_t)i) % SCHEDULE_MAKE_UP_MAX];
}

void schedule_plan(const Schedule *s, const Cron *c, const Zone *z, int64_t now_ms, Firing *out)
{
    const Timing t = {.cron = *c,
                      .zone = *z,
                      .anchor_ms = s->spec.start_ms > 0 ? s->spec.start_ms : s->created_ms,
                      .start_ms = s->spec.start_ms,
                      .end_ms = s->spec.end_ms};
    plan(s, &t, now_ms, out);
}

/* --- one job --- */

/* What happens to one time: a job, or why there is none. */
typedef struct Start {
    const Registry *registry;
    const Schedule *s;
    Arena *arena;
    int64_t time_ms, last_job;
    Str trace, idempotency_key;
    bool existed;  /* by its idempotency key: `job` is the earlier one */
    int64_t job;   /* 0: none */
    char why[256]; /* then */
} Start;

/* It cannot be started, and nothing was changed: the schedule goes on. Else the database failed. */
static bool is_refusal(ErrCode rc)
{
    return err_status(rc) < 500 || rc == ERR_QUEUE_DRAINING || rc == ERR_OVERLOADED;
}

static int64_t jitter(int64_t most_ms)
{
    uint64_t dice = 0;
    if (most_ms <= 0 || getrandom(&dice, sizeof dice, 0) != sizeof dice)
        return 0;
    return (int64_t)(dice % (uint64_t)(most_ms + 1));
}

static ErrCode start_step(DbConn *tx, Start *st, Err *err)
{
    const ScheduleSpec *p = &st->s->spec;
    char key[ID_TEXT_SIZE];
    JobAdded added;
    JobNew n = {.project = st->s->project,
                .key = st->s->key,
                .step = registry_find(st->registry, p->step),
                .params = p->params,
                .queue = p->queue,
                .priority = p->priority,
                .attempts = p->attempts,
                .timeout_ms = p->timeout_ms,
                .delay_ms = jitter(p->jitter_ms),
                .idempotency_key = st->idempotency_key,
                .request_hash = p->name,
                .trace = st->trace};
    if (n.step == NULL)
        return err_set(err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\" any more",
                       STR_ARG(p->step));
    if (p->overlap == OVERLAP_QUEUE)
        n.concurrency_key = str_from_c(id_text("schedule", st->s->id, key));
    ErrCode rc = flow_add_tx(tx, id_new(), &n, &added, err);
    if (rc == OK) {
        st->job = added.job;
        st->existed = added.existed;
    }
    return rc;
}

/* Against the version that is the newest now: it may ask for other inputs than the one before. */
static ErrCode pipeline_inputs(DbConn *tx, const Schedule *s, Arena *a, Str *inputs,
                               int64_t *version, Err *err)
{
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    const Json *given = NULL;
    ParamFaults *faults = arena_new(a, ParamFaults, 1);
    if (faults == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting a pipeline");
    ErrCode rc = flow_pipeline_hold(tx, s->project, s->spec.pipeline, 0, &held, err);
    if (rc == OK)
        rc = json_parse(a, s->spec.params, &given, err);
    if (rc == OK)
        rc = param_check(flow_pipeline_of(held)->inputs, given, a, inputs, faults, err);
    if (rc == OK)
        *version = flow_pipeline_version_of(held);
    return rc;
}

static Str trigger_text(const Start *st)
{
    char time[CLOCK_TEXT_SIZE];
    Buf b = buf_init(st->arena, 4 * KIB);
    JsonOut j = json_out(&b);
    clock_text(st->time_ms, time);
    json_begin(&j, '{');
    json_kv_c(&j, "kind", "schedule");
    json_kv_str(&j, "schedule", st->s->spec.name);
    json_kv_c(&j, "time", time);
    json_end(&j, '}');
    return b.failed ? (Str){0} : buf_str(&b);
}

static ErrCode start_pipeline(DbConn *tx, Start *st, Err *err)
{
    const ScheduleSpec *p = &st->s->spec;
    JobAdded added;
    PipelineRun n = {.project = st->s->project,
                     .key = st->s->key,
                     .name = p->pipeline,
                     .priority = p->priority,
                     .timeout_ms = p->timeout_ms,
                     .delay_ms = jitter(p->jitter_ms),
                     .idempotency_key = st->idempotency_key,
                     .request_hash = p->name,
                     .trace = st->trace,
                     .trigger = trigger_text(st)};
    ErrCode rc = pipeline_inputs(tx, st->s, st->arena, &n.inputs, &n.version, err);
    if (rc == OK)
        rc = flow_run_tx(tx, id_new(), &n, &added, err);
    if (rc == OK) {
        st->job = added.job;
        st->existed = added.existed;
    }
    return rc;
}

static ErrCode job_lives(DbConn *tx, int64_t job, bool *lives, Err *err)
{
    int64_t one = 0;
    ErrCode rc =
        job == 0 ? OK : db_get_int(tx, &sql_schedule_job_lives, DB_ARGS(DB_I(job)), 0, &one, err);
    *lives = one != 0;
    return rc;
}

/* The job before, by the overlap policy. ERR_CONFLICT: it lives, and there is to be no other. */
static ErrCode settle_before(DbConn *tx, const Start *st, Err *err)
{
    bool lives = false;
    Overlap o = st->s->spec.overlap;
    if (o != OVERLAP_SKIP && o != OVERLAP_CANCEL)
        return OK;
    ErrCode rc = job_lives(tx, st->last_job, &lives, err);
    if (rc != OK || !lives)
        return rc;
    if (o == OVERLAP_SKIP)
        return err_set(err, ERR_CONFLICT, "the job before has not ended");
    rc = flow_cancel_tx(tx, st->s->project, st->last_job, err);
    return rc == ERR_CONFLICT || rc == ERR_NOT_FOUND ? OK : rc;
}

static ErrCode start(DbConn *tx, Start *st, Err *err)
{
    ErrCode rc = settle_before(tx, st, err);
    if (rc != OK)
        return rc;
    return st->s->spec.step.len > 0 ? start_step(tx, st, err) : start_pipeline(tx, st, err);
}

/* The feed's row of one time. */
static ErrCode tell(DbConn *tx, const Start *st, bool made_up, Arena *a, Err *err)
{
    ArenaMark mark = arena_mark(a);
    char time[CLOCK_TEXT_SIZE];
    Buf b = buf_init(a, FEED_DATA_MAX);
    JsonOut j = json_out(&b);
    clock_text(st->time_ms, time);
    json_begin(&j, '{');
    json_kv_str(&j, "schedule", st->s->spec.name);
    json_kv_c(&j, "time", time);
    if (st->job != 0)
        json_kv_bool(&j, "made_up", made_up);
    else
        json_kv_c(&j, "reason", st->why);
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "telling of a schedule");
    ErrCode rc = feed_add_tx(
        tx,
        &(FeedNew){.project = st->s->project,
                   .type = st->job != 0 ? STR("schedule.fired") : STR("schedule.skipped"),
                   .job = st->job,
                   .subject = st->s->spec.name,
                   .data = buf_str(&b)},
        err);
    arena_rewind(a, mark);
    return rc;
}

/* --- all that is due --- */

typedef struct Fire {
    const Registry *registry;
    int64_t now_ms, fired, next_ms;
    bool more; /* there may be further ones */
} Fire;

typedef struct Done {
    int64_t fired, skipped, last_job, last_ms, next_ms;
    char why[256];
} Done;

static ErrCode record(DbConn *tx, const Schedule *s, const Done *d, int64_t now_ms, Err *err)
{
    return db_exec(tx, &sql_schedule_fired,
                   DB_ARGS(DB_I(s->id), DB_I(d->last_ms),
                           db_int_or_null(d->next_ms == INT64_MAX ? 0 : d->next_ms), DB_I(d->fired),
                           DB_I(now_ms), DB_I(d->last_job), DB_I(d->skipped), DB_I(now_ms),
                           DB_S(str_from_c(d->why))),
                   NULL, err);
}

static void set_why(char out[256], const char *why)
{
    size_t n = strlen(why);
    n = n < 255 ? n : 255;
    memcpy(out, why, n);
    out[n] = 0;
}

static ErrCode start_one(DbConn *tx, Start *st, Done *d, bool made_up, Arena *a, Err *err)
{
    ErrCode rc = start(tx, st, err);
    if (rc != OK && !is_refusal(rc))
        return rc;
    if (rc != OK) {
        d->skipped++;
        set_why(st->why, err->text);
        set_why(d->why, err->text);
    } else {
        d->fired++;
        d->last_job = st->job;
    }
    return tell(tx, st, made_up, a, err);
}

static ErrCode fire_one(DbConn *tx, Fire *f, const Schedule *s, Arena *a, Err *err)
{
    Timing t;
    Firing firing;
    Done d = {.last_job = s->last_job};
    ErrCode rc = timing_read(&s->spec, s->created_ms, a, &t, err);
    if (rc == ERR_NO_MEMORY)
        return rc;
    if (rc != OK) { /* a zone that is gone: may be there again later */
        d = (Done){.last_ms = s->last_ms, .skipped = 1, .next_ms = f->now_ms + ZONE_GONE_MS};
        set_why(d.why, err->text);
        return record(tx, s, &d, f->now_ms, err);
    }
    plan(s, &t, f->now_ms, &firing);
    d.skipped = firing.left_out;
    d.last_ms = firing.last_ms;
    d.next_ms = firing.next_ms;
    if (firing.left_out > 0)
        set_why(d.why, "missed: no server ran then, or the clock jumped over it");
    for (size_t i = 0; rc == OK && i < firing.len; i++) {
        Start st = {.registry = f->registry,
                    .s = s,
                    .arena = a,
                    .time_ms = firing.times[i],
                    .last_job = d.last_job};
        rc = start_one(tx, &st, &d, f->now_ms - st.time_ms > SCHEDULE_LATE_MS, a, err);
    }
    if (rc == OK)
        rc = record(tx, s, &d, f->now_ms, err);
    f->fired += d.fired;
    return rc;
}

static ErrCode fire_write(DbConn *tx, void *arg, Err *err)
{
    Fire *f = arg;
    CLEANUP(arena_close) Arena *a = arena_open(FIRE_ARENA);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting what is due");
    Schedule *due = NULL;
    size_t n = 0;
    f->fired = 0;
    ErrCode rc = schedule_rows(tx, &sql_schedule_due, DB_ARGS(DB_I(f->now_ms), DB_I(DUE_MAX)), a,
                               &due, &n, err);
    for (size_t i = 0; rc == OK && i < n; i++) {
        ArenaMark mark = arena_mark(a);
        rc = fire_one(tx, f, &due[i], a, err);
        arena_rewind(a, mark);
    }
    f->more = n == DUE_MAX;
    return rc != OK ? rc
                    : db_get_int(tx, &sql_schedule_next, DB_NO_ARGS, INT64_MAX, &f->next_ms, err);
}

ErrCode schedule_fire_due(Db *db, const Registry *r, int64_t now_ms, int64_t *fired,
                          int64_t *next_ms, Err *err)
{
    Fire f = {.registry = r, .now_ms = now_ms};
    *fired = 0;
    do {
        ErrCode rc = db_write(db, fire_write, &f, err);
        if (rc != OK)
            return rc;
        *fired += f.fired;
    } while (f.more);
    *next_ms = f.next_ms;
    return OK;
}

/* --- now --- */

typedef struct RunNow {
    const Registry *registry;
    int64_t project, now_ms;
    Str name, trace, idempotency_key;
    JobAdded added;
} RunNow;

static ErrCode run_write(DbConn *tx, void *arg, Err *err)
{
    RunNow *r = arg;
    CLEANUP(arena_close) Arena *a = arena_open(SCHEDULE_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting a schedule's job");
    Schedule s;
    ErrCode rc = schedule_get(tx, r->project, r->name, a, &s, err);
    if (rc != OK)
        return rc;
    Start st = {.registry = r->registry,
                .s = &s,
                .arena = a,
                .time_ms = r->now_ms,
                .last_job = s.last_job,
                .trace = r->trace,
                .idempotency_key = r->idempotency_key};
    s.spec.jitter_ms = 0; /* now is now */
    rc = start(tx, &st, err);
    const Done d = {.fired = 1, .last_job = st.job, .last_ms = s.last_ms, .next_ms = s.next_ms};
    if (rc == OK && !st.existed)
        rc = record(tx, &s, &d, r->now_ms, err);
    if (rc == OK && !st.existed)
        rc = tell(tx, &st, false, a, err);
    r->added = (JobAdded){.job = st.job, .existed = st.existed};
    return rc;
}

ErrCode schedule_run(Db *db, const Registry *r, int64_t project, Str name, Str trace,
                     Str idempotency_key, int64_t now_ms, JobAdded *out, Err *err)
{
    RunNow run = {.registry = r,
                  .project = project,
                  .name = name,
                  .trace = trace,
                  .idempotency_key = idempotency_key,
                  .now_ms = now_ms};
    ErrCode rc = db_write(db, run_write, &run, err);
    if (rc == OK)
        *out = run.added;
    return rc;
}
