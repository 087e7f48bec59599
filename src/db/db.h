/* db.h: one database, one text per query, one writer.
 *
 * Queries live in sql/ (one commented block each, "-- name: job_claim") and are embedded at build
 * time: <db/queries.h> declares `extern const Query sql_job_claim`. The text uses $1, $2 … and runs
 * on SQLite and PostgreSQL alike; a comment that begins with pg is opened for PostgreSQL only, one
 * that begins with sqlite for SQLite only. Ids and times come from C, flags are 0/1, JSON is text.
 *
 * Reading: db_reader gives the calling thread its own read-only connection. Each query sees one
 * snapshot. Writing: one writer thread owns the only connection that writes and checkpoints (SQLite
 * 3.40's WAL-reset bug needs two). Callers hand it functions; it runs as many as are waiting inside
 * one transaction, syncs once, and answers all (group commit).
 *
 *   thread A: db_write(db, add_job, &job, err) ──┐
 *   thread B: db_write_async(db, &w) ────────────┼─► BEGIN · add_job · w.fn · … · COMMIT + sync ─► wake A, w.done()
 *   thread C: db_write(…) ───────────────────────┘
 *
 * A write function that fails takes only itself back: the batch is rolled back and run again
 * without it. So a write function can run more than once: it changes nothing but the database and
 * its own `arg`, which it sets anew each time.
 *
 * Threads: db_open and db_close from one thread; everything else from any. */
#ifndef PLATEN_DB_DB_H
#define PLATEN_DB_DB_H

#include "base/seal.h"

typedef struct Db Db;
typedef struct DbConn DbConn;

typedef struct Query {
    const char *name;
    const char *text; /* as SQLite takes it */
    int index;        /* 0, 1, 2 …: place in a connection's cache of prepared statements */
    int params;       /* highest $n */
} Query;

typedef enum DbType { DB_NULL, DB_INT, DB_REAL, DB_TEXT } DbType;
typedef struct DbVal {
    DbType type;
    int64_t integer;
    double real;
    Str text;
} DbVal;
#define DB_I(v) ((DbVal){.type = DB_INT, .integer = (v)})
#define DB_D(v) ((DbVal){.type = DB_REAL, .real = (v)})
#define DB_S(v) ((DbVal){.type = DB_TEXT, .text = (v)})
#define DB_N    ((DbVal){.type = DB_NULL})
/* An empty Str is stored as NULL. */
DbVal db_text_or_null(Str s);
DbVal db_int_or_null(int64_t v); /* 0: NULL */
/* Arguments of a query: DB_ARGS(DB_I(id), DB_S(name)) expands to a pointer and a count. */
#define DB_ARGS(...)                                                                               \
    (const DbVal[]){__VA_ARGS__}, sizeof((const DbVal[]){__VA_ARGS__}) / sizeof(DbVal)
#define DB_NO_ARGS NULL, 0

typedef struct DbOptions {
    const char *
        path; /* of the SQLite file; made when missing, with its folder locked against a second process */
    bool fast_and_loose; /* no sync: for inline mode, whose data is thrown away */
    size_t batch_max;    /* write functions per transaction; 0: 1024 */
} DbOptions;

/* Open, bring the schema up to date (migrate), start the writer.
 * ERR_DATA_LOCKED, ERR_DATA_TOO_NEW, ERR_DB_DAMAGED, ERR_DB, ERR_IO, ERR_DISK_FULL. */
MUST_CHECK ErrCode db_open(const DbOptions *options, Db **out, Err *err);
/* Waits for what was handed in, checkpoints, closes. */
void db_close(Db **db);

/* This thread's read connection; opened on first use, closed with the thread or db_close. */
MUST_CHECK ErrCode db_reader(Db *db, DbConn **out, Err *err);

/* Run a query that gives no rows. *changed (NULL allowed): rows inserted, updated or deleted. */
MUST_CHECK ErrCode db_exec(DbConn *c, const Query *q, const DbVal *args, size_t args_len,
                           int64_t *changed, Err *err);

/* Run a query that gives rows:
 *   CLEANUP(db_rows_done) DbRows rows = {0};
 *   rc = db_query(c, &sql_job_get, DB_ARGS(DB_I(id)), &rows, err);
 *   while (rc == OK && db_next(&rows, &rc, err)) … db_int(&rows, 0) …
 * Text from db_str lives until the next db_next. */
typedef struct DbRows {
    DbConn *conn;
    void *stmt;
    const char *name; /* of the query */
} DbRows;
MUST_CHECK ErrCode db_query(DbConn *c, const Query *q, const DbVal *args, size_t args_len,
                            DbRows *out, Err *err);
bool db_next(DbRows *r, ErrCode *rc, Err *err);
void db_rows_done(DbRows *r);
bool db_is_null(const DbRows *r, int column);
int64_t db_int(const DbRows *r, int column);
double db_real(const DbRows *r, int column);
Str db_str(const DbRows *r, int column);
Str db_str_copy(const DbRows *r, int column, Arena *a); /* .ptr NULL when the arena is full */

/* One row, one integer; `otherwise` when there is no row or it is NULL. */
MUST_CHECK ErrCode db_get_int(DbConn *c, const Query *q, const DbVal *args, size_t args_len,
                              int64_t otherwise, int64_t *out, Err *err);

/* One pointer that the layer above hangs onto the database (flow's hooks) and finds again from any
 * connection. Set it before the first write. */
void db_attach(Db *db, const void *what);
const void *db_attached(const DbConn *c); /* NULL: nothing */

/* What a layer above keeps in memory beside the tables it writes (queue's settings and who waits).
 * Only write functions touch it, so it needs no lock; drop frees it in db_close. A transaction may
 * be rolled back after the memory was changed: whoever keeps some compares db_rollbacks with the
 * number it remembers, and reads its tables again when it has risen. */
typedef enum DbKept { DB_KEPT_QUEUE, DB_KEPT_FLOW, DB_KEPT_COUNT } DbKept;
void *db_kept(const DbConn *tx, DbKept which); /* NULL: nothing yet */
void db_keep(DbConn *tx, DbKept which, void *what, void (*drop)(void *what));
int64_t db_rollbacks(const DbConn *tx);
/* The key that seals texts in this database (base/seal.h). Set it before the first write; it must
 * outlive the database. */
void db_attach_seal(Db *db, const Seal *seal);
const Seal *db_seal(const DbConn *c); /* NULL: none */

typedef ErrCode (*DbWriteFn)(DbConn *tx, void *arg, Err *err);

/* Hand fn to the writer and wait until its effect is on disk, or it failed and took itself back. */
MUST_CHECK ErrCode db_write(Db *db, DbWriteFn fn, void *arg, Err *err);

/* The same without waiting. `w` must live until done was called, on the writer's thread, which must
 * not be kept: done hands over and returns. fn and done are set by the caller; the rest is the
 * writer's. */
typedef struct DbWrite {
    DbWriteFn fn;
    void (*done)(struct DbWrite *w, ErrCode rc, const Err *err);
    void *arg;
    struct DbWrite *next;
    bool failed;
    ErrCode rc;
    Err err;
} DbWrite;
void db_write_async(Db *db, DbWrite *w);

/* From inside a write function: call fn(ctx, a, b) on the writer's thread once the transaction is
 * on disk, before the waiting callers are answered. Not called when it is not. For waking those who
 * wait for news. */
typedef void (*DbAfterFn)(void *ctx, int64_t a, int64_t b);
MUST_CHECK ErrCode db_after_commit(DbConn *tx, DbAfterFn fn, void *ctx, int64_t a, int64_t b,
                                   Err *err);

/* Consistent copy of the database to a new file, made on the writer between two transactions. */
MUST_CHECK ErrCode db_backup(Db *db, const char *path, Err *err);
/* Quick: schema and a sample. Full: PRAGMA integrity_check. What is wrong goes into *err
 * (ERR_DB_DAMAGED). */
MUST_CHECK ErrCode db_check(Db *db, bool full, Err *err);

/* Give unused pages at the end of the file back to the file system, at most `pages` of them, when a
 * quarter of the file (or more) is unused; *more: there are further ones. A database made before
 * this was known never shrinks. */
MUST_CHECK ErrCode db_shrink(Db *db, int pages, bool *more, Err *err);

typedef struct DbStats {
    int64_t writes, batches, syncs_us, waiting, failed;
    int64_t file_bytes, wal_bytes;
    int schema_version;
} DbStats;
DbStats db_stats(Db *db);
/* What keeps the database: "SQLite 3.40.1". */
const char *db_library(void);

#endif
