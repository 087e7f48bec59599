/* words.h: the words of a text, folded so that equal words are equal bytes, and a table of them.
 *
 * A word is a run of letters, marks and digits, with apostrophes and hyphens inside left out of the
 * folding but not of the range. Scripts that put no space between words (Han, Kana, Thai …) give
 * pairs of characters that overlap by one, which is what search and likeness need. Folding is
 * Unicode's (u_foldCase). */
#ifndef PLATEN_TEXT_WORDS_H
#define PLATEN_TEXT_WORDS_H

#include "base/arena.h"
#include "base/str.h"

enum { WORD_MAX = 96 };

typedef struct Word {
    size_t from, to; /* bytes of the text */
    char folded[WORD_MAX];
    size_t folded_len;
    bool capital, upper; /* begins with a capital; consists of capitals only, at least two */
    bool number;         /* only digits */
    bool pair;           /* of a script without spaces */
} Word;

typedef struct Words {
    Str text;
    size_t at;
} Words;
Words words_begin(Str text); /* valid UTF-8 */
bool words_next(Words *w, Word *out);

/* Words as numbers from 0. */
typedef struct Lexicon {
    Arena *arena;
    Str *items;
    size_t len, cap;
    uint32_t *slots; /* index + 1; a power of two */
    size_t slots_len;
    bool failed;
} Lexicon;
Lexicon lexicon_new(Arena *a);
uint32_t lexicon_id(Lexicon *l, Str folded); /* UINT32_MAX when memory is short */

/* Is the word one of those that carry no meaning in the language ("the", "und")? */
bool stop_word(const char *language, Str folded);

#endif
