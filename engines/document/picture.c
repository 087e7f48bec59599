/* picture.c: pictures of text (photos, scans, faxes of many pages): read whole by OCR. */
#include "document/calls.h"

static const char *extension_of(Str type)
{
    size_t slash = str_find_char(type, '/');
    Str kind = slash == STR_NONE ? STR("") : str_slice(type, slash + 1, type.len);
    static const char *const known[] = {"png", "jpeg", "tiff", "webp", "gif",
                                        "bmp", "heic", "avif", "jxl",  "jp2"};
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_c(kind, known[i]))
            return known[i];
    return "img";
}

ErrCode read_picture(const DocInput *in, Doc *out)
{
    Err *err = in->step->err;
    if (in->ocr == OCR_NEVER) {
        err_set(err, ERR_NO_TEXT, "it is a picture, and ocr is set to never");
        err_hint(err, "leave `ocr` out, or set it to auto");
        return ERR_NO_TEXT;
    }
    const Json *pages = NULL;
    ErrCode rc = calls_ocr(in, extension_of(in->type), in->pages, true, in->step->arena, &pages);
    if (rc != OK)
        return rc;
    bool any = false;
    int64_t seen = 0;
    json_each(p, pages) {
        seen++;
        doc_page(out, json_int(json_get(p, "page"), seen));
        any = calls_ocr_put(out, in->step->arena, p) || any;
    }
    doc_pages_total(out, seen);
    if (any)
        return OK;
    err_set(err, ERR_NO_TEXT, "no text was recognised in the picture");
    err_hint(err, "check that it shows text, upright and sharp; name its language in `languages`");
    return ERR_NO_TEXT;
}
