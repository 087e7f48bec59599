/* param_in.h: shared by param.c, param_check.c and the rules of the registry. */
#ifndef PLATEN_CORE_PARAM_IN_H
#define PLATEN_CORE_PARAM_IN_H

#include "core/param.h"

bool param_int_in_range(const Param *p, int64_t v);
bool param_number_has_range(const Param *p);
bool param_number_in_range(const Param *p, double v);
void param_put_number(double v, JsonOut *j); /* -0 is written as 0 */

#endif
