/* flow_watch.c: a job as it goes on: a tree that is drawn again in its place on a terminal, a line
 * per change elsewhere. */
#include "base/clock.h"
#include "cli/flow_in.h"

#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 150, LOOK_WAITING_MS = 1000, FRAME_MAX = 64 * 1024 * 1024, KEYS_MAX = 256 };

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

typedef struct Watch {
    Flow *flow;
    Arena *frame; /* one look's */
    Str id;
    bool terminal;
    size_t drawn;            /* lines on the terminal */
    char keys[KEYS_MAX][96]; /* of each node: what was told last */
} Watch;

/* --- a terminal --- */

static void undraw(Watch *w)
{
    if (w->drawn > 0)
        fprintf(stderr, "\033[%zuA\r\033[J", w->drawn);
    w->drawn = 0;
}

static void draw(Watch *w, const Json *nodes, bool last)
{
    int rows = term_height();
    FlowTree t = flow_tree(w->frame, nodes, STDERR_FILENO, term_width(), clock_now_ms());
    size_t most = rows > 2 ? (size_t)rows - 2 : 1, from = 0;
    if (!last && t.len > most)
        from = t.len - most; /* what has ended scrolls away upwards */
    undraw(w);
    for (size_t i = from; i < t.len; i++)
        fprintf(stderr, STR_FMT "\n", STR_ARG(t.lines[i]));
    w->drawn = last ? 0 : t.len - from;
    fflush(stderr);
}

/* --- no terminal --- */

static void tell_changes(Watch *w, const Json *nodes)
{
    size_t i = 0;
    json_each(node, nodes) {
        if (i == KEYS_MAX)
            return;
        char *known = w->keys[i++];
        Str key = flow_tree_key(w->frame, node);
        bool quiet = known[0] == 0 && str_eq_c(json_text(json_get(node, "state")), "pending");
        if (str_eq_c(key, known) || quiet)
            continue;
        snprintf(known, sizeof w->keys[0], STR_FMT, STR_ARG(key));
        Str line = flow_tree_line(w->frame, node, clock_now_ms());
        fprintf(stderr, STR_FMT "\n", STR_ARG(line));
    }
}

/* --- both --- */

static bool all_wait(const Json *nodes)
{
    json_each(node, nodes)
        if (str_eq_c(json_text(json_get(node, "state")), "running"))
            return false;
    return true;
}

static bool has_ended(const Json *job)
{
    return json_text(json_get(job, "finished")).len > 0;
}

static ErrCode look(Watch *w, const Json **job, const Json **nodes, Err *err)
{
    Flow *f = w->flow;
    const Json *answer = NULL;
    Str path = flow_job_path(f, w->id, "", (Str){0});
    ErrCode rc = target_call(f->target, w->frame, "GET", path, (Str){0}, job, err);
    path = str_printf(w->frame, STR_FMT "/nodes?deep=true", STR_ARG(path));
    if (rc == OK)
        rc = target_call(f->target, w->frame, "GET", path, (Str){0}, &answer, err);
    *nodes = json_get(answer, "nodes");
    return rc;
}

static void show(Watch *w, const Json *nodes, bool last)
{
    if (w->flow->args.quiet || w->flow->args.json)
        return;
    if (w->terminal)
        draw(w, nodes, last);
    else
        tell_changes(w, nodes);
}

/* Here nobody can approve or signal: the node that waits for that for ever. */
static const Json *hopeless(const Watch *w, const Json *nodes)
{
    if (!target_is_inline(w->flow->target) || !all_wait(nodes))
        return NULL;
    json_each(node, nodes)
        if (str_eq_c(json_text(json_get(node, "state")), "waiting") &&
            json_text(json_get(node, "due")).len == 0)
            return node;
    return NULL;
}

static ErrCode fail_hopeless(const Json *node, Err *err)
{
    Str id = json_text(json_get(node, "id")), uses = json_text(json_get(node, "uses"));
    err_set(err, ERR_CONFLICT,
            "step " STR_FMT " waits for its " STR_FMT ", which nobody can give here", STR_ARG(id),
            STR_ARG(uses));
    err_hint(err, "Run it on a server: start one with platen serve, then --server URL.");
    return ERR_CONFLICT;
}

static void tell_left(const Watch *w)
{
    if (target_is_inline(w->flow->target))
        fprintf(stderr, "\ninterrupted: the job ended with this command\n");
    else if (target_is_inside(w->flow->target))
        fprintf(stderr, "\n" STR_FMT " goes on as soon as a server runs on this data folder\n",
                STR_ARG(w->id));
    else
        fprintf(stderr,
                "\n" STR_FMT " goes on. Show it: platen jobs show " STR_FMT
                "; stop it: platen jobs cancel " STR_FMT "\n",
                STR_ARG(w->id), STR_ARG(w->id), STR_ARG(w->id));
}

/* Until the job has ended, Ctrl-C, or the server is gone. */
static ErrCode watch(Watch *w, bool *ended, Err *err)
{
    *ended = false;
    while (!*ended && !interrupted) {
        const Json *job = NULL, *nodes = NULL;
        ArenaMark paths = arena_mark(w->flow->cli->arena);
        arena_recycle(w->frame);
        ErrCode rc = look(w, &job, &nodes, err);
        if (rc == OK) {
            *ended = has_ended(job);
            const Json *stuck = *ended ? NULL : hopeless(w, nodes);
            show(w, nodes, *ended || stuck != NULL);
            rc = stuck != NULL ? fail_hopeless(stuck, err) : OK;
        }
        arena_rewind(w->flow->cli->arena, paths);
        if (rc != OK)
            return rc;
        if (!*ended && !interrupted)
            usleep((all_wait(nodes) ? LOOK_WAITING_MS : LOOK_MS) * 1000);
    }
    return OK;
}

bool flow_watch(Flow *f, Str id, const Json **job, int *status)
{
    Err err = {0};
    bool ended = false;
    CLEANUP(arena_close) Arena *frame = arena_open(FRAME_MAX);
    Watch *w = arena_new(f->cli->arena, Watch, 1);
    *status = EXIT_FAILED;
    if (frame == NULL || w == NULL)
        return false;
    *w = (Watch){.flow = f, .frame = frame, .id = id, .terminal = term_is_tty(STDERR_FILENO)};
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGINT, &act, NULL); /* ends the pause too */
    sigaction(SIGTERM, &act, NULL);
    ErrCode rc = watch(w, &ended, &err);
    if (rc == OK && ended)
        rc = target_call(f->target, f->cli->arena, "GET", flow_job_path(f, id, "", (Str){0}),
                         (Str){0}, job, &err);
    *status = rc != OK ? EXIT_FAILED : 128 + SIGINT;
    if (rc != OK)
        term_error(&err);
    else if (!ended)
        tell_left(w);
    return rc == OK && ended;
}

int flow_tell_end(Flow *f, const Json *job)
{
    Err err;
    Str state = json_text(json_get(job, "state")), detail = json_text(json_get(job, "detail"));
    Str hint = json_text(json_get(job, "hint")), reason = json_text(json_get(job, "reason"));
    Str id = json_text(json_get(job, "id"));
    if (str_eq_c(state, "done"))
        return EXIT_DONE;
    if (str_eq_c(state, "canceled")) {
        err_set(&err, ERR_CANCELED, STR_FMT " was cancelled", STR_ARG(id));
        term_error(&err);
        return EXIT_FAILED;
    }
    ErrCode code = err_from_reason(reason);
    err_set(&err, code != OK ? code : ERR_INTERNAL, STR_FMT ": " STR_FMT, STR_ARG(reason),
            STR_ARG(detail));
    err_hint(&err, STR_FMT, STR_ARG(hint));
    term_error(&err);
    if (!target_is_inside(f->target))
        fprintf(stderr, "        platen diagnose " STR_FMT "\n", STR_ARG(id));
    return EXIT_FAILED;
}
