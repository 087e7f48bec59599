/* convert_model.c: any document that a reader knows, written by one of our own writers. */
#include "document/convert_in.h"
#include "document/reading.h"
#include "document/zip.h"

static const struct {
    To to;
    DocFormat format;
} formats[] = {
    {TO_PDF, DOC_PDF},   {TO_DOCX, DOC_DOCX},         {TO_HTML, DOC_HTML},
    {TO_EPUB, DOC_EPUB}, {TO_MARKDOWN, DOC_MARKDOWN}, {TO_TEXT, DOC_TEXT},
};

static DocFormat format_of(To to)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (formats[i].to == to)
            return formats[i].format;
    return DOC_TEXT;
}

void convert_paper(const ConvertArgs *a, float *width, float *height, float *margin)
{
    static const struct {
        float width, height;
    } papers[] = {[PAPER_AUTO] = {595.28f, 841.89f}, [PAPER_A4] = {595.28f, 841.89f},
                  [PAPER_LETTER] = {612, 792},       [PAPER_LEGAL] = {612, 1008},
                  [PAPER_A3] = {841.89f, 1190.55f},  [PAPER_A5] = {419.53f, 595.28f}};
    float w = papers[a->paper].width, h = papers[a->paper].height;
    *width = a->landscape ? h : w;
    *height = a->landscape ? w : h;
    *margin = (float)(a->margin_mm * 72 / 25.4);
}

static ErrCode read_one(const Job *j, Doc *out)
{
    DocReader read = convert_reader(j->id);
    const DocInput in = {
        .step = j->c,
        .fd = j->c->input_fd,
        .bytes = j->bytes,
        .name = j->c->inputs[0].name,
        .type = str_from_c(j->type.media_type),
        .password = j->a->password,
        .pages = j->a->pages,
        .charset = reading_charset(j->c->inputs[0].type),
    };
    if (read == NULL)
        return err_set(j->c->err, ERR_UNSUPPORTED_TYPE, "no text can be read from %s",
                       j->type.name);
    return read(&in, out);
}

/* --- what the document model does not hold */

static bool is_picture_name(Str name)
{
    static const char *const endings[] = {".png", ".jpg",  ".jpeg", ".gif", ".tif", ".tiff",
                                          ".bmp", ".webp", ".svg",  ".emf", ".wmf"};
    for (size_t i = 0; i < COUNT_OF(endings); i++)
        if (str_ends_nocase(name, str_from_c(endings[i])))
            return true;
    return false;
}

static int64_t count_in_zip(const Job *j)
{
    Zip zip;
    Err err;
    int64_t found = 0;
    if (!str_starts(j->bytes, STR("PK\3\4")) || zip_open(j->c->arena, j->bytes, &zip, &err) != OK)
        return 0;
    for (size_t i = 0; i < zip.len; i++) {
        Str name = zip.entries[i].name;
        found += is_picture_name(name) && str_find(name, STR("humbnail")) == STR_NONE;
    }
    return found;
}

static int64_t count_of(Str text, Str needle)
{
    int64_t found = 0;
    for (size_t at; (at = str_find(text, needle)) != STR_NONE; found++)
        text = str_slice(text, at + needle.len, text.len);
    return found;
}

/* The text is carried over, pictures are not: say so, and how many there seem to be. */
static void note_pictures(const Job *j)
{
    int64_t found = count_in_zip(j);
    if (j->id == TYPE_HTML || j->id == TYPE_XHTML)
        found = count_of(j->bytes, STR("<img"));
    else if (j->id == TYPE_MARKDOWN)
        found = count_of(j->bytes, STR("![")) + count_of(j->bytes, STR("<img"));
    if (found == 0 || j->to == TO_TEXT)
        return;
    Str text =
        str_printf(j->c->arena,
                   "pictures of the original that were left out, since only its text is carried "
                   "over: %" PRId64,
                   found);
    if (text.ptr != NULL)
        step_note(j->c, text);
}

ErrCode convert_model(Job *jobs, size_t len)
{
    Job *j = &jobs[0];
    DocTotals totals = {0};
    DocOptions options = {.title = j->a->title,
                          .style = (DocStyle)j->a->style,
                          .pdf_a = j->a->pdf_a,
                          .totals = &totals};
    convert_paper(j->a, &options.paper_width, &options.paper_height, &options.margin);
    CLEANUP(doc_abandon) Doc *doc = NULL;
    ErrCode rc = doc_open_with(j->c, format_of(j->to), &options, &doc);
    for (size_t i = 0; i < len && rc == OK; i++) {
        rc = read_one(&jobs[i], doc);
        if (rc == OK)
            note_pictures(&jobs[i]);
        if (len > 1)
            step_progress(j->c, (int64_t)i + 1, (int64_t)len, "files");
    }
    if (rc == OK)
        rc = doc_close(&doc);
    if (rc != OK)
        return rc;
    j->how = "model";
    j->outputs = 1;
    j->pages = totals.pages;
    return OK;
}
