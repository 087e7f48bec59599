#include "document/xml.h"
#include "unit/harness.h"
#include "base/buf.h"

typedef struct Heard {
    Buf log;
    XmlId tree, skip;
} Heard;

static XmlWant on_start(void *ctx, const XmlElem *e)
{
    Heard *h = ctx;
    if (e->id == h->skip)
        return XML_SKIP;
    buf_addf(&h->log, "<%d", e->id);
    if (xml_has_attr(e, "w:val"))
        buf_addf(&h->log, " " STR_FMT, STR_ARG(xml_attr(e, "w:val")));
    buf_add_char(&h->log, '>');
    return e->id == h->tree ? XML_TREE : XML_ENTER;
}

static void on_end(void *ctx, XmlId id)
{
    buf_addf(&((Heard *)ctx)->log, "</%d>", id);
}

static void on_text(void *ctx, Str text)
{
    buf_add(&((Heard *)ctx)->log, text);
}

static void on_tree(void *ctx, const XmlElem *e)
{
    Heard *h = ctx;
    for (const XmlElem *at = xml_walk(e, e); at != NULL; at = xml_walk(e, at))
        if (at->id == XML_TEXT)
            buf_addf(&h->log, "'" STR_FMT "'", STR_ARG(at->text));
        else
            buf_addf(&h->log, "(%d)", at->id);
}

static ErrCode hear(Arena *a, const char *xml, XmlId tree, XmlId skip, Str *out, Err *err)
{
    Heard h = {.log = buf_init(a, 1 * MIB), .tree = tree, .skip = skip};
    XmlHandler handler = {
        .ctx = &h, .start = on_start, .end = on_end, .text = on_text, .tree = on_tree};
    ErrCode rc = xml_parse_bytes(str_from_c(xml), a, &handler, err);
    *out = buf_str(&h.log);
    return rc;
}

#define TRANSITIONAL "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
#define STRICT       "http://purl.oclc.org/ooxml/wordprocessingml/main"
#define MC           "xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\""

TEST(names_follow_the_namespace)
{
    static const char *const same[] = {
        "<w:p xmlns:w=\"" TRANSITIONAL "\"><w:t w:val=\"1\">x</w:t></w:p>",
        "<p xmlns=\"" STRICT "\" xmlns:q=\"" STRICT "\"><t q:val=\"1\">x</t></p>",
    };
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Err err = {0};
    char want[64];
    snprintf(want, sizeof(want), "<%d><%d 1>x</%d></%d>", W_P, W_T, W_T, W_P);
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        Str got;
        assert_ok(hear(a, same[i], XML_OTHER, XML_TEXT, &got, &err), &err);
        assert_str_equal(got, want);
    }
    Str other;
    assert_ok(hear(a, "<p xmlns=\"urn:else\"/>", W_P, XML_TEXT, &other, &err), &err);
    assert_str_equal(other, "<0></0>");
}

TEST(takes_one_branch_of_alternate_content)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Err err = {0};
    Str got;
    assert_ok(
        hear(a,
             "<w:p xmlns:w=\"" TRANSITIONAL "\" " MC ">"
             "<mc:AlternateContent><mc:Choice>a<mc:AlternateContent><mc:Fallback>b</mc:Fallback>"
             "</mc:AlternateContent></mc:Choice><mc:Choice>c</mc:Choice>"
             "<mc:Fallback>d</mc:Fallback></mc:AlternateContent>e</w:p>",
             W_P, XML_TEXT, &got, &err),
        &err);
    char want[32];
    snprintf(want, sizeof(want), "<%d>'abe'", W_P);
    assert_str_equal(got, want);
}

TEST(trees_and_skips)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Err err = {0};
    Str got;
    size_t before = arena_used(a);
    assert_ok(hear(a,
                   "<w:body xmlns:w=\"" TRANSITIONAL "\"><w:del><w:p>gone</w:p></w:del>"
                   "<w:p>a<w:r><w:t>b</w:t></w:r>c</w:p></w:body>",
                   W_P, W_DEL, &got, &err),
              &err);
    char want[64];
    snprintf(want, sizeof(want), "<%d><%d>'a'(%d)(%d)'b''c'</%d>", W_BODY, W_P, W_R, W_T, W_BODY);
    assert_str_equal(got, want);
    assert_true(arena_used(a) - before < 4 * KIB); /* the tree's memory came back */
}

TEST(refuses_attacks_and_damage)
{
    static const struct {
        const char *why, *xml;
        ErrCode want;
    } cases[] = {
        {"a bomb", "<!DOCTYPE a [<!ENTITY b \"x\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>",
         ERR_LIMIT_RATIO},
        {"a file", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
         ERR_LIMIT_RATIO},
        {"a parameter", "<!DOCTYPE a [<!ENTITY % b \"x\"> %b;]><a/>", ERR_LIMIT_RATIO},
        {"not closed", "<a><b></a>", ERR_INPUT_DAMAGED},
        {"nothing", "", ERR_INPUT_DAMAGED},
        {"a plain doctype is fine", "<!DOCTYPE a PUBLIC \"x\" \"http://example.com/a.dtd\"><a/>",
         OK},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
        Err err = {0};
        Str got;
        ErrCode rc = hear(a, cases[i].xml, XML_OTHER, XML_TEXT, &got, &err);
        if (rc != cases[i].want)
            fail_msg("%s: %s (%s)", cases[i].why, err_reason(rc), err.text);
    }
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Buf deep = buf_init(a, 1 * MIB);
    for (int i = 0; i <= XML_DEPTH_MAX; i++)
        buf_add_c(&deep, "<a>");
    Err err = {0};
    Str got;
    assert_int_equal(hear(a, buf_c(&deep), XML_OTHER, XML_TEXT, &got, &err), ERR_LIMIT_DEPTH);
}

TEST(a_tree_that_does_not_fit_is_a_limit)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB), *small = arena_open(16 * KIB);
    Buf xml = buf_init(a, 1 * MIB);
    buf_add_c(&xml, "<w:p xmlns:w=\"" TRANSITIONAL "\">");
    for (int i = 0; i < 1000; i++)
        buf_add_c(&xml, "<w:r/>");
    buf_add_c(&xml, "</w:p>");
    Err err = {0};
    Heard h = {.log = buf_init(a, 1 * MIB), .tree = W_P};
    XmlHandler handler = {.ctx = &h, .start = on_start, .tree = on_tree};
    assert_int_equal(xml_parse_bytes(buf_str(&xml), small, &handler, &err), ERR_LIMIT_MEMORY);
}

TEST_MAIN(names_follow_the_namespace, takes_one_branch_of_alternate_content, trees_and_skips,
          refuses_attacks_and_damage, a_tree_that_does_not_fit_is_a_limit)
