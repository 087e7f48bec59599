/* registry.h: all steps this process knows, sorted by name.
 *
 * Filled once at start (built-in steps, then what engines describe), constant afterwards: any
 * thread may read. */
#ifndef PLATEN_CORE_REGISTRY_H
#define PLATEN_CORE_REGISTRY_H

#include "core/step.h"

typedef struct Registry Registry;

/* Memory of the registry and of the steps read into it comes from `a`, which must outlive it. NULL:
 * no memory. */
Registry *registry_open(Arena *a);
/* ERR_CONFLICT when the name is taken; ERR_INTERNAL when the description breaks a rule
 * (registry_problem). */
MUST_CHECK ErrCode registry_add(Registry *r, const Step *s, Err *err);
const Step *registry_find(const Registry *r, Str name); /* NULL: unknown */
const Step *registry_nearest(const Registry *r,
                             Str name); /* the closest name, for messages; may be NULL */
size_t registry_count(const Registry *r);
const Step *registry_at(const Registry *r, size_t index);
/* The rules every description keeps: name is noun.verb in lower case, help is a sentence, defaults
 * in range, choices not empty, names unique, an example … NULL when all is well, else what is wrong
 * (in `a`). */
const char *registry_problem(const Step *s, Arena *a);

#endif
