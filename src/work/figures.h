/* figures.h: what queues and steps did lately: starts, ends, failures, waiting and running times.
 *
 * Kept in memory, so it begins empty with the process: by the minute for an hour, by the half hour
 * for a day. Times are counted in half octaves (1, 1.5, 2, 3, 4, 6 … ms), so a percentile is right
 * within a fifth. A series takes 50 kB and is made when its first task runs; queues and steps
 * beyond FIGURES_MAX of each are not told apart, but they count in the whole.
 *
 * Waiting is the time from when a task might have started until its attempt began; running that of
 * an attempt. Cost: about 0.15 us an attempt, outside of the writer.
 *
 * Threads: any. */
#ifndef PLATEN_WORK_FIGURES_H
#define PLATEN_WORK_FIGURES_H

#include "base/err.h"

typedef struct Figures Figures;
enum { FIGURES_MAX = 64, FIGURES_POINTS_MAX = 60 };

typedef enum FigureKind { FIGURE_ALL, FIGURE_QUEUE, FIGURE_STEP } FigureKind;
typedef enum FigureSpan { FIGURE_HOUR, FIGURE_DAY } FigureSpan;

MUST_CHECK ErrCode figures_open(Figures **out, Err *err);
void figures_close(Figures **f);

/* An attempt began, having waited so long; an attempt ended. */
void figures_started(Figures *f, Str queue, Str step, int64_t wait_ms, int64_t now_ms);
void figures_ended(Figures *f, Str queue, Str step, int64_t run_ms, bool failed, int64_t now_ms);
/* So many tasks stand in the queue ("": in all) and might start: a sample, once a minute. */
void figures_depth(Figures *f, Str queue, int64_t depth, int64_t now_ms);

typedef struct FigurePoint { /* -1: not known */
    int64_t time_ms;         /* when the bucket begins */
    int64_t started, ended, failed, depth;
    int64_t wait_p50_ms, wait_p95_ms, run_p50_ms, run_p95_ms;
} FigurePoint;

/* How long a bucket of the span is. */
int64_t figures_bucket_ms(FigureSpan span);
/* The buckets of the last hour or day, oldest first, the current one last; how many. All of them
 * are there, empty where nothing happened; those before `f` was opened are left out. */
size_t figures_read(Figures *f, FigureKind kind, Str name, FigureSpan span, int64_t now_ms,
                    FigurePoint out[FIGURES_POINTS_MAX]);
/* The last `minutes` (at most 60) as one point; depth is the last sample. */
FigurePoint figures_sum(Figures *f, FigureKind kind, Str name, int minutes, int64_t now_ms);
/* Names of what was seen, copied into `out`; how many. */
typedef struct FigureName {
    char text[65];
} FigureName;
size_t figures_names(Figures *f, FigureKind kind, FigureName out[FIGURES_MAX]);

#endif
