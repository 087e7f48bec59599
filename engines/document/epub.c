/* epub.c: EPUB 2 and 3 books.
 *
 *   META-INF/container.xml -> the package file -> its spine -> one XHTML page after another
 *
 * Each page of the spine is read by the HTML reader; its place in the spine is the page number. The
 * table of contents that EPUB 3 keeps as a page is left out. Protected books (DRM) say so;
 * scrambled fonts alone are no protection. */
#include <string.h>

#include "base/buf.h"
#include "document/opc.h"

enum { ITEMS_MAX = 50 * 1000, CREATORS_MAX = 5 };
#define PAGE_BYTES (64 * MIB)

typedef struct Item {
    Str id, path;
    bool readable; /* HTML, and not the table of contents */
    struct Item *next;
} Item;

typedef struct Epub {
    const DocInput *in;
    Doc *out;
    Arena *arena, *scratch;
    Err *err;
    Zip zip;
    Str package;
    Item *items, *last;
    size_t items_len;
    bool other_algorithm, is_protected;
} Epub;

/* ---- finding the package ---- */

static XmlWant container_start(void *ctx, const XmlElem *e)
{
    Epub *x = ctx;
    if (e->id == OCF_ROOTFILE && x->package.len == 0)
        x->package = opc_resolve(x->arena, STR(""), xml_attr(e, "full-path"));
    return XML_ENTER;
}

static ErrCode parse_part(Epub *x, Str name, const XmlHandler *h, Err *err)
{
    const ZipEntry *e = zip_find(&x->zip, name);
    return e != NULL ? xml_parse_entry(&x->zip, e, x->scratch, h, err) : OK;
}

static ErrCode find_package(Epub *x)
{
    XmlHandler h = {.ctx = x, .start = container_start};
    ErrCode rc = parse_part(x, STR("META-INF/container.xml"), &h, x->err);
    if (rc != OK && rc != ERR_INPUT_DAMAGED)
        return rc;
    for (size_t i = 0; i < x->zip.len && zip_find(&x->zip, x->package) == NULL; i++)
        if (str_ends_nocase(x->zip.entries[i].name, STR(".opf")))
            x->package = x->zip.entries[i].name;
    if (zip_find(&x->zip, x->package) == NULL)
        return err_set(x->err, ERR_INPUT_DAMAGED, "the book has no package file");
    return OK;
}

/* ---- protection ---- */

static XmlWant encryption_start(void *ctx, const XmlElem *e)
{
    Epub *x = ctx;
    Str algorithm = xml_attr(e, "Algorithm");
    if (e->id == ENC_ENCRYPTION_METHOD)
        x->other_algorithm = !str_eq_c(algorithm, "http://www.idpf.org/2008/embedding") &&
                             !str_eq_c(algorithm, "http://ns.adobe.com/pdf/enc#RC");
    if (e->id == ENC_CIPHER_REFERENCE && x->other_algorithm)
        x->is_protected = true;
    return XML_ENTER;
}

static ErrCode check_protection(Epub *x)
{
    XmlHandler h = {.ctx = x, .start = encryption_start};
    Err ignored = {0};
    ErrCode rc = parse_part(x, STR("META-INF/encryption.xml"), &h, &ignored);
    if (rc == OK && x->is_protected) {
        rc = err_set(x->err, ERR_INPUT_ENCRYPTED, "the book is protected (DRM)");
        err_hint(x->err, "Ask its publisher for a copy without protection.");
    }
    return rc == ERR_INPUT_ENCRYPTED ? rc : OK;
}

/* ---- the package ---- */

static void put_meta(Epub *x, const XmlElem *root)
{
    static const struct {
        XmlId id;
        const char *key;
    } keys[] = {{DC_TITLE, "title"},
                {DC_LANGUAGE, "language"},
                {DC_SUBJECT, "subject"},
                {DC_DATE, "created"}};
    Buf authors = buf_init(x->scratch, 4 * KIB);
    int creators = 0;
    for (const XmlElem *at = root; at != NULL; at = xml_walk(root, at)) {
        for (size_t i = 0; i < COUNT_OF(keys); i++)
            if (keys[i].id == at->id)
                doc_meta(x->out, keys[i].key, xml_text(at, x->scratch));
        if (at->id == DC_CREATOR && creators++ < CREATORS_MAX) {
            if (authors.len > 0)
                buf_add_c(&authors, ", ");
            buf_add(&authors, str_trim(xml_text(at, x->scratch)));
        }
        if (at->id == OPF_META && str_eq_c(xml_attr(at, "property"), "dcterms:modified"))
            doc_meta(x->out, "modified", xml_text(at, x->scratch));
    }
    if (!authors.failed)
        doc_meta(x->out, "author", buf_str(&authors));
}

static bool has_word(Str list, const char *word)
{
    Str one;
    while (str_next(&list, ' ', &one))
        if (str_eq_c(one, word))
            return true;
    return false;
}

static bool add_item(Epub *x, const XmlElem *e)
{
    Item *item = x->items_len < ITEMS_MAX ? arena_new(x->arena, Item, 1) : NULL;
    if (item == NULL)
        return false;
    Str type = xml_attr(e, "media-type");
    bool html = str_eq_c(type, "application/xhtml+xml") || str_eq_c(type, "text/html") ||
                str_eq_c(type, "text/x-oeb1-document");
    item->id = str_copy(x->arena, xml_attr(e, "id"));
    item->path = opc_resolve(x->arena, x->package, xml_attr(e, "href"));
    item->readable = html && !has_word(xml_attr(e, "properties"), "nav");
    if (x->last != NULL)
        x->last->next = item;
    else
        x->items = item;
    x->last = item;
    x->items_len++;
    return true;
}

static const Item *item_by_id(const Epub *x, Str id)
{
    for (const Item *i = x->items; i != NULL && id.ptr != NULL; i = i->next)
        if (str_eq(i->id, id))
            return i;
    return NULL;
}

/* ---- pages ---- */

static bool is_void(Str name)
{
    static const char *const names[] = {"area",  "base", "br",   "col",   "embed",  "hr",    "img",
                                        "input", "link", "meta", "param", "source", "track", "wbr"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq_nocase(name, str_from_c(names[i])))
            return true;
    return false;
}

/* XHTML may close any element at once (<title/>); to an HTML parser that is only an opening, and
 * the whole page would become the title. Such elements get their closing tag. */
static Str close_empty_elements(Arena *a, Str s)
{
    Buf b = buf_init(a, PAGE_BYTES * 2);
    size_t copied = 0;
    for (size_t at = 0; at < s.len; at++) {
        const char *p = memchr(s.ptr + at, '<', s.len - at);
        if (p == NULL)
            break;
        at = (size_t)(p - s.ptr);
        size_t end = at + 1;
        while (end < s.len && s.ptr[end] != '>' && s.ptr[end] != '<')
            end++;
        if (end >= s.len || s.ptr[end] != '>' || s.ptr[end - 1] != '/')
            continue;
        size_t name_end = at + 1;
        while (name_end < end && strchr(" \t\r\n/", s.ptr[name_end]) == NULL)
            name_end++;
        Str name = str_slice(s, at + 1, name_end);
        if (name.len == 0 || is_void(name))
            continue;
        buf_add(&b, str_slice(s, copied, end - 1));
        buf_add_c(&b, "></");
        buf_add(&b, name);
        buf_add_char(&b, '>');
        copied = end + 1;
        at = end;
    }
    if (copied == 0)
        return s;
    buf_add(&b, str_slice(s, copied, s.len));
    return b.failed ? s : buf_str(&b);
}

static ErrCode read_page(Epub *x, const Item *item, Err *err)
{
    const ZipEntry *e = zip_find(&x->zip, item->path);
    if (e == NULL)
        return err_set(err, ERR_INPUT_DAMAGED, "the book lacks \"" STR_FMT "\"",
                       STR_ARG(str_slice(item->path, 0, 100)));
    Str html = STR("");
    ErrCode rc = zip_read(&x->zip, e, x->scratch, PAGE_BYTES, &html, err);
    if (rc != OK)
        return rc;
    ArenaMark mark = arena_mark(x->arena);
    rc = read_html_fragment(x->in->step, close_empty_elements(x->scratch, html), STR(""), x->out);
    arena_rewind(x->arena, mark);
    return rc;
}

static ErrCode read_spine(Epub *x, const XmlElem *spine)
{
    int64_t page_no = 0;
    ErrCode first = OK;
    for (const XmlElem *ref = spine->first; ref != NULL && !doc_failed(x->out); ref = ref->next) {
        if (ref->id != OPF_ITEMREF)
            continue;
        page_no++;
        const Item *item = item_by_id(x, xml_attr(ref, "idref"));
        if (item == NULL || !item->readable || !pages_wanted(x->in->pages, page_no))
            continue;
        doc_page(x->out, page_no);
        ArenaMark mark = arena_mark(x->scratch);
        ErrCode rc = read_page(x, item, x->err);
        arena_rewind(x->scratch, mark);
        if (rc != OK && rc != ERR_INPUT_DAMAGED && rc != ERR_NO_TEXT)
            return rc;
        if (first == OK && rc == ERR_INPUT_DAMAGED)
            first = rc; /* one damaged page does not hide the others */
    }
    doc_pages_total(x->out, page_no);
    return first;
}

static ErrCode read_book(Epub *x)
{
    const XmlElem *root = NULL;
    ErrCode rc = find_package(x);
    if (rc == OK)
        rc = check_protection(x);
    if (rc == OK)
        rc = xml_read_tree(&x->zip, zip_find(&x->zip, x->package), x->scratch, &root, x->err);
    if (rc != OK)
        return rc;
    put_meta(x, root);
    for (const XmlElem *at = root; at != NULL; at = xml_walk(root, at))
        if (at->id == OPF_ITEM && !add_item(x, at))
            return err_set(x->err, ERR_LIMIT_COUNT, "the book has more than %d parts", ITEMS_MAX);
    const XmlElem *spine = xml_find(root, OPF_SPINE);
    if (spine == NULL)
        return err_set(x->err, ERR_INPUT_DAMAGED, "the book does not say the order of its pages");
    return read_spine(x, spine);
}

ErrCode read_epub(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    CLEANUP(arena_close) Arena *scratch = arena_open(192 * MIB);
    if (scratch == NULL)
        return err_set(in->step->err, ERR_NO_MEMORY, "reading a book");
    Epub x = {.in = in, .out = out, .arena = a, .scratch = scratch, .err = in->step->err};
    ErrCode rc = zip_open(a, in->bytes, &x.zip, x.err);
    if (rc != OK)
        return rc;
    opc_note_repaired(in, &x.zip);
    return opc_forgive(in, out, read_book(&x));
}
