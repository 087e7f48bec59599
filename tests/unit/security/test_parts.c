/* The readers of hostile bytes one by one: compound files, MS-OVBA, names, text. */
#include "document/ole.h"
#include "security/scan.h"
#include "ole_maker.h"

static Arena *arena;

/* A packed text with copies, from the specification's example (MS-OVBA 3.2.2). */
TEST(ovba_normal_example)
{
    static const unsigned char packed[] = {
        0x01, 0x2F, 0xB0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82,
        0x66, 0x00, 0x70, 0x61, 0x67, 0x68, 0x69, 0x6A, 0x01, 0x38, 0x08, 0x61, 0x6B,
        0x6C, 0x00, 0x30, 0x6D, 0x6E, 0x6F, 0x70, 0x06, 0x71, 0x02, 0x70, 0x04, 0x10,
        0x72, 0x73, 0x74, 0x75, 0x76, 0x10, 0x77, 0x78, 0x79, 0x7A, 0x00, 0x3C};
    Str out;
    assert_true(vba_decompress(arena, (Str){(const char *)packed, sizeof packed}, 65536, &out));
    assert_str_equal(out, "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa");
}

TEST(ovba_maximum_example)
{
    static const unsigned char packed[] = {0x01, 0x03, 0xB0, 0x02, 0x61, 0x45, 0x00};
    Str out;
    assert_true(vba_decompress(arena, (Str){(const char *)packed, sizeof packed}, 65536, &out));
    assert_int_equal(out.len, 73);
    for (size_t i = 0; i < out.len; i++)
        assert_int_equal(out.ptr[i], 'a');
}

TEST(ovba_damage_ends_and_gives_the_beginning)
{
    Buf text = buf_init(arena, 64 * KIB);
    for (int i = 0; i < 900; i++)
        buf_addf(&text, "line %d\r\n", i);
    Str packed = pack_vba(arena, buf_str(&text)), out;
    assert_true(vba_decompress(arena, packed, MIB, &out) && str_eq(out, buf_str(&text)));
    for (size_t cut = 0; cut < packed.len; cut += 7)
        if (vba_decompress(arena, str_slice(packed, 0, cut), MIB, &out))
            assert_true(out.len <= text.len);
    assert_false(vba_decompress(arena, STR("\2abc"), MIB, &out));
    assert_false(vba_decompress(arena, (Str){"\1\xff\xff\xff\xff\xff\xff", 7}, MIB, &out));
}

TEST(macros_are_read_by_what_they_do)
{
    static const struct {
        const char *source, *auto_name, *call, *strong;
    } cases[] = {
        {"Sub Hello()\nMsgBox \"AutoOpen\"\nEnd Sub", "", "", ""},
        {"Sub AutoOpen()\nEnd Sub", "AutoOpen", "", ""},
        {"Private Sub\tdocument_open()\nEnd Sub", "Document_Open", "", ""},
        {"Sub AutoOpener()\nEnd Sub", "", "", ""},
        {"Sub x()\n y = Shell(\"calc\")\nEnd Sub", "", "Shell", "Shell"},
        {"Sub x()\n ShellSort a\nEnd Sub", "", "", ""},
        {"Set o = CreateObject(\"Scripting.Dictionary\")", "", "CreateObject", ""},
        {"Function Workbook_Open()\n URLDownloadToFile 0, a, b, 0, 0", "Workbook_Open",
         "URLDownloadToFile", "URLDownloadToFile"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        VbaFacts f = {0};
        vba_read(&f, str_from_c(cases[i].source));
        if (!str_eq_c(f.auto_name, cases[i].auto_name) || !str_eq_c(f.call, cases[i].call) ||
            !str_eq_c(f.strong, cases[i].strong))
            fail_msg("%s: \"%s\" \"%s\" \"" STR_FMT "\"", cases[i].source, f.autos, f.calls,
                     STR_ARG(f.strong));
    }
}

TEST(compound_files_are_read_back)
{
    Str big = {arena_new(arena, char, 9000), 9000};
    memset((char *)(uintptr_t)big.ptr, 'x', big.len);
    OleMade in[] = {{"Folder", NULL, {0}, true},
                    {"Inner", "Folder", STR("inner bytes"), false},
                    {"Big", NULL, big, false}};
    Str file = make_ole(arena, in, COUNT_OF(in));
    Ole o;
    Err err = {0};
    assert_ok(ole_open(arena, file, &o, &err), &err);
    int folder = ole_find(&o, 0, "FOLDER"), inner = ole_find(&o, folder, "inner");
    assert_true(folder > 0 && inner > 0);
    assert_true(str_starts(ole_read(&o, inner, arena, 100), STR("inner bytes")));
    assert_true(str_eq(ole_read(&o, ole_find(&o, 0, "Big"), arena, MIB), big));
    assert_int_equal(ole_find(&o, 0, "inner"), -1);
}

/* Every byte of the head and the directory turned in every way ends, and within the file. */
TEST(compound_files_that_lie)
{
    OleMade in[] = {{"Folder", NULL, {0}, true}, {"Inner", "Folder", STR("inner"), false}};
    Str sound = make_ole(arena, in, COUNT_OF(in));
    char *bytes = arena_alloc_raw(arena, sound.len);
    static const unsigned char values[] = {0, 1, 2, 0x7f, 0xfe, 0xff};
    for (size_t at = 24; at < 512 + 512 + 512; at++)
        for (size_t v = 0; v < COUNT_OF(values); v++) {
            ArenaMark mark = arena_mark(arena);
            Ole o;
            Err err = {0};
            memcpy(bytes, sound.ptr, sound.len);
            bytes[at] = (char)values[v];
            if (ole_open(arena, (Str){bytes, sound.len}, &o, &err) == OK)
                for (size_t i = 0; i < o.len; i++)
                    assert_true(ole_read(&o, (int)i, arena, MIB).len <= sound.len + 512);
            arena_rewind(arena, mark);
        }
}

TEST(names_tell_programs_from_documents)
{
    assert_true(names_is_program(STR("a.EXE")) && names_is_program(STR("x/y.scr. ")));
    assert_false(names_is_program(STR("a.exe.txt")) || names_is_program(STR("exe")));
    assert_true(names_is_script(STR("run.ps1")) && !names_is_script(STR("run.txt")));
}

TEST(text_for_messages_is_harmless)
{
    assert_str_equal(scan_printable(arena,
                                    STR("a\x01"
                                        "b\xe2\x80\xae"
                                        "c\xff"),
                                    100),
                     "a.b.c\xef\xbf\xbd");
    assert_str_equal(scan_utf16(arena, (Str){"a\0\x3d\xd8\x00\xde", 6}), "a\xf0\x9f\x98\x80");
    assert_int_equal(scan_find_nocase(STR("aBcDe"), "BCD"), 1);
    assert_int_equal(scan_find_nocase(STR("abc"), "abcd"), STR_NONE);
    assert_str_equal(scan_find_words(STR("say PowerShell"), "cmd\npowershell"), "powershell");
}

static int begin(void **state)
{
    (void)state;
    arena = arena_open(512 * MIB);
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
    const struct CMUnitTest tests[] = {TEST_ENTRY(ovba_normal_example),
                                       TEST_ENTRY(ovba_maximum_example),
                                       TEST_ENTRY(ovba_damage_ends_and_gives_the_beginning),
                                       TEST_ENTRY(macros_are_read_by_what_they_do),
                                       TEST_ENTRY(compound_files_are_read_back),
                                       TEST_ENTRY(compound_files_that_lie),
                                       TEST_ENTRY(names_tell_programs_from_documents),
                                       TEST_ENTRY(text_for_messages_is_harmless)};
    return cmocka_run_group_tests(tests, begin, end);
}
