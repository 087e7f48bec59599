/* Every query against the schema it was written for. */
#include "db/db_in.h"
#include "unit/db/folder.h"

#include <sys/stat.h>

static sqlite3_stmt *prepare(sqlite3 *sqlite, const Query *q)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(sqlite, q->text, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", q->name, sqlite3_errmsg(sqlite));
    return stmt;
}

TEST(every_query_prepares)
{
    Folder f = folder_open();
    Db *db = NULL;
    Err err = {0};
    assert_ok(db_open(&(DbOptions){.path = f.db_path}, &db, &err), &err);
    sqlite3 *sqlite = db->writer.conn->sqlite; /* the writer is idle */
    for (int i = 0; i < SQL_QUERIES; i++) {
        const Query *q = sql_queries[i];
        assert_int_equal(q->index, i);
        sqlite3_stmt *stmt = prepare(sqlite, q);
        if (sqlite3_bind_parameter_count(stmt) != q->params)
            fail_msg("%s: %d parameters, %d are declared", q->name,
                     sqlite3_bind_parameter_count(stmt), q->params);
        sqlite3_finalize(stmt);
    }
    db_close(&db);
    folder_close(&f);
}

/* A condition that no index serves reads a whole table: fine for few rows, never for those that
 * grow. */
static bool may_scan(const char *name)
{
    static const char *const allowed[] = {
        "project_",                                         /* a handful */
        "feed_read_all", "feed_last_all", "webhook_active", /* of the projects: a handful */
        "queue_",    /* numbers over the live tasks, for people */
        "few_",      /* counted up to a limit */
        "blob_kept", /* its inner SELECT, of one row */
        "job_usage"  /* of the tree, which it finds by index */
    };
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        if (strncmp(name, allowed[i], strlen(allowed[i])) == 0)
            return true;
    return false;
}

TEST(no_query_scans_a_table_that_grows)
{
    Folder f = folder_open();
    Db *db = NULL;
    Err err = {0};
    int plans = 0;
    assert_ok(db_open(&(DbOptions){.path = f.db_path}, &db, &err), &err);
    for (int i = 0; i < SQL_QUERIES; i++) {
        char text[8192];
        snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql_queries[i]->text);
        sqlite3_stmt *stmt =
            prepare(db->writer.conn->sqlite, &(Query){.name = sql_queries[i]->name, .text = text});
        for (; sqlite3_step(stmt) == SQLITE_ROW; plans++) {
            const char *detail = (const char *)sqlite3_column_text(stmt, 3);
            if (strncmp(detail, "SCAN ", 5) == 0 && !may_scan(sql_queries[i]->name))
                fail_msg("%s: %s", sql_queries[i]->name, detail);
        }
        sqlite3_finalize(stmt);
    }
    assert_true(plans > 10);
    db_close(&db);
    folder_close(&f);
}

TEST(migrations_are_applied_once)
{
    Folder f = folder_open();
    Err err = {0};
    for (int round = 0; round < 2; round++) {
        Db *db = NULL;
        DbConn *c = NULL;
        int64_t version = 0;
        assert_ok(db_open(&(DbOptions){.path = f.db_path}, &db, &err), &err);
        assert_ok(db_reader(db, &c, &err), &err);
        assert_ok(db_get_int(c, &sql_schema_version_get, DB_NO_ARGS, 0, &version, &err), &err);
        assert_int_equal(version, SQL_MIGRATIONS);
        assert_int_equal(db_stats(db).schema_version, SQL_MIGRATIONS);
        db_close(&db);
    }
    folder_close(&f);
}

TEST(a_broken_migration_changes_nothing)
{
    static const SqlMigration broken[] = {
        {1, "one", "CREATE TABLE kept (id bigint);"},
        {2, "two", "CREATE TABLE half (id bigint); CREATE TABLE kept (id bigint);"},
    };
    Folder f = folder_open();
    Db *db = calloc(1, sizeof *db);
    DbConn *c = NULL;
    Err err = {0};
    int version = 0;
    snprintf(db->path, sizeof db->path, "%s", f.db_path);
    assert_ok(db_conn_open(db, true, true, &c, &err), &err);
    assert_ok(db_migrate(c, broken, 1, &version, &err), &err);
    log_set_level(LOG_OFF);
    assert_int_equal(db_migrate(c, broken, 2, &version, &err), ERR_DB);
    log_set_level(LOG_INFO);
    int64_t now = 0;
    assert_ok(db_get_int(c, &sql_schema_version_get, DB_NO_ARGS, 0, &now, &err), &err);
    assert_int_equal(now, 1);
    sqlite3_stmt *stmt = NULL;
    assert_int_not_equal(sqlite3_prepare_v2(c->sqlite, "SELECT id FROM half", -1, &stmt, NULL),
                         SQLITE_OK);
    db_conn_close(&c);
    free(db);
    folder_close(&f);
}

TEST_MAIN(every_query_prepares, no_query_scans_a_table_that_grows, migrations_are_applied_once,
          a_broken_migration_changes_nothing)
