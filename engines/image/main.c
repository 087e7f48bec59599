/* main.c: platen-engine-image, pictures by libvips. */
#include "image/image.h"
#include "kit/kit.h"

static const Step *const steps[] = {
    &step_image_convert, &step_image_crop,     &step_image_filter,    &step_image_info,
    &step_image_montage, &step_image_optimize, &step_image_watermark, NULL};

int main(int argc, char **argv)
{
    return kit_main(
        argc, argv,
        &(KitEngine){.name = "image", .version = "1", .steps = steps, .warm = image_warm});
}
