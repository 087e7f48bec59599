#include "document/attach.h"

#include "document/reading.h"

enum { INNER_BYTES = 256 << 20 };

static void note(const DocInput *outer, Str name, const char *what)
{
    Str text = str_printf(outer->step->arena, "attached \"" STR_FMT "\": %s",
                          STR_ARG(str_slice(name, 0, 100)), what);
    if (text.ptr != NULL)
        step_note(outer->step, text);
}

/* What is over the limits, or NULL. */
static const char *refused(const DocInput *outer, Str bytes)
{
    if (outer->depth >= ATTACH_DEPTH)
        return "not read: files are nested too deeply";
    if (outer->budget == NULL || outer->budget->files >= ATTACH_FILES)
        return "not read: there are too many files in it";
    if (outer->budget->bytes + (int64_t)bytes.len > (int64_t)ATTACH_BYTES)
        return "not read: the files in it are too large together";
    return bytes.len == 0 ? "it is empty" : NULL;
}

/* A heading with the name, then what the file says. */
static ErrCode read_inner(const DocInput *in, Doc *out)
{
    CLEANUP(reading_close) Reading r = {0};
    ErrCode rc = reading_open(in, &r);
    if (rc != OK)
        return rc;
    doc_begin(out, BLOCK_HEADING, 1);
    doc_text(out, in->name);
    doc_end(out);
    doc_took_text(out);
    rc = r.read(&r.in, out);
    if (rc == OK && !doc_took_text(out))
        rc = err_set(in->step->err, ERR_NO_TEXT, "it holds no text");
    return rc;
}

void attach_read(const DocInput *outer, Doc *out, Str name, Str type, Str bytes)
{
    if (name.len == 0)
        name = STR("without a name");
    const char *why = refused(outer, bytes);
    if (why != NULL) {
        note(outer, name, why);
        return;
    }
    outer->budget->files++;
    outer->budget->bytes += (int64_t)bytes.len;
    CLEANUP(arena_close) Arena *own = arena_open(INNER_BYTES);
    if (own == NULL) {
        note(outer, name, "not read: memory is short");
        return;
    }
    Err err = {0};
    StepCtx step = *outer->step;
    step.arena = own;
    step.err = &err;
    step.data = NULL; /* facts of the outer file only */
    DocInput in = *outer;
    in.step = &step;
    in.fd = -1;
    in.bytes = bytes;
    in.name = name;
    in.type = STR("");
    in.pages = STR("");
    in.charset = reading_charset(type);
    in.depth = outer->depth + 1;
    doc_enter(out, name);
    if (read_inner(&in, out) != OK && !doc_failed(out))
        note(outer, name, err.text);
    doc_leave(out);
}
