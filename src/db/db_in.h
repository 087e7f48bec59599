/* db_in.h: what the files of this folder share.
 *
 *   db.c       open, close, lock file, read connections, numbers
 *   sqlite.c   one connection: statements, values, rows, errors
 *   writer.c   the writer's thread and its queue
 *   migrate.c  schema
 *   care.c     backup and check */
#ifndef PLATEN_DB_DB_IN_H
#define PLATEN_DB_DB_IN_H

#include "base/thread.h"
#include "db/db.h"
#include "db/queries.h"

#include <sqlite3.h>

typedef struct DbStmt {
    sqlite3_stmt *stmt;
    bool busy;   /* between db_query and db_rows_done */
    bool cached; /* false: made because the cached one was busy; goes when its rows are done */
} DbStmt;

typedef struct DbAfter {
    DbAfterFn fn;
    void *ctx;
    int64_t a, b;
} DbAfter;

enum { DB_AFTER_MAX = 64 * 1024, DB_PATH_MAX = 4096 };

struct DbConn {
    Db *db;
    sqlite3 *sqlite;
    bool writes;
    ErrCode
        sick; /* writer: what befell the whole connection (disk full, damage) since the batch began; OK: nothing */
    DbAfter *after; /* writer: to be called after the commit */
    size_t after_len, after_cap;
    int64_t rollbacks; /* writer: transactions and savepoints taken back */
    DbConn *next;      /* readers: the list in Db */
    DbStmt stmts[SQL_QUERIES];
};

typedef struct DbWriter {
    /* Set before the thread starts, then constant. */
    DbConn *conn;
    pthread_t thread;
    bool running;
    size_t batch_max;

    /* Any thread: newest first; `asleep` (see writer.c) when the writer wants to be woken. */
    _Atomic(DbWrite *) inbox;
    Mutex lock; /* guards woken and stop */
    Cond wake;
    bool woken, stop;

    /* Writer's thread only. */
    sqlite3_stmt *begin, *commit, *rollback, *savepoint, *rollback_to, *release;
    int wal_pages, checkpoint_at;
    bool was_sick; /* the last batch failed as a whole: logged once */

    /* Written by the writer, read by any. */
    _Atomic int64_t handed_in, answered, batches, syncs_us, failed;
} DbWriter;

struct Db {
    /* Set in db_open, then constant. */
    char path[DB_PATH_MAX];
    int lock_fd;
    pthread_key_t reader_key;
    bool has_reader_key;
    int schema_version;
    _Atomic(const void *) attached;
    struct {
        void *what;
        void (*drop)(void *what);
    } kept[DB_KEPT_COUNT]; /* writer's thread, and db_close after it has ended */
    _Atomic(const Seal *) seal;

    DbWriter writer;
    Mutex lock; /* guards readers; never held while calling the database */
    DbConn *readers;
};

/* sqlite.c */
MUST_CHECK ErrCode db_conn_open(Db *db, bool writes, bool fast_and_loose, DbConn **out, Err *err);
void db_conn_close(DbConn **c);
/* Turn the connection's last failure (`code` of SQLite) into ours; the details go to the log. */
ErrCode db_conn_fail(DbConn *c, int code, const char *what, Err *err);
/* Run statements that take no parameters and give no rows. */
MUST_CHECK ErrCode db_conn_script(DbConn *c, const char *what, const char *sql, Err *err);
MUST_CHECK ErrCode db_conn_prepare(DbConn *c, const char *what, const char *sql, sqlite3_stmt **out,
                                   Err *err);

/* migrate.c: on the writer's connection, before its thread starts. */
MUST_CHECK ErrCode db_migrate(DbConn *c, const SqlMigration *migrations, int count, int *version,
                              Err *err);

/* writer.c */
MUST_CHECK ErrCode db_writer_start(DbWriter *w, DbConn *conn, const DbOptions *options, Err *err);
/* Answers everything handed in, ends the thread, closes the connection (which is the writer's from
 * db_writer_start on). */
void db_writer_stop(DbWriter *w);
/* Run fn on the writer's thread between two transactions, and wait for it. */
MUST_CHECK ErrCode db_writer_between(Db *db, DbWriteFn fn, void *arg, Err *err);

#endif
