/* flow_in.h: `platen flow`: what its files share.
 *
 *   flow.c        the verbs, and which of them is meant
 *   flow_store.c  check, import: texts on their way in, and what is wrong with them
 *   flow_read.c   list, show, diff, graph, export, delete
 *   flow_diff.c   lines that differ
 *   flow_run.c    run, replay: inputs from flags, results
 *   flow_batch.c  batch: a pipeline for each of many files
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
    int64_t version, priority, concurrency;
    int format;
    Str output, comment, from, input;
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
    flow_batch_verb, flow_replay_verb, flow_approve_verb, flow_signal_verb, flow_pause_verb,
    flow_resume_verb;
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

/* --- flow_run.c --- */

/* What flags there are: the pipeline's inputs, its files as paths among them. */
typedef struct FlowInputs {
    Step contract;     /* its params: values, then files */
    const Json *files; /* as the API lists them */
    Str json;          /* what was given, canonical */
} FlowInputs;
MUST_CHECK ErrCode flow_find_inputs(Flow *f, Str name, int64_t version, FlowInputs *in, Err *err);
/* "--version 3" among words that cannot be read before the version is known; 0: it is not there. */
int64_t flow_version_in(int argc, char **argv);
bool flow_wants_help(int argc, char **argv);
int flow_print_help(Flow *f, const FlowVerb *v, const FlowInputs *in);
/* The words after the name: in->json and f->args are filled. */
MUST_CHECK ErrCode flow_sort_words(Flow *f, const FlowVerb *v, FlowInputs *in, int argc,
                                   char **argv, Err *err);
/* Members of "inputs"; files are uploaded. With words (argv not NULL) only what they name, without
 * defaults. */
MUST_CHECK ErrCode flow_put_inputs(Flow *f, const FlowInputs *in, int argc, char **argv, JsonOut *j,
                                   Err *err);
/* The file's bytes as a blob; writes {blob, name, type}. */
MUST_CHECK ErrCode flow_upload(Flow *f, Str path, Str name, JsonOut *j, Err *err);
/* The outputs of a job into the folder, which is made. */
MUST_CHECK ErrCode flow_save_outputs(Flow *f, const Json *job, Str dir, Err *err);
/* A new file DIR/name, or DIR/name-2.ext when that is there already; -1 on failure. */
int flow_create_in(Arena *a, Str dir, Str name, Str *path, Err *err);

/* --- flow_watch.c --- */

/* Follow the job to its end, drawing on standard error. *job is how it ended. False when it was
 * left running (Ctrl-C), or could not be read: that has been said, and *status is the exit code. */
bool flow_watch(Flow *f, Str id, const Json **job, int *status);
/* The job's end for a person; the exit code. */
int flow_tell_end(Flow *f, const Json *job);

#endif
