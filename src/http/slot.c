#include "base/fault.h"
#include "http/http_in.h"

#include <stdlib.h>

enum { NO_SLOT = UINT32_MAX };

static bool add_chunk(HttpLoop *l)
{
    uint32_t chunk = l->slots_len / HTTP_SLOTS_PER_CHUNK;
    if (chunk == HTTP_SLOT_CHUNKS || fault_hit("http.slots"))
        return false;
    HttpSlot *slots = calloc(HTTP_SLOTS_PER_CHUNK, sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < HTTP_SLOTS_PER_CHUNK; i++)
        slots[i].next_free = i + 1 < HTTP_SLOTS_PER_CHUNK ? l->slots_len + i + 1 : NO_SLOT;
    l->free_slot = l->slots_len;
    l->slots_len += HTTP_SLOTS_PER_CHUNK;
    atomic_store_explicit(&l->chunks[chunk], slots, memory_order_release);
    return true;
}

HttpSlot *http_slot(HttpLoop *l, uint32_t slot)
{
    uint32_t chunk = slot / HTTP_SLOTS_PER_CHUNK;
    HttpSlot *slots = chunk < HTTP_SLOT_CHUNKS
                          ? atomic_load_explicit(&l->chunks[chunk], memory_order_acquire)
                          : NULL;
    return slots != NULL ? &slots[slot % HTTP_SLOTS_PER_CHUNK] : NULL;
}

bool http_slot_take(HttpLoop *l, HttpConn *c)
{
    if ((l->slots_len == 0 || l->free_slot == NO_SLOT) && !add_chunk(l))
        return false;
    c->slot = l->free_slot;
    HttpSlot *s = http_slot(l, c->slot);
    l->free_slot = s->next_free;
    s->conn = c;
    l->conns++;
    return true;
}

void http_slot_retire(HttpLoop *l, HttpConn *c)
{
    atomic_store(&http_slot(l, c->slot)->generation, 0);
}

void http_slot_free(HttpLoop *l, HttpConn *c)
{
    HttpSlot *s = http_slot(l, c->slot);
    atomic_store(&s->generation, 0);
    s->conn = NULL;
    s->next_free = l->free_slot;
    l->free_slot = c->slot;
    l->conns--;
}

HttpConn *http_slot_conn(HttpLoop *l, HttpTicket t)
{
    HttpSlot *s = http_slot(l, t.slot);
    return s != NULL && t.generation != 0 && atomic_load(&s->generation) == t.generation ? s->conn
                                                                                         : NULL;
}

HttpLoop *http_visit(HttpServer *s, HttpTicket t)
{
    if (t.generation == 0 || t.loop >= (uint32_t)s->loops_len)
        return NULL;
    atomic_fetch_add(&s->loops[t.loop]->visitors, 1);
    return s->loops[t.loop];
}

void http_loop_leave(HttpLoop **l)
{
    if (*l != NULL)
        atomic_fetch_sub(&(*l)->visitors, 1);
    *l = NULL;
}

HttpSlot *http_live_slot(HttpLoop *l, HttpTicket t)
{
    HttpSlot *s = http_slot(l, t.slot);
    return s != NULL && atomic_load(&s->generation) == t.generation ? s : NULL;
}
