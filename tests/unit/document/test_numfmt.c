#include "document/numfmt.h"
#include "unit/harness.h"

TEST(shows_numbers_as_a_spreadsheet_does)
{
    static const struct {
        const char *code, *raw, *want;
    } cases[] = {
        {"General", "5", "5"},
        {"General", "5.0", "5"},
        {"General", "0.30000000000000004", "0.3"},
        {"General", "4.2999999999999998", "4.3"},
        {"General", "1E+20", "1E+20"},
        {"General", "-0.5", "-0.5"},
        {"General", "12345678901234567890", "1.23456789012346E+19"},
        {"0", "2.6", "3"},
        {"0.00", "2", "2.00"},
        {"#,##0", "1234567", "1,234,567"},
        {"#,##0.00", "-1234.5", "-1,234.50"},
        {"0%", "0.256", "26%"},
        {"0.0%", "0.256", "25.6%"},
        {"\"$\"#,##0.00", "1234.5", "$1,234.50"},
        {"[$€-407]#,##0.00", "9.5", "€9.50"},
        {"#,##0.00\\ \"€\"", "9.5", "9.50 €"},
        {"#,##0;(#,##0)", "-1200", "(1,200)"},
        {"0;-0;\"-\"", "0", "-"},
        {"[Red]0.0", "1.25", "1.2"},
        {"0.00E+00", "12345", "1.23E+04"},
        {"#,##0,", "1234567", "1,235"},
        {"0.##", "1.5", "1.5"},
        {"0.##", "2", "2"},
        {"000", "7", "007"},
        {"@", "12", "12"},
        {"_(* #,##0_)", "12", "12"},
        {"0", "text", "text"},
        {"0", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        Buf b = buf_init(a, 4 * KIB);
        NumFormat f = numfmt_parse(str_from_c(cases[i].code));
        numfmt_put(&b, &f, str_from_c(cases[i].raw), false);
        if (!str_eq_c(buf_str(&b), cases[i].want))
            fail_msg("%s of %s: got \"" STR_FMT "\", want \"%s\"", cases[i].code, cases[i].raw,
                     STR_ARG(buf_str(&b)), cases[i].want);
    }
}

TEST(shows_dates_by_iso)
{
    static const struct {
        const char *code, *raw, *want;
        bool date1904;
    } cases[] = {
        {"m/d/yyyy", "44197", "2021-01-01", false},
        {"dd.mm.yyyy hh:mm", "44197.5", "2021-01-01 12:00", false},
        {"mmm-yy", "44197", "2021-01", false},
        {"yyyy", "44197", "2021", false},
        {"h:mm", "0.75", "18:00", false},
        {"h:mm:ss AM/PM", "0.75", "18:00:00", false},
        {"mm:ss", "0.0423611111", "61:00", false},
        {"[h]:mm:ss", "1.5", "36:00:00", false},
        {"[h]:mm", "10.633", "255:11", false},
        {"[$-409]d\\-mmm\\-yyyy;@", "43831", "2020-01-01", false},
        {"yyyy-mm-dd", "1", "1900-01-01", false},
        {"yyyy-mm-dd", "61", "1900-03-01", false},
        {"yyyy-mm-dd", "0", "1904-01-01", true},
        {"yyyy-mm-dd", "44197.9999999", "2021-01-02", false},
        {"yyyy-mm-dd", "-5", "-5", false},
        {"yyyy-mm-dd", "1e9", "1000000000", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        Buf b = buf_init(a, 4 * KIB);
        NumFormat f = numfmt_parse(str_from_c(cases[i].code));
        assert_true(numfmt_is_date(&f));
        numfmt_put(&b, &f, str_from_c(cases[i].raw), cases[i].date1904);
        if (!str_eq_c(buf_str(&b), cases[i].want))
            fail_msg("%s of %s: got \"" STR_FMT "\", want \"%s\"", cases[i].code, cases[i].raw,
                     STR_ARG(buf_str(&b)), cases[i].want);
    }
}

TEST(builtin_formats_have_codes)
{
    assert_string_equal(numfmt_builtin(0), "General");
    assert_string_equal(numfmt_builtin(9), "0%");
    assert_string_equal(numfmt_builtin(14), "yyyy-mm-dd");
    assert_string_equal(numfmt_builtin(-1), "General");
    assert_string_equal(numfmt_builtin(9999), "General");
}

TEST_MAIN(shows_numbers_as_a_spreadsheet_does, shows_dates_by_iso, builtin_formats_have_codes)
