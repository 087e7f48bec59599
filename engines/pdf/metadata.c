/* pdf.metadata: what a PDF says about itself, read, changed or removed.
 *
 * Read    without any change there is no new file, only data.
 * Write   an entry that is given is set, an empty one removed, the rest stays; the XMP packet says
 *         the same afterwards.
 * Privacy `remove` takes away everything: information dictionary, XMP of document and pictures,
 *         thumbnails, private data of programs. Names in comments and in the text itself stay. */
#include "pdf/pdf.h"

enum { CUSTOM_MAX = 100, VALUE_LISTED = 2000 };

typedef struct MetadataArgs {
    Str title, author, subject, keywords, creator, producer, created, modified, password;
    StrList clear;
    const Json *custom;
    bool remove;
} MetadataArgs;

static const Param metadata_params[] = {
    PARAM_TEXT(MetadataArgs, title, .max_len = 4096, .example = "Harbour report",
               .help = "Title to set."),
    PARAM_TEXT(MetadataArgs, author, .max_len = 4096, .example = "Ida Lund",
               .help = "Author to set."),
    PARAM_TEXT(MetadataArgs, subject, .max_len = 4096, .help = "Subject to set."),
    PARAM_TEXT(MetadataArgs, keywords, .max_len = 4096, .example = "harbour, tides",
               .help = "Keywords to set, joined by commas."),
    PARAM_TEXT(MetadataArgs, creator, .max_len = 4096,
               .help = "Program to name as the one the text was written with."),
    PARAM_TEXT(MetadataArgs, producer, .max_len = 4096,
               .help = "Program to name as the one that made the PDF."),
    PARAM_TEXT(MetadataArgs, created, .max_len = 40, .example = "2026-01-02T03:04:05+01:00",
               .help = "Date of creation to set."),
    PARAM_TEXT(MetadataArgs, modified, .max_len = 40, .example = "2026-01-02",
               .help = "Date of the last change to set."),
    PARAM_JSON(MetadataArgs, custom, .example = "{\"Department\": \"Harbour\"}",
               .help = "Entries of your own, as an object; null removes one."),
    PARAM_LIST(MetadataArgs, clear, .max_len = 16, .example = "author,producer",
               .help = "Entries to remove: title, author, subject, keywords, creator, producer, "
                       "created, modified."),
    PARAM_BOOL(MetadataArgs, remove, .help = "First remove all that is there, for privacy."),
    PARAM_TEXT(MetadataArgs, password, .secret = true, .max_len = 128,
               .help = "Password of the file."),
    PARAM_END,
};

static const Field size_fields[] = {
    {"width", FIELD_TYPE_INT, "Points across, as shown."},
    {"height", FIELD_TYPE_INT, "Points down, as shown."},
    {"pages", FIELD_TYPE_INT, "Pages of this size."},
    {0},
};
static const Field metadata_fields[] = {
    {"title", FIELD_TYPE_TEXT, "Title.", .optional = true},
    {"author", FIELD_TYPE_TEXT, "Author.", .optional = true},
    {"subject", FIELD_TYPE_TEXT, "Subject.", .optional = true},
    {"keywords", FIELD_TYPE_TEXT, "Keywords.", .optional = true},
    {"creator", FIELD_TYPE_TEXT, "Program the text was written with.", .optional = true},
    {"producer", FIELD_TYPE_TEXT, "Program that made the PDF.", .optional = true},
    {"created", FIELD_TYPE_TEXT, "Date of creation, ISO 8601 where it is a date.",
     .optional = true},
    {"modified", FIELD_TYPE_TEXT, "Date of the last change.", .optional = true},
    {"custom", FIELD_TYPE_ANY, "Other entries, as an object."},
    {"pages", FIELD_TYPE_INT, "Pages."},
    {"version", FIELD_TYPE_TEXT, "Version of PDF."},
    {"linearized", FIELD_TYPE_BOOL, "Its first page shows before the rest has arrived."},
    {"encrypted", FIELD_TYPE_BOOL, "It is protected."},
    {"encryption", FIELD_TYPE_TEXT, "How it is protected.", .optional = true},
    {"forbidden", FIELD_TYPE_LIST, "What users may not do with it."},
    {"sizes", FIELD_TYPE_LIST, "Sizes of pages.", .items = size_fields},
    {"fonts", FIELD_TYPE_LIST, "Names of fonts, the first 200."},
    {"attachments", FIELD_TYPE_LIST, "Names of attached files, the first 200."},
    {"pictures", FIELD_TYPE_INT, "Pictures in it."},
    {"signatures", FIELD_TYPE_INT, "Signed signature fields."},
    {"javascript", FIELD_TYPE_BOOL, "It runs scripts."},
    {"form", FIELD_TYPE_BOOL, "It has fields to fill in."},
    {"tagged", FIELD_TYPE_BOOL, "It has a structure for screen readers."},
    {"bookmarks", FIELD_TYPE_BOOL, "It has bookmarks."},
    {"repairs", FIELD_TYPE_INT, "Damaged places that were repaired while reading."},
    {"bytes", FIELD_TYPE_INT, "Size of the new file, when something was changed.",
     .optional = true},
    {0},
};

static const struct {
    const char *name;
    size_t info, args;
    bool date;
} entries[] = {
    {"title", offsetof(PdfInfo, title), offsetof(MetadataArgs, title), false},
    {"author", offsetof(PdfInfo, author), offsetof(MetadataArgs, author), false},
    {"subject", offsetof(PdfInfo, subject), offsetof(MetadataArgs, subject), false},
    {"keywords", offsetof(PdfInfo, keywords), offsetof(MetadataArgs, keywords), false},
    {"creator", offsetof(PdfInfo, creator), offsetof(MetadataArgs, creator), false},
    {"producer", offsetof(PdfInfo, producer), offsetof(MetadataArgs, producer), false},
    {"created", offsetof(PdfInfo, created), offsetof(MetadataArgs, created), true},
    {"modified", offsetof(PdfInfo, modified), offsetof(MetadataArgs, modified), true},
};

static Str *info_field(PdfInfo *info, size_t i)
{
    return (Str *)((char *)info + entries[i].info);
}

static const Str *arg_field(const MetadataArgs *a, size_t i)
{
    return (const Str *)((const char *)a + entries[i].args);
}

static ErrCode bad(StepCtx *c, const char *param, const char *detail)
{
    err_set(c->err, ERR_BAD_PARAM, "%s", detail);
    err_param(c->err, param);
    return ERR_BAD_PARAM;
}

static ErrCode clear_entries(StepCtx *c, const MetadataArgs *a, PdfInfo *info)
{
    for (size_t k = 0; k < a->clear.len; k++) {
        size_t i = 0;
        while (i < COUNT_OF(entries) && !str_eq_c(a->clear.items[k], entries[i].name))
            i++;
        if (i == COUNT_OF(entries))
            return bad(c, "clear", "names an entry there is not");
        *info_field(info, i) = (Str){0};
    }
    return OK;
}

/* The first of the list wins when read again, so what is new goes in front. */
static ErrCode set_custom(StepCtx *c, const MetadataArgs *a, PdfInfo *info)
{
    if (a->custom == NULL || json_is(a->custom, JSON_NULL))
        return OK;
    if (!json_is(a->custom, JSON_OBJECT) || a->custom->len > CUSTOM_MAX)
        return bad(c, "custom", "must be an object of at most 100 texts");
    json_each(item, a->custom) {
        if ((!json_is(item, JSON_TEXT) && !json_is(item, JSON_NULL)) || item->key.len == 0 ||
            item->key.len > 100)
            return bad(c, "custom", "must have texts under names of 1 to 100 bytes");
        const PdfCustom *old = info->custom;
        while (old != NULL && !str_eq(old->key, item->key))
            old = old->next;
        PdfCustom *made = (PdfCustom *)(uintptr_t)old;
        if (made == NULL) {
            made = arena_new(c->arena, PdfCustom, 1);
            if (made == NULL)
                return err_set(c->err, ERR_NO_MEMORY, "no memory for an entry");
            made->key = item->key;
            made->next = (PdfCustom *)(uintptr_t)info->custom;
            info->custom = made;
        }
        made->value = json_text(item);
    }
    return OK;
}

static ErrCode change(StepCtx *c, const MetadataArgs *a, PdfInfo *info, bool *changed)
{
    ErrCode rc = clear_entries(c, a, info);
    *changed = a->remove || a->clear.len > 0 || json_is(a->custom, JSON_OBJECT);
    for (size_t i = 0; rc == OK && i < COUNT_OF(entries); i++) {
        Str value = *arg_field(a, i);
        if (value.len == 0)
            continue;
        if (entries[i].date && pdf_date_from_iso(c->arena, value).len == 0)
            return bad(c, entries[i].name, "must be a date such as 2026-01-02T03:04:05+01:00");
        *info_field(info, i) = value;
        *changed = true;
    }
    return rc == OK ? set_custom(c, a, info) : rc;
}

static bool is_empty(const PdfInfo *info)
{
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        if (info_field((PdfInfo *)(uintptr_t)info, i)->len > 0)
            return false;
    return info->custom == NULL;
}

static ErrCode write_changes(StepCtx *c, const MetadataArgs *a, Pdf *pdf, const PdfInfo *info,
                             int64_t *bytes)
{
    ErrCode rc = a->remove ? pdf_info_remove(pdf, c->err) : OK;
    if (rc == OK && !(a->remove && is_empty(info)))
        rc = pdf_info_write(c->arena, pdf, info, c->err);
    Str name = pagelist_name(c->arena, c->inputs[0].name, "");
    return rc == OK ? pdf_write(c, pdf, &(PdfWrite){0}, name, bytes) : rc;
}

static void put_info(StepCtx *c, const PdfInfo *info)
{
    for (size_t i = 0; i < COUNT_OF(entries); i++) {
        Str v = *info_field((PdfInfo *)(uintptr_t)info, i);
        if (v.len > 0)
            json_kv_str(c->data, entries[i].name, str_slice(v, 0, VALUE_LISTED));
    }
    int left = CUSTOM_MAX;
    json_key(c->data, "custom");
    json_begin(c->data, '{');
    for (const PdfCustom *p = info->custom; p != NULL && left > 0; p = p->next, left--) {
        if (p->value.len == 0)
            continue;
        json_key_str(c->data, str_slice(p->key, 0, 100));
        json_put_str(c->data, str_slice(p->value, 0, 200));
    }
    json_end(c->data, '}');
}

static ErrCode metadata_run(StepCtx *c, const void *args)
{
    const MetadataArgs *a = args;
    CLEANUP(pdf_close) Pdf *pdf = NULL;
    PdfInfo info = {0};
    bool changed = false;
    int64_t bytes = 0;
    ErrCode rc = pdf_open(c, &c->inputs[0], a->password, &pdf);
    if (rc == OK && !a->remove)
        rc = pdf_info_read(c->arena, pdf, &info, c->err);
    if (rc == OK)
        rc = change(c, a, &info, &changed);
    if (rc == OK && changed)
        rc = write_changes(c, a, pdf, &info, &bytes);
    if (rc != OK)
        return rc;
    put_info(c, &info);
    rc = pdf_describe(c, pdf, c->data);
    if (rc != OK)
        return rc;
    json_kv_int(c->data, "repairs", pdf_note_repairs(c, pdf, c->inputs[0].name));
    if (changed)
        json_kv_int(c->data, "bytes", bytes);
    step_usage(c, "pages", pdf_page_count(pdf));
    return OK;
}

const Step step_pdf_metadata = {
    .name = "pdf.metadata",
    .title = "Read and write PDF metadata",
    .summary = "Say what a PDF is (title, author, dates, pages, fonts, attachments, permissions), "
               "set entries, or remove them all.",
    .since = "0.1",
    .accepts = "application/pdf",
    .returns = "application/pdf",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 120 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = metadata_params,
    .args_size = sizeof(MetadataArgs),
    .data = metadata_fields,
    .errors = (const ErrCode[]){ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE, ERR_INPUT_DAMAGED,
                                ERR_INPUT_ENCRYPTED, ERR_LIMIT_COUNT, ERR_LIMIT_MEMORY,
                                ERR_BAD_PARAM, OK},
    .examples =
        (const Example[]){
            {.title = "Read", .input = "report.pdf", .expect = "pages=3; encrypted=false"},
            {.title = "Set title and author",
             .input = "report.pdf",
             .args = "{\"title\": \"The harbour\", \"author\": \"Ida Lund\"}",
             .expect = "application/pdf; title=The harbour; author=Ida Lund"},
            {.title = "Remove all before publishing",
             .input = "report.pdf",
             .args = "{\"remove\": true}",
             .expect = "application/pdf; pages=3"},
            {0}},
    .run = metadata_run,
};
