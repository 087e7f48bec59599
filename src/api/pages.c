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

void pages_docs(HttpRequest *req)
{
    Call c;
    call_begin_public(req, &c);
    const DocsAsset *asset = docs_page_find(req->path);
    if (asset == NULL) {
        err_set(&c.err, ERR_NOT_FOUND, "there is no such page");
        call_fail(&c);
        return;
    }
    Str etag = str_printf(c.arena, "\"%s\"", asset->etag);
    http_set_header(req, "Content-Security-Policy", STR(DOCS_PAGE_CSP));
    http_set_header(req, "Cache-Control", STR("no-cache"));
    http_set_header(req, "ETag", etag);
    if (etag.ptr != NULL && str_eq(http_header(req, "if-none-match"), etag))
        call_answer_empty(&c, 304);
    else
        http_answer_text(req, 200, asset->type, asset->body);
}
