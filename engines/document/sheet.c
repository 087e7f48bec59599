#include "document/sheet_in.h"

#include "base/fault.h"
#include "base/fd.h"

#include <string.h>
#include <zlib.h>

enum { CONTENT_MAX = 64 << 20, ANNOTS_MAX = 4 << 20, HREF_MAX = 2000 };

void sheet_fail(Sheet *s, ErrCode code, const char *what)
{
    if (s->err.code == OK)
        err_set(&s->err, code, "%s", what);
}

void sheet_put(Sheet *s, Str bytes)
{
    Err err = {0};
    if (s->err.code != OK || bytes.len == 0)
        return;
    for (size_t i = 0; i < bytes.len; i++) {
        s->hash[0] = (s->hash[0] ^ (unsigned char)bytes.ptr[i]) * 0x100000001b3u;
        s->hash[1] = (s->hash[1] + (unsigned char)bytes.ptr[i]) * 0x9E3779B97F4A7C15u;
    }
    if (fd_write_all(s->fd, bytes.ptr, bytes.len, &err) != OK)
        s->err = err;
    s->at += bytes.len;
}

int sheet_new_object(Sheet *s)
{
    if (s->objects >= SHEET_OBJECTS_MAX) {
        sheet_fail(s, ERR_LIMIT_COUNT, "the PDF would have too many objects");
        return s->objects;
    }
    size_t want = (size_t)s->objects + 2;
    if (want > s->offsets_cap) {
        size_t cap = s->offsets_cap > 0 ? s->offsets_cap * 2 : 1024;
        uint64_t *grown = arena_grow(s->arena, s->offsets, s->offsets_cap * sizeof *s->offsets,
                                     cap * sizeof *s->offsets);
        if (grown == NULL) {
            sheet_fail(s, ERR_LIMIT_MEMORY, "keeping the places of the PDF's objects");
            return s->objects;
        }
        s->offsets = grown;
        s->offsets_cap = cap;
    }
    s->offsets[++s->objects] = 0;
    return s->objects;
}

void sheet_begin_object(Sheet *s, int object)
{
    char head[32];
    Buf b = {.ptr = head, .cap = sizeof head, .ceiling = sizeof head};
    if (s->err.code != OK)
        return;
    s->offsets[object] = s->at;
    buf_addf(&b, "%d 0 obj\n", object);
    sheet_put(s, buf_str(&b));
}

void sheet_put_scratch(Sheet *s, int object)
{
    if (s->scratch.failed)
        sheet_fail(s, ERR_LIMIT_MEMORY, "an object of the PDF is too large");
    sheet_begin_object(s, object);
    sheet_put(s, buf_str(&s->scratch));
    sheet_put(s, STR("\nendobj\n"));
    buf_clear(&s->scratch);
}

static Str packed(Sheet *s, Str bytes)
{
    uLong most = compressBound(bytes.len);
    unsigned char *to = fault_hit("sheet.pack") ? NULL : arena_alloc_raw(s->arena, most);
    if (to == NULL || compress2(to, &most, (const Bytef *)bytes.ptr, bytes.len, 6) != Z_OK) {
        sheet_fail(s, ERR_LIMIT_MEMORY, "packing a part of the PDF");
        return STR("");
    }
    return (Str){(char *)to, most};
}

void sheet_put_stream(Sheet *s, int object, const char *more, Str bytes, bool pack)
{
    if (s->err.code != OK)
        return;
    ArenaMark mark = arena_mark(s->arena);
    char head[512];
    Buf b = {.ptr = head, .cap = sizeof head, .ceiling = sizeof head};
    Str out = pack ? packed(s, bytes) : bytes;
    buf_addf(&b, "<<%s%s/Length %zu>>\nstream\n", more, pack ? "/Filter/FlateDecode" : "", out.len);
    if (b.failed)
        sheet_fail(s, ERR_INTERNAL, "a stream's dictionary is too long");
    sheet_begin_object(s, object);
    sheet_put(s, buf_str(&b));
    sheet_put(s, out);
    sheet_put(s, STR("\nendstream\nendobj\n"));
    arena_rewind(s->arena, mark);
}

void sheet_add_text(Buf *b, Str text)
{
    bool ascii = true;
    for (size_t i = 0; i < text.len; i++)
        ascii = ascii && (unsigned char)text.ptr[i] >= 0x20 && (unsigned char)text.ptr[i] < 0x7F;
    if (ascii) {
        buf_add_char(b, '(');
        for (size_t i = 0; i < text.len; i++) {
            if (strchr("()\\", text.ptr[i]) != NULL)
                buf_add_char(b, '\\');
            buf_add_char(b, text.ptr[i]);
        }
        buf_add_char(b, ')');
        return;
    }
    buf_add_c(b, "<FEFF");
    for (size_t at = 0; at < text.len;) {
        uint32_t cp = str_next_utf8(text, &at);
        if (cp >= 0x10000)
            buf_addf(b, "%04X%04X", 0xD800 + ((cp - 0x10000) >> 10),
                     0xDC00 + ((cp - 0x10000) & 0x3FF));
        else
            buf_addf(b, "%04X", cp);
    }
    buf_add_char(b, '>');
}

/* --- pages */

Sheet *sheet_open(Arena *a, int fd, int pdf_a, Str icc)
{
    Sheet *s = arena_new(a, Sheet, 1);
    if (s == NULL)
        return NULL;
    *s = (Sheet){.arena = a,
                 .fd = fd,
                 .pdf_a = pdf_a,
                 .icc = icc,
                 .hash = {0xcbf29ce484222325u, 0x84222325cbf29ce4u},
                 .kids = buf_init(a, 32 * MIB),
                 .content = buf_init(a, CONTENT_MAX),
                 .annots = buf_init(a, ANNOTS_MAX),
                 .pictures = buf_init(a, MIB),
                 .scratch = buf_init(a, 16 * MIB)};
    s->bookmarks = arena_new(a, SheetBookmark, SHEET_BOOKMARKS_MAX + 1);
    if (s->bookmarks == NULL)
        sheet_fail(s, ERR_LIMIT_MEMORY, "beginning the PDF");
    s->pages_object = sheet_new_object(s);
    s->resources_object = sheet_new_object(s);
    sheet_put(s, pdf_a == 1 ? STR("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")
                            : STR("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"));
    return s;
}

void sheet_begin_page(Sheet *s, float width, float height)
{
    s->page_open = true;
    s->page_object = sheet_new_object(s);
    s->width = width;
    s->height = height;
    s->links = 0;
    buf_clear(&s->content);
    buf_clear(&s->annots);
}

Buf *sheet_content(Sheet *s)
{
    return &s->content;
}

int64_t sheet_pages(const Sheet *s)
{
    return s->pages;
}

/* A URI is ASCII; what is not becomes %XX. */
void sheet_link(Sheet *s, SheetRect r, Str href)
{
    Buf *b = &s->annots;
    if (s->links++ >= SHEET_LINKS_MAX || href.len > HREF_MAX)
        return;
    buf_addf(b,
             "<</Type/Annot/Subtype/Link/F 4/Border[0 0 0]/Rect[%.2f %.2f %.2f %.2f]"
             "/A<</S/URI/URI(",
             (double)r.x0, (double)r.y0, (double)r.x1, (double)r.y1);
    for (size_t i = 0; i < href.len; i++) {
        unsigned char c = (unsigned char)href.ptr[i];
        if (c <= 0x20 || c >= 0x7F)
            buf_addf(b, "%%%02X", c);
        else if (strchr("()\\", (char)c) != NULL)
            buf_addf(b, "\\%c", c);
        else
            buf_add_char(b, (char)c);
    }
    buf_add_c(b, ")>>>>\n");
}

void sheet_bookmark(Sheet *s, int level, Str title, float y)
{
    if (s->bookmarks_len == SHEET_BOOKMARKS_MAX || s->err.code != OK)
        return;
    Str copy = str_copy(s->arena, str_slice(title, 0, 400));
    while (copy.len > 0 && copy.ptr != NULL && !str_is_utf8(copy))
        copy.len--; /* cut inside a character */
    if (copy.ptr == NULL) {
        sheet_fail(s, ERR_LIMIT_MEMORY, "keeping the outline");
        return;
    }
    s->bookmarks[++s->bookmarks_len] =
        (SheetBookmark){.level = level, .page_object = s->page_object, .y = y, .title = copy};
}

void sheet_end_page(Sheet *s)
{
    if (!s->page_open)
        return;
    s->page_open = false;
    if (s->content.failed || s->annots.failed)
        sheet_fail(s, ERR_LIMIT_MEMORY, "a page of the PDF is too full");
    int content = sheet_new_object(s);
    sheet_put_stream(s, content, "", buf_str(&s->content), true);
    Buf *b = &s->scratch;
    buf_addf(b,
             "<</Type/Page/Parent %d 0 R/MediaBox[0 0 %.2f %.2f]/Resources %d 0 R"
             "/Contents %d 0 R",
             s->pages_object, (double)s->width, (double)s->height, s->resources_object, content);
    if (s->annots.len > 0) {
        buf_add_c(b, "/Annots[");
        buf_add(b, buf_str(&s->annots));
        buf_add_char(b, ']');
    }
    buf_add_c(b, ">>");
    sheet_put_scratch(s, s->page_object);
    buf_addf(&s->kids, "%d 0 R ", s->page_object);
    s->pages++;
}

static int put_picture_profile(Sheet *s, const SheetPicture *p)
{
    char more[16];
    Buf b = {.ptr = more, .cap = sizeof more, .ceiling = sizeof more};
    if (p->icc.len == 0)
        return 0;
    int object = sheet_new_object(s);
    buf_addf(&b, "/N %d", p->channels);
    sheet_put_stream(s, object, buf_c(&b), p->icc, true);
    return object;
}

int sheet_picture(Sheet *s, const SheetPicture *p)
{
    if (s->err.code != OK)
        return 0;
    char more[400];
    Buf b = {.ptr = more, .cap = sizeof more, .ceiling = sizeof more};
    int profile = put_picture_profile(s, p), object = sheet_new_object(s);
    buf_addf(&b, "/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent %d/Filter/%s%s",
             p->width, p->height, p->bits, p->filter, p->more);
    if (profile > 0)
        buf_addf(&b, "/ColorSpace[/ICCBased %d 0 R]", profile);
    else
        buf_addf(&b, "/ColorSpace/Device%s",
                 p->channels == 1   ? "Gray"
                 : p->channels == 3 ? "RGB"
                                    : "CMYK");
    sheet_put_stream(s, object, buf_c(&b), p->bytes, false);
    buf_addf(&s->pictures, "/I%d %d 0 R", object, object);
    return object;
}

/* --- the end */

/* Parents, children and neighbours from the order and the levels. */
static void link_bookmarks(Sheet *s)
{
    int open[16] = {0}, levels[16] = {0}, depth = 0;
    for (int i = 1; i <= s->bookmarks_len; i++) {
        SheetBookmark *m = &s->bookmarks[i];
        m->object = sheet_new_object(s);
        while (depth > 0 && levels[depth - 1] >= m->level)
            depth--;
        m->parent = depth > 0 ? open[depth - 1] : 0;
        SheetBookmark *parent = &s->bookmarks[m->parent]; /* 0 stands for the outline itself */
        if (parent->last > 0) {
            s->bookmarks[parent->last].next = i;
            m->prev = parent->last;
        } else {
            parent->first = i;
        }
        parent->last = i;
        if (depth < 15) {
            open[depth] = i;
            levels[depth++] = m->level;
        }
    }
}

static void add_reference(const Sheet *s, Buf *b, const char *key, int bookmark)
{
    if (bookmark > 0)
        buf_addf(b, "/%s %d 0 R", key, s->bookmarks[bookmark].object);
}

static int put_outline(Sheet *s)
{
    Buf *b = &s->scratch;
    if (s->bookmarks_len == 0 || s->err.code != OK)
        return 0;
    s->bookmarks[0] = (SheetBookmark){.object = sheet_new_object(s)};
    link_bookmarks(s);
    for (int i = 1; i <= s->bookmarks_len && s->err.code == OK; i++) {
        const SheetBookmark *m = &s->bookmarks[i];
        buf_add_c(b, "<</Title");
        sheet_add_text(b, m->title);
        buf_addf(b, "/Parent %d 0 R/Dest[%d 0 R/XYZ null %.1f null]",
                 s->bookmarks[m->parent].object, m->page_object, (double)m->y);
        add_reference(s, b, "Prev", m->prev);
        add_reference(s, b, "Next", m->next);
        add_reference(s, b, "First", m->first);
        add_reference(s, b, "Last", m->last);
        if (m->first > 0)
            buf_add_c(b, "/Count -1");
        buf_add_c(b, ">>");
        sheet_put_scratch(s, m->object);
    }
    buf_add_c(b, "<</Type/Outlines");
    add_reference(s, b, "First", s->bookmarks[0].first);
    add_reference(s, b, "Last", s->bookmarks[0].last);
    buf_add_c(b, ">>");
    sheet_put_scratch(s, s->bookmarks[0].object);
    return s->bookmarks[0].object;
}

static void put_resources(Sheet *s)
{
    Buf *b = &s->scratch;
    buf_add_c(b, "<</ProcSet[/PDF/Text/ImageB/ImageC]/Font<<");
    for (int i = 0; i < s->fonts_len; i++)
        buf_addf(b, "/F%d %d 0 R", i, s->fonts[i].object);
    buf_add_c(b, ">>/XObject<<");
    buf_add(b, buf_str(&s->pictures));
    buf_add_c(b, ">>>>");
    sheet_put_scratch(s, s->resources_object);
}

static int put_catalog(Sheet *s, const SheetFacts *f)
{
    Buf *b = &s->scratch;
    int object = sheet_new_object(s), outline = put_outline(s);
    Buf archive = buf_init(s->arena, 4 * KIB);
    if (s->pdf_a > 0)
        sheet_put_archive(s, f, &archive);
    buf_addf(b, "<</Type/Catalog/Pages %d 0 R", s->pages_object);
    if (outline > 0)
        buf_addf(b, "/Outlines %d 0 R", outline);
    if (f->language.len > 0) {
        buf_add_c(b, "/Lang");
        sheet_add_text(b, f->language);
    }
    buf_add_c(b, "/ViewerPreferences<</DisplayDocTitle true>>");
    buf_add(b, buf_str(&archive));
    buf_add_c(b, ">>");
    sheet_put_scratch(s, object);
    return object;
}

static void put_xref(Sheet *s, int catalog, int info)
{
    Buf *b = &s->scratch;
    uint64_t start = s->at;
    buf_addf(b, "xref\n0 %d\n0000000000 65535 f \n", s->objects + 1);
    for (int i = 1; i <= s->objects; i++) {
        if (s->offsets[i] > 0)
            buf_addf(b, "%010" PRIu64 " 00000 n \n", s->offsets[i]);
        else
            buf_add_c(b, "0000000000 00000 f \n");
    }
    buf_addf(b, "trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[", s->objects + 1, catalog, info);
    for (int i = 0; i < 2; i++)
        buf_addf(b, "<%016" PRIx64 "%016" PRIx64 ">", s->hash[0], s->hash[1]);
    buf_addf(b, "]>>\nstartxref\n%" PRIu64 "\n%%%%EOF\n", start);
    if (b->failed)
        sheet_fail(s, ERR_LIMIT_MEMORY, "the PDF has too many objects");
    sheet_put(s, buf_str(b));
    buf_clear(b);
}

ErrCode sheet_end(Sheet *s, const SheetFacts *facts, Err *err)
{
    sheet_end_page(s);
    sheet_put_fonts(s);
    put_resources(s);
    Buf *b = &s->scratch;
    buf_addf(b, "<</Type/Pages/Count %" PRId64 "/Kids[", s->pages);
    buf_add(b, buf_str(&s->kids));
    buf_add_c(b, "]>>");
    if (s->kids.failed)
        sheet_fail(s, ERR_LIMIT_MEMORY, "the PDF has too many pages");
    sheet_put_scratch(s, s->pages_object);
    int info = sheet_put_info(s, facts);
    int catalog = put_catalog(s, facts);
    if (s->err.code == OK)
        put_xref(s, catalog, info);
    if (s->err.code != OK && err != NULL)
        *err = s->err;
    return s->err.code;
}

void sheet_drop(Sheet **s)
{
    if (*s != NULL)
        for (int i = 0; i < (*s)->fonts_len; i++)
            hb_set_destroy((*s)->fonts[i].used);
    *s = NULL;
}
