/* memory.h: what the writer's thread keeps in memory of each queue, so that a move of a task asks
 * no table whether it is paused, limited or shared. Stays inside this folder.
 *
 *   projects with ready tasks   fed by every move that makes one ready; read from the index at first
 *   settings                    read at first, changed with their rows
 *   due_ms                      no delayed task of the queue is due before it
 *
 * All of it is read again after a rollback (db_rollbacks), which may have taken back what it tells.
 * It errs on the safe side only: a project that has nothing, a time at which nothing is due. */
#ifndef PLATEN_QUEUE_MEMORY_H
#define PLATEN_QUEUE_MEMORY_H

#include "queue/fair.h"
#include "queue/queue.h"

typedef struct QueueRow {
    int64_t project; /* 0: all */
    QueueSettings s;
    int64_t tat_us;  /* its rate is used up until then */
    int64_t running; /* only while leasing */
} QueueRow;

typedef struct QueueMem {
    char name[QUEUE_NAME_MAX + 1];
    size_t name_len;
    Fair fair;
    QueueRow *rows;
    size_t rows_len;
    int64_t due_ms;  /* INT64_MAX: nothing is delayed */
    int64_t rate_ms; /* the rate lets the next one start; 0: nothing was held back by it */
    bool limited;    /* some row has a concurrency */
} QueueMem;

/* The queue's memory, read when there is none. */
MUST_CHECK ErrCode queue_mem(DbConn *tx, Str queue, QueueMem **out, Err *err);
/* Something went wrong half way, or the tables were changed behind our back: read all again. */
void queue_mem_forget(DbConn *tx);
/* A task of the project is ready, or will be at due_ms (0: is). */
MUST_CHECK ErrCode queue_mem_ready(DbConn *tx, Str queue, int64_t project, int64_t due_ms,
                                   Err *err);
/* Some queue has a limit of what runs at once. */
bool queue_mem_limits(DbConn *tx);

/* The row of the project, NULL when it has none. project 0: of all. */
QueueRow *queue_row(const QueueMem *m, int64_t project);
/* The weight, the rate of keys that hold for the project. */
int64_t queue_weight(const QueueMem *m, int64_t project);
int64_t queue_key_gap_us(const QueueMem *m, int64_t project, int64_t *burst_us); /* 0: no rate */

QueueSettings queue_settings_of(const DbRows *rows, int first); /* nine columns from `first` */

/* slot.c: where a task with a key begins. */
typedef struct Entry {
    const char *state;
    int64_t run_at_ms; /* what its row says */
    int64_t ready_ms;  /* when it may run; INT64_MAX: not known */
    int64_t flags;     /* TASK_HOLDS_SLOT, or 0 */
} Entry;
MUST_CHECK ErrCode queue_enter(DbConn *tx, const TaskNew *n, int64_t now_ms, Entry *out, Err *err);
/* slot.c: a blocked task goes before its turn. */
MUST_CHECK ErrCode queue_leave_line(DbConn *tx, int64_t task, Err *err);

#endif
