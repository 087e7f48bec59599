/* the OpenAPI document, its explorer, and the web app. */
#include "api/routes.h"
#include "surface/docs_page.h"
#include "surface/web_app.h"

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

/* Code and styles of the app come under the policy of the page that asks for them: they carry
 * none of their own, which would be half of a small one. */
static void set_web_headers(HttpRequest *req, const WebAsset *asset)
{
    http_set_header(req, "Vary", STR("Accept-Encoding"));
    if (asset->immutable) {
        http_set_header(req, "Cache-Control", STR("public, max-age=31536000, immutable"));
        return;
    }
    http_set_header(req, "Cache-Control", STR("no-cache"));
    http_set_header(req, "Content-Security-Policy", STR(WEB_APP_CSP));
    http_set_header(req, "Permissions-Policy", STR(WEB_APP_PERMISSIONS));
    /* Not "no-referrer", which takes the origin away from forms too. */
    http_set_header(req, "Referrer-Policy", STR("same-origin"));
}

void pages_web(HttpRequest *req)
{
    const WebAsset *asset = web_app_find(req->path);
    if (asset == NULL) {
        Err err = {0};
        err_set(&err, ERR_NOT_FOUND, "there is nothing at \"" STR_FMT "\"",
                (int)(req->path.len < 128 ? req->path.len : 128), req->path.ptr);
        http_answer_err(req, &err, (Str){0});
        return;
    }
    WebEncoding e = web_app_encoding(asset, http_header(req, "Accept-Encoding"));
    const char *coding = web_encoding_name(e);
    Str etag = str_printf(req->arena, "%s%s%s", asset->etag, coding != NULL ? "-" : "",
                          coding != NULL ? coding : "");
    set_web_headers(req, asset);
    http_set_header(req, "ETag", str_printf(req->arena, "\"" STR_FMT "\"", STR_ARG(etag)));
    Str known = http_header(req, "If-None-Match");
    if (known.len > 0 && http_etag_listed(known, etag)) {
        req->res.status = 304;
        return;
    }
    if (coding != NULL)
        http_set_header(req, "Content-Encoding", str_from_c(coding));
    http_answer_text(req, 200, asset->type, asset->body[e]);
}
