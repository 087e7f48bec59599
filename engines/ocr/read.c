#include "ocr/read.h"
#include "ocr/clean.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Below this mean confidence a page reads so badly that something may be wrong with it. Upright
 * pages of poor print reach 0.6 to 0.8, pages on their side or of another script 0.2 to 0.5. */
static const double reads_badly = 0.70;
static const double lean_degrees = 1.0; /* Tesseract follows lines that lean less by itself */
/* Below this a small picture is read again with more effort. */
static const double reads_poorly = 0.90;
enum { PIXELS_SMALL = 4 * 1000 * 1000, TELLING_TEXT = 60, LANGUAGE_TEXT_MAX = 8 * 1024 };

typedef struct Reading {
    Tess *tess;
    const ReadOptions *options;
    struct Pix *picture;
    double dpi;
    OcrPage *page; /* the best so far */
    Err *err;
} Reading;

/* One way of reading the picture. */
typedef struct Attempt {
    int turn, layout;
    const char *languages;
    bool enlarge;
} Attempt;

static bool prepare(const Reading *r, const Attempt *a, Cleaning *c)
{
    const ReadOptions *o = r->options;
    if (!clean_begin(r->picture, a->turn, r->dpi, c) ||
        !(a->enlarge ? clean_enlarge(c) : clean_scale(c)))
        return false;
    if (o->deskew != DESKEW_NEVER &&
        !clean_deskew(c, o->deskew == DESKEW_ALWAYS ? 0.1 : lean_degrees))
        return false;
    return !o->denoise || clean_denoise(c);
}

static int read_dpi(const Cleaning *c)
{
    return c->dpi >= 70 ? (int)lround(c->dpi) : 0;
}

static ErrCode read_once(const Reading *r, const Attempt *a, OcrPage *out)
{
    Cleaning c;
    int blocks_turn = 0;
    if (!prepare(r, a, &c)) {
        clean_done(&c);
        return err_set(r->err, ERR_LIMIT_MEMORY, "no memory to prepare page %" PRId64,
                       out->page_no);
    }
    ErrCode rc =
        tess_read(r->tess, c.pix, a->languages, a->layout, read_dpi(&c), out, &blocks_turn, r->err);
    if (rc == OK) {
        /* Tesseract reads whole blocks on their side, too: then so does the page. */
        if (r->options->turn != READ_TURN_AUTO)
            blocks_turn = 0;
        OcrMatrix upright =
            ocr_matrix_then(c.back, ocr_matrix_turn(blocks_turn, c.width, c.height));
        ocr_page_map(out, upright);
        bool lies = blocks_turn % 180 != 0;
        out->width = lies ? c.height : c.width;
        out->height = lies ? c.width : c.height;
        out->rotation = (a->turn + blocks_turn) % 360;
        out->skew = c.skew;
        out->dpi = c.dpi;
    }
    clean_done(&c);
    return rc;
}

/* How much was read, and how well: of two readings the one with more is right. */
static double weight(const OcrPage *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->words_len; i++)
        sum += p->words[i].confidence * p->words[i].confidence *
               (double)str_count_utf8(p->words[i].text);
    return sum;
}

/* A page on its side falls into a few long "words" or into crumbs; what matters is what is sure. */
static bool better(const OcrPage *a, const OcrPage *than)
{
    return weight(a) > weight(than);
}

static ErrCode try_again(Reading *r, Attempt a)
{
    OcrPage other = {.arena = r->page->arena, .page_no = r->page->page_no, .language = ""};
    ErrCode rc = read_once(r, &a, &other);
    if (rc == OK && better(&other, r->page))
        *r->page = other;
    return rc;
}

static Attempt same(const Reading *r)
{
    return (Attempt){
        .turn = r->page->rotation, .languages = r->page->language, .layout = r->options->layout};
}

static bool has_language(const char *languages, const char *code)
{
    Str rest = str_from_c(languages), one;
    while (str_next(&rest, '+', &one))
        if (str_eq_c(one, code))
            return true;
    return false;
}

/* Too little text to tell its script by looking: read it in one language of each script. */
static ErrCode try_scripts(Reading *r)
{
    enum { TRIES_MAX = 6 };
    static const double convinced = 0.85;
    LanguageSet all = tess_installed();
    const char *own = languages_script(r->page->language);
    ErrCode rc = OK;
    for (size_t i = 0, tries = 0; rc == OK && i < all.len && tries < TRIES_MAX; i++) {
        const char *script = languages_script(all.codes[i]);
        const char *first = languages_of_script(all, script);
        if (first == NULL || strcmp(first, all.codes[i]) != 0 || strcmp(script, own) == 0)
            continue;
        Attempt a = same(r);
        a.languages = first;
        rc = try_again(r, a);
        tries++;
        if (rc == OK && r->page->confidence >= convinced)
            break;
    }
    return rc;
}

/* The page reads badly: see whether it lies on its side, or is in another script. */
static ErrCode look_closer(Reading *r)
{
    TessPose pose;
    Cleaning c;
    bool automatic = r->options->languages[0] == 0;
    if (!clean_begin(r->picture, 0, r->dpi, &c) || !clean_scale(&c)) {
        clean_done(&c);
        return err_set(r->err, ERR_LIMIT_MEMORY, "no memory to prepare page %" PRId64,
                       r->page->page_no);
    }
    bool known = tess_pose(r->tess, c.pix, read_dpi(&c), &pose);
    clean_done(&c);
    if (!known)
        return automatic ? try_scripts(r) : OK;
    const char *languages = r->page->language;
    const char *script = languages_of_script(tess_installed(), pose.script);
    if (automatic && script != NULL && strcmp(languages_script(languages), pose.script) != 0)
        languages = script;
    int turn = r->options->turn != READ_TURN_AUTO ? r->options->turn : pose.turn;
    if (turn == r->page->rotation && strcmp(languages, r->page->language) == 0)
        return OK;
    Attempt a = same(r);
    a.turn = turn;
    a.languages = languages;
    return try_again(r, a);
}

/* Japanese set in columns has a language file of its own. */
static ErrCode try_vertical(Reading *r)
{
    if (strcmp(r->page->language, "jpn") != 0 || !languages_has(tess_installed(), STR("jpn_vert")))
        return OK;
    Attempt a = same(r);
    a.languages = "jpn_vert";
    return try_again(r, a);
}

static Str some_text(const OcrPage *p)
{
    Buf b = buf_init(p->arena, LANGUAGE_TEXT_MAX * 2);
    for (size_t i = 0; i < p->words_len && b.len < LANGUAGE_TEXT_MAX; i++) {
        if (p->words[i].confidence < 0.5)
            continue;
        buf_add(&b, p->words[i].text);
        buf_add_char(&b, ' ');
    }
    return b.failed ? STR("") : buf_str(&b);
}

/* The words say which language they are of, also when read with the letters of another. */
static ErrCode check_language(Reading *r)
{
    Str text = some_text(r->page);
    const char *iso = text.len >= TELLING_TEXT ? tess_language_of(text) : NULL;
    const char *code = iso != NULL ? languages_of_iso(tess_installed(), iso) : NULL;
    if (code == NULL || has_language(r->page->language, code))
        return OK;
    OcrPage other = {.arena = r->page->arena, .page_no = r->page->page_no, .language = ""};
    Attempt a = same(r);
    a.languages = code;
    ErrCode rc = read_once(r, &a, &other);
    if (rc == OK && weight(&other) > weight(r->page) * 0.9)
        *r->page = other; /* the right language, and about as sure */
    return rc;
}

static bool poor_and_small(const Reading *r)
{
    double pixels = (double)pixGetWidth(r->picture) * pixGetHeight(r->picture);
    return r->options->layout == TESS_LAYOUT_AUTO && !r->options->denoise &&
           r->page->confidence < reads_poorly && pixels < PIXELS_SMALL && r->page->words_len > 0;
}

/* Lines of several words that stand side by side: columns of text, not names beside prices. */
static bool has_columns(const OcrPage *p)
{
    enum { WORDS = 4, PAIRS = 5 };
    int pairs = 0;
    for (size_t i = 0; i < p->lines_len; i++)
        for (size_t k = i + 1; k < p->lines_len && pairs < PAIRS; k++) {
            const OcrLine *a = &p->lines[i], *b = &p->lines[k];
            double shared = fmin(a->box.y1, b->box.y1) - fmax(a->box.y0, b->box.y0);
            double lower = fmin(a->box.y1 - a->box.y0, b->box.y1 - b->box.y0);
            bool apart = a->box.x1 <= b->box.x0 || b->box.x1 <= a->box.x0;
            pairs += apart && shared > lower / 2 && a->len >= WORDS && b->len >= WORDS;
        }
    return pairs >= PAIRS;
}

/* Receipts, photographs of screens: smoothed and larger, row by row when there are no columns. */
static ErrCode read_enlarged(Reading *r)
{
    static const int rows[] = {TESS_LAYOUT_BLOCK, TESS_LAYOUT_COLUMN},
                     columns[] = {TESS_LAYOUT_AUTO};
    bool side_by_side = has_columns(r->page);
    const int *layouts = side_by_side ? columns : rows;
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < (side_by_side ? COUNT_OF(columns) : COUNT_OF(rows)); i++) {
        Attempt a = same(r);
        a.enlarge = true;
        a.layout = layouts[i];
        rc = try_again(r, a);
    }
    return rc;
}

ErrCode read_page(Tess *t, const ReadOptions *o, struct Pix *picture, double dpi,
                  const char *before, OcrPage *out, Err *err)
{
    Reading r = {.tess = t, .options = o, .picture = picture, .dpi = dpi, .page = out, .err = err};
    bool automatic = o->languages[0] == 0;
    const char *languages = !automatic                         ? o->languages
                            : before != NULL && before[0] != 0 ? before
                                                               : languages_first(tess_installed());
    Attempt first = {.turn = o->turn == READ_TURN_AUTO ? 0 : o->turn,
                     .languages = languages,
                     .layout = o->layout};
    ErrCode rc = read_once(&r, &first, out);
    if (rc == OK && out->confidence < reads_badly && (automatic || o->turn == READ_TURN_AUTO))
        rc = look_closer(&r);
    if (rc == OK && automatic && out->confidence < reads_badly)
        rc = try_vertical(&r);
    if (rc == OK && automatic && tess_installed().len > 1)
        rc = check_language(&r);
    if (rc == OK && poor_and_small(&r))
        rc = read_enlarged(&r);
    return rc;
}
