/* readability.h: how hard a text is to read, by the published formulas.
 *
 * Flesch Reading Ease (1948), Flesch-Kincaid grade (1975), Gunning Fog (1952), SMOG (1969), Automated
 * Readability Index (1967), Coleman-Liau (1975), LIX (Björnsson 1968). The formulas count syllables
 * as English does; LIX holds for most European languages. Syllables are groups of vowels, a silent e
 * aside: right for nine words in ten. */
#ifndef PLATEN_TEXT_READABILITY_H
#define PLATEN_TEXT_READABILITY_H

#include "base/str.h"

typedef struct Readability {
    int64_t sentences, words, letters, syllables, long_words, hard_words;
} Readability; /* long: over six letters; hard: three syllables or more */

void readability_add(Readability *r, Str prose);
int syllables_of(Str folded);
double flesch(const Readability *r);
double flesch_kincaid(const Readability *r);
double gunning_fog(const Readability *r);
double smog(const Readability *r);
double automated_index(const Readability *r);
double coleman_liau(const Readability *r);
double lix(const Readability *r);

#endif
