/* archive.extract: the files of an archive, one output each.
 *
 * What    every file, or those that match, under their paths; folders and links are counted, not
 * made. Why     so that the next step can work on each file. Safety  limits on size, ratio, number
 * and depth; a path that would leave its folder refuses the archive. Names   valid UTF-8 with "/"
 * between parts; a name that comes twice gets a number: "a (2).txt". */
#include "archive/listing.h"
#include "archive/taken.h"
#include "archive/types.h"
#include "archive/walk.h"

enum { OUTPUTS_MAX = 4096 }; /* what the host takes from one task */

static const Param extract_params[] = {
    WALK_PARAMS,
    PARAM_INT(WalkArgs, max_bytes, .min = 1, .max = WALK_BYTES_MAX, .def = 1 << 30, .unit = "B",
              .help = "Refuse to unpack more than this."),
    PARAM_BOOL(WalkArgs, flatten, .help = "Drop folders: only the last part of each path."),
    PARAM_END,
};

static const Field extract_fields[] = {LISTING_FIELDS, {0}};

typedef struct Extract {
    StepCtx *c;
    const WalkArgs *args;
    Listing listing;
    Taken taken;
    int64_t outputs;
} Extract;

static ErrCode extract_open(void *ctx, const WalkEntry *e, int *out_fd)
{
    Extract *x = ctx;
    if (++x->outputs > OUTPUTS_MAX) {
        err_set(x->c->err, ERR_LIMIT_COUNT, "more than %d files", OUTPUTS_MAX);
        err_hint(x->c->err, "choose files with match, and extract in several goes");
        return ERR_LIMIT_COUNT;
    }
    Str name = e->path;
    size_t slash = str_rfind_char(name, '/');
    if (x->args->flatten && slash != STR_NONE)
        name = str_slice(name, slash + 1, name.len);
    name = taken_name(&x->taken, name);
    if (name.ptr == NULL)
        return err_set(x->c->err, ERR_NO_MEMORY, "naming an output");
    return step_output(x->c, name, types_of(name), out_fd);
}

static ErrCode extract_done(void *ctx, const WalkEntry *e)
{
    Extract *x = ctx;
    return listing_add(&x->listing, e);
}

static ErrCode extract_run(StepCtx *c, const void *args)
{
    Extract x = {.c = c, .args = args};
    WalkTotals totals;
    listing_init(&x.listing, c);
    x.listing.file_when_long = false; /* the outputs are the list */
    if (!taken_init(&x.taken, c->arena, OUTPUTS_MAX))
        return err_set(c->err, ERR_NO_MEMORY, "unpacking");
    WalkSink sink = {.ctx = &x, .open = extract_open, .done = extract_done};
    ErrCode rc = walk_archive(c, args, &sink, &totals);
    if (rc != OK)
        return rc;
    step_usage(c, "files", x.outputs);
    return listing_finish(&x.listing, &totals);
}

const Step step_archive_extract = {
    .name = "archive.extract",
    .title = "Extract archive",
    .summary = "Unpack the files of a ZIP, TAR, 7z or other archive, safely.",
    .since = "0.1",
    .accepts = ARCHIVE_ACCEPTS,
    .returns = "*/*",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 200 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = extract_params,
    .args_size = sizeof(WalkArgs),
    .data = extract_fields,
    .errors = ARCHIVE_ERRORS,
    .examples = (const Example[]){{.title = "Unpack everything",
                                   .input = "bundle.zip",
                                   .expect = "text/markdown; files=5; bytes>=500"},
                                  {.title = "Unpack the letters, without folders",
                                   .input = "backup.tar.gz",
                                   .args = "{\"match\": [\"*/letters/*\"], \"flatten\": true}",
                                   .expect = "text/markdown; files=2"},
                                  {0}},
    .run = extract_run,
};
