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
/* bridges.c */
void bridges_list(HttpRequest *req);
void bridges_add(HttpRequest *req);
void bridges_remove(HttpRequest *req);
void bridges_check(HttpRequest *req);
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
