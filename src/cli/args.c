#include "cli/cli.h"
#include "core/nearest.h"

#include <string.h>

typedef struct Sorter {
    Arena *arena;
    ArgsTable *tables;
    size_t tables_len;
    Buf given[ARGS_TABLES_MAX]; /* one JSON object per table, as the words gave it */
    JsonOut out[ARGS_TABLES_MAX];
    Err *err;
} Sorter;

typedef struct Hit {
    const Param *param;
    size_t table;
} Hit;

/* Short names, the few that everybody's fingers know. */
static const struct {
    char letter;
    const char *name;
} short_names[] = {{'o', "output"}, {'q', "quiet"}, {'d', "data"}};

Str args_flag(Arena *a, const char *param_name)
{
    Str flag = str_printf(a, "--%s", param_name);
    for (size_t i = 2; i < flag.len; i++)
        if (flag.ptr[i] == '_')
            ((char *)flag.ptr)[i] = '-';
    return flag;
}

static bool is_short(Str word)
{
    return word.len == 2 && word.ptr[0] == '-' && word.ptr[1] != '-';
}

/* Short names are the command's own (-o is --output of `run`, also for a step with an `output`);
 * of long ones the first table has the first word. */
static Hit find_option(const Sorter *s, Str name, bool short_name)
{
    Hit hit = {0};
    for (size_t t = 0; t < s->tables_len && (hit.param == NULL || short_name); t++)
        param_each(p, s->tables[t].params) {
            Str flag = args_flag(s->arena, p->name);
            if (flag.ptr != NULL && str_eq(str_slice(flag, 2, flag.len), name))
                hit = (Hit){p, t};
        }
    return hit;
}

/* "-o" → "output"; a long option gives its name. Empty: not an option. */
static Str option_name(Str word)
{
    if (str_starts(word, STR("--")) && word.len > 2)
        return str_slice(word, 2, word.len);
    if (is_short(word))
        for (size_t i = 0; i < COUNT_OF(short_names); i++)
            if (word.ptr[1] == short_names[i].letter)
                return str_from_c(short_names[i].name);
    return (Str){0};
}

static bool needs_value(const Param *p)
{
    return p->type != PARAM_TYPE_BOOL;
}

/* Lists may be given again and again: what came before is in `lists` until the end. */
typedef struct ListSoFar {
    const Param *param;
    size_t table;
    Buf text;
} ListSoFar;
enum { LISTS_MAX = 16 };

static ErrCode take_value(Sorter *s, Hit hit, Str value, ListSoFar *lists, size_t *lists_len)
{
    if (hit.param->type != PARAM_TYPE_LIST) {
        json_key(&s->out[hit.table], hit.param->name);
        param_from_text(hit.param, value, &s->out[hit.table]);
        return OK;
    }
    size_t i = 0;
    while (i < *lists_len && lists[i].param != hit.param)
        i++;
    if (i == LISTS_MAX)
        return err_set(s->err, ERR_USAGE, "too many different list options");
    if (i == *lists_len) {
        lists[i] = (ListSoFar){hit.param, hit.table, buf_init(s->arena, PARAM_TEXT_MAX)};
        (*lists_len)++;
    } else {
        buf_add_char(&lists[i].text, ',');
    }
    buf_add(&lists[i].text, value);
    return OK;
}

static ErrCode unknown_option(const Sorter *s, Str word)
{
    size_t equals = str_find_char(word, '=');
    Nearest n = nearest_to(str_slice(word, 0, equals == STR_NONE ? word.len : equals));
    for (size_t t = 0; t < s->tables_len; t++)
        param_each(p, s->tables[t].params) {
            Str flag = args_flag(s->arena, p->name);
            if (flag.ptr != NULL)
                nearest_try(&n, flag.ptr);
        }
    err_set(s->err, ERR_USAGE, "there is no option " STR_FMT, STR_ARG(word));
    if (n.name != NULL)
        err_hint(s->err, "Did you mean %s? --help lists the options.", n.name);
    else
        err_hint(s->err, "--help lists the options.");
    return ERR_USAGE;
}

static ErrCode sort_words(Sorter *s, char **words, int words_len, Str *operands,
                          size_t *operands_len, bool *help)
{
    ListSoFar lists[LISTS_MAX];
    size_t lists_len = 0;
    bool only_operands = false;
    for (int i = 0; i < words_len; i++) {
        Str word = str_from_c(words[i]);
        if (only_operands || word.len < 2 || word.ptr[0] != '-') {
            operands[(*operands_len)++] = word;
            continue;
        }
        if (str_eq_c(word, "--")) {
            only_operands = true;
            continue;
        }
        if (str_eq_c(word, "--help") || str_eq_c(word, "-h")) {
            *help = true;
            continue;
        }
        Str name = option_name(word), value = {0};
        size_t equals = str_find_char(name, '=');
        if (equals != STR_NONE) {
            value = str_slice(name, equals + 1, name.len);
            name = str_slice(name, 0, equals);
        }
        Hit hit = find_option(s, name, is_short(word));
        if (hit.param == NULL)
            return unknown_option(s, word);
        if (value.ptr == NULL && needs_value(hit.param)) {
            if (i + 1 == words_len)
                return err_set(s->err, ERR_USAGE, STR_FMT " needs a value", STR_ARG(word));
            value = str_from_c(words[++i]);
        }
        ErrCode rc = take_value(s, hit, value, lists, &lists_len);
        if (rc != OK)
            return rc;
    }
    for (size_t i = 0; i < lists_len; i++) {
        json_key(&s->out[lists[i].table], lists[i].param->name);
        param_from_text(lists[i].param, buf_str(&lists[i].text), &s->out[lists[i].table]);
    }
    return OK;
}

/* All faults in one message: one line each. */
static ErrCode report_faults(Sorter *s, const ParamFaults *faults)
{
    Buf b = buf_init(s->arena, 4 * KIB);
    for (size_t i = 0; i < faults->len; i++) {
        Str name = faults->items[i].param;
        char *name_c = str_to_c(s->arena, name);
        Str flag = name_c != NULL && name.len > 0 ? args_flag(s->arena, name_c) : name;
        buf_addf(&b, "%s" STR_FMT " " STR_FMT, i > 0 ? "; " : "", STR_ARG(flag),
                 STR_ARG(faults->items[i].detail));
    }
    Str all = buf_str(&b);
    err_set(s->err, ERR_BAD_PARAM, STR_FMT, STR_ARG(all));
    err_hint(s->err, "--help shows what each option takes.");
    return ERR_BAD_PARAM;
}

static ErrCode check_tables(Sorter *s)
{
    for (size_t t = 0; t < s->tables_len; t++) {
        const Json *given = NULL;
        ParamFaults faults = {0};
        ErrCode rc = s->given[t].failed
                         ? err_set(s->err, ERR_USAGE, "the command line is too long")
                         : json_parse(s->arena, buf_str(&s->given[t]), &given, s->err);
        if (rc != OK)
            return rc;
        rc = param_check(s->tables[t].params, given, s->arena, &s->tables[t].json, &faults, s->err);
        if (rc != OK)
            return faults.len > 0 ? report_faults(s, &faults) : rc;
    }
    return OK;
}

ErrCode args_sort(Arena *a, char **words, int words_len, ArgsTable *tables, size_t tables_len,
                  Str **operands, size_t *operands_len, bool *help, Err *err)
{
    Sorter s = {.arena = a, .tables = tables, .tables_len = tables_len, .err = err};
    for (size_t t = 0; t < tables_len; t++) {
        s.given[t] = buf_init(a, 4 * MIB);
        s.out[t] = json_out(&s.given[t]);
        json_begin(&s.out[t], '{');
    }
    Str *found = arena_new(a, Str, (size_t)words_len + 1);
    if (found == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the command line");
    size_t found_len = 0;
    *help = false;
    ErrCode rc = sort_words(&s, words, words_len, found, &found_len, help);
    if (rc != OK)
        return rc;
    for (size_t t = 0; t < tables_len; t++)
        json_end(&s.out[t], '}');
    *operands = found;
    *operands_len = found_len;
    return *help ? OK : check_tables(&s);
}
