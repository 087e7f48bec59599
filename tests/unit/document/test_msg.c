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

/* A compound file of one stream: header, table, directory, data. */
static Str one_stream(Arena *a, const char *name, Str data)
{
    enum { SECTOR = 512, SIZE_MIN = 4096 };
    size_t size = data.len < SIZE_MIN ? SIZE_MIN : data.len, sectors = (size + SECTOR - 1) / SECTOR;
    char *file = arena_alloc(a, (3 + sectors) * SECTOR);
    assert_non_null(file);
    memcpy(file, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8);
    Buf head = buf_init(a, SECTOR), table = buf_init(a, SECTOR);
    put16(&head, 0x3E);
    put16(&head, 3);
    put16(&head, 0xFFFE);
    put16(&head, 9);
    put16(&head, 6);
    memcpy(file + 24, head.ptr, head.len);
    memcpy(file + 48, "\1\0\0\0", 4); /* the directory */
    memset(file + 60, 0xFF, SECTOR - 60);
    memcpy(file + 76, "\0\0\0\0", 4); /* the table */
    put32(&table, 0xFFFFFFFD);
    put32(&table, 0xFFFFFFFE);
    for (size_t i = 0; i < sectors; i++)
        put32(&table, i + 1 < sectors ? 3 + i : 0xFFFFFFFE);
    memcpy(file + SECTOR, table.ptr, table.len);
    for (int i = 0; i < 2; i++) {
        char *entry = file + 2 * SECTOR + i * 128;
        const char *text = i == 0 ? "Root Entry" : name;
        for (size_t k = 0; text[k] != 0; k++)
            entry[k * 2] = text[k];
        entry[64] = (char)((strlen(text) + 1) * 2);
        entry[66] = i == 0 ? 5 : 2;
        memset(entry + 68, 0xFF, 12);
        if (i == 0)
            entry[76] = 1, entry[77] = entry[78] = entry[79] = 0;
        entry[116] = 2;
        for (int k = 0; k < 4; k++)
            entry[120 + k] = (char)(size >> (8 * k));
    }
    memcpy(file + 3 * SECTOR, data.ptr, data.len);
    return (Str){file, (3 + sectors) * SECTOR};
}

static void put_record(Buf *b, unsigned kind, unsigned head, Str body)
{
    put16(b, head);
    put16(b, kind);
    put32(b, body.len);
    buf_add(b, body);
}

static Str deck(Arena *a)
{
    Buf list = buf_init(a, 4 * KIB), document = buf_init(a, 4 * KIB), box = buf_init(a, 4 * KIB),
        shape = buf_init(a, 4 * KIB), all = buf_init(a, 8 * KIB);
    put_record(&list, 0x03F3, 0, STR("\0\0\0\0"));
    put_record(&list, 0x0F9F, 0, STR("\0\0\0\0"));
    put_record(&list, 0x0FA0, 0, STR("T\0\xE9\0"));
    put_record(&list, 0x0F9F, 0, STR("\1\0\0\0"));
    put_record(&list, 0x0FA8, 0, STR("a\rb"));
    put_record(&document, 0x0FF0, 15, buf_str(&list));
    put_record(&box, 0x0FA8, 0, STR("in a box"));
    put_record(&shape, 0xF00D, 15, buf_str(&box));
    put_record(&all, 0x03E8, 15, buf_str(&document));
    put_record(&all, 0x03EE, 15, buf_str(&shape));
    return one_stream(a, "PowerPoint Document", buf_str(&all));
}

TEST(reads_old_office_files)
{
    CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
    check_markdown(read_ppt97, deck(a), false, "## T\xC3\xA9\n\na\n\nb\n\nin a box\n");
    Sink s;
    sink_open(&s, "report.doc");
    assert_ok(test_read(&s, read_doc97, sample(a, "report.doc"), DOC_MARKDOWN, false), &s.err);
    assert_non_null(strstr(sink_text(&s).ptr, "| April | 60 | 112 |"));
    assert_non_null(strstr(sink_text(&s).ptr, "[note] After the storms"));
    sink_close(&s);
    check_refused(read_doc97, one_stream(a, "WordDocument", STR("\xEC\xA5\x65\0")),
                  ERR_UNSUPPORTED_TYPE);
    check_refused(read_ppt97, one_stream(a, "Other", STR("x")), ERR_INPUT_DAMAGED);
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
    check_every_fault(read_doc97, sample(a, "report.doc"));
}

TEST_MAIN(finds_what_lies_in_storages, reads_large_streams, unpacks_rtf, unwraps_html,
          writes_messages, opens_locked_files, reads_old_office_files, survives_damage, every_fault)
