/* main.c: platen-engine-ocr, text from pictures and scans. */
#include "kit/kit.h"
#include "ocr/render.h"
#include "ocr/tess.h"

static ErrCode warm(Err *err)
{
    ErrCode rc = tess_warm(err);
    return rc == OK ? render_warm(err) : rc;
}

static const Step *const steps[] = {&step_ocr_image, &step_ocr_document, NULL};

int main(int argc, char **argv)
{
    tess_alone(argv);
    return kit_main(argc, argv,
                    &(KitEngine){.name = "ocr", .version = "1", .steps = steps, .warm = warm});
}
