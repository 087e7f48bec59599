#include "document/charset_in.h"

#include "base/fault.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <uchardet/uchardet.h>

enum { GUESS_BYTES = 256 << 10, TEXT_MAX = 1 << 30 };

typedef struct Charset {
    const char *name;    /* IANA */
    const char *library; /* what iconv calls it; NULL: decoded here */
    const char *labels;  /* other names, lower case, joined by spaces */
} Charset;

/* Old names mean the larger set that everybody in fact uses, as browsers read them. */
static const Charset charsets[] = {
    {"UTF-8", NULL, "utf8 unicode-1-1-utf-8 x-unicode20utf8 cp65001 utf-8-sig"},
    {"UTF-16LE", NULL, "utf-16 utf16 ucs-2 ucs2 unicode csunicode utf16le iso-10646-ucs-2"},
    {"UTF-16BE", NULL, "utf16be unicodefffe"},
    {"UTF-32LE", NULL, "utf-32 utf32 ucs-4 ucs4"},
    {"UTF-32BE", NULL, "utf32be"},
    {"windows-1252", "CP1252",
     "us-ascii ascii iso-8859-1 latin1 l1 cp1252 x-cp1252 iso8859-1 iso_8859-1 ansi_x3.4-1968 "
     "cp819 ibm819 default"},
    {"windows-1250", "CP1250", "cp1250 x-cp1250"},
    {"windows-1251", "CP1251", "cp1251 x-cp1251"},
    {"windows-1253", "CP1253", "cp1253 x-cp1253"},
    {"windows-1254", "CP1254", "cp1254 iso-8859-9 latin5 iso8859-9 iso_8859-9 x-cp1254"},
    {"windows-1255", "CP1255", "cp1255 x-cp1255"},
    {"windows-1256", "CP1256", "cp1256 x-cp1256"},
    {"windows-1257", "CP1257", "cp1257 x-cp1257"},
    {"windows-1258", "CP1258", "cp1258 x-cp1258"},
    {"windows-874", "CP874", "cp874 tis-620 iso-8859-11 dos-874"},
    {"ISO-8859-2", "ISO-8859-2", "latin2 iso8859-2 iso_8859-2 l2"},
    {"ISO-8859-3", "ISO-8859-3", "latin3 iso8859-3"},
    {"ISO-8859-4", "ISO-8859-4", "latin4 iso8859-4"},
    {"ISO-8859-5", "ISO-8859-5", "cyrillic iso8859-5 iso_8859-5"},
    {"ISO-8859-6", "ISO-8859-6", "arabic iso8859-6 iso_8859-6 asmo-708"},
    {"ISO-8859-7", "ISO-8859-7", "greek greek8 iso8859-7 iso_8859-7"},
    {"ISO-8859-8", "ISO-8859-8", "hebrew iso8859-8 iso-8859-8-i visual logical"},
    {"ISO-8859-10", "ISO-8859-10", "latin6 iso8859-10"},
    {"ISO-8859-13", "ISO-8859-13", "iso8859-13"},
    {"ISO-8859-14", "ISO-8859-14", "iso8859-14"},
    {"ISO-8859-15", "ISO-8859-15", "latin9 iso8859-15 l9"},
    {"ISO-8859-16", "ISO-8859-16", "iso8859-16"},
    {"KOI8-R", "KOI8-R", "koi koi8 koi8_r"},
    {"KOI8-U", "KOI8-U", "koi8-ru"},
    {"IBM437", "CP437", "cp437 437"},
    {"IBM850", "CP850", "cp850 850"},
    {"IBM852", "CP852", "cp852 852"},
    {"IBM855", "CP855", "cp855 855"},
    {"IBM862", "CP862", "cp862 862"},
    {"IBM865", "CP865", "cp865 865"},
    {"IBM866", "CP866", "cp866 866"},
    {"macintosh", "MACINTOSH", "mac x-mac-roman mac-roman cp10000"},
    {"x-mac-cyrillic", "MAC-CYRILLIC", "mac-cyrillic x-mac-ukrainian"},
    {"x-mac-ce", "MAC-CENTRALEUROPE", "mac-centraleurope x-mac-centraleurroman cp10029"},
    {"VISCII", "VISCII", "csviscii"},
    {"Shift_JIS", "CP932",
     "shift-jis sjis x-sjis ms_kanji windows-31j cp932 ms932 shiftjis csshiftjis"},
    {"EUC-JP", "EUC-JP", "x-euc-jp cseucpkdfmtjapanese eucjp"},
    {"ISO-2022-JP", "ISO-2022-JP-3", "csiso2022jp iso-2022-jp-2 iso-2022-jp-1 cp50220"},
    {"EUC-KR", "CP949",
     "ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean windows-949 uhc cp949 iso-ir-149 "
     "cseuckr euckr"},
    {"ISO-2022-KR", "ISO-2022-KR", "csiso2022kr"},
    {"JOHAB", "JOHAB", "cp1361 ms1361"},
    {"GB18030", "GB18030",
     "gb2312 gbk gb_2312 gb_2312-80 chinese csgb2312 x-gbk euc-cn cp936 ms936 windows-936 "
     "iso-ir-58"},
    {"Big5", "BIG5-HKSCS", "big5-hkscs cn-big5 x-x-big5 cp950 csbig5"},
    {"EUC-TW", "EUC-TW", "x-euc-tw"},
    {"ISO-2022-CN", "ISO-2022-CN", "csiso2022cn"},
    {"TSCII", "TSCII", ""},
    {"ARMSCII-8", "ARMSCII-8", ""},
    {"GEORGIAN-PS", "GEORGIAN-PS", ""},
};

/* Opened once in the warm parent: inside the sandbox iconv could not load its tables. */
static iconv_t converters[COUNT_OF(charsets)];
static bool warmed;

ErrCode charset_warm(Err *err)
{
    for (size_t i = 0; i < COUNT_OF(charsets); i++) {
        if (charsets[i].library == NULL)
            continue;
        converters[i] = iconv_open("UTF-8", charsets[i].library);
        if (converters[i] == (iconv_t)-1 && errno != EINVAL)
            return err_set_errno(err, ERR_INTERNAL, errno, "could not load the tables of %s",
                                 charsets[i].library);
    }
    warmed = true;
    uchardet_t ud = uchardet_new();
    if (ud == NULL)
        return err_set(err, ERR_NO_MEMORY, "loading the encoding detector");
    uchardet_delete(ud);
    return OK;
}

static bool label_in(const char *labels, Str label)
{
    Str rest = str_from_c(labels), one;
    while (str_next(&rest, ' ', &one))
        if (str_eq_nocase(one, label))
            return true;
    return false;
}

static const Charset *charset_find(Str label)
{
    label = str_trim(label);
    if (label.len == 0)
        return NULL;
    for (size_t i = 0; i < COUNT_OF(charsets); i++)
        if (str_eq_nocase(label, str_from_c(charsets[i].name)) ||
            label_in(charsets[i].labels, label))
            return &charsets[i];
    return NULL;
}

const char *charset_name(Str label)
{
    const Charset *c = charset_find(label);
    return c != NULL ? c->name : NULL;
}

/* --- what is it? */

static const Charset *by_bom(Str s, size_t *skip)
{
    static const struct {
        const char *name;
        Str bom;
    } boms[] = {
        {"UTF-8", {"\xEF\xBB\xBF", 3}},    {"UTF-32LE", {"\xFF\xFE\0\0", 4}},
        {"UTF-32BE", {"\0\0\xFE\xFF", 4}}, {"UTF-16LE", {"\xFF\xFE", 2}},
        {"UTF-16BE", {"\xFE\xFF", 2}},     {"GB18030", {"\x84\x31\x95\x33", 4}},
    };
    for (size_t i = 0; i < COUNT_OF(boms); i++)
        if (str_starts(s, boms[i].bom)) {
            *skip = boms[i].bom.len;
            return charset_find(str_from_c(boms[i].name));
        }
    return NULL;
}

static uint32_t unit(Str s, size_t i, size_t size, bool big)
{
    uint32_t v = 0;
    for (size_t k = 0; k < size; k++)
        v = v << 8 | (unsigned char)s.ptr[i + (big ? k : size - 1 - k)];
    return v;
}

/* How text reads as units of `size` bytes: how many of them are plain ASCII (or valid, of 4 bytes), 0
 * when more than one in 20 cannot be. */
static size_t plain_units(Str s, size_t size, bool big)
{
    size_t units = 0, good = 0, plain = 0;
    uint32_t before = 0;
    for (size_t i = 0; i + size <= s.len && units < 4096; i += size, units++) {
        uint32_t u = unit(s, i, size, big);
        bool high = size == 2 && u >= 0xD800 && u < 0xDC00,
             low = size == 2 && u >= 0xDC00 && u < 0xE000;
        bool pair = before >= 0xD800 && before < 0xDC00 && size == 2;
        bool control = u < 0x20 && u != '\t' && u != '\n' && u != '\r' && u != 0x0C;
        if (!control && u != 0xFFFE && u != 0xFFFF && u < 0x110000 && pair == low &&
            !(size == 4 && u >= 0xD800 && u < 0xE000))
            good++;
        plain += (u < 0x80 && !control) || u == 0x3000;
        before = high ? u : 0;
    }
    if (good * 20 < units * 19)
        return 0;
    return size == 4 ? good : plain; /* hardly anything but UTF-32 is valid UTF-32 */
}

/* UTF-16 and UTF-32 without a mark give themselves away by zeros at every second or fourth place.
 */
static const Charset *by_zeros(Str s)
{
    static const struct {
        const char *name;
        size_t size;
        bool big;
    } kinds[] = {{"UTF-32LE", 4, false},
                 {"UTF-32BE", 4, true},
                 {"UTF-16LE", 2, false},
                 {"UTF-16BE", 2, true}};
    Str head = str_slice(s, 0, 16384);
    if (head.len < 4 || memchr(head.ptr, 0, head.len) == NULL)
        return NULL;
    const Charset *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (kinds[i].size == 4 && head.len % 4 != 0 && head.len < 16384)
            continue;
        size_t score = plain_units(head, kinds[i].size, kinds[i].big);
        if (score > most) {
            most = score;
            best = charset_find(str_from_c(kinds[i].name));
        }
    }
    return best;
}

/* The Japanese, Korean and Chinese mail encodings are ASCII with escapes. */
static const Charset *by_escapes(Str s)
{
    static const struct {
        Str escape;
        const char *name;
    } escapes[] = {
        {{"\x1B$B", 3}, "ISO-2022-JP"},  {{"\x1B$@", 3}, "ISO-2022-JP"},
        {{"\x1B(J", 3}, "ISO-2022-JP"},  {{"\x1B$(D", 4}, "ISO-2022-JP"},
        {{"\x1B$)C", 4}, "ISO-2022-KR"}, {{"\x1B$)A", 4}, "ISO-2022-CN"},
    };
    Str head = str_slice(s, 0, GUESS_BYTES);
    if (memchr(head.ptr, 0x1B, head.len) == NULL)
        return NULL;
    for (size_t i = 0; i < COUNT_OF(escapes); i++)
        if (str_find(head, escapes[i].escape) != STR_NONE)
            return charset_find(str_from_c(escapes[i].name));
    return NULL;
}

static const Charset *by_guess(Str s)
{
    uchardet_t ud = fault_hit("charset.guess") ? NULL : uchardet_new();
    if (ud == NULL)
        return NULL;
    const Charset *c = NULL;
    Str head = str_slice(s, 0, GUESS_BYTES);
    if (uchardet_handle_data(ud, head.ptr, head.len) == 0) {
        uchardet_data_end(ud);
        c = charset_find(str_from_c(uchardet_get_charset(ud)));
    }
    uchardet_delete(ud);
    return c;
}

static bool is_ascii(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

/* UTF-8 with a stray byte or two is still UTF-8: few bad places, many good ones. */
static bool is_nearly_utf8(Str s)
{
    size_t bad = 0, good = 0;
    for (size_t at = 0; at < s.len;) {
        size_t start = at;
        uint32_t cp = str_next_utf8(s, &at);
        if (cp == 0xFFFD && at - start == 1)
            bad++;
        else if (cp >= 0x80)
            good++;
    }
    return good >= 20 && bad * 50 <= good;
}

/* --- conversion */

static void decode_units(Str s, size_t size, bool big, Buf *out)
{
    for (size_t i = 0; i < s.len && !out->failed; i += size) {
        if (s.len - i < size) {
            buf_add_utf8(out, 0xFFFD);
            return;
        }
        uint32_t u = unit(s, i, size, big);
        if (size == 2 && u >= 0xD800 && u < 0xDC00 && s.len - i >= 4) {
            uint32_t low = unit(s, i + 2, size, big);
            if (low >= 0xDC00 && low < 0xE000) {
                u = 0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        buf_add_utf8(out, u >= 0x110000 || (u >= 0xD800 && u < 0xE000) ? 0xFFFD : u);
    }
}

/* Returns how many bytes did not fit. */
static size_t decode_library(iconv_t cd, Str s, Buf *out)
{
    size_t bad = 0, in_left = s.len;
    char *in = (char *)(uintptr_t)s.ptr; /* iconv does not write to it */
    iconv(cd, NULL, NULL, NULL, NULL);
    while (in_left > 0 && !out->failed) {
        size_t room = in_left * 2 + 64 < 64 * KIB ? in_left * 2 + 64 : 64 * KIB, left = room;
        char *to = buf_room(out, room);
        if (to == NULL)
            break;
        size_t rc = iconv(cd, &in, &in_left, &to, &left);
        int why = errno;
        buf_wrote(out, room - left);
        if (rc != (size_t)-1 || why == E2BIG)
            continue;
        buf_add_utf8(out, 0xFFFD);
        bad++;
        in++;
        in_left--;
    }
    return bad;
}

static ErrCode decode(const Charset *c, Arena *a, Str s, Str *out, size_t *bad, Err *err)
{
    Buf b = buf_init(a, TEXT_MAX);
    *bad = 0;
    if (c->library == NULL && strcmp(c->name, "UTF-8") == 0) {
        *out = s; /* whoever writes it out replaces what is invalid */
        return OK;
    }
    if (c->library == NULL) {
        decode_units(s, c->name[4] == '3' ? 4 : 2, c->name[6] == 'B', &b);
    } else {
        size_t i = (size_t)(c - charsets);
        iconv_t cd = warmed ? converters[i] : iconv_open("UTF-8", c->library);
        if (cd == (iconv_t)-1 || cd == NULL)
            return err_set(err, ERR_UNSUPPORTED_TYPE, "cannot read text in %s on this system",
                           c->name);
        *bad = decode_library(cd, s, &b);
        if (!warmed)
            iconv_close(cd);
    }
    if (b.failed)
        return err_set(err, ERR_LIMIT_MEMORY, "text of %zu bytes in %s does not fit into memory",
                       s.len, c->name);
    *out = buf_str(&b);
    return OK;
}

bool charset_try(Arena *a, Str bytes, const char *name, Str *out, size_t *bad)
{
    const Charset *c = charset_find(str_from_c(name));
    Err ignored = {0};
    return c != NULL && decode(c, a, bytes, out, bad, &ignored) == OK;
}

static const Charset *choose(Arena *a, Str s)
{
    const char *wide = charset_guess_wide(s);
    if (wide != NULL)
        return charset_find(str_from_c(wide));
    const Charset *c = by_guess(s);
    return charset_find(str_from_c(charset_guess_narrow(a, s, c != NULL ? c->name : NULL)));
}

ErrCode charset_to_utf8(Arena *a, Str bytes, Str declared, Str *out, const char **used, Err *err)
{
    size_t skip = 0, bad = 0;
    const Charset *c = by_bom(bytes, &skip);
    bytes = str_slice(bytes, skip, bytes.len);
    if (c == NULL)
        c = by_escapes(bytes);
    if (c == NULL && memchr(bytes.ptr != NULL ? bytes.ptr : "", 0, bytes.len) != NULL)
        c = by_zeros(bytes);
    if (c == NULL && is_ascii(bytes)) {
        *out = bytes;
        *used = "US-ASCII";
        return OK;
    }
    if (c == NULL && (str_is_utf8(bytes) || is_nearly_utf8(bytes)))
        c = charset_find(STR("UTF-8"));
    const Charset *said = c == NULL ? charset_find(declared) : NULL;
    if (said != NULL && (said->library != NULL)) {
        ArenaMark m = arena_mark(a);
        ErrCode rc = decode(said, a, bytes, out, &bad, err);
        if (rc == OK && bad * 100 <= bytes.len) {
            *used = said->name;
            return OK;
        }
        arena_rewind(a, m); /* the declaration lies */
    }
    if (c == NULL)
        c = choose(a, bytes);
    *used = c->name;
    return decode(c, a, bytes, out, &bad, err);
}

/* --- declarations inside the text */

static Str value_after(Str head, Str key)
{
    for (size_t from = 0; from < head.len;) {
        size_t at = str_find(str_slice(head, from, head.len), key);
        if (at == STR_NONE)
            break;
        size_t i = from + at + key.len;
        from = i;
        while (i < head.len && head.ptr[i] == ' ')
            i++;
        if (i >= head.len || head.ptr[i] != '=')
            continue;
        for (i++; i < head.len && strchr(" \"'", head.ptr[i]) != NULL && head.ptr[i] != 0; i++)
            ;
        size_t end = i;
        while (end < head.len && strchr(" \"'>;/?\t\r\n", head.ptr[end]) == NULL)
            end++;
        if (end > i)
            return str_slice(head, i, end);
    }
    return STR("");
}

Str charset_declared(Arena *a, Str bytes)
{
    Str head = str_lower(a, str_slice(bytes, 0, 4096));
    if (head.ptr == NULL)
        return STR("");
    Str xml = str_starts(str_trim(head), STR("<?xml"))
                  ? value_after(str_slice(head, 0, 200), STR("encoding"))
                  : STR("");
    return xml.len > 0 ? xml : value_after(head, STR("charset"));
}

ErrCode charset_decode(Arena *a, Str bytes, const char *name, Str *out, Err *err)
{
    size_t bad = 0;
    const Charset *c = charset_find(str_from_c(name));
    if (c == NULL)
        return err_set(err, ERR_UNSUPPORTED_TYPE, "cannot read text in %s", name);
    return decode(c, a, bytes, out, &bad, err);
}
