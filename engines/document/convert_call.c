/* convert_call.c: what other engines do better: the office suite, the browser, picture formats. */
#include "document/convert_in.h"

#include "base/fd.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COPY_BYTES = 128 << 10, PARAMS_MAX = 4 << 10 };

bool convert_nobody(ErrCode rc)
{
    return rc == ERR_ENGINE_MISSING || rc == ERR_UNKNOWN_STEP;
}

ErrCode convert_copy(int from, int to, Err *err)
{
    char buffer[COPY_BYTES];
    for (off_t at = 0;;) {
        ssize_t n = pread(from, buffer, sizeof buffer, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_IO, errno, "could not read what was converted");
        if (n == 0)
            return OK;
        ErrCode rc = fd_write_all(to, buffer, (size_t)n, err);
        if (rc != OK)
            return rc;
        at += n;
    }
}

static int64_t pages_of(const Job *j, int fd)
{
    int64_t size = fd_size(fd);
    void *map = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (map == MAP_FAILED)
        return 0;
    int64_t pages = convert_count_pages(j, (Str){map, (size_t)size});
    munmap(map, (size_t)size);
    return pages;
}

/* What the called step made becomes this input's output, under the input's own name. */
static ErrCode take_over(Job *j, const StepReply *r)
{
    StepCtx *c = j->c;
    if (r->outputs_len == 0)
        return err_set(c->err, ERR_INTERNAL, "the conversion gave no file");
    for (size_t i = 0; i < r->outputs_len; i++) {
        CLEANUP(fd_close) int fd = -1;
        Str base = convert_base(c);
        Str name =
            i == 0 ? str_printf(c->arena, STR_FMT ".%s", STR_ARG(base), convert_extension(j->to))
                   : r->outputs[i].name;
        if (name.ptr == NULL)
            return err_set(c->err, ERR_NO_MEMORY, "naming the result");
        Str type = i == 0 ? str_from_c(convert_media_type(j->to)) : r->outputs[i].type;
        ErrCode rc = step_output(c, name, type, &fd);
        if (rc == OK)
            rc = convert_copy(r->outputs[i].fd, fd, c->err);
        if (rc != OK)
            return rc;
        j->outputs++;
    }
    j->pages = json_int(json_get(r->data, "pages"), 0);
    if (j->pages == 0 && j->to == TO_PDF)
        j->pages = pages_of(j, r->outputs[0].fd);
    return OK;
}

/* The office suite prints all pages; the ones that are wanted are taken out of its PDF. */
static ErrCode cut_pages(Job *j, StepReply *r)
{
    StepCtx *c = j->c;
    StepReply cut = {0};
    Buf b = buf_init(c->arena, PARAMS_MAX);
    JsonOut out = json_out(&b);
    json_begin(&out, '{');
    json_kv_str(&out, "pages", j->a->pages);
    json_kv_c(&out, "bookmarks", "keep");
    if (j->a->title.len > 0)
        json_kv_str(&out, "title", j->a->title);
    json_end(&out, '}');
    if (r->outputs_len == 0)
        return OK;
    ErrCode rc = step_call(c, "pdf.merge", buf_str(&b), r->outputs, 1, &cut);
    if (rc != OK)
        return rc;
    step_reply_close(r);
    *r = cut;
    return OK;
}

static ErrCode call(Job *j, const char *step, const Buf *params, bool all_pages)
{
    StepCtx *c = j->c;
    StepReply reply = {0};
    if (params->failed)
        return err_set(c->err, ERR_INPUT_TOO_LARGE, "the parameters are too long");
    ErrCode rc = step_call(c, step, buf_str(params), c->inputs, 1, &reply);
    if (rc == OK && all_pages && j->to == TO_PDF && j->a->pages.len > 0)
        rc = cut_pages(j, &reply);
    if (rc == OK)
        rc = take_over(j, &reply);
    step_reply_close(&reply);
    return rc;
}

ErrCode convert_office(Job *j)
{
    static const char *const levels[] = {
        [PDF_A_NONE] = "", [PDF_A_1B] = "1b", [PDF_A_2B] = "2b", [PDF_A_3B] = "3b"};
    const ConvertArgs *a = j->a;
    Buf b = buf_init(j->c->arena, PARAMS_MAX);
    JsonOut out = json_out(&b);
    json_begin(&out, '{');
    json_kv_c(&out, "to", j->to == TO_TEXT ? "txt" : convert_extension(j->to));
    if (j->to == TO_PDF && a->pdf_a != PDF_A_NONE) {
        json_kv_bool(&out, "pdf_a", true);
        json_kv_c(&out, "pdf_a_level", levels[a->pdf_a]);
    }
    if (a->password.len > 0)
        json_kv_str(&out, "password", a->password);
    json_end(&out, '}');
    j->how = "office";
    return call(j, "office.convert", &b, true);
}

ErrCode convert_browser(Job *j)
{
    static const char *const papers[] = {
        [PAPER_AUTO] = "css",    [PAPER_A4] = "a4", [PAPER_LETTER] = "letter",
        [PAPER_LEGAL] = "legal", [PAPER_A3] = "a3", [PAPER_A5] = "a5"};
    const ConvertArgs *a = j->a;
    Buf b = buf_init(j->c->arena, PARAMS_MAX);
    JsonOut out = json_out(&b);
    json_begin(&out, '{');
    json_kv_c(&out, "paper", papers[a->paper]);
    json_kv_bool(&out, "landscape", a->landscape);
    json_kv_double(&out, "margin_mm", a->margin_mm);
    json_kv_bool(&out, "background", true);
    if (a->pages.len > 0)
        json_kv_str(&out, "page_ranges", a->pages);
    json_end(&out, '}');
    j->how = "browser";
    return call(j, "browser.print", &b, false);
}

ErrCode convert_image(StepCtx *c, const StepInput *in, const char *format, int64_t quality,
                      int *out_fd)
{
    Buf b = buf_init(c->arena, PARAMS_MAX);
    JsonOut out = json_out(&b);
    StepReply reply = {0};
    json_begin(&out, '{');
    json_kv_c(&out, "format", format);
    if (quality > 0)
        json_kv_int(&out, "quality", quality);
    json_end(&out, '}');
    ErrCode rc = step_call(c, "image.convert", buf_str(&b), in, 1, &reply);
    if (rc == OK && reply.outputs_len == 0)
        rc = err_set(c->err, ERR_INTERNAL, "the picture's conversion gave no file");
    if (rc == OK)
        *out_fd = fd_take(&reply.outputs[0].fd);
    step_reply_close(&reply);
    return rc;
}
