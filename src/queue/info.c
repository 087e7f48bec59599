/* info.c: what stands in the queues. */
#include "queue/queue.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <stdlib.h>

enum { QUEUES_MAX = 1024 };

int64_t queue_hash(Str name)
{
    uint64_t h = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.ptr[i]) * 0x100000001b3;
    return h != 0 ? (int64_t)h : 1;
}

ErrCode queue_names(DbConn *reader, Arena *a, Str **out, size_t *len, Err *err)
{
    Str *names = arena_new(a, Str, QUEUES_MAX);
    if (names == NULL)
        return err_set(err, ERR_NO_MEMORY, "listing queues");

    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_queue_names, DB_NO_ARGS, &rows, err);
    while (rc == OK && n < QUEUES_MAX && db_next(&rows, &rc, err))
        if ((names[n++] = db_str_copy(&rows, 0, a)).ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "listing queues");
    *out = names;
    *len = n;
    return rc;
}

typedef struct Infos {
    QueueInfo *items;
    size_t len;
} Infos;

static QueueInfo *info_of(Infos *all, Str name, Arena *a)
{
    for (size_t i = 0; i < all->len; i++)
        if (str_eq(all->items[i].name, name))
            return &all->items[i];
    Str copy = str_copy(a, name);
    if (all->len == QUEUES_MAX || copy.ptr == NULL)
        return NULL;
    all->items[all->len] = (QueueInfo){.name = copy};
    return &all->items[all->len++];
}

/* Where one query's count goes; `first` is the column of the lowest id, or -1. */
typedef struct Part {
    const Query *query;
    size_t count_at;
    int first;
} Part;

static ErrCode read_part(DbConn *reader, const Part *part, int64_t now_ms, Arena *a, Infos *all,
                         Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, part->query, DB_NO_ARGS, &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        QueueInfo *info = info_of(all, db_str(&rows, 0), a);
        if (info == NULL)
            return err_set(err, ERR_NO_MEMORY, "listing queues");
        *(int64_t *)((char *)info + part->count_at) = db_int(&rows, 1);
        if (part->first < 0)
            continue;
        int64_t age = now_ms - id_time_ms(db_int(&rows, part->first));
        info->oldest_ms = age > 0 ? age : 0;
    }
    return rc;
}

static int by_name(const void *x, const void *y)
{
    return str_cmp(((const QueueInfo *)x)->name, ((const QueueInfo *)y)->name);
}

ErrCode queue_list(DbConn *reader, Arena *a, QueueInfo **out, size_t *len, Err *err)
{
    static const Part parts[] = {{&sql_queue_ready, offsetof(QueueInfo, ready), 2},
                                 {&sql_queue_delayed, offsetof(QueueInfo, delayed), -1},
                                 {&sql_queue_leased, offsetof(QueueInfo, leased), -1},
                                 {&sql_queue_blocked, offsetof(QueueInfo, blocked), -1},
                                 {&sql_queue_dead, offsetof(QueueInfo, dead), -1}};
    Infos all = {.items = arena_new(a, QueueInfo, QUEUES_MAX)};
    if (all.items == NULL)
        return err_set(err, ERR_NO_MEMORY, "listing queues");

    int64_t now_ms = clock_now_ms();
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        ErrCode rc = read_part(reader, &parts[i], now_ms, a, &all, err);
        if (rc != OK)
            return rc;
    }
    qsort(all.items, all.len, sizeof *all.items, by_name);
    *out = all.items;
    *len = all.len;
    return OK;
}
