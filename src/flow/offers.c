#include "flow/offers.h"
#include "base/fault.h"
#include "base/thread.h"

#include <stdlib.h>

struct Offers {
    Mutex lock; /* guards first; held while listeners are called */
    OfferSub *first;
};

Offers *offers_open(void)
{
    Offers *o = fault_hit("offers.open") ? NULL : calloc(1, sizeof *o);
    if (o != NULL)
        mutex_init(&o->lock);
    return o;
}

void offers_close(Offers **o)
{
    if (*o == NULL)
        return;
    mutex_done(&(*o)->lock);
    free(*o);
    *o = NULL;
}

void offers_listen(Offers *o, OfferSub *sub)
{
    MUTEX_HELD(&o->lock);
    sub->next = o->first;
    sub->link = &o->first;
    if (sub->next != NULL)
        sub->next->link = &sub->next;
    o->first = sub;
}

void offers_leave(Offers *o, OfferSub *sub)
{
    MUTEX_HELD(&o->lock);
    if (sub->link == NULL)
        return;
    *sub->link = sub->next;
    if (sub->next != NULL)
        sub->next->link = sub->link;
    sub->next = NULL;
    sub->link = NULL;
}

void offers_tell(Offers *o, int64_t queue, int64_t run_at_ms)
{
    MUTEX_HELD(&o->lock);
    for (OfferSub *s = o->first; s != NULL; s = s->next)
        s->fn(s->ctx, queue, run_at_ms);
}
