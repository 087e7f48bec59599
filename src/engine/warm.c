/* warm.c: the warm parent of one engine. Started by the first task that needs it; when it is gone,
 * the next task starts another. One that does not come up is left alone for a while, twice as long
 * each time. */
#include "engine/engine_in.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "engine/talk_in.h"
#include "kit/kit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    FORK_TRIES = 3,
    WARM_UP_MS = 60 * 1000, /* loading libraries, fonts, language models */
    CANCEL_EVERY_MS = 50,
    RETRY_FIRST_MS = 100,
    RETRY_DOUBLINGS = 8,
    ORDER_WAIT_S = 5,
    GOODBYE_MS = 2000,
    SMALL_ARENA = 64 * 1024,
    SMALL_MESSAGE = 4096,
};

/* What a parent that could not warm up has left on its socket. */
static void read_last_words_locked(Engine *e)
{
    char buffer[SMALL_MESSAGE];
    Str text;
    Said said;
    struct pollfd f = {.fd = e->control, .events = POLLIN};
    CLEANUP(arena_close) Arena *a = arena_open(SMALL_ARENA);
    if (a == NULL || poll(&f, 1, 0) <= 0)
        return;
    /* An order that it has not read any more makes the first attempt fail; its words are there. */
    ErrCode rc = kit_receive(e->control, buffer, sizeof buffer, &text, NULL, NULL, NULL);
    if (rc == ERR_WORKER_LOST)
        rc = kit_receive(e->control, buffer, sizeof buffer, &text, NULL, NULL, NULL);
    if (rc == OK && talk_read(text, 0, NULL, a, &said, NULL) == OK && said.kind == SAID_ERROR)
        snprintf(e->problem, sizeof e->problem, "%.180s", said.error.text);
}

static void forget_locked(Engine *e)
{
    mutex_assert_held(&e->lock);
    EngineEnd end = {0};
    if (!e->answered) {
        snprintf(e->problem, sizeof e->problem, "ended before it was warm");
        read_last_words_locked(e);
        int doublings = e->failed_starts < RETRY_DOUBLINGS ? e->failed_starts : RETRY_DOUBLINGS;
        e->failed_starts++;
        e->retry_at_us = clock_mono_us() + ((int64_t)RETRY_FIRST_MS << doublings) * 1000;
    }
    fd_close(&e->control);
    int64_t pid = e->parent.pid;
    engine_end(&e->parent, &end);
    LOG(WARN, ENGINE_ENDED, KV("engine", e->name), KV("pid", pid),
        KV(end.signaled ? "signal" : "status", end.status), KV("problem", e->problem));
}

static ErrCode start_locked(EnginePool *p, Engine *e, Err *err)
{
    mutex_assert_held(&e->lock);
    if (clock_mono_us() < e->retry_at_us)
        return err_set(err, ERR_ENGINE_MISSING, "engine %s does not start: %s", e->name,
                       e->problem);
    int ends[2];
    if (fault_hit("engine.socket") ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(err, ERR_IO, "no socket for engine %s", e->name);
    CLEANUP(fd_close) int mine = ends[0];
    CLEANUP(fd_close) int theirs = ends[1];
    /* A parent that hangs must not hold the lock for ever. */
    struct timeval wait = {.tv_sec = ORDER_WAIT_S};
    setsockopt(mine, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    ErrCode rc = engine_spawn(p, e->path, "--warm", theirs, -1, &e->parent, err);
    if (rc != OK)
        return rc;
    e->control = fd_take(&mine);
    e->answered = false;
    if (e->generation++ > 0)
        atomic_fetch_add(&e->restarts, 1);
    LOG(INFO, ENGINE_STARTED, KV("engine", e->name), KV("pid", (int64_t)e->parent.pid));
    return OK;
}

/* Give the engine's end of a new channel to the warm parent. */
static ErrCode order(EnginePool *p, Engine *e, int theirs, int64_t *out_generation, Err *err)
{
    MUTEX_HELD(&e->lock);
    ErrCode rc = e->control >= 0 ? OK : start_locked(p, e, err);
    if (rc != OK)
        return rc;
    *out_generation = e->generation;
    return kit_send(e->control, STR("{\"task\":{}}"), &theirs, 1, err);
}

static ErrCode wait_for_word(int channel, const atomic_bool *canceled, int64_t until_us, Err *err)
{
    for (;;) {
        int64_t left_ms = (until_us - clock_mono_us()) / 1000;
        if (canceled != NULL && atomic_load(canceled))
            return err_set(err, ERR_CANCELED, "canceled before it began");
        if (left_ms <= 0)
            return err_set(err, ERR_ENGINE_MISSING, "the engine was not warm after %d s",
                           WARM_UP_MS / 1000);
        struct pollfd f = {.fd = channel, .events = POLLIN};
        int n =
            poll(&f, 1,
                 (int)(canceled != NULL && left_ms > CANCEL_EVERY_MS ? CANCEL_EVERY_MS : left_ms));
        if (n > 0)
            return OK;
        if (n < 0 && errno != EINTR)
            return err_set_errno(err, ERR_IO, errno, "could not wait for an engine");
    }
}

/* The first message: {"task":{"pid":n}} and a pidfd, from the warm parent, which has read nothing
 * yet. */
static ErrCode hear_of_child(int channel, int *out_pidfd, Err *err)
{
    char buffer[SMALL_MESSAGE];
    Str text;
    Said said;
    int fds[1];
    size_t fds_len = 1;
    CLEANUP(arena_close) Arena *a = arena_open(SMALL_ARENA);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to start a task");
    ErrCode rc = kit_receive(channel, buffer, sizeof buffer, &text, fds, &fds_len, err);
    if (rc != OK)
        return rc;
    CLEANUP(fd_close) int pidfd = fds_len == 1 ? fds[0] : -1;
    rc = talk_read(text, fds_len, NULL, a, &said, err);
    if (rc == OK && said.kind == SAID_ERROR) {
        *err = said.error;
        return err->code;
    }
    if (rc == OK && said.kind != SAID_TASK)
        return err_set(err, ERR_ENGINE_PROTOCOL, "the engine did not answer with a task");
    if (rc == OK)
        *out_pidfd = fd_take(&pidfd);
    return rc;
}

static void has_answered(Engine *e, int64_t generation)
{
    MUTEX_HELD(&e->lock);
    if (e->generation != generation || e->answered)
        return;
    e->answered = true;
    e->failed_starts = 0;
    e->retry_at_us = 0;
    e->problem[0] = 0;
}

static void forget(Engine *e, int64_t generation)
{
    MUTEX_HELD(&e->lock);
    if (e->generation == generation && e->control >= 0)
        forget_locked(e);
}

static ErrCode fork_once(EnginePool *p, Engine *e, const atomic_bool *canceled, int *out_channel,
                         int *out_pidfd, int64_t *out_generation, Err *err)
{
    int ends[2];
    if (fault_hit("engine.socket") ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(err, ERR_IO, "no socket for a task");
    CLEANUP(fd_close) int mine = ends[0];
    CLEANUP(fd_close) int theirs = ends[1];
    int64_t until_us = clock_mono_us() + (int64_t)WARM_UP_MS * 1000;
    ErrCode rc = order(p, e, theirs, out_generation, err);
    fd_close(&theirs);
    if (rc == OK)
        rc = wait_for_word(mine, canceled, until_us, err);
    if (rc == OK)
        rc = hear_of_child(mine, out_pidfd, err);
    if (rc != OK)
        return rc;
    has_answered(e, *out_generation);
    *out_channel = fd_take(&mine);
    return OK;
}

ErrCode engine_fork(EnginePool *p, Engine *e, const atomic_bool *canceled, int *out_channel,
                    int *out_pidfd, int64_t *out_generation, Err *err)
{
    ErrCode rc = OK;
    for (int i = 0; i < FORK_TRIES; i++) {
        *out_generation = 0;
        rc = fork_once(p, e, canceled, out_channel, out_pidfd, out_generation, err);
        bool lost = rc == ERR_WORKER_LOST || rc == ERR_ENGINE_PROTOCOL;
        bool stuck = rc == ERR_ENGINE_MISSING || rc == ERR_IO;
        if (*out_generation != 0 && (lost || stuck))
            forget(e, *out_generation);
        /* Nothing has begun, so trying again is safe: the parent has died while it was idle, or
         * does not come up. */
        if (!lost)
            break;
    }
    if (rc == ERR_WORKER_LOST)
        return err_set(err, ERR_ENGINE_MISSING, "engine %s does not start", e->name);
    return rc;
}

bool engine_is_lost(Engine *e, int64_t generation)
{
    MUTEX_HELD(&e->lock);
    if (e->generation != generation || e->control < 0)
        return true;
    /* The channel ends a moment before the process does. */
    if (!engine_ended(e->parent.pidfd, clock_mono_us() + 500 * 1000))
        return false;
    forget_locked(e);
    return true;
}

void engine_stop(Engine *e)
{
    MUTEX_HELD(&e->lock);
    fd_close(&e->control); /* a parent whose host is gone ends by itself */
    if (e->parent.pid != 0)
        (void)engine_ended(e->parent.pidfd, clock_mono_us() + (int64_t)GOODBYE_MS * 1000);
    engine_end(&e->parent, NULL);
}
