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

/* How many bytes lie in which part of the upper half. */
typedef struct Upper {
    size_t all, paired;  /* paired: beside another one of them */
    size_t dos_west;     /* 80-a5: é, ü, ñ … in CP437 */
    size_t dos_cyrillic; /* 80-af, e0-f1: all letters of CP866 */
    size_t c0_df,
        e0_ff; /* Windows and KOI8; lower case is the second in CP1251, the first in KOI8-R */
} Upper;

static Upper count_upper(Str s)
{
    Upper n = {0};
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x80)
            continue;
        bool before = i > 0 && (unsigned char)s.ptr[i - 1] >= 0x80;
        bool after = i + 1 < s.len && (unsigned char)s.ptr[i + 1] >= 0x80;
        n.all++;
        n.paired += before || after;
        n.dos_west += c <= 0xa5;
        n.dos_cyrillic += c <= 0xaf || (c >= 0xe0 && c <= 0xf1);
        n.c0_df += c >= 0xc0 && c <= 0xdf;
        n.e0_ff += c >= 0xe0;
    }
    return n;
}

/* Well-formed, and mostly of the common characters, whose first byte is 81-9f: no Cyrillic text has
 * those. */
static bool is_shift_jis(Str s)
{
    size_t common = 0, pairs = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char lead = (unsigned char)s.ptr[i];
        if (lead < 0x80 || (lead >= 0xa1 && lead <= 0xdf))
            continue;
        unsigned char trail = i + 1 < s.len ? (unsigned char)s.ptr[i + 1] : 0;
        if (lead == 0x80 || lead == 0xa0 || lead > 0xfc || trail < 0x40 || trail == 0x7f ||
            trail > 0xfc)
            return false;
        common += lead <= 0x9f;
        pairs++;
        i++;
    }
    return common * 2 > pairs;
}

/* For names too short for uchardet. In Western words accents stand alone; in Cyrillic ones every
 * letter is in the upper half. */
static int guess_alphabet(Str sample)
{
    Upper n = count_upper(sample);
    if (n.all >= 4 && n.paired * 10 >= n.all * 8) {
        if (n.dos_cyrillic == n.all)
            return CP866;
        if (is_shift_jis(sample))
            return SJIS;
        return n.c0_df > n.e0_ff ? KOI8R : CP1251;
    }
    return n.c0_df + n.e0_ff > n.dos_west ? CP1252 : CP437;
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
    return found == AUTO || found == CP1252 || found == CP850 ? guess_alphabet(sample) : found;
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
