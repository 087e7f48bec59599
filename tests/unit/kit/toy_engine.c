/* toy_engine.c: an engine whose resident workers do as they are told: serve, crash, hang, look
 * around. Each worker has started a program of its own (a sleeper), as the browser's have. */
#include "base/fd.h"
#include "kit/kit.h"
#include "kit/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    char folder[128];
    pid_t sleeper;
    int served;
} toy;

static ErrCode launch(const char *folder, void **state, Err *err)
{
    (void)folder;
    *state = &toy;
    if (getenv("PLATEN_ENGINE_TOY_BROKEN") != NULL)
        return err_set(err, ERR_ENGINE_MISSING, "the toy is broken");
    toy.sleeper = fork();
    if (toy.sleeper == 0) {
        /* As the worker will be: the signal that ends it with the worker is sent in its name. */
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
            _exit(1);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return toy.sleeper > 0 ? OK : err_set(err, ERR_NO_MEMORY, "no sleeper");
}

static ErrCode start(const char *folder, void **state, Err *err)
{
    (void)state, (void)err;
    snprintf(toy.folder, sizeof toy.folder, "%s", folder);
    return OK;
}

static int open_files(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* 0: it worked, else how it was refused. */
static void put_refusals(JsonOut *j)
{
    char other[160];
    snprintf(other, sizeof other, "%s/../x", toy.folder);
    json_kv_int(j, "network", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? errno : 0);
    json_kv_int(j, "fork", fork() < 0 ? errno : 0);
    execl("/bin/true", "true", (char *)NULL);
    json_kv_int(j, "exec", errno);
    json_kv_int(j, "kill", kill(getppid(), SIGKILL) < 0 ? errno : 0);
    json_kv_int(j, "outside", open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 ? errno : 0);
    json_kv_int(j, "uid", getuid());
    json_kv_int(j, "files", open_files());
}

static ErrCode copy(ResidentWork *w, Err *err)
{
    char path[160];
    snprintf(path, sizeof path, "%s/copy", toy.folder);
    ErrCode rc = resident_save(w->fds[0], path, err);
    if (rc == OK)
        w->out_fd = open(path, O_RDONLY | O_CLOEXEC);
    unlink(path);
    return rc;
}

/* Leaves its id where the test finds it. */
static void hang(void)
{
    char path[160], text[32];
    snprintf(path, sizeof path, "%s/hangs", toy.folder);
    int n = snprintf(text, sizeof text, "%d", (int)getpid());
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)!write(fd, text, (size_t)n);
    for (;;)
        pause();
}

static ErrCode serve(void *state, ResidentWork *w, Err *err)
{
    (void)state;
    Str what = json_text(json_get(w->request, "what"));
    toy.served++;
    json_kv_int(w->reply, "pid", getpid());
    json_kv_int(w->reply, "sleeper", toy.sleeper);
    json_kv_int(w->reply, "served", toy.served);
    json_kv_c(w->reply, "folder", toy.folder);
    if (str_eq_c(what, "crash")) {
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    }
    if (str_eq_c(what, "leave"))
        _exit(0);
    if (str_eq_c(what, "hang"))
        hang();
    if (str_eq_c(what, "fail"))
        return err_set(err, ERR_INPUT_DAMAGED, "as told");
    if (str_eq_c(what, "harmless"))
        return err_set(err, ERR_INPUT_ENCRYPTED, "as told");
    if (str_eq_c(what, "spoil"))
        w->spoiled = true;
    if (str_eq_c(what, "pipe")) {
        int ends[2];
        w->out_fd = pipe2(ends, O_CLOEXEC) == 0 ? ends[0] : -1;
    }
    if (str_eq_c(what, "look"))
        put_refusals(w->reply);
    return str_eq_c(what, "copy") ? copy(w, err) : OK;
}

/* ---- the step ---- */

typedef struct ToyArgs {
    Str what;
} ToyArgs;

static const Param params[] = {
    PARAM_TEXT(ToyArgs, what, .def_text = "serve", .example = "serve", .help = "What to do."),
    PARAM_END,
};

static ErrCode do_run(StepCtx *c, const void *args)
{
    const ToyArgs *a = args;
    ResidentReply reply = {.fd = -1};
    if (str_eq_c(a->what, "unasked"))
        return err_set(c->err, ERR_INPUT_DAMAGED, "the worker was not asked");
    Str request = str_printf(c->arena, "{\"what\":\"" STR_FMT "\"}", STR_ARG(a->what));
    ErrCode rc = resident_ask(c, request, &c->input_fd, c->input_fd >= 0, &reply);
    if (rc != OK)
        return rc;
    CLEANUP(fd_close) int result = reply.fd;
    for (const Json *m = reply.data->first; m != NULL; m = m->next) {
        json_key_str(c->data, m->key);
        json_put(c->data, m);
    }
    return result >= 0 ? resident_output(c, &reply, STR("copy.txt"), STR("text/plain"), NULL) : OK;
}

static const ErrCode errors[] = {ERR_ENGINE_CRASHED, ERR_ENGINE_MISSING, OK};

static const Step step_do = {.name = "toy.do",
                             .title = "Do as told",
                             .summary = "Does as it is told.",
                             .since = "0.2",
                             .accepts = "*/*",
                             .input_optional = true,
                             .internal = true,
                             .params = params,
                             .args_size = sizeof(ToyArgs),
                             .errors = errors,
                             .run = do_run};

int main(int argc, char **argv)
{
    static const Step *const steps[] = {&step_do, NULL};
    static const ErrCode harmless[] = {ERR_INPUT_ENCRYPTED, OK};
    static const KitResident resident = {
        .tasks_max = 5,
        .launch = launch,
        .start = start,
        .serve = serve,
        .harmless = harmless,
    };
    return kit_main(
        argc, argv,
        &(KitEngine){.name = "toy", .version = "1", .steps = steps, .resident = &resident});
}
