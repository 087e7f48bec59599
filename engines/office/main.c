/* main.c: platen-engine-office, LibreOffice kept ready. */
#include "kit/kit.h"
#include "office/office.h"

static const Step *const steps[] = {&step_office_convert, NULL};

int main(int argc, char **argv)
{
    return kit_main(argc, argv,
                    &(KitEngine){.name = "office",
                                 .version = "1",
                                 .steps = steps,
                                 .warm = office_warm,
                                 .resident = &office_resident});
}
