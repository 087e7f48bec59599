/* main.c: platen-engine-data, what is done with values. */
#include "data/data.h"
#include "kit/kit.h"

static const Step *const steps[] = {&step_data_transform, &step_data_yaml, NULL};

int main(int argc, char **argv)
{
    return kit_main(
        argc, argv,
        &(KitEngine){.name = "data", .version = "1", .steps = steps, .warm = data_warm});
}
