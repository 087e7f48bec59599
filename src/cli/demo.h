/* demo.h: the demo: every file of a folder through a small pipeline over HTTP (detect, then the
 * step that accepts the type), with a progress bar and a table at the end. */
#ifndef PLATEN_CLI_DEMO_H
#define PLATEN_CLI_DEMO_H

#include "api/app.h"
#include "cli/cli.h"

/* Results are written into `results_dir` (made when missing). `stop` (NULL allowed) is asked
 * between files. Returns the exit code. */
int demo_run(Cli *cli, App *app, Str key, const char *folder, const char *results_dir,
             bool (*stop)(void));

#endif
