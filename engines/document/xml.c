#include "document/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"

enum { SEPARATOR = '\n', SLOTS = 2048, ATTRS_MAX = 512, URIS_CACHED = 16, FEED = 64 * 1024 };

static const struct {
    const char *prefix, *uri;
} uris[] = {
#define XML_URI(prefix, uri) {prefix, uri},
#define XML_NAME(ident, prefix, local)
#include "document/xml_names.def"
#undef XML_URI
#undef XML_NAME
#define XML_URI(prefix, uri)
#define XML_NAME(ident, prefix, local) {prefix, local},
};

static const struct {
    const char *prefix, *local;
} names[XML_ID_COUNT] = {
    {"", ""},
    {"", ""},
#include "document/xml_names.def"
};

typedef struct Parser {
    XML_Parser expat;
    const XmlHandler *h;
    Arena *scratch;
    ArenaMark before_tree;
    XmlElem *tree; /* innermost open element of the tree in hand, or NULL */
    Buf text;      /* text of the tree that is not yet a node */
    int depth;
    int skip_from; /* everything deeper than this is left out; 0: nothing is */
    bool keep_tree;
    /* mc:AlternateContent: bit n is set when a branch at depth n has been taken. */
    bool taken[XML_DEPTH_MAX + 2];
    uint16_t slots[SLOTS]; /* XmlId by hash of its local name */
    struct {
        char *uri;
        size_t len;
        const char *prefix;
    } cache[URIS_CACHED];
    size_t cached;
    XmlAttr attrs[ATTRS_MAX];
    XmlElem *root; /* of a tree that is kept */
    ErrCode rc;
    Err *err;
} Parser;

/* ---- names ---- */

static unsigned hash_local(const char *s, size_t len)
{
    unsigned h = 2166136261U;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619U;
    return (h ^ h >> 15) % SLOTS;
}

static void fill_slots(Parser *p)
{
    for (int id = XML_TEXT + 1; id < XML_ID_COUNT; id++) {
        unsigned at = hash_local(names[id].local, strlen(names[id].local));
        while (p->slots[at] != 0)
            at = (at + 1) % SLOTS;
        p->slots[at] = (uint16_t)id;
    }
}

static const char *look_up_uri(const char *uri, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(uris); i++)
        if (strlen(uris[i].uri) == len && memcmp(uris[i].uri, uri, len) == 0)
            return uris[i].prefix;
    return "?";
}

/* A file uses few namespaces, so the last ones seen are tried before the whole list. */
static const char *prefix_of(Parser *p, const char *uri, size_t len)
{
    for (size_t i = 0; i < p->cached; i++)
        if (p->cache[i].len == len && memcmp(p->cache[i].uri, uri, len) == 0)
            return p->cache[i].prefix;
    const char *prefix = look_up_uri(uri, len);
    if (p->cached < URIS_CACHED) {
        char *copy = malloc(len + 1);
        if (copy != NULL) {
            memcpy(copy, uri, len);
            copy[len] = 0;
            p->cache[p->cached].uri = copy;
            p->cache[p->cached].len = len;
            p->cache[p->cached++].prefix = prefix;
        }
    }
    return prefix;
}

/* expat gives "uri\nlocal", or "local" alone. */
static const char *split_name(Parser *p, const char *name, Str *local)
{
    size_t len = strlen(name);
    const char *cut = memrchr(name, SEPARATOR, len);
    if (cut == NULL) {
        *local = (Str){name, len};
        return "";
    }
    *local = (Str){cut + 1, (size_t)(name + len - cut - 1)};
    return prefix_of(p, name, (size_t)(cut - name));
}

static XmlId id_of(const Parser *p, const char *prefix, Str local)
{
    for (unsigned at = hash_local(local.ptr, local.len); p->slots[at] != 0; at = (at + 1) % SLOTS) {
        XmlId id = (XmlId)p->slots[at];
        if (str_eq_c(local, names[id].local) && strcmp(prefix, names[id].prefix) == 0)
            return id;
    }
    return XML_OTHER;
}

/* ---- trees ---- */

static void stop(Parser *p, ErrCode rc)
{
    if (p->rc == OK)
        p->rc = rc;
    XML_StopParser(p->expat, XML_FALSE);
}

static void out_of_memory(Parser *p)
{
    stop(p, err_set(p->err, ERR_LIMIT_MEMORY, "one part of the document is too large to hold"));
}

static XmlElem *append(Parser *p, const XmlElem *like)
{
    XmlElem *e = arena_alloc(p->scratch, sizeof(*e));
    if (e == NULL)
        return NULL;
    *e = *like;
    e->parent = p->tree;
    e->first = e->last = e->next = NULL;
    if (p->tree != NULL) {
        if (p->tree->last != NULL)
            p->tree->last->next = e;
        else
            p->tree->first = e;
        p->tree->last = e;
    }
    return e;
}

static bool flush_text(Parser *p)
{
    if (p->text.len == 0)
        return true;
    XmlElem node = {.id = XML_TEXT, .text = str_copy(p->scratch, buf_str(&p->text))};
    buf_clear(&p->text);
    return node.text.ptr != NULL && append(p, &node) != NULL;
}

static bool copy_attrs(Parser *p, XmlElem *e, const XmlElem *from)
{
    XmlAttr *to = arena_new(p->scratch, XmlAttr, from->attrs_len);
    if (to == NULL)
        return false;
    for (size_t i = 0; i < from->attrs_len; i++) {
        to[i].prefix = from->attrs[i].prefix;
        to[i].local = str_copy(p->scratch, from->attrs[i].local);
        to[i].value = str_copy(p->scratch, from->attrs[i].value);
        if (to[i].local.ptr == NULL || to[i].value.ptr == NULL)
            return false;
    }
    e->attrs = to;
    return true;
}

static void tree_start(Parser *p, const XmlElem *e)
{
    if (p->tree == NULL && !p->keep_tree)
        p->before_tree = arena_mark(p->scratch);
    XmlElem *copy = p->tree == NULL || flush_text(p) ? append(p, e) : NULL;
    if (copy == NULL || !copy_attrs(p, copy, e) ||
        (copy->local = str_copy(p->scratch, e->local)).ptr == NULL) {
        out_of_memory(p);
        return;
    }
    if (p->tree == NULL)
        p->root = copy;
    p->tree = copy;
}

static void tree_end(Parser *p)
{
    XmlElem *ended = p->tree;
    if (!flush_text(p)) {
        out_of_memory(p);
        return;
    }
    p->tree = ended->parent;
    if (p->tree != NULL || p->keep_tree)
        return;
    if (p->h->tree != NULL)
        p->h->tree(p->h->ctx, ended);
    arena_rewind(p->scratch, p->before_tree);
    p->root = NULL;
}

/* ---- callbacks of expat ---- */

/* True: the element is a wrapper of alternate content, or a branch that is not used. */
static bool choose_branch(Parser *p, XmlId id)
{
    if (id == MC_ALTERNATE_CONTENT) {
        p->taken[p->depth] = false;
        return true;
    }
    if (id != MC_CHOICE && id != MC_FALLBACK)
        return false;
    if (p->taken[p->depth - 1])
        p->skip_from = p->depth;
    p->taken[p->depth - 1] = true;
    return true;
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **atts)
{
    Parser *p = ctx;
    if (++p->depth > XML_DEPTH_MAX) {
        stop(p, err_set(p->err, ERR_LIMIT_DEPTH, "elements are nested more than %d deep",
                        XML_DEPTH_MAX));
        return;
    }
    if (p->skip_from != 0)
        return;
    XmlElem e = {.attrs = p->attrs};
    const char *prefix = split_name(p, name, &e.local);
    e.id = id_of(p, prefix, e.local);
    if (choose_branch(p, e.id))
        return;
    if (e.id == OFFICE_BINARY_DATA) { /* pictures of flat files: large, and never text */
        p->skip_from = p->depth;
        return;
    }
    for (size_t i = 0; atts[i] != NULL && e.attrs_len < ATTRS_MAX; i += 2) {
        XmlAttr *attr = &p->attrs[e.attrs_len++];
        attr->prefix = split_name(p, atts[i], &attr->local);
        attr->value = str_from_c(atts[i + 1]);
    }
    XmlWant want = XML_ENTER;
    if (p->tree == NULL && !p->keep_tree && p->h->start != NULL)
        want = p->h->start(p->h->ctx, &e);
    if (want == XML_SKIP)
        p->skip_from = p->depth;
    else if (p->tree != NULL || p->keep_tree || want == XML_TREE)
        tree_start(p, &e);
}

static void on_end(void *ctx, const XML_Char *name)
{
    Parser *p = ctx;
    int depth = p->depth--;
    if (p->skip_from != 0) {
        if (depth == p->skip_from)
            p->skip_from = 0;
        return;
    }
    Str local;
    const char *prefix = split_name(p, name, &local);
    XmlId id = id_of(p, prefix, local);
    if (id == MC_ALTERNATE_CONTENT || id == MC_CHOICE || id == MC_FALLBACK)
        return;
    if (p->tree != NULL)
        tree_end(p);
    else if (p->h->end != NULL)
        p->h->end(p->h->ctx, id);
}

static void on_text(void *ctx, const XML_Char *text, int len)
{
    Parser *p = ctx;
    if (p->skip_from != 0)
        return;
    if (p->tree != NULL) {
        buf_add(&p->text, (Str){text, (size_t)len});
        if (p->text.failed)
            out_of_memory(p);
    } else if (p->h->text != NULL) {
        p->h->text(p->h->ctx, (Str){text, (size_t)len});
    }
}

static void on_entity(void *ctx, const XML_Char *name, int is_parameter, const XML_Char *value,
                      int len, const XML_Char *base, const XML_Char *system, const XML_Char *public,
                      const XML_Char *notation)
{
    Parser *p = ctx;
    (void)is_parameter, (void)value, (void)len, (void)base, (void)system, (void)public,
        (void)notation;
    stop(p, err_set(p->err, ERR_LIMIT_RATIO, "the XML declares an entity (\"%.40s\")", name));
    err_hint(p->err, "Do not open it: documents do not declare entities, attacks do.");
}

/* ---- parsing ---- */

static void parser_done(Parser **p)
{
    if (*p == NULL)
        return;
    for (size_t i = 0; i < (*p)->cached; i++)
        free((*p)->cache[i].uri);
    if ((*p)->expat != NULL)
        XML_ParserFree((*p)->expat);
    arena_close(&(*p)->text.arena);
    free(*p);
    *p = NULL;
}

static Parser *parser_new(Arena *scratch, const XmlHandler *h, Err *err)
{
    CLEANUP(parser_done) Parser *p = fault_hit("xml.parser") ? NULL : calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    Arena *text = arena_open(64 * MIB);
    if (text == NULL)
        return NULL;
    p->text = buf_init(text, 32 * MIB);
    p->expat = XML_ParserCreateNS(NULL, SEPARATOR);
    if (p->expat == NULL)
        return NULL;
    p->h = h;
    p->scratch = scratch;
    p->err = err;
    fill_slots(p);
    XML_SetUserData(p->expat, p);
    XML_SetElementHandler(p->expat, on_start, on_end);
    XML_SetCharacterDataHandler(p->expat, on_text);
    XML_SetEntityDeclHandler(p->expat, on_entity);
    Parser *made = p;
    p = NULL;
    return made;
}

static ErrCode feed(Parser *p, const char *bytes, size_t len, bool last)
{
    enum XML_Status status = bytes == NULL ? XML_ParseBuffer(p->expat, (int)len, last)
                                           : XML_Parse(p->expat, bytes, (int)len, last);
    if (p->rc != OK)
        return p->rc;
    if (status == XML_STATUS_OK)
        return OK;
    enum XML_Error code = XML_GetErrorCode(p->expat);
    if (code == XML_ERROR_NO_MEMORY)
        return err_set(p->err, ERR_NO_MEMORY, "parsing XML");
    if (code == XML_ERROR_AMPLIFICATION_LIMIT_BREACH)
        return err_set(p->err, ERR_LIMIT_RATIO, "the XML expands to many times its size");
    return err_set(p->err, ERR_INPUT_DAMAGED, "XML line %lu: %s",
                   (unsigned long)XML_GetCurrentLineNumber(p->expat), XML_ErrorString(code));
}

static bool has_enough(const Parser *p)
{
    return p->h->enough != NULL && p->h->enough(p->h->ctx);
}

static ErrCode parse_entry(Parser *p, Zip *z, const ZipEntry *e)
{
    CLEANUP(zip_stream_close) ZipStream *s = NULL;
    ErrCode rc = zip_stream_open(z, e, &s, p->err);
    for (size_t got = 1; rc == OK && got > 0 && !has_enough(p);) {
        void *buffer = XML_GetBuffer(p->expat, FEED);
        if (buffer == NULL)
            return err_set(p->err, ERR_NO_MEMORY, "parsing XML");
        rc = zip_stream_read(s, buffer, FEED, &got, p->err);
        if (rc == OK)
            rc = feed(p, NULL, got, got == 0);
    }
    return rc;
}

/* A damaged part leaves an open tree behind: its reader gets what there is of it. */
static void close_tree(Parser *p)
{
    while (p->tree != NULL && !p->keep_tree) {
        if (p->rc == ERR_LIMIT_MEMORY)
            p->tree = NULL;
        else
            tree_end(p);
        if (p->rc == ERR_LIMIT_MEMORY)
            break;
    }
}

ErrCode xml_parse_entry(Zip *z, const ZipEntry *e, Arena *scratch, const XmlHandler *h, Err *err)
{
    CLEANUP(parser_done) Parser *p = parser_new(scratch, h, err);
    if (p == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting an XML parser");
    ErrCode rc = parse_entry(p, z, e);
    if (rc == ERR_INPUT_DAMAGED)
        close_tree(p);
    return rc;
}

ErrCode xml_parse_bytes(Str bytes, Arena *scratch, const XmlHandler *h, Err *err)
{
    CLEANUP(parser_done) Parser *p = parser_new(scratch, h, err);
    if (p == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting an XML parser");
    ErrCode rc = OK;
    for (size_t at = 0; rc == OK && at <= bytes.len && !has_enough(p); at += FEED) {
        size_t n = bytes.len - at < FEED ? bytes.len - at : FEED;
        rc = feed(p, bytes.len > 0 ? bytes.ptr + at : "", n, bytes.len - at <= FEED);
        if (bytes.len - at <= FEED)
            break;
    }
    if (rc == ERR_INPUT_DAMAGED)
        close_tree(p);
    return rc;
}

ErrCode xml_read_tree(Zip *z, const ZipEntry *e, Arena *a, const XmlElem **out, Err *err)
{
    static const XmlHandler nothing = {0};
    CLEANUP(parser_done) Parser *p = parser_new(a, &nothing, err);
    if (p == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting an XML parser");
    p->keep_tree = true;
    ErrCode rc = parse_entry(p, z, e);
    if (rc == OK && p->root == NULL)
        rc = err_set(err, ERR_INPUT_DAMAGED, "an empty XML part");
    if (rc == OK)
        *out = p->root;
    return rc;
}

/* ---- asking ---- */

static const XmlAttr *find_attr(const XmlElem *e, const char *name)
{
    const char *colon = strchr(name, ':');
    const char *local = colon != NULL ? colon + 1 : name;
    size_t prefix_len = colon != NULL ? (size_t)(colon - name) : 0;
    for (size_t i = 0; e != NULL && i < e->attrs_len; i++) {
        const XmlAttr *a = &e->attrs[i];
        if (str_eq_c(a->local, local) && strlen(a->prefix) == prefix_len &&
            memcmp(a->prefix, name, prefix_len) == 0)
            return a;
    }
    return NULL;
}

Str xml_attr(const XmlElem *e, const char *name)
{
    const XmlAttr *a = find_attr(e, name);
    return a != NULL ? a->value : (Str){0};
}

bool xml_has_attr(const XmlElem *e, const char *name)
{
    return find_attr(e, name) != NULL;
}

int64_t xml_attr_int(const XmlElem *e, const char *name, int64_t otherwise)
{
    int64_t v = otherwise;
    return str_to_i64(xml_attr(e, name), &v) ? v : otherwise;
}

bool xml_attr_on(const XmlElem *e, const char *name, bool otherwise)
{
    Str v = xml_attr(e, name);
    if (v.ptr == NULL)
        return otherwise;
    return !str_eq_c(v, "0") && !str_eq_c(v, "false") && !str_eq_c(v, "off");
}

const XmlElem *xml_child(const XmlElem *e, XmlId id)
{
    for (const XmlElem *c = e != NULL ? e->first : NULL; c != NULL; c = c->next)
        if (c->id == id)
            return c;
    return NULL;
}

const XmlElem *xml_walk(const XmlElem *root, const XmlElem *at)
{
    if (at == NULL)
        return NULL;
    if (at->first != NULL)
        return at->first;
    while (at != root && at->next == NULL)
        at = at->parent;
    return at == root ? NULL : at->next;
}

const XmlElem *xml_find(const XmlElem *e, XmlId id)
{
    for (const XmlElem *at = xml_walk(e, e); at != NULL; at = xml_walk(e, at))
        if (at->id == id)
            return at;
    return NULL;
}

Str xml_text(const XmlElem *e, Arena *a)
{
    Buf b = buf_init(a, 1 * MIB);
    for (const XmlElem *at = e; at != NULL; at = xml_walk(e, at))
        if (at->id == XML_TEXT)
            buf_add(&b, at->text);
    return buf_str(&b);
}
