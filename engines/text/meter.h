/* meter.h: how long a growing piece of text is, in tokens or characters.
 *
 *   meter_begin(&m, from);
 *   meter_to(&m, to, limit, &n, err)  the length of [from, to), exactly as if counted alone; over the
 *                                     limit: any number over the limit
 *   meter_fit(&m, max, limit, …)      the furthest place so that [from, place) has at most `limit`
 *
 * Tokens do not simply add up: what follows can change how the end before it is cut. So counting
 * goes on from the last place where it cannot (pieces_sure_cut), not from `from`; the whole of a
 * chunk is counted once, however many units it is put together from. */
#ifndef PLATEN_TEXT_METER_H
#define PLATEN_TEXT_METER_H

#include "text/tokenizer.h"

typedef enum MeterUnit { METER_TOKENS, METER_CHARACTERS } MeterUnit;

typedef struct Meter {
    Tokenizer *tokenizer;
    Str text;
    MeterUnit unit;
    size_t from;
    size_t sure; /* counted for good up to here … */
    int64_t sure_count;
} Meter;

void meter_begin(Meter *m, size_t from);
MUST_CHECK ErrCode meter_to(Meter *m, size_t to, int64_t limit, int64_t *out, Err *err);

/* A place after `floor` and at most `max`, at the end of a word where there is one (with the white
 * space and closing punctuation behind it, when they fit), else between two characters. *out ==
 * floor: nothing fits. */
MUST_CHECK ErrCode meter_fit(Meter *m, size_t floor, size_t max, int64_t limit, size_t *out,
                             Err *err);

/* The place nearest to `at`, at or before it and not before `floor`, that does not tear a character
 * apart as people see it (accents, joined emoji). */
size_t meter_char_edge(Str text, size_t floor, size_t at);

#endif
