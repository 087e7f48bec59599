#include "text/words.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/ustring.h>

Words words_begin(Str text)
{
    return (Words){.text = text};
}

/* Scripts that put no space between words. */
static bool runs_on(UChar32 c)
{
    return c >= 0x0E00 && (u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) ||
                           (c >= 0x3040 && c <= 0x30FF) || (c >= 0x0E00 && c <= 0x0EFF) ||
                           (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF));
}

static bool is_inside(UChar32 c)
{
    return c == '\'' || c == 0x2019 || c == '-' || c == 0x2010 || c == 0xAD || c == 0x200D;
}

static bool is_wordly(UChar32 c)
{
    int8_t type = u_charType(c);
    return u_isalnum(c) || type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK;
}

static void fold(Word *w, UChar32 c)
{
    UChar32 f = u_foldCase(c, U_FOLD_CASE_DEFAULT);
    uint8_t bytes[4];
    int32_t n = 0;
    UBool wrong = false;
    U8_APPEND(bytes, n, 4, f, wrong);
    if (wrong || w->folded_len + (size_t)n > WORD_MAX)
        return;
    memcpy(w->folded + w->folded_len, bytes, (size_t)n);
    w->folded_len += (size_t)n;
}

static UChar32 next_char(Str s, size_t *at)
{
    return (UChar32)str_next_utf8(s, at);
}

/* Two characters, of which the second begins the next pair; a last one stands alone. */
static void take_pair(Words *w, Word *out, size_t after_first)
{
    size_t at = after_first;
    out->pair = true;
    out->to = after_first;
    w->at = after_first;
    if (at >= w->text.len)
        return;
    UChar32 c = next_char(w->text, &at);
    if (!runs_on(c) || !is_wordly(c))
        return;
    fold(out, c);
    out->to = at;
    size_t peek = at;
    UChar32 after = peek < w->text.len ? next_char(w->text, &peek) : 0;
    if (!runs_on(after) || !is_wordly(after))
        w->at = at; /* the end of the run: its last character is in this pair */
}

static void take_word(Words *w, Word *out, UChar32 first)
{
    size_t letters = 1, capitals = u_isupper(first), digits = u_isdigit(first);
    size_t at = w->at;
    out->capital = u_isupper(first) || u_istitle(first);
    while (at < w->text.len) {
        size_t next = at;
        UChar32 c = next_char(w->text, &next);
        if (is_inside(c) && next < w->text.len) {
            size_t peek = next;
            UChar32 after = next_char(w->text, &peek);
            if (!is_wordly(after) || runs_on(after))
                break;
            at = next;
            continue;
        }
        if (!is_wordly(c) || runs_on(c))
            break;
        fold(out, c);
        letters++;
        capitals += u_isupper(c);
        digits += u_isdigit(c);
        at = next;
    }
    w->at = out->to = at;
    out->upper = letters > 1 && capitals == letters;
    out->number = digits == letters;
}

bool words_next(Words *w, Word *out)
{
    while (w->at < w->text.len) {
        size_t from = w->at;
        UChar32 c = next_char(w->text, &w->at);
        if (!is_wordly(c))
            continue;
        *out = (Word){.from = from};
        fold(out, c);
        if (runs_on(c))
            take_pair(w, out, w->at);
        else
            take_word(w, out, c);
        return true;
    }
    return false;
}

/* ---- the table ---- */

Lexicon lexicon_new(Arena *a)
{
    return (Lexicon){.arena = a};
}

static uint64_t hash_of(Str s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)s.ptr[i]) * UINT64_C(1099511628211);
    return h ^ h >> 29;
}

static uint32_t *slot_of(const Lexicon *l, Str s)
{
    size_t i = (size_t)hash_of(s) & (l->slots_len - 1);
    while (l->slots[i] != 0 && !str_eq(l->items[l->slots[i] - 1], s))
        i = (i + 1) & (l->slots_len - 1);
    return &l->slots[i];
}

static bool grow(Lexicon *l)
{
    size_t cap = l->cap > 0 ? l->cap * 2 : 1024;
    Str *items = arena_grow(l->arena, l->items, l->cap * sizeof *items, cap * sizeof *items);
    uint32_t *slots = arena_new(l->arena, uint32_t, cap * 2);
    if (items == NULL || slots == NULL)
        return false;
    l->items = items;
    l->cap = cap;
    l->slots = slots;
    l->slots_len = cap * 2;
    for (size_t i = 0; i < l->len; i++)
        *slot_of(l, l->items[i]) = (uint32_t)i + 1;
    return true;
}

uint32_t lexicon_id(Lexicon *l, Str folded)
{
    if (l->len == l->cap && (l->failed || !grow(l))) {
        l->failed = true;
        return UINT32_MAX;
    }
    uint32_t *slot = slot_of(l, folded);
    if (*slot != 0)
        return *slot - 1;
    Str kept = str_copy(l->arena, folded);
    if (kept.ptr == NULL) {
        l->failed = true;
        return UINT32_MAX;
    }
    l->items[l->len++] = kept;
    *slot = (uint32_t)l->len;
    return (uint32_t)l->len - 1;
}

/* ---- words that say nothing ---- */

static const struct {
    const char *language, *words; /* joined and surrounded by blanks */
} stops[] = {
#define STOP_WORDS(language, words) {language, " " words " "},
#include "text/stop_words.def"
#undef STOP_WORDS
};

bool stop_word(const char *language, Str folded)
{
    char padded[WORD_MAX + 3];
    if (folded.len > WORD_MAX)
        return false;
    padded[0] = ' ';
    memcpy(padded + 1, folded.ptr, folded.len);
    memcpy(padded + 1 + folded.len, " ", 2);
    for (size_t i = 0; i < COUNT_OF(stops); i++)
        if (strncmp(language, stops[i].language, 2) == 0)
            return strstr(stops[i].words, padded) != NULL;
    return folded.len <= 2; /* a language without a list: what is very short */
}
