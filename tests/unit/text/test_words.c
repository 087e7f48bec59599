/* Words, differences, personal data, readability and kinds: the pure parts of the text engine. */
#include "base/buf.h"
#include "text/analyze.h"
#include "text/myers.h"
#include "text/readability.h"
#include "text/redact.h"
#include "text/sentences.h"
#include "text/words.h"
#include "unit/harness.h"

#include <math.h>
#include <stdlib.h>

static const char *all_words(Arena *a, const char *text)
{
    Buf b = buf_init(a, 4096);
    Words w = words_begin(str_from_c(text));
    for (Word word; words_next(&w, &word);)
        buf_addf(&b, "%s%.*s", b.len > 0 ? "|" : "", (int)word.folded_len, word.folded);
    return buf_c(&b);
}

TEST(words_of_several_scripts)
{
    Arena *a = arena_open(MIB);
    assert_string_equal(all_words(a, "The crane's 2nd GEAR-box!"), "the|cranes|2nd|gearbox");
    assert_string_equal(all_words(a, "Äpfel und Öl"), "äpfel|und|öl");
    assert_string_equal(all_words(a, "東京都 Tokyo"), "東京|京都|tokyo");
    assert_string_equal(all_words(a, "一"), "一");
    assert_string_equal(all_words(a, " - ' "), "");
    assert_true(stop_word("de", STR("und")));
    assert_false(stop_word("de", STR("kran")));
    assert_true(stop_word("en-GB", STR("the")));
    arena_close(&a);
}

TEST(a_lexicon_gives_each_word_its_number)
{
    Arena *a = arena_open(32 * MIB);
    Lexicon l = lexicon_new(a);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++)
            assert_int_equal(lexicon_id(&l, str_printf(a, "w%d", i)), i);
    assert_int_equal(l.len, 20000);
    arena_close(&a);
    Arena *tiny = arena_open(8 * KIB);
    Lexicon small = lexicon_new(tiny);
    for (int i = 0; i < 5000; i++)
        (void)lexicon_id(&small, str_printf(tiny, "w%d", i));
    assert_true(small.failed);
    arena_close(&tiny);
}

/* ---- differences ---- */

enum { ROW_MAX = 6000 };

typedef struct Applied {
    const uint32_t *a, *b;
    uint32_t made[2 * ROW_MAX];
    size_t len, a_at, b_at, changed;
} Applied;

/* The old row and the operations give the new one: nothing may be skipped or said twice. */
static void apply(void *ctx, MyersOp op, size_t a_at, size_t b_at, size_t len)
{
    Applied *p = ctx;
    assert_int_equal(a_at, p->a_at);
    assert_int_equal(b_at, p->b_at);
    for (size_t i = 0; i < len; i++) {
        if (op == MYERS_EQUAL)
            assert_int_equal(p->a[a_at + i], p->b[b_at + i]);
        if (op != MYERS_DELETE)
            p->made[p->len++] = p->b[b_at + i];
    }
    p->a_at += op != MYERS_INSERT ? len : 0;
    p->b_at += op != MYERS_DELETE ? len : 0;
    p->changed += op != MYERS_EQUAL ? len : 0;
}

static size_t check_diff(const uint32_t *a, size_t n, const uint32_t *b, size_t m)
{
    static Applied p;
    p = (Applied){.a = a, .b = b};
    myers_diff(a, n, b, m, apply, &p);
    assert_int_equal(p.a_at, n);
    assert_int_equal(p.b_at, m);
    assert_int_equal(p.len, m);
    for (size_t i = 0; i < m; i++)
        assert_int_equal(p.made[i], b[i]);
    return p.changed;
}

/* By the book, for short rows: n + m - 2 × the longest common subsequence. */
static size_t least_changes(const uint32_t *a, size_t n, const uint32_t *b, size_t m)
{
    static size_t lcs[64][64];
    for (size_t i = 0; i <= n; i++)
        for (size_t k = 0; k <= m; k++) {
            size_t up = i > 0 ? lcs[i - 1][k] : 0, left = k > 0 ? lcs[i][k - 1] : 0;
            lcs[i][k] = i == 0 || k == 0       ? 0
                        : a[i - 1] == b[k - 1] ? lcs[i - 1][k - 1] + 1
                        : up > left            ? up
                                               : left;
        }
    return n + m - 2 * lcs[n][m];
}

TEST(a_difference_turns_the_old_into_the_new_by_the_shortest_way)
{
    uint32_t a[60], b[60];
    srand(7);
    for (int round = 0; round < 3000; round++) {
        size_t n = (size_t)rand() % 60, m = (size_t)rand() % 60;
        unsigned kinds = 1 + (unsigned)rand() % 8;
        for (size_t i = 0; i < n; i++)
            a[i] = (uint32_t)rand() % kinds;
        for (size_t i = 0; i < m; i++)
            b[i] = (uint32_t)rand() % kinds;
        size_t least = least_changes(a, n, b, m), got = check_diff(a, n, b, m);
        if (got != least)
            fail_msg("round %d: %zu changes, the least is %zu", round, got, least);
    }
}

TEST(a_difference_that_is_too_long_is_still_right)
{
    static uint32_t a[ROW_MAX], b[ROW_MAX];
    for (size_t i = 0; i < ROW_MAX; i++) {
        a[i] = (uint32_t)i * 2;
        b[i] = i % 100 == 0 ? a[i] : (uint32_t)i * 2 + 1;
    }
    assert_true(check_diff(a, ROW_MAX, b, ROW_MAX) >= ROW_MAX);
    assert_int_equal(check_diff(a, ROW_MAX, a, ROW_MAX), 0);
    assert_int_equal(check_diff(a, 0, b, 3), 3);
    assert_int_equal(check_diff(a, 3, b, 0), 3);
}

/* ---- personal data ---- */

static void expect_found(const char *text, const char *want)
{
    static const Str names[] = {{"Ida Lund", 8}, {"Bo", 2}};
    Arena *a = arena_open(MIB);
    Buf b = buf_init(a, 4096);
    Finder f = {.text = str_from_c(text), .kinds = ~0u, .names = names, .names_len = 2};
    for (Found found; finder_next(&f, &found);)
        buf_addf(&b, "%s%s:%.*s", b.len > 0 ? "|" : "", personal_name(found.kind),
                 (int)(found.to - found.from), text + found.from);
    if (!str_eq_c(buf_str(&b), want))
        fail_msg("%s\n got %s\nwant %s", text, buf_c(&b), want);
    arena_close(&a);
}

TEST(personal_data_is_found_and_nothing_else)
{
    expect_found("mail a.b+c@mail.example.org.", "email:a.b+c@mail.example.org");
    expect_found("not@host, @x.org, a@b", "");
    expect_found("card 4111 1111 1111 1111 and 4111 1111 1111 1112", "card:4111 1111 1111 1111");
    expect_found("IBAN DE89 3704 0044 0532 0130 00, not DE00 3704 0044 0532 0130 00",
                 "iban:DE89 3704 0044 0532 0130 00");
    expect_found("GB82WEST12345698765432", "iban:GB82WEST12345698765432");
    expect_found("call +49 30 1234567 or (030) 123-4567",
                 "phone:+49 30 1234567|phone:(030) 123-4567");
    expect_found("on 2026-11-22 and 22.11.2026 we paid 1.234.567,89 for 12345678 pieces", "");
    expect_found("at 10.0.0.1 and fe80::1, not 1.2.3.4.5 nor 12:30:45", "ip:10.0.0.1|ip:fe80::1");
    expect_found("IDA LUND met Bo, not Bob", "name:IDA LUND|name:Bo");
    expect_found("", "");
    assert_true(luhn_ok(STR("79927398713")));
    assert_false(luhn_ok(STR("79927398710")));
    assert_true(iban_ok(STR("NO9386011117947")));
    assert_false(iban_ok(STR("NO9386011117948")));
}

/* Any bytes: ranges stay inside and do not overlap. */
TEST(the_finder_stays_inside_its_text)
{
    static const char bits[] = "+()0123456789 .-/@:abcXYZ\n";
    char text[200];
    srand(11);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)rand() % sizeof text, last = 0;
        for (size_t i = 0; i < n; i++)
            text[i] = bits[(size_t)rand() % (sizeof bits - 1)];
        Finder f = {.text = {text, n}, .kinds = ~0u};
        for (Found found; finder_next(&f, &found); last = found.to) {
            assert_true(found.from >= last && found.to > found.from && found.to <= n);
        }
    }
}

/* ---- readability, kinds ---- */

static bool near(double a, double b)
{
    return fabs(a - b) < 0.05;
}

TEST(formulas_give_the_published_values)
{
    Err err = {0};
    assert_ok(sentences_warm(&err), &err);
    assert_int_equal(syllables_of(STR("make")), 1);
    assert_int_equal(syllables_of(STR("table")), 2);
    assert_int_equal(syllables_of(STR("harbour")), 2);
    assert_int_equal(syllables_of(STR("university")), 5);
    assert_int_equal(syllables_of(STR("молоко")), 3);
    Readability r = {0};
    readability_add(&r, STR("The cat sat on the mat. It was happy."));
    assert_int_equal(r.sentences, 2);
    assert_int_equal(r.words, 9);
    assert_int_equal(r.syllables, 10);
    assert_true(near(flesch(&r), 206.835 - 1.015 * 4.5 - 84.6 * 10 / 9));
    assert_true(near(flesch_kincaid(&r), 0.39 * 4.5 + 11.8 * 10 / 9 - 15.59));
    assert_true(near(lix(&r), 4.5));
    const Readability none = {0};
    assert_true(isfinite(smog(&none)) && isfinite(flesch(&none)));
}

static const char *kind_name(const char *heads, const char *text, const char *type)
{
    Kind k;
    kind_of(&(KindFacts){.heads = str_from_c(heads),
                         .text = str_from_c(text),
                         .type = str_from_c(type),
                         .words = 100},
            &k);
    assert_true(k.confidence > 0 && k.confidence <= 1 && k.reasons_len > 0);
    return k.name;
}

TEST(kinds_have_reasons)
{
    assert_string_equal(kind_name("Invoice", "Total due 80 EUR incl. VAT", "application/pdf"),
                        "invoice");
    assert_string_equal(kind_name("Rechnung", "Gesamtbetrag 80 EUR, MwSt 19 %", "application/pdf"),
                        "invoice");
    assert_string_equal(
        kind_name("Abstract\nIntroduction\nReferences", "Smith et al. show …", "application/pdf"),
        "article");
    assert_string_equal(kind_name("", "Dear Ida, … Kind regards, Bo", "text/plain"), "letter");
    assert_string_equal(kind_name("", "nothing special here", "text/plain"), "document");
    assert_string_equal(kind_name("Invoice", "", "text/csv"), "spreadsheet");
}

TEST_MAIN(words_of_several_scripts, a_lexicon_gives_each_word_its_number,
          a_difference_turns_the_old_into_the_new_by_the_shortest_way,
          a_difference_that_is_too_long_is_still_right, personal_data_is_found_and_nothing_else,
          the_finder_stays_inside_its_text, formulas_give_the_published_values, kinds_have_reasons)
