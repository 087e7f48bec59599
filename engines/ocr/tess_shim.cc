#include "ocr/tess_shim.h"

#include <cstdio>

#include <cld2/public/compact_lang_det.h> /* needs FILE */
#include <cld2/public/encodings.h>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <tesseract/baseapi.h>
#include <tesseract/resultiterator.h>
#include <vector>

struct ShimReader {
    tesseract::TessBaseAPI api;
    bool spaces_kept = false; /* the language writes without spaces: only real gaps are spaces */
};

/* Tesseract's reader is a function without a context: set once, before any thread. */
static ShimFile file_of;

static bool read_file(const char *path, std::vector<char> *out)
{
    const char *slash = std::strrchr(path, '/');
    size_t size = 0;
    const char *bytes = file_of(slash != nullptr ? slash + 1 : path, &size);
    if (bytes == nullptr)
        return false;
    out->assign(bytes, bytes + size);
    return true;
}

ShimReader *shim_new(void)
{
    try {
        return new ShimReader;
    } catch (const std::exception &) {
        return nullptr;
    }
}

void shim_free(ShimReader *r)
{
    delete r;
}

int shim_init(ShimReader *r, const char *languages, ShimFile file)
{
    file_of = file;
    try {
        bool legacy = std::strcmp(languages, "osd") == 0;
        auto mode = legacy ? tesseract::OEM_DEFAULT : tesseract::OEM_LSTM_ONLY;
        /* The folder's name never reaches a file: read_file looks at what follows it. */
        if (r->api.Init("/", 0, languages, mode, nullptr, 0, nullptr, nullptr, false, read_file) !=
            0)
            return SHIM_FAILED;
        /* Looking for typewriters' fixed pitch takes a tenth of the time, and the network finds
         * words without it. */
        r->api.SetVariable("textord_all_prop", "1");
        r->spaces_kept = false;
        r->api.GetBoolVariable("preserve_interword_spaces", &r->spaces_kept);
        return SHIM_OK;
    } catch (const std::bad_alloc &) {
        return SHIM_NO_MEMORY;
    } catch (const std::exception &) {
        return SHIM_FAILED;
    }
}

using tesseract::RIL_BLOCK;
using tesseract::RIL_PARA;
using tesseract::RIL_TEXTLINE;
using tesseract::RIL_WORD;

/* Marks of direction that Tesseract adds at the seams: the words are in the order of reading. */
static void remove_marks(char *text)
{
    char *to = text;
    for (const char *from = text; *from != 0;) {
        if (std::strncmp(from, "\xe2\x80\x8e", 3) == 0 ||
            std::strncmp(from, "\xe2\x80\x8f", 3) == 0)
            from += 3;
        else
            *to++ = *from++;
    }
    *to = 0;
}

static int degrees_of(tesseract::Orientation o)
{
    switch (o) {
    case tesseract::ORIENTATION_PAGE_RIGHT:
        return 270;
    case tesseract::ORIENTATION_PAGE_DOWN:
        return 180;
    case tesseract::ORIENTATION_PAGE_LEFT:
        return 90;
    default:
        return 0;
    }
}

static void describe_line(const tesseract::ResultIterator &it, ShimWord *w)
{
    tesseract::Orientation orientation;
    tesseract::WritingDirection direction;
    tesseract::TextlineOrder order;
    float skew;
    it.Orientation(&orientation, &direction, &order, &skew);
    w->turned = degrees_of(orientation);
    w->vertical = direction == tesseract::WRITING_DIRECTION_TOP_TO_BOTTOM;
    int *l = w->line, *b = w->baseline;
    if (!it.BoundingBox(RIL_TEXTLINE, &l[0], &l[1], &l[2], &l[3]))
        l[0] = w->x0, l[1] = w->y0, l[2] = w->x1, l[3] = w->y1;
    if (!it.Baseline(RIL_TEXTLINE, &b[0], &b[1], &b[2], &b[3]))
        b[0] = l[0], b[1] = l[3], b[2] = l[2], b[3] = l[3];
}

static int put_words(ShimReader *r, bool (*take)(void *, const ShimWord *), void *ctx)
{
    std::unique_ptr<tesseract::ResultIterator> it(r->api.GetIterator());
    if (it == nullptr)
        return SHIM_OK; /* an empty page */
    ShimWord w = {};
    bool block = true, paragraph = true, line = true;
    do {
        block = block || it->IsAtBeginningOf(RIL_BLOCK);
        paragraph = paragraph || it->IsAtBeginningOf(RIL_PARA);
        line = line || it->IsAtBeginningOf(RIL_TEXTLINE);
        if (it->Empty(RIL_WORD))
            continue;
        std::unique_ptr<char[]> text(it->GetUTF8Text(RIL_WORD));
        if (text == nullptr)
            continue;
        remove_marks(text.get());
        if (text[std::strspn(text.get(), " \t\n")] == 0 ||
            !it->BoundingBox(RIL_WORD, &w.x0, &w.y0, &w.x1, &w.y1))
            continue;
        w.text = text.get();
        w.confidence = it->Confidence(RIL_WORD);
        w.starts_block = block;
        w.starts_paragraph = paragraph;
        w.starts_line = line;
        w.rtl = it->WordDirection() == tesseract::DIR_RIGHT_TO_LEFT;
        w.space_before = !line && (!r->spaces_kept || it->BlanksBeforeWord() > 0);
        if (line)
            describe_line(*it, &w);
        block = paragraph = line = false;
        if (!take(ctx, &w))
            return SHIM_NO_MEMORY;
    } while (it->Next(RIL_WORD));
    return SHIM_OK;
}

int shim_read(ShimReader *r, struct Pix *picture, int layout, int dpi,
              bool (*take)(void *ctx, const ShimWord *w), void *ctx)
{
    try {
        r->api.SetPageSegMode(static_cast<tesseract::PageSegMode>(layout));
        r->api.SetImage(picture);
        if (dpi > 0)
            r->api.SetSourceResolution(dpi);
        int rc = r->api.Recognize(nullptr) == 0 ? put_words(r, take, ctx) : SHIM_FAILED;
        r->api.Clear();
        return rc;
    } catch (const std::bad_alloc &) {
        return SHIM_NO_MEMORY;
    } catch (const std::exception &) {
        return SHIM_FAILED;
    }
}

int shim_pose(ShimReader *r, struct Pix *picture, int dpi, int *turn, float *turn_confidence,
              char *script, size_t script_size, float *script_confidence)
{
    *turn = 0;
    try {
        const char *name = nullptr;
        r->api.SetPageSegMode(tesseract::PSM_OSD_ONLY);
        r->api.SetImage(picture);
        if (dpi > 0)
            r->api.SetSourceResolution(dpi);
        bool found =
            r->api.DetectOrientationScript(turn, turn_confidence, &name, script_confidence);
        /* It says how the page was turned; asked for is how to turn it back. */
        *turn = (360 - *turn) % 360;
        if (found)
            std::snprintf(script, script_size, "%s", name != nullptr ? name : "");
        r->api.Clear();
        return found ? SHIM_OK : SHIM_FAILED;
    } catch (const std::bad_alloc &) {
        return SHIM_NO_MEMORY;
    } catch (const std::exception &) {
        return SHIM_FAILED;
    }
}

const char *shim_language_of(const char *text, size_t len)
{
    CLD2::CLDHints hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    CLD2::Language languages[3];
    int percents[3], bytes = 0, valid = 0;
    double scores[3];
    bool reliable = false;
    CLD2::Language l = CLD2::ExtDetectLanguageSummaryCheckUTF8(
        text, static_cast<int>(len), true, &hints, 0, languages, percents, scores, nullptr, &bytes,
        &reliable, &valid);
    bool sure = reliable && l != CLD2::UNKNOWN_LANGUAGE && percents[0] >= 60;
    return sure ? CLD2::LanguageCode(l) : nullptr;
}
