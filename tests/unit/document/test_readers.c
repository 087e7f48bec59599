/* Whole extractions: bytes in, Markdown out, through document.extract itself. */
#include "document/document.h"
#include "unit/document/sink.h"

typedef ExtractArgs Args;

static ErrCode extract(Sink *s, const char *name, Str bytes, Args args)
{
    sink_open(s, name);
    return extract_bytes(&s->step, bytes, &args);
}

typedef struct Case {
    const char *why, *name, *bytes, *want;
} Case;

static void run_cases(const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Sink s;
        ErrCode rc =
            extract(&s, cases[i].name, str_from_c(cases[i].bytes), (Args){.format = DOC_MARKDOWN});
        if (rc != OK)
            fail_msg("%s: %s", cases[i].why, s.err.text);
        Str got = sink_text(&s);
        if (!str_eq_c(got, cases[i].want))
            fail_msg("%s: got\n" STR_FMT "\nwant\n%s", cases[i].why, STR_ARG(got), cases[i].want);
        sink_close(&s);
    }
}

TEST(html)
{
    static const Case cases[] = {
        {"blocks", "a.html", "<html><h2>A</h2><p>b<br>c<div>d<p>e", "## A\n\nb\\\nc\n\nd\n\ne\n"},
        {"text between blocks", "a.html", "<html>a<p>b</p>c", "a\n\nb\n\nc\n"},
        {"marks over blocks", "a.html", "<html><b><p>a</p><p>b</p></b>", "**a**\n\n**b**\n"},
        {"lists", "a.html",
         "<html><ul><li>a<ul><li>b</ul><li><p>c</p><p>d</p></ul><ol start=3><li>e</ol>",
         "- a\n  - b\n- c\n\n  d\n\n3. e\n"},
        {"pre", "a.html", "<html><pre>a\n  b &lt;\n</pre>", "```\na\n  b <\n```\n"},
        {"quote", "a.html", "<html><blockquote><p>a</p><blockquote>b</blockquote></blockquote>",
         "> a\n\n> > b\n"},
        {"hidden things", "a.html",
         "<html><head><title>T</title><style>x</style></head><script>y</script><nav>n</nav><p "
         "hidden>h</p><p "
         "style='display: none'>i</p><p>seen",
         "seen\n"},
        {"links", "a.html",
         "<html><a href='https://a.b/'>x</a> <a href='#top'>y</a> <a href='javascript:z'>z</a>",
         "[x](https://a.b/) y z\n"},
        {"a table", "a.html",
         "<html><table><caption>C</caption><tr><th>a<th>b<tr><td rowspan=2>1<td>2<tr><td>3</table>",
         "C\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n| 1 | 3 |\n"},
        {"a table for the looks", "a.html",
         "<html><table><tr><td><p>a</p><p>b</p></td></tr></table>", "a\n\nb\n"},
        {"a table with heads that holds one", "a.html",
         "<html><table><tr><th>Act<th>How<tr><td>Quack<td><table><tr><td>short<td>long</table></"
         "table>",
         "| Act | How |\n| --- | --- |\n| Quack | short long |\n"},
        {"a table for the looks", "a.html",
         "<html><table><tr><td>menu<td><table><tr><td>a<td>b</table></table>",
         "menu\n\n| a | b |\n| --- | --- |\n"},
        {"cells with blocks", "a.html", "<html><table><tr><td><p>a</p><ul><li>b</ul><td>c</table>",
         "| a<br>\xE2\x80\xA2 b | c |\n| --- | --- |\n"},
        {"entities", "a.html", "<html><p>&eacute;&nbsp;&#x41;&amp;", "\xC3\xA9 A&\n"},
        {"never closed", "a.html", "<html><div><div><b><i><table><tr><td>a<td>b",
         "| ***a*** | ***b*** |\n| --- | --- |\n"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(markdown)
{
    static const Case cases[] = {
        {"all in all", "a.md",
         "# T\n\na *b* **c** `d` ~~e~~ [f](g)\n\n1. x\n   - y\n\n> q\n\n| a | b |\n|--|--|\n| 1 | "
         "2 |\n",
         "# T\n\na *b* **c** `d` ~~e~~ [f](g)\n\n1. x\n   - y\n\n> q\n\n| a | b |\n| --- | --- "
         "|\n| 1 | 2 |\n"},
        {"front matter is metadata", "a.md", "---\ntitle: x\n---\ntext\n", "text\n"},
        {"HTML inside", "a.md", "a\n\n<div><p>b <b>c</b></p></div>\n\nd<br>e\n",
         "a\n\nb **c**\n\nd\\\ne\n"},
        {"entities", "a.md", "&copy; &amp; &nosuch;\n", "\xC2\xA9 & \\&nosuch;\n"},
        {"code", "a.md", "```c\nint a;\n```\n", "```\nint a;\n```\n"},
        {"tasks", "a.md", "- [x] a\n- [ ] b\n", "- [x] a\n- [ ] b\n"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(csv)
{
    static const Case cases[] = {
        {"quotes", "a.csv", "a,b\n\"x, \"\"y\"\"\",\"l1\nl2\"\n",
         "| a | b |\n| --- | --- |\n| x, \"y\" | l1<br>l2 |\n"},
        {"semicolons", "a.csv", "a;b\r\n1,5;2\r\n", "| a | b |\n| --- | --- |\n| 1,5 | 2 |\n"},
        {"tabs", "a.tsv", "a\tb\n1\t\n", "| a | b |\n| --- | --- |\n| 1 |  |\n"},
        {"bars", "a.csv", "a|b\n1|2\n", "| a | b |\n| --- | --- |\n| 1 | 2 |\n"},
        {"said by Excel", "a.csv", "sep=;\na;b,c\n", "| a | b,c |\n| --- | --- |\n"},
        {"one column", "a.csv", "a\nb\n", "| a |\n| --- |\n| b |\n"},
        {"empty lines", "a.csv", "\na,b\n\n1,2\n\n", "| a | b |\n| --- | --- |\n| 1 | 2 |\n"},
        {"a quote left open", "a.csv", "a,b\n1,\"2\n3",
         "| a | b |\n| --- | --- |\n| 1 | 2<br>3 |\n"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(text)
{
    static const Case cases[] = {
        {"lines that were wrapped", "a.txt",
         "This line was broken by somebody because it came to its end\nand so was this one, which "
         "is about as long as that one is\n"
         "but not the last.\n\nNext.\n",
         "This line was broken by somebody because it came to its end and so was this one, which "
         "is about as long as that one is but "
         "not the last.\n\nNext.\n"},
        {"verse", "a.txt", "Roses are red\nviolets are blue\n",
         "Roses are red\\\nviolets are blue\n"},
        {"a list", "a.txt", "- a\n- b\n  - c\n\n1. x\n2. y\n", "- a\n- b\n  - c\n1. x\n2. y\n"},
        {"source is code", "a.json", "{\"a\":\n  1}\n", "```\n{\"a\":\n  1}\n```\n"},
        {"old line ends", "a.txt", "a\r\rb\r\n", "a\n\nb\n"},
    };
    run_cases(cases, COUNT_OF(cases));
}

static Str sample(Sink *s, const char *name)
{
    char path[512];
    const char *root = getenv("PLATEN_ROOT");
    snprintf(path, sizeof path, "%s/samples/%s", root != NULL ? root : ".", name);
    Str bytes;
    assert_ok(fd_read_path(path, s->arena, 8 * MIB, &bytes, &s->err), &s->err);
    return bytes;
}

TEST(pdf_pages)
{
    Sink s;
    sink_open(&s, "report.pdf");
    Str bytes = sample(&s, "report.pdf");
    assert_ok(extract_bytes(&s.step, bytes, &(Args){.format = DOC_TEXT, .pages = STR("2")}),
              &s.err);
    Str got = sink_text(&s);
    assert_true(str_starts(got, STR("Traffic\n")));
    assert_true(str_find(got, STR("Harbour Report")) == STR_NONE);
    assert_int_equal(extract_bytes(&s.step, bytes, &(Args){.pages = STR("9")}), ERR_BAD_PARAM);
    assert_string_equal(s.err.param, "pages");
    sink_close(&s);
}

/* A PDF cut anywhere gives text or a reason, never both nothing. */
TEST(pdf_cut)
{
    Sink whole;
    sink_open(&whole, "report.pdf");
    Str bytes = sample(&whole, "report.pdf");
    for (size_t n = 16; n < bytes.len; n += 97) {
        Sink s;
        ErrCode rc = extract(&s, "report.pdf", str_slice(bytes, 0, n), (Args){.format = DOC_TEXT});
        assert_true(rc == OK || s.err.text[0] != 0);
        assert_true(rc != OK || sink_text(&s).len > 0);
        sink_close(&s);
    }
    sink_close(&whole);
}

TEST(refuses_with_advice)
{
    static const struct {
        const char *name;
        Str bytes;
        ErrCode code;
        const char *hint;
    } cases[] = {
        {"a.png", {"\x89PNG\r\n\x1A\n", 8}, ERR_NO_TEXT, "engine-ocr"},
        {"a.zip",
         {"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22},
         ERR_UNSUPPORTED_TYPE,
         "unpack"},
        {"a.mp3", {"ID3\x04\0\0\0\0\0\0", 10}, ERR_UNSUPPORTED_TYPE, "transcribe"},
        {"a.bin", {"\x01\x02\x03\xFE\xFD\x80", 6}, ERR_UNSUPPORTED_TYPE, "known type"},
        {"a.txt", {" \n\n ", 4}, ERR_NO_TEXT, ""},
        {"a.pdf", {"%PDF-1.7\nnothing else", 21}, ERR_INPUT_DAMAGED, ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Sink s;
        ErrCode rc = extract(&s, cases[i].name, cases[i].bytes, (Args){.format = DOC_MARKDOWN});
        if (rc != cases[i].code || strstr(s.err.hint, cases[i].hint) == NULL)
            fail_msg("%s: %s: %s (%s)", cases[i].name, err_reason(rc), s.err.text, s.err.hint);
        sink_close(&s);
    }
}

TEST(a_false_name_is_noted)
{
    Sink s;
    assert_int_equal(
        extract(&s, "letter.docx", STR("<!DOCTYPE html><p>hi"), (Args){.format = DOC_TEXT}), OK);
    assert_str_equal(sink_text(&s), "hi\n");
    assert_int_equal(s.notes, 1);
    assert_non_null(strstr(s.note, "HTML"));
    sink_close(&s);
}

TEST(page_ranges)
{
    Err err = {0};
    assert_int_equal(pages_check(STR("1-3, 7,9-"), &err), OK);
    assert_int_equal(pages_check(STR(""), &err), OK);
    static const char *const bad[] = {
        "0", "3-1", "a", "1,,2", "-", "1-2-3", "99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(pages_check(str_from_c(bad[i]), &err), ERR_BAD_PARAM);
    assert_true(pages_wanted(STR("1-3,7,9-"), 2) && pages_wanted(STR("1-3,7,9-"), 12) &&
                pages_wanted(STR(""), 5));
    assert_false(pages_wanted(STR("1-3,7,9-"), 8));
}

TEST(deep_html)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    static const struct {
        int depth;
        ErrCode want;
    } cases[] = {{2000, OK}, {200000, ERR_LIMIT_DEPTH}};
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        Buf b = buf_init(a, 8 * MIB);
        buf_add_c(&b, "<html>");
        for (int i = 0; i < cases[c].depth; i++)
            buf_add_c(&b, "<div><ul><li>");
        buf_add_c(&b, "deep");
        Sink s;
        assert_int_equal(extract(&s, "a.html", buf_str(&b), (Args){.format = DOC_TEXT}),
                         cases[c].want);
        sink_close(&s);
    }
}

TEST(survives_every_failure)
{
#ifndef PLATEN_FAULTS
    skip();
#else
    static const Case inputs[] = {
        {"html", "a.html", "<html><p>a<b>b</b><table><tr><td>c<td>d</table>", ""},
        {"markdown", "a.md", "# a\n\n<b>b</b>\n\n&copy;\n", ""},
        {"csv", "a.csv", "a,b\n1,2\n", ""},
        {"text", "a.txt", "caf\xE9 and more caf\xE9s\n", ""}};
    for (size_t i = 0; i < COUNT_OF(inputs); i++)
        for (int nth = 1;; nth++) {
            Sink s;
            sink_open(&s, inputs[i].name);
            fault_arm(nth);
            ErrCode rc = extract_bytes(&s.step, str_from_c(inputs[i].bytes),
                                       &(Args){.format = DOC_MARKDOWN});
            bool hit = fault_disarm();
            assert_true(rc == OK || s.err.text[0] != 0);
            sink_close(&s);
            if (!hit) {
                assert_int_equal(rc, OK);
                break;
            }
        }
#endif
}

TEST_MAIN(html, markdown, csv, text, pdf_pages, pdf_cut, refuses_with_advice, a_false_name_is_noted,
          page_ranges, deep_html, survives_every_failure)
