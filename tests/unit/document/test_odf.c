#include "unit/document/office.h"

#define NS                                                                                         \
    "xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" "                           \
    "xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" "                               \
    "xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" "                             \
    "xmlns:style=\"urn:oasis:names:tc:opendocument:xmlns:style:1.0\" "                             \
    "xmlns:draw=\"urn:oasis:names:tc:opendocument:xmlns:drawing:1.0\" "                            \
    "xmlns:presentation=\"urn:oasis:names:tc:opendocument:xmlns:presentation:1.0\" "               \
    "xmlns:fo=\"urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0\" "                    \
    "xmlns:meta=\"urn:oasis:names:tc:opendocument:xmlns:meta:1.0\" "                               \
    "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:xlink=\"http://www.w3.org/1999/xlink\""
#define STYLES                                                                                     \
    "<office:automatic-styles>"                                                                    \
    "<style:style style:name=\"B\" style:family=\"text\"><style:text-properties "                  \
    "fo:font-weight=\"bold\"/></style:style>"                                                      \
    "<style:style style:name=\"P1\" style:family=\"paragraph\" "                                   \
    "style:parent-style-name=\"Preformatted_20_Text\"/>"                                           \
    "<style:style style:name=\"Preformatted_20_Text\" style:family=\"paragraph\"/>"                \
    "<style:style style:name=\"Title\" style:family=\"paragraph\"/>"                               \
    "<text:list-style style:name=\"L1\"><text:list-level-style-number text:level=\"1\" "           \
    "style:num-format=\"1\"/>"                                                                     \
    "<text:list-level-style-bullet text:level=\"2\"/></text:list-style></office:automatic-styles>"
#define DOC(kind, inside)                                                                          \
    "<office:document " NS ">" STYLES "<office:body><office:" kind ">" inside "</office:" kind     \
    "></office:body></office:document>"
#define TP(text)     "<text:p>" text "</text:p>"
#define ITEM(inside) "<text:list-item>" inside "</text:list-item>"

TEST(writes_what_the_office_shows)
{
    static const struct {
        const char *xml, *want;
    } cases[] = {
        {DOC("text", "<text:h text:outline-level=\"2\">Head</text:h>" TP(
                         "one <text:span text:style-name=\"B\">two</text:span>")),
         "## Head\n\none **two**\n"},
        {DOC("text",
             "<text:p text:style-name=\"Title\">T</text:p><text:p text:style-name=\"P1\">a</text:p>"
             "<text:p text:style-name=\"P1\">b</text:p>"),
         "# T\n\n```\na\nb\n```\n"},
        {DOC("text", "<text:list text:style-name=\"L1\">" ITEM(
                         TP("a") "<text:list>" ITEM(TP("b")) "</text:list>")
                         ITEM(TP("c") TP("d")) "</text:list>" TP(
                             "x") "<text:list text:style-name=\"L1\" "
                                  "text:continue-numbering=\"true\">" ITEM(TP("e")) "</text:list>"),
         "1. a\n   - b\n2. c\n\n   d\n\nx\n\n3. e\n"},
        {DOC("text", TP("a<text:s text:c=\"3\"/>b<text:tab/>c<text:line-break/>d")),
         "a b c\\\nd\n"},
        {DOC("text", TP("<text:a xlink:href=\"https://example.com/\">link</text:a>")),
         "[link](https://example.com/)\n"},
        {DOC("text", TP("x<text:note><text:note-citation>1</text:note-citation><text:note-body>" TP(
                         "below") "</text:note-body></text:note> y")),
         "x[1] y\n\n[1] below\n"},
        {DOC("text", "<text:tracked-changes><text:changed-region><text:deletion>" TP(
                         "gone") "</text:deletion></text:changed-region>"
                                 "</text:tracked-changes>" TP("kept")),
         "kept\n"},
        {DOC("text", "<table:table><table:table-row><table:table-cell "
                     "table:number-columns-spanned=\"2\">" TP(
                         "wide") "</"
                                 "table:table-cell><table:covered-"
                                 "table-cell/></"
                                 "table:table-row><table:table-row><"
                                 "table:table-cell>" TP("a") "</"
                                                             "table:table-cell><table:"
                                                             "table-cell>" TP("b") "</"
                                                                                   "table"
                                                                                   ":tabl"
                                                                                   "e-"
                                                                                   "cell>"
                                                                                   "</"
                                                                                   "table"
                                                                                   ":tabl"
                                                                                   "e-"
                                                                                   "row><"
                                                                                   "/tabl"
                                                                                   "e:"
                                                                                   "table"
                                                                                   ">"),
         "| wide | wide |\n| --- | --- |\n| a | b |\n"},
        {DOC("text", TP("by<draw:frame><draw:text-box>" TP("box") "</draw:text-box></draw:frame>")),
         "by\n\nbox\n"},
        {DOC("spreadsheet",
             "<table:table table:name=\"One\"><table:table-row "
             "table:number-rows-repeated=\"1000000\"><table:table-cell/></table:table-row>"
             "<table:table-row><table:table-cell table:number-columns-repeated=\"2\">" TP(
                 "x") "</table:table-cell>"
                      "<table:table-cell office:value=\"5\"/><table:table-cell "
                      "table:number-columns-repeated=\"16000\"/></table:table-row>"
                      "<table:table-row table:number-rows-repeated=\"2\"><table:table-cell>" TP(
                          "y") "</table:table-cell></table:table-row>"
                               "</table:table><table:table table:name=\"Empty\"/>"),
         "## One\n\n| x | x | 5 |\n| --- | --- | --- |\n| y |  |  |\n| y |  |  |\n"},
        {DOC("presentation",
             "<draw:page><draw:frame><draw:text-box>" TP(
                 "body") "</draw:text-box></draw:frame>"
                         "<draw:frame presentation:class=\"title\"><draw:text-box>" TP(
                             "Title") "</draw:text-box></draw:frame>"
                                      "<presentation:notes><draw:frame "
                                      "presentation:class=\"notes\"><draw:text-box>" TP(
                                          "note") "</draw:text-box></draw:frame>"
                                                  "</presentation:notes></draw:page>"),
         "## Title\n\nbody\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_markdown(read_odf, str_from_c(cases[i].xml), false, cases[i].want);
}

TEST(zipped_files_have_metadata_and_may_be_encrypted)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    TestPart parts[] = {
        {"content.xml", DOC("text", TP("text"))},
        {"meta.xml",
         "<office:document-meta " NS
         "><office:meta><dc:creator>Last</dc:creator><dc:title>Name</dc:title>"
         "<meta:initial-creator>First</meta:initial-creator></office:meta></office:document-meta>"},
        {"META-INF/manifest.xml",
         "<m:manifest xmlns:m=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>"},
        {0}};
    Sink s;
    sink_open(&s, "letter.odt");
    assert_ok(test_read(&s, read_odf, test_zip(a, parts), DOC_MARKDOWN, false), &s.err);
    const Json *meta = json_get(sink_data(&s), "metadata");
    assert_str_equal(json_text(json_get(meta, "title")), "Name");
    assert_str_equal(json_text(json_get(meta, "author")), "First");
    sink_close(&s);
    parts[2].text =
        "<m:manifest xmlns:m=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"><m:file-entry>"
        "<m:encryption-data/></m:file-entry></m:manifest>";
    check_refused(read_odf, test_zip(a, parts), ERR_INPUT_ENCRYPTED);
}

TEST(comments_and_speaker_notes_come_when_asked_for)
{
    check_markdown(read_odf,
                   STR(DOC("text", TP("a<office:annotation><dc:creator>Ann</dc:creator>" TP(
                                       "why?") "</office:annotation>b"))),
                   true, "ab\n\n[note] Ann:\\\nwhy?\n");
}

TEST(repeats_are_bounded)
{
    Sink s;
    sink_open(&s, "bomb.ods");
    Str bomb = STR(DOC(
        "spreadsheet",
        "<table:table table:name=\"x\"><table:table-row table:number-rows-repeated=\"999999999\">"
        "<table:table-cell table:number-columns-repeated=\"999999999\">" TP(
            "X") "</table:table-cell></table:table-row></table:table>"));
    assert_ok(test_read(&s, read_odf, bomb, DOC_TEXT, false), &s.err);
    assert_true(sink_text(&s).len < 2 * MIB);
    sink_close(&s);
}

TEST(survives_every_failure)
{
    check_every_fault(read_odf,
                      STR(DOC("text", "<text:h text:outline-level=\"1\">a</text:h>" TP("b"))));
}

TEST_MAIN(writes_what_the_office_shows, zipped_files_have_metadata_and_may_be_encrypted,
          comments_and_speaker_notes_come_when_asked_for, repeats_are_bounded,
          survives_every_failure)
