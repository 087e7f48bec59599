#include "data/data.h"

#include <time.h>

ErrCode data_warm(Err *err)
{
    (void)err;
    tzset(); /* reads the time zone's file once: jq's localtime and strftime ask for it */
    return OK;
}
