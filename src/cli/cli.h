/* cli.h: the command line: one Command table per subcommand, one file each, listed in commands.def.
 *
 * A command's options are a Param table (core/param.h), so --help, completion, checking and the
 * typed struct come from the same description as a step's parameters do. Exit codes: 0 all done, 1
 * something failed, 2 wrong usage. */
#ifndef PLATEN_CLI_CLI_H
#define PLATEN_CLI_CLI_H

#include "core/param.h"
#include "surface/help.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct Cli {
    Arena *arena; /* lives as long as the command */
    const char *program;
} Cli;

typedef struct Command {
    const char *name;     /* "jobs" */
    const char *operands; /* "list | show JOB | cancel JOB", or NULL */
    const char *summary;  /* one sentence */
    const char *detail;   /* more lines for --help, or NULL */
    const Param *params;
    size_t args_size;
    const char *const *examples; /* whole command lines, ends with NULL */
    bool takes_step; /* its first operand is a step, whose parameters are options too: run */
    const HelpCommand *(*verbs)(void); /* `flow list` …: for help and completion; or NULL */
    size_t verbs_len;
    /* When set, it gets the words as they are (`run`, whose options depend on the step); otherwise
     * `run` gets parsed ones. */
    int (*run_words)(Cli *cli, int argc, char **argv);
    int (*run)(Cli *cli, const void *args, const Str *operands, size_t operands_len);
} Command;

int cli_main(int argc, char **argv);

#define COMMAND(name) extern const Command command_##name;
#include "cli/commands.def"
#undef COMMAND
extern const Command *const cli_commands[];
extern const size_t cli_commands_len;

/* For surface/help.h: a command as it describes itself, and the look of standard output. */
HelpCommand cli_help_command(const Command *c);
HelpLook cli_help_look(void);
/* All of them, in `a`. */
HelpCommand *cli_help_commands(Arena *a);

/* --- words to arguments (args.c) --- */

typedef struct ArgsTable {
    const Param *params;
    Str json; /* out: canonical JSON of what was given and the defaults */
} ArgsTable;
enum { ARGS_TABLES_MAX = 3, ARGS_OPERANDS_MAX = 100000 };

/* Sort `words` into options of the tables ("--max-pages 3", "--max-pages=3", "--keep", "-o out" for
 * "output") and operands. A word after "--" is an operand. ERR_USAGE names every unknown option;
 * ERR_BAD_PARAM every bad value. *help: --help or -h was there. */
MUST_CHECK ErrCode args_sort(Arena *a, char **words, int words_len, ArgsTable *tables,
                             size_t tables_len, Str **operands, size_t *operands_len, bool *help,
                             Err *err);
/* "max_pages" → "--max-pages", in `a`. */
Str args_flag(Arena *a, const char *param_name);

/* --- the terminal (term.c) --- */

bool term_is_tty(int fd);
enum { TERM_WIDTH_DEFAULT = 80 };
int term_width(void);  /* of the terminal at standard error, else the default */
int term_height(void); /* in lines; 0: not known */
/* "" when the stream is no terminal or NO_COLOR is set. */
typedef enum TermStyle {
    TERM_PLAIN,
    TERM_BOLD,
    TERM_DIM,
    TERM_RED,
    TERM_GREEN,
    TERM_YELLOW
} TermStyle;
const char *term_style(int fd, TermStyle s);
/* Error for a person: "platen: detail", hint below it, on stderr. */
void term_error(const Err *err);
/* term_error, and the exit code that goes with it. */
int term_fail(const Err *err);
void term_print_json(Arena *a, const Json *j);
/* "1.4 MB" */
Str term_bytes(Arena *a, int64_t bytes);
/* "412 ms", "3.2 s", "2 min 05 s" */
Str term_duration(Arena *a, int64_t ms);
/* "30d", "12h", "90m", "10s" in milliseconds. False: it is none. */
bool term_read_time(Str text, int64_t *ms);

/* A progress line on stderr, drawn only on a terminal, at most 20 times a second, and gone
 * afterwards. */
typedef struct TermProgress {
    int64_t done, total, drawn_us;
    bool on;
} TermProgress;
/* `hundredths` of one of `total`: the bar moves within one, too; the number counts whole ones. */
void term_progress(TermProgress *p, int64_t done, int64_t total, int64_t hundredths, Str note);
void term_progress_end(TermProgress *p);

/* A table with columns as wide as they need to be; the last one takes what is left. Numbers go
 * right. */
typedef struct TermTable {
    Arena *arena;
    const char *const *titles; /* ends with NULL */
    size_t columns, rows, cap;
    Str *cells;
} TermTable;
TermTable term_table(Arena *a, const char *const *titles);
void term_table_row(TermTable *t, const Str *cells);
void term_table_print(const TermTable *t);

#endif
