/* Help of the subcommands, and examples as command lines. */
#include "surface/help_in.h"

#include <string.h>

static const char *style(const char *escape)
{
    return escape != NULL ? escape : "";
}

static bool is_plain_word(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-_./,:@%+=", c) != NULL;
        if (c == 0 || !plain)
            return false;
    }
    return s.len > 0;
}

void help_shell_word(Str s, Buf *b)
{
    if (is_plain_word(s)) {
        buf_add(b, s);
        return;
    }
    buf_add_char(b, '\'');
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\'')
            buf_add_c(b, "'\\''");
        else
            buf_add_char(b, s.ptr[i]);
    buf_add_char(b, '\'');
}

Str help_flag_value(const Json *v, Arena *a)
{
    Buf b = buf_init(a, 64 * KIB);
    JsonOut j = json_out(&b);
    bool joined = v->type == JSON_LIST;
    if (v->type == JSON_LIST)
        json_each(item, v)
            joined &= item->type == JSON_TEXT;
    if (v->type == JSON_TEXT)
        return v->text;
    if (!joined) {
        json_put(&j, v);
        return buf_str(&b);
    }
    json_each(item, v) {
        if (b.len > 0)
            buf_add_char(&b, ',');
        buf_add(&b, item->text);
    }
    return buf_str(&b);
}

void help_command_line(const Step *s, const Example *e, Buf *b)
{
    const Json *args = NULL;
    buf_addf(b, "platen run %s", s->name);
    if (e->input != NULL) {
        buf_add_char(b, ' ');
        help_shell_word(str_from_c(e->input), b);
    }
    if (e->args == NULL || json_parse(b->arena, str_from_c(e->args), &args, NULL) != OK)
        return;
    json_each(v, args) {
        if (json_is(v, JSON_BOOL) && !v->truth)
            continue;
        const char *name = str_to_c(b->arena, v->key);
        if (name == NULL)
            return;
        buf_add_char(b, ' ');
        help_flag(name, b);
        if (v->type == JSON_BOOL)
            continue;
        buf_add_char(b, ' ');
        help_shell_word(help_flag_value(v, b->arena), b);
    }
}

static void add_commands(const HelpCommand *commands, size_t len, const HelpLook *look, Buf *b)
{
    size_t widest = 0;
    for (size_t i = 0; i < len; i++)
        if (strlen(commands[i].name) > widest)
            widest = strlen(commands[i].name);
    help_heading("Commands", look, b);
    for (size_t i = 0; i < len; i++) {
        int column = (int)widest + 4;
        buf_addf(b, "  %s%s%s%*s", style(look->bold), commands[i].name, style(look->plain),
                 (int)(widest - strlen(commands[i].name)) + 2, "");
        help_wrap(str_from_c(commands[i].summary), column, column, look, b);
    }
}

void help_program(const HelpCommand *commands, size_t len, const HelpLook *look, Buf *b)
{
    buf_addf(b,
             "%splaten%s turns documents, images and archives into something useful, on your own "
             "machine.\n",
             style(look->bold), style(look->plain));
    buf_add_c(b, "\nUsage: platen COMMAND [OPTIONS]\n");
    add_commands(commands, len, look, b);
    buf_add_c(b, "\n`platen COMMAND --help` says more; `platen steps` lists what can be run.\n");
}

/* Lines that follow each other are one paragraph; indented ones and empty ones stay as they are. */
static void add_detail(const char *detail, const HelpLook *look, Buf *b)
{
    Buf paragraph = buf_init(b->arena, 64 * KIB);
    Str rest = str_from_c(detail), line;
    while (detail != NULL && str_next(&rest, '\n', &line)) {
        bool flows = line.len > 0 && line.ptr[0] != ' ';
        if (!flows && paragraph.len > 0) {
            help_wrap(buf_str(&paragraph), 0, 0, look, b);
            buf_clear(&paragraph);
        }
        if (!flows && rest.ptr != NULL)
            buf_addf(b, STR_FMT "\n", STR_ARG(line));
        if (flows && paragraph.len > 0)
            buf_add_char(&paragraph, ' ');
        if (flows)
            buf_add(&paragraph, line);
    }
    if (paragraph.len > 0)
        help_wrap(buf_str(&paragraph), 0, 0, look, b);
}

static void add_usage(const HelpCommand *c, const HelpLook *look, Buf *b)
{
    Buf usage = buf_init(b->arena, 4 * KIB);
    buf_addf(&usage, "Usage: platen %s%s%s%s", c->name, c->operands != NULL ? " " : "",
             c->operands != NULL ? c->operands : "", c->params != NULL ? " [OPTIONS]" : "");
    help_wrap(buf_str(&usage), 14, 0, look, b);
    buf_add_char(b, '\n');
}

void help_command(const HelpCommand *c, const HelpLook *look, Buf *b)
{
    add_usage(c, look, b);
    help_wrap(str_from_c(c->summary), 0, 0, look, b);
    add_detail(c->detail, look, b);
    if (c->verbs != NULL)
        add_commands(c->verbs, c->verbs_len, look, b);
    if (c->params != NULL && c->params->type != PARAM_TYPE_END) {
        help_heading("Options", look, b);
        help_params(c->params, true, look, b);
    }
    if (c->examples == NULL || c->examples[0] == NULL)
        return;
    help_heading("Examples", look, b);
    for (const char *const *e = c->examples; *e != NULL; e++)
        buf_addf(b, "  %s\n", *e);
}

void help_flow(const Step *contract, const HelpCommand *run, const HelpLook *look, Buf *b)
{
    buf_addf(b, "Usage: platen %s %s [OPTIONS]\n\n%s%s%s  %s\n", run->name, contract->name,
             style(look->bold), contract->name, style(look->plain),
             contract->title != NULL ? contract->title : "");
    if (contract->summary != NULL)
        help_wrap(str_from_c(contract->summary), 0, 0, look, b);
    if (contract->params != NULL && contract->params->type != PARAM_TYPE_END) {
        help_heading("Inputs", look, b);
        help_params(contract->params, true, look, b);
    }
    help_heading("Options", look, b);
    help_params(run->params, true, look, b);
}

static Str noun_of(const Step *s)
{
    Str name = str_from_c(s->name);
    return str_slice(name, 0, str_find_char(name, '.'));
}

void help_steps(const Registry *r, bool all, const HelpLook *look, Buf *b)
{
    size_t widest = 0;
    Str before = STR("");
    for (size_t i = 0; i < registry_count(r); i++) {
        const Step *s = registry_at(r, i);
        if ((all || !s->internal) && strlen(s->name) > widest)
            widest = strlen(s->name);
    }
    for (size_t i = 0; i < registry_count(r); i++) {
        const Step *s = registry_at(r, i);
        if (s->internal && !all)
            continue;
        if (before.len > 0 && !str_eq(before, noun_of(s)))
            buf_add_char(b, '\n');
        before = noun_of(s);
        int column = (int)widest + 2;
        buf_addf(b, "%s%s%s%*s", style(look->bold), s->name, style(look->plain),
                 (int)(widest - strlen(s->name)) + 2, "");
        help_wrap(str_from_c(s->summary), column, column, look, b);
    }
}
