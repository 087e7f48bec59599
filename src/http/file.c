/* file.c: files as answers: conditions, one range, the name to save it under (RFC 9110, 13 and 14;
 * RFC 6266; RFC 8187). */
#include "base/fd.h"
#include "http/file_in.h"
#include "http/http_in.h"

/* Compared weakly. */
bool http_etag_listed(Str list, Str etag)
{
    if (str_eq(str_trim(list), STR("*")))
        return true;
    Str part;
    while (str_next(&list, ',', &part)) {
        part = str_trim(part);
        if (str_starts(part, STR("W/")))
            part = str_slice(part, 2, part.len);
        if (part.len >= 2 && part.ptr[0] == '"' && part.ptr[part.len - 1] == '"' &&
            str_eq(str_slice(part, 1, part.len - 1), etag))
            return true;
    }
    return false;
}

/* `s` as digits only; false for a sign, blanks, nothing. */
static bool number(Str s, int64_t *out)
{
    return s.len > 0 && s.ptr[0] >= '0' && s.ptr[0] <= '9' && str_to_i64(s, out);
}

HttpRange http_range_parse(Str header, int64_t size, int64_t *from, int64_t *len)
{
    Str unit = STR("bytes=");
    if (!str_eq_nocase(str_slice(header, 0, unit.len), unit))
        return RANGE_NONE;
    Str spec = str_trim(str_slice(header, unit.len, header.len));
    size_t dash = str_find_char(spec, '-');
    if (dash == STR_NONE || str_find_char(spec, ',') != STR_NONE)
        return RANGE_NONE; /* several ranges: the whole file is a valid answer */
    Str a = str_slice(spec, 0, dash), b = str_slice(spec, dash + 1, spec.len);
    int64_t first = 0, last = size - 1;
    if (a.len == 0) { /* the last n bytes */
        int64_t n;
        if (!number(b, &n))
            return RANGE_NONE;
        first = n < size ? size - n : 0;
        if (n == 0)
            return RANGE_OUTSIDE;
    } else if (!number(a, &first) || (b.len > 0 && !number(b, &last)) ||
               (b.len > 0 && last < first)) {
        return RANGE_NONE;
    }
    if (first >= size)
        return RANGE_OUTSIDE;
    *from = first;
    *len = (last < size ? last + 1 : size) - first;
    return RANGE_PART;
}

static HttpRange wanted(const HttpRequest *req, Str etag, int64_t size, int64_t *from, int64_t *len)
{
    Str range = http_header(req, "Range"), only_if = http_header(req, "If-Range");
    if (req->method != HTTP_GET || range.len == 0)
        return RANGE_NONE;
    /* Only a strong tag that is still ours; dates are not kept. */
    bool same = only_if.len == 0 || (etag.len > 0 && !str_starts(only_if, STR("W/")) &&
                                     http_etag_listed(only_if, etag));
    return same ? http_range_parse(range, size, from, len) : RANGE_NONE;
}

void http_disposition_text(Buf *b, Str name)
{
    buf_add(b, STR("attachment; filename=\""));
    bool plain = true;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        bool keep = c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%';
        buf_add_char(b, keep ? (char)c : '_');
        plain &= keep;
    }
    buf_add_char(b, '"');
    if (!plain) {
        buf_add(b, STR("; filename*=UTF-8''"));
        buf_add_url(b, name);
    }
}

static void set_disposition(HttpRequest *req, Str name)
{
    Buf b = buf_init(req->arena, 8 * KIB);
    http_disposition_text(&b, name);
    if (name.len > 0 && !b.failed)
        http_set_header(req, "Content-Disposition", buf_str(&b));
}

void http_answer_file(HttpRequest *req, int fd, int64_t size, Str type, Str etag, Str download_name)
{
    HttpResponse *res = &req->res;
    int64_t from = 0, len = size;
    if (etag.len > 0)
        http_set_header(req, "ETag", str_printf(req->arena, "\"" STR_FMT "\"", STR_ARG(etag)));
    http_set_header(req, "Accept-Ranges", STR("bytes"));
    Str none_match = http_header(req, "If-None-Match");
    if (none_match.len > 0 && etag.len > 0 && http_etag_listed(none_match, etag)) {
        fd_close(&fd);
        res->status = 304;
        return;
    }
    HttpRange range = wanted(req, etag, size, &from, &len);
    if (range == RANGE_OUTSIDE) {
        fd_close(&fd);
        Err err = {0};
        err_set(&err, ERR_RANGE_NOT_SATISFIABLE, "the file has %" PRId64 " bytes", size);
        http_answer_err(req, &err, (Str){0});
        http_set_header(req, "Content-Range", str_printf(req->arena, "bytes */%" PRId64, size));
        return;
    }
    if (range == RANGE_PART)
        http_set_header(req, "Content-Range",
                        str_printf(req->arena, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, from,
                                   from + len - 1, size));
    http_set_header(req, "Content-Type", type.len > 0 ? type : STR("application/octet-stream"));
    set_disposition(req, download_name);
    res->status = range == RANGE_PART ? 206 : 200;
    fd_close(&res->file_fd);
    res->file_fd = fd;
    res->file_from = from;
    res->file_size = len;
}
