/* archive.create: files into one archive.
 *
 * What    zip, tar (plain, gz, xz, zst) or 7z of all inputs, under their names or the ones given;
 *         a name that comes twice gets a number: "a (2).txt".
 * Why     to hand many results on as one file.
 * Same input, same bytes: every entry has the same time, owner and mode. Only a password changes
 *         that, because its salt must never come twice.
 * Errors  path_escape when a name would leave the folder it is unpacked to. */
#include "archive/create_in.h"
#include "archive/listing.h"
#include "archive/path.h"
#include "archive/taken.h"
#include "base/fault.h"
#include "base/fd.h"

#include <string.h>
#include <unistd.h>

enum {
    INPUTS_MAX = 128, /* what one message of the engine protocol carries */
    FOLDERS_MAX = 1000,
    COPY_BYTES = 256 * 1024,
    FILE_MODE = 0644,
    FOLDER_MODE = 0755,
};
static const int64_t report_every = 16 << 20;

enum { FORMAT_ZIP, FORMAT_TAR, FORMAT_TGZ, FORMAT_TXZ, FORMAT_TZST, FORMAT_7Z, FORMATS };
static const Choice format_choices[] = {
    [FORMAT_ZIP] = {"zip", "Read by everything; can have a password."},
    [FORMAT_TAR] = {"tar", "Not compressed."},
    [FORMAT_TGZ] = {"tar.gz", "The usual one on Unix."},
    [FORMAT_TXZ] = {"tar.xz", "Small, slow to make."},
    [FORMAT_TZST] = {"tar.zst", "Small and fast."},
    [FORMAT_7Z] = {"7z", "Small, slow to make."},
    {0},
};
static const struct {
    const char *name, *type, *filter;
} formats[FORMATS] = {
    [FORMAT_ZIP] = {"archive.zip", "application/zip", NULL},
    [FORMAT_TAR] = {"archive.tar", "application/x-tar", NULL},
    [FORMAT_TGZ] = {"archive.tar.gz", "application/gzip", "gzip"},
    [FORMAT_TXZ] = {"archive.tar.xz", "application/x-xz", "xz"},
    [FORMAT_TZST] = {"archive.tar.zst", "application/zstd", "zstd"},
    [FORMAT_7Z] = {"archive.7z", "application/x-7z-compressed", NULL},
};

typedef struct CreateArgs {
    int format;
    int64_t level;
    Str password, modified;
    StrList names, folders;
} CreateArgs;

static const Param create_params[] = {
    PARAM_CHOICE(CreateArgs, format, .choices = format_choices, .def = FORMAT_ZIP,
                 .help = "Kind of archive."),
    PARAM_INT(CreateArgs, level, .min = 0, .max = 9, .def = 6,
              .help = "How hard to compress: 0 stores, 9 is the smallest and slowest."),
    PARAM_TEXT(CreateArgs, password, .secret = true, .max_len = 200,
               .help = "Encrypt the contents with this password, by AES-256; in zip only."),
    PARAM_LIST(CreateArgs, names, .max_len = INPUTS_MAX, .example = "letters/a.md,letters/b.md",
               .help = "Paths in the archive, one for each file in their order; left out: the "
                       "files' own names."),
    PARAM_LIST(CreateArgs, folders, .max_len = FOLDERS_MAX, .example = "inbox,outbox",
               .help = "Folders to have in the archive though nothing is in them."),
    PARAM_TEXT(CreateArgs, modified, .def_text = "1980-01-01T00:00:00Z", .max_len = 20,
               .example = "2026-05-17T18:42:10Z",
               .help = "Time that every entry has, in UTC; from 1980 on."),
    PARAM_END,
};

static const Field create_fields[] = {
    {"format", FIELD_TYPE_TEXT, "Kind of archive made."},
    {"files", FIELD_TYPE_INT, "Files in it."},
    {"folders", FIELD_TYPE_INT, "Empty folders in it."},
    {"renamed", FIELD_TYPE_INT, "Files that got a number because their name was taken."},
    {"source_bytes", FIELD_TYPE_INT, "Size of the files together."},
    {"bytes", FIELD_TYPE_INT, "Size of the archive."},
    {0},
};

typedef struct Create {
    StepCtx *c;
    const CreateArgs *args;
    struct archive *a;
    Taken taken;
    time_t modified;
    int64_t source_bytes, reported, total_bytes, renamed;
    char *buffer;
} Create;

static ErrCode bad_param(StepCtx *c, const char *param, const char *detail)
{
    err_set(c->err, ERR_BAD_PARAM, "%s", detail);
    err_param(c->err, param);
    return ERR_BAD_PARAM;
}

static ErrCode archive_fail(Create *k)
{
    const char *said = archive_error_string(k->a);
    ErrCode code = archive_errno(k->a) == ENOMEM   ? ERR_LIMIT_MEMORY
                   : archive_errno(k->a) == ENOSPC ? ERR_DISK_FULL
                                                   : ERR_IO;
    return err_set(k->c->err, code, "writing the archive: %.150s", said != NULL ? said : "?");
}

static ErrCode check(Create *k, int rc)
{
    if (fault_hit("archive.write"))
        return err_set(k->c->err, ERR_LIMIT_MEMORY, "writing the archive");
    return rc >= ARCHIVE_WARN ? OK : archive_fail(k);
}

/* "2026-05-17T18:42:10Z". */
static bool parse_time(Str s, time_t *out)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    static const size_t at[] = {0, 5, 8, 11, 14, 17}, len[] = {4, 2, 2, 2, 2, 2};
    int64_t n[COUNT_OF(at)];
    if (s.len != sizeof form - 1)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (form[i] == '0' ? s.ptr[i] < '0' || s.ptr[i] > '9' : s.ptr[i] != form[i])
            return false;
    for (size_t i = 0; i < COUNT_OF(at); i++)
        if (!str_to_i64(str_slice(s, at[i], at[i] + len[i]), &n[i]))
            return false;
    struct tm tm = {.tm_year = (int)n[0] - 1900,
                    .tm_mon = (int)n[1] - 1,
                    .tm_mday = (int)n[2],
                    .tm_hour = (int)n[3],
                    .tm_min = (int)n[4],
                    .tm_sec = (int)n[5]};
    *out = timegm(&tm);
    /* 1980 to 2107: what ZIP can say */
    return n[0] >= 1980 && n[0] <= 2107 && tm.tm_mon == n[1] - 1 && tm.tm_mday == n[2];
}

static ErrCode set_format(Create *k)
{
    const CreateArgs *a = k->args;
    const char *filter = formats[a->format].filter;
    char level[4];
    snprintf(level, sizeof level, "%d",
             (int)(a->format == FORMAT_TZST ? a->level * 2 + 1 : a->level));
    int rc;
    if (a->format == FORMAT_ZIP) {
        rc = archive_write_set_format_zip(k->a);
        if (rc >= ARCHIVE_WARN)
            rc = archive_write_set_format_option(k->a, "zip", "compression-level", level);
        if (rc >= ARCHIVE_WARN && a->password.len > 0)
            rc = archive_write_set_format_option(k->a, "zip", "encryption", "aes256");
    } else if (a->format == FORMAT_7Z) {
        rc = archive_write_set_format_7zip(k->a);
        if (rc >= ARCHIVE_WARN)
            rc = archive_write_set_format_option(k->a, "7zip", "compression",
                                                 a->level == 0 ? "store" : "lzma2");
        if (rc >= ARCHIVE_WARN && a->level > 0)
            rc = archive_write_set_format_option(k->a, "7zip", "compression-level", level);
    } else {
        rc = archive_write_set_format_pax_restricted(k->a);
        if (rc >= ARCHIVE_WARN && filter != NULL)
            rc = archive_write_add_filter_by_name(k->a, filter);
        if (rc >= ARCHIVE_WARN && filter != NULL)
            rc = archive_write_set_filter_option(k->a, filter, "compression-level", level);
        if (rc >= ARCHIVE_WARN && a->format == FORMAT_TGZ)
            rc = archive_write_set_filter_option(k->a, "gzip", "timestamp", NULL);
    }
    return check(k, rc);
}

static ErrCode set_password(Create *k)
{
    const char *secret = str_to_c(k->c->arena, k->args->password);
    if (k->args->password.len == 0)
        return OK;
    if (k->args->format != FORMAT_ZIP)
        return bad_param(k->c, "password", "only zip can have a password");
    if (secret == NULL)
        return err_set(k->c->err, ERR_NO_MEMORY, "writing the archive");
    return check(k, archive_write_set_passphrase(k->a, secret));
}

/* A path that is safe everywhere, and not taken yet. */
static ErrCode safe_path(Create *k, Str raw, Str *out)
{
    Str safe = {0};
    PathFault fault = path_check(k->c->arena, raw, &safe);
    if (fault == PATH_NO_MEMORY)
        return err_set(k->c->err, ERR_NO_MEMORY, "reading a name");
    if (fault != PATH_SAFE)
        return err_set(k->c->err, ERR_PATH_ESCAPE, "the name \"" STR_FMT "\" %s",
                       STR_ARG(str_slice(raw, 0, 100)), path_fault_text(fault));
    *out = taken_name(&k->taken, safe);
    k->renamed += !str_eq(*out, safe);
    return out->ptr != NULL ? OK : err_set(k->c->err, ERR_NO_MEMORY, "naming an entry");
}

static void entry_free(struct archive_entry **e)
{
    if (*e != NULL)
        archive_entry_free(*e);
}

static ErrCode put_head(Create *k, Str path, int64_t size, bool folder)
{
    CLEANUP(entry_free)
    struct archive_entry *e = fault_hit("archive.entry") ? NULL : archive_entry_new();
    const char *name = str_to_c(k->c->arena, path);
    if (e == NULL || name == NULL)
        return err_set(k->c->err, ERR_NO_MEMORY, "writing the archive");
    archive_entry_set_pathname_utf8(e, name);
    archive_entry_set_filetype(e, folder ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(e, folder ? FOLDER_MODE : FILE_MODE);
    archive_entry_set_size(e, size);
    archive_entry_set_mtime(e, k->modified, 0);
    return check(k, archive_write_header(k->a, e));
}

static ErrCode put_bytes(Create *k, const StepInput *in)
{
    for (int64_t at = 0; at < in->size_bytes;) {
        ssize_t n = pread(in->fd, k->buffer, COPY_BYTES, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(k->c->err, ERR_IO, "could not read \"" STR_FMT "\"",
                           STR_ARG(str_slice(in->name, 0, 100)));
        la_ssize_t written = archive_write_data(k->a, k->buffer, (size_t)n);
        ErrCode rc = check(k, written < 0 ? (int)written : ARCHIVE_OK);
        if (rc != OK)
            return rc;
        at += n;
        k->source_bytes += n;
        if (k->source_bytes - k->reported < report_every)
            continue;
        k->reported = k->source_bytes;
        step_progress(k->c, k->source_bytes, k->total_bytes, NULL);
        if (step_canceled(k->c))
            return err_set(k->c->err, ERR_CANCELED, "cancelled while packing");
    }
    return check(k, archive_write_finish_entry(k->a));
}

static ErrCode put_all(Create *k)
{
    const CreateArgs *a = k->args;
    ErrCode rc = OK;
    Str path;
    for (size_t i = 0; i < a->folders.len && rc == OK; i++) {
        rc = safe_path(k, a->folders.items[i], &path);
        if (rc == OK)
            rc = put_head(k, path, 0, true);
    }
    for (size_t i = 0; i < k->c->inputs_len && rc == OK; i++) {
        const StepInput *in = &k->c->inputs[i];
        Str name = a->names.len > 0 ? a->names.items[i] : in->name;
        rc = safe_path(k, name.len > 0 ? name : STR("file"), &path);
        if (rc == OK)
            rc = put_head(k, path, in->size_bytes, false);
        if (rc == OK)
            rc = put_bytes(k, in);
    }
    return rc;
}

static void create_close(Create *k)
{
    if (k->a != NULL)
        archive_write_free(k->a);
    scratch_for(NULL);
}

static ErrCode write_to(Create *k, int fd)
{
    ErrCode rc = set_format(k);
    if (rc == OK)
        rc = set_password(k);
    if (rc == OK) /* no padding after the end */
        rc = check(k, archive_write_set_bytes_in_last_block(k->a, 1));
    if (rc == OK)
        rc = check(k, archive_write_open_fd(k->a, fd));
    if (rc == OK)
        rc = put_all(k);
    return rc == OK ? check(k, archive_write_close(k->a)) : rc;
}

static ErrCode begin(Create *k)
{
    StepCtx *c = k->c;
    if (k->args->names.len > 0 && k->args->names.len != c->inputs_len)
        return bad_param(c, "names", "must have one name for each file");
    if (!parse_time(k->args->modified, &k->modified))
        return bad_param(c, "modified",
                         "must be a time from 1980 to 2107 such as 2026-05-17T18:42:10Z");
    for (size_t i = 0; i < c->inputs_len; i++)
        k->total_bytes += c->inputs[i].size_bytes;
    k->buffer = arena_alloc(c->arena, COPY_BYTES);
    k->a = fault_hit("archive.open") ? NULL : archive_write_new();
    bool room = taken_init(&k->taken, c->arena, c->inputs_len + k->args->folders.len);
    scratch_for(c);
    return k->buffer != NULL && k->a != NULL && room
               ? OK
               : err_set(c->err, ERR_NO_MEMORY, "writing the archive");
}

static ErrCode create_run(StepCtx *c, const void *args)
{
    CLEANUP(create_close) Create k = {.c = c, .args = args};
    CLEANUP(fd_close) int fd = -1;
    ErrCode rc = begin(&k);
    const char *name = formats[k.args->format].name;
    if (rc == OK)
        rc = step_output(c, str_from_c(name), str_from_c(formats[k.args->format].type), &fd);
    if (rc == OK)
        rc = write_to(&k, fd);
    if (rc != OK)
        return rc;
    json_kv_c(c->data, "format", format_choices[k.args->format].name);
    json_kv_int(c->data, "files", (int64_t)c->inputs_len);
    json_kv_int(c->data, "folders", (int64_t)k.args->folders.len);
    json_kv_int(c->data, "renamed", k.renamed);
    json_kv_int(c->data, "source_bytes", k.source_bytes);
    json_kv_int(c->data, "bytes", fd_size(fd));
    step_usage(c, "files", (int64_t)c->inputs_len);
    return OK;
}

const Step step_archive_create = {
    .name = "archive.create",
    .title = "Create archive",
    .summary = "Pack files into a ZIP, TAR or 7z archive.",
    .since = "0.2",
    .accepts = "*/*",
    .returns = "application/zip,application/x-tar,application/gzip,application/x-xz,"
               "application/zstd,application/x-7z-compressed",
    .inputs_max = INPUTS_MAX,
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 300 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = create_params,
    .args_size = sizeof(CreateArgs),
    .data = create_fields,
    .errors =
        (const ErrCode[]){ERR_BAD_PARAM, ERR_PATH_ESCAPE, ERR_LIMIT_MEMORY, ERR_LIMIT_OUTPUT, OK},
    .examples =
        (const Example[]){{.title = "A ZIP with an empty folder beside the file",
                           .input = "notes.md",
                           .args = "{\"folders\": [\"inbox\"]}",
                           .expect = "application/zip; files=1; folders=1; source_bytes=542"},
                          {.title = "Small and fast, under another name",
                           .input = "notes.md",
                           .args = "{\"format\": \"tar.zst\", \"names\": [\"letters/notes.md\"]}",
                           .expect = "application/zstd; format=tar.zst; files=1"},
                          {.title = "A name that leads out",
                           .input = "notes.md",
                           .args = "{\"names\": [\"../notes.md\"]}",
                           .expect = "reason=path_escape"},
                          {0}},
    .run = create_run,
};
