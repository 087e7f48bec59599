/* steps.h: the steps that are part of the server: quick, or waiting for the clock, and never
 * parsing untrusted bytes.
 *
 * One file each, one line in registry.def each. A step that takes longer than a moment sets
 * limits.time_ms: then it gets a thread of its own (work/work.h); the others run one after the
 * other on the dispatcher's. */
#ifndef PLATEN_STEPS_STEPS_H
#define PLATEN_STEPS_STEPS_H

#include "core/registry.h"

#define STEP(name) extern const Step step_##name;
#include "steps/registry.def"
#undef STEP

/* Add all of them. */
MUST_CHECK ErrCode steps_register(Registry *r, Err *err);

#endif
