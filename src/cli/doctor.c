/* platen doctor: is this machine, this folder and every engine well? */
#include "api/app.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "db/queries.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

typedef struct DoctorArgs {
    Str data, engines;
    bool full, json;
} DoctorArgs;

static const Param doctor_params[] = {
    PARAM_TEXT(DoctorArgs, data, .def_text = "data",
               .help = "Data folder to check; PLATEN_DATA says it too."),
    PARAM_TEXT(DoctorArgs, engines, .unit = "DIRS",
               .help =
                   "Folders with engines, joined by colons; the folder of this program otherwise."),
    PARAM_BOOL(DoctorArgs, full, .help = "Also read every blob again and the whole database."),
    PARAM_BOOL(DoctorArgs, json, .help = "Print one JSON object."),
    PARAM_END,
};

typedef enum Verdict { FINE, NOTE, BAD } Verdict;

typedef struct Doctor {
    Arena *arena;
    const DoctorArgs *args;
    Buf json_buf;
    JsonOut json;
    int bad;
} Doctor;

static void say(Doctor *d, Verdict v, const char *what, Str found)
{
    static const char *const words[] = {[FINE] = "ok", [NOTE] = "note", [BAD] = "bad"};
    static const TermStyle styles[] = {[FINE] = TERM_GREEN, [NOTE] = TERM_YELLOW, [BAD] = TERM_RED};
    if (v == BAD)
        d->bad++;
    json_begin(&d->json, '{');
    json_kv_c(&d->json, "check", what);
    json_kv_c(&d->json, "verdict", words[v]);
    json_kv_str(&d->json, "found", found);
    json_end(&d->json, '}');
    if (!d->args->json)
        printf("%s%-5s%s %-22s " STR_FMT "\n", term_style(STDOUT_FILENO, styles[v]), words[v],
               term_style(STDOUT_FILENO, TERM_PLAIN), what, STR_ARG(found));
}

static void check_sandbox(Doctor *d)
{
    static const Verdict verdicts[] = {
        [ENGINE_FINE] = FINE, [ENGINE_NOTE] = NOTE, [ENGINE_BAD] = BAD};
    EngineLayer *layers = NULL;
    size_t len = engine_layers(d->arena, &layers);
    for (size_t i = 0; i < len; i++)
        say(d, verdicts[layers[i].verdict], layers[i].name, layers[i].found);
}

static void check_engine(Doctor *d, EnginePool *pool, const EngineInfo *e)
{
    Err err = {0};
    Str name = str_printf(d->arena, "engine %s", e->name);
    if (e->problem != NULL)
        say(d, BAD, name.ptr, str_from_c(e->problem));
    else if (engine_probe(pool, e->name, &err) != OK)
        say(d, BAD, name.ptr, str_copy(d->arena, str_from_c(err.text)));
    else
        say(d, FINE, name.ptr,
            str_printf(d->arena, "version %s, %d steps%s", e->version, e->steps,
                       e->warm ? ", kept warm" : ""));
}

static void check_engines(Doctor *d)
{
    Err err = {0};
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    CLEANUP(engine_pool_close) EnginePool *pool = NULL;
    Registry *r = a != NULL ? registry_open(a) : NULL;
    Str dir = d->args->engines.len > 0 ? d->args->engines : app_program_dir(d->arena);
    const EngineOptions options = {.dirs = str_to_c(d->arena, dir)};
    if (r == NULL || engine_pool_open(&options, &pool, &err) != OK ||
        engine_describe_all(pool, r, a, &err) != OK) {
        say(d, BAD, "engines", str_copy(d->arena, str_from_c(err.text)));
        return;
    }
    EngineInfo *list = NULL;
    size_t len = engine_list(pool, d->arena, &list);
    if (len == 0)
        say(d, BAD, "engines", str_printf(d->arena, "none found in \"" STR_FMT "\"", STR_ARG(dir)));
    for (size_t i = 0; i < len; i++)
        check_engine(d, pool, &list[i]);
}

static void bad_blob(void *ctx, Str hash, const char *why)
{
    Doctor *d = ctx;
    say(d, BAD, "blob", str_printf(d->arena, "%.12s… %s", hash.ptr, why));
}

/* Every blob that the database names must be there. */
static ErrCode count_missing(Doctor *d, Db *db, BlobStore *blobs, int *missing, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    DbConn *reader = NULL;
    ErrCode rc = db_reader(db, &reader, err);
    if (rc == OK)
        rc =
            db_query(reader, &sql_blob_hashes, DB_ARGS(DB_S(STR("")), DB_I(INT64_MAX)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        CLEANUP(fd_close) int fd = -1;
        int64_t size = 0;
        Str hash = db_str(&rows, 0);
        if (blob_open(blobs, hash, &fd, &size, NULL) == OK)
            continue;
        (*missing)++;
        say(d, BAD, "blob",
            str_printf(d->arena, "%.12s… is missing",
                       str_printf(d->arena, STR_FMT, STR_ARG(hash)).ptr));
    }
    return rc;
}

static void check_blobs(Doctor *d, Db *db, BlobStore *blobs)
{
    Err err = {0};
    int64_t seen = 0;
    int bad_before = d->bad, missing = 0;
    ErrCode rc = count_missing(d, db, blobs, &missing, &err);
    if (rc == OK)
        rc = blob_verify(blobs, bad_blob, d, &seen, &err);
    if (rc != OK)
        say(d, BAD, "blobs", str_copy(d->arena, str_from_c(err.text)));
    else if (d->bad > bad_before)
        say(d, BAD, "blobs",
            str_printf(d->arena, "%d missing, %d of %" PRId64 " damaged", missing,
                       d->bad - bad_before - missing, seen));
    else
        say(d, FINE, "blobs",
            str_printf(d->arena, "%" PRId64 " read, all as their names say, none missing", seen));
}

static void check_slots(Doctor *d, Db *db)
{
    Err err = {0};
    DbConn *reader = NULL;
    int64_t wrong = 0;
    ErrCode rc = db_reader(db, &reader, &err);
    if (rc == OK)
        rc = queue_slots_check(reader, &wrong, &err);
    if (rc != OK)
        say(d, BAD, "slots", str_copy(d->arena, str_from_c(err.text)));
    else
        say(d, wrong == 0 ? FINE : BAD, "slots",
            wrong == 0 ? STR("every concurrency key counts right")
                       : str_printf(d->arena, "%" PRId64 " concurrency keys count wrong", wrong));
}

/* Without a server on it the folder is opened and read; with one, its health is the server's to
 * tell. */
static void check_data(Doctor *d, Str dir)
{
    Err err = {0};
    Str db_path = str_printf(d->arena, STR_FMT "/platen.db", STR_ARG(dir));
    if (db_path.ptr == NULL || access(db_path.ptr, F_OK) != 0) {
        say(d, NOTE, "data", str_printf(d->arena, "no data in \"" STR_FMT "\" yet", STR_ARG(dir)));
        return;
    }
    Db *db = NULL;
    BlobStore *blobs = NULL;
    ErrCode rc = db_open(&(DbOptions){.path = db_path.ptr}, &db, &err);
    if (rc == ERR_DATA_LOCKED) {
        say(d, FINE, "data",
            STR("in use by a running server; ask its /health, or stop it for a full check"));
        return;
    }
    if (rc == OK)
        rc = db_check(db, d->args->full, &err);
    say(d, rc == OK ? FINE : BAD, "database",
        rc == OK ? str_printf(d->arena, "schema %d, sound", db_stats(db).schema_version)
                 : str_copy(d->arena, str_from_c(err.text)));
    if (rc == OK && d->args->full)
        check_slots(d, db);
    Str blob_dir = str_printf(d->arena, STR_FMT "/blobs", STR_ARG(dir));
    if (rc == OK && blob_dir.ptr != NULL &&
        blob_store_open(blob_dir.ptr, false, &blobs, &err) == OK) {
        if (d->args->full)
            check_blobs(d, db, blobs);
        Str room = term_bytes(d->arena, blob_free_bytes(blobs));
        say(d, blob_free_bytes(blobs) > (256 << 20) ? FINE : BAD, "disk",
            str_printf(d->arena, STR_FMT " free", STR_ARG(room)));
    }
    blob_store_close(&blobs);
    db_close(&db);
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    (void)operands;
    Err err = {0};
    if (len > 0) {
        err_set(&err, ERR_USAGE, "usage: platen doctor [OPTIONS]");
        return term_fail(&err);
    }
    Doctor d = {.arena = cli->arena, .args = raw};
    d.json_buf = buf_init(cli->arena, 4 * MIB);
    d.json = json_out(&d.json_buf);
    const char *variable = getenv("PLATEN_DATA");
    Str dir =
        str_eq_c(d.args->data, "data") && variable != NULL ? str_from_c(variable) : d.args->data;
    json_begin(&d.json, '{');
    json_key(&d.json, "checks");
    json_begin(&d.json, '[');
    check_sandbox(&d);
    check_engines(&d);
    check_data(&d, dir);
    json_end(&d.json, ']');
    json_kv_bool(&d.json, "ok", d.bad == 0);
    json_end(&d.json, '}');
    if (d.args->json)
        puts(buf_c(&d.json_buf));
    else
        printf("\n%s\n", d.bad == 0 ? "All is well." : "Something is not well: see above.");
    return d.bad == 0 ? EXIT_DONE : EXIT_FAILED;
}

const Command command_doctor = {
    .name = "doctor",
    .summary = "Check the sandbox, every engine, and the data folder.",
    .params = doctor_params,
    .args_size = sizeof(DoctorArgs),
    .examples = (const char *const[]){"platen doctor", "platen doctor --full", NULL},
    .run = run,
};
