#include "data/tree.h"
#include "base/fault.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct Anchor {
    Str name;
    TreeNode *node;
} Anchor;

typedef struct Reader {
    Arena *arena;
    Str text;
    Err *err;
    yaml_parser_t parser;
    Anchor *anchors;
    size_t anchors_len;
    int64_t aliased, aliased_bytes;
} Reader;

static ErrCode full(Reader *r)
{
    return err_set(r->err, ERR_LIMIT_MEMORY, "the YAML needs more memory than is allowed");
}

static ErrCode bad(Reader *r, yaml_mark_t at, const char *what)
{
    return err_set(r->err, ERR_BAD_YAML, "%s at line %zu, column %zu", what, at.line + 1,
                   at.column + 1);
}

static ErrCode bad_named(Reader *r, yaml_mark_t at, const char *what, Str name)
{
    char text[160];
    int n = (int)(name.len < 80 ? name.len : 80);
    snprintf(text, sizeof text, "%s \"%.*s\"", what, n, name.ptr);
    return bad(r, at, text);
}

static ErrCode parser_problem(Reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return full(r);
    const char *problem = p->problem != NULL ? p->problem : "not well-formed";
    yaml_mark_t at = p->problem_mark;
    if (p->error == YAML_READER_ERROR) { /* bytes that are no text: it only says where they are */
        at = (yaml_mark_t){0};
        for (size_t i = 0; i < p->problem_offset && i < r->text.len; i++) {
            at.column++;
            if (r->text.ptr[i] == '\n')
                at = (yaml_mark_t){.line = at.line + 1};
        }
    }
    return bad(r, at, problem);
}

static ErrCode next_event(Reader *r, yaml_event_t *out)
{
    if (fault_hit("yaml.event"))
        return full(r);
    return yaml_parser_parse(&r->parser, out) ? OK : parser_problem(r);
}

static Str event_text(const yaml_char_t *s, size_t len)
{
    return (Str){(const char *)s, len};
}

static Str event_name(const yaml_char_t *s)
{
    return str_from_c((const char *)s);
}

static int line_of(const yaml_event_t *e)
{
    return (int)e->start_mark.line + 1;
}

/* ---- anchors and aliases ---- */

static ErrCode keep_anchor(Reader *r, const yaml_event_t *e, const yaml_char_t *anchor,
                           TreeNode *node)
{
    if (anchor == NULL)
        return OK;
    if (r->anchors_len == TREE_ANCHORS_MAX)
        return err_set(r->err, ERR_LIMIT_COUNT, "more than %d anchors at line %d", TREE_ANCHORS_MAX,
                       line_of(e));
    Str name = str_copy(r->arena, event_name(anchor));
    if (name.ptr == NULL)
        return full(r);
    r->anchors[r->anchors_len++] = (Anchor){name, node};
    return OK;
}

/* An anchor may be given again; the latest counts. */
static TreeNode *find_anchor(const Reader *r, Str name)
{
    for (size_t i = r->anchors_len; i > 0; i--)
        if (str_eq(r->anchors[i - 1].name, name))
            return r->anchors[i - 1].node;
    return NULL;
}

static ErrCode count_aliased(Reader *r, const TreeNode *n, int line)
{
    r->aliased += n->values;
    r->aliased_bytes += n->bytes;
    if (r->aliased <= TREE_ALIASED_MAX && r->aliased_bytes <= TREE_ALIASED_BYTES)
        return OK;
    return err_set(r->err, ERR_LIMIT_RATIO,
                   "the aliases up to line %d stand for more than %d values or %d bytes", line,
                   TREE_ALIASED_MAX, TREE_ALIASED_BYTES);
}

static ErrCode read_alias(Reader *r, const yaml_event_t *e, int depth, const TreeNode **out)
{
    Str name = event_name(e->data.alias.anchor);
    const TreeNode *n = find_anchor(r, name);
    if (n == NULL)
        return bad_named(r, e->start_mark, "there is no anchor", name);
    if (n->open)
        return bad_named(r, e->start_mark, "an alias inside what it names:", name);
    if (depth + n->height - 1 > TREE_DEPTH_MAX)
        return err_set(r->err, ERR_LIMIT_DEPTH, "nested deeper than %d at line %d", TREE_DEPTH_MAX,
                       line_of(e));
    *out = n;
    return count_aliased(r, n, line_of(e));
}

/* ---- scalars ---- */

static ErrCode bad_tag(Reader *r, const yaml_event_t *e, const yaml_char_t *tag)
{
    return bad_named(r, e->start_mark, "a tag that is not read here:", event_name(tag));
}

/* *must: what the tag says it is; false: an unknown tag. */
static bool scalar_tag(const yaml_char_t *tag, ScalarIs *must)
{
    static const struct {
        const char *tag;
        ScalarIs is;
    } known[] = {{YAML_STR_TAG, SCALAR_TEXT},  {"!", SCALAR_TEXT},
                 {YAML_NULL_TAG, SCALAR_NULL}, {YAML_BOOL_TAG, SCALAR_BOOL},
                 {YAML_INT_TAG, SCALAR_INT},   {YAML_FLOAT_TAG, SCALAR_FLOAT}};
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_c(event_name(tag), known[i].tag)) {
            *must = known[i].is;
            return true;
        }
    return false;
}

static ErrCode resolve(Reader *r, const yaml_event_t *e, TreeNode *n)
{
    const yaml_char_t *tag = e->data.scalar.tag;
    bool quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    ScalarIs must = SCALAR_TEXT, is;
    if (tag != NULL && !scalar_tag(tag, &must))
        return bad_tag(r, e, tag);
    if (tag == NULL ? quoted : must == SCALAR_TEXT)
        return OK;
    Str json = {0};
    is = scalar_read(r->arena, n->text, &json);
    if (is == SCALAR_TEXT && tag == NULL)
        return OK;
    if (json.ptr == NULL && is != SCALAR_TEXT)
        return full(r);
    if (is == SCALAR_BEYOND) {
        ErrCode rc = bad_named(r, e->start_mark, "JSON cannot hold the number", n->text);
        err_hint(r->err, "put it into quotes if it is text");
        return rc;
    }
    if (tag != NULL && is != must && !(must == SCALAR_FLOAT && is == SCALAR_INT))
        return bad_named(r, e->start_mark, "a value that is not what its tag says:", n->text);
    n->kind = TREE_PLAIN;
    n->text = json;
    return OK;
}

static ErrCode read_scalar(Reader *r, const yaml_event_t *e, TreeNode *n)
{
    n->text = str_copy(r->arena, event_text(e->data.scalar.value, e->data.scalar.length));
    if (n->text.ptr == NULL)
        return full(r);
    ErrCode rc = resolve(r, e, n);
    n->bytes = (int64_t)n->text.len;
    return rc;
}

/* ---- lists and mappings ---- */

static ErrCode read_node(Reader *r, const yaml_event_t *e, int depth, const TreeNode **out);

static void event_done(yaml_event_t *e)
{
    yaml_event_delete(e);
}

static TreeItem *add_item(Reader *r, TreeNode *n, int line)
{
    TreeItem *item = arena_new(r->arena, TreeItem, 1);
    if (item == NULL)
        return NULL;
    item->line = line;
    if (n->last != NULL)
        n->last->next = item;
    else
        n->first = item;
    n->last = item;
    n->len++;
    return item;
}

static void weigh(TreeNode *n)
{
    for (const TreeItem *i = n->first; i != NULL; i = i->next) {
        n->values += i->value->values;
        n->bytes += i->value->bytes + (int64_t)i->key.len;
        n->height = i->value->height >= n->height ? i->value->height + 1 : n->height;
    }
}

static ErrCode read_list(Reader *r, TreeNode *n, int depth)
{
    for (;;) {
        CLEANUP(event_done) yaml_event_t e = {0};
        ErrCode rc = next_event(r, &e);
        if (rc != OK || e.type == YAML_SEQUENCE_END_EVENT)
            return rc;
        TreeItem *item = add_item(r, n, line_of(&e));
        rc = item != NULL ? read_node(r, &e, depth + 1, &item->value) : full(r);
        if (rc != OK)
            return rc;
    }
}

static ErrCode read_key(Reader *r, const yaml_event_t *e, Str *out)
{
    const TreeNode *aliased = NULL;
    Str name;
    if (e->type == YAML_ALIAS_EVENT) {
        ErrCode rc = read_alias(r, e, 1, &aliased);
        if (rc != OK)
            return rc;
        if (aliased->kind != TREE_TEXT && aliased->kind != TREE_PLAIN)
            return bad(r, e->start_mark, "a key that is not a scalar");
        name = aliased->text;
    } else if (e->type == YAML_SCALAR_EVENT) {
        name = event_text(e->data.scalar.value, e->data.scalar.length);
        if (e->data.scalar.anchor != NULL)
            return bad_named(r, e->start_mark,
                             "an anchor at a key:", event_name(e->data.scalar.anchor));
    } else {
        return bad(r, e->start_mark, "a key that is not a scalar");
    }
    *out = str_copy(r->arena, name);
    return out->ptr != NULL ? OK : full(r);
}

static bool is_merge(const yaml_event_t *e)
{
    return e->type == YAML_SCALAR_EVENT && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           str_eq(event_text(e->data.scalar.value, e->data.scalar.length), STR("<<"));
}

static ErrCode take_over(Reader *r, TreeNode *n, const TreeNode *from, yaml_mark_t at, int source)
{
    if (from->kind != TREE_OBJECT)
        return bad(r, at, "<< wants a mapping or a list of mappings");
    ErrCode rc = count_aliased(r, from, (int)at.line + 1);
    for (const TreeItem *i = from->first; rc == OK && i != NULL; i = i->next) {
        TreeItem *item = add_item(r, n, i->line);
        if (item == NULL)
            return full(r);
        item->key = i->key;
        item->value = i->value;
        item->source = source;
    }
    return rc;
}

static ErrCode merge(Reader *r, TreeNode *n, const TreeNode *from, yaml_mark_t at, int *sources)
{
    if (from->kind != TREE_LIST)
        return take_over(r, n, from, at, ++*sources);
    for (const TreeItem *i = from->first; i != NULL; i = i->next) {
        ErrCode rc = take_over(r, n, i->value, at, ++*sources);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static int by_key(const void *a, const void *b)
{
    const TreeItem *x = *(TreeItem *const *)a, *y = *(TreeItem *const *)b;
    int order = str_cmp(x->key, y->key);
    return order != 0 ? order : x->source != y->source ? x->source - y->source : x->line - y->line;
}

/* Twice the same key is an error where both are written out; else the first source wins. */
static ErrCode settle_keys(Reader *r, TreeNode *n)
{
    TreeItem **sorted = arena_new(r->arena, TreeItem *, n->len);
    size_t len = 0;
    if (sorted == NULL)
        return full(r);
    for (TreeItem *i = n->first; i != NULL; i = i->next)
        sorted[len++] = i;
    if (len > 1)
        qsort(sorted, len, sizeof *sorted, by_key);
    for (size_t i = 1; i < len; i++) {
        TreeItem *before = sorted[i - 1], *item = sorted[i];
        if (!str_eq(before->key, item->key))
            continue;
        if (item->source == 0)
            return err_set(r->err, ERR_BAD_YAML,
                           "the key \"" STR_FMT "\" at line %d is there already, at line %d",
                           STR_ARG(str_slice(item->key, 0, 80)), item->line, before->line);
        item->source = -1; /* lost; sources before it are compared by key only */
    }
    TreeItem *first = n->first;
    n->first = n->last = NULL;
    n->len = 0;
    for (TreeItem *i = first, *next; i != NULL; i = next) {
        next = i->next;
        i->next = NULL;
        if (i->source < 0)
            continue;
        if (n->last != NULL)
            n->last->next = i;
        else
            n->first = i;
        n->last = i;
        n->len++;
    }
    return OK;
}

static ErrCode read_member(Reader *r, const yaml_event_t *key, TreeNode *n, int depth, int *sources)
{
    CLEANUP(event_done) yaml_event_t e = {0};
    const TreeNode *value = NULL;
    TreeItem *item = NULL;
    Str name = {0};
    bool merges = is_merge(key);
    ErrCode rc = merges ? OK : read_key(r, key, &name);
    if (rc == OK && !merges) {
        item = add_item(r, n, line_of(key));
        rc = item != NULL ? OK : full(r);
    }
    if (rc == OK)
        rc = next_event(r, &e);
    if (rc == OK)
        rc = read_node(r, &e, depth + 1, &value);
    if (rc != OK)
        return rc;
    if (merges)
        return merge(r, n, value, e.start_mark, sources);
    item->key = name;
    item->value = value;
    return OK;
}

static ErrCode read_mapping(Reader *r, TreeNode *n, int depth)
{
    int sources = 0;
    for (;;) {
        CLEANUP(event_done) yaml_event_t e = {0};
        ErrCode rc = next_event(r, &e);
        if (rc == OK && e.type == YAML_MAPPING_END_EVENT)
            return settle_keys(r, n);
        if (rc == OK)
            rc = read_member(r, &e, n, depth, &sources);
        if (rc != OK)
            return rc;
    }
}

static ErrCode read_container(Reader *r, const yaml_event_t *e, int depth, TreeNode *n)
{
    bool list = e->type == YAML_SEQUENCE_START_EVENT;
    const yaml_char_t *tag = list ? e->data.sequence_start.tag : e->data.mapping_start.tag;
    if (tag != NULL && !str_eq_c(event_name(tag), list ? YAML_SEQ_TAG : YAML_MAP_TAG) &&
        !str_eq_c(event_name(tag), "!"))
        return bad_tag(r, e, tag);
    n->kind = list ? TREE_LIST : TREE_OBJECT;
    n->open = true;
    ErrCode rc = list ? read_list(r, n, depth) : read_mapping(r, n, depth);
    if (rc != OK)
        return rc;
    n->open = false;
    weigh(n);
    return OK;
}

static ErrCode read_node(Reader *r, const yaml_event_t *e, int depth, const TreeNode **out)
{
    if (depth > TREE_DEPTH_MAX)
        return err_set(r->err, ERR_LIMIT_DEPTH, "nested deeper than %d at line %d", TREE_DEPTH_MAX,
                       line_of(e));
    if (e->type == YAML_ALIAS_EVENT)
        return read_alias(r, e, depth, out);
    TreeNode *n = arena_new(r->arena, TreeNode, 1);
    if (n == NULL)
        return full(r);
    n->values = 1;
    n->height = 1;
    const yaml_char_t *anchor = e->type == YAML_SCALAR_EVENT ? e->data.scalar.anchor
                                : e->type == YAML_SEQUENCE_START_EVENT
                                    ? e->data.sequence_start.anchor
                                    : e->data.mapping_start.anchor;
    ErrCode rc = keep_anchor(r, e, anchor, n);
    if (rc == OK)
        rc = e->type == YAML_SCALAR_EVENT ? read_scalar(r, e, n) : read_container(r, e, depth, n);
    *out = n;
    return rc;
}

/* ---- the document ---- */

static ErrCode expect(Reader *r, yaml_event_type_t type)
{
    CLEANUP(event_done) yaml_event_t e = {0};
    ErrCode rc = next_event(r, &e);
    if (rc != OK || e.type == type)
        return rc;
    if (type == YAML_DOCUMENT_START_EVENT)
        return err_set(r->err, ERR_BAD_YAML, "there is nothing in it but space and comments");
    return bad(r, e.start_mark, "a second document begins");
}

static ErrCode read_document(Reader *r, const TreeNode **out, int *out_line)
{
    CLEANUP(event_done) yaml_event_t e = {0};
    ErrCode rc = expect(r, YAML_STREAM_START_EVENT);
    if (rc == OK)
        rc = expect(r, YAML_DOCUMENT_START_EVENT);
    if (rc == OK)
        rc = next_event(r, &e);
    if (rc == OK)
        rc = read_node(r, &e, 1, out);
    if (rc != OK)
        return rc;
    *out_line = line_of(&e);
    rc = expect(r, YAML_DOCUMENT_END_EVENT);
    return rc == OK ? expect(r, YAML_STREAM_END_EVENT) : rc;
}

ErrCode tree_read(Arena *a, Str text, const TreeNode **out, int *out_line, Err *err)
{
    Reader r = {.arena = a, .text = text, .err = err};
    r.anchors = arena_new(a, Anchor, TREE_ANCHORS_MAX);
    if (r.anchors == NULL || !yaml_parser_initialize(&r.parser))
        return full(&r);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
    ErrCode rc = read_document(&r, out, out_line);
    yaml_parser_delete(&r.parser);
    return rc;
}

/* ---- out again ---- */

void tree_put(JsonOut *j, const TreeNode *n)
{
    if (n->kind == TREE_TEXT) {
        json_put_str(j, n->text);
        return;
    }
    if (n->kind == TREE_PLAIN) {
        json_put_raw(j, n->text);
        return;
    }
    json_begin(j, n->kind == TREE_LIST ? '[' : '{');
    for (const TreeItem *i = n->first; i != NULL && !j->buf->failed; i = i->next) {
        if (n->kind == TREE_OBJECT)
            json_key_str(j, i->key);
        tree_put(j, i->value);
    }
    json_end(j, n->kind == TREE_LIST ? ']' : '}');
}

typedef struct Lines {
    JsonOut *j;
    Buf path;
    size_t from; /* where the object begins in j->buf */
    int64_t count;
    bool cut;
} Lines;

static void add_pointer(Buf *path, Str key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == '~' || key.ptr[i] == '/')
            buf_add_c(path, key.ptr[i] == '~' ? "~0" : "~1");
        else
            buf_add_char(path, key.ptr[i]);
    }
}

static void put_lines(Lines *l, const TreeNode *n)
{
    size_t index = 0;
    for (const TreeItem *i = n->first; i != NULL && !l->cut; i = i->next) {
        size_t before = l->path.len;
        buf_add_char(&l->path, '/');
        if (n->kind == TREE_LIST)
            buf_add_int(&l->path, (int64_t)index++);
        else
            add_pointer(&l->path, i->key);
        l->cut = l->path.failed || l->count == TREE_LINES_MAX ||
                 l->j->buf->len - l->from + l->path.len > TREE_LINES_BYTES;
        if (l->cut)
            return;
        l->count++;
        json_key_str(l->j, buf_str(&l->path));
        json_put_int(l->j, i->line);
        put_lines(l, i->value);
        l->path.len = before;
    }
}

bool tree_put_lines(JsonOut *j, Arena *a, const TreeNode *root, int root_line)
{
    Lines l = {.j = j, .path = buf_init(a, 64 * KIB), .from = j->buf->len};
    json_begin(j, '{');
    json_kv_int(j, "", root_line);
    put_lines(&l, root);
    json_end(j, '}');
    return !l.cut;
}
