/* source.h: the text of any input, with its structure; what every step of this engine begins with.
 *
 *   CLEANUP(source_close) Source s = {0};
 *   ErrCode rc = source_open(c, &(SourceArgs){.as = SOURCE_AUTO}, &s);     // s.text, s.blocks …
 *
 * Plain text and Markdown in UTF-8 are taken as they are, byte for byte (a byte order mark at the
 * beginning aside), so positions are positions in the file. Everything else goes through
 * document.extract (a step that opens such a source names it in `calls`), and its text is then
 * exactly that of document.extract with format "text". The JSON that document.extract has given can
 * be the input too.
 *
 * Memory: plain text stays in its file (a mapping); documents are held whole, at most
 * SOURCE_DOCUMENT_MAX bytes of text; a block takes 40 bytes. */
#ifndef PLATEN_TEXT_SOURCE_H
#define PLATEN_TEXT_SOURCE_H

#include "core/step.h"

enum { SOURCE_DOCUMENT_MAX = 64 << 20 };
#define SOURCE_TEXT_MAX ((int64_t)512 << 20)

typedef enum SourceAs {
    SOURCE_AUTO,
    SOURCE_TEXT,
    SOURCE_MARKDOWN,
    SOURCE_BLOCKS,
    SOURCE_DOCUMENT,
} SourceAs;
extern const Choice source_choices[]; /* for a parameter "read_as" */

typedef enum SourceKind {
    SOURCE_PARAGRAPH,
    SOURCE_HEADING, /* level 1 to 6 */
    SOURCE_ITEM,
    SOURCE_CODE,
    SOURCE_TABLE, /* a line per row */
    SOURCE_QUOTE,
    SOURCE_NOTE,
} SourceKind;

typedef struct SourceBlock {
    size_t from, to; /* bytes of the text, what separates blocks not included */
    size_t body;  /* TABLE: where the rows after its head begin; HEADING: where its words begin */
    int64_t page; /* from 1; 0: the source has no pages */
    SourceKind kind;
    int level;
} SourceBlock;

typedef struct Source {
    Str text;            /* valid UTF-8 */
    SourceAs as;         /* what it was read as; never SOURCE_AUTO */
    int64_t pages;       /* 0: none */
    SourceBlock *blocks; /* in the order of the text, not overlapping */
    size_t blocks_len;
    Str mapped; /* for source_close */
} Source;

typedef struct SourceArgs {
    SourceAs as;
    Str text;       /* taken when there is no file */
    Str pages;      /* as document.extract takes them; "": all */
    Str password;   /* likewise; "": none */
    bool structure; /* false: the text is enough, blocks stay empty where they cost time */
} SourceArgs;

/* ERR_INPUT_MISSING, ERR_INPUT_EMPTY, ERR_NO_TEXT (nothing but white space), ERR_INPUT_TOO_LARGE,
 * ERR_INPUT_DAMAGED (JSON that is not what document.extract gives), ERR_BAD_PARAM, and what
 * document.extract says. */
MUST_CHECK ErrCode source_open(StepCtx *c, const SourceArgs *a, Source *out);
void source_close(Source *s);
/* A step's `errors`: what opening a source may end with. */
#define SOURCE_ERRORS                                                                              \
    (const ErrCode[])                                                                              \
    {                                                                                              \
        ERR_BAD_PARAM, ERR_INPUT_MISSING, ERR_INPUT_EMPTY, ERR_INPUT_TOO_LARGE, ERR_INPUT_DAMAGED, \
            ERR_INPUT_ENCRYPTED, ERR_NO_TEXT, ERR_UNSUPPORTED_TYPE, ERR_LIMIT_MEMORY,              \
            ERR_LIMIT_CPU, ERR_LIMIT_COUNT, ERR_LIMIT_DEPTH, ERR_LIMIT_RATIO, ERR_LIMIT_OUTPUT,    \
            ERR_ENGINE_MISSING, OK                                                                 \
    }

/* The words of a heading, without what marks it. */
Str source_heading_text(const Source *s, const SourceBlock *b);

#endif
