#include "surface/step_docs.h"
#include "surface/help_in.h"

#include <string.h>

/* Text in a table cell: a bar would end the cell, < would begin HTML. */
static void add_cell(Str s, Buf *b)
{
    for (size_t i = 0; i < s.len; i++)
        switch (s.ptr[i]) {
        case '|':
            buf_add_c(b, "\\|");
            break;
        case '<':
            buf_add_c(b, "&lt;");
            break;
        case '\n':
            buf_add_char(b, ' ');
            break;
        default:
            buf_add_char(b, s.ptr[i]);
        }
}

static void add_types(const char *types, Buf *b)
{
    Str rest = str_from_c(types), type;
    bool first = true;
    while (str_next(&rest, ',', &type)) {
        buf_addf(b, "%s`" STR_FMT "`", first ? "" : ", ", STR_ARG(str_trim(type)));
        first = false;
    }
}

static void add_facts(const Step *s, Buf *b)
{
    buf_add_c(b, "- **Takes** ");
    if (s->accepts == NULL)
        buf_add_c(b, "no file");
    else
        add_types(s->accepts, b);
    if (s->inputs_max > 1)
        buf_addf(b, " (up to %d files)", s->inputs_max);
    if (s->input_optional)
        buf_add_c(b, " (may be left out)");
    buf_add_c(b, "\n- **Gives** ");
    if (s->returns == NULL)
        buf_add_c(b, "data only");
    else
        add_types(s->returns, b);
    buf_addf(b, "\n- **Repeats** give the same result%s\n",
             s->cacheable ? ", which is remembered: it depends on the parameters and the file only"
                          : "");
    if (s->limits.time_ms > 0)
        buf_addf(b, "- **Time limit** %g s\n", (double)s->limits.time_ms / 1000);
    if (s->limits.memory_bytes > 0)
        buf_addf(b, "- **Memory limit** %" PRId64 " MiB\n", s->limits.memory_bytes >> 20);
    if (s->engine != NULL)
        buf_addf(b, "- **Engine** `%s`\n", s->engine);
    if (s->calls != NULL) {
        buf_add_c(b, "- **Calls** ");
        add_types(s->calls, b);
        buf_add_c(b, "\n");
    }
    if (s->outside != NULL)
        buf_addf(b,
                 "- **Done by** outside workers: its tasks stand in the queue that `%s` names, and "
                 "the result is what a worker answers\n",
                 s->outside);
    if (s->concurrency > 0)
        buf_addf(b, "- **At once** at most %d\n", s->concurrency);
    if (s->since != NULL)
        buf_addf(b, "- **Since** %s\n", s->since);
}

static void add_param_notes(const Param *p, Buf *b)
{
    if (p->help != NULL)
        add_cell(str_from_c(p->help), b);
    if (p->since != NULL)
        buf_addf(b, " Since %s.", p->since);
    if (p->replaced_by != NULL)
        buf_addf(b, " Replaced by `%s`.", p->replaced_by);
    for (const Choice *c = p->choices; c != NULL && c->name != NULL; c++) {
        buf_addf(b, "<br>`%s`", c->name);
        if (c->help != NULL) {
            buf_add_c(b, ": ");
            add_cell(str_from_c(c->help), b);
        }
    }
}

static void add_params(const Step *s, Buf *b)
{
    if (s->params == NULL || s->params->type == PARAM_TYPE_END)
        return;
    buf_add_c(b, "\n## Parameters\n\n| Name | Type | Default | Meaning |\n|---|---|---|---|\n");
    param_each(p, s->params) {
        buf_addf(b, "| `%s` | ", p->name);
        help_type(p, b);
        buf_add_c(b, " | ");
        if (p->required)
            buf_add_c(b, "**required**");
        else if (param_has_default(p) && p->type != PARAM_TYPE_BOOL) {
            Buf value = buf_init(b->arena, 64 * KIB);
            help_default(p, &value);
            buf_add_char(b, '`');
            add_cell(buf_str(&value), b);
            buf_add_char(b, '`');
        }
        buf_add_c(b, " | ");
        add_param_notes(p, b);
        buf_add_c(b, " |\n");
    }
}

static void add_field_rows(const Field *fields, Str prefix, Buf *b)
{
    for (const Field *f = fields; f != NULL && f->name != NULL; f++) {
        Str name = str_printf(b->arena, STR_FMT "%s%s", STR_ARG(prefix), f->name,
                              f->type == FIELD_TYPE_LIST ? "[]" : "");
        buf_addf(b, "| `" STR_FMT "` | %s%s | ", STR_ARG(name), step_field_type_name(f->type),
                 f->nullable ? " or null" : "");
        if (f->help != NULL)
            add_cell(str_from_c(f->help), b);
        buf_addf(b, "%s |\n", f->optional ? " May be missing." : "");
        Str inner = str_printf(b->arena, STR_FMT ".", STR_ARG(name));
        add_field_rows(f->items, inner, b);
    }
}

static void add_data(const Step *s, Buf *b)
{
    if (s->data == NULL)
        return;
    buf_add_c(b, "\n## Data of the result\n\n| Field | Type | Meaning |\n|---|---|---|\n");
    add_field_rows(s->data, STR(""), b);
}

static void add_errors(const Step *s, Buf *b)
{
    if (s->errors == NULL || *s->errors == OK)
        return;
    buf_add_c(
        b, "\n## How it fails\n\n| Reason | Status | Meaning | What to do |\n|---|---|---|---|\n");
    for (const ErrCode *e = s->errors; *e != OK; e++) {
        buf_addf(b, "| `%s` | %d | ", err_reason(*e), err_status(*e));
        add_cell(str_from_c(err_meaning(*e)), b);
        buf_add_c(b, " | ");
        add_cell(str_from_c(err_remedy(*e)), b);
        buf_add_c(b, " |\n");
    }
}

/* The same call over HTTP: multipart when there is a file, JSON otherwise. */
static void add_curl(const Step *s, const Example *e, Buf *b)
{
    const Json *args = NULL;
    if (json_parse(b->arena, str_from_c(e->args != NULL ? e->args : "{}"), &args, NULL) != OK)
        return;
    buf_addf(b,
             "curl -H \"Authorization: Bearer $PLATEN_KEY\" "
             "\"$PLATEN_URL/api/v1/steps/%s?wait=30\" \\\n",
             s->name);
    if (e->input != NULL) {
        buf_addf(b, "  -F file=@%s", e->input);
        json_each(v, args) {
            Str value = help_flag_value(v, b->arena);
            buf_add_c(b, " \\\n  -F ");
            help_shell_word(
                str_printf(b->arena, STR_FMT "=" STR_FMT, STR_ARG(v->key), STR_ARG(value)), b);
        }
        return;
    }
    Buf body = buf_init(b->arena, 64 * KIB);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    json_key(&j, "params");
    json_put(&j, args);
    json_end(&j, '}');
    buf_add_c(b, "  -H 'Content-Type: application/json' -d ");
    help_shell_word(buf_str(&body), b);
}

static void add_examples(const Step *s, Buf *b)
{
    if (s->examples == NULL || s->examples->title == NULL)
        return;
    buf_add_c(b, "\n## Examples\n");
    for (const Example *e = s->examples; e->title != NULL; e++) {
        buf_addf(b, "\n%s:\n\n```sh\n", e->title);
        help_command_line(s, e, b);
        buf_add_char(b, '\n');
        add_curl(s, e, b);
        buf_add_c(b, "\n```\n");
        if (e->expect != NULL)
            buf_addf(b, "\nTested: `%s`.\n", e->expect);
    }
}

void step_docs_page(const Step *s, Buf *b)
{
    buf_addf(b, "<!-- Written by `platen docs`; do not edit. -->\n# %s\n\n**%s.** %s\n\n", s->name,
             s->title, s->summary);
    add_facts(s, b);
    add_params(s, b);
    add_data(s, b);
    add_errors(s, b);
    add_examples(s, b);
}

static Str noun_of(const Step *s)
{
    Str name = str_from_c(s->name);
    return str_slice(name, 0, str_find_char(name, '.'));
}

void step_docs_index(const Registry *r, Buf *b)
{
    Str before = STR("");
    buf_add_c(b, "<!-- Written by `platen docs`; do not edit. -->\n# Steps\n\n"
                 "Everything platen can do, one page each. `platen steps NAME` shows the same in a "
                 "terminal.\n");
    for (size_t i = 0; i < registry_count(r); i++) {
        const Step *s = registry_at(r, i);
        if (s->internal)
            continue;
        if (!str_eq(before, noun_of(s)))
            buf_addf(b, "\n## " STR_FMT "\n\n| Step | What it does |\n|---|---|\n",
                     STR_ARG(noun_of(s)));
        before = noun_of(s);
        buf_addf(b, "| [`%s`](%s.md) | ", s->name, s->name);
        add_cell(str_from_c(s->summary), b);
        buf_add_c(b, " |\n");
    }
}
