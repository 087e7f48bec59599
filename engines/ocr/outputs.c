/* outputs.c: a file for each form of output, emptied page by page. */
#include "ocr/output.h"
#include "base/fd.h"

enum { PAGE_TEXT_MAX = 32 << 20 };

typedef struct Stream {
    int bit;
    const char *name, *type, *extension; /* file: base + extension, or the extension alone */
    const char *head, *between, *tail;
} Stream;

static const Stream streams[OUTPUT_STREAMS] = {
    {OUTPUT_TEXT, "text", "text/plain", ".txt", "", "\f", ""},
    {OUTPUT_JSON, "json", "application/json", "ocr.json", "{\"pages\":[", ",\n", "]}\n"},
    {OUTPUT_HOCR, "hocr", "text/html", ".hocr", output_hocr_head, "", output_hocr_tail},
    {OUTPUT_TSV, "tsv", "text/tab-separated-values", ".tsv", output_tsv_head, "", ""},
};

ErrCode outputs_parse(const StrList *names, bool pdf_allowed, int *out, Err *err)
{
    *out = 0;
    for (size_t i = 0; i < names->len; i++) {
        int bit = pdf_allowed && str_eq_c(names->items[i], "pdf") ? OUTPUT_PDF : 0;
        for (size_t k = 0; k < COUNT_OF(streams); k++)
            bit = str_eq_c(names->items[i], streams[k].name) ? streams[k].bit : bit;
        if (bit == 0) {
            err_set(err, ERR_BAD_PARAM, "must be text, json, hocr%s tsv, not \"" STR_FMT "\"",
                    pdf_allowed ? ", pdf or" : " or", STR_ARG(str_slice(names->items[i], 0, 40)));
            err_param(err, "format");
            return ERR_BAD_PARAM;
        }
        *out |= bit;
    }
    return OK;
}

Str outputs_base_name(Str input)
{
    for (size_t i = input.len; i > 0; i--)
        if (input.ptr[i - 1] == '/' || input.ptr[i - 1] == '\\') {
            input = str_slice(input, i, input.len);
            break;
        }
    size_t dot = str_rfind_char(input, '.');
    Str base = dot != STR_NONE && dot > 0 ? str_slice(input, 0, dot) : input;
    return base.len > 0 ? base : STR("ocr");
}

static ErrCode write_c(Outputs *o, size_t i, const char *text)
{
    Str s = str_from_c(text);
    return s.len > 0 ? fd_write_all(o->fds[i], s.ptr, s.len, o->c->err) : OK;
}

static ErrCode begin_stream(Outputs *o, size_t i)
{
    const Stream *s = &streams[i];
    Str name = s->extension[0] == '.'
                   ? str_printf(o->c->arena, STR_FMT "%s", STR_ARG(o->base), s->extension)
                   : str_from_c(s->extension);
    ErrCode rc = step_output(o->c, name, str_from_c(s->type), &o->fds[i]);
    return rc == OK ? write_c(o, i, s->head) : rc;
}

ErrCode outputs_begin(StepCtx *c, int which, double scale, Outputs *out)
{
    *out = (Outputs){.c = c,
                     .which = which,
                     .scale = scale,
                     .base = outputs_base_name(c->inputs[0].name),
                     .fds = {-1, -1, -1, -1}};
    ErrCode rc = OK;
    for (size_t i = 0; i < COUNT_OF(streams) && rc == OK; i++)
        if ((which & streams[i].bit) != 0)
            rc = begin_stream(out, i);
    return rc;
}

static void write_form(const Outputs *o, int bit, Buf *b, const OcrPage *p)
{
    switch (bit) {
    case OUTPUT_JSON:
        output_json(b, p);
        break;
    case OUTPUT_HOCR:
        output_hocr(b, p, o->scale);
        break;
    case OUTPUT_TSV:
        output_tsv(b, p, o->scale);
        break;
    default:
        output_text(b, p);
    }
}

ErrCode outputs_page(Outputs *o, const OcrPage *p)
{
    ErrCode rc = OK;
    for (size_t i = 0; i < COUNT_OF(streams) && rc == OK; i++) {
        if ((o->which & streams[i].bit) == 0)
            continue;
        ArenaMark mark = arena_mark(o->c->arena);
        Buf b = buf_init(o->c->arena, PAGE_TEXT_MAX);
        if (o->any_page)
            buf_add_c(&b, streams[i].between);
        write_form(o, streams[i].bit, &b, p);
        rc = b.failed ? err_set(o->c->err, ERR_LIMIT_MEMORY,
                                "the text of page %" PRId64 " does not fit into memory", p->page_no)
                      : fd_write_all(o->fds[i], b.ptr, b.len, o->c->err);
        arena_rewind(o->c->arena, mark);
    }
    o->any_page = true;
    return rc;
}

ErrCode outputs_end(Outputs *o)
{
    ErrCode rc = OK;
    for (size_t i = 0; i < COUNT_OF(streams) && rc == OK; i++)
        if ((o->which & streams[i].bit) != 0)
            rc = write_c(o, i, streams[i].tail);
    return rc;
}

void outputs_close(Outputs *o)
{
    for (size_t i = 0; i < COUNT_OF(o->fds); i++)
        fd_close(&o->fds[i]);
}
