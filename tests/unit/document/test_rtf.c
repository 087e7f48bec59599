#include "unit/document/office.h"

#define HEAD                                                                                       \
    "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}{\\f1\\fcharset204 Arial "                   \
    "Cyr;}{\\f2\\fcharset2 Symbol;}{\\f3\\fcharset128 Mincho;}}"

TEST(writes_what_a_word_processor_shows)
{
    static const struct {
        const char *rtf, *want;
    } cases[] = {
        {HEAD "one\\par two\\par}", "one\n\ntwo\n"},
        {HEAD "\\pard {\\b bold} and {\\i italic\\i0  not}\\par}", "**bold** and *italic* not\n"},
        {HEAD "caf\\'e9 \\u8364? \\u-10179?\\u-8704? {\\uc2\\u945 xyb}\\par}", "café € 😀 αb\n"},
        {HEAD "{\\f1 \\'cf\\'f0\\'e8\\'e2\\'e5\\'f2} {\\f2 ab} {\\f3 \\'93\\'fa\\'96\\'7b}\\par}",
         "Привет αβ 日本\n"},
        {HEAD "{\\stylesheet{\\s1 heading 1;}{\\s2\\sbasedon1 My Own;}{\\s3\\outlinelevel2 Third;}}"
              "\\pard\\s1 A\\par\\pard\\s2 B\\par\\pard\\s3 C\\par\\pard D\\par}",
         "# A\n\n# B\n\n### C\n\nD\n"},
        {HEAD "\\trowd\\cellx1\\cellx2\\pard\\intbl a\\cell b\\cell\\row\\trowd\\pard\\intbl "
              "c\\par d\\cell\\cell\\row\\pard after\\par}",
         "| a | b |\n| --- | --- |\n| c<br>d |  |\n\nafter\n"},
        {HEAD "{\\listtext 1.\\tab}\\ls1\\ilvl0 one\\par{\\listtext a)\\tab}\\ls1\\ilvl1 "
              "sub\\par{\\listtext b)\\tab}\\ls1\\ilvl1 sub2\\par"
              "{\\listtext 2.\\tab}\\ls1\\ilvl0 two\\par\\pard{\\pntext\\'95\\tab}dot\\par}",
         "1. one\n   1. sub\n   2. sub2\n2. two\n- dot\n"},
        {HEAD "\\pard\\fi-360\\li360 \\bullet\\tab point\\par\\pard\\fi-360\\li360 2.\\tab "
              "second\\par\\pard\\fi-360\\li360 Not one\\par}",
         "- point\n2. second\n\nNot one\n"},
        {HEAD
         "see {\\field{\\*\\fldinst HYPERLINK \"https://example.com/\"}{\\fldrslt here}} now\\par}",
         "see [here](https://example.com/) now\n"},
        {HEAD "text{\\footnote\\pard note {\\b x}} goes on\\par next\\par}",
         "text[1] goes on\n\n[1] note **x**\n\nnext\n"},
        {HEAD "{\\header head}{\\*\\unknown gone}{\\pict 0000}a{\\v hidden}{\\deleted old}b\\par}",
         "ab\n"},
        {HEAD "a\\bin3 {}}b\\line c\\~d\\emdash e\\{\\par}", "ab\\\nc d—e{\n"},
        {HEAD "{\\upr{\\title old}{\\*\\ud x}}open", "xopen\n"},
        {HEAD
         "{\\shp{\\*\\shpinst{\\sp{\\sn a}{\\sv b}}{\\shptxt\\pard in a box\\par}}}beside\\par}",
         "beside\n\nin a box\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_markdown(read_rtf, str_from_c(cases[i].rtf), false, cases[i].want);
}

TEST(keeps_metadata)
{
    Sink s;
    sink_open(&s, "memo.rtf");
    assert_ok(test_read(&s, read_rtf,
                        STR(HEAD "{\\info{\\title Plan}{\\author "
                                 "Ann}{\\creatim\\yr2026\\mo11\\dy5\\hr9\\min30}}x\\par}"),
                        DOC_MARKDOWN, false),
              &s.err);
    const Json *meta = json_get(sink_data(&s), "metadata");
    assert_str_equal(json_text(json_get(meta, "title")), "Plan");
    assert_str_equal(json_text(json_get(meta, "author")), "Ann");
    assert_str_equal(json_text(json_get(meta, "created")), "2026-11-05T09:30:00Z");
    sink_close(&s);
}

TEST(limits_and_damage)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Buf deep = buf_init(a, 1 * MIB);
    buf_add_c(&deep, "{\\rtf1 x");
    for (int i = 0; i < 100000; i++)
        buf_add_char(&deep, '{');
    check_refused(read_rtf, buf_str(&deep), ERR_LIMIT_DEPTH);
    check_refused(read_rtf, STR("hello"), ERR_INPUT_DAMAGED);
    check_refused(read_rtf, STR("{\\rtf1}"), ERR_NO_TEXT);
    check_markdown(read_rtf, STR("{\\rtf1 cut {\\b here"), false, "cut **here**\n");
    check_markdown(read_rtf, STR("{\\rtf1 a}}}}} b\\'"), false, "a b\n");
    check_markdown(read_rtf, STR("{\\rtf1 a\\bin999999999 b"), false, "a\n");
}

TEST(survives_every_failure)
{
    check_every_fault(read_rtf, STR(HEAD "a\\'e9{\\footnote b}\\par\\trowd\\intbl c\\cell\\row}"));
}

TEST_MAIN(writes_what_a_word_processor_shows, keeps_metadata, limits_and_damage,
          survives_every_failure)
