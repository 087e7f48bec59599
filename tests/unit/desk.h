/* desk.h: run a step of a built engine through its closed sandbox, as at the desk.
 *
 *   DeskRun r = desk_run("image", "image.convert", "{\"format\":\"png\"}", path, out_dir);
 *   assert_true(r.ended_well);   json_get(r.result, "width") …   r.reason: "limit_pixels" when it
 * failed */
#ifndef PLATEN_TESTS_DESK_H
#define PLATEN_TESTS_DESK_H

#include "base/fd.h"
#include "base/json.h"
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct DeskRun {
    bool ended_well;    /* the process exited; failing with a reason is ending well */
    const Json *result; /* data, NULL after a failure */
    Str reason, message;
} DeskRun;

extern char **environ;

static Str desk_read_all(int fd, Arena *a)
{
    Buf b = buf_init(a, 64 * MIB);
    for (;;) {
        char *room = buf_room(&b, 64 * KIB);
        ssize_t n = room != NULL ? read(fd, room, 64 * KIB) : -1;
        if (n <= 0)
            return buf_str(&b);
        buf_wrote(&b, (size_t)n);
    }
}

static DeskRun desk_run(Arena *a, const char *engine, const char *step, const char *params,
                        const char *file, const char *dir)
{
    char path[512];
    int ends[2], status = 0;
    pid_t pid;
    posix_spawn_file_actions_t actions;
    snprintf(path, sizeof path, "%s/platen-engine-%s", getenv("PLATEN_BUILD"), engine);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const char *argv[] = {path, "--run", step, params, file, "-o", dir, NULL};
    assert_int_equal(posix_spawn(&pid, path, &actions, NULL, (char **)(uintptr_t)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    Str said = desk_read_all(ends[0], a), line;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    DeskRun r = {.ended_well = false};
    while (str_next(&said, '\n', &line)) {
        const Json *doc = NULL;
        if (line.len == 0 || json_parse(a, line, &doc, NULL) != OK)
            continue;
        const Json *error = json_get(doc, "error"),
                   *result = json_get(json_get(doc, "result"), "data");
        r.result = result != NULL ? result : r.result;
        r.reason = error != NULL ? json_text(json_get(error, "reason")) : r.reason;
        r.message = error != NULL ? json_text(json_get(error, "message")) : r.message;
    }
    r.ended_well = WIFEXITED(status) && (r.result != NULL || r.reason.len > 0);
    return r;
}

/* A folder and all it holds. */
static void desk_remove(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char inner[512];
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlink(inner) != 0)
            desk_remove(inner);
    }
    if (d != NULL)
        closedir(d);
    rmdir(path);
}

#endif
