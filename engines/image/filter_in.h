/* filter_in.h: the operations of image.filter; filter.c reads the list, filter_ops.c does them. */
#ifndef PLATEN_IMAGE_FILTER_IN_H
#define PLATEN_IMAGE_FILTER_IN_H

#include "image/edit.h"

typedef struct FilterKind FilterKind;
typedef struct FilterOp {
    const FilterKind *kind;
    double value;
    bool percent; /* value counts percent of the shorter side */
} FilterOp;
typedef struct FilterPaper { /* what shows where the picture does not */
    const EditArgs *args;
    double colour[3];
} FilterPaper;
struct FilterKind {
    const char *name;
    double min, max, def; /* max 0: it takes no number */
    bool percent;         /* may be given in percent */
    int (*run)(VipsImage *in, const FilterOp *op, const FilterPaper *paper, VipsImage **out);
};

const FilterKind *filter_kind(Str name); /* NULL: there is none */
const char *filter_near(Str name);       /* the name that was probably meant, or NULL */
/* *v becomes what the operation makes of it, in memory, 8 bits. */
MUST_CHECK ErrCode filter_apply(StepCtx *c, const FilterOp *op, const FilterPaper *paper,
                                VipsImage **v);

#endif
