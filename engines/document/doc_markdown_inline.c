/* doc_markdown_inline.c: runs to emphasis, links and code spans; escapes only where Markdown would
 * read something else.
 *
 * Emphasis is opened at a run and reaches to the last run that carries it without a gap. It is
 * written only where CommonMark reads it back (the flanking rules) and inside everything that is
 * open already, so marks always nest. */
#include "document/doc_markdown_in.h"

#include <string.h>

typedef struct Open {
    MarkKind kind;
    size_t last; /* the run it closes after */
} Open;

typedef struct Md {
    Doc *d;
    const DocSpan *s;
    const MdPlace *where;
    size_t run;            /* the run in hand */
    Open open[MARK_COUNT]; /* outermost first */
    size_t depth;
    size_t given_up[MARK_COUNT]; /* no second try up to and with this run, plus one */
    size_t tildes;
} Md;

void md_put_spaces(Doc *d, int count)
{
    for (; count >= 8; count -= 8)
        doc_put(d, STR("        "));
    doc_put(d, str_slice(STR("        "), 0, (size_t)count));
}

static bool is_alnum(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_punct(uint32_t cp)
{
    if (cp < 0x80)
        return cp > ' ' && cp != 0x7F && !is_alnum((unsigned char)cp);
    return (cp >= 0xA1 && cp <= 0xBF && cp != 0xAA && cp != 0xB5 && cp != 0xBA) ||
           (cp >= 0x2010 && cp <= 0x2BFF) || (cp >= 0x3001 && cp <= 0x3030) ||
           (cp >= 0xFE10 && cp <= 0xFE6F) || (cp >= 0xFF01 && cp <= 0xFF0F) ||
           (cp >= 0xFF1A && cp <= 0xFF20) || (cp >= 0xFF3B && cp <= 0xFF40) ||
           (cp >= 0xFF5B && cp <= 0xFF65);
}

/* --- plain text */

static int at(Str s, size_t i)
{
    return i < s.len ? (unsigned char)s.ptr[i] : 0;
}

static bool is_gap(int c)
{
    return c == 0 || c == ' ' || c == '\n';
}

static size_t digits_at(Str s, size_t i)
{
    size_t n = 0;
    while (at(s, i + n) >= '0' && at(s, i + n) <= '9')
        n++;
    return n;
}

/* "---", "* * *", "===", "|---|---|": a line of nothing but such marks is a rule, an underline or a
 * table's head. */
static bool only_rule_marks(Str s, size_t i)
{
    size_t marks = 0;
    for (; i < s.len && s.ptr[i] != '\n'; i++) {
        if (strchr("-=*_|:", s.ptr[i]) != NULL)
            marks++;
        else if (s.ptr[i] != ' ')
            return false;
    }
    return marks > 0;
}

/* The index of the character to escape because the line would begin a block; STR_NONE: there is
 * none. */
static size_t line_start_escape(Str s, size_t i)
{
    int c = at(s, i);
    if (c == '>' || c == '~')
        return c == '>' || at(s, i + 1) == '~' ? i : STR_NONE;
    if (c == '#') {
        size_t n = 0;
        while (at(s, i + n) == '#')
            n++;
        return n <= 6 && is_gap(at(s, i + n)) ? i : STR_NONE;
    }
    if ((c == '-' || c == '+' || c == '*') && is_gap(at(s, i + 1)))
        return i;
    if (only_rule_marks(s, i))
        return i;
    size_t n = digits_at(s, i);
    if (n > 0 && n <= 9 && (at(s, i + n) == '.' || at(s, i + n) == ')') && is_gap(at(s, i + n + 1)))
        return i + n;
    if (c == '[') { /* "[a]: b" would be a link's definition and vanish */
        size_t close = str_find(str_slice(s, i, s.len), STR("]:"));
        return close != STR_NONE ? i : STR_NONE;
    }
    return STR_NONE;
}

static bool is_entity(Str s, size_t i)
{
    size_t n = i + 1;
    if (at(s, n) == '#')
        n++;
    size_t from = n;
    while (n < i + 34 && at(s, n) < 0x80 && is_alnum((unsigned char)at(s, n)))
        n++;
    return n > from && at(s, n) == ';';
}

/* "<*@b>" is an address to Markdown. */
static bool is_address(Str s, size_t i)
{
    while (!is_gap(at(s, i)))
        if (at(s, i++) == '@')
            return true;
    return false;
}

static bool in_link(const Md *m)
{
    for (size_t i = 0; i < m->depth; i++)
        if (m->open[i].kind == MARK_LINK)
            return true;
    return false;
}

/* Does the character at `i` need a backslash? `edge`: a delimiter of ours stands beside it. */
static bool needs_escape(const Md *m, size_t i, bool edge)
{
    Str s = m->s->text;
    int c = at(s, i), before = i > 0 ? at(s, i - 1) : 0, after = at(s, i + 1);
    bool before_word = i > 0 && is_alnum((unsigned char)before);
    bool after_word = after != 0 && is_alnum((unsigned char)after);
    switch (c) {
    case '\\':
        return edge || after == 0 || after == '\n' || (after < 0x80 && is_punct((uint32_t)after));
    case '`':
        return true;
    case '*':
        return edge || !is_gap(before) || !is_gap(after);
    case '_':
        return edge || (!(before_word && after_word) && !(is_gap(before) && is_gap(after)));
    case '~':
        return edge || before == '~' || after == '~' || m->tildes > 1;
    case '[':
        return in_link(m);
    case ']':
        return in_link(m) || after == '(' || after == '[';
    case '!':
        return edge; /* before a link it would make a picture of it */
    case '<':
        return edge || after == '/' || after == '!' || after == '?' ||
               (after_word && after < 0x80) || m->where->cell || is_address(s, i + 1);
    case '&':
        return is_entity(s, i);
    case '|':
        return m->where->cell;
    case '#':
        return m->where->heading && i + 1 == s.len;
    default:
        return false;
    }
}

static void put_break(Md *m)
{
    doc_put_c(m->d, m->where->breaks);
    md_put_spaces(m->d, m->where->indent);
    for (int i = 0; i < m->where->quote; i++)
        doc_put(m->d, STR("> "));
}

static void put_plain(Md *m, size_t from, size_t to)
{
    Str s = m->s->text;
    size_t plain = from, block_mark = STR_NONE;
    bool lines = m->where->line_start;
    for (size_t i = from; i < to; i++) {
        if (lines && (i == 0 || s.ptr[i - 1] == '\n'))
            block_mark = line_start_escape(s, i);
        unsigned char c = (unsigned char)s.ptr[i];
        if (is_alnum(c) || c == ' ')
            continue;
        if (c == '\n') {
            doc_put(m->d, str_slice(s, plain, i));
            put_break(m);
            plain = i + 1;
        } else if (i == block_mark ||
                   needs_escape(m, i, (i == from && i > 0) || (i + 1 == to && to < s.len))) {
            doc_put(m->d, str_slice(s, plain, i));
            doc_put_char(m->d, '\\');
            plain = i;
        }
    }
    doc_put(m->d, str_slice(s, plain, to));
}

/* --- code spans and links */

static void put_code(Md *m, size_t from, size_t to)
{
    Str code = str_slice(m->s->text, from, to);
    size_t ticks = 0, run = 0;
    for (size_t i = 0; i < code.len; i++) {
        run = code.ptr[i] == '`' ? run + 1 : 0;
        ticks = run > ticks ? run : ticks;
    }
    bool pad = code.len > 0 && (code.ptr[0] == '`' || code.ptr[code.len - 1] == '`');
    for (size_t i = 0; i <= ticks; i++)
        doc_put_char(m->d, '`');
    if (pad)
        doc_put_char(m->d, ' ');
    for (size_t i = 0; i < code.len; i++) {
        if (code.ptr[i] == '|' && m->where->cell)
            doc_put_char(m->d, '\\');
        doc_put_char(m->d, code.ptr[i] == '\n' ? ' ' : code.ptr[i]);
    }
    if (pad)
        doc_put_char(m->d, ' ');
    for (size_t i = 0; i <= ticks; i++)
        doc_put_char(m->d, '`');
}

static void put_href(Md *m, Str href)
{
    doc_put(m->d, STR("]("));
    for (size_t i = 0; i < href.len; i++) {
        char c = href.ptr[i];
        if (c == ' ')
            doc_put(m->d, STR("%20"));
        else if (c == '<')
            doc_put(m->d, STR("%3C"));
        else if (c == '>')
            doc_put(m->d, STR("%3E"));
        else if (c == '|' && m->where->cell)
            doc_put(m->d, STR("%7C"));
        else {
            if (strchr("()\\*_", c) != NULL && (c != '_' && c != '*'))
                doc_put_char(m->d, '\\');
            doc_put_char(m->d, c);
        }
    }
    doc_put_char(m->d, ')');
}

/* --- nesting */

static bool same_href(const Md *m, size_t i, size_t j)
{
    return m->s->runs[i].href == m->s->runs[j].href ||
           str_eq(doc_run_href(m->d, &m->s->runs[i]), doc_run_href(m->d, &m->s->runs[j]));
}

/* The last run up to which mark `k` of run `i` goes on without a gap. */
static size_t extent(const Md *m, MarkKind k, size_t i)
{
    size_t j = i;
    while (j + 1 < m->s->runs_len && (m->s->runs[j + 1].marks & 1u << k) &&
           (k != MARK_LINK || same_href(m, i, j + 1)))
        j++;
    return j;
}

static uint32_t char_before(Str s, size_t i)
{
    if (i == 0)
        return ' ';
    size_t from = i - 1;
    while (from > 0 && i - from < 4 && ((unsigned char)s.ptr[from] & 0xC0) == 0x80)
        from--;
    return str_next_utf8(s, &from);
}

static uint32_t char_after(Str s, size_t i)
{
    return i < s.len ? str_next_utf8(s, &i) : ' ';
}

/* Would CommonMark read `**` around these runs as emphasis? */
static bool flanks(const Md *m, size_t first, size_t last)
{
    unsigned hard = 1u << MARK_LINK | 1u << MARK_CODE; /* their delimiters are punctuation */
    Str s = m->s->text;
    size_t from = m->s->runs[first].from - m->s->base, to = m->s->runs[last].to - m->s->base;
    uint32_t out_left = char_before(s, from), in_left = char_after(s, from);
    uint32_t in_right = char_before(s, to), out_right = char_after(s, to);
    bool left_punct = is_punct(in_left) || (m->s->runs[first].marks & hard);
    bool right_punct = is_punct(in_right) || (m->s->runs[last].marks & hard);
    if (in_left == ' ' || in_left == '\n' || in_right == ' ' || in_right == '\n')
        return false;
    bool outside_ok_left = is_gap((int)out_left) || is_punct(out_left);
    bool outside_ok_right = is_gap((int)out_right) || is_punct(out_right);
    return (!left_punct || outside_ok_left) && (!right_punct || outside_ok_right);
}

static const char *delimiter(MarkKind k)
{
    static const char *const open[MARK_COUNT] = {[MARK_BOLD] = "**",
                                                 [MARK_ITALIC] = "*",
                                                 [MARK_STRIKE] = "~~",
                                                 [MARK_LINK] = "[",
                                                 [MARK_CODE] = ""};
    return open[k];
}

static bool is_open(const Md *m, MarkKind k)
{
    for (size_t i = 0; i < m->depth; i++)
        if (m->open[i].kind == k)
            return true;
    return false;
}

/* Of the marks of this run that could open here, the one that reaches farthest; links before
 * emphasis. */
static bool next_to_open(Md *m, Open *out)
{
    static const MarkKind order[] = {MARK_LINK, MARK_BOLD, MARK_ITALIC, MARK_STRIKE};
    size_t limit = m->depth > 0 ? m->open[m->depth - 1].last : m->s->runs_len - 1;
    bool any = false;
    for (size_t o = 0; o < COUNT_OF(order); o++) {
        MarkKind k = order[o];
        if (!(m->s->runs[m->run].marks & 1u << k) || is_open(m, k) || m->given_up[k] > m->run)
            continue;
        size_t last = extent(m, k, m->run);
        if (last > limit || (any && last <= out->last))
            continue;
        if (k != MARK_LINK && !flanks(m, m->run, last)) {
            m->given_up[k] = last + 1;
            continue;
        }
        *out = (Open){k, last};
        any = true;
    }
    return any;
}

static void close_done(Md *m)
{
    while (m->depth > 0 && m->open[m->depth - 1].last == m->run) {
        MarkKind k = m->open[--m->depth].kind;
        if (k == MARK_LINK)
            put_href(m, doc_run_href(m->d, &m->s->runs[m->run]));
        else
            doc_put_c(m->d, delimiter(k));
    }
}

void md_put_inline(Doc *d, const DocSpan *s, const MdPlace *where)
{
    Md m = {.d = d, .s = s, .where = where};
    for (size_t i = 0; i < s->text.len; i++)
        m.tildes += s->text.ptr[i] == '~';
    for (m.run = 0; m.run < s->runs_len; m.run++) {
        const DocRun *r = &s->runs[m.run];
        Open next;
        while (next_to_open(&m, &next)) {
            doc_put_c(d, delimiter(next.kind));
            m.open[m.depth++] = next;
        }
        if (r->marks & 1u << MARK_CODE)
            put_code(&m, r->from - s->base, r->to - s->base);
        else
            put_plain(&m, r->from - s->base, r->to - s->base);
        close_done(&m);
    }
}
