/* The writers of HTML, EPUB, DOCX and PDF: escaping, nesting, spans, and that reading them again gives
 * what was written. */
#include "document/xml_write.h"
#include "document/zip.h"
#include "document/zip_write.h"
#include "unit/document/sink.h"

#include "document/readers.h"

static Doc *open_writer(Sink *s, DocFormat format)
{
    Doc *d = NULL;
    sink_open(s, "report.md");
    assert_ok(doc_open(&s->step, format, &d), &s->err);
    return d;
}

static Str written(Sink *s, Doc **d)
{
    assert_ok(doc_close(d), &s->err);
    return sink_text(s);
}

/* A part of the ZIP file that was written, as a C string. */
static const char *part(Sink *s, Str zip, const char *name)
{
    Zip z = {0};
    Str text = {0};
    assert_ok(zip_open(s->arena, zip, &z, &s->err), &s->err);
    const ZipEntry *e = zip_find(&z, str_from_c(name));
    if (e == NULL)
        fail_msg("no %s in the archive", name);
    assert_ok(zip_read(&z, e, s->arena, MIB, &text, &s->err), &s->err);
    return str_to_c(s->arena, text);
}

static void expect(const char *why, const char *text, const char *want)
{
    if (strstr(text, want) == NULL)
        fail_msg("%s: no %s in\n%s", why, want, text);
}

static void item(Doc *d, int level, int64_t number, const char *text)
{
    doc_item(d, level, number);
    doc_text(d, str_from_c(text));
    doc_end(d);
}

static void block(Doc *d, BlockKind kind, int level, const char *text)
{
    doc_begin(d, kind, level);
    doc_text(d, str_from_c(text));
    doc_end(d);
}

/* A document with everything that a writer must know. */
static void write_all(Doc *d)
{
    doc_meta(d, "title", STR("A & B"));
    doc_meta(d, "language", STR("en"));
    block(d, BLOCK_HEADING, 1, "First <chapter>");
    doc_begin(d, BLOCK_PARAGRAPH, 0);
    doc_text(d, STR("see "));
    doc_mark(d, MARK_LINK, STR("https://example.org/?a=1&b=\"2\""));
    doc_mark(d, MARK_BOLD, STR(""));
    doc_text(d, STR("bold"));
    doc_unmark(d, MARK_BOLD);
    doc_text(d, STR(" link"));
    doc_unmark(d, MARK_LINK);
    doc_text(d, STR(" & more"));
    doc_break(d);
    doc_text(d, STR("second line"));
    doc_end(d);
    item(d, 0, 3, "three");
    item(d, 1, 0, "bullet");
    item(d, 2, 0, "deep");
    item(d, 0, 4, "four");
    block(d, BLOCK_PARAGRAPH, 1, "still four");
    block(d, BLOCK_CODE, 0, "if (a < b)\n\treturn \"x\";");
    block(d, BLOCK_QUOTE, 2, "quoted");
    block(d, BLOCK_NOTE, 7, "a note");
    doc_table(d);
    doc_row(d);
    doc_cell(d, 1, 1);
    doc_text(d, STR("h1"));
    doc_cell(d, 2, 1);
    doc_text(d, STR("h2"));
    doc_row(d);
    doc_cell(d, 1, 2);
    doc_text(d, STR("tall"));
    doc_cell(d, 1, 1);
    doc_text(d, STR("b"));
    doc_cell(d, 1, 1);
    doc_text(d, STR("c"));
    doc_row(d);
    doc_cell(d, 2, 1);
    doc_text(d, STR("wide"));
    doc_table_end(d);
    block(d, BLOCK_HEADING, 1, "\xD8\xA7\xD9\x84\xD8\xB9\xD8\xB1\xD8\xA8\xD9\x8A\xD8\xA9");
    block(d, BLOCK_PARAGRAPH, 0, "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D 123");
}

TEST(xml_holds_only_what_xml_may)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"},
        {"bell\x07 esc\x1B", "bell esc"},
        {"\xEF\xBF\xBE\xEF\xBF\xBF", ""},
        {"bad\xFF", "bad\xEF\xBF\xBD"},
        {"tab\tline\n", "tab\tline\n"},
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Buf b = buf_init(a, KIB);
        xml_add(&b, str_from_c(cases[i].text));
        assert_str_equal(buf_str(&b), cases[i].want);
    }
}

TEST(direction_is_of_the_first_letter)
{
    assert_false(xml_is_rtl(STR("abc")));
    assert_true(xml_is_rtl(STR("12. \xD7\xA9")));
    assert_false(xml_is_rtl(STR("a \xD7\xA9")));
    assert_false(xml_is_rtl(STR("123")));
}

TEST(html_is_nested_and_escaped)
{
    Sink s;
    Doc *d = open_writer(&s, DOC_HTML);
    write_all(d);
    const char *html = str_to_c(s.arena, written(&s, &d));
    expect("title", html, "<title>A &amp; B</title>");
    expect("language", html, "<html lang=\"en\">");
    expect("heading", html, "<h1 id=\"first-chapter\">First &lt;chapter&gt;</h1>");
    expect("a link is one element", html,
           "<a href=\"https://example.org/?a=1&amp;b=&quot;2&quot;\"><strong>bold</strong> "
           "link</a> &amp; more<br/>second line</p>");
    expect("lists", html,
           "<ol start=\"3\">\n<li>three\n<ul>\n<li>bullet\n<ul>\n<li>deep</li>\n</ul>\n</li>\n"
           "</ul>\n</li>\n<li>four<p>still four</p>\n</li>\n</ol>");
    expect("code", html, "<pre><code>if (a &lt; b)\n\treturn &quot;x&quot;;</code></pre>");
    expect("quotes", html, "<blockquote>\n<blockquote>\n<p>quoted</p>\n</blockquote>\n</block");
    expect("note", html, "<p class=\"note\">[7] a note</p>");
    expect("head of the table", html, "<th>h1</th><th colspan=\"2\">h2</th></tr>\n</thead>");
    expect("spans", html, "<td rowspan=\"2\">tall</td>");
    sink_close(&s);
}

TEST(epub_has_a_chapter_for_each_heading)
{
    Sink s;
    Doc *d = open_writer(&s, DOC_EPUB);
    write_all(d);
    Str zip = written(&s, &d);
    assert_str_equal(str_slice(zip, 30, 58), "mimetypeapplication/epub+zip");
    expect("package", part(&s, zip, "EPUB/package.opf"), "<itemref idref=\"c0002\"/>");
    expect("contents", part(&s, zip, "EPUB/nav.xhtml"),
           "<a href=\"c0001.xhtml#s1\">First &lt;chapter&gt;</a>");
    expect("a chapter", part(&s, zip, "EPUB/c0002.xhtml"), "<h1 id=\"s2\">");
    sink_close(&s);
}

TEST(docx_has_lists_links_and_spans)
{
    Sink s;
    Doc *d = open_writer(&s, DOC_DOCX);
    write_all(d);
    Str zip = written(&s, &d);
    const char *body = part(&s, zip, "word/document.xml");
    expect("heading", body, "<w:pStyle w:val=\"Heading1\"/>");
    expect("hyperlink", body,
           "<w:hyperlink r:id=\"link1\"><w:r><w:rPr><w:rStyle "
           "w:val=\"Hyperlink\"/><w:b/><w:bCs/></w:rPr>");
    expect("its target", part(&s, zip, "word/_rels/document.xml.rels"),
           "Target=\"https://example.org/?a=1&amp;b=%222%22\" TargetMode=\"External\"");
    expect("list", body, "<w:ilvl w:val=\"0\"/><w:numId w:val=\"2\"/>");
    expect("where it starts", part(&s, zip, "word/numbering.xml"),
           "<w:startOverride w:val=\"3\"/>");
    expect("merged down", body, "<w:vMerge w:val=\"continue\"/>");
    expect("merged across", body, "<w:gridSpan w:val=\"2\"/>");
    expect("right to left", body, "<w:bidi/>");
    expect("code", body, "</w:t><w:br/><w:tab/><w:t");
    sink_close(&s);
}

TEST(pdf_has_pages_text_and_outline)
{
    Sink s, r;
    Doc *d = open_writer(&s, DOC_PDF);
    write_all(d);
    for (int i = 0; i < 200; i++)
        block(d, BLOCK_PARAGRAPH, 0, "A paragraph of some words that fills the page, bit by bit.");
    Str pdf = written(&s, &d);
    assert_true(str_starts(pdf, STR("%PDF-1.7\n")));
    assert_true(str_find(pdf, STR("/Type/Outlines")) != STR_NONE);
    sink_open(&r, "report.pdf");
    assert_ok(doc_open(&r.step, DOC_TEXT, &d), &r.err);
    const DocInput in = {.step = &r.step, .fd = -1, .bytes = pdf, .name = STR("report.pdf")};
    assert_ok(read_pdf(&in, d), &r.err);
    const char *text = str_to_c(r.arena, written(&r, &d));
    expect("a heading", text, "First <chapter>");
    expect("code", text, "if (a < b)");
    expect("an item", text, "3. three");
    assert_int_equal(r.notes, 0);
    sink_close(&r);
    sink_close(&s);
}

TEST(zip_is_read_again)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    CLEANUP(fd_close) int fd = memfd_create("zip", MFD_CLOEXEC);
    Err err = {0};
    Buf big = buf_init(a, 8 * MIB);
    for (int i = 0; i < 200000; i++)
        buf_addf(&big, "%d,", i * 7919);
    ZipOut *z = zip_out_open(a, fd);
    zip_out_entry(z, "mimetype", true);
    zip_out_put(z, STR("stored"));
    zip_out_entry(z, "empty", false);
    zip_out_entry(z, "big", false);
    zip_out_put(z, str_slice(buf_str(&big), 0, 1000));
    zip_out_put(z, str_slice(buf_str(&big), 1000, big.len));
    assert_ok(zip_out_end(z, &err), &err);
    zip_out_drop(&z);
    Str bytes = {0}, text = {0};
    Zip in = {0};
    assert_ok(fd_read_file(fd, a, 16 * MIB, &bytes, &err), &err);
    assert_ok(zip_open(a, bytes, &in, &err), &err);
    assert_int_equal(in.len, 3);
    assert_false(in.repaired);
    assert_ok(zip_read(&in, zip_find(&in, STR("big")), a, 8 * MIB, &text, &err), &err);
    assert_true(str_eq(text, buf_str(&big)));
    assert_ok(zip_read(&in, zip_find(&in, STR("empty")), a, 8, &text, &err), &err);
    assert_int_equal(text.len, 0);
}

/* The same calls give the same bytes: a task may run twice. */
TEST(the_same_document_gives_the_same_bytes)
{
    static const DocFormat formats[] = {DOC_HTML, DOC_EPUB, DOC_DOCX, DOC_PDF};
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        Sink a, b;
        Doc *d = open_writer(&a, formats[i]);
        write_all(d);
        Str first = written(&a, &d);
        d = open_writer(&b, formats[i]);
        write_all(d);
        assert_true(str_eq(first, written(&b, &d)));
        sink_close(&a);
        sink_close(&b);
    }
}

TEST(nothing_is_never_a_document)
{
    static const DocFormat formats[] = {DOC_HTML, DOC_EPUB, DOC_DOCX, DOC_PDF};
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        Sink s;
        Doc *d = open_writer(&s, formats[i]);
        block(d, BLOCK_PARAGRAPH, 0, " ");
        assert_int_equal(doc_close(&d), ERR_NO_TEXT);
        sink_close(&s);
    }
}

static void survive(DocFormat format)
{
#ifdef PLATEN_FAULTS
    for (int nth = 1;; nth++) {
        Sink s;
        Doc *d = NULL;
        sink_open(&s, "report.md");
        fault_arm(nth);
        ErrCode rc = doc_open(&s.step, format, &d);
        if (rc == OK) {
            write_all(d);
            rc = doc_close(&d);
        }
        bool hit = fault_disarm();
        if (!hit)
            assert_int_equal(rc, OK);
        if (rc != OK)
            assert_true(s.err.text[0] != 0);
        doc_abandon(&d);
        sink_close(&s);
        if (!hit)
            return;
    }
#else
    (void)format;
#endif
}

TEST(every_failure_is_told)
{
    survive(DOC_HTML);
    survive(DOC_EPUB);
    survive(DOC_DOCX);
    survive(DOC_PDF);
}

TEST_MAIN(xml_holds_only_what_xml_may, direction_is_of_the_first_letter, html_is_nested_and_escaped,
          epub_has_a_chapter_for_each_heading, docx_has_lists_links_and_spans,
          pdf_has_pages_text_and_outline, zip_is_read_again, the_same_document_gives_the_same_bytes,
          nothing_is_never_a_document, every_failure_is_told)
