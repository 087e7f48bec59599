#include "steps/steps.h"

ErrCode steps_register(Registry *r, Err *err)
{
    static const Step *const all[] = {
#define STEP(name) &step_##name,
#include "steps/registry.def"
#undef STEP
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        ErrCode rc = registry_add(r, all[i], err);
        if (rc != OK)
            return rc;
    }
    return OK;
}
