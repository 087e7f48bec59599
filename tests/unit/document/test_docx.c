#include "unit/document/office.h"

#define W "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\""
#define NS                                                                                         \
    W " xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\" "          \
      "xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\" "                  \
      "xmlns:m=\"http://schemas.openxmlformats.org/officeDocument/2006/math\" "                    \
      "xmlns:wps=\"http://schemas.microsoft.com/office/word/2010/wordprocessingShape\" "           \
      "xmlns:v=\"urn:schemas-microsoft-com:vml\""
#define BODY(inside)        "<w:document " NS "><w:body>" inside "</w:body></w:document>"
#define RUN(text)           "<w:r><w:t>" text "</w:t></w:r>"
#define PARA(text)          "<w:p>" RUN(text) "</w:p>"
#define STYLED(style, text) "<w:p><w:pPr><w:pStyle w:val=\"" style "\"/></w:pPr>" RUN(text) "</w:p>"
#define LISTED(num, level, text)                                                                   \
    "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"" level "\"/><w:numId w:val=\"" num                      \
    "\"/></w:numPr></w:pPr>" RUN(text) "</w:p>"

static const char styles[] =
    "<w:styles " W ">"
    "<w:style w:styleId=\"berschrift1\"><w:name w:val=\"heading 1\"/></w:style>"
    "<w:style w:styleId=\"Mine\"><w:name w:val=\"My Title\"/><w:basedOn "
    "w:val=\"berschrift1\"/></w:style>"
    "<w:style w:styleId=\"Titre2\"><w:name w:val=\"Titre 2\"/></w:style>"
    "<w:style w:styleId=\"Out\"><w:name w:val=\"Out\"/><w:pPr><w:outlineLvl "
    "w:val=\"2\"/></w:pPr></w:style>"
    "<w:style w:styleId=\"Code\"><w:name w:val=\"Source Code\"/></w:style>"
    "<w:style w:styleId=\"Quote\"><w:name w:val=\"Quote\"/></w:style>"
    "<w:style w:styleId=\"Bullets\"><w:name w:val=\"List Bullet\"/><w:pPr><w:numPr><w:numId "
    "w:val=\"2\"/>"
    "</w:numPr></w:pPr></w:style>"
    "<w:style w:styleId=\"Strong\"><w:name w:val=\"Strong\"/><w:rPr><w:b/></w:rPr></w:style>"
    "</w:styles>";

static const char numbering[] =
    "<w:numbering " W "><w:abstractNum w:abstractNumId=\"0\">"
    "<w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"decimal\"/><w:lvlText "
    "w:val=\"%1.\"/></w:lvl>"
    "<w:lvl w:ilvl=\"1\"><w:start w:val=\"1\"/><w:numFmt w:val=\"lowerLetter\"/><w:lvlText "
    "w:val=\"%2)\"/></w:lvl>"
    "</w:abstractNum><w:abstractNum w:abstractNumId=\"1\">"
    "<w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"bullet\"/><w:lvlText "
    "w:val=\"o\"/></w:lvl>"
    "</w:abstractNum><w:abstractNum w:abstractNumId=\"2\">"
    "<w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"upperRoman\"/><w:lvlText "
    "w:val=\"%1.\"/></w:lvl>"
    "<w:lvl w:ilvl=\"1\"><w:start w:val=\"1\"/><w:numFmt w:val=\"decimal\"/><w:lvlText "
    "w:val=\"%1.%2\"/></w:lvl>"
    "</w:abstractNum>"
    "<w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num>"
    "<w:num w:numId=\"2\"><w:abstractNumId w:val=\"1\"/></w:num>"
    "<w:num w:numId=\"3\"><w:abstractNumId w:val=\"0\"/><w:lvlOverride "
    "w:ilvl=\"0\"><w:startOverride w:val=\"7\"/>"
    "</w:lvlOverride></w:num>"
    "<w:num w:numId=\"4\"><w:abstractNumId w:val=\"2\"/></w:num></w:numbering>";

static Str docx_of(Arena *a, const char *body)
{
    const TestPart parts[] = {
        {"_rels/.rels", OPC_RELS(OPC_REL("rId1", "officeDocument", "word/document.xml")
                                     OPC_REL("rId2", "extended-properties", "docProps/app.xml"))},
        {"word/document.xml", body},
        {"word/_rels/document.xml.rels",
         OPC_RELS(
             OPC_REL("s", "styles", "styles.xml") OPC_REL("n", "numbering", "/word/numbering.xml")
                 OPC_REL("f", "footnotes", "footnotes.xml") OPC_REL("c", "comments", "comments.xml")
                     OPC_LINK("link", "https://example.com/a?b=1"))},
        {"word/styles.xml", styles},
        {"word/numbering.xml", numbering},
        {"word/footnotes.xml", "<w:footnotes " W "><w:footnote w:id=\"-1\">" PARA(
                                   "separator") "</w:footnote>"
                                                "<w:footnote w:id=\"5\">" PARA("A note.")
                                                    PARA("Its end.") "</w:footnote></w:footnotes>"},
        {"word/comments.xml", "<w:comments " W "><w:comment w:id=\"0\" w:author=\"Ann\">" PARA(
                                  "Sure?") "</w:comment></w:comments>"},
        {"docProps/app.xml",
         "<Properties xmlns=\"http://schemas.openxmlformats.org/officeDocument/2006/"
         "extended-properties\"><Pages>3</Pages><Application>platen</Application></Properties>"},
        {0}};
    return test_zip(a, parts);
}

TEST(writes_what_word_shows)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {BODY(PARA("one") PARA("two")), "one\n\ntwo\n"},
        {BODY(STYLED("berschrift1", "A") STYLED("Mine", "B") STYLED("Titre2", "C")
                  STYLED("Out", "D")),
         "# A\n\n# B\n\n## C\n\n### D\n"},
        {BODY("<w:p><w:pPr><w:outlineLvl w:val=\"1\"/></w:pPr>" RUN("direct") "</w:p>"),
         "## direct\n"},
        {BODY(LISTED("1", "0", "a") LISTED("1", "1", "b") LISTED("1", "1", "c")
                  LISTED("1", "0", "d")),
         "1. a\n   1. b\n   2. c\n2. d\n"},
        {BODY(LISTED("1", "0", "a") PARA("between") LISTED("1", "0", "b") PARA("and")
                  LISTED("3", "0", "c")),
         "1. a\n\nbetween\n\n2. b\n\nand\n\n7. c\n"},
        {BODY(STYLED("Bullets", "x") STYLED("Bullets", "y")), "- x\n- y\n"},
        {BODY("<w:p><w:pPr><w:pStyle w:val=\"Titre2\"/><w:numPr><w:ilvl w:val=\"1\"/><w:numId "
              "w:val=\"4\"/></w:numPr>"
              "</w:pPr>" RUN("numbered") "</w:p>"),
         "## I.1 numbered\n"},
        {BODY("<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>bold</w:t></w:r>" RUN(
             " and ") "<w:r><w:rPr><w:i w:val=\"1\"/><w:b "
                      "w:val=\"0\"/></w:rPr><w:t>italic</w:t></w:r></w:p>"),
         "**bold** and *italic*\n"},
        {BODY("<w:p><w:r><w:rPr><w:rStyle w:val=\"Strong\"/></w:rPr><w:t>strong</w:t></w:r>"
              "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>"),
         "**strong**\n"},
        {BODY("<w:p>" RUN("kept") "<w:del>" RUN("gone") "</w:del><w:ins>" RUN(
             " new") "</w:ins><w:moveFrom>" RUN("moved") "</w:moveFrom></w:p>"),
         "kept new\n"},
        {BODY("<w:p><w:hyperlink r:id=\"link\">" RUN("here") "</w:hyperlink></w:p>"),
         "[here](https://example.com/a?b=1)\n"},
        {BODY("<w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText> HYPERLINK "
              "\"http://a.example\" "
              "</w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r>" RUN(
                  "field") "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>" RUN(" after") "</w:p>"),
         "[field](http://a.example) after\n"},
        {BODY("<w:p><w:fldSimple w:instr=\"PAGE\">" RUN("7") "</w:fldSimple></w:p>"), "7\n"},
        {BODY("<w:p>" RUN("a") "<w:r><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/"
                               "><w:t>d</w:t></w:r></w:p>"),
         "a b\\\nc\xE2\x80\x91"
         "d\n"},
        {BODY("<w:p><w:r><w:sym w:font=\"Symbol\" w:char=\"F061\"/><w:sym w:font=\"Wingdings\" "
              "w:char=\"F0FC\"/></w:r></w:p>"),
         "α✓\n"},
        {BODY(STYLED("Code", "int a;") STYLED("Code", "int b;") PARA("x")),
         "```\nint a;\nint b;\n```\n\nx\n"},
        {BODY(STYLED("Quote", "said")), "> said\n"},
        {BODY("<w:sdt><w:sdtPr><w:alias/></w:sdtPr><w:sdtContent>" PARA(
             "controlled") "</w:sdtContent></w:sdt>"),
         "controlled\n"},
        {BODY(
             "<w:p>" RUN("text") "<w:r><w:footnoteReference w:id=\"5\"/></w:r></w:p>" PARA("more")),
         "text[1]\n\nmore\n\n[1] A note.\\\nIts end.\n"},
        {BODY("<w:p>" RUN(
             "beside") "<w:r><mc:AlternateContent><mc:Choice Requires=\"wps\"><w:drawing><wps:txbx>"
                       "<w:txbxContent>" PARA(
                           "box") "</w:txbxContent></wps:txbx></w:drawing></"
                                  "mc:Choice><mc:Fallback><w:pict>"
                                  "<v:textbox><w:txbxContent>" PARA(
                                      "box again") "</w:txbxContent></v:textbox></w:pict></"
                                                   "mc:Fallback>"
                                                   "</mc:AlternateContent></w:r>" RUN(
                                                       " it") "</w:p>"),
         "beside it\n\nbox\n"},
        {BODY("<w:p><m:oMath><m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</"
              "m:t></m:r></m:den></m:f>"
              "</m:oMath></w:p>"),
         "(a+b)/2\n"},
        {BODY("<w:altChunk r:id=\"x\"/>" PARA("rest")), "rest\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
        check_markdown(read_docx, docx_of(a, cases[i].body), false, cases[i].want);
    }
}

#define CELL(more, text) "<w:tc><w:tcPr>" more "</w:tcPr>" PARA(text) "</w:tc>"

TEST(writes_tables)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_markdown(
        read_docx,
        docx_of(a, BODY("<w:tbl><w:tblPr/><w:tr>" CELL("", "a") CELL("", "b") "</w:tr><w:tr>" CELL(
                       "<w:gridSpan w:val=\"2\"/>",
                       "wide") "</w:tr><w:tr>" CELL("<w:vMerge w:val=\"restart\"/>", "c")
                            CELL("", "d") "</w:tr><w:tr>" CELL("<w:vMerge/>", "")
                                CELL("", "e") "</w:tr>"
                                              "<w:tr><w:trPr><w:del/></w:trPr>" CELL(
                                                  "", "gone") "</w:tr></w:tbl>" PARA("after"))),
        false, "| a | b |\n| --- | --- |\n| wide | wide |\n| c | d |\n| c | e |\n\nafter\n");
    check_markdown(
        read_docx,
        docx_of(a, BODY("<w:tbl><w:tr><w:tc>" PARA("outer") "<w:tbl><w:tr>" CELL("", "in") CELL(
                       "", "ner") "</w:tr></w:tbl></w:tc>" CELL("", "b") "</w:tr></w:tbl>")),
        false, "| outer<br>in ner | b |\n| --- | --- |\n");
}

TEST(comments_come_when_asked_for)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Str file = docx_of(a, BODY(PARA("text")));
    check_markdown(read_docx, file, false, "text\n");
    check_markdown(read_docx, file, true, "text\n\n[note] Ann: Sure?\n");
}

TEST(tracked_changes_come_with_the_comments)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Str file = docx_of(a, BODY("<w:p>" RUN("kept ") "<w:del><w:r><w:delText>gone</w:delText></w:r>"
                                                    "</w:del><w:ins>" RUN("new") "</w:ins></w:p>"));
    check_markdown(read_docx, file, false, "kept new\n");
    check_markdown(read_docx, file, true, "kept ~~gone~~new\n\n[note] Ann: Sure?\n");
}

TEST(fields_of_forms_have_values)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Sink s;
    sink_open(&s, "form.docx");
    Str file = docx_of(
        a, BODY("<w:sdt><w:sdtPr><w:alias w:val=\"Boat\"/><w:text/></w:sdtPr><w:sdtContent>" PARA(
               "Aurora") "</w:sdtContent></w:sdt>"
                         "<w:p>" RUN(
                             "Paid: ") "<w:sdt><w:sdtPr><w:tag w:val=\"paid\"/><w14:checkbox "
                                       "xmlns:w14=\"http://schemas.microsoft.com/office/word/2010/"
                                       "wordml\">"
                                       "<w14:checked "
                                       "w14:val=\"1\"/></w14:checkbox></w:sdtPr><w:sdtContent>" RUN(
                                           "x") "</w:sdtContent></w:sdt></w:p>"
                                                "<w:p><w:r><w:fldChar "
                                                "w:fldCharType=\"begin\"><w:ffData><w:name "
                                                "w:val=\"Berth\"/><w:textInput/></w:ffData></"
                                                "w:fldChar></w:r>"
                                                "<w:r><w:instrText>FORMTEXT</w:instrText></"
                                                "w:r><w:r><w:fldChar "
                                                "w:fldCharType=\"separate\"/></w:r>" RUN(
                                                    "14") "<w:r><w:fldChar "
                                                          "w:fldCharType=\"end\"/></w:r></w:p>"));
    assert_ok(test_read(&s, read_docx, file, DOC_TEXT, false), &s.err);
    const Json *fields = json_get(sink_data(&s), "form_fields");
    static const char *const want[][3] = {
        {"Boat", "text", "Aurora"}, {"paid", "checkbox", "true"}, {"Berth", "text", "14"}};
    size_t i = 0;
    json_each(f, fields) {
        assert_true(i < COUNT_OF(want));
        assert_str_equal(json_text(json_get(f, "name")), want[i][0]);
        assert_str_equal(json_text(json_get(f, "kind")), want[i][1]);
        assert_str_equal(json_text(json_get(f, "value")), want[i++][2]);
    }
    assert_int_equal(i, COUNT_OF(want));
    sink_close(&s);
}

TEST(counts_pages_and_keeps_metadata)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Sink s;
    sink_open(&s, "test.docx");
    Str file = docx_of(
        a, BODY(PARA("one") "<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>"
                            "<w:p><w:r><w:lastRenderedPageBreak/><w:t>two</w:t></w:r></w:p>"));
    assert_ok(test_read(&s, read_docx, file, DOC_JSON, false), &s.err);
    Str text = sink_text(&s);
    assert_true(str_find(text, STR("\"page\":2")) != STR_NONE);
    assert_true(str_find(text, STR("\"page\":3")) == STR_NONE); /* one break, said twice */
    const Json *data = sink_data(&s);
    assert_int_equal(json_int(json_get(data, "pages"), 0), 3);
    assert_str_equal(json_text(json_get(json_get(data, "metadata"), "generator")), "platen");
    sink_close(&s);
}

TEST(damage_is_a_result_or_a_reason)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_markdown(read_docx,
                   docx_of(a, "<w:document " NS "><w:body>" PARA("there") "<w:p><w:r><w:t>half"),
                   false, "there\n\nhalf\n");
    check_refused(read_docx, docx_of(a, "<w:document"), ERR_INPUT_DAMAGED);
    check_refused(read_docx, docx_of(a, "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>"),
                  ERR_LIMIT_RATIO);
    check_refused(read_docx, docx_of(a, BODY("")), ERR_NO_TEXT);
    check_refused(read_docx, test_zip(a, (TestPart[]){{"a.txt", "x"}, {0}}), ERR_INPUT_DAMAGED);
}

TEST(survives_every_failure)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_every_fault(read_docx, docx_of(a, BODY(STYLED("Titre2", "a") LISTED("1", "0", "b"))));
}

TEST_MAIN(writes_what_word_shows, writes_tables, comments_come_when_asked_for,
          tracked_changes_come_with_the_comments, fields_of_forms_have_values,
          counts_pages_and_keeps_metadata, damage_is_a_result_or_a_reason, survives_every_failure)
