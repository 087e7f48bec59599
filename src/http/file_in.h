/* file_in.h: the parts of file.c that can be tested without a file. */
#ifndef PLATEN_HTTP_FILE_IN_H
#define PLATEN_HTTP_FILE_IN_H

#include "base/buf.h"

/* NONE: answer with all of it (no range, several, or not understood). */
typedef enum HttpRange { RANGE_NONE, RANGE_PART, RANGE_OUTSIDE } HttpRange;

HttpRange http_range_parse(Str header, int64_t size, int64_t *from, int64_t *len);
/* attachment; filename="…" and, when that cannot say it, filename*=UTF-8''… */
void http_disposition_text(Buf *b, Str name);

#endif
