#include "unit/document/office.h"

#define S             "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""
#define SHEET(inside) "<worksheet " S ">" inside "</worksheet>"
#define DATA(inside)  SHEET("<sheetData>" inside "</sheetData>")

static Str book_of(Arena *a, const char *sheet, const char *second)
{
    const TestPart parts[] = {
        {"_rels/.rels", OPC_RELS(OPC_REL("rId1", "officeDocument", "xl/workbook.xml"))},
        {"xl/workbook.xml",
         "<workbook " S
         " xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>"
         "<sheet name=\"Sums\" sheetId=\"1\" r:id=\"a\"/><sheet name=\"Secret\" sheetId=\"3\" "
         "state=\"hidden\" r:id=\"b\"/>"
         "<sheet name=\"Second\" sheetId=\"2\" r:id=\"b\"/></sheets></workbook>"},
        {"xl/_rels/workbook.xml.rels",
         OPC_RELS(OPC_REL("a", "worksheet", "worksheets/sheet1.xml")
                      OPC_REL("b", "worksheet", "/xl/worksheets/sheet2.xml")
                          OPC_REL("s", "sharedStrings", "sharedStrings.xml")
                              OPC_REL("f", "styles", "styles.xml"))},
        {"xl/sharedStrings.xml",
         "<sst " S "><si><t>Name</t></si><si><r><t>Rich </t></r><r><t>text</t></r>"
         "<rPh><t>ruby</t></rPh></si></sst>"},
        {"xl/styles.xml",
         "<styleSheet " S "><numFmts><numFmt numFmtId=\"164\" formatCode=\"0.00\"/></numFmts>"
         "<cellStyleXfs><xf numFmtId=\"9\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf "
         "numFmtId=\"14\"/>"
         "<xf numFmtId=\"164\"/><xf numFmtId=\"10\"/></cellXfs></styleSheet>"},
        {"xl/worksheets/sheet1.xml", sheet},
        {"xl/worksheets/sheet2.xml", second},
        {0}};
    return test_zip(a, parts);
}

TEST(writes_what_excel_shows)
{
    static const struct {
        const char *sheet, *want;
    } cases[] = {
        {DATA("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>"
              "<row r=\"2\"><c r=\"A2\"><v>5.0</v></c><c r=\"B2\" s=\"1\"><v>44197</v></c></row>"
              "<row r=\"3\"><c r=\"A3\" s=\"2\"><v>1.5</v></c><c r=\"B3\" "
              "s=\"3\"><v>0.5</v></c></row>"),
         "## Sums\n\n| Name | Rich text |\n| --- | --- |\n| 5 | 2021-01-01 |\n| 1.50 | 50.00% |\n"},
        {DATA("<row><c t=\"b\"><v>1</v></c><c t=\"e\"><v>#N/A</v></c><c "
              "t=\"str\"><f>A1</f><v>made</v></c></row>"
              "<row><c t=\"inlineStr\"><is><t>in</t><t>line</t></is></c><c><f>SUM(A1)</f></c><c "
              "t=\"d\"><v>2026-11-05T00:00:00</v>"
              "</c></row>"),
         "## Sums\n\n| TRUE | #N/A | made |\n| --- | --- | --- |\n| inline | =SUM(A1) | 2026-11-05 "
         "|\n"},
        {DATA("<row r=\"2\"><c r=\"C2\"><v>1</v></c><c r=\"E2\"><v>2</v></c></row><row r=\"3\"><c "
              "r=\"D3\"><v>3</v></c></row>"),
         "## Sums\n\n| 1 |  | 2 |\n| --- | --- | --- |\n|  | 3 |  |\n"},
        {DATA("<row r=\"1\"><c r=\"A1\" t=\"str\"><v>Title</v></c></row><row r=\"3\"><c "
              "r=\"A3\"><v>1</v></c><c r=\"B3\"><v>2</v>"
              "</c></row><row r=\"4\"><c r=\"A4\" t=\"str\"><v> </v></c></row><row r=\"6\"><c "
              "r=\"A6\"><v>3</v></c></row>"),
         "## Sums\n\nTitle\n\n| 1 | 2 |\n| --- | --- |\n\n3\n"},
        {DATA("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>99</v></c><c r=\"B1\"><v>x</v></c></row>"),
         "## Sums\n\nx\n"},
        {DATA("<row r=\"1\"><c r=\"B1\"><v>1</v></c><c r=\"C1\"><v>2</v></c></row>"
              "<row r=\"2\"><c r=\"B2\"><v>3</v></c><c r=\"F2\"><v>5</v></c><c "
              "r=\"G2\"><v>6</v></c></row>"
              "<row r=\"3\"><c r=\"C3\"><v>4</v></c><c r=\"F3\"><v>7</v></c></row>"),
         "## Sums\n\n| 1 | 2 |\n| --- | --- |\n| 3 |  |\n|  | 4 |\n\n| 5 | 6 |\n| --- | --- |\n| 7 "
         "|  |\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
        check_markdown(read_xlsx, book_of(a, cases[i].sheet, DATA("")), false, cases[i].want);
    }
}

#define CELL(ref, text) "<c r=\"" ref "\" t=\"str\"><v>" text "</v></c>"
#define ROW(no, cells)  "<row r=\"" no "\">" cells "</row>"
#define MERGES(list)    "<mergeCells>" list "</mergeCells>"
#define MERGE(range)    "<mergeCell ref=\"" range "\"/>"

TEST(merged_cells_are_spans)
{
    static const struct {
        const char *sheet, *want;
    } cases[] = {
        {SHEET("<sheetData>" ROW("1", CELL("A1", "k") CELL("B1", "head")) ROW(
             "2", CELL("A2", "") CELL("B2", "x") CELL("C2", "y"))
                   ROW("3", CELL("A3", "1") CELL("B3", "2") CELL("C3", "3")) "</sheetData>" MERGES(
                       MERGE("B1:C1") MERGE("A1:A2"))),
         "## Sums\n\n| k | head | head |\n| --- | --- | --- |\n| k | x | y |\n| 1 | 2 | 3 |\n"},
        /* row 2 is empty, but the merge reaches over it: one table */
        {SHEET("<sheetData>" ROW("1", CELL("A1", "a") CELL("B1", "b"))
                   ROW("3", CELL("A3", "1") CELL("B3", "2")) "</sheetData>" MERGES(
                       MERGE("A1:A2") MERGE("B1:B2"))),
         "## Sums\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"},
        /* what lies under a merge is not shown */
        {SHEET("<sheetData>" ROW("1", CELL("A1", "a") CELL("B1", "old") CELL("C1", "c"))
                   ROW("2", CELL("A2", "1") CELL("B2", "2")) "</sheetData>" MERGES(MERGE("A1:B1"))),
         "## Sums\n\n| a | a | c |\n| --- | --- | --- |\n| 1 | 2 |  |\n"},
        {SHEET("<sheetData>" ROW("1", CELL("A1", "a") CELL("B1", "b"))
                   ROW("2", CELL("A2", "1") CELL("B2", "2")) "</sheetData>" MERGES(
                       MERGE("Z9") MERGE(":") MERGE("B1:A1") MERGE("ZZZZ1:AAAAA99999999999"))),
         "## Sums\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
        check_markdown(read_xlsx, book_of(a, cases[i].sheet, DATA("")), false, cases[i].want);
    }
}

TEST(tables_that_meet_at_a_corner_are_two)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Str file = book_of(
        a,
        DATA(ROW("1", CELL("A1", "a") CELL("B1", "b")) ROW("2", CELL("A2", "1") CELL("B2", "2"))
                 ROW("3", CELL("A3", "3") CELL("B3", "4") CELL("D3", "c") CELL("E3", "d"))
                     ROW("4", CELL("D4", "5") CELL("E4", "6")) ROW("5", CELL("D5", "7"))),
        DATA(""));
    check_markdown(read_xlsx, file, false,
                   "## Sums\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n\n"
                   "| c | d |\n| --- | --- |\n| 5 | 6 |\n| 7 |  |\n");
}

#define XDR                                                                                        \
    "xmlns:xdr=\"http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing\" "           \
    "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" "                           \
    "xmlns:c=\"http://schemas.openxmlformats.org/drawingml/2006/chart\" "                          \
    "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\""
#define ANCHOR(row, inside)                                                                        \
    "<xdr:twoCellAnchor><xdr:from><xdr:row>" row "</xdr:row></xdr:from>" inside                    \
    "</xdr:twoCellAnchor>"
#define POINTS(a, b)                                                                               \
    "<c:ptCount val=\"2\"/><c:pt idx=\"0\"><c:v>" a "</c:v></c:pt><c:pt idx=\"1\"><c:v>" b         \
    "</c:v></c:pt>"

TEST(drawings_stand_where_they_are_anchored)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    const TestPart parts[] = {
        {"_rels/.rels", OPC_RELS(OPC_REL("rId1", "officeDocument", "xl/workbook.xml"))},
        {"xl/workbook.xml",
         "<workbook " S
         " xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>"
         "<sheet name=\"Sums\" sheetId=\"1\" r:id=\"a\"/></sheets></workbook>"},
        {"xl/_rels/workbook.xml.rels",
         OPC_RELS(OPC_REL("a", "worksheet", "worksheets/sheet1.xml"))},
        {"xl/worksheets/_rels/sheet1.xml.rels",
         OPC_RELS(OPC_REL("d", "drawing", "../drawings/drawing1.xml"))},
        {"xl/worksheets/sheet1.xml",
         DATA(ROW("1", CELL("A1", "a") CELL("B1", "b")) ROW("9", CELL("A9", "c") CELL("B9", "d")))},
        {"xl/drawings/_rels/drawing1.xml.rels",
         OPC_RELS(OPC_REL("c", "chart", "../charts/chart1.xml"))},
        {"xl/drawings/drawing1.xml",
         "<xdr:wsDr " XDR ">" ANCHOR(
             "20",
             "<xdr:sp><xdr:txBody><a:p><a:r><a:t>Last</a:t></a:r></a:p></xdr:txBody></xdr:sp>")
             ANCHOR("3",
                    "<xdr:graphicFrame><a:graphic><a:graphicData><c:chart "
                    "r:id=\"c\"/></a:graphicData></a:graphic></xdr:graphicFrame>") "</xdr:wsDr>"},
        {"xl/charts/chart1.xml",
         "<c:chartSpace " XDR
         "><c:chart><c:plotArea><c:barChart><c:ser><c:tx><c:strRef><c:strCache>"
         "<c:pt idx=\"0\"><c:v>Fish</c:v></c:pt></c:strCache></c:strRef></c:tx>"
         "<c:cat><c:strRef><c:strCache>" POINTS(
             "May", "June") "</c:strCache></c:strRef></c:cat>"
                            "<c:val><c:numRef><c:numCache>" POINTS(
                                "3",
                                "4") "</c:numCache></c:numRef></c:val>"
                                     "</c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"},
        {0}};
    check_markdown(
        read_xlsx, test_zip(a, parts), false,
        "## Sums\n\n| a | b |\n| --- | --- |\n\nBar chart\n\n|  | Fish |\n| --- | --- |\n"
        "| May | 3 |\n| June | 4 |\n\n| c | d |\n| --- | --- |\n\nLast\n");
}

TEST(sheets_are_pages_and_hidden_ones_are_not)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Sink s;
    sink_open(&s, "book.xlsx");
    Str file = book_of(a, DATA("<row><c><v>1</v></c></row>"), DATA("<row><c><v>2</v></c></row>"));
    assert_ok(test_read(&s, read_xlsx, file, DOC_MARKDOWN, false), &s.err);
    assert_str_equal(sink_text(&s), "## Sums\n\n1\n\n## Second\n\n2\n");
    assert_int_equal(s.notes, 1);
    assert_true(str_find(str_from_c(s.note), STR("Secret")) != STR_NONE);
    assert_int_equal(json_int(json_get(sink_data(&s), "pages"), 0), 2);
    sink_close(&s);
}

TEST(a_sheet_of_gaps_does_not_explode)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Buf b = buf_init(a, 16 * MIB);
    buf_add_c(&b, "<worksheet " S "><sheetData>");
    for (int row = 1; row <= 2000; row++)
        buf_addf(&b, "<row r=\"%d\"><c r=\"XFD%d\"><v>1</v></c></row>", row, row);
    buf_add_c(&b, "</sheetData></worksheet>");
    Sink s;
    sink_open(&s, "book.xlsx");
    assert_ok(test_read(&s, read_xlsx, book_of(a, DATA("<row><c><v>1</v></c></row>"), buf_c(&b)),
                        DOC_TEXT, false),
              &s.err);
    assert_true(sink_text(&s).len < 16 * MIB);
    sink_close(&s);
}

TEST(damage_is_a_result_or_a_reason)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_markdown(
        read_xlsx,
        book_of(a, "<worksheet " S "><sheetData><row><c><v>1</v></c></row><row><c>", DATA("")),
        false, "## Sums\n\n1\n");
    check_refused(read_xlsx, book_of(a, DATA(""), DATA("")), ERR_NO_TEXT);
    check_refused(read_xlsx, book_of(a, "<!DOCTYPE x [<!ENTITY a \"b\">]><x/>", DATA("")),
                  ERR_LIMIT_RATIO);
}

TEST(survives_every_failure)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_every_fault(read_xlsx, book_of(a, DATA("<row><c t=\"s\"><v>0</v></c></row>"), DATA("")));
}

TEST_MAIN(writes_what_excel_shows, merged_cells_are_spans, tables_that_meet_at_a_corner_are_two,
          drawings_stand_where_they_are_anchored, sheets_are_pages_and_hidden_ones_are_not,
          a_sheet_of_gaps_does_not_explode, damage_is_a_result_or_a_reason, survives_every_failure)
