/* The pure parts of the OCR engine: names of languages, what a file's first bytes say, sizes, and
 * how a page is written. */
#include "ocr/clean.h"
#include "ocr/languages.h"
#include "ocr/output.h"
#include "ocr/picture.h"
#include "ocr/render.h"
#include "unit/harness.h"

#include <math.h>

static const char *const some[] = {"ara", "chi_sim", "deu", "eng", "jpn"};
static const LanguageSet installed = {some, COUNT_OF(some)};

TEST(languages_by_any_name)
{
    static const struct {
        const char *word, *code;
    } cases[] = {
        {"eng", "eng"},           {"en", "eng"},          {"English", "eng"},
        {"german", "deu"},        {"de-AT", "deu"},       {"zh", "chi_sim"},
        {"zh-TW", "chi_tra"},     {"Farsi", "fas"},       {" Japanese ", "jpn"},
        {"jpn_vert", "jpn_vert"}, {"Klingon", "Klingon"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str_equal(languages_code(str_from_c(cases[i].word)), cases[i].code);
}

static ErrCode choose(const char *word, char out[LANGUAGES_TEXT_MAX], LanguageSet have, Err *err)
{
    Str item = str_from_c(word);
    return languages_choose(&(StrList){&item, 1}, have, out, err);
}

TEST(languages_are_chosen_or_refused)
{
    char out[LANGUAGES_TEXT_MAX];
    Err err = {0};
    assert_int_equal(choose("German+eng", out, installed, &err), OK);
    assert_string_equal(out, "deu+eng");
    assert_int_equal(choose("auto", out, installed, &err), OK);
    assert_string_equal(out, "");
    assert_int_equal(choose("French", out, installed, &err), ERR_BAD_PARAM);
    assert_non_null(strstr(err.hint, "apt-get install tesseract-ocr-fra"));
    assert_non_null(strstr(err.hint, "ara, chi_sim, deu, eng"));
    assert_string_equal(err.param, "languages");
    assert_int_equal(choose("chi_tra", out, installed, &err), ERR_BAD_PARAM);
    assert_non_null(strstr(err.hint, "tesseract-ocr-chi-tra"));
    assert_int_equal(choose("Klingon", out, installed, &err), ERR_BAD_PARAM);
    assert_null(strstr(err.hint, "apt-get"));
    assert_int_equal(choose("auto", out, (LanguageSet){0}, &err), ERR_ENGINE_MISSING);
    assert_int_equal(choose("eng+eng+eng+eng+eng+eng+eng+eng+eng", out, installed, &err),
                     ERR_BAD_PARAM);
}

TEST(languages_for_what_was_detected)
{
    assert_string_equal(languages_first(installed), "eng");
    assert_string_equal(languages_of_iso(installed, "de"), "deu");
    assert_null(languages_of_iso(installed, "fr"));
    assert_string_equal(languages_of_script(installed, "Arabic"), "ara");
    assert_string_equal(languages_of_script(installed, "Latin"), "eng");
    assert_string_equal(languages_of_script(installed, "Katakana"), "jpn");
    assert_null(languages_of_script(installed, "Hangul"));
    assert_string_equal(languages_script("heb"), "Hebrew");
}

/* --- files */

TEST(kinds_of_pictures)
{
    static const struct {
        Str bytes;
        PictureKind kind;
    } cases[] = {
        {STR("\xff\xd8\xff\xe0"), PICTURE_JPEG},
        {STR("\x89PNG\r\n\x1a\n"), PICTURE_PNG},
        {STR("II*\0\x08\0\0\0"), PICTURE_TIFF},
        {STR("P5 1 1 255 x"), PICTURE_PNM},
        {STR("RIFF\0\0\0\0WEBP"), PICTURE_WEBP},
        {STR("GIF89a"), PICTURE_GIF},
        {STR("P5"), PICTURE_NONE},
        {STR("BM"), PICTURE_NONE},
        {STR(""), PICTURE_NONE},
        {STR("%PDF-1.4"), PICTURE_NONE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(picture_kind(cases[i].bytes), cases[i].kind);
    assert_string_equal(picture_other(STR("\0\0\0\x18"
                                          "ftypheic")),
                        "a HEIC picture");
    assert_null(picture_other(STR("hello")));
}

TEST(pages_of_tiff)
{
    /* Two folders without entries; then one that points at itself; then one beyond the end. */
    static const char two[] = "II*\0\x08\0\0\0\0\0\x0e\0\0\0\0\0\0\0\0\0";
    assert_int_equal(picture_pages(PICTURE_TIFF, (Str){two, sizeof two - 1}), 2);
    static const char loop[] = "MM\0*\0\0\0\x08\0\0\0\0\0\x08";
    assert_int_equal(picture_pages(PICTURE_TIFF, (Str){loop, sizeof loop - 1}), PICTURE_PAGES_MAX);
    static const char beyond[] = "II*\0\xff\xff\xff\x7f";
    assert_int_equal(picture_pages(PICTURE_TIFF, (Str){beyond, sizeof beyond - 1}), 1);
    assert_int_equal(picture_pages(PICTURE_PNG, STR("")), 1);
}

TEST(orientation_of_photos)
{
    static const char turned[] = "\xff\xd8\xff\xe1\0\x22"
                                 "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
                                 "\0\0\0\0";
    assert_int_equal(picture_orientation(PICTURE_JPEG, (Str){turned, sizeof turned - 1}), 6);
    for (size_t cut = 0; cut < sizeof turned - 1; cut++) { /* never beyond the end */
        int o = picture_orientation(PICTURE_JPEG, (Str){turned, cut});
        assert_true(o == 1 || o == 6);
    }
    assert_int_equal(picture_orientation(PICTURE_PNG, (Str){turned, sizeof turned - 1}), 1);
}

/* --- sizes */

TEST(scaling_before_reading)
{
    static const struct {
        const char *why;
        double w, h, dpi, letter, want;
    } cases[] = {
        {"a usual scan stays", 2480, 3508, 300, 0, 1},
        {"600 dpi are halved", 4960, 7016, 600, 0, 0.5},
        {"a monster", 4000, 2864, 2400, 0, 0.125},
        {"small print grows", 400, 300, 0, 8, 2.75},
        {"not more than three times", 400, 300, 0, 5, 3},
        {"a large photo of unknown size", 10000, 8000, 0, 0, 0.7071},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double got = clean_scale_factor(cases[i].w, cases[i].h, cases[i].dpi, cases[i].letter);
        if (fabs(got - cases[i].want) > 0.001)
            fail_msg("%s: %f", cases[i].why, got);
    }
}

TEST(resolution_and_text_of_pages)
{
    RenderPage page = {.width = 595, .height = 842, .picture_dpi = 200, .picture_covers = 1};
    assert_true(render_dpi(&page) == 200);
    page.picture_dpi = 600;
    assert_true(render_dpi(&page) == 300);
    page.picture_covers = 0.1; /* a logo */
    assert_true(render_dpi(&page) == 300);
    page.width = 10000, page.height = 10000; /* a poster */
    assert_true(render_dpi(&page) < 50);

    assert_false(render_has_text(&(RenderPage){.characters = 0}));
    assert_true(render_has_text(&(RenderPage){.characters = 3}));
    assert_false(render_has_text(&(RenderPage){.characters = 12, .picture_covers = 0.95}));
    assert_true(render_has_text(&(RenderPage){.characters = 900, .picture_covers = 0.95}));
}

TEST(turning_and_back)
{
    for (int degrees = 0; degrees < 360; degrees += 90) {
        OcrMatrix m = ocr_matrix_turn(degrees, 100, 60);
        OcrBox all = ocr_matrix_box(m, (OcrBox){0, 0, 100, 60});
        bool lies = degrees % 180 != 0;
        assert_true(all.x0 == 0 && all.y0 == 0 && all.x1 == (lies ? 60 : 100) &&
                    all.y1 == (lies ? 100 : 60));
        OcrPoint p = ocr_matrix_point(ocr_matrix_then(m, ocr_matrix_invert(m)), (OcrPoint){7, 9});
        assert_true(fabs(p.x - 7) < 1e-9 && fabs(p.y - 9) < 1e-9);
    }
    /* The top left corner of a page turned clockwise by a quarter is its top right one. */
    OcrPoint corner = ocr_matrix_point(ocr_matrix_turn(90, 100, 60), (OcrPoint){0, 0});
    assert_true(corner.x == 60 && corner.y == 0);
}

/* --- forms of output */

static OcrWord words[] = {
    {.text = {"Tom", 3}, .box = {10, 20, 40, 30}, .confidence = 0.9},
    {.text = {"&", 1}, .box = {45, 20, 50, 30}, .confidence = 0.8, .space_before = true},
    {.text = {"Ida", 3}, .box = {10, 40, 40, 50}, .confidence = 0.7},
};
static OcrLine lines[] = {
    {.box = {10, 20, 50, 30}, .confidence = 0.85, .block = 1, .paragraph = 1, .first = 0, .len = 2},
    {.box = {10, 40, 40, 50}, .confidence = 0.7, .block = 1, .paragraph = 2, .first = 2, .len = 1},
};
static const OcrPage page = {.page_no = 3,
                             .width = 200,
                             .height = 100,
                             .confidence = 0.8,
                             .language = "eng",
                             .lines = lines,
                             .lines_len = 2,
                             .words = words,
                             .words_len = 3};

TEST(pages_as_text_and_markup)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Buf b = buf_init(a, 1 * MIB);
    output_text(&b, &page);
    assert_str_equal(buf_str(&b), "Tom &\n\nIda\n");

    buf_clear(&b);
    output_json(&b, &page);
    const Json *j = NULL;
    Err err = {0};
    assert_ok(json_parse(a, buf_str(&b), &j, &err), &err);
    const Json *first = json_get(j, "lines")->first;
    assert_str_equal(json_text(json_get(first, "text")), "Tom &");
    assert_int_equal(json_get(first, "words")->len, 2);
    assert_int_equal(json_int(json_get(j, "page"), 0), 3);

    buf_clear(&b);
    output_tsv(&b, &page, 2);
    assert_true(str_find(buf_str(&b), STR("5\t3\t1\t1\t1\t2\t90\t40\t10\t20\t80.000000\t&\n")) !=
                STR_NONE);
    buf_clear(&b);
    output_hocr(&b, &page, 1);
    assert_true(str_find(buf_str(&b), STR("bbox 45 20 50 30; x_wconf 80\">&amp;</span>")) !=
                STR_NONE);
    buf_clear(&b);
    output_hocr(&b, &(OcrPage){.page_no = 1, .width = 9, .height = 9}, 1);
    assert_true(str_find(buf_str(&b), STR("</p>")) == STR_NONE); /* nothing to close */
}

TEST(forms_are_named)
{
    Str names[] = {STR("text"), STR("pdf")};
    StrList list = {names, 2};
    int which = 0;
    Err err = {0};
    assert_ok(outputs_parse(&list, true, &which, &err), &err);
    assert_int_equal(which, OUTPUT_TEXT | OUTPUT_PDF);
    assert_int_equal(outputs_parse(&list, false, &which, &err), ERR_BAD_PARAM);
    assert_string_equal(err.param, "format");
    assert_str_equal(outputs_base_name(STR("a/b\\scan.tar.pdf")), "scan.tar");
    assert_str_equal(outputs_base_name(STR("")), "ocr");
}

TEST_MAIN(languages_by_any_name, languages_are_chosen_or_refused, languages_for_what_was_detected,
          kinds_of_pictures, pages_of_tiff, orientation_of_photos, scaling_before_reading,
          resolution_and_text_of_pages, turning_and_back, pages_as_text_and_markup, forms_are_named)
