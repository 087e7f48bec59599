#include "document/calls.h"

#include "base/fd.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OCR_JSON_MAX = 128 << 20, PARAGRAPH_MAX = 1 << 20 };

/* The file as an input of another step: the task's own, or a scratch file with the bytes that lie
 * within it or were unlocked. *scratch is the caller's to close. */
static ErrCode lend(const DocInput *in, const char *extension, StepInput *out, int *scratch)
{
    StepCtx *c = in->step;
    Str name = str_printf(c->arena, "input.%s", extension);
    if (name.ptr == NULL)
        return err_set(c->err, ERR_LIMIT_MEMORY, "naming a file for another step");
    *out = (StepInput){.name = name, .type = in->type, .size_bytes = (int64_t)in->bytes.len};
    if (in->fd >= 0) {
        out->fd = in->fd;
        return OK;
    }
    ErrCode rc = step_scratch(c, scratch);
    if (rc == OK)
        rc = fd_write_all(*scratch, in->bytes.ptr, in->bytes.len, c->err);
    if (rc == OK && lseek(*scratch, 0, SEEK_SET) != 0)
        rc = err_set_errno(c->err, ERR_IO, errno, "could not rewind a scratch file");
    out->fd = *scratch;
    return rc;
}

static ErrCode call(const DocInput *in, const char *step, const char *extension, Str params,
                    Arena *a, StepReply *out)
{
    CLEANUP(fd_close) int scratch = -1;
    StepInput input;
    ErrCode rc = lend(in, extension, &input, &scratch);
    if (rc != OK)
        return rc;
    StepCtx own = *in->step;
    own.arena = a;
    rc = step_call(&own, step, params, &input, 1, out);
    if (rc == OK && out->outputs_len == 0) {
        step_reply_close(out);
        rc = err_set(in->step->err, ERR_ENGINE_PROTOCOL, "%s gave no file", step);
    }
    return rc;
}

/* --- the office suite */

ErrCode calls_office(const DocInput *in, const char *extension, const char *to, Str *out)
{
    Err *err = in->step->err;
    Buf b = buf_init(in->step->arena, 8 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_c(&j, "to", to);
    if (in->password.len > 0)
        json_kv_str(&j, "password", in->password);
    json_end(&j, '}');
    CLEANUP(step_reply_close) StepReply reply = {0};
    ErrCode rc = b.failed
                     ? err_set(err, ERR_LIMIT_MEMORY, "asking for a conversion")
                     : call(in, "office.convert", extension, buf_str(&b), in->step->arena, &reply);
    if (rc == ERR_ENGINE_MISSING || rc == ERR_UNKNOWN_STEP) {
        err_set(err, ERR_UNSUPPORTED_TYPE,
                "a .%s file is read by way of LibreOffice, whose engine is not here", extension);
        err_hint(err, "install platen-engine-office, or save the file as .%s and send that", to);
        return ERR_UNSUPPORTED_TYPE;
    }
    if (rc != OK)
        return rc;
    int64_t size = fd_size(reply.outputs[0].fd);
    if (size <= 0)
        return err_set(err, ERR_INPUT_DAMAGED, "nothing came out when it was converted to %s", to);
    void *p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, reply.outputs[0].fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(err, ERR_IO, errno, "could not map the converted file");
    *out = (Str){p, (size_t)size};
    return OK;
}

/* --- OCR */

static Str ocr_params(const DocInput *in, Str pages, bool force)
{
    Buf b = buf_init(in->step->arena, 64 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_key(&j, "format");
    json_begin(&j, '[');
    json_put_c(&j, "json");
    json_end(&j, ']');
    json_kv_c(&j, "mode", force ? "force" : "skip_text");
    if (pages.len > 0)
        json_kv_str(&j, "pages", pages);
    if (in->password.len > 0)
        json_kv_str(&j, "password", in->password);
    if (in->languages.len > 0) {
        json_key(&j, "languages");
        json_begin(&j, '[');
        for (size_t i = 0; i < in->languages.len; i++)
            json_put_str(&j, in->languages.items[i]);
        json_end(&j, ']');
    }
    json_end(&j, '}');
    return b.failed ? (Str){0} : buf_str(&b);
}

ErrCode calls_ocr(const DocInput *in, const char *extension, Str pages, bool force, Arena *a,
                  const Json **out)
{
    Err *err = in->step->err;
    Str params = ocr_params(in, pages, force), text;
    CLEANUP(step_reply_close) StepReply reply = {0};
    if (params.ptr == NULL)
        return err_set(err, ERR_LIMIT_MEMORY, "asking for OCR");
    ErrCode rc = call(in, "ocr.document", extension, params, a, &reply);
    if (rc == ERR_ENGINE_MISSING || rc == ERR_UNKNOWN_STEP) {
        err_set(err, ERR_NO_TEXT,
                "its text is in pictures, and the engine that reads those is not here");
        err_hint(err, "install platen-engine-ocr (`platen doctor` lists the engines)");
        return ERR_NO_TEXT;
    }
    const Json *doc = NULL;
    if (rc == OK)
        rc = fd_read_file(reply.outputs[0].fd, a, OCR_JSON_MAX, &text, err);
    if (rc == OK)
        rc = json_parse(a, text, &doc, err);
    if (rc == OK && !json_is(json_get(doc, "pages"), JSON_LIST))
        rc = err_set(err, ERR_ENGINE_PROTOCOL, "ocr.document gave no pages");
    *out = json_get(doc, "pages");
    return rc;
}

const Json *calls_ocr_page(const Json *pages, int64_t page_no)
{
    json_each(p, pages)
        if (json_int(json_get(p, "page"), 0) == page_no)
            return p;
    return NULL;
}

/* A word that was divided at the end of a line is joined. */
static void add_line(Buf *b, Str line)
{
    line = str_trim(line);
    if (line.len == 0)
        return;
    size_t at = 0;
    uint32_t first = str_next_utf8(line, &at);
    bool lower = (first >= 'a' && first <= 'z') || (first >= 0xDF && first < 0x100);
    bool divided = b->len > 1 && b->ptr[b->len - 1] == '-' && b->ptr[b->len - 2] > ' ' && lower;
    bool wide = first >= 0x2E80 && first < 0xFFEF; /* scripts without spaces */
    if (divided)
        b->len--;
    else if (b->len > 0 && !wide)
        buf_add_char(b, ' ');
    buf_add(b, line);
}

static void put_paragraph(Doc *out, Buf *b, bool *any)
{
    if (b->len > 0 && !b->failed) {
        doc_begin(out, BLOCK_PARAGRAPH, 0);
        doc_text(out, buf_str(b));
        doc_end(out);
        *any = true;
    }
    buf_clear(b);
}

bool calls_ocr_put(Doc *out, Arena *a, const Json *page)
{
    int64_t block = -1, paragraph = -1;
    bool any = false;
    Buf b = buf_init(a, PARAGRAPH_MAX);
    json_each(line, json_get(page, "lines")) {
        int64_t in_block = json_int(json_get(line, "block"), 0);
        int64_t in_paragraph = json_int(json_get(line, "paragraph"), 0);
        if (in_block != block || in_paragraph != paragraph)
            put_paragraph(out, &b, &any);
        block = in_block;
        paragraph = in_paragraph;
        add_line(&b, json_text(json_get(line, "text")));
    }
    put_paragraph(out, &b, &any);
    double confidence = 0;
    if (any && json_double(json_get(page, "confidence"), &confidence))
        doc_page_by_ocr(out, confidence);
    return any;
}
