/* target.h: the server a command talks to.
 *
 *   --server URL and --key KEY (or PLATEN_SERVER, PLATEN_KEY)   that server
 *   otherwise the data folder (--data, PLATEN_DATA, ./data):
 *       a server runs on it                                     that one, with the folder's own key (data/cli-key, mode 0600)
 *       none does                                               one is started inside this process for as long as the command runs
 */
#ifndef PLATEN_CLI_TARGET_H
#define PLATEN_CLI_TARGET_H

#include "cli/cli.h"
#include "net/client.h"

typedef struct TargetArgs {
    Str server, key, data;
} TargetArgs;

/* Rows for a command's Param table; T has a TargetArgs called target. */
#define TARGET_PARAMS(T)                                                                           \
    {.name = "server",                                                                             \
     .type = PARAM_TYPE_TEXT,                                                                      \
     .offset = offsetof(T, target.server) + PARAM_TYPE_IS(T, target.server, Str),                  \
     .unit = "URL",                                                                                \
     .help = "Server to talk to; PLATEN_SERVER says it too. Without it: the data folder on this "  \
             "machine."},                                                                          \
        {.name = "key",                                                                            \
         .type = PARAM_TYPE_TEXT,                                                                  \
         .offset = offsetof(T, target.key) + PARAM_TYPE_IS(T, target.key, Str),                    \
         .secret = true,                                                                           \
         .help = "API key for the server; PLATEN_KEY says it too, and keeps it out of the "        \
                 "process list."},                                                                 \
    {                                                                                              \
        .name = "data", .type = PARAM_TYPE_TEXT,                                                   \
        .offset = offsetof(T, target.data) + PARAM_TYPE_IS(T, target.data, Str),                   \
        .def_text = "data",                                                                        \
        .help = "Data folder of the server on this machine; PLATEN_DATA says it too."              \
    }

typedef struct Target Target;
MUST_CHECK ErrCode target_open(Cli *cli, const TargetArgs *args, Target **out, Err *err);
/* A server inside this process on a folder that is thrown away: nothing is kept or needed. */
MUST_CHECK ErrCode target_open_inline(Cli *cli, Target **out, Err *err);
/* --server, --key and --data among words that cannot be read before the server is known, because
 * their options come from there. */
void target_find(char **words, int len, TargetArgs *out);
/* Is a server named, by --server or PLATEN_SERVER? */
bool target_is_named(const TargetArgs *args);
/* The server is inside this process and ends with the command. */
bool target_is_inside(const Target *t);
/* … and nothing of it stays: target_open_inline. */
bool target_is_inline(const Target *t);
void target_close(Target **t);
NetClient *target_client(Target *t);
Str target_url(const Target *t);
Str target_key(const Target *t);
Str target_dir(const Target *t); /* the data folder; "": a server was named */

/* One request whose answer is JSON, or nothing (*out NULL). A problem answer becomes its reason,
 * detail and hint in *err. */
MUST_CHECK ErrCode target_call(Target *t, Arena *a, const char *method, Str path, Str json,
                               const Json **out, Err *err);
/* A problem answer of any request. OK below 400. */
MUST_CHECK ErrCode target_problem(Arena *a, const NetResponse *r, Err *err);

#endif
