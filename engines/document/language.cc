// language.cc: CLD2 has a C++ interface only; this is all of it that C needs.
#include "document/language.h"

#include <cstdio> // the header below uses FILE without saying so

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

enum { SEEN_MAX = 64 << 10 };

extern "C" void language_guess(const char *text, size_t len, bool markup, LanguageGuess *out)
{
    const CLD2::CLDHints no_hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING,
                                     CLD2::UNKNOWN_LANGUAGE};
    CLD2::Language three[3];
    int percent[3], bytes = 0, valid = 0;
    double fit[3];
    bool reliable = false;
    *out = LanguageGuess{};
    if (len > SEEN_MAX)
        len = SEEN_MAX;
    CLD2::Language found = CLD2::ExtDetectLanguageSummaryCheckUTF8(
        text, static_cast<int>(len), !markup, &no_hints, 0, three, percent, fit, nullptr, &bytes,
        &reliable, &valid);
    if (found == CLD2::UNKNOWN_LANGUAGE)
        return;
    snprintf(out->code, sizeof out->code, "%s", CLD2::LanguageCode(found));
    out->percent = percent[0];
    out->fit = static_cast<int>(fit[0]);
    out->reliable = reliable;
}
