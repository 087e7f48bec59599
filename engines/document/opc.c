#include "document/opc.h"

#include <string.h>

#include "base/buf.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void add_decoded(Buf *b, Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        int high = i + 2 < s.len && s.ptr[i] == '%' ? hex_value(s.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s.ptr[i + 2]) : -1;
        if (low >= 0) {
            buf_add_char(b, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_add_char(b, s.ptr[i]);
        }
    }
}

static void drop_segment(Buf *b)
{
    size_t cut = str_rfind_char(buf_str(b), '/');
    b->len = cut == STR_NONE ? 0 : cut;
}

Str opc_resolve(Arena *a, Str part, Str target)
{
    size_t fragment = str_find_char(target, '#');
    if (fragment != STR_NONE)
        target = str_slice(target, 0, fragment);
    Buf b = buf_init(a, 8 * KIB);
    if (!str_starts(target, STR("/"))) {
        buf_add(&b, str_starts(part, STR("/")) ? str_slice(part, 1, part.len) : part);
        drop_segment(&b);
    }
    Str segment;
    while (str_next(&target, '/', &segment)) {
        if (segment.len == 0 || str_eq_c(segment, "."))
            continue;
        if (str_eq_c(segment, "..")) {
            drop_segment(&b);
            continue;
        }
        if (b.len > 0)
            buf_add_char(&b, '/');
        add_decoded(&b, segment);
    }
    return b.failed ? (Str){"", 0} : buf_str(&b);
}

/* ---- relationships ---- */

typedef struct RelsReader {
    Arena *arena;
    Str part;
    OpcRels *out;
} RelsReader;

static Str last_word(Str type)
{
    size_t cut = str_rfind_char(type, '/');
    return cut == STR_NONE ? type : str_slice(type, cut + 1, type.len);
}

static XmlWant rels_start(void *ctx, const XmlElem *e)
{
    RelsReader *r = ctx;
    if (e->id != REL_RELATIONSHIP || r->out->len >= OPC_RELS_MAX)
        return XML_ENTER;
    OpcRel *rel = arena_new(r->arena, OpcRel, 1);
    if (rel == NULL)
        return XML_ENTER;
    Str target = xml_attr(e, "Target");
    rel->external = str_eq_nocase(xml_attr(e, "TargetMode"), STR("External"));
    rel->id = str_copy(r->arena, xml_attr(e, "Id"));
    rel->type = str_copy(r->arena, last_word(xml_attr(e, "Type")));
    rel->target =
        rel->external ? str_copy(r->arena, target) : opc_resolve(r->arena, r->part, target);
    if (r->out->last != NULL)
        r->out->last->next = rel;
    else
        r->out->first = rel;
    r->out->last = rel;
    r->out->len++;
    return XML_ENTER;
}

ErrCode opc_rels(Opc *o, Str part, OpcRels *out, Err *err)
{
    *out = (OpcRels){0};
    size_t cut = str_rfind_char(part, '/');
    Str folder = cut == STR_NONE ? STR("") : str_slice(part, 0, cut + 1);
    Str name = str_slice(part, folder.len, part.len);
    Str path =
        str_printf(o->arena, STR_FMT "_rels/" STR_FMT ".rels", STR_ARG(folder), STR_ARG(name));
    if (path.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading relationships");
    RelsReader r = {o->arena, part, out};
    return opc_parse(o, path, o->arena, &(XmlHandler){.ctx = &r, .start = rels_start}, err);
}

const OpcRel *opc_rel(const OpcRels *rels, Str id)
{
    for (const OpcRel *r = id.ptr != NULL ? rels->first : NULL; r != NULL; r = r->next)
        if (str_eq(r->id, id))
            return r;
    return NULL;
}

const OpcRel *opc_rel_type(const OpcRels *rels, const char *type)
{
    for (const OpcRel *r = rels->first; r != NULL; r = r->next)
        if (str_eq_c(r->type, type))
            return r;
    return NULL;
}

/* ---- parts ---- */

ErrCode opc_parse(Opc *o, Str part, Arena *scratch, const XmlHandler *h, Err *err)
{
    const ZipEntry *e = zip_find(&o->zip, part);
    return e != NULL ? xml_parse_entry(&o->zip, e, scratch, h, err) : OK;
}

ErrCode opc_tree(Opc *o, Str part, Arena *a, const XmlElem **out, Err *err)
{
    const ZipEntry *e = zip_find(&o->zip, part);
    *out = NULL;
    return e != NULL ? xml_read_tree(&o->zip, e, a, out, err) : OK;
}

static XmlWant types_start(void *ctx, const XmlElem *e)
{
    Opc *o = ctx;
    Str part = xml_attr(e, "PartName");
    if (e->id != CT_OVERRIDE || part.len == 0)
        return XML_ENTER;
    part = str_slice(part, part.ptr[0] == '/', part.len);
    if (str_eq_nocase(part, o->main_part))
        o->main_type = str_copy(o->arena, xml_attr(e, "ContentType"));
    return XML_ENTER;
}

ErrCode opc_open(Arena *a, Str bytes, Str usual, Opc *out, Err *err)
{
    *out = (Opc){.arena = a, .main_type = STR("")};
    ErrCode rc = zip_open(a, bytes, &out->zip, err);
    if (rc != OK)
        return rc;
    rc = opc_rels(out, STR(""), &out->root, err);
    if (rc != OK && rc != ERR_INPUT_DAMAGED)
        return rc;
    const OpcRel *main = opc_rel_type(&out->root, "officeDocument");
    out->main_part = main != NULL ? main->target : usual;
    if (zip_find(&out->zip, out->main_part) == NULL)
        out->main_part = usual;
    if (zip_find(&out->zip, out->main_part) == NULL)
        return err_set(err, ERR_INPUT_DAMAGED, "the package has no main part (\"" STR_FMT "\")",
                       STR_ARG(usual));
    rc = opc_parse(out, STR("[Content_Types].xml"), a,
                   &(XmlHandler){.ctx = out, .start = types_start}, err);
    return rc == ERR_INPUT_DAMAGED ? OK : rc;
}

/* ---- metadata ---- */

typedef struct MetaReader {
    Doc *doc;
    Buf text;
    int64_t *pages;
} MetaReader;

static XmlWant meta_start(void *ctx, const XmlElem *e)
{
    (void)e;
    buf_clear(&((MetaReader *)ctx)->text);
    return XML_ENTER;
}

static void meta_text(void *ctx, Str text)
{
    buf_add(&((MetaReader *)ctx)->text, text);
}

static void meta_end(void *ctx, XmlId id)
{
    static const struct {
        XmlId id;
        const char *key;
    } keys[] = {
        {DC_TITLE, "title"},
        {DC_CREATOR, "author"},
        {DC_SUBJECT, "subject"},
        {CP_KEYWORDS, "keywords"},
        {DC_LANGUAGE, "language"},
        {DCTERMS_CREATED, "created"},
        {DCTERMS_MODIFIED, "modified"},
        {EP_APPLICATION, "generator"},
    };
    MetaReader *m = ctx;
    Str text = str_trim(buf_str(&m->text));
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (keys[i].id == id && text.len > 0)
            doc_meta(m->doc, keys[i].key, text);
    int64_t n = 0;
    if ((id == EP_PAGES || id == EP_SLIDES) && str_to_i64(text, &n) && n > 0)
        *m->pages = n;
    buf_clear(&m->text);
}

void opc_meta(Opc *o, Doc *d, int64_t *pages)
{
    *pages = 0;
    static const char *const types[] = {"core-properties", "extended-properties",
                                        "extendedProperties"};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const OpcRel *rel = opc_rel_type(&o->root, types[i]);
        if (rel == NULL)
            continue;
        MetaReader m = {.doc = d, .text = buf_init(o->arena, 64 * KIB), .pages = pages};
        XmlHandler h = {.ctx = &m, .start = meta_start, .end = meta_end, .text = meta_text};
        Err ignored = {0};
        if (opc_parse(o, rel->target, o->arena, &h, &ignored) != OK)
            continue;
    }
}

void opc_note_repaired(const DocInput *in, const Zip *zip)
{
    if (zip->repaired)
        step_note(in->step, STR("the file is cut short or damaged: its directory is missing, and "
                                "parts of it may be, too"));
}

ErrCode opc_forgive(const DocInput *in, Doc *d, ErrCode rc)
{
    if ((rc != ERR_INPUT_DAMAGED && rc != ERR_LIMIT_MEMORY) || !doc_took_text(d))
        return rc;
    Str note = str_printf(in->step->arena, "the document is damaged and was read up to there: %s",
                          in->step->err->text);
    if (note.ptr != NULL)
        step_note(in->step, note);
    return OK;
}
