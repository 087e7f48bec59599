/* `on:` of a pipeline: its triggers, all faults at once. */
#include "hook/trigger_in.h"
#include "base/clock.h"
#include "core/nearest.h"
#include "feed/feed.h"
#include "secret/secret.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct OnReader {
    Arena *arena;
    const TriggerFaults *f;
    TriggerSpec *specs;
    size_t len;
    Str path; /* "on.event", "on.folder[1]" */
    Str line; /* "/on/event" */
    bool wrong, no_memory;
} OnReader;

static void fault(OnReader *r, const char *key, const char *fmt, ...) PRINTF(3, 4);
static void fault(OnReader *r, const char *key, const char *fmt, ...)
{
    char text[400];
    r->wrong = true;
    PipelineFaults *all = r->f != NULL ? r->f->faults : NULL;
    if (all == NULL || all->len == PIPELINE_FAULTS_MAX)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *dot = key[0] != 0 ? "." : "", *slash = key[0] != 0 ? "/" : "";
    Str path = str_printf(r->arena, STR_FMT "%s%s", STR_ARG(r->path), dot, key);
    Str line = str_printf(r->arena, STR_FMT "%s%s", STR_ARG(r->line), slash, key);
    Str detail = str_copy(r->arena, str_from_c(text));
    if (path.ptr == NULL || line.ptr == NULL || detail.ptr == NULL) {
        r->no_memory = true;
        return;
    }
    int64_t no = json_int(json_get_str(r->f->lines, line), 0);
    if (no == 0)
        no = json_int(json_get_str(r->f->lines, r->line), 0);
    all->items[all->len++] = (PipelineFault){path, (int)no, detail};
}

static Str text_of(OnReader *r, const Json *o, const char *key)
{
    const Json *v = json_get(o, key);
    if (v != NULL && v->type != JSON_TEXT)
        fault(r, key, "must be text");
    return json_text(v);
}

/* A text or a list of texts, joined by commas; "" and a fault when it is neither. */
static Str joined(OnReader *r, const Json *o, const char *key)
{
    const Json *v = json_get(o, key);
    Buf b = buf_init(r->arena, 8 * KIB);
    bool fine = v != NULL && (v->type == JSON_TEXT || v->type == JSON_LIST);
    if (fine && v->type == JSON_TEXT)
        buf_add(&b, v->text);
    else if (fine)
        json_each(item, v) {
            fine = fine && item->type == JSON_TEXT && item->text.len > 0 &&
                   str_find_char(item->text, ',') == STR_NONE;
            if (b.len > 0)
                buf_add_char(&b, ',');
            buf_add(&b, item->text);
        }
    if (b.failed)
        r->no_memory = true;
    if (!fine || b.len == 0)
        fault(r, key, "must be a name, or a list of names");
    return buf_str(&b);
}

static int choice(OnReader *r, const Json *o, const char *key, const char *const *names)
{
    Str v = text_of(r, o, key);
    Nearest n = nearest_to(v);
    if (json_get(o, key) == NULL)
        return 0;
    for (int i = 0; names[i] != NULL; i++) {
        if (str_eq_c(v, names[i]))
            return i;
        nearest_try(&n, names[i]);
    }
    fault(r, key, "is not one of those it may be%s%s%s", n.name != NULL ? "; did you mean \"" : "",
          n.name != NULL ? n.name : "", n.name != NULL ? "\"?" : "");
    return 0;
}

/* --- kinds --- */

static void read_event(OnReader *r, TriggerSpec *s)
{
    Err err = {0};
    s->types = joined(r, s->source, "types");
    if (s->types.len > 0 && feed_check_types(s->types, &err) != OK)
        fault(r, "types", "%s", err.text);
}

static void read_pipeline(OnReader *r, TriggerSpec *s)
{
    static const char *const states[] = {"done", "failed", "canceled", NULL};
    static const char *const types[] = {"job.done", "job.failed", "job.canceled"};
    (void)joined(r, s->source, "names");
    s->names = json_get(s->source, "names");
    Str given =
            json_get(s->source, "states") != NULL ? joined(r, s->source, "states") : STR("done"),
        state;
    Buf b = buf_init(r->arena, 256);
    while (str_next(&given, ',', &state)) {
        int found = -1;
        for (int i = 0; states[i] != NULL; i++)
            found = str_eq_c(state, states[i]) ? i : found;
        if (found < 0)
            fault(r, "states", "must be done, failed or canceled");
        else
            buf_addf(&b, "%s%s", b.len > 0 ? "," : "", types[found]);
    }
    s->types = buf_str(&b);
}

static void read_webhook(OnReader *r, TriggerSpec *s)
{
    static const char *const ways[] = {"standard", "github", "token", NULL};
    s->verify = (Verify)choice(r, s->source, "verify", ways);
}

/* A path inside of the root, whatever it holds: relative, and never up. */
static bool path_stays(Str path)
{
    Str part;
    if (path.len == 0 || path.ptr[0] == '/' || str_find_char(path, 0) != STR_NONE)
        return false;
    while (str_next(&path, '/', &part))
        if (str_eq_c(part, ".."))
            return false;
    return true;
}

static void read_queue(OnReader *r, TriggerSpec *s)
{
    s->queue = text_of(r, s->source, "name");
    if (s->queue.len == 0 || s->queue.len > QUEUE_NAME_MAX)
        fault(r, "name", "must be the name of a queue of outside work, such as orders");
}

static void read_folder(OnReader *r, TriggerSpec *s)
{
    s->path = text_of(r, s->source, "path");
    s->match = json_get(s->source, "match") != NULL ? text_of(r, s->source, "match") : STR("*");
    if (!path_stays(s->path))
        fault(r, "path",
              "must be the path of a folder under the server's --watch-root, such as "
              "inbox/scans, without .. and without / at the front");
    if (s->match.len == 0 || str_find_char(s->match, '/') != STR_NONE)
        fault(r, "match", "must be a pattern of file names, such as *.pdf");
}

static bool region_ok(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.ptr[i] >= 'a' && s.ptr[i] <= 'z') && !(s.ptr[i] >= '0' && s.ptr[i] <= '9') &&
            s.ptr[i] != '-')
            return false;
    return s.len > 0 && s.len <= 40;
}

static void read_bucket(OnReader *r, TriggerSpec *s)
{
    const Json *every = json_get(s->source, "every");
    s->url = text_of(r, s->source, "url");
    s->region =
        json_get(s->source, "region") != NULL ? text_of(r, s->source, "region") : STR("us-east-1");
    s->prefix = text_of(r, s->source, "prefix");
    s->match = json_get(s->source, "match") != NULL ? text_of(r, s->source, "match") : STR("*");
    s->access_key = text_of(r, s->source, "access-key");
    s->secret = text_of(r, s->source, "secret");
    s->every_ms = every != NULL ? pipeline_duration_ms(every) : 60000;
    if (!str_starts(s->url, STR("https://")) && !str_starts(s->url, STR("http://")))
        fault(r, "url",
              "must be the address of the bucket, such as "
              "https://s3.eu-central-1.amazonaws.com/NAME");
    if (s->access_key.len == 0)
        fault(r, "access-key", "must be the id of an access key");
    if (!secret_name_ok(s->secret))
        fault(r, "secret",
              "must name the project's secret that holds the secret key; `platen "
              "secrets set NAME` stores one");
    if (!region_ok(s->region))
        fault(r, "region", "must be a region such as eu-central-1");
    if (s->every_ms < 1000)
        fault(r, "every", "must be a time of at least 1s");
}

/* A moment, RFC 3339; 0: not given. */
static int64_t time_of(OnReader *r, const Json *o, const char *key)
{
    Str text = text_of(r, o, key);
    int64_t ms = 0;
    if (text.len > 0 && !clock_parse(text, &ms))
        fault(r, key, "must be a time as in RFC 3339, like 2026-12-01T09:00:00Z");
    return ms;
}

/* A span of time; 0: not given. */
static int64_t duration_of(OnReader *r, const Json *o, const char *key)
{
    const Json *v = json_get(o, key);
    int64_t ms = v != NULL ? pipeline_duration_ms(v) : 0;
    if (ms < 0)
        fault(r, key, "must be a time like 30s or 10m");
    return ms < 0 ? 0 : ms;
}

static void read_schedule(OnReader *r, TriggerSpec *s)
{
    static const char *const missed[] = {"skip", "once", "all", NULL};
    static const char *const overlap[] = {"allow", "skip", "queue", "cancel", NULL};
    Cron cron;
    Err err = {0};
    Str every = text_of(r, s->source, "every");
    s->schedule.cron = text_of(r, s->source, "cron");
    if (every.len > 0 && s->schedule.cron.len > 0)
        fault(r, "every", "stands instead of cron");
    else if (every.len > 0)
        s->schedule.cron = str_printf(r->arena, "@every " STR_FMT, STR_ARG(every));
    s->schedule.start_ms = time_of(r, s->source, "start");
    s->schedule.end_ms = time_of(r, s->source, "end");
    s->schedule.jitter_ms = duration_of(r, s->source, "jitter");
    s->schedule.zone = text_of(r, s->source, "zone");
    s->schedule.missed = (Missed)choice(r, s->source, "missed", missed);
    s->schedule.overlap = (Overlap)choice(r, s->source, "overlap", overlap);
    if (cron_parse(s->schedule.cron, &cron, &err) != OK)
        fault(r, every.len > 0 ? "every" : "cron", "%s", err.text);
    if (s->with != NULL && !template_is_constant(s->with))
        fault(r, "with", "must not hold expressions: a schedule brings no values");
    if (s->when != NULL)
        fault(r, "if", "is not for a schedule; put the condition at the steps");
}

typedef struct KindKey {
    const char *name, *help;
} KindKey;

#define MATCH_KEY                                                                                  \
    {                                                                                              \
        "match", "Pattern of file names, such as *.pdf."                                           \
    }

static const struct {
    const char *name, *main; /* main: what a plain value stands for */
    const char *help;
    KindKey keys[10];
    void (*read)(OnReader *r, TriggerSpec *s);
    bool many; /* a list of texts is one trigger */
} kinds[TRIGGER_KIND_COUNT] = {
    [TRIGGER_EVENT] = {"event",
                       "types",
                       "Something that happens in the project, such as document.added.",
                       {{"types", "Types of events, one or a list; job.* stands for all of jobs."}},
                       read_event,
                       true},
    [TRIGGER_PIPELINE] = {"pipeline",
                          "names",
                          "The end of another pipeline's job.",
                          {{"names", "Names of the pipelines."},
                           {"states", "done (otherwise), failed or canceled."}},
                          read_pipeline,
                          true},
    [TRIGGER_WEBHOOK] = {"webhook",
                         "verify",
                         "A request to an address of its own.",
                         {{"verify", "How it is signed: standard (otherwise), github, or token for "
                                     "the address alone."}},
                         read_webhook,
                         false},
    [TRIGGER_FOLDER] = {"folder",
                        "path",
                        "A new file in a folder of the server.",
                        {{"path", "Folder below the server's --watch-root."}, MATCH_KEY},
                        read_folder,
                        false},
    [TRIGGER_BUCKET] = {"bucket",
                        "url",
                        "A new file in a bucket of S3.",
                        {{"url", "Address of the bucket."},
                         {"region", "Region, us-east-1 otherwise."},
                         {"prefix", "Only names that begin so."},
                         MATCH_KEY,
                         {"access-key", "Id of the access key."},
                         {"secret", "Name of the project's secret that holds the secret key."},
                         {"every", "How often it is looked at, 1m otherwise."}},
                        read_bucket,
                        false},
    [TRIGGER_QUEUE] = {"queue",
                       "name",
                       "A message in a queue of outside work.",
                       {{"name", "Name of the queue."}},
                       read_queue,
                       false},
    [TRIGGER_SCHEDULE] = {"schedule",
                          "cron",
                          "A time of day, or every so often.",
                          {{"cron", "When, as in cron: minute, hour, day, month, weekday."},
                           {"every", "Instead of cron: the time between two starts, such as 10m."},
                           {"zone", "Time zone of cron, such as Europe/Berlin."},
                           {"missed", "What becomes of missed times: skip, once or all."},
                           {"overlap", "When the job before has not ended: allow, skip, queue or "
                                       "cancel."},
                           {"start", "Not before this time."},
                           {"end", "Not after this time."},
                           {"jitter", "Start up to this much later, at random."}},
                          read_schedule,
                          false},
};

/* What all kinds have. */
static const KindKey common_keys[] = {
    {"with", "Inputs of the pipeline, from expressions over trigger."},
    {"if", "An expression over trigger; when it is false no job starts."},
    {0},
};

static void put_key(const KindKey *k, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "name", k->name);
    json_kv_c(j, "help", k->help);
    json_end(j, '}');
}

void trigger_put_language(JsonOut *j)
{
    json_key(j, "triggers");
    json_begin(j, '[');
    for (int kind = 0; kind < TRIGGER_KIND_COUNT; kind++) {
        json_begin(j, '{');
        json_kv_c(j, "name", kinds[kind].name);
        json_kv_c(j, "help", kinds[kind].help);
        json_kv_c(j, "main", kinds[kind].main);
        json_key(j, "keys");
        json_begin(j, '[');
        for (const KindKey *k = kinds[kind].keys; k->name != NULL; k++)
            put_key(k, j);
        for (const KindKey *k = common_keys; k->name != NULL; k++)
            put_key(k, j);
        json_end(j, ']');
        json_end(j, '}');
    }
    json_end(j, ']');
}

const char *trigger_kind_name(TriggerKind k)
{
    return kinds[k].name;
}

/* --- what all have --- */

static void check_keys(OnReader *r, const TriggerSpec *s)
{
    json_each(member, s->source) {
        Nearest n = nearest_to(member->key);
        bool known = false;
        for (const KindKey *key = common_keys; key->name != NULL; key++) {
            known |= str_eq_c(member->key, key->name);
            nearest_try(&n, key->name);
        }
        for (const KindKey *key = kinds[s->kind].keys; key->name != NULL; key++) {
            known |= str_eq_c(member->key, key->name);
            nearest_try(&n, key->name);
        }
        if (!known)
            fault(r, str_to_c(r->arena, str_slice(member->key, 0, 64)), "is not known here%s%s%s",
                  n.name != NULL ? "; did you mean \"" : "", n.name != NULL ? n.name : "",
                  n.name != NULL ? "\"?" : "");
    }
}

static void check_root(void *ctx, const Str *path, size_t len)
{
    OnReader *r = ctx;
    if (len > 0 && !str_eq_c(path[0], "trigger"))
        fault(r, "with", "\"" STR_FMT "\" is not known here: there is only trigger",
              STR_ARG(str_slice(path[0], 0, 40)));
}

static bool is_input(const Pipeline *p, Str name, Nearest *n, Arena *a)
{
    param_each(q, p->inputs) {
        if (str_eq_c(name, q->name))
            return true;
        nearest_try(n, q->name);
    }
    for (size_t i = 0; i < p->files_len; i++) {
        const char *c = str_to_c(a, p->files[i].name);
        if (str_eq(name, p->files[i].name))
            return true;
        if (c != NULL)
            nearest_try(n, c);
    }
    return false;
}

static void read_with(OnReader *r, TriggerSpec *s)
{
    const Json *with = json_get(s->source, "with");
    Err err = {0};
    if (with == NULL)
        return;
    if (with->type != JSON_OBJECT) {
        fault(r, "with", "must be an object of inputs");
        return;
    }
    ErrCode rc = template_parse(r->arena, with, &s->with, &err);
    if (rc != OK) {
        fault(r, "with", "%s", err.text);
        return;
    }
    template_each_ref(s->with, check_root, r);
    json_each(member, with) {
        Nearest n = nearest_to(member->key);
        if (r->f != NULL && r->f->pipeline != NULL &&
            !is_input(r->f->pipeline, member->key, &n, r->arena))
            fault(r, "with", "\"" STR_FMT "\" is no input of the pipeline%s%s%s",
                  STR_ARG(str_slice(member->key, 0, 40)), n.name != NULL ? "; did you mean \"" : "",
                  n.name != NULL ? n.name : "", n.name != NULL ? "\"?" : "");
    }
}

static void read_if(OnReader *r, TriggerSpec *s)
{
    const Json *v = json_get(s->source, "if");
    Str text = str_trim(json_text(v));
    Err err = {0};
    if (v == NULL)
        return;
    if (str_starts(text, STR("${{")) && str_ends(text, STR("}}")))
        text = str_slice(text, 3, text.len - 2);
    if (text.len == 0 || expr_parse(r->arena, text, &s->when, &err) != OK)
        fault(r, "if", "%s", text.len == 0 ? "must be an expression over trigger" : err.text);
    else
        expr_each_ref(s->when, check_root, r);
}

static void read_spec(OnReader *r, TriggerSpec *s)
{
    check_keys(r, s);
    read_with(r, s);
    read_if(r, s);
    kinds[s->kind].read(r, s);
}

/* The plain form as an object: "document.added" → {types: "document.added"}. */
static const Json *as_object(OnReader *r, TriggerKind kind, const Json *v)
{
    if (v->type == JSON_OBJECT)
        return v;
    Json *o = arena_new(r->arena, Json, 2);
    if (o == NULL) {
        r->no_memory = true;
        return v;
    }
    o[0] = (Json){.type = JSON_OBJECT};
    if (v->type == JSON_NULL || (v->type == JSON_BOOL && v->truth))
        return &o[0]; /* webhook: true */
    o[1] = *v;
    o[1].key = str_from_c(kinds[kind].main);
    o[1].next = NULL;
    o[0].first = &o[1];
    o[0].len = 1;
    return &o[0];
}

static void add_spec(OnReader *r, TriggerKind kind, const Json *v, size_t no, bool listed)
{
    if (r->len == TRIGGERS_MAX) {
        fault(r, "", "a pipeline has at most %d triggers", TRIGGERS_MAX);
        return;
    }
    const char *name = kinds[kind].name;
    TriggerSpec *s = &r->specs[r->len++];
    *s = (TriggerSpec){.kind = kind, .source = as_object(r, kind, v)};
    s->name = no > 0 ? str_printf(r->arena, "%s-%zu", name, no + 1) : str_from_c(name);
    r->path =
        listed ? str_printf(r->arena, "on.%s[%zu]", name, no) : str_printf(r->arena, "on.%s", name);
    r->line = listed ? str_printf(r->arena, "/on/%s/%zu", name, no)
                     : str_printf(r->arena, "/on/%s", name);
    if (r->no_memory || s->name.ptr == NULL || r->path.ptr == NULL || r->line.ptr == NULL)
        r->no_memory = true;
    else
        read_spec(r, s);
}

static void read_kind(OnReader *r, TriggerKind kind, const Json *v)
{
    bool listed = v->type == JSON_LIST;
    if (listed && kinds[kind].many && (v->first == NULL || v->first->type == JSON_TEXT))
        listed = false;
    if (!listed) {
        add_spec(r, kind, v, 0, false);
        return;
    }
    size_t no = 0;
    json_each(item, v)
        if (!r->no_memory && r->len < TRIGGERS_MAX)
            add_spec(r, kind, item, no++, true);
}

static void read_member(OnReader *r, const Json *member)
{
    Nearest n = nearest_to(member->key);
    for (int k = 0; k < TRIGGER_KIND_COUNT; k++) {
        if (str_eq_c(member->key, kinds[k].name)) {
            read_kind(r, (TriggerKind)k, member);
            return;
        }
        nearest_try(&n, kinds[k].name);
    }
    r->path = STR("on");
    r->line = STR("/on");
    fault(r, str_to_c(r->arena, str_slice(member->key, 0, 64)),
          "is no kind of trigger: there are event, pipeline, webhook, folder, bucket, queue and "
          "schedule%s%s%s",
          n.name != NULL ? "; did you mean \"" : "", n.name != NULL ? n.name : "",
          n.name != NULL ? "\"?" : "");
}

ErrCode trigger_read(const Json *on, const TriggerFaults *f, Arena *a, TriggerSpec **out,
                     size_t *len, Err *err)
{
    OnReader r = {.arena = a, .f = f, .specs = arena_new(a, TriggerSpec, TRIGGERS_MAX)};
    if (r.specs == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading triggers");
    json_each(member, on)
        read_member(&r, member);
    *out = r.specs;
    *len = r.len;
    if (r.no_memory)
        return err_set(err, ERR_NO_MEMORY, "reading triggers");
    return r.wrong ? err_set(err, ERR_BAD_PIPELINE, "its triggers have faults") : OK;
}

ErrCode trigger_read_row(const Trigger *t, Arena *a, TriggerSpec *out, Err *err)
{
    OnReader r = {.arena = a};
    const Json *source;
    ErrCode rc = json_parse(a, t->spec, &source, err);
    if (rc != OK)
        return rc;
    *out = (TriggerSpec){.kind = t->kind, .name = t->name, .source = source};
    read_spec(&r, out);
    if (r.no_memory)
        return err_set(err, ERR_NO_MEMORY, "reading a trigger");
    return r.wrong ? err_set(err, ERR_BAD_PIPELINE, "the trigger is not one of this version") : OK;
}

ErrCode trigger_check(const Pipeline *p, const Json *lines, Arena *a, PipelineFaults *faults,
                      Err *err)
{
    TriggerSpec *specs;
    size_t len, before = faults->len;
    const TriggerFaults f = {lines, p, faults};
    ErrCode rc = trigger_read(p->on, &f, a, &specs, &len, err);
    if (rc != ERR_BAD_PIPELINE || faults->len == before)
        return rc;
    const PipelineFault *first = &faults->items[before];
    return err_set(err, ERR_BAD_PIPELINE, STR_FMT ": " STR_FMT, STR_ARG(first->path),
                   STR_ARG(first->detail));
}
