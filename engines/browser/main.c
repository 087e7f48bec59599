/* main.c: platen-engine-browser, Chromium kept ready. */
#include "browser/browser.h"
#include "kit/kit.h"

static const Step *const steps[] = {&step_browser_print, NULL};

int main(int argc, char **argv)
{
    return kit_main(argc, argv,
                    &(KitEngine){.name = "browser",
                                 .version = "1",
                                 .steps = steps,
                                 .warm = browser_warm,
                                 .resident = &browser_resident});
}
