/* sentences.h: where sentences end.
 *
 *   Sentences s = sentences_begin(text);
 *   for (size_t from = 0, to; sentences_next(&s, &to); from = to) … str_slice(text, from, to)
 *
 * The rules are Unicode's (UAX 29, by ICU), without what only looks like an end ("Dr.", "e.g.").
 * A sentence includes the white space behind it, so sentences put together are the text. A line's
 * end inside a paragraph is no end of a sentence unless one stands there.
 *
 * There is one breaker, opened before the sandbox closes; several Sentences may take turns. */
#ifndef PLATEN_TEXT_SENTENCES_H
#define PLATEN_TEXT_SENTENCES_H

#include "base/err.h"

MUST_CHECK ErrCode sentences_warm(Err *err);

typedef struct Sentences {
    Str text;
    size_t at;
    size_t begun; /* the breaker was given the text from here on */
    bool plain;   /* the breaker refused the text: it is one sentence */
} Sentences;

Sentences sentences_begin(Str text); /* valid UTF-8; must outlive the Sentences */
bool sentences_next(Sentences *s, size_t *out_end);

#endif
