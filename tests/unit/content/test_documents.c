/* Documents: found, changed, kept in versions, deleted and back; every failure takes itself back. */
#include "base/buf.h"
#include "content/document_in.h"
#include "unit/db/folder.h"

typedef struct Bench {
    Folder folder;
    Db *db;
    DbConn *reader;
    Arena *a;
    Err err;
} Bench;

static Bench bench_open(void)
{
    log_set_level(LOG_OFF);
    Bench b = {.folder = folder_open(), .a = arena_open(64 * MIB)};
    assert_ok(
        db_open(&(DbOptions){.path = b.folder.db_path, .fast_and_loose = true}, &b.db, &b.err),
        &b.err);
    assert_ok(db_reader(b.db, &b.reader, &b.err), &b.err);
    return b;
}

static void bench_close(Bench *b)
{
    db_close(&b->db);
    arena_close(&b->a);
    folder_close(&b->folder);
}

static Blob blob(int n)
{
    Blob b = {.size_bytes = n};
    snprintf(b.hash, sizeof b.hash, "%064d", n);
    return b;
}

static int64_t add(Bench *b, const char *name, const char *type, const char *tags)
{
    DocumentNew d = {.project = 1,
                     .name = str_from_c(name),
                     .type = str_from_c(type),
                     .tags = str_from_c(tags),
                     .blob = blob(1)};
    assert_ok(document_add_all(b->db, &d, 1, STR(""), &b->err), &b->err);
    return d.added.id;
}

static Document get(Bench *b, int64_t id)
{
    Document d;
    assert_ok(document_get(b->reader, 1, id, b->a, &d, &b->err), &b->err);
    return d;
}

/* Names found, newest first: "b a ". */
static Str found(Bench *b, DocumentQuery q)
{
    Document *docs;
    size_t len;
    int64_t next;
    Buf text = buf_init(b->a, 64 * KIB);
    if (q.limit == 0)
        q.limit = 50;
    assert_ok(document_find(b->reader, 1, &q, b->a, &docs, &len, &next, &b->err), &b->err);
    for (size_t i = 0; i < len; i++)
        buf_addf(&text, STR_FMT " ", STR_ARG(docs[i].name));
    if (next != 0)
        buf_addf(&text, "…");
    return len == 0 && next == 0 ? STR("") : buf_str(&text);
}
#define FOUND(b, want, ...) assert_str_equal(found(b, (DocumentQuery){__VA_ARGS__}), want)

TEST(documents_are_found_by_words_tags_and_families)
{
    Bench b = bench_open();
    add(&b, "annual.pdf", "application/pdf", "invoice,tax");
    add(&b, "photo.jpg", "image/jpeg", "");
    add(&b, "anna.txt", "", "tax");
    FOUND(&b, "anna.txt annual.pdf ", .q = STR("ann"));
    FOUND(&b, "annual.pdf ", .q = STR("annua"));
    FOUND(&b, "annual.pdf ", .q = STR("inv AN"));
    FOUND(&b, "", .q = STR("nual"));
    FOUND(&b, "anna.txt annual.pdf ", .tag = STR("tax"));
    FOUND(&b, "annual.pdf ", .tag = STR("tax"), .q = STR("pdf"));
    FOUND(&b, "", .tag = STR("ta"));
    FOUND(&b, "photo.jpg ", .family = STR("image"));
    FOUND(&b, "anna.txt ", .family = STR("document"), .q = STR("txt"));
    FOUND(&b, "anna.txt photo.jpg …", .limit = 2);
    FOUND(&b, "anna.txt photo.jpg annual.pdf ", .limit = 3);
    bench_close(&b);
}

TEST(pages_leave_nothing_out)
{
    Bench b = bench_open();
    char name[32];
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "n%d.%s", i, i % 2 == 0 ? "txt" : "png");
        add(&b, name, "", "");
    }
    int64_t before = 0;
    size_t all = 0;
    do {
        Document *docs;
        size_t len;
        DocumentQuery q = {.before = before, .q = STR("n"), .family = STR("document"), .limit = 2};
        assert_ok(document_find(b.reader, 1, &q, b.a, &docs, &len, &before, &b.err), &b.err);
        all += len;
    } while (before != 0);
    assert_int_equal(all, 4);
    bench_close(&b);
}

TEST(a_change_is_found_under_its_new_words_only)
{
    Bench b = bench_open();
    Document d;
    int64_t id = add(&b, "old.txt", "text/plain", "one");
    assert_ok(document_change(b.db, 1, id, 1, STR("new.txt"), (Str){0}, b.a, &d, &b.err), &b.err);
    assert_str_equal(d.name, "new.txt");
    assert_str_equal(d.tags, "one");
    assert_int_equal(d.revision, 2);
    FOUND(&b, "", .q = STR("old"));
    FOUND(&b, "new.txt ", .q = STR("new one"));
    assert_ok(document_change(b.db, 1, id, 0, (Str){0}, STR("two"), b.a, &d, &b.err), &b.err);
    FOUND(&b, "", .tag = STR("one"));
    FOUND(&b, "new.txt ", .tag = STR("two"));
    TagCount *tags;
    size_t len;
    bool more;
    assert_ok(document_tag_list(b.reader, 1, STR(""), 10, b.a, &tags, &len, &more, &b.err), &b.err);
    assert_int_equal(len, 1);
    assert_str_equal(tags[0].tag, "two");
    /* the same again is no change; an old revision is refused */
    assert_ok(document_change(b.db, 1, id, 3, STR("new.txt"), STR("two"), b.a, &d, &b.err), &b.err);
    assert_int_equal(d.revision, 3);
    assert_int_equal(document_change(b.db, 1, id, 2, STR("x"), (Str){0}, b.a, &d, &b.err),
                     ERR_PRECONDITION_FAILED);
    assert_int_equal(document_change(b.db, 2, id, 0, STR("x"), (Str){0}, b.a, &d, &b.err),
                     ERR_NOT_FOUND);
    assert_int_equal(document_change(b.db, 1, id, 0, STR("a/b"), (Str){0}, b.a, &d, &b.err),
                     ERR_BAD_PARAM);
    bench_close(&b);
}

static Str versions(Bench *b, int64_t id)
{
    Document d = get(b, id);
    DocumentVersion *all;
    size_t len;
    bool more;
    Buf text = buf_init(b->a, 64 * KIB);
    assert_ok(document_versions(b->reader, &d, 0, 100, b->a, &all, &len, &more, &b->err), &b->err);
    for (size_t i = 0; i < len; i++)
        buf_addf(&text, "%d:%d ", (int)all[i].content, (int)all[i].size_bytes);
    return buf_str(&text);
}

static void replace(Bench *b, int64_t id, int n)
{
    Document d;
    Blob bytes = blob(n);
    assert_ok(document_replace(b->db, 1, id, 0, &bytes, STR(""), b->a, &d, &b->err), &b->err);
}

/* Blobs that the project sees and nothing holds. */
static int64_t loose(Bench *b)
{
    int64_t n;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(b->reader, &sql_blob_unreferenced,
                          DB_ARGS(DB_I(0), DB_I(INT64_MAX), DB_I(1000)), &rows, &b->err);
    for (n = 0; rc == OK && db_next(&rows, &rc, &b->err);)
        n++;
    assert_int_equal(rc, OK);
    return n;
}

TEST(contents_become_versions)
{
    Bench b = bench_open();
    int64_t id = add(&b, "a.txt", "text/plain", "");
    replace(&b, id, 2);
    replace(&b, id, 2); /* the same: no version */
    replace(&b, id, 3);
    replace(&b, id, 1); /* an earlier one again */
    assert_str_equal(versions(&b, id), "4:1 3:3 2:2 1:1 ");
    Document d = get(&b, id);
    DocumentVersion v;
    assert_ok(document_version_get(b.reader, &d, 2, b.a, &v, &b.err), &b.err);
    assert_int_equal(v.size_bytes, 2);
    assert_int_equal(document_version_get(b.reader, &d, 9, b.a, &v, &b.err), ERR_NOT_FOUND);
    assert_int_equal(loose(&b), 0);
    assert_ok(document_delete(b.db, 1, id, &b.err), &b.err);
    assert_int_equal(loose(&b), 3);
    FOUND(&b, "", .q = STR("a"));
    assert_ok(document_undelete(b.db, 1, id, b.a, &d, &b.err), &b.err);
    assert_int_equal(loose(&b), 0);
    FOUND(&b, "a.txt ", .q = STR("a"));
    assert_str_equal(versions(&b, id), "4:1 3:3 2:2 1:1 ");
    assert_int_equal(document_undelete(b.db, 1, id, b.a, &d, &b.err), ERR_NOT_FOUND);
    bench_close(&b);
}

TEST(the_oldest_version_goes)
{
    Bench b = bench_open();
    int64_t id = add(&b, "a.txt", "text/plain", "");
    for (int i = 2; i <= DOCUMENT_VERSIONS_MAX + 3; i++)
        replace(&b, id, i);
    Document d = get(&b, id);
    DocumentVersion v;
    assert_int_equal(d.content, DOCUMENT_VERSIONS_MAX + 3);
    assert_int_equal(document_version_get(b.reader, &d, 2, b.a, &v, &b.err), ERR_NOT_FOUND);
    assert_ok(document_version_get(b.reader, &d, 3, b.a, &v, &b.err), &b.err);
    assert_int_equal(loose(&b), 2); /* nobody holds the bytes of the two that went */
    bench_close(&b);
}

static ErrCode forget_write(DbConn *tx, void *arg, Err *err)
{
    const char *hash = arg;
    return db_exec(tx, &sql_blob_forget, DB_ARGS(DB_I(1), DB_S(str_from_c(hash)), DB_I(INT64_MAX)),
                   NULL, err);
}

TEST(what_the_sweep_took_does_not_come_back)
{
    Bench b = bench_open();
    Document d;
    int64_t id = add(&b, "a.txt", "text/plain", "");
    replace(&b, id, 2);
    assert_ok(document_delete(b.db, 1, id, &b.err), &b.err);
    Blob old = blob(1), now = blob(2);
    assert_ok(db_write(b.db, forget_write, old.hash, &b.err), &b.err);
    assert_ok(document_undelete(b.db, 1, id, b.a, &d, &b.err), &b.err);
    assert_str_equal(versions(&b, id), "2:2 ");
    assert_ok(document_delete(b.db, 1, id, &b.err), &b.err);
    assert_ok(db_write(b.db, forget_write, now.hash, &b.err), &b.err);
    assert_int_equal(document_undelete(b.db, 1, id, b.a, &d, &b.err), ERR_NOT_FOUND);
    bench_close(&b);
}

TEST(tags_are_checked_and_sorted)
{
    Bench b = bench_open();
    Str out;
    const Str good[] = {STR(" tax "), STR("a b"), STR("tax")};
    assert_ok(document_tags(good, 3, b.a, &out, &b.err), &b.err);
    assert_str_equal(out, "a b,tax");
    assert_ok(document_tags(NULL, 0, b.a, &out, &b.err), &b.err);
    assert_str_equal(out, "");
    const Str bad[] = {STR("a,b"), STR(""), STR("x\ny"), STR("\xff")};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(document_tags(&bad[i], 1, b.a, &out, &b.err), ERR_BAD_PARAM);
    bench_close(&b);
}

static ErrCode old_write(DbConn *tx, void *arg, Err *err)
{
    (void)arg;
    ErrCode rc = OK;
    for (int i = 1; rc == OK && i <= 450; i++)
        rc = db_exec(tx, &sql_document_add,
                     DB_ARGS(DB_I(i), DB_I(1), DB_S(STR("old.png")), DB_S(STR("")), DB_S(STR("x")),
                             DB_I(1), DB_I(1), DB_S(STR("")), DB_S(STR("")), DB_S(STR(""))),
                     NULL, err);
    return rc;
}

TEST(documents_from_before_are_read)
{
    Bench b = bench_open();
    assert_ok(db_write(b.db, old_write, NULL, &b.err), &b.err);
    FOUND(&b, "", .q = STR("old"));
    assert_ok(document_index_all(b.db, &b.err), &b.err);
    Document *docs;
    size_t len;
    int64_t next;
    DocumentQuery q = {.q = STR("old"), .family = STR("image"), .limit = 1000};
    assert_ok(document_find(b.reader, 1, &q, b.a, &docs, &len, &next, &b.err), &b.err);
    assert_int_equal(len, 450);
    bench_close(&b);
}

TEST(every_failure_takes_itself_back)
{
    for (int nth = 1;; nth++) {
        Bench b = bench_open();
        Document d;
        Blob bytes = blob(2);
        int64_t id = add(&b, "a.txt", "text/plain", "one");
        fault_arm(nth);
        ErrCode rc = document_replace(b.db, 1, id, 0, &bytes, STR(""), b.a, &d, &b.err);
        if (rc == OK)
            rc = document_change(b.db, 1, id, 0, STR("b.txt"), STR("two"), b.a, &d, &b.err);
        if (rc == OK)
            rc = document_delete(b.db, 1, id, &b.err);
        if (rc == OK)
            rc = document_undelete(b.db, 1, id, b.a, &d, &b.err);
        bool hit = fault_disarm();
        if (!hit)
            assert_int_equal(rc, OK);
        else if (rc != OK)
            assert_true(b.err.text[0] != 0);
        if (rc != OK && document_undelete(b.db, 1, id, b.a, &d, &b.err) == OK)
            assert_true(hit); /* the return was what failed */
        d = get(&b, id);
        assert_true(str_eq_c(d.name, "a.txt") || str_eq_c(d.name, "b.txt"));
        assert_int_equal(str_eq_c(found(&b, (DocumentQuery){.tag = d.tags}), "") ? 1 : 0, 0);
        assert_int_equal(loose(&b), 0);
        bench_close(&b);
        if (!hit)
            return;
    }
}

TEST_MAIN(documents_are_found_by_words_tags_and_families, pages_leave_nothing_out,
          a_change_is_found_under_its_new_words_only, contents_become_versions,
          the_oldest_version_goes, what_the_sweep_took_does_not_come_back,
          tags_are_checked_and_sorted, documents_from_before_are_read,
          every_failure_takes_itself_back)
