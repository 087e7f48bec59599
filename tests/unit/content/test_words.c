/* Folding names to words, matching, the beginnings that are walked, families. */
#include "content/words.c" /* white box */
#include "unit/harness.h"

static Arena *arena(void)
{
    static Arena *a;
    if (a == NULL)
        a = arena_open(4 * MIB);
    return a;
}

static Str words(const char *text)
{
    Str w = words_of(arena(), str_from_c(text));
    assert_non_null(w.ptr);
    return w;
}

TEST(names_become_words)
{
    static const struct {
        const char *name, *words;
    } cases[] = {
        {"Annual-Report_2024.PDF", " annual report 2024 pdf "},
        {"Ёлка и ДОМ.txt", " ёлка и дом txt "},
        {"季度报告.docx", " 季 度 报 告 docx "},
        {"Größe ÜBER.md", " größe über md "},
        {"a a A.a", " a "},
        {"...", ""},
        {"", ""},
        {"x\xff\xfey", " x y "},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str_equal(words(cases[i].name), cases[i].words);
}

TEST(a_long_name_has_a_bounded_number_of_words)
{
    char name[4096];
    size_t len = 0;
    for (int i = 0; i < 500; i++)
        len += (size_t)snprintf(name + len, sizeof name - len, "w%d ", i);
    Str w = words_of(arena(), (Str){name, len});
    size_t spaces = 0;
    for (size_t i = 0; i < w.len; i++)
        spaces += w.ptr[i] == ' ';
    assert_int_equal(spaces, WORDS_MAX + 1);
    memset(name, 'z', sizeof name);
    assert_in_range(words_of(arena(), (Str){name, sizeof name}).len, 1, WORD_BYTES_MAX + 2);
}

TEST(a_query_matches_beginnings_of_words)
{
    static const struct {
        const char *name, *query;
        bool yes;
    } cases[] = {
        {"annual report.pdf", "rep", true},
        {"annual report.pdf", "REPORT ann", true},
        {"annual report.pdf", "eport", false},
        {"annual report.pdf", "report 2024", false},
        {"annual report.pdf", "", true},
        {"annual report.pdf", "!!", true},
        {"季度报告", "报告", true},
        {"季度报告", "年", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (words_match(words(cases[i].name), words(cases[i].query)) != cases[i].yes)
            fail_msg("%s in %s", cases[i].query, cases[i].name);
}

TEST(beginnings_are_of_one_to_three_characters)
{
    static const struct {
        const char *name, *keys;
    } cases[] = {
        {"report a md", "r re rep a m md "},
        {"ёлка", "ё ёл ёлк "},
        {"报告", "报 告 "},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Buf b = buf_init(arena(), KIB);
        Str w = words(cases[i].name), key;
        for (size_t at = 0; words_next_key(w, &at, &key);)
            buf_addf(&b, STR_FMT " ", STR_ARG(key));
        assert_str_equal(buf_str(&b), cases[i].keys);
    }
    assert_str_equal(words_key(words("an annual x")), "ann");
    assert_str_equal(words_key(words("")), "");
}

TEST(every_key_of_a_query_is_a_key_of_what_it_matches)
{
    static const char *const names[] = {"Annual-Report_2024.PDF", "Ёлка и дом", "季度 report",
                                        "a b cc ddd eeee"};
    static const char *const queries[] = {"rep", "r", "2024", "ёл", "度", "dd", "eeee a"};
    for (size_t n = 0; n < COUNT_OF(names); n++)
        for (size_t q = 0; q < COUNT_OF(queries); q++) {
            Str name = words(names[n]), query = words(queries[q]), key;
            bool found = false;
            for (size_t at = 0; words_next_key(name, &at, &key);)
                found |= str_eq(key, words_key(query));
            if (words_match(name, query) && !found)
                fail_msg("%s is not found by %s", names[n], queries[q]);
        }
}

TEST(types_and_names_tell_families)
{
    static const struct {
        const char *type, *name, *family;
    } cases[] = {
        {"image/png", "", "image"},
        {"IMAGE/PNG", "", "image"},
        {"application/pdf", "a", "document"},
        {"application/octet-stream", "a.PDF", "document"},
        {"", "song.mp3", "audio"},
        {"", "a.tar.gz", "archive"},
        {"application/zip", "a.docx", "archive"},
        {"", "a", "other"},
        {"", "a.", "other"},
        {"video/mp4", "a.txt", "video"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str_equal(family_of(str_from_c(cases[i].type), str_from_c(cases[i].name)),
                         cases[i].family);
    assert_true(family_known(STR("audio")));
    assert_false(family_known(STR("any")));
}

TEST_MAIN(names_become_words, a_long_name_has_a_bounded_number_of_words,
          a_query_matches_beginnings_of_words, beginnings_are_of_one_to_three_characters,
          every_key_of_a_query_is_a_key_of_what_it_matches, types_and_names_tell_families)
