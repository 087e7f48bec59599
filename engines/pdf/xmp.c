/* xmp.c: the XMP packet of a document, kept in step with its information dictionary.
 *
 * The known properties are written anew; every other property of the old packet (PDF/A's mark, a
 * camera's, a company's own) is copied as it stands, with the namespaces it needs. */
#include "pdf/pdf.h"

#include <expat.h>
#include <string.h>

enum { XMP_MAX = 4 * 1024 * 1024, NAMESPACES_MAX = 100, KEPT_MAX = 500, SEPARATOR = '\n' };

#define NS_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define NS_DC  "http://purl.org/dc/elements/1.1/"
#define NS_PDF "http://ns.adobe.com/pdf/1.3/"
#define NS_XMP "http://ns.adobe.com/xap/1.0/"

/* Written by us, so not copied. */
static const char *const known[] = {
    NS_DC "\ntitle",       NS_DC "\ncreator",     NS_DC "\ndescription",   NS_DC "\nsubject",
    NS_DC "\nformat",      NS_PDF "\nKeywords",   NS_PDF "\nProducer",     NS_XMP "\nCreatorTool",
    NS_XMP "\nCreateDate", NS_XMP "\nModifyDate", NS_XMP "\nMetadataDate",
};

typedef struct Old {
    Arena *a;
    Str bytes;
    XML_Parser parser;
    int depth, description; /* description: depth of the open rdf:Description, 0: none */
    size_t kept_from;
    bool keeping;
    Str prefixes[NAMESPACES_MAX], uris[NAMESPACES_MAX];
    size_t namespaces;
    Str kept[KEPT_MAX]; /* elements as they stand */
    size_t kept_len;
    Buf attributes; /* of rdf:Description, that stand for properties */
} Old;

static bool is_known(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        size_t len = strlen(known[i]);
        if (strncmp(name, known[i], len) == 0 && (name[len] == 0 || name[len] == SEPARATOR))
            return true;
    }
    return false;
}

static void XMLCALL see_namespace(void *ctx, const char *prefix, const char *uri)
{
    Old *o = ctx;
    if (prefix == NULL || uri == NULL || o->namespaces == NAMESPACES_MAX)
        return;
    for (size_t i = 0; i < o->namespaces; i++)
        if (str_eq_c(o->prefixes[i], prefix))
            return;
    o->prefixes[o->namespaces] = str_copy(o->a, str_from_c(prefix));
    o->uris[o->namespaces++] = str_copy(o->a, str_from_c(uri));
}

/* "uri\nlocal\nprefix" */
static void keep_attribute(Old *o, const char *name, const char *value)
{
    const char *local = strchr(name, SEPARATOR),
               *prefix = local != NULL ? strchr(local + 1, SEPARATOR) : NULL;
    if (prefix == NULL || strncmp(name, NS_RDF, strlen(NS_RDF)) == 0 || is_known(name) ||
        strncmp(name, "http://www.w3.org/XML", 21) == 0)
        return;
    buf_addf(&o->attributes, "\n      %s:%.*s=\"", prefix + 1, (int)(prefix - local - 1),
             local + 1);
    buf_add_html(&o->attributes, str_from_c(value));
    buf_add_char(&o->attributes, '"');
}

static void XMLCALL begin(void *ctx, const char *name, const char **attributes)
{
    Old *o = ctx;
    o->depth++;
    size_t rdf = strlen(NS_RDF "\n");
    if (o->description == 0 && strncmp(name, NS_RDF "\nDescription", rdf + 11) == 0) {
        o->description = o->depth;
        for (; *attributes != NULL; attributes += 2)
            keep_attribute(o, attributes[0], attributes[1]);
        return;
    }
    if (o->description == 0 || o->depth != o->description + 1)
        return;
    o->keeping = !is_known(name) && o->kept_len < KEPT_MAX;
    o->kept_from = (size_t)XML_GetCurrentByteIndex(o->parser);
}

static void XMLCALL end(void *ctx, const char *name)
{
    (void)name;
    Old *o = ctx;
    if (o->description != 0 && o->depth == o->description + 1 && o->keeping) {
        size_t to =
            (size_t)XML_GetCurrentByteIndex(o->parser) + (size_t)XML_GetCurrentByteCount(o->parser);
        o->kept[o->kept_len++] = str_slice(o->bytes, o->kept_from, to);
        o->keeping = false;
    }
    if (o->depth == o->description)
        o->description = 0;
    o->depth--;
}

/* A packet that is not well-formed, not UTF-8 or has a document type is not kept. */
static bool read_old(Old *o)
{
    if (o->bytes.len == 0 || o->bytes.len > XMP_MAX || !str_is_utf8(o->bytes) ||
        str_find(o->bytes, STR("<!DOCTYPE")) != STR_NONE ||
        memchr(o->bytes.ptr, 0, o->bytes.len) != NULL)
        return false;
    o->parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
    if (o->parser == NULL)
        return false;
    XML_SetReturnNSTriplet(o->parser, 1);
    XML_SetUserData(o->parser, o);
    XML_SetElementHandler(o->parser, begin, end);
    XML_SetStartNamespaceDeclHandler(o->parser, see_namespace);
    bool ok = XML_Parse(o->parser, o->bytes.ptr, (int)o->bytes.len, 1) == XML_STATUS_OK;
    XML_ParserFree(o->parser);
    return ok && !o->attributes.failed;
}

static void put_text(Buf *b, const char *name, Str value)
{
    if (value.len == 0)
        return;
    buf_addf(b, "   <%s>", name);
    buf_add_html(b, value);
    buf_addf(b, "</%s>\n", name);
}

static void put_container(Buf *b, const char *name, const char *kind, Str value)
{
    bool alt = strcmp(kind, "Alt") == 0;
    if (value.len == 0)
        return;
    buf_addf(b, "   <%s><rdf:%s><rdf:li%s>", name, kind, alt ? " xml:lang=\"x-default\"" : "");
    buf_add_html(b, value);
    buf_addf(b, "</rdf:li></rdf:%s></%s>\n", kind, name);
}

/* "tides, cranes; boats" are three subjects. */
static void put_subjects(Buf *b, Str keywords)
{
    bool any = false;
    Str rest = keywords, item;
    char separator = str_find_char(keywords, ';') != STR_NONE ? ';' : ',';
    while (rest.len > 0 && str_next(&rest, separator, &item)) {
        item = str_trim(item);
        if (item.len == 0)
            continue;
        buf_add_c(b, any ? "" : "   <dc:subject><rdf:Bag>");
        any = true;
        buf_add_c(b, "<rdf:li>");
        buf_add_html(b, item);
        buf_add_c(b, "</rdf:li>");
    }
    buf_add_c(b, any ? "</rdf:Bag></dc:subject>\n" : "");
}

static bool ours(Str prefix)
{
    static const char *const own[] = {"rdf", "dc", "pdf", "xmp", "x", "xml"};
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (str_eq_c(prefix, own[i]))
            return true;
    return false;
}

static void put_kept(Buf *b, const Old *o)
{
    for (size_t i = 0; i < o->kept_len; i++) {
        buf_add_c(b, "   ");
        buf_add(b, o->kept[i]);
        buf_add_char(b, '\n');
    }
}

static void put_namespaces(Buf *b, const Old *o)
{
    for (size_t i = 0; i < o->namespaces; i++) {
        if (ours(o->prefixes[i]) || o->prefixes[i].ptr == NULL)
            continue;
        buf_addf(b, "\n      xmlns:" STR_FMT "=\"", STR_ARG(o->prefixes[i]));
        buf_add_html(b, o->uris[i]);
        buf_add_char(b, '"');
    }
}

ErrCode xmp_write(Arena *a, Str old, const PdfInfo *info, Str *out, Err *err)
{
    Old *o = arena_new(a, Old, 1);
    Buf b = buf_init(a, 2 * XMP_MAX);
    if (o == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the XMP packet");
    *o = (Old){.a = a, .bytes = old, .attributes = buf_init(a, XMP_MAX)};
    bool keep = read_old(o);
    buf_add_c(&b, "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
                  "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n <rdf:RDF xmlns:rdf=\"" NS_RDF "\">\n"
                  "  <rdf:Description rdf:about=\"\"\n      xmlns:dc=\"" NS_DC
                  "\"\n      xmlns:pdf=\"" NS_PDF "\"\n      xmlns:xmp=\"" NS_XMP "\"");
    if (keep) {
        put_namespaces(&b, o);
        buf_add(&b, buf_str(&o->attributes));
    }
    buf_add_c(&b, ">\n   <dc:format>application/pdf</dc:format>\n");
    put_container(&b, "dc:title", "Alt", info->title);
    put_container(&b, "dc:creator", "Seq", info->author);
    put_container(&b, "dc:description", "Alt", info->subject);
    put_subjects(&b, info->keywords);
    put_text(&b, "pdf:Keywords", info->keywords);
    put_text(&b, "pdf:Producer", info->producer);
    put_text(&b, "xmp:CreatorTool", info->creator);
    put_text(&b, "xmp:CreateDate", info->created);
    put_text(&b, "xmp:ModifyDate", info->modified);
    put_text(&b, "xmp:MetadataDate", info->modified);
    if (keep)
        put_kept(&b, o);
    buf_add_c(&b, "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>");
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "the XMP packet is too large");
    *out = buf_str(&b);
    return OK;
}
