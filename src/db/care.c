/* care.c: backup, check, and giving room back. */
#include "base/fd.h"
#include "base/log.h"
#include "db/db_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- backup --- */

static ErrCode sync_path(const char *path, int flags, Err *err)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0 || fsync(fd) != 0)
        return err_set_errno(err, ERR_IO, errno, "could not sync the backup");
    return OK;
}

static ErrCode sync_folder_of(const char *path, Err *err)
{
    char folder[DB_PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
             slash != NULL ? path : ".");
    return sync_path(folder, O_DIRECTORY, err);
}

static ErrCode copy_into(DbConn *c, const char *partial, Err *err)
{
    CLEANUP(fd_close)
    int fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* for its owner only */
    sqlite3_stmt *stmt = NULL;
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not make the backup");
    ErrCode rc = db_conn_prepare(c, "backup", "VACUUM INTO ?1", &stmt, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_text(stmt, 1, partial, -1, SQLITE_STATIC);
    int code = sqlite3_step(stmt);
    if (code != SQLITE_DONE)
        rc = db_conn_fail(c, code, "backup", err);
    sqlite3_finalize(stmt);
    return rc;
}

/* Under another name until it is whole and on disk: a file with the wanted name is a backup. */
static ErrCode backup_between(DbConn *c, void *arg, Err *err)
{
    const char *path = arg;
    char partial[DB_PATH_MAX + 16];
    snprintf(partial, sizeof partial, "%s.partial", path);
    unlink(partial); /* of a backup that was cut short */
    ErrCode rc = copy_into(c, partial, err);
    if (rc == OK)
        rc = sync_path(partial, 0, err);
    if (rc == OK && renameat2(AT_FDCWD, partial, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
        rc = errno == EEXIST
                 ? err_set(err, ERR_CONFLICT, "there is a file \"%s\" already", path)
                 : err_set_errno(err, ERR_IO, errno, "could not name the backup \"%s\"", path);
    if (rc != OK) {
        unlink(partial);
        return rc;
    }
    return sync_folder_of(path, err);
}

ErrCode db_backup(Db *db, const char *path, Err *err)
{
    struct stat st;
    if (strlen(path) >= DB_PATH_MAX)
        return err_set(err, ERR_IO, "the path of the backup is too long");
    if (lstat(path, &st) == 0)
        return err_set(err, ERR_CONFLICT, "there is a file \"%s\" already", path);
    ErrCode rc = db_writer_between(db, backup_between, (void *)path, err);
    if (rc == OK)
        LOG(INFO, DB_BACKUP, KV("path", path));
    return rc;
}

/* --- check --- */

/* The first finding of a PRAGMA that answers "ok" or lines of complaints. */
static ErrCode run_check(DbConn *c, const char *pragma, Err *err)
{
    sqlite3_stmt *stmt = NULL;
    ErrCode rc = db_conn_prepare(c, "check", pragma, &stmt, err);
    if (rc != OK)
        return rc;
    int code = sqlite3_step(stmt);
    const char *found = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    if (code != SQLITE_ROW)
        rc = db_conn_fail(c, code, "check", err);
    else if (found == NULL || strcmp(found, "ok") != 0)
        rc = err_set(err, ERR_DB_DAMAGED, "%s", found != NULL ? found : "the check gave no answer");
    sqlite3_finalize(stmt);
    return rc;
}

/* Read the rows at both ends of a table or an index: enough to see a file that was cut or
 * overwritten. */
static ErrCode sample(DbConn *c, const char *table, Err *err)
{
    enum { SAMPLE_ROWS = 200 };
    static const char *const orders[] = {"ASC", "DESC"};
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < COUNT_OF(orders); i++) {
        char *sql = sqlite3_mprintf("SELECT * FROM \"%w\" ORDER BY 1 %s LIMIT %d", table, orders[i],
                                    SAMPLE_ROWS);
        sqlite3_stmt *stmt = NULL;
        int code = SQLITE_ROW;
        rc = sql != NULL ? db_conn_prepare(c, "check", sql, &stmt, err)
                         : err_set(err, ERR_NO_MEMORY, "check");
        while (rc == OK && code == SQLITE_ROW)
            code = sqlite3_step(stmt);
        if (rc == OK && code != SQLITE_DONE)
            rc = db_conn_fail(c, code, "check", err);
        sqlite3_finalize(stmt);
        sqlite3_free(sql);
    }
    return rc;
}

static ErrCode check_quickly(DbConn *c, Err *err)
{
    sqlite3_stmt *tables = NULL;
    int64_t version = 0;
    ErrCode rc = db_get_int(c, &sql_schema_version_get, DB_NO_ARGS, 0, &version, err);
    if (rc == OK && version != SQL_MIGRATIONS)
        rc = err_set(err, ERR_DB_DAMAGED, "the schema is %" PRId64 ", not %d", version,
                     SQL_MIGRATIONS);
    if (rc == OK)
        rc = db_conn_prepare(c, "check", "SELECT name FROM sqlite_schema WHERE type = 'table'",
                             &tables, err);
    while (rc == OK && sqlite3_step(tables) == SQLITE_ROW)
        rc = sample(c, (const char *)sqlite3_column_text(tables, 0), err);
    sqlite3_finalize(tables);
    return rc;
}

ErrCode db_check(Db *db, bool full, Err *err)
{
    DbConn *c = NULL;
    ErrCode rc = db_reader(db, &c, err);
    if (rc != OK)
        return rc;
    return full ? run_check(c, "PRAGMA integrity_check(1)", err) : check_quickly(c, err);
}

/* --- room --- */

enum { FREE_PAGES_LEAST = 1024, FREE_PART = 4 };

typedef struct Shrink {
    int pages;
    bool more;
} Shrink;

static ErrCode pragma_int(DbConn *c, const char *pragma, int64_t *out, Err *err)
{
    sqlite3_stmt *stmt = NULL;
    ErrCode rc = db_conn_prepare(c, "shrink", pragma, &stmt, err);
    if (rc != OK)
        return rc;
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    else if (code != SQLITE_DONE)
        rc = db_conn_fail(c, code, "shrink", err);
    sqlite3_finalize(stmt);
    return rc;
}

/* Small lists of free pages are used again soon: nothing is won by giving them back. */
static ErrCode worth_it(DbConn *c, bool *yes, Err *err)
{
    int64_t mode = 0, unused = 0, all = 0;
    ErrCode rc = pragma_int(c, "PRAGMA auto_vacuum", &mode, err);
    if (rc == OK)
        rc = pragma_int(c, "PRAGMA freelist_count", &unused, err);
    if (rc == OK)
        rc = pragma_int(c, "PRAGMA page_count", &all, err);
    *yes = rc == OK && mode == 2 && unused >= FREE_PAGES_LEAST && unused >= all / FREE_PART;
    return rc;
}

static ErrCode shrink_between(DbConn *c, void *arg, Err *err)
{
    Shrink *s = arg;
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", s->pages);
    ErrCode rc = db_conn_script(c, "shrink", sql, err);
    return rc == OK ? worth_it(c, &s->more, err) : rc;
}

ErrCode db_shrink(Db *db, int pages, bool *more, Err *err)
{
    DbConn *c = NULL;
    Shrink s = {.pages = pages};
    *more = false;
    ErrCode rc = db_reader(db, &c, err);
    if (rc == OK)
        rc = worth_it(c, more, err);
    if (rc != OK || !*more)
        return rc;
    rc = db_writer_between(db, shrink_between, &s, err);
    *more = s.more;
    return rc;
}
