/* main.c: platen-engine-security, what a file would do when it is opened. */
#include "document/charset.h"
#include "document/ooxml_crypt.h"
#include "kit/kit.h"
#include "security/clamd.h"
#include "security/scan.h"

#include <locale.h>

static ErrCode warm(Err *err)
{
    /* Names in archives are turned into UTF-8. */
    if (setlocale(LC_ALL, "C.UTF-8") == NULL)
        return err_set(err, ERR_INTERNAL, "the locale C.UTF-8 is missing");
    ErrCode rc = charset_warm(err);
    if (rc == OK)
        rc = ooxml_crypt_warm(err);
    return rc == OK ? mail_warm(err) : rc;
}

static ErrCode before(const Step *step, Err *err)
{
    (void)step;
    (void)err;
    clamd_connect();
    return OK;
}

static const Step *const steps[] = {&step_security_scan, NULL};

int main(int argc, char **argv)
{
    return kit_main(argc, argv,
                    &(KitEngine){.name = "security",
                                 .version = "1",
                                 .steps = steps,
                                 .warm = warm,
                                 .before = before,
                                 .arena_bytes = (size_t)512 * MIB});
}
