#include "cli/outputs.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cli/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static bool is_text(Str type)
{
    return str_starts(type, STR("text/")) || str_starts(type, STR("application/json"));
}

static bool returns_only_text(const Step *step)
{
    Str rest = str_from_c(step->returns), type;
    if (step->returns == NULL)
        return true;
    while (str_next(&rest, ',', &type))
        if (!is_text(str_trim(type)))
            return false;
    return true;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static ErrCode make_folders(const char *path, Err *err)
{
    char part[PATH_BYTES];
    snprintf(part, sizeof part, "%s", path);
    for (char *p = part + 1; *p != 0; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return err_set_errno(err, ERR_IO, errno, "could not make \"%s\"", part);
        *p = '/';
    }
    if (mkdir(part, 0777) != 0 && errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "could not make \"%s\"", part);
    return is_folder(part) ? OK : err_set(err, ERR_USAGE, "\"%s\" is not a folder", part);
}

static ErrCode keep_in_tmp(Outputs *o, Err *err)
{
    char *dir = NULL;
    ErrCode rc = scratch_make(o->arena, "platen-out", &dir, err);
    o->dir = dir;
    return rc;
}

static int by_file(const void *a, const void *b)
{
    const OutputFile *x = a, *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static ErrCode remember_inputs(Outputs *o, const InputFiles *inputs, Err *err)
{
    o->inputs = arena_new(o->arena, OutputFile, inputs->len + 1);
    if (o->inputs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the list of files");
    for (size_t i = 0; i < inputs->len; i++)
        if (inputs->items[i].inode != 0)
            o->inputs[o->inputs_len++] =
                (OutputFile){inputs->items[i].device, inputs->items[i].inode};
    qsort(o->inputs, o->inputs_len, sizeof *o->inputs, by_file);
    return OK;
}

static bool is_input(const Outputs *o, const char *path)
{
    struct stat st;
    if (o->inputs_len == 0 || stat(path, &st) != 0)
        return false;
    OutputFile key = {st.st_dev, st.st_ino};
    return bsearch(&key, o->inputs, o->inputs_len, sizeof key, by_file) != NULL;
}

/* Is it a folder that `output` names? "out/", one that exists, or a name without an ending. */
static bool names_folder(Str output, const char *path)
{
    size_t slash = str_rfind_char(output, '/');
    Str last = slash == STR_NONE ? output : str_slice(output, slash + 1, output.len);
    return last.len == 0 || is_folder(path) || str_find_char(last, '.') == STR_NONE;
}

static ErrCode open_place(Outputs *o, Str output, bool folders, Err *err)
{
    char *path = str_to_c(o->arena, output);
    if (path == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    if (!o->many_jobs && !folders && !names_folder(output, path)) {
        o->file = path;
        if (!is_input(o, path))
            return OK;
        err_set(err, ERR_USAGE, "\"%s\" is the input", path);
        err_hint(err, "Give the result another name.");
        return ERR_USAGE;
    }
    while (output.len > 1 && path[output.len - 1] == '/')
        path[--output.len] = 0;
    o->dir = path;
    return make_folders(path, err);
}

ErrCode outputs_open(Outputs *o, Arena *a, const Step *step, Str output, bool json, size_t jobs,
                     const InputFiles *inputs, Err *err)
{
    bool to_stdout = str_eq_c(output, "-"), binary = !returns_only_text(step);
    *o = (Outputs){.arena = a, .json = json, .many_jobs = jobs > 1, .started_us = clock_mono_us()};
    ErrCode rc = remember_inputs(o, inputs, err);
    if (rc != OK)
        return rc;
    if (to_stdout && json)
        return err_set(err, ERR_USAGE, "--json and -o - both want standard output");
    /* A folder of one file is still a folder; several files of one job are one result. */
    if (output.len > 0 && !to_stdout)
        return open_place(o, output, inputs->folders && (jobs > 1 || inputs->len == 1), err);
    if (!json && binary && (jobs > 1 || (!to_stdout && isatty(STDOUT_FILENO)))) {
        err_set(err, ERR_USAGE, "%s makes files: say where they go", step->name);
        err_hint(err, "-o DIR, or -o - or a redirect of standard output when there is one file.");
        return ERR_USAGE;
    }
    return OK;
}

/* A relative path of plain parts; anything else becomes its last part, or "output". */
static Str safe_name(Str name)
{
    Str rest = name, part;
    bool safe = name.len > 0 && name.len < 1024 && name.ptr[0] != '/';
    while (safe && str_next(&rest, '/', &part))
        safe = part.len > 0 && part.len < 256 && !str_eq_c(part, ".") && !str_eq_c(part, "..");
    for (size_t i = 0; safe && i < name.len; i++)
        safe = (unsigned char)name.ptr[i] >= 0x20 && name.ptr[i] != 0x7F;
    return safe ? name : STR("output");
}

/* FNV-1a. The names are the user's own: nobody gains by collisions. */
static Str *slot_of(const Outputs *o, Str name)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.ptr[i]) * 1099511628211u;
    for (size_t at = (size_t)(h ^ (h >> 29));; at++) {
        Str *slot = &o->taken[at & (o->taken_cap - 1)];
        if (slot->ptr == NULL || str_eq(*slot, name))
            return slot;
    }
}

static bool is_taken(const Outputs *o, Str name)
{
    return o->taken_cap > 0 && slot_of(o, name)->ptr != NULL;
}

static bool take_name(Outputs *o, Str name)
{
    if (2 * o->taken_len >= o->taken_cap) {
        Outputs grown = *o;
        grown.taken_cap = o->taken_cap > 0 ? o->taken_cap * 2 : 64;
        grown.taken = arena_new(o->arena, Str, grown.taken_cap);
        if (grown.taken == NULL)
            return false;
        for (size_t i = 0; i < o->taken_cap; i++)
            if (o->taken[i].ptr != NULL)
                *slot_of(&grown, o->taken[i]) = o->taken[i];
        *o = grown;
    }
    *slot_of(o, name) = name;
    o->taken_len++;
    return true;
}

static bool leads_to_input(const Outputs *o, Str name)
{
    char path[PATH_BYTES];
    return o->dir != NULL &&
           snprintf(path, sizeof path, "%s/" STR_FMT, o->dir, STR_ARG(name)) < PATH_BYTES &&
           is_input(o, path);
}

/* Where the ending begins; the name's length when it has none. */
static size_t dot_of(Str name)
{
    size_t dot = str_rfind_char(name, '.'), slash = str_rfind_char(name, '/');
    size_t base = slash == STR_NONE ? 0 : slash + 1;
    return dot == STR_NONE || dot <= base ? name.len : dot;
}

/* "report.md", then "report-2.md", "report-3.md" … */
static Str free_name(Outputs *o, Str name)
{
    size_t dot = dot_of(name);
    Str found = str_copy(o->arena, name);
    for (int n = 2; found.ptr != NULL && (is_taken(o, found) || leads_to_input(o, found)); n++)
        found = str_printf(o->arena, STR_FMT "-%d" STR_FMT, (int)dot, name.ptr, n,
                           (int)(name.len - dot), name.ptr + dot);
    return found.ptr != NULL && take_name(o, found) ? found : (Str){0};
}

/* The step's name for its one output, or the input's with the ending of that: "scan.png" and
 * "ocr.pdf" make "scan.pdf"; "scan.searchable.pdf" stays. */
static Str renamed(Arena *a, Str made, Str input)
{
    size_t slash = str_rfind_char(input, '/');
    Str base = slash == STR_NONE ? input : str_slice(input, slash + 1, input.len);
    Str stem = str_slice(base, 0, dot_of(base));
    if (stem.len == 0 || str_starts(made, stem) || str_find_char(made, '/') != STR_NONE)
        return made;
    return str_printf(a, STR_FMT STR_FMT, STR_ARG(stem),
                      STR_ARG(str_slice(made, dot_of(made), made.len)));
}

static ErrCode write_file(Session *s, const Json *job, size_t index, const char *path, Err *err)
{
    char part[PATH_BYTES];
    if (snprintf(part, sizeof part, "%s.part-%ld", path, (long)getpid()) >= (int)sizeof part)
        return err_set(err, ERR_IO, "the path \"%.60s…\" is too long", path);
    CLEANUP(fd_close) int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", part);
    ErrCode rc = session_fetch(s, job, index, fd, err);
    if (rc == OK && rename(part, path) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", path);
    if (rc != OK)
        unlink(part);
    return rc;
}

/* Within the folder: what an output is called there. */
static Str name_for(Outputs *o, Str made, const OutputsOf *of, size_t outputs_len)
{
    Str name = safe_name(made), folder = {0};
    if (outputs_len == 1 && of->renamed)
        name = renamed(o->arena, name, of->name);
    if (outputs_len > 1 && (o->many_jobs || of->folder.len > 0))
        folder = safe_name(of->name); /* several from each: a folder per input */
    else if (of->folder.len > 0)
        folder = safe_name(of->folder);
    if (folder.len > 0)
        name = str_printf(o->arena, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(name));
    return name.ptr != NULL ? free_name(o, name) : name;
}

/* Where an output called `made` goes, with its folders made. */
static ErrCode place(Outputs *o, Str made, const OutputsOf *of, size_t outputs_len,
                     const char **path, Err *err)
{
    if (o->file != NULL) {
        *path = o->file;
        return outputs_len == 1
                   ? OK
                   : err_set(err, ERR_USAGE, "%zu outputs do not go into one file; use -o DIR/",
                             outputs_len);
    }
    if (o->dir == NULL && keep_in_tmp(o, err) != OK)
        return err->code;
    Str name = name_for(o, made, of, outputs_len);
    Str whole =
        name.ptr != NULL ? str_printf(o->arena, "%s/" STR_FMT, o->dir, STR_ARG(name)) : (Str){0};
    if (whole.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    size_t slash = str_rfind_char(whole, '/');
    char *folder = str_to_c(o->arena, str_slice(whole, 0, slash));
    *path = whole.ptr;
    return folder != NULL ? make_folders(folder, err) : err_set(err, ERR_NO_MEMORY, "no memory");
}

static ErrCode print_outputs(Outputs *o, Session *s, const Json *job, Str input, Arena *a, Err *err)
{
    const Json *outputs = json_get(job, "outputs");
    if (o->many_jobs)
        printf("%s==> " STR_FMT " <==\n", o->printed ? "\n" : "", STR_ARG(input));
    o->printed = true;
    fflush(stdout);
    if (outputs == NULL || outputs->len == 0) {
        term_print_json(a, json_get(job, "data"));
        return OK;
    }
    for (size_t i = 0; i < outputs->len; i++) {
        ErrCode rc = session_fetch(s, job, i, STDOUT_FILENO, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static void begin_line(JsonOut *j, const OutputsOf *of, const char *status, int64_t ms)
{
    json_begin(j, '{');
    json_kv_str(j, "input", of->name);
    if (of->all_len > 1) {
        json_key(j, "inputs");
        json_begin(j, '[');
        for (size_t i = 0; i < of->all_len; i++)
            json_put_str(j, of->all[i].name);
        json_end(j, ']');
    }
    json_kv_c(j, "status", status);
    json_kv_int(j, "ms", ms);
}

static void print_line(Buf *b)
{
    puts(buf_c(b));
    fflush(stdout);
}

void outputs_print_failure(Outputs *o, const OutputsOf *of, const char *status, const Err *err,
                           int64_t ms)
{
    ArenaMark mark = arena_mark(o->arena);
    Buf b = buf_init(o->arena, 64 * MIB);
    JsonOut j = json_out(&b);
    begin_line(&j, of, status, ms);
    json_kv_raw(&j, "data", STR("{}"));
    json_kv_raw(&j, "outputs", STR("[]"));
    json_kv_c(&j, "reason", err_reason(err->code));
    json_kv_c(&j, "detail", err->text);
    json_kv_c(&j, "hint", err_advice(err));
    json_end(&j, '}');
    print_line(&b);
    arena_rewind(o->arena, mark);
}

static void put_output(JsonOut *j, const Json *output, const char *path)
{
    json_begin(j, '{');
    json_kv_str(j, "name", json_text(json_get(output, "name")));
    json_kv_str(j, "type", json_text(json_get(output, "type")));
    json_kv_int(j, "bytes", json_int(json_get(output, "bytes"), 0));
    json_kv_c(j, "path", path);
    json_end(j, '}');
}

static void end_line(JsonOut *j, const StrList *notes)
{
    if (notes->len > 0) {
        json_key(j, "notes");
        json_begin(j, '[');
        for (size_t i = 0; i < notes->len; i++)
            json_put_str(j, notes->items[i]);
        json_end(j, ']');
    }
    json_kv_raw(j, "reason", STR("null"));
    json_kv_raw(j, "detail", STR("null"));
    json_kv_raw(j, "hint", STR("null"));
    json_end(j, '}');
}

ErrCode outputs_take(Outputs *o, Session *s, const Json *job, const OutputsOf *of,
                     const StrList *notes, int64_t ms, Arena *a, OutputsTaken *taken, Err *err)
{
    const Json *outputs = json_get(job, "outputs");
    size_t len = outputs != NULL ? outputs->len : 0, index = 0;
    *taken = (OutputsTaken){0};
    if (!o->json && o->dir == NULL && o->file == NULL)
        return print_outputs(o, s, job, of->name, a, err);
    Buf b = buf_init(a, 64 * MIB);
    JsonOut j = json_out(&b);
    begin_line(&j, of, "done", ms);
    json_key(&j, "data");
    json_put(&j, json_get(job, "data"));
    json_key(&j, "outputs");
    json_begin(&j, '[');
    json_each(output, outputs) {
        const char *path = NULL;
        ErrCode rc = place(o, json_text(json_get(output, "name")), of, len, &path, err);
        if (rc == OK)
            rc = write_file(s, job, index++, path, err);
        if (rc != OK)
            return rc;
        taken->path = taken->path != NULL ? taken->path : path;
        taken->files++;
        taken->bytes += json_int(json_get(output, "bytes"), 0);
        put_output(&j, output, path);
    }
    json_end(&j, ']');
    end_line(&j, notes);
    o->files += (int64_t)taken->files;
    o->bytes += taken->bytes;
    if (o->json)
        print_line(&b);
    else if (len == 0)
        term_print_json(a, json_get(job, "data"));
    return OK;
}
