/* routes.h: the handlers of every resource; routes.c puts them into the one table of operations. */
#ifndef PLATEN_API_ROUTES_H
#define PLATEN_API_ROUTES_H

#include "api/call.h"

/* steps.c */
void steps_list(HttpRequest *req);
void steps_get(HttpRequest *req);
void steps_run(HttpRequest *req);
void steps_batch(HttpRequest *req);
void queues_send(HttpRequest *req);
/* jobs.c */
void jobs_list(HttpRequest *req);
void jobs_get(HttpRequest *req);
void jobs_add(HttpRequest *req); /* bulk.c */
void jobs_cancel(HttpRequest *req);
void jobs_retry(HttpRequest *req);
void jobs_output(HttpRequest *req);
void jobs_input(HttpRequest *req);
void jobs_items(HttpRequest *req);
void jobs_archive(HttpRequest *req);
void jobs_diagnosis(HttpRequest *req);
/* pipelines.c */
void pipelines_add(HttpRequest *req);
void pipelines_put(HttpRequest *req);
void pipelines_delete(HttpRequest *req);
void pipelines_list(HttpRequest *req);
void pipelines_get(HttpRequest *req);
void pipelines_source(HttpRequest *req);
void pipelines_versions(HttpRequest *req);
void pipelines_diff(HttpRequest *req);
void pipelines_graph(HttpRequest *req);
/* pipeline_run.c */
void pipelines_run(HttpRequest *req);
void jobs_replay(HttpRequest *req);
/* nodes.c */
void jobs_nodes(HttpRequest *req);
void jobs_signal(HttpRequest *req);
void jobs_approve(HttpRequest *req);
void jobs_pause(HttpRequest *req);
void jobs_resume(HttpRequest *req);
void callbacks_take(HttpRequest *req);
void approvals_list(HttpRequest *req);
/* Fills job->waits of a pipeline's job that runs. */
void nodes_read_waits(Call *c, Job *job);
/* events.c */
void events_get(HttpRequest *req);
void events_socket(HttpRequest *req);
/* feed.c */
void feed_events(HttpRequest *req);
void feed_socket(HttpRequest *req);
void feed_publish(HttpRequest *req);
/* blobs.c */
void blobs_add(HttpRequest *req);
void blobs_get(HttpRequest *req);
/* documents.c */
void documents_add(HttpRequest *req);
void documents_list(HttpRequest *req);
void documents_get(HttpRequest *req);
void documents_content(HttpRequest *req);
void documents_delete(HttpRequest *req);
/* dead.c */
void dead_list(HttpRequest *req);
void dead_redrive(HttpRequest *req);
void dead_redrive_all(HttpRequest *req);
void dead_delete(HttpRequest *req);
void queues_list(HttpRequest *req);
/* lease.c */
void queues_lease(HttpRequest *req);
/* outside.c */
void tasks_complete(HttpRequest *req);
void tasks_fail(HttpRequest *req);
void tasks_extend(HttpRequest *req);
void queues_handler_get(HttpRequest *req);
void queues_handler_put(HttpRequest *req);
/* keys.c */
void keys_list(HttpRequest *req);
void keys_create(HttpRequest *req);
void keys_revoke(HttpRequest *req);
/* schedules.c */
void schedules_list(HttpRequest *req);
void schedules_create(HttpRequest *req);
void schedules_get(HttpRequest *req);
void schedules_put(HttpRequest *req);
void schedules_delete(HttpRequest *req);
void schedules_run(HttpRequest *req);
void schedules_pause(HttpRequest *req);
void schedules_resume(HttpRequest *req);
void schedules_preview(HttpRequest *req);
void schedules_preview_any(HttpRequest *req);
/* health.c */
void health_all(HttpRequest *req);
void health_liveness(HttpRequest *req);
void health_readiness(HttpRequest *req);
void health_metrics(HttpRequest *req);
/* backup.c */
void backup_create(HttpRequest *req);
/* pages.c */
void pages_openapi(HttpRequest *req);
void pages_docs(HttpRequest *req);

#endif
