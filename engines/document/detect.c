#include "document/detect.h"

#include "document/charset.h"
#include "document/detect_in.h"

#include <string.h>

enum { TEXT_HEAD = 64 << 10 };

typedef struct TypeRow {
    FileType type;
    const char *others;
} TypeRow;

static const TypeRow types[TYPE_COUNT] = {
#define TYPE(id, media, ext, human, group, more)                                                   \
    [TYPE_##id] = {{.media_type = media, .extension = ext, .name = human, .family = group}, more},
#include "document/types.def"
#undef TYPE
};

typedef struct Magic {
    TypeId type;
    size_t at;
    Str bytes;
} Magic;

#define M(type, at, bytes)                                                                         \
    {                                                                                              \
        TYPE_##type, at,                                                                           \
        {                                                                                          \
            bytes, sizeof(bytes) - 1                                                               \
        }                                                                                          \
    }
static const Magic magics[] = {
    M(POSTSCRIPT, 0, "%!PS"),
    M(POSTSCRIPT, 0, "\xC5\xD0\xD3\xC6"),
    M(RTF, 0, "{\\rt"),
    M(DJVU, 0, "AT&TFORM"),
    M(CHM, 0, "ITSF\x03"),
    M(MOBI, 60, "BOOKMOBI"),
    M(MOBI, 60, "TEXtREAd"),
    M(PNG, 0, "\x89PNG\r\n\x1A\n"),
    M(JPEG, 0, "\xFF\xD8\xFF"),
    M(GIF, 0, "GIF87a"),
    M(GIF, 0, "GIF89a"),
    M(TIFF, 0, "II*\0"),
    M(TIFF, 0, "MM\0*"),
    M(TIFF, 0, "II+\0"),
    M(TIFF, 0, "MM\0+"),
    M(JXL, 0, "\xFF\x0A"),
    M(JXL, 0, "\0\0\0\x0CJXL \r\n\x87\n"),
    M(JP2, 0, "\0\0\0\x0CjP  \r\n\x87\n"),
    M(JP2, 0, "\xFF\x4F\xFF\x51"),
    M(PSD, 0, "8BPS\0"),
    M(EMF, 40, " EMF"),
    M(WMF, 0, "\xD7\xCD\xC6\x9A"),
    M(FLAC, 0, "fLaC"),
    M(AMR, 0, "#!AMR"),
    M(MIDI, 0, "MThd"),
    M(MP3, 0, "ID3"),
    M(ASF, 0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"),
    M(MPEG, 0, "\0\0\x01\xBA"),
    M(MPEG, 0, "\0\0\x01\xB3"),
    M(FLV, 0, "FLV\x01"),
    M(SEVENZIP, 0, "7z\xBC\xAF\x27\x1C"),
    M(RAR, 0, "Rar!\x1A\x07"),
    M(GZIP, 0, "\x1F\x8B\x08"),
    M(BZIP2, 0, "BZh"),
    M(XZ, 0,
      "\xFD"
      "7zXZ\0"),
    M(ZSTD, 0, "\x28\xB5\x2F\xFD"),
    M(LZ4, 0, "\x04\x22\x4D\x18"),
    M(LZIP, 0, "LZIP\x01"),
    M(COMPRESS, 0, "\x1F\x9D"),
    M(CAB, 0, "MSCF\0\0\0\0"),
    M(CPIO, 0, "070701"),
    M(CPIO, 0, "070702"),
    M(CPIO, 0, "070707"),
    M(DEB, 0, "!<arch>\ndebian"),
    M(AR, 0, "!<arch>\n"),
    M(RPM, 0, "\xED\xAB\xEE\xDB"),
    M(ARJ, 0, "\x60\xEA"),
    M(LHA, 2, "-lh"),
    M(TAR, 257, "ustar"),
    M(ELF, 0,
      "\x7F"
      "ELF"),
    M(WASM, 0, "\0asm"),
    M(LNK, 0, "L\0\0\0\x01\x14\x02\0"),
    M(MACHO, 0, "\xFE\xED\xFA\xCE"),
    M(MACHO, 0, "\xFE\xED\xFA\xCF"),
    M(MACHO, 0, "\xCE\xFA\xED\xFE"),
    M(MACHO, 0, "\xCF\xFA\xED\xFE"),
    M(TTF, 0, "\0\x01\0\0\0"),
    M(TTF, 0, "ttcf"),
    M(OTF, 0, "OTTO"),
    M(WOFF, 0, "wOFF"),
    M(WOFF2, 0, "wOF2"),
    M(SQLITE, 0, "SQLite format 3\0"),
    M(PARQUET, 0, "PAR1"),
    M(PCAP, 0, "\xD4\xC3\xB2\xA1"),
    M(PCAP, 0, "\x0A\x0D\x0D\x0A"),
    M(PEM, 0, "-----BEGIN CERT"),
    M(PEM, 0, "-----BEGIN PRIV"),
    M(PEM, 0, "-----BEGIN RSA"),
    M(PGP, 0, "-----BEGIN PGP"),
    M(SWF, 0, "FWS"),
    M(SWF, 0, "CWS"),
    M(ISO, 32769, "CD001"),
};
#undef M

uint32_t detect_u16(Str s, size_t at)
{
    if (s.len < 2 || at > s.len - 2)
        return 0;
    const unsigned char *p = (const unsigned char *)s.ptr + at;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

uint32_t detect_u32(Str s, size_t at)
{
    return detect_u16(s, at) | detect_u16(s, at + 2) << 16;
}

static bool has_at(Str s, size_t at, Str bytes)
{
    return s.len >= bytes.len && at <= s.len - bytes.len &&
           memcmp(s.ptr + at, bytes.ptr, bytes.len) == 0;
}

/* The brands of an ISO base media file say what is in it. */
static TypeId by_brand(Str s)
{
    static const struct {
        const char *brand;
        TypeId type;
    } brands[] = {
        {"heic", TYPE_HEIC}, {"heix", TYPE_HEIC}, {"heim", TYPE_HEIC}, {"heis", TYPE_HEIC},
        {"hevc", TYPE_HEIC}, {"mif1", TYPE_HEIC}, {"msf1", TYPE_HEIC}, {"avif", TYPE_AVIF},
        {"avis", TYPE_AVIF}, {"qt  ", TYPE_MOV},  {"M4A ", TYPE_M4A},  {"M4B ", TYPE_M4A},
        {"3gp4", TYPE_V3GP}, {"3gp5", TYPE_V3GP}, {"3gp6", TYPE_V3GP}, {"3g2a", TYPE_V3GP},
        {"jpx ", TYPE_JP2},
    };
    Str major = str_slice(s, 8, 12);
    if (str_eq_c(major, "mif1") && str_find(str_slice(s, 16, 64), STR("avif")) != STR_NONE)
        return TYPE_AVIF;
    for (size_t i = 0; i < COUNT_OF(brands); i++)
        if (str_eq_c(major, brands[i].brand))
            return brands[i].type;
    return TYPE_MP4;
}

static TypeId by_container(Str s)
{
    if (has_at(s, 4, STR("ftyp")))
        return by_brand(s);
    if (has_at(s, 4, STR("moov")) || has_at(s, 4, STR("mdat")) || has_at(s, 4, STR("wide")))
        return TYPE_MOV;
    if (has_at(s, 0, STR("RIFF"))) {
        if (has_at(s, 8, STR("WEBP")))
            return TYPE_WEBP;
        return has_at(s, 8, STR("WAVE"))   ? TYPE_WAV
               : has_at(s, 8, STR("AVI ")) ? TYPE_AVI
                                           : TYPE_UNKNOWN;
    }
    if (has_at(s, 0, STR("FORM")) && (has_at(s, 8, STR("AIFF")) || has_at(s, 8, STR("AIFC"))))
        return TYPE_AIFF;
    if (has_at(s, 0, STR("OggS")))
        return str_find(str_slice(s, 0, 512), STR("theora")) != STR_NONE ? TYPE_OGV : TYPE_OGG;
    if (has_at(s, 0, STR("\x1A\x45\xDF\xA3")))
        return str_find(str_slice(s, 0, 128), STR("webm")) != STR_NONE ? TYPE_WEBM : TYPE_MKV;
    if (has_at(s, 0, STR("BM")) && detect_u32(s, 14) >= 12 && detect_u32(s, 14) <= 124)
        return TYPE_BMP;
    if ((has_at(s, 0, STR("\0\0\x01\0")) || has_at(s, 0, STR("\0\0\x02\0"))) &&
        detect_u16(s, 4) > 0 && detect_u16(s, 4) < 256 && s.len > 22)
        return TYPE_ICO;
    if (has_at(s, 0, STR("MZ")))
        return has_at(s, detect_u32(s, 60), STR("PE\0\0")) || s.len > 64 ? TYPE_PE : TYPE_UNKNOWN;
    if (has_at(s, 0,
               STR("\xCA\xFE\xBA\xBE"))) /* Java's magic and that of universal Mach-O are one */
        return s.len > 8 && (unsigned char)s.ptr[7] < 30 ? TYPE_MACHO : TYPE_CLASS;
    if (s.len > 188 * 2 && s.ptr[0] == 'G' && s.ptr[188] == 'G' && s.ptr[376] == 'G')
        return TYPE_MPEGTS;
    return TYPE_UNKNOWN;
}

/* MPEG sound without a tag: a frame header, and where the bytes go on, another where it says. */
static TypeId by_mpeg_frame(Str s)
{
    if (s.len < 4 || (unsigned char)s.ptr[0] != 0xFF ||
        (unsigned char)s.ptr[1] == 0xFE) /* a UTF-16 mark */
        return TYPE_UNKNOWN;
    unsigned char b = (unsigned char)s.ptr[1], c = (unsigned char)s.ptr[2];
    if ((b & 0xF6) == 0xF0)
        return TYPE_AAC;
    bool frame = (b & 0xE0) == 0xE0 && (b & 0x06) != 0 && (b & 0x18) != 0x08 &&
                 (c & 0xF0) != 0xF0 && (c & 0x0C) != 0x0C && (c & 0xF0) != 0;
    return frame ? TYPE_MP3 : TYPE_UNKNOWN;
}

static TypeId by_old_tar(Str s)
{
    if (s.len < 512 || s.ptr[0] == 0)
        return TYPE_UNKNOWN;
    uint32_t sum = 0, said = 0;
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)s.ptr[i];
    for (size_t i = 148; i < 156; i++)
        if (s.ptr[i] >= '0' && s.ptr[i] <= '7')
            said = said * 8 + (uint32_t)(s.ptr[i] - '0');
    return sum == said ? TYPE_TAR : TYPE_UNKNOWN;
}

/* An encrypted PDF names its /Encrypt dictionary in a trailer, which is near one of the ends. */
static bool pdf_encrypted(Str s)
{
    Str tail = str_slice(s, s.len > 4096 ? s.len - 4096 : 0, s.len);
    return str_find(tail, STR("/Encrypt")) != STR_NONE ||
           str_find(str_slice(s, 0, 4096), STR("/Encrypt")) != STR_NONE;
}

static TypeId by_bytes(Arena *a, Str s, TypeFlags *flags)
{
    if (str_find(str_slice(s, 0, 1024), STR("%PDF-")) != STR_NONE) {
        flags->encrypted = pdf_encrypted(s);
        return TYPE_PDF;
    }
    if (has_at(s, 0, STR("PK\x03\x04")) || has_at(s, 0, STR("PK\x05\x06")) ||
        has_at(s, 0, STR("PK00PK")))
        return detect_zip(a, s, flags);
    if (has_at(s, 0, STR("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")))
        return detect_ole(a, s, flags);
    for (size_t i = 0; i < COUNT_OF(magics); i++)
        if (has_at(s, magics[i].at, magics[i].bytes))
            return magics[i].type;
    TypeId t = by_container(s);
    t = t != TYPE_UNKNOWN ? t : by_mpeg_frame(s);
    return t != TYPE_UNKNOWN ? t : by_old_tar(s);
}

/* Text has no control characters to speak of. */
static bool looks_like_text(Str utf8)
{
    size_t odd = 0, seen = 0;
    for (size_t at = 0; at < utf8.len; seen++) {
        uint32_t cp = str_next_utf8(utf8, &at);
        odd += (cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r' && cp != '\f' && cp != 0x1B) ||
               cp == 0x7F || (cp >= 0x80 && cp < 0xA0 && cp != 0x85) || cp == 0xFFFD;
    }
    return seen > 0 && odd * 50 <= seen;
}

/* Some programs pad text with zeros, or leave holes in it: long runs of them go. One to three in a
 * row are part of UTF-16 and UTF-32. */
static Str without_holes(Arena *a, Str s)
{
    enum { HOLE_MIN = 16 };
    if (memmem(s.ptr, s.len, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", HOLE_MIN) == NULL)
        return s;
    Buf b = buf_init(a, s.len + 1);
    for (size_t i = 0; i < s.len;) {
        size_t end = i;
        while (end < s.len && s.ptr[end] == 0)
            end++;
        if (end - i < HOLE_MIN)
            buf_add(&b, str_slice(s, i, end));
        i = end;
        while (end < s.len && s.ptr[end] != 0)
            end++;
        buf_add(&b, str_slice(s, i, end));
        i = end;
    }
    return b.failed ? s : buf_str(&b);
}

ErrCode detect_type(Arena *a, Str bytes, FileType *out, Err *err)
{
    TypeFlags flags = {0};
    TypeId id = by_bytes(a, bytes, &flags);
    const char *charset = NULL;
    if (id == TYPE_UNKNOWN || id == TYPE_RTF) {
        /* cut at a character's end, so that the cut itself does not look like damage */
        size_t head = bytes.len < TEXT_HEAD ? bytes.len : TEXT_HEAD;
        while (head < bytes.len && head > TEXT_HEAD - 4 &&
               ((unsigned char)bytes.ptr[head] & 0xC0) == 0x80)
            head--;
        Str start = without_holes(a, str_slice(bytes, 0, head)), text;
        const char *used = NULL;
        ErrCode rc = charset_to_utf8(a, start, charset_declared(a, start), &text, &used, err);
        if (rc != OK)
            return rc;
        if (id == TYPE_UNKNOWN && looks_like_text(text))
            id = detect_text(text);
        if (id != TYPE_UNKNOWN)
            charset = used;
    }
    *out = types[id].type;
    out->encrypted = flags.encrypted;
    out->macros = flags.macros;
    out->charset = charset;
    return OK;
}

/* --- names */

static Str extension_of(Str name)
{
    size_t slash = str_rfind_char(name, '/');
    if (slash != STR_NONE)
        name = str_slice(name, slash + 1, name.len);
    size_t dot = str_rfind_char(name, '.');
    return dot != STR_NONE && dot > 0 ? str_slice(name, dot + 1, name.len) : STR("");
}

static bool row_has(const TypeRow *r, Str ext)
{
    Str rest = str_from_c(r->others), one;
    if (str_eq_nocase(ext, str_from_c(r->type.extension)))
        return true;
    while (str_next(&rest, ' ', &one))
        if (one.len > 0 && str_eq_nocase(ext, one))
            return true;
    return false;
}

static const TypeRow *row_of(const FileType *t)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i].type.media_type == t->media_type)
            return &types[i];
    return &types[TYPE_UNKNOWN];
}

static bool known_elsewhere(Str ext)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (row_has(&types[i], ext) && strcmp(types[i].type.family, "text") != 0)
            return true;
    return false;
}

bool detect_name_fits(const FileType *t, Str name)
{
    Str ext = extension_of(name);
    const TypeRow *r = row_of(t);
    if (ext.len == 0 || row_has(r, ext))
        return true;
    if (r == &types[TYPE_UNKNOWN])
        return !known_elsewhere(
            ext); /* bytes of a kind we have no name for may be called anything new */
    return strcmp(t->family, "text") == 0 &&
           !known_elsewhere(ext); /* source code, logs, settings … */
}

void detect_refine(FileType *t, Str name)
{
    static const TypeId by_name[] = {TYPE_CSV,  TYPE_TSV,  TYPE_MARKDOWN, TYPE_TEXT,
                                     TYPE_HTML, TYPE_YAML, TYPE_TEX};
    static const TypeId by_shape[] = {TYPE_TEXT,     TYPE_CSV,  TYPE_TSV,
                                      TYPE_MARKDOWN, TYPE_YAML, TYPE_TEX};
    Str ext = extension_of(name);
    bool weak = false;
    for (size_t i = 0; i < COUNT_OF(by_shape); i++)
        weak = weak || t->media_type == types[by_shape[i]].type.media_type;
    if (!weak || ext.len == 0)
        return;
    TypeId named = TYPE_UNKNOWN;
    for (size_t i = 0; i < COUNT_OF(by_name) && named == TYPE_UNKNOWN; i++)
        if (str_eq_nocase(ext, str_from_c(types[by_name[i]].type.extension)))
            named = by_name[i];
    for (size_t i = 0; i < COUNT_OF(by_name) && named == TYPE_UNKNOWN; i++)
        if (by_name[i] != TYPE_TEXT && row_has(&types[by_name[i]], ext))
            named = by_name[i];
    /* A ".csv" that is tab-separated stays what it is; names of source code make it plain text. */
    if (named == TYPE_CSV && t->media_type == types[TYPE_TSV].type.media_type)
        return;
    if (named == TYPE_UNKNOWN && known_elsewhere(ext))
        return;
    const char *charset = t->charset;
    *t = types[named == TYPE_UNKNOWN ? TYPE_TEXT : named].type;
    t->charset = charset;
}

Str detect_better_name(Arena *a, const FileType *t, Str name)
{
    Str ext = extension_of(name);
    Str stem = str_slice(name, 0, ext.len > 0 ? name.len - ext.len - 1 : name.len);
    return str_printf(a, STR_FMT ".%s", STR_ARG(stem), t->extension);
}
