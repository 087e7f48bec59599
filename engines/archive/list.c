/* archive.list: what an archive holds, without keeping any of it.
 *
 * What    totals, and the first entries as data; all of them as entries.json when there are more.
 * Why     to choose what to extract, and to see what one was sent before opening it.
 * Safety  the same limits as archive.extract: what this lists can be extracted. */
#include "archive/listing.h"
#include "archive/walk.h"

static const Param list_params[] = {WALK_PARAMS, PARAM_END};

static const Field list_fields[] = {LISTING_FIELDS, {0}};

static ErrCode list_done(void *ctx, const WalkEntry *e)
{
    return listing_add(ctx, e);
}

static ErrCode list_run(StepCtx *c, const void *args)
{
    WalkArgs a = *(const WalkArgs *)args;
    a.max_bytes = INT64_MAX; /* nothing is delivered */
    Listing l;
    WalkTotals totals;
    listing_init(&l, c);
    ErrCode rc = walk_archive(c, &a, &(WalkSink){.ctx = &l, .done = list_done}, &totals);
    return rc == OK ? listing_finish(&l, &totals) : rc;
}

const Step step_archive_list = {
    .name = "archive.list",
    .title = "List archive",
    .summary = "Say what is in a ZIP, TAR, 7z or other archive.",
    .since = "0.1",
    .accepts = ARCHIVE_ACCEPTS,
    .returns = "application/json",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 120 * 1000, .cpu_ms = 100 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = list_params,
    .args_size = sizeof(WalkArgs),
    .data = list_fields,
    .errors = ARCHIVE_ERRORS,
    .examples =
        (const Example[]){
            {.title = "See what is inside", .input = "bundle.zip", .expect = "format=zip; files=5"},
            {.title = "Only the tables",
             .input = "backup.tar.gz",
             .args = "{\"match\": [\"*.csv\"]}",
             .expect = "format=tar; compression=gzip; files=1"},
            {.title = "Look into archives inside the archive",
             .input = "nested.7z",
             .args = "{\"nested\": \"open\"}",
             .expect = "format=7z; files=11; archives=2; links=1"},
            {0}},
    .run = list_run,
};
