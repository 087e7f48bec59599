/* main.c: platen-engine-text, what is done with words. */
#include "kit/kit.h"
#include "text/text.h"

static const Step *const steps[] = {
#define STEP(name) &step_##name,
#include "text/steps.def"
#undef STEP
    NULL,
};

int main(int argc, char **argv)
{
    return kit_main(
        argc, argv,
        &(KitEngine){.name = "text", .version = "1", .steps = steps, .warm = text_warm});
}
