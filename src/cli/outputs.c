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

ErrCode outputs_open(Outputs *o, Arena *a, const Step *step, Str output, bool json, size_t inputs,
                     Err *err)
{
    *o = (Outputs){
        .arena = a, .json = json, .many_inputs = inputs > 1, .started_us = clock_mono_us()};
    if (output.len > 0) {
        char *path = str_to_c(a, output);
        if (path == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory");
        bool folder =
            output.ptr[output.len - 1] == '/' || is_folder(path) || inputs > 1 ||
            str_find_char(
                str_slice(output,
                          str_rfind_char(output, '/') == STR_NONE ? 0 : str_rfind_char(output, '/'),
                          output.len),
                '.') == STR_NONE;
        if (!folder) {
            o->file = path;
            return OK;
        }
        while (output.len > 1 && path[output.len - 1] == '/')
            path[--output.len] = 0;
        o->dir = path;
        return make_folders(path, err);
    }
    if (!json && !returns_only_text(step) && (inputs > 1 || isatty(STDOUT_FILENO))) {
        err_set(err, ERR_USAGE, "%s makes files: say where they go", step->name);
        err_hint(err, "-o DIR, or redirect standard output when there is one input.");
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

static bool is_taken(const Outputs *o, Str name)
{
    for (size_t i = 0; i < o->taken_len; i++)
        if (str_eq(o->taken[i], name))
            return true;
    return false;
}

/* "report.md", then "report-2.md", "report-3.md" … */
static Str free_name(Outputs *o, Str name)
{
    size_t dot = str_rfind_char(name, '.'), slash = str_rfind_char(name, '/');
    if (dot == STR_NONE || dot == 0 || (slash != STR_NONE && dot < slash))
        dot = name.len;
    Str found = str_copy(o->arena, name);
    for (int n = 2; is_taken(o, found); n++)
        found = str_printf(o->arena, STR_FMT "-%d" STR_FMT, (int)dot, name.ptr, n,
                           (int)(name.len - dot), name.ptr + dot);
    if (o->taken_len == o->taken_cap) {
        size_t cap = o->taken_cap > 0 ? o->taken_cap * 2 : 64;
        Str *grown = arena_grow(o->arena, o->taken, o->taken_cap * sizeof(Str), cap * sizeof(Str));
        if (grown == NULL)
            return (Str){0};
        o->taken = grown;
        o->taken_cap = cap;
    }
    o->taken[o->taken_len++] = found;
    return found;
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

/* Where output number `index` goes, with its folders made. */
static ErrCode place(Outputs *o, Str name, Str input, size_t outputs_len, const char **path,
                     Err *err)
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
    name = safe_name(name);
    if (o->many_inputs && outputs_len > 1) /* several from each: a folder per input */
        name = str_printf(o->arena, STR_FMT "/" STR_FMT, STR_ARG(safe_name(input)), STR_ARG(name));
    name = name.ptr != NULL ? free_name(o, name) : name;
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
    if (o->many_inputs)
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

static void begin_line(JsonOut *j, Str input, const char *status, int64_t ms)
{
    json_begin(j, '{');
    json_kv_str(j, "input", input);
    json_kv_c(j, "status", status);
    json_kv_int(j, "ms", ms);
}

static void print_line(Buf *b)
{
    puts(buf_c(b));
    fflush(stdout);
}

void outputs_print_failure(Outputs *o, Str input, const Err *err, int64_t ms)
{
    Buf b = buf_init(o->arena, MIB);
    JsonOut j = json_out(&b);
    begin_line(&j, input, "failed", ms);
    json_kv_raw(&j, "data", STR("{}"));
    json_kv_raw(&j, "outputs", STR("[]"));
    json_kv_c(&j, "reason", err_reason(err->code));
    json_kv_c(&j, "detail", err->text);
    json_kv_c(&j, "hint", err_advice(err));
    json_end(&j, '}');
    print_line(&b);
}

ErrCode outputs_take(Outputs *o, Session *s, const Json *job, Str input, int64_t ms, Arena *a,
                     Err *err)
{
    const Json *outputs = json_get(job, "outputs");
    size_t len = outputs != NULL ? outputs->len : 0, index = 0;
    if (!o->json && o->dir == NULL && o->file == NULL)
        return print_outputs(o, s, job, input, a, err);
    Buf b = buf_init(a, 64 * MIB);
    JsonOut j = json_out(&b);
    begin_line(&j, input, "done", ms);
    json_key(&j, "data");
    json_put(&j, json_get(job, "data"));
    json_key(&j, "outputs");
    json_begin(&j, '[');
    json_each(output, outputs) {
        const char *path = NULL;
        ErrCode rc = place(o, json_text(json_get(output, "name")), input, len, &path, err);
        if (rc == OK)
            rc = write_file(s, job, index++, path, err);
        if (rc != OK)
            return rc;
        o->files++;
        o->bytes += json_int(json_get(output, "bytes"), 0);
        json_begin(&j, '{');
        json_kv_str(&j, "name", json_text(json_get(output, "name")));
        json_kv_str(&j, "type", json_text(json_get(output, "type")));
        json_kv_int(&j, "bytes", json_int(json_get(output, "bytes"), 0));
        json_kv_c(&j, "path", path);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_kv_raw(&j, "reason", STR("null"));
    json_kv_raw(&j, "detail", STR("null"));
    json_kv_raw(&j, "hint", STR("null"));
    json_end(&j, '}');
    if (o->json)
        print_line(&b);
    else if (len == 0)
        term_print_json(a, json_get(job, "data"));
    return OK;
}

void outputs_summary(const Outputs *o, size_t inputs, size_t failed)
{
    if (o->dir == NULL)
        return;
    Str bytes = term_bytes(o->arena, o->bytes),
        time = term_duration(o->arena, (clock_mono_us() - o->started_us) / 1000);
    fprintf(stderr, "%zu of %zu done: %" PRId64 " file%s, " STR_FMT " in %s, " STR_FMT "\n",
            inputs - failed, inputs, o->files, o->files == 1 ? "" : "s", STR_ARG(bytes), o->dir,
            STR_ARG(time));
}
