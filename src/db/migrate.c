/* migrate.c: bring the schema up to date, in one transaction: a database is at the old version or
 * the new one. */
#include "base/clock.h"
#include "base/log.h"
#include "db/db_in.h"

static ErrCode apply(DbConn *c, const SqlMigration *migrations, int from, int count, Err *err)
{
    for (int i = from; i < count; i++) {
        const SqlMigration *m = &migrations[i];
        ErrCode rc = db_conn_script(c, m->name, m->text, err);
        if (rc == OK)
            rc = db_exec(c, &sql_schema_version_add,
                         DB_ARGS(DB_I(m->version), DB_S(str_from_c(m->name)), DB_I(clock_now_ms())),
                         NULL, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static ErrCode migrate_in_tx(DbConn *c, const SqlMigration *migrations, int count, int64_t *before,
                             Err *err)
{
    ErrCode rc = db_exec(c, &sql_schema_version_make, DB_NO_ARGS, NULL, err);
    if (rc == OK)
        rc = db_get_int(c, &sql_schema_version_get, DB_NO_ARGS, 0, before, err);
    if (rc != OK)
        return rc;
    if (*before > count)
        return err_set(err, ERR_DATA_TOO_NEW,
                       "the database has schema %" PRId64 ", this platen knows up to %d", *before,
                       count);
    return apply(c, migrations, (int)*before, count, err);
}

ErrCode db_migrate(DbConn *c, const SqlMigration *migrations, int count, int *version, Err *err)
{
    int64_t before = 0;
    ErrCode rc = db_conn_script(c, "migrate", "BEGIN IMMEDIATE", err);
    if (rc != OK)
        return rc;
    rc = migrate_in_tx(c, migrations, count, &before, err);
    if (rc == OK)
        rc = db_conn_script(c, "migrate", "COMMIT", err);
    if (rc != OK) {
        if (!sqlite3_get_autocommit(c->sqlite))
            sqlite3_exec(c->sqlite, "ROLLBACK", NULL, NULL, NULL);
        return rc;
    }
    *version = count;
    if (before < count)
        LOG(INFO, DB_MIGRATED, KV("from", before), KV("to", count));
    return OK;
}
