/* doc_json.c: {"blocks":[…],"metadata":{…},"pages":n}.
 *
 * "from" and "to" count characters of the same document written as text: the text writer runs muted
 * beside this one. "marks" count characters of their own block or cell. */
#include "document/doc_in.h"

static const char *const kind_names[] = {
    [BLOCK_PARAGRAPH] = "paragraph", [BLOCK_HEADING] = "heading", [BLOCK_ITEM] = "item",
    [BLOCK_CODE] = "code",           [BLOCK_QUOTE] = "quote",     [BLOCK_NOTE] = "note",
};
static const char *const mark_names[MARK_COUNT] = {"bold", "italic", "code", "strike", "link"};

static void begin(Doc *d)
{
    d->muted = true; /* what doc_put gets here is only counted */
    d->json = json_out(&d->out);
    json_begin(&d->json, '{');
    json_key(&d->json, "blocks");
    json_begin(&d->json, '[');
}

/* One line per block, so that people and line tools can read it too. */
static void line(Doc *d)
{
    doc_put_raw(d, d->any_out ? STR("\n") : STR(""));
}

static void put_marks(Doc *d, const DocSpan *s)
{
    JsonOut *j = &d->json;
    bool any = false;
    int64_t at = 0;
    for (size_t i = 0; i < s->runs_len; i++) {
        const DocRun *r = &s->runs[i];
        Str text = str_slice(s->text, r->from - s->base, r->to - s->base);
        int64_t to = at + (int64_t)str_count_utf8(text);
        for (int m = 0; m < MARK_COUNT; m++) {
            if (!(r->marks & 1u << m))
                continue;
            if (!any) {
                json_key(j, "marks");
                json_begin(j, '[');
                any = true;
            }
            json_begin(j, '{');
            json_kv_c(j, "kind", mark_names[m]);
            json_kv_int(j, "from", at);
            json_kv_int(j, "to", to);
            if (m == MARK_LINK)
                json_kv_str(j, "href", doc_run_href(d, r));
            json_end(j, '}');
        }
        at = to;
    }
    if (any)
        json_end(j, ']');
}

/* Where the block begins: the file within the file, the page, the first character. */
static void put_place(Doc *d, int64_t page)
{
    JsonOut *j = &d->json;
    if (d->inside_name.len > 0)
        json_kv_str(j, "attachment", d->inside_name);
    if (page > 0)
        json_kv_int(j, "page", page);
    json_kv_int(j, "from", d->block_starts);
}

static void block(Doc *d, const DocBlock *b)
{
    line(d);
    doc_text_writer.block(d, b);
    JsonOut *j = &d->json;
    json_begin(j, '{');
    json_kv_c(j, "kind", kind_names[b->kind]);
    if (b->kind != BLOCK_PARAGRAPH && b->kind != BLOCK_CODE)
        json_kv_int(j, "level", b->level);
    if (b->number > 0)
        json_kv_int(j, "number", b->number);
    json_kv_str(j, "text", b->span.text);
    put_place(d, b->page);
    json_kv_int(j, "to", d->chars);
    if (b->kind != BLOCK_CODE)
        put_marks(d, &b->span);
    json_end(j, '}');
}

static void table_begin(Doc *d)
{
    line(d);
    doc_text_writer.table_begin(d);
    JsonOut *j = &d->json;
    json_begin(j, '{');
    json_kv_c(j, "kind", "table");
    put_place(d, d->block.page);
    json_key(j, "rows");
    json_begin(j, '[');
}

static void row(Doc *d, const DocRow *r)
{
    JsonOut *j = &d->json;
    doc_text_writer.row(d, r);
    size_t len, places_len = d->places.len / sizeof(DocPlace);
    const DocCell *cells = doc_cells(d, r, &len);
    const DocPlace *places = (const DocPlace *)(void *)d->places.ptr;
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++) {
        DocSpan s = doc_cell_span(d, &cells[i]);
        json_begin(j, '{');
        json_kv_str(j, "text", s.text);
        if (cells[i].colspan > 1)
            json_kv_int(j, "colspan", cells[i].colspan);
        if (cells[i].rowspan > 1)
            json_kv_int(j, "rowspan", cells[i].rowspan);
        if (i < places_len && s.text.len > 0) {
            json_kv_int(j, "from", places[i].from);
            json_kv_int(j, "to", places[i].to);
        }
        put_marks(d, &s);
        json_end(j, '}');
    }
    json_end(j, ']');
    doc_put_raw(d, STR(""));
}

static void table_end(Doc *d)
{
    json_end(&d->json, ']');
    json_kv_int(&d->json, "to", d->chars);
    json_end(&d->json, '}');
}

static void end(Doc *d)
{
    JsonOut *j = &d->json;
    doc_text_writer.end(d);
    json_end(j, ']');
    json_key(j, "metadata");
    doc_put_metadata(d, j);
    json_kv_int(j, "pages", doc_pages(d));
    if (d->fields_len > 0) {
        json_key(j, "form_fields");
        doc_put_fields(d, j);
    }
    json_end(j, '}');
    doc_put_raw(d, STR("\n"));
}

const DocWriter doc_json_writer = {
    .format = "json",
    .media_type = "application/json",
    .extension = "json",
    .begin = begin,
    .block = block,
    .table_begin = table_begin,
    .row = row,
    .table_end = table_end,
    .end = end,
};
