/* app.h: a whole platen in one struct: opened in the order of the layers, closed in reverse.
 *
 * `platen serve` opens one and listens; the command line opens one without a listener (or with one
 * on a free loopback port) for as long as a command runs. There is no other global state.
 *
 * The data folder: platen.db (+ -wal, lock), blobs/, secret.key (base/seal.h, mode 0600), engines.json (cached contracts), server.json
 * (address while it runs, mode 0600), cli-key (a key for commands on this machine, mode 0600). */
#ifndef PLATEN_API_APP_H
#define PLATEN_API_APP_H

#include "access/access.h"
#include "engine/engine.h"
#include "flow/flow.h"
#include "flow/hub.h"
#include "hook/deliver.h"
#include "hook/bridge.h"
#include "hook/browser.h"
#include "hook/push.h"
#include "hook/trigger.h"
#include "http/http.h"
#include "net/outbound.h"
#include "work/work.h"

/* Pipelines that come with platen (pipelines/), made at build time; ends with {0}. */
extern const BuiltInPipeline built_in_pipelines[];

typedef struct AppOptions {
    const char *data_dir;    /* made when missing */
    bool throwaway;          /* data is not kept: nothing is synced */
    const char *engine_dirs; /* NULL: the folder of this executable */
    bool schedules;          /* start what is due by the clock: a server does, a command does not */
    const char *watch_root;  /* folders that triggers watch lie in it; NULL: none may */
    int engine_threads;      /* tasks at once per engine; 0: two per core */
    int64_t retention_ms;    /* of ended jobs; 0: as before, -1: for ever */
    bool internal_steps;     /* also offer steps marked internal (tests, benchmarks) */

    const char *listen; /* NULL: no HTTP */
    const char *tls_cert, *tls_key;
    int loops, pool_threads;
    int64_t upload_max;        /* bytes; 0: the default of http.h */
    int64_t sweep_grace_ms;    /* 0: one hour */
    const char *allow_private; /* private networks that requests of ours may go to, as
                                  OutboundOptions has it; NULL: none */
} AppOptions;

typedef struct Alerts Alerts;           /* trace/alerts.h */
typedef struct Waiters Waiters;         /* wait.h */
typedef struct Streams Streams;         /* stream.h */
typedef struct Sweeper Sweeper;         /* sweep.h */
typedef struct Leases Leases;           /* lease.h */
typedef struct Previews Previews;       /* preview.h */
typedef struct RenderCache RenderCache; /* render.h */

typedef struct App {
    AppOptions options;
    Alerts *alerts; /* what was logged as going wrong */
    Arena *arena;   /* lives as long as the app */
    Seal *seal;     /* must outlive the database */
    Db *db;
    BlobStore *blobs;
    Access *access;
    EnginePool *engines;
    Registry *registry;
    Hub *hub;
    Offers *offers;
    Work *work;
    TriggerWorld trigger_world;
    Triggers *triggers; /* NULL: this process starts nothing by itself */
    Deliver *deliver;   /* NULL: data is thrown away */
    Notify *notify;     /* NULL: the same */
    Outbound *guard;    /* only for checking addresses */
    Waiters *waiters;
    Streams *streams;
    Leases *leases;
    Previews *previews;
    RenderCache *rendered;
    Push *push;
    Bridges *bridges;
    Sweeper *sweeper;
    HttpServer *http;
    Str openapi; /* the document, written once at start */
    int64_t started_ms;
    int64_t project;                 /* the default project: the command line's */
    char owner_key[ACCESS_KEY_TEXT]; /* set on first start only */
    bool first_start;
} App;

/* Open everything up to the dispatcher; then HTTP when options->listen is set. On failure what was
 * opened is closed. */
MUST_CHECK ErrCode app_open(const AppOptions *o, App **out, Err *err);
/* Stop accepting, let running work end for at most grace_ms, give the rest back to the queue,
 * close. */
void app_close(App **a, int grace_ms);

/* Only the registry: what the engines describe (cached) and what is built in; for help and
 * documentation. Memory from `a`. */
MUST_CHECK ErrCode app_registry(const char *engine_dirs, Arena *a, Registry **out, Err *err);

/* "http://127.0.0.1:8080", in `a`. */
Str app_url(const App *app, Arena *a);
/* The folder this executable stands in, in `a`; "" when unknown. */
Str app_program_dir(Arena *a);

#endif
