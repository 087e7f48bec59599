/* Messages with descriptors: what arrives, what is refused, and that nothing refused stays open. */
#include "kit/kit.h"
#include "base/fd.h"
#include "unit/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Pair {
    int a, b;
    char buffer[KIT_MESSAGE_MAX];
} Pair;

static Pair pair; /* too large for the stack */

static void open_pair(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    pair.a = ends[0];
    pair.b = ends[1];
}

static void close_pair(void)
{
    fd_close(&pair.a);
    fd_close(&pair.b);
}

static int open_files(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

TEST(text_and_descriptors_arrive)
{
    open_pair();
    int before = open_files();
    int pipes[2], got[KIT_FDS_MAX];
    size_t len = COUNT_OF(got);
    Err err = {0};
    Str text;
    char c = 0;
    assert_int_equal(pipe(pipes), 0);
    assert_ok(kit_send(pair.a, STR("{\"x\":1}"), pipes, 2, &err), &err);
    assert_ok(kit_receive(pair.b, pair.buffer, sizeof pair.buffer, &text, got, &len, &err), &err);
    assert_str_equal(text, "{\"x\":1}");
    assert_int_equal(len, 2);
    assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(got[1], "y", 1), 1);
    assert_int_equal(read(pipes[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    for (int i = 0; i < 2; i++) {
        close(got[i]);
        close(pipes[i]);
    }
    assert_int_equal(open_files(), before);
    close_pair();
}

TEST(the_longest_message_fits)
{
    static char text[KIT_MESSAGE_MAX + 1];
    open_pair();
    Err err = {0};
    Str got;
    memset(text, 'x', sizeof text);
    assert_ok(kit_send(pair.a, (Str){text, KIT_MESSAGE_MAX}, NULL, 0, &err), &err);
    assert_ok(kit_receive(pair.b, pair.buffer, sizeof pair.buffer, &got, NULL, NULL, &err), &err);
    assert_int_equal(got.len, KIT_MESSAGE_MAX);
    assert_int_equal(kit_send(pair.a, (Str){text, sizeof text}, NULL, 0, &err),
                     ERR_ENGINE_PROTOCOL);
    assert_int_equal(kit_send(pair.a, STR(""), NULL, 0, &err), ERR_ENGINE_PROTOCOL);
    close_pair();
}

TEST(what_does_not_fit_is_refused_and_closed)
{
    static const struct {
        const char *why;
        size_t bytes, fds, room;
    } cases[] = {
        {"too long", 100, 0, 0},
        {"too long, with a descriptor", 100, 1, 1},
        {"a descriptor too many", 5, 2, 1},
        {"a descriptor where none is expected", 5, 1, 0},
        {"empty", 0, 0, 0},
    };
    open_pair();
    int before = open_files();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[100] = {0};
        int fds[2] = {pair.a, pair.a}, got[2];
        size_t len = cases[i].room;
        Str out;
        Err err = {0};
        if (cases[i].bytes > 0)
            assert_ok(kit_send(pair.a, (Str){text, cases[i].bytes}, fds, cases[i].fds, &err), &err);
        else
            assert_int_equal(send(pair.a, "", 0, 0), 0);
        ErrCode rc = kit_receive(pair.b, pair.buffer, 50, &out, got, &len, &err);
        if (rc != ERR_ENGINE_PROTOCOL || len != 0 || open_files() != before)
            fail_msg("%s: %s, %zu descriptors, %d files", cases[i].why, err_reason(rc), len,
                     open_files() - before);
    }
    close_pair();
}

TEST(the_end_is_told_from_an_empty_message)
{
    open_pair();
    Err err = {0};
    Str out;
    assert_ok(kit_send(pair.a, STR("{}"), NULL, 0, &err), &err);
    fd_close(&pair.a);
    /* What was sent before the end still arrives. */
    assert_ok(kit_receive(pair.b, pair.buffer, sizeof pair.buffer, &out, NULL, NULL, &err), &err);
    assert_int_equal(kit_receive(pair.b, pair.buffer, sizeof pair.buffer, &out, NULL, NULL, &err),
                     ERR_WORKER_LOST);
    assert_int_equal(kit_send(pair.b, STR("{}"), NULL, 0, &err), ERR_WORKER_LOST);
    close_pair();
}

TEST_MAIN(text_and_descriptors_arrive, the_longest_message_fits,
          what_does_not_fit_is_refused_and_closed, the_end_is_told_from_an_empty_message)
