#include "ocr/ask.h"

enum Orientation { TURN_AUTO, TURN_NOT, TURN_90, TURN_180, TURN_270 };

const Choice ask_layouts[] = {
    {"auto", "Finds out: columns, pictures, tables, receipts."},
    {"column", "One column of text of varying sizes."},
    {"block", "One block of even text, read row by row."},
    {"line", "A single line."},
    {"word", "A single word."},
    {"sparse", "As much text as can be found, scattered over the picture."},
    {0},
};

const Choice ask_orientations[] = {
    [TURN_AUTO] = {"auto", "Finds out which way the text stands."},
    [TURN_NOT] = {"keep", "Reads it as it is."},
    [TURN_90] = {"90", "Turns it clockwise by a quarter."},
    [TURN_180] = {"180", "Turns it upside down."},
    [TURN_270] = {"270", "Turns it anticlockwise by a quarter."},
    {0},
};

const Choice ask_deskews[] = {
    [DESKEW_AUTO] = {"auto", "When they lean by more than a degree."},
    [DESKEW_ALWAYS] = {"always", "However little they lean."},
    [DESKEW_NEVER] = {"never", "Reads them as they are."},
    {0},
};

ErrCode ask_options(const OcrAsk *a, char languages[static LANGUAGES_TEXT_MAX], ReadOptions *out,
                    Err *err)
{
    static const int layouts[] = {TESS_LAYOUT_AUTO, TESS_LAYOUT_COLUMN, TESS_LAYOUT_BLOCK,
                                  TESS_LAYOUT_LINE, TESS_LAYOUT_WORD,   TESS_LAYOUT_SPARSE};
    static const int turns[] = {READ_TURN_AUTO, 0, 90, 180, 270};
    ErrCode rc = languages_choose(&a->languages, tess_installed(), languages, err);
    if (rc != OK)
        return rc;
    *out = (ReadOptions){.languages = languages,
                         .layout = layouts[a->layout],
                         .turn = turns[a->orientation],
                         .deskew = (ReadDeskew)a->deskew,
                         .denoise = a->denoise};
    return OK;
}
