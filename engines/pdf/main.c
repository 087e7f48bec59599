/* main.c: platen-engine-pdf, PDF files by qpdf. */
#include "kit/kit.h"
#include "pdf/pdf.h"

static const Step *const steps[] = {&step_pdf_merge,     &step_pdf_split,    &step_pdf_rotate,
                                    &step_pdf_watermark, &step_pdf_encrypt,  &step_pdf_decrypt,
                                    &step_pdf_optimize,  &step_pdf_metadata, NULL};

int main(int argc, char **argv)
{
    return kit_main(argc, argv,
                    &(KitEngine){.name = "pdf", .version = "1", .steps = steps, .warm = font_warm});
}
