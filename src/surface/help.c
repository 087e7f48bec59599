#include "surface/help_in.h"

#include <string.h>

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 40, WIDTH_MOST = 110, INDENT = 6, NAMES_MAX = 30 };

static int width_of(const HelpLook *look)
{
    int w = look->width > 0 ? look->width : WIDTH_DEFAULT;
    return w < WIDTH_LEAST ? WIDTH_LEAST : w > WIDTH_MOST ? WIDTH_MOST : w;
}

static const char *style(const char *escape)
{
    return escape != NULL ? escape : "";
}

static void spaces(Buf *b, int n)
{
    for (int i = 0; i < n; i++)
        buf_add_char(b, ' ');
}

void help_heading(const char *text, const HelpLook *look, Buf *b)
{
    buf_addf(b, "\n%s%s%s\n", style(look->bold), text, style(look->plain));
}

/* Words wrapped between `indent` and the width; the cursor stands at column `at` already. */
void help_wrap(Str text, int indent, int at, const HelpLook *look, Buf *b)
{
    int width = width_of(look);
    bool first = true;
    Str rest = text, word;
    while (str_next(&rest, ' ', &word)) {
        if (word.len == 0)
            continue;
        int len = (int)str_count_utf8(word);
        if (!first && at + 1 + len > width) {
            buf_add_char(b, '\n');
            spaces(b, indent);
            at = indent;
        } else if (!first) {
            buf_add_char(b, ' ');
            at++;
        }
        buf_add(b, word);
        at += len;
        first = false;
    }
    buf_add_char(b, '\n');
}

static void wrapped(Str text, int indent, const HelpLook *look, Buf *b)
{
    spaces(b, indent);
    help_wrap(text, indent, indent, look, b);
}

void help_flag(const char *name, Buf *b)
{
    buf_add_c(b, "--");
    for (const char *c = name; *c != 0; c++)
        buf_add_char(b, *c == '_' ? '-' : *c);
}

/* "1 to 16384", "0.5 to 2", "at most 40 bytes" … nothing when any value will do */
static void add_range(const Param *p, Buf *b)
{
    if (p->type == PARAM_TYPE_INT && (p->min != 0 || p->max != 0)) {
        if (p->max == INT64_MAX)
            buf_addf(b, " %" PRId64 " or more", p->min);
        else if (p->min == INT64_MIN)
            buf_addf(b, " %" PRId64 " or less", p->max);
        else
            buf_addf(b, " %" PRId64 " to %" PRId64, p->min, p->max);
    }
    if (p->type == PARAM_TYPE_NUMBER && (p->min_num < 0 || p->max_num > 0))
        buf_addf(b, " %g to %g", p->min_num, p->max_num);
    if (p->unit != NULL)
        buf_addf(b, " %s", p->unit);
    if (p->type == PARAM_TYPE_TEXT && p->max_len > 0)
        buf_addf(b, ", at most %" PRId64 " bytes", p->max_len);
    if (p->type == PARAM_TYPE_LIST && p->max_len > 0)
        buf_addf(b, ", at most %" PRId64, p->max_len);
}

void help_type(const Param *p, Buf *b)
{
    static const char *const names[] = {
        [PARAM_TYPE_INT] = "whole number", [PARAM_TYPE_NUMBER] = "number",
        [PARAM_TYPE_BOOL] = "yes or no",   [PARAM_TYPE_TEXT] = "text",
        [PARAM_TYPE_CHOICE] = "choice",    [PARAM_TYPE_LIST] = "list of texts",
        [PARAM_TYPE_JSON] = "JSON",
    };
    buf_add_c(b, p->secret ? "secret text" : names[p->type]);
    add_range(p, b);
}

void help_default(const Param *p, Buf *b)
{
    Buf value = buf_init(b->arena, 64 * KIB);
    JsonOut j = json_out(&value);
    param_put_default(p, &j);
    Str text = buf_str(&value);
    if (text.len > 2 && text.ptr[0] == '"' && str_find_char(text, '\\') == STR_NONE)
        text = str_slice(text, 1, text.len - 1);
    buf_add(b, text);
}

static void param_head(const Param *p, bool as_flag, const HelpLook *look, Buf *b)
{
    spaces(b, 2);
    buf_add_c(b, style(look->bold));
    if (as_flag)
        help_flag(p->name, b);
    else
        buf_add_c(b, p->name);
    buf_addf(b, "%s%s", style(look->plain), style(look->dim));
    if (!as_flag || p->type != PARAM_TYPE_BOOL) { /* such a flag takes no value */
        buf_add_c(b, "  ");
        help_type(p, b);
    }
    if (p->required)
        buf_add_c(b, ", required");
    else if (param_has_default(p) && p->type != PARAM_TYPE_BOOL) {
        buf_add_c(b, ", default ");
        help_default(p, b);
    }
    if (p->since != NULL)
        buf_addf(b, ", since %s", p->since);
    buf_addf(b, "%s\n", style(look->plain));
}

static void param_choices(const Param *p, const HelpLook *look, Buf *b)
{
    size_t widest = 0;
    for (const Choice *c = p->choices; c != NULL && c->name != NULL; c++)
        if (strlen(c->name) > widest && strlen(c->name) <= NAMES_MAX)
            widest = strlen(c->name);
    for (const Choice *c = p->choices; c != NULL && c->name != NULL; c++) {
        int at = INDENT + 2 + (int)widest + 2;
        spaces(b, INDENT + 2);
        buf_add_c(b, c->name);
        if (c->help == NULL) {
            buf_add_char(b, '\n');
            continue;
        }
        spaces(b, strlen(c->name) <= widest ? (int)(widest - strlen(c->name)) + 2 : 2);
        help_wrap(str_from_c(c->help), at, at, look, b);
    }
}

void help_params(const Param *params, bool as_flags, const HelpLook *look, Buf *b)
{
    param_each(p, params) {
        param_head(p, as_flags, look, b);
        if (p->help != NULL)
            wrapped(str_from_c(p->help), INDENT, look, b);
        if (p->replaced_by != NULL) {
            Str note = str_printf(b->arena, "Replaced by %s; still works.", p->replaced_by);
            wrapped(note, INDENT, look, b);
        }
        param_choices(p, look, b);
    }
}

static void labelled(const char *label, Str text, const HelpLook *look, Buf *b)
{
    if (text.len == 0)
        return;
    enum { LABEL = 12 };
    buf_addf(b, "  %-10s", label);
    help_wrap(text, LABEL, LABEL, look, b);
}

/* One space after each comma, so that long lists wrap. */
static Str spaced(const char *types, Arena *a)
{
    Str all = STR(""), rest = str_from_c(types), type;
    while (str_next(&rest, ',', &type))
        all = all.len == 0
                  ? str_trim(type)
                  : str_printf(a, STR_FMT ", " STR_FMT, STR_ARG(all), STR_ARG(str_trim(type)));
    return all;
}

static Str accepts_text(const Step *s, Arena *a)
{
    if (s->accepts == NULL)
        return STR("no file");
    Str text = spaced(s->accepts, a);
    if (s->inputs_max > 1)
        text = str_printf(a, STR_FMT " (up to %d files)", STR_ARG(text), s->inputs_max);
    if (s->input_optional)
        text = str_printf(a, STR_FMT " (may be left out)", STR_ARG(text));
    return text;
}

static Str limits_text(const Step *s, Arena *a)
{
    Buf b = buf_init(a, KIB);
    const StepLimits *l = &s->limits;
    if (l->time_ms > 0)
        buf_addf(&b, "%g s", (double)l->time_ms / 1000);
    if (l->cpu_ms > 0)
        buf_addf(&b, "%s%g s of CPU", b.len > 0 ? ", " : "", (double)l->cpu_ms / 1000);
    if (l->memory_bytes > 0)
        buf_addf(&b, "%s%" PRId64 " MiB of memory", b.len > 0 ? ", " : "", l->memory_bytes >> 20);
    if (l->output_bytes > 0)
        buf_addf(&b, "%s%" PRId64 " MiB per output", b.len > 0 ? ", " : "", l->output_bytes >> 20);
    return buf_str(&b);
}

static void step_head(const Step *s, const HelpLook *look, Buf *b)
{
    buf_addf(b, "%s%s%s  %s\n", style(look->bold), s->name, style(look->plain), s->title);
    wrapped(str_from_c(s->summary), 2, look, b);
    buf_add_char(b, '\n');
    labelled("takes", accepts_text(s, b->arena), look, b);
    labelled("gives", s->returns != NULL ? spaced(s->returns, b->arena) : STR("data only"), look,
             b);
    labelled("engine", str_from_c(s->engine), look, b);
    labelled("limits", limits_text(s, b->arena), look, b);
    labelled("since", str_from_c(s->since), look, b);
}

static const char *field_type_text(const Field *f)
{
    static const char *const names[] = {
        [FIELD_TYPE_INT] = "whole number", [FIELD_TYPE_NUMBER] = "number",
        [FIELD_TYPE_BOOL] = "yes or no",   [FIELD_TYPE_TEXT] = "text",
        [FIELD_TYPE_LIST] = "list",        [FIELD_TYPE_OBJECT] = "object",
        [FIELD_TYPE_ANY] = "JSON",
    };
    return names[f->type];
}

static void step_fields(const Field *fields, int indent, const HelpLook *look, Buf *b)
{
    for (const Field *f = fields; f != NULL && f->name != NULL; f++) {
        spaces(b, indent);
        buf_addf(b, "%s%s%s  %s%s%s%s%s\n", style(look->bold), f->name, style(look->plain),
                 style(look->dim), field_type_text(f), f->nullable ? " or null" : "",
                 f->optional ? ", may be missing" : "", style(look->plain));
        if (f->help != NULL)
            wrapped(str_from_c(f->help), indent + 4, look, b);
        step_fields(f->items, indent + 4, look, b);
    }
}

static void step_errors(const Step *s, const HelpLook *look, Buf *b)
{
    if (s->errors == NULL || *s->errors == OK)
        return;
    help_heading("Fails with", look, b);
    for (const ErrCode *e = s->errors; *e != OK; e++) {
        enum { COLUMN = 24 };
        int len = (int)strlen(err_reason(*e));
        buf_addf(b, "  %s", err_reason(*e));
        spaces(b, len + 4 < COLUMN ? COLUMN - len - 2 : 2);
        help_wrap(str_from_c(err_meaning(*e)), COLUMN, COLUMN, look, b);
    }
}

static void step_examples(const Step *s, const HelpLook *look, Buf *b)
{
    if (s->examples == NULL || s->examples->title == NULL)
        return;
    help_heading("Examples", look, b);
    for (const Example *e = s->examples; e->title != NULL; e++) {
        buf_addf(b, "  %s%s%s\n    ", style(look->dim), e->title, style(look->plain));
        help_command_line(s, e, b);
        buf_add_char(b, '\n');
    }
}

void help_step(const Step *s, const HelpLook *look, Buf *b)
{
    step_head(s, look, b);
    if (s->params != NULL && s->params->type != PARAM_TYPE_END) {
        help_heading("Parameters", look, b);
        help_params(s->params, false, look, b);
    }
    if (s->data != NULL) {
        help_heading("Data of the result", look, b);
        step_fields(s->data, 2, look, b);
    }
    step_errors(s, look, b);
    step_examples(s, look, b);
}

void help_run(const Step *s, const HelpCommand *run, const HelpLook *look, Buf *b)
{
    buf_addf(b, "Usage: platen %s %s [OPTIONS]%s\n\n", run->name, s->name,
             s->accepts == NULL  ? ""
             : s->inputs_max > 1 ? " FILE…"
             : s->input_optional ? " [FILE]"
                                 : " FILE");
    step_head(s, look, b);
    if (s->params != NULL && s->params->type != PARAM_TYPE_END) {
        help_heading("Options of the step", look, b);
        help_params(s->params, true, look, b);
    }
    if (run->params != NULL) {
        help_heading("Options of run", look, b);
        help_params(run->params, true, look, b);
    }
    step_examples(s, look, b);
}
