/* worker.c: the resident worker: one Chromium, one tab a task. */
#include "base/clock.h"
#include "base/fd.h"
#include "browser/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_SIZE = 160, PAGES_MAX = 100, START_MS = 30 * 1000, TASK_MS = 120 * 1000 };

static struct {
    Cdp cdp;
    Tab tab; /* for the next task */
    char folder[PATH_SIZE];
} worker;

/* Its own sandbox where that can be had: not in containers that refuse user namespaces. */
static ErrCode launch(const char *folder, void **state, Err *err)
{
    (void)state;
    ErrCode rc = browser_launch(folder, true, &worker.cdp, err);
    if (rc == ERR_ENGINE_CRASHED || rc == ERR_LIMIT_TIME)
        rc = browser_launch(folder, false, &worker.cdp, err);
    return rc == OK || rc == ERR_NO_MEMORY
               ? rc
               : err_set(err, ERR_ENGINE_MISSING, "Chromium does not start");
}

static ErrCode print(const char *page, Str parameters, const Json *request, int out_fd, Err *err)
{
    PageJob job = {.path = page,
                   .print = parameters,
                   .scripts = json_bool(json_get(request, "javascript"), false),
                   .wait_idle = json_bool(json_get(request, "wait_idle"), false),
                   .wait_ms = json_int(json_get(request, "wait_ms"), 10 * 1000),
                   .out_fd = out_fd};
    return tab_print(&worker.cdp, &worker.tab, &job, err);
}

static int make_file(const char *path)
{
    unlink(path);
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static void next_tab(void)
{
    Err err = {0};
    worker.cdp.deadline_us = clock_mono_us() + (int64_t)START_MS * 1000;
    if (tab_open(&worker.cdp, &worker.tab, &err) != OK)
        tab_close(&worker.cdp, &worker.tab); /* the task will say what is wrong */
}

/* The first page is slow, so it is a page of nobody's. */
static ErrCode start(const char *folder, void **state, Err *err)
{
    static const char text[] = "<!doctype html><title>.</title><h1>Ag</h1><p><b>Ag</b> <i>Ag</i> "
                               "<code>Ag</code><p style='font-family:serif'>Ag";
    char page[PATH_SIZE + 16];
    *state = &worker;
    snprintf(worker.folder, sizeof worker.folder, "%s", folder);
    snprintf(page, sizeof page, "%s/page.html", worker.folder);
    CLEANUP(fd_close) int page_fd = make_file(page);
    ErrCode rc = page_fd >= 0 ? fd_write_all(page_fd, text, sizeof text - 1, err)
                              : err_set_errno(err, ERR_IO, errno, "could not make a page");
    CLEANUP(fd_close) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    worker.cdp.deadline_us = clock_mono_us() + (int64_t)START_MS * 1000;
    if (rc == OK)
        rc = tab_open(&worker.cdp, &worker.tab, err);
    if (rc == OK)
        rc = print(page, STR("{\"transferMode\":\"ReturnAsStream\"}"), NULL, null, err);
    if (rc != OK)
        return rc;
    tab_close(&worker.cdp, &worker.tab);
    next_tab();
    return OK;
}

static ErrCode serve(void *state, ResidentWork *w, Err *err)
{
    (void)state;
    char page[PATH_SIZE + 16], pdf[PATH_SIZE + 16];
    snprintf(page, sizeof page, "%s/page.html", worker.folder);
    snprintf(pdf, sizeof pdf, "%s/page.pdf", worker.folder);
    if (w->fds_len != 1)
        return err_set(err, ERR_INPUT_MISSING, "no page to print");
    Buf b = buf_init(w->arena, RESIDENT_REQUEST_MAX);
    JsonOut j = json_out(&b);
    json_put(&j, json_get(w->request, "print"));
    worker.cdp.deadline_us = clock_mono_us() + (int64_t)TASK_MS * 1000;
    ErrCode rc = resident_save(w->fds[0], page, err);
    CLEANUP(fd_close) int out = make_file(pdf);
    if (rc == OK && out < 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not make a file for the PDF");
    if (rc == OK && worker.tab.session[0] == 0)
        rc = tab_open(&worker.cdp, &worker.tab, err);
    if (rc == OK)
        rc = print(page, buf_str(&b), w->request, out, err);
    unlink(page);
    unlink(pdf);
    if (rc != OK)
        return rc;
    json_kv_int(w->reply, "refused", worker.tab.refused);
    json_kv_bool(w->reply, "complete", worker.tab.loaded);
    w->out_fd = fd_take(&out);
    return OK;
}

/* After the answer: nobody waits. */
static void rest(void *state)
{
    (void)state;
    tab_close(&worker.cdp, &worker.tab);
    next_tab();
}

const KitResident browser_resident = {
    .tasks_max = PAGES_MAX,
    .readable = "/var/cache/fontconfig",
    .launch = launch,
    .start = start,
    .serve = serve,
    .rest = rest,
    .harmless = (const ErrCode[]){ERR_BAD_PARAM, OK},
};
