/* run.c: one task, from the run message to adopted outputs.
 *
 *   begin ──> converse ──> the process is ended, whatever it says ──> outputs become blobs
 *
 * A process that has said "result" could go on writing to its outputs, so nothing is adopted before
 * it is known to be dead; of a plain engine, which may have started others, a copy is kept
 * instead. */
#include "engine/engine_in.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "engine/talk_in.h"
#include "kit/kit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CANCEL_EVERY_MS = 50,
    PROGRESS_EVERY_US = 100 * 1000,
    MESSAGES_FREE =
        5000, /* and this many per second; requests for outputs have a limit of their own */
    MESSAGES_PER_S = 500,
    NOTES_MAX = 200,                  /* more are dropped */
    SCRATCH_BYTES = 32 * 1024 * 1024, /* a message of KIT_MESSAGE_MAX full of "[" and "1," */
    DEATH_MS = 5000,
    EXIT_WAIT_MS = 2000,
    COPY_BLOCK = 64 * 1024,
    FIRST_OUTPUTS = 8,
    SCRATCHES_MAX = 1000,
    SAYS_MAX = 4096,
};

static const StepLimits last_resort = {.time_ms = 300 * 1000,
                                       .cpu_ms = 300 * 1000,
                                       .memory_bytes = (int64_t)1 << 30,
                                       .output_bytes = (int64_t)1 << 30};

typedef struct Run {
    EnginePool *pool;
    Engine *engine;
    const EngineTask *task;
    Arena *arena;   /* the caller's: what the result is made of */
    Arena *scratch; /* rewound after each message */
    EngineResult *result;
    StepLimits limits;
    int channel;
    int64_t started_us;

    int pidfd;             /* warm: of the child, which the warm parent waits for */
    int64_t generation;    /* warm: of its parent */
    EngineProcess process; /* plain */
    int says;              /* plain: its standard error */

    EngineFile *outputs;
    size_t outputs_len, outputs_cap;
    EngineFiles *files; /* where the outputs go as they are; NULL: they become blobs */
    int64_t scratches;
    int64_t messages, notes, next_progress_us;
    char *buffer; /* KIT_MESSAGE_MAX */
} Run;

static int64_t first_set(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return a > 0 ? a : b > 0 ? b : c > 0 ? c : d;
}

static StepLimits limits_of(const EnginePool *p, const EngineTask *t)
{
    const StepLimits *own = &t->limits, *step = &t->step->limits, *pool = &p->options.limits,
                     *last = &last_resort;
    return (StepLimits){
        .time_ms = first_set(own->time_ms, step->time_ms, pool->time_ms, last->time_ms),
        .cpu_ms = first_set(own->cpu_ms, step->cpu_ms, pool->cpu_ms, last->cpu_ms),
        .memory_bytes = first_set(own->memory_bytes, step->memory_bytes, pool->memory_bytes,
                                  last->memory_bytes),
        .output_bytes = first_set(own->output_bytes, step->output_bytes, pool->output_bytes,
                                  last->output_bytes),
    };
}

/* ---- begin ---- */

static ErrCode begin(Run *r, Err *err)
{
    if (r->engine->warm)
        return engine_fork(r->pool, r->engine, r->task->canceled, &r->channel, &r->pidfd,
                           &r->generation, err);
    int ends[2];
    if (fault_hit("engine.socket") ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(err, ERR_IO, "no socket for a task");
    CLEANUP(fd_close) int theirs = ends[1];
    r->channel = ends[0];
    return engine_spawn_plain(r->pool, r->engine->path, &r->limits, theirs, &r->process, &r->says,
                              err);
}

/* Engines get descriptors that cannot write, and no caller's slip may change that. */
static ErrCode read_only(int fd, int *out, int *opened, Err *err)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) {
        *out = fd;
        return OK;
    }
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    *opened = flags >= 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    *out = *opened;
    return *opened >= 0 ? OK
                        : err_set_errno(err, ERR_IO, errno, "could not open an input for reading");
}

static ErrCode send_inputs(Run *r, Str text, Err *err)
{
    int fds[KIT_FDS_MAX], opened[KIT_FDS_MAX];
    size_t n = 0;
    ErrCode rc = OK;
    for (; n < r->task->inputs_len && rc == OK; n++) {
        opened[n] = -1;
        rc = read_only(r->task->inputs[n].fd, &fds[n], &opened[n], err);
    }
    if (rc == OK)
        rc = kit_send(r->channel, text, fds, n, err);
    for (size_t i = 0; i < n; i++)
        fd_close(&opened[i]);
    return rc;
}

static ErrCode send_run(Run *r, Err *err)
{
    const EngineTask *t = r->task;
    if (t->inputs_len > KIT_FDS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "%zu files, an engine takes at most %d", t->inputs_len,
                       KIT_FDS_MAX);
    Buf b = {.ptr = r->buffer, .cap = KIT_MESSAGE_MAX, .ceiling = KIT_MESSAGE_MAX};
    talk_put_run(&b, t->step, t->params, &r->limits, t->inputs, t->inputs_len);
    if (b.failed)
        return err_set(err, ERR_INPUT_TOO_LARGE,
                       "%zu bytes of parameters, an engine takes about %d", t->params.len,
                       KIT_MESSAGE_MAX - 4096);
    r->started_us = clock_mono_us();
    return send_inputs(r, buf_str(&b), err);
}

/* ---- converse ---- */

static bool output_is_full(const Run *r)
{
    for (size_t i = 0; i < r->outputs_len; i++)
        if (fd_size(r->outputs[i].fd) >= r->limits.output_bytes)
            return true;
    return false;
}

static ErrCode judge(const Run *r, const EngineEnd *end, Err *err)
{
    TalkEnd e = {.signaled = end->signaled,
                 .status = end->status,
                 .cpu_ms = end->cpu_ms,
                 .memory_bytes = end->memory_bytes,
                 .output_full = output_is_full(r)};
    return talk_judge(&e, &r->limits, err);
}

/* The last line of a plain engine's standard error: where interpreters put what went wrong. */
static void add_last_line(const Run *r, Err *err)
{
    char text[SAYS_MAX];
    size_t have = 0;
    ssize_t n;
    while ((n = read(r->says, text + have, sizeof text - have)) > 0) {
        have += (size_t)n;
        if (have == sizeof text) { /* keep the end */
            memmove(text, text + have / 2, have - have / 2);
            have -= have / 2;
        }
    }
    Str all = str_trim((Str){text, have});
    size_t line = str_rfind_char(all, '\n');
    Str last = str_slice(all, line == STR_NONE ? 0 : line + 1, all.len);
    char clean[160];
    size_t len = 0;
    for (size_t i = 0; i < last.len && len + 1 < sizeof clean; i++)
        clean[len++] = (unsigned char)last.ptr[i] < 0x20 || (unsigned char)last.ptr[i] >= 0x7F
                           ? '?'
                           : last.ptr[i];
    clean[len] = 0;
    if (len > 0)
        err_hint(err, "it said: %s", clean);
}

static ErrCode judge_plain(Run *r, Err *err)
{
    bool by_itself = engine_ended(r->process.pidfd, clock_mono_us() + (int64_t)EXIT_WAIT_MS * 1000);
    EngineEnd end = {0};
    engine_end(&r->process, &end);
    if (!by_itself)
        return err_set(err, ERR_ENGINE_PROTOCOL, "the engine closed its channel and went on");
    ErrCode rc = judge(r, &end, err);
    add_last_line(r, err);
    return rc;
}

/* The channel has ended without result, error or exit. */
static ErrCode judge_silence(Run *r, Err *err)
{
    if (!r->engine->warm)
        return judge_plain(r, err);
    if (engine_is_lost(r->engine, r->generation))
        return err_set(err, ERR_ENGINE_KILLED, "engine %s ended while it worked", r->engine->name);
    return err_set(err, ERR_ENGINE_PROTOCOL, "the channel was closed without a result");
}

/* Until there is something to read, or the plain engine has ended. */
static ErrCode wait_for_word(const Run *r, Err *err)
{
    int64_t until_us = r->started_us + r->limits.time_ms * 1000;
    for (;;) {
        if (r->task->canceled != NULL && atomic_load(r->task->canceled))
            return err_set(err, ERR_CANCELED, "canceled after %" PRId64 " ms",
                           (clock_mono_us() - r->started_us) / 1000);
        int64_t left_ms = (until_us - clock_mono_us() + 999) / 1000;
        if (left_ms <= 0)
            return err_set(err, ERR_LIMIT_TIME, "more than %" PRId64 " ms", r->limits.time_ms);
        if (left_ms > CANCEL_EVERY_MS)
            left_ms = r->task->canceled != NULL ? CANCEL_EVERY_MS
                      : left_ms > INT32_MAX     ? INT32_MAX
                                                : left_ms;
        struct pollfd f[2] = {{.fd = r->channel, .events = POLLIN},
                              {.fd = r->process.pidfd, .events = POLLIN}};
        int n = poll(f, r->process.pidfd >= 0 ? 2 : 1, (int)left_ms);
        if (n < 0 && errno != EINTR)
            return err_set_errno(err, ERR_IO, errno, "could not wait for an engine");
        if (n > 0 && f[0].revents != 0)
            return OK;
        if (n > 0)
            return err_set(err, ERR_WORKER_LOST, "the engine has ended");
    }
}

static ErrCode grow_outputs(Run *r, Err *err)
{
    if (r->outputs_len < r->outputs_cap)
        return OK;
    size_t cap = r->outputs_cap > 0 ? r->outputs_cap * 2 : FIRST_OUTPUTS;
    EngineFile *more =
        arena_grow(r->arena, r->outputs, r->outputs_len * sizeof *more, cap * sizeof *more);
    if (more == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu outputs", cap);
    r->outputs = more;
    r->outputs_cap = cap;
    return OK;
}

static ErrCode hear_output(Run *r, const Said *s, Err *err)
{
    if (r->outputs_len == ENGINE_OUTPUTS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "more than %d outputs", ENGINE_OUTPUTS_MAX);
    ErrCode rc = grow_outputs(r, err);
    if (rc != OK)
        return rc;
    EngineFile o = {
        .name = str_copy(r->arena, s->name), .type = str_copy(r->arena, s->type), .fd = -1};
    if (o.name.ptr == NULL || o.type.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an output");
    rc = blob_temp(r->pool->options.blobs, &o.fd, err);
    if (rc != OK)
        return rc;
    r->outputs[r->outputs_len++] = o;
    return kit_send(r->channel, STR("{\"output\":{}}"), &o.fd, 1, err);
}

static ErrCode add_usage(Run *r, Str unit, int64_t amount, Err *err)
{
    EngineResult *out = r->result;
    for (size_t i = 0; i < out->usage_len; i++)
        if (str_eq(out->usage[i].unit, unit)) {
            if (__builtin_add_overflow(out->usage[i].amount, amount, &out->usage[i].amount))
                return err_set(err, ERR_ENGINE_PROTOCOL, "a usage beyond measure");
            return OK;
        }
    if (out->usage_len == ENGINE_USAGE_MAX)
        return err_set(err, ERR_ENGINE_PROTOCOL, "more than %d units of usage", ENGINE_USAGE_MAX);
    Str kept = str_copy(r->arena, unit);
    if (kept.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a usage");
    out->usage[out->usage_len++] = (EngineUsage){.unit = kept, .amount = amount};
    return OK;
}

static ErrCode hear_scratch(Run *r, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    if (r->scratches++ == SCRATCHES_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "more than %d scratch files", SCRATCHES_MAX);
    ErrCode rc = blob_temp(r->pool->options.blobs, &fd, err);
    return rc == OK ? kit_send(r->channel, STR("{\"scratch\":{}}"), &fd, 1, err) : rc;
}

/* The answer to a call, with what the called step gave. */
static ErrCode reply(Run *r, const EngineResult *result, EngineFiles *files, Err *why, Err *err)
{
    int fds[KIT_FDS_MAX], opened[KIT_FDS_MAX];
    size_t n = 0;
    Buf b = buf_init(r->scratch, KIT_MESSAGE_MAX);
    if (why->code == OK && files->len > KIT_FDS_MAX)
        err_set(why, ERR_LIMIT_COUNT, "the called step gave more than %d files", KIT_FDS_MAX);
    for (; why->code == OK && n < files->len; n++) {
        opened[n] = -1;
        if (read_only(files->items[n].fd, &fds[n], &opened[n], why) == OK)
            (void)lseek(fds[n], 0, SEEK_SET);
    }
    engine_put_reply(&b, result, files, why);
    ErrCode rc = b.failed
                     ? err_set(err, ERR_LIMIT_OUTPUT, "the answer of a called step is too long")
                     : kit_send(r->channel, buf_str(&b), fds, why->code == OK ? n : 0, err);
    for (size_t i = 0; i < n; i++)
        fd_close(&opened[i]);
    return rc;
}

/* What is the caller's fault, or everybody's end, ends the caller; the rest is its answer. */
static bool ends_caller(ErrCode rc)
{
    return rc == ERR_CANCELED || rc == ERR_ENGINE_PROTOCOL;
}

static ErrCode hear_call(Run *r, const Said *s, const int *fds, Err *err)
{
    EngineFiles files = {0};
    Err why = {0};
    int64_t began_us = clock_mono_us();
    EngineResult *result = arena_new(r->scratch, EngineResult, 1);
    if (result == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a call");
    ErrCode rc = engine_call(r->pool, r->task, s, fds, r->arena, result, &files, &why);
    if (rc != OK && ends_caller(rc)) {
        *err = why;
        return rc;
    }
    r->started_us += clock_mono_us() - began_us; /* the caller's clock stood still */
    for (size_t i = 0; rc == OK && i < result->usage_len; i++)
        rc = add_usage(r, result->usage[i].unit, result->usage[i].amount, &why);
    rc = reply(r, result, &files, &why, err);
    engine_files_close(&files);
    return rc;
}

static void hear_progress(Run *r, const Said *s)
{
    int64_t now = clock_mono_us();
    if (r->task->progress == NULL || now < r->next_progress_us)
        return;
    r->next_progress_us = now + PROGRESS_EVERY_US;
    r->task->progress(r->task->ctx, s->done, s->total, s->text);
}

static ErrCode hear_result(Run *r, const Said *s, Err *err)
{
    Buf b = buf_init(r->arena, 2 * KIT_MESSAGE_MAX);
    JsonOut j = json_out(&b);
    json_put(&j, s->data);
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "no memory for the result");
    r->result->data = buf_str(&b);
    return OK;
}

static ErrCode hear_error(const Run *r, const Said *s, Err *err)
{
    bool by_limit =
        s->error.code == ERR_IO || s->error.code == ERR_DISK_FULL || s->error.code == ERR_INTERNAL;
    if (by_limit && output_is_full(r))
        return judge(r, &(EngineEnd){0}, err);
    *err = s->error;
    return err->code;
}

/* *out_done: that was the result. Everything but OK ends the task. */
static ErrCode hear(Run *r, const Said *s, const int *fds, bool *out_done, Err *err)
{
    switch (s->kind) {
    case SAID_OUTPUT:
        return hear_output(r, s, err);
    case SAID_SCRATCH:
        return hear_scratch(r, err);
    case SAID_CALL:
        return hear_call(r, s, fds, err);
    case SAID_USAGE:
        return add_usage(r, s->unit, s->amount, err);
    case SAID_PROGRESS:
        hear_progress(r, s);
        return OK;
    case SAID_NOTE:
        if (r->task->note != NULL && r->notes++ < NOTES_MAX)
            r->task->note(r->task->ctx, s->text);
        return OK;
    case SAID_RESULT:
        *out_done = true;
        return hear_result(r, s, err);
    case SAID_ERROR:
        return hear_error(r, s, err);
    case SAID_EXIT:
        if (r->engine->warm)
            return judge(r,
                         &(EngineEnd){.signaled = s->signaled,
                                      .status = s->status,
                                      .cpu_ms = s->cpu_ms,
                                      .memory_bytes = s->memory_bytes},
                         err);
        break;
    case SAID_TASK:
        break;
    }
    return err_set(err, ERR_ENGINE_PROTOCOL, "a message that is not the engine's to send");
}

static ErrCode take_message(Run *r, bool *out_done, Err *err)
{
    Str text;
    int fds[KIT_FDS_MAX];
    size_t fds_len = COUNT_OF(fds);
    Said said;
    ErrCode rc = kit_receive(r->channel, r->buffer, KIT_MESSAGE_MAX, &text, fds, &fds_len, err);
    if (rc == ERR_WORKER_LOST)
        return judge_silence(r, err);
    if (rc != OK)
        return rc;
    ArenaMark mark = arena_mark(r->scratch);
    int64_t allowed = MESSAGES_FREE + (clock_mono_us() - r->started_us) / 1000000 * MESSAGES_PER_S;
    if (++r->messages - (int64_t)r->outputs_len > allowed)
        rc = err_set(err, ERR_ENGINE_PROTOCOL, "more than %" PRId64 " messages", allowed);
    if (rc == OK)
        rc = talk_read(text, fds_len, r->task->step, r->scratch, &said, err);
    if (rc == OK)
        rc = hear(r, &said, fds, out_done, err);
    arena_rewind(r->scratch, mark);
    for (size_t i = 0; i < fds_len; i++)
        fd_close(&fds[i]);
    return rc;
}

/* An engine that is gone before it was asked has left word why, or its channel has ended. */
static ErrCode hear_why_gone(const Run *r, Err *err)
{
    struct pollfd f = {.fd = r->channel, .events = POLLIN};
    return poll(&f, 1, EXIT_WAIT_MS) > 0
               ? OK
               : err_set(err, ERR_ENGINE_KILLED, "engine %s ended before it was asked",
                         r->engine->name);
}

static ErrCode converse(Run *r, Err *err)
{
    bool done = false;
    ErrCode rc = send_run(r, err);
    if (rc == ERR_WORKER_LOST)
        rc = hear_why_gone(r, err);
    while (rc == OK && !done) {
        rc = wait_for_word(r, err);
        if (rc == OK)
            rc = take_message(r, &done, err);
        else if (rc == ERR_WORKER_LOST)
            rc = judge_plain(r, err);
    }
    return rc;
}

/* ---- end ---- */

/* Dead for certain? The warm parent waits for its children; the pidfd tells us. */
static bool end_process(Run *r)
{
    engine_end(&r->process, NULL);
    if (r->pidfd < 0)
        return !r->engine->warm;
    (void)pidfd_send_signal(r->pidfd, SIGKILL, NULL, 0); /* fails when it has ended already */
    return r->outputs_len == 0 ||
           engine_ended(r->pidfd, clock_mono_us() + (int64_t)DEATH_MS * 1000);
}

static ErrCode copy_output(Run *r, const EngineFile *o, Blob *out, Err *err)
{
    BlobWriter *w = NULL;
    char *block = arena_alloc_raw(r->scratch, COPY_BLOCK);
    if (block == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to copy an output");
    ErrCode rc = blob_create(r->pool->options.blobs, r->limits.output_bytes, &w, err);
    for (off_t at = 0; rc == OK;) {
        ssize_t n = pread(o->fd, block, COPY_BLOCK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_set_errno(err, ERR_IO, errno, "could not read an output");
        if (n <= 0)
            break;
        rc = blob_write(w, block, (size_t)n, err);
        at += n;
    }
    if (rc == OK)
        return blob_finish(&w, out, err);
    blob_abandon(&w);
    return rc;
}

static ErrCode adopt_output(Run *r, const EngineFile *o, bool alone, EngineOutput *out, Err *err)
{
    if (fd_size(o->fd) > r->limits.output_bytes)
        return err_set(err, ERR_LIMIT_OUTPUT, "an output of more than %" PRId64 " bytes",
                       r->limits.output_bytes);
    *out = (EngineOutput){.name = o->name, .type = o->type};
    return alone ? blob_adopt(r->pool->options.blobs, o->fd, &out->blob, err)
                 : copy_output(r, o, &out->blob, err);
}

static ErrCode adopt_outputs(Run *r, bool alone, Err *err)
{
    EngineResult *out = r->result;
    out->outputs = arena_new(r->arena, EngineOutput, r->outputs_len);
    if (out->outputs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu outputs", r->outputs_len);
    ErrCode rc = OK;
    for (size_t i = 0; i < r->outputs_len && rc == OK; i++) {
        rc = adopt_output(r, &r->outputs[i], alone, &out->outputs[i], err);
        out->outputs_len = i + 1;
    }
    return rc;
}

/* The outputs change hands as they are. */
static ErrCode keep_open(Run *r, Err *err)
{
    for (size_t i = 0; i < r->outputs_len; i++)
        if (fd_size(r->outputs[i].fd) > r->limits.output_bytes)
            return err_set(err, ERR_LIMIT_OUTPUT, "an output of more than %" PRId64 " bytes",
                           r->limits.output_bytes);
    *r->files = (EngineFiles){r->outputs, r->outputs_len};
    r->outputs_len = 0;
    return OK;
}

static void close_run(Run *r)
{
    for (size_t i = 0; i < r->outputs_len; i++)
        fd_close(&r->outputs[i].fd);
    fd_close(&r->channel);
    fd_close(&r->pidfd);
    fd_close(&r->says);
    arena_close(&r->scratch);
}

static ErrCode run_task(Run *r, Err *err)
{
    r->scratch = arena_open(SCRATCH_BYTES);
    r->buffer = r->scratch != NULL ? arena_alloc_raw(r->scratch, KIT_MESSAGE_MAX) : NULL;
    if (r->buffer == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a task");
    ErrCode rc = begin(r, err);
    if (rc == OK)
        rc = converse(r, err);
    bool alone = end_process(r) && r->engine->warm;
    if (rc == OK)
        rc = r->files != NULL ? keep_open(r, err) : adopt_outputs(r, alone, err);
    r->result->run_us = r->started_us > 0 ? clock_mono_us() - r->started_us : 0;
    return rc;
}

static void count(Engine *e, const EngineTask *t, ErrCode rc)
{
    atomic_fetch_add(&e->tasks, 1);
    if (rc == OK)
        return;
    atomic_fetch_add(&e->failures, 1);
    atomic_store(&e->last_reason, (int)rc);
    atomic_store(&e->last_failed_ms, clock_now_ms());
    bool killed = rc == ERR_LIMIT_CPU || rc == ERR_LIMIT_TIME || rc == ERR_LIMIT_MEMORY ||
                  rc == ERR_LIMIT_OUTPUT || rc == ERR_ENGINE_CRASHED ||
                  rc == ERR_ENGINE_FORBIDDEN || rc == ERR_ENGINE_PROTOCOL;
    if (killed)
        LOG(WARN, ENGINE_TASK_KILLED, KV("engine", e->name), KV("step", t->step->name),
            KV("end", err_reason(rc)));
}

ErrCode engine_run_open(EnginePool *p, const EngineTask *t, Arena *a, EngineResult *out,
                        EngineFiles *files, Err *err)
{
    Engine *e = t->step->engine != NULL ? engine_find(p, t->step->engine) : NULL;
    if (e == NULL)
        return err_set(err, ERR_ENGINE_MISSING, "there is no engine \"%s\"",
                       t->step->engine != NULL ? t->step->engine : "");
    *out = (EngineResult){0};
    Run r = {.pool = p,
             .engine = e,
             .task = t,
             .arena = a,
             .result = out,
             .limits = limits_of(p, t),
             .channel = -1,
             .pidfd = -1,
             .process = ENGINE_NO_PROCESS,
             .says = -1,
             .files = files};
    ErrCode rc = engine_turn_take(p, t, err);
    if (rc != OK)
        return rc;
    rc = run_task(&r, err);
    close_run(&r);
    engine_turn_give(p, t);
    count(e, t, rc);
    return rc;
}

ErrCode engine_run(EnginePool *p, const EngineTask *t, Arena *a, EngineResult *out, Err *err)
{
    return engine_run_open(p, t, a, out, NULL, err);
}
