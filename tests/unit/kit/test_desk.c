/* An engine as a command: --describe, --help, --run. */
#include "kit/kit.h"
#include "kit/sandbox.h"
#include "base/fd.h"
#include "unit/harness.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 8, SAID_MAX = 256 * 1024 };

typedef struct Ran {
    int status; /* as waitpid gives it */
    char said[SAID_MAX];
} Ran;
static Ran ran; /* too large for the stack */

/* Runs the engine with `args`; its output and complaints are in ran.said. */
static void run_engine(const char *const *args)
{
    extern char **environ;
    char path[512];
    const char *build = getenv("PLATEN_BUILD");
    if (build == NULL)
        fail_msg("run this test by meson test: PLATEN_BUILD is not set");
    snprintf(path, sizeof path, "%s/tests/unit/engine/platen-engine-bad", build);
    char *argv[ARGS_MAX + 2] = {path};
    for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++)
        argv[i + 1] = (char *)args[i];
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    assert_int_equal(posix_spawn(&pid, path, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    size_t have = 0;
    ssize_t n;
    while (have < SAID_MAX - 1 && (n = read(ends[0], ran.said + have, SAID_MAX - 1 - have)) > 0)
        have += (size_t)n;
    ran.said[have] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &ran.status, 0), pid);
}

TEST(each_command_says_and_returns_what_it_should)
{
    static const struct {
        const char *args[ARGS_MAX];
        int status;
        const char *says;
    } cases[] = {
        {{"--describe"},
         0,
         "{\"platen\":1,\"engine\":\"bad\",\"version\":\"1\",\"warm\":true,\"steps\":[{"},
        {{"--help"}, 0, "bad.fine"},
        {{NULL}, 2, "--describe"},
        {{"--run"}, 2, "--describe"},
        {{"--run", "bad.unheard"}, 1, "unknown_step"},
        {{"--run", "bad.fine", "--what"}, 1, "unknown option"},
        {{"--run", "bad.fine", "/no/such/file"}, 1, "No such file"},
        {{"--run", "bad.fine", "{\"count\":-1}"}, 1, "bad_param"},
        {{"--run", "bad.fine", "{"}, 1, "bad_json"},
        {{"--run", "bad.fine", "{\"count\":1,\"text\":\"abc\"}"},
         0,
         "{\"result\":{\"data\":{\"bytes\":3}}}"},
        {{"--run", "bad.fine", "{\"count\":0}", "--no-sandbox"},
         0,
         "{\"result\":{\"data\":{\"bytes\":0}}}"},
        {{"--run", "bad.fail"}, 1, "\"hint\":\"mend it\",\"param\":\"text\""},
        {{"--run", "bad.open_file"}, 0, "{\"result\":{\"data\":{\"errno\":13}}}"},
        {{"--run", "bad.open_file", "--no-sandbox"}, 0, "{\"result\":{\"data\":{\"errno\":0}}}"},
        {{"--run", "bad.kill_parent"}, 1, "(kill) is forbidden"}, /* and says which call it was */
        {{"--run", "bad.crash"}, 1, "signal 11"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        run_engine(cases[i].args);
        if (!WIFEXITED(ran.status) || WEXITSTATUS(ran.status) != cases[i].status ||
            strstr(ran.said, cases[i].says) == NULL)
            fail_msg("%s %s: status %x, said %.2000s", cases[i].args[0], cases[i].args[1],
                     (unsigned)ran.status, ran.said);
    }
}

TEST(outputs_go_to_the_folder_and_nowhere_else)
{
    char dir[] = "/tmp/platen-desk-test-XXXXXX", path[128];
    assert_non_null(mkdtemp(dir));
    run_engine((const char *[ARGS_MAX]){"--run", "bad.named_output", "{\"text\":\"../../x.txt\"}",
                                        "-o", dir, NULL});
    assert_int_equal(ran.status, 0);
    snprintf(path, sizeof path, "%s/x.txt", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

TEST(this_kernel_has_what_the_sandbox_must_have)
{
    SandboxLayers l = sandbox_layers();
    assert_true(l.no_new_privs);
    assert_true(l.seccomp);
    assert_true(l.landlock_abi >= 0);
}

TEST_MAIN(each_command_says_and_returns_what_it_should, outputs_go_to_the_folder_and_nowhere_else,
          this_kernel_has_what_the_sandbox_must_have)
