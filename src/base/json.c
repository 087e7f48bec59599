#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Reader {
    Arena *arena;
    Str src;
    size_t at;
    int depth;
    Err *err;
} Reader;

static ErrCode fail(const Reader *r, const char *what)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < r->at && i < r->src.len; i++) {
        column++;
        if (r->src.ptr[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return err_set(r->err, ERR_BAD_JSON, "%s at line %zu, column %zu", what, line, column);
}

static ErrCode full(const Reader *r)
{
    return err_set(r->err, ERR_NO_MEMORY, "the JSON text needs more memory than is allowed");
}

static void skip_space(Reader *r)
{
    while (r->at < r->src.len) {
        char c = r->src.ptr[r->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        r->at++;
    }
}

static int peek(const Reader *r)
{
    return r->at < r->src.len ? (unsigned char)r->src.ptr[r->at] : -1;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool read_hex4(Reader *r, uint32_t *out)
{
    if (r->src.len - r->at < 4)
        return false;
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = r->src.ptr[r->at + (size_t)i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A' + 10);
        else
            return false;
        v = v << 4 | digit;
    }
    r->at += 4;
    *out = v;
    return true;
}

/* After "\u": one code point, which may take a second \u escape. */
static bool read_code_point(Reader *r, uint32_t *out)
{
    uint32_t high, low;
    if (!read_hex4(r, &high))
        return false;
    if (high < 0xD800 || high > 0xDFFF) {
        *out = high;
        return true;
    }
    if (high > 0xDBFF || r->src.len - r->at < 2 || memcmp(r->src.ptr + r->at, "\\u", 2) != 0)
        return false;
    r->at += 2;
    if (!read_hex4(r, &low) || low < 0xDC00 || low > 0xDFFF)
        return false;
    *out = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static bool read_escape(Reader *r, char **to)
{
    static const char from[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
    int c = peek(r);
    r->at++;
    if (c == 'u') {
        uint32_t cp;
        if (!read_code_point(r, &cp))
            return false;
        *to += str_put_utf8(*to, cp);
        return true;
    }
    const char *hit = c > 0 ? strchr(from, c) : NULL;
    if (hit == NULL)
        return false;
    *(*to)++ = plain[hit - from];
    return true;
}

/* The escaped form is never shorter than the text, so `raw` bounds the copy. */
static ErrCode unescape(Reader *r, size_t start, size_t end, Str *out)
{
    char *copy = arena_alloc_raw(r->arena, end - start);
    if (copy == NULL)
        return full(r);
    char *to = copy;
    for (r->at = start; r->at < end;) {
        char c = r->src.ptr[r->at++];
        if (c != '\\')
            *to++ = c;
        else if (!read_escape(r, &to))
            return fail(r, "bad escape");
    }
    r->at = end + 1;
    *out = (Str){copy, (size_t)(to - copy)};
    return OK;
}

#define EVERY_BYTE(b)         (UINT64_C(0x0101010101010101) * (b))
#define SOME_BYTE_BELOW(x, n) (((x)-EVERY_BYTE(n)) & ~(x)&EVERY_BYTE(0x80))

/* How many bytes from `at` on are plain in JSON text (printable ASCII but for the quote and the
 * backslash), in steps of eight: the next byte may be plain too. After a backslash that ends the
 * text, `at` is past the end. "Bit Twiddling Hacks", Sean Eron Anderson: a byte below n. */
static size_t plain_run(Str s, size_t at)
{
    size_t from = at;
    for (uint64_t x; at < s.len && s.len - at >= sizeof x; at += sizeof x) {
        memcpy(&x, s.ptr + at, sizeof x);
        uint64_t quote = x ^ EVERY_BYTE('"'), backslash = x ^ EVERY_BYTE('\\');
        if ((SOME_BYTE_BELOW(x, 0x20) | SOME_BYTE_BELOW(quote, 1) | SOME_BYTE_BELOW(backslash, 1) |
             (x & EVERY_BYTE(0x80))) != 0)
            break;
    }
    return at - from;
}

static ErrCode read_text(Reader *r, Str *out)
{
    size_t start = ++r->at;
    bool escaped = false, high = false;
    for (;; r->at++) {
        r->at += plain_run(r->src, r->at);
        int c = peek(r);
        if (c < 0)
            return fail(r, "text without its closing quote");
        if (c == '"')
            break;
        if (c < 0x20)
            return fail(r, "control character in text");
        if (c >= 0x80)
            high = true;
        if (c == '\\') {
            escaped = true;
            r->at++;
        }
    }
    Str raw = str_slice(r->src, start, r->at);
    if (high && !str_is_utf8(raw))
        return fail(r, "text that is not UTF-8");
    if (escaped)
        return unescape(r, start, r->at, out);
    r->at++;
    *out = raw;
    return OK;
}

static bool skip_digits(Reader *r)
{
    size_t from = r->at;
    while (is_digit(peek(r)))
        r->at++;
    return r->at > from;
}

static ErrCode read_number(Reader *r, Json *j)
{
    size_t start = r->at;
    bool whole = true;
    if (peek(r) == '-')
        r->at++;
    if (peek(r) == '0')
        r->at++;
    else if (!skip_digits(r))
        return fail(r, "unexpected character");
    if (peek(r) == '.') {
        whole = false;
        r->at++;
        if (!skip_digits(r))
            return fail(r, "number without digits after its point");
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        whole = false;
        r->at++;
        if (peek(r) == '+' || peek(r) == '-')
            r->at++;
        if (!skip_digits(r))
            return fail(r, "number without digits in its exponent");
    }
    j->text = str_slice(r->src, start, r->at);
    j->type = whole && str_to_i64(j->text, &j->integer) ? JSON_INT : JSON_NUMBER;
    return OK;
}

static ErrCode read_word(Reader *r, const char *word, Json *j, JsonType type, bool truth)
{
    Str w = str_from_c(word);
    if (!str_starts(str_slice(r->src, r->at, r->src.len), w))
        return fail(r, "unexpected word");
    r->at += w.len;
    j->type = type;
    j->truth = truth;
    return OK;
}

static ErrCode read_value(Reader *r, Json *j);

static ErrCode read_key(Reader *r, Json *member)
{
    if (peek(r) != '"')
        return fail(r, "a name in quotes was expected");
    ErrCode rc = read_text(r, &member->key);
    if (rc != OK)
        return rc;
    skip_space(r);
    if (peek(r) != ':')
        return fail(r, "a colon was expected");
    r->at++;
    skip_space(r);
    return OK;
}

static ErrCode read_members(Reader *r, Json *j, char close)
{
    Json **tail = &j->first;
    for (;;) {
        Json *member = arena_new(r->arena, Json, 1);
        if (member == NULL)
            return full(r);
        skip_space(r);
        ErrCode rc = close == '}' ? read_key(r, member) : OK;
        if (rc == OK)
            rc = read_value(r, member);
        if (rc != OK)
            return rc;
        *tail = member;
        tail = &member->next;
        j->len++;
        skip_space(r);
        int c = peek(r);
        r->at++;
        if (c == close)
            return OK;
        if (c != ',') {
            r->at--;
            return fail(r, "a comma or the end was expected");
        }
    }
}

static ErrCode read_container(Reader *r, Json *j, JsonType type, char close)
{
    if (++r->depth > JSON_DEPTH_MAX)
        return fail(r, "nested too deeply");
    j->type = type;
    r->at++;
    skip_space(r);
    ErrCode rc = OK;
    if (peek(r) == close)
        r->at++;
    else
        rc = read_members(r, j, close);
    r->depth--;
    return rc;
}

static ErrCode read_value(Reader *r, Json *j)
{
    switch (peek(r)) {
    case '{':
        return read_container(r, j, JSON_OBJECT, '}');
    case '[':
        return read_container(r, j, JSON_LIST, ']');
    case '"':
        j->type = JSON_TEXT;
        return read_text(r, &j->text);
    case 't':
        return read_word(r, "true", j, JSON_BOOL, true);
    case 'f':
        return read_word(r, "false", j, JSON_BOOL, false);
    case 'n':
        return read_word(r, "null", j, JSON_NULL, false);
    case -1:
        return fail(r, "unexpected end");
    default:
        return read_number(r, j);
    }
}

ErrCode json_parse(Arena *a, Str text, const Json **out, Err *err)
{
    Reader r = {.arena = a, .src = text, .err = err};
    Json *root = arena_new(a, Json, 1);
    if (root == NULL)
        return full(&r);
    skip_space(&r);
    ErrCode rc = read_value(&r, root);
    if (rc != OK)
        return rc;
    skip_space(&r);
    if (r.at != text.len)
        return fail(&r, "something follows the value");
    *out = root;
    return OK;
}

const Json *json_get_str(const Json *object, Str key)
{
    const Json *hit = NULL;
    if (json_is(object, JSON_OBJECT))
        json_each(member, object)
            if (str_eq(member->key, key))
                hit = member;
    return hit;
}

const Json *json_get(const Json *object, const char *key)
{
    return json_get_str(object, str_from_c(key));
}

bool json_is(const Json *j, JsonType type)
{
    return j != NULL && j->type == type;
}

Str json_text(const Json *j)
{
    return json_is(j, JSON_TEXT) ? j->text : STR("");
}

int64_t json_int(const Json *j, int64_t otherwise)
{
    return json_is(j, JSON_INT) ? j->integer : otherwise;
}

bool json_bool(const Json *j, bool otherwise)
{
    return json_is(j, JSON_BOOL) ? j->truth : otherwise;
}

bool json_double(const Json *j, double *out)
{
    return (json_is(j, JSON_INT) || json_is(j, JSON_NUMBER)) && str_to_double(j->text, out);
}

JsonOut json_out(Buf *b)
{
    return (JsonOut){.buf = b};
}

static void before_value(JsonOut *j)
{
    if (j->comma)
        buf_add_char(j->buf, ',');
    j->comma = true;
}

void json_begin(JsonOut *j, char open)
{
    before_value(j);
    buf_add_char(j->buf, open);
    j->comma = false;
}

void json_end(JsonOut *j, char close)
{
    buf_add_char(j->buf, close);
    j->comma = true;
}

static void add_control(Buf *b, unsigned char c)
{
    static const char names[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (c < sizeof names && names[c] != 0) {
        char pair[2] = {'\\', names[c]};
        buf_add(b, (Str){pair, 2});
    } else {
        buf_addf(b, "\\u%04x", c);
    }
}

static void add_special(Buf *b, Str s, size_t *at)
{
    unsigned char c = (unsigned char)s.ptr[*at];
    if (c >= 0x80) {
        buf_add_utf8(b, str_next_utf8(s, at));
        return;
    }
    *at += 1;
    if (c < 0x20)
        add_control(b, c);
    else
        buf_add(b, c == '"' ? STR("\\\"") : STR("\\\\"));
}

static void add_quoted(Buf *b, Str s)
{
    bool valid = str_is_utf8(s);
    size_t from = 0;
    buf_add_char(b, '"');
    for (size_t at = plain_run(s, 0); at < s.len;) {
        unsigned char c = (unsigned char)s.ptr[at];
        if (c != '"' && c != '\\' && c >= 0x20 && (c < 0x80 || valid)) {
            at++;
            at += plain_run(s, at);
            continue;
        }
        buf_add(b, str_slice(s, from, at));
        add_special(b, s, &at);
        from = at;
    }
    buf_add(b, str_slice(s, from, s.len));
    buf_add_char(b, '"');
}

void json_key_str(JsonOut *j, Str key)
{
    before_value(j);
    add_quoted(j->buf, key);
    buf_add_char(j->buf, ':');
    j->comma = false;
}

void json_key(JsonOut *j, const char *key)
{
    json_key_str(j, str_from_c(key));
}

void json_put_str(JsonOut *j, Str s)
{
    before_value(j);
    add_quoted(j->buf, s);
}

void json_put_c(JsonOut *j, const char *s)
{
    if (s == NULL)
        json_put_null(j);
    else
        json_put_str(j, str_from_c(s));
}

void json_put_int(JsonOut *j, int64_t v)
{
    before_value(j);
    buf_add_int(j->buf, v);
}

/* The shortest of 15 and 17 digits that reads back as the same number. */
void json_put_double(JsonOut *j, double v)
{
    if (!isfinite(v)) {
        json_put_null(j);
        return;
    }
    char text[40];
    double back = 0;
    snprintf(text, sizeof text, "%.15g", v);
    if (!str_to_double(str_from_c(text), &back) || back < v || back > v)
        snprintf(text, sizeof text, "%.17g", v);
    before_value(j);
    buf_add_c(j->buf, text);
}

void json_put_bool(JsonOut *j, bool v)
{
    before_value(j);
    buf_add_c(j->buf, v ? "true" : "false");
}

void json_put_null(JsonOut *j)
{
    before_value(j);
    buf_add(j->buf, STR("null"));
}

void json_put_raw(JsonOut *j, Str json)
{
    before_value(j);
    buf_add(j->buf, json);
}

static void put_members(JsonOut *j, const Json *value, char open, char close)
{
    json_begin(j, open);
    json_each(member, value) {
        if (open == '{')
            json_key_str(j, member->key);
        json_put(j, member);
    }
    json_end(j, close);
}

void json_put(JsonOut *j, const Json *value)
{
    switch (value != NULL ? value->type : JSON_NULL) {
    case JSON_NULL:
        json_put_null(j);
        break;
    case JSON_BOOL:
        json_put_bool(j, value->truth);
        break;
    case JSON_INT:
    case JSON_NUMBER:
        json_put_raw(j, value->text);
        break;
    case JSON_TEXT:
        json_put_str(j, value->text);
        break;
    case JSON_LIST:
        put_members(j, value, '[', ']');
        break;
    case JSON_OBJECT:
        put_members(j, value, '{', '}');
        break;
    }
}

void json_kv_str(JsonOut *j, const char *key, Str v)
{
    json_key(j, key);
    json_put_str(j, v);
}

void json_kv_c(JsonOut *j, const char *key, const char *v)
{
    json_key(j, key);
    json_put_c(j, v);
}

void json_kv_int(JsonOut *j, const char *key, int64_t v)
{
    json_key(j, key);
    json_put_int(j, v);
}

void json_kv_double(JsonOut *j, const char *key, double v)
{
    json_key(j, key);
    json_put_double(j, v);
}

void json_kv_bool(JsonOut *j, const char *key, bool v)
{
    json_key(j, key);
    json_put_bool(j, v);
}

void json_kv_raw(JsonOut *j, const char *key, Str json)
{
    json_key(j, key);
    json_put_raw(j, json);
}
