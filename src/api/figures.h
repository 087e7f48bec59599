/* figures.h: the API of figures: usage, overview, what queues did lately, the system. Query tables
 * are beside their handlers; what they answer is in figures_schemas.c. */
#ifndef PLATEN_API_FIGURES_H
#define PLATEN_API_FIGURES_H

#include "api/call.h"
#include "core/schema.h"

extern const Param usage_query_params[];
/* A cell of a CSV file (RFC 4180), harmless to a spreadsheet. */
void csv_put_text(Buf *b, Str text);

/* figures_schemas.c */
extern const Field usage_report_fields[];

#endif
