/* data.h: the front door of the data engine: YAML as JSON, and JSON as other JSON.
 *
 * Each step is one file. What they need is linked and held in memory: nothing is opened later, so
 * there is nothing to load before the sandbox closes but the locale. */
#ifndef PLATEN_DATA_DATA_H
#define PLATEN_DATA_DATA_H

#include "core/step.h"

extern const Step step_data_transform;
extern const Step step_data_yaml;

MUST_CHECK ErrCode data_warm(Err *err);

#endif
