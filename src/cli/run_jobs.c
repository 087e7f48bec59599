/* run_jobs.c: submit, wait, take, and tell. A window of jobs is under way at once; their results
 * are taken in the order of the command line, so that the same files give the same names. */
#include "base/clock.h"
#include "cli/run_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    WINDOW = 32,
    WAIT_MS = 250,
    LOOK_EVERY_US = 500 * 1000,
    JOB_ARENA_MAX = 256 * 1024 * 1024,
    FAILURES_SHOWN = 50
};

volatile sig_atomic_t run_interrupted;

static OutputsOf outputs_of(const Run *r, const RunJob *job)
{
    static const InputFile nothing;
    const InputFile *f = job->count > 0 ? &r->files.items[job->first] : &nothing;
    bool own_names =
        r->step->returns != NULL && str_find_char(str_from_c(r->step->returns), '*') == STR_NONE;
    return (OutputsOf){.name = f->name,
                       .folder = job->count == 1 ? f->folder : (Str){0},
                       .renamed = job->count == 1 && !f->is_stdin && own_names,
                       .all = f,
                       .all_len = job->count};
}

/* "a.jpg", or "3 files", or the step when it takes none. */
static Str shown_name(const Run *r, const RunJob *job)
{
    if (job->count == 0)
        return str_from_c(r->step->name);
    if (job->count == 1)
        return r->files.items[job->first].name;
    return str_printf(r->cli->arena, "%zu files", job->count);
}

static ErrCode job_error(Run *r, RunJob *job, const Err *err)
{
    job->err = arena_new(r->cli->arena, Err, 1);
    if (job->err != NULL)
        *job->err = *err;
    return err->code;
}

static void submit(Run *r, RunJob *job)
{
    Err err = {0};
    ArenaMark mark = arena_mark(r->cli->arena);
    SessionFile *files = arena_new(r->cli->arena, SessionFile, job->count + r->with.len + 1);
    size_t len = 0;
    job->submitted = true;
    job->started_us = clock_mono_us();
    for (size_t i = 0; files != NULL && i < job->count; i++) {
        const InputFile *f = &r->files.items[job->first + i];
        size_t slash = str_rfind_char(f->name, '/');
        Str base = slash == STR_NONE ? f->name : str_slice(f->name, slash + 1, f->name.len);
        files[len++] = (SessionFile){f->path, base};
    }
    for (size_t i = 0; files != NULL && i < r->with.len; i++)
        files[len++] = (SessionFile){r->with.items[i].path, r->with.items[i].name};
    char id[64] = "";
    Str found = {0};
    ErrCode rc = files == NULL
                     ? err_set(&err, ERR_NO_MEMORY, "no memory")
                     : session_submit(r->session, r->step, r->params, files, len, &found, &err);
    if (rc == OK)
        snprintf(id, sizeof id, STR_FMT, STR_ARG(found));
    arena_rewind(r->cli->arena, mark); /* the request is gone, the id stays */
    if (rc == OK)
        job->id = str_copy(r->cli->arena, str_from_c(id));
    if (rc != OK)
        job_error(r, job, &err);
}

static bool shows_progress(const Run *r)
{
    return !r->args->quiet && !r->args->json && term_is_tty(STDERR_FILENO);
}

static int percent_of(const Json *job)
{
    const Json *p = json_get(job, "progress");
    int64_t done = json_int(json_get(p, "done"), 0), total = json_int(json_get(p, "total"), 0);
    return total > 0 && done > 0 ? (int)(done >= total ? 99 : done * 100 / total) : 0;
}

static bool has_ended(const Json *job)
{
    return json_text(json_get(job, "finished")).len > 0;
}

/* Those that are under way beside the one that is waited for. */
static void look_around(Run *r, size_t from)
{
    int64_t now = clock_mono_us();
    if (!shows_progress(r) || now - r->looked_us < LOOK_EVERY_US)
        return;
    r->looked_us = now;
    CLEANUP(arena_close) Arena *a = arena_open(JOB_ARENA_MAX);
    for (size_t i = from; i < r->next && a != NULL; i++) {
        RunJob *job = &r->jobs[i];
        const Json *state = NULL;
        arena_reset(a);
        if (job->ended || job->err != NULL ||
            session_wait(r->session, job->id, 0, a, &state, NULL) != OK)
            continue;
        job->ended = has_ended(state);
        job->percent = percent_of(state);
    }
}

static void show_progress(Run *r, size_t head)
{
    if (!shows_progress(r))
        return;
    int64_t ended = 0, hundredths = 0;
    for (size_t i = head; i < r->next; i++) {
        bool over = r->jobs[i].ended || r->jobs[i].err != NULL;
        ended += over;
        hundredths += over ? 100 : r->jobs[i].percent;
    }
    term_progress(&r->progress, (int64_t)head + ended, (int64_t)r->jobs_len,
                  (int64_t)head * 100 + hundredths,
                  head < r->jobs_len ? shown_name(r, &r->jobs[head]) : STR(""));
}

/* Wait for the end of jobs[index]. */
static ErrCode wait_end(Run *r, size_t index, Arena *a, const Json **job, Err *err)
{
    for (;;) {
        arena_reset(a);
        ErrCode rc = session_wait(r->session, r->jobs[index].id, WAIT_MS, a, job, err);
        if (rc != OK)
            return rc;
        if (has_ended(*job))
            return OK;
        r->jobs[index].percent = percent_of(*job);
        look_around(r, index + 1);
        show_progress(r, index);
        if (run_interrupted) {
            session_cancel(r->session, r->jobs[index].id);
            return err_set(err, ERR_CANCELED, "interrupted");
        }
    }
}

/* --- telling --- */

static bool is_many(const Run *r)
{
    return r->jobs_len > 1;
}

static bool tells_lines(const Run *r)
{
    return is_many(r) && !r->args->json && !r->args->quiet && r->outputs.dir != NULL;
}

/* The reason, detail and hint of a failed job, as a person reads them. */
static void print_failure(const Run *r, const RunJob *job)
{
    Err shown;
    const Err *err = job->err;
    err_set(&shown, err->code, STR_FMT ": %s: %s", STR_ARG(shown_name(r, job)),
            err_reason(err->code), err->text);
    err_hint(&shown, "%s", err_advice(err));
    term_error(&shown);
}

/* A file that was only found in a folder and is nothing for this step is no failure. */
static bool is_not_meant(const Run *r, const RunJob *job)
{
    return job->count == 1 && r->files.items[job->first].found &&
           job->err->code == ERR_UNSUPPORTED_TYPE;
}

static void tell_failure(Run *r, RunJob *job)
{
    bool skip = is_not_meant(r, job);
    r->failed += !skip;
    r->skipped += skip;
    if (r->args->json) {
        OutputsOf of = outputs_of(r, job);
        outputs_print_failure(&r->outputs, &of, skip ? "skipped" : "failed", job->err, job->ms);
        return;
    }
    term_progress_end(&r->progress);
    if (tells_lines(r))
        fprintf(stderr, "%s" STR_FMT "  %s: %s%s\n",
                term_style(STDERR_FILENO, skip ? TERM_DIM : TERM_RED), STR_ARG(shown_name(r, job)),
                skip ? "skipped" : "failed", err_reason(job->err->code),
                term_style(STDERR_FILENO, TERM_PLAIN));
    else if (!skip || !is_many(r))
        print_failure(r, job);
}

/* What the step says it has saved; -1: it says nothing. */
static int64_t saved_of(const Json *job, int64_t *source)
{
    const Json *data = json_get(job, "data"), *saved = json_get(data, "saved_bytes");
    *source = json_int(json_get(data, "source_bytes"), 0);
    return saved != NULL && *source > 0 ? json_int(saved, 0) : -1;
}

static int64_t share(int64_t part, int64_t whole)
{
    return whole > 0 ? (part * 100 + whole / 2) / whole : 0;
}

/* "a.jpg → web/a.webp  1.2 MB → 310 kB, 74 % saved", or "…  84 kB, 1.2 s". True: nothing is left to
 * note. */
static bool tell_line(Run *r, const RunJob *job, const Json *result, const OutputsTaken *t,
                      Arena *a)
{
    int64_t source, saved = saved_of(result, &source);
    bool kept = json_bool(json_get(json_get(result, "data"), "kept_source"), false);
    Str made = term_bytes(a, t->bytes), name = shown_name(r, job);
    if (saved >= 0) {
        r->saved += saved;
        r->source += source;
        r->kept += kept;
    }
    if (!tells_lines(r) || t->path == NULL)
        return false;
    fprintf(stderr, STR_FMT " → %s", STR_ARG(name), t->path);
    if (t->files > 1)
        fprintf(stderr, " and %zu more", t->files - 1);
    if (kept)
        fprintf(stderr, "  " STR_FMT ", kept as it is\n", STR_ARG(made));
    else if (saved >= 0)
        fprintf(stderr, "  " STR_FMT " → " STR_FMT ", %" PRId64 " %% saved\n",
                STR_ARG(term_bytes(a, source)), STR_ARG(made), share(saved, source));
    else
        fprintf(stderr, "  " STR_FMT ", " STR_FMT "\n", STR_ARG(made),
                STR_ARG(term_duration(a, job->ms)));
    return kept;
}

/* What the step found worth saying. */
static void tell_notes(const Run *r, const RunJob *job, const StrList *notes)
{
    if (r->args->json || r->args->quiet)
        return;
    for (size_t i = 0; i < notes->len; i++)
        fprintf(stderr, "%s" STR_FMT ": note: " STR_FMT "%s\n", term_style(STDERR_FILENO, TERM_DIM),
                STR_ARG(shown_name(r, job)), STR_ARG(notes->items[i]),
                term_style(STDERR_FILENO, TERM_PLAIN));
}

static void tell_summary(Run *r)
{
    Outputs *o = &r->outputs;
    Arena *a = r->cli->arena;
    if (r->args->quiet || r->args->json || o->dir == NULL)
        return;
    Str time = term_duration(a, (clock_mono_us() - o->started_us) / 1000);
    fprintf(stderr, "%zu of %zu done: %" PRId64 " file%s, " STR_FMT " in %s, " STR_FMT "\n",
            r->jobs_len - r->failed - r->skipped, r->jobs_len - r->skipped, o->files,
            o->files == 1 ? "" : "s", STR_ARG(term_bytes(a, o->bytes)), o->dir, STR_ARG(time));
    if (r->source > 0)
        fprintf(stderr, STR_FMT " → " STR_FMT ": " STR_FMT " saved, %" PRId64 " %%%s\n",
                STR_ARG(term_bytes(a, r->source)), STR_ARG(term_bytes(a, r->source - r->saved)),
                STR_ARG(term_bytes(a, r->saved)), share(r->saved, r->source),
                r->kept == 0 ? ""
                             : str_printf(a, " (%zu kept as %s)", r->kept,
                                          r->kept == 1 ? "it is" : "they are")
                                   .ptr);
    if (r->skipped > 0)
        fprintf(stderr, "%zu skipped: %s does not read %s\n", r->skipped, r->step->name,
                r->skipped == 1 ? "it" : "them");
}

/* At the end all together: what scrolled by between hundreds of lines helps nobody. */
static void tell_failures(const Run *r)
{
    size_t shown = 0;
    if (!tells_lines(r) || r->failed == 0)
        return;
    for (size_t i = 0; i < r->next && shown < FAILURES_SHOWN; i++)
        if (r->jobs[i].err != NULL && !is_not_meant(r, &r->jobs[i])) {
            print_failure(r, &r->jobs[i]);
            shown++;
        }
    if (r->failed > shown)
        fprintf(stderr, "… and %zu more; --json has them all\n", r->failed - shown);
}

/* --- one after the other --- */

static ErrCode err_from_job(const Json *job, Err *err)
{
    Str reason = json_text(json_get(job, "reason")), detail = json_text(json_get(job, "detail"));
    Str hint = json_text(json_get(job, "hint"));
    ErrCode code = err_from_reason(reason);
    bool canceled = str_eq_c(json_text(json_get(job, "state")), "canceled");
    code = canceled ? ERR_CANCELED : code != OK ? code : ERR_INTERNAL;
    err_set(err, code, STR_FMT, STR_ARG(detail));
    err_hint(err, STR_FMT, STR_ARG(hint));
    return code;
}

/* "2026-05-17T18:42:10.123Z" as milliseconds of its day; -1: it is not of that form. */
static int64_t ms_of_day(Str time)
{
    int64_t h, m, s, ms;
    if (time.len != sizeof "2026-05-17T18:42:10.123Z" - 1 ||
        !str_to_i64(str_slice(time, 11, 13), &h) || !str_to_i64(str_slice(time, 14, 16), &m) ||
        !str_to_i64(str_slice(time, 17, 19), &s) || !str_to_i64(str_slice(time, 20, 23), &ms))
        return -1;
    return ((h * 60 + m) * 60 + s) * 1000 + ms;
}

/* How long the job ran. Its results are taken in order, so the clock here would count waiting for
 * others. */
static int64_t time_of(const Json *job, int64_t otherwise)
{
    static const int64_t day = 24 * 3600 * 1000;
    int64_t from = ms_of_day(json_text(json_get(job, "started"))),
            to = ms_of_day(json_text(json_get(job, "finished")));
    return from < 0 || to < 0 || otherwise >= day ? otherwise : (to - from + day) % day;
}

static ErrCode take(Run *r, RunJob *job, const Json *result, Arena *a, Err *err)
{
    OutputsOf of = outputs_of(r, job);
    OutputsTaken taken;
    StrList notes = {0};
    term_progress_end(&r->progress);
    session_notes(r->session, job->id, a, &notes);
    ErrCode rc =
        outputs_take(&r->outputs, r->session, result, &of, &notes, job->ms, a, &taken, err);
    if (rc != OK)
        return rc;
    if (!tell_line(r, job, result, &taken, a))
        tell_notes(r, job, &notes);
    return OK;
}

static void finish(Run *r, size_t index)
{
    RunJob *job = &r->jobs[index];
    CLEANUP(arena_close) Arena *a = arena_open(JOB_ARENA_MAX);
    const Json *result = NULL;
    Err err = {0};
    ErrCode rc = job->err != NULL ? job->err->code : OK;
    if (rc == OK) {
        rc = a == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory")
                       : wait_end(r, index, a, &result, &err);
        job->ms = time_of(result, (clock_mono_us() - job->started_us) / 1000);
        if (rc == OK && !str_eq_c(json_text(json_get(result, "state")), "done"))
            rc = err_from_job(result, &err);
        if (rc == OK)
            rc = take(r, job, result, a, &err);
        if (rc != OK)
            job_error(r, job, &err);
    }
    job->ended = true;
    if (job->err != NULL)
        tell_failure(r, job);
}

int run_jobs(Run *r)
{
    for (size_t i = 0; i < r->jobs_len && !run_interrupted; i++) {
        while (r->next < r->jobs_len && r->next < i + WINDOW)
            submit(r, &r->jobs[r->next++]);
        show_progress(r, i);
        finish(r, i);
    }
    show_progress(r, r->next);
    term_progress_end(&r->progress);
    for (size_t i = 0; run_interrupted && i < r->next; i++)
        if (!r->jobs[i].ended && r->jobs[i].id.len > 0)
            session_cancel(r->session, r->jobs[i].id);
    tell_summary(r);
    tell_failures(r);
    return run_interrupted ? 128 + SIGINT : r->failed > 0 ? EXIT_FAILED : EXIT_DONE;
}
