/* fuzz_ocr_picture: any bytes as a picture's header: kind, pages, orientation. */
#include "ocr/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Str bytes = {(const char *)data, size};
    PictureKind kind = picture_kind(bytes);
    (void)picture_other(bytes);
    (void)picture_pages(kind, bytes);
    (void)picture_orientation(kind, bytes);
    (void)picture_pages(PICTURE_TIFF, bytes);
    return 0;
}
