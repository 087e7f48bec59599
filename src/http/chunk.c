#include "http/chunk_in.h"
#include "http/parse_in.h"

enum { SIZE_DIGITS_MAX = 15, EXTRA_MAX = 16 * 1024 }; /* 15 hex digits fit int64_t */

enum State {
    SIZE,
    EXT_NAME_START,
    EXT_NAME,
    EXT_VALUE_START,
    EXT_TOKEN,
    EXT_QUOTED,
    EXT_ESCAPED,
    EXT_AFTER_QUOTED,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    END,
    BAD,
};

static HttpChunked bad(HttpChunk *c, const char *why)
{
    c->state = BAD;
    c->why = why;
    return CHUNK_BAD;
}

static HttpChunked to(HttpChunk *c, enum State next)
{
    c->state = (uint8_t)next;
    return CHUNK_MORE;
}

static HttpChunked expect(HttpChunk *c, char got, char want, enum State next)
{
    return got == want ? to(c, next) : bad(c, "a chunk's line does not end with CR LF");
}

static HttpChunked size_byte(HttpChunk *c, char b)
{
    int digit = http_hex(b);
    if (digit >= 0) {
        if (c->digits++ == SIZE_DIGITS_MAX)
            return bad(c, "a chunk's size has too many digits");
        c->left = c->left << 4 | digit;
        return CHUNK_MORE;
    }
    if (c->digits == 0)
        return bad(c, "a chunk has no size");
    if (b == ';')
        return to(c, EXT_NAME_START);
    return b == '\r' ? to(c, SIZE_LF) : bad(c, "a chunk's size is not a hex number");
}

/* What may follow a finished extension. */
static HttpChunked ext_next(HttpChunk *c, char b)
{
    if (b == ';')
        return to(c, EXT_NAME_START);
    return b == '\r' ? to(c, SIZE_LF) : bad(c, "a chunk's extension is not well-formed");
}

static HttpChunked ext_byte(HttpChunk *c, char b)
{
    bool token = http_token_char((unsigned char)b);
    bool text = b == '\t' || ((unsigned char)b >= ' ' && b != 0x7f);
    switch ((enum State)c->state) {
    case EXT_NAME_START:
        return token ? to(c, EXT_NAME) : bad(c, "a chunk's extension has no name");
    case EXT_NAME:
        if (token)
            return CHUNK_MORE;
        return b == '=' ? to(c, EXT_VALUE_START) : ext_next(c, b);
    case EXT_VALUE_START:
        if (b == '"')
            return to(c, EXT_QUOTED);
        return token ? to(c, EXT_TOKEN) : bad(c, "a chunk's extension has no value");
    case EXT_TOKEN:
        return token ? CHUNK_MORE : ext_next(c, b);
    case EXT_QUOTED:
        if (b == '"')
            return to(c, EXT_AFTER_QUOTED);
        if (b == '\\')
            return to(c, EXT_ESCAPED);
        return text ? CHUNK_MORE : bad(c, "a chunk's extension holds a control byte");
    case EXT_ESCAPED:
        return text ? to(c, EXT_QUOTED) : bad(c, "a chunk's extension holds a control byte");
    default:
        return ext_next(c, b);
    }
}

static HttpChunked trailer_byte(HttpChunk *c, char b)
{
    bool token = http_token_char((unsigned char)b);
    switch ((enum State)c->state) {
    case TRAILER_START:
        if (b == '\r')
            return to(c, END_LF);
        return token ? to(c, TRAILER_NAME) : bad(c, "a trailer is not well-formed");
    case TRAILER_NAME:
        if (b == ':')
            return to(c, TRAILER_VALUE);
        return token ? CHUNK_MORE : bad(c, "a trailer is not well-formed");
    case TRAILER_VALUE:
        if (b == '\r')
            return to(c, TRAILER_LF);
        return b == '\t' || ((unsigned char)b >= ' ' && b != 0x7f)
                   ? CHUNK_MORE
                   : bad(c, "a trailer holds a control byte");
    default:
        return expect(c, b, '\n', TRAILER_START);
    }
}

static HttpChunked size_end(HttpChunk *c, char b)
{
    c->digits = 0;
    return expect(c, b, '\n', c->left > 0 ? DATA : TRAILER_START);
}

static HttpChunked step(HttpChunk *c, char b)
{
    switch ((enum State)c->state) {
    case SIZE:
        return size_byte(c, b);
    case SIZE_LF:
        return size_end(c, b);
    case DATA_CR:
        return expect(c, b, '\r', DATA_LF);
    case DATA_LF:
        return expect(c, b, '\n', SIZE);
    case END_LF:
        return expect(c, b, '\n', END);
    default:
        break;
    }
    if (++c->extra > EXTRA_MAX)
        return bad(c, "chunk extensions and trailers are too long");
    return c->state >= TRAILER_START ? trailer_byte(c, b) : ext_byte(c, b);
}

static HttpChunked take_data(HttpChunk *c, Str *in, Str *data)
{
    size_t n = (uint64_t)c->left < in->len ? (size_t)c->left : in->len;
    *data = str_slice(*in, 0, n);
    *in = str_slice(*in, n, in->len);
    c->left -= (int64_t)n;
    if (c->left == 0)
        c->state = DATA_CR;
    return CHUNK_DATA;
}

HttpChunked http_chunk(HttpChunk *c, Str *in, Str *data)
{
    while (c->state != END && c->state != BAD) {
        if (in->len == 0)
            return CHUNK_MORE;
        if (c->state == DATA)
            return take_data(c, in, data);
        if (step(c, in->ptr[0]) == CHUNK_BAD)
            return CHUNK_BAD;
        *in = str_slice(*in, 1, in->len);
    }
    return c->state == END ? CHUNK_END : CHUNK_BAD;
}
