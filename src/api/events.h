/* events.h: who sends the events of running streams; see events.c. */
#ifndef PLATEN_API_EVENTS_H
#define PLATEN_API_EVENTS_H

#include "api/app.h"

MUST_CHECK ErrCode streams_open(App *app, Streams **out, Err *err);
/* After http_close, whose ending streams it frees. */
void streams_close(Streams **s);

#endif
