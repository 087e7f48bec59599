/* main.c: platen-engine-archive, archives by libarchive. */
#include "archive/names.h"
#include "kit/kit.h"

#include <locale.h>
#include <stdlib.h>
#include <time.h>

extern const Step step_archive_create, step_archive_extract, step_archive_list;
static const Step *const steps[] = {&step_archive_create, &step_archive_extract, &step_archive_list,
                                    NULL};

/* libarchive converts names by the locale, and reads the times of ZIP as local ones. */
static ErrCode warm(Err *err)
{
    if (setlocale(LC_ALL, "C.UTF-8") == NULL)
        return err_set(err, ERR_ENGINE_MISSING, "this system has no C.UTF-8 locale");
    setenv("TZ", "UTC", 1);
    tzset();
    return names_warm(err);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv,
                    &(KitEngine){.name = "archive", .version = "1", .steps = steps, .warm = warm});
}
