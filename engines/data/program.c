#include "data/program.h"
#include "base/fault.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jq.h>

enum { PIECE = 1 << 20, STACK_SLACK = 1 << 20, ALT_STACK = 64 * 1024 };

struct Program {
    const ProgramJob *job;
    jq_state *jq;
    jv_parser *parser;
    size_t read; /* of the input, handed to the parser */
    int64_t values;
    bool input_over, input_bad;
    int notes;
    char said[200]; /* the first thing the compiler said */
};

static ErrCode full(StepCtx *c)
{
    return err_set(c->err, ERR_LIMIT_MEMORY, "the program needs more memory than is allowed");
}

/* ---- texts of jq ---- */

static Str jv_str(jv text)
{
    return (Str){jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text))};
}

/* Consumes `v`: its text, or JSON when it is none. */
static jv as_text(jv v)
{
    return jv_get_kind(v) == JV_KIND_STRING ? v : jv_dump_string(v, 0);
}

/* What the compiler says is meant for a shell:
 * "jq: error: syntax error, unexpected $end (Unix shell quoting issues?) at <top-level>, line 1:" */
static void keep_first_line(char *to, size_t size, Str s)
{
    static const Str noise[] = {
        {"jq: error: ", 11}, {" (Unix shell quoting issues?)", 29}, {"<top-level>, ", 13}};
    Str line = {0};
    size_t len = 0;
    if (!str_next(&s, '\n', &line))
        return;
    if (str_ends(line, STR(":")))
        line.len--;
    for (size_t at = 0; at < line.len && len < size - 1;) {
        size_t skip = 0;
        for (size_t i = 0; i < COUNT_OF(noise) && skip == 0; i++)
            if (str_starts(str_slice(line, at, line.len), noise[i]))
                skip = noise[i].len;
        if (skip == 0)
            to[len++] = line.ptr[at++];
        at += skip;
    }
    while (len == size - 1 && len > 0 && ((unsigned char)to[len - 1] & 0xC0) == 0x80)
        len--; /* not half a character */
    to[len] = 0;
}

static void take_complaint(void *ctx, jv message)
{
    Program *p = ctx;
    message = as_text(message);
    if (p->said[0] == 0)
        keep_first_line(p->said, sizeof p->said, jv_str(message));
    jv_free(message);
}

static void take_debug(void *ctx, jv message)
{
    Program *p = ctx;
    if (p->notes++ < PROGRAM_NOTES_MAX) {
        message = as_text(message);
        step_note(p->job->c, jv_str(message));
    }
    jv_free(message);
}

/* ---- the input ---- */

static void feed(Program *p)
{
    Str in = p->job->input;
    size_t n = in.len - p->read < PIECE ? in.len - p->read : PIECE;
    jv_parser_set_buf(p->parser, in.ptr + p->read, (int)n, p->read + n < in.len);
    p->read += n;
}

/* The next value, or an invalid one at the end and after a fault (p->input_bad, with c->err set). */
static jv next_value(Program *p)
{
    if (p->input_over)
        return jv_invalid();
    for (;;) {
        jv v = jv_parser_next(p->parser);
        if (jv_is_valid(v)) {
            p->values++;
            return v;
        }
        if (jv_invalid_has_msg(jv_copy(v))) {
            jv message = as_text(jv_invalid_get_msg(v));
            err_set(p->job->c->err, ERR_INPUT_DAMAGED, "value %" PRId64 " is not JSON: %.150s",
                    p->values + 1, jv_string_value(message));
            jv_free(message);
            p->input_over = p->input_bad = true;
            return jv_invalid();
        }
        jv_free(v);
        if (p->read == p->job->input.len) {
            p->input_over = true;
            return jv_invalid();
        }
        feed(p);
    }
}

static jv next_input(jq_state *jq, void *ctx)
{
    (void)jq;
    return next_value(ctx);
}

static jv all_values(Program *p)
{
    jv list = jv_array(), v;
    while (jv_is_valid(v = next_value(p)))
        list = jv_array_append(list, v);
    jv_free(v);
    return list;
}

/* ---- results ---- */

static bool deeper_than(jv v, int levels)
{
    jv_kind kind = jv_get_kind(v);
    bool deep = false;
    if (kind != JV_KIND_ARRAY && kind != JV_KIND_OBJECT)
        return false;
    if (levels == 0)
        return true;
    if (kind == JV_KIND_ARRAY) {
        int len = jv_array_length(jv_copy(v));
        for (int i = 0; i < len && !deep; i++) {
            jv item = jv_array_get(jv_copy(v), i);
            deep = deeper_than(item, levels - 1);
            jv_free(item);
        }
        return deep;
    }
    for (int i = jv_object_iter(v); jv_object_iter_valid(v, i) && !deep;
         i = jv_object_iter_next(v, i)) {
        jv item = jv_object_iter_value(v, i);
        deep = deeper_than(item, levels - 1);
        jv_free(item);
    }
    return deep;
}

/* Consumes `v`. */
static ErrCode give_result(Program *p, jv v)
{
    StepCtx *c = p->job->c;
    if (deeper_than(v, PROGRAM_DEPTH_MAX)) {
        jv_free(v);
        return err_set(c->err, ERR_LIMIT_DEPTH, "a result is nested deeper than %d",
                       PROGRAM_DEPTH_MAX);
    }
    bool is_text = jv_get_kind(v) == JV_KIND_STRING;
    jv json = jv_dump_string(jv_copy(v), 0);
    ErrCode rc =
        p->job->result(p->job->ctx, &(ProgramResult){.json = jv_str(json),
                                                     .is_text = is_text,
                                                     .text = is_text ? jv_str(v) : (Str){0}});
    jv_free(json);
    jv_free(v);
    return rc;
}

/* Consumes `v`, which is invalid. */
static ErrCode give_failure(Program *p, jv v)
{
    jv message = as_text(jv_invalid_get_msg(v));
    err_set(p->job->c->err, ERR_TRANSFORM_FAILED, "%.230s", jv_string_value(message));
    jv_free(message);
    return ERR_TRANSFORM_FAILED;
}

/* The program said halt or halt_error. */
static ErrCode halted(Program *p)
{
    jv code = jq_get_exit_code(p->jq), message = jq_get_error_message(p->jq);
    bool well = !jv_is_valid(code) || jv_get_kind(code) != JV_KIND_NUMBER ||
                (int)jv_number_value(code) == 0;
    ErrCode rc = OK;
    if (!well) {
        message = jv_is_valid(message) ? as_text(message) : (jv_free(message), jv_string("halt"));
        rc = err_set(p->job->c->err, ERR_TRANSFORM_FAILED, "%.230s", jv_string_value(message));
    }
    jv_free(message);
    jv_free(code);
    p->input_over = true;
    return rc;
}

/* Consumes `value`. */
static ErrCode run_on(Program *p, jv value)
{
    ErrCode rc = OK;
    jq_start(p->jq, value, 0);
    for (;;) {
        jv v = jq_next(p->jq);
        if (jv_is_valid(v)) {
            rc = give_result(p, v);
            if (rc != OK)
                return rc;
            continue;
        }
        if (p->input_bad || jq_halted(p->jq)) {
            jv_free(v);
            return p->input_bad ? ERR_INPUT_DAMAGED : halted(p);
        }
        if (jv_invalid_has_msg(jv_copy(v)))
            return give_failure(p, v);
        jv_free(v);
        return OK;
    }
}

static ErrCode run_all(Program *p)
{
    if (p->job->input.len == 0)
        return run_on(p, jv_null());
    ErrCode rc = OK;
    if (p->job->slurp) {
        jv list = all_values(p);
        if (!p->input_bad)
            return run_on(p, list);
        jv_free(list);
    }
    while (rc == OK && !p->input_over) {
        jv v = next_value(p);
        if (jv_is_valid(v))
            rc = run_on(p, v);
    }
    return p->input_bad ? ERR_INPUT_DAMAGED : rc;
}

/* ---- compiling ---- */

static jv names_of(Program *p, ErrCode *rc)
{
    StepCtx *c = p->job->c;
    Buf b = buf_init(c->arena, 4 * MIB);
    JsonOut j = json_out(&b);
    if (p->job->names == NULL)
        return jv_object();
    json_put(&j, p->job->names);
    jv names = b.failed ? jv_invalid() : jv_parse_sized(b.ptr, (int)b.len);
    if (jv_is_valid(names))
        return names;
    jv_free(names);
    *rc = full(c);
    return jv_object();
}

static ErrCode compile(Program *p)
{
    ErrCode rc = OK;
    jv names = names_of(p, &rc);
    char *source = str_to_c(p->job->c->arena, p->job->source);
    if (rc == OK && source == NULL)
        rc = full(p->job->c);
    if (rc != OK) {
        jv_free(names);
        return rc;
    }
    jq_set_error_cb(p->jq, take_complaint, p);
    jq_set_debug_cb(p->jq, take_debug, p);
    jq_set_input_cb(p->jq, next_input, p);
    jq_set_attr(p->jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
    jq_set_attr(p->jq, jv_string("JQ_ORIGIN"), jv_string("/nowhere"));
    jq_set_attr(p->jq, jv_string("PROGRAM_ORIGIN"), jv_string("/nowhere"));
    if (jq_compile_args(p->jq, source, names))
        return OK;
    err_set(p->job->c->err, ERR_BAD_PARAM, "%s",
            p->said[0] != 0 ? p->said : "the program does not compile");
    err_hint(p->job->c->err, "the language is jq's; modules cannot be imported");
    err_param(p->job->c->err, "program");
    return ERR_BAD_PARAM;
}

static ErrCode open_and_run(Program *p)
{
    p->jq = fault_hit("program.jq") ? NULL : jq_init();
    p->parser = p->jq != NULL && !fault_hit("program.parser") ? jv_parser_new(0) : NULL;
    ErrCode rc = p->parser != NULL ? compile(p) : full(p->job->c);
    if (rc == OK)
        rc = run_all(p);
    if (p->parser != NULL)
        jv_parser_free(p->parser);
    if (p->jq != NULL)
        jq_teardown(&p->jq);
    return rc;
}

/* ---- the end of the stack, and of memory ----
 * jq frees and prints nested values by recursion, and without a handler of ours it calls a null
 * pointer when memory ends. */

enum { STACK_ENDED = 1, MEMORY_ENDED };
static struct {
    sigjmp_buf back;
    struct sigaction before;
    uintptr_t top;
    size_t size;
} stack;

static void at_fault(int sig, siginfo_t *info, void *ignored)
{
    (void)ignored;
    uintptr_t at = (uintptr_t)info->si_addr;
    if (at < stack.top && stack.top - at < stack.size + STACK_SLACK)
        siglongjmp(stack.back, STACK_ENDED);
    sigaction(sig, &stack.before, NULL); /* a crash like any other: the instruction faults again */
}

static void at_no_memory(void *ignored)
{
    (void)ignored;
    siglongjmp(stack.back, MEMORY_ENDED);
}

static ErrCode come_back(Program *p, int why)
{
    if (why == MEMORY_ENDED)
        return full(p->job->c);
    return err_set(p->job->c->err, ERR_LIMIT_DEPTH,
                   "a value is nested so deeply that the stack ends");
}

static ErrCode run_on_stack(Program *p)
{
    static char alternative[ALT_STACK];
    struct sigaction act = {.sa_sigaction = at_fault,
                            .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    struct rlimit limit = {0};
    stack_t own = {.ss_sp = alternative, .ss_size = sizeof alternative}, other;
    char here;
    getrlimit(RLIMIT_STACK, &limit);
    stack.top = (uintptr_t)&here + STACK_SLACK;
    stack.size = limit.rlim_cur < 1 << 30 ? (size_t)limit.rlim_cur : 1 << 30;
    sigaltstack(&own, &other);
    sigaction(SIGSEGV, &act, &stack.before);
    jv_nomem_handler(at_no_memory, NULL);
    int why = sigsetjmp(stack.back, 1);
    ErrCode rc = why == 0 ? open_and_run(p) : come_back(p, why);
    sigaction(SIGSEGV, &stack.before, NULL);
    sigaltstack(&other, NULL);
    return rc;
}

ErrCode program_run(const ProgramJob *job)
{
    Program p = {.job = job};
    char *nothing[] = {NULL}, **before = environ;
    environ = nothing; /* $ENV, HOME, and what else libraries look for */
    ErrCode rc = run_on_stack(&p);
    environ = before;
    return rc;
}
