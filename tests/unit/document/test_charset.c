#include "document/charset.h"
#include "unit/harness.h"

#include <iconv.h>

static size_t test_encode(const char *library, const char *text, char *out, size_t size)
{
    iconv_t cd = iconv_open(library, "UTF-8");
    assert_true(cd != (iconv_t)-1);
    char *in = (char *)(uintptr_t)text, *to = out;
    size_t in_left = strlen(text), left = size;
    assert_int_equal(iconv(cd, &in, &in_left, &to, &left), 0);
    iconv_close(cd);
    return size - left;
}

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

TEST(reads_any_encoding)
{
    static const struct {
        const char *why;
        Str bytes;
        const char *declared, *want, *used;
    } cases[] = {
        {"plain", BYTES("abc"), "", "abc", "US-ASCII"},
        {"UTF-8", BYTES("\xC3\xA4"), "", "\xC3\xA4", "UTF-8"},
        {"UTF-8 wins over a false declaration", BYTES("\xC3\xA4"), "iso-8859-1", "\xC3\xA4",
         "UTF-8"},
        {"a mark goes",
         BYTES("\xEF\xBB\xBF"
               "a"),
         "", "a", "UTF-8"},
        {"UTF-16LE by its mark", BYTES("\xFF\xFE\xE4\0"), "", "\xC3\xA4", "UTF-16LE"},
        {"UTF-16BE by its mark", BYTES("\xFE\xFF\0\xE4"), "", "\xC3\xA4", "UTF-16BE"},
        {"UTF-32BE by its mark", BYTES("\0\0\xFE\xFF\0\0\0\x61"), "", "a", "UTF-32BE"},
        {"UTF-16LE by its zeros", BYTES("h\0e\0l\0l\0o\0"), "", "hello", "UTF-16LE"},
        {"UTF-16BE by its zeros", BYTES("\0h\0e\0l\0l\0o"), "", "hello", "UTF-16BE"},
        {"UTF-32LE by its zeros", BYTES("h\0\0\0i\0\0\0"), "", "hi", "UTF-32LE"},
        {"a pair of surrogates", BYTES("\xFF\xFE\x3D\xD8\x00\xDE"), "", "\xF0\x9F\x98\x80",
         "UTF-16LE"},
        {"half a pair",
         BYTES("\xFF\xFE\x3D\xD8"
               "a\0"),
         "",
         "\xEF\xBF\xBD"
         "a",
         "UTF-16LE"},
        {"an odd byte at the end",
         BYTES("\xFF\xFE"
               "a\0b"),
         "", "a\xEF\xBF\xBD", "UTF-16LE"},
        {"declared", BYTES("\xE4"), "latin1", "\xC3\xA4", "windows-1252"},
        {"declared by an old name", BYTES("\xCE\xC4"), "gb2312", "\xE6\x96\x87", "GB18030"},
        {"Japanese mail", BYTES("\x1B$B$\"\x1B(B"), "", "\xE3\x81\x82", "ISO-2022-JP"},
        {"declared, one byte does not fit", BYTES("\xB1\xE2\x81"), "windows-1253", "", NULL},
    };
    CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Err err = {0};
        Str out;
        const char *used;
        assert_ok(
            charset_to_utf8(a, cases[i].bytes, str_from_c(cases[i].declared), &out, &used, &err),
            &err);
        assert_true(str_is_utf8(out));
        if (cases[i].used == NULL)
            continue;
        if (strcmp(used, cases[i].used) != 0 || !str_eq_c(out, cases[i].want))
            fail_msg("%s: got \"" STR_FMT "\" in %s", cases[i].why, STR_ARG(out), used);
    }
}

/* Text long enough to guess from. */
TEST(guesses)
{
    static const struct {
        const char *library, *used, *text;
    } cases[] = {
        {"KOI8-R", "KOI8-R",
         "\xD0\xA0\xD0\xB0\xD0\xBD\xD0\xBE \xD1\x83\xD1\x82\xD1\x80\xD0\xBE\xD0\xBC "
         "\xD1\x80\xD1\x8B\xD0\xB1\xD0\xB0\xD0\xBA\xD0\xB8 "
         "\xD0\xB2\xD1\x8B\xD1\x88\xD0\xBB\xD0\xB8 \xD0\xB2 \xD0\xBC\xD0\xBE\xD1\x80\xD0\xB5, "
         "\xD0\xB8 \xD0\xB2\xD0\xBE\xD0\xB4\xD0\xB0 "
         "\xD0\xBB\xD0\xB5\xD0\xB6\xD0\xB0\xD0\xBB\xD0\xB0 "
         "\xD1\x80\xD0\xBE\xD0\xB2\xD0\xBD\xD0\xB0\xD1\x8F."},
        {"SHIFT_JIS", "Shift_JIS",
         "\xE4\xBB\x8A\xE6\x97\xA5\xE3\x81\xAF\xE5\xA4\xA9\xE6\xB0\x97\xE3\x81\x8C\xE3\x81\xA8\xE3"
         "\x81\xA6\xE3\x82\x82\xE3\x81\x84\xE3"
         "\x81\x84\xE3\x81\xA7\xE3\x81\x99\xE3\x81\xAD\xE3\x80\x82\xE6\x95\xA3\xE6\xAD\xA9\xE3\x81"
         "\xAB\xE8\xA1\x8C\xE3\x81\x8D\xE3\x81"
         "\xBE\xE3\x81\x97\xE3\x82\x87\xE3\x81\x86\xE3\x80\x82"},
    };
    CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Err err = {0};
        char old[512];
        Str out;
        const char *used;
        size_t n = test_encode(cases[i].library, cases[i].text, old, sizeof old);
        assert_ok(charset_to_utf8(a, (Str){old, n}, STR(""), &out, &used, &err), &err);
        assert_string_equal(used, cases[i].used);
        assert_str_equal(out, cases[i].text);
    }
}

TEST(finds_declarations)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"<?xml version='1.0' encoding='koi8-r'?><a/>", "koi8-r"},
        {"<html><meta charset=\"EUC-JP\">", "euc-jp"},
        {"<meta http-equiv=Content-Type content='text/html; charset=windows-1251'>",
         "windows-1251"},
        {"<p>no charset here</p>", ""},
        {"charset", ""},
        {"charset =", ""},
    };
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str_equal(charset_declared(a, str_from_c(cases[i].text)), cases[i].want);
}

TEST(tables_are_loaded_once)
{
    Err err = {0};
    assert_ok(charset_warm(&err), &err);
    assert_string_equal(charset_name(STR(" Latin1 ")), "windows-1252");
    assert_null(charset_name(STR("nothing")));
    guesses(NULL);
}

/* A sentence or two in each, without a mark and without a word on what they are. */
TEST(guesses_without_a_hint)
{
    static const struct {
        const char *charset, *text;
    } cases[] = {
        {"KOI8-R", "Рано утром рыбаки вышли в море. Ветер был слабый, и вода лежала ровная."},
        {"CP1251", "Рано утром рыбаки вышли в море. Ветер был слабый, и вода лежала ровная."},
        {"CP866", "Рано утром рыбаки вышли в море. Ветер был слабый, и вода лежала ровная."},
        {"CP1252", "Früh am Morgen fuhren die Fischer hinaus; über dem Hafen lag Nebel, größer "
                   "als je."},
        {"CP850", "Früh am Morgen fuhren die Fischer hinaus; über dem Hafen lag Nebel, größer "
                  "als je."},
        {"CP1250", "Wcześnie rano rybacy wypłynęli w morze. Wiatr był słaby, a woda gładka jak "
                   "szkło."},
        {"ISO-8859-7", "Νωρίς το πρωί οι ψαράδες βγήκαν στη θάλασσα. Ο άνεμος ήταν ασθενής."},
        {"CP1254", "Sabah erkenden balıkçılar denize açıldı. Rüzgâr zayıftı, su cam gibi "
                   "düzgündü."},
        {"CP1255", "בשעת בוקר מוקדמת יצאו הדייגים לים. הרוח הייתה חלשה והמים היו שקטים."},
        {"CP874", "เช้าตรู่ชาวประมงออกไปในทะเล ลมพัดเบาและน้ำนิ่งเหมือนกระจก"},
        {"SHIFT-JIS", "朝早く漁師たちは海に出た。風は弱く、水面は鏡のように静かだった。"},
        {"EUC-JP", "朝早く漁師たちは海に出た。風は弱く、水面は鏡のように静かだった。"},
        {"EUC-KR", "이른 아침 어부들이 바다로 나갔다. 바람은 약했고 물은 유리처럼 잔잔했다."},
        {"GB18030", "清晨，渔民们出海了。风很小，水面平静得像一面镜子。"},
        {"BIG5", "清晨，漁民們出海了。風很小，水面平靜得像一面鏡子。"},
        {"UTF-16BE", "朝早く漁師たちは海に出た。風は弱く、水面は鏡のように静かだった。"},
        {"UTF-16LE", "朝早く漁師たちは海に出た。風は弱く、水面は鏡のように静かだった。"},
        {"UTF-32BE", "朝早く漁師たちは海に出た。風は弱く、水面は鏡のように静かだった。"},
    };
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        iconv_t cd = iconv_open(cases[i].charset, "UTF-8");
        assert_true(cd != (iconv_t)-1);
        char bytes[1024], *in = (char *)(uintptr_t)cases[i].text, *to = bytes;
        size_t in_left = strlen(cases[i].text), left = sizeof bytes;
        assert_int_equal(iconv(cd, &in, &in_left, &to, &left), 0);
        iconv_close(cd);
        Str text;
        const char *used = NULL;
        Err err = {0};
        assert_ok(
            charset_to_utf8(a, (Str){bytes, sizeof bytes - left}, STR(""), &text, &used, &err),
            &err);
        if (!str_eq_c(text, cases[i].text))
            fail_msg("%s was read as %s", cases[i].charset, used);
    }
}

TEST_MAIN(guesses_without_a_hint, reads_any_encoding, guesses, finds_declarations,
          tables_are_loaded_once)
