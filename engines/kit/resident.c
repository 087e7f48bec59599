/* resident.c: the worker's life, and how a step asks it. */
#include "kit/resident_in.h"
#include "base/fd.h"
#include "kit/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TASK_ARENA = 64 * 1024 * 1024, REPLY_MAX = 64 * 1024, COPY_BLOCK = 256 * 1024 };

static const int64_t memory_default = (int64_t)2 << 30;

/* ---- in the worker ---- */

static void say_problem(const Err *e)
{
    char text[1024];
    Buf b = {.ptr = text, .cap = sizeof text, .ceiling = sizeof text};
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_key(&j, "error");
    json_begin(&j, '{');
    json_kv_c(&j, "reason", err_reason(e->code));
    json_kv_c(&j, "message", e->text);
    json_kv_c(&j, "hint", e->hint);
    json_end(&j, '}');
    json_end(&j, '}');
    if (!b.failed)
        (void)!kit_send(KIT_FD, buf_str(&b), NULL, 0, NULL);
}

static bool is_harmless(const KitResident *kind, ErrCode rc)
{
    for (const ErrCode *e = kind->harmless; e != NULL && *e != OK; e++)
        if (*e == rc)
            return true;
    return false;
}

static void put_reply(JsonOut *j, ErrCode rc, Err *err)
{
    if (rc == OK)
        return;
    if (err->code == OK)
        err_set(err, rc, "the worker failed without a message");
    json_kv_c(j, "reason", err_reason(rc));
    json_kv_c(j, "message", err->text);
    json_kv_c(j, "hint", err->hint);
}

/* False: no more tasks for this process. */
static bool serve_one(const KitResident *kind, void *state, Str text, int *fds, size_t fds_len)
{
    CLEANUP(arena_close) Arena *a = arena_open(TASK_ARENA);
    if (a == NULL)
        return false;
    Err err = {0};
    const Json *doc = NULL;
    Buf b = buf_init(a, REPLY_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    ResidentWork w = {.arena = a, .fds = fds, .fds_len = fds_len, .reply = &j, .out_fd = -1};
    ErrCode rc = json_parse(a, text, &doc, &err);
    w.request = json_get(doc, "do");
    if (rc == OK)
        rc = kind->serve(state, &w, &err);
    if (rc != OK) { /* half an answer is none */
        b = buf_init(a, REPLY_MAX);
        j = json_out(&b);
        json_begin(&j, '{');
        fd_close(&w.out_fd);
    }
    put_reply(&j, rc, &err);
    json_end(&j, '}');
    bool sent = !b.failed && kit_send(KIT_FD, buf_str(&b), &w.out_fd, w.out_fd >= 0, NULL) == OK;
    fd_close(&w.out_fd);
    return sent && !w.spoiled && (rc == OK || is_harmless(kind, rc));
}

static _Noreturn void serve(const KitResident *kind, void *state)
{
    static char buffer[KIT_MESSAGE_MAX];
    for (bool usable = true; usable;) {
        Str text;
        int fds[RESIDENT_FDS_MAX];
        size_t fds_len = COUNT_OF(fds);
        if (kit_receive(KIT_FD, buffer, sizeof buffer, &text, fds, &fds_len, NULL) != OK)
            break;
        if (str_starts(text, STR("{\"ping\"")))
            usable = kit_send(KIT_FD, STR("{\"idle\":{}}"), NULL, 0, NULL) == OK;
        else
            usable = serve_one(kind, state, text, fds, fds_len);
        if (usable && kind->rest != NULL && fds_len > 0)
            kind->rest(state);
        for (size_t i = 0; i < fds_len; i++)
            fd_close(&fds[i]);
    }
    kill(0, SIGKILL); /* the whole group: no goodbye of a library, nothing left behind */
    _exit(0);
}

static bool settle_in(int socket, const char *folder)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool loud = getenv("PLATEN_ENGINE_LOUD") != NULL; /* at the desk: what the program says */
    bool ok = null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
              (loud || dup2(null, STDERR_FILENO) >= 0) &&
              (socket == KIT_FD || dup2(socket, KIT_FD) >= 0) &&
              close_range(KIT_FD + 1, ~0U, 0) == 0 && fcntl(KIT_FD, F_SETFD, FD_CLOEXEC) == 0 &&
              chdir(folder) == 0;
    return ok && setenv("TMPDIR", folder, 1) == 0 && setenv("HOME", folder, 1) == 0 &&
           setenv("XDG_CACHE_HOME", folder, 1) == 0 && setenv("XDG_CONFIG_HOME", folder, 1) == 0 &&
           setenv("XDG_RUNTIME_DIR", folder, 1) == 0;
}

static ErrCode enclose(const KitResident *kind, const char *folder, Err *err)
{
    CLEANUP(fd_close) int files = -1;
    StepLimits limits = {.memory_bytes =
                             kind->memory_bytes > 0 ? kind->memory_bytes : memory_default};
    ErrCode rc =
        sandbox_workplace(kind->readable != NULL ? kind->readable : "", folder, &files, err);
    if (rc == OK)
        rc = sandbox_prepare(SANDBOX_RESIDENT, err);
    return rc == OK ? sandbox_enter(SANDBOX_RESIDENT, &limits, files, err) : rc;
}

_Noreturn void resident_live(const KitEngine *engine, int socket, const char *folder, pid_t parent)
{
    const KitResident *kind = engine->resident;
    Err err = {0};
    void *state = NULL;
    char own[96];
    snprintf(own, sizeof own, "%s", folder);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent || !settle_in(socket, own))
        _exit(1);
    ErrCode rc = kind->launch != NULL ? kind->launch(own, &state, &err) : OK;
    if (rc == OK)
        rc = enclose(kind, own, &err);
    if (rc == OK && getppid() != parent) /* it died before the kernel knew that we follow */
        _exit(1);
    if (rc == OK && kind->start != NULL)
        rc = kind->start(own, &state, &err);
    if (rc == OK && kit_send(KIT_FD, STR("{\"ready\":{}}"), NULL, 0, NULL) == OK)
        serve(kind, state);
    say_problem(&err);
    kill(0, SIGKILL);
    _exit(1);
}

ErrCode resident_save(int from, const char *path, Err *err)
{
    CLEANUP(fd_close) int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0)
        return err_set_errno(err, ERR_IO, errno, "could not make a file in the worker's folder");
    for (off_t at = 0;;) {
        char block[16 * 1024];
        ssize_t n = pread(from, block, sizeof block, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_IO, errno, "could not read the input");
        if (n == 0)
            return OK;
        ErrCode rc = fd_write_all(to, block, (size_t)n, err);
        if (rc != OK)
            return rc;
        at += n;
    }
}

/* ---- in the clerk ---- */

static _Atomic int *my_mark; /* of this process, a clerk */

void resident_clerk(_Atomic int *mark)
{
    my_mark = mark;
}

static ErrCode send_request(StepCtx *c, Str request, const int *fds, size_t fds_len)
{
    Buf b = buf_init(c->arena, RESIDENT_REQUEST_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_raw(&j, "do", request);
    json_end(&j, '}');
    if (b.failed)
        return err_set(c->err, ERR_INPUT_TOO_LARGE, "the parameters are too long");
    return kit_send(RESIDENT_FD, buf_str(&b), fds, fds_len, c->err);
}

static ErrCode read_reply(StepCtx *c, Str text, ResidentReply *out)
{
    const Json *doc = NULL;
    ErrCode rc = json_parse(c->arena, text, &doc, c->err);
    if (rc != OK || !json_is(doc, JSON_OBJECT))
        return err_set(c->err, ERR_ENGINE_PROTOCOL, "the worker's answer is not JSON");
    Str reason = json_text(json_get(doc, "reason")), hint = json_text(json_get(doc, "hint"));
    out->data = doc;
    if (reason.len == 0)
        return OK;
    rc = err_from_reason(reason);
    err_set(c->err, rc != OK ? rc : ERR_ENGINE_PROTOCOL, STR_FMT,
            STR_ARG(json_text(json_get(doc, "message"))));
    if (hint.len > 0)
        err_hint(c->err, STR_FMT, STR_ARG(hint));
    return c->err->code;
}

ErrCode resident_ask(StepCtx *c, Str request, const int *fds, size_t fds_len, ResidentReply *out)
{
    CLEANUP(fd_close) int fd = -1;
    size_t got = 1;
    Str text = {0};
    *out = (ResidentReply){.fd = -1};
    char *buffer = arena_alloc_raw(c->arena, KIT_MESSAGE_MAX);
    if (buffer == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory to ask a worker");
    if (my_mark == NULL)
        return err_set(c->err, ERR_INTERNAL, "this engine has no workers");
    atomic_store(my_mark, RESIDENT_ASKED);
    ErrCode rc = send_request(c, request, fds, fds_len);
    if (rc == OK)
        rc = kit_receive(RESIDENT_FD, buffer, KIT_MESSAGE_MAX, &text, &fd, &got, c->err);
    if (rc == OK)
        atomic_store(my_mark, RESIDENT_ANSWERED);
    if (rc == ERR_WORKER_LOST) {
        err_set(c->err, ERR_ENGINE_CRASHED, "the worker ended while it had this file");
        return ERR_ENGINE_CRASHED;
    }
    if (rc == OK)
        rc = read_reply(c, text, out);
    if (rc == OK && got == 1)
        out->fd = fd_take(&fd);
    return rc;
}

ErrCode resident_output(StepCtx *c, const ResidentReply *reply, Str name, Str type,
                        int64_t *out_bytes)
{
    struct stat st;
    CLEANUP(fd_close) int to = -1;
    if (fstat(reply->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return err_set(c->err, ERR_ENGINE_PROTOCOL, "the worker's result is not a file");
    if (st.st_size == 0)
        return err_set(c->err, ERR_ENGINE_CRASHED, "the worker's result has no bytes");
    char *block = arena_alloc_raw(c->arena, COPY_BLOCK);
    if (block == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory to copy a result");
    ErrCode rc = step_output(c, name, type, &to);
    for (off_t at = 0; rc == OK;) {
        ssize_t n = pread(reply->fd, block, COPY_BLOCK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_set_errno(c->err, ERR_IO, errno, "could not read the worker's result");
        if (n <= 0)
            break;
        rc = fd_write_all(to, block, (size_t)n, c->err);
        at += n;
    }
    if (rc == OK && out_bytes != NULL)
        *out_bytes = st.st_size;
    return rc;
}
