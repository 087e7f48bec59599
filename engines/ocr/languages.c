#include "ocr/languages.h"

#include <stdio.h>
#include <string.h>

static const struct Language {
    const char *code, *iso, *name, *script;
} known[] = {
#define LANGUAGE(code, iso, name, script) {code, iso, name, script},
#include "ocr/languages.def"
#undef LANGUAGE
};

bool languages_has(LanguageSet installed, Str code)
{
    for (size_t i = 0; i < installed.len; i++)
        if (str_eq_c(code, installed.codes[i]))
            return true;
    return false;
}

static const struct Language *find(Str word)
{
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_nocase(word, str_from_c(known[i].code)) ||
            (known[i].iso[0] != 0 && str_eq_nocase(word, str_from_c(known[i].iso))) ||
            str_eq_nocase(word, str_from_c(known[i].name)))
            return &known[i];
    return NULL;
}

/* Names that mean a file by another word. */
static Str other_name(Str word)
{
    static const struct {
        const char *word, *code;
    } others[] = {
        {"zh-TW", "chi_tra"},
        {"zh-HK", "chi_tra"},
        {"zh-CN", "chi_sim"},
        {"zh-Hans", "chi_sim"},
        {"Farsi", "fas"},
        {"Norwegian", "nor"},
        {"nb", "nor"},
        {"nn", "nor"},
        {"Moldovan", "ron"},
        {"Simplified", "chi_sim"},
        {"Traditional", "chi_tra"},
        {"iw", "heb"},
        {"in", "ind"},
        {"tl", "fil"},
        {"sr-Latn", "srp_latn"},
        {"Chinese simplified", "chi_sim"},
    };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (str_eq_nocase(word, str_from_c(others[i].word)))
            return str_from_c(others[i].code);
    return word;
}

Str languages_code(Str word)
{
    word = other_name(str_trim(word));
    const struct Language *l = find(word);
    size_t dash = str_find_char(word, '-');
    if (l == NULL && dash != STR_NONE) /* "de-AT" */
        l = find(str_slice(word, 0, dash));
    return l != NULL ? str_from_c(l->code) : word;
}

Str languages_package(Arena *a, Str code)
{
    Str s = str_printf(a, "tesseract-ocr-" STR_FMT, STR_ARG(code));
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '_')
            ((char *)(uintptr_t)s.ptr)[i] = '-';
    return s;
}

static void list_installed(LanguageSet installed, char *out, size_t size)
{
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < installed.len && at + 1 < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i > 0 ? ", " : "", installed.codes[i]);
}

static ErrCode missing(Str word, Str code, LanguageSet installed, Err *err)
{
    char have[80], package[64];
    list_installed(installed, have, sizeof have);
    snprintf(package, sizeof package, STR_FMT, STR_ARG(str_slice(code, 0, 24)));
    for (char *p = package; *p != 0; p++)
        *p = *p == '_' ? '-' : *p;
    bool real = find(code) != NULL;
    err_set(err, ERR_BAD_PARAM, "%s \"" STR_FMT "\"",
            real ? "there is no language file for" : "there is no language called",
            STR_ARG(str_slice(word, 0, 40)));
    if (real)
        err_hint(err, "apt-get install tesseract-ocr-%s; installed: %s", package,
                 have[0] != 0 ? have : "none");
    else
        err_hint(err, "name it as deu, de or German; installed: %s", have[0] != 0 ? have : "none");
    err_param(err, "languages");
    return ERR_BAD_PARAM;
}

static ErrCode none_installed(Err *err)
{
    err_set(err, ERR_ENGINE_MISSING, "no language for OCR is installed");
    err_hint(err, "apt-get install tesseract-ocr-eng tesseract-ocr-osd");
    return ERR_ENGINE_MISSING;
}

ErrCode languages_choose(const StrList *given, LanguageSet installed,
                         char out[static LANGUAGES_TEXT_MAX], Err *err)
{
    size_t at = 0, count = 0;
    out[0] = 0;
    if (installed.len == 0)
        return none_installed(err);
    for (size_t i = 0; i < given->len; i++) {
        Str rest = given->items[i], word;
        while (str_next(&rest, '+', &word)) { /* as Tesseract's users write it */
            Str code = languages_code(word);
            if (code.len == 0 || str_eq_c(code, "auto"))
                continue;
            if (!languages_has(installed, code))
                return missing(word, code, installed, err);
            if (++count > LANGUAGES_MAX || at + code.len + 2 > LANGUAGES_TEXT_MAX) {
                err_set(err, ERR_BAD_PARAM, "more than %d languages", LANGUAGES_MAX);
                err_param(err, "languages");
                return ERR_BAD_PARAM;
            }
            at += (size_t)snprintf(out + at, LANGUAGES_TEXT_MAX - at, "%s" STR_FMT,
                                   count > 1 ? "+" : "", STR_ARG(code));
        }
    }
    return OK;
}

const char *languages_first(LanguageSet installed)
{
    if (languages_has(installed, STR("eng")))
        return "eng";
    return installed.len > 0 ? installed.codes[0] : NULL;
}

const char *languages_of_iso(LanguageSet installed, const char *iso)
{
    Str code = languages_code(str_from_c(iso));
    for (size_t i = 0; i < installed.len; i++)
        if (str_eq_c(code, installed.codes[i]))
            return installed.codes[i];
    return NULL;
}

const char *languages_script(const char *code)
{
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(known[i].code, code) == 0)
            return known[i].script;
    return "";
}

/* Of several, the one most is written in comes first. */
static const char *const common[] = {"eng", "rus", "ara", "hin", "chi_sim", "jpn", "deu"};

static bool writes(const char *code, const char *script)
{
    const char *own = languages_script(code);
    if (strcmp(script, "Hangul") == 0)
        return strcmp(own, "Korean") == 0;
    if (strcmp(script, "Katakana") == 0 || strcmp(script, "Hiragana") == 0)
        return strcmp(own, "Japanese") == 0;
    return strcmp(own, script) == 0;
}

const char *languages_of_script(LanguageSet installed, const char *script)
{
    for (size_t i = 0; i < COUNT_OF(common); i++)
        if (writes(common[i], script) && languages_has(installed, str_from_c(common[i])))
            return common[i];
    for (size_t i = 0; i < installed.len; i++)
        if (writes(installed.codes[i], script))
            return installed.codes[i];
    /* Japanese and Chinese share their characters: better the other than none. */
    if (strcmp(script, "Han") == 0 || strcmp(script, "Japanese") == 0)
        for (size_t i = 0; i < installed.len; i++)
            if (writes(installed.codes[i], "Han") || writes(installed.codes[i], "Japanese"))
                return installed.codes[i];
    return NULL;
}
