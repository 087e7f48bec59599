/* browser.h: Chromium in resident workers.
 *
 *   clerk (print.c)             worker (worker.c, page.c, cdp.c)             Chromium (launch.c)
 *   parameters      --ask-->    a fresh browser context and tab,  --pipe-->  user nobody, no network,
 *   output          <-------    the page from a file, one PDF     <--------  its own sandbox inside ours
 *
 * Each worker has a Chromium of its own and speaks to it over --remote-debugging-pipe. A tab is made
 * ready before the task that uses it (making one takes longer than printing a small page), and is
 * thrown away with its context after it.
 *
 * What holds the page: scripts are off unless asked for; every request but the page itself and
 * what it carries inside (data:) is refused by interception; Chromium has no network interface
 * where network namespaces are to be had, and in any case no sockets but Unix ones; it reads the
 * system's folders and writes its own (Landlock); its renderers are in its own sandbox (user
 * namespaces and call filters) where the kernel lets it, else only in ours. */
#ifndef PLATEN_BROWSER_BROWSER_H
#define PLATEN_BROWSER_BROWSER_H

#include "browser/cdp.h"
#include "kit/resident.h"

extern const Step step_browser_print;
extern const KitResident browser_resident;

ErrCode browser_warm(Err *err);

/* Start Chromium, with its own sandbox or without. Its pipe is in *out; it dies with this process. */
MUST_CHECK ErrCode browser_launch(const char *folder, bool own_sandbox, Cdp *out, Err *err);

/* A tab in a context of its own. */
typedef struct Tab {
    char context[64], target[64], session[64]; /* ids; empty: none */
    char url[256];                             /* the only one that may be loaded */
    bool loaded, idle;                         /* of that page */
    bool crashed;
    int64_t refused; /* requests for anything else */
} Tab;
MUST_CHECK ErrCode tab_open(Cdp *c, Tab *t, Err *err);
void tab_close(Cdp *c, Tab *t); /* a failure shows at the next call */

typedef struct PageJob {
    const char *path; /* of the page */
    Str print;        /* Page.printToPDF's parameters, a JSON object */
    bool scripts, wait_idle;
    int64_t wait_ms; /* ceiling of waiting for the page */
    int out_fd;
} PageJob;
MUST_CHECK ErrCode tab_print(Cdp *c, Tab *t, const PageJob *job, Err *err);

#endif
