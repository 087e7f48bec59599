/* sqlite.c: one connection to SQLite: prepared statements by index, values in, rows out, errors
 * translated. */
#include "base/fault.h"
#include "base/log.h"
#include "db/db_in.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Idle connections are many and the server must stay small; a reader works through the system's
 * page cache. */
enum { WRITER_CACHE_KIB = 8192, READER_CACHE_KIB = 256, BUSY_MS = 10000 };

DbVal db_text_or_null(Str s)
{
    return s.len > 0 ? DB_S(s) : DB_N;
}

DbVal db_int_or_null(int64_t v)
{
    return v != 0 ? DB_I(v) : DB_N;
}

/* What an error of SQLite means to us; `os` is errno of the failed call. */
static ErrCode translate(int code, int os)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return ERR_DISK_FULL;
    case SQLITE_IOERR:
        return os == ENOSPC || os == EDQUOT ? ERR_DISK_FULL : ERR_IO;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return ERR_IO;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_DB_DAMAGED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_DB_BUSY;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_TOOBIG:
        return ERR_INPUT_TOO_LARGE;
    default:
        return ERR_DB;
    }
}

/* Failures that every other statement would meet as well. */
static bool is_sickness(ErrCode rc)
{
    return rc == ERR_DISK_FULL || rc == ERR_IO || rc == ERR_DB_DAMAGED;
}

ErrCode db_conn_fail(DbConn *c, int code, const char *what, Err *err)
{
    ErrCode rc = translate(code, c->sqlite != NULL ? sqlite3_system_errno(c->sqlite) : 0);
    bool told = c->writes &&
                c->sick != OK; /* one line per batch, not one per write: a full disk stays full */
    if (is_sickness(rc))
        c->sick = rc;
    if (rc != ERR_CONFLICT && rc != ERR_DB_BUSY && !told && !(c->writes && c->db->writer.was_sick))
        LOG(ERROR, DB_FAILED, KV("query", what), KV("code", code),
            KV("detail", c->sqlite != NULL ? sqlite3_errmsg(c->sqlite) : ""));
    return err_set(err, rc, "%s: %s", what, sqlite3_errstr(code & 0xff));
}

/* Failure on purpose: SQLite was not called, so it has nothing to say. */
static ErrCode fail_on_purpose(DbConn *c, const char *what, Err *err)
{
    if (c->writes)
        c->sick = ERR_DISK_FULL;
    return err_set(err, c->writes ? ERR_DISK_FULL : ERR_IO, "%s: failed on purpose", what);
}

/* --- connection --- */

static pthread_once_t sqlite_once = PTHREAD_ONCE_INIT;

static void start_sqlite(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
                   0); /* its counters are behind one lock for all threads */
    sqlite3_initialize();
}

static ErrCode configure(DbConn *c, bool fast_and_loose, Err *err)
{
    char sql[512];
    sqlite3_busy_timeout(c->sqlite, BUSY_MS);
    sqlite3_extended_result_codes(c->sqlite, 1);
    /* "x" is a name, never a text that was meant to be one: as PostgreSQL has it. */
    sqlite3_db_config(c->sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(c->sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    if (!c->writes) {
        snprintf(sql, sizeof sql, "PRAGMA cache_size=-%d; PRAGMA query_only=1", READER_CACHE_KIB);
        return db_conn_script(c, "open", sql, err);
    }
    /* auto_vacuum: only a database that is made now takes it; db_shrink gives pages back.
     * secure_delete is compiled in as on; FAST still overwrites what is deleted, but writes no page
     * just for that. */
    snprintf(sql, sizeof sql,
             "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; "
             "PRAGMA wal_autocheckpoint=0; PRAGMA "
             "temp_store=MEMORY;"
             "PRAGMA cache_size=-%d; PRAGMA foreign_keys=0; PRAGMA secure_delete=FAST",
             fast_and_loose ? "OFF" : "FULL", WRITER_CACHE_KIB);
    return db_conn_script(c, "open", sql, err);
}

ErrCode db_conn_open(Db *db, bool writes, bool fast_and_loose, DbConn **out, Err *err)
{
    pthread_once(&sqlite_once, start_sqlite);
    CLEANUP(db_conn_close) DbConn *c = calloc(1, sizeof *c);
    if (c == NULL)
        return err_set(err, ERR_NO_MEMORY, "opening the database");
    c->db = db;
    c->writes = writes;
    if (fault_hit("db.open"))
        return err_set(err, ERR_IO, "open: failed on purpose");
    int flags = SQLITE_OPEN_NOMUTEX |
                (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    int code = sqlite3_open_v2(db->path, &c->sqlite, flags, NULL);
    if (code != SQLITE_OK)
        return db_conn_fail(c, code, "open", err);
    ErrCode rc = configure(c, fast_and_loose, err);
    if (rc != OK)
        return rc;
    *out = c;
    c = NULL;
    return OK;
}

void db_conn_close(DbConn **conn)
{
    DbConn *c = *conn;
    if (c == NULL)
        return;
    for (size_t i = 0; i < SQL_QUERIES; i++)
        sqlite3_finalize(c->stmts[i].stmt);
    int code = sqlite3_close(c->sqlite);
    assert(code == SQLITE_OK); /* else rows were not given back (db_rows_done) */
    (void)code;
    free(c->after);
    free(c);
    *conn = NULL;
}

ErrCode db_conn_script(DbConn *c, const char *what, const char *sql, Err *err)
{
    int code = sqlite3_exec(c->sqlite, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : db_conn_fail(c, code, what, err);
}

ErrCode db_conn_prepare(DbConn *c, const char *what, const char *sql, sqlite3_stmt **out, Err *err)
{
    int code = sqlite3_prepare_v3(c->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return code == SQLITE_OK ? OK : db_conn_fail(c, code, what, err);
}

/* --- statements --- */

static ErrCode borrow(DbConn *c, const Query *q, DbStmt **out, Err *err)
{
    DbStmt *s = &c->stmts[q->index];
    if (s->stmt != NULL && !s->busy) {
        *out = s;
        return OK;
    }
    if (s->busy) { /* the same query inside its own loop */
        s = calloc(1, sizeof *s);
        if (s == NULL)
            return err_set(err, ERR_NO_MEMORY, "%s", q->name);
    } else {
        s->cached = true;
    }
    ErrCode rc = db_conn_prepare(c, q->name, q->text, &s->stmt, err);
    if (rc == OK) {
        assert(sqlite3_bind_parameter_count(s->stmt) == q->params);
        *out = s;
    } else if (!s->cached) {
        free(s);
    }
    return rc;
}

static void give_back(DbStmt *s)
{
    if (s->cached) {
        sqlite3_reset(s->stmt);
        s->busy = false;
        return;
    }
    sqlite3_finalize(s->stmt);
    free(s);
}

/* `keep`: how long the texts live: SQLITE_STATIC, or SQLITE_TRANSIENT for a copy. */
static ErrCode bind(DbConn *c, const Query *q, sqlite3_stmt *stmt, const DbVal *args, size_t len,
                    sqlite3_destructor_type keep, Err *err)
{
    assert(len == (size_t)q->params);
    for (size_t i = 0; i < len; i++) {
        int at = (int)i + 1, code;
        switch (args[i].type) {
        case DB_INT:
            code = sqlite3_bind_int64(stmt, at, args[i].integer);
            break;
        case DB_REAL:
            code = sqlite3_bind_double(stmt, at, args[i].real);
            break;
        case DB_TEXT: {
            Str s =
                args[i]
                    .text; /* an empty text has no address to point at, and NULL would bind NULL */
            code = sqlite3_bind_text64(stmt, at, s.len > 0 ? s.ptr : "", s.len, keep, SQLITE_UTF8);
            break;
        }
        default:
            code = sqlite3_bind_null(stmt, at);
        }
        if (code != SQLITE_OK)
            return db_conn_fail(c, code, q->name, err);
    }
    return OK;
}

/* SQLITE_ROW or SQLITE_DONE in *code, or a failure. */
static ErrCode step(DbConn *c, const char *name, sqlite3_stmt *stmt, int *code, Err *err)
{
    if (fault_hit(c->writes ? "db.step" : "db.read"))
        return fail_on_purpose(c, name, err);
    *code = sqlite3_step(stmt);
    return *code == SQLITE_ROW || *code == SQLITE_DONE ? OK : db_conn_fail(c, *code, name, err);
}

ErrCode db_exec(DbConn *c, const Query *q, const DbVal *args, size_t args_len, int64_t *changed,
                Err *err)
{
    DbStmt *s = NULL;
    int code = SQLITE_ROW;
    ErrCode rc = borrow(c, q, &s, err);
    if (rc != OK)
        return rc;
    rc = bind(c, q, s->stmt, args, args_len, SQLITE_STATIC, err);
    while (rc == OK && code == SQLITE_ROW)
        rc = step(c, q->name, s->stmt, &code, err);
    /* changes() keeps the count of the last statement that changed something */
    if (rc == OK && changed != NULL)
        *changed = sqlite3_stmt_readonly(s->stmt) ? 0 : sqlite3_changes64(c->sqlite);
    give_back(s);
    return rc;
}

ErrCode db_query(DbConn *c, const Query *q, const DbVal *args, size_t args_len, DbRows *out,
                 Err *err)
{
    DbStmt *s = NULL;
    ErrCode rc = borrow(c, q, &s, err);
    if (rc != OK)
        return rc;
    rc = bind(c, q, s->stmt, args, args_len, SQLITE_TRANSIENT, err);
    if (rc != OK) {
        give_back(s);
        return rc;
    }
    s->busy = true;
    *out = (DbRows){.conn = c, .stmt = s, .name = q->name};
    return OK;
}

bool db_next(DbRows *r, ErrCode *rc, Err *err)
{
    DbStmt *s = r->stmt;
    int code = SQLITE_DONE;
    if (s == NULL)
        return false;
    *rc = step(r->conn, r->name, s->stmt, &code, err);
    if (*rc == OK && code == SQLITE_ROW)
        return true;
    db_rows_done(r); /* ends a reader's snapshot, which would hold back the checkpoint */
    return false;
}

void db_rows_done(DbRows *r)
{
    if (r->stmt != NULL)
        give_back(r->stmt);
    *r = (DbRows){0};
}

static sqlite3_stmt *stmt_of(const DbRows *r)
{
    const DbStmt *s = r->stmt;
    assert(s != NULL);
    return s->stmt;
}

bool db_is_null(const DbRows *r, int column)
{
    return sqlite3_column_type(stmt_of(r), column) == SQLITE_NULL;
}

int64_t db_int(const DbRows *r, int column)
{
    return sqlite3_column_int64(stmt_of(r), column);
}

double db_real(const DbRows *r, int column)
{
    return sqlite3_column_double(stmt_of(r), column);
}

Str db_str(const DbRows *r, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt_of(r), column);
    if (text == NULL)
        return STR("");
    return (Str){text, (size_t)sqlite3_column_bytes(stmt_of(r), column)};
}

Str db_str_copy(const DbRows *r, int column, Arena *a)
{
    return str_copy(a, db_str(r, column));
}

ErrCode db_get_int(DbConn *c, const Query *q, const DbVal *args, size_t args_len, int64_t otherwise,
                   int64_t *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(c, q, args, args_len, &rows, err);
    if (rc != OK)
        return rc;
    int64_t found = otherwise;
    if (db_next(&rows, &rc, err) && !db_is_null(&rows, 0))
        found = db_int(&rows, 0);
    if (rc == OK)
        *out = found;
    return rc;
}

ErrCode db_after_commit(DbConn *tx, DbAfterFn fn, void *ctx, int64_t a, int64_t b, Err *err)
{
    assert(tx->writes);
    if (tx->after_len == tx->after_cap) {
        size_t cap = tx->after_cap == 0 ? 64 : tx->after_cap * 2;
        DbAfter *grown = cap <= DB_AFTER_MAX ? realloc(tx->after, cap * sizeof *grown) : NULL;
        if (grown == NULL)
            return err_set(err, ERR_NO_MEMORY, "more than %zu calls after one commit",
                           tx->after_len);
        tx->after = grown;
        tx->after_cap = cap;
    }
    tx->after[tx->after_len++] = (DbAfter){fn, ctx, a, b};
    return OK;
}
