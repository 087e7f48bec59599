/* text.c: plain text. Paragraphs stand between empty lines; lines that were wrapped to a width are
 * joined again, others (verse, addresses, logs) keep their breaks. A form feed begins a page. */
#include "document/readers.h"

#include <string.h>

enum { WRAP_MIN = 50, LINES_MAX = 4096 };

static bool is_blank(Str line)
{
    return str_trim(line).len == 0;
}

/* "- text", "* text", "• text", "12. text", "3) text" */
static bool item_of(Str line, int64_t *number, Str *rest)
{
    static const Str bullets[] = {
        {"- ", 2}, {"* ", 2}, {"+ ", 2}, {"\xE2\x80\xA2 ", 4}, {"\xE2\x80\x93 ", 4}};
    line = str_trim(line);
    for (size_t i = 0; i < COUNT_OF(bullets); i++)
        if (str_starts(line, bullets[i])) {
            *number = 0;
            *rest = str_slice(line, bullets[i].len, line.len);
            return true;
        }
    size_t n = 0;
    while (n < line.len && n < 4 && line.ptr[n] >= '0' && line.ptr[n] <= '9')
        n++;
    if (n == 0 || n + 2 > line.len || (line.ptr[n] != '.' && line.ptr[n] != ')') ||
        line.ptr[n + 1] != ' ')
        return false;
    *rest = str_slice(line, n + 2, line.len);
    return str_to_i64(str_slice(line, 0, n), number) && *number > 0;
}

/* Were these lines broken to fit a width? All but the last are long, and about equally so. */
static bool is_wrapped(const Str *lines, size_t len)
{
    size_t longest = 0, shorter = 0;
    for (size_t i = 0; i + 1 < len; i++)
        longest = lines[i].len > longest ? lines[i].len : longest;
    for (size_t i = 0; i + 1 < len; i++)
        shorter += lines[i].len * 4 < longest * 3;
    return len > 1 && longest >= WRAP_MIN && longest <= 200 && shorter * 5 <= len;
}

static size_t indent_of(Str line)
{
    size_t n = 0;
    while (n < line.len && (line.ptr[n] == ' ' || line.ptr[n] == '\t'))
        n += line.ptr[n] == '\t' ? 8 : 1;
    return n;
}

static void put_paragraph(Doc *out, const Str *lines, size_t len)
{
    int64_t number;
    Str rest;
    if (item_of(lines[0], &number, &rest)) {
        size_t left = indent_of(lines[0]);
        for (size_t i = 0; i < len; i++) {
            if (item_of(lines[i], &number, &rest)) {
                size_t in = indent_of(lines[i]);
                doc_item(out, in > left ? (int)((in - left + 1) / 2) : 0, number);
                doc_text(out, rest);
            } else {
                doc_text(out, STR(" "));
                doc_text(out, lines[i]);
            }
        }
        doc_end(out);
        return;
    }
    bool wrapped = is_wrapped(lines, len);
    doc_begin(out, BLOCK_PARAGRAPH, 0);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && !wrapped)
            doc_break(out);
        else if (i > 0)
            doc_text(out, STR(" "));
        doc_text(out, lines[i]);
    }
    doc_end(out);
}

/* The next line without its end; "\n", "\r\n" and "\r" all end one. */
static bool next_line(Str *rest, Str *line)
{
    if (rest->len == 0)
        return false;
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != '\n' && rest->ptr[n] != '\r')
        n++;
    *line = str_slice(*rest, 0, n);
    size_t end = n + (n < rest->len);
    if (n + 1 < rest->len && rest->ptr[n] == '\r' && rest->ptr[n + 1] == '\n')
        end++;
    *rest = str_slice(*rest, end, rest->len);
    return true;
}

static void put_lines(Str text, Str *lines, Doc *out)
{
    Str line;
    size_t len = 0;
    int64_t page = 1;
    if (str_find_char(text, '\f') != STR_NONE)
        doc_page(out, page);
    while (next_line(&text, &line) && !doc_failed(out)) {
        size_t feed = str_find_char(line, '\f');
        bool ends = is_blank(line) || feed != STR_NONE || len == LINES_MAX;
        if (ends && len > 0) {
            put_paragraph(out, lines, len);
            len = 0;
        }
        if (feed != STR_NONE) {
            if (feed > 0)
                put_paragraph(out, &(Str){line.ptr, feed}, 1);
            doc_page(out, ++page);
            line = str_slice(line, feed + 1, line.len);
        }
        if (!is_blank(line))
            lines[len++] = line;
    }
    if (len > 0)
        put_paragraph(out, lines, len);
}

ErrCode read_text(const DocInput *in, Doc *out)
{
    StepCtx *c = in->step;
    const char *used;
    Str text;
    ErrCode rc = charset_to_utf8(c->arena, in->bytes, in->charset, &text, &used, c->err);
    if (rc != OK)
        return rc;
    Str *lines = arena_new(c->arena, Str, LINES_MAX + 1);
    if (lines == NULL)
        return err_set(c->err, ERR_LIMIT_MEMORY, "reading the lines of the text");
    put_lines(text, lines, out);
    return OK;
}

ErrCode read_source(const DocInput *in, Doc *out)
{
    StepCtx *c = in->step;
    const char *used;
    Str text;
    ErrCode rc = charset_to_utf8(c->arena, in->bytes, in->charset, &text, &used, c->err);
    if (rc != OK)
        return rc;
    doc_begin(out, BLOCK_CODE, 0);
    doc_text(out, text);
    doc_end(out);
    return OK;
}
