/* platen backup and restore: everything in one file, a POSIX tar: platen.db first, then the blobs
 * under their hashes.
 *
 * A backup is made by the server (POST /api/v1/backup) while it works: a consistent copy of the
 * database, then every blob that copy names. Restore writes an empty data folder; it refuses one
 * that holds data. */
#include "api/archive.h"
#include "base/fd.h"
#include "cli/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

typedef struct BackupArgs {
    TargetArgs target;
} BackupArgs;

static const Param backup_params[] = {TARGET_PARAMS(BackupArgs), PARAM_END};

enum { BACKUP_TIMEOUT_S = 24 * 3600 };

/* The file appears under its name only when it is whole. */
static ErrCode fetch(Cli *cli, Target *t, Str path, int64_t *size, Err *err)
{
    Str partial = str_printf(cli->arena, STR_FMT ".part", STR_ARG(path));
    char *final = str_to_c(cli->arena, path);
    if (partial.ptr == NULL || final == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    CLEANUP(fd_close) int fd = open(partial.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", partial.ptr);
    NetRequest request = {.method = "POST",
                          .path = STR("/api/v1/backup"),
                          .json = STR("{}"),
                          .out_fd = fd,
                          .timeout_s = BACKUP_TIMEOUT_S};
    NetResponse response;
    ErrCode rc = net_send(target_client(t), cli->arena, &request, &response, err);
    if (rc == OK)
        rc = target_problem(cli->arena, &response, err);
    if (rc == OK && fsync(fd) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not write \"%s\"", partial.ptr);
    *size = fd_size(fd);
    if (rc == OK && rename(partial.ptr, final) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not rename \"%s\"", partial.ptr);
    if (rc != OK)
        unlink(partial.ptr);
    return rc;
}

static int run_backup(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const BackupArgs *args = raw;
    Err err = {0};
    if (len != 1) {
        err_set(&err, ERR_USAGE, "usage: platen backup FILE");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    int64_t size = 0;
    if (target_open(cli, &args->target, &t, &err) != OK ||
        fetch(cli, t, operands[0], &size, &err) != OK)
        return term_fail(&err);
    Str shown = term_bytes(cli->arena, size);
    printf(STR_FMT "  " STR_FMT "\n", STR_ARG(operands[0]), STR_ARG(shown));
    return EXIT_DONE;
}

const Command command_backup = {
    .name = "backup",
    .operands = "FILE",
    .summary = "Write database and blobs into one file, while the server works.",
    .params = backup_params,
    .args_size = sizeof(BackupArgs),
    .examples = (const char *const[]){"platen backup platen-2026-11-22.tar", NULL},
    .run = run_backup,
};

typedef struct RestoreArgs {
    Str data;
} RestoreArgs;

static const Param restore_params[] = {
    PARAM_TEXT(RestoreArgs, data, .def_text = "data",
               .help = "Data folder to write; it must be empty or not exist."),
    PARAM_END,
};

static int run_restore(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const RestoreArgs *args = raw;
    Err err = {0};
    ArchiveTotals totals = {0};
    if (len != 1) {
        err_set(&err, ERR_USAGE, "usage: platen restore FILE --data DIR");
        return term_fail(&err);
    }
    const char *file = str_to_c(cli->arena, operands[0]), *dir = str_to_c(cli->arena, args->data);
    if (file == NULL || dir == NULL)
        return term_fail(&(Err){.code = ERR_NO_MEMORY});
    if (archive_restore(file, dir, &totals, &err) != OK)
        return term_fail(&err);
    Str shown = term_bytes(cli->arena, totals.bytes);
    printf("%s  %" PRId64 " blobs, " STR_FMT "\n", dir, totals.blobs, STR_ARG(shown));
    return EXIT_DONE;
}

const Command command_restore = {
    .name = "restore",
    .operands = "FILE",
    .summary = "Write a backup into an empty data folder.",
    .params = restore_params,
    .args_size = sizeof(RestoreArgs),
    .examples = (const char *const[]){"platen restore platen-2026-11-22.tar --data data", NULL},
    .run = run_restore,
};
