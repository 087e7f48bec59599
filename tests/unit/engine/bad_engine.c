/* bad_engine.c: an engine with a step for every way to misbehave, and one that behaves
 * ("bad.fine").
 *
 * Steps that try something forbidden report in data.errno how it was refused, when they get to
 * report at all. */
#include "kit/kit.h"
#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct BadArgs {
    int64_t count;
    Str text;
} BadArgs;

static const Param params[] = {
    PARAM_INT(BadArgs, count, .min = 0, .max = 1000000, .def = 1, .example = "1",
              .help = "How often."),
    PARAM_TEXT(BadArgs, text, .def_text = "", .example = "x", .help = "What to write."),
    PARAM_END,
};

static ErrCode say_errno(StepCtx *c, bool refused)
{
    json_kv_int(c->data, "errno", refused ? errno : 0);
    return OK;
}

/* Copies its input, or its text, to an output. */
static ErrCode fine(StepCtx *c, const void *args)
{
    const BadArgs *a = args;
    Str bytes = a->text;
    ErrCode rc = OK;
    if (c->input_fd >= 0)
        rc = fd_read_file(c->input_fd, c->arena, 16 * MIB, &bytes, c->err);
    for (int64_t i = 0; i < a->count && rc == OK; i++) {
        step_progress(c, i, a->count, "copying");
        rc = step_output_bytes(c, STR("copy.txt"), STR("text/plain"), bytes);
    }
    step_usage(c, "bytes", (int64_t)bytes.len);
    step_note(c, STR("copied"));
    json_kv_int(c->data, "bytes", (int64_t)bytes.len);
    return rc;
}

static ErrCode empty(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    return OK;
}

static ErrCode fail(StepCtx *c, const void *args)
{
    (void)args;
    err_set(c->err, ERR_INPUT_DAMAGED, "byte %d is wrong", 7);
    err_hint(c->err, "mend it");
    err_param(c->err, "text");
    return ERR_INPUT_DAMAGED;
}

static ErrCode no_memory(StepCtx *c, const void *args)
{
    (void)args;
    return err_set(c->err, ERR_NO_MEMORY, "the arena is full");
}

static ErrCode crash(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    signal(SIGSEGV, SIG_DFL); /* AddressSanitizer would turn it into an exit */
    raise(SIGSEGV);
    return OK;
}

static ErrCode abort_now(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    errno = 0;
    abort();
}

static ErrCode spin(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    for (volatile uint64_t n = 0;; n++)
        ;
    return OK;
}

static ErrCode sleep_long(StepCtx *c, const void *args)
{
    (void)args;
    step_note(c, STR("asleep"));
    for (;;)
        poll(NULL, 0, 1000);
    return OK;
}

/* Like a library that cannot live without memory. */
static ErrCode eat_and_abort(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    for (;;) {
        char *p = malloc(16 * MIB);
        if (p == NULL)
            abort();
        memset(p, 1, 16 * MIB);
    }
    return OK;
}

/* Like one that does not look at what malloc gave. */
static ErrCode eat_and_crash(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    for (;;) {
        volatile char *p = malloc(64 * MIB);
        *p = 1;
    }
    return OK;
}

static ErrCode write_for_ever(StepCtx *c, const void *args)
{
    (void)args;
    CLEANUP(fd_close) int fd = -1;
    static const char block[65536];
    ErrCode rc = step_output(c, STR("big"), STR("text/plain"), &fd);
    while (rc == OK)
        rc = fd_write_all(fd, block, sizeof block, c->err);
    return rc;
}

/* SIGXFSZ ignored, as Python does: the write fails instead. */
static ErrCode write_and_ignore(StepCtx *c, const void *args)
{
    signal(SIGXFSZ, SIG_IGN);
    return write_for_ever(c, args);
}

static ErrCode fork_child(StepCtx *c, const void *args)
{
    (void)args;
    return say_errno(c, fork() < 0);
}

static ErrCode exec_shell(StepCtx *c, const void *args)
{
    (void)args;
    execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
    return say_errno(c, true);
}

static ErrCode open_file(StepCtx *c, const void *args)
{
    (void)args;
    return say_errno(c, open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0);
}

static ErrCode stat_file(StepCtx *c, const void *args)
{
    (void)args;
    struct stat st;
    return say_errno(c, stat("/etc/passwd", &st) < 0);
}

static ErrCode connect_socket(StepCtx *c, const void *args)
{
    (void)args;
    return say_errno(c, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0);
}

static ErrCode trace_parent(StepCtx *c, const void *args)
{
    (void)args;
    return say_errno(c, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0);
}

static ErrCode kill_parent(StepCtx *c, const void *args)
{
    (void)args;
    return say_errno(c, kill(getppid(), SIGKILL) < 0);
}

/* The one signal call that is allowed, aimed at somebody else. */
static ErrCode signal_parent(StepCtx *c, const void *args)
{
    (void)args;
    return say_errno(c, syscall(SYS_tgkill, getppid(), getppid(), SIGKILL) < 0);
}

static ErrCode raise_limit(StepCtx *c, const void *args)
{
    (void)args;
    struct rlimit r = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    return say_errno(c, setrlimit(RLIMIT_CPU, &r) < 0);
}

static ErrCode hang_up_for_all(StepCtx *c, const void *args)
{
    (void)args;
    return say_errno(c, shutdown(KIT_FD, SHUT_RDWR) < 0);
}

static void *set_flag(void *flag)
{
    *(bool *)flag = true;
    return NULL;
}

/* Libraries may use threads. */
static ErrCode start_thread(StepCtx *c, const void *args)
{
    (void)args;
    pthread_t t;
    bool ran = false;
    if (pthread_create(&t, NULL, set_flag, &ran) == 0)
        pthread_join(t, NULL);
    json_kv_bool(c->data, "ran", ran);
    return OK;
}

/* What a task can see of the rest of the world. */
static ErrCode look_around(StepCtx *c, const void *args)
{
    (void)args;
    int files = 0;
    for (int fd = 0; fd < 256; fd++)
        files += fcntl(fd, F_GETFD) >= 0;
    json_kv_int(c->data, "files", files);
    json_kv_int(c->data, "uid", getuid());
    return OK;
}

static void say(Str text)
{
    (void)!kit_send(KIT_FD, text, NULL, 0, NULL);
}

static ErrCode garbage(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    say(STR("\x01\x02 not json"));
    return sleep_long(c, args);
}

static ErrCode oversized(StepCtx *c, const void *args)
{
    static char big[KIT_MESSAGE_MAX + 1];
    memset(big, ' ', sizeof big);
    struct iovec iov = {.iov_base = big, .iov_len = sizeof big};
    (void)!sendmsg(KIT_FD, &(struct msghdr){.msg_iov = &iov, .msg_iovlen = 1}, 0);
    return sleep_long(c, args);
}

static ErrCode nothing(StepCtx *c, const void *args)
{
    struct iovec iov = {.iov_base = "", .iov_len = 0};
    (void)!sendmsg(KIT_FD, &(struct msghdr){.msg_iov = &iov, .msg_iovlen = 1}, 0);
    return sleep_long(c, args);
}

static ErrCode unasked_fd(StepCtx *c, const void *args)
{
    int fd = 0;
    (void)!kit_send(KIT_FD, STR("{\"note\":{\"text\":\"x\"}}"), &fd, 1, NULL);
    return sleep_long(c, args);
}

static ErrCode flood(StepCtx *c, const void *args)
{
    for (;;)
        say(STR("{\"progress\":{\"done\":1,\"total\":2}}"));
    return sleep_long(c, args);
}

static ErrCode thousand(StepCtx *c, const void *args)
{
    (void)args;
    for (int i = 0; i < 1000; i++)
        say(STR("{\"progress\":{\"done\":1,\"total\":2}}"));
    json_kv_int(c->data, "sent", 1000);
    return OK;
}

static ErrCode raw(StepCtx *c, const void *args)
{
    say(((const BadArgs *)args)->text);
    return sleep_long(c, args);
}

static ErrCode leave(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    _exit(0);
}

static ErrCode hang_up(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    close(KIT_FD);
    _exit(5);
}

static ErrCode two_results(StepCtx *c, const void *args)
{
    (void)c, (void)args;
    say(STR("{\"result\":{\"data\":{\"n\":1}}}"));
    say(STR("{\"result\":{\"data\":{\"n\":2}}}"));
    _exit(0);
}

static ErrCode many_outputs(StepCtx *c, const void *args)
{
    const BadArgs *a = args;
    ErrCode rc = OK;
    for (int64_t i = 0; i < a->count && rc == OK; i++)
        rc = step_output_bytes(c, STR("many"), STR("text/plain"), STR("x"));
    return rc;
}

static ErrCode named_output(StepCtx *c, const void *args)
{
    const BadArgs *a = args;
    return step_output_bytes(c, a->text, STR("text/plain\r\nX: y"), STR("x"));
}

/* Says that it is done, then goes on writing: the host must not keep what changes under it. */
static ErrCode write_after_result(StepCtx *c, const void *args)
{
    (void)args;
    int fd = -1;
    ErrCode rc = step_output(c, STR("late"), STR("text/plain"), &fd);
    if (rc == OK)
        rc = fd_write_all(fd, "early", 5, c->err);
    if (rc != OK)
        return rc;
    say(STR("{\"result\":{\"data\":{}}}"));
    for (;;)
        (void)!pwrite(fd, "late!", 5, 0);
    return OK;
}

static ErrCode much_data(StepCtx *c, const void *args)
{
    (void)args;
    char *p = arena_alloc(c->arena, KIT_MESSAGE_MAX);
    if (p == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory");
    memset(p, 'x', KIT_MESSAGE_MAX);
    json_kv_str(c->data, "text", (Str){p, KIT_MESSAGE_MAX});
    return OK;
}

/* Calls the step in `text` with a scratch file, and gives what came back. */
static ErrCode call_on(StepCtx *c, const void *args)
{
    static const char words[] = "called";
    const BadArgs *a = args;
    char name[64];
    int fd = -1;
    StepReply reply = {0};
    Str bytes = {0};
    snprintf(name, sizeof name, STR_FMT, STR_ARG(a->text.len > 0 ? a->text : STR("bad.call_on")));
    ErrCode rc = step_scratch(c, &fd);
    if (rc == OK)
        rc = fd_write_all(fd, words, sizeof words - 1, c->err);
    StepInput in = {.name = STR("../words.txt"), .type = STR("text/plain"), .fd = fd};
    for (int64_t i = 0; i < a->count && rc == OK; i++) {
        step_reply_close(&reply);
        rc = step_call(c, name, STR("{\"count\":2}"), &in, 1, &reply);
    }
    if (rc == OK && reply.outputs_len > 0)
        rc = fd_read_file(reply.outputs[0].fd, c->arena, MIB, &bytes, c->err);
    if (rc == OK)
        rc = step_output_bytes(c, STR("back.txt"), STR("text/plain"), bytes);
    if (rc == OK)
        json_kv_int(c->data, "bytes", json_int(json_get(reply.data, "bytes"), -1));
    step_reply_close(&reply);
    return rc;
}

/* Hands over a descriptor that is no file. */
static ErrCode call_with_socket(StepCtx *c, const void *args)
{
    (void)args;
    StepReply reply = {0};
    StepInput in = {.name = STR("x"), .type = STR("text/plain"), .fd = KIT_FD};
    return step_call(c, "bad.fine", STR("{}"), &in, 1, &reply);
}

/* Says for 50 ms that it runs; only one may. */
static ErrCode alone(StepCtx *c, const void *args)
{
    (void)args;
    step_note(c, STR("begin"));
    poll(NULL, 0, 50);
    step_note(c, STR("end"));
    return OK;
}

/* clang-format off */
#define BAD_STEPS(X)                                                                               \
    X(fine)                                                                                        \
    X(empty)                                                                                       \
    X(fail)                                                                                        \
    X(no_memory)                                                                                   \
    X(crash) X(abort_now) X(spin) X(sleep_long) X(eat_and_abort) X(eat_and_crash)                  \
        X(write_for_ever) X(write_and_ignore) X(fork_child) X(exec_shell) X(open_file)             \
            X(stat_file) X(connect_socket) X(trace_parent) X(kill_parent) X(signal_parent)         \
                X(raise_limit) X(hang_up_for_all) X(start_thread) X(look_around) X(garbage)        \
                    X(oversized) X(nothing) X(unasked_fd) X(flood) X(thousand) X(raw) X(leave)     \
                        X(hang_up) X(two_results) X(many_outputs) X(named_output)                  \
                            X(write_after_result) X(much_data) X(call_on) X(call_with_socket) X(alone)
/* clang-format on */

#define BAD_STEP(f)                                                                                \
    static const Step step_##f = {                                                                 \
        .name = "bad." #f,                                                                         \
        .title = "Misbehave",                                                                      \
        .summary = "Misbehaves on purpose.",                                                       \
        .since = "0.1",                                                                            \
        .accepts = "*/*",                                                                          \
        .input_optional = true,                                                                    \
        .internal = true,                                                                          \
        .calls = "bad.fine, bad.fail, bad.crash, bad.call_on, bad.alone, bad.sleep_long",          \
        .concurrency = sizeof(#f) == sizeof("alone") && #f[0] == 'a' && #f[1] == 'l',              \
        .params = params,                                                                          \
        .args_size = sizeof(BadArgs),                                                              \
        .run = f};
BAD_STEPS(BAD_STEP)

int main(int argc, char **argv)
{
#define BAD_ENTRY(f) &step_##f,
    static const Step *const steps[] = {BAD_STEPS(BAD_ENTRY) NULL};
    return kit_main(argc, argv, &(KitEngine){.name = "bad", .version = "1", .steps = steps});
}
