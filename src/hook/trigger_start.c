/* The job of a trigger: its inputs from what happened, in the transaction that remembers it. */
#include "hook/trigger_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

static const struct {
    const char *end, *type;
} types[] = {
    {".pdf", "application/pdf"}, {".png", "image/png"},         {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},     {".webp", "image/webp"},       {".gif", "image/gif"},
    {".tif", "image/tiff"},      {".tiff", "image/tiff"},       {".svg", "image/svg+xml"},
    {".txt", "text/plain"},      {".md", "text/markdown"},      {".csv", "text/csv"},
    {".html", "text/html"},      {".json", "application/json"}, {".xml", "application/xml"},
    {".zip", "application/zip"}, {".mp3", "audio/mpeg"},        {".wav", "audio/wav"},
    {".mp4", "video/mp4"},       {".eml", "message/rfc822"},
};

Str trigger_type_of(Str name)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_ends_nocase(name, str_from_c(types[i].end)))
            return str_from_c(types[i].type);
    return STR("");
}

void trigger_put_file(JsonOut *j, const JobFile *f)
{
    json_begin(j, '{');
    json_kv_str(j, "name", f->name);
    json_kv_str(j, "type", f->type);
    json_kv_int(j, "bytes", f->size_bytes);
    json_kv_str(j, "blob", f->hash);
    json_end(j, '}');
}

bool trigger_is_hopeless(ErrCode rc)
{
    return rc != OK && err_retry(rc) == RETRY_NEVER && rc != ERR_DB_DAMAGED;
}

ErrCode trigger_note_tx(DbConn *tx, int64_t trigger, int64_t job, int64_t feed_id, Str fault,
                        Err *err)
{
    return db_exec(
        tx, &sql_trigger_fired,
        DB_ARGS(DB_I(trigger), DB_I(job), DB_I(clock_now_ms()), DB_I(feed_id), DB_S(fault)), NULL,
        err);
}

static ErrCode no_memory(Err *err)
{
    return err_set(err, ERR_NO_MEMORY, "starting a trigger's job");
}

static const Json *as_json(Buf *b, Arena *a)
{
    const Json *out = NULL;
    return !b->failed && json_parse(a, buf_str(b), &out, NULL) == OK ? out : NULL;
}

/* {"trigger": …}, as expressions see it. */
static const Json *scope_of(const Json *trigger, Arena *a)
{
    Buf b = buf_init(a, 16 * MIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_key(&j, "trigger");
    json_put(&j, trigger);
    json_end(&j, '}');
    return as_json(&b, a);
}

/* `with`, and the file where nothing says what goes into the first file input. */
static const Json *inputs_of(const TriggerStart *s, const TriggerSpec *spec, const Pipeline *p,
                             const Json *scope, Arena *a)
{
    const Json *with = spec->with != NULL ? template_eval(spec->with, scope, a) : NULL;
    Buf b = buf_init(a, 16 * MIB);
    JsonOut j = json_out(&b);
    if (spec->with != NULL && with == NULL)
        return NULL;
    json_begin(&j, '{');
    json_each(member, with) {
        json_key_str(&j, member->key);
        json_put(&j, member);
    }
    if (s->file != NULL && p->files_len > 0 && json_get_str(with, p->files[0].name) == NULL) {
        json_key_str(&j, p->files[0].name);
        trigger_put_file(&j, s->file);
    }
    json_end(&j, '}');
    return as_json(&b, a);
}

static ErrCode run(DbConn *tx, TriggerStart *s, const Pipeline *p, const Json *given, Arena *a,
                   Err *err)
{
    const Trigger *t = s->trigger;
    Buf b = buf_init(a, 4 * MIB);
    JsonOut j = json_out(&b);
    ParamFaults *faults = arena_new(a, ParamFaults, 1);
    PipelineRun r = {.project = t->project,
                     .key = t->key,
                     .name = t->pipeline,
                     .idempotency_key = s->idempotency_key,
                     .request_hash = s->idempotency_key,
                     .trace = s->trace};
    JobFile *files = NULL;
    json_put(&j, s->scope);
    r.trigger = buf_str(&b);
    if (faults == NULL || b.failed)
        return no_memory(err);
    ErrCode rc = flow_pipeline_inputs(tx, t->project, p, given, a, &r.inputs, &files, &r.files_len,
                                      faults, err);
    r.files = files;
    return rc == OK ? flow_run_tx(tx, id_new(), &r, &s->added, err) : rc;
}

ErrCode trigger_start_tx(DbConn *tx, TriggerStart *s, Arena *a, Err *err)
{
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    TriggerSpec spec;
    s->added = (JobAdded){0};
    const Json *scope = scope_of(s->scope, a);
    if (scope == NULL)
        return no_memory(err);
    ErrCode rc = trigger_read_row(s->trigger, a, &spec, err);
    if (rc != OK)
        return rc;
    if (spec.when != NULL && !expr_truth(expr_eval(spec.when, scope, a)))
        return OK;
    rc = flow_pipeline_hold(tx, s->trigger->project, s->trigger->pipeline, 0, &held, err);
    if (rc != OK)
        return rc;
    const Pipeline *p = flow_pipeline_of(held);
    const Json *given = inputs_of(s, &spec, p, scope, a);
    return given != NULL ? run(tx, s, p, given, a, err) : no_memory(err);
}
