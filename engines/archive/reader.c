#include "archive/reader.h"
#include "base/fault.h"

#include <errno.h>
#include <string.h>

void reader_close(Reader *r)
{
    if (r->a != NULL)
        archive_read_free(r->a);
    r->a = NULL;
}

/* libarchive has errno values of its own making and words; the words say more. */
static ErrCode reader_fail(StepCtx *c, Reader *r, Str name)
{
    static const struct {
        const char *words;
        ErrCode code;
    } known[] = {
        {"too many filters", ERR_LIMIT_DEPTH},
        {"assphrase", ERR_INPUT_ENCRYPTED},
        {"ncrypt", ERR_INPUT_ENCRYPTED},
        {"Crypto", ERR_INPUT_ENCRYPTED},
        {"nrecognized archive format", ERR_UNSUPPORTED_TYPE},
        {"nsupported", ERR_UNSUPPORTED_TYPE},
        {"ot supported", ERR_UNSUPPORTED_TYPE},
        {"an't allocate", ERR_LIMIT_MEMORY},
        {"o memory", ERR_LIMIT_MEMORY},
        {"ut of memory", ERR_LIMIT_MEMORY},
    };
    const char *said = archive_error_string(r->a);
    said = said != NULL ? said : "the archive cannot be read";
    ErrCode code = archive_errno(r->a) == ENOMEM ? ERR_LIMIT_MEMORY : ERR_INPUT_DAMAGED;
    for (size_t i = 0; i < COUNT_OF(known) && code == ERR_INPUT_DAMAGED; i++)
        if (strstr(said, known[i].words) != NULL)
            code = known[i].code;
    if (name.len == 0)
        return err_set(c->err, code, "%.200s", said);
    return err_set(c->err, code, "entry \"" STR_FMT "\": %.120s", STR_ARG(str_slice(name, 0, 100)),
                   said);
}

/* One by one: "all" would bring filters that start programs and a format that names other files. */
static bool support(struct archive *a, bool zip_in_order)
{
    static int (*const parts[])(struct archive *) = {
        archive_read_support_filter_gzip,     archive_read_support_filter_bzip2,
        archive_read_support_filter_xz,       archive_read_support_filter_lzma,
        archive_read_support_filter_zstd,     archive_read_support_filter_lz4,
        archive_read_support_filter_compress, archive_read_support_format_zip,
        archive_read_support_format_tar,      archive_read_support_format_7zip,
        archive_read_support_format_cpio,     archive_read_support_format_ar,
        archive_read_support_format_rar,      archive_read_support_format_rar5,
        archive_read_support_format_cab,      archive_read_support_format_lha,
        archive_read_support_format_iso9660,  archive_read_support_format_raw,
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (!zip_in_order && parts[i](a) < ARCHIVE_WARN)
            return false;
    return !zip_in_order || archive_read_support_format_zip_streamable(a) >= ARCHIVE_WARN;
}

ErrCode reader_open(StepCtx *c, Str bytes, Str password, bool zip_in_order, Reader *out)
{
    enum { BLOCK = 64 * 1024 };
    Reader r = {.a = fault_hit("archive.open") ? NULL : archive_read_new(), .bytes = bytes};
    if (r.a == NULL || !support(r.a, zip_in_order)) {
        reader_close(&r);
        return err_set(c->err, ERR_NO_MEMORY, "opening the archive");
    }
    const char *secret = password.len > 0 ? str_to_c(c->arena, password) : NULL;
    if (secret != NULL)
        archive_read_add_passphrase(r.a, secret);
    /* An error here is about the format; the first reader_next says it again. */
    if (archive_read_open_memory2(r.a, bytes.ptr, bytes.len, BLOCK) < ARCHIVE_WARN) {
        ErrCode rc = reader_fail(c, &r, (Str){0});
        reader_close(&r);
        return rc;
    }
    *out = r;
    return OK;
}

ErrCode reader_next(StepCtx *c, Reader *r, struct archive_entry **out)
{
    if (fault_hit("archive.next"))
        return err_set(c->err, ERR_LIMIT_MEMORY, "reading the archive");
    int rc = archive_read_next_header(r->a, out);
    if (rc == ARCHIVE_EOF) {
        *out = NULL;
        return OK;
    }
    if (rc < ARCHIVE_WARN)
        return reader_fail(c, r, (Str){0});
    /* The raw format takes any bytes at all; without a compression around them they are no archive.
     */
    if (archive_format(r->a) == ARCHIVE_FORMAT_RAW && archive_filter_count(r->a) < 2)
        return err_set(c->err, ERR_UNSUPPORTED_TYPE, "these bytes are no archive of a known kind");
    return OK;
}

ErrCode reader_data(StepCtx *c, Reader *r, Str name, const void **block, size_t *len,
                    int64_t *offset)
{
    la_int64_t at = 0;
    if (fault_hit("archive.data"))
        return err_set(c->err, ERR_LIMIT_MEMORY, "unpacking \"" STR_FMT "\"",
                       STR_ARG(str_slice(name, 0, 100)));
    *len = 0;
    int rc = archive_read_data_block(r->a, block, len, &at);
    *offset = at;
    if (rc == ARCHIVE_EOF) {
        *len = 0;
        return OK;
    }
    /* A warning in data means that a checksum or a length is wrong. */
    return rc == ARCHIVE_OK ? OK : reader_fail(c, r, name);
}

bool reader_is_single(const Reader *r)
{
    return archive_format(r->a) == ARCHIVE_FORMAT_RAW;
}

bool reader_is_zip(const Reader *r)
{
    return (archive_format(r->a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
}

bool reader_is_stream(const Reader *r)
{
    return archive_filter_count(r->a) > 1;
}

const char *reader_compression(const Reader *r)
{
    return archive_filter_count(r->a) > 1 ? archive_filter_name(r->a, 0) : NULL;
}

const char *reader_format(const Reader *r)
{
    static const struct {
        int format;
        const char *name;
    } names[] = {
        {ARCHIVE_FORMAT_ZIP, "zip"},     {ARCHIVE_FORMAT_TAR, "tar"}, {ARCHIVE_FORMAT_7ZIP, "7z"},
        {ARCHIVE_FORMAT_CPIO, "cpio"},   {ARCHIVE_FORMAT_AR, "ar"},   {ARCHIVE_FORMAT_RAR, "rar"},
        {ARCHIVE_FORMAT_RAR_V5, "rar"},  {ARCHIVE_FORMAT_CAB, "cab"}, {ARCHIVE_FORMAT_LHA, "lha"},
        {ARCHIVE_FORMAT_ISO9660, "iso"},
    };
    if (reader_is_single(r))
        return reader_compression(r) != NULL ? reader_compression(r) : "none";
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if ((archive_format(r->a) & ARCHIVE_FORMAT_BASE_MASK) == names[i].format)
            return names[i].name;
    return "zip"; /* an empty one: libarchive names the format with the first entry */
}

const char *reader_sniff(const void *bytes, size_t size)
{
    static const struct {
        size_t at, len;
        const char *magic, *kind;
    } kinds[] = {
        {0, 4, "PK\3\4", "zip"},
        {0, 6, "7z\xbc\xaf\x27\x1c", "7z"},
        {0, 6, "Rar!\x1a\7", "rar"},
        {0, 3, "\x1f\x8b\x08", "gzip"},
        {0, 3, "BZh", "bzip2"},
        {0, 6,
         "\xfd"
         "7zXZ\0",
         "xz"},
        {0, 4, "\x28\xb5\x2f\xfd", "zstd"},
        {0, 4, "\x04\x22\x4d\x18", "lz4"},
        {0, 2, "\x1f\x9d", "compress"},
        {257, 5, "ustar", "tar"},
        {0, 4, "MSCF", "cab"},
        {0, 8, "!<arch>\n", "ar"},
        {0, 5, "07070", "cpio"},
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (size >= kinds[i].at + kinds[i].len &&
            memcmp((const char *)bytes + kinds[i].at, kinds[i].magic, kinds[i].len) == 0)
            return kinds[i].kind;
    return NULL;
}

/* In the C.UTF-8 locale the first form gives the bytes as they are; it is missing when a name
 * cannot be said in them. */
Str reader_path(struct archive_entry *e)
{
    const char *path = archive_entry_pathname(e);
    return str_from_c(path != NULL ? path : archive_entry_pathname_utf8(e));
}

Str reader_link(struct archive_entry *e, bool *hard)
{
    const char *target = archive_entry_hardlink(e);
    *hard = target != NULL;
    if (target == NULL)
        target = archive_entry_symlink(e);
    return str_from_c(target);
}
