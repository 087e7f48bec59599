/* Through the closed sandbox, ClamAV through a connection made before it closes; the corpus goes
 * through it in tests/e2e/test_security.py. */
#include "desk.h"
#include "security/scan.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

static Arena *arena;
static char dir[] = "/tmp/platen-scan-XXXXXX";

/* What the libraries load late (ciphers, charsets, filters of archives) is loaded before. */
TEST(every_kind_of_sample)
{
    static const struct {
        const char *file, *verdict;
    } cases[] = {
        {"macro.docm", "suspicious"}, {"script.pdf", "suspicious"}, {"report.docx", "clean"},
        {"mail.eml", "clean"},        {"nested.7z", "clean"},       {"backup.tar.gz", "clean"},
        {"memo.rtf", "clean"},        {"koi8-r.txt", "clean"},      {"logo.svg", "clean"},
        {"photo.jpg", "clean"},       {"protected.pdf", "clean"},   {"letter.html", "clean"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *path = str_to_c(
            arena, str_printf(arena, "%s/samples/%s", getenv("PLATEN_ROOT"), cases[i].file));
        DeskRun r = desk_run(arena, "security", "security.scan", "{\"clamav\":\"off\"}", path, dir);
        Str verdict = json_text(json_get(r.result, "verdict"));
        if (!str_eq_c(verdict, cases[i].verdict))
            fail_msg("%s: " STR_FMT " " STR_FMT, cases[i].file, STR_ARG(verdict),
                     STR_ARG(r.message));
    }
}

/* A daemon that says what it is told to, in a process of its own. */
static pid_t daemon_that_says(const char *path, const char *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server, 4), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char buffer[4096];
        int fd = accept(server, NULL, NULL);
        /* Read the command and all pieces: the last has the length 0. */
        size_t zeros = 0;
        while (zeros < 4) {
            ssize_t n = read(fd, buffer, sizeof buffer);
            if (n <= 0)
                break;
            zeros = 0;
            for (ssize_t i = n; i > 0 && buffer[i - 1] == 0; i--)
                zeros++;
        }
        (void)!write(fd, answer, strlen(answer) + 1);
        close(fd);
        _exit(0);
    }
    close(server);
    return pid;
}

static DeskRun scan_with(const char *answer, const char *params)
{
    const char *path = str_to_c(arena, str_printf(arena, "%s/clamd.sock", dir)),
               *file = str_to_c(arena,
                                str_printf(arena, "%s/samples/words.txt", getenv("PLATEN_ROOT")));
    pid_t pid = answer != NULL ? daemon_that_says(path, answer) : 0;
    setenv("PLATEN_CLAMD", path, 1);
    DeskRun r = desk_run(arena, "security", "security.scan", params, file, dir);
    unsetenv("PLATEN_CLAMD");
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        unlink(path);
    }
    return r;
}

TEST(clamav_is_asked)
{
    DeskRun r = scan_with("stream: Test.Signature-7 FOUND", "{}");
    assert_non_null(r.result);
    assert_str_equal(json_text(json_get(r.result, "verdict")), "malicious");
    assert_str_equal(json_text(json_get(json_get(r.result, "clamav"), "signature")),
                     "Test.Signature-7");
    r = scan_with("stream: OK", "{\"clamav\":\"required\"}");
    assert_str_equal(json_text(json_get(r.result, "verdict")), "clean");
    assert_true(json_bool(json_get(json_get(r.result, "clamav"), "asked"), false));
    r = scan_with("INSTREAM size limit exceeded. ERROR", "{}");
    assert_false(json_bool(json_get(json_get(r.result, "clamav"), "asked"), true));
    r = scan_with("INSTREAM size limit exceeded. ERROR", "{\"clamav\":\"required\"}");
    assert_str_equal(r.reason, "unreachable");
    r = scan_with(NULL, "{}");
    assert_str_equal(json_text(json_get(r.result, "verdict")), "clean");
    assert_true(json_text(json_get(json_get(r.result, "clamav"), "message")).len > 0);
}

static int begin(void **state)
{
    (void)state;
    arena = arena_open(1024 * MIB);
    return arena == NULL || mkdtemp(dir) == NULL;
}

static int end(void **state)
{
    (void)state;
    desk_remove(dir);
    arena_close(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_ENTRY(every_kind_of_sample),
                                       TEST_ENTRY(clamav_is_asked)};
    return cmocka_run_group_tests(tests, begin, end);
}
