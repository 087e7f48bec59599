/* pdf.split: one PDF file as several.
 *
 * What    by one of: every n pages, at given ranges, at the bookmarks of the first level, or so that
 *         each part stays below a size. Parts are called report-001.pdf, report-002.pdf …
 * Kept    bookmarks and links that stay within a part, form fields, page labels, layers, the
 *         password of the source. Attachments stay in the source only. */
#include "pdf/pdf.h"

#include "base/fd.h"

#include <stdio.h>

enum { PARTS_MAX = 2000, LISTED_MAX = 400 };

enum SplitAt { AT_PAGES, AT_RANGES, AT_BOOKMARKS, AT_SIZE };
static const Choice at_choices[] = {
    [AT_PAGES] = {"pages", "Every so many pages."},
    [AT_RANGES] = {"ranges", "One part for each range."},
    [AT_BOOKMARKS] = {"bookmarks", "Where a bookmark of the first level leads."},
    [AT_SIZE] = {"size", "As many pages as stay below a size."},
    {0},
};

typedef struct SplitArgs {
    int at; /* enum SplitAt, -1: by what else is given */
    int64_t every, max_kb;
    Str ranges, password;
} SplitArgs;

static const Param split_params[] = {
    PARAM_CHOICE(SplitArgs, at, .choices = at_choices, .def = -1,
                 .help = "Where to cut; left out: at ranges or size when given, else every pages."),
    PARAM_INT(SplitArgs, every, .min = 1, .max = PDF_PAGES_MAX, .def = 1, .unit = "pages",
              .help = "Pages of each part."),
    PARAM_TEXT(SplitArgs, ranges, .max_len = 16 * 1024, .example = "1-3,5,8-",
               .help = "Ranges of pages, one part for each."),
    PARAM_INT(SplitArgs, max_kb, .min = 16, .max = 4 * 1024 * 1024, .unit = "KiB",
              .example = "5000", .help = "Size no part is to exceed, unless one page alone does."),
    PARAM_TEXT(SplitArgs, password, .secret = true, .max_len = 128,
               .help = "Password of the file."),
    PARAM_END,
};

static const Field split_part_fields[] = {
    {"name", FIELD_TYPE_TEXT, "Name of the part."},
    {"first_page", FIELD_TYPE_INT, "Its first page in the source."},
    {"pages", FIELD_TYPE_INT, "How many pages it has."},
    {"bytes", FIELD_TYPE_INT, "Its size."},
    {"title", FIELD_TYPE_TEXT, "The bookmark it begins with.", .optional = true},
    {0},
};
static const Field split_fields[] = {
    {"pages", FIELD_TYPE_INT, "Pages of the source."},
    {"parts", FIELD_TYPE_INT, "Parts made."},
    {"repairs", FIELD_TYPE_INT, "Damaged places that were repaired while reading."},
    {"files", FIELD_TYPE_LIST, "The first 400 parts.", .items = split_part_fields},
    {0},
};

typedef struct Part {
    PageList pages;
    Str title;
    Str name;
    int64_t bytes;
} Part;

typedef struct Split {
    StepCtx *c;
    const SplitArgs *args;
    Pdf *pdf;
    Part *parts;
    size_t len, cap;
} Split;

static ErrCode add_part(Split *s, PageList pages, Str title)
{
    if (s->len == PARTS_MAX) {
        err_set(s->c->err, ERR_LIMIT_COUNT, "more than %d parts", PARTS_MAX);
        err_hint(s->c->err, "ask for larger parts, or split a range of pages first");
        return ERR_LIMIT_COUNT;
    }
    if (s->len == s->cap) {
        size_t more = s->cap == 0 ? 64 : s->cap * 2;
        Part *grown =
            arena_grow(s->c->arena, s->parts, s->cap * sizeof *grown, more * sizeof *grown);
        if (grown == NULL)
            return err_set(s->c->err, ERR_NO_MEMORY, "no memory for %zu parts", more);
        s->parts = grown;
        s->cap = more;
    }
    s->parts[s->len++] = (Part){.pages = pages, .title = title};
    return OK;
}

static ErrCode add_range(Split *s, int64_t from, int64_t to, Str title)
{
    PageList pages = {.pages = arena_new(s->c->arena, int64_t, (size_t)(to - from + 1))};
    if (pages.pages == NULL)
        return err_set(s->c->err, ERR_NO_MEMORY, "no memory for a list of pages");
    for (int64_t no = from; no <= to; no++)
        pages.pages[pages.len++] = no;
    return add_part(s, pages, title);
}

static ErrCode cut_every(Split *s)
{
    int64_t count = pdf_page_count(s->pdf);
    ErrCode rc = OK;
    for (int64_t from = 1; rc == OK && from <= count; from += s->args->every) {
        int64_t to = from + s->args->every - 1;
        rc = add_range(s, from, to < count ? to : count, (Str){0});
    }
    return rc;
}

static ErrCode cut_ranges(Split *s)
{
    Str rest = s->args->ranges, range;
    ErrCode rc = OK;
    while (rc == OK && str_next(&rest, ',', &range)) {
        PageList pages;
        rc =
            pagelist_parse(s->c->arena, range, pdf_page_count(s->pdf), "ranges", &pages, s->c->err);
        if (rc == OK)
            rc = add_part(s, pages, (Str){0});
    }
    return rc;
}

static ErrCode cut_bookmarks(Split *s)
{
    PdfBookmark *marks;
    size_t len;
    int64_t count = pdf_page_count(s->pdf), from = 1;
    Str title = {0};
    ErrCode rc = pdf_top_bookmarks(s->c->arena, s->pdf, &marks, &len, s->c->err);
    if (rc == OK && len == 0) {
        err_set(s->c->err, ERR_BAD_PARAM, "the document has no bookmarks to split at");
        err_hint(s->c->err, "split every few pages, or name ranges");
        err_param(s->c->err, "at");
        return ERR_BAD_PARAM;
    }
    /* Several bookmarks may lead to one page, and back: each page is in one part. */
    for (size_t i = 0; rc == OK && i < len; i++) {
        if (marks[i].page_no > from) {
            rc = add_range(s, from, marks[i].page_no - 1, title);
            from = marks[i].page_no;
            title = marks[i].title;
        } else if (title.ptr == NULL && marks[i].page_no == from) {
            title = marks[i].title;
        }
    }
    return rc == OK ? add_range(s, from, count, title) : rc;
}

static ErrCode compose(Split *s, PageList pages, Pdf **out)
{
    PdfPart part = {.pdf = s->pdf, .pages = pages};
    return pdf_compose(s->c, &part, 1, &(PdfCompose){.bookmarks = PDF_BOOKMARKS_KEEP}, out);
}

/* How large the pages would be as a file of their own. */
static ErrCode measure(Split *s, int64_t from, int64_t to, int64_t *bytes)
{
    CLEANUP(pdf_close) Pdf *made = NULL;
    CLEANUP(fd_close) int fd = -1;
    PageList pages = {.pages = arena_new(s->c->arena, int64_t, (size_t)(to - from + 1))};
    if (pages.pages == NULL)
        return err_set(s->c->err, ERR_NO_MEMORY, "no memory for a list of pages");
    for (int64_t no = from; no <= to; no++)
        pages.pages[pages.len++] = no;
    ErrCode rc = compose(s, pages, &made);
    if (rc == OK)
        rc = step_scratch(s->c, &fd);
    return rc == OK ? pdf_write_fd(made, &(PdfWrite){0}, fd, bytes, s->c->err) : rc;
}

/* The longest run of pages from `from` that fits: doubled until it does not, then halved. */
static ErrCode longest(Split *s, int64_t from, int64_t max_bytes, int64_t *to)
{
    int64_t count = pdf_page_count(s->pdf), fits = from, bytes = 0, step = 1;
    ErrCode rc = OK;
    bool growing = true;
    while (rc == OK && step > 0 && fits < count) {
        ArenaMark mark = arena_mark(s->c->arena);
        int64_t next = fits + step < count ? fits + step : count;
        rc = measure(s, from, next, &bytes);
        arena_rewind(s->c->arena, mark);
        if (rc == OK && bytes <= max_bytes)
            fits = next;
        else
            growing = false;
        step = growing ? step * 2 : step / 2;
    }
    *to = fits;
    return rc;
}

static ErrCode cut_size(Split *s)
{
    int64_t count = pdf_page_count(s->pdf);
    ErrCode rc = OK;
    for (int64_t from = 1, to = 0; rc == OK && from <= count; from = to + 1) {
        rc = longest(s, from, s->args->max_kb * 1024, &to);
        if (rc == OK)
            rc = add_range(s, from, to, (Str){0});
    }
    return rc;
}

static ErrCode missing(Split *s, const char *param)
{
    err_set(s->c->err, ERR_BAD_PARAM, "is needed to split there");
    err_param(s->c->err, param);
    return ERR_BAD_PARAM;
}

static ErrCode plan(Split *s)
{
    int at = s->args->at;
    if (at < 0)
        at = s->args->ranges.len > 0 ? AT_RANGES : s->args->max_kb > 0 ? AT_SIZE : AT_PAGES;
    if (at == AT_RANGES)
        return s->args->ranges.len > 0 ? cut_ranges(s) : missing(s, "ranges");
    if (at == AT_SIZE)
        return s->args->max_kb > 0 ? cut_size(s) : missing(s, "max_kb");
    return at == AT_BOOKMARKS ? cut_bookmarks(s) : cut_every(s);
}

static ErrCode write_part(Split *s, size_t i)
{
    CLEANUP(pdf_close) Pdf *made = NULL;
    Part *p = &s->parts[i];
    char suffix[32];
    snprintf(suffix, sizeof suffix, s->len < 1000 ? "-%03zu" : "-%04zu", i + 1);
    p->name = pagelist_name(s->c->arena, s->c->inputs[0].name, suffix);
    if (p->name.ptr == NULL)
        return err_set(s->c->err, ERR_NO_MEMORY, "no memory for a name");
    ErrCode rc = compose(s, p->pages, &made);
    if (rc == OK)
        rc = pdf_write(s->c, made, &(PdfWrite){.protect_like = s->pdf}, p->name, &p->bytes);
    step_progress(s->c, (int64_t)i + 1, (int64_t)s->len, NULL);
    return rc;
}

static void put_result(Split *s)
{
    JsonOut *j = s->c->data;
    json_kv_int(j, "pages", pdf_page_count(s->pdf));
    json_kv_int(j, "parts", (int64_t)s->len);
    json_kv_int(j, "repairs", pdf_note_repairs(s->c, s->pdf, s->c->inputs[0].name));
    json_key(j, "files");
    json_begin(j, '[');
    for (size_t i = 0; i < s->len && i < LISTED_MAX; i++) {
        const Part *p = &s->parts[i];
        json_begin(j, '{');
        json_kv_str(j, "name", str_slice(p->name, 0, 120));
        json_kv_int(j, "first_page", p->pages.pages[0]);
        json_kv_int(j, "pages", (int64_t)p->pages.len);
        json_kv_int(j, "bytes", p->bytes);
        if (p->title.ptr != NULL)
            json_kv_str(j, "title", str_slice(p->title, 0, 60));
        json_end(j, '}');
    }
    json_end(j, ']');
    step_usage(s->c, "pages", pdf_page_count(s->pdf));
}

static ErrCode split_run(StepCtx *c, const void *args)
{
    CLEANUP(pdf_close) Pdf *pdf = NULL;
    Split s = {.c = c, .args = args};
    ErrCode rc = pdf_open(c, &c->inputs[0], s.args->password, &pdf);
    s.pdf = pdf;
    if (rc == OK)
        rc = pdf_drop_unused_resources(pdf, c->err);
    if (rc == OK)
        rc = plan(&s);
    for (size_t i = 0; rc == OK && i < s.len; i++)
        rc = write_part(&s, i);
    if (rc == OK)
        put_result(&s);
    return rc;
}

const Step step_pdf_split = {
    .name = "pdf.split",
    .title = "Split PDF",
    .summary = "Cut a PDF file into parts: every few pages, at ranges, at bookmarks, or by size.",
    .since = "0.1",
    .accepts = "application/pdf",
    .returns = "application/pdf",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 240 * 1000, .memory_bytes = (int64_t)2 << 30},
    .params = split_params,
    .args_size = sizeof(SplitArgs),
    .data = split_fields,
    .errors = (const ErrCode[]){ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE, ERR_INPUT_DAMAGED,
                                ERR_INPUT_ENCRYPTED, ERR_LIMIT_COUNT, ERR_LIMIT_MEMORY,
                                ERR_BAD_PARAM, OK},
    .examples = (const Example[]){{.title = "Single pages",
                                   .input = "report.pdf",
                                   .expect = "application/pdf; pages=3; parts=3"},
                                  {.title = "A cover and the rest",
                                   .input = "report.pdf",
                                   .args = "{\"ranges\": \"1,2-\"}",
                                   .expect = "application/pdf; parts=2"},
                                  {.title = "One part for each chapter",
                                   .input = "report.pdf",
                                   .args = "{\"at\": \"bookmarks\"}",
                                   .expect = "application/pdf; parts>=2"},
                                  {0}},
    .run = split_run,
};
