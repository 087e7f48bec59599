/* desk.c: one task by hand: --run STEP [PARAMS] [FILE…] [-o DIR]. A small host that prints every
 * message. */
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const StepLimits desk_limits = {.time_ms = 600 * 1000,
                                       .cpu_ms = 600 * 1000,
                                       .memory_bytes = (int64_t)2 << 30,
                                       .output_bytes = (int64_t)4 << 30};

typedef struct Desk {
    Arena *arena;
    const Step *step;
    const char *params, *out_dir, *type;
    const char *files[KIT_FDS_MAX];
    int fds[KIT_FDS_MAX];
    size_t files_len;
    bool bare, failed;
    char buffer[KIT_MESSAGE_MAX];
} Desk;

static ErrCode read_arguments(Desk *d, int argc, char **argv, Err *err)
{
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--no-sandbox") == 0)
            d->bare = true;
        else if (strcmp(argv[i], "-o") == 0 && has_value)
            d->out_dir = argv[++i];
        else if (strcmp(argv[i], "--type") == 0 && has_value)
            d->type = argv[++i];
        else if (argv[i][0] == '{')
            d->params = argv[i];
        else if (argv[i][0] == '-')
            return err_set(err, ERR_USAGE, "unknown option \"%s\"", argv[i]);
        else if (d->files_len == KIT_FDS_MAX)
            return err_set(err, ERR_USAGE, "more than %d files", KIT_FDS_MAX);
        else
            d->files[d->files_len++] = argv[i];
    }
    return OK;
}

static ErrCode open_files(Desk *d, Err *err)
{
    for (size_t i = 0; i < d->files_len; i++) {
        d->fds[i] = open(d->files[i], O_RDONLY | O_CLOEXEC);
        if (d->fds[i] < 0)
            return err_set_errno(err, ERR_NOT_FOUND, errno, "could not open \"%s\"", d->files[i]);
    }
    return OK;
}

static void put_limits(JsonOut *j, const StepLimits *own)
{
    const StepLimits *d = &desk_limits;
    json_key(j, "limits");
    json_begin(j, '{');
    json_kv_int(j, "time_ms", own->time_ms != 0 ? own->time_ms : d->time_ms);
    json_kv_int(j, "cpu_ms", own->cpu_ms != 0 ? own->cpu_ms : d->cpu_ms);
    json_kv_int(j, "memory_bytes", own->memory_bytes != 0 ? own->memory_bytes : d->memory_bytes);
    json_kv_int(j, "output_bytes", own->output_bytes != 0 ? own->output_bytes : d->output_bytes);
    json_end(j, '}');
}

static void put_inputs(Desk *d, JsonOut *j)
{
    json_key(j, "inputs");
    json_begin(j, '[');
    for (size_t i = 0; i < d->files_len; i++) {
        const char *slash = strrchr(d->files[i], '/');
        json_begin(j, '{');
        json_kv_c(j, "name", slash != NULL ? slash + 1 : d->files[i]);
        json_kv_c(j, "type", d->type != NULL ? d->type : "");
        json_kv_int(j, "size", fd_size(d->fds[i]));
        json_end(j, '}');
    }
    json_end(j, ']');
}

static ErrCode send_run(Desk *d, int channel, Err *err)
{
    const Json *given = NULL;
    Str params;
    ParamFaults faults = {0};
    ErrCode rc = d->params != NULL ? json_parse(d->arena, str_from_c(d->params), &given, err) : OK;
    if (rc == OK)
        rc = param_check(d->step->params, given, d->arena, &params, &faults, err);
    if (rc != OK)
        return rc;
    Buf b = buf_init(d->arena, KIT_MESSAGE_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_key(&j, "run");
    json_begin(&j, '{');
    json_kv_c(&j, "step", d->step->name);
    json_kv_raw(&j, "params", params);
    put_limits(&j, &d->step->limits);
    put_inputs(d, &j);
    json_end(&j, '}');
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_INPUT_TOO_LARGE, "the parameters are too long");
    return kit_send(channel, buf_str(&b), d->fds, d->files_len, err);
}

/* At the desk the engine is trusted with a name, but not with a path. */
static int make_output(const Desk *d, Str name)
{
    if (d->out_dir == NULL)
        return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    size_t slash = str_rfind_char(name, '/');
    char *path = str_to_c(
        d->arena,
        str_printf(d->arena, "%s/" STR_FMT, d->out_dir,
                   STR_ARG(slash == STR_NONE ? name : str_slice(name, slash + 1, name.len))));
    if (path == NULL)
        return -1;
    mkdir(d->out_dir, 0777);
    return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

static ErrCode answer(Desk *d, int channel, Str text, Err *err)
{
    const Json *doc;
    ErrCode rc = json_parse(d->arena, text, &doc, err);
    if (rc != OK)
        return rc;
    d->failed |= json_get(doc, "error") != NULL;
    const Json *output = json_get(doc, "output");
    if (json_get(doc, "call") != NULL)
        return kit_send(
            channel,
            STR("{\"call\":{\"error\":{\"reason\":\"engine_missing\",\"message\":\"at the "
                "desk there is nobody to call: use platen run\"}}}"),
            NULL, 0, err);
    if (output == NULL && json_get(doc, "scratch") == NULL)
        return OK;
    CLEANUP(fd_close)
    int fd = output != NULL ? make_output(d, json_text(json_get(output, "name")))
                            : open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not create an output");
    return kit_send(channel, STR("{\"output\":{}}"), &fd, 1, err);
}

/* Print and answer until the child has closed its end. */
static ErrCode converse(Desk *d, int channel, Err *err)
{
    ErrCode rc = send_run(d, channel, err);
    while (rc == OK) {
        Str text;
        int fds[KIT_FDS_MAX]; /* files for a step that is called */
        size_t fds_len = KIT_FDS_MAX;
        ArenaMark mark = arena_mark(d->arena);
        rc = kit_receive(channel, d->buffer, sizeof d->buffer, &text, fds, &fds_len, err);
        if (rc == OK) {
            printf(STR_FMT "\n", STR_ARG(text));
            fflush(stdout);
            rc = answer(d, channel, text, err);
            for (size_t i = 0; i < fds_len; i++)
                fd_close(&fds[i]);
        }
        arena_rewind(d->arena, mark);
    }
    return rc == ERR_WORKER_LOST ? OK : rc;
}

static int report_end(pid_t pid, int64_t started_us)
{
    int status = 0;
    struct rusage used = {0};
    while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR)
        ;
    fprintf(stderr, "%s %d, %.1f ms, cpu %.1f ms, %ld MB\n",
            WIFSIGNALED(status) ? "signal" : "exit",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
            (double)(clock_mono_us() - started_us) / 1000,
            (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
                (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000,
            used.ru_maxrss / 1024);
    return status;
}

/* One worker, ready. */
static ErrCode wait_for_worker(Residents *r, Resident **out, Err *err)
{
    while ((*out = residents_ready(r)) == NULL) {
        struct pollfd f[RESIDENTS_MAX];
        size_t n = residents_watch(r, f);
        int timeout = residents_timeout_ms(r);
        poll(f, n, timeout < 0 || timeout > 100 ? 100 : timeout);
        for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
            residents_note_end(r, pid, false);
        if (residents_hopeless(r) || r->problem.code != OK) {
            *err = r->problem;
            return err->code;
        }
        residents_tend(r);
    }
    return OK;
}

static ErrCode run_with(Desk *d, const KitEngine *engine, Residents *r, Resident *worker, Err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set_errno(err, ERR_IO, errno, "could not make a channel");
    CLEANUP(fd_close) int mine = ends[0];
    CLEANUP(fd_close) int theirs = ends[1];
    pid_t parent = getpid();
    int64_t started = clock_mono_us();
    _Atomic int *mark = worker != NULL ? residents_mark(r, worker) : NULL;
    pid_t pid = fork();
    if (pid == 0) {
        resident_clerk(mark);
        task_serve(engine, theirs, worker != NULL ? worker->socket : -1,
                   d->bare ? TASK_BARE : TASK_DESK, parent);
    }
    fd_close(&theirs);
    if (pid < 0)
        return err_set_errno(err, ERR_NO_MEMORY, errno, "could not fork");
    ErrCode rc = converse(d, mine, err);
    if (rc != OK)
        kill(pid, SIGKILL);
    d->failed |= report_end(pid, started) != 0;
    return rc;
}

static ErrCode run(Desk *d, const KitEngine *engine, Err *err)
{
    ErrCode rc = warm_up(engine, err);
    if (rc == OK && !d->bare)
        rc = sandbox_prepare(SANDBOX_DESK, err);
    if (rc != OK || engine->resident == NULL)
        return rc == OK ? run_with(d, engine, NULL, NULL, err) : rc;
    static Residents residents;
    Resident *worker = NULL;
    rc = residents_open(&residents, engine, err);
    if (rc == OK)
        rc = wait_for_worker(&residents, &worker, err);
    if (rc == OK)
        rc = run_with(d, engine, &residents, worker, err);
    residents_close(&residents);
    return rc;
}

int desk_run(const KitEngine *engine, int argc, char **argv)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Err err = {0};
    static Desk d;
    d.arena = a;
    d.step = a != NULL ? task_find_step(engine, str_from_c(argv[0])) : NULL;
    ErrCode rc = d.step != NULL ? OK
                                : err_set(&err, ERR_UNKNOWN_STEP, "engine %s has no step \"%s\"",
                                          engine->name, argv[0]);
    if (rc == OK)
        rc = read_arguments(&d, argc, argv, &err);
    if (rc == OK)
        rc = open_files(&d, &err);
    if (rc == OK)
        rc = run(&d, engine, &err);
    if (rc != OK)
        fprintf(stderr, "%s: %s\n", err_reason(rc), err.text);
    return rc != OK || d.failed ? 1 : 0;
}
