#include "document/mail.h"

#include <string.h>

#include "document/attach.h"

/* --- the head */

void mail_put_field(Doc *out, const char *label, Str value, bool *any)
{
    value = str_trim(value);
    if (value.len == 0)
        return;
    if (*any)
        doc_break(out);
    else
        doc_begin(out, BLOCK_PARAGRAPH, 0);
    *any = true;
    doc_mark(out, MARK_BOLD, STR(""));
    doc_text(out, str_from_c(label));
    doc_unmark(out, MARK_BOLD);
    doc_text(out, STR(" "));
    doc_text(out, value);
}

/* --- text */

static int quote_depth(Str *line)
{
    int depth = 0;
    size_t at = 0;
    while (at < line->len && (line->ptr[at] == '>' || (line->ptr[at] == ' ' && depth > 0)))
        depth += line->ptr[at++] == '>';
    *line = str_slice(*line, at, line->len);
    return depth < 8 ? depth : 8;
}

void mail_put_plain(Doc *out, Str text, bool flowed)
{
    int open = -1; /* quote depth of the block in hand, -1: none */
    bool joins = false;
    Str line;
    while (str_next(&text, '\n', &line)) {
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        int depth = quote_depth(&line);
        if (str_trim(line).len == 0 || depth != open) {
            doc_end(out);
            open = -1;
        }
        if (str_trim(line).len == 0)
            continue;
        if (open < 0)
            doc_begin(out, depth > 0 ? BLOCK_QUOTE : BLOCK_PARAGRAPH, depth);
        else if (!joins)
            doc_break(out);
        open = depth;
        doc_text(out, line);
        joins = flowed && str_ends(line, STR(" ")) && !str_eq_c(line, "-- ");
    }
    doc_end(out);
}

/* Layout tables do not count, header cells do. */
bool mail_has_structure(Str html)
{
    static const char *const tags[] = {"<ul", "<ol", "<h1",         "<h2",
                                       "<h3", "<th", "<blockquote", "<pre"};
    html = str_slice(html, 0, 1 * MIB);
    for (size_t at = 0; at < html.len; at++) {
        const char *p = memchr(html.ptr + at, '<', html.len - at);
        if (p == NULL)
            return false;
        at = (size_t)(p - html.ptr);
        for (size_t i = 0; i < COUNT_OF(tags); i++) {
            size_t len = strlen(tags[i]);
            char after = at + len < html.len ? html.ptr[at + len] : 0;
            if (str_eq_nocase(str_slice(html, at, at + len), str_from_c(tags[i])) &&
                (after == '>' || after == ' ' || after == '\n' || after == '\r' || after == '\t'))
                return true;
        }
    }
    return false;
}

/* --- files */

ErrCode mail_files_open(const DocInput *in, Doc *out, MailFiles *f)
{
    *f = (MailFiles){.in = in, .out = out};
    f->items = arena_new(in->step->arena, MailFile, MAIL_FILES_MAX);
    return f->items != NULL ? OK : err_set(in->step->err, ERR_NO_MEMORY, "reading a message");
}

void mail_files_add(MailFiles *f, MailFile file)
{
    if (f->len < MAIL_FILES_MAX)
        f->items[f->len++] = file;
}

static void put_line(const MailFiles *f, const MailFile *file, Arena *a)
{
    Buf b = buf_init(a, 4 * KIB);
    buf_add(&b, file->name.len > 0 ? file->name : STR("without a name"));
    if (file->type.len > 0)
        buf_addf(&b, " (" STR_FMT ", %" PRId64 " bytes)", STR_ARG(file->type), file->size_bytes);
    else
        buf_addf(&b, " (%" PRId64 " bytes)", file->size_bytes);
    doc_item(f->out, 0, 0);
    doc_text(f->out, buf_str(&b));
    doc_end(f->out);
}

static void read_one(MailFiles *f, const MailFile *file)
{
    Arena *a = f->in->step->arena;
    ArenaMark mark = arena_mark(a);
    attach_read(f->in, f->out, file->name, file->type, f->bytes(f->ctx, file, a));
    arena_rewind(a, mark);
}

void mail_files_put(MailFiles *f, size_t from)
{
    size_t to = f->len;
    if (to > from && f->in->attachments != ATTACHMENTS_NONE) {
        doc_begin(f->out, BLOCK_PARAGRAPH, 0);
        doc_mark(f->out, MARK_BOLD, STR(""));
        doc_text(f->out, STR("Attachments:"));
        doc_end(f->out);
        for (size_t i = from; i < to; i++)
            put_line(f, &f->items[i], f->in->step->arena);
    }
    for (size_t i = from; i < to && f->in->attachments == ATTACHMENTS_READ; i++)
        if (!doc_failed(f->out))
            read_one(f, &f->items[i]);
    f->len = from;
}
