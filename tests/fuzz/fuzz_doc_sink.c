/* fuzz_doc_sink: any order of calls gives output that is UTF-8, and JSON that parses. Each byte is
 * a call.
 *
 * The fourth of the ways writes the bytes as one paragraph of Markdown, with a part of it bold,
 * and reads that again: the text must come back as it was, so every escape that is needed is there.
 */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

#include "fuzz_reader.h"

static void play(Doc *d, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size && !doc_failed(d); i++) {
        uint8_t what = data[i] >> 4, how = data[i] & 15;
        size_t len = size - i - 1 < how ? size - i - 1 : how;
        switch (what) {
        case 0:
            doc_begin(d, (BlockKind)(how % 6), how);
            break;
        case 1:
            doc_item(d, how & 3, how >> 2);
            break;
        case 2:
            if (how & 8)
                doc_cell_below(d, how & 3);
            else
                doc_end(d);
            break;
        case 3:
            doc_break(d);
            break;
        case 4:
            doc_mark(d, (MarkKind)(how % MARK_COUNT), STR("https://a.b/(c)"));
            break;
        case 5:
            doc_unmark(d, (MarkKind)(how % MARK_COUNT));
            break;
        case 6:
            doc_table(d);
            break;
        case 7:
            doc_row(d);
            break;
        case 8:
            doc_cell(d, how & 3, how >> 2);
            break;
        case 9:
            doc_table_end(d);
            break;
        case 10:
            doc_page(d, how);
            break;
        default:
            doc_text(d, (Str){(const char *)data + i + 1, len});
            i += len;
        }
    }
}

static int kept = -1; /* the output */

static ErrCode keep_output(void *ctx, Str name, Str type, int *out_fd, Err *err)
{
    (void)ctx, (void)name, (void)type;
    fd_close(&kept);
    kept = memfd_create("fuzz", MFD_CLOEXEC);
    *out_fd = dup(kept);
    return *out_fd >= 0 ? OK : err_set(err, ERR_IO, "no descriptor");
}

static const StepHost keeper = {
    .output = keep_output, .progress = fuzz_progress, .note = fuzz_note, .canceled = fuzz_canceled};

/* HTML is written so that it is XML too, as EPUB needs it. */
static bool is_xml(Str text)
{
    XML_Parser p = XML_ParserCreate("UTF-8");
    bool ok = XML_Parse(p, text.ptr, (int)text.len, 1) == XML_STATUS_OK;
    XML_ParserFree(p);
    return ok;
}

static void check(DocFormat format, Str text, Arena *a, Err *err)
{
    const Json *j;
    if (format == DOC_EPUB || format == DOC_DOCX || format == DOC_PDF)
        return; /* not text; that nothing goes wrong on the way is what is tested */
    if (!str_is_utf8(text) || (format == DOC_HTML && !is_xml(text)) ||
        (format == DOC_JSON && json_parse(a, text, &j, err) != OK)) {
        fprintf(stderr, "text: " STR_FMT "%s", STR_ARG(text), err->text);
        abort();
    }
}

static void any_calls(DocFormat format, const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(128 * MIB);
    Err err = {0};
    StepCtx step = {.arena = a, .err = &err, .input_fd = -1, .host = &keeper};
    CLEANUP(doc_abandon) Doc *d = NULL;
    if (doc_open(&step, format, &d) != OK)
        return;
    play(d, data, size);
    Str text;
    if (doc_close(&d) == OK && fd_read_file(kept, a, 64 * MIB, &text, &err) == OK)
        check(format, text, a, &err);
}

typedef ErrCode (*Fill)(StepCtx *c, Doc *d, Str text);

static ErrCode one_paragraph(StepCtx *c, Doc *d, Str text)
{
    (void)c;
    size_t a = text.len / 3, b = text.len * 2 / 3;
    doc_begin(d, BLOCK_PARAGRAPH, 0);
    doc_text(d, str_slice(text, 0, a));
    doc_mark(d, MARK_BOLD, STR(""));
    doc_text(d, str_slice(text, a, b));
    doc_unmark(d, MARK_BOLD);
    doc_text(d, str_slice(text, b, text.len));
    return OK;
}

static ErrCode from_markdown(StepCtx *c, Doc *d, Str text)
{
    return read_markdown(&(DocInput){.step = c, .fd = -1, .bytes = text}, d);
}

static ErrCode write_and_read(StepCtx *c, DocFormat format, Fill fill, Str in, Str *out)
{
    CLEANUP(doc_abandon) Doc *d = NULL;
    ErrCode rc = doc_open(c, format, &d);
    if (rc == OK)
        rc = fill(c, d, in);
    if (rc == OK)
        rc = doc_close(&d);
    return rc == OK ? fd_read_file(kept, c->arena, 64 * MIB, out, c->err) : rc;
}

static void there_and_back(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(128 * MIB);
    Err err = {0};
    StepCtx step = {.arena = a, .err = &err, .input_fd = -1, .host = &keeper};
    char *ascii = arena_new(a, char, size);
    for (size_t i = 0; ascii != NULL && i < size; i++)
        ascii[i] = (char)(' ' + data[i] % 95);
    Str text = {ascii, size}, direct, markdown, again;
    if (size == 0 || size > 2000 ||
        write_and_read(&step, DOC_TEXT, one_paragraph, text, &direct) != OK ||
        write_and_read(&step, DOC_MARKDOWN, one_paragraph, text, &markdown) != OK)
        return;
    if (write_and_read(&step, DOC_TEXT, from_markdown, markdown, &again) != OK ||
        !str_eq(direct, again)) {
        fprintf(stderr, "text:     " STR_FMT "markdown: " STR_FMT "again:    " STR_FMT,
                STR_ARG(direct), STR_ARG(markdown), STR_ARG(again));
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    static const DocFormat formats[] = {DOC_MARKDOWN, DOC_TEXT, DOC_JSON, 0,
                                        DOC_HTML,     DOC_EPUB, DOC_DOCX, DOC_PDF};
    if (data[0] % 8 == 3)
        there_and_back(data + 1, size - 1);
    else
        any_calls(formats[data[0] % 8], data + 1, size - 1);
    return 0;
}
