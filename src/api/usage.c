/* usage: what the project used, as JSON or as CSV for a spreadsheet. */
#include "api/figures.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"
#include "trace/usage.h"

static const int64_t DEFAULT_MS = INT64_C(30) * USAGE_DAY_MS;
static const int64_t LONGEST_MS = INT64_C(3700) * USAGE_DAY_MS;

enum { FORMAT_AUTO, FORMAT_JSON, FORMAT_CSV };
static const Choice formats[] = {
    {"auto", "CSV when the Accept header asks for text/csv, JSON otherwise."},
    {"json", "One object."},
    {"csv", "A table with a header line, as spreadsheets read it."},
    {0},
};
static const Choice bys[] = {
    [USAGE_BY_UNIT] = {"unit", "One row per unit."},
    [USAGE_BY_DAY] = {"day", "One row per day and unit."},
    [USAGE_BY_STEP] = {"step", "One row per step and unit."},
    [USAGE_BY_PIPELINE] = {"pipeline", "One row per pipeline and unit."},
    [USAGE_BY_KEY] = {"key", "One row per API key and unit."},
    {0},
};
enum { SPLIT_NONE, SPLIT_STEP, SPLIT_PIPELINE, SPLIT_KEY };
static const Choice splits[] = {
    [SPLIT_NONE] = {"none", "Days as a whole."},
    [SPLIT_STEP] = {"step", "Each day by step."},
    [SPLIT_PIPELINE] = {"pipeline", "Each day by pipeline."},
    [SPLIT_KEY] = {"key", "Each day by API key."},
    {0},
};

typedef struct UsageQuery {
    int64_t since_ms, until_ms;
    int by, split, format;
    Str zone, step, pipeline, key, unit;
} UsageQuery;

const Param usage_query_params[] = {
    PARAM_INT(UsageQuery, since_ms, .min = 0, .unit = "ms",
              .help = "From the hour of this time on, milliseconds since 1970; 30 days before the "
                      "end otherwise."),
    PARAM_INT(UsageQuery, until_ms, .min = 0, .unit = "ms",
              .help = "Until the end of the hour before this time; now otherwise."),
    PARAM_CHOICE(UsageQuery, by, .choices = bys, .help = "What rows are told apart by."),
    PARAM_CHOICE(UsageQuery, split, .choices = splits,
                 .help = "With by=day: what days are made of."),
    PARAM_TEXT(UsageQuery, zone, .max_len = ZONE_NAME_MAX, .example = "Europe/Berlin",
               .help = "Time zone of the days; UTC otherwise."),
    PARAM_TEXT(UsageQuery, step, .max_len = 64, .example = "document.extract",
               .help = "Only of this step."),
    PARAM_TEXT(UsageQuery, pipeline, .max_len = 64, .example = "blog",
               .help = "Only of this pipeline."),
    PARAM_TEXT(UsageQuery, key, .max_len = 32, .help = "Only of the API key with this id."),
    PARAM_TEXT(UsageQuery, unit, .max_len = 32, .example = "pages", .help = "Only this unit."),
    PARAM_CHOICE(UsageQuery, format, .choices = formats, .help = "How to answer."),
    PARAM_END,
};

/* --- what is asked --- */

static ErrCode refuse(Call *c, const char *param, const char *why)
{
    err_set(&c->err, ERR_BAD_PARAM, "%s", why);
    err_param(&c->err, param);
    return ERR_BAD_PARAM;
}

static ErrCode ask_of(Call *c, const UsageQuery *q, Zone *zone, UsageAsk *out)
{
    static const int parts[] = {USAGE_BY_UNIT, USAGE_BY_STEP, USAGE_BY_PIPELINE, USAGE_BY_KEY};
    int64_t until_ms = q->until_ms > 0 ? q->until_ms : clock_now_ms(), key = 0;
    int64_t since_ms = q->since_ms > 0         ? q->since_ms
                       : until_ms > DEFAULT_MS ? until_ms - DEFAULT_MS
                                               : 0;
    if (since_ms > until_ms || until_ms - since_ms > LONGEST_MS)
        return refuse(c, "since_ms", "it must lie before until_ms, by ten years at most");
    if (q->split != SPLIT_NONE && q->by != USAGE_BY_DAY)
        return refuse(c, "split", "only days can be split: say by=day");
    if (q->key.len > 0 && !id_parse("key", q->key, &key))
        return refuse(c, "key", "it must be an id of the form key_…");
    *out = (UsageAsk){.project = c->who.project,
                      .since_ms = since_ms,
                      .until_ms = until_ms,
                      .by = q->by,
                      .split = parts[q->split],
                      .zone = zone,
                      .step = q->step,
                      .pipeline = q->pipeline,
                      .unit = q->unit,
                      .key = key};
    return zone_open(c->arena, q->zone, zone, &c->err);
}

static bool wants_csv(const HttpRequest *req, int format)
{
    Str accept = http_header(req, "accept");
    if (format != FORMAT_AUTO)
        return format == FORMAT_CSV;
    return str_find(accept, STR("text/csv")) != STR_NONE;
}

/* --- the answer --- */

/* What a row is told apart by besides day and unit. */
static int part_of(const UsageAsk *ask)
{
    return ask->by == USAGE_BY_DAY ? ask->split : ask->by;
}

static Str day_text(Arena *a, int64_t day)
{
    ZoneDate d = zone_date(day);
    return str_printf(a, "%04d-%02d-%02d", (int)d.year, d.month, d.day);
}

static Str key_name(Call *c, int64_t key)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    Str name = STR("");
    ErrCode rc = key == 0 ? ERR_NOT_FOUND
                          : db_query(c->reader, &sql_usage_key_name,
                                     DB_ARGS(DB_I(c->who.project), DB_I(key)), &rows, &c->err);
    while (rc == OK && db_next(&rows, &rc, &c->err))
        name = db_str_copy(&rows, 0, c->arena);
    return name.ptr != NULL ? name : STR("");
}

static Str key_text(Call *c, int64_t key)
{
    char text[ID_TEXT_SIZE];
    return key == 0 ? STR("") : str_copy(c->arena, str_from_c(id_text("key", key, text)));
}

static void put_row(Call *c, const UsageAsk *ask, const UsageRow *r)
{
    JsonOut *j = &c->json;
    int part = part_of(ask);
    json_begin(j, '{');
    if (ask->by == USAGE_BY_DAY)
        json_kv_str(j, "day", day_text(c->arena, r->day));
    if (part == USAGE_BY_STEP)
        json_kv_str(j, "step", r->part);
    if (part == USAGE_BY_PIPELINE)
        json_kv_str(j, "pipeline", r->part);
    if (part == USAGE_BY_KEY) {
        json_kv_str(j, "key", key_text(c, r->key));
        json_kv_str(j, "key_name", key_name(c, r->key));
    }
    json_kv_str(j, "unit", r->unit);
    json_kv_int(j, "amount", r->amount);
    json_kv_int(j, "count", r->count);
    json_end(j, '}');
}

static void answer_json(Call *c, const UsageAsk *ask, const UsageRow *rows, size_t len)
{
    JsonOut *j = &c->json;
    json_begin(j, '{');
    write_time(j, "since", ask->since_ms - ask->since_ms % USAGE_HOUR_MS);
    write_time(j, "until", ask->until_ms);
    json_kv_str(j, "zone", ask->zone->name.len > 0 ? ask->zone->name : STR("UTC"));
    json_kv_c(j, "by", bys[ask->by].name);
    json_kv_c(j, "cost_unit", USAGE_COST_UNIT);
    json_key(j, "rows");
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++)
        put_row(c, ask, &rows[i]);
    json_end(j, ']');
    json_end(j, '}');
    call_answer(c, 200);
}

/* A cell as RFC 4180 has it. A text that a spreadsheet would take for a formula gets a ' before
 * it. */
void csv_put_text(Buf *b, Str text)
{
    bool formula =
        text.len > 0 && (text.ptr[0] == '=' || text.ptr[0] == '+' || text.ptr[0] == '-' ||
                         text.ptr[0] == '@' || text.ptr[0] == '\t' || text.ptr[0] == '\r');
    bool quoted = formula;
    for (size_t i = 0; i < text.len; i++)
        quoted = quoted || text.ptr[i] == ',' || text.ptr[i] == '"' || text.ptr[i] == '\n' ||
                 text.ptr[i] == '\r';
    if (quoted)
        buf_add_char(b, '"');
    if (formula)
        buf_add_char(b, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buf_add_char(b, '"');
        buf_add_char(b, text.ptr[i]);
    }
    if (quoted)
        buf_add_char(b, '"');
}

static void csv_head(Buf *b, const UsageAsk *ask)
{
    int part = part_of(ask);
    if (ask->by == USAGE_BY_DAY)
        buf_add_c(b, "day,");
    if (part == USAGE_BY_KEY)
        buf_add_c(b, "key,key_name,");
    else if (part != USAGE_BY_UNIT)
        buf_addf(b, "%s,", bys[part].name);
    buf_add_c(b, "unit,amount,count\r\n");
}

static void csv_row(Call *c, const UsageAsk *ask, const UsageRow *r)
{
    Buf *b = &c->body;
    int part = part_of(ask);
    if (ask->by == USAGE_BY_DAY)
        buf_addf(b, STR_FMT ",", STR_ARG(day_text(c->arena, r->day)));
    if (part == USAGE_BY_KEY) {
        csv_put_text(b, key_text(c, r->key));
        buf_add_char(b, ',');
        csv_put_text(b, key_name(c, r->key));
        buf_add_char(b, ',');
    } else if (part != USAGE_BY_UNIT) {
        csv_put_text(b, r->part);
        buf_add_char(b, ',');
    }
    csv_put_text(b, r->unit);
    buf_addf(b, ",%" PRId64 ",%" PRId64 "\r\n", r->amount, r->count);
}

static void answer_csv(Call *c, const UsageAsk *ask, const UsageRow *rows, size_t len)
{
    csv_head(&c->body, ask);
    for (size_t i = 0; i < len; i++)
        csv_row(c, ask, &rows[i]);
    if (c->body.failed) {
        err_set(&c->err, ERR_NO_MEMORY, "the answer is larger than this server builds");
        call_fail(c);
        return;
    }
    Str name = str_printf(c->arena, "attachment; filename=\"usage-" STR_FMT ".csv\"",
                          STR_ARG(day_text(c->arena, ask->until_ms / USAGE_DAY_MS)));
    http_set_header(c->req, "Content-Disposition", name);
    http_answer_text(c->req, 200, "text/csv; charset=utf-8; header=present", buf_str(&c->body));
}

void usage_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    UsageQuery q = {0};
    UsageAsk ask = {0};
    Zone zone = {0};
    UsageRow *rows = NULL;
    size_t len = 0;
    ParamFaults faults = {0};
    ErrCode rc = call_query(&c, usage_query_params, &q, &faults);
    if (rc == OK)
        rc = ask_of(&c, &q, &zone, &ask);
    if (rc == OK)
        rc = usage_read(c.reader, &ask, c.arena, &rows, &len, &c.err);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else if (wants_csv(req, q.format))
        answer_csv(&c, &ask, rows, len);
    else
        answer_json(&c, &ask, rows, len);
}
