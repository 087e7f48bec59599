#include "engine/engine_in.h"
#include "base/fd.h"
#include "kit/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POOL_ARENA = 1024 * 1024 };

/* Plain engines read their own folders, and those the operator names in PLATEN_ENGINE_READ. */
static ErrCode prepare_files(EnginePool *p, Err *err)
{
    const char *more = getenv("PLATEN_ENGINE_READ");
    char *all = str_to_c(p->arena,
                         str_printf(p->arena, "%s:%s", p->options.dirs, more != NULL ? more : ""));
    return all != NULL ? sandbox_readable(all, &p->readable, err)
                       : err_set(err, ERR_NO_MEMORY, "no memory for the engines");
}

ErrCode engine_pool_open(const EngineOptions *o, EnginePool **out, Err *err)
{
    Arena *a = arena_open(POOL_ARENA);
    EnginePool *p = a != NULL ? arena_new(a, EnginePool, 1) : NULL;
    if (p == NULL) {
        arena_close(&a);
        return err_set(err, ERR_NO_MEMORY, "no memory for the engines");
    }
    p->arena = a;
    p->options = *o;
    p->readable = -1;
    engine_turns_init(p);
    ErrCode rc = engine_make_env(a, p->env, err);
    /* Before there are threads that fork: the library that builds filters takes memory. */
    if (rc == OK)
        rc = sandbox_prepare(SANDBOX_PROGRAM, err);
    if (rc == OK)
        rc = prepare_files(p, err);
    if (rc != OK) {
        engine_turns_done(p);
        arena_close(&a);
        return rc;
    }
    *out = p;
    return OK;
}

void engine_pool_close(EnginePool **p)
{
    if (*p == NULL)
        return;
    for (size_t i = 0; i < (*p)->engines_len; i++)
        fd_close(&(*p)->engines[i].control); /* all at once, so that they end side by side */
    for (size_t i = 0; i < (*p)->engines_len; i++) {
        engine_stop(&(*p)->engines[i]);
        mutex_done(&(*p)->engines[i].lock);
    }
    fd_close(&(*p)->readable);
    engine_turns_done(*p);
    Arena *a = (*p)->arena; /* the pool lives in it */
    *p = NULL;
    arena_close(&a);
}

Engine *engine_find(EnginePool *p, const char *name)
{
    for (size_t i = 0; i < p->engines_len; i++)
        if (p->engines[i].bad == NULL && strcmp(p->engines[i].name, name) == 0)
            return &p->engines[i];
    return NULL;
}

static EngineInfo info_of(Engine *e, Arena *a)
{
    MUTEX_HELD(&e->lock);
    EngineInfo info = {.name = e->name,
                       .path = e->path,
                       .version = e->version,
                       .problem = e->bad,
                       .warm = e->warm,
                       .steps = e->steps,
                       .pid = e->parent.pid,
                       .tasks = atomic_load(&e->tasks),
                       .failures = atomic_load(&e->failures),
                       .restarts = atomic_load(&e->restarts),
                       .last_reason = (ErrCode)atomic_load(&e->last_reason),
                       .last_failed_ms = atomic_load(&e->last_failed_ms)};
    if (e->bad == NULL && e->problem[0] != 0)
        info.problem = str_to_c(a, str_from_c(e->problem));
    return info;
}

size_t engine_list(EnginePool *p, Arena *a, EngineInfo **out)
{
    EngineInfo *list = arena_new(a, EngineInfo, p->engines_len);
    *out = list;
    if (list == NULL)
        return 0;
    for (size_t i = 0; i < p->engines_len; i++)
        list[i] = info_of(&p->engines[i], a);
    return p->engines_len;
}

ErrCode engine_probe(EnginePool *p, const char *name, Err *err)
{
    Engine *e = engine_find(p, name);
    if (e == NULL)
        return err_set(err, ERR_ENGINE_MISSING, "there is no engine \"%s\"", name);
    CLEANUP(fd_close) int channel = -1;
    CLEANUP(fd_close) int pidfd = -1;
    int64_t generation;
    if (e->warm) /* the child ends when its channel does */
        return engine_fork(p, e, NULL, &channel, &pidfd, &generation, err);
    CLEANUP(arena_close) Arena *a = arena_open(ENGINE_DESCRIPTION_MAX * 2);
    Str text;
    return a != NULL ? engine_ask(p, e->path, a, &text, err)
                     : err_set(err, ERR_NO_MEMORY, "no memory");
}
