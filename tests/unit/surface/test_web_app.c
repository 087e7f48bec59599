#include "surface/web_app_in.h"
#include "unit/harness.h"

static const WebAsset whole = {
    "/a.js", "text/javascript", "0", false, {{"identity", 8}, {"gzip", 4}, {"br", 2}}};
static const WebAsset small = {"/b.svg", "image/svg+xml", "0", false, {{"identity", 8}}};

TEST(chooses_the_smallest_that_is_allowed)
{
    static const struct {
        const char *accept;
        WebEncoding e;
    } cases[] = {
        {"", WEB_IDENTITY},
        {"gzip", WEB_GZIP},
        {"x-gzip", WEB_GZIP},
        {"gzip, deflate, br, zstd", WEB_BR},
        {"BR", WEB_BR},
        {"br;q=0, gzip", WEB_GZIP},
        {"br;q=0.5, gzip;q=0.8", WEB_GZIP},
        {"br;q=0.8 , gzip;q=0.8", WEB_BR},
        {"br ; Q=0.2", WEB_BR},
        {"identity, br;q=0.9", WEB_IDENTITY},
        {"identity;q=0.5, br;q=0.9", WEB_BR},
        {"*", WEB_BR},
        {"*;q=0", WEB_IDENTITY},
        {"*;q=0, gzip", WEB_GZIP},
        {"br;q=0, *", WEB_GZIP},
        {"br;q=7, gzip;q=", WEB_IDENTITY},
        {"zstd", WEB_IDENTITY},
        {",;,q=1;,", WEB_IDENTITY},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (web_app_encoding(&whole, str_from_c(cases[i].accept)) != cases[i].e)
            fail_msg("\"%s\"", cases[i].accept);
        assert_int_equal(web_app_encoding(&small, str_from_c(cases[i].accept)), WEB_IDENTITY);
    }
    assert_int_equal(web_app_encoding(&whole, (Str){0}), WEB_IDENTITY);
    assert_string_equal(web_encoding_name(WEB_BR), "br");
    assert_null(web_encoding_name(WEB_IDENTITY));
}

TEST(pages_are_the_start_and_files_are_files)
{
    const WebAsset *start = web_app_find(STR("/"));
    assert_non_null(start);
    assert_string_equal(start->type, "text/html; charset=utf-8");
    static const char *const pages[] = {
        "/jobs", "/jobs/", "/jobs/job_1", "/files/a.pdf", "/playground/image.convert", "/apiary"};
    for (size_t i = 0; i < COUNT_OF(pages); i++)
        assert_ptr_equal(web_app_find(str_from_c(pages[i])), start);
    static const char *const none[] = {
        "/api",  "/api/v1/x",      "/docs/x",         "/health/x", "/metrics",    "/robots.txt",
        "/.env", "/.well-known/x", "/assets/none.js", "/assets",   "/robots.txt/"};
    for (size_t i = 0; i < COUNT_OF(none); i++)
        assert_null(web_app_find(str_from_c(none[i])));
}

TEST(every_file_is_found_and_no_encoding_is_larger)
{
    for (size_t i = 0; i < web_app_assets_len; i++) {
        const WebAsset *asset = &web_app_assets[i];
        assert_ptr_equal(web_app_find(str_from_c(asset->path)), asset);
        assert_int_equal(strlen(asset->etag), 32);
        assert_int_equal(asset->immutable, str_starts(str_from_c(asset->path), STR("/assets/")));
        for (int e = WEB_GZIP; e < WEB_ENCODINGS; e++)
            assert_true(asset->body[e].len < asset->body[WEB_IDENTITY].len);
    }
}

/* What the page loads at once is there, and nothing in it needs what the policy forbids. */
TEST(the_start_keeps_the_policy)
{
    static const char *const never[] = {"style=\"", "<style",  "<script>",
                                        "onload=",  "http://", "https://"};
    Str page = web_app_find(STR("/"))->body[WEB_IDENTITY];
    for (size_t i = 0; i < COUNT_OF(never); i++)
        if (str_find(page, str_from_c(never[i])) != STR_NONE)
            fail_msg("the page has %s", never[i]);
    for (size_t at; (at = str_find(page, STR("\"/assets/"))) != STR_NONE;) {
        page = str_slice(page, at + 1, page.len);
        assert_non_null(web_app_find(str_slice(page, 0, str_find_char(page, '"'))));
    }
    assert_null(strstr(WEB_APP_CSP, "unsafe"));
}

TEST_MAIN(chooses_the_smallest_that_is_allowed, pages_are_the_start_and_files_are_files,
          every_file_is_found_and_no_encoding_is_larger, the_start_keeps_the_policy)
