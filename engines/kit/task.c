#include "kit/task_in.h"
#include "kit/resident_in.h"
#include "base/clock.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
    PROGRESS_EVERY_US = 100 * 1000,
    ARENA_DEFAULT = 256 * 1024 * 1024,
    MEMORY_STACK = 16 * 1024,
    HIGH_FD = 64,
};

/* The engine's end of one task. */
typedef struct Task {
    int channel;
    Arena *arena; /* of the step */
    int64_t next_progress_us;
    char buffer[KIT_MESSAGE_MAX]; /* the message being made or read */
    StepInput inputs[KIT_FDS_MAX];
} Task;

const Step *task_find_step(const KitEngine *engine, Str name)
{
    for (const Step *const *s = engine->steps; *s != NULL; s++)
        if (str_eq_c(name, (*s)->name))
            return *s;
    return NULL;
}

/* A message of the shape {"kind":{…}}: begin, keys and values, send. Its text lives in the task's
 * buffer. */
typedef struct Message {
    Buf buf;
    JsonOut j;
} Message;

static void message_begin(Task *t, Message *m, const char *kind)
{
    m->buf = (Buf){.ptr = t->buffer, .cap = sizeof t->buffer, .ceiling = sizeof t->buffer};
    m->j = json_out(&m->buf);
    json_begin(&m->j, '{');
    json_key(&m->j, kind);
    json_begin(&m->j, '{');
}

static ErrCode message_send_with(Task *t, Message *m, const int *fds, size_t fds_len, Err *err)
{
    json_end(&m->j, '}');
    json_end(&m->j, '}');
    if (m->buf.failed)
        return err_set(err, ERR_LIMIT_OUTPUT,
                       "a message to the server would be longer than %d bytes", KIT_MESSAGE_MAX);
    return kit_send(t->channel, buf_str(&m->buf), fds, fds_len, err);
}

static ErrCode message_send(Task *t, Message *m, Err *err)
{
    return message_send_with(t, m, NULL, 0, err);
}

/* The host's word on why not, as this side's failure. */
static ErrCode take_error(const Json *e, Err *err)
{
    ErrCode reason = err_from_reason(json_text(json_get(e, "reason")));
    err_set(err, reason != OK ? reason : ERR_ENGINE_PROTOCOL, STR_FMT,
            STR_ARG(json_text(json_get(e, "message"))));
    Str hint = json_text(json_get(e, "hint"));
    if (hint.len > 0)
        err_hint(err, STR_FMT, STR_ARG(hint));
    return err->code;
}

/* The answer to a request for a place to write. */
static ErrCode read_output_answer(Task *t, int *out_fd, Err *err)
{
    Str text;
    int fds[1];
    size_t fds_len = 1;
    const Json *doc;
    ErrCode rc = kit_receive(t->channel, t->buffer, sizeof t->buffer, &text, fds, &fds_len, err);
    if (rc != OK)
        return rc;
    if (fds_len == 1) {
        *out_fd = fds[0];
        return OK;
    }
    if (json_parse(t->arena, text, &doc, err) != OK)
        return err_set(err, ERR_ENGINE_PROTOCOL, "an answer that is not JSON");
    return take_error(json_get(doc, "error"), err);
}

static ErrCode host_output(void *ctx, Str name, Str type, int *out_fd, Err *err)
{
    Task *t = ctx;
    Message m;
    message_begin(t, &m, "output");
    json_kv_str(&m.j, "name", name);
    json_kv_str(&m.j, "type", type);
    ErrCode rc = message_send(t, &m, err);
    return rc == OK ? read_output_answer(t, out_fd, err) : rc;
}

static ErrCode host_scratch(void *ctx, int *out_fd, Err *err)
{
    Task *t = ctx;
    Message m;
    message_begin(t, &m, "scratch");
    ErrCode rc = message_send(t, &m, err);
    return rc == OK ? read_output_answer(t, out_fd, err) : rc;
}

static ErrCode send_call(Task *t, Str step, Str params, const StepInput *inputs, size_t inputs_len,
                         Err *err)
{
    Message m;
    int fds[KIT_FDS_MAX];
    if (inputs_len > KIT_FDS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "%zu files for a called step, the limit is %d",
                       inputs_len, KIT_FDS_MAX);
    message_begin(t, &m, "call");
    json_kv_str(&m.j, "step", step);
    json_kv_raw(&m.j, "params", params.len > 0 ? params : STR("{}"));
    json_key(&m.j, "inputs");
    json_begin(&m.j, '[');
    for (size_t i = 0; i < inputs_len; i++) {
        fds[i] = inputs[i].fd;
        json_begin(&m.j, '{');
        json_kv_str(&m.j, "name", inputs[i].name);
        json_kv_str(&m.j, "type", inputs[i].type);
        json_end(&m.j, '}');
    }
    json_end(&m.j, ']');
    return message_send_with(t, &m, fds, inputs_len, err);
}

static ErrCode take_reply(Arena *a, const Json *call, const int *fds, size_t fds_len,
                          StepReply *out, Err *err)
{
    const Json *list = json_get(call, "outputs");
    if (json_get(call, "error") != NULL)
        return take_error(json_get(call, "error"), err);
    if (!json_is(json_get(call, "data"), JSON_OBJECT) || !json_is(list, JSON_LIST) ||
        list->len != fds_len)
        return err_set(err, ERR_ENGINE_PROTOCOL, "an answer to a call without data and files");
    *out = (StepReply){.data = json_get(call, "data"), .outputs = arena_new(a, StepInput, fds_len)};
    if (out->outputs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the files of a called step");
    json_each(item, list) {
        int fd = fds[out->outputs_len];
        out->outputs[out->outputs_len++] =
            (StepInput){.name = json_text(json_get(item, "name")),
                        .type = json_text(json_get(item, "type")),
                        .fd = fd,
                        .size_bytes = json_int(json_get(item, "size"), fd_size(fd))};
    }
    return OK;
}

static ErrCode host_call(void *ctx, Arena *a, Str step, Str params, const StepInput *inputs,
                         size_t inputs_len, StepReply *out, Err *err)
{
    Task *t = ctx;
    Str text;
    int fds[KIT_FDS_MAX];
    size_t fds_len = COUNT_OF(fds);
    const Json *doc;
    ErrCode rc = send_call(t, step, params, inputs, inputs_len, err);
    if (rc == OK)
        rc = kit_receive(t->channel, t->buffer, sizeof t->buffer, &text, fds, &fds_len, err);
    if (rc != OK)
        return rc;
    text = str_copy(a, text); /* the tree points into it, and the buffer is used again */
    if (text.ptr == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the answer of a called step");
    if (rc == OK)
        rc = json_parse(a, text, &doc, err);
    if (rc == OK)
        rc = take_reply(a, json_get(doc, "call"), fds, fds_len, out, err);
    for (size_t i = 0; rc != OK && i < fds_len; i++)
        fd_close(&fds[i]);
    return rc;
}

/* What a step says by the way must not make it fail: a lost host ends this process anyway. */
static void send_aside(Task *t, Message *m)
{
    (void)!message_send(t, m, NULL);
}

static void host_progress(void *ctx, int64_t done, int64_t total, Str note)
{
    Task *t = ctx;
    int64_t now = clock_mono_us();
    if (now < t->next_progress_us)
        return;
    t->next_progress_us = now + PROGRESS_EVERY_US;
    Message m;
    message_begin(t, &m, "progress");
    json_kv_int(&m.j, "done", done);
    json_kv_int(&m.j, "total", total);
    if (note.len > 0)
        json_kv_str(&m.j, "note", str_slice(note, 0, 200));
    send_aside(t, &m);
}

static void host_usage(void *ctx, Str unit, int64_t amount)
{
    Message m;
    message_begin(ctx, &m, "usage");
    json_kv_str(&m.j, "unit", unit);
    json_kv_int(&m.j, "amount", amount);
    send_aside(ctx, &m);
}

static void host_note(void *ctx, Str text)
{
    Message m;
    message_begin(ctx, &m, "note");
    json_kv_str(&m.j, "text", str_slice(text, 0, 1000));
    send_aside(ctx, &m);
}

static bool host_canceled(void *ctx)
{
    (void)ctx;
    return false; /* the host kills this process instead of asking */
}

static const StepHost host = {host_output,   host_progress, host_usage, host_note,
                              host_canceled, host_scratch,  host_call};

static void send_error(Task *t, const Err *e)
{
    Message m;
    message_begin(t, &m, "error");
    json_kv_c(&m.j, "reason", err_reason(e->code));
    json_kv_c(&m.j, "message", e->text);
    if (e->hint[0] != 0)
        json_kv_c(&m.j, "hint", e->hint);
    if (e->param[0] != 0)
        json_kv_c(&m.j, "param", e->param);
    send_aside(t, &m);
}

static ErrCode send_result(Task *t, Str data, Err *err)
{
    Message m;
    message_begin(t, &m, "result");
    json_kv_raw(&m.j, "data", data.len > 0 ? data : STR("{}"));
    ErrCode rc = message_send(t, &m, err);
    if (rc == ERR_LIMIT_OUTPUT)
        return err_set(err, rc, "%zu bytes of result data, the limit is %d", data.len,
                       KIT_MESSAGE_MAX);
    return rc;
}

/* The run message, which comes from the host and is trusted, as parsed. */
typedef struct Run {
    const Step *step;
    Str params;
    StepLimits limits;
    size_t inputs_len;
} Run;

static ErrCode read_inputs(Task *t, const Json *list, const int *fds, size_t fds_len, Run *out,
                           Err *err)
{
    size_t n = 0;
    json_each(item, list) {
        if (n == fds_len)
            return err_set(err, ERR_ENGINE_PROTOCOL, "an input without a descriptor");
        /* The host's descriptor may have been read before: a second attempt begins at the start
         * again. */
        lseek(fds[n], 0, SEEK_SET);
        t->inputs[n] = (StepInput){.name = json_text(json_get(item, "name")),
                                   .type = json_text(json_get(item, "type")),
                                   .fd = fds[n],
                                   .size_bytes = json_int(json_get(item, "size"), fd_size(fds[n]))};
        n++;
    }
    out->inputs_len = n;
    return OK;
}

static ErrCode read_run(Task *t, const KitEngine *engine, Run *out, Err *err)
{
    Str text;
    int fds[KIT_FDS_MAX];
    size_t fds_len = COUNT_OF(fds);
    const Json *doc;
    ErrCode rc = kit_receive(t->channel, t->buffer, sizeof t->buffer, &text, fds, &fds_len, err);
    if (rc != OK)
        return rc;
    text = str_copy(t->arena, text); /* the tree points into it, and the buffer is used again */
    if (text.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the run message");
    rc = json_parse(t->arena, text, &doc, err);
    if (rc != OK)
        return rc;
    const Json *run = json_get(doc, "run"), *l = json_get(run, "limits");
    Str name = json_text(json_get(run, "step"));
    out->step = task_find_step(engine, name);
    if (out->step == NULL)
        return err_set(err, ERR_UNKNOWN_STEP, "engine %s has no step \"" STR_FMT "\"", engine->name,
                       STR_ARG(name));
    out->limits = (StepLimits){.time_ms = json_int(json_get(l, "time_ms"), 0),
                               .cpu_ms = json_int(json_get(l, "cpu_ms"), 0),
                               .memory_bytes = json_int(json_get(l, "memory_bytes"), 0),
                               .output_bytes = json_int(json_get(l, "output_bytes"), 0)};
    Buf params = buf_init(t->arena, KIT_MESSAGE_MAX);
    JsonOut j = json_out(&params);
    json_put(&j, json_get(run, "params"));
    if (params.failed)
        return err_set(err, ERR_NO_MEMORY, "no memory for the parameters");
    out->params = json_is(json_get(run, "params"), JSON_OBJECT) ? buf_str(&params) : STR("{}");
    return read_inputs(t, json_get(run, "inputs"), fds, fds_len, out, err);
}

static ErrCode enter_sandbox(TaskGuard guard, const StepLimits *limits, pid_t parent, Err *err)
{
    ErrCode rc = OK;
    if (guard != TASK_BARE)
        rc = sandbox_enter(guard == TASK_DESK ? SANDBOX_DESK : SANDBOX_TASK, limits, -1, err);
    if (rc == OK && getppid() != parent) /* it died before the kernel knew that we follow */
        _exit(KIT_EXIT_BROKEN);
    return rc;
}

static ErrCode run_step(Task *t, const Run *run, Err *err)
{
    if (run->inputs_len == 0 && run->step->accepts != NULL && !run->step->input_optional)
        return err_set(err, ERR_INPUT_MISSING, "%s needs a file", run->step->name);
    StepCtx c = {.arena = t->arena,
                 .err = err,
                 .inputs = t->inputs,
                 .inputs_len = run->inputs_len,
                 .input_fd = run->inputs_len > 0 ? t->inputs[0].fd : -1,
                 .host = &host,
                 .host_ctx = t};
    Str data = {0};
    ErrCode rc = step_run(run->step, &c, run->params, &data);
    return rc == OK ? send_result(t, data, err) : rc;
}

/* Libraries that cannot go on without memory abort, some after touching what malloc did not give.
 * errno still says why. */
static void died_of_memory(int sig)
{
    if (errno == ENOMEM)
        _exit(KIT_EXIT_MEMORY);
    signal(sig, SIG_DFL);
    raise(sig);
}

static void watch_memory(void)
{
    if (!sandbox_layers().memory_limit)
        return; /* AddressSanitizer reports crashes itself */
    static char stack[MEMORY_STACK];
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGTRAP};
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    struct sigaction act = {.sa_handler = died_of_memory, .sa_flags = SA_ONSTACK | SA_NODEFER};
    for (size_t i = 0; i < COUNT_OF(signals); i++)
        sigaction(signals[i], &act, NULL);
}

/* Nothing of the warm parent's may be in reach: not its control socket, not the channels of other
 * tasks. */
static bool keep_only(int channel, int resident, bool keep_stderr)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (resident >= 0)
        resident = fcntl(resident, F_DUPFD, HIGH_FD); /* out of the way of the first dup2 */
    bool ok = null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
              (keep_stderr || dup2(null, STDERR_FILENO) >= 0);
    ok = ok && (channel == KIT_FD || dup2(channel, KIT_FD) >= 0);
    if (resident >= 0)
        return ok && dup2(resident, RESIDENT_FD) >= 0 && close_range(RESIDENT_FD + 1, ~0U, 0) == 0;
    return ok && close_range(KIT_FD + 1, ~0U, 0) == 0;
}

_Noreturn void task_serve(const KitEngine *engine, int channel, int resident, TaskGuard guard,
                          pid_t parent)
{
    if (!keep_only(channel, resident, guard != TASK_SANDBOX))
        _exit(KIT_EXIT_BROKEN);
    static Task task; /* one per process, and too large for a stack */
    task.channel = KIT_FD;
    task.arena = arena_open(engine->arena_bytes != 0 ? engine->arena_bytes : ARENA_DEFAULT);
    if (task.arena == NULL)
        _exit(KIT_EXIT_MEMORY);
    Err err = {0};
    Run run = {0};
    ErrCode rc = read_run(&task, engine, &run, &err);
    watch_memory();
    if (rc == OK && engine->before != NULL)
        rc = engine->before(run.step, &err);
    if (rc == OK)
        rc = enter_sandbox(guard, &run.limits, parent, &err);
    if (rc == OK)
        rc = run_step(&task, &run, &err);
    if (rc == OK)
        _exit(KIT_EXIT_OK);
    if (err.code == OK)
        err_set(&err, rc, "%s failed without a message",
                run.step != NULL ? run.step->name : "the task");
    send_error(&task, &err);
    _exit(rc == ERR_WORKER_LOST ? KIT_EXIT_BROKEN : KIT_EXIT_OK);
}
