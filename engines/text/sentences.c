#include "text/sentences.h"

#include <stdlib.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

/* Opened in the warm parent; each task uses its own copy, as the process is its own. */
static UBreakIterator *breaker;
static UText *breaker_text;
static Str breaker_holds; /* what it was given last */

ErrCode sentences_warm(Err *err)
{
    UErrorCode u = U_ZERO_ERROR;
    if (breaker != NULL)
        return OK;
    breaker = ubrk_open(UBRK_SENTENCE, "en@ss=standard", NULL, 0, &u);
    if (U_FAILURE(u))
        return err_set(err, ERR_ENGINE_MISSING, "opening ICU's rules for sentences: %s",
                       u_errorName(u));
    Sentences s = sentences_begin(STR("One. Two.")); /* whatever is loaded late is loaded now */
    size_t end;
    while (sentences_next(&s, &end))
        ;
    return OK;
}

static bool give(Str text)
{
    UErrorCode u = U_ZERO_ERROR;
    breaker_text = utext_openUTF8(breaker_text, text.ptr, (int64_t)text.len, &u);
    ubrk_setUText(breaker, breaker_text, &u);
    breaker_holds = text;
    return U_SUCCESS(u);
}

Sentences sentences_begin(Str text)
{
    return (Sentences){.text = text, .plain = text.len > INT32_MAX || !give(text)};
}

/* The next end by the breaker's rules, after `at`. Another Sentences may have had it meanwhile; then
 * it begins anew at `at`, as finding a place in the middle of a text takes it as long as coming
 * there. */
static size_t next_end(Sentences *s, size_t at)
{
    Str rest = str_slice(s->text, s->begun, s->text.len);
    bool ours = breaker_holds.ptr == rest.ptr && breaker_holds.len == rest.len &&
                ubrk_current(breaker) == (int32_t)(at - s->begun);
    if (!ours) {
        s->begun = at;
        if (!give(str_slice(s->text, at, s->text.len)))
            return s->text.len;
    }
    int32_t next = ubrk_next(breaker);
    return next == UBRK_DONE ? s->text.len : s->begun + (size_t)next;
}

static bool is_space(uint32_t c)
{
    return c <= 0x20 || (c >= 0x80 && u_isUWhiteSpace((UChar32)c));
}

static uint32_t char_before(Str s, size_t *at)
{
    size_t begin = *at - 1, next;
    while (begin > 0 && ((uint8_t)s.ptr[begin] & 0xC0) == 0x80)
        begin--;
    next = begin;
    *at = begin;
    return str_next_utf8(s, &next);
}

static bool is_closer(uint32_t c)
{
    int8_t type = u_charType((UChar32)c);
    return c == '"' || c == '\'' || c == '*' || c == '_' || c == '`' || type == U_END_PUNCTUATION ||
           type == U_FINAL_PUNCTUATION;
}

/* Does the text before `at` end like a sentence, white space and closing quotes aside? */
static bool ends_sentence(Str s, size_t from, size_t at)
{
    uint32_t c = 0;
    while (at > from && is_space(c = char_before(s, &at)))
        ;
    while (at > from && is_closer(c))
        c = char_before(s, &at);
    return c == ':' || c == 0x2026 || c == 0xFF1A || u_hasBinaryProperty((UChar32)c, UCHAR_S_TERM);
}

bool sentences_next(Sentences *s, size_t *out_end)
{
    if (s->at >= s->text.len)
        return false;
    size_t from = s->at, at = from, end = s->text.len;
    while (!s->plain) {
        at = end = next_end(s, at);
        if (end >= s->text.len || s->text.ptr[end - 1] != '\n' || ends_sentence(s->text, from, end))
            break;
    }
    if (end <= from)
        end = s->text.len;
    *out_end = s->at = end;
    return true;
}
