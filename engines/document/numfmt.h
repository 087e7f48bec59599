/* numfmt.h: a number as a spreadsheet shows it, from the format code of its cell ("#,##0.00", "0%",
 * "[$€-407] 0.00").
 *
 * Decimals, thousands, percent, exponents, signs and literal text are shown as Excel does in
 * English. Dates and times are shown by ISO 8601, with the parts that the format asks for
 * (2026-11-05, 2026-11-05 14:30, 2026-11, 14:30:00, 36:15), because the usual format 14 means
 * another order of day and month in every country. Fractions are shown as decimals. */
#ifndef PLATEN_DOCUMENT_NUMFMT_H
#define PLATEN_DOCUMENT_NUMFMT_H

#include "base/buf.h"

enum { NUMFMT_SECTIONS = 3, NUMFMT_LITERAL = 24 };

typedef struct NumSection {
    char prefix[NUMFMT_LITERAL], suffix[NUMFMT_LITERAL];
    uint8_t decimals, integers; /* digits that are always shown */
    uint8_t optional;           /* further decimals, shown when they are not 0 */
    uint8_t thousands_cut;      /* trailing commas: divide by 1000 each */
    uint8_t exponent;           /* digits of the exponent; 0: none */
    bool digits, thousands, percent, general;
    bool year, month, day, hour, minute, second, elapsed; /* a date or time when any is set */
} NumSection;

typedef struct NumFormat {
    NumSection sections[NUMFMT_SECTIONS]; /* positive, negative, zero */
    uint8_t len;
    bool general;
} NumFormat;

NumFormat numfmt_parse(Str code);
/* The code of a format that files name by number only; "General" for unknown ones. */
const char *numfmt_builtin(int64_t id);
bool numfmt_is_date(const NumFormat *f);

/* `raw` is the number as it stands in the file. What is not a number is added as it is. */
void numfmt_put(Buf *b, const NumFormat *f, Str raw, bool date1904);

#endif
