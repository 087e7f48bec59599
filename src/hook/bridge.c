#include "hook/bridge_in.h"
#include "base/clock.h"
#include "base/id.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ROUND_MEMORY = 64 << 20,
    ANSWER_MAX = 32 << 20,
    VISIBLE_MS = 60000,
    IDLE_FIRST_MS = 100,
    IDLE_MAX_MS = 10000,
    FAULT_FIRST_MS = 1000,
    FAULT_MAX_MS = 60000,
};

/* --- one request --- */

ErrCode bridge_call(const Bridge *b, Outbound *o, Str token, const atomic_bool *stop, Str remote,
                    const char *tail, Str body, Arena *a, const Json **result, Err *err)
{
    Str base = b->base_url.len > 0 ? b->base_url : STR(BRIDGE_URL);
    Str url = str_printf(a, STR_FMT "/accounts/" STR_FMT "/queues/" STR_FMT "%s", STR_ARG(base),
                         STR_ARG(b->account), STR_ARG(remote), tail);
    const Str headers[] = {
        str_printf(a, "authorization: Bearer " STR_FMT, STR_ARG(token)),
        STR("content-type: application/json"),
    };
    OutboundAnswer answer;
    if (url.ptr == NULL || headers[0].ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "calling the other queue");
    const OutboundRequest r = {.method = body.len > 0 ? "POST" : "GET",
                               .url = url,
                               .headers = headers,
                               .headers_len = COUNT_OF(headers),
                               .body = body.len > 0 ? body : (Str){0},
                               .body_max = ANSWER_MAX,
                               .stop = stop};
    ErrCode rc = outbound_send(o, a, &r, &answer, err);
    return rc != OK ? rc : wire_result(answer.status, answer.body, a, result, err);
}

/* --- a round --- */

static ErrCode acknowledge(BridgeLine *l, Str remote, const WireMessage *m, const bool *keep,
                           const int *delay_s, size_t len, Err *err)
{
    const Json *result = NULL;
    Buf b = buf_init(l->arena, MIB);
    JsonOut j = json_out(&b);
    wire_put_ack(&j, m, keep, delay_s, len);
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "acknowledging messages");
    return bridge_call(&l->bridge, l->outbound, l->token, &l->all->stop, remote, "/messages/ack",
                       buf_str(&b), l->arena, &result, err);
}

/* Pull, take, acknowledge. An acknowledgement that gets lost is no harm: what comes again is known. */
static ErrCode pull(BridgeLine *l, Str remote, bool dead, int64_t *count, Err *err)
{
    const Json *result = NULL;
    WireMessage *m = NULL;
    size_t len = 0;
    int64_t made = 0, died = 0;
    Buf b = buf_init(l->arena, KIB);
    JsonOut j = json_out(&b);
    wire_put_pull(&j, BRIDGE_BATCH, VISIBLE_MS);
    ErrCode rc = bridge_call(&l->bridge, l->outbound, l->token, &l->all->stop, remote,
                             "/messages/pull", buf_str(&b), l->arena, &result, err);
    if (rc == OK)
        rc = wire_messages(result, l->arena, &m, &len, err);
    if (rc != OK || len == 0)
        return rc;
    bool *keep = arena_new(l->arena, bool, len);
    int *delay_s = arena_new(l->arena, int, len);
    if (keep == NULL || delay_s == NULL)
        return err_set(err, ERR_NO_MEMORY, "taking messages");
    rc = bridge_take(&l->all->o, &l->bridge, m, len, dead, l->arena, keep, delay_s, &made, &died,
                     err);
    Err ack_err = {0};
    ErrCode rc_ack = acknowledge(l, remote, m, keep, delay_s, len, &ack_err);
    if (rc == OK && rc_ack != OK)
        *err = ack_err;
    *count += (int64_t)len;
    MUTEX_HELD(&l->all->lock);
    l->status.messages += made;
    l->status.dead_letters += died;
    return rc != OK ? rc : rc_ack;
}

static ErrCode do_round(BridgeLine *l, int64_t *count, Err *err)
{
    *count = 0;
    l->due_ms = INT64_MAX;
    ErrCode rc = bridge_token(&l->bridge, l->arena, &l->token, err);
    if (rc != OK)
        return rc;
    if (l->bridge.out) {
        int64_t sent = 0;
        Str token = str_copy(l->own, l->token); /* the arena starts anew with the lease */
        l->token = token;
        rc = token.ptr != NULL ? bridge_send(l, &sent, err)
                               : err_set(err, ERR_NO_MEMORY, "sending tasks");
        *count = sent;
        MUTEX_HELD(&l->all->lock);
        l->status.messages += rc == OK ? sent : 0;
        return rc;
    }
    rc = pull(l, l->bridge.remote, false, count, err);
    if (rc == OK && l->bridge.dead_remote.len > 0)
        rc = pull(l, l->bridge.dead_remote, true, count, err);
    return rc;
}

/* --- the thread --- */

/* False: leave. A poke ends the wait of a bridge that sends, unless something is wrong. */
static bool wait_ms(BridgeLine *l, int64_t ms, bool wakes)
{
    Bridges *all = l->all;
    MUTEX_HELD(&all->lock);
    int64_t until_us = ms == INT64_MAX ? INT64_MAX : clock_mono_us() + ms * 1000;
    while (!l->leave && !atomic_load(&all->stop) && !(wakes && l->poked) &&
           (ms == INT64_MAX || clock_mono_us() < until_us)) {
        if (ms == INT64_MAX)
            cond_wait(&l->wake, &all->lock);
        else
            (void)cond_wait_until(&l->wake, &all->lock, until_us);
    }
    l->poked = false;
    return !l->leave && !atomic_load(&all->stop);
}

static void note_status(BridgeLine *l, ErrCode rc, const Err *err)
{
    MUTEX_HELD(&l->all->lock);
    l->status.code = rc;
    l->status.err = rc != OK ? *err : (Err){0};
    l->status.at_ms = clock_now_ms();
}

static int64_t pause_after(BridgeLine *l, ErrCode rc, int64_t count, int64_t *fault_ms,
                           int64_t *idle_ms)
{
    int64_t ms = 0;
    if (rc != OK) {
        ms = rc == ERR_BRIDGE_MISSING || rc == ERR_ADDRESS_REFUSED ? FAULT_MAX_MS : *fault_ms;
        *fault_ms = *fault_ms * 2 < FAULT_MAX_MS ? *fault_ms * 2 : FAULT_MAX_MS;
        return ms;
    }
    *fault_ms = FAULT_FIRST_MS;
    if (count > 0) {
        *idle_ms = IDLE_FIRST_MS;
        return 0;
    }
    if (l->bridge.out) { /* told when there is something; the clock may be set meanwhile */
        ms = l->due_ms == INT64_MAX ? INT64_MAX : l->due_ms - clock_now_ms();
        return ms == INT64_MAX ? ms : ms < 1 ? 1 : ms < 1000 ? ms : 1000;
    }
    ms = *idle_ms; /* their API has no long poll */
    *idle_ms = *idle_ms * 3 / 2 < IDLE_MAX_MS ? *idle_ms * 3 / 2 : IDLE_MAX_MS;
    return ms;
}

static void *line_main(void *arg)
{
    BridgeLine *l = arg;
    Err err = {0};
    int64_t fault_ms = FAULT_FIRST_MS, idle_ms = IDLE_FIRST_MS, count = 0, ms = 0;
    ErrCode rc = OK;
    ArenaMark mark = arena_mark(l->own);
    do {
        arena_reset(l->arena);
        arena_rewind(l->own, mark);
        rc = do_round(l, &count, &err);
        note_status(l, rc, &err);
        ms = pause_after(l, rc, count, &fault_ms, &idle_ms);
    } while (wait_ms(l, ms, rc == OK));
    return NULL;
}

static ErrCode copy_bridge(const Bridge *b, Arena *a, Bridge *out, Err *err)
{
    *out = *b;
    out->name = str_copy(a, b->name);
    out->account = str_copy(a, b->account);
    out->remote = str_copy(a, b->remote);
    out->dead_remote = str_copy(a, b->dead_remote);
    out->token_env = str_copy(a, b->token_env);
    out->queue = str_copy(a, b->queue);
    out->step = str_copy(a, b->step);
    out->base_url = str_copy(a, b->base_url);
    return out->base_url.ptr != NULL ? OK : err_set(err, ERR_NO_MEMORY, "starting a bridge");
}

static void line_free(BridgeLine *l)
{
    Arena *own = l->own;
    cond_done(&l->wake);
    outbound_close(&l->outbound);
    arena_close(&l->arena);
    arena_close(&own);
}

static ErrCode line_start(Bridges *all, const Bridge *b, Err *err)
{
    char name[16];
    Arena *own = arena_open(256 * KIB);
    BridgeLine *l = own != NULL ? arena_new(own, BridgeLine, 1) : NULL;
    if (l == NULL) {
        arena_close(&own);
        return err_set(err, ERR_NO_MEMORY, "starting a bridge");
    }
    l->all = all;
    l->own = own;
    l->hash = queue_hash(b->queue);
    cond_init(&l->wake);
    const OutboundOptions o = {.allow_private = all->o.allow_private};
    ErrCode rc = copy_bridge(b, own, &l->bridge, err);
    if (rc == OK && (l->arena = arena_open(ROUND_MEMORY)) == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "starting a bridge");
    if (rc == OK)
        rc = outbound_open(&o, &l->outbound, err);
    snprintf(name, sizeof name, "bridge-%.8s", str_to_c(own, b->name));
    MUTEX_HELD(&all->lock);
    if (rc == OK)
        rc = thread_start(&l->thread, name, line_main, l, err);
    if (rc != OK) {
        line_free(l);
        return rc;
    }
    l->next = all->first;
    all->first = l;
    return OK;
}

/* --- all of them --- */

static void on_offer(void *ctx, int64_t queue, int64_t run_at_ms)
{
    Bridges *all = ctx;
    (void)run_at_ms; /* a look tells when the next one is due */
    MUTEX_HELD(&all->lock);
    for (BridgeLine *l = all->first; l != NULL; l = l->next)
        if (l->bridge.out && l->hash == queue) {
            l->poked = true;
            cond_signal(&l->wake);
        }
}

static ErrCode start_stored(Bridges *all, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    DbConn *reader = NULL;
    Bridge *list = NULL;
    size_t len = 0;
    ErrCode rc = a != NULL ? db_reader(all->o.db, &reader, err)
                           : err_set(err, ERR_NO_MEMORY, "starting the bridges");
    if (rc == OK)
        rc = bridge_list(reader, 0, a, &list, &len, err);
    for (size_t i = 0; rc == OK && i < len; i++)
        rc = line_start(all, &list[i], err);
    if (rc == OK && len > 0)
        bridge_forget_old(all->o.db);
    return rc;
}

ErrCode bridges_open(const BridgeOptions *o, Bridges **out, Err *err)
{
    Bridges *all = calloc(1, sizeof *all);
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting the bridges");
    all->o = *o;
    all->sub = (OfferSub){.fn = on_offer, .ctx = all};
    mutex_init(&all->lock);
    offers_listen(o->offers, &all->sub);
    ErrCode rc = start_stored(all, err);
    if (rc == OK)
        *out = all;
    else
        bridges_close(&all);
    return rc;
}

void bridges_close(Bridges **bridges)
{
    Bridges *all = *bridges;
    if (all == NULL)
        return;
    offers_leave(all->o.offers, &all->sub);
    atomic_store(&all->stop, true);
    mutex_lock(&all->lock);
    for (BridgeLine *l = all->first; l != NULL; l = l->next)
        cond_signal(&l->wake);
    mutex_unlock(&all->lock);
    while (all->first != NULL) {
        BridgeLine *l = all->first;
        all->first = l->next;
        pthread_join(l->thread, NULL);
        line_free(l);
    }
    mutex_done(&all->lock);
    free(all);
    *bridges = NULL;
}

static size_t count_lines(Bridges *all)
{
    MUTEX_HELD(&all->lock);
    size_t n = 0;
    for (const BridgeLine *l = all->first; l != NULL; l = l->next)
        n++;
    return n;
}

static ErrCode check_base(const Bridges *all, const Bridge *b, Err *err)
{
    CLEANUP(outbound_close) Outbound *o = NULL;
    const OutboundOptions options = {.allow_private = all->o.allow_private};
    if (b->base_url.len == 0)
        return OK;
    ErrCode rc = outbound_open(&options, &o, err);
    if (rc == OK && (rc = outbound_check_url(o, b->base_url, err)) != OK)
        err_param(err, "base_url");
    return rc;
}

ErrCode bridge_add(Bridges *all, Bridge *b, Err *err)
{
    ErrCode rc = bridge_form(&all->o, b, err);
    if (rc == OK)
        rc = check_base(all, b, err);
    if (rc == OK && count_lines(all) >= BRIDGES_MAX)
        rc = err_set(err, ERR_LIMIT_COUNT, "there are %d bridges, which are the most", BRIDGES_MAX);
    b->id = id_new();
    if (rc == OK)
        rc = db_write(all->o.db, bridge_add_write, b, err);
    return rc == OK ? line_start(all, b, err) : rc;
}

static void line_stop(Bridges *all, int64_t id)
{
    BridgeLine *found = NULL;
    mutex_lock(&all->lock);
    for (BridgeLine **at = &all->first; *at != NULL; at = &(*at)->next)
        if ((*at)->bridge.id == id) {
            found = *at;
            *at = found->next;
            found->leave = true;
            cond_signal(&found->wake);
            break;
        }
    mutex_unlock(&all->lock);
    if (found == NULL)
        return;
    pthread_join(found->thread, NULL);
    line_free(found);
}

ErrCode bridge_remove(Bridges *all, int64_t project, Str name, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    DbConn *reader = NULL;
    Bridge b;
    ErrCode rc = a != NULL ? db_reader(all->o.db, &reader, err)
                           : err_set(err, ERR_NO_MEMORY, "removing a bridge");
    if (rc == OK)
        rc = bridge_get(reader, project, name, a, &b, err);
    if (rc != OK)
        return rc;
    line_stop(all, b.id);
    return db_write(all->o.db, bridge_remove_write, &b, err);
}

BridgeStatus bridge_status(Bridges *all, int64_t id)
{
    MUTEX_HELD(&all->lock);
    for (const BridgeLine *l = all->first; l != NULL; l = l->next)
        if (l->bridge.id == id)
            return l->status;
    return (BridgeStatus){0};
}

/* --- the check --- */

static bool is_pulled(const Json *queue)
{
    json_each(consumer, json_get(queue, "consumers"))
        if (str_eq_c(json_text(json_get(consumer, "type")), "http_pull"))
            return true;
    return false;
}

ErrCode bridge_check(Bridges *all, const Bridge *b, Arena *a, Str *name, Err *err)
{
    CLEANUP(outbound_close) Outbound *o = NULL;
    const OutboundOptions options = {.allow_private = all->o.allow_private};
    const Json *queue = NULL;
    Str token;
    ErrCode rc = bridge_token(b, a, &token, err);
    if (rc == OK)
        rc = outbound_open(&options, &o, err);
    if (rc == OK)
        rc = bridge_call(b, o, token, &all->stop, b->remote, "", (Str){0}, a, &queue, err);
    if (rc != OK)
        return rc;
    *name = json_text(json_get(queue, "queue_name"));
    if (b->out || is_pulled(queue))
        return OK;
    err_set(err, ERR_BRIDGE_MISSING, "queue \"" STR_FMT "\" has no HTTP pull consumer",
            STR_ARG(str_slice(*name, 0, 64)));
    err_hint(err, "`wrangler queues consumer http add NAME` makes one; a queue has either it or a "
                  "Worker.");
    return ERR_BRIDGE_MISSING;
}
