#include "text/readability.h"
#include "text/sentences.h"
#include "text/words.h"

#include <math.h>
#include <string.h>

static bool is_vowel(uint32_t c)
{
    static const uint16_t cyrillic[] = {0x430, 0x435, 0x438, 0x43E, 0x443, 0x44B,
                                        0x44D, 0x44E, 0x44F, 0x451, 0x456, 0x457};
    if (c < 0x80)
        return c != 0 && strchr("aeiouy", (int)c) != NULL;
    if (c <= 0xFF) /* à to ü, without ç ð ñ ÷ */
        return c >= 0xE0 && c <= 0xFC && c != 0xE7 && c != 0xF0 && c != 0xF1 && c != 0xF7;
    for (size_t i = 0; i < COUNT_OF(cyrillic); i++)
        if (c == cyrillic[i])
            return true;
    return c == 0x153;
}

int syllables_of(Str folded)
{
    int n = 0;
    bool before = false;
    uint32_t last = 0, last_but_one = 0;
    for (size_t at = 0; at < folded.len;) {
        uint32_t c = str_next_utf8(folded, &at);
        bool vowel = is_vowel(c);
        n += vowel && !before;
        before = vowel;
        last_but_one = last;
        last = c;
    }
    /* "make" has one, "table" and "see" do not lose theirs. */
    if (n > 1 && last == 'e' && !is_vowel(last_but_one) && last_but_one != 'l')
        n--;
    return n > 0 ? n : 1;
}

void readability_add(Readability *r, Str prose)
{
    Sentences s = sentences_begin(prose);
    for (size_t from = 0, to; sentences_next(&s, &to); from = to) {
        int64_t before = r->words;
        Words w = words_begin(str_slice(prose, from, to));
        for (Word word; words_next(&w, &word);) {
            Str folded = {word.folded, word.folded_len};
            int letters = (int)str_count_utf8(folded), syllables = syllables_of(folded);
            r->words++;
            r->letters += letters;
            r->syllables += syllables;
            r->long_words += letters > 6;
            r->hard_words += syllables >= 3;
        }
        r->sentences += r->words > before;
    }
}

static double per(int64_t a, int64_t b)
{
    return b > 0 ? (double)a / (double)b : 0;
}

double flesch(const Readability *r)
{
    return 206.835 - 1.015 * per(r->words, r->sentences) - 84.6 * per(r->syllables, r->words);
}

double flesch_kincaid(const Readability *r)
{
    return 0.39 * per(r->words, r->sentences) + 11.8 * per(r->syllables, r->words) - 15.59;
}

double gunning_fog(const Readability *r)
{
    return 0.4 * (per(r->words, r->sentences) + 100 * per(r->hard_words, r->words));
}

double smog(const Readability *r)
{
    return 1.043 * sqrt((double)r->hard_words * per(30, r->sentences)) + 3.1291;
}

double automated_index(const Readability *r)
{
    return 4.71 * per(r->letters, r->words) + 0.5 * per(r->words, r->sentences) - 21.43;
}

double coleman_liau(const Readability *r)
{
    return 5.88 * per(r->letters, r->words) - 29.6 * per(r->sentences, r->words) - 15.8;
}

double lix(const Readability *r)
{
    return per(r->words, r->sentences) + 100 * per(r->long_words, r->words);
}
