/* ppt97.c: the text of PowerPoint 97-2003 presentations ([MS-PPT]), for where no office suite is:
 * slide by slide, titles as headings, then what stands in boxes of its own. */
#include "document/readers.h"

#include "document/bytes.h"
#include "document/charset.h"
#include "document/ole.h"

enum { STREAM_MAX = 256 << 20, DEPTH_MAX = 24, LINES_MAX = 100 * 1000, SLIDES_MAX = 4000 };
enum {
    DOCUMENT = 0x03E8,
    SLIDE = 0x03EE,
    SLIDE_PLACE = 0x03F3, /* in the list of slides: here one begins */
    SLIDE_LIST = 0x0FF0,
    TEXT_HEADER = 0x0F9F,
    TEXT_WIDE = 0x0FA0,
    TEXT_NARROW = 0x0FA8,
};
enum { TEXT_TITLE = 0, TEXT_CENTRE_TITLE = 6 };

typedef struct Ppt97 {
    const DocInput *in;
    Doc *out;
    Arena *arena;
    int64_t slide;
    Str slides[SLIDES_MAX]; /* what is drawn on each, in the order of the file */
    size_t slides_len;
    bool in_list; /* of slides, not of masters or notes */
    bool title;
    int64_t texts;
} Ppt97;

static void put_text(Ppt97 *x, Str bytes, const char *charset)
{
    Str text, line;
    ArenaMark mark = arena_mark(x->arena);
    Err ignored = {0};
    if (charset_decode(x->arena, bytes, charset, &text, &ignored) == OK)
        while (str_next(&text, '\r', &line) && x->texts++ < LINES_MAX) {
            if (x->title)
                doc_begin(x->out, BLOCK_HEADING, 2);
            else
                doc_begin(x->out, BLOCK_PARAGRAPH, 0);
            doc_text(x->out, line); /* a line break is a vertical tab, which is white space */
            doc_end(x->out);
        }
    arena_rewind(x->arena, mark);
}

/* The next record: false at the end. */
static bool next_record(Str s, size_t *at, unsigned *kind, unsigned *head, Str *body)
{
    if (*at + 8 > s.len)
        return false;
    size_t len = le32(s, *at + 4), from = *at + 8;
    *head = le16(s, *at);
    *kind = le16(s, *at + 2);
    *body = str_slice(s, from, from + len);
    *at = from + body->len;
    return true;
}

static bool is_container(unsigned head)
{
    return (head & 15) == 15;
}

/* Boxes of a slide that are no placeholders: those have their text in the list. */
static void put_boxes(Ppt97 *x, Str s, int depth)
{
    size_t at = 0;
    unsigned kind, head;
    Str body;
    while (next_record(s, &at, &kind, &head, &body) && !doc_failed(x->out)) {
        if (kind == TEXT_WIDE || kind == TEXT_NARROW)
            put_text(x, body, kind == TEXT_WIDE ? "UTF-16LE" : "windows-1252");
        else if (is_container(head) && depth < DEPTH_MAX)
            put_boxes(x, body, depth + 1);
    }
}

static void end_slide(Ppt97 *x)
{
    x->title = false;
    if (x->slide > 0 && x->slide <= (int64_t)x->slides_len)
        put_boxes(x, x->slides[x->slide - 1], 0);
}

static void walk(Ppt97 *x, Str s, int depth)
{
    size_t at = 0;
    unsigned kind, head;
    Str body;
    while (next_record(s, &at, &kind, &head, &body) && !doc_failed(x->out)) {
        if (kind == SLIDE_LIST) {
            x->in_list = head >> 4 == 0;
            if (x->in_list) {
                walk(x, body, depth + 1);
                end_slide(x);
            }
            x->in_list = false;
        } else if (x->in_list && kind == SLIDE_PLACE) {
            end_slide(x);
            doc_page(x->out, ++x->slide);
        } else if (x->in_list && kind == TEXT_HEADER) {
            x->title = le32(body, 0) == TEXT_TITLE || le32(body, 0) == TEXT_CENTRE_TITLE;
        } else if (x->in_list && (kind == TEXT_WIDE || kind == TEXT_NARROW)) {
            put_text(x, body, kind == TEXT_WIDE ? "UTF-16LE" : "windows-1252");
        } else if (is_container(head) && depth < DEPTH_MAX && kind != SLIDE) {
            walk(x, body, depth + 1);
        }
    }
}

ErrCode read_ppt97(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    Ole o;
    ErrCode rc = ole_open(a, in->bytes, &o, in->step->err);
    if (rc != OK)
        return rc;
    Str s = ole_read(&o, ole_find(&o, 0, "PowerPoint Document"), a, STREAM_MAX);
    if (s.len < 8)
        return err_set(in->step->err, ERR_INPUT_DAMAGED, "the presentation's stream is missing");
    Ppt97 *x = arena_new(a, Ppt97, 1);
    if (x == NULL)
        return err_set(in->step->err, ERR_LIMIT_MEMORY, "reading a presentation");
    *x = (Ppt97){.in = in, .out = out, .arena = a};
    size_t at = 0;
    unsigned kind, head;
    Str body;
    Str document = s; /* saved again and again, the last one counts */
    while (next_record(s, &at, &kind, &head, &body)) {
        if (kind == SLIDE && x->slides_len < SLIDES_MAX)
            x->slides[x->slides_len++] = body;
        else if (kind == DOCUMENT)
            document = body;
    }
    walk(x, document, 0);
    doc_pages_total(out, x->slide);
    return OK;
}
