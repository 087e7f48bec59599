/* The head of a request and a chunked body, whole and in pieces: the same outcome, and spans that
 * lie within the head. */
#include "http/chunk_in.h"
#include "http/parse_in.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 4096, CHECKSUM_START = 5381 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Outcome {
    HttpParsed parsed;
    int status;
    uint32_t at, headers;
    int64_t length;
    HttpChunked chunked;
    uint64_t body; /* checksum */
} Outcome;

static void check(bool fine)
{
    if (!fine)
        abort();
}

static void check_spans(const HttpParse *p)
{
    check(p->at <= HEAD_MAX && p->headers_len <= HTTP_HEADERS_MAX);
    check(p->path.from <= p->path.to && p->path.to <= p->at && p->query.from <= p->query.to &&
          p->query.to <= p->at);
    for (uint32_t i = 0; i < p->headers_len; i++) {
        check(p->headers[i].name.from < p->headers[i].name.to && p->headers[i].name.to <= p->at);
        check(p->headers[i].value.from <= p->headers[i].value.to &&
              p->headers[i].value.to <= p->at);
    }
    check(!(p->chunked && p->content_length >= 0));
}

static void check_path(const HttpParse *p, const char *head)
{
    char *path = malloc(p->path.to - p->path.from + 1);
    const char *why = NULL;
    size_t len = http_decode_path(http_span(head, p->path), path, &why);
    Str s = {path, len};
    check(len == 0 ? why != NULL
                   : path[0] == '/' && str_is_utf8(s) && str_find_char(s, 0) == STR_NONE);
    check(str_find(s, STR("//")) == STR_NONE && str_find(s, STR("/../")) == STR_NONE);
    free(path);
}

static HttpChunked read_chunks(const uint8_t *data, size_t size, size_t step, uint64_t *sum)
{
    HttpChunk c = {0};
    HttpChunked r = CHUNK_MORE;
    for (size_t at = 0; at < size && r != CHUNK_END && r != CHUNK_BAD; at += step) {
        Str in = {(const char *)data + at, size - at < step ? size - at : step}, part;
        while ((r = http_chunk(&c, &in, &part)) == CHUNK_DATA)
            for (size_t i = 0; i < part.len; i++)
                *sum = *sum * 33 + (unsigned char)part.ptr[i];
    }
    check(r != CHUNK_BAD || c.why != NULL);
    return r;
}

static Outcome run(const uint8_t *data, size_t size, size_t step)
{
    HttpParse *p = malloc(sizeof *p);
    http_parse_init(p, HEAD_MAX, false);
    Outcome o = {.parsed = PARSE_MORE, .body = CHECKSUM_START, .chunked = CHUNK_MORE};
    for (size_t len = 0; len < size && o.parsed == PARSE_MORE;) {
        len = size - len < step ? size : len + step;
        char *head = malloc(len);
        memcpy(head, data, len);
        o.parsed = http_parse(p, head, len);
        if (o.parsed == PARSE_DONE && !p->asterisk)
            check_path(p, head);
        free(head);
    }
    if (o.parsed == PARSE_DONE) {
        check_spans(p);
        o.at = p->at;
        o.headers = p->headers_len;
        o.length = p->content_length;
        if (p->chunked)
            o.chunked = read_chunks(data + p->at, size - p->at, step, &o.body);
    }
    o.status = o.parsed == PARSE_BAD ? p->status : 0;
    check(o.parsed != PARSE_BAD || (p->why != NULL && o.status >= 400));
    free(p);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Outcome whole = run(data, size, SIZE_MAX / 2);
    static const size_t steps[] = {1, 3, 16};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        Outcome cut = run(data, size, steps[i]);
        check(cut.parsed == whole.parsed && cut.status == whole.status && cut.at == whole.at &&
              cut.headers == whole.headers);
        check(cut.length == whole.length && cut.chunked == whole.chunked && cut.body == whole.body);
    }
    uint64_t a = CHECKSUM_START, b = CHECKSUM_START; /* and the bytes as chunks on their own */
    check(read_chunks(data, size, SIZE_MAX / 2, &a) == read_chunks(data, size, 1, &b) && a == b);
    return 0;
}
