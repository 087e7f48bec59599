#include "archive/names.h"
#include "harness.h"

#include <iconv.h>
#include <locale.h>

/* `text` in another character set, in `a`. */
static Str encode(Arena *a, const char *text, const char *charset)
{
    iconv_t c = iconv_open(charset, "UTF-8");
    assert_true(c != (iconv_t)-1);
    size_t in_left = strlen(text), room = in_left * 2, out_left = room;
    char *out = arena_new(a, char, room), *to = out, *in = (char *)(uintptr_t)text;
    assert_true(iconv(c, &in, &in_left, &to, &out_left) != (size_t)-1);
    iconv_close(c);
    return (Str){out, room - out_left};
}

static const struct {
    const char *charset, *text;
} names[] = {
    {"CP437", "Übersicht Größe.txt\nÄpfel.doc\nrésumé.pdf\n"},
    {"CP866", "Документы для проверки.txt\nфотографии с моря.jpg\nОтчёт за год.doc\n"},
    {"CP1251", "Документы для проверки.txt\nфотографии с моря.jpg\nОтчёт за год.doc\n"},
    {"KOI8-R", "Документы для проверки.txt\nфотографии с моря.jpg\nОтчёт за год.doc\n"},
    {"CP932", "日本語のファイル名.txt\n写真と書類のフォルダ.jpg\nテスト報告書.doc\n"},
    {"GB18030", "中文文件名测试.txt\n照片和文件夹的列表.jpg\n这是一份报告.doc\n"},
    {"BIG5", "繁體中文檔案名稱測試.txt\n這是一份報告書.doc\n照片與資料夾.jpg\n"},
    {"CP437", "Größe.txt"},
    {"CP1252", "Größe und Länge für Öl.txt"},
    {"CP866", "Отчёт за прошлый год.doc"},
    {"CP1251", "Отчёт за прошлый год.doc"},
    {"KOI8-R", "отчёт за прошлый год.doc"},
    {"CP932", "日本語.txt"},
    {"CP949", "한국어 파일 이름.txt\n사진과 문서 폴더.jpg\n보고서 최종본.doc\n"},
};

TEST(guessed_and_decoded)
{
    Err err = {0};
    Arena *a = arena_open(1 * MIB);
    assert_ok(names_warm(&err), &err);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        Str raw = encode(a, names[i].text, names[i].charset);
        int charset = names_guess(raw);
        Str got = names_decode(a, raw, charset);
        if (!str_eq_c(got, names[i].text))
            fail_msg("%s was taken for %s: " STR_FMT, names[i].charset, names_choices[charset].name,
                     STR_ARG(got));
    }
    arena_close(&a);
}

TEST(any_bytes_give_text)
{
    Err err = {0};
    Arena *a = arena_open(1 * MIB);
    char all[256];
    assert_ok(names_warm(&err), &err);
    for (int i = 0; i < 256; i++)
        all[i] = (char)(255 - i);
    for (int charset = 1; names_choices[charset].name != NULL; charset++) {
        Str got = names_decode(a, (Str){all, sizeof all}, charset);
        assert_true(got.ptr != NULL && got.len > 0 && str_is_utf8(got));
        assert_str_equal(names_decode(a, STR("plain.txt"), charset), "plain.txt");
    }
    assert_true(names_guess(STR("")) > NAMES_AUTO);
    arena_close(&a);
}

TEST_MAIN(guessed_and_decoded, any_bytes_give_text)
