#include "document/doc_in.h"

#include <string.h>

/* The block or cell in hand is empty again, and no mark is on: marks end with their block. */
void doc_inline_start(Doc *d)
{
    d->span_from = d->text.len;
    d->run_from = d->runs.len / sizeof(DocRun);
    d->pending = PENDING_NONE;
    d->marks = 0;
    memset(d->mark_depth, 0, sizeof d->mark_depth);
}

DocSpan doc_inline_span(Doc *d)
{
    const DocRun *runs = (const DocRun *)(void *)d->runs.ptr;
    size_t count = d->runs.len / sizeof(DocRun);
    return (DocSpan){
        .text = str_slice(buf_str(&d->text), d->span_from, d->text.len),
        .runs = runs != NULL ? runs + d->run_from : NULL,
        .runs_len = count - d->run_from,
        .base = d->span_from,
    };
}

static DocRun *last_run(Doc *d)
{
    size_t count = d->runs.len / sizeof(DocRun);
    return count > d->run_from ? (DocRun *)(void *)d->runs.ptr + count - 1 : NULL;
}

static bool same_link(const Doc *d, const DocRun *r, unsigned marks, size_t href)
{
    unsigned link = 1u << MARK_LINK;
    if ((r->marks & link) != (marks & link))
        return false;
    if (!(marks & link) || r->href == href)
        return true;
    DocRun other = {.href = href};
    return str_eq(doc_run_href(d, r), doc_run_href(d, &other));
}

static void append(Doc *d, Str s, unsigned marks, size_t href)
{
    size_t from = d->text.len;
    buf_add(&d->text, s);
    if (d->text.failed) {
        doc_fail(d, ERR_LIMIT_MEMORY, "a row or block of the document is too long");
        return;
    }
    DocRun *r = last_run(d);
    unsigned code = 1u << MARK_CODE;
    if (r != NULL && same_link(d, r, marks, href) &&
        (r->marks == marks || (r->marks & marks & code) != 0)) {
        r->to = d->text.len; /* two code spans side by side cannot be written: the marks of the
                                first hold */
        return;
    }
    DocRun run = {.from = from, .to = d->text.len, .marks = marks, .href = href};
    buf_add(&d->runs, (Str){(const char *)&run, sizeof run});
    if (d->runs.failed)
        doc_fail(d, ERR_LIMIT_MEMORY, "a row or block of the document changes style too often");
}

/* The space or break before new text. It carries only the marks that both sides have, so that no
 * emphasis begins or ends with white space. */
static void flush_pending(Doc *d)
{
    DocPending p = d->pending;
    d->pending = PENDING_NONE;
    const DocRun *r = last_run(d);
    if (p == PENDING_NONE || r == NULL)
        return;
    unsigned marks = r->marks & d->marks;
    if (!same_link(d, r, d->marks, d->href))
        marks &= ~(1u << MARK_LINK);
    if (p == PENDING_BREAK)
        marks &= ~(1u << MARK_CODE);
    append(d, p == PENDING_BREAK ? STR("\n") : STR(" "), marks, r->href);
}

static void put_visible(Doc *d, Str s)
{
    if (d->pending != PENDING_NONE)
        flush_pending(d);
    append(d, s, d->marks, d->href);
    d->took_text = true;
}

static bool is_code(const Doc *d)
{
    return d->block_open && !d->cell_open && d->block.kind == BLOCK_CODE;
}

/* What becomes of a character that is not plain visible text: a space, a break, nothing, or '?' for
 * "keep it". */
static char fold_of(uint32_t cp)
{
    if (cp == ' ' || cp == '\t' || cp == '\n' || cp == '\r' || cp == '\f' || cp == '\v' ||
        cp == 0xA0 || cp == 0x85 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x202F ||
        cp == 0x205F || cp == 0x3000)
        return ' ';
    if (cp == 0x2028 || cp == 0x2029)
        return '\n';
    if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0xAD || cp == 0x200B || cp == 0xFEFF ||
        (cp & 0xFFFE) == 0xFFFE)
        return 0;
    return '?';
}

static void add_folded(Doc *d, Str s)
{
    size_t at = 0, from = 0;
    while (at < s.len && d->err.code == OK) {
        unsigned char c = (unsigned char)s.ptr[at];
        if (c > 0x20 && c < 0x7F) {
            at++;
            continue;
        }
        size_t start = at;
        uint32_t cp = str_next_utf8(s, &at);
        bool valid = cp != 0xFFFD || (at - start == 3);
        char fold = fold_of(cp);
        if (fold == '?' && valid)
            continue;
        if (start > from)
            put_visible(d, str_slice(s, from, start));
        from = at;
        if (fold == '?')
            put_visible(d, STR("\xEF\xBF\xBD"));
        else if (fold == '\n')
            d->pending = PENDING_BREAK;
        else if (fold == ' ' && d->pending == PENDING_NONE)
            d->pending = PENDING_SPACE;
    }
    if (at > from)
        put_visible(d, str_slice(s, from, at));
}

/* Code keeps its white space; only line ends are made one kind, and control characters go. */
static void add_code(Doc *d, Str s)
{
    char bytes[4];
    d->marks = 0;
    for (size_t at = 0; at < s.len && d->err.code == OK;) {
        size_t start = at;
        uint32_t cp = str_next_utf8(s, &at);
        if (cp == '\r') {
            if (at < s.len && s.ptr[at] == '\n')
                continue;
            cp = '\n';
        }
        if ((cp < 0x20 && cp != '\n' && cp != '\t') || cp == 0x7F || cp == 0xFEFF)
            continue;
        if (cp >= 0x80)
            append(d, (Str){bytes, str_put_utf8(bytes, cp)}, 0, 0);
        else
            append(d, cp == '\n' ? STR("\n") : (Str){s.ptr + start, 1}, 0, 0);
        if (cp > ' ')
            d->took_text = true;
    }
}

/* Text where no block is open begins a paragraph; in a table without a cell, a cell. */
static void want_place(Doc *d)
{
    if (d->table_open && !d->cell_open)
        doc_cell(d, 1, 1);
    else if (!d->table_open && !d->block_open)
        doc_begin(d, BLOCK_PARAGRAPH, 0);
}

/* A block that is longer than any reader of the output would want goes on as another of its kind.
 */
static void split_long(Doc *d)
{
    if (d->cell_open || d->text.len - d->span_from < DOC_BLOCK_MAX)
        return;
    DocBlock b = d->block;
    unsigned marks = d->marks;
    int depth[MARK_COUNT];
    memcpy(depth, d->mark_depth, sizeof depth);
    DocPending pending = d->pending;
    Str href = doc_run_href(d, &(DocRun){.href = d->href});
    char kept[2048];
    size_t len = href.len < sizeof kept ? href.len : 0;
    memcpy(kept, href.ptr, len);

    doc_end(d);
    doc_begin(d, b.kind, b.level);
    if (marks & 1u << MARK_LINK)
        doc_mark(d, MARK_LINK, (Str){kept, len});
    d->marks = len > 0 ? marks : marks & ~(1u << MARK_LINK);
    memcpy(d->mark_depth, depth, sizeof depth);
    d->pending = pending;
}

void doc_text(Doc *d, Str utf8)
{
    enum { STRIDE = 256 << 10 };
    while (utf8.len > 0 && d->err.code == OK) {
        want_place(d);
        size_t n = utf8.len;
        if (n > STRIDE) {
            n = STRIDE;
            while (n > STRIDE - 4 && ((unsigned char)utf8.ptr[n] & 0xC0) == 0x80)
                n--;
        }
        Str part = str_slice(utf8, 0, n);
        if (is_code(d))
            add_code(d, part);
        else
            add_folded(d, part);
        utf8 = str_slice(utf8, n, utf8.len);
        split_long(d);
    }
}

void doc_break(Doc *d)
{
    if (d->err.code != OK || (!d->block_open && !d->cell_open))
        return;
    if (is_code(d))
        append(d, STR("\n"), 0, 0);
    else
        d->pending = PENDING_BREAK;
}

static bool href_allowed(Str href)
{
    if (href.len == 0 || href.len >= 2048)
        return false;
    for (size_t i = 0; i < href.len; i++)
        if ((unsigned char)href.ptr[i] < 0x20 || href.ptr[i] == 0x7F)
            return false;
    size_t colon = str_find_char(href, ':');
    if (colon == STR_NONE)
        return true;
    for (size_t i = 0; i < colon; i++)
        if (strchr("/?#", href.ptr[i]) != NULL)
            return true; /* the colon is not a scheme's */
    Str scheme = str_slice(href, 0, colon);
    return str_eq_nocase(scheme, STR("http")) || str_eq_nocase(scheme, STR("https")) ||
           str_eq_nocase(scheme, STR("mailto"));
}

void doc_mark(Doc *d, MarkKind kind, Str href)
{
    if (d->err.code != OK || kind >= MARK_COUNT)
        return;
    want_place(d);
    if (kind == MARK_LINK) {
        href = str_trim(href);
        if (!href_allowed(href) || d->mark_depth[kind] > 0) {
            d->mark_depth[kind] += d->mark_depth[kind] > 0;
            return;
        }
        d->href = d->hrefs.len;
        size_t len = href.len;
        buf_add(&d->hrefs, (Str){(const char *)&len, sizeof len});
        buf_add(&d->hrefs, href);
        if (d->hrefs.failed) {
            doc_fail(d, ERR_LIMIT_MEMORY, "a row or block of the document holds too many links");
            return;
        }
    }
    d->mark_depth[kind]++;
    d->marks |= 1u << kind;
}

void doc_unmark(Doc *d, MarkKind kind)
{
    if (kind >= MARK_COUNT || d->mark_depth[kind] == 0)
        return;
    if (--d->mark_depth[kind] == 0)
        d->marks &= ~(1u << kind);
}

Str doc_run_href(const Doc *d, const DocRun *r)
{
    size_t len;
    if (d->hrefs.len < sizeof len || r->href > d->hrefs.len - sizeof len)
        return STR("");
    memcpy(&len, d->hrefs.ptr + r->href, sizeof len);
    return (Str){d->hrefs.ptr + r->href + sizeof len, len};
}

/* Han, Hiragana, Katakana: written without spaces, counted one by one. */
static bool counts_alone(uint32_t cp)
{
    return (cp >= 0x3041 && cp <= 0x30FF && cp != 0x30FB) || (cp >= 0x3400 && cp <= 0x4DBF) ||
           (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0xF900 && cp <= 0xFAFF) ||
           (cp >= 0x20000 && cp <= 0x323AF);
}

static bool is_wordy(uint32_t cp)
{
    if (cp < 0x80)
        return (cp >= '0' && cp <= '9') || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z');
    if (cp < 0xC0)
        return cp == 0xAA || cp == 0xB5 || cp == 0xBA;
    bool punct = cp == 0xD7 || cp == 0xF7 || (cp >= 0x2000 && cp <= 0x206F) ||
                 (cp >= 0x2190 && cp <= 0x2BFF) || (cp >= 0x3000 && cp <= 0x3040) || cp == 0x30FB ||
                 (cp >= 0xFE10 && cp <= 0xFE6F) || (cp >= 0xFF00 && cp <= 0xFF0F) ||
                 (cp >= 0xFF1A && cp <= 0xFF20) || cp == 0xFFFD;
    return !punct;
}

int64_t doc_count_words(Str text)
{
    int64_t words = 0;
    bool inside = false;
    for (size_t at = 0; at < text.len;) {
        unsigned char c = (unsigned char)text.ptr[at];
        uint32_t cp = c < 0x80 ? (at++, c) : str_next_utf8(text, &at);
        if (counts_alone(cp)) {
            words++;
            inside = false;
        } else if (cp == ' ' || cp == '\n' || cp == '\t') {
            inside = false;
        } else if (!inside && is_wordy(cp)) {
            words++;
            inside = true;
        }
    }
    return words;
}
