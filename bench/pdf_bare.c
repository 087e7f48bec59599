/* pdf_bare: text of PDF files with the bare library in one process: what the queue, the sandbox and
 * the store are measured against.
 *
 *   pdf_bare FILE…        prints: pages seconds bytes */
#include "base/clock.h"

#include <mupdf/fitz.h>
#include <stdio.h>

static void read_page(fz_context *ctx, fz_document *doc, int page_index, fz_output *out)
{
    fz_page *page = NULL;
    fz_stext_page *text = NULL;
    fz_var(page);
    fz_var(text);
    fz_try(ctx)
    {
        const fz_stext_options options = {.flags = FZ_STEXT_DEHYPHENATE};
        page = fz_load_page(ctx, doc, page_index);
        text = fz_new_stext_page_from_page(ctx, page, &options);
        fz_print_stext_page_as_text(ctx, out, text);
    }
    fz_always(ctx)
    {
        fz_drop_stext_page(ctx, text);
        fz_drop_page(ctx, page);
    }
    fz_catch(ctx)
    {
    }
}

static int read_file(fz_context *ctx, const char *path, size_t *bytes)
{
    fz_document *doc = NULL;
    fz_buffer *buffer = NULL;
    fz_output *out = NULL;
    volatile int pages = 0;
    fz_var(doc);
    fz_var(buffer);
    fz_var(out);
    fz_try(ctx)
    {
        doc = fz_open_document(ctx, path);
        buffer = fz_new_buffer(ctx, 65536);
        out = fz_new_output_with_buffer(ctx, buffer);
        pages = fz_count_pages(ctx, doc);
        for (int i = 0; i < pages; i++)
            read_page(ctx, doc, i, out);
        fz_close_output(ctx, out);
        *bytes += fz_buffer_storage(ctx, buffer, NULL);
    }
    fz_always(ctx)
    {
        fz_drop_output(ctx, out);
        fz_drop_buffer(ctx, buffer);
        fz_drop_document(ctx, doc);
    }
    fz_catch(ctx)
    {
        pages = 0;
    }
    return pages;
}

int main(int argc, char **argv)
{
    fz_context *ctx = fz_new_context(NULL, NULL, 64 << 20);
    if (ctx == NULL)
        return 1;
    fz_register_document_handlers(ctx);
    fz_set_warning_callback(ctx, NULL, NULL);
    fz_set_error_callback(ctx, NULL, NULL);
    long pages = 0;
    size_t bytes = 0;
    int64_t started = clock_mono_us();
    for (int i = 1; i < argc; i++)
        pages += read_file(ctx, argv[i], &bytes);
    printf("%ld %.4f %zu\n", pages, (double)(clock_mono_us() - started) / 1e6, bytes);
    fz_drop_context(ctx);
    return 0;
}
