#include "unit/document/office.h"

#define NS                                                                                         \
    "xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\" "                      \
    "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" "                           \
    "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\""
#define SLIDE(inside) "<p:sld " NS "><p:cSld><p:spTree>" inside "</p:spTree></p:cSld></p:sld>"
#define AP(text)      "<a:p><a:r><a:t>" text "</a:t></a:r></a:p>"
#define SHAPE(ph, x, y, paragraphs)                                                                \
    "<p:sp><p:nvSpPr><p:nvPr>" ph "</p:nvPr></p:nvSpPr><p:spPr><a:xfrm><a:off x=\"" x "\" y=\"" y  \
    "\"/></a:xfrm></p:spPr><p:txBody>" paragraphs "</p:txBody></p:sp>"

static Str show_of(Arena *a, const char *slide)
{
    const TestPart parts[] = {
        {"_rels/.rels", OPC_RELS(OPC_REL("r", "officeDocument", "ppt/presentation.xml"))},
        {"ppt/presentation.xml",
         "<p:presentation " NS "><p:sldIdLst><p:sldId id=\"256\" r:id=\"two\"/>"
         "<p:sldId id=\"257\" r:id=\"one\"/></p:sldIdLst><p:sldSz cx=\"9144000\" "
         "cy=\"6858000\"/></p:presentation>"},
        {"ppt/_rels/presentation.xml.rels",
         OPC_RELS(OPC_REL("one", "slide", "slides/slide1.xml")
                      OPC_REL("two", "slide", "slides/slide2.xml"))},
        {"ppt/slides/slide1.xml", SLIDE(SHAPE("<p:ph type=\"title\"/>", "0", "0", AP("Last")))},
        {"ppt/slides/slide2.xml", slide},
        {"ppt/slides/_rels/slide2.xml.rels",
         OPC_RELS(OPC_REL("n", "notesSlide", "../notesSlides/n.xml")
                      OPC_LINK("web", "https://example.com/"))},
        {"ppt/notesSlides/n.xml",
         "<p:notes " NS "><p:cSld><p:spTree>" SHAPE("<p:ph type=\"body\" idx=\"1\"/>", "0", "0",
                                                    AP("say this") AP("and that"))
             SHAPE("<p:ph type=\"sldNum\"/>", "0", "0", AP("9")) "</p:spTree></p:cSld></p:notes>"},
        {0}};
    return test_zip(a, parts);
}

TEST(writes_slides_as_they_are_read)
{
    static const struct {
        const char *slide, *want;
    } cases[] = {
        {SLIDE(SHAPE("", "0", "5000000", AP("below")) SHAPE("", "4000000", "1000000", AP("right"))
                   SHAPE("", "0", "1100000", AP("left"))
                       SHAPE("<p:ph type=\"ctrTitle\"/>", "0", "6000000", AP("Title"))
                           SHAPE("<p:ph type=\"ftr\"/>", "0", "6500000", AP("footer"))),
         "## Title\n\nleft\n\nright\n\nbelow\n\n## Last\n"},
        {SLIDE(SHAPE("<p:ph idx=\"1\"/>", "0", "0",
                     AP("one") "<a:p><a:pPr lvl=\"1\"/><a:r><a:t>two</a:t></a:r></a:p>"
                               "<a:p><a:pPr><a:buNone/></a:pPr><a:r><a:t>plain</a:t></a:r></a:p>")),
         "- one\n  - two\n\nplain\n\n## Last\n"},
        {SLIDE(SHAPE("", "0", "0",
                     "<a:p><a:pPr><a:buAutoNum type=\"arabicPeriod\" "
                     "startAt=\"3\"/></a:pPr><a:r><a:t>x</a:t></a:r></a:p>"
                     "<a:p><a:pPr><a:buAutoNum type=\"arabicPeriod\" "
                     "startAt=\"3\"/></a:pPr><a:r><a:t>y</a:t></a:r></a:p>")),
         "3. x\n4. y\n\n## Last\n"},
        {SLIDE(SHAPE("", "0", "0",
                     "<a:p><a:r><a:rPr b=\"1\"><a:hlinkClick r:id=\"web\"/></a:rPr><a:t>bold "
                     "link</a:t></a:r><a:br/>"
                     "<a:r><a:t>next</a:t></a:r></a:p>")),
         "[**bold link**](https://example.com/)\\\nnext\n\n## Last\n"},
        {SLIDE("<p:grpSp><p:grpSpPr><a:xfrm><a:off x=\"0\" y=\"0\"/></a:xfrm></p:grpSpPr>" SHAPE(
             "", "0", "9", AP("in a group")) "</p:grpSp>"),
         "in a group\n\n## Last\n"},
        {SLIDE(
             "<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tr><a:tc "
             "gridSpan=\"2\"><a:txBody>" AP("wide") "</a:txBody></a:tc><a:tc "
                                                    "hMerge=\"1\"/></"
                                                    "a:tr><a:tr><a:tc><a:txBody>" AP(
                                                        "a") "</a:txBody></"
                                                             "a:tc><a:tc><a:txBody>" AP("b") "</"
                                                                                             "a:"
                                                                                             "txBod"
                                                                                             "y></"
                                                                                             "a:tc>"
                                                                                             "</"
                                                                                             "a:tr>"
                                                                                             "</"
                                                                                             "a:"
                                                                                             "tbl><"
                                                                                             "/a:"
                                                                                             "graph"
                                                                                             "icDat"
                                                                                             "a></"
                                                                                             "a:"
                                                                                             "graph"
                                                                                             "ic>"
                                                                                             "</"
                                                                                             "p:"
                                                                                             "graph"
                                                                                             "icFra"
                                                                                             "me>"),
         "| wide | wide |\n| --- | --- |\n| a | b |\n\n## Last\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
        check_markdown(read_pptx, show_of(a, cases[i].slide), false, cases[i].want);
    }
}

TEST(speaker_notes_come_when_asked_for)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Str file = show_of(a, SLIDE(SHAPE("", "0", "0", AP("text"))));
    check_markdown(read_pptx, file, true, "text\n\n[note] say this\\\nand that\n\n## Last\n");
}

TEST(one_bad_slide_does_not_hide_the_others)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_markdown(read_pptx, show_of(a, "<p:sld"), false, "## Last\n");
    check_refused(read_pptx, show_of(a, "<!DOCTYPE x [<!ENTITY a \"b\">]><x/>"), ERR_LIMIT_RATIO);
}

TEST(survives_every_failure)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_every_fault(read_pptx, show_of(a, SLIDE(SHAPE("", "0", "0", AP("text")))));
}

TEST_MAIN(writes_slides_as_they_are_read, speaker_notes_come_when_asked_for,
          one_bad_slide_does_not_hide_the_others, survives_every_failure)
