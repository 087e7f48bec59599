#include "base/clock.h"
#include "base/thread.h"
#include "db/db_in.h"
#include "unit/db/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

typedef struct Store {
    Folder folder;
    Db *db;
    Err err;
} Store;

static Store store_open(void)
{
    Store s = {.folder = folder_open()};
    log_set_level(LOG_OFF);
    assert_ok(db_open(&(DbOptions){.path = s.folder.db_path}, &s.db, &s.err), &s.err);
    return s;
}

static void store_close(Store *s)
{
    db_close(&s->db);
    folder_close(&s->folder);
}

typedef struct Setting {
    const char *key, *value;
    ErrCode then; /* what the function answers after it has written */
    int runs;
    Db *db;
} Setting;

static ErrCode write_setting(DbConn *tx, void *arg, Err *err)
{
    Setting *s = arg;
    s->runs++;
    ErrCode rc =
        db_exec(tx, &sql_meta_set,
                DB_ARGS(DB_I(0), DB_S(str_from_c(s->key)), DB_S(str_from_c(s->value))), NULL, err);
    return rc != OK ? rc : s->then != OK ? err_set(err, s->then, "as it was told") : OK;
}

static int64_t count_settings(Db *db)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    DbConn *c = NULL;
    Err err = {0};
    int64_t n = 0;
    assert_ok(db_reader(db, &c, &err), &err);
    ErrCode rc = db_query(c, &sql_meta_list, DB_ARGS(DB_I(0)), &rows, &err);
    while (rc == OK && db_next(&rows, &rc, &err))
        n++;
    assert_ok(rc, &err);
    return n;
}

static bool has_setting(Db *db, const char *key)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    DbConn *c = NULL;
    Err err = {0};
    assert_ok(db_reader(db, &c, &err), &err);
    ErrCode rc = db_query(c, &sql_meta_get, DB_ARGS(DB_I(0), DB_S(str_from_c(key))), &rows, &err);
    assert_ok(rc, &err);
    return db_next(&rows, &rc, &err);
}

/* --- values --- */

TEST(values_come_back_as_they_went)
{
    static const Query echo = {
        .name = "echo", .text = "SELECT ?1, ?2, ?3, ?4, ?5", .index = 0, .params = 5};
    Store s = store_open();
    CLEANUP(arena_close) Arena *a = arena_open(4 * KIB);
    DbConn *c = NULL;
    ErrCode rc;
    assert_ok(db_reader(s.db, &c, &s.err), &s.err);
    DbRows rows = {0};
    rc = db_query(c, &echo,
                  DB_ARGS(DB_I(INT64_MIN), DB_D(0.1), DB_S(((Str){"a\0b", 3})),
                          db_text_or_null(STR("")), DB_S(STR(""))),
                  &rows, &s.err);
    assert_ok(rc, &s.err);
    assert_true(db_next(&rows, &rc, &s.err));
    assert_true(db_int(&rows, 0) == INT64_MIN);
    assert_true(db_real(&rows, 1) == 0.1);
    assert_true(str_eq(db_str_copy(&rows, 2, a), (Str){"a\0b", 3}));
    assert_true(db_is_null(&rows, 3));
    assert_false(db_is_null(&rows, 4));
    assert_int_equal(db_str(&rows, 4).len, 0);
    assert_false(db_next(&rows, &rc, &s.err));
    assert_int_equal(rc, OK);
    assert_false(db_next(&rows, &rc, &s.err)); /* asking again is no harm */
    int64_t n = 0;
    assert_ok(db_get_int(c, &sql_schema_version_get, DB_NO_ARGS, -1, &n, &s.err), &s.err);
    assert_int_equal(n, SQL_MIGRATIONS);
    store_close(&s);
}

TEST(a_query_may_run_inside_its_own_loop)
{
    Store s = store_open();
    Setting one = {"a", "1"}, two = {"b", "2"};
    assert_ok(db_write(s.db, write_setting, &one, &s.err), &s.err);
    assert_ok(db_write(s.db, write_setting, &two, &s.err), &s.err);
    DbConn *c = NULL;
    DbRows outer = {0};
    assert_ok(db_reader(s.db, &c, &s.err), &s.err);
    ErrCode rc = db_query(c, &sql_meta_list, DB_ARGS(DB_I(0)), &outer, &s.err);
    int pairs = 0;
    while (rc == OK && db_next(&outer, &rc, &s.err)) {
        pairs += (int)count_settings(s.db);
        pairs += has_setting(s.db, "a"); /* leaves its rows early */
    }
    assert_int_equal(pairs, 6);
    store_close(&s);
}

TEST(a_reader_cannot_write)
{
    Store s = store_open();
    DbConn *c = NULL;
    Setting one = {"a", "1"};
    assert_ok(db_reader(s.db, &c, &s.err), &s.err);
    assert_int_equal(write_setting(c, &one, &s.err), ERR_IO);
    assert_int_equal(count_settings(s.db), 0);
    store_close(&s);
}

/* --- group commit --- */

enum { WRITERS = 16, ROUNDS = 40 };

typedef struct Crowd {
    Db *db;
    int number, wrong;
} Crowd;

/* Every third write fails after it has written, every fifth before. */
static void *write_many(void *arg)
{
    Crowd *c = arg;
    for (int i = 0; i < ROUNDS; i++) {
        char key[32];
        snprintf(key, sizeof key, "%d-%d", c->number, i);
        Setting s = {.key = key, .value = "x", .then = i % 3 == 0 ? ERR_CONFLICT : OK};
        Err err = {0};
        ErrCode rc = db_write(c->db, write_setting, &s, &err);
        c->wrong += rc != s.then || s.runs < 1 || err.code != s.then;
        c->wrong += rc == OK && !has_setting(c->db, key); /* answered is on disk and seen by all */
    }
    return NULL;
}

TEST(many_threads_write_and_failures_take_back_only_themselves)
{
    Store s = store_open();
    Crowd crowd[WRITERS];
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        crowd[i] = (Crowd){.db = s.db, .number = i};
        assert_ok(thread_start(&threads[i], "crowd", write_many, &crowd[i], &s.err), &s.err);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(crowd[i].wrong, 0);
    }
    int per_writer = ROUNDS - (ROUNDS + 2) / 3;
    assert_int_equal(count_settings(s.db), WRITERS * per_writer);
    DbStats stats = db_stats(s.db);
    assert_int_equal(stats.writes, WRITERS * ROUNDS);
    assert_int_equal(stats.failed, WRITERS * (ROUNDS - per_writer));
    assert_int_equal(stats.waiting, 0);
    store_close(&s);
}

/* A plug holds the writer until a whole batch has gathered behind it. */
typedef struct Gate {
    Mutex lock;
    Cond changed;
    bool held, open;
    int done;
    int order[64];
} Gate;

static ErrCode hold(DbConn *tx, void *arg, Err *err)
{
    Gate *g = arg;
    (void)tx;
    (void)err;
    MUTEX_HELD(&g->lock);
    g->held = true;
    cond_broadcast(&g->changed);
    while (!g->open)
        cond_wait(&g->changed, &g->lock);
    return OK;
}

static void *plug(void *arg)
{
    Db *db = ((void **)arg)[0];
    Err err = {0};
    assert_ok(db_write(db, hold, ((void **)arg)[1], &err), &err);
    return NULL;
}

typedef struct Item {
    DbWrite write; /* first */
    Setting setting;
    Gate *gate;
    ErrCode rc;
    char key[16], said[64];
} Item;

static void item_done(DbWrite *w, ErrCode rc, const Err *err)
{
    Item *item = (Item *)w;
    item->rc = rc;
    snprintf(item->said, sizeof item->said, "%.63s", err->text);
    MUTEX_HELD(&item->gate->lock);
    item->gate->done++;
    cond_broadcast(&item->gate->changed);
}

static void note_order(void *ctx, int64_t a, int64_t b)
{
    Gate *g = ctx;
    (void)b;
    assert_int_equal(g->done, 0); /* before anybody is answered */
    g->order[g->order[63]++] = (int)a;
}

static ErrCode write_item(DbConn *tx, void *arg, Err *err)
{
    Item *item = arg;
    ErrCode rc = db_after_commit(tx, note_order, item->gate, item->setting.key[0], 0, err);
    return rc != OK ? rc : write_setting(tx, &item->setting, err);
}

static void gate_init(Gate *g)
{
    *g = (Gate){0};
    mutex_init(&g->lock);
    cond_init(&g->changed);
}

/* Hand in `items` so that they are one batch, and wait for all. */
static void run_as_one_batch(Store *s, Gate *g, Item *items, int count)
{
    pthread_t t;
    void *arg[2] = {s->db, g};
    assert_ok(thread_start(&t, "plug", plug, arg, &s->err), &s->err);
    mutex_lock(&g->lock);
    while (!g->held)
        cond_wait(&g->changed, &g->lock);
    mutex_unlock(&g->lock);
    for (int i = 0; i < count; i++)
        db_write_async(s->db, &items[i].write);
    mutex_lock(&g->lock);
    g->open = true;
    cond_broadcast(&g->changed);
    while (g->done < count)
        cond_wait(&g->changed, &g->lock);
    mutex_unlock(&g->lock);
    pthread_join(t, NULL);
}

TEST(a_batch_is_rerun_without_those_that_failed)
{
    Store s = store_open();
    Gate g;
    gate_init(&g);
    Item items[26];
    for (int i = 0; i < 26; i++) {
        items[i] = (Item){.gate = &g};
        snprintf(items[i].key, sizeof items[i].key, "%c", 'a' + i);
        items[i].setting =
            (Setting){.key = items[i].key, .value = "1", .then = i % 5 == 4 ? ERR_BAD_PARAM : OK};
        items[i].write = (DbWrite){.fn = write_item, .arg = &items[i], .done = item_done};
    }
    run_as_one_batch(&s, &g, items, 26);
    int expected = 0;
    for (int i = 0; i < 26; i++) {
        bool fails = i % 5 == 4;
        assert_int_equal(items[i].rc, fails ? ERR_BAD_PARAM : OK);
        assert_true(items[i].setting.runs <= 2);
        assert_int_equal(has_setting(s.db, items[i].key), !fails);
        if (!fails)
            assert_int_equal(g.order[expected++],
                             'a' + i); /* in order, once, and not of the failed */
    }
    assert_int_equal(g.order[63], expected);
    assert_int_equal(db_stats(s.db).batches, 1); /* the plug and the 26 shared one sync */
    store_close(&s);
}

static ErrCode refuse(DbConn *tx, void *arg, Err *err)
{
    Item *item = arg;
    item->setting.runs++;
    ErrCode rc = db_after_commit(tx, note_order, item->gate, '!', 0, err);
    return rc != OK ? rc : err_set(err, ERR_NOT_FOUND, "nothing was changed");
}

TEST(failing_before_any_change_costs_no_rerun)
{
    Store s = store_open();
    Gate g;
    gate_init(&g);
    Item items[3] = {{.gate = &g}, {.gate = &g}, {.gate = &g}};
    items[0].setting = (Setting){.key = "a", .value = "1"};
    items[2].setting = (Setting){.key = "b", .value = "1"};
    for (int i = 0; i < 3; i++)
        items[i].write =
            (DbWrite){.fn = i == 1 ? refuse : write_item, .arg = &items[i], .done = item_done};
    run_as_one_batch(&s, &g, items, 3);
    assert_int_equal(items[0].setting.runs, 1);
    assert_int_equal(items[1].setting.runs, 1);
    assert_int_equal(items[1].rc, ERR_NOT_FOUND);
    assert_string_equal(items[1].said, "nothing was changed");
    assert_int_equal(g.order[63], 2);
    store_close(&s);
}

/* --- the log --- */

static ErrCode write_much(DbConn *tx, void *arg, Err *err)
{
    static char value[64 * 1024];
    char key[16];
    memset(value, 'x', sizeof value);
    snprintf(key, sizeof key, "%d", *(int *)arg);
    return db_exec(tx, &sql_meta_set,
                   DB_ARGS(DB_I(0), DB_S(str_from_c(key)), DB_S(((Str){value, sizeof value}))),
                   NULL, err);
}

TEST(the_log_is_folded_while_writing_and_when_idle)
{
    enum { WRITES = 900 }; /* about 15,000 pages */
    Store s = {.folder = folder_open()};
    log_set_level(LOG_OFF);
    assert_ok(
        db_open(&(DbOptions){.path = s.folder.db_path, .fast_and_loose = true}, &s.db, &s.err),
        &s.err);
    for (int i = 0; i < WRITES; i++)
        assert_ok(db_write(s.db, write_much, &i, &s.err), &s.err);
    DbStats stats = db_stats(s.db);
    assert_true(stats.wal_bytes < 4200 * 4120);
    assert_true(stats.file_bytes > 8000 * 4096);
    int64_t until_us = clock_mono_us() + 20 * 1000 * 1000;
    while (db_stats(s.db).file_bytes < (int64_t)WRITES * 64 * 1024 && clock_mono_us() < until_us)
        usleep(10000); /* nobody is told of a checkpoint: its effect is looked for */
    assert_true(db_stats(s.db).file_bytes >= (int64_t)WRITES * 64 * 1024);
    assert_int_equal(count_settings(s.db), WRITES);
    store_close(&s);
}

/* --- files --- */

TEST(a_second_process_is_kept_out)
{
    Store s = store_open();
    Db *second = NULL;
    assert_int_equal(db_open(&(DbOptions){.path = s.folder.db_path}, &second, &s.err),
                     ERR_DATA_LOCKED);
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    assert_non_null(strstr(s.err.text, pid));
    store_close(&s);
}

TEST(what_was_answered_survives_a_kill)
{
    Folder f = folder_open();
    Err err = {0};
    pid_t pid = fork();
    if (pid == 0) {
        Db *db = NULL;
        Setting one = {"kept", "1"};
        log_set_level(LOG_OFF);
        if (db_open(&(DbOptions){.path = f.db_path}, &db, &err) != OK ||
            db_write(db, write_setting, &one, &err) != OK)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    Db *db = NULL;
    assert_ok(db_open(&(DbOptions){.path = f.db_path}, &db, &err), &err);
    assert_true(has_setting(db, "kept"));
    db_close(&db);
    folder_close(&f);
}

TEST(newer_and_damaged_data_are_told_apart)
{
    Store s = store_open();
    db_close(&s.db);
    sqlite3 *raw = NULL;
    sqlite3_open(s.folder.db_path, &raw);
    sqlite3_exec(raw, "INSERT INTO schema_version VALUES (9999, 'future', 0)", NULL, NULL, NULL);
    sqlite3_close(raw);
    assert_int_equal(db_open(&(DbOptions){.path = s.folder.db_path}, &s.db, &s.err),
                     ERR_DATA_TOO_NEW);
    int fd = open(s.folder.db_path, O_WRONLY);
    assert_int_equal(pwrite(fd, "this is no database at all", 26, 0), 26);
    close(fd);
    assert_int_equal(db_open(&(DbOptions){.path = s.folder.db_path}, &s.db, &s.err),
                     ERR_DB_DAMAGED);
    assert_null(s.db);
    folder_close(&s.folder);
}

TEST(a_backup_is_whole_and_never_overwrites)
{
    Store s = store_open();
    Setting one = {"a", "1"}, two = {"b", "2"};
    char copy[128];
    assert_ok(db_write(s.db, write_setting, &one, &s.err), &s.err);
    snprintf(copy, sizeof copy, "%s/backup.db", s.folder.path);
    assert_ok(db_backup(s.db, copy, &s.err), &s.err);
    struct stat st;
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(s.folder.db_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(db_backup(s.db, copy, &s.err), ERR_CONFLICT);
    assert_ok(db_write(s.db, write_setting, &two, &s.err), &s.err);
    assert_ok(db_check(s.db, false, &s.err), &s.err);
    assert_ok(db_check(s.db, true, &s.err), &s.err);
    db_close(&s.db);
    assert_ok(db_open(&(DbOptions){.path = copy}, &s.db, &s.err), &s.err);
    assert_true(has_setting(s.db, "a"));
    assert_false(has_setting(s.db, "b"));
    assert_ok(db_check(s.db, true, &s.err), &s.err);
    store_close(&s);
}

TEST(the_check_finds_damage)
{
    Store s = store_open();
    for (int i = 0; i < 200; i++) {
        char key[256];
        snprintf(key, sizeof key, "%0200d", i);
        Setting one = {key, "1"};
        assert_ok(db_write(s.db, write_setting, &one, &s.err), &s.err);
    }
    db_close(&s.db);
    int fd = open(s.folder.db_path, O_RDWR);
    off_t size = lseek(fd, 0, SEEK_END);
    char junk[4096];
    memset(junk, 0xA5, sizeof junk);
    for (off_t at = size - 5 * 4096; at < size; at += 4096)
        assert_int_equal(pwrite(fd, junk, sizeof junk, at), sizeof junk);
    close(fd);
    assert_ok(db_open(&(DbOptions){.path = s.folder.db_path}, &s.db, &s.err), &s.err);
    assert_int_equal(db_check(s.db, true, &s.err), ERR_DB_DAMAGED);
    assert_true(s.err.text[0] != 0);
    assert_int_equal(db_check(s.db, false, &s.err), ERR_DB_DAMAGED);
    store_close(&s);
}

static void *read_once(void *arg)
{
    assert_int_equal(count_settings(arg), 0);
    return NULL;
}

TEST(readers_go_with_their_threads)
{
    Store s = store_open();
    int before = folder_open_fds();
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        assert_ok(thread_start(&t, "reader", read_once, s.db, &s.err), &s.err);
        pthread_join(t, NULL);
    }
    assert_true(folder_open_fds() <= before + 2); /* SQLite may keep a closed one for its locks */
    assert_null(s.db->readers);
    store_close(&s);
}

/* --- failures --- */

#ifdef PLATEN_FAULTS
static ErrCode work_once(const char *path, bool *written)
{
    CLEANUP(db_close) Db *db = NULL;
    Err err = {0};
    Setting one = {"a", "1"};
    *written = false;
    ErrCode rc = db_open(&(DbOptions){.path = path}, &db, &err);
    if (rc == OK)
        rc = db_write(db, write_setting, &one, &err);
    *written = rc == OK;
    DbConn *c = NULL;
    int64_t n = 0;
    if (rc == OK)
        rc = db_reader(db, &c, &err);
    if (rc == OK)
        rc = db_get_int(c, &sql_schema_version_get, DB_NO_ARGS, 0, &n, &err);
    assert_int_equal(err.code, rc);
    assert_true(rc == OK || err.text[0] != 0);
    return rc;
}

TEST(survives_every_failure)
{
    log_set_level(LOG_OFF);
    int before = folder_open_fds();
    for (int nth = 1;; nth++) {
        Folder f = folder_open();
        bool written, again;
        fault_arm(nth);
        ErrCode rc = work_once(f.db_path, &written);
        bool delivered = fault_disarm();
        assert_int_equal(folder_open_fds(), before);
        Db *db = NULL;
        Err err = {0};
        assert_ok(db_open(&(DbOptions){.path = f.db_path}, &db, &err), &err);
        assert_int_equal(has_setting(db, "a"), written); /* answered or not there at all */
        db_close(&db);
        assert_int_equal(work_once(f.db_path, &again), OK);
        folder_close(&f);
        if (!delivered) {
            assert_int_equal(rc, OK);
            assert_true(nth > 5);
            return;
        }
        assert_int_not_equal(rc, OK);
    }
}

TEST(a_full_disk_refuses_and_recovers)
{
    Store s = store_open();
    Setting one = {"a", "1"}, two = {"b", "2"};
    assert_ok(db_write(s.db, write_setting, &one, &s.err), &s.err);
    assert_int_equal(count_settings(s.db), 1); /* opens this thread's reader while it can */
    for (int nth = 1; nth <= 3; nth++) {       /* at BEGIN, at the statement, at COMMIT */
        fault_arm_on(nth);
        assert_int_equal(db_write(s.db, write_setting, &two, &s.err), ERR_DISK_FULL);
        assert_int_equal(db_write(s.db, write_setting, &two, &s.err), ERR_DISK_FULL);
        fault_disarm();
        assert_int_equal(count_settings(s.db), 1);
    }
    assert_ok(db_write(s.db, write_setting, &two, &s.err), &s.err);
    assert_int_equal(count_settings(s.db), 2);
    store_close(&s);
}
#else
TEST(survives_every_failure)
{
    skip();
}
TEST(a_full_disk_refuses_and_recovers)
{
    skip();
}
#endif

TEST_MAIN(values_come_back_as_they_went, a_query_may_run_inside_its_own_loop, a_reader_cannot_write,
          many_threads_write_and_failures_take_back_only_themselves,
          a_batch_is_rerun_without_those_that_failed, failing_before_any_change_costs_no_rerun,
          the_log_is_folded_while_writing_and_when_idle, a_second_process_is_kept_out,
          what_was_answered_survives_a_kill, newer_and_damaged_data_are_told_apart,
          a_backup_is_whole_and_never_overwrites, the_check_finds_damage,
          readers_go_with_their_threads, survives_every_failure, a_full_disk_refuses_and_recovers)
