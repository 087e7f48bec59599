#include "surface/docs_page.h"
#include "unit/harness.h"

TEST(serves_every_file_the_page_names)
{
    const DocsAsset *page = docs_page_find(STR("/docs"));
    assert_non_null(page);
    assert_string_equal(page->type, "text/html; charset=utf-8");
    assert_ptr_equal(docs_page_find(STR("/docs/")), page);
    int found = 0;
    Str rest = page->body;
    for (size_t at; (at = str_find(rest, STR("=\"/docs/"))) != STR_NONE; found++) {
        rest = str_slice(rest, at + 2, rest.len);
        Str path = str_slice(rest, 0, str_find_char(rest, '"'));
        if (docs_page_find(path) == NULL)
            fail_msg("no " STR_FMT, STR_ARG(path));
    }
    assert_true(found >= 3);
}

TEST(serves_nothing_else)
{
    static const char *const paths[] = {
        "", "/", "/doc", "/docs/explorer.html", "/docs/../docs", "/docs/x", "docs"};
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_null(docs_page_find(str_from_c(paths[i])));
}

/* The policy allows nothing inline and no other origin: neither may the files need it. */
TEST(keeps_its_own_policy)
{
    static const char *const files[] = {
        "/docs",        "/docs/explorer.js", "/docs/form.js",     "/docs/call.js",
        "/docs/dom.js", "/docs/spec.js",     "/docs/explorer.css"};
    static const char *const never[] = {
        "style=\"", "onclick=\"",   "<script>",   "<style>",  "innerHTML", "insertAdjacentHTML",
        "eval(",    "new Function", "src=\"http", "url(http", "@import",   "document.write"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        const DocsAsset *asset = docs_page_find(str_from_c(files[i]));
        assert_non_null(asset);
        assert_int_equal(strlen(asset->etag), 64);
        assert_true(str_is_utf8(asset->body));
        for (size_t n = 0; n < COUNT_OF(never); n++)
            if (str_find(asset->body, str_from_c(never[n])) != STR_NONE)
                fail_msg("%s has %s", files[i], never[n]);
    }
    assert_null(strstr(DOCS_PAGE_CSP, "unsafe"));
}

TEST(modules_import_only_each_other)
{
    const DocsAsset *asset = docs_page_find(STR("/docs/explorer.js"));
    Str rest = asset->body;
    int found = 0;
    for (size_t at; (at = str_find(rest, STR("from \"./"))) != STR_NONE; found++) {
        char path[64];
        rest = str_slice(rest, at + 8, rest.len);
        Str name = str_slice(rest, 0, str_find_char(rest, '"'));
        snprintf(path, sizeof path, "/docs/" STR_FMT, STR_ARG(name));
        assert_non_null(docs_page_find(str_from_c(path)));
    }
    assert_true(found >= 4);
}

TEST_MAIN(serves_every_file_the_page_names, serves_nothing_else, keeps_its_own_policy,
          modules_import_only_each_other)
