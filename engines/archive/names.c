#include "archive/names.h"
#include "base/fault.h"

#include <iconv.h>
#include <uchardet/uchardet.h>

enum Charset {
    AUTO = NAMES_AUTO,
    CP437,
    CP850,
    CP866,
    CP1250,
    CP1251,
    CP1252,
    KOI8R,
    SJIS,
    EUCJP,
    GBK,
    BIG5,
    EUCKR,
    LATIN2,
    CHARSETS
};

const Choice names_choices[] = {
    [AUTO] = {"auto", "Guess from the names."},
    [CP437] = {"cp437", "DOS, English; what the ZIP standard says."},
    [CP850] = {"cp850", "DOS, Western Europe."},
    [CP866] = {"cp866", "DOS, Cyrillic."},
    [CP1250] = {"windows-1250", "Windows, Central Europe."},
    [CP1251] = {"windows-1251", "Windows, Cyrillic."},
    [CP1252] = {"windows-1252", "Windows, Western Europe."},
    [KOI8R] = {"koi8-r", "Unix, Russian."},
    [SJIS] = {"shift-jis", "Windows, Japanese (CP932)."},
    [EUCJP] = {"euc-jp", "Unix, Japanese."},
    [GBK] = {"gbk", "Windows, simplified Chinese (GB18030)."},
    [BIG5] = {"big5", "Windows, traditional Chinese (CP950)."},
    [EUCKR] = {"euc-kr", "Windows, Korean (CP949)."},
    [LATIN2] = {"iso-8859-2", "Unix, Central Europe."},
    {0},
};

/* What iconv and uchardet call them. */
static const struct {
    const char *iconv, *uchardet;
} known[CHARSETS] = {
    [CP437] = {"CP437", NULL},
    [CP850] = {"CP850", "IBM850"},
    [CP866] = {"CP866", "IBM866"},
    [CP1250] = {"CP1250", "WINDOWS-1250"},
    [CP1251] = {"CP1251", "WINDOWS-1251"},
    [CP1252] = {"CP1252", "WINDOWS-1252"},
    [KOI8R] = {"KOI8-R", "KOI8-R"},
    [SJIS] = {"CP932", "SHIFT_JIS"},
    [EUCJP] = {"EUC-JP", "EUC-JP"},
    [GBK] = {"GB18030", "GB18030"},
    [BIG5] = {"BIG5", "BIG5"},
    [EUCKR] = {"CP949", "UHC"},
    [LATIN2] = {"ISO-8859-2", "ISO-8859-2"},
};

/* Set by names_warm, then only used; a converter has a state, and each task has its own copy of the
 * process. */
static iconv_t converters[CHARSETS];

ErrCode names_warm(Err *err)
{
    for (int i = CP437; i < CHARSETS; i++) {
        if (converters[i] != NULL)
            continue;
        iconv_t c = fault_hit("names.iconv") ? (iconv_t)-1 : iconv_open("UTF-8", known[i].iconv);
        if (c == (iconv_t)-1)
            return err_set(err, ERR_ENGINE_MISSING, "the C library cannot convert %s",
                           known[i].iconv);
        converters[i] = c;
    }
    return OK;
}

/* Bytes of the DOS letters (é, ü, ñ … lie at 0x80 to 0xA5) against those of Windows (0xC0 to 0xFF).
 */
static int guess_western(Str sample)
{
    size_t dos = 0, windows = 0;
    for (size_t i = 0; i < sample.len; i++) {
        unsigned char c = (unsigned char)sample.ptr[i];
        dos += c >= 0x80 && c <= 0xa5;
        windows += c >= 0xc0;
    }
    return windows > dos ? CP1252 : CP437;
}

static int charset_of(const char *name)
{
    if (str_eq_c(STR("EUC-KR"), name)) /* what older versions call it */
        return EUCKR;
    for (int i = CP437; i < CHARSETS; i++)
        if (known[i].uchardet != NULL &&
            str_eq_nocase(str_from_c(known[i].uchardet), str_from_c(name)))
            return i;
    return AUTO;
}

int names_guess(Str sample)
{
    int found = AUTO;
    uchardet_t d = uchardet_new();
    if (d != NULL && uchardet_handle_data(d, sample.ptr, sample.len) == 0) {
        uchardet_data_end(d);
        found = charset_of(uchardet_get_charset(d));
    }
    if (d != NULL)
        uchardet_delete(d);
    /* It knows no CP437 and takes DOS text for something Western. */
    return found == AUTO || found == CP1252 || found == CP850 ? guess_western(sample) : found;
}

Str names_decode(Arena *a, Str raw, int charset)
{
    iconv_t c = converters[charset];
    Buf out = buf_init(a, raw.len * 4 + 16);
    char *room = buf_room(&out, raw.len * 4 + 8);
    if (room == NULL)
        return (Str){0};
    char *in = (char *)(uintptr_t)raw.ptr, *to = room; /* iconv does not write to its input */
    size_t in_left = raw.len, to_left = raw.len * 4 + 8;
    iconv(c, NULL, NULL, NULL, NULL);
    while (in_left > 0 && iconv(c, &in, &in_left, &to, &to_left) == (size_t)-1 && in_left > 0 &&
           to_left >= 3) {
        size_t n = str_put_utf8(to, 0xfffd);
        to += n;
        to_left -= n;
        in++;
        in_left--;
    }
    buf_wrote(&out, (size_t)(to - room));
    return buf_str(&out);
}
