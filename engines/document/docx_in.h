/* docx_in.h: the inside of the Word reader.
 *
 *   docx.c        the stream: paragraphs, tables, notes
 *   docx_text.c   the inside of a paragraph: runs, fields, marks, symbols */
#ifndef PLATEN_DOCUMENT_DOCX_IN_H
#define PLATEN_DOCUMENT_DOCX_IN_H

#include "base/buf.h"
#include "document/docx_styles.h"

enum {
    FIELDS_MAX = 16,
    BOXES_MAX = 256,
    NOTES_MAX = 20000,
    INSTR_MAX = 2048,
    TREE_BYTES = 128 << 20
};

typedef struct WordField {
    char instr[INSTR_MAX];
    size_t len;
    bool result; /* past its "separate" */
    bool linked;
} WordField;

typedef struct NoteRef {
    int64_t id;
    bool end; /* of the endnotes */
} NoteRef;

typedef struct Docx {
    const DocInput *in;
    Doc *out;
    Opc opc;
    Arena *trees;
    DocxStyles styles;
    DocxLists lists;
    OpcRels rels; /* of the part being read */
    int64_t page;
    bool page_fresh; /* a break has just begun the page: the rendered break that follows is the same
                        one */
    int table_depth; /* tables open in the stream */
    int cell_depth;
    bool cell_fresh; /* nothing in it yet */
    bool code_open;
    bool altchunk_noted;
    bool has_form; /* content controls or form fields were seen */
    int deleted;   /* inside text that a tracked change deletes; written when comments are */

    WordField *fields;
    int fields_len, fields_beyond;

    /* the paragraph in hand */
    bool begun;
    BlockKind kind;
    int level;
    int64_t number;
    Buf label;
    unsigned marks;
    bool plain; /* marks are not shown: a heading */
    int breaks_after;
    const DocxStyle *style;

    const XmlElem *boxes[BOXES_MAX];
    size_t boxes_len;

    NoteRef *notes;
    size_t notes_len, notes_cap;
    int64_t note_label; /* of the note being written, 0 outside; -1: a comment */
    bool note_begun, note_named;
    bool reading_endnotes;
} Docx;

/* docx.c */
void docx_put_block(Docx *x, const XmlElem *e);

/* docx_forms.c: the fields of forms. What opc_parse says. */
MUST_CHECK ErrCode docx_forms_read(Docx *x, Err *err);

/* docx_text.c */
/* The runs of a paragraph, or of what stands among them. What hangs on the paragraph goes into
 * x->boxes. */
void docx_put_inline(Docx *x, const XmlElem *parent);
/* Begin the block that the plan of the paragraph names, unless it has begun. */
void docx_begin(Docx *x);
void docx_begin_note_line(Docx *x);
void docx_set_marks(Docx *x, unsigned want);
void docx_page_break(Docx *x, bool rendered);
/* An on/off property of a run: -1 when it is not said. */
int docx_toggle(const XmlElem *rpr, XmlId id);

#endif
