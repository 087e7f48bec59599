/* definition.h: the text of a pipeline, read and checked against what this server can do.
 *
 * JSON is read here; all else is YAML and is parsed by an engine (step data.yaml), never in this
 * process. Blocks for as long as the engine takes: call it on a pool thread. */
#ifndef PLATEN_API_DEFINITION_H
#define PLATEN_API_DEFINITION_H

#include "api/app.h"
#include "core/pipeline.h"
#include "flow/pipeline.h"

typedef struct Definition {
    Pipeline pipeline;
    Str json;   /* the definition as JSON */
    Str source; /* the text as it came */
} Definition;

/* All memory in `a`, where `text` must live too. ERR_BAD_PIPELINE: every fault is in *faults, also
 * those of the YAML or JSON itself. `name`: what it must be called; "": anything. */
MUST_CHECK ErrCode definition_read(const App *app, int64_t project, DbConn *reader, Str text,
                                   Str name, Arena *a, Definition *out, PipelineFaults *faults,
                                   Err *err);
/* Store it: a further version, or nothing when it equals the newest. `base`: the version it was made
 * from (PipelineNew.base), -1: any; ERR_CONFLICT when the newest is another. */
MUST_CHECK ErrCode definition_put(const App *app, int64_t project, int64_t key, const Definition *d,
                                  int64_t base, Arena *a, PipelineInfo *out, bool *made, Err *err);

#endif
