/* words.h: what a name is found by.
 *
 * A name and its tags are folded to words: letters in lower case and digits, everything else
 * separates; an ideograph is a word of its own, so a name without spaces is found by any of its
 * characters. A query is folded in the same way and matches when each of its words begins a word of
 * the document.
 *
 * Why not FTS5 or trigrams: one text must do for SQLite and PostgreSQL, and what people type is the
 * beginning of words. The table document_word has the first one, two and three characters of every
 * word; a search walks the one that says most and compares the rest in memory. Cost: three short rows
 * a word when a document is added or renamed, one walk of at most DOCUMENT_WALK_MAX rows a page.
 *
 * Folding is the C library's (locale C.UTF-8). Threads: any. */
#ifndef PLATEN_CONTENT_WORDS_H
#define PLATEN_CONTENT_WORDS_H

#include "base/err.h"

enum { WORDS_MAX = 64, WORD_BYTES_MAX = 64, WORD_KEY_CHARS = 3 };

/* The folded words of a text, each once between spaces: " annual report 2024 ", or "" when it has
 * none. In `a`; .ptr NULL when it is full. */
Str words_of(Arena *a, Str text);
/* Does every word of `query` begin one of `words`? Both as words_of gives them. */
bool words_match(Str words, Str query);
/* The beginning to walk by: of the longest word of the query; "" when it has no word. */
Str words_key(Str query);
/* The beginnings of all words, one after the other; some come twice.
 *   size_t at = 0; for (Str key; words_next_key(words, &at, &key);) … */
bool words_next_key(Str words, size_t *at, Str *key);

/* document, image, audio, video, archive or other: by media type, by the name where that says
 * nothing. */
Str family_of(Str type, Str name);
bool family_known(Str family);

#endif
