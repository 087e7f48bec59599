/* Through the closed sandbox, with the corpus: what is in malicious/ is found, what is in the folders
 * of ordinary files is not, and ClamAV is asked through a connection made before the sandbox. */
#include "desk.h"
#include "security/scan.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

static Arena *arena;
/* PLATEN_CORPUS, or beside the repository. */
static void corpus_folder(char *out, size_t size, const char *name)
{
    const char *own = getenv("PLATEN_CORPUS");
    if (own != NULL)
        snprintf(out, size, "%s/%s", own, name);
    else
        snprintf(out, size, "%s/../shared/corpus/%s", getenv("PLATEN_ROOT"), name);
}

static char dir[] = "/tmp/platen-scan-XXXXXX";

static Str code_list(const DeskRun *r)
{
    Buf b = buf_init(arena, 4096);
    json_each(code, json_get(r->result, "codes")) {
        buf_add(&b, json_text(code));
        buf_add_char(&b, ' ');
    }
    return buf_str(&b);
}

/* Files of malicious/ that do nothing: each the smallest of its format, kept for being odd. */
static bool is_harmless(const char *name)
{
    static const char *const small[] = {"pocs--gif89.gif", "pocs--gzip.gz", "pocs--rich.rtf"};
    for (size_t i = 0; i < COUNT_OF(small); i++)
        if (strcmp(name, small[i]) == 0)
            return true;
    return false;
}

/* Ordinary folders hold one file that is not: POI's own copy of the entity bomb of its bug 54764. */
static bool is_known_bad(const char *name)
{
    return strcmp(name, "poi--54764.xlsx") == 0;
}

static void scan_folder(const char *name, bool bad, int *seen, int *wrong)
{
    char folder[512];
    corpus_folder(folder, sizeof folder, name);
    DIR *d = opendir(folder);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.' || strstr(e->d_name, ".expected.") != NULL)
            continue;
        ArenaMark mark = arena_mark(arena);
        const char *path = str_to_c(arena, str_printf(arena, "%s/%s", folder, e->d_name));
        DeskRun r = desk_run(arena, "security", "security.scan", "{\"clamav\":\"off\"}", path, dir);
        Str verdict = json_text(json_get(r.result, "verdict"));
        bool clean = str_eq_c(verdict, "clean");
        if (!r.ended_well || r.result == NULL)
            fail_msg("%s: no verdict: " STR_FMT, e->d_name, STR_ARG(r.message));
        bool want_clean = bad ? is_harmless(e->d_name) : !is_known_bad(e->d_name);
        if (clean != want_clean) {
            print_error("%s: " STR_FMT " " STR_FMT "\n", e->d_name, STR_ARG(verdict),
                        STR_ARG(code_list(&r)));
            ++*wrong;
        }
        ++*seen;
        arena_rewind(arena, mark);
    }
    if (d != NULL)
        closedir(d);
}

TEST(what_is_malicious_is_found)
{
    int seen = 0, wrong = 0;
    scan_folder("malicious", true, &seen, &wrong);
    if (seen == 0)
        skip();
    assert_int_equal(wrong, 0);
}

TEST(what_is_ordinary_is_not)
{
    static const char *const folders[] = {"doc", "xls", "ppt", "msg"};
    int seen = 0, wrong = 0;
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        scan_folder(folders[i], false, &seen, &wrong);
    if (seen == 0)
        skip();
    assert_int_equal(wrong, 0);
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
    const struct CMUnitTest tests[] = {TEST_ENTRY(what_is_malicious_is_found),
                                       TEST_ENTRY(what_is_ordinary_is_not),
                                       TEST_ENTRY(clamav_is_asked)};
    return cmocka_run_group_tests(tests, begin, end);
}
