/* myers.h: the shortest way from one row of numbers to another.
 *
 * E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), in linear space. Where more
 * than MYERS_COST_MAX steps would be needed, the stretch is given as deleted and inserted whole: still
 * right, only not shortest, so that work is bounded. Pure. */
#ifndef PLATEN_TEXT_MYERS_H
#define PLATEN_TEXT_MYERS_H

#include <stddef.h>
#include <stdint.h>

enum { MYERS_COST_MAX = 1500 };

typedef enum MyersOp { MYERS_EQUAL, MYERS_DELETE, MYERS_INSERT } MyersOp;
/* a_at, b_at: where in the rows; len: how many. Called in order; neighbours may be of one kind. */
typedef void (*MyersEmit)(void *ctx, MyersOp op, size_t a_at, size_t b_at, size_t len);

void myers_diff(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len, MyersEmit emit,
                void *ctx);

#endif
