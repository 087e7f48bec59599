/* attempt.c: one attempt: open the inputs, run the step in an engine or here, gather what it leaves
 * behind. */
#include "work/work_in.h"
#include "base/seal.h"
#include "base/clock.h"
#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PROGRESS_EVERY_US =
        250000, /* and ever more rarely in long attempts, so that history stays small */
    PROGRESS_PER_ATTEMPT = 100,
    INPUTS_MAX = 1000,
    NOTE_MAX = 1000,
    OUTPUTS_MAX = 1000,
};

bool step_is_quick(const Step *s)
{
    return s != NULL && s->engine == NULL && s->run != NULL && s->accepts == NULL &&
           s->limits.time_ms == 0;
}

static TaskResult result_for(const TaskLease *l)
{
    return (TaskResult){
        .task = l->id, .job = l->job, .attempt = l->attempt, .started_ms = clock_now_ms()};
}

static void end_result(TaskResult *r, ErrCode code)
{
    r->code = code;
    r->finished_ms = clock_now_ms();
    if (code != OK && r->err.code == OK)
        err_set(&r->err, code, "%s", err_meaning(code));
}

void attempt_quick(const Step *s, const TaskLease *l, Arena *a, Arena *scratch, TaskResult *out)
{
    TaskResult r = result_for(l);
    StepCtx c = {.arena = scratch, .err = &r.err, .input_fd = -1, .attempt = l->attempt};
    Str data = {0};
    ErrCode code = step_run(s, &c, l->params, &data);
    if (code == OK && (r.data = str_copy(a, data)).ptr == NULL)
        code = err_set(&r.err, ERR_NO_MEMORY, "keeping the result");
    end_result(&r, code);
    arena_reset(scratch);
    *out = r;
}

/* --- what a running step says --- */

/* A word of a running step on its way to disk; nobody waits for it. */
typedef struct Word {
    DbWrite write;
    int64_t task, attempt, done, total;
    size_t note_len;
    char note[NOTE_MAX];
} Word;

static ErrCode word_write(DbConn *tx, void *arg, Err *err)
{
    const Word *m = arg;
    return flow_progress_tx(tx, m->task, m->attempt, m->done, m->total, (Str){m->note, m->note_len},
                            err);
}

static void word_written(DbWrite *w, ErrCode rc, const Err *err)
{
    (void)rc; /* the database has logged it; progress that is lost is no loss */
    (void)err;
    free(w->arg);
}

static void say(Held *h, int64_t done, int64_t total, Str note)
{
    Word *m = malloc(sizeof *m);
    if (m == NULL)
        return;
    Str kept = str_slice(note, 0, NOTE_MAX);
    *m = (Word){.task = h->lease.id, .attempt = h->lease.attempt, .done = done, .total = total};
    m->note_len = kept.len;
    for (size_t i = 0; i < kept.len; i++)
        m->note[i] = kept.ptr[i];
    m->write.fn = word_write;
    m->write.done = word_written;
    m->write.arg = m;
    db_write_async(h->work->o.db, &m->write);
}

static void on_progress(void *ctx, int64_t done, int64_t total, Str note)
{
    Held *h = ctx;
    int64_t now_us = clock_mono_us(), every_us = (now_us - h->started_us) / PROGRESS_PER_ATTEMPT;
    if (every_us < PROGRESS_EVERY_US)
        every_us = PROGRESS_EVERY_US;
    if (now_us - h->told_us < every_us)
        return;
    h->told_us = now_us;
    say(h, done, total >= 0 ? total : 0, note);
}

static void on_note(void *ctx, Str text)
{
    Held *h = ctx;
    if (h->notes++ < WORK_NOTES_MAX)
        say(h, 0, -1, text);
}

static void on_waits(void *ctx, bool begins)
{
    lane_park(((Held *)ctx)->lane, begins);
}

/* --- inputs --- */

typedef struct Inputs {
    StepInput *items;
    size_t len;
} Inputs;

static void inputs_close(Inputs *in)
{
    for (size_t i = 0; i < in->len; i++)
        fd_close(&in->items[i].fd);
    in->len = 0;
}

static ErrCode inputs_open(Held *h, Inputs *out, Err *err)
{
    if (h->step->accepts == NULL)
        return OK;
    DbConn *reader = NULL;
    JobFile *files = NULL;
    size_t n = 0;
    ErrCode rc = db_reader(h->work->o.db, &reader, err);
    if (rc == OK)
        rc = flow_files(reader, h->lease.job, false, h->arena, &files, &n, err);
    if (rc != OK)
        return rc;
    if (n > INPUTS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "%zu inputs, the limit is %d", n, INPUTS_MAX);
    if (n > 0 && h->work->o.blobs == NULL)
        return err_set(err, ERR_INTERNAL, "there is no blob store");
    out->items = arena_new(h->arena, StepInput, n);
    if (out->items == NULL)
        return err_set(err, ERR_NO_MEMORY, "opening the inputs");
    for (size_t i = 0; i < n; i++) {
        StepInput *in = &out->items[i];
        *in = (StepInput){.name = files[i].name, .type = files[i].type, .fd = -1};
        rc = blob_open(h->work->o.blobs, files[i].hash, &in->fd, &in->size_bytes, err);
        if (rc == ERR_NOT_FOUND)
            return err_set(err, ERR_INPUT_MISSING, "the bytes of \"" STR_FMT "\" are gone",
                           STR_ARG(files[i].name));
        if (rc != OK)
            return rc;
        out->len = i + 1;
    }
    return OK;
}

/* --- in an engine --- */

static ErrCode keep_engine_result(Held *h, const EngineResult *er, TaskResult *r)
{
    JobFile *files = arena_new(h->arena, JobFile, er->outputs_len);
    JobUsage *usage = arena_new(h->arena, JobUsage, er->usage_len);
    if (files == NULL || usage == NULL)
        return err_set(&r->err, ERR_NO_MEMORY, "keeping the result");
    for (size_t i = 0; i < er->outputs_len; i++) {
        const EngineOutput *o = &er->outputs[i];
        files[i] = (JobFile){.name = o->name,
                             .type = o->type,
                             .hash = {o->blob.hash, BLOB_HASH_LEN},
                             .size_bytes = o->blob.size_bytes};
    }
    for (size_t i = 0; i < er->usage_len; i++)
        usage[i] = (JobUsage){er->usage[i].unit, er->usage[i].amount};
    r->outputs = files;
    r->outputs_len = er->outputs_len;
    r->usage = usage;
    r->usage_len = er->usage_len;
    r->data = er->data;
    return OK;
}

static ErrCode run_in_engine(Held *h, const Inputs *in, TaskResult *r)
{
    if (h->work->o.engines == NULL)
        return err_set(&r->err, ERR_ENGINE_MISSING, "engine \"%s\" is not here", h->step->engine);
    const EngineTask task = {.step = h->step,
                             .params = h->lease.params,
                             .inputs = in->items,
                             .inputs_len = in->len,
                             .limits = {.time_ms = h->lease.timeout_ms},
                             .canceled = &h->canceled,
                             .waits = on_waits,
                             .progress = on_progress,
                             .note = on_note,
                             .ctx = h};
    EngineResult *er = arena_new(h->arena, EngineResult, 1);
    if (er == NULL)
        return err_set(&r->err, ERR_NO_MEMORY, "running the step");
    ErrCode rc = engine_run(h->work->o.engines, &task, h->arena, er, &r->err);
    return rc == OK ? keep_engine_result(h, er, r) : rc;
}

/* --- a built-in step --- */

typedef struct Output {
    Str name, type;
    int fd;
} Output;

typedef struct BuiltIn {
    Held *held;
    TaskResult *result;
    Output outputs[OUTPUTS_MAX];
    size_t outputs_len;
    JobUsage usage[ENGINE_USAGE_MAX];
    size_t usage_len;
    int64_t until_us;
    bool late;
} BuiltIn;

static ErrCode on_output(void *ctx, Str name, Str type, int *out_fd, Err *err)
{
    BuiltIn *b = ctx;
    BlobStore *blobs = b->held->work->o.blobs;
    if (blobs == NULL)
        return err_set(err, ERR_INTERNAL, "there is no blob store");
    if (b->outputs_len == OUTPUTS_MAX)
        return err_set(err, ERR_LIMIT_OUTPUT, "more than %d outputs", OUTPUTS_MAX);
    Output o = {str_copy(b->held->arena, name), str_copy(b->held->arena, type), -1};
    if (o.name.ptr == NULL || o.type.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "making an output");
    CLEANUP(fd_close) int fd = -1;
    ErrCode rc = blob_temp(blobs, &fd, err);
    if (rc != OK)
        return rc;
    if ((o.fd = dup(fd)) < 0)
        return err_set_errno(err, ERR_IO, errno, "making an output");
    b->outputs[b->outputs_len++] = o;
    *out_fd = fd_take(&fd);
    return OK;
}

static void on_builtin_progress(void *ctx, int64_t done, int64_t total, Str note)
{
    on_progress(((BuiltIn *)ctx)->held, done, total, note);
}

static void on_builtin_note(void *ctx, Str text)
{
    on_note(((BuiltIn *)ctx)->held, text);
}

static void on_usage(void *ctx, Str unit, int64_t amount)
{
    BuiltIn *b = ctx;
    Str kept = str_copy(b->held->arena, unit);
    if (kept.ptr != NULL && b->usage_len < ENGINE_USAGE_MAX)
        b->usage[b->usage_len++] = (JobUsage){kept, amount};
}

/* Also true when its time is over: the step's only way to hear of it. */
static bool on_canceled(void *ctx)
{
    BuiltIn *b = ctx;
    b->late = b->late || clock_mono_us() >= b->until_us;
    return b->late || atomic_load(&b->held->canceled);
}

static void built_in_done(BuiltIn *b)
{
    for (size_t i = 0; i < b->outputs_len; i++)
        fd_close(&b->outputs[i].fd);
}

static ErrCode keep_outputs(BuiltIn *b, TaskResult *r)
{
    JobFile *files = arena_new(b->held->arena, JobFile, b->outputs_len);
    if (files == NULL)
        return err_set(&r->err, ERR_NO_MEMORY, "keeping the outputs");
    int64_t limit = b->held->step->limits.output_bytes;
    for (size_t i = 0; i < b->outputs_len; i++) {
        const Output *o = &b->outputs[i];
        if (limit > 0 && fd_size(o->fd) > limit)
            return err_set(&r->err, ERR_LIMIT_OUTPUT,
                           "\"" STR_FMT "\" has %" PRId64 " bytes, the limit is %" PRId64,
                           STR_ARG(o->name), fd_size(o->fd), limit);
        Blob blob;
        ErrCode rc = blob_adopt(b->held->work->o.blobs, o->fd, &blob, &r->err);
        if (rc != OK)
            return rc;
        files[i] = (JobFile){.name = o->name,
                             .type = o->type,
                             .hash = str_copy(b->held->arena, (Str){blob.hash, BLOB_HASH_LEN}),
                             .size_bytes = blob.size_bytes};
        if (files[i].hash.ptr == NULL)
            return err_set(&r->err, ERR_NO_MEMORY, "keeping the outputs");
    }
    r->outputs = files;
    r->outputs_len = b->outputs_len;
    return OK;
}

static ErrCode on_ask(void *ctx, const char *what, int64_t time_ms, JsonOut *out, Err *err)
{
    const Held *h = ((BuiltIn *)ctx)->held;
    return work_ask(h->work, h->lease.project, what, time_ms, out, err);
}

static ErrCode run_built_in(Held *h, const Inputs *in, TaskResult *r)
{
    static const StepHost host = {.output = on_output,
                                  .progress = on_builtin_progress,
                                  .usage = on_usage,
                                  .note = on_builtin_note,
                                  .canceled = on_canceled,
                                  .ask = on_ask};
    BuiltIn *b = arena_new(h->arena, BuiltIn, 1);
    if (b == NULL)
        return err_set(&r->err, ERR_NO_MEMORY, "running the step");
    int64_t time_ms = h->lease.timeout_ms > 0 ? h->lease.timeout_ms : h->step->limits.time_ms;
    b->held = h;
    b->result = r;
    b->until_us = time_ms > 0 ? h->started_us + time_ms * 1000 : INT64_MAX;

    StepCtx c = {.arena = h->arena,
                 .err = &r->err,
                 .inputs = in->items,
                 .inputs_len = in->len,
                 .input_fd = in->len > 0 ? in->items[0].fd : -1,
                 .attempt = h->lease.attempt,
                 .host = &host,
                 .host_ctx = b};
    ErrCode rc = step_run(h->step, &c, h->lease.params, &r->data);
    if (rc != OK && b->late)
        rc = err_set(&r->err, ERR_LIMIT_TIME, "it took longer than %" PRId64 " ms", time_ms);
    if (rc == OK)
        rc = keep_outputs(b, r);
    r->usage = b->usage;
    r->usage_len = b->usage_len;
    built_in_done(b);
    return rc;
}

/* --- */

static ErrCode run_step(Held *h, TaskResult *r)
{
    if (h->step == NULL)
        return err_set(&r->err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\" here",
                       STR_ARG(h->lease.step));
    if (seal_is(h->lease.params))
        return err_set(&r->err, ERR_SECRET_KEY,
                       "the job's parameters hold a secret that this server's key does not open");
    CLEANUP(inputs_close) Inputs in = {0};
    ErrCode rc = inputs_open(h, &in, &r->err);
    if (rc != OK)
        return rc;
    return h->step->engine != NULL ? run_in_engine(h, &in, r) : run_built_in(h, &in, r);
}

void attempt_run(Held *h)
{
    log_set_trace(h->lease.trace);
    h->started_us = h->told_us = clock_mono_us();
    h->result = result_for(&h->lease);
    note_start(h->lane, &h->lease, &h->result);
    if (!atomic_load(&h->canceled))
        end_result(&h->result, run_step(h, &h->result));
    else
        end_result(&h->result, ERR_CANCELED);
    /* A result that came in spite of a shutdown counts; a cancelled job has no place for one. */
    int why = atomic_load(&h->stop);
    h->drop = why == STOP_CANCELED;
    h->give_back = why == STOP_SHUTDOWN && h->result.code != OK;
    if (!h->drop && !h->give_back)
        note_end(h->lane, &h->lease, &h->result);
    log_set_trace((Str){0});
}
