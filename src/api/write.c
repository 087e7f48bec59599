#include "api/write.h"
#include "base/clock.h"
#include "base/id.h"
#include "flow/pipeline.h"

void write_time(JsonOut *j, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];
    json_key(j, key);
    if (ms == 0) {
        json_put_null(j);
        return;
    }
    clock_text(ms, text);
    json_put_c(j, text);
}

void write_id(JsonOut *j, const char *key, const char *prefix, int64_t id)
{
    char text[ID_TEXT_SIZE];
    json_kv_c(j, key, id_text(prefix, id, text));
}

void write_file(JsonOut *j, const JobFile *file)
{
    json_begin(j, '{');
    json_kv_str(j, "name", file->name);
    json_kv_str(j, "type", file->type);
    json_kv_int(j, "bytes", file->size_bytes);
    json_kv_str(j, "blob", file->hash);
    json_end(j, '}');
}

static void write_files(JsonOut *j, const char *key, const JobFile *files, size_t len)
{
    json_key(j, key);
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++)
        write_file(j, &files[i]);
    json_end(j, ']');
}

static bool has_secrets(const Step *step)
{
    param_each(p, step->params)
        if (p->secret)
            return true;
    return false;
}

void write_params(JsonOut *j, const Job *job, const Registry *registry, Arena *a)
{
    const Step *step = registry_find(registry, job->step);
    const Json *params = NULL;
    json_key(j, "params");
    bool open = job->pipeline.len > 0 || (step != NULL && !has_secrets(step));
    if (open && job->params.len > 0) {
        json_put_raw(j, job->params); /* canonical JSON already */
        return;
    }
    if (job->params.len == 0 || json_parse(a, job->params, &params, NULL) != OK) {
        json_put_raw(j, STR("{}"));
        return;
    }
    json_begin(j, '{');
    json_each(member, params) {
        const Param *p = step != NULL ? param_find(step->params, member->key) : NULL;
        json_key_str(j, member->key);
        if (p == NULL || p->secret) /* a step that is gone may have had secrets */
            json_put_null(j);
        else
            json_put(j, member);
    }
    json_end(j, '}');
}

static void write_failure(JsonOut *j, const Job *job)
{
    if (job->reason.len == 0)
        return;
    json_kv_str(j, "reason", job->reason);
    json_kv_str(j, "detail", job->detail);
    json_kv_str(j, "hint",
                job->hint.len > 0 ? job->hint
                                  : str_from_c(err_remedy(err_from_reason(job->reason))));
}

static void write_items(JsonOut *j, const BatchCounts *n)
{
    json_key(j, "items");
    json_begin(j, '{');
    json_kv_int(j, "total", n->total);
    json_kv_int(j, "queued", n->queued);
    json_kv_int(j, "running", n->running);
    json_kv_int(j, "done", n->done);
    json_kv_int(j, "failed", n->failed);
    json_kv_int(j, "canceled", n->canceled);
    if (n->archives > 0)
        json_kv_int(j, "archives", n->archives);
    json_end(j, '}');
}

static void write_waits(JsonOut *j, const Job *job)
{
    json_key(j, "waits");
    json_begin(j, '[');
    for (size_t i = 0; i < job->waits_len; i++) {
        const NodeView *n = &job->waits[i];
        json_begin(j, '{');
        json_kv_str(j, "node", n->id);
        json_kv_str(j, "for", n->uses);
        write_time(j, "since", n->started_ms);
        write_time(j, "due", n->due_ms);
        if (n->who.len > 0)
            json_kv_str(j, "who", n->who);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void write_usage(JsonOut *j, const Job *job)
{
    if (job->usage == NULL)
        return;
    json_key(j, "usage");
    json_begin(j, '[');
    for (size_t i = 0; i < job->usage_len; i++) {
        json_begin(j, '{');
        json_kv_str(j, "unit", job->usage[i].unit);
        json_kv_int(j, "amount", job->usage[i].amount);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* Who or what asked for it. Of a trigger kind and name, not the data that it handed over. */
static void write_start(JsonOut *j, const Job *job, Arena *a)
{
    const Json *trigger = NULL;
    if (job->key != 0)
        write_id(j, "key", "key", job->key);
    if (job->trigger.len == 0 || json_parse(a, job->trigger, &trigger, NULL) != OK)
        return;
    json_key(j, "trigger");
    json_begin(j, '{');
    json_kv_str(j, "kind", json_text(json_get(trigger, "kind")));
    Str schedule = json_text(json_get(trigger, "schedule"));
    if (schedule.len > 0)
        json_kv_str(j, "schedule", schedule);
    json_end(j, '}');
}

/* What it has to do with a pipeline or a batch. */
static void write_pipeline(JsonOut *j, const Job *job)
{
    if (job->parent != 0)
        write_id(j, job->node >= 0 ? "parent" : "batch", "job", job->parent);
    if (job->reused != 0)
        write_id(j, "reused", "job", job->reused);
    if (job->pipeline.len == 0)
        return;
    json_kv_str(j, "pipeline", job->pipeline);
    json_kv_int(j, "version", job->pipeline_version);
    json_kv_bool(j, "paused", job->paused);
    if (job->origin != 0)
        write_id(j, "origin", "job", job->origin);
    if (job->waits_len > 0)
        write_waits(j, job);
}

void write_job(JsonOut *j, const Job *job, const Registry *registry, Arena *a, bool full)
{
    json_begin(j, '{');
    write_id(j, "id", "job", job->id);
    json_kv_str(j, "step", job->step);
    json_kv_c(j, "state", job_state_name(job->state));
    json_kv_str(j, "queue", job->queue);
    json_kv_int(j, "priority", job->priority);
    json_kv_int(j, "attempts", job->attempts);
    json_kv_int(j, "max_attempts", job->max_attempts);
    write_time(j, "created", job->created_ms);
    write_time(j, "run_at", job->run_at_ms);
    write_time(j, "started", job->started_ms);
    write_time(j, "finished", job->finished_ms);
    json_key(j, "progress");
    json_begin(j, '{');
    json_kv_int(j, "done", job->progress_done);
    json_kv_int(j, "total", job->progress_total);
    json_end(j, '}');
    write_failure(j, job);
    write_pipeline(j, job);
    if (job->input.len > 0)
        json_kv_str(j, "input", job->input);
    write_start(j, job, a);
    write_usage(j, job);
    if (full && job->batch)
        write_items(j, &job->items);
    if (full) {
        write_params(j, job, registry, a);
        write_files(j, "inputs", job->inputs, job->inputs_len);
        write_files(j, "outputs", job->outputs, job->outputs_len);
        json_kv_raw(j, "data", job->data.len > 0 ? job->data : STR("{}"));
    }
    json_kv_str(j, "trace", job->trace);
    json_end(j, '}');
}

void write_event(JsonOut *j, const JobEvent *e)
{
    json_begin(j, '{');
    json_kv_int(j, "seq", e->seq);
    write_id(j, "job", "job", e->job);
    write_time(j, "time", e->time_ms);
    json_kv_str(j, "type", e->type);
    json_kv_raw(j, "data", e->data.len > 0 ? e->data : STR("{}"));
    json_end(j, '}');
}
