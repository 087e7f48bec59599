/* fuzz_pdf_parts: what the PDF engine reads by itself: lists of pages, dates, XMP, heads of JPEG. */
#include <stdlib.h>

#include "pdf/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Str bytes = {(const char *)data, size}, out;
    PageList list;
    Err err = {0};
    int64_t w, h;
    int components;
    bool inverted;
    if (pagelist_parse(a, bytes, 7, "pages", &list, &err) == OK)
        for (size_t i = 0; i < list.len; i++)
            if (list.pages[i] < 1 || list.pages[i] > 7)
                abort();
    Str iso = pdf_date_to_iso(a, bytes);
    if (iso.len > 0 && pdf_date_from_iso(a, iso).len == 0)
        abort();
    if (xmp_write(a, bytes, &(PdfInfo){.title = STR("t")}, &out, &err) == OK && !str_is_utf8(out))
        abort();
    (void)picture_jpeg_size(bytes, &w, &h, &components, &inverted);
    return 0;
}
