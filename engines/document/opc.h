/* opc.h: the package around OOXML files: which part is the document, what its relationships point
 * to, who wrote it.
 *
 *   opc_open(a, bytes, &opc, err)               reads the root relationships and finds the main part
 *   opc_rels(&opc, opc.main_part, &rels, err)   the relationships of one part; none is an empty list
 *   opc_rel(&rels, STR("rId4"))                 by id, as a part's XML names it
 *   opc_rel_type(&rels, "styles")               by the last word of its type, which Strict and Transitional share
 *
 * Targets are resolved: "../media/a.png" of /ppt/slides/slide1.xml is "ppt/media/a.png". External
 * targets stay as they are. */
#ifndef PLATEN_DOCUMENT_OPC_H
#define PLATEN_DOCUMENT_OPC_H

#include "document/readers.h"
#include "document/xml.h"

enum { OPC_RELS_MAX = 100 * 1000 };

typedef struct OpcRel {
    Str id, type, target;
    bool external;
    struct OpcRel *next;
} OpcRel;

typedef struct OpcRels {
    OpcRel *first, *last;
    size_t len;
} OpcRels;

typedef struct Opc {
    Arena *arena;
    Zip zip;
    OpcRels root;
    Str main_part;
    Str main_type; /* content type of the main part, or "" */
} Opc;

/* What zip_open says; INPUT_DAMAGED when there is no main part. `usual` is where the main part is
 * when nothing says so. */
MUST_CHECK ErrCode opc_open(Arena *a, Str bytes, Str usual, Opc *out, Err *err);
MUST_CHECK ErrCode opc_rels(Opc *o, Str part, OpcRels *out, Err *err);
const OpcRel *opc_rel(const OpcRels *rels, Str id);
const OpcRel *opc_rel_type(const OpcRels *rels, const char *type);

/* Stream a part (trees lie in `scratch` and go again), or read it as one tree that stays in `a`. A
 * missing part is OK and gives nothing (*out NULL). */
MUST_CHECK ErrCode opc_parse(Opc *o, Str part, Arena *scratch, const XmlHandler *h, Err *err);
MUST_CHECK ErrCode opc_tree(Opc *o, Str part, Arena *a, const XmlElem **out, Err *err);

/* Title, author, dates …, and the page or slide count that the writing program has stored (0:
 * unknown). Damage is ignored: a document is more than its metadata. */
void opc_meta(Opc *o, Doc *d, int64_t *pages);

/* `target` as named by `part`, in `a`: without "..", without a leading slash, %20 decoded, without
 * a fragment. */
Str opc_resolve(Arena *a, Str part, Str target);

/* Say so when the package's directory was unusable: parts at its end may be missing. */
void opc_note_repaired(const DocInput *in, const Zip *zip);

/* For the end of a reader: a file that broke off after giving some text is a result with a note.
 * Anything else is passed on. */
ErrCode opc_forgive(const DocInput *in, Doc *d, ErrCode rc);

#endif
