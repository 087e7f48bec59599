/* xlsx.c: Excel workbooks (xlsx, xlsm, xltx, xltm): every visible sheet in the order of the
 * workbook as a heading and tables.
 *
 * Cells are a stream: one row is held at a time, so a million of them cost no more memory than one
 * row and the shared strings. An empty row ends a table; a row of a single cell with nothing around
 * it is a paragraph. Values are shown as the cell's number format says (numfmt.h). Merged cells are
 * spans, in sheets up to a few megabytes: the list of them stands behind the cells. A formula whose value is not in the file is shown itself. */
#include <string.h>

#include "base/buf.h"
#include "document/numfmt.h"
#include "document/xlsx_drawing.h"

enum {
    SHEETS_MAX = 10000,
    FORMATS_MAX = 64 * 1024,
    ROWS_MAX = 1048576,
    CELL_MAX = 256 * 1024,
    STRINGS_PAGE = 4096,
    PAGES_MAX = 16384, /* of strings: 67 million */
};
#define STRINGS_BYTES (384 * MIB)
#define MERGES_BYTES  (8 * MIB) /* of a sheet that is searched for merges first */

typedef struct Sheet {
    Str name, rel_id;
    bool hidden;
    struct Sheet *next;
} Sheet;

typedef struct NamedFormat {
    int64_t id;
    NumFormat format;
} NamedFormat;

typedef enum CellType {
    CELL_NUMBER,
    CELL_SHARED,
    CELL_TEXT,
    CELL_BOOL,
    CELL_ERROR,
    CELL_DATE
} CellType;

typedef struct Xlsx {
    const DocInput *in;
    Doc *out;
    Opc opc;
    Arena *trees;
    Err *err;
    Sheet *sheets, *last_sheet;
    size_t sheets_len;
    bool date1904;

    NamedFormat *named; /* of styles.xml, by number */
    size_t named_len, named_cap;
    NumFormat *formats; /* by the s of a cell */
    size_t formats_len, formats_cap;
    bool in_cell_xfs;

    Arena *string_arena;
    Str **strings; /* pages of STRINGS_PAGE */
    size_t strings_len;
    bool out_of_memory;

    /* the text being collected */
    Buf text, formula;
    bool in_value, in_formula;

    /* the cell in hand */
    CellType type;
    int column;
    size_t style;

    Grid grid;
    int64_t row_no;
} Xlsx;

/* ---- workbook ---- */

static XmlWant workbook_start(void *ctx, const XmlElem *e)
{
    Xlsx *x = ctx;
    if (e->id == S_WORKBOOK_PR)
        x->date1904 = xml_attr_on(e, "date1904", false);
    if (e->id != S_SHEET || x->sheets_len == SHEETS_MAX)
        return XML_ENTER;
    Sheet *s = arena_new(x->opc.arena, Sheet, 1);
    if (s == NULL)
        return XML_ENTER;
    Str state = xml_attr(e, "state");
    s->name = str_copy(x->opc.arena, xml_attr(e, "name"));
    s->rel_id = str_copy(x->opc.arena, xml_attr(e, "r:id"));
    s->hidden = str_eq_c(state, "hidden") || str_eq_c(state, "veryHidden");
    if (x->last_sheet != NULL)
        x->last_sheet->next = s;
    else
        x->sheets = s;
    x->last_sheet = s;
    x->sheets_len++;
    return XML_ENTER;
}

/* ---- number formats ---- */

static void *grow(Xlsx *x, void *list, size_t len, size_t *cap, size_t size)
{
    if (len < *cap)
        return list;
    size_t more = *cap ? *cap * 2 : 64;
    void *grown = arena_grow(x->opc.arena, list, *cap * size, more * size);
    if (grown == NULL)
        x->out_of_memory = true;
    else
        *cap = more;
    return grown;
}

static NumFormat format_of(const Xlsx *x, int64_t id)
{
    for (size_t i = 0; i < x->named_len; i++)
        if (x->named[i].id == id)
            return x->named[i].format;
    return numfmt_parse(str_from_c(numfmt_builtin(id)));
}

static XmlWant styles_start(void *ctx, const XmlElem *e)
{
    Xlsx *x = ctx;
    if (e->id == S_CELL_XFS)
        x->in_cell_xfs = true;
    if (e->id == S_NUM_FMT && x->named_len < FORMATS_MAX) {
        NamedFormat *list = grow(x, x->named, x->named_len, &x->named_cap, sizeof(*list));
        if (list == NULL)
            return XML_ENTER;
        x->named = list;
        x->named[x->named_len++] =
            (NamedFormat){xml_attr_int(e, "numFmtId", -1), numfmt_parse(xml_attr(e, "formatCode"))};
    }
    if (e->id == S_XF && x->in_cell_xfs && x->formats_len < FORMATS_MAX) {
        NumFormat *list = grow(x, x->formats, x->formats_len, &x->formats_cap, sizeof(*list));
        if (list == NULL)
            return XML_ENTER;
        x->formats = list;
        x->formats[x->formats_len++] = format_of(x, xml_attr_int(e, "numFmtId", 0));
    }
    return XML_ENTER;
}

static void styles_end(void *ctx, XmlId id)
{
    if (id == S_CELL_XFS)
        ((Xlsx *)ctx)->in_cell_xfs = false;
}

/* ---- shared strings ---- */

static XmlWant strings_start(void *ctx, const XmlElem *e)
{
    Xlsx *x = ctx;
    if (e->id == S_R_PH)
        return XML_SKIP; /* how to pronounce it */
    if (e->id == S_SI)
        buf_clear(&x->text);
    x->in_value = e->id == S_T;
    return XML_ENTER;
}

static void collect_text(void *ctx, Str text)
{
    Xlsx *x = ctx;
    Buf *to = x->in_value ? &x->text : x->in_formula ? &x->formula : NULL;
    if (to != NULL && to->len + text.len <= CELL_MAX)
        buf_add(to, text);
}

static void strings_end(void *ctx, XmlId id)
{
    Xlsx *x = ctx;
    if (id == S_T)
        x->in_value = false;
    if (id != S_SI)
        return;
    size_t page = x->strings_len / STRINGS_PAGE;
    if (page >= PAGES_MAX) {
        x->out_of_memory = true;
        return;
    }
    if (x->strings[page] == NULL)
        x->strings[page] = arena_new(x->string_arena, Str, STRINGS_PAGE);
    Str copy = x->strings[page] != NULL ? str_copy(x->string_arena, buf_str(&x->text)) : (Str){0};
    if (copy.ptr == NULL) {
        x->out_of_memory = true;
        return;
    }
    x->strings[page][x->strings_len++ % STRINGS_PAGE] = copy;
}

static bool has_failed(void *ctx)
{
    Xlsx *x = ctx;
    return x->out_of_memory || doc_failed(x->out);
}

static ErrCode read_strings(Xlsx *x, Str part)
{
    x->string_arena = arena_open(STRINGS_BYTES);
    x->strings = arena_new(x->opc.arena, Str *, PAGES_MAX);
    if (x->string_arena == NULL || x->strings == NULL)
        return err_set(x->err, ERR_NO_MEMORY, "reading shared strings");
    XmlHandler h = {.ctx = x,
                    .start = strings_start,
                    .end = strings_end,
                    .text = collect_text,
                    .enough = has_failed};
    ErrCode rc = opc_parse(&x->opc, part, x->trees, &h, x->err);
    if (x->out_of_memory)
        rc = err_set(x->err, ERR_LIMIT_MEMORY, "the workbook has too many strings");
    return rc;
}

static Str shared_string(const Xlsx *x, Str index)
{
    int64_t i = -1;
    if (!str_to_i64(str_trim(index), &i) || i < 0 || (size_t)i >= x->strings_len)
        return STR("");
    return x->strings[i / STRINGS_PAGE][i % STRINGS_PAGE];
}

/* ---- cells ---- */

static int column_of(Str ref)
{
    int column = 0;
    for (size_t i = 0; i < ref.len && ref.ptr[i] >= 'A' && ref.ptr[i] <= 'Z' && i < 3; i++)
        column = column * 26 + (ref.ptr[i] - 'A' + 1);
    return column - 1;
}

static void begin_row(Xlsx *x, const XmlElem *e)
{
    int64_t no = xml_attr_int(e, "r", x->row_no + 1);
    x->row_no = no > x->row_no && no <= ROWS_MAX ? no : x->row_no + 1;
    x->column = -1;
}

static void begin_cell(Xlsx *x, const XmlElem *e)
{
    int column = -1;
    int64_t style = 0;
    x->type = CELL_NUMBER;
    for (size_t i = 0; i < e->attrs_len; i++) {
        const XmlAttr *a = &e->attrs[i];
        if (a->local.len != 1 || a->prefix[0] != 0)
            continue;
        if (a->local.ptr[0] == 'r')
            column = column_of(a->value);
        else if (a->local.ptr[0] == 's')
            str_to_i64(a->value, &style);
        else if (a->local.ptr[0] == 't')
            x->type = str_eq_c(a->value, "s")           ? CELL_SHARED
                      : str_eq_c(a->value, "b")         ? CELL_BOOL
                      : str_eq_c(a->value, "e")         ? CELL_ERROR
                      : str_eq_c(a->value, "d")         ? CELL_DATE
                      : str_eq_c(a->value, "inlineStr") ? CELL_TEXT
                      : str_eq_c(a->value, "str")       ? CELL_TEXT
                                                        : CELL_NUMBER;
    }
    x->column = column > x->column && column < GRID_COLUMNS_MAX ? column : x->column + 1;
    x->style = style >= 0 ? (size_t)style : 0;
    buf_clear(&x->text);
    buf_clear(&x->formula);
}

static void put_number(Xlsx *x, Str raw)
{
    static const NumFormat general = {.general = true};
    const NumFormat *f = x->style < x->formats_len ? &x->formats[x->style] : &general;
    ArenaMark mark = arena_mark(x->trees);
    Buf b = buf_init(x->trees, 4 * KIB);
    numfmt_put(&b, f, raw, x->date1904);
    grid_cell(&x->grid, x->row_no, x->column, b.failed ? raw : buf_str(&b));
    arena_rewind(x->trees, mark);
}

/* 2026-11-05T00:00:00 is a date; Z and T say nothing to a reader. */
static void put_iso_date(Xlsx *x, Str raw)
{
    size_t time = str_find_char(raw, 'T');
    if (time != STR_NONE && str_starts(str_slice(raw, time, raw.len), STR("T00:00:00")))
        raw = str_slice(raw, 0, time);
    grid_cell(&x->grid, x->row_no, x->column, raw);
}

static void end_cell(Xlsx *x)
{
    Str raw = buf_str(&x->text);
    if (raw.len == 0 && x->formula.len > 0) {
        buf_add_char(&x->text, '=');
        buf_add(&x->text, buf_str(&x->formula));
        grid_cell(&x->grid, x->row_no, x->column, buf_str(&x->text));
        return;
    }
    switch (x->type) {
    case CELL_SHARED:
        grid_cell(&x->grid, x->row_no, x->column, shared_string(x, raw));
        break;
    case CELL_BOOL:
        grid_cell(&x->grid, x->row_no, x->column,
                  str_eq_c(str_trim(raw), "1") ? STR("TRUE") : STR("FALSE"));
        break;
    case CELL_DATE:
        put_iso_date(x, raw);
        break;
    case CELL_NUMBER:
        if (raw.len > 0)
            put_number(x, str_trim(raw));
        break;
    case CELL_TEXT:
    case CELL_ERROR:
        grid_cell(&x->grid, x->row_no, x->column, raw);
        break;
    }
}

static XmlWant sheet_start(void *ctx, const XmlElem *e)
{
    Xlsx *x = ctx;
    switch (e->id) {
    case S_ROW:
        begin_row(x, e);
        break;
    case S_C:
        begin_cell(x, e);
        break;
    case S_V:
    case S_T:
        x->in_value = true;
        break;
    case S_F:
        x->in_formula = true;
        break;
    case S_R_PH:
        return XML_SKIP;
    default:
        break;
    }
    return XML_ENTER;
}

static void sheet_end(void *ctx, XmlId id)
{
    Xlsx *x = ctx;
    if (id == S_V || id == S_T)
        x->in_value = false;
    else if (id == S_F)
        x->in_formula = false;
    else if (id == S_C)
        end_cell(x);
}

/* ---- merged cells ---- */

static Str cell_ref(Str ref, int64_t *row, int64_t *column)
{
    size_t at = 0;
    *column = column_of(ref);
    while (at < ref.len && ref.ptr[at] >= 'A' && ref.ptr[at] <= 'Z')
        at++;
    for (*row = 0; at < ref.len && ref.ptr[at] >= '0' && ref.ptr[at] <= '9' && *row < ROWS_MAX;
         at++)
        *row = *row * 10 + (ref.ptr[at] - '0');
    return str_slice(ref, at, ref.len);
}

/* "A1:C2" */
static void take_merge(Xlsx *x, Str ref)
{
    GridMerge m;
    Str rest = cell_ref(ref, &m.row, &m.column);
    if (rest.len < 2 || rest.ptr[0] != ':')
        return;
    cell_ref(str_slice(rest, 1, rest.len), &m.last_row, &m.last_column);
    if (m.row > 0 && m.column >= 0 && m.last_column < GRID_COLUMNS_MAX)
        grid_merge(&x->grid, m);
}

/* They are written behind the cells, and wanted before: a small sheet is searched for them. */
static void take_merges(Xlsx *x, Str part)
{
    const Str before = STR("mergeCell "), attr = STR("ref=\"");
    const ZipEntry *e = zip_find(&x->opc.zip, part);
    CLEANUP(arena_close)
    Arena *own =
        e != NULL && e->trusted && e->size <= MERGES_BYTES ? arena_open(MERGES_BYTES + MIB) : NULL;
    Str xml;
    Err ignored = {0};
    if (own == NULL || zip_read(&x->opc.zip, e, own, MERGES_BYTES, &xml, &ignored) != OK)
        return;
    for (size_t at; (at = str_find(xml, before)) != STR_NONE;) {
        xml = str_slice(xml, at + before.len, xml.len);
        size_t from = str_find(str_slice(xml, 0, 64), attr);
        if (from != STR_NONE)
            take_merge(x, str_slice(xml, from + attr.len, from + attr.len + 32));
    }
}

/* ---- what hangs on a sheet ---- */

/* The n-th <author> of a part of comments. */
static Str comment_author(const XmlElem *root, int64_t n, Arena *a)
{
    for (const XmlElem *at = root; at != NULL; at = xml_walk(root, at))
        if (at->id != XML_TEXT && str_eq_c(at->local, "author") && n-- == 0)
            return xml_text(at, a);
    return STR("");
}

static void put_comments(Xlsx *x, Str part)
{
    CLEANUP(arena_close) Arena *own = arena_open(32 * MIB);
    const XmlElem *root = NULL;
    Err ignored = {0};
    if (own == NULL || opc_tree(&x->opc, part, own, &root, &ignored) != OK)
        return;
    for (const XmlElem *at = root; at != NULL; at = xml_walk(root, at)) {
        if (at->id != S_COMMENT)
            continue;
        grid_heading(&x->grid);
        doc_begin(x->out, BLOCK_NOTE, 0);
        Str author = comment_author(root, xml_attr_int(at, "authorId", -1), own);
        Str text = str_trim(xml_text(xml_child(at, S_TEXT), own));
        doc_text(x->out, xml_attr(at, "ref"));
        doc_text(x->out, STR(": "));
        if (author.len > 0 && !str_starts(text, author)) { /* Excel writes it into the text */
            doc_text(x->out, author);
            doc_text(x->out, STR(": "));
        }
        doc_text(x->out, text);
        doc_end(x->out);
    }
}

static ErrCode read_cells(Xlsx *x, Str part)
{
    XmlHandler h = {.ctx = x,
                    .start = sheet_start,
                    .end = sheet_end,
                    .text = collect_text,
                    .enough = has_failed};
    take_merges(x, part);
    ErrCode rc = opc_parse(&x->opc, part, x->trees, &h, x->err);
    grid_end(&x->grid);
    return rc;
}

static ErrCode read_sheet(Xlsx *x, const Sheet *s, Str part, int64_t page_no)
{
    OpcRels rels = {0};
    Err ignored = {0};
    bool more = opc_rels(&x->opc, part, &rels, &ignored) == OK;
    const OpcRel *shapes = more ? opc_rel_type(&rels, "drawing") : NULL,
                 *comments = more ? opc_rel_type(&rels, "comments") : NULL;
    CLEANUP(xlsx_drawings_close) XlsxDrawings drawings = {0};
    x->row_no = 0;
    doc_page(x->out, page_no);
    grid_begin(&x->grid, s->name);
    if (shapes != NULL) {
        xlsx_drawings_open(&drawings, &x->opc, shapes->target, x->out, &x->grid);
        x->grid.before = xlsx_drawings_put;
        x->grid.before_ctx = &drawings;
    }
    ErrCode rc = read_cells(x, part);
    x->grid.before = NULL;
    if (rc != OK)
        return rc;
    xlsx_drawings_put(&drawings, INT64_MAX);
    if (comments != NULL && x->in->comments)
        put_comments(x, comments->target);
    return OK;
}

static ErrCode read_sheets(Xlsx *x, const OpcRels *rels)
{
    int64_t page_no = 0;
    ErrCode rc = OK, first = OK;
    for (const Sheet *s = x->sheets; s != NULL && !has_failed(x); s = s->next) {
        const OpcRel *rel = opc_rel(rels, s->rel_id);
        if (s->hidden) {
            Str note = str_printf(x->opc.arena, "the hidden sheet \"" STR_FMT "\" was left out",
                                  STR_ARG(str_slice(s->name, 0, 100)));
            if (note.ptr != NULL)
                step_note(x->in->step, note);
        }
        if (s->hidden || rel == NULL || rel->external)
            continue;
        step_progress(x->in->step, page_no, (int64_t)x->sheets_len, "sheets");
        page_no++;
        if (!pages_wanted(x->in->pages, page_no))
            continue;
        rc = read_sheet(x, s, rel->target, page_no);
        if (rc != OK && rc != ERR_INPUT_DAMAGED)
            return rc;
        if (first == OK)
            first = rc; /* one damaged sheet does not hide the others */
    }
    return first;
}

static ErrCode read_workbook(Xlsx *x)
{
    OpcRels rels = {0};
    XmlHandler book = {.ctx = x, .start = workbook_start};
    ErrCode rc = opc_parse(&x->opc, x->opc.main_part, x->trees, &book, x->err);
    if (rc == OK || (rc == ERR_INPUT_DAMAGED && x->sheets != NULL))
        rc = opc_rels(&x->opc, x->opc.main_part, &rels, x->err);
    const OpcRel *styles = opc_rel_type(&rels, "styles"),
                 *strings = opc_rel_type(&rels, "sharedStrings");
    if (rc == OK && styles != NULL) {
        XmlHandler h = {.ctx = x, .start = styles_start, .end = styles_end};
        rc = opc_parse(&x->opc, styles->target, x->trees, &h, x->err);
        rc = rc == ERR_INPUT_DAMAGED ? OK : rc; /* numbers without formats are still numbers */
    }
    if (rc == OK && strings != NULL)
        rc = read_strings(x, strings->target);
    if (rc == ERR_INPUT_DAMAGED && x->strings_len > 0)
        rc = OK;
    return rc == OK ? read_sheets(x, &rels) : rc;
}

ErrCode read_xlsx(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    Err *err = in->step->err;
    CLEANUP(arena_close) Arena *trees = arena_open(64 * MIB);
    Xlsx *x = arena_new(a, Xlsx, 1);
    if (trees == NULL || x == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a workbook");
    *x = (Xlsx){
        .in = in,
        .out = out,
        .trees = trees,
        .err = err,
        .text = buf_init(a, CELL_MAX),
        .formula = buf_init(a, CELL_MAX),
    };
    ErrCode rc = grid_open(in->step, out, &x->grid);
    if (rc == OK)
        rc = opc_open(a, in->bytes, STR("xl/workbook.xml"), &x->opc, err);
    if (rc == OK && str_find(x->opc.main_type, STR("sheet.binary")) != STR_NONE) {
        rc = err_set(err, ERR_UNSUPPORTED_TYPE, "a binary workbook (xlsb)");
        err_hint(err, "Save it as .xlsx in Excel, or convert it with office.convert.");
    }
    if (rc != OK)
        return rc;
    opc_note_repaired(in, &x->opc.zip);
    int64_t pages = 0;
    opc_meta(&x->opc, out, &pages);
    rc = read_workbook(x);
    arena_close(&x->string_arena);
    return opc_forgive(in, out, rc);
}
