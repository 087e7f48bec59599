/* The sink, driven by small scripts, so that a case reads as: these calls, this Markdown. */
#include "unit/document/sink.h"

/* One letter per call:
 *   P Q C: begin paragraph, quote, code   H1: heading   I0: item, bullet   N13: item, level 1,
 * number 3   F2: note 2   E: end b i c s: marks on, B-like capitals are taken, so "/b" turns off
 * l(href): link on   n: break T R D tables: T table, R row, D12 cell with colspan 1 rowspan 2, V1 the
 * cell above goes on, X table end   G2: page 2   "text" */
static const MarkKind mark_of[128] = {['b'] = MARK_BOLD,
                                      ['i'] = MARK_ITALIC,
                                      ['c'] = MARK_CODE,
                                      ['s'] = MARK_STRIKE,
                                      ['l'] = MARK_LINK};

static void play(Doc *d, const char *p)
{
    for (; *p != 0; p++) {
        switch (*p) {
        case 'P':
            doc_begin(d, BLOCK_PARAGRAPH, 0);
            break;
        case 'Q':
            doc_begin(d, BLOCK_QUOTE, 0);
            break;
        case 'C':
            doc_begin(d, BLOCK_CODE, 0);
            break;
        case 'K': /* paragraph of an item */
            doc_begin(d, BLOCK_PARAGRAPH, *++p - '0');
            break;
        case 'H':
            doc_begin(d, BLOCK_HEADING, *++p - '0');
            break;
        case 'F':
            doc_begin(d, BLOCK_NOTE, *++p - '0');
            break;
        case 'I':
            doc_item(d, *++p - '0', 0);
            break;
        case 'N':
            doc_item(d, p[1] - '0', p[2] - '0');
            p += 2;
            break;
        case 'E':
            doc_end(d);
            break;
        case 'n':
            doc_break(d);
            break;
        case 'T':
            doc_table(d);
            break;
        case 'R':
            doc_row(d);
            break;
        case 'D':
            doc_cell(d, p[1] - '0', p[2] - '0');
            p += 2;
            break;
        case 'V':
            doc_cell_below(d, *++p - '0');
            break;
        case 'X':
            doc_table_end(d);
            break;
        case 'G':
            doc_page(d, *++p - '0');
            break;
        case '/':
            p++;
            doc_unmark(d, mark_of[(int)*p]);
            break;
        case 'l': {
            const char *close = strchr(p, ')');
            doc_mark(d, MARK_LINK, (Str){p + 2, (size_t)(close - p - 2)});
            p = close;
            break;
        }
        case '"': {
            const char *close = strchr(p + 1, '"');
            doc_text(d, (Str){p + 1, (size_t)(close - p - 1)});
            p = close;
            break;
        }
        case ' ':
            break;
        default:
            doc_mark(d, mark_of[(int)*p], STR(""));
        }
    }
}

typedef struct Case {
    const char *why, *calls, *want;
} Case;

static void run_cases(DocFormat format, const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Sink s;
        sink_open(&s, "report.docx");
        CLEANUP(doc_abandon) Doc *d = NULL;
        assert_ok(doc_open(&s.step, format, &d), &s.err);
        play(d, cases[i].calls);
        ErrCode rc = doc_close(&d);
        Str got = sink_text(&s);
        if (rc != (cases[i].want[0] != 0 ? OK : ERR_NO_TEXT))
            fail_msg("%s: %s", cases[i].why, s.err.text);
        if (!str_eq_c(got, cases[i].want))
            fail_msg("%s: got\n" STR_FMT "\nwant\n%s", cases[i].why, STR_ARG(got), cases[i].want);
        sink_close(&s);
    }
}

TEST(markdown_blocks)
{
    static const Case cases[] = {
        {"a paragraph", "P\"Hello \"\" world\"E", "Hello world\n"},
        {"white space is folded", "P\"  a \t\n b\xC2\xA0\"\"  c  \"E", "a b c\n"},
        {"text without a block begins one", "\"a\"", "a\n"},
        {"begin without end", "P\"a\"P\"b\"", "a\n\nb\n"},
        {"an empty block vanishes", "P\" \"EP\"b\"E", "b\n"},
        {"nothing at all", "P\" \"ETRD11X", ""},
        {"headings", "H1\"A\"H6\"B #\"", "# A\n\n###### B \\#\n"},
        {"a break in a heading", "H2\"a\"n\"b\"", "## a b\n"},
        {"a break", "P\"a\"n\"b\"n", "a\\\nb\n"},
        {"a tight list", "I0\"a\"I0\"b\"P\"c\"", "- a\n- b\n\nc\n"},
        {"a nested list", "I0\"a\"I1\"b\"I2\"c\"I0\"d\"", "- a\n  - b\n    - c\n- d\n"},
        {"numbers indent by their width", "N01\"a\"I1\"b\"N02\"c\"", "1. a\n   - b\n2. c\n"},
        {"a level too deep is pulled up", "I3\"a\"I3\"b\"", "- a\n  - b\n"},
        {"a second numbered list", "N01\"a\"N01\"b\"N02\"c\"", "1. a\n1) b\n2) c\n"},
        {"a paragraph of an item", "I0\"a\"K1\"b\"I0\"c\"", "- a\n\n  b\n\n- c\n"},
        {"code keeps its space", "C\"a\r\n  b\tc\n\n\"", "```\na\n  b\tc\n```\n"},
        {"code that is not ASCII", "C\"\xC3\x83\"", "```\n\xC3\x83\n```\n"},
        {"code with a fence in it", "C\"```x\"", "````\n```x\n````\n"},
        {"quote", "Q\"a\"n\"b\"", "> a\\\n> b\n"},
        {"notes", "F2\"see\"F0\"said\"", "[2] see\n\n[note] said\n"},
        {"invalid UTF-8", "P\"a\xFF\xFE\"", "a\xEF\xBF\xBD\xEF\xBF\xBD\n"},
        {"soft hyphen and zero width", "P\"ex\xC2\xAD\"\"am\xE2\x80\x8Bple\"", "example\n"},
    };
    run_cases(DOC_MARKDOWN, cases, COUNT_OF(cases));
}

TEST(markdown_marks)
{
    static const Case cases[] = {
        {"bold", "P\"a \"b\"b\"/b\" c\"", "a **b** c\n"},
        {"spaces move out", "P\"a\"b\" b \"/b\"c\"", "a **b** c\n"},
        {"side by side is one", "Pb\"a\"/bb\"b\"/b\" \"b\"c\"/b", "**ab c**\n"},
        {"bold and italic", "Pbi\"a\"/i/b", "***a***\n"},
        {"italic inside bold", "Pb\"a \"i\"b\"/i\" c\"/b", "**a *b* c**\n"},
        {"crossing marks", "Pb\"a\"i\"b\"/b\"c\"/i", "**ab***c*\n"},
        {"punctuation that would not flank", "Pb\"a:\"/b\"b\"", "a:b\n"},
        {"strike", "Ps\"a\"/s", "~~a~~\n"},
        {"code", "P\"x \"c\"a*b\"/c", "x `a*b`\n"},
        {"code with ticks", "Pc\"`\"/c", "`` ` ``\n"},
        {"code side by side", "Pc\"a\"/cbc\"b\"/c/b", "`ab`\n"},
        {"link", "Pl(https://a.b/c)\"here\"/l\".\"", "[here](https://a.b/c).\n"},
        {"bold link", "Pbl(x)\"here\"/l/b", "[**here**](x)\n"},
        {"link with brackets", "Pl(a(b)\"[x]\"/l", "[\\[x\\]](a\\(b)\n"},
        {"a script is no link", "Pl(javascript:alert)\"x\"/l", "x\n"},
        {"an exclamation mark before a link", "P\"wow!\"l(x)\"y\"/l", "wow\\![y](x)\n"},
        {"marks end with their block", "Pb\"a\"P\"b\"", "**a**\n\nb\n"},
    };
    run_cases(DOC_MARKDOWN, cases, COUNT_OF(cases));
}

TEST(markdown_escapes)
{
    static const Case cases[] = {
        {"plain marks stay", "P\"5 * 3, snake_case, a-b, x! [1] (2) # & < >\"",
         "5 * 3, snake_case, a-b, x! [1] (2) # & < >\n"},
        {"emphasis", "P\"*a* _b_ `c` ~~d~~\"", "\\*a\\* \\_b\\_ \\`c\\` \\~\\~d\\~\\~\n"},
        {"block starts", "P\"# a\"P\"- b\"P\"1. c\"P\"> d\"P\"+ e\"",
         "\\# a\n\n\\- b\n\n1\\. c\n\n\\> d\n\n\\+ e\n"},
        {"not block starts", "P\"#a\"P\"-b\"P\"1.c\"P\"1995 was\"",
         "#a\n\n-b\n\n1.c\n\n1995 was\n"},
        {"after a break too", "P\"a\"n\"- b\"n\"---\"", "a\\\n\\- b\\\n\\---\n"},
        {"rule and underline", "P\"===\"P\"* * *\"", "\\===\n\n\\* * *\n"},
        {"links and pictures", "P\"[a](b) ![c](d)\"", "[a\\](b) ![c\\](d)\n"},
        {"a definition", "P\"[a]: b\"", "\\[a]: b\n"},
        {"html and entities", "P\"<b> </b> <!-- &amp; &#12; & a < b\"",
         "\\<b> \\</b> \\<!-- \\&amp; \\&#12; & a < b\n"},
        {"a backslash before a mark", "P\"a \"b\"b\\\"/b\" c\"", "a **b\\\\** c\n"},
        {"what would be an address", "P\"<*@b> <= a\"", "\\<\\*@b> <= a\n"},
        {"backslash", "P\"a\\b \\* c:\\\\\"", "a\\b \\\\\\* c:\\\\\\\\\n"},
    };
    run_cases(DOC_MARKDOWN, cases, COUNT_OF(cases));
}

TEST(markdown_tables)
{
    static const Case cases[] = {
        {"two by two", "TRD11\"a\"D11\"b\"RD11\"1\"D11\"2\"X",
         "| a | b |\n| --- | --- |\n| 1 | 2 |\n"},
        {"pipes and lines", "TRD11\"a|b\"D11P\"c\"EP\"d\"EX",
         "| a\\|b | c<br>d |\n| --- | --- |\n"},
        {"short rows are filled", "TRD11\"a\"D11\"b\"RD11\"1\"X",
         "| a | b |\n| --- | --- |\n| 1 |  |\n"},
        {"a long row widens the head", "TRD11\"a\"RD11\"1\"D11\"2\"X",
         "| a |  |\n| --- | --- |\n| 1 | 2 |\n"},
        {"colspan", "TRD21\"a\"D11\"b\"RD11\"1\"D11\"2\"D11\"3\"X",
         "| a | a | b |\n| --- | --- | --- |\n| 1 | 2 | 3 |\n"},
        {"rowspan", "TRD12\"a\"D11\"b\"RD11\"2\"X", "| a | b |\n| --- | --- |\n| a | 2 |\n"},
        {"a cell that goes on", "TRD11\"a\"D11\"b\"RV1D11\"2\"RV1D11\"3\"X",
         "| a | b |\n| --- | --- |\n| a | 2 |\n| a | 3 |\n"},
        {"nothing above to go on from", "TRV1D11\"b\"RV2D11\"3\"X",
         "|  | b |  |\n| --- | --- | --- |\n|  |  | 3 |\n"},
        {"only cells that go on", "TRD11\"a\"D11\"b\"RV1V1X",
         "| a | b |\n| --- | --- |\n| a | b |\n"},
        {"a long cell is not said again",
         "TRD12\"a line of more than a hundred bytes, which nobody wants to read in each of the "
         "rows that "
         "it stands beside\"D11\"b\"RD11\"2\"X",
         "| a line of more than a hundred bytes, which nobody wants to read in each of the rows "
         "that it "
         "stands beside | b |\n| --- | --- |\n|  | 2 |\n"},
        {"a table in a cell", "TRD11\"a\"TRD11\"x\"D11\"y\"RD11\"z\"XD11\"b\"X\"after\"",
         "| a<br>x y<br>z | b |\n| --- | --- |\n\nafter\n"},
        {"an empty table vanishes", "TRD11D11X\"a\"", "a\n"},
        {"items in a cell", "TRD11I0\"a\"I0\"b\"X",
         "| \xE2\x80\xA2 a<br>\xE2\x80\xA2 b |\n| --- |\n"},
        {"no row, no cell", "T\"a\"X", "| a |\n| --- |\n"},
        {"a row without cells", "TRD11\"a\"RX", "| a |\n| --- |\n|  |\n"},
        {"a table in a cell left open", "TRD11\"a\"T", "| a |\n| --- |\n"},
        {"a table left open", "TRD11\"a\"", "| a |\n| --- |\n"},
        {"code in a cell", "TRD11c\"a|b\"/cX", "| `a\\|b` |\n| --- |\n"},
    };
    run_cases(DOC_MARKDOWN, cases, COUNT_OF(cases));
}

TEST(plain_text)
{
    static const Case cases[] = {
        {"no marks, no escapes", "H1\"A\"Pb\"*a*\"/bn\"b\"", "A\n\n*a*\nb\n"},
        {"lists", "I0\"a\"N11\"b\"n\"c\"P\"d\"", "- a\n  1. b\n    c\n\nd\n"},
        {"tables", "TRD11\"a\"D11P\"b\"EP\"c\"RD21\"1\"D11\"2\"X\"d\"", "a\tb c\n1\t\t2\n\nd\n"},
    };
    run_cases(DOC_TEXT, cases, COUNT_OF(cases));
}

TEST(json_blocks)
{
    static const Case cases[] = {
        {"everything once",
         "G1H2\"T\xC3\xA4g\"P\"a \"b\"b\"/bl(x)\"c\"/lG2N01\"i\"TRD21\"h\"RD12\"1\"X",
         "{\"blocks\":[{\"kind\":\"heading\",\"level\":2,\"text\":\"T\xC3\xA4g\",\"page\":1,"
         "\"from\":0,\"to\":3}\n"
         ",{\"kind\":\"paragraph\",\"text\":\"a "
         "bc\",\"page\":1,\"from\":5,\"to\":9,\"marks\":[{\"kind\":\"bold\",\"from\":2,\"to\":3},"
         "{\"kind\":\"link\",\"from\":3,\"to\":4,\"href\":\"x\"}]}\n"
         ",{\"kind\":\"item\",\"level\":0,\"number\":1,\"text\":\"i\",\"page\":2,\"from\":11,"
         "\"to\":15}\n"
         ",{\"kind\":\"table\",\"page\":2,\"from\":17,\"rows\":[[{\"text\":\"h\",\"colspan\":2,"
         "\"from\":17,\"to\":18}],[{"
         "\"text\":\"1\",\"rowspan\":2,\"from\":19,\"to\":20}]],\"to\":20}],"
         "\"metadata\":{},\"pages\":2}\n"},
        {"a cell that goes on", "TRD11\"a\"D11\"b\"RV1D11\"2\"X",
         "{\"blocks\":[{\"kind\":\"table\",\"from\":0,\"rows\":[[{\"text\":\"a\",\"rowspan\":2,"
         "\"from\":0,\"to\":1},{\"text\":\"b\",\"from\":2,\"to\":3}],"
         "[{\"text\":\"2\",\"from\":5,\"to\":6}]],\"to\":6}],\"metadata\":{},\"pages\":0}\n"},
    };
    run_cases(DOC_JSON, cases, COUNT_OF(cases));
}

TEST(totals_and_metadata)
{
    Sink s;
    sink_open(&s, "in/report.final.docx");
    CLEANUP(doc_abandon) Doc *d = NULL;
    assert_ok(doc_open(&s.step, DOC_MARKDOWN, &d), &s.err);
    assert_str_equal(str_from_c(s.name), "report.final.md");
    assert_str_equal(str_from_c(s.type), "text/markdown");
    doc_meta(d, "title", STR(" One "));
    doc_meta(d, "title", STR("Two"));
    doc_meta(d, "language", STR("ja"));
    doc_meta(d, "author", STR(""));
    play(d, "G1P\"it's two-part, \xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E - 3.5\"");
    assert_true(doc_took_text(d));
    play(d, "G3");
    assert_false(doc_took_text(d));
    play(d, "P\"end\"");
    assert_ok(doc_close(&d), &s.err);
    const Json *j = sink_data(&s);
    assert_int_equal(json_int(json_get(j, "words"), 0), 7); /* it's two-part 日 本 語 3.5 end */
    assert_int_equal(json_int(json_get(j, "characters"), 0), 27);
    assert_int_equal(json_int(json_get(j, "blocks"), 0), 2);
    assert_int_equal(json_int(json_get(j, "pages"), 0), 2);
    assert_str_equal(json_text(json_get(j, "language")), "ja");
    assert_str_equal(json_text(json_get(json_get(j, "metadata"), "title")), "One");
    assert_null(json_get(json_get(j, "metadata"), "author"));
    const Json *starts = json_get(j, "page_starts");
    assert_int_equal(starts->len, 3);
    assert_int_equal(starts->first->integer, 0);
    assert_int_equal(starts->first->next->next->integer, 26);
    sink_close(&s);
}

/* Rows come out as they go in: the sink's memory does not grow with the table. */
TEST(long_tables_stream)
{
    Sink s;
    sink_open(&s, "big.csv");
    CLEANUP(doc_abandon) Doc *d = NULL;
    assert_ok(doc_open(&s.step, DOC_MARKDOWN, &d), &s.err);
    doc_table(d);
    for (int row = 0; row < 20000; row++) {
        doc_row(d);
        for (int cell = 0; cell < 8; cell++) {
            doc_cell(d, 1, 1);
            doc_text(d, STR("a value of a cell"));
        }
        if (row == 10000)
            assert_true(fd_size(s.kept) > 1000000);
    }
    doc_table_end(d);
    assert_ok(doc_close(&d), &s.err);
    assert_int_equal(json_int(json_get(sink_data(&s), "words"), 0), 20000 * 8 * 5);
    sink_close(&s);
}

TEST(a_block_without_end_is_split)
{
    Sink s;
    sink_open(&s, "a.txt");
    CLEANUP(doc_abandon) Doc *d = NULL;
    assert_ok(doc_open(&s.step, DOC_TEXT, &d), &s.err);
    doc_begin(d, BLOCK_PARAGRAPH, 0);
    char word[4096];
    memset(word, 'x', sizeof word);
    for (int i = 0; i < 1000; i++)
        doc_text(d, (Str){word, sizeof word});
    assert_ok(doc_close(&d), &s.err);
    const Json *j = sink_data(&s);
    assert_int_equal(json_int(json_get(j, "characters"), 0), 4096000);
    assert_int_equal(json_int(json_get(j, "blocks"), 0), 4);
    sink_close(&s);
}

TEST(survives_every_failure)
{
#ifndef PLATEN_FAULTS
    skip();
#else
    for (int nth = 1;; nth++) {
        Sink s;
        sink_open(&s, "a.docx");
        CLEANUP(doc_abandon) Doc *d = NULL;
        fault_arm(nth);
        ErrCode rc = doc_open(&s.step, nth % 2 ? DOC_JSON : DOC_MARKDOWN, &d);
        if (rc == OK) {
            doc_meta(d, "title", STR("t"));
            for (int i = 0; i < 200; i++)
                play(d, "H1\"A\"Pb\"a\"/bl(x)\"link\"/lI0\"i\"TRD12\"a\"D11\"b\"RD11\"c\"X");
            rc = doc_close(&d);
        }
        bool hit = fault_disarm();
        if (rc != OK)
            assert_true(s.err.text[0] != 0);
        sink_close(&s);
        if (!hit) {
            assert_int_equal(rc, OK);
            return;
        }
        assert_int_not_equal(rc, OK);
    }
#endif
}

TEST_MAIN(markdown_blocks, markdown_marks, markdown_escapes, markdown_tables, plain_text,
          json_blocks, totals_and_metadata, long_tables_stream, a_block_without_end_is_split,
          survives_every_failure)
