/* metrics.h: counters of this process, and Prometheus text (exposition format 0.0.4).
 *
 * What a module already counts (db_stats, http_stats, queue_list, engine_list) is read when
 * /metrics is asked; only what nobody else counts lives here: answers by class and their durations.
 * Counting is a relaxed atomic add; any thread. */
#ifndef PLATEN_TRACE_METRICS_H
#define PLATEN_TRACE_METRICS_H

#include "base/buf.h"

typedef enum Metric {
#define METRIC(name, text, type, help) METRIC_##name,
#include "trace/metrics.def"
#undef METRIC
    METRIC_COUNT
} Metric;

/* An HTTP answer: counted by class, its duration put into the histogram. */
void metrics_answer(int status, int64_t us);

/* Prometheus text. One gauge or counter of the table; the values of metrics_answer; a family with
 * labels:
 *   metrics_family(b, "platen_queue_tasks", "gauge", "Live tasks by queue and state.");
 *   metrics_sample(b, "platen_queue_tasks", "queue", name, "state", STR("ready"), 12); */
void metrics_put(Buf *b, Metric m, int64_t value);
void metrics_put_answers(Buf *b);
void metrics_family(Buf *b, const char *name, const char *type, const char *help);
void metrics_sample(Buf *b, const char *name, const char *label, Str value, const char *label2,
                    Str value2, int64_t v);

/* Resident bytes of this process, from /proc/self/statm; 0 when unknown. */
int64_t metrics_resident_bytes(void);

#endif
