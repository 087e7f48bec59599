#include "text/meter.h"
#include "text/pieces.h"

#include <unicode/uchar.h>

enum { ZERO_WIDTH_JOINER = 0x200D, TOKEN_BYTES_MAX = 128 };

void meter_begin(Meter *m, size_t from)
{
    m->from = m->sure = from;
    m->sure_count = 0;
}

static bool is_char_start(char c)
{
    return ((uint8_t)c & 0xC0) != 0x80;
}

static int64_t count_chars(Str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += is_char_start(s.ptr[i]);
    return n;
}

ErrCode meter_to(Meter *m, size_t to, int64_t limit, int64_t *out, Err *err)
{
    if (to < m->sure)
        meter_begin(m, m->from);
    if (m->unit == METER_CHARACTERS) {
        m->sure_count += count_chars(str_slice(m->text, m->sure, to));
        m->sure = to;
        *out = m->sure_count;
        return OK;
    }
    Str slice = str_slice(m->text, m->from, to);
    int64_t count = m->sure_count;
    for (size_t at = m->sure - m->from; at < slice.len;) {
        if (at > m->sure - m->from && pieces_sure_cut(slice, at)) {
            m->sure = m->from + at;
            m->sure_count = count;
            if (count > limit)
                break;
        }
        Tokens tokens;
        ErrCode rc = tokenizer_next(m->tokenizer, slice, &at, &tokens, err);
        if (rc != OK)
            return rc;
        count += (int64_t)tokens.len;
    }
    *out = count;
    return OK;
}

size_t meter_char_edge(Str text, size_t floor, size_t at)
{
    for (; at > floor && at < text.len; at--) {
        if (!is_char_start(text.ptr[at]))
            continue;
        size_t next = at, before = at - 1;
        while (before > floor && !is_char_start(text.ptr[before]))
            before--;
        UChar32 c = (UChar32)str_next_utf8(text, &next);
        bool joined = str_next_utf8(text, &before) == ZERO_WIDTH_JOINER;
        if (!joined && !u_hasBinaryProperty(c, UCHAR_GRAPHEME_EXTEND) && c != ZERO_WIDTH_JOINER)
            break;
    }
    return at;
}

/* What belongs to the words before it: white space, and punctuation that closes. */
static size_t after_words(Str text, size_t at, size_t max)
{
    while (at < max) {
        size_t next = at;
        UChar32 c = (UChar32)str_next_utf8(text, &next);
        int8_t type = u_charType(c);
        bool closes = c == '.' || c == ',' || c == ';' || c == ':' || c == '!' || c == '?' ||
                      type == U_END_PUNCTUATION || type == U_FINAL_PUNCTUATION ||
                      (c >= 0x80 && type == U_OTHER_PUNCTUATION);
        if (!u_isUWhiteSpace(c) && !closes)
            break;
        at = next;
    }
    return at > max ? max : at;
}

/* [from, at) counted on its own is within the limit. */
static ErrCode fits(Meter *m, size_t at, int64_t limit, bool *out, Err *err)
{
    int64_t n = 0;
    ErrCode rc = meter_to(m, at, limit, &n, err);
    *out = rc == OK && n <= limit;
    return rc;
}

/* The last two ends of pieces within the limit, the later one first; `floor`: there are none. */
static ErrCode last_ends(Meter *m, size_t floor, size_t max, int64_t limit, size_t out[2], Err *err)
{
    /* More than `limit` tokens for certain, however long the word that lies there. */
    size_t most = m->sure + (size_t)(limit + 2) * TOKEN_BYTES_MAX;
    Str slice = str_slice(m->text, m->from, max < most ? max : most);
    int64_t count = m->sure_count;
    out[0] = out[1] = floor;
    for (size_t at = m->sure - m->from; at < slice.len;) {
        Tokens tokens = {0};
        size_t begin = at;
        if (m->unit == METER_TOKENS) {
            ErrCode rc = tokenizer_next(m->tokenizer, slice, &at, &tokens, err);
            if (rc != OK)
                return rc;
            count += (int64_t)tokens.len;
        } else {
            at = pieces_end(tokenizer_encoding(m->tokenizer), slice, at);
            count += count_chars(str_slice(slice, begin, at));
        }
        if (count > limit)
            break;
        if (m->from + at > floor) {
            out[1] = out[0];
            out[0] = m->from + at;
        }
    }
    return OK;
}

/* Within a word: halve until the largest part that fits is found. What fits grows with the length,
 * but for a token here and there, so the answer is looked at once more. */
static ErrCode within_word(Meter *m, size_t floor, size_t max, int64_t limit, size_t *out, Err *err)
{
    size_t most = floor + (size_t)(limit + 2) * TOKEN_BYTES_MAX;
    size_t low = floor, high = max < most ? max : most;
    while (low < high) {
        size_t middle = meter_char_edge(m->text, low, low + (high - low + 1) / 2);
        if (middle == low) { /* the rest is one character to people: its parts will do */
            middle = low + 1;
            while (middle < max && !is_char_start(m->text.ptr[middle]))
                middle++;
            if (middle > high)
                break;
        }
        bool fit = false;
        ErrCode rc = fits(m, middle, limit, &fit, err);
        if (rc != OK)
            return rc;
        if (fit)
            low = middle;
        else if (middle >= high)
            break;
        else
            high = middle - 1;
    }
    size_t edge = meter_char_edge(m->text, floor, low);
    *out = edge > floor ? edge : low;
    return OK;
}

ErrCode meter_fit(Meter *m, size_t floor, size_t max, int64_t limit, size_t *out, Err *err)
{
    size_t ends[2];
    ErrCode rc = last_ends(m, floor, max, limit, ends, err);
    if (rc != OK)
        return rc;
    if (ends[0] == floor)
        return within_word(m, floor, max, limit, out, err);
    const size_t wanted[] = {after_words(m->text, ends[0], max), after_words(m->text, ends[1], max),
                             ends[0], ends[1]};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        bool fit = false;
        rc = fits(m, wanted[i], limit, &fit, err);
        if (rc != OK)
            return rc;
        if (fit && wanted[i] > floor) {
            *out = wanted[i];
            return OK;
        }
    }
    return within_word(m, floor, max, limit, out, err);
}
