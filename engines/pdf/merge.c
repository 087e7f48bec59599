/* pdf.merge: several PDF files, or pages of them, as one.
 *
 * What    the files in the order given, each with its own range of pages; bookmarks (one per file,
 *         theirs below it), links, form fields, page labels, attachments and layers go along.
 * Forms   fields of two files with the same name stay two fields: the second is renamed.
 * Not     signatures (they sign other bytes), the structure for screen readers, XFA forms. */
#include "pdf/pdf.h"

#include "base/fd.h"

enum { FILES_MAX = 100 };

static const Choice bookmark_choices[] = {
    [PDF_BOOKMARKS_FILES] = {"files", "One per file with its name, its own bookmarks below."},
    [PDF_BOOKMARKS_KEEP] = {"keep", "Those the files have, one after the other."},
    [PDF_BOOKMARKS_NONE] = {"none", "No bookmarks."},
    {0},
};

typedef struct MergeArgs {
    Str pages, password, title, name;
    int bookmarks;
} MergeArgs;

static const Param merge_params[] = {
    PARAM_TEXT(MergeArgs, pages, .max_len = 16 * 1024, .example = "1-3,7;;2-",
               .help = "Pages of each file, files parted by a semicolon: 1-3,7;;odd takes all of "
                       "the second."),
    PARAM_CHOICE(MergeArgs, bookmarks, .choices = bookmark_choices, .def = PDF_BOOKMARKS_FILES,
                 .help = "Bookmarks of the new document."),
    PARAM_TEXT(MergeArgs, title, .max_len = 1000, .example = "Minutes 2026",
               .help = "Title of the new document; left out: that of the first file."),
    PARAM_TEXT(MergeArgs, name, .max_len = 200, .example = "minutes.pdf",
               .help = "Name of the new file; left out: merged.pdf."),
    PARAM_TEXT(MergeArgs, password, .secret = true, .max_len = 128,
               .help = "Password of the files that have one."),
    PARAM_END,
};

static const Field merge_part_fields[] = {
    {"name", FIELD_TYPE_TEXT, "Name of the file."},
    {"pages", FIELD_TYPE_INT, "Pages taken from it."},
    {"first_page", FIELD_TYPE_INT, "Where they begin in the new document."},
    {0},
};
static const Field merge_fields[] = {
    {"pages", FIELD_TYPE_INT, "Pages of the new document."},
    {"bytes", FIELD_TYPE_INT, "Size of the new document."},
    {"source_bytes", FIELD_TYPE_INT, "Size of all files."},
    {"repairs", FIELD_TYPE_INT, "Damaged places that were repaired while reading."},
    {"files", FIELD_TYPE_LIST, "What was taken from each file.", .items = merge_part_fields},
    {0},
};

typedef struct Merge {
    StepCtx *c;
    const MergeArgs *args;
    PdfPart parts[FILES_MAX];
    size_t len;
    int64_t repairs, source_bytes;
    bool protected;
} Merge;

/* Two uploads of one name get two bookmarks that can be told apart by their place only. */
static Str title_of(Str name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '/' || name.ptr[i - 1] == '\\') {
            name = str_slice(name, i, name.len);
            break;
        }
    return str_ends_nocase(name, STR(".pdf")) && name.len > 4 ? str_slice(name, 0, name.len - 4)
                                                              : name;
}

static ErrCode open_part(Merge *m, const StepInput *in, Str pages)
{
    PdfPart *part = &m->parts[m->len];
    ErrCode rc = pdf_open(m->c, in, m->args->password, &part->pdf);
    if (rc != OK)
        return rc;
    m->len++;
    part->title = title_of(in->name);
    m->source_bytes += in->size_bytes;
    m->protected |= pdf_is_encrypted(part->pdf);
    rc = pagelist_parse(m->c->arena, pages, pdf_page_count(part->pdf), "pages", &part->pages,
                        m->c->err);
    if (rc == ERR_BAD_PARAM)
        err_hint(m->c->err, "file %zu is \"" STR_FMT "\"", m->len,
                 STR_ARG(str_slice(in->name, 0, 80)));
    return rc;
}

static ErrCode open_all(Merge *m)
{
    Str rest = m->args->pages;
    for (size_t i = 0; i < m->c->inputs_len; i++) {
        Str pages = {0};
        if (rest.ptr != NULL)
            (void)str_next(&rest, ';', &pages);
        ErrCode rc = open_part(m, &m->c->inputs[i], pages);
        if (rc != OK)
            return rc;
    }
    if (rest.ptr != NULL && str_trim(rest).len > 0) {
        err_set(m->c->err, ERR_BAD_PARAM, "there are ranges for more than %zu files",
                m->c->inputs_len);
        err_param(m->c->err, "pages");
        return ERR_BAD_PARAM;
    }
    return OK;
}

static ErrCode set_title(Merge *m, Pdf *made)
{
    PdfInfo info;
    if (m->args->title.len == 0)
        return OK;
    ErrCode rc = pdf_info_read(m->c->arena, made, &info, m->c->err);
    info.title = m->args->title;
    return rc == OK ? pdf_info_write(m->c->arena, made, &info, m->c->err) : rc;
}

static void put_result(Merge *m, Pdf *made, int64_t bytes)
{
    JsonOut *j = m->c->data;
    int64_t first = 1;
    json_kv_int(j, "pages", pdf_page_count(made));
    json_kv_int(j, "bytes", bytes);
    json_kv_int(j, "source_bytes", m->source_bytes);
    json_kv_int(j, "repairs", m->repairs);
    json_key(j, "files");
    json_begin(j, '[');
    for (size_t i = 0; i < m->len; i++) {
        json_begin(j, '{');
        json_kv_str(j, "name", str_slice(m->c->inputs[i].name, 0, 200));
        json_kv_int(j, "pages", (int64_t)m->parts[i].pages.len);
        json_kv_int(j, "first_page", first);
        json_end(j, '}');
        first += (int64_t)m->parts[i].pages.len;
    }
    json_end(j, ']');
    step_usage(m->c, "pages", pdf_page_count(made));
}

static ErrCode merge(Merge *m)
{
    CLEANUP(pdf_close) Pdf *made = NULL;
    int64_t bytes = 0;
    Str name = m->args->name.len > 0 ? m->args->name : STR("merged.pdf");
    ErrCode rc = open_all(m);
    if (rc == OK)
        rc = pdf_compose(
            m->c, m->parts, m->len,
            &(PdfCompose){.bookmarks = (PdfBookmarks)m->args->bookmarks, .attachments = true},
            &made);
    if (rc == OK)
        rc = set_title(m, made);
    if (rc == OK)
        rc = pdf_write(m->c, made, &(PdfWrite){0}, name, &bytes);
    if (rc != OK)
        return rc;
    for (size_t i = 0; i < m->len; i++)
        m->repairs += pdf_note_repairs(m->c, m->parts[i].pdf, m->c->inputs[i].name);
    if (m->protected)
        step_note(m->c, STR("the new document has no password: pdf.encrypt gives it one"));
    put_result(m, made, bytes);
    return OK;
}

static ErrCode merge_run(StepCtx *c, const void *args)
{
    if (c->inputs_len == 0)
        return err_set(c->err, ERR_INPUT_MISSING, "no file was given");
    if (c->inputs_len > FILES_MAX)
        return err_set(c->err, ERR_LIMIT_COUNT, "%zu files, the limit is %d", c->inputs_len,
                       FILES_MAX);
    Merge *m = arena_new(c->arena, Merge, 1);
    if (m == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory to merge");
    m->c = c;
    m->args = args;
    ErrCode rc = merge(m);
    for (size_t i = 0; i < m->len; i++)
        pdf_close(&m->parts[i].pdf);
    return rc;
}

const Step step_pdf_merge = {
    .name = "pdf.merge",
    .title = "Merge PDF files",
    .summary = "Put PDF files, or pages of them, together in the order given, with bookmarks, "
               "links, forms and attachments.",
    .since = "0.1",
    .accepts = "application/pdf",
    .returns = "application/pdf",
    .inputs_max = FILES_MAX,
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 240 * 1000, .memory_bytes = (int64_t)2 << 30},
    .params = merge_params,
    .args_size = sizeof(MergeArgs),
    .data = merge_fields,
    .errors = (const ErrCode[]){ERR_INPUT_MISSING, ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE,
                                ERR_INPUT_DAMAGED, ERR_INPUT_ENCRYPTED, ERR_LIMIT_COUNT,
                                ERR_LIMIT_MEMORY, ERR_BAD_PARAM, OK},
    .examples = (const Example[]){{.title = "Take some pages of a report",
                                   .input = "report.pdf",
                                   .args = "{\"pages\": \"3,1\", \"name\": \"short.pdf\"}",
                                   .expect = "application/pdf; pages=2; repairs=0"},
                                  {.title = "A picture is not merged",
                                   .input = "photo.jpg",
                                   .expect = "reason=unsupported_type"},
                                  {0}},
    .run = merge_run,
};
