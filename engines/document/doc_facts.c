/* doc_facts.c: what the sink keeps besides the text: metadata, files within the file, fields of
 * forms, pages read by OCR, totals. */
#include "document/doc_in.h"

#include <string.h>

void doc_meta(Doc *d, const char *key, Str value)
{
    value = str_trim(value);
    if (d->err.code != OK || value.len == 0 || d->meta_len == DOC_META_MAX || d->inside > 0)
        return;
    for (size_t i = 0; i < d->meta_len; i++)
        if (strcmp(d->meta[i].key, key) == 0)
            return;
    if (value.len > DOC_META_VALUE_MAX) {
        size_t cut = DOC_META_VALUE_MAX;
        while (cut > 0 && ((unsigned char)value.ptr[cut] & 0xC0) == 0x80)
            cut--;
        value = str_slice(value, 0, cut);
    }
    char *k = str_to_c(d->arena, str_from_c(key));
    Str v = str_copy(d->arena, value);
    if (k == NULL || v.ptr == NULL) {
        doc_fail(d, ERR_LIMIT_MEMORY, "keeping the document's metadata");
        return;
    }
    d->meta[d->meta_len].key = k;
    d->meta[d->meta_len++].value = v;
}

/* --- files within the file */

void doc_enter(Doc *d, Str name)
{
    doc_table_end(d);
    doc_end(d);
    Str full = d->inside == 0 ? str_copy(d->arena, name)
                              : str_printf(d->arena, STR_FMT "/" STR_FMT, STR_ARG(d->inside_name),
                                           STR_ARG(name));
    if (full.ptr == NULL)
        doc_fail(d, ERR_LIMIT_MEMORY, "keeping the name of an attached file");
    if (d->inside < DOC_ENTER_MAX)
        d->inside_cut[d->inside] = d->inside_name.len;
    d->inside++;
    d->inside_name = full.ptr != NULL ? full : STR("");
}

void doc_leave(Doc *d)
{
    d->nested = 0;
    doc_table_end(d);
    doc_end(d);
    if (d->inside == 0)
        return;
    d->inside--;
    size_t cut = d->inside < DOC_ENTER_MAX ? d->inside_cut[d->inside] : 0;
    d->inside_name = str_slice(d->inside_name, 0, cut);
}

/* --- forms, and pages read by OCR */

void doc_field(Doc *d, DocField f)
{
    if (d->err.code != OK || d->inside > 0)
        return;
    d->fields_seen++;
    if (d->fields == NULL)
        d->fields = arena_new(d->arena, DocField, DOC_FIELDS_MAX);
    f.name = str_copy(d->arena, str_slice(f.name, 0, 500));
    f.kind = str_copy(d->arena, f.kind);
    f.value = str_copy(d->arena, str_slice(f.value, 0, DOC_META_VALUE_MAX));
    if (d->fields == NULL || f.name.ptr == NULL || f.kind.ptr == NULL || f.value.ptr == NULL) {
        doc_fail(d, ERR_LIMIT_MEMORY, "keeping the fields of a form");
        return;
    }
    size_t bytes = f.name.len + f.value.len + 64;
    if (d->fields_len == DOC_FIELDS_MAX || d->fields_bytes + bytes > DOC_FIELDS_BYTES)
        return;
    d->fields_bytes += bytes;
    d->fields[d->fields_len++] = f;
}

void doc_page_by_ocr(Doc *d, double confidence)
{
    if (d->err.code != OK || d->inside > 0 || d->ocr_pages_len == DOC_OCR_PAGES_MAX)
        return;
    if (d->ocr_pages == NULL)
        d->ocr_pages = arena_alloc_array(d->arena, DOC_OCR_PAGES_MAX, sizeof *d->ocr_pages);
    if (d->ocr_pages == NULL) {
        doc_fail(d, ERR_LIMIT_MEMORY, "keeping which pages were read by OCR");
        return;
    }
    d->ocr_pages[d->ocr_pages_len].page = d->page;
    d->ocr_pages[d->ocr_pages_len++].confidence = confidence;
}

/* --- into the result */

void doc_put_metadata(const Doc *d, JsonOut *j)
{
    json_begin(j, '{');
    for (size_t i = 0; i < d->meta_len; i++)
        json_kv_str(j, d->meta[i].key, d->meta[i].value);
    json_end(j, '}');
}

void doc_put_fields(const Doc *d, JsonOut *j)
{
    json_begin(j, '[');
    for (size_t i = 0; i < d->fields_len; i++) {
        const DocField *f = &d->fields[i];
        json_begin(j, '{');
        json_kv_str(j, "name", f->name);
        json_kv_str(j, "kind", f->kind);
        json_kv_str(j, "value", f->value);
        if (f->page > 0)
            json_kv_int(j, "page", f->page);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void put_ocr_pages(const Doc *d, JsonOut *j)
{
    json_key(j, "ocr_pages");
    json_begin(j, '[');
    for (size_t i = 0; i < d->ocr_pages_len; i++) {
        json_begin(j, '{');
        json_kv_int(j, "page", d->ocr_pages[i].page);
        json_kv_double(j, "confidence", d->ocr_pages[i].confidence);
        json_end(j, '}');
    }
    json_end(j, ']');
}

void doc_put_totals(Doc *d, JsonOut *j)
{
    json_kv_c(j, "format", d->writer->format);
    json_kv_int(j, "pages", doc_pages(d));
    json_kv_int(j, "words", d->words);
    json_kv_int(j, "characters", d->characters);
    json_kv_int(j, "blocks", d->blocks);
    for (size_t i = 0; i < d->meta_len; i++)
        if (strcmp(d->meta[i].key, "language") == 0)
            json_kv_str(j, "language", d->meta[i].value);
    json_key(j, "metadata");
    doc_put_metadata(d, j);
    if (d->fields_len > 0) {
        json_key(j, "form_fields");
        doc_put_fields(d, j);
    }
    if (d->ocr_pages_len > 0)
        put_ocr_pages(d, j);
    if (d->page_starts_len == 0)
        return;
    json_key(j, "page_starts");
    json_begin(j, '[');
    for (size_t i = 0; i < d->page_starts_len; i++)
        json_put_int(j, d->page_starts[i]);
    json_end(j, ']');
}
