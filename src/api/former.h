/* former.h: the paths of the earlier documents worker, for those who move from it.
 *
 * Each is one row of a table: the step it runs, how its form fields become that step's parameters,
 * and how the job is shown: as {"job_id","status","check_status_url"} at once, or when it has ended
 * as text, pages, or the file itself. What runs is an ordinary job: it is listed, explained and kept
 * like any other. New programs use /api/v1/steps. */
#ifndef PLATEN_API_FORMER_H
#define PLATEN_API_FORMER_H

#include "core/step.h"

struct HttpRequest;

void former_run(struct HttpRequest *req);   /* every POST of the table in former.c */
void former_job(struct HttpRequest *req);   /* GET /api/v1/job/{id} */
void former_stats(struct HttpRequest *req); /* GET /api/v1/queue/stats */

extern const Param former_document_params[], former_picture_params[], former_video_params[],
    former_text_params[], former_range_params[], former_ocr_params[];
extern const Field former_accepted_fields[], former_job_fields[], former_text_fields[],
    former_pages_fields[], former_ocr_fields[], former_stats_fields[];

#endif
