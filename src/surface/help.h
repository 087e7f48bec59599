/* help.h: contracts as a person reads them in a terminal, and shell completion.
 *
 * Everything is written from the same tables: steps from the registry, subcommands from the command
 * line's table (which cli turns into HelpCommand, since cli stands above this folder). */
#ifndef PLATEN_SURFACE_HELP_H
#define PLATEN_SURFACE_HELP_H

#include "core/registry.h"

typedef struct HelpCommand {
    const char *name;     /* "jobs" */
    const char *operands; /* "list | show JOB", or NULL */
    const char *summary;  /* one sentence */
    const char *detail;   /* or NULL */
    const Param *params;
    const char *const *examples; /* whole command lines, ends with NULL; or NULL */
    bool takes_step; /* its first operand is a step, whose parameters are options too: run */
    const struct HelpCommand *verbs; /* its first operand is one of them, each with its own options:
                                        named "flow run"; or NULL */
    size_t verbs_len;
} HelpCommand;

/* Columns and colours of the terminal; the escapes are "" where there are none. */
typedef struct HelpLook {
    int width; /* 0: 80 */
    const char *bold, *dim, *plain;
} HelpLook;

/* `platen --help`: the subcommands, one line each. */
void help_program(const HelpCommand *commands, size_t len, const HelpLook *look, Buf *b);
/* `platen jobs --help`. */
void help_command(const HelpCommand *c, const HelpLook *look, Buf *b);
/* `platen steps image.convert`: what it takes, its parameters, what it gives back, how it fails,
 * examples. */
void help_step(const Step *s, const HelpLook *look, Buf *b);
/* `platen run image.convert --help`: the same, as options, with those of `run` after them. */
void help_run(const Step *s, const HelpCommand *run, const HelpLook *look, Buf *b);
/* `platen flow run NAME --help`: a pipeline's inputs as options, with those of `run` after them.
 * `contract`: name, title, summary and params are read. */
void help_flow(const Step *contract, const HelpCommand *run, const HelpLook *look, Buf *b);
/* `platen steps`: one line per step, grouped by noun; `all`: internal ones too. */
void help_steps(const Registry *r, bool all, const HelpLook *look, Buf *b);

/* A script for "bash", "zsh" or "fish". False: another shell. */
bool help_completion(Str shell, const Registry *r, const HelpCommand *commands, size_t len, Buf *b);

#endif
