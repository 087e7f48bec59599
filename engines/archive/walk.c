/* walk.c: levels and entries; content.c has the bytes. */
#include "archive/path.h"
#include "archive/walk_in.h"
#include "base/fault.h"
#include "base/fd.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { SCRATCH_MAX = 16 << 20, NAME_SAMPLE_MAX = 64 * 1024 };

const Choice walk_nested_choices[] = {
    [NESTED_CHECK] = {"check",
                      "They are files; each is looked into first, to see that it is no bomb."},
    [NESTED_OPEN] = {"open", "They are unpacked too; documents such as docx stay whole."},
    [NESTED_KEEP] = {"keep", "They are files, and nobody looks into them."},
    {0},
};
const Choice walk_unsafe_choices[] = {
    [UNSAFE_REFUSE] = {"refuse", "The whole archive is refused."},
    [UNSAFE_SKIP] = {"skip", "The entry is left out and counted."},
    {0},
};

const char *walk_kind_name(WalkKind k)
{
    static const char *const names[] = {
        [WALK_FILE] = "file",       [WALK_FOLDER] = "folder", [WALK_LINK] = "link",
        [WALK_ARCHIVE] = "archive", [WALK_OTHER] = "other",
    };
    return names[k];
}

/* "notes.txt.gz" holds "notes.txt", "x.tgz" holds "x.tar". */
static Str without_compression(Arena *a, Str name)
{
    static const struct {
        const char *ext, *becomes;
    } exts[] = {
        {".gz", ""},       {".bz2", ""},     {".xz", ""},       {".zst", ""},
        {".lz4", ""},      {".lzma", ""},    {".Z", ""},        {".tgz", ".tar"},
        {".tbz2", ".tar"}, {".txz", ".tar"}, {".svgz", ".svg"},
    };
    for (size_t i = 0; i < COUNT_OF(exts); i++) {
        Str ext = str_from_c(exts[i].ext);
        if (name.len > ext.len && str_ends_nocase(name, ext))
            return str_printf(a, STR_FMT "%s", STR_ARG(str_slice(name, 0, name.len - ext.len)),
                              exts[i].becomes);
    }
    return name;
}

/* All names of the level that are not UTF-8, one after the other. A second reader, so that the
 * first stays where it is. */
static int guess_charset(Walk *w, const WalkLevel *l)
{
    CLEANUP(reader_close) Reader again = {0};
    Buf sample = buf_init(w->scratch, NAME_SAMPLE_MAX);
    struct archive_entry *e;
    if (reader_open(w->c, l->bytes, (Str){0}, l->in_order, &again) != OK)
        return names_guess((Str){0});
    while (!sample.failed && reader_next(w->c, &again, &e) == OK && e != NULL) {
        Str name = reader_path(e);
        if (str_is_utf8(name))
            continue;
        buf_add(&sample, name);
        buf_add_char(&sample, '\n');
    }
    *w->c->err = (Err){0};
    return names_guess((Str){sample.ptr, sample.len});
}

static Str decode_name(Walk *w, WalkLevel *l, Str raw)
{
    if (str_is_utf8(raw))
        return raw;
    if (l->charset == NAMES_AUTO)
        l->charset = w->args->charset != NAMES_AUTO ? w->args->charset
                     : reader_is_zip(&l->reader)    ? guess_charset(w, l)
                                                    : names_guess(raw);
    return names_decode(w->scratch, raw, l->charset);
}

/* For messages: nothing in it may act on a terminal. */
static Str shown(Arena *a, Str name)
{
    name = str_slice(name, 0, 100);
    char *copy = arena_new(a, char, name.len + 1);
    if (copy == NULL)
        return STR("?");
    for (size_t i = 0; i < name.len; i++)
        copy[i] = (unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f ? '?' : name.ptr[i];
    return (Str){copy, name.len};
}

/* OK with *skip: the entry is left out. */
static ErrCode unsafe_path(Walk *w, const WalkLevel *l, Str name, PathFault fault, bool link,
                           bool *skip)
{
    *skip = true;
    if (fault == PATH_NO_MEMORY)
        return err_set(w->c->err, ERR_NO_MEMORY, "reading a path");
    if (fault == PATH_EMPTY)
        return OK; /* "./": the folder itself */
    if (!l->deliver)
        return OK;
    if (w->args->unsafe_paths == UNSAFE_SKIP) {
        w->totals->skipped++;
        return OK;
    }
    return err_set(w->c->err, ERR_PATH_ESCAPE, "%s \"" STR_FMT "\" %s",
                   link ? "the target of link" : "entry", STR_ARG(shown(w->scratch, name)),
                   path_fault_text(fault));
}

static WalkKind kind_of(struct archive_entry *e, Str link)
{
    if (link.len > 0)
        return WALK_LINK;
    switch (archive_entry_filetype(e)) {
    case AE_IFDIR:
        return WALK_FOLDER;
    case AE_IFLNK:
        return WALK_LINK;
    case AE_IFREG:
    case 0: /* formats that have nothing else */
        return WALK_FILE;
    default:
        return WALK_OTHER;
    }
}

/* What libarchive says about the entry, with a path that is safe. */
static ErrCode describe(Walk *w, WalkLevel *l, struct archive_entry *e, WalkEntry *out, bool *skip)
{
    bool hard, single = reader_is_single(&l->reader);
    Str raw = reader_path(e), name = single ? l->single_path : decode_name(w, l, raw), safe;
    *skip = false;
    PathFault fault = path_check(w->scratch, name, &safe);
    if (fault != PATH_SAFE && !single)
        return unsafe_path(w, l, name.len > 0 ? name : raw, fault, false, skip);
    if (single)
        safe = fault == PATH_SAFE ? safe : STR("data");
    Str link = decode_name(w, l, reader_link(e, &hard));
    if (link.len > 0 && (fault = path_check_link(w->scratch, safe, link, hard)) != PATH_SAFE &&
        fault != PATH_EMPTY)
        return unsafe_path(w, l, name, fault, true, skip);
    *out = (WalkEntry){
        .path = single ? safe
                       : str_printf(w->scratch, STR_FMT STR_FMT, STR_ARG(l->prefix), STR_ARG(safe)),
        .kind = kind_of(e, link),
        .size_bytes =
            archive_entry_size_is_set(e) && archive_entry_size(e) >= 0 ? archive_entry_size(e) : -1,
        .has_modified = archive_entry_mtime_is_set(e) != 0,
        .modified_ms = (int64_t)archive_entry_mtime(e) * 1000,
        .encrypted = archive_entry_is_data_encrypted(e) != 0,
        .link = link,
    };
    return out->path.ptr != NULL ? OK : err_set(w->c->err, ERR_NO_MEMORY, "reading a path");
}

static bool matches(Walk *w, Str path)
{
    size_t slash = str_rfind_char(path, '/');
    const char *whole = str_to_c(w->scratch, path);
    if (whole == NULL)
        return false;
    const char *base = slash == STR_NONE ? whole : whole + slash + 1;
    for (size_t i = 0; i < w->args->match.len; i++) {
        Str pattern = w->args->match.items[i];
        const char *p = str_to_c(w->scratch, pattern);
        if (p != NULL && fnmatch(p, str_find_char(pattern, '/') == STR_NONE ? base : whole, 0) == 0)
            return true;
    }
    return w->args->match.len == 0;
}

static ErrCode count_entry(Walk *w, const WalkLevel *l)
{
    int64_t seen = w->looked;
    if (l->deliver) {
        seen = 1;
        for (size_t i = 0; i < WALK_KINDS; i++)
            seen += w->totals->count[i];
    }
    w->looked += !l->deliver;
    return seen <= w->args->max_entries
               ? OK
               : err_set(w->c->err, ERR_LIMIT_COUNT, "more than %" PRId64 " entries",
                         w->args->max_entries);
}

static ErrCode walk_level(Walk *w, WalkLevel *l);

/* What inner archives may do to the whole: be a bomb. That they are damaged, say, is nobody's
 * concern who only looks. */
static bool concerns_all(ErrCode rc)
{
    return rc == ERR_LIMIT_RATIO || rc == ERR_LIMIT_DEPTH || rc == ERR_CANCELED ||
           rc == ERR_NO_MEMORY;
}

static ErrCode walk_inner(Walk *w, const WalkLevel *outer, const WalkEntry *e,
                          const WalkInner *inner)
{
    if (outer->depth >= w->args->depth)
        return err_set(w->c->err, ERR_LIMIT_DEPTH,
                       "\"" STR_FMT "\" is an archive on level %d, the limit is %" PRId64,
                       STR_ARG(str_slice(e->path, 0, 100)), outer->depth + 1, w->args->depth);
    WalkLevel l = {.bytes = inner->bytes,
                   .prefix = str_printf(w->scratch, STR_FMT "/", STR_ARG(e->path)),
                   .single_path = without_compression(w->scratch, e->path),
                   .depth = outer->depth + 1,
                   .deliver = outer->deliver && inner->open};
    ErrCode rc = walk_level(w, &l);
    if (rc == OK || l.deliver || concerns_all(rc))
        return rc;
    *w->c->err = (Err){0};
    return OK;
}

/* Tell the step, and count what it got. */
static ErrCode deliver(Walk *w, WalkEntry *e)
{
    w->totals->count[e->kind]++;
    w->totals->encrypted |= e->encrypted;
    if (e->kind == WALK_FILE && w->sink->open == NULL && e->size_bytes > 0)
        w->totals->bytes += e->size_bytes;
    return w->sink->done(w->sink->ctx, e);
}

/* Does it really open, or does it only begin like an archive? */
static bool can_open(Walk *w, Str bytes)
{
    CLEANUP(reader_close) Reader r = {0};
    struct archive_entry *first = NULL;
    bool opens =
        reader_open(w->c, bytes, (Str){0}, false, &r) == OK && reader_next(w->c, &r, &first) == OK;
    *w->c->err = (Err){0};
    return opens;
}

/* It was to be opened and cannot be: then it is a file like any other. */
static ErrCode keep_as_file(Walk *w, const WalkEntry *e, bool wanted, WalkInner *inner)
{
    CLEANUP(fd_close) int fd = -1;
    inner->open = inner->found = false;
    step_note(w->c, str_printf(w->scratch, "cannot be opened, so it stays a file: " STR_FMT,
                               STR_ARG(e->path)));
    if (!wanted)
        return OK;
    ErrCode rc = content_announce(w, (int64_t)inner->bytes.len, true, e->path);
    if (rc == OK)
        rc = w->sink->open(w->sink->ctx, e, &fd);
    if (rc == OK)
        rc = fd_write_all(fd, inner->bytes.ptr, inner->bytes.len, w->c->err);
    w->totals->bytes += (int64_t)inner->bytes.len;
    return rc;
}

static ErrCode walk_file(Walk *w, WalkLevel *l, WalkEntry *e)
{
    WalkInner inner = {0};
    bool chosen = l->deliver && matches(w, e->path), wanted = chosen && w->sink->open != NULL;
    /* An archive to be opened is read even if its own name is not asked for: what it holds may be.
     */
    if (!chosen && reader_is_zip(&l->reader) && l->deliver && w->args->nested != NESTED_OPEN)
        return OK; /* passed over without unpacking */
    ErrCode rc = e->size_bytes > 0 ? content_announce(w, e->size_bytes, wanted, e->path) : OK;
    if (rc == OK)
        rc = content_take(w, l, e, wanted, &inner);
    if (rc == OK && inner.open && !can_open(w, inner.bytes))
        rc = keep_as_file(w, e, wanted, &inner);
    if (rc == OK && inner.open)
        e->kind = WALK_ARCHIVE;
    if (rc == OK && (chosen || (l->deliver && inner.open)))
        rc = deliver(w, e);
    if (rc == OK && inner.found)
        rc = walk_inner(w, l, e, &inner);
    content_inner_free(w, &inner);
    return rc;
}

static ErrCode walk_entry(Walk *w, WalkLevel *l, struct archive_entry *raw)
{
    WalkEntry e;
    bool skip;
    ErrCode rc = describe(w, l, raw, &e, &skip);
    if (rc != OK || skip)
        return rc;
    rc = count_entry(w, l);
    if (rc != OK)
        return rc;
    if (e.kind == WALK_FILE)
        return walk_file(w, l, &e);
    if (!l->deliver || !matches(w, e.path))
        return OK;
    e.size_bytes = 0;
    return deliver(w, &e);
}

/* An archive may well hold nothing, but then it has to say so; else it is what is left of a damaged
 * one. */
static bool says_empty(Str bytes)
{
    static const char seven[6] = {'7', 'z', '\xbc', '\xaf', '\x27', '\x1c'};
    if (bytes.len >= 22 && memcmp(bytes.ptr, "PK\5\6", 4) == 0)
        return true;
    if (bytes.len == 32 && memcmp(bytes.ptr, seven, sizeof seven) == 0)
        return true;
    if (reader_sniff(bytes.ptr, bytes.len) != NULL && memcmp(bytes.ptr, "PK", 2) != 0 &&
        memcmp(bytes.ptr, seven, sizeof seven) != 0)
        return true; /* cpio, ar, compressed tar: an end marker was read */
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.ptr[i] != 0)
            return false;
    return bytes.len >= 512;
}

static ErrCode walk_entries(Walk *w, WalkLevel *l)
{
    struct archive_entry *raw = NULL;
    ErrCode rc = reader_open(w->c, l->bytes, w->args->password, l->in_order, &l->reader);
    while (rc == OK) {
        ArenaMark mark = arena_mark(w->scratch);
        rc = reader_next(w->c, &l->reader, &raw);
        if (rc != OK || raw == NULL)
            break;
        l->entries++;
        rc = walk_entry(w, l, raw);
        arena_rewind(w->scratch, mark);
    }
    if (rc == OK && l->entries == 0 && !says_empty(l->bytes))
        rc = err_set(w->c->err, ERR_INPUT_DAMAGED, "no entry can be found in the archive");
    if (rc == OK && l->depth == 1) {
        w->totals->format = reader_format(&l->reader);
        w->totals->compression = reader_compression(&l->reader);
    }
    l->zip = rc == OK && l->entries > 0 && reader_is_zip(&l->reader);
    reader_close(&l->reader);
    return rc;
}

/* A ZIP ends with its directory and the record that says where that is; a comment of at most 64 KiB
 * may follow. Without it libarchive reads from front to back, and nothing says how much is missing. */
static bool zip_has_end(Str bytes)
{
    enum { RECORD = 22, COMMENT_MAX = 65535 };
    size_t tail = RECORD + COMMENT_MAX;
    Str end = str_slice(bytes, bytes.len > tail ? bytes.len - tail : 0, bytes.len);
    size_t at = str_find(end, STR("PK\5\6"));
    return at != STR_NONE && end.len - at >= RECORD;
}

static void note_cut(Walk *w, const WalkLevel *l)
{
    if (l->prefix.len == 0)
        step_note(w->c, STR("the ZIP is cut short: its directory is missing, and entries may be"));
    else
        step_note(w->c, str_printf(w->scratch,
                                   "this ZIP is cut short, and entries may be missing: " STR_FMT,
                                   STR_ARG(str_slice(l->prefix, 0, l->prefix.len - 1))));
}

static ErrCode walk_level(Walk *w, WalkLevel *l)
{
    ErrCode rc = walk_entries(w, l);
    if (rc == OK && l->deliver && l->zip && !zip_has_end(l->bytes))
        note_cut(w, l);
    if (rc != ERR_INPUT_DAMAGED || l->entries > 0 || l->bytes.len < 4 ||
        memcmp(l->bytes.ptr, "PK\3\4", 4) != 0)
        return rc;
    /* A ZIP whose directory is missing or wrong can often be read from front to back. */
    Err directory = *w->c->err;
    l->in_order = true;
    rc = walk_entries(w, l);
    if (rc != OK && l->entries == 0)
        *w->c->err = directory;
    else if (rc == OK && l->deliver)
        step_note(w->c, STR("the ZIP directory is damaged: entries were read from front to back"));
    return rc;
}

static ErrCode walk_bytes(Walk *w, Str bytes)
{
    Str name = w->c->inputs[0].name;
    size_t slash = str_rfind_char(name, '/');
    WalkLevel l = {.bytes = bytes,
                   .single_path = without_compression(
                       w->scratch, slash == STR_NONE ? name : str_slice(name, slash + 1, name.len)),
                   .depth = 1,
                   .deliver = true};
    w->totals->packed_bytes = (int64_t)bytes.len;
    return walk_level(w, &l);
}

ErrCode walk_archive(StepCtx *c, const WalkArgs *args, const WalkSink *sink, WalkTotals *out)
{
    *out = (WalkTotals){0};
    int64_t size = fd_size(c->input_fd);
    if (size < 0)
        return err_set(c->err, ERR_IO, "could not read the size of the input");
    if (size == 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "the archive has 0 bytes");
    CLEANUP(arena_close)
    Arena *scratch = fault_hit("archive.scratch") ? NULL : arena_open(SCRATCH_MAX);
    void *map = scratch == NULL ? MAP_FAILED
                                : mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, c->input_fd, 0);
    if (map == MAP_FAILED)
        return err_set(c->err, ERR_NO_MEMORY, "mapping the input of %" PRId64 " bytes", size);
    Walk w = {.c = c, .args = args, .sink = sink, .totals = out, .scratch = scratch};
    ErrCode rc = walk_bytes(&w, (Str){map, (size_t)size});
    munmap(map, (size_t)size);
    return rc;
}
