/* pages.h: which pages a person asked for: "1-3,7,9-". Empty means all. Pages count from 1. */
#ifndef PLATEN_KIT_PAGES_H
#define PLATEN_KIT_PAGES_H

#include "base/err.h"

/* ERR_BAD_PARAM names the parameter `pages`. */
MUST_CHECK ErrCode pages_check(Str pages, Err *err);
bool pages_wanted(Str pages, int64_t page_no);

#endif
