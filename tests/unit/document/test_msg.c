/* Compound files and what is in them: Outlook's messages, compressed RTF, locked Office files. */
#include "document/ole.h"
#include "document/ooxml_crypt.h"
#include "document/readers.h"
#include "document/rtfcp.h"
#include "unit/document/office.h"

static Str sample(Arena *a, const char *name)
{
    char path[1024];
    Str bytes = {0};
    Err err = {0};
    const char *root = getenv("PLATEN_ROOT");
    snprintf(path, sizeof path, "%s/samples/%s", root != NULL ? root : ".", name);
    assert_ok(fd_read_path(path, a, 1 * MIB, &bytes, &err), &err);
    return bytes;
}

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

TEST(finds_what_lies_in_storages)
{
    CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
    Ole o;
    Err err = {0};
    assert_ok(ole_open(a, sample(a, "mail.msg"), &o, &err), &err);
    int attached = ole_find(&o, 0, "__ATTACH_version1.0_#00000000");
    assert_true(attached > 0);
    Str table = ole_read(&o, ole_find(&o, attached, "__substg1.0_37010102"), a, 1 * MIB);
    assert_true(str_starts(table, STR("Boat,Berth\r\n")));
    assert_int_equal(ole_read(&o, ole_find(&o, attached, "__substg1.0_37010102"), a, 4).len, 4);
    assert_int_equal(ole_find(&o, 0, "__substg1.0_37010102"), -1);
    assert_true(ole_find_any(&o, "__substg1.0_37010102") > 0);
    assert_int_equal(ole_read(&o, -1, a, 10).len, 0);
}

TEST(reads_large_streams)
{
    CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
    Ole o;
    Err err = {0};
    assert_ok(ole_open(a, sample(a, "locked.docx"), &o, &err), &err);
    Str package = ole_read(&o, ole_find(&o, 0, "EncryptedPackage"), a, 1 * MIB);
    assert_int_equal(package.len, o.entries[ole_find(&o, 0, "EncryptedPackage")].size_bytes);
}

TEST(unpacks_rtf)
{
    static const struct {
        Str packed, want;
    } cases[] = {
        /* the examples of MS-OXRTFCP */
        {BYTES("\x2D\0\0\0\x2B\0\0\0LZFu\xF1\xC5\xC7\xA7\x03\0\x0A\0rcpg125B2\x0A\xF3 "
               "hel\x09\0 bw\x05\xB0ld}\x0A\x80\x0F\xA0"),
         BYTES("{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n")},
        {BYTES("\x1A\0\0\0\x1C\0\0\0LZFu\xE2\xD4\x4B\x51\x41\0\x04 WXYZ\x0Dn}\x01\x0E\xB0"),
         BYTES("{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}")},
        {BYTES("\x11\0\0\0\x05\0\0\0MELA\0\0\0\0{\\a}x"), BYTES("{\\a}x")},
        {BYTES("\x1A\0\0\0\x1C\0\0\0LZFu\xE2\xD4\x4B\x51\x41\0\x04 WX"), BYTES("{\\rtf1 WX")},
    };
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str got;
        Err err = {0};
        assert_ok(rtfcp_unpack(a, cases[i].packed, &got, &err), &err);
        if (!str_eq(got, cases[i].want))
            fail_msg("case %zu: " STR_FMT, i, STR_ARG(got));
    }
    Str got;
    Err err = {0};
    assert_int_equal(rtfcp_unpack(a, STR("{\\rtf1 plain}"), &got, &err), ERR_INPUT_DAMAGED);
}

TEST(unwraps_html)
{
    static const struct {
        const char *rtf, *want;
    } cases[] = {
        {"{\\rtf1\\ansi\\ansicpg1251\\fromhtml1 {\\fonttbl{\\f0 Arial;}}{\\*\\htmltag64 <p>}"
         "\\htmlrtf {\\f0 \\htmlrtf0 a \\'e4\\htmlrtf }\\htmlrtf0 {\\*\\htmltag72 </p>}}",
         "<p>a \xE4</p>"},
        {"{\\rtf1\\fromhtml1 x\\par\\u8364?y\\{z\\}\\line}", "x\r\n&#8364;y{z}\r\n"},
        {"{\\rtf1 no html}", ""},
    };
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t page;
        Str got = rtfcp_html(a, str_from_c(cases[i].rtf), &page);
        if (!str_eq_c(got, cases[i].want))
            fail_msg("case %zu: " STR_FMT, i, STR_ARG(got));
        assert_int_equal(page, i == 0 ? 1251 : 0);
    }
}

TEST(writes_messages)
{
    CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
    check_markdown(read_msg, sample(a, "mail.msg"), false,
                   "# Berths for the summer\n\n"
                   "**From:** Per Lund \\<per@example.org>\\\n**To:** Ida Holm "
                   "\\<ida@example.org>\\\n**Date:** 2026-05-18T09:00:00Z\n\n"
                   "Dear Ida,\n\nthe table of berths is attached, and your note from "
                   "Sunday.\n\nPer\n\n"
                   "## Re: berths\n\n"
                   "**From:** Ida Holm \\<ida@example.org>\\\n**To:** Per Lund "
                   "\\<per@example.org>\\\n**Date:** 2026-05-17T09:00:00Z\n\n"
                   "Berth 14 is free from Friday.\n\n"
                   "**Attachments:**\n\n- berths.csv (text/csv, 58 bytes)\n");
}

TEST(opens_locked_files)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Str locked = sample(a, "locked.docx"), open = sample(a, "report.docx"), got;
    Err err = {0};
    assert_ok(ooxml_decrypt(a, locked, STR("harbour"), &got, &err), &err);
    assert_true(str_eq(got, open));
    assert_int_equal(ooxml_decrypt(a, locked, STR("harbor"), &got, &err), ERR_INPUT_ENCRYPTED);
    assert_non_null(strstr(err.text, "does not open"));
    assert_int_equal(ooxml_decrypt(a, locked, STR(""), &got, &err), ERR_INPUT_ENCRYPTED);
    assert_non_null(strstr(err.hint, "password"));
}

/* Cut anywhere, or with a byte changed anywhere in its head and directory: a result or a reason. */
TEST(survives_damage)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Str whole = sample(a, "mail.msg");
    for (size_t n = 0; n < whole.len; n += n < 1024 ? 17 : 251) {
        char *bytes = malloc(whole.len);
        memcpy(bytes, whole.ptr, whole.len);
        for (int cut = 0; cut < 2; cut++) {
            Sink s;
            sink_open(&s, "mail.msg");
            if (!cut)
                bytes[n] = (char)(bytes[n] ^ 0x5A);
            else
                memcpy(bytes, whole.ptr, whole.len);
            ErrCode rc =
                test_read(&s, read_msg, (Str){bytes, cut ? n : whole.len}, DOC_MARKDOWN, true);
            if (rc != OK)
                assert_true(s.err.text[0] != 0);
            sink_close(&s);
        }
        free(bytes);
    }
}

TEST(every_fault)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    check_every_fault(read_msg, sample(a, "mail.msg"));
}

TEST_MAIN(finds_what_lies_in_storages, reads_large_streams, unpacks_rtf, unwraps_html,
          writes_messages, opens_locked_files, survives_damage, every_fault)
