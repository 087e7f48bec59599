/* xml.h: XML as a stream of named elements and, where a reader asks for it, small trees. A thin
 * layer over expat.
 *
 * Names   Elements arrive as numbers: xml_names.def lists every element that some reader knows, and XML_OTHER is the rest. The
 *         namespace decides, not the prefix of the file; OOXML Strict and Transitional give the same names. Attributes are
 *         asked for as "w:val" with the prefixes of that list, or as "val" when they have no namespace.
 * Trees   A reader's start() answers XML_ENTER (go on inside), XML_SKIP (leave out with everything inside) or XML_TREE: then the
 *         element is collected and handed to tree() when it ends, after which its memory is used again. So a paragraph or a
 *         table row is walked with look-ahead while the document stays a stream.
 * mc:     Of mc:AlternateContent the first mc:Choice is used, or else mc:Fallback; the wrappers themselves never show.
 * Safety  No entity may be declared (LIMIT_RATIO), nothing external is ever read, depth is limited (LIMIT_DEPTH), a tree may use
 *         what its arena gives (LIMIT_MEMORY). */
#ifndef PLATEN_DOCUMENT_XML_H
#define PLATEN_DOCUMENT_XML_H

#include "document/zip.h"

typedef enum XmlId {
    XML_OTHER,
    XML_TEXT, /* a piece of text in a tree */
#define XML_URI(prefix, uri)
#define XML_NAME(ident, prefix, local) ident,
#include "document/xml_names.def"
#undef XML_URI
#undef XML_NAME
    XML_ID_COUNT
} XmlId;

enum { XML_DEPTH_MAX = 512 };

typedef struct XmlAttr {
    const char *prefix; /* of xml_names.def; "" without a namespace, "?" for an unknown one */
    Str local, value;
} XmlAttr;

typedef struct XmlElem {
    XmlId id;
    Str text;  /* of XML_TEXT */
    Str local; /* the name without its namespace */
    const XmlAttr *attrs;
    size_t attrs_len;
    struct XmlElem *parent, *first, *last, *next; /* in a tree only */
} XmlElem;

typedef enum XmlWant { XML_ENTER, XML_SKIP, XML_TREE } XmlWant;

/* Any member may be NULL. `e` and its strings are valid during the call only. */
typedef struct XmlHandler {
    void *ctx;
    XmlWant (*start)(void *ctx, const XmlElem *e); /* NULL: enter everything */
    void (*end)(void *ctx, XmlId id);              /* of entered elements */
    void (*text)(void *ctx, Str text);             /* in pieces */
    void (*tree)(void *ctx, const XmlElem *e);
    /* Asked now and then; true stops the parse without an error. */
    bool (*enough)(void *ctx);
} XmlHandler;

/* Parse a part of the archive, or bytes. `scratch` holds trees; what a call takes from it is given
 * back. INPUT_DAMAGED: not well-formed, with line; what came before has been handed over. */
MUST_CHECK ErrCode xml_parse_entry(Zip *z, const ZipEntry *e, Arena *scratch, const XmlHandler *h,
                                   Err *err);
MUST_CHECK ErrCode xml_parse_bytes(Str bytes, Arena *scratch, const XmlHandler *h, Err *err);
/* The whole part as one tree that stays in `a`. */
MUST_CHECK ErrCode xml_read_tree(Zip *z, const ZipEntry *e, Arena *a, const XmlElem **out,
                                 Err *err);

/* Empty Str (ptr NULL) when missing. */
Str xml_attr(const XmlElem *e, const char *name);
bool xml_has_attr(const XmlElem *e, const char *name);
int64_t xml_attr_int(const XmlElem *e, const char *name, int64_t otherwise);
/* An OOXML switch: missing gives `otherwise`; "0", "false", "off" are false. */
bool xml_attr_on(const XmlElem *e, const char *name, bool otherwise);

/* Trees. NULL is accepted and gives NULL. */
const XmlElem *xml_child(const XmlElem *e, XmlId id);
/* The first element below `e` in document order. */
const XmlElem *xml_find(const XmlElem *e, XmlId id);
/* The next element after `at` in document order that is still inside `root`; start with at == root.
 */
const XmlElem *xml_walk(const XmlElem *root, const XmlElem *at);
/* All text below, joined, in `a`; at most 1 MiB. */
Str xml_text(const XmlElem *e, Arena *a);

#endif
