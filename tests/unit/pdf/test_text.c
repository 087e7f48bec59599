/* What the engine reads and writes by itself: lists of pages, names, dates, XMP, pixels. */
#include "pdf/pdf.h"
#include "harness.h"

static Arena *arena;

static const char *joined(const PageList *list)
{
    Buf b = buf_init(arena, 4096);
    for (size_t i = 0; i < list->len; i++)
        buf_addf(&b, "%s%" PRId64, i > 0 ? " " : "", list->pages[i]);
    return buf_c(&b);
}

TEST(pages_as_people_write_them)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } cases[] = {
        {"", "1 2 3 4 5"}, {"all", "1 2 3 4 5"}, {"3", "3"},
        {"1-3", "1 2 3"},  {" 2 - 4 ", "2 3 4"}, {"4-", "4 5"},
        {"-2", "1 2"},     {"5-3", "5 4 3"},     {"odd", "1 3 5"},
        {"even", "2 4"},   {"last", "5"},        {"2-last", "2 3 4 5"},
        {"r2", "4"},       {"1,1,2", "1 1 2"},   {"1-2,last", "1 2 5"},
        {"0", NULL},       {"6", NULL},          {"1-6", NULL},
        {"x", NULL},       {"1--2", NULL},       {",", NULL},
        {"-", NULL},       {"1;2", NULL},        {"99999999999999999999", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        PageList list;
        Err err = {0};
        ErrCode rc = pagelist_parse(arena, str_from_c(cases[i].text), 5, "pages", &list, &err);
        if (cases[i].want == NULL) {
            if (rc != ERR_BAD_PARAM || strcmp(err.param, "pages") != 0)
                fail_msg("\"%s\": %s %s", cases[i].text, err_reason(rc), err.param);
        } else {
            assert_ok(rc, &err);
            assert_string_equal(joined(&list), cases[i].want);
        }
    }
}

TEST(a_list_of_pages_has_an_end)
{
    Buf b = buf_init(arena, 64 * KIB);
    PageList list;
    Err err = {0};
    for (int i = 0; i < 200; i++)
        buf_add_c(&b, i == 0 ? "1-1000" : ",1-1000");
    assert_int_equal(pagelist_parse(arena, buf_str(&b), 1000, "pages", &list, &err),
                     ERR_LIMIT_COUNT);
}

TEST(names_of_results)
{
    assert_str_equal(pagelist_name(arena, STR("a/b/report.pdf"), "-001"), "report-001.pdf");
    assert_str_equal(pagelist_name(arena, STR("C:\\x\\R.PDF"), "-small"), "R-small.pdf");
    assert_str_equal(pagelist_name(arena, STR(""), "-x"), "document-x.pdf");
    assert_str_equal(pagelist_name(arena, STR(".pdf"), ""), ".pdf.pdf");
}

TEST(dates_both_ways)
{
    static const struct {
        const char *pdf, *iso;
    } cases[] = {
        {"D:20260131120000Z", "2026-01-31T12:00:00Z"},
        {"D:20260131120000+01'00'", "2026-01-31T12:00:00+01:00"},
        {"D:20260131120000-0330", "2026-01-31T12:00:00-03:30"},
        {"D:2026", "2026-01-01T00:00:00"},
        {"20260131", "2026-01-31T00:00:00"},
        {"D:20261331", ""},
        {"yesterday", ""},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str_equal(pdf_date_to_iso(arena, str_from_c(cases[i].pdf)), cases[i].iso);
    assert_str_equal(pdf_date_from_iso(arena, STR("2026-01-31T12:00:00+01:00")),
                     "D:20260131120000+01'00'");
    assert_str_equal(pdf_date_from_iso(arena, STR("2026-01-31")), "D:20260131000000");
    assert_str_equal(pdf_date_from_iso(arena, STR("2026-01-31T12:00:00.123Z")),
                     "D:20260131120000Z");
    assert_str_equal(pdf_date_from_iso(arena, STR("soon")), "");
}

static bool holds(Str text, const char *part)
{
    return str_find(text, str_from_c(part)) != STR_NONE;
}

TEST(xmp_says_the_same_and_keeps_the_rest)
{
    static const char old[] =
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
        "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' "
        "xmlns:a='http://www.aiim.org/pdfa/ns/id/' xmlns:dc='http://purl.org/dc/elements/1.1/' "
        "xmlns:own='http://example.org/own' a:part='2'><a:conformance>B</a:conformance>"
        "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Old</rdf:li></rdf:Alt></dc:title>"
        "<own:ship note='x'>Emma</own:ship></rdf:Description></rdf:RDF></x:xmpmeta>";
    PdfInfo info = {.title = STR("Tides & <tables>"),
                    .author = STR("Ida"),
                    .keywords = STR("one, two"),
                    .created = STR("2026-01-31T12:00:00Z")};
    Str out, again;
    Err err = {0};
    assert_ok(xmp_write(arena, str_from_c(old), &info, &out, &err), &err);
    assert_true(holds(out, "Tides &amp; &lt;tables&gt;") && !holds(out, ">Old<"));
    assert_true(holds(out, "<rdf:li>one</rdf:li><rdf:li>two</rdf:li>"));
    assert_true(holds(out, "<a:conformance>B</a:conformance>") && holds(out, "a:part=\"2\""));
    assert_true(holds(out, "<own:ship note='x'>Emma</own:ship>"));
    assert_true(holds(out, "<xmp:CreateDate>2026-01-31T12:00:00Z"));
    /* its own packet is read again, and nothing is doubled */
    assert_ok(xmp_write(arena, out, &info, &again, &err), &err);
    assert_true(str_eq(out, again));
}

TEST(xmp_that_cannot_be_read_is_replaced)
{
    static const char *const bad[] = {"<x", "<!DOCTYPE a [<!ENTITY b 'c'>]><x/>", "\xff\xfe<\0x",
                                      ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        Str out;
        Err err = {0};
        assert_ok(xmp_write(arena, str_from_c(bad[i]), &(PdfInfo){.title = STR("T")}, &out, &err),
                  &err);
        assert_true(holds(out, ">T</rdf:li>") && !holds(out, "DOCTYPE"));
    }
}

TEST(scaling_keeps_the_mean)
{
    uint8_t pixels[64 * 48 * 3];
    Picture in = {pixels, 64, 48, 3};
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7 % 251);
    for (int64_t w = 1; w <= 64; w += 9) {
        Picture out = picture_scale(arena, &in, w, 1 + w / 2);
        double sum_in = 0, sum_out = 0;
        assert_non_null(out.pixels);
        for (size_t i = 0; i < sizeof pixels; i++)
            sum_in += pixels[i];
        for (int64_t i = 0; i < out.width * out.height * 3; i++)
            sum_out += out.pixels[i];
        assert_true(sum_out / (double)(out.width * out.height * 3) - sum_in / sizeof pixels < 1.0);
        assert_true(sum_in / sizeof pixels - sum_out / (double)(out.width * out.height * 3) < 1.0);
    }
}

TEST(jpeg_there_and_its_head_back)
{
    uint8_t pixels[40 * 30 * 3] = {0};
    Str jpeg;
    int64_t w, h;
    int components;
    bool inverted;
    assert_true(picture_to_jpeg(arena, &(Picture){pixels, 40, 30, 3}, 75, &jpeg));
    assert_true(picture_jpeg_size(jpeg, &w, &h, &components, &inverted));
    assert_int_equal(w, 40);
    assert_int_equal(h, 30);
    assert_int_equal(components, 3);
    for (size_t cut = 0; cut < jpeg.len; cut++) /* any beginning is a size or none */
        (void)picture_jpeg_size(str_slice(jpeg, 0, cut), &w, &h, &components, &inverted);
    assert_false(picture_jpeg_size(STR("GIF89a"), &w, &h, &components, &inverted));
}

static int begin(void **state)
{
    (void)state;
    arena = arena_open(256 * MIB);
    return arena == NULL;
}

static int end(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_ENTRY(pages_as_people_write_them),
                                       TEST_ENTRY(a_list_of_pages_has_an_end),
                                       TEST_ENTRY(names_of_results),
                                       TEST_ENTRY(dates_both_ways),
                                       TEST_ENTRY(xmp_says_the_same_and_keeps_the_rest),
                                       TEST_ENTRY(xmp_that_cannot_be_read_is_replaced),
                                       TEST_ENTRY(scaling_keeps_the_mean),
                                       TEST_ENTRY(jpeg_there_and_its_head_back)};
    return cmocka_run_group_tests(tests, begin, end);
}
