/* launch.c: Chromium as a child of the worker, in its jail. */
#include "base/clock.h"
#include "base/fd.h"
#include "browser/browser.h"
#include "kit/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CDP_IN = 3,
    CDP_OUT = 4,
    HIGH_FD = 32,
    START_MS = 30 * 1000,
    ARGS_MAX = 48,
    PATH_SIZE = 256
};

static const int64_t memory_of_one_process = (int64_t)4 << 30;

static char program[PATH_SIZE];

static bool is_program(const char *path)
{
    struct stat st;
    return access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The executables themselves, not the scripts in /usr/bin that read somebody's settings. */
ErrCode browser_warm(Err *err)
{
    static const char *const usual[] = {"/usr/lib/chromium/chromium-headless-shell",
                                        "/usr/lib/chromium/headless_shell",
                                        "/usr/lib/chromium/chromium",
                                        "/usr/lib/chromium-browser/chromium-browser",
                                        "/usr/lib64/chromium-browser/chromium-browser",
                                        "/opt/google/chrome/chrome",
                                        "/usr/bin/chromium",
                                        "/usr/bin/chromium-browser"};
    const char *own = getenv("PLATEN_ENGINE_BROWSER");
    for (size_t i = 0; i < (own != NULL ? 1 : COUNT_OF(usual)); i++) {
        const char *path = own != NULL ? own : usual[i];
        if (!is_program(path))
            continue;
        snprintf(program, sizeof program, "%s", path);
        return OK;
    }
    return err_set(err, ERR_ENGINE_MISSING, "Chromium is not installed: apt install chromium");
}

/* ---- in the child ---- */

static void write_text(const char *path, const char *text)
{
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)!write(fd, text, strlen(text));
}

/* A network without an interface. Where the kernel or a container refuses, the call filter cuts the
 * network alone. */
static void leave_network(void)
{
    char map[64];
    unsigned uid = getuid(), gid = getgid();
    if (uid == 0) {
        (void)!unshare(CLONE_NEWNET);
        return;
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return;
    write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    write_text("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    write_text("/proc/self/gid_map", map);
}

static bool enter_jail(const char *folder)
{
    char writable[PATH_SIZE];
    int files = -1;
    StepLimits limits = {.memory_bytes = memory_of_one_process};
    /* Its own sandbox writes the maps of the user namespaces it makes; the rest of /proc that can be
     * written is root's. */
    snprintf(writable, sizeof writable, "%.200s:/proc", folder);
    return sandbox_workplace("/etc/chromium:/var/cache/fontconfig", writable, &files, NULL) == OK &&
           sandbox_prepare(SANDBOX_BROWSER, NULL) == OK &&
           sandbox_enter(SANDBOX_BROWSER, &limits, files, NULL) == OK;
}

static void become_chromium(const char *folder, bool own_sandbox, int to_it, int from_it)
{
    char profile[PATH_SIZE];
    snprintf(profile, sizeof profile, "--user-data-dir=%.200s/profile", folder);
    char *args[ARGS_MAX] = {
        program,
        "--headless",
        "--remote-debugging-pipe",
        profile,
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-extensions",
        "--disable-component-extensions-with-background-pages",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-sync",
        "--disable-domain-reliability",
        "--disable-client-side-phishing-detection",
        "--disable-breakpad",
        "--disable-crash-reporter",
        "--disable-logging",
        "--metrics-recording-only",
        "--mute-audio",
        "--no-pings",
        "--hide-scrollbars",
        "--disable-lazy-loading",
        "--font-render-hinting=none",
        "--password-store=basic",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--proxy-server=127.0.0.1:9",
        "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,"
        "InterestFeedContentSuggestions,CertificateTransparencyComponentUpdater,"
        "PaintHolding,BackForwardCache",
        own_sandbox ? "--disable-setuid-sandbox" : "--no-sandbox",
    };
    setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:", 1);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "disabled:", 1);
    unsetenv("DISPLAY");
    leave_network();
    int in = fcntl(to_it, F_DUPFD, HIGH_FD), out = fcntl(from_it, F_DUPFD, HIGH_FD);
    if (in >= 0 && out >= 0 && dup2(in, CDP_IN) == CDP_IN && dup2(out, CDP_OUT) == CDP_OUT &&
        close_range(CDP_OUT + 1, ~0U, 0) == 0 && enter_jail(folder))
        execv(program, args);
}

/* ---- in the worker ---- */

/* Version, as the sign that it has come up. */
static ErrCode greet(Cdp *c, Err *err)
{
    const Json *version = NULL;
    ArenaMark mark = arena_mark(c->arena);
    c->deadline_us = clock_mono_us() + (int64_t)START_MS * 1000;
    ErrCode rc = cdp_call(c, NULL, "Browser.getVersion", STR(""), &version, err);
    arena_rewind(c->arena, mark);
    return rc;
}

ErrCode browser_launch(const char *folder, bool own_sandbox, Cdp *out, Err *err)
{
    int to_it[2], from_it[2];
    if (pipe2(to_it, O_CLOEXEC) != 0)
        return err_set_errno(err, ERR_IO, errno, "no pipe to the browser");
    CLEANUP(fd_close) int its_in = to_it[0];
    CLEANUP(fd_close) int my_out = to_it[1];
    if (pipe2(from_it, O_CLOEXEC) != 0)
        return err_set_errno(err, ERR_IO, errno, "no pipe from the browser");
    CLEANUP(fd_close) int my_in = from_it[0];
    CLEANUP(fd_close) int its_out = from_it[1];
    signal(SIGPIPE, SIG_IGN); /* a browser that is gone shows as an error */
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        become_chromium(folder, own_sandbox, its_in, its_out);
        _exit(127);
    }
    if (pid < 0)
        return err_set_errno(err, ERR_NO_MEMORY, errno, "could not start the browser");
    fd_close(&its_in);
    fd_close(&its_out);
    ErrCode rc = cdp_open(out, fd_take(&my_out), fd_take(&my_in), err);
    if (rc == OK)
        rc = greet(out, err);
    if (rc == OK)
        return OK;
    cdp_close(out);
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return rc;
}
