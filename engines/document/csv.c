/* csv.c: tables as text (RFC 4180 and its relatives), streamed as one table.
 *
 * The separator is the one of tab, semicolon, bar and comma that cuts the lines most evenly, or
 * what Excel's "sep=;" says. */
#include "document/detect.h"

#include <string.h>

typedef struct Csv {
    Str text;
    size_t at;
    char separator;
    Doc *out;
} Csv;

/* Line breaks inside quotes are the cell's own. */
static void put_lines(Csv *c, Str field)
{
    Str rest = field, line;
    for (bool first = true; str_next(&rest, '\n', &line); first = false) {
        if (!first)
            doc_break(c->out);
        doc_text(c->out, line);
    }
}

/* From the opening quote past the closing one. Doubled quotes are one. */
static void put_quoted(Csv *c)
{
    c->at++;
    while (c->at < c->text.len) {
        Str rest = str_slice(c->text, c->at, c->text.len);
        size_t quote = str_find_char(rest, '"');
        if (quote == STR_NONE) {
            put_lines(c, rest);
            c->at = c->text.len;
            return;
        }
        bool doubled = quote + 1 < rest.len && rest.ptr[quote + 1] == '"';
        put_lines(c, str_slice(rest, 0, quote + doubled));
        c->at += quote + 1 + doubled;
        if (!doubled)
            return;
    }
}

static bool at_end(const Csv *c)
{
    return c->at >= c->text.len || c->text.ptr[c->at] == '\n' || c->text.ptr[c->at] == '\r';
}

static void put_field(Csv *c)
{
    doc_cell(c->out, 1, 1);
    size_t start = c->at;
    while (start < c->text.len && c->text.ptr[start] == ' ')
        start++;
    if (start < c->text.len && c->text.ptr[start] == '"') {
        c->at = start;
        put_quoted(c);
    }
    size_t from = c->at;
    while (!at_end(c) && c->text.ptr[c->at] != c->separator)
        c->at++;
    doc_text(c->out, str_slice(c->text, from, c->at));
}

static void put_record(Csv *c)
{
    doc_row(c->out);
    for (;;) {
        put_field(c);
        if (at_end(c))
            break;
        c->at++;
        if (at_end(c)) { /* "a,b," has a third, empty field */
            doc_cell(c->out, 1, 1);
            break;
        }
    }
}

static void skip_line_end(Csv *c)
{
    if (c->at < c->text.len && c->text.ptr[c->at] == '\r')
        c->at++;
    if (c->at < c->text.len && c->text.ptr[c->at] == '\n')
        c->at++;
}

static char separator_of(Str *text)
{
    if (str_starts(*text, STR("sep=")) && text->len > 5 &&
        (text->ptr[5] == '\n' || text->ptr[5] == '\r')) {
        char c = text->ptr[4];
        *text = str_slice(*text, 5, text->len);
        return c;
    }
    return detect_separator(*text);
}

ErrCode read_csv(const DocInput *in, Doc *out)
{
    const char *used;
    Csv c = {.out = out};
    ErrCode rc =
        charset_to_utf8(in->step->arena, in->bytes, in->charset, &c.text, &used, in->step->err);
    if (rc != OK)
        return rc;
    c.separator = separator_of(&c.text);
    doc_table(out);
    while (c.at < c.text.len && !doc_failed(out)) {
        if (!at_end(&c))
            put_record(&c);
        skip_line_end(&c);
    }
    doc_table_end(out);
    return OK;
}
