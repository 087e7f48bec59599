/* db.c: the database as a whole: its files, its lock, its writer and its readers. */
#include "base/fd.h"
#include "base/log.h"
#include "db/db_in.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- lock file --- */

static ErrCode say_locked(int fd, Err *err)
{
    char pid[24];
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    pid[n > 0 ? n : 0] = 0;
    return err_set(err, ERR_DATA_LOCKED, "the data folder is in use by process %s",
                   pid[0] != 0 ? pid : "(unknown)");
}

/* A second process would be a second writer. The kernel drops the lock with the process, however
 * that ends. */
static ErrCode lock_folder(Db *db, Err *err)
{
    char path[DB_PATH_MAX + 8], pid[24];
    const char *slash = strrchr(db->path, '/');
    int folder_len = slash != NULL ? (int)(slash - db->path) + 1 : 0;
    snprintf(path, sizeof path, "%.*slock", folder_len, db->path);
    CLEANUP(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not open the lock file of the data folder");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? say_locked(fd, err)
                   : err_set_errno(err, ERR_IO, errno, "could not lock the data folder");
    int len = snprintf(pid, sizeof pid, "%d", (int)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len)
        LOG(WARN, DB_FAILED,
            KV("detail", "could not write the process id into the lock file")); /* only a help */
    db->lock_fd = fd_take(&fd);
    return OK;
}

/* For its owner's eyes only; SQLite gives the log beside it the same mode. */
static ErrCode make_private(const char *path, Err *err)
{
    CLEANUP(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 ? OK : err_set_errno(err, ERR_IO, errno, "could not open the database file");
}

/* --- open and close --- */

static void close_reader_of_thread(void *conn)
{
    DbConn *c = conn;
    Db *db = c->db;
    mutex_lock(&db->lock);
    for (DbConn **at = &db->readers; *at != NULL; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    mutex_unlock(&db->lock);
    db_conn_close(&c);
}

static ErrCode open_parts(Db *db, const DbOptions *options, Err *err)
{
    CLEANUP(db_conn_close) DbConn *conn = NULL;
    ErrCode rc = lock_folder(db, err);
    if (rc == OK)
        rc = make_private(db->path, err);
    if (rc == OK)
        rc = db_conn_open(db, true, options->fast_and_loose, &conn, err);
    if (rc == OK)
        rc = db_migrate(conn, sql_migrations, SQL_MIGRATIONS, &db->schema_version, err);
    if (rc != OK)
        return rc;
    int code = pthread_key_create(&db->reader_key, close_reader_of_thread);
    if (code != 0)
        return err_set_errno(err, ERR_NO_MEMORY, code, "opening the database");
    db->has_reader_key = true;
    DbConn *writes = conn;
    conn = NULL; /* the writer's, also when it does not start */
    return db_writer_start(&db->writer, writes, options, err);
}

ErrCode db_open(const DbOptions *options, Db **out, Err *err)
{
    CLEANUP(db_close) Db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return err_set(err, ERR_NO_MEMORY, "opening the database");
    db->lock_fd = -1;
    mutex_init(&db->lock);
    if (strlen(options->path) >= sizeof db->path)
        return err_set(err, ERR_IO, "the path of the database is too long");
    snprintf(db->path, sizeof db->path, "%s", options->path);
    ErrCode rc = open_parts(db, options, err);
    if (rc != OK)
        return rc;
    LOG(INFO, DB_OPENED, KV("path", db->path), KV("schema", db->schema_version));
    *out = db;
    db = NULL;
    return OK;
}

void db_close(Db **handle)
{
    Db *db = *handle;
    if (db == NULL)
        return;
    if (db->has_reader_key)
        pthread_key_delete(db->reader_key);
    for (DbConn *c = db->readers, *next; c != NULL; c = next) {
        next = c->next;
        db_conn_close(&c);
    }
    db_writer_stop(
        &db->writer); /* last: closing the last connection folds the log into the database */
    for (int i = 0; i < DB_KEPT_COUNT; i++)
        if (db->kept[i].what != NULL)
            db->kept[i].drop(db->kept[i].what);
    fd_close(&db->lock_fd);
    mutex_done(&db->lock);
    free(db);
    *handle = NULL;
}

ErrCode db_reader(Db *db, DbConn **out, Err *err)
{
    DbConn *c = pthread_getspecific(db->reader_key);
    if (c != NULL) {
        *out = c;
        return OK;
    }
    ErrCode rc = db_conn_open(db, false, false, &c, err);
    if (rc != OK)
        return rc;
    int code = pthread_setspecific(db->reader_key, c);
    if (code != 0) {
        db_conn_close(&c);
        return err_set_errno(err, ERR_NO_MEMORY, code, "opening the database");
    }
    MUTEX_HELD(&db->lock);
    c->next = db->readers;
    db->readers = c;
    *out = c;
    return OK;
}

void db_attach(Db *db, const void *what)
{
    atomic_store(&db->attached, what);
}

const void *db_attached(const DbConn *c)
{
    return atomic_load_explicit(&c->db->attached, memory_order_acquire);
}

void *db_kept(const DbConn *tx, DbKept which)
{
    assert(tx->writes);
    return tx->db->kept[which].what;
}

void db_keep(DbConn *tx, DbKept which, void *what, void (*drop)(void *what))
{
    assert(tx->writes && tx->db->kept[which].what == NULL);
    tx->db->kept[which].what = what;
    tx->db->kept[which].drop = drop;
}

int64_t db_rollbacks(const DbConn *tx)
{
    return tx->rollbacks;
}

void db_attach_seal(Db *db, const Seal *seal)
{
    atomic_store(&db->seal, seal);
}

const Seal *db_seal(const DbConn *c)
{
    return atomic_load_explicit(&c->db->seal, memory_order_acquire);
}

/* --- numbers --- */

static int64_t size_of(const char *path, const char *suffix)
{
    char full[DB_PATH_MAX + 8];
    struct stat st;
    snprintf(full, sizeof full, "%s%s", path, suffix);
    return stat(full, &st) == 0 ? st.st_size : 0;
}

const char *db_library(void)
{
    return "SQLite " SQLITE_VERSION;
}

DbStats db_stats(Db *db)
{
    DbWriter *w = &db->writer;
    int64_t answered = w->answered; /* before handed_in, so that waiting is not negative */
    return (DbStats){
        .writes = answered,
        .batches = w->batches,
        .syncs_us = w->syncs_us,
        .waiting = w->handed_in - answered,
        .failed = w->failed,
        .file_bytes = size_of(db->path, ""),
        .wal_bytes = size_of(db->path, "-wal"),
        .schema_version = db->schema_version,
    };
}
