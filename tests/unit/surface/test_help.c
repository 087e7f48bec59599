#include "surface/help.h"
#include "surface/step_docs.h"
#include "unit/surface/fixture.h"

#include <sys/wait.h>
#include <unistd.h>

typedef struct RunArgs {
    Str output;
    int format;
    bool keep_going;
} RunArgs;

static const Choice formats[] = {{"text", "For people."}, {"json", "For programs."}, {0}};
static const Param run_params[] = {
    PARAM_TEXT(RunArgs, output, .help = "Folder for the results; it's made."),
    PARAM_CHOICE(RunArgs, format, .choices = formats, .help = "How to print."),
    PARAM_BOOL(RunArgs, keep_going, .help = "Do not stop at [the] first failure: go on."),
    PARAM_END,
};

static const HelpCommand commands[] = {
    {.name = "run",
     .operands = "STEP [FILE…]",
     .summary = "Run a step.",
     .params = run_params,
     .takes_step = true,
     .detail = "A line of detail\nthat goes on.\n\n  indented stays\n",
     .examples = (const char *const[]){"platen run image.info photo.jpg", NULL}},
    {.name = "steps", .operands = "[STEP]", .summary = "List the steps, or show one."},
    {.name = "serve",
     .summary =
         "Serve the API, which is a long sentence that has to be wrapped at the width of the "
         "terminal, whatever that is."},
};

static const HelpLook narrow = {.width = 60},
                      coloured = {.width = 80, .bold = "<B>", .dim = "<D>", .plain = "</>"};

static void assert_has(Str text, const char *part)
{
    if (str_find(text, str_from_c(part)) == STR_NONE)
        fail_msg("no \"%s\" in:\n" STR_FMT, part, STR_ARG(text));
}

static void assert_fits(Str text, size_t width)
{
    Str rest = text, line;
    while (str_next(&rest, '\n', &line))
        if (str_count_utf8(line) > width)
            fail_msg("too wide: " STR_FMT, STR_ARG(line));
}

TEST(a_step_reads_well)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Buf b = buf_init(a, 1 * MIB);
    help_step(&fixture_steps[0], &narrow, &b);
    assert_false(b.failed);
    Str text = buf_str(&b);
    static const char *const parts[] = {
        "image.scale  Scale image\n  Scale an image to a box.\n",
        "  takes     image/*, application/pdf (up to 3 files)\n",
        "  limits    60 s, 512 MiB of memory\n",
        "  width  whole number 1 to 16384 px, required\n      Width of the box.\n",
        "  ratio  number 0.5 to 2, default 1\n",
        "  title  text, at most 40 bytes, default no title, since 0.2\n",
        "  password  secret text\n",
        "  fit  choice, default cover\n",
        "        inside  As large as fits in the box.\n",
        "  tags  list of texts, at most 5\n",
        "      Replaced by width; still works.\n",
        "  sizes  list\n      Size of each page.\n      width  whole number\n          Pixels.\n   "
        "   note  text, may be missing\n",
        "  made  text or null\n",
        "  input_damaged         The input is damaged or cut short.\n",
        "    platen run image.scale photo.jpg --width 320 --fit cover --enlarge --tags 'a b'\n",
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        assert_has(text, parts[i]);
    assert_fits(str_slice(text, 0, str_find(text, STR("Examples"))), 60);
}

TEST(run_shows_flags_of_both)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Buf b = buf_init(a, 1 * MIB);
    help_run(&fixture_steps[0], &commands[0], &coloured, &b);
    Str text = buf_str(&b);
    assert_has(text, "Usage: platen run image.scale [OPTIONS] FILE…\n");
    assert_has(text, "  <B>--old-width</><D>  whole number");
    assert_has(text, "<B>Options of run</>\n  <B>--output</>");
    assert_has(text, "<B>--keep-going</><D></>\n");
    buf_clear(&b);
    help_run(&fixture_steps[2], &commands[0], &coloured, &b);
    assert_has(buf_str(&b), "Usage: platen run text.repeat [OPTIONS]\n");
    buf_clear(&b);
    help_run(&fixture_steps[1], &commands[0], &coloured, &b);
    assert_has(buf_str(&b), "Usage: platen run image.info [OPTIONS] [FILE]\n");
}

TEST(commands_read_well)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Buf b = buf_init(a, 1 * MIB);
    help_program(commands, COUNT_OF(commands), &narrow, &b);
    assert_has(buf_str(&b), "  run    Run a step.\n  steps  List the steps, or show one.\n  serve  "
                            "Serve the API, which");
    buf_clear(&b);
    help_command(&commands[0], &narrow, &b);
    assert_has(buf_str(&b), "Usage: platen run STEP [FILE…] [OPTIONS]\n\nRun a step.\nA line of "
                            "detail that goes on.\n\n  indented stays\n");
    assert_has(buf_str(&b), "\nOptions\n  --output  text\n");
    assert_has(buf_str(&b), "\nExamples\n  platen run image.info photo.jpg\n");
    buf_clear(&b);
    help_command(&commands[1], &narrow, &b);
    assert_str_equal(buf_str(&b), "Usage: platen steps [STEP]\n\nList the steps, or show one.\n");
}

TEST(steps_are_listed_by_noun)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Registry *r = fixture_registry(a);
    Buf b = buf_init(a, 1 * MIB);
    help_steps(r, false, &narrow, &b);
    assert_str_equal(buf_str(&b), "image.info   Read the size of an image.\n"
                                  "image.scale  Scale an image to a box.\n\n"
                                  "text.repeat  Give back what came.\n");
    buf_clear(&b);
    help_steps(r, true, &narrow, &b);
    assert_has(buf_str(&b), "\ntest.hidden  For tests only.\n");
}

TEST(pages_have_every_part)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Buf b = buf_init(a, 1 * MIB);
    step_docs_page(&fixture_steps[0], &b);
    Str text = buf_str(&b);
    static const char *const parts[] = {
        "# image.scale\n\n**Scale image.** Scale an image to a box.\n",
        "- **Takes** `image/*`, `application/pdf` (up to 3 files)\n",
        "| `width` | whole number 1 to 16384 px | **required** | Width of the box. |\n",
        "| `tags` | list of texts, at most 5 |  | Tags \\| labels. |\n",
        "; &lt;b>never&lt;/b> distorts it.",
        "| `sizes[].note` | text | A remark. May be missing. |\n",
        "| `made` | text or null | When it was made. |\n",
        "| `input_damaged` | 422 |",
        "-F file=@photo.jpg \\\n  -F width=320 \\\n  -F fit=cover \\\n  -F enlarge=true \\\n  -F "
        "'tags=a b'\n",
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        assert_has(text, parts[i]);
    buf_clear(&b);
    step_docs_page(&fixture_steps[2], &b);
    assert_has(buf_str(&b), "-d '{\"params\":{\"title\":\"hi\"}}'\n");
    assert_has(buf_str(&b), "- **Takes** no file\n- **Gives** data only\n");
    buf_clear(&b);
    step_docs_index(fixture_registry(a), &b);
    assert_has(
        buf_str(&b),
        "## image\n\n| Step | What it does |\n|---|---|\n| [`image.info`](image.info.md) | Read");
    assert_true(str_find(buf_str(&b), STR("hidden")) == STR_NONE);
}

/* The shell itself says whether the script is well-formed, where it is installed. */
static void assert_shell_reads(Arena *a, const char *shell, Str script, const char *then,
                               const char *want)
{
    char dir[] = "/tmp/platen-help-XXXXXX";
    assert_non_null(mkdtemp(dir));
    Str path = str_printf(a, "%s/script", dir), out = str_printf(a, "%s/out", dir);
    FILE *f = fopen(path.ptr, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(script.ptr, 1, script.len, f), script.len);
    fprintf(f, "\n%s\n", then);
    fclose(f);
    pid_t child = fork();
    if (child == 0) {
        if (freopen(out.ptr, "w", stdout) == NULL)
            _exit(126);
        execlp(shell, shell, path.ptr, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    char got[4096] = "";
    f = fopen(out.ptr, "r");
    assert_non_null(f);
    size_t n = fread(got, 1, sizeof got - 1, f);
    got[n] = 0;
    fclose(f);
    unlink(path.ptr);
    unlink(out.ptr);
    rmdir(dir);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return; /* the shell is not installed */
    assert_int_equal(status, 0);
    assert_string_equal(got, want);
}

static Str completion(Arena *a, const char *shell)
{
    Buf b = buf_init(a, 1 * MIB);
    assert_true(
        help_completion(str_from_c(shell), fixture_registry(a), commands, COUNT_OF(commands), &b));
    assert_false(b.failed);
    return buf_str(&b);
}

TEST(bash_completes)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    static const struct {
        const char *words, *want;
    } cases[] = {
        {"platen s", "steps serve\n"},
        {"platen run im", "image.info image.scale\n"},
        {"platen steps te", "text.repeat\n"},
        {"platen run image.scale --o", "--old-width --output\n"},
        {"platen run image.scale --fit ''", "inside cover\n"},
        {"platen run image.scale --format j", "json\n"},
        {"platen run image.scale ph", "\n"},
        {"platen serve --h", "--help\n"},
    };
    Str script = completion(a, "bash");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str then = str_printf(a,
                              "COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _platen; echo "
                              "\"${COMPREPLY[*]}\"",
                              cases[i].words);
        assert_shell_reads(a, "bash", script, then.ptr, cases[i].want);
    }
}

TEST(zsh_reads_its_script)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Str script = completion(a, "zsh");
    assert_has(script, "'--fit[How the image meets the box.]:fit:(inside cover)'");
    assert_has(script, "'*--tags[Tags | labels.]:tags:'");
    assert_has(script, "'--keep-going[Do not stop at \\[the\\] first failure\\: go on.]'");
    assert_has(script, "'--title[It'\\''s a \"title\".]:title:_files'");
    Str checked =
        str_printf(a, "_platen() { :; }\nif false; then\n" STR_FMT "\nfi\n", STR_ARG(script));
    assert_shell_reads(a, "zsh", checked, "", "");
}

TEST(fish_reads_its_script)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Str script = completion(a, "fish");
    assert_has(
        script,
        "complete -c platen -n '__platen_runs image.scale' -l fit -x -a 'inside cover' -d 'How");
    assert_has(script, "-l output -r -d 'Folder for the results; it\\'s made.'");
    assert_has(script, "-l keep-going -d ");
    assert_shell_reads(a, "fish", script, "", "");
}

TEST(knows_no_other_shell)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Buf b = buf_init(a, 64 * KIB);
    assert_false(
        help_completion(STR("tcsh"), fixture_registry(a), commands, COUNT_OF(commands), &b));
    assert_int_equal(b.len, 0);
}

TEST(says_so_when_memory_ends)
{
    for (size_t ceiling = 0; ceiling < 1500; ceiling += 100) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        CLEANUP(arena_close) Arena *small = arena_open(ceiling);
        Buf b = buf_init(small, 1 * MIB);
        help_completion(STR("bash"), fixture_registry(a), commands, COUNT_OF(commands), &b);
        assert_true(b.failed);
        b = buf_init(small, 1 * MIB);
        step_docs_page(&fixture_steps[0], &b);
        help_step(&fixture_steps[0], &narrow, &b);
    }
}

TEST_MAIN(a_step_reads_well, run_shows_flags_of_both, commands_read_well, steps_are_listed_by_noun,
          pages_have_every_part, bash_completes, zsh_reads_its_script, fish_reads_its_script,
          knows_no_other_shell, says_so_when_memory_ends)
