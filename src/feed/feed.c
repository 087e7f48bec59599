#include "feed/feed.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { TRIM_BATCH = 2000, SCRATCH = 1 << 20 };
static const char TRIMMED[] = "feed_trimmed"; /* meta: the highest id that is gone */

/* First parts of the types that only platen writes. */
static const char *const own[] = {"job",     "task",   "step",    "document", "schedule", "queue",
                                  "webhook", "platen", "trigger", "pipeline", "wait",     "feed"};

static ErrCode tell(DbConn *tx, int64_t project, int64_t id, Err *err)
{
    const FeedHook *h = db_attached(tx);
    return h != NULL && h->fn != NULL ? db_after_commit(tx, h->fn, h->ctx, project, id, err) : OK;
}

ErrCode feed_add_as_tx(DbConn *tx, int64_t id, const FeedNew *n, Err *err)
{
    ErrCode rc = db_exec(tx, &sql_feed_add,
                         DB_ARGS(DB_I(n->project), DB_I(id), DB_S(n->type), db_int_or_null(n->job),
                                 db_text_or_null(n->subject), db_text_or_null(n->data)),
                         NULL, err);
    return rc == OK ? tell(tx, n->project, id, err) : rc;
}

ErrCode feed_poke_tx(DbConn *tx, int64_t project, Err *err)
{
    return tell(tx, project, 0, err);
}

ErrCode feed_add_tx(DbConn *tx, const FeedNew *n, Err *err)
{
    return feed_add_as_tx(tx, id_new(), n, err);
}

ErrCode feed_add_job_tx(DbConn *tx, const FeedNew *n, Err *err)
{
    int64_t id = id_new();
    ErrCode rc = db_exec(
        tx, &sql_feed_add_job,
        DB_ARGS(DB_I(n->project), DB_I(id), DB_S(n->type), DB_I(n->job), db_text_or_null(n->data)),
        NULL, err);
    return rc == OK ? tell(tx, n->project, id, err) : rc;
}

typedef struct Add {
    const FeedNew *row;
    int64_t id;
} Add;

static ErrCode add_write(DbConn *tx, void *arg, Err *err)
{
    Add *add = arg;
    add->id = id_new();
    return feed_add_as_tx(tx, add->id, add->row, err);
}

ErrCode feed_add(Db *db, const FeedNew *n, int64_t *id, Err *err)
{
    Add add = {.row = n};
    ErrCode rc = db_write(db, add_write, &add, err);
    if (rc == OK && id != NULL)
        *id = add.id;
    return rc;
}

/* --- types --- */

static bool pattern_matches(Str pattern, Str type)
{
    if (pattern.len > 0 && pattern.ptr[pattern.len - 1] == '*')
        return str_starts(type, str_slice(pattern, 0, pattern.len - 1));
    return str_eq(pattern, type);
}

bool feed_type_matches(Str types, Str type)
{
    Str rest = types, pattern;
    if (types.len == 0)
        return true;
    while (str_next(&rest, ',', &pattern))
        if (pattern_matches(str_trim(pattern), type))
            return true;
    return false;
}

static bool is_name(Str s)
{
    if (s.len == 0 || s.len > FEED_TYPE_MAX || s.ptr[0] == '.' || s.ptr[s.len - 1] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool twice = c == '.' && s.ptr[i - 1] == '.'; /* the first is no dot */
        if (!(islower((unsigned char)c) || isdigit((unsigned char)c) || c == '_' || c == '.') ||
            twice)
            return false;
    }
    return true;
}

static bool is_pattern(Str s)
{
    if (s.len == 0 || s.ptr[s.len - 1] != '*')
        return is_name(s);
    Str front = str_slice(s, 0, s.len - 1);
    if (front.len > 0 && front.ptr[front.len - 1] == '.')
        front.len--;
    return s.len == 1 || is_name(front);
}

ErrCode feed_check_types(Str types, Err *err)
{
    Str rest = types, pattern;
    while (types.len > 0 && str_next(&rest, ',', &pattern))
        if (!is_pattern(str_trim(pattern))) {
            err_set(err, ERR_BAD_PARAM,
                    "\"" STR_FMT "\" is no event type, nor one that ends in *, as in job.*",
                    STR_ARG(pattern));
            err_param(err, "types");
            return ERR_BAD_PARAM;
        }
    return OK;
}

ErrCode feed_check_type(Str type, Err *err)
{
    size_t dot = str_find_char(type, '.');
    ErrCode rc = OK;
    if (!is_name(type) || dot == STR_NONE)
        rc = err_set(err, ERR_BAD_PARAM,
                     "type must be dotted lower-case words as in user.created, at most %d bytes",
                     FEED_TYPE_MAX);
    Str first = str_slice(type, 0, dot);
    for (size_t i = 0; rc == OK && i < COUNT_OF(own); i++)
        if (str_eq_c(first, own[i]))
            rc = err_set(err, ERR_BAD_PARAM, "types that begin with \"%s.\" are platen's own",
                         own[i]);
    if (rc != OK)
        err_param(err, "type");
    return rc;
}

/* --- reading --- */

static void put_time(JsonOut *j, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_text(ms, text);
    json_kv_c(j, key, ms != 0 ? text : NULL);
}

/* What the job's own rows say; a job that is gone says only that it was done. */
static Str done_data(const DbRows *rows, Arena *a)
{
    Buf b = buf_init(a, KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_c(&j, "state", "done");
    if (!db_is_null(rows, 7)) {
        json_kv_int(&j, "attempts", db_int(rows, 7));
        put_time(&j, "started", db_int(rows, 8));
        put_time(&j, "finished", db_int(rows, 9));
    }
    json_end(&j, '}');
    return b.failed ? (Str){0} : buf_str(&b);
}

static Str data_of(const DbRows *rows, Str type, Arena *a)
{
    if (!db_is_null(rows, 5))
        return db_str_copy(rows, 5, a);
    return str_eq_c(type, "job.done") ? done_data(rows, a) : STR("{}");
}

static Str subject_of(const DbRows *rows, Arena *a)
{
    if (!db_is_null(rows, 4))
        return db_str_copy(rows, 4, a);
    return db_is_null(rows, 6) ? STR("") : db_str_copy(rows, 6, a);
}

static ErrCode read_row(const DbRows *rows, Arena *a, FeedRow *out, Err *err)
{
    *out = (FeedRow){.id = db_int(rows, 0),
                     .project = db_int(rows, 1),
                     .time_ms = id_time_ms(db_int(rows, 0)),
                     .type = db_str_copy(rows, 2, a),
                     .job = db_int(rows, 3),
                     .subject = subject_of(rows, a)};
    out->data = data_of(rows, out->type, a);
    if (out->type.ptr == NULL || out->subject.ptr == NULL || out->data.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading the feed");
    return OK;
}

static ErrCode read_trimmed(DbConn *c, int64_t project, int64_t *id, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(c, &sql_meta_get, DB_ARGS(DB_I(project), DB_S(str_from_c(TRIMMED))), &rows, err);
    *id = 0;
    while (rc == OK && db_next(&rows, &rc, err))
        if (!str_to_i64(db_str(&rows, 0), id))
            *id = 0;
    return rc;
}

static ErrCode query_rows(DbConn *reader, int64_t project, int64_t after, DbRows *rows, Err *err)
{
    if (project == 0)
        return db_query(reader, &sql_feed_read_all, DB_ARGS(DB_I(after), DB_I(FEED_READ_MAX)), rows,
                        err);
    return db_query(reader, &sql_feed_read,
                    DB_ARGS(DB_I(project), DB_I(after), DB_I(FEED_READ_MAX)), rows, err);
}

ErrCode feed_read(DbConn *reader, int64_t project, int64_t after, Str types, int limit, Arena *a,
                  FeedRow **out, size_t *len, int64_t *next, bool *gap, Err *err)
{
    int64_t trimmed = 0;
    size_t n = 0, most = limit > 0 && limit < FEED_READ_MAX ? (size_t)limit : FEED_READ_MAX;
    FeedRow *items = arena_new(a, FeedRow, most);
    if (items == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading the feed");
    ErrCode rc = after > 0 ? read_trimmed(reader, project, &trimmed, err) : OK;
    CLEANUP(db_rows_done) DbRows rows = {0};
    int64_t last = after;
    if (rc == OK)
        rc = query_rows(reader, project, after, &rows, err);
    while (rc == OK && n < most && db_next(&rows, &rc, err)) {
        last = db_int(&rows, 0);
        if (feed_type_matches(types, db_str(&rows, 2)))
            rc = read_row(&rows, a, &items[n++], err);
    }
    if (rc == OK) {
        *out = items;
        *len = n;
        *next = last;
        *gap = after < trimmed;
    }
    return rc;
}

ErrCode feed_get(DbConn *reader, int64_t project, int64_t id, Arena *a, FeedRow *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_feed_get, DB_ARGS(DB_I(project), DB_I(id)), &rows, err);
    if (rc == OK && db_next(&rows, &rc, err))
        return read_row(&rows, a, out, err);
    return rc != OK ? rc : err_set(err, ERR_NOT_FOUND, "there is no such event, or not any more");
}

ErrCode feed_last(DbConn *reader, int64_t project, int64_t *id, Err *err)
{
    if (project == 0)
        return db_get_int(reader, &sql_feed_last_all, DB_NO_ARGS, 0, id, err);
    return db_get_int(reader, &sql_feed_last, DB_ARGS(DB_I(project)), 0, id, err);
}

void feed_put(JsonOut *j, const FeedRow *r)
{
    char id[ID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
    clock_text(r->time_ms, time);
    json_begin(j, '{');
    json_kv_c(j, "id", id_text("evt", r->id, id));
    json_kv_str(j, "type", r->type);
    json_kv_c(j, "time", time);
    json_kv_c(j, "job", r->job != 0 ? id_text("job", r->job, id) : NULL);
    json_key(j, "subject");
    if (r->subject.len > 0)
        json_put_str(j, r->subject);
    else
        json_put_null(j);
    json_kv_raw(j, "data", r->data);
    json_end(j, '}');
}

/* --- keeping --- */

ErrCode feed_start(Db *db, Err *err)
{
    DbConn *reader = NULL;
    int64_t last = 0;
    ErrCode rc = db_reader(db, &reader, err);
    if (rc == OK)
        rc = feed_last(reader, 0, &last, err);
    if (rc == OK)
        id_follow(last);
    return rc;
}

typedef struct Trim {
    int64_t project, below, removed;
} Trim;

static ErrCode set_trimmed(DbConn *tx, int64_t project, int64_t id, Err *err)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, id);
    return db_exec(tx, &sql_meta_set,
                   DB_ARGS(DB_I(project), DB_S(str_from_c(TRIMMED)), DB_S(str_from_c(text))), NULL,
                   err);
}

static ErrCode trim_write(DbConn *tx, void *arg, Err *err)
{
    Trim *t = arg;
    int64_t before = 0;
    ErrCode rc =
        db_exec(tx, &sql_feed_trim, DB_ARGS(DB_I(t->project), DB_I(t->below), DB_I(TRIM_BATCH)),
                &t->removed, err);
    /* Said at once for all that this pass removes: a cursor may read between two batches. */
    if (rc == OK && t->removed > 0)
        rc = set_trimmed(tx, t->project, t->below - 1, err);
    if (rc == OK)
        rc = read_trimmed(tx, 0, &before, err);
    if (rc == OK && t->removed > 0 && before < t->below - 1)
        rc = set_trimmed(tx, 0, t->below - 1, err);
    return rc;
}

/* Rows below *id are to go; 0: none. */
static ErrCode find_border(DbConn *reader, int64_t project, int64_t *id, Err *err)
{
    int64_t oldest = 0, from = 0, old = id_first(clock_now_ms() - FEED_KEPT_MS);
    ErrCode rc = db_get_int(reader, &sql_feed_oldest, DB_ARGS(DB_I(project)), 0, &oldest, err);
    if (rc == OK && oldest != 0)
        rc = db_get_int(reader, &sql_feed_kept_from,
                        DB_ARGS(DB_I(project), DB_I(FEED_KEPT_MAX - 1)), 0, &from, err);
    from = from > old ? from : old;
    *id = oldest != 0 && oldest < from ? from : 0;
    return rc;
}

static ErrCode trim_project(Db *db, DbConn *reader, int64_t project, int64_t *count, Err *err)
{
    Trim t = {.project = project};
    ErrCode rc = find_border(reader, project, &t.below, err);
    if (rc != OK || t.below == 0)
        return rc;
    do { /* in batches, so that nobody else's write waits for all of them */
        rc = db_write(db, trim_write, &t, err);
        *count += rc == OK ? t.removed : 0;
    } while (rc == OK && t.removed == TRIM_BATCH);
    return rc;
}

static ErrCode list_projects(DbConn *reader, Arena *a, int64_t **out, size_t *len, Err *err)
{
    size_t n = 0, cap = 0;
    int64_t *ids = NULL;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_project_list, DB_NO_ARGS, &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (n == cap) {
            size_t more = cap > 0 ? 2 * cap : 64;
            ids = arena_grow(a, ids, cap * sizeof *ids, more * sizeof *ids);
            if (ids == NULL)
                return err_set(err, ERR_NO_MEMORY, "listing projects");
            cap = more;
        }
        ids[n++] = db_int(&rows, 0);
    }
    *out = ids;
    *len = n;
    return rc;
}

ErrCode feed_trim(Db *db, int64_t *count, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(SCRATCH);
    DbConn *reader = NULL;
    int64_t *projects = NULL;
    size_t len = 0;
    *count = 0;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "trimming the feed");
    ErrCode rc = db_reader(db, &reader, err);
    if (rc == OK)
        rc = list_projects(reader, a, &projects, &len, err);
    for (size_t i = 0; rc == OK && i < len; i++)
        rc = trim_project(db, reader, projects[i], count, err);
    return rc;
}
