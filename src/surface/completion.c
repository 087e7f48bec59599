/* Completion scripts: subcommands, steps, and their options with the values of choices.
 *
 * Names come from tables whose rules allow only words (registry_rules.c); help texts are quoted for
 * each shell. */
#include "surface/help_in.h"

#include <string.h>

typedef struct Writer {
    const Registry *registry;
    const HelpCommand *commands;
    size_t len;
    Buf *b;
} Writer;

/* fish knows \' and \\ inside its quotes. */
static void fish_quoted(const char *text, Buf *b)
{
    buf_add_char(b, '\'');
    for (const char *c = text; *c != 0; c++) {
        if (*c == '\'' || *c == '\\')
            buf_add_char(b, '\\');
        buf_add_char(b, *c);
    }
    buf_add_char(b, '\'');
}

static const HelpCommand *step_command(const Writer *w)
{
    for (size_t i = 0; i < w->len; i++)
        if (w->commands[i].takes_step)
            return &w->commands[i];
    return NULL;
}

static void add_flags(const Param *params, Buf *b)
{
    param_each(p, params) {
        buf_add_char(b, ' ');
        help_flag(p->name, b);
    }
}

static void add_choices(const Param *p, Buf *b)
{
    for (const Choice *c = p->choices; c != NULL && c->name != NULL; c++)
        buf_addf(b, "%s%s", c == p->choices ? "" : " ", c->name);
}

/* "flow run" is the verb "run" of "flow". */
static const char *verb_word(const HelpCommand *verb)
{
    const char *space = strchr(verb->name, ' ');
    return space != NULL ? space + 1 : verb->name;
}

static void add_verbs(const HelpCommand *c, Buf *b)
{
    for (size_t i = 0; i < c->verbs_len; i++)
        buf_addf(b, "%s%s", i > 0 ? " " : "", verb_word(&c->verbs[i]));
}

/* bash */

static void bash_choices(const char *where, const Param *params, Buf *b)
{
    param_each(p, params) {
        if (p->type != PARAM_TYPE_CHOICE)
            continue;
        buf_addf(b, "        %s:", where);
        help_flag(p->name, b);
        buf_add_c(b, ") words='");
        add_choices(p, b);
        buf_add_c(b, "' ;;\n");
    }
}

/* "flow/run" in the cases below. */
static void bash_verb_values(const HelpCommand *c, Buf *b)
{
    for (size_t i = 0; i < c->verbs_len; i++) {
        Str where = str_printf(b->arena, "%s/%s", c->name, verb_word(&c->verbs[i]));
        if (where.ptr == NULL)
            b->failed = true;
        else
            bash_choices(where.ptr, c->verbs[i].params, b);
    }
}

static void bash_verbs(const Writer *w)
{
    for (size_t i = 0; i < w->len; i++) {
        const HelpCommand *c = &w->commands[i];
        if (c->verbs == NULL)
            continue;
        buf_addf(w->b,
                 "    if [[ $command == %s ]]; then\n        if ((COMP_CWORD == 2)); then\n"
                 "            COMPREPLY=($(compgen -W '",
                 c->name);
        add_verbs(c, w->b);
        buf_addf(w->b,
                 "' -- \"$cur\"))\n            return\n        fi\n"
                 "        command=%s/${COMP_WORDS[2]}\n    fi\n",
                 c->name);
    }
}

static void bash_values(const Writer *w, const HelpCommand *run)
{
    buf_add_c(w->b, "    case \"$command:$prev\" in\n");
    for (size_t i = 0; i < w->len; i++) {
        if (!w->commands[i].takes_step)
            bash_choices(w->commands[i].name, w->commands[i].params, w->b);
        bash_verb_values(&w->commands[i], w->b);
    }
    for (size_t i = 0; run != NULL && i < registry_count(w->registry); i++)
        if (!registry_at(w->registry, i)->internal) {
            const Step *s = registry_at(w->registry, i);
            Str where = str_printf(w->b->arena, "%s/%s", run->name, s->name);
            if (where.ptr == NULL) {
                w->b->failed = true;
                return;
            }
            bash_choices(where.ptr, s->params, w->b);
            bash_choices(where.ptr, run->params, w->b);
        }
    buf_add_c(w->b, "    esac\n");
}

static void bash_flags(const Writer *w, const HelpCommand *run)
{
    buf_add_c(w->b, "    case \"$command\" in\n");
    for (size_t i = 0; i < w->len; i++) {
        buf_addf(w->b, "        %s) words='--help", w->commands[i].name);
        add_flags(w->commands[i].params, w->b);
        buf_add_c(w->b, "' ;;\n");
        for (size_t v = 0; v < w->commands[i].verbs_len; v++) {
            const HelpCommand *verb = &w->commands[i].verbs[v];
            buf_addf(w->b, "        %s/%s) words='--help", w->commands[i].name, verb_word(verb));
            add_flags(verb->params, w->b);
            buf_add_c(w->b, "' ;;\n");
        }
    }
    for (size_t i = 0; run != NULL && i < registry_count(w->registry); i++) {
        const Step *s = registry_at(w->registry, i);
        if (s->internal)
            continue;
        buf_addf(w->b, "        %s/%s) words='--help", run->name, s->name);
        add_flags(s->params, w->b);
        add_flags(run->params, w->b);
        buf_add_c(w->b, "' ;;\n");
    }
    buf_add_c(w->b, "    esac\n");
}

static void add_step_names(const Writer *w, Buf *b)
{
    bool first = true;
    for (size_t i = 0; i < registry_count(w->registry); i++) {
        if (registry_at(w->registry, i)->internal)
            continue;
        buf_addf(b, "%s%s", first ? "" : " ", registry_at(w->registry, i)->name);
        first = false;
    }
}

static void write_bash(const Writer *w)
{
    const HelpCommand *run = step_command(w);
    buf_add_c(w->b, "# platen completion for bash: source <(platen completion bash)\n"
                    "_platen()\n{\n"
                    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                    "    local command=${COMP_WORDS[1]} words=\n"
                    "    COMPREPLY=()\n"
                    "    if ((COMP_CWORD == 1)); then\n        COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < w->len; i++)
        buf_addf(w->b, "%s%s", i > 0 ? " " : "", w->commands[i].name);
    buf_add_c(w->b, "' -- \"$cur\"))\n        return\n    fi\n");
    buf_addf(w->b,
             "    case $command in %s%ssteps)\n        if ((COMP_CWORD == 2)) && [[ $cur != -* ]]; "
             "then\n"
             "            COMPREPLY=($(compgen -W '",
             run != NULL ? run->name : "", run != NULL ? "|" : "");
    add_step_names(w, w->b);
    buf_add_c(w->b, "' -- \"$cur\"))\n            return\n        fi ;;\n    esac\n");
    if (run != NULL)
        buf_addf(w->b,
                 "    [[ $command == %s ]] && ((COMP_CWORD > 2)) && command=%s/${COMP_WORDS[2]}\n",
                 run->name, run->name);
    bash_verbs(w);
    bash_values(w, run);
    buf_add_c(
        w->b,
        "    if [[ -n $words ]]; then\n        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
        "        return\n    fi\n    [[ $cur == -* ]] || return\n");
    bash_flags(w, run);
    buf_add_c(w->b, "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
                    "complete -o default -F _platen platen\n");
}

/* zsh: _arguments specs '--width[Width of the box.]:width:(a b)' */

/* In a spec, [ ] : and \ are syntax. */
static void zsh_text(const char *text, Buf *b)
{
    for (const char *c = text; *c != 0; c++) {
        if (strchr("[]:\\", *c) != NULL)
            buf_add_char(b, '\\');
        if (*c == '\'')
            buf_add_c(b, "'\\''");
        else
            buf_add_char(b, *c);
    }
}

static void zsh_option(const Param *p, Buf *b)
{
    buf_addf(b, " \\\n            '%s", p->type == PARAM_TYPE_LIST ? "*" : "");
    help_flag(p->name, b);
    buf_add_char(b, '[');
    zsh_text(p->help != NULL ? p->help : "", b);
    buf_add_char(b, ']');
    if (p->type != PARAM_TYPE_BOOL) {
        buf_addf(b, ":%s:", p->name);
        if (p->type == PARAM_TYPE_CHOICE) {
            buf_add_char(b, '(');
            add_choices(p, b);
            buf_add_char(b, ')');
        } else if (p->type == PARAM_TYPE_TEXT) {
            buf_add_c(b, "_files");
        }
    }
    buf_add_char(b, '\'');
}

static void zsh_options(const Param *params, Buf *b)
{
    param_each(p, params)
        zsh_option(p, b);
}

static void zsh_described(const char *name, const char *help, Buf *b)
{
    buf_addf(b, "        '%s:", name);
    zsh_text(help, b);
    buf_add_c(b, "'\n");
}

static void zsh_verbs(const HelpCommand *c, Buf *b)
{
    buf_addf(b, "    if [[ $words[2] == %s ]]; then\n        local -a verbs\n        verbs=(\n",
             c->name);
    for (size_t i = 0; i < c->verbs_len; i++)
        zsh_described(verb_word(&c->verbs[i]), c->verbs[i].summary, b);
    buf_add_c(b, "        )\n        if ((CURRENT == 3)); then\n"
                 "            _describe -t commands command verbs\n            return\n        fi\n"
                 "        case $words[3] in\n");
    for (size_t i = 0; i < c->verbs_len; i++) {
        buf_addf(b, "        %s) _arguments '--help[Show help.]'", verb_word(&c->verbs[i]));
        zsh_options(c->verbs[i].params, b);
        buf_add_c(b, " \\\n            '*:file:_files' ;;\n");
    }
    buf_add_c(b, "        esac\n        return\n    fi\n");
}

static void zsh_run(const Writer *w, const HelpCommand *run)
{
    buf_addf(w->b,
             "    if [[ $words[2] == %s ]] && ((CURRENT > 3)); then\n        case $words[3] in\n",
             run->name);
    for (size_t i = 0; i < registry_count(w->registry); i++) {
        const Step *s = registry_at(w->registry, i);
        if (s->internal)
            continue;
        buf_addf(w->b, "        %s) _arguments '--help[Show help.]'", s->name);
        zsh_options(s->params, w->b);
        zsh_options(run->params, w->b);
        buf_add_c(w->b, " \\\n            '*:file:_files' ;;\n");
    }
    buf_add_c(w->b, "        esac\n        return\n    fi\n");
}

static void write_zsh(const Writer *w)
{
    const HelpCommand *run = step_command(w);
    buf_add_c(
        w->b,
        "#compdef platen\n"
        "# platen completion for zsh: platen completion zsh > a folder of $fpath, as _platen\n"
        "_platen()\n{\n    local -a commands steps\n    commands=(\n");
    for (size_t i = 0; i < w->len; i++)
        zsh_described(w->commands[i].name, w->commands[i].summary, w->b);
    buf_add_c(w->b, "    )\n    steps=(\n");
    for (size_t i = 0; i < registry_count(w->registry); i++)
        if (!registry_at(w->registry, i)->internal)
            zsh_described(registry_at(w->registry, i)->name, registry_at(w->registry, i)->summary,
                          w->b);
    buf_add_c(
        w->b,
        "    )\n    if ((CURRENT == 2)); then\n        _describe -t commands command commands\n"
        "        return\n    fi\n");
    buf_addf(w->b,
             "    if ((CURRENT == 3)) && [[ $words[2] == (%s%ssteps) && $PREFIX != -* ]]; then\n"
             "        _describe -t steps step steps\n        return\n    fi\n",
             run != NULL ? run->name : "", run != NULL ? "|" : "");
    if (run != NULL)
        zsh_run(w, run);
    for (size_t i = 0; i < w->len; i++)
        if (w->commands[i].verbs != NULL)
            zsh_verbs(&w->commands[i], w->b);
    buf_add_c(w->b, "    case $words[2] in\n");
    for (size_t i = 0; i < w->len; i++) {
        buf_addf(w->b, "        %s) _arguments '--help[Show help.]'", w->commands[i].name);
        zsh_options(w->commands[i].params, w->b);
        buf_add_c(w->b, " \\\n            '*:file:_files' ;;\n");
    }
    buf_add_c(w->b, "    esac\n}\n_platen \"$@\"\n");
}

/* fish: one line per completion */

static void fish_options(const char *condition, const Param *params, Buf *b)
{
    param_each(p, params) {
        buf_addf(b, "complete -c platen -n '%s' -l ", condition);
        for (const char *c = p->name; *c != 0; c++)
            buf_add_char(b, *c == '_' ? '-' : *c);
        if (p->type == PARAM_TYPE_CHOICE) {
            buf_add_c(b, " -x -a '");
            add_choices(p, b);
            buf_add_char(b, '\'');
        } else if (p->type != PARAM_TYPE_BOOL) {
            buf_add_c(b, " -r");
        }
        buf_add_c(b, " -d ");
        fish_quoted(p->help, b);
        buf_add_char(b, '\n');
    }
}

static void fish_verbs(const HelpCommand *c, Buf *b)
{
    for (size_t i = 0; i < c->verbs_len; i++) {
        buf_addf(b, "complete -c platen -n '__platen_wants_verb %s' -f -a %s -d ", c->name,
                 verb_word(&c->verbs[i]));
        fish_quoted(c->verbs[i].summary, b);
        buf_add_char(b, '\n');
        Str condition =
            str_printf(b->arena, "__platen_verb %s %s", c->name, verb_word(&c->verbs[i]));
        if (condition.ptr == NULL)
            b->failed = true;
        else
            fish_options(condition.ptr, c->verbs[i].params, b);
    }
}

static void fish_steps(const Writer *w, const HelpCommand *run)
{
    for (size_t i = 0; i < registry_count(w->registry); i++) {
        const Step *s = registry_at(w->registry, i);
        if (s->internal)
            continue;
        buf_addf(w->b, "complete -c platen -n '__platen_wants_step' -a %s -d ", s->name);
        fish_quoted(s->summary, w->b);
        buf_add_char(w->b, '\n');
        if (run == NULL)
            continue;
        Str condition = str_printf(w->b->arena, "__platen_runs %s", s->name);
        if (condition.ptr == NULL)
            w->b->failed = true;
        else
            fish_options(condition.ptr, s->params, w->b);
    }
}

static void write_fish(const Writer *w)
{
    const HelpCommand *run = step_command(w);
    const char *name = run != NULL ? run->name : "run";
    buf_add_c(w->b, "# platen completion for fish: platen completion fish > "
                    "~/.config/fish/completions/platen.fish\n");
    buf_addf(w->b,
             "function __platen_wants_step\n    set -l words (commandline -opc)\n"
             "    test (count $words) -eq 2; and contains -- $words[2] %s steps\nend\n",
             name);
    buf_addf(w->b,
             "function __platen_runs\n    set -l words (commandline -opc)\n"
             "    test (count $words) -ge 3; and test $words[2] = %s; and test $words[3] = "
             "$argv[1]\nend\n",
             name);
    buf_add_c(w->b,
              "function __platen_wants_verb\n    set -l words (commandline -opc)\n"
              "    test (count $words) -eq 2; and test $words[2] = $argv[1]\nend\n"
              "function __platen_verb\n    set -l words (commandline -opc)\n"
              "    test (count $words) -ge 3; and test $words[2] = $argv[1]; and test $words[3] "
              "= $argv[2]\nend\n");
    for (size_t i = 0; i < w->len; i++) {
        const HelpCommand *c = &w->commands[i];
        fish_verbs(c, w->b);
        buf_addf(w->b, "complete -c platen -n __fish_use_subcommand -f -a %s -d ", c->name);
        fish_quoted(c->summary, w->b);
        buf_add_char(w->b, '\n');
        Str condition = str_printf(w->b->arena, "__fish_seen_subcommand_from %s", c->name);
        if (condition.ptr == NULL)
            w->b->failed = true;
        else
            fish_options(condition.ptr, c->params, w->b);
    }
    fish_steps(w, run);
    buf_add_c(w->b, "complete -c platen -l help -d 'Show help.'\n");
}

bool help_completion(Str shell, const Registry *r, const HelpCommand *commands, size_t len, Buf *b)
{
    Writer w = {r, commands, len, b};
    if (str_eq_c(shell, "bash"))
        write_bash(&w);
    else if (str_eq_c(shell, "zsh"))
        write_zsh(&w);
    else if (str_eq_c(shell, "fish"))
        write_fish(&w);
    else
        return false;
    return true;
}
