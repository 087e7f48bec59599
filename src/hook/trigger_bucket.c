/* Objects that arrive in buckets (S3 and what speaks like it): listed every so often, each fetched
 * and taken once. Requests are signed (AWS Signature Version 4) by libcurl. Keys come percent-encoded
 * (encoding-type=url), so the list needs no XML entities; what is not as expected is refused. */
#include "hook/trigger_in.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "db/queries.h"
#include "net/outbound.h"
#include "secret/secret.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCRATCH = 64 << 20,
    LIST_MAX = 8 << 20, /* bytes of one answer: 1,000 keys */
    PAGES_MAX = 100,
    BUCKETS_MAX = 1000,
    AGAIN_MS = 60000,
    FETCH_MS = 600000,
};

typedef struct Due {
    int64_t trigger, at_ms;
} Due;

struct Buckets {
    TriggerOptions o;
    Outbound *out;
    pthread_t thread;
    bool runs;
    atomic_bool stop;
    Mutex lock; /* guards changed */
    Cond wake;
    bool changed;
    Due due[BUCKETS_MAX]; /* the thread's */
    size_t due_len;
};

typedef struct Round {
    Buckets *b;
    const Trigger *trigger;
    TriggerSpec spec;
    Str secret;
    char signing[96];
    Arena *arena;
    DbConn *reader;
} Round;

static ErrCode get_signed(const Round *r, Str url, bool (*piece)(void *, Str), void *ctx,
                          OutboundAnswer *out, Err *err)
{
    const OutboundRequest q = {.method = "GET",
                               .url = url,
                               .body_max = LIST_MAX,
                               .total_ms = piece != NULL ? FETCH_MS : 0,
                               .stop = &r->b->stop,
                               .aws_sigv4 = r->signing,
                               .access_key = r->spec.access_key,
                               .secret_key = r->secret,
                               .piece = piece,
                               .piece_ctx = ctx};
    ErrCode rc = outbound_send(r->b->out, r->arena, &q, out, err);
    if (rc == OK)
        rc = outbound_verdict(out, err);
    if (rc == OK && out->cut)
        rc =
            err_set(err, ERR_REMOTE_REFUSED, "the bucket's list is larger than %d bytes", LIST_MAX);
    return rc;
}

/* --- what went wrong --- */

typedef struct Fault {
    const Trigger *trigger;
    Str text;
} Fault;

static ErrCode fault_write(DbConn *tx, void *arg, Err *err)
{
    const Fault *f = arg;
    return trigger_note_tx(tx, f->trigger->id, 0, f->trigger->feed_id, f->text, err);
}

static void tell_fault(Buckets *b, const Trigger *t, const Err *why)
{
    Fault f = {t, str_from_c(why->text)};
    Err ignored = {0};
    LOG(WARN, TRIGGER_FAILED, KV("pipeline", t->pipeline), KV("trigger", t->name),
        KV("reason", err_reason(why->code)), KV("detail", (const char *)why->text));
    if (!str_eq(f.text, t->fault) && db_write(b->o.db, fault_write, &f, &ignored) != OK)
        return; /* it is in the log */
}

/* --- the list --- */

/* What stands between <name> and </name>, from *at on; past it afterwards. */
static bool next_element(Str text, const char *name, size_t *at, Str *out)
{
    char open[64], close[64];
    snprintf(open, sizeof open, "<%s>", name);
    snprintf(close, sizeof close, "</%s>", name);
    size_t from = str_find(str_slice(text, *at, text.len), str_from_c(open));
    if (from == STR_NONE)
        return false;
    from += *at + strlen(open);
    size_t len = str_find(str_slice(text, from, text.len), str_from_c(close));
    if (len == STR_NONE)
        return false;
    *out = str_slice(text, from, from + len);
    *at = from + len + strlen(close);
    return true;
}

static Str element(Str text, const char *name)
{
    size_t at = 0;
    Str out = STR("");
    return next_element(text, name, &at, &out) ? out : STR("");
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* Percent-encoded, with + for a space; "" when it is not, or not UTF-8. */
static Str decoded(Str s, Arena *a)
{
    Buf b = buf_init(a, 4 * KIB);
    for (size_t i = 0; i < s.len; i++) {
        int high = s.ptr[i] == '%' && i + 2 < s.len ? hex(s.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex(s.ptr[i + 2]) : -1;
        if (s.ptr[i] == '%' && low < 0)
            return STR("");
        buf_add_char(&b, low >= 0 ? (char)(high * 16 + low) : s.ptr[i] == '+' ? ' ' : s.ptr[i]);
        i += low >= 0 ? 2 : 0;
    }
    Str out = buf_str(&b);
    return !b.failed && str_is_utf8(out) && str_find_char(out, 0) == STR_NONE ? out : STR("");
}

static void add_path(Buf *b, Str key)
{
    Str part;
    while (str_next(&key, '/', &part)) {
        buf_add_char(b, '/');
        buf_add_url(b, part);
    }
}

static Str base_url(const Round *r)
{
    Str url = r->spec.url;
    return str_ends(url, STR("/")) ? str_slice(url, 0, url.len - 1) : url;
}

/* --- one object --- */

static int64_t file_max(const Buckets *b)
{
    return b->o.file_max > 0 ? b->o.file_max : (int64_t)GIB;
}

typedef struct Fetch {
    BlobWriter *writer;
    ErrCode rc;
    Err *err;
} Fetch;

static bool fetch_piece(void *ctx, Str bytes)
{
    Fetch *f = ctx;
    f->rc = blob_write(f->writer, bytes.ptr, bytes.len, f->err);
    return f->rc == OK;
}

static ErrCode fetch(const Round *r, TriggerFile *k, Err *err)
{
    CLEANUP(blob_abandon) BlobWriter *w = NULL;
    Buf url = buf_init(r->arena, OUTBOUND_URL_MAX);
    OutboundAnswer answer;
    Blob blob;
    Err why = {0};
    buf_add(&url, base_url(r));
    add_path(&url, k->path);
    if (url.failed)
        return err_set(err, ERR_BAD_PARAM, "a key of the bucket is too long");
    ErrCode rc = blob_create(r->b->o.blobs, file_max(r->b), &w, err);
    if (rc != OK)
        return rc;
    Fetch f = {w, OK, &why};
    rc = get_signed(r, buf_str(&url), fetch_piece, &f, &answer, err);
    if (f.rc != OK) {
        *err = why;
        return f.rc;
    }
    if (rc == OK)
        rc = blob_finish(&w, &blob, err);
    if (rc == OK && blob.size_bytes != k->size_bytes)
        return err_set(err, ERR_REMOTE_FAILED, "an object changed while it was fetched");
    return rc == OK ? trigger_file_named(r->b->o.db, k, &blob, r->arena, err) : rc;
}

static ErrCode take(const Round *r, Str object, Err *err)
{
    bool seen = false;
    int64_t changed_ms = 0;
    TriggerFile k = {.trigger = r->trigger, .path = decoded(element(object, "Key"), r->arena)};
    size_t slash = str_rfind_char(k.path, '/');
    k.name = slash == STR_NONE ? k.path : str_slice(k.path, slash + 1, k.path.len);
    const char *name = str_to_c(r->arena, k.name), *match = str_to_c(r->arena, r->spec.match);
    if (name == NULL || match == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a bucket");
    if (k.name.len == 0 || fnmatch(match, name, 0) != 0) /* also the "folders" of some programs */
        return OK;
    if (!str_to_i64(element(object, "Size"), &k.size_bytes) ||
        !clock_parse(element(object, "LastModified"), &changed_ms))
        return err_set(err, ERR_REMOTE_REFUSED,
                       "the bucket's list has no size or time of \"%.80s\"", name);
    if (k.size_bytes > file_max(r->b))
        return err_set(err, ERR_INPUT_TOO_LARGE, "\"%.80s\" has %" PRId64 " bytes", name,
                       k.size_bytes);
    k.changed_ns = changed_ms * 1000000;
    ErrCode rc = trigger_file_seen(r->reader, &k, &seen, err);
    if (rc != OK || seen)
        return rc;
    rc = fetch(r, &k, err);
    return rc == OK ? trigger_file_start(r->b->o.db, &k, r->arena, err) : rc;
}

/* One page; *token: of the next, "" at the end. */
static ErrCode read_page(const Round *r, Str *token, Err *err)
{
    Buf url = buf_init(r->arena, OUTBOUND_URL_MAX);
    OutboundAnswer answer;
    /* In the order of the alphabet, as the signature wants it. */
    buf_add(&url, base_url(r));
    buf_add_c(&url, "/?");
    if (token->len > 0) {
        buf_add_c(&url, "continuation-token=");
        buf_add_url(&url, *token);
        buf_add_char(&url, '&');
    }
    buf_add_c(&url, "encoding-type=url&list-type=2");
    if (r->spec.prefix.len > 0) {
        buf_add_c(&url, "&prefix=");
        buf_add_url(&url, r->spec.prefix);
    }
    if (url.failed)
        return err_set(err, ERR_BAD_PARAM, "the bucket's address is too long");
    ErrCode rc = get_signed(r, buf_str(&url), NULL, NULL, &answer, err);
    if (rc != OK)
        return rc;
    if (str_find(answer.body, STR("<ListBucketResult")) == STR_NONE)
        return err_set(err, ERR_REMOTE_REFUSED, "the answer is no list of a bucket");
    size_t at = 0;
    Str object;
    while (rc == OK && next_element(answer.body, "Contents", &at, &object)) {
        rc = take(r, object, err);
        if (!trigger_is_hopeless(rc))
            continue;
        tell_fault(r->b, r->trigger, err); /* one object does not hold up the others */
        rc = OK;
    }
    bool more = str_eq_c(element(answer.body, "IsTruncated"), "true");
    *token = more ? element(answer.body, "NextContinuationToken") : STR("");
    return rc;
}

static ErrCode read_bucket(Buckets *b, const Trigger *t, int64_t *every_ms, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(SCRATCH);
    Round r = {.b = b, .trigger = t, .arena = a};
    Str token = STR("");
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a bucket");
    ErrCode rc = trigger_read_row(t, a, &r.spec, err);
    *every_ms = rc == OK ? r.spec.every_ms : AGAIN_MS;
    if (rc == OK)
        rc = db_reader(b->o.db, &r.reader, err);
    if (rc == OK)
        rc = secret_get(r.reader, t->project, r.spec.secret, a, &r.secret, err);
    snprintf(r.signing, sizeof r.signing, "aws:amz:" STR_FMT ":s3", STR_ARG(r.spec.region));
    for (int page = 0; rc == OK && page < PAGES_MAX; page++) {
        rc = read_page(&r, &token, err);
        if (token.len == 0)
            break;
    }
    return rc;
}

/* --- the thread --- */

static Due *due_of(Buckets *b, int64_t trigger)
{
    for (size_t i = 0; i < b->due_len; i++)
        if (b->due[i].trigger == trigger)
            return &b->due[i];
    if (b->due_len == BUCKETS_MAX)
        b->due_len = 0; /* of triggers that are gone, most of them: all are due again */
    b->due[b->due_len] = (Due){.trigger = trigger};
    return &b->due[b->due_len++];
}

/* All buckets that are due; when the next is. */
static ErrCode round_of(Buckets *b, int64_t *next_ms, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(SCRATCH);
    DbConn *reader = NULL;
    Trigger *list;
    size_t len = 0;
    *next_ms = INT64_MAX;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading triggers");
    ErrCode rc = db_reader(b->o.db, &reader, err);
    if (rc == OK)
        rc = trigger_rows(reader, &sql_trigger_at_work, DB_ARGS(DB_S(STR("bucket"))), a, &list,
                          &len, err);
    for (size_t i = 0; rc == OK && i < len && !atomic_load(&b->stop); i++) {
        Due *due = due_of(b, list[i].id);
        int64_t every_ms = 0;
        Err why = {0};
        if (due->at_ms <= clock_now_ms()) {
            if (read_bucket(b, &list[i], &every_ms, &why) != OK && !atomic_load(&b->stop))
                tell_fault(b, &list[i], &why);
            due->at_ms = clock_now_ms() + every_ms;
        }
        *next_ms = due->at_ms < *next_ms ? due->at_ms : *next_ms;
    }
    return rc;
}

static void sleep_until(Buckets *b, int64_t at_ms)
{
    MUTEX_HELD(&b->lock);
    while (!b->changed && !atomic_load(&b->stop)) {
        int64_t left_ms = at_ms == INT64_MAX ? INT64_MAX : at_ms - clock_now_ms();
        if (left_ms <= 0)
            break;
        if (left_ms == INT64_MAX)
            cond_wait(&b->wake, &b->lock);
        else
            (void)cond_wait_until(&b->wake, &b->lock, clock_mono_us() + left_ms * 1000);
    }
    b->changed = false;
}

static void *buckets_main(void *arg)
{
    Buckets *b = arg;
    int64_t next_ms = INT64_MAX; /* the triggers' thread says when there is something */
    while (!atomic_load(&b->stop)) {
        Err err = {0};
        sleep_until(b, next_ms);
        if (!atomic_load(&b->stop) && round_of(b, &next_ms, &err) != OK)
            next_ms = clock_now_ms() + AGAIN_MS; /* the database has logged why */
    }
    return NULL;
}

void buckets_changed(Buckets *b)
{
    MUTEX_HELD(&b->lock);
    b->changed = true;
    cond_signal(&b->wake);
}

ErrCode buckets_open(const TriggerOptions *o, Buckets **out, Err *err)
{
    Buckets *b = calloc(1, sizeof *b);
    if (b == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting triggers");
    *out = b;
    b->o = *o;
    mutex_init(&b->lock);
    cond_init(&b->wake);
    ErrCode rc = outbound_open(&(OutboundOptions){.allow_private = o->allow_private}, &b->out, err);
    if (rc == OK)
        rc = thread_start(&b->thread, "buckets", buckets_main, b, err);
    b->runs = rc == OK;
    return rc;
}

void buckets_close(Buckets **slot)
{
    Buckets *b = *slot;
    if (b == NULL)
        return;
    *slot = NULL;
    atomic_store(&b->stop, true);
    if (b->runs) {
        buckets_changed(b);
        pthread_join(b->thread, NULL);
    }
    outbound_close(&b->out);
    cond_done(&b->wake);
    mutex_done(&b->lock);
    free(b);
}
