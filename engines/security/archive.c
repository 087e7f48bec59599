/* archive.c: ZIP by its directory, so that parts of Office files are known by name; all other
 * archives and compressed files as libarchive reads them. */
#include "security/scan.h"

#include "document/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <zlib.h>

enum { RATIO_MAX = 200, RATIO_FREE = 8 << 20, PIECE = 64 << 10, DAMAGED_MAX = 50 };

/* What samples are mailed with, so that gateways do not look inside. */
static const char *const passwords[] = {
    "infected", "infected-test", "malware", "virus", "password", "42",     "1234",
    "12345",    "123456",        "123",     "test",  "abc123",   "invoice"};

static bool escapes(Str name)
{
    bool drive = name.len > 2 && name.ptr[1] == ':' && (name.ptr[2] == '\\' || name.ptr[2] == '/');
    if (name.len > 0 && (name.ptr[0] == '/' || name.ptr[0] == '\\' || drive))
        return true;
    for (size_t i = 0; i + 2 <= name.len; i++) {
        bool start = i == 0 || name.ptr[i - 1] == '/' || name.ptr[i - 1] == '\\',
             end = i + 2 == name.len || name.ptr[i + 2] == '/' || name.ptr[i + 2] == '\\';
        if (start && end && name.ptr[i] == '.' && name.ptr[i + 1] == '.')
            return true;
    }
    return false;
}

static void check_path(Scan *s, const ScanObject *o, Str name)
{
    /* "/absolute" is what tar keeps when told to; only the way up is made to harm in one. */
    bool tar = scan_is(o, "tar");
    if (escapes(name) && !(tar && name.ptr[0] == '/'))
        scan_report(s, FINDING_PATH_ESCAPE, o, "\"" STR_FMT "\"",
                    STR_ARG(scan_printable(s->arena, name, 120)));
}

static void found_bomb(Scan *s, const ScanObject *o, const char *what)
{
    scan_report(s, FINDING_BOMB, o, "%s", what);
    s->bomb = true;
    s->complete = false;
}

typedef struct Reading {
    Scan *s;
    const ScanObject *o;
    int64_t packed; /* bytes of the archive: what all it holds is measured against */
    int64_t expanded;
    bool encrypted, opened; /* an entry was; a password of ours worked */
} Reading;

/* Another `n` bytes came out of it. */
static bool is_bomb(Reading *r, int64_t n)
{
    r->expanded += n;
    if (r->expanded <= RATIO_FREE || r->expanded / RATIO_MAX <= r->packed)
        return false;
    found_bomb(r->s, r->o, "it expands to more than 200 times its size");
    return true;
}

/* One entry's bytes, up to what is allowed. *whole: it was read to its end. */
static Str read_entry(Reading *r, struct archive *a, bool *whole)
{
    Scan *s = r->s;
    Buf b = buf_init(s->arena, SCAN_INNER_MAX);
    *whole = false;
    for (;;) {
        char *room = buf_room(&b, PIECE);
        if (room == NULL)
            return buf_str(&b);
        ssize_t n = archive_read_data(a, room, PIECE);
        if (n <= 0) {
            *whole = n == 0;
            return buf_str(&b);
        }
        buf_wrote(&b, (size_t)n);
        if (is_bomb(r, n))
            return (Str){0};
        if (!scan_allow(s, r->o, (int64_t)b.len))
            return buf_str(&b);
    }
}

static Str entry_name(struct archive_entry *e)
{
    const char *name = archive_entry_pathname_utf8(e);
    if (name == NULL)
        name = archive_entry_pathname(e);
    return str_from_c(name);
}

static void take_entry(Reading *r, struct archive *a, struct archive_entry *e)
{
    Scan *s = r->s;
    ArenaMark mark = arena_mark(s->arena);
    Str name = str_copy(s->arena, entry_name(e));
    bool whole, encrypted = archive_entry_is_encrypted(e) != 0;
    if (name.ptr == NULL)
        return;
    check_path(s, r->o, name);
    if (archive_entry_filetype(e) == AE_IFREG || archive_entry_filetype(e) == 0) {
        Str bytes = read_entry(r, a, &whole);
        r->encrypted |= encrypted;
        r->opened |= encrypted && whole && bytes.len > 0;
        if (bytes.len > 0 && !s->bomb)
            scan_inside(s, r->o, bytes, name.len > 0 ? name : STR("content"), AROUND_ARCHIVE);
        else if (encrypted) {
            ScanObject named = scan_part(s, r->o, name);
            names_check(s, &named);
        }
    }
    arena_rewind(s->arena, mark);
}

/* Formats and filters; "raw" is a compressed file that is no archive. */
static struct archive *open_archive(Str bytes, bool raw)
{
    struct archive *a = archive_read_new();
    if (a == NULL)
        return NULL;
    archive_read_support_filter_all(a);
    if (raw)
        archive_read_support_format_raw(a);
    else
        archive_read_support_format_all(a);
    for (size_t i = 0; !raw && i < COUNT_OF(passwords); i++)
        archive_read_add_passphrase(a, passwords[i]);
    if (archive_read_open_memory(a, bytes.ptr, bytes.len) != ARCHIVE_OK) {
        archive_read_free(a);
        return NULL;
    }
    return a;
}

static bool read_all(Reading *r, bool raw)
{
    struct archive *a = open_archive(r->o->bytes, raw);
    struct archive_entry *e;
    bool any = false;
    int damaged = 0;
    while (a != NULL && !r->s->bomb && r->s->complete && damaged < DAMAGED_MAX) {
        int rc = archive_read_next_header(a, &e);
        if (rc == ARCHIVE_EOF || rc == ARCHIVE_FATAL)
            break;
        if (rc < ARCHIVE_WARN) {
            damaged++;
            continue;
        }
        if (raw && archive_filter_count(a) < 2)
            break; /* nothing was unpacked: it is no compressed file */
        any = true;
        take_entry(r, a, e);
    }
    if (a != NULL)
        archive_read_free(a);
    return any;
}

static void report_password(Reading *r)
{
    if (r->opened)
        scan_report(r->s, FINDING_PASSWORD_KNOWN, r->o, "one of the usual passwords opens it");
    else if (r->encrypted)
        scan_report(r->s, FINDING_ENCRYPTED, r->o, "the archive needs a password");
}

static void scan_other(Scan *s, const ScanObject *o)
{
    Reading r = {.s = s, .o = o, .packed = (int64_t)o->bytes.len};
    /* gzip around tar is one archive; around anything else it is one file. */
    if (!read_all(&r, false) && !s->bomb)
        (void)read_all(&r, true);
    report_password(&r);
}

static bool is_office(const Zip *z)
{
    return zip_find(z, STR("[Content_Types].xml")) != NULL ||
           zip_find(z, STR("mimetype")) != NULL ||
           zip_find(z, STR("META-INF/manifest.xml")) != NULL;
}

static void scan_entry(Scan *s, const ScanObject *o, Zip *z, const ZipEntry *e, bool office)
{
    ArenaMark mark = arena_mark(s->arena);
    Err err = {0};
    Str bytes = {0};
    if (!office)
        check_path(s, o, e->name);
    if (e->size > 0 && scan_allow(s, o, (int64_t)(e->size < SCAN_INNER_MAX ? e->size : 0))) {
        ErrCode rc = zip_read(z, e, s->arena, SCAN_INNER_MAX, &bytes, &err);
        if (rc == ERR_LIMIT_RATIO)
            found_bomb(s, o, err.text);
        else if (rc == ERR_INPUT_TOO_LARGE)
            (void)scan_allow(s, o, INT64_MAX);
        if (rc == OK && office) {
            ScanObject part = scan_part(s, o, e->name);
            part.bytes = bytes;
            office_part_scan(s, o, &part);
        }
        if (rc == OK)
            scan_inside(s, o, bytes, e->name, office ? AROUND_DOCUMENT : AROUND_ARCHIVE);
    }
    arena_rewind(s->arena, mark);
}

static bool needs_libarchive(const Zip *z)
{
    for (size_t i = 0; i < z->len; i++)
        if (z->entries[i].encrypted || (z->entries[i].method != 0 && z->entries[i].method != 8))
            return true;
    return false;
}

static void scan_zip(Scan *s, const ScanObject *o)
{
    Zip z;
    Err err = {0};
    ErrCode rc = zip_open(s->arena, o->bytes, &z, &err);
    if (rc == ERR_LIMIT_RATIO || rc == ERR_LIMIT_COUNT) {
        found_bomb(s, o, err.text);
        return;
    }
    if (rc != OK) {
        scan_other(s, o);
        return;
    }
    bool office = is_office(&z);
    if (!office && needs_libarchive(&z)) {
        scan_other(s, o);
        return;
    }
    for (size_t i = 0; i < z.len && !s->bomb && s->complete; i++)
        scan_entry(s, o, &z, &z.entries[i], office);
}

/* One member after the other, as one file; libarchive would unwrap 25 layers in one go. */
static void scan_gzip(Scan *s, const ScanObject *o)
{
    Reading r = {.s = s, .o = o, .packed = (int64_t)o->bytes.len};
    Buf b = buf_init(s->arena, SCAN_INNER_MAX);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)o->bytes.ptr,
                  .avail_in = (uInt)(o->bytes.len < UINT32_MAX ? o->bytes.len : UINT32_MAX)};
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return;
    for (int rc = Z_OK; rc == Z_OK && scan_allow(s, o, (int64_t)b.len);) {
        char *room = buf_room(&b, PIECE);
        z.next_out = (Bytef *)room;
        z.avail_out = PIECE;
        if (room == NULL)
            break;
        rc = inflate(&z, Z_NO_FLUSH);
        buf_wrote(&b, PIECE - z.avail_out);
        if (is_bomb(&r, PIECE - z.avail_out))
            break;
        if (rc == Z_STREAM_END && z.avail_in > 0 && z.next_in[0] == 0x1f)
            rc = inflateReset(&z);
    }
    inflateEnd(&z);
    if (b.len > 0 && !s->bomb)
        scan_inside(s, o, buf_str(&b), STR("content"), AROUND_ARCHIVE);
}

void archive_scan(Scan *s, const ScanObject *o)
{
    ArenaMark mark = arena_mark(s->arena);
    bool zip = str_starts(o->bytes, STR("PK\3\4")) || str_starts(o->bytes, STR("PK\5\6")) ||
               str_starts(o->bytes, STR("PK00PK"));
    if (s->bomb)
        return;
    if (zip)
        scan_zip(s, o);
    else if (str_starts(o->bytes, STR("\x1f\x8b\x08")))
        scan_gzip(s, o);
    else if (o->type.family != NULL && str_eq_c(STR("archive"), o->type.family))
        scan_other(s, o);
    arena_rewind(s->arena, mark);
}
