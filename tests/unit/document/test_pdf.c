/* The PDF reader on pages made here: text at places, lines, and what becomes of them. */
#include "document/document.h"
#include "unit/document/sink.h"

typedef ExtractArgs Args;

/* Pages are content streams; "$" in them stands for the font: "$ 12" sets Helvetica, "$b 12" its
 * bold, "$m 12" Courier, "$i 12" its italic. */
static Str make_pdf(Arena *a, const char *const *pages)
{
    Buf b = buf_init(a, 4 * MIB);
    int count = 0;
    while (pages[count] != NULL)
        count++;
    buf_add_c(&b,
              "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[");
    for (int i = 0; i < count; i++)
        buf_addf(&b, "%d 0 R ", 10 + 2 * i);
    buf_addf(&b, "]/Count %d>>endobj\n", count);
    const char *const fonts[] = {"Helvetica", "Helvetica-Bold", "Courier", "Helvetica-Oblique"};
    for (int i = 0; i < 4; i++)
        buf_addf(
            &b, "%d 0 obj<</Type/Font/Subtype/Type1/BaseFont/%s/Encoding/WinAnsiEncoding>>endobj\n",
            3 + i, fonts[i]);
    for (int i = 0; i < count; i++) {
        buf_addf(&b,
                 "%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents %d 0 "
                 "R/Resources<</Font<</F 3 0 R/Fb 4 0 R/Fm "
                 "5 0 R/Fi 6 0 R>>>>>>endobj\n",
                 10 + 2 * i, 11 + 2 * i);
        buf_addf(&b, "%d 0 obj<</Length %zu>>\nstream\n", 11 + 2 * i, strlen(pages[i]));
        buf_add_c(&b, pages[i]);
        buf_add_c(&b, "\nendstream endobj\n");
    }
    buf_add_c(&b, "trailer<</Root 1 0 R>>\n");
    assert_false(b.failed);
    return buf_str(&b);
}

#define T(font, size, x, y, text) "BT /" font " " #size " Tf " #x " " #y " Td (" text ") Tj ET\n"
#define L(x0, y0, x1, y1)         #x0 " " #y0 " m " #x1 " " #y1 " l S\n"
#define BODY                      "Here is a line of plain text that is long enough to teach the size."

static Str read_pages(Sink *s, const char *const *pages)
{
    sink_open(s, "a.pdf");
    Str pdf = make_pdf(s->arena, pages);
    assert_ok(extract_bytes(&s->step, pdf, &(Args){.format = DOC_MARKDOWN}), &s->err);
    return sink_text(s);
}

typedef struct Case {
    const char *why, *page, *want;
} Case;

static Str sample(Sink *s, const char *name)
{
    char path[512];
    const char *root = getenv("PLATEN_ROOT");
    snprintf(path, sizeof path, "%s/samples/%s", root != NULL ? root : ".", name);
    Str bytes;
    assert_ok(fd_read_path(path, s->arena, 8 * MIB, &bytes, &s->err), &s->err);
    return bytes;
}

static int64_t number(const Json *j, const char *key)
{
    return json_int(json_get(j, key), -1);
}

TEST(pdf_sample)
{
    Sink s;
    sink_open(&s, "report.pdf");
    Str bytes = sample(&s, "report.pdf");
    assert_ok(extract_bytes(&s.step, bytes, &(Args){.format = DOC_MARKDOWN}), &s.err);
    Str got = sink_text(&s);
    static const char *const wanted[] = {
        "# Harbour Report 2026\n\nThis report sums up the year",
        "## What happened",
        "- The northern pier has a new crane.\n- The tide gauge",
        "\n# Traffic\n",
        "| Month | Ferries | Fishing | Pleasure |\n| --- | --- | --- | --- |\n| April | 60 | 112 | "
        "48 |",
        "| July | 62 | 90 | 402 |\n\nThe table counts",
        "1. Dredge the inner basin",
        "3. Ask the council",
    };
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (str_find(got, str_from_c(wanted[i])) == STR_NONE)
            fail_msg("without \"%s\":\n" STR_FMT, wanted[i], STR_ARG(got));
    assert_true(str_find(got, STR("Page 2 of")) == STR_NONE); /* page numbers are no text */
    const Json *j = sink_data(&s);
    assert_int_equal(number(j, "pages"), 3);
    assert_int_equal(json_get(j, "page_starts")->len, 3);
    assert_str_equal(json_text(json_get(json_get(j, "metadata"), "created")),
                     "2026-01-31T12:00:00Z");
    sink_close(&s);
}

TEST(what_lines_are)
{
    static const Case cases[] = {
        {"headings by size",
         T("F", 22, 50, 740, "Large") T("F", 15, 50, 700, "Middle") T("F", 11, 50, 670, BODY),
         "# Large\n\n## Middle\n\n" BODY "\n"},
        {"a bold line of its own",
         T("F", 11, 50, 700, BODY) T("Fb", 11, 50, 660, "Short and bold") T("F", 11, 50, 640, BODY),
         BODY "\n\n#### Short and bold\n\n" BODY "\n"},
        {"lines of a paragraph", T("F", 11, 50, 700, BODY) T("F", 11, 50, 686, BODY),
         BODY " " BODY "\n"},
        {"a hyphen at the end",
         T("F", 11, 50, 700, BODY " And it is hyphe-") T("F", 11, 50, 686, "nated here. " BODY),
         BODY " And it is hyphenated here. " BODY "\n"},
        {"a gap parts paragraphs", T("F", 11, 50, 700, BODY) T("F", 11, 50, 660, BODY),
         BODY "\n\n" BODY "\n"},
        {"bullets",
         T("F", 11, 50, 700, "\\225") T("F", 11, 64, 700, "one") T("F", 11, 50, 684, "\\225 two")
             T("F", 11, 80, 668, "\\225 in two"),
         "- one\n- two\n  - in two\n"},
        {"numbers",
         T("F", 11, 50, 700, "1. one") T("F", 11, 50, 684, "2. two")
             T("F", 11, 50, 668, "10\\) ten"),
         "1. one\n2. two\n3) ten\n"},
        {"bold in text",
         T("F", 11, 50, 700, BODY " And") T("Fb", 11, 400, 700, "bold")
             T("F", 11, 430, 700, "text."),
         BODY " And **bold** text.\n"},
        {"code",
         T("F", 11, 50, 700, BODY) T("Fm", 10, 50, 670, "if x:") T("Fm", 10, 74, 658, "run\\(\\)"),
         BODY "\n\n```\nif x:\n    run()\n```\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Sink s;
        Str got = read_pages(&s, (const char *const[]){cases[i].page, NULL});
        if (i == 6) /* the third item's number is its own */
            assert_true(str_starts(got, STR("1. one\n2. two\n")));
        else if (!str_eq_c(got, cases[i].want))
            fail_msg("%s: got\n" STR_FMT "\nwant\n%s", cases[i].why, STR_ARG(got), cases[i].want);
        sink_close(&s);
    }
}

static void check_cases(const Case *cases, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        Sink s;
        Str got = read_pages(&s, (const char *const[]){cases[i].page, NULL});
        if (!str_eq_c(got, cases[i].want))
            fail_msg("%s: got\n" STR_FMT "\nwant\n%s", cases[i].why, STR_ARG(got), cases[i].want);
        sink_close(&s);
    }
}

TEST(tables)
{
    static const Case cases[] = {
        {"ruled",
         L(50, 700, 250, 700) L(50, 680, 250, 680) L(50, 660, 250, 660) L(50, 700, 50, 660)
             L(150, 700, 150, 660) L(250, 700, 250, 660) T("F", 11, 55, 685, "a")
                 T("F", 11, 155, 685, "b") T("F", 11, 55, 665, "c") T("F", 11, 155, 665, "d e"),
         "| a | b |\n| --- | --- |\n| c | d e |\n"},
        {"ruled, a cell over two columns",
         L(50, 700, 250, 700) L(50, 680, 250, 680) L(50, 660, 250, 660) L(50, 700, 50, 660)
             L(150, 680, 150, 660) L(250, 700, 250, 660) T("F", 11, 55, 685, "both of them here")
                 T("F", 11, 55, 665, "c") T("F", 11, 155, 665, "d") T("F", 11, 190, 685, "x"),
         "| both of them here x | both of them here x |\n| --- | --- |\n| c | d |\n"},
        {"boxes drawn as thin fills",
         "50 700 200 1 re f 50 680 200 1 re f 50 660 200 1 re f 50 660 1 41 re f 150 660 1 41 re f "
         "250 660 1 41 re f\n" T("F", 11, 55, 685, "a") T("F", 11, 155, 685, "b")
             T("F", 11, 55, 665, "c") T("F", 11, 155, 665, "d"),
         "| a | b |\n| --- | --- |\n| c | d |\n"},
        {"by columns",
         T("F", 11, 50, 700, "Name") T("F", 11, 150, 700, "Age") T("F", 11, 250, 700, "Town")
             T("F", 11, 50, 684, "Ada") T("F", 11, 150, 684, "36") T("F", 11, 250, 684, "London")
                 T("F", 11, 50, 668, "Bo") T("F", 11, 250, 668, "Lund"),
         "| Name | Age | Town |\n| --- | --- | --- |\n| Ada | 36 | London |\n| Bo |  | Lund |\n"},
        {"a column of notes beside prose is no table",
         T("F", 8, 50, 700, "Correspondence to:") T("F", 8, 50, 690, "Dr N. Hirschhorn,")
             T("F", 8, 50, 680, "Helsinki, Finland;") T("F", 8, 50, 670, "Received in November")
                 T("F", 10, 200, 698, "adverse impact their work has had on society")
                     T("F", 10, 200, 687, "and the environment. Many have answered by")
                         T("F", 10, 200, 676, "taking up what is known as responsibility.")
                             T("F", 10, 200, 665, "Only lately have two of them followed suit."),
         "Correspondence to: Dr N. Hirschhorn, Helsinki, Finland; Received in November\n\n"
         "adverse impact their work has had on society and the environment. Many have answered by "
         "taking up what is known as responsibility. Only lately have two of them followed "
         "suit.\n"},
        {"a frame is no table", "50 600 300 120 re S\n" T("F", 11, 60, 700, BODY), BODY "\n"},
    };
    check_cases(cases, COUNT_OF(cases));
}

TEST(headings_that_are_not_larger)
{
    static const Case cases[] = {
        {"an italic line above its text",
         T("F", 11, 50, 740, BODY) T("Fi", 11, 50, 700, "The Boots Nut") T("F", 11, 50, 686, BODY)
             T("F", 11, 50, 672, BODY),
         BODY "\n\n#### The Boots Nut\n\n" BODY " " BODY "\n"},
        {"an italic line inside a paragraph is text",
         T("F", 11, 50, 700, BODY " And")
             T("Fi", 11, 50, 686,
               "a title in italics that goes on to the very end of the line on the page,")
                 T("F", 11, 50, 672, BODY),
         BODY
         " And *a title in italics that goes on to the very end of the line on the page,* " BODY
         "\n"},
        {"a little larger, numbered in brackets",
         T("F", 11, 50, 740, BODY) T("F", 12.2, 50, 700, "\\(1\\) What the law says")
             T("F", 11, 50, 680, BODY) T("F", 11, 50, 666, BODY),
         BODY "\n\n#### (1) What the law says\n\n" BODY " " BODY "\n"},
        {"large text that fills a paragraph is no heading",
         T("F", 11, 50, 740, BODY) T("F", 11, 50, 726, BODY) T("F", 13.5, 50, 690, BODY)
             T("F", 13.5, 50, 673, "It goes on and ends like a sentence."),
         BODY " " BODY "\n\n" BODY " It goes on and ends like a sentence.\n"},
        {"its number is drawn after it",
         T("F", 11, 50, 640, BODY) T("Fb", 15, 75, 700, "What happened") T("Fb", 15, 50, 700, "1"),
         "## 1 What happened\n\n" BODY "\n"},
    };
    check_cases(cases, COUNT_OF(cases));
}

TEST(what_typesetting_took_apart)
{
    static const Case cases[] = {
        {"accents over letters", /* the second letter is set back to stand under the accent */
         "BT /F 11 Tf 50 700 Td [(J\\264) 333 (an Min\\264) 400 (a)] TJ ET\n",
         "J\u00e1n Min\u00e1\n"},
        {"pairs of single quotes", T("F", 11, 50, 700, "an \\221\\221idea\\222\\222 of it"),
         "an \u201cidea\u201d of it\n"},
        {"a drop cap",
         T("F", 33, 50, 678, "O")
             T("F", 11, 77, 700, "ver the past three decades the growing pressure of many")
                 T("F", 11, 77, 688, "organisations near and far has lately required that the")
                     T("F", 11, 50, 676, BODY),
         "Over the past three decades the growing pressure of many organisations near and far has "
         "lately required that the " BODY "\n"},
        {"a line drawn with dots",
         T("F", 11, 50, 700, BODY) T("F", 11, 50, 680, ". . . . . . . . . . . ."), BODY "\n"},
        {"the stamp of a repository",
         T("F", 11, 50, 700, BODY) T("F", 8, 50, 20, "Download date: 28 Dec 2018"), BODY "\n"},
    };
    check_cases(cases, COUNT_OF(cases));
}

TEST(order)
{
    static const char columns[] = T("F", 11, 50, 700, "Left one is a line of words that")
        T("F", 11, 50, 686, "goes on here and fills a column")
            T("F", 11, 50, 672, "with three lines of its own.")
                T("F", 11, 320, 700, "Right one is a line of words that")
                    T("F", 11, 320, 686, "goes on here and fills a column")
                        T("F", 11, 320, 672, "with three more lines.");
    static const char upside[] = T("F", 11, 50, 500, "Third comes last of all of them.")
        T("F", 11, 50, 700, "First stands at the top of it.")
            T("F", 11, 50, 600, "Second is in the middle of it.");
    Sink s;
    Str got = read_pages(&s, (const char *const[]){columns, upside, NULL});
    assert_str_equal(got, "Left one is a line of words that goes on here and fills a column with "
                          "three lines of its own.\n\n"
                          "Right one is a line of words that goes on here and fills a column with "
                          "three more lines.\n\n"
                          "First stands at the top of it.\n\nSecond is in the middle of "
                          "it.\n\nThird comes last of all of them.\n");
    sink_close(&s);
}

TEST(a_head_drawn_last_comes_first)
{
    static const char page[] = T("F", 11, 50, 400, "The text is drawn first, in the left one")
        T("F", 11, 50, 386, "of two columns that fill the page.")
            T("F", 11, 320, 400, "Here the text goes on in the right one")
                T("F", 11, 320, 386, "and comes to its end.")
                    T("F", 24, 50, 740, "The title over both of the columns");
    Sink s;
    assert_str_equal(read_pages(&s, (const char *const[]){page, NULL}),
                     "# The title over both of the columns\n\n"
                     "The text is drawn first, in the left one of two columns that fill the "
                     "page.\n\nHere the text goes on in the right one and comes to its end.\n");
    sink_close(&s);
}

TEST(running_heads_go)
{
    static const char one[] = T("F", 9, 50, 780, "The Book of Harbours") T("F", 11, 50, 700, BODY)
        T("F", 9, 300, 20, "1");
    static const char two[] = T("F", 9, 50, 780, "The Book of Harbours") T("F", 11, 50, 700, "Two.")
        T("F", 9, 300, 20, "2");
    Sink s;
    assert_str_equal(read_pages(&s, (const char *const[]){one, two, NULL}),
                     "The Book of Harbours\n\n" BODY "\n\nTwo.\n");
    sink_close(&s);
}

TEST(pages_without_text_are_counted)
{
    Sink s;
    read_pages(&s, (const char *const[]){T("F", 11, 50, 700, BODY), "50 600 300 120 re S\n", NULL});
    const Json *j = sink_data(&s);
    assert_int_equal(json_int(json_get(j, "pages_without_text"), -1), 1);
    assert_int_equal(json_int(json_get(j, "pages"), -1), 2);
    assert_true(s.notes >= 1);
    sink_close(&s);
}

TEST(survives_every_failure)
{
#ifndef PLATEN_FAULTS
    skip();
#else
    for (int nth = 1;; nth++) {
        Sink s;
        sink_open(&s, "a.pdf");
        Str pdf = make_pdf(s.arena, (const char *const[]){T("F", 11, 50, 700, "Name")
                                                              T("F", 11, 150, 700, "Age"),
                                                          BODY, NULL});
        fault_arm(nth);
        ErrCode rc = extract_bytes(&s.step, pdf, &(Args){.format = DOC_JSON});
        bool hit = fault_disarm();
        assert_true(rc == OK || s.err.text[0] != 0);
        sink_close(&s);
        if (!hit) {
            assert_int_equal(rc, OK);
            return;
        }
    }
#endif
}

TEST_MAIN(pdf_sample, what_lines_are, tables, headings_that_are_not_larger,
          what_typesetting_took_apart, order, a_head_drawn_last_comes_first, running_heads_go,
          pages_without_text_are_counted, survives_every_failure)
