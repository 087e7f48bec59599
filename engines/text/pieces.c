#include "text/pieces.h"

#include <string.h>
#include <unicode/uchar.h>

enum {
    LETTER = 1,
    NUMBER = 2,
    SPACE = 4,
    NEWLINE = 8, /* CR, LF */
    UPPER = 16,  /* what may begin a word: U above */
    LOWER = 32,  /* what may go on in it: W above */
    WORD_START = LETTER | NUMBER,
};

/* Filled by pieces_warm in the warm parent, then constant. */
static uint8_t kinds[UCHAR_MAX_VALUE + 1];

static uint8_t kind_of_category(UCharCategory c)
{
    switch (c) {
    case U_UPPERCASE_LETTER:
    case U_TITLECASE_LETTER:
        return LETTER | UPPER;
    case U_LOWERCASE_LETTER:
        return LETTER | LOWER;
    case U_MODIFIER_LETTER:
    case U_OTHER_LETTER:
        return LETTER | UPPER | LOWER;
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_COMBINING_SPACING_MARK:
        return UPPER | LOWER;
    case U_DECIMAL_DIGIT_NUMBER:
    case U_LETTER_NUMBER:
    case U_OTHER_NUMBER:
        return NUMBER;
    default:
        return 0;
    }
}

static UBool U_CALLCONV put_range(const void *context, UChar32 start, UChar32 limit,
                                  UCharCategory type)
{
    (void)context;
    memset(kinds + start, kind_of_category(type), (size_t)(limit - start));
    return true;
}

void pieces_warm(void)
{
    u_enumCharTypes(put_range, NULL);
    for (UChar32 c = 0; c <= 0x3000; c++) /* no white space beyond the ideographic one */
        if (u_isUWhiteSpace(c))
            kinds[c] |= SPACE;
    kinds['\r'] |= NEWLINE;
    kinds['\n'] |= NEWLINE;
}

/* One character at `at`: its kind, and where the next one begins. Past the end: 0. */
typedef struct Char {
    uint8_t kind;
    size_t next;
} Char;

static Char long_char(Str s, size_t at)
{
    uint32_t cp = str_next_utf8(s, &at);
    return (Char){kinds[cp], at};
}

static inline Char char_at(Str s, size_t at)
{
    if (at >= s.len)
        return (Char){0, at};
    const uint8_t *p = (const uint8_t *)s.ptr + at;
    if (p[0] < 0x80)
        return (Char){kinds[p[0]], at + 1};
    if (p[0] >= 0xE1 && p[0] <= 0xEC && s.len - at >= 3 && (p[1] & 0xC0) == 0x80 &&
        (p[2] & 0xC0) == 0x80) /* most of Asia, and no surrogates among it */
        return (Char){kinds[(p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F)], at + 3};
    return long_char(s, at);
}

/* While characters have one of `mask`. */
static inline size_t run_of(Str s, size_t at, uint8_t mask)
{
    while (at < s.len) {
        Char c = char_at(s, at);
        if (!(c.kind & mask))
            break;
        at = c.next;
    }
    return at;
}

static inline size_t run_without(Str s, size_t at, uint8_t mask)
{
    while (at < s.len) {
        Char c = char_at(s, at);
        if (c.kind & mask)
            break;
        at = c.next;
    }
    return at;
}

/* Bytes of 's, 're and so on at `at`, else 0. The long s is an s without its case. */
static size_t contraction(Str s, size_t at)
{
    if (at + 1 >= s.len || s.ptr[at] != '\'')
        return 0;
    uint8_t a = (uint8_t)s.ptr[at + 1], b = at + 2 < s.len ? (uint8_t)s.ptr[at + 2] : 0;
    if (a == 0xC5 && b == 0xBF)
        return 3;
    a |= 0x20;
    b |= 0x20;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

static size_t digits(Str s, size_t at)
{
    for (int i = 0; i < 3; i++) {
        Char c = char_at(s, at);
        if (!(c.kind & NUMBER))
            break;
        at = c.next;
    }
    return at;
}

/* ` ?[^\s\p{L}\p{N}]+` from `at`; `at` itself when there is none. */
static size_t symbols(Str s, size_t at)
{
    size_t from = s.ptr[at] == ' ' ? at + 1 : at;
    size_t end = run_without(s, from, SPACE | WORD_START);
    return end > from ? end : at;
}

typedef struct Blank {
    size_t end, last; /* of the run; where its last character begins */
    size_t line;      /* after its last CR or LF; 0: there is none */
} Blank;

static Blank blank(Str s, size_t at)
{
    Blank b = {.end = at, .last = at};
    while (b.end < s.len) {
        Char c = char_at(s, b.end);
        if (!(c.kind & SPACE))
            break;
        b.last = b.end;
        b.end = c.next;
        if (c.kind & NEWLINE)
            b.line = c.next;
    }
    return b;
}

/* A run before other text leaves its last character to what follows. */
static size_t blank_before_text(const Blank *b, size_t at)
{
    return b->last > at ? b->last : b->end;
}

static size_t cl100k_end(Str s, size_t at)
{
    Char c = char_at(s, at);
    if (s.ptr[at] == '\'') {
        size_t short_form = contraction(s, at);
        if (short_form > 0)
            return at + short_form;
    }
    if (c.kind & LETTER)
        return run_of(s, c.next, LETTER);
    if (!(c.kind & (NUMBER | NEWLINE)) && (char_at(s, c.next).kind & LETTER))
        return run_of(s, c.next, LETTER);
    if (c.kind & NUMBER)
        return digits(s, at);
    size_t end = symbols(s, at);
    if (end > at) {
        while (end < s.len && (s.ptr[end] == '\r' || s.ptr[end] == '\n'))
            end++;
        return end;
    }
    Blank b = blank(s, at);
    if (b.end == s.len)
        return b.end;
    return b.line > 0 ? b.line : blank_before_text(&b, at);
}

typedef struct Word {
    size_t mixed; /* end of U*W+; 0: it does not match */
    size_t upper; /* end of U+; the beginning when it does not match */
} Word;

/* U* takes all it can and gives back until W+ has something: a lower-case letter after it, else its
 * own last character that is of both kinds. */
static inline Word word_at(Str s, size_t at)
{
    Word w = {.upper = at};
    size_t both = 0;
    while (w.upper < s.len) {
        Char c = char_at(s, w.upper);
        if (!(c.kind & UPPER)) {
            if (c.kind & LOWER) {
                w.mixed = run_of(s, c.next, LOWER);
                return w;
            }
            break;
        }
        w.upper = c.next;
        if (c.kind & LOWER)
            both = c.next;
    }
    w.mixed = both;
    return w;
}

/* The first two alternatives; 0: neither matches. */
static size_t o200k_word(Str s, size_t at, Char c)
{
    bool prefix = !(c.kind & (WORD_START | NEWLINE));
    Word w = word_at(s, prefix ? c.next : at);
    if (w.mixed > 0)
        return w.mixed;
    if (prefix && (c.kind & UPPER)) /* a mark stands for a letter too */
        return word_at(s, at).mixed;
    return w.upper > (prefix ? c.next : at) ? w.upper : 0;
}

static size_t o200k_end(Str s, size_t at)
{
    Char c = char_at(s, at);
    if (!(c.kind & (NUMBER | NEWLINE))) {
        size_t word = o200k_word(s, at, c);
        if (word > 0)
            return word < s.len && s.ptr[word] == '\'' ? word + contraction(s, word) : word;
    }
    if (c.kind & NUMBER)
        return digits(s, at);
    size_t end = symbols(s, at);
    if (end > at) {
        while (end < s.len && (s.ptr[end] == '\r' || s.ptr[end] == '\n' || s.ptr[end] == '/'))
            end++;
        return end;
    }
    Blank b = blank(s, at);
    if (b.line > 0)
        return b.line;
    return b.end == s.len ? b.end : blank_before_text(&b, at);
}

size_t pieces_end(Encoding e, Str text, size_t at)
{
    return e == O200K ? o200k_end(text, at) : cl100k_end(text, at);
}

bool pieces_sure_cut(Str text, size_t at)
{
    if (at == 0 || at >= text.len || text.ptr[at] == '\'')
        return false;
    size_t before = at - 1;
    while (before > 0 && at - before < 4 && ((uint8_t)text.ptr[before] & 0xC0) == 0x80)
        before--;
    if (!(char_at(text, before).kind & WORD_START))
        return false;
    uint8_t after = char_at(text, at).kind;
    return (after & (WORD_START | UPPER | LOWER)) == 0;
}
