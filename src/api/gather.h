/* gather.h: what a request to run a step or a pipeline asks for, from wherever it says it.
 *
 * One request, three forms, one path: everything that is named like an option (params.h,
 * run_option_params) says how to run, everything else is a parameter of the step or an input of the
 * pipeline. Names come from the query, then the form fields, then the JSON body.
 *
 *             values                       files
 *   step      "params": {…}                "inputs": [{"blob"} | {"document"}], uploads of any field
 *   pipeline  "inputs": {…}                "inputs": {name: {"blob"} | {"document"} | a list of them},
 *                                          uploads in a field called as the input ("file", or a raw
 *                                          body: the only file input there is) */
#ifndef PLATEN_API_GATHER_H
#define PLATEN_API_GATHER_H

#include "api/call.h"
#include "core/pipeline.h"

enum { GATHER_INPUTS_MAX = 1000, GATHER_BATCH_MAX = 5000 };

typedef struct Gathered {
    /* Set by the caller. */
    const Param *table;         /* of the values */
    const Param *option_params; /* how to run: params.h */
    bool named;                 /* a pipeline: its files belong to inputs by name */
    const FileInput *files;
    size_t files_len;
    Str main;          /* the input that files without one are for; "": the only one */
    size_t inputs_max; /* 0: GATHER_INPUTS_MAX */

    Json params,
        options; /* JSON objects, not checked yet; members point into the request's arena */
    JobFile *inputs;
    Str *input_names; /* of each file, when named */
    size_t inputs_len, inputs_cap;
    ParamFaults faults; /* files that belong nowhere */
} Gathered;

/* The caller's project must be able to see the blobs and documents it names: not_found
 * otherwise. */
MUST_CHECK ErrCode gather_request(Call *c, Gathered *g);
/* A pipeline's inputs that were not given are taken from `earlier`: the inputs of a job before. */
MUST_CHECK ErrCode gather_earlier(Call *c, Gathered *g, const Json *earlier);
/* Values, options and named files against their tables, all faults at once. *values: canonical
 * JSON; when named with the files in it as {name, type, bytes, blob}. `options` is filled;
 * without any option it stays as it is. */
MUST_CHECK ErrCode gather_check(Call *c, Gathered *g, void *options, Str *values,
                                ParamFaults *faults);

/* Only the files of an "inputs" list, appended to g->inputs. Needs c->reader. */
MUST_CHECK ErrCode gather_inputs(Call *c, Gathered *g, const Json *inputs);

/* By its name, as an archive is told before anybody has looked into it; one that lies fails as an
 * item of its batch. */
bool gather_is_archive(const JobFile *f);

#endif
