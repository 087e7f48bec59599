/* gather.h: what a request to run a step asks for, from wherever it says it.
 *
 * One request, three forms, one path: everything that is named like an option (params.h,
 * run_option_params) says how to run, everything else is a parameter of the step. Names come from
 * the query, then the form fields, then the JSON body's "params"; files come as uploads, or as
 * {"blob"} and {"document"} in the JSON body's "inputs". */
#ifndef PLATEN_API_GATHER_H
#define PLATEN_API_GATHER_H

#include "api/call.h"

enum { GATHER_INPUTS_MAX = 1000 };

typedef struct Gathered {
    const Step *step;           /* set by the caller */
    const Param *option_params; /* set by the caller: run_option_params or batch_option_params */
    Json params,
        options; /* JSON objects, not checked yet; members point into the request's arena */
    JobFile *inputs;
    size_t inputs_len, inputs_cap;
} Gathered;

/* The caller's project must be able to see the blobs and documents it names: not_found
 * otherwise. */
MUST_CHECK ErrCode gather_request(Call *c, Gathered *g);

/* Only the files of an "inputs" list, appended to g->inputs. Needs c->reader. */
MUST_CHECK ErrCode gather_inputs(Call *c, Gathered *g, const Json *inputs);

#endif
