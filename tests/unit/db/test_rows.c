/* What the queries of documents, blobs, idempotency and usage mean, row by row. */
#include "db/db_in.h"
#include "unit/db/folder.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

typedef struct Store {
    Folder folder;
    Db *db;
    DbConn *reader;
    Err err;
} Store;

static Store store_open(void)
{
    Store s = {.folder = folder_open()};
    log_set_level(LOG_OFF);
    assert_ok(
        db_open(&(DbOptions){.path = s.folder.db_path, .fast_and_loose = true}, &s.db, &s.err),
        &s.err);
    assert_ok(db_reader(s.db, &s.reader, &s.err), &s.err);
    return s;
}

static void store_close(Store *s)
{
    db_close(&s->db);
    folder_close(&s->folder);
}

typedef struct Statement {
    const Query *query;
    const DbVal *args;
    size_t args_len;
    int64_t changed;
} Statement;

static ErrCode run(DbConn *tx, void *arg, Err *err)
{
    Statement *s = arg;
    return db_exec(tx, s->query, s->args, s->args_len, &s->changed, err);
}

static int64_t write_row(Store *s, const Query *q, const DbVal *args, size_t len)
{
    Statement statement = {q, args, len, -1};
    assert_ok(db_write(s->db, run, &statement, &s->err), &s->err);
    return statement.changed;
}

/* The first column of every row, as "1 2 3 ". */
static const char *read_column(Store *s, const Query *q, const DbVal *args, size_t len)
{
    static char text[1024];
    size_t at = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(s->reader, q, args, len, &rows, &s->err);
    text[0] = 0;
    while (rc == OK && db_next(&rows, &rc, &s->err))
        at += (size_t)snprintf(text + at, sizeof text - at, STR_FMT " ", STR_ARG(db_str(&rows, 0)));
    assert_ok(rc, &s->err);
    return text;
}

static void add_document(Store *s, int64_t project, int64_t id)
{
    assert_int_equal(
        write_row(s, &sql_document_add,
                  DB_ARGS(DB_I(id), DB_I(project), DB_S(STR("a.pdf")), DB_S(STR("application/pdf")),
                          DB_S(STR(HASH_A)), DB_I(7), DB_I(1000), DB_S(STR("")),
                          DB_S(STR("document")), DB_S(STR(" a pdf ")))),
        1);
}

TEST(documents_are_listed_newest_first_per_project)
{
    Store s = store_open();
    for (int64_t id = 1; id <= 5; id++)
        add_document(&s, 1, id);
    add_document(&s, 2, 6);
    assert_string_equal(
        read_column(&s, &sql_document_list, DB_ARGS(DB_I(1), DB_I(INT64_MAX), DB_I(2))), "5 4 ");
    assert_string_equal(read_column(&s, &sql_document_list, DB_ARGS(DB_I(1), DB_I(4), DB_I(2))),
                        "3 2 ");
    assert_int_equal(write_row(&s, &sql_document_delete, DB_ARGS(DB_I(1), DB_I(3), DB_I(2000))), 1);
    assert_int_equal(write_row(&s, &sql_document_delete, DB_ARGS(DB_I(1), DB_I(3), DB_I(2000))), 0);
    assert_int_equal(write_row(&s, &sql_document_delete, DB_ARGS(DB_I(1), DB_I(6), DB_I(2000))), 0);
    assert_string_equal(read_column(&s, &sql_document_list, DB_ARGS(DB_I(1), DB_I(4), DB_I(2))),
                        "2 1 ");
    assert_string_equal(read_column(&s, &sql_document_get, DB_ARGS(DB_I(1), DB_I(3))), "");
    assert_string_equal(read_column(&s, &sql_document_get, DB_ARGS(DB_I(1), DB_I(6))), "");
    assert_string_equal(read_column(&s, &sql_document_count, DB_ARGS(DB_I(1))), "4 ");
    store_close(&s);
}

TEST(documents_change_only_from_the_version_that_was_read)
{
    Store s = store_open();
    add_document(&s, 1, 1);
    assert_int_equal(write_row(&s, &sql_document_change,
                               DB_ARGS(DB_I(1), DB_I(1), DB_I(1), DB_S(STR("b")), DB_S(STR("")),
                                       DB_S(STR(" b ")), DB_I(2000))),
                     1);
    assert_int_equal(write_row(&s, &sql_document_change,
                               DB_ARGS(DB_I(1), DB_I(1), DB_I(1), DB_S(STR("c")), DB_S(STR("")),
                                       DB_S(STR(" c ")), DB_I(3000))),
                     0);
    assert_string_equal(read_column(&s, &sql_document_version, DB_ARGS(DB_I(1), DB_I(1))), "2 ");
    assert_int_equal(
        write_row(&s, &sql_document_replace,
                  DB_ARGS(DB_I(1), DB_I(1), DB_I(2), DB_S(STR("text/plain")), DB_S(STR(HASH_B)),
                          DB_I(9), DB_I(4000), DB_S(STR("document")))),
        1);
    assert_string_equal(read_column(&s, &sql_document_version, DB_ARGS(DB_I(1), DB_I(1))), "3 ");
    store_close(&s);
}

static void see_blob(Store *s, int64_t project, const char *hash, int64_t now_ms)
{
    write_row(s, &sql_blob_add,
              DB_ARGS(DB_I(project), DB_S(str_from_c(hash)), DB_I(7), DB_I(now_ms)));
}

TEST(blobs_go_when_nothing_refers_to_them)
{
    Store s = store_open();
    const DbVal hash_a[] = {DB_S(STR(HASH_A))};
    see_blob(&s, 1, HASH_A, 1000);
    see_blob(&s, 2, HASH_A, 1000);
    see_blob(&s, 1, HASH_B, 1000);
    const DbVal ref[] = {DB_I(1), DB_S(STR(HASH_A)), DB_S(STR("document")), DB_I(42)};
    assert_int_equal(write_row(&s, &sql_blob_ref_add, ref, 4), 1);
    assert_int_equal(write_row(&s, &sql_blob_ref_add, ref, 4), 0);
    assert_string_equal(
        read_column(&s, &sql_blob_unreferenced, DB_ARGS(DB_I(0), DB_I(2000), DB_I(10))), "1 2 ");
    see_blob(&s, 1, HASH_B, 5000); /* seen again */
    assert_string_equal(
        read_column(&s, &sql_blob_unreferenced, DB_ARGS(DB_I(0), DB_I(2000), DB_I(10))), "2 ");
    assert_int_equal(
        write_row(&s, &sql_blob_forget, DB_ARGS(DB_I(1), DB_S(STR(HASH_B)), DB_I(2000))), 0);
    assert_int_equal(
        write_row(&s, &sql_blob_forget, DB_ARGS(DB_I(1), DB_S(STR(HASH_A)), DB_I(2000))), 0);
    assert_int_equal(
        write_row(&s, &sql_blob_forget, DB_ARGS(DB_I(2), DB_S(STR(HASH_A)), DB_I(2000))), 1);
    assert_string_equal(read_column(&s, &sql_blob_kept, hash_a, 1), "1 ");
    assert_string_equal(read_column(&s, &sql_blob_get, DB_ARGS(DB_I(2), DB_S(STR(HASH_A)))), "");
    assert_int_equal(
        write_row(&s, &sql_blob_ref_drop, DB_ARGS(DB_I(1), DB_S(STR("document")), DB_I(42))), 1);
    assert_int_equal(
        write_row(&s, &sql_blob_forget, DB_ARGS(DB_I(1), DB_S(STR(HASH_A)), DB_I(2000))), 1);
    assert_string_equal(read_column(&s, &sql_blob_kept, hash_a, 1), "0 ");
    assert_string_equal(read_column(&s, &sql_blob_hashes, DB_ARGS(DB_S(STR("")), DB_I(10))),
                        HASH_B " ");
    store_close(&s);
}

TEST(usage_is_recorded_once_per_attempt)
{
    Store s = store_open();
    const DbVal first[] = {DB_I(1),  DB_I(10), DB_I(1),   DB_S(STR("page")),
                           DB_I(99), DB_I(5),  DB_I(1000)};
    const DbVal second[] = {DB_I(1),  DB_I(10), DB_I(2),   DB_S(STR("page")),
                            DB_I(99), DB_I(6),  DB_I(2000)};
    assert_int_equal(write_row(&s, &sql_usage_add, first, 7), 1);
    assert_int_equal(write_row(&s, &sql_usage_add, first, 7), 0);
    assert_int_equal(write_row(&s, &sql_usage_add, second, 7), 1);
    store_close(&s);
}

TEST(idempotency_keys_are_kept_per_project_and_expire)
{
    Store s = store_open();
    for (int64_t project = 1; project <= 3; project++)
        write_row(&s, &sql_idempotency_add,
                  DB_ARGS(DB_I(project), DB_S(STR("k")), DB_S(STR("h")), DB_S(STR("job")), DB_I(7),
                          DB_I(project * 1000)));
    assert_string_equal(read_column(&s, &sql_idempotency_get, DB_ARGS(DB_I(1), DB_S(STR("k")))),
                        "h ");
    assert_int_equal(write_row(&s, &sql_idempotency_expire, DB_ARGS(DB_I(3000), DB_I(1))), 1);
    assert_string_equal(read_column(&s, &sql_idempotency_get, DB_ARGS(DB_I(1), DB_S(STR("k")))),
                        "");
    assert_int_equal(write_row(&s, &sql_idempotency_expire, DB_ARGS(DB_I(3000), DB_I(100))), 1);
    assert_string_equal(read_column(&s, &sql_idempotency_get, DB_ARGS(DB_I(3), DB_S(STR("k")))),
                        "h ");
    store_close(&s);
}

TEST_MAIN(documents_are_listed_newest_first_per_project,
          documents_change_only_from_the_version_that_was_read,
          blobs_go_when_nothing_refers_to_them, usage_is_recorded_once_per_attempt,
          idempotency_keys_are_kept_per_project_and_expire)
