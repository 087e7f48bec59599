/* doc_epub.c: an EPUB 3 book: a chapter (a file of its own) for each heading of level 1, a table of
 * contents from the headings of level 1 to 3, and the metadata. The name of the book (its unique
 * identifier) is made from its content, so the same document gives the same bytes. */
#include "document/doc_html_in.h"
#include "document/xml_write.h"
#include "document/zip_write.h"

#include <stdio.h>
#include <string.h>

enum { CHAPTER_BYTES = 256 << 10, NAV_LEVELS = 3, NAV_MAX = 2000, TITLE_MAX = 300 };

typedef struct NavEntry {
    int level;
    int64_t chapter, heading;
    Str title;
} NavEntry;

typedef struct Book {
    ZipOut *zip;
    HtmlBlocks blocks;
    int64_t chapters;
    size_t chapter_bytes;
    bool open; /* a chapter */
    NavEntry *nav;
    size_t nav_len;
    uint64_t hash[2];
} Book;

static void entry(Book *k, const char *name, Str bytes)
{
    zip_out_entry(k->zip, name, false);
    zip_out_put(k->zip, bytes);
}

static void begin(Doc *d)
{
    Book *k = arena_new(d->arena, Book, 1);
    ZipOut *zip = k != NULL ? zip_out_open(d->arena, d->fd) : NULL;
    if (zip != NULL)
        k->nav = arena_new(d->arena, NavEntry, NAV_MAX);
    if (zip == NULL || k->nav == NULL) {
        doc_fail(d, ERR_LIMIT_MEMORY, "beginning the book");
        return;
    }
    k->zip = zip;
    k->hash[0] = 0xcbf29ce484222325u;
    k->hash[1] = 0x84222325cbf29ce4u;
    k->blocks.b = buf_init(d->arena, 2 * DOC_ROW_MAX);
    k->blocks.book = true;
    d->own = k;
    zip_out_entry(zip, "mimetype", true);
    zip_out_put(zip, STR("application/epub+zip"));
    entry(k, "META-INF/container.xml",
          STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
              "<container version=\"1.0\" "
              "xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\">\n<rootfiles>"
              "<rootfile full-path=\"EPUB/package.opf\" "
              "media-type=\"application/oebps-package+xml\"/></rootfiles>\n</container>\n"));
}

/* --- chapters */

static Str language_of(const Doc *d)
{
    Str language = doc_metadata(d, "language");
    for (size_t i = 0; i < language.len; i++) {
        char c = language.ptr[i];
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return STR("und");
    }
    return language.len >= 2 ? language : STR("und");
}

static void add_head(const Doc *d, Buf *b, Str title)
{
    buf_add_c(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE html>\n"
                 "<html xmlns=\"http://www.w3.org/1999/xhtml\" "
                 "xmlns:epub=\"http://www.idpf.org/2007/ops\"");
    xml_add_attribute(b, "lang", language_of(d));
    xml_add_attribute(b, "xml:lang", language_of(d));
    buf_add_c(b, ">\n<head>\n<title>");
    xml_add(b, title);
    buf_add_c(b, "</title>\n");
    if (html_style(d->options.style) != NULL)
        buf_add_c(b, "<link rel=\"stylesheet\" type=\"text/css\" href=\"style.css\"/>\n");
    buf_add_c(b, "</head>\n<body>\n");
}

static void hash_in(Book *k, Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        k->hash[0] = (k->hash[0] ^ (unsigned char)s.ptr[i]) * 0x100000001b3u;
        k->hash[1] = (k->hash[1] ^ (unsigned char)s.ptr[i]) * 0x10000000233u;
    }
}

static void flush(Doc *d, Book *k)
{
    Buf *b = &k->blocks.b;
    if (b->failed)
        doc_fail(d, ERR_LIMIT_MEMORY, "a block of the document is too long to write");
    hash_in(k, buf_str(b));
    zip_out_put(k->zip, buf_str(b));
    k->chapter_bytes += b->len;
    buf_clear(b);
}

static void end_chapter(Doc *d, Book *k)
{
    if (!k->open)
        return;
    html_close(d, &k->blocks);
    buf_add_c(&k->blocks.b, "</body>\n</html>\n");
    flush(d, k);
    k->open = false;
}

static void begin_chapter(Doc *d, Book *k, Str title)
{
    char name[64];
    end_chapter(d, k);
    snprintf(name, sizeof name, "EPUB/c%04" PRId64 ".xhtml", ++k->chapters);
    zip_out_entry(k->zip, name, false);
    k->open = true;
    k->chapter_bytes = 0;
    add_head(d, &k->blocks.b, title);
    flush(d, k);
}

static Str short_title(Doc *d, Str text)
{
    size_t cut = text.len < TITLE_MAX ? text.len : TITLE_MAX;
    while (cut > 0 && cut < text.len && ((unsigned char)text.ptr[cut] & 0xC0) == 0x80)
        cut--;
    Str copy = str_copy(d->arena, str_slice(text, 0, cut));
    for (size_t i = 0; i < copy.len && copy.ptr != NULL; i++)
        if (copy.ptr[i] == '\n')
            ((char *)(uintptr_t)copy.ptr)[i] = ' ';
    return copy;
}

static void add_to_nav(Doc *d, Book *k, const DocBlock *b)
{
    if (b->level > NAV_LEVELS || k->nav_len == NAV_MAX)
        return;
    Str title = short_title(d, b->span.text);
    if (title.ptr == NULL)
        doc_fail(d, ERR_LIMIT_MEMORY, "keeping the table of contents");
    else
        k->nav[k->nav_len++] = (NavEntry){b->level, k->chapters, k->blocks.headings + 1, title};
}

static void block(Doc *d, const DocBlock *b)
{
    Book *k = d->own;
    bool heading = b->kind == BLOCK_HEADING;
    if (!k->open || (heading && (b->level == 1 || k->chapter_bytes > CHAPTER_BYTES)))
        begin_chapter(d, k, heading ? b->span.text : doc_title(d));
    if (heading)
        add_to_nav(d, k, b);
    html_block(d, &k->blocks, b);
    flush(d, k);
}

static void table_begin(Doc *d)
{
    Book *k = d->own;
    if (!k->open)
        begin_chapter(d, k, doc_title(d));
    html_table_begin(d, &k->blocks);
}

static void row(Doc *d, const DocRow *r)
{
    Book *k = d->own;
    html_row(d, &k->blocks, r);
    flush(d, k);
}

static void table_end(Doc *d)
{
    html_table_end(d, &((Book *)d->own)->blocks);
}

/* --- the end: contents, style, package */

static void add_nav_item(Buf *b, const NavEntry *e)
{
    buf_addf(b, "<li><a href=\"c%04" PRId64 ".xhtml#s%" PRId64 "\">", e->chapter, e->heading);
    xml_add(b, e->title);
    buf_add_c(b, "</a>");
}

/* Lists in lists; a level that is left out makes no list of its own. */
static void add_nav_list(const Book *k, Buf *b)
{
    int open[NAV_LEVELS + 1], depth = 0;
    for (size_t i = 0; i < k->nav_len; i++) {
        const NavEntry *e = &k->nav[i];
        bool first = depth == 0;
        while (depth > 1 && open[depth - 1] >= e->level && open[depth - 2] >= e->level) {
            buf_add_c(b, "</li></ol>\n");
            depth--;
        }
        if (first || open[depth - 1] < e->level) {
            buf_add_c(b, "<ol>\n");
            open[depth++] = e->level;
        } else {
            buf_add_c(b, "</li>\n");
            open[depth - 1] = e->level;
        }
        add_nav_item(b, e);
    }
    for (; depth > 0; depth--)
        buf_add_c(b, "</li></ol>\n");
}

static void put_nav(Doc *d, Book *k)
{
    Buf *b = &k->blocks.b;
    zip_out_entry(k->zip, "EPUB/nav.xhtml", false);
    add_head(d, b, doc_title(d));
    buf_add_c(b, "<nav epub:type=\"toc\" id=\"toc\">\n<h1>");
    xml_add(b, doc_title(d));
    buf_add_c(b, "</h1>\n");
    if (k->nav_len > 0) {
        add_nav_list(k, b);
    } else {
        buf_add_c(b, "<ol><li><a href=\"c0001.xhtml\">");
        xml_add(b, doc_title(d));
        buf_add_c(b, "</a></li></ol>\n");
    }
    buf_add_c(b, "</nav>\n</body>\n</html>\n");
    flush(d, k);
}

static void add_dc(const Doc *d, Buf *b, const char *element, const char *key)
{
    Str value = doc_metadata(d, key);
    if (value.len == 0)
        return;
    buf_addf(b, "<dc:%s>", element);
    xml_add(b, value);
    buf_addf(b, "</dc:%s>\n", element);
}

/* "2026-01-31T12:00:00+01:00" → "2026-01-31T12:00:00Z"; there must be one, so a fixed day stands for
 * none. */
static void add_modified(const Doc *d, Buf *b)
{
    Str when = doc_metadata(d, "modified");
    if (when.len < 19)
        when = doc_metadata(d, "created");
    bool good = when.len >= 19 && when.ptr[4] == '-' && when.ptr[10] == 'T';
    buf_add_c(b, "<meta property=\"dcterms:modified\">");
    xml_add(b, good ? str_slice(when, 0, 19) : STR("2000-01-01T00:00:00"));
    buf_add_c(b, "Z</meta>\n");
}

static void add_metadata(const Doc *d, const Book *k, Buf *b)
{
    buf_add_c(b, "<metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n");
    buf_addf(b,
             "<dc:identifier id=\"id\">urn:uuid:%08x-%04x-4%03x-8%03x-%012" PRIx64
             "</dc:identifier>\n<dc:title>",
             (unsigned)(k->hash[0] >> 32), (unsigned)(k->hash[0] >> 16 & 0xFFFF),
             (unsigned)(k->hash[0] & 0xFFF), (unsigned)(k->hash[1] >> 48 & 0xFFF),
             k->hash[1] & 0xFFFFFFFFFFFFu);
    xml_add(b, doc_title(d));
    buf_add_c(b, "</dc:title>\n<dc:language>");
    xml_add(b, language_of(d));
    buf_add_c(b, "</dc:language>\n");
    add_dc(d, b, "creator", "author");
    add_dc(d, b, "description", "subject");
    add_dc(d, b, "subject", "keywords");
    add_modified(d, b);
    buf_add_c(b, "</metadata>\n");
}

static void put_package(Doc *d, Book *k)
{
    Buf *b = &k->blocks.b;
    zip_out_entry(k->zip, "EPUB/package.opf", false);
    buf_add_c(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<package "
                 "xmlns=\"http://www.idpf.org/2007/opf\" version=\"3.0\" "
                 "unique-identifier=\"id\">\n");
    add_metadata(d, k, b);
    buf_add_c(b, "<manifest>\n<item id=\"nav\" href=\"nav.xhtml\" "
                 "media-type=\"application/xhtml+xml\" properties=\"nav\"/>\n");
    if (html_style(d->options.style) != NULL)
        buf_add_c(b, "<item id=\"style\" href=\"style.css\" media-type=\"text/css\"/>\n");
    for (int64_t i = 1; i <= k->chapters; i++)
        buf_addf(b,
                 "<item id=\"c%04" PRId64 "\" href=\"c%04" PRId64
                 ".xhtml\" media-type=\"application/xhtml+xml\"/>\n",
                 i, i);
    buf_add_c(b, "</manifest>\n<spine>\n");
    for (int64_t i = 1; i <= k->chapters; i++)
        buf_addf(b, "<itemref idref=\"c%04" PRId64 "\"/>\n", i);
    buf_add_c(b, "</spine>\n</package>\n");
    flush(d, k);
}

static void end(Doc *d)
{
    Book *k = d->own;
    if (k == NULL || d->err.code != OK)
        return;
    end_chapter(d, k);
    put_nav(d, k);
    if (html_style(d->options.style) != NULL)
        entry(k, "EPUB/style.css", str_from_c(html_style(d->options.style)));
    put_package(d, k);
    Err err = {0};
    if (zip_out_end(k->zip, &err) != OK && d->err.code == OK)
        d->err = err;
}

static void drop(Doc *d)
{
    if (d->own != NULL)
        zip_out_drop(&((Book *)d->own)->zip);
}

const DocWriter doc_epub_writer = {
    .format = "epub",
    .media_type = "application/epub+zip",
    .extension = "epub",
    .begin = begin,
    .block = block,
    .table_begin = table_begin,
    .row = row,
    .table_end = table_end,
    .end = end,
    .drop = drop,
};
