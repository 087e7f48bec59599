/* Looking at a pipeline that has been read. */
#include "core/pipeline.h"
#include "core/schema.h"

#include <string.h>

int pipeline_node_index(const Pipeline *p, Str id)
{
    for (size_t i = 0; i < p->nodes_len; i++)
        if (str_eq(p->nodes[i].id, id))
            return (int)i;
    return -1;
}

const Node *pipeline_node(const Pipeline *p, Str id)
{
    int i = pipeline_node_index(p, id);
    return i < 0 ? NULL : &p->nodes[i];
}

bool pipeline_name_ok(Str name)
{
    if (name.len == 0 || name.len > PIPELINE_NAME_MAX || name.ptr[0] < 'a' || name.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

/* A hundred years are enough for anything, and far from where sums of times overflow. */
static const double LONGEST_MS = 100.0 * 366 * 86400000;

int64_t pipeline_duration_ms(const Json *j)
{
    double n, unit = 1000;
    if (!json_double(j, &n)) {
        Str s = str_trim(json_text(j));
        size_t digits = 0;
        while (digits < s.len && strchr("0123456789.", s.ptr[digits]) != NULL)
            digits++;
        if (!str_to_double(str_slice(s, 0, digits), &n))
            return -1;
        unit = 0;
        for (size_t i = 0; i < COUNT_OF(units); i++)
            if (str_eq_c(str_slice(s, digits, s.len), units[i].name))
                unit = (double)units[i].ms;
    }
    double ms = n * unit;
    if (unit < 1 || !(ms >= 0 && ms <= LONGEST_MS))
        return -1;
    return (int64_t)(ms + 0.5);
}

static const struct {
    const char *type, *name;
} short_names[] = {
    {"text/plain", "text"},     {"text/markdown", "markdown"}, {"text/html", "html"},
    {"text/csv", "csv"},        {"application/json", "json"},  {"application/x-ndjson", "json"},
    {"application/xml", "xml"}, {"text/xml", "xml"},           {"application/pdf", "pdf"},
    {"application/zip", "zip"},
};

const char *pipeline_type_name(Str media_type)
{
    size_t end = str_find_char(media_type, ';');
    Str type = str_trim(str_slice(media_type, 0, end));
    for (size_t i = 0; i < COUNT_OF(short_names); i++)
        if (str_eq_nocase(type, str_from_c(short_names[i].type)))
            return short_names[i].name;
    static const char *const families[] = {"image", "audio", "video"};
    Str family = str_slice(type, 0, str_find_char(type, '/'));
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (str_eq_nocase(family, str_from_c(families[i])))
            return families[i];
    return NULL;
}

/* A file input in a schema: a document, or a part of the form of this name. */
static void put_file(const FileInput *f, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "type", f->many ? "array" : "string");
    if (f->many)
        json_kv_raw(j, "items", STR("{\"type\":\"string\"}"));
    if (f->help.len > 0)
        json_kv_str(j, "description", f->help);
    json_kv_bool(j, "x-file", true);
    if (f->accepts.len > 0)
        json_kv_str(j, "x-accepts", f->accepts);
    json_end(j, '}');
}

static void put_required(const Pipeline *p, JsonOut *j)
{
    json_key(j, "required");
    json_begin(j, '[');
    for (size_t i = 0; i < p->files_len; i++)
        if (p->files[i].required)
            json_put_str(j, p->files[i].name);
    param_each(q, p->inputs)
        if (q->required)
            json_put_c(j, q->name);
    json_end(j, ']');
}

void pipeline_put_inputs(const Pipeline *p, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "type", "object");
    json_key(j, "properties");
    json_begin(j, '{');
    for (size_t i = 0; i < p->files_len; i++) {
        json_key_str(j, p->files[i].name);
        put_file(&p->files[i], j);
    }
    param_each(q, p->inputs) {
        json_key(j, q->name);
        schema_put_param(q, j);
    }
    json_end(j, '}');
    put_required(p, j);
    json_kv_bool(j, "additionalProperties", false);
    json_end(j, '}');
}
