/* markdown.c: Markdown by md4c, in GitHub's dialect. HTML blocks inside are read as HTML. */
#include "document/prose.h"
#include "document/readers.h"

#include <md4c.h>
#include <string.h>

enum { HTML_MAX = 8 << 20, ATTRIBUTE_MAX = 2048 };

typedef struct Md {
    Prose prose;
    StepCtx *step;
    Buf html; /* of the HTML block in hand */
    bool in_html;
    ErrCode rc;
} Md;

/* "&eacute;" by the HTML parser's own table. */
static void put_entity(Md *m, Str entity)
{
    static const struct {
        const char *name, *text;
    } common[] = {{"&amp;", "&"},   {"&lt;", "<"},   {"&gt;", ">"},
                  {"&quot;", "\""}, {"&nbsp;", " "}, {"&#39;", "'"}};
    for (size_t i = 0; i < COUNT_OF(common); i++)
        if (str_eq_c(entity, common[i].name)) {
            prose_text(&m->prose, str_from_c(common[i].text));
            return;
        }
    char text[32];
    prose_text(&m->prose, html_entity(entity, text));
}

static Str attribute(Md *m, const MD_ATTRIBUTE *a)
{
    Str copy =
        a->size < ATTRIBUTE_MAX ? str_copy(m->step->arena, (Str){a->text, a->size}) : STR("");
    return copy.ptr != NULL ? copy : STR("");
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
    Md *m = arg;
    Prose *p = &m->prose;
    switch (type) {
    case MD_BLOCK_QUOTE:
        prose_quote(p, +1);
        break;
    case MD_BLOCK_UL:
        prose_list(p, false, 1);
        break;
    case MD_BLOCK_OL:
        prose_list(p, true, ((const MD_BLOCK_OL_DETAIL *)detail)->start);
        break;
    case MD_BLOCK_LI: {
        const MD_BLOCK_LI_DETAIL *li = detail;
        prose_item(p, 0);
        if (li->is_task)
            prose_text(p, li->task_mark == ' ' ? STR("[ ] ") : STR("[x] "));
        break;
    }
    case MD_BLOCK_H:
        prose_block(p, BLOCK_HEADING, (int)((const MD_BLOCK_H_DETAIL *)detail)->level);
        break;
    case MD_BLOCK_CODE:
        prose_block(p, BLOCK_CODE, 0);
        break;
    case MD_BLOCK_HTML:
        m->in_html = true;
        buf_clear(&m->html);
        break;
    case MD_BLOCK_TABLE:
        prose_end(p);
        doc_table(p->out);
        break;
    case MD_BLOCK_TR:
        doc_row(p->out);
        break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        doc_cell(p->out, 1, 1);
        prose_cell(p, false);
        break;
    default:
        break;
    }
    return doc_failed(p->out);
}

static void read_html_block(Md *m)
{
    m->in_html = false;
    prose_end(&m->prose);
    if (m->rc == OK && !m->html.failed)
        m->rc = read_html_fragment(m->step, buf_str(&m->html), STR("utf-8"), m->prose.out);
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
    Md *m = arg;
    Prose *p = &m->prose;
    (void)detail;
    switch (type) {
    case MD_BLOCK_QUOTE:
        prose_quote(p, -1);
        break;
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
        prose_list_end(p);
        break;
    case MD_BLOCK_HTML:
        read_html_block(m);
        break;
    case MD_BLOCK_TABLE:
        prose_end(p);
        doc_table_end(p->out);
        break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
    case MD_BLOCK_P:
    case MD_BLOCK_H:
    case MD_BLOCK_CODE:
    case MD_BLOCK_LI:
        prose_end(p);
        break;
    default:
        break;
    }
    return m->rc != OK || doc_failed(p->out);
}

static bool mark_of(MD_SPANTYPE type, MarkKind *out)
{
    switch (type) {
    case MD_SPAN_STRONG:
        *out = MARK_BOLD;
        return true;
    case MD_SPAN_EM:
        *out = MARK_ITALIC;
        return true;
    case MD_SPAN_CODE:
        *out = MARK_CODE;
        return true;
    case MD_SPAN_DEL:
        *out = MARK_STRIKE;
        return true;
    case MD_SPAN_A:
        *out = MARK_LINK;
        return true;
    default:
        return false;
    }
}

static int enter_span(MD_SPANTYPE type, void *detail, void *arg)
{
    Md *m = arg;
    MarkKind mark;
    if (mark_of(type, &mark))
        prose_mark(&m->prose, mark,
                   mark == MARK_LINK ? attribute(m, &((const MD_SPAN_A_DETAIL *)detail)->href)
                                     : STR(""));
    return 0;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
    Md *m = arg;
    MarkKind mark;
    (void)detail;
    if (mark_of(type, &mark))
        prose_unmark(&m->prose, mark);
    return 0;
}

static int take_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *arg)
{
    Md *m = arg;
    Str s = {text, size};
    if (m->in_html) {
        buf_add(&m->html, s);
        return 0;
    }
    switch (type) {
    case MD_TEXT_NULLCHAR:
        prose_text(&m->prose, STR("\xEF\xBF\xBD"));
        break;
    case MD_TEXT_BR:
        prose_break(&m->prose);
        break;
    case MD_TEXT_SOFTBR:
        prose_text(&m->prose, STR(" "));
        break;
    case MD_TEXT_ENTITY:
        put_entity(m, s);
        break;
    case MD_TEXT_HTML: /* a tag inside a line: only its break means something */
        if (s.len >= 4 && str_eq_nocase(str_slice(s, 0, 3), STR("<br")))
            prose_break(&m->prose);
        break;
    default:
        prose_text(&m->prose, s);
    }
    return doc_failed(m->prose.out);
}

/* YAML before the text: between two lines of "---". Its simple keys are metadata. */
static Str take_front_matter(Str s, Doc *out)
{
    Str rest = s, line;
    if (!str_next(&rest, '\n', &line) || !str_eq_c(str_trim(line), "---"))
        return s;
    Str body = rest;
    for (int lines = 0; lines < 200 && str_next(&rest, '\n', &line); lines++) {
        if (!str_eq_c(str_trim(line), "---") && !str_eq_c(str_trim(line), "..."))
            continue;
        static const char *const keys[] = {"title", "author", "keywords", "language", "created"};
        Str matter = {body.ptr, (size_t)(line.ptr - body.ptr)}, one;
        while (str_next(&matter, '\n', &one)) {
            size_t colon = str_find_char(one, ':');
            Str key = colon != STR_NONE ? str_slice(one, 0, colon) : STR("");
            Str value = str_trim(str_slice(one, key.len + 1, one.len));
            if (value.len > 1 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
                value.ptr[value.len - 1] == value.ptr[0])
                value = str_slice(value, 1, value.len - 1);
            for (size_t i = 0; i < COUNT_OF(keys); i++)
                if (str_eq_c(key, keys[i]))
                    doc_meta(out, keys[i], value);
        }
        return rest.ptr != NULL ? rest : STR("");
    }
    return s;
}

static bool is_table_rule(Str line)
{
    bool bar = false, dash = false;
    for (size_t i = 0; i < line.len; i++) {
        if (strchr(" |:-\r", line.ptr[i]) == NULL || line.ptr[i] == 0)
            return false;
        bar = bar || line.ptr[i] == '|';
        dash = dash || line.ptr[i] == '-';
    }
    return bar && dash;
}

/* md4c before 0.5 wants three dashes under each column where GitHub takes one: write them out. */
static Str widen_rules(Arena *a, Str text)
{
    Buf b = buf_init(a, text.len * 3 + 16);
    Str rest = text, line;
    bool changed = false;
    while (str_next(&rest, '\n', &line)) {
        bool rule = is_table_rule(line);
        for (size_t i = 0; rule && i < line.len; i++) {
            bool alone = line.ptr[i] == '-' && (i == 0 || line.ptr[i - 1] != '-');
            buf_add_c(&b, alone ? "--" : "");
            buf_add_char(&b, line.ptr[i]);
        }
        if (!rule)
            buf_add(&b, line);
        changed = changed || rule;
        if (rest.ptr != NULL)
            buf_add_char(&b, '\n');
    }
    return changed && !b.failed ? buf_str(&b) : text;
}

ErrCode read_markdown(const DocInput *in, Doc *out)
{
    StepCtx *c = in->step;
    const char *used;
    Str text;
    ErrCode rc = charset_to_utf8(c->arena, in->bytes, in->charset, &text, &used, c->err);
    if (rc != OK)
        return rc;
    text = widen_rules(c->arena, take_front_matter(text, out));
    Md m = {.prose = {.out = out}, .step = c, .html = buf_init(c->arena, HTML_MAX)};
    const MD_PARSER parser = {.flags = MD_DIALECT_GITHUB,
                              .enter_block = enter_block,
                              .leave_block = leave_block,
                              .enter_span = enter_span,
                              .leave_span = leave_span,
                              .text = take_text};
    if (text.len > UINT32_MAX - 16)
        return err_set(c->err, ERR_INPUT_TOO_LARGE, "the text has %zu bytes", text.len);
    int result = md_parse(text.ptr, (MD_SIZE)text.len, &parser, &m);
    prose_end(&m.prose);
    if (m.rc != OK)
        return m.rc;
    return result == -1 ? err_set(c->err, ERR_LIMIT_MEMORY, "the Markdown does not fit into memory")
                        : OK;
}
