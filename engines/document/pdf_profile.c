#include "document/pdf_profile.h"

#include "document/pdf_in.h"

Str pdf_profile(void)
{
    fz_context *ctx = NULL;
    Err err;
    unsigned char *bytes = NULL;
    if (pdf_context(&ctx, &err) != OK)
        return STR("");
    fz_colorspace *rgb = fz_device_rgb(ctx);
    if (!(rgb->flags & FZ_COLORSPACE_IS_ICC) || rgb->u.icc.buffer == NULL)
        return STR("");
    size_t len = fz_buffer_storage(ctx, rgb->u.icc.buffer, &bytes);
    return (Str){(const char *)bytes, len};
}
