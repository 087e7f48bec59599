/* The text layer: words of known places are laid into PDFs of every rotation, and read back by the
 * PDF library, which must find them where they were put. */
#include "ocr/pdf_write.h"
#include "ocr/render.h"
#include "ocr/text_layer.h"
#include "unit/harness.h"

#include "base/fd.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

static Arena *arena;

/* One empty page. */
static Str make_pdf(const char *page_keys)
{
    Buf b = buf_init(arena, 64 * KIB);
    buf_add_c(&b, "%PDF-1.6\n");
    size_t at1 = b.len;
    buf_add_c(&b, "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n");
    size_t at2 = b.len;
    buf_add_c(&b, "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n");
    size_t at3 = b.len;
    buf_addf(&b, "3 0 obj\n<< /Type /Page /Parent 2 0 R %s >>\nendobj\n", page_keys);
    size_t xref = b.len;
    buf_addf(&b,
             "xref\n0 4\n0000000000 65535 f \n%010zu 00000 n \n%010zu 00000 n \n%010zu 00000 n \n"
             "trailer << /Size 4 /Root 1 0 R >>\nstartxref\n%zu\n%%%%EOF\n",
             at1, at2, at3, xref);
    assert_false(b.failed);
    return buf_str(&b);
}

static Str written(PdfWrite *w)
{
    Err err = {0};
    Str out;
    CLEANUP(fd_close) int fd = memfd_create("pdf", MFD_CLOEXEC);
    assert_ok(pdf_write_end(w, fd, &err), &err);
    assert_ok(fd_read_file(fd, arena, 4 * MIB, &out, &err), &err);
    return out;
}

static Str add_layer(Str pdf, const OcrPage *p, bool turn)
{
    Err err = {0};
    CLEANUP(pdf_write_close) PdfWrite *w = NULL;
    assert_ok(pdf_write_open(pdf, STR(""), arena, &w, &err), &err);
    assert_ok(pdf_write_layer(w, 0, p, turn, &err), &err);
    return written(w);
}

static OcrPage *read_back(Str pdf, RenderPage *look)
{
    Err err = {0};
    CLEANUP(render_close) Render *r = NULL;
    OcrPage *p = ocr_page_new(arena, 1);
    assert_ok(render_open(pdf, STR(""), arena, &r, &err), &err);
    assert_ok(render_look(r, 0, look, &err), &err);
    assert_ok(render_text(r, 0, p, &err), &err);
    return p;
}

static void assert_box(OcrBox got, OcrBox want, const char *why)
{
    double worst = fmax(fmax(fabs(got.x0 - want.x0), fabs(got.x1 - want.x1)),
                        fmax(fabs(got.y0 - want.y0), fabs(got.y1 - want.y1)));
    if (worst > 0.6)
        fail_msg("%s: %.1f %.1f %.1f %.1f, not %.1f %.1f %.1f %.1f", why, got.x0, got.y0, got.x1,
                 got.y1, want.x0, want.y0, want.x1, want.y1);
}

/* Upright words at (20, 30) and (70, 30); the page is as large as it is shown after turning. */
static OcrPage *two_words(int rotation, const char *left, const char *right, bool rtl)
{
    OcrPage *p = ocr_page_new(arena, 1);
    p->words = arena_new(arena, OcrWord, 2);
    p->lines = arena_new(arena, OcrLine, 1);
    OcrWord l = {.text = str_from_c(left), .box = {20, 30, 60, 42}, .rtl = rtl};
    OcrWord r = {.text = str_from_c(right), .box = {70, 30, 96, 42}, .rtl = rtl};
    p->words[0] = rtl ? r : l; /* in the order of reading */
    p->words[1] = rtl ? l : r;
    p->words[1].space_before = true;
    p->words_len = 2;
    p->lines[0] =
        (OcrLine){.box = {20, 30, 96, 42}, .from = {20, 39}, .to = {96, 39}, .len = 2, .rtl = rtl};
    p->lines_len = 1;
    p->rotation = rotation;
    return p;
}

TEST(words_lie_where_they_were_read)
{
    static const char *const boxes[] = {"/MediaBox [0 0 200 300]", "/MediaBox [10 20 210 320]",
                                        "/MediaBox [0 0 500 500] /CropBox [50 60 250 360]",
                                        "/MediaBox [210 320 10 20]",
                                        "/MediaBox [0 0 100 150] /UserUnit 2"};
    for (size_t b = 0; b < COUNT_OF(boxes); b++)
        for (int rotate = 0; rotate < 360; rotate += 90)
            for (int rotation = 0; rotation < 360; rotation += 90) {
                char keys[160], why[200];
                snprintf(keys, sizeof keys, "%s /Rotate %d", boxes[b], rotate);
                snprintf(why, sizeof why, "%s, turned by %d", keys, rotation);
                Str pdf =
                    add_layer(make_pdf(keys), two_words(rotation, "Hello", "you", false), false);
                RenderPage look;
                OcrPage *got = read_back(pdf, &look);
                OcrMatrix upright = ocr_matrix_turn(rotation, look.width, look.height);
                ocr_page_map(got, upright);
                if (got->words_len != 2)
                    fail_msg("%s: %zu words", why, got->words_len);
                assert_str_equal(got->words[0].text, "Hello");
                assert_str_equal(got->words[1].text, "you");
                assert_box(got->words[0].box, (OcrBox){20, 30, 60, 42}, why);
                assert_box(got->words[1].box, (OcrBox){70, 30, 96, 42}, why);
            }
}

TEST(pages_can_be_shown_upright)
{
    RenderPage look;
    Str pdf = add_layer(make_pdf("/MediaBox [0 0 200 300] /Rotate 90"),
                        two_words(270, "Hello", "you", false), true);
    OcrPage *got = read_back(pdf, &look);
    assert_true(look.width == 200 && look.height == 300);
    assert_box(got->words[0].box, (OcrBox){20, 30, 60, 42}, "shown upright");
}

TEST(what_is_written)
{
    TextGlyphs *glyphs = arena_new(arena, TextGlyphs, 1);
    Buf b = buf_init(arena, 64 * KIB);
    text_layer_content(&b, two_words(0, "Hi", "\xf0\x9d\x84\x9e", false), OCR_IDENTITY, "F",
                       glyphs);
    Str s = buf_str(&b);
    assert_true(str_starts(s, STR("q BT 3 Tr\n/F ")) && str_ends(s, STR("ET Q\n")));
    assert_true(str_find(s, STR("<00480069> Tj")) != STR_NONE);
    assert_true(str_find(s, STR("<0020> Tj")) != STR_NONE);
    assert_true(str_find(s, STR("<D800> Tj")) != STR_NONE); /* the clef, beyond U+FFFF */
    assert_int_equal(glyphs->len, 1);
    buf_clear(&b);
    text_layer_to_unicode(&b, glyphs);
    assert_true(str_find(buf_str(&b), STR("<D800> <D834DD1E>")) != STR_NONE);
}

TEST(right_to_left_is_written_as_seen)
{
    TextGlyphs *glyphs = arena_new(arena, TextGlyphs, 1);
    Buf b = buf_init(arena, 64 * KIB);
    /* Read: right word first, "shin lamed", then the left one, "alef bet". */
    OcrPage *p = two_words(0, "\xd7\x90\xd7\x91", "\xd7\xa9\xd7\x9c", true);
    text_layer_content(&b, p, OCR_IDENTITY, "F", glyphs);
    Str s = buf_str(&b);
    size_t left = str_find(s, STR("<05D105D0> Tj")), right = str_find(s, STR("<05DC05E9> Tj"));
    assert_true(left != STR_NONE && right != STR_NONE && left < right);
    assert_true(str_find(s, STR("<0020> Tj")) != STR_NONE);
    /* Arabic letters stay letters: no forms of presentation. */
    buf_clear(&b);
    p = two_words(0, "\xd8\xa8\xd8\xad\xd8\xb1", "1\xd8\xa8", true);
    text_layer_content(&b, p, OCR_IDENTITY, "F", glyphs);
    assert_true(str_find(buf_str(&b), STR("<06310628>")) == STR_NONE);
    assert_true(str_find(buf_str(&b), STR("<0631062D0628> Tj")) != STR_NONE);
}

TEST(vertical_lines_run_downwards)
{
    OcrPage *p = ocr_page_new(arena, 1);
    OcrWord w = {.text = STR("\xe6\x97\xa5\xe6\x9c\xac"), .box = {100, 50, 112, 90}};
    OcrLine l = {.box = w.box, .from = {103, 50}, .to = {103, 90}, .len = 1, .vertical = true};
    p->words = &w, p->words_len = 1;
    p->lines = &l, p->lines_len = 1;
    RenderPage look;
    OcrPage *got = read_back(add_layer(make_pdf("/MediaBox [0 0 200 300]"), p, false), &look);
    assert_int_equal(got->words_len, 1);
    assert_str_equal(got->words[0].text, "\xe6\x97\xa5\xe6\x9c\xac");
    assert_box(got->words[0].box, w.box, "vertical");
}

TEST(odd_pages_survive)
{
    OcrPage *p = two_words(0, "a", "b", false);
    p->lines[0].to = p->lines[0].from; /* no direction */
    p->words[0].box = (OcrBox){INFINITY, NAN, -INFINITY, 0};
    Buf b = buf_init(arena, 64 * KIB);
    TextGlyphs *glyphs = arena_new(arena, TextGlyphs, 1);
    text_layer_content(&b, p, OCR_IDENTITY, "F", glyphs);
    p->lines[0].to = (OcrPoint){96, 39};
    text_layer_content(&b, p, OCR_IDENTITY, "F", glyphs);
    assert_true(str_find(buf_str(&b), STR("nan")) == STR_NONE);
    assert_true(str_find(buf_str(&b), STR("inf")) == STR_NONE);
}

TEST(damaged_and_locked_pdfs_have_reasons)
{
    PdfWrite *w = NULL;
    Render *r = NULL;
    Err err = {0};
    assert_int_equal(pdf_write_open(STR("nothing"), STR(""), arena, &w, &err), ERR_INPUT_DAMAGED);
    assert_null(w);
    assert_int_equal(render_open(STR("%PDF-1.4\n"), STR(""), arena, &r, &err), ERR_INPUT_DAMAGED);
    assert_null(r);
}

static int begin(void **state)
{
    (void)state;
    arena = arena_open(512 * MIB);
    Err err = {0};
    return arena == NULL || render_warm(&err) != OK;
}

static int end(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_ENTRY(words_lie_where_they_were_read),
                                       TEST_ENTRY(pages_can_be_shown_upright),
                                       TEST_ENTRY(what_is_written),
                                       TEST_ENTRY(right_to_left_is_written_as_seen),
                                       TEST_ENTRY(vertical_lines_run_downwards),
                                       TEST_ENTRY(odd_pages_survive),
                                       TEST_ENTRY(damaged_and_locked_pdfs_have_reasons)};
    return cmocka_run_group_tests(tests, begin, end);
}
