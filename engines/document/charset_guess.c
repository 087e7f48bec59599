#include "document/charset_in.h"

#include <string.h>

#include "kit/language.h"

enum { SEEN_BYTES = 12 << 10, WIDE_UNITS = 4096 };

/* --- UTF-16 without a mark and without zeros */

/* Letters are in few places; what is rare, private or not assigned shows the wrong reading. */
static bool is_rare(uint32_t u)
{
    return (u >= 0x3400 && u < 0x4E00) || (u >= 0xA000 && u < 0xAC00) || u >= 0xFFFE ||
           (u >= 0xD7B0 && u < 0xF900) || (u < 0x20 && u != '\t' && u != '\n' && u != '\r') ||
           (u >= 0x2400 && u < 0x2E00);
}

/* Spaces, line ends and the full stops and commas of scripts that write without spaces. */
static bool is_anchor(uint32_t u)
{
    return u == 0x20 || u == '\n' || u == 0x3000 || u == 0x3001 || u == 0x3002 || u == 0xFF0C ||
           u == 0x1361 || u == 0x1362 || u == 0x0964;
}

static bool reads_wide(Str s, bool big)
{
    size_t units = 0, rare = 0, anchors = 0;
    for (size_t i = 0; i + 2 <= s.len && units < WIDE_UNITS; i += 2, units++) {
        uint32_t high = (unsigned char)s.ptr[i + !big], low = (unsigned char)s.ptr[i + big];
        rare += is_rare(high << 8 | low);
        anchors += is_anchor(high << 8 | low);
    }
    return units >= 8 && rare * 50 <= units && anchors * 200 >= units && anchors > 0;
}

const char *charset_guess_wide(Str bytes)
{
    bool little = bytes.len % 2 == 0 && reads_wide(bytes, false);
    bool big = bytes.len % 2 == 0 && reads_wide(bytes, true);
    return little == big ? NULL : little ? "UTF-16LE" : "UTF-16BE";
}

/* --- one candidate after the other */

typedef enum Sign { SIGN_NONE, SIGN_LOWER, SIGN_UPPER, SIGN_LETTER, SIGN_QUOTE, SIGN_ODD } Sign;

/* Letters of Latin, Greek and Cyrillic come in pairs; in most blocks the pairs alternate. */
static Sign sign_of(uint32_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 0xDF && c <= 0xFF && c != 0xF7))
        return SIGN_LOWER;
    if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7))
        return SIGN_UPPER;
    if (c < 0x80)
        return SIGN_NONE;
    if (c < 0xA0 || (c >= 0x2500 && c < 0x2600))
        return SIGN_ODD; /* controls; frames */
    if (c >= 0x100 && c < 0x180)
        return (c >= 0x139 && c <= 0x148) || c >= 0x179 ? (c & 1 ? SIGN_UPPER : SIGN_LOWER)
                                                        : (c & 1 ? SIGN_LOWER : SIGN_UPPER);
    if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x400 && c <= 0x42F))
        return SIGN_UPPER;
    if ((c >= 0x3AC && c <= 0x3CE) || (c >= 0x430 && c <= 0x45F))
        return SIGN_LOWER;
    if ((c >= 0x2010 && c <= 0x203A) || c == 0xAB || c == 0xBB || c == 0xA0 || c == 0xB7 ||
        c == 0xA1 || c == 0xBF || c == 0x20AC || c == 0xA9 || c == 0xAE || c == 0xB0 || c == 0xA7 ||
        c == 0x2116 || c == 0xB4 || (c >= 0xA2 && c <= 0xA5))
        return SIGN_QUOTE;
    if (c >= 0xFF61 && c < 0xFFA0) /* half-width katakana: what Cyrillic looks like as Shift_JIS */
        return SIGN_ODD;
    if (c < 0xC0 || c == 0xD7 || c == 0xF7 || (c >= 0x2000 && c < 0x2C00))
        return SIGN_ODD;
    return SIGN_LETTER;
}

static bool is_letter(Sign s)
{
    return s == SIGN_LOWER || s == SIGN_UPPER || s == SIGN_LETTER;
}

static int script_of(uint32_t c)
{
    return c < 0x80    ? 0
           : c < 0x250 ? 1
           : c < 0x400 ? 2
           : c < 0x530 ? 3
           : c < 0x600 ? 4
           : c < 0x700 ? 5
           : c < 0xE80 ? 6
                       : 7;
}

/* Of 100: how well characters beyond ASCII stand where they are. Negative: mostly wrongly. */
static int fit_of_letters(Str text)
{
    Sign before = SIGN_NONE;
    uint32_t last = 0; /* the character before */
    int64_t sum = 0, count = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t c = str_next_utf8(text, &at);
        size_t ahead = at;
        uint32_t next = at < text.len ? str_next_utf8(text, &ahead) : 0;
        Sign s = sign_of(c), after = sign_of(next);
        if (c >= 0x80) {
            count++;
            bool inside = is_letter(before) && is_letter(after);
            bool latin = script_of(c) <= 1;
            if (s == SIGN_ODD)
                sum -= inside || c < 0xA0 ? 200 : c >= 0xFF61 ? 100 : 50;
            else if (s == SIGN_QUOTE)
                sum += inside && c != 0x2019 && c != 0xB7 ? -150 : 60;
            else if (s == SIGN_UPPER && before == SIGN_LOWER)
                sum -= 100;
            else if (s == SIGN_LOWER && before == SIGN_UPPER && after == SIGN_UPPER)
                sum -= 60;
            else if (!latin && ((is_letter(before) && script_of(last) <= 1) ||
                                (is_letter(after) && script_of(next) <= 1)))
                sum -= 100; /* a foreign letter in the middle of a word */
            else if (!latin && !is_letter(before) && !is_letter(after) && script_of(c) < 6)
                sum += 20;
            else if (latin && !is_letter(before) && !is_letter(after))
                sum += s == SIGN_LOWER ? 30 : -30;
            else
                sum += 100;
        }
        before = s;
        last = c;
    }
    return count > 0 ? (int)(sum / count) : 0;
}

/* In the order of preference: of two that read alike the first one wins. */
static const char *const candidates[] = {
    "windows-1252", "windows-1251", "windows-1250",   "Shift_JIS",    "GB18030",     "EUC-JP",
    "EUC-KR",       "Big5",         "windows-1254",   "windows-1253", "KOI8-R",      "KOI8-U",
    "windows-1255", "windows-1256", "windows-1257",   "windows-874",  "ISO-8859-2",  "ISO-8859-5",
    "ISO-8859-7",   "ISO-8859-6",   "ISO-8859-15",    "IBM866",       "IBM850",      "IBM852",
    "macintosh",    "windows-1258", "x-mac-cyrillic", "JOHAB",        "ISO-8859-13", "IBM855",
};

/* Scripts of one language: there the language says no more than the letters did. */
static bool is_told_by_script(const char *code)
{
    static const char *const codes[] = {"th", "el", "iw", "he", "ka", "hy"};
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

static int fit_of_language(Str text)
{
    LanguageGuess g;
    language_guess(text.ptr, text.len, true, &g);
    /* far above what real text reaches, the number means nothing */
    int fit =
        g.reliable ? (g.fit > 1200 ? 1200 : g.fit) / 2 + 150 : (g.fit > 400 ? 400 : g.fit) / 4;
    return is_told_by_script(g.code) ? fit / 2 : fit;
}

/* Thai text has its own order: signs above and below stand on letters, and vowels that go
 * before a letter have one after them. */
static int fit_of_thai(Str text)
{
    uint32_t last = 0;
    int wrong = 0, seen = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t c = str_next_utf8(text, &at);
        bool sign = c == 0xE31 || (c >= 0xE34 && c <= 0xE3A) || (c >= 0xE47 && c <= 0xE4E);
        bool leading = last >= 0xE40 && last <= 0xE44;
        seen += c >= 0xE00 && c < 0xE80;
        wrong += (sign && (last < 0xE01 || last > 0xE4E)) || (leading && (c < 0xE01 || c > 0xE2E));
        last = c;
    }
    return wrong > 0 ? -4000 * wrong / seen - 1 : seen > 20 ? 300 : 0;
}

static int score_of(Arena *a, Str head, const char *name)
{
    Str text;
    size_t bad = 0;
    ArenaMark mark = arena_mark(a);
    int score = INT32_MIN;
    if (charset_try(a, head, name, &text, &bad) && bad * 100 <= head.len) {
        score =
            fit_of_letters(text) * 6 + fit_of_language(text) - (int)(bad * 4000 / (head.len + 1));
        if (strcmp(name, "windows-874") == 0)
            score += fit_of_thai(text);
    }
    arena_rewind(a, mark);
    return score;
}

/* Two names for nearly the same bytes: an opinion on one is an opinion on the other. */
static bool is_kin(const char *a, const char *b)
{
    static const char *const kin[][3] = {
        {"KOI8-R", "KOI8-U"},
        {"windows-1252", "windows-1254", "ISO-8859-15"},
        {"IBM850", "IBM852"},
    };
    for (size_t i = 0; i < COUNT_OF(kin); i++) {
        bool first = false, second = false;
        for (size_t k = 0; k < COUNT_OF(kin[i]); k++) {
            first = first || (kin[i][k] != NULL && strcmp(kin[i][k], a) == 0);
            second = second || (kin[i][k] != NULL && strcmp(kin[i][k], b) == 0);
        }
        if (first && second)
            return true;
    }
    return strcmp(a, b) == 0;
}

const char *charset_guess_narrow(Arena *a, Str bytes, const char *first)
{
    enum { OPINION = 300, RARER = 4, COMMON = 24, RARE = 150 };
    Str head = str_slice(bytes, 0, SEEN_BYTES);
    const char *best = first != NULL ? first : candidates[0];
    int most = INT32_MIN;
    for (int i = 0; i < (int)COUNT_OF(candidates); i++) {
        int score = score_of(a, head, candidates[i]);
        if (score == INT32_MIN)
            continue;
        score -= i * RARER + (i < COMMON ? 0 : RARE);
        if (first != NULL && is_kin(first, candidates[i]))
            score += i < 20 ? OPINION : OPINION / 4;
        if (score > most) {
            most = score;
            best = candidates[i];
        }
    }
    return best;
}
