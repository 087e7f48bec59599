/* platen open: a browser at the web app of the running server, signed in.
 *
 * The link carries the key behind #, so it never reaches a server's log; the page changes it for a
 * session and takes it out of its address. A browser is started with a file of the data folder that
 * leads there, not with the link itself: the words of a command are for everybody on the machine to
 * see. */
#include "base/fd.h"
#include "cli/target.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct OpenArgs {
    bool print, json;
    TargetArgs target;
} OpenArgs;

static const Param open_params[] = {
    PARAM_BOOL(OpenArgs, print, .help = "Print the link instead of opening it; it holds the key."),
    PARAM_BOOL(OpenArgs, json, .help = "Print one JSON object with the link."),
    TARGET_PARAMS(OpenArgs),
    PARAM_END,
};

static bool has_display(void)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    return (x != NULL && x[0] != 0) || (wayland != NULL && wayland[0] != 0);
}

/* A page that leads to the link, readable by this user alone. */
static ErrCode write_page(Cli *cli, Str dir, Str link, char **path, Err *err)
{
    char *dir_c = str_to_c(cli->arena, dir);
    char *real = dir_c != NULL ? realpath(dir_c, NULL) : NULL; /* xdg-open wants the whole path */
    Str whole = real != NULL ? str_printf(cli->arena, "%s/open.html", real) : (Str){0};
    free(real);
    Buf page = buf_init(cli->arena, 4 * KIB);
    buf_add_c(&page, "<!doctype html><meta charset=\"utf-8\"><title>platen</title>"
                     "<meta http-equiv=\"refresh\" content=\"0;url=");
    buf_add_html(&page, link);
    buf_add_c(&page, "\">\n");
    if (whole.ptr == NULL || page.failed)
        return err_set(err, ERR_NO_MEMORY, "no memory for the link");
    *path = str_to_c(cli->arena, whole);
    unlink(*path);
    CLEANUP(fd_close) int fd = open(*path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", *path);
    return fd_write_all(fd, page.ptr, page.len, err);
}

static ErrCode show(Cli *cli, Str dir, Str link, Err *err)
{
    extern char **environ;
    char *path = NULL;
    ErrCode rc = write_page(cli, dir, link, &path, err);
    if (rc != OK)
        return rc;
    char *words[] = {"xdg-open", path, NULL};
    pid_t pid;
    int status = 0, failed = posix_spawnp(&pid, words[0], NULL, NULL, words, environ);
    if (failed != 0)
        return err_set_errno(err, ERR_IO, failed, "could not start xdg-open");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_IO, "xdg-open found no browser");
    return OK;
}

static void print_link(Cli *cli, const OpenArgs *args, Str url, Str link)
{
    if (!args->json) {
        printf(STR_FMT "\n", STR_ARG(link));
        return;
    }
    Buf b = buf_init(cli->arena, 4 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "url", url);
    json_kv_str(&j, "link", link);
    json_end(&j, '}');
    printf(STR_FMT "\n", STR_ARG(buf_str(&b)));
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const OpenArgs *args = raw;
    Err err = {0};
    (void)operands;
    if (len > 0) {
        err_set(&err, ERR_USAGE, "usage: platen open [OPTIONS]");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    if (target_is_inside(t)) {
        err_set(&err, ERR_UNREACHABLE, "no server runs on this data folder");
        err_hint(&err, "Start one first: platen serve");
        return term_fail(&err);
    }
    const Json *who = NULL; /* a link that does not let in would be no help */
    if (target_call(t, cli->arena, "GET", STR("/api/v1/session"), (Str){0}, &who, &err) != OK)
        return term_fail(&err);
    Str url = target_url(t), key = target_key(t);
    Str link = str_printf(cli->arena, STR_FMT "/#key=" STR_FMT, STR_ARG(url), STR_ARG(key));
    bool opens = !args->print && !args->json && has_display() && !target_is_named(&args->target);
    if (opens && show(cli, target_dir(t), link, &err) == OK)
        printf("opened " STR_FMT "\n", STR_ARG(url));
    else
        print_link(cli, args, url, link);
    return EXIT_DONE;
}

const Command command_open = {
    .name = "open",
    .summary = "Open the web app of the running server, signed in.",
    .detail =
        "The link holds the key of the data folder (cli-key) behind #, so no server sees it in "
        "an address.\nWithout a display, or with --server, it is printed: open it in a browser "
        "of yours, give it to nobody.",
    .params = open_params,
    .args_size = sizeof(OpenArgs),
    .examples = (const char *const[]){"platen open", "platen open --print",
                                      "platen open --data /var/lib/platen --print", NULL},
    .run = run,
};
