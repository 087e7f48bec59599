/* flow_in.h: `platen flow`: what its files share.
 *
 *   flow.c        the verbs, and which of them is meant
 *   flow_store.c  check, import: texts on their way in, and what is wrong with them
 *   flow_read.c   list, show, diff, graph, export, delete
 *   flow_diff.c   lines that differ
 *   flow_run.c    run, replay: inputs from flags, results
 *   flow_job.c    approve, signal, pause, resume
 *   flow_watch.c  a job as it goes on, to its end
 *   flow_tree.c   nodes as a tree of lines
 *
 * All of it is HTTP to a server: one that is named, the one of the data folder, or, for files
 * without a server, one inside this process on a folder that is thrown away. */
#ifndef PLATEN_CLI_FLOW_IN_H
#define PLATEN_CLI_FLOW_IN_H

#include "cli/target.h"
#include "core/step.h"

#include <signal.h>
#include <stdio.h>

enum { FLOW_TEXT_MAX = 1 << 20, FLOW_PATH_MAX = 64 * 1024 };

typedef struct FlowArgs {
    bool json, follow, source, reject, quiet, no_memo;
    int64_t version, priority;
    int format;
    Str output, comment, from;
    TargetArgs target;
} FlowArgs;

typedef struct Flow {
    Cli *cli;
    FlowArgs args;
    Target *target;
} Flow;

typedef struct FlowVerb {
    HelpCommand help; /* name: "flow run" */
    size_t operands_min, operands_max;
    int (*run)(Flow *f, const Str *operands, size_t len);
    /* When set, it gets the words after the verb as they are. */
    int (*run_words)(Flow *f, int argc, char **argv);
} FlowVerb;

int flow_fail_usage(const FlowVerb *v);
extern const FlowVerb flow_check_verb, flow_import_verb, flow_list_verb, flow_show_verb,
    flow_diff_verb, flow_graph_verb, flow_export_verb, flow_delete_verb, flow_run_verb,
    flow_replay_verb, flow_approve_verb, flow_signal_verb, flow_pause_verb, flow_resume_verb;
/* FlowArgs of a verb's options from its canonical JSON. */
MUST_CHECK ErrCode flow_fill(Flow *f, const FlowVerb *v, Str canonical, Err *err);

/* --- flow_store.c --- */

/* A file rather than a name: it exists, or looks like a path. */
bool flow_is_file(Str operand);
/* Open the target, if it is not, and find the pipeline that `operand` names. A file is checked and
 * stored there first: on a server that is named, or in one inside this process that nothing
 * outlives. On failure everything has been said, and *status is the exit code. */
bool flow_open_pipeline(Flow *f, Str operand, Str *name, int *status);
/* The same without a pipeline. */
bool flow_open(Flow *f, int *status);

/* --- requests --- */

/* "/api/v1/pipelines/NAME/graph", percent-encoded. `rest` as it is. */
Str flow_pipeline_path(Flow *f, Str name, const char *rest);
Str flow_job_path(Flow *f, Str job, const char *verb, Str rest);
/* A text answer. */
MUST_CHECK ErrCode flow_get_text(Flow *f, Str path, Str *out, Err *err);

/* --- flow_diff.c --- */

/* Lines of the two texts as a unified difference on standard output; false: they are equal. */
bool flow_diff_print(Arena *a, Str from, Str to, const char *from_name, const char *to_name);

/* --- flow_tree.c --- */

typedef struct FlowTree {
    Str *lines; /* styled, without the end of the line */
    size_t len;
} FlowTree;
/* Nodes as the API gives them (jobs/{id}/nodes), as lines at most `width` wide. `fd` is where they
 * go: it decides on colour. */
FlowTree flow_tree(Arena *a, const Json *nodes, int fd, int width, int64_t now_ms);
/* One line about one node, for where there is no terminal: "chapters  done  3 of 3, 1.2 s". */
Str flow_tree_line(Arena *a, const Json *node, int64_t now_ms);
/* How the node stands, with what can be seen of it changing: equal texts, nothing to tell. */
Str flow_tree_key(Arena *a, const Json *node);
int64_t flow_time_ms(Str rfc3339); /* 0: none */

/* --- flow_watch.c --- */

/* Follow the job to its end, drawing on standard error. *job is how it ended. False when it was
 * left running (Ctrl-C), or could not be read: that has been said, and *status is the exit code. */
bool flow_watch(Flow *f, Str id, const Json **job, int *status);
/* The job's end for a person; the exit code. */
int flow_tell_end(Flow *f, const Json *job);

#endif
