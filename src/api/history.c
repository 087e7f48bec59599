/* What a queue did in the last hour or day, from the figures that the dispatcher keeps in
 * memory. */
#include "api/figures.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"

static const Choice spans[] = {
    [FIGURE_HOUR] = {"hour", "The last hour by the minute."},
    [FIGURE_DAY] = {"day", "The last day by the half hour."},
    {0},
};

typedef struct HistoryQuery {
    int span;
} HistoryQuery;

const Param history_query_params[] = {
    PARAM_CHOICE(HistoryQuery, span, .choices = spans, .help = "How far back, and how finely."),
    PARAM_END,
};

static void maybe_int(JsonOut *j, const char *key, int64_t v)
{
    json_key(j, key);
    if (v < 0)
        json_put_null(j);
    else
        json_put_int(j, v);
}

void figure_put(JsonOut *j, const FigurePoint *p)
{
    json_kv_int(j, "started", p->started);
    json_kv_int(j, "ended", p->ended);
    json_kv_int(j, "failed", p->failed);
    maybe_int(j, "depth", p->depth);
    maybe_int(j, "wait_p50_ms", p->wait_p50_ms);
    maybe_int(j, "wait_p95_ms", p->wait_p95_ms);
    maybe_int(j, "run_p50_ms", p->run_p50_ms);
    maybe_int(j, "run_p95_ms", p->run_p95_ms);
}

void figure_put_points(JsonOut *j, Figures *f, FigureKind kind, Str name, FigureSpan span)
{
    FigurePoint points[FIGURES_POINTS_MAX];
    size_t len = figures_read(f, kind, name, span, clock_now_ms(), points);
    json_key(j, "points");
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++) {
        json_begin(j, '{');
        write_time(j, "time", points[i].time_ms);
        figure_put(j, &points[i]);
        json_end(j, '}');
    }
    json_end(j, ']');
}

void queues_history(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    HistoryQuery q = {0};
    ParamFaults faults = {0};
    ErrCode rc = call_query(&c, history_query_params, &q, &faults);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_kv_str(&c.json, "queue", req->params[0]);
    json_kv_c(&c.json, "span", spans[q.span].name);
    json_kv_int(&c.json, "bucket_ms", figures_bucket_ms((FigureSpan)q.span));
    figure_put_points(&c.json, work_figures(c.app->work), FIGURE_QUEUE, req->params[0],
                      (FigureSpan)q.span);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}
