/* What becomes what, by which name, and which archives are bombs. LibreOffice itself is met in
 * tests/e2e/test_office.py. */
#include "office/office.h"
#include "unit/harness.h"

#include <sys/mman.h>
#include <unistd.h>

TEST(every_kind_becomes_a_pdf_and_nothing_it_cannot)
{
    const char *options;
    for (int k = 0; k < OFFICE_KINDS; k++)
        assert_non_null(office_export((OfficeKind)k, OFFICE_PDF, &options));
    assert_null(office_export(OFFICE_SHEET, OFFICE_DOCX, &options));
    assert_null(office_export(OFFICE_SLIDES, OFFICE_CSV, &options));
    assert_null(office_export(OFFICE_KINDS, OFFICE_PDF, &options));
    assert_null(office_export((OfficeKind)-1, OFFICE_PDF, &options));
    assert_string_equal(office_export(OFFICE_TEXT, OFFICE_TXT, &options), "Text (encoded)");
    assert_string_equal(options, "UTF8,LF,,,");
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    assert_str_equal(office_possible(a, OFFICE_FORMULA), "pdf");
    assert_int_equal(office_possible(a, OFFICE_KINDS).len, 0);
}

TEST(every_format_has_a_name_and_a_type)
{
    for (int f = 0; f < OFFICE_FORMATS; f++) {
        assert_non_null(office_format_choices[f].name);
        assert_non_null(office_media_type((OfficeFormat)f));
    }
    assert_null(office_format_choices[OFFICE_FORMATS].name);
}

TEST(the_extension_is_of_the_type_or_else_of_the_name)
{
    static const struct {
        const char *type, *name, *want;
    } cases[] = {
        {"application/msword", "x.bin", "doc"},
        {"application/vnd.oasis.opendocument.text", "", "odt"},
        {"text/csv; charset=utf-8", "x", "csv"},
        {"", "a/b/letter.WPD", "WPD"},
        {"application/octet-stream", "x.docx", "docx"},
        {"", "no extension", "bin"},
        {"", "x.do/cx", "bin"},
        {"", "x.verylong", "bin"},
        {"", "", "bin"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str_equal(office_extension(str_from_c(cases[i].type), str_from_c(cases[i].name)),
                         cases[i].want);
}

/* The skeleton of a ZIP file with one entry that claims `unpacked` bytes. */
static size_t make_zip(char *to, uint32_t unpacked)
{
    size_t len = 0;
    memcpy(to, "PK\3\4----", 8);
    len = 8;
    memset(to + len, 0, 46 + 22);
    memcpy(to + len, "PK\1\2", 4);
    memcpy(to + len + 24, &unpacked, 4);
    char *end = to + len + 46;
    uint32_t directory_len = 46, directory_at = 8;
    memcpy(end, "PK\5\6", 4);
    memcpy(end + 12, &directory_len, 4);
    memcpy(end + 16, &directory_at, 4);
    return len + 46 + 22;
}

static ErrCode check(const char *bytes, size_t len)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Err err = {0};
    int fd = memfd_create("zip", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    StepCtx c = {.arena = a, .err = &err, .input_fd = fd};
    ErrCode rc = office_check_bomb(&c);
    close(fd);
    return rc;
}

TEST(what_unpacks_to_too_much_is_refused)
{
    char zip[256];
    assert_int_equal(check(zip, make_zip(zip, 1000)), OK);
    assert_int_equal(check(zip, make_zip(zip, 60 << 20)), OK); /* suspicious, but harmless */
    assert_int_equal(check(zip, make_zip(zip, 100 << 20)), ERR_LIMIT_RATIO);
    assert_int_equal(check(zip, make_zip(zip, UINT32_MAX)), ERR_LIMIT_RATIO);
    size_t len = make_zip(zip, UINT32_MAX);
    assert_int_equal(check(zip, len - 5), OK); /* cut short: LibreOffice will say */
    assert_int_equal(check("plain text, and a long one at that", 34), OK);
    assert_int_equal(check("", 0), OK);
}

TEST_MAIN(every_kind_becomes_a_pdf_and_nothing_it_cannot, every_format_has_a_name_and_a_type,
          the_extension_is_of_the_type_or_else_of_the_name, what_unpacks_to_too_much_is_refused)
