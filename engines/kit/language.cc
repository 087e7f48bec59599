// language.cc: CLD2 has a C++ interface only; this is all of it that C needs.
#include "kit/language.h"

#include <cstdio> // the header below uses FILE without saying so

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>
#include <cld2/internal/lang_script.h>

enum { SEEN_MAX = 64 << 10 };

extern "C" int language_guess_all(const char *text, size_t len, bool markup, LanguageGuess out[3])
{
    const CLD2::CLDHints no_hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING,
                                     CLD2::UNKNOWN_LANGUAGE};
    CLD2::Language three[3];
    int percent[3], bytes = 0, valid = 0, found = 0;
    double fit[3];
    bool reliable = false;
    if (len > SEEN_MAX)
        len = SEEN_MAX;
    CLD2::ExtDetectLanguageSummaryCheckUTF8(text, static_cast<int>(len), !markup, &no_hints, 0,
                                            three, percent, fit, nullptr, &bytes, &reliable,
                                            &valid);
    for (int i = 0; i < 3; i++) {
        if (three[i] == CLD2::UNKNOWN_LANGUAGE || percent[i] == 0)
            continue;
        LanguageGuess *g = &out[found++];
        *g = LanguageGuess{};
        snprintf(g->code, sizeof g->code, "%s", CLD2::LanguageCode(three[i]));
        g->percent = percent[i];
        g->fit = static_cast<int>(fit[i]);
        g->reliable = reliable;
    }
    return found;
}

extern "C" void language_guess(const char *text, size_t len, bool markup, LanguageGuess *out)
{
    LanguageGuess three[3];
    *out = LanguageGuess{};
    if (language_guess_all(text, len, markup, three) > 0)
        *out = three[0];
}

// "GERMAN" and "CHINESE_T" as people write them. One thread: engines' tasks have no other here.
extern "C" const char *language_name(const char *code)
{
    static char name[40];
    CLD2::Language l = CLD2::GetLanguageFromName(code);
    const char *from = l == CLD2::UNKNOWN_LANGUAGE ? "" : CLD2::LanguageName(l);
    size_t n = 0;
    for (bool first = true; from[n] != 0 && n + 1 < sizeof name; n++) {
        char c = from[n];
        name[n] = c == '_' ? ' ' : !first && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        first = c == '_' || c == ' ';
    }
    name[n] = 0;
    return name;
}
