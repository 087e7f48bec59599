/* schedule_in.h: what the schedule files share. */
#ifndef PLATEN_FLOW_SCHEDULE_IN_H
#define PLATEN_FLOW_SCHEDULE_IN_H

#include "flow/flow_in.h"
#include "flow/schedule.h"

/* Memory of one schedule's zone and texts. */
enum { SCHEDULE_SCRATCH = 1 << 20 };

/* When a schedule fires, read from its texts. */
typedef struct Timing {
    Cron cron;
    Zone zone;
    int64_t anchor_ms, start_ms, end_ms; /* anchor: @every counts from here */
} Timing;
MUST_CHECK ErrCode timing_read(const ScheduleSpec *s, int64_t created_ms, Arena *a, Timing *out,
                               Err *err);
/* The first time after after_ms; INT64_MAX: never. */
int64_t timing_next(const Timing *t, int64_t after_ms);
/* The first time of a schedule that is new, changed or resumed; 0: never. */
int64_t timing_begin(const Timing *t, int64_t last_ms, int64_t now_ms);

/* All rows of a query that selects a whole schedule. */
MUST_CHECK ErrCode schedule_rows(DbConn *c, const Query *q, const DbVal *args, size_t args_len,
                                 Arena *a, Schedule **out, size_t *len, Err *err);
/* Write the row; `s` has everything. */
MUST_CHECK ErrCode schedule_store_tx(DbConn *tx, const Schedule *s, int64_t now_ms, Err *err);

#endif
