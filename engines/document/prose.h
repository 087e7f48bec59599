/* prose.h: what HTML and Markdown share: nested lists, quotes and marks that reach over blocks, on
 * the way to the sink.
 *
 * The sink's marks end with their block, and its items know nothing of paragraphs. Here a block
 * begins with its first text: inside an item that is the item itself, then further paragraphs of
 * it; inside a quote a quote; and marks that are on are set again. */
#ifndef PLATEN_DOCUMENT_PROSE_H
#define PLATEN_DOCUMENT_PROSE_H

#include "document/doc.h"

enum { PROSE_LISTS = 12, PROSE_LINKS = 4 };

typedef struct Prose {
    Doc *out;
    struct {
        bool ordered, fresh; /* fresh: the item in hand has no text yet */
        int64_t number;
    } lists[PROSE_LISTS];
    int depth; /* of lists; may exceed PROSE_LISTS, then the innermost kept one stands for all */
    int quotes;
    int marks[MARK_COUNT];
    Str href;
    bool open;      /* a block is begun */
    bool kept;      /* it was begun by prose_block, not by text */
    BlockKind kind; /* of the next block, when prose_block named one */
    int level;
} Prose;

/* End the block in hand; what follows begins another. */
void prose_end(Prose *p);
/* The next text begins a block of this kind (heading, code); prose_end ends it. */
void prose_block(Prose *p, BlockKind kind, int level);
void prose_text(Prose *p, Str text);
void prose_break(Prose *p);
void prose_mark(Prose *p, MarkKind kind, Str href);
void prose_unmark(Prose *p, MarkKind kind);
void prose_list(Prose *p, bool ordered, int64_t start);
void prose_list_end(Prose *p);
void prose_item(Prose *p, int64_t number); /* 0: count on */
void prose_quote(Prose *p, int by);        /* +1 enters, -1 leaves */
/* A cell of the sink was opened: nothing of the outside reaches into it. `inside`: the text goes on
 * in the block that is open there. */
void prose_cell(Prose *p, bool inside);

#endif
