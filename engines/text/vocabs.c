#include "text/vocab_in.h"

#include <assert.h>

/* What tools/pack_ranks.py and vocab_cuts.c have made of the package's files. */
extern const unsigned char ranks_o200k[], ranks_cl100k[];
extern const uint32_t cuts_o200k[], cuts_cl100k[];

/* Set by vocab_warm in the warm parent, then constant. */
static Vocab vocabs[ENCODING_COUNT];

const char *encoding_name(Encoding e)
{
    static const char *const names[] = {[O200K] = "o200k_base", [CL100K] = "cl100k_base"};
    return names[e];
}

ErrCode vocab_warm(Err *err)
{
    static const struct {
        const unsigned char *packed;
        const uint32_t *cuts;
    } made[] = {[O200K] = {ranks_o200k, cuts_o200k}, [CL100K] = {ranks_cl100k, cuts_cl100k}};
    for (int e = 0; e < ENCODING_COUNT; e++) {
        ErrCode rc = OK;
        if (vocabs[e].count == 0)
            rc = vocab_build(made[e].packed, made[e].cuts, &vocabs[e], err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

const Vocab *vocab_of(Encoding e)
{
    assert(vocabs[e].count > 0);
    return &vocabs[e];
}
