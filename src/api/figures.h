/* figures.h: the API of figures: usage, overview, what queues did lately, the system. Query tables
 * are beside their handlers; what they answer is in figures_schemas.c. */
#ifndef PLATEN_API_FIGURES_H
#define PLATEN_API_FIGURES_H

#include "api/call.h"
#include "core/schema.h"
#include "flow/pipeline.h"

extern const Param usage_query_params[], history_query_params[], overview_query_params[];
/* A cell of a CSV file (RFC 4180), harmless to a spreadsheet. */
void csv_put_text(Buf *b, Str text);

/* The numbers of a point, into the object that is open; all points of a series as "points". */
enum { FIGURES_LATELY_MINUTES = 15 };
void figure_put(JsonOut *j, const FigurePoint *p);
void figure_put_points(JsonOut *j, Figures *f, FigureKind kind, Str name, FigureSpan span);
/* "queues": all of them (queues.c). */
MUST_CHECK ErrCode queues_put(Call *c);
/* One approval (nodes.c). */
void approval_put(JsonOut *j, const ApprovalView *a);
/* "checks": those of /health (health.c). */
void health_put_checks(Call *c);
/* Free bytes below which the disk is said to be low. */
#define HEALTH_DISK_LOW (INT64_C(256) << 20)

/* figures_schemas.c */
extern const Field usage_report_fields[], lately_fields[], queue_history_fields[],
    overview_fields[], system_fields[];
/* schemas.c */
extern const Field job_summary_fields[], queue_fields[], approval_fields[], check_fields[];

#endif
