#include "archive/listing.h"
#include "base/clock.h"

static const size_t all_max = 128 << 20;

const Field listing_entry_fields[] = {
    {"path", FIELD_TYPE_TEXT, "Path, with \"/\" between parts."},
    {"type", FIELD_TYPE_TEXT, "One of file, folder, link, archive, other."},
    {"size", FIELD_TYPE_INT, "Bytes when unpacked.", .optional = true},
    {"modified", FIELD_TYPE_TEXT, "Time of the last change.", .optional = true},
    {"encrypted", FIELD_TYPE_BOOL, "Needs a password.", .optional = true},
    {"link", FIELD_TYPE_TEXT, "Where the link leads.", .optional = true},
    {0},
};

void listing_init(Listing *l, StepCtx *c)
{
    *l = (Listing){.c = c, .file_when_long = true};
    l->head = buf_init(c->arena, 2 * LISTING_FIRST_BYTES);
    l->all = buf_init(c->arena, all_max);
    l->head_json = json_out(&l->head);
    l->all_json = json_out(&l->all);
    json_begin(&l->head_json, '[');
    json_begin(&l->all_json, '[');
}

static void put_entry(JsonOut *j, const WalkEntry *e)
{
    char when[CLOCK_TEXT_SIZE];
    json_begin(j, '{');
    json_kv_str(j, "path", e->path);
    json_kv_c(j, "type", walk_kind_name(e->kind));
    if (e->size_bytes >= 0 && e->kind != WALK_FOLDER && e->kind != WALK_LINK)
        json_kv_int(j, "size", e->size_bytes);
    /* Years 1 to 9999: what RFC 3339 can say */
    if (e->has_modified && e->modified_ms > -62135596800000 && e->modified_ms < 253402300800000) {
        clock_text(e->modified_ms, when);
        json_kv_c(j, "modified", when);
    }
    if (e->encrypted)
        json_kv_bool(j, "encrypted", true);
    if (e->link.len > 0)
        json_kv_str(j, "link", e->link);
    json_end(j, '}');
}

ErrCode listing_add(Listing *l, const WalkEntry *e)
{
    l->entries++;
    /* "first" ends for good: a gap in the middle would be a riddle. */
    if (l->first == l->entries - 1 && l->first < LISTING_FIRST &&
        l->head.len + 8 * e->path.len < LISTING_FIRST_BYTES) {
        put_entry(&l->head_json, e);
        l->first++;
    }
    if (l->file_when_long)
        put_entry(&l->all_json, e);
    if (l->all.failed || l->head.failed)
        return err_set(l->c->err, ERR_LIMIT_OUTPUT, "the list of entries is longer than %zu bytes",
                       all_max);
    return OK;
}

ErrCode listing_finish(Listing *l, const WalkTotals *t)
{
    JsonOut *d = l->c->data;
    json_end(&l->head_json, ']');
    json_end(&l->all_json, ']');
    json_kv_c(d, "format", t->format);
    if (t->compression != NULL)
        json_kv_c(d, "compression", t->compression);
    json_kv_int(d, "files", t->count[WALK_FILE]);
    json_kv_int(d, "folders", t->count[WALK_FOLDER]);
    json_kv_int(d, "links", t->count[WALK_LINK]);
    json_kv_int(d, "archives", t->count[WALK_ARCHIVE]);
    json_kv_int(d, "others", t->count[WALK_OTHER]);
    json_kv_int(d, "skipped", t->skipped);
    json_kv_int(d, "bytes", t->bytes);
    json_kv_int(d, "packed_bytes", t->packed_bytes);
    json_kv_bool(d, "encrypted", t->encrypted);
    json_kv_raw(d, "entries", buf_str(&l->head));
    json_kv_bool(d, "complete", l->first == l->entries);
    if (l->first == l->entries || !l->file_when_long)
        return OK;
    return step_output_bytes(l->c, STR("entries.json"), STR("application/json"), buf_str(&l->all));
}
