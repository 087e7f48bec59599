/* the OpenAPI document and its explorer. */
#include "api/routes.h"
#include "surface/docs_page.h"

void pages_openapi(HttpRequest *req)
{
    Call c;
    call_begin_public(req, &c);
    http_set_header(req, "Cache-Control", STR("no-cache"));
    http_answer_text(req, 200, "application/json", c.app->openapi);
}
