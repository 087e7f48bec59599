/* write.h: platen's things as JSON, one function per kind; the schemas of schemas.c describe
 * exactly these. */
#ifndef PLATEN_API_WRITE_H
#define PLATEN_API_WRITE_H

#include "core/registry.h"
#include "flow/flow.h"

void write_time(JsonOut *j, const char *key, int64_t ms); /* RFC 3339; null when 0 */
void write_id(JsonOut *j, const char *key, const char *prefix, int64_t id);
void write_file(JsonOut *j, const JobFile *file); /* {name, type, bytes, blob} */
/* The whole job. Secret parameters are shown as null. `full` adds params, files and data. */
void write_job(JsonOut *j, const Job *job, const Registry *registry, Arena *a, bool full);
/* Its parameters, as "params": secrets are null. */
void write_params(JsonOut *j, const Job *job, const Registry *registry, Arena *a);
void write_event(JsonOut *j, const JobEvent *e);

#endif
