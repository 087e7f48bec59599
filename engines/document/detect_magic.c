/* detect_magic.c: what begins with bytes that only its kind begins with, and containers whose head
 * says what they hold. */
#include "document/detect_in.h"

#include <string.h>

#include "document/bytes.h"

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
    M(TYPE1, 0, "%!PS-AdobeFont"),
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
    M(CR2, 8, "CR\x02\0"),
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
    M(WORDPERFECT, 0, "\xFFWPC"),
    M(LIT, 0, "ITOLITLS"),
    M(LRF, 0, "L\0R\0F\0\0\0"),
    M(TNEF, 0, "\x78\x9F\x3E\x22"),
    M(PST, 0, "!BDN"),
    M(ONENOTE, 0, "\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D"),
    M(INDESIGN, 0, "\x06\x06\xED\xF5\xD8\x1D\x46\xE5"),
    M(LOTUS, 0, "\0\0\x02\0\x06\x04\x06\0"),
    M(LOTUS, 0, "\0\0\x1A\0\0\x10\x04\0"),
    M(RAF, 0, "FUJIFILMCCD-RAW"),
    M(ORF, 0, "IIRO"),
    M(ORF, 0, "IIRS"),
    M(RW2, 0, "IIU\0"),
    M(JXR, 0, "II\xBC\x01"),
    M(ICNS, 0, "icns\0"),
    M(EXR, 0, "\x76\x2F\x31\x01"),
    M(HDR, 0, "#?RADIANCE\n"),
    M(HDR, 0, "#?RGBE\n"),
    M(QOI, 0, "qoif"),
    M(DDS, 0, "DDS |\0\0\0"),
    M(XCF, 0, "gimp xcf "),
    M(DPX, 0, "SDPX"),
    M(DPX, 0, "XPDS"),
    M(FITS, 0, "SIMPLE  ="),
    M(DICOM, 128, "DICM"),
    M(AU, 0, ".snd\0\0\0"),
    M(CAF, 0, "caff\0\x01"),
    M(APE, 0, "MAC "),
    M(WAVPACK, 0, "wvpk"),
    M(REALMEDIA, 0, ".RMF\0\0\0"),
    M(MXF, 0, "\x06\x0E\x2B\x34\x02\x05\x01\x01"),
    M(ACE, 7, "**ACE**"),
    M(SQUASHFS, 0, "hsqs"),
    M(XAR, 0, "xar!\0\x1C"),
    M(QCOW, 0, "QFI\xFB"),
    M(VMDK, 0, "KDMV"),
    M(VHD, 0, "vhdxfile"),
    M(VHD, 0, "conectix"),
    M(DEX, 0, "dex\n03"),
    M(TYPE1, 6, "%!PS-AdobeFont"),
    M(BDF, 0, "STARTFONT 2"),
    M(ACCESS, 0, "\0\x01\0\0Standard Jet DB"),
    M(ACCESS, 0, "\0\x01\0\0Standard ACE DB"),
    M(HDF5, 0, "\x89HDF\r\n\x1A\n"),
    M(NETCDF, 0, "CDF\x01"),
    M(NETCDF, 0, "CDF\x02"),
    M(ARROW, 0, "ARROW1\0\0"),
    M(AVRO, 0, "Obj\x01"),
    M(ORC, 0, "ORC"),
    M(MATLAB, 0, "MATLAB 5.0 MAT-file"),
    M(NUMPY, 0, "\x93NUMPY"),
    M(BPLIST, 0, "bplist00"),
    M(TORRENT, 0, "d8:announce"),
    M(DWG, 0, "AC10"),
    M(DXF, 0, "AutoCAD Binary DXF\r\n\x1A"),
    M(STEP, 0, "ISO-10303-21;"),
    M(GLB, 0, "glTF\x02\0\0\0"),
    M(SSHKEY, 0, "-----BEGIN OPENSSH"),
    M(SSHKEY, 0, "ssh-rsa AAAA"),
    M(SSHKEY, 0, "ssh-ed25519 AAAA"),
    M(PKCS7, 0, "-----BEGIN PKCS7"),
    M(KEEPASS, 0, "\x03\xD9\xA2\x9A"),
    M(PEM, 0, "-----BEGIN EC "),
    M(PEM, 0, "-----BEGIN PUBLIC"),
    M(PEM, 0, "-----BEGIN ENCRYPTED"),
    M(EOT, 34, "LP\0\0\0\0\0\0"),
    M(ISO, 32769, "CD001"),
};
#undef M

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
        {"jpx ", TYPE_JP2},  {"crx ", TYPE_CR3},
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
    if (has_at(s, 0, STR("BM")) && le32(s, 14) >= 12 && le32(s, 14) <= 124)
        return TYPE_BMP;
    if ((has_at(s, 0, STR("\0\0\x01\0")) || has_at(s, 0, STR("\0\0\x02\0"))) && le16(s, 4) > 0 &&
        le16(s, 4) < 256 && s.len > 22)
        return TYPE_ICO;
    if (has_at(s, 0, STR("MZ")))
        return has_at(s, le32(s, 60), STR("PE\0\0")) || s.len > 64 ? TYPE_PE : TYPE_UNKNOWN;
    if (has_at(s, 0,
               STR("\xCA\xFE\xBA\xBE"))) /* Java's magic and that of universal Mach-O are one */
        return s.len > 8 && (unsigned char)s.ptr[7] < 30 ? TYPE_MACHO : TYPE_CLASS;
    if (has_at(s, 0, STR("\x0B\x77")) && s.len > 6 && ((unsigned char)s.ptr[5] >> 3) <= 16)
        return TYPE_AC3;
    if (has_at(s, 0, STR("\0\0\x27\x0A")) && le32(s, 28) == 1000)
        return TYPE_SHAPEFILE;
    if (s.len > 196 * 2 && s.ptr[4] == 'G' && s.ptr[196] == 'G' && s.ptr[388] == 'G')
        return TYPE_MPEGTS; /* as cameras write it: four bytes of time before each packet */
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

/* P1 to P6 and a size in digits. */
static TypeId by_pnm(Str s)
{
    bool kind = s.len > 6 && s.ptr[0] == 'P' &&
                ((s.ptr[1] >= '1' && s.ptr[1] <= '7') || s.ptr[1] == 'F' || s.ptr[1] == 'f');
    bool space = kind && (s.ptr[2] == '\n' || s.ptr[2] == ' ' || s.ptr[2] == '\r');
    if (!space)
        return TYPE_UNKNOWN;
    if (s.ptr[1] == '7')
        return has_at(s, 3, STR("WIDTH")) ? TYPE_PNM : TYPE_UNKNOWN;
    char c = s.ptr[3];
    return (c >= '0' && c <= '9') || c == '#' ? TYPE_PNM : TYPE_UNKNOWN;
}

/* dBASE: a version, a plausible date, and lengths that agree with each other. */
static TypeId by_dbase(Str s)
{
    unsigned char v = s.len > 68 ? (unsigned char)s.ptr[0] : 0;
    bool version = v == 0x03 || v == 0x83 || v == 0x8B || v == 0x30 || v == 0xF5;
    uint32_t head = le16(s, 8), row = le16(s, 10), rows = le32(s, 4);
    bool date = version && s.ptr[2] >= 1 && s.ptr[2] <= 12 && s.ptr[3] >= 1 && s.ptr[3] <= 31;
    bool sane = date && head >= 65 && head % 32 <= 1 + 8 && row > 1 && head < s.len + 1;
    return sane && (uint64_t)head + (uint64_t)rows * row <= s.len + 2 ? TYPE_DBF : TYPE_UNKNOWN;
}

/* ASN.1 in DER: a sequence as long as the file; what stands in it tells which. */
static TypeId by_der(Str s)
{
    if (s.len < 64 || (unsigned char)s.ptr[0] != 0x30 || (unsigned char)s.ptr[1] != 0x82)
        return TYPE_UNKNOWN;
    size_t len = (size_t)(unsigned char)s.ptr[2] << 8 | (unsigned char)s.ptr[3];
    if (len + 4 != s.len)
        return TYPE_UNKNOWN;
    if (has_at(s, 4, STR("\x02\x01\x03\x30")))
        return TYPE_PKCS12;
    if (has_at(s, 4, STR("\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07")))
        return TYPE_PKCS7;
    return has_at(s, 4, STR("\x30\x82")) ? TYPE_DER : TYPE_UNKNOWN;
}

/* A binary STL has no magic number: 80 bytes of anything, then triangles of 50 bytes each. */
static TypeId by_stl(Str s)
{
    uint32_t triangles = le32(s, 80);
    return triangles > 0 && s.len == 84 + (uint64_t)triangles * 50 ? TYPE_STL : TYPE_UNKNOWN;
}

static TypeId by_sqlite(Str s)
{
    return has_at(s, 68, STR("GPKG")) || has_at(s, 68, STR("GP10")) ? TYPE_GEOPACKAGE : TYPE_SQLITE;
}

static TypeId by_pcx(Str s)
{
    bool head = s.len > 128 && s.ptr[0] == 0x0A && s.ptr[1] >= 0 && s.ptr[1] <= 5 && s.ptr[2] == 1;
    return head && (s.ptr[3] == 1 || s.ptr[3] == 2 || s.ptr[3] == 4 || s.ptr[3] == 8)
               ? TYPE_PCX
               : TYPE_UNKNOWN;
}

TypeId detect_magic(Str s)
{
    for (size_t i = 0; i < COUNT_OF(magics); i++)
        if (has_at(s, magics[i].at, magics[i].bytes))
            return magics[i].type == TYPE_SQLITE ? by_sqlite(s) : magics[i].type;
    static TypeId (*const tests[])(Str) = {by_container, by_pnm, by_der,        by_dbase,
                                           by_pcx,       by_stl, by_mpeg_frame, by_old_tar};
    TypeId t = TYPE_UNKNOWN;
    for (size_t i = 0; i < COUNT_OF(tests) && t == TYPE_UNKNOWN; i++)
        t = tests[i](s);
    if (t == TYPE_UNKNOWN && s.len > 512 && has_at(s, s.len - 512, STR("koly")))
        return TYPE_DMG;
    return t;
}

/* --- encrypted archives */

static bool rar_encrypted(Str s)
{
    if (!has_at(
            s, 0,
            STR("Rar!\x1A\x07\x01\0"))) /* version 4: a flag of the archive, or of the first file */
        return (le16(s, 10) & 0x80) != 0 ||
               (s.len > 24 && s.ptr[22] == 0x74 && (le16(s, 23) & 0x04) != 0);
    /* version 5: an archive encryption header comes first, or a file says so in its extra area */
    return s.len > 13 && s.ptr[13] == 4;
}

bool detect_archive_encrypted(TypeId t, Str s)
{
    if (t == TYPE_RAR)
        return rar_encrypted(s);
    if (t != TYPE_SEVENZIP)
        return false;
    uint64_t at = 32 + le64(s, 12), size = le64(s, 20);
    Str head = at < s.len && size < s.len ? str_slice(s, (size_t)at, (size_t)(at + size)) : STR("");
    return str_find(head, STR("\x06\xF1\x07\x01")) != STR_NONE; /* AES */
}
