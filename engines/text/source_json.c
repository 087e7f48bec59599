/* source_json.c: what document.extract gives as JSON, as the text it stands for.
 *
 * Blocks are read one at a time, and tables row by row, so the tree of the whole document is never
 * held. Each block says which characters of the text it takes; the text is written here by the rules
 * of document.extract's text format, and must come out at just these positions. */
#include "text/source_in.h"

#include <string.h>

enum {
    PART_MEMORY = 64 << 20, /* for the tree of a block, or of a row */
    COLUMNS_MAX = 16384,
    LEVEL_MAX = 64,
    NOTES_MAX = 1 << 30, /* the level of a note is its number */
};

typedef struct Writer {
    StepCtx *c;
    Source *out;
    Buf text;
    Blocks blocks;
    int64_t chars;  /* written so far */
    Arena *scratch; /* the tree of one block, or of one row */
    int rowspan_left[COLUMNS_MAX];
    size_t columns; /* of rowspan_left in use */
    size_t rows;    /* of the table so far */
    Buf rest;       /* a table's block without its rows */
} Writer;

/* --- the outer levels, without a tree; what is inside is checked when it is read */

static size_t skip_space(Str s, size_t at)
{
    while (at < s.len &&
           (s.ptr[at] == ' ' || s.ptr[at] == '\n' || s.ptr[at] == '\r' || s.ptr[at] == '\t'))
        at++;
    return at;
}

/* Behind the closing quote, or the end of the text. */
static size_t skip_string(Str s, size_t at)
{
    for (at++; at < s.len && s.ptr[at] != '"'; at++)
        if (s.ptr[at] == '\\')
            at++;
    return at < s.len ? at + 1 : s.len;
}

/* Behind the value that begins at `at`. */
static size_t skip_value(Str s, size_t at)
{
    int64_t depth = 0;
    while (at < s.len) {
        char c = s.ptr[at];
        if (depth == 0 && (c == ',' || c == ']' || c == '}'))
            return at;
        if (c == '"') {
            at = skip_string(s, at);
        } else {
            depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
            at++;
        }
        if (depth == 0 && (c == '"' || c == '}' || c == ']'))
            return at;
    }
    return at;
}

static bool at_char(Str s, size_t at, char c)
{
    return at < s.len && s.ptr[at] == c;
}

/* --- blocks */

static ErrCode damaged(Writer *w, const char *what)
{
    err_set(w->c->err, ERR_INPUT_DAMAGED, "block %zu: %s", w->blocks.len + 1, what);
    err_hint(w->c->err, "give the JSON that document.extract has given, unchanged");
    return ERR_INPUT_DAMAGED;
}

static void put(Writer *w, Str s)
{
    buf_add(&w->text, s);
    w->chars += (int64_t)str_count_utf8(s);
}

static void put_times(Writer *w, const char *s, int times)
{
    for (int i = 0; i < times; i++)
        put(w, str_from_c(s));
}

/* Lines of `text`, with `between` in place of their ends. */
static void put_lines(Writer *w, Str text, const char *between, int times)
{
    Str line;
    for (bool first = true; str_next(&text, '\n', &line); first = false) {
        if (!first)
            put_times(w, between, times);
        put(w, line);
    }
}

static void put_item(Writer *w, const Json *block, int level)
{
    int64_t number = json_int(json_get(block, "number"), 0);
    put_times(w, "  ", level);
    char mark[32];
    Buf b = buf_init(w->scratch, sizeof mark);
    if (number > 0)
        buf_addf(&b, "%" PRId64 ". ", number);
    put(w, number > 0 ? buf_str(&b) : STR("- "));
    Str rest = json_text(json_get(block, "text")), line;
    for (bool first = true; str_next(&rest, '\n', &line); first = false) {
        if (!first) {
            put(w, STR("\n"));
            put_times(w, "  ", level + 1);
        }
        put(w, line);
    }
}

static void put_note(Writer *w, const Json *block, int level)
{
    Buf b = buf_init(w->scratch, 64);
    if (level > 0)
        buf_addf(&b, "[%d] ", level);
    put(w, level > 0 ? buf_str(&b) : STR("[note] "));
    put(w, json_text(json_get(block, "text")));
}

static int span_of(const Json *cell, const char *name)
{
    int64_t n = json_int(json_get(cell, name), 1);
    return n < 1 ? 1 : n > COLUMNS_MAX ? COLUMNS_MAX : (int)n;
}

static void cover_below(Writer *w, size_t column, int colspan, int rowspan)
{
    for (size_t i = column; i < column + (size_t)colspan && i < COLUMNS_MAX; i++) {
        w->rowspan_left[i] = rowspan - 1;
        w->columns = i + 1 > w->columns ? i + 1 : w->columns;
    }
}

/* Cells stand in a grid: what a cell above or to the left covers is an empty cell. */
static void put_row(Writer *w, const Json *row)
{
    size_t column = 0, gap = 0;
    json_each(cell, row) {
        for (; column < w->columns && w->rowspan_left[column] > 0; column++, gap++)
            w->rowspan_left[column]--;
        for (; gap > 0; gap--)
            put(w, column - gap > 0 ? STR("\t") : STR(""));
        if (column > 0)
            put(w, STR("\t"));
        put_lines(w, json_text(json_get(cell, "text")), " ", 1);
        int colspan = span_of(cell, "colspan"), rowspan = span_of(cell, "rowspan");
        if (rowspan > 1)
            cover_below(w, column, colspan, rowspan);
        column += (size_t)colspan;
        gap = (size_t)colspan - 1;
    }
    for (; column < w->columns; column++)
        if (w->rowspan_left[column] > 0)
            w->rowspan_left[column]--;
}

static bool kind_of(Str name, SourceKind *out)
{
    static const char *const names[] = {
        [SOURCE_PARAGRAPH] = "paragraph", [SOURCE_HEADING] = "heading", [SOURCE_ITEM] = "item",
        [SOURCE_CODE] = "code",           [SOURCE_TABLE] = "table",     [SOURCE_QUOTE] = "quote",
        [SOURCE_NOTE] = "note",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq_c(name, names[i])) {
            *out = (SourceKind)i;
            return true;
        }
    return false;
}

static void put_words(Writer *w, const Json *json, SourceBlock *b)
{
    if (b->kind == SOURCE_ITEM)
        put_item(w, json, b->level);
    else if (b->kind == SOURCE_NOTE)
        put_note(w, json, b->level);
    else
        put(w, json_text(json_get(json, "text")));
}

/* A tree of `json`, which holds until the next one. */
static ErrCode parse(Writer *w, Str json, const Json **out)
{
    arena_recycle(w->scratch);
    ErrCode rc = json_parse(w->scratch, json, out, w->c->err);
    if (rc == ERR_NO_MEMORY) {
        err_set(w->c->err, ERR_LIMIT_MEMORY, "block %zu has a part that does not fit into %d MB",
                w->blocks.len + 1, PART_MEMORY >> 20);
        return ERR_LIMIT_MEMORY;
    }
    return rc == OK ? OK : damaged(w, "it is not valid JSON");
}

typedef ErrCode (*Visit)(Writer *w, Str item, SourceBlock *b);

/* Each item of the list that begins at *at, which moves behind it. */
static ErrCode each_item(Writer *w, Str json, size_t *at, Visit visit, SourceBlock *b)
{
    *at = skip_space(json, *at + 1);
    while (*at < json.len && json.ptr[*at] != ']') {
        size_t end = skip_value(json, *at);
        if (end == *at)
            return damaged(w, "it is not valid JSON");
        ErrCode rc = visit(w, str_slice(json, *at, end), b);
        if (rc != OK)
            return rc;
        *at = skip_space(json, end);
        if (at_char(json, *at, ','))
            *at = skip_space(json, *at + 1);
    }
    if (*at >= json.len)
        return damaged(w, "the file ends within a list");
    *at += 1;
    return OK;
}

static ErrCode put_table_row(Writer *w, Str json, SourceBlock *b)
{
    const Json *row = NULL;
    ErrCode rc = parse(w, json, &row);
    if (rc != OK)
        return rc;
    if (w->rows++ > 0)
        put(w, STR("\n"));
    if (w->rows == 2)
        b->body = w->text.len;
    put_row(w, row);
    return OK;
}

static ErrCode put_table(Writer *w, Str rows, SourceBlock *b)
{
    memset(w->rowspan_left, 0, w->columns * sizeof *w->rowspan_left);
    w->columns = w->rows = 0;
    size_t at = 0;
    ErrCode rc = rows.len > 0 ? each_item(w, rows, &at, put_table_row, b) : OK;
    if (w->rows < 2)
        b->body = w->text.len;
    return rc;
}

/* What a block says of itself, before its words. */
static ErrCode begin_block(Writer *w, const Json *json, SourceBlock *b, int64_t *to)
{
    int64_t from = json_int(json_get(json, "from"), -1);
    int64_t level = json_int(json_get(json, "level"), 0);
    *to = json_int(json_get(json, "to"), -1);
    b->page = json_int(json_get(json, "page"), 0);
    if (!kind_of(json_text(json_get(json, "kind")), &b->kind) || b->page < 0 || level < 0 ||
        level > LEVEL_MAX + (b->kind == SOURCE_NOTE ? NOTES_MAX : 0))
        return damaged(w, "its kind, level or page is not one of ours");
    int64_t apart = from - w->chars;
    if (apart < 0 || apart > 2)
        return damaged(w, "it does not begin where the block before it ends");
    b->level = (int)level;
    put_times(w, "\n", (int)apart);
    b->from = b->body = w->text.len;
    return OK;
}

static ErrCode end_block(Writer *w, SourceBlock *b, int64_t to)
{
    b->to = w->text.len;
    if (w->text.failed) {
        err_set(w->c->err, ERR_LIMIT_MEMORY, "the document has more than %d MB of text",
                SOURCE_DOCUMENT_MAX >> 20);
        err_hint(w->c->err, "give fewer pages at a time");
        return ERR_LIMIT_MEMORY;
    }
    if (w->chars != to)
        return damaged(w, "its text is not as long as it says");
    blocks_add(&w->blocks, b);
    return w->blocks.failed ? err_set(w->c->err, ERR_NO_MEMORY, "no memory for the blocks") : OK;
}

/* The rows of a table, which may be many, apart from all else that the block says. */
static Str split_rows(Writer *w, Str json, Str *rows)
{
    size_t at = skip_space(json, 1);
    *rows = (Str){0};
    while (at_char(json, at, '"')) {
        size_t key_end = skip_string(json, at);
        size_t value = skip_space(json, skip_space(json, key_end) + 1);
        size_t end = value < json.len ? skip_value(json, value) : json.len;
        if (str_eq(str_slice(json, at, key_end), STR("\"rows\"")) && at_char(json, value, '[')) {
            *rows = str_slice(json, value, end);
            buf_clear(&w->rest);
            buf_add(&w->rest, str_slice(json, 0, value));
            buf_add_c(&w->rest, "null");
            buf_add(&w->rest, str_slice(json, end, json.len));
            return buf_str(&w->rest);
        }
        at = skip_space(json, end);
        at = at_char(json, at, ',') ? skip_space(json, at + 1) : json.len;
    }
    return json;
}

static ErrCode read_block(Writer *w, Str json, SourceBlock *unused)
{
    (void)unused;
    const Json *tree = NULL;
    SourceBlock b = {0};
    Str rows;
    int64_t to = -1;
    Str rest = split_rows(w, json, &rows);
    if (w->rest.failed)
        return err_set(w->c->err, ERR_NO_MEMORY, "reading block %zu", w->blocks.len + 1);
    ErrCode rc = parse(w, rest, &tree);
    if (rc == OK)
        rc = begin_block(w, tree, &b, &to);
    if (rc != OK)
        return rc;
    if (b.kind == SOURCE_TABLE)
        rc = put_table(w, rows, &b);
    else
        put_words(w, tree, &b);
    return rc == OK ? end_block(w, &b, to) : rc;
}

static ErrCode read_member(Writer *w, Str json, size_t *at, bool *found)
{
    size_t key_end = skip_string(json, *at);
    Str key = str_slice(json, *at, key_end);
    *at = skip_space(json, key_end);
    if (!at_char(json, *at, ':'))
        return damaged(w, "a name without a value");
    *at = skip_space(json, *at + 1);
    if (str_eq(key, STR("\"blocks\"")) && at_char(json, *at, '[')) {
        *found = true;
        return each_item(w, json, at, read_block, NULL);
    }
    size_t end = skip_value(json, *at);
    int64_t n = 0;
    if (str_eq(key, STR("\"pages\"")) && str_to_i64(str_slice(json, *at, end), &n) && n > 0)
        w->out->pages = n;
    *at = end;
    return OK;
}

static ErrCode read_document(Writer *w, Str json)
{
    bool found = false;
    size_t at = skip_space(json, 0);
    if (!at_char(json, at, '{'))
        return damaged(w, "the file is not a JSON object");
    at = skip_space(json, at + 1);
    while (at_char(json, at, '"')) {
        ErrCode rc = read_member(w, json, &at, &found);
        if (rc != OK)
            return rc;
        at = skip_space(json, at);
        if (at_char(json, at, ','))
            at = skip_space(json, at + 1);
    }
    return found && at_char(json, at, '}') ? OK : damaged(w, "the file has no list of blocks");
}

ErrCode blocks_json_read(StepCtx *c, Str json, Source *out)
{
    CLEANUP(arena_close) Arena *scratch = arena_open(PART_MEMORY);
    Writer *w = arena_new(c->arena, Writer, 1);
    if (scratch == NULL || w == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "reading the blocks");
    *w = (Writer){.c = c, .out = out, .scratch = scratch, .blocks = {.arena = c->arena}};
    w->text = buf_init(c->arena, SOURCE_DOCUMENT_MAX);
    w->rest = buf_init(c->arena, PART_MEMORY);
    if (!str_is_utf8(json))
        return damaged(w, "the file is not UTF-8");
    ErrCode rc = read_document(w, json);
    if (rc != OK)
        return rc;
    if (w->text.len > 0)
        put(w, STR("\n"));
    if (w->text.failed)
        return err_set(c->err, ERR_LIMIT_MEMORY, "the document has too much text");
    out->text = buf_str(&w->text);
    out->blocks = w->blocks.items;
    out->blocks_len = w->blocks.len;
    return OK;
}
