#include "http/multipart_in.h"
#include "http/parse_in.h"

#include <string.h>

enum { PREAMBLE_MAX = 8192, PADDING_MAX = 64 };

enum State {
    PREAMBLE,    /* before the first boundary: thrown away */
    AFTER_MARK,  /* behind a boundary: blanks and CR LF, or "--" */
    AFTER_BLANK, /* the same when blanks were seen: no "--" any more */
    AFTER_CR,
    AFTER_DASH,
    HEAD, /* header lines of a part, kept in m->head */
    BODY,
    END,
    BAD,
};

static HttpMultiparted bad(HttpMultipart *m, const char *why)
{
    m->state = BAD;
    m->why = why;
    return MULTIPART_BAD;
}

static bool boundary_valid(Str b)
{
    static const char marks[] = "'()+_,-./:=? ";
    for (size_t i = 0; i < b.len; i++) {
        char c = b.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c == 0 || strchr(marks, c) == NULL))
            return false;
    }
    return b.len > 0 && b.ptr[b.len - 1] != ' ';
}

/* A boundary may stand here as if the end of a line had just been seen. */
static void begin_line(HttpMultipart *m)
{
    m->matched = 2;
    m->line_start = true;
}

bool http_multipart_init(HttpMultipart *m, Str content_type)
{
    Str type = str_trim(str_slice(content_type, 0, str_find_char(content_type, ';'))), boundary;
    memset(m, 0, offsetof(HttpMultipart, name_text));
    if (!str_eq_nocase(type, STR("multipart/form-data")) ||
        !http_param(content_type, "boundary", m->mark + 4, MULTIPART_BOUNDARY_MAX, &boundary) ||
        !boundary_valid(boundary))
        return false;
    memcpy(m->mark, "\r\n--", 4);
    m->mark_len = boundary.len + 4;
    begin_line(m);
    return true;
}

static void drop(Str *in, size_t n)
{
    *in = str_slice(*in, n, in->len);
}

/* Match more of the mark at the front of `in`. The mark's only CR is its first byte, so a match
 * that breaks off cannot contain the beginning of another one. */
static void match(HttpMultipart *m, Str *in)
{
    size_t n = 0;
    while (n < in->len && m->matched < m->mark_len && in->ptr[n] == m->mark[m->matched]) {
        n++;
        m->matched++;
    }
    drop(in, n);
}

/* Bytes up to the mark. MULTIPART_PART_END stands for "the mark is here". */
static HttpMultiparted until_mark(HttpMultipart *m, Str *in, Str *data)
{
    if (m->matched > 0) {
        match(m, in);
        if (m->matched == m->mark_len) {
            m->matched = 0;
            m->line_start = false;
            return MULTIPART_PART_END;
        }
        if (in->len == 0)
            return MULTIPART_MORE;
        size_t real = m->line_start ? 2 : 0;
        *data = (Str){m->mark + real,
                      m->matched - real}; /* not the mark: these bytes are data after all */
        m->matched = 0;
        m->line_start = false;
        return data->len > 0 ? MULTIPART_DATA : MULTIPART_MORE;
    }
    size_t cr = str_find_char(*in, '\r');
    size_t n = cr == STR_NONE ? in->len : cr;
    *data = str_slice(*in, 0, n);
    drop(in, n);
    if (in->len > 0) {
        drop(in, 1);
        m->matched = 1;
    }
    return n > 0 ? MULTIPART_DATA : MULTIPART_MORE;
}

static HttpMultiparted in_preamble(HttpMultipart *m, Str *in)
{
    Str data = {0};
    HttpMultiparted r = until_mark(m, in, &data);
    if (r == MULTIPART_PART_END) {
        m->state = AFTER_MARK;
        m->skipped = 0;
        return MULTIPART_MORE;
    }
    m->skipped += r == MULTIPART_DATA ? data.len : 0;
    return m->skipped > PREAMBLE_MAX ? bad(m, "there is no boundary at the start") : MULTIPART_MORE;
}

static HttpMultiparted in_body(HttpMultipart *m, Str *in, Str *data)
{
    HttpMultiparted r = until_mark(m, in, data);
    if (r == MULTIPART_PART_END) {
        m->state = AFTER_MARK;
        m->skipped = 0;
    }
    return r;
}

static HttpMultiparted after_mark(HttpMultipart *m, Str *in)
{
    char c = in->ptr[0];
    drop(in, 1);
    if (m->state == AFTER_DASH) {
        m->state = END;
        return c == '-' ? MULTIPART_MORE : bad(m, "a boundary is followed by other text");
    }
    if (m->state == AFTER_CR) {
        m->state = HEAD;
        m->head_len = 0;
        return c == '\n' ? MULTIPART_MORE : bad(m, "a boundary is followed by CR without LF");
    }
    if (c == '-' && m->state == AFTER_MARK)
        m->state = AFTER_DASH;
    else if (c == '\r')
        m->state = AFTER_CR;
    else if ((c == ' ' || c == '\t') && m->skipped++ < PADDING_MAX)
        m->state = AFTER_BLANK;
    else
        return bad(m, "a boundary is followed by other text");
    return MULTIPART_MORE;
}

static bool encoding_plain(Str value)
{
    return str_eq_nocase(value, STR("binary")) || str_eq_nocase(value, STR("8bit")) ||
           str_eq_nocase(value, STR("7bit"));
}

static const char *take_disposition(HttpMultipart *m, Str value)
{
    Str kind = str_trim(str_slice(value, 0, str_find_char(value, ';')));
    if (m->name.ptr != NULL)
        return "a part has two Content-Disposition headers";
    if (!str_eq_nocase(kind, STR("form-data")))
        return "a part is not form-data";
    if (!http_params_valid(value))
        return "a part's Content-Disposition is not well-formed";
    if (!http_param(value, "name", m->name_text, sizeof m->name_text, &m->name) ||
        !str_is_utf8(m->name))
        return "a part has no valid name";
    m->file = http_disposition_filename(value, m->filename_text, &m->filename);
    return NULL;
}

/* One header line of a part, without its CR LF. NULL, or what is wrong. */
static const char *take_line(HttpMultipart *m, Str line)
{
    size_t colon = str_find_char(line, ':');
    if (colon == STR_NONE || colon == 0)
        return "a part's header is not well-formed";
    Str name = str_slice(line, 0, colon), value = str_trim(str_slice(line, colon + 1, line.len));
    for (size_t i = 0; i < name.len; i++)
        if (!http_token_char((unsigned char)name.ptr[i]))
            return "a part's header is not well-formed";
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.ptr[i] < ' ' && value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
            return "a part's header holds a control byte";
    if (str_eq_nocase(name, STR("content-disposition")))
        return take_disposition(m, value);
    if (str_eq_nocase(name, STR("content-type")))
        m->type = value;
    if (str_eq_nocase(name, STR("content-transfer-encoding")) && !encoding_plain(value))
        return "a part has a transfer encoding";
    return NULL;
}

static HttpMultiparted take_head(HttpMultipart *m)
{
    Str rest = {m->head, m->head_len - 2}; /* without the empty line */
    m->name = m->filename = m->type = (Str){0};
    m->file = false;
    while (rest.len > 0) {
        size_t end = str_find(rest, STR("\r\n"));
        const char *why = take_line(m, str_slice(rest, 0, end));
        if (why != NULL)
            return bad(m, why);
        rest = str_slice(rest, end + 2, rest.len);
    }
    if (m->name.ptr == NULL)
        return bad(m, "a part has no Content-Disposition");
    m->state = BODY;
    begin_line(m); /* the line end behind the headers may also be that of the next boundary: an
                      empty part */
    return MULTIPART_PART;
}

static bool head_ends(const HttpMultipart *m)
{
    return m->head_len == 2 ||
           (m->head_len >= 4 && memcmp(m->head + m->head_len - 4, "\r\n", 2) == 0);
}

static HttpMultiparted in_head(HttpMultipart *m, Str *in)
{
    while (in->len > 0) {
        if (m->head_len == sizeof m->head)
            return bad(m, "a part's headers are too large");
        char c = in->ptr[0], before = m->head_len > 0 ? m->head[m->head_len - 1] : 0;
        drop(in, 1);
        if ((c == '\n') != (before == '\r'))
            return bad(m, "a line end in a part's headers is not CR LF");
        m->head[m->head_len++] = c;
        if (c == '\n' && head_ends(m))
            return take_head(m);
    }
    return MULTIPART_MORE;
}

HttpMultiparted http_multipart(HttpMultipart *m, Str *in, Str *data)
{
    HttpMultiparted r = MULTIPART_MORE;
    while (r == MULTIPART_MORE && in->len > 0 && m->state != END && m->state != BAD) {
        if (m->state == PREAMBLE)
            r = in_preamble(m, in);
        else if (m->state == HEAD)
            r = in_head(m, in);
        else if (m->state == BODY)
            r = in_body(m, in, data);
        else
            r = after_mark(m, in);
    }
    if (m->state == BAD)
        return MULTIPART_BAD;
    if (m->state == END) {
        *in = str_slice(*in, in->len, in->len);
        return MULTIPART_END;
    }
    return r;
}
