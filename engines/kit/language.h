/* language.h: which language a text is in (CLD2). */
#ifndef PLATEN_KIT_LANGUAGE_H
#define PLATEN_KIT_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct LanguageGuess {
    char code[16]; /* BCP 47: "en", "zh-Hant"; "" when it cannot be told */
    int percent;   /* of the text's letters */
    int fit; /* how well the text fits the language: near 0 for text read in a wrong charset */
    bool reliable;
} LanguageGuess;

#ifdef __cplusplus
extern "C" {
#endif
/* `text` is UTF-8; what is not ends it. With `markup`, tags do not count. */
void language_guess(const char *text, size_t len, bool markup, LanguageGuess *out);
/* The up to three languages that most of it is in; returns how many. `reliable`: of the whole. */
int language_guess_all(const char *text, size_t len, bool markup, LanguageGuess out[3]);
/* Its English name: "German"; "" for one that is not known. Valid until the next call. */
const char *language_name(const char *code);
#ifdef __cplusplus
}
#endif

#endif
