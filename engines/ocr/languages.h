/* languages.h: from what a person calls a language to the file that reads it. Pure: which files are
 * installed is said by the caller. */
#ifndef PLATEN_OCR_LANGUAGES_H
#define PLATEN_OCR_LANGUAGES_H

#include "core/step.h"

enum { LANGUAGES_MAX = 8, LANGUAGES_TEXT_MAX = 128 };

/* Codes of installed files ("eng", "chi_sim", "script/Latin"), sorted; "osd" is not among them. */
typedef struct LanguageSet {
    const char *const *codes;
    size_t len;
} LanguageSet;

bool languages_has(LanguageSet installed, Str code);
/* "deu" for "deu", "de", "German" and "de-AT"; the word itself when it is no name we know. */
Str languages_code(Str word);

/* What was asked for, as Tesseract wants it: "eng+deu". `given` empty or "auto": *out is "".
 * ERR_BAD_PARAM (param languages) with the package to install when a file is missing, or when there
 * is none at all. */
MUST_CHECK ErrCode languages_choose(const StrList *given, LanguageSet installed,
                                    char out[static LANGUAGES_TEXT_MAX], Err *err);

/* With `auto`: the language to begin with: English, else the first; NULL: none is installed. */
const char *languages_first(LanguageSet installed);
/* The installed language for what a detector said of the text ("de", "zh-Hant"), NULL: none. */
const char *languages_of_iso(LanguageSet installed, const char *iso);
/* The installed language to try for a script ("Arabic", "Han"), NULL: none. */
const char *languages_of_script(LanguageSet installed, const char *script);
/* Script of a language's file, or "". */
const char *languages_script(const char *code);
/* Debian's package for a code. */
Str languages_package(Arena *a, Str code);

#endif
