#include "document/drawing.h"

#include <stdlib.h>

#include "base/buf.h"
#include "document/omath.h"

enum { SERIES_MAX = 64, POINTS_MAX = 4096, LEVELS = 9 };

/* ---- text ---- */

static unsigned wanted_marks(const XmlElem *rpr)
{
    unsigned marks = 0;
    if (xml_attr_on(rpr, "b", false))
        marks |= 1U << MARK_BOLD;
    if (xml_attr_on(rpr, "i", false))
        marks |= 1U << MARK_ITALIC;
    Str strike = xml_attr(rpr, "strike");
    if (strike.len > 0 && !str_eq_c(strike, "noStrike"))
        marks |= 1U << MARK_STRIKE;
    return marks;
}

static void put_all_text(const Drawing *d, const XmlElem *e)
{
    for (const XmlElem *t = e != NULL ? e->first : NULL; t != NULL; t = t->next)
        doc_text(d->out, t->text);
}

static void put_run(const Drawing *d, const XmlElem *run, bool plain)
{
    const XmlElem *rpr = xml_child(run, A_R_PR);
    unsigned marks = plain ? 0 : wanted_marks(rpr);
    const OpcRel *link = opc_rel(d->rels, xml_attr(xml_child(rpr, A_HLINK_CLICK), "r:id"));
    bool linked = link != NULL && link->external;
    for (int k = 0; k < MARK_LINK; k++)
        if (marks & 1U << k)
            doc_mark(d->out, (MarkKind)k, STR(""));
    if (linked)
        doc_mark(d->out, MARK_LINK, link->target);
    put_all_text(d, xml_child(run, A_T));
    if (linked)
        doc_unmark(d->out, MARK_LINK);
    for (int k = 0; k < MARK_LINK; k++)
        if (marks & 1U << k)
            doc_unmark(d->out, (MarkKind)k);
}

static void put_runs(const Drawing *d, const XmlElem *p, bool plain)
{
    for (const XmlElem *c = p->first; c != NULL; c = c->next) {
        if (c->id == A_R || c->id == A_FLD) {
            put_run(d, c, plain);
        } else if (c->id == A_BR) {
            doc_break(d->out);
        } else if (c->id != XML_TEXT && xml_find(c, OM_T) != NULL) {
            Buf b = buf_init(d->arena, 64 * KIB);
            omath_put(&b, c);
            doc_text(d->out, buf_str(&b));
        }
    }
}

typedef struct Outline {
    int64_t counts[LEVELS];
} Outline;

/* The number of this paragraph, 0 for a bullet, -1 when it is no list item. */
static int64_t marker_of(const XmlElem *ppr, DrawingText how, int level, Outline *o)
{
    const XmlElem *automatic = xml_child(ppr, A_BU_AUTO_NUM);
    if (automatic != NULL) {
        int64_t start = xml_attr_int(automatic, "startAt", 1);
        o->counts[level] = o->counts[level] == 0 ? start : o->counts[level] + 1;
        for (int deeper = level + 1; deeper < LEVELS; deeper++)
            o->counts[deeper] = 0;
        return o->counts[level];
    }
    for (int deeper = level; deeper < LEVELS; deeper++)
        o->counts[deeper] = 0;
    if (xml_child(ppr, A_BU_NONE) != NULL)
        return -1;
    if (xml_child(ppr, A_BU_CHAR) != NULL || xml_child(ppr, A_BU_BLIP) != NULL)
        return 0;
    return how == DRAWING_BULLETS || level > 0 ? 0 : -1;
}

void drawing_text(const Drawing *d, const XmlElem *body, DrawingText how)
{
    Outline outline = {0};
    bool first = true;
    for (const XmlElem *p = body != NULL ? body->first : NULL; p != NULL; p = p->next) {
        if (p->id != A_P)
            continue;
        const XmlElem *ppr = xml_child(p, A_P_PR);
        int64_t level = xml_attr_int(ppr, "lvl", 0);
        level = level < 0 || level >= LEVELS ? 0 : level;
        if (how == DRAWING_INLINE) {
            if (!first)
                doc_break(d->out);
            put_runs(d, p, true);
        } else {
            int64_t marker = marker_of(ppr, how, (int)level, &outline);
            if (marker >= 0)
                doc_item(d->out, (int)level, marker);
            else
                doc_begin(d->out, BLOCK_PARAGRAPH, 0);
            put_runs(d, p, false);
            doc_end(d->out);
        }
        first = false;
    }
}

Str drawing_plain_text(const XmlElem *e, Arena *a)
{
    Buf b = buf_init(a, 64 * KIB);
    for (const XmlElem *at = e; at != NULL; at = xml_walk(e, at)) {
        if (at->id == A_T)
            for (const XmlElem *t = at->first; t != NULL; t = t->next)
                buf_add(&b, t->text);
        else if ((at->id == A_P || at->id == A_BR) && b.len > 0)
            buf_add_char(&b, ' ');
    }
    return buf_str(&b);
}

/* ---- tables ---- */

void drawing_table(const Drawing *d, const XmlElem *table)
{
    doc_table(d->out);
    for (const XmlElem *row = table->first; row != NULL; row = row->next) {
        if (row->id != A_TR)
            continue;
        doc_row(d->out);
        for (const XmlElem *cell = row->first; cell != NULL; cell = cell->next) {
            /* What a merge covers is still there as an empty cell; the sink wants only the one that
             * covers. */
            if (cell->id != A_TC || xml_attr_on(cell, "hMerge", false) ||
                xml_attr_on(cell, "vMerge", false))
                continue;
            int64_t columns = xml_attr_int(cell, "gridSpan", 1),
                    rows = xml_attr_int(cell, "rowSpan", 1);
            doc_cell(d->out, columns < 1000 ? (int)columns : 1, rows < 1000 ? (int)rows : 1);
            drawing_text(d, xml_child(cell, A_TX_BODY), DRAWING_PLAIN);
        }
    }
    doc_table_end(d->out);
}

/* ---- charts ---- */

typedef struct Series {
    Str name;
    const XmlElem *points; /* c:strCache, c:numCache or the like */
} Series;

static const XmlElem *cache_of(const XmlElem *e)
{
    const XmlElem *numbers = xml_find(e, C_NUM_CACHE);
    return numbers != NULL ? numbers : xml_find(e, C_STR_CACHE);
}

static Str point_at(const XmlElem *cache, int64_t index, Arena *a)
{
    for (const XmlElem *p = cache != NULL ? cache->first : NULL; p != NULL; p = p->next)
        if (p->id == C_PT && xml_attr_int(p, "idx", -1) == index)
            return xml_text(xml_child(p, C_V), a);
    return STR("");
}

/* 4.2999999999999998 is how a file spells 4.3. */
static void put_value(const Drawing *d, Str v)
{
    double number = 0;
    if (v.len > 15 && str_to_double(v, &number))
        v = str_printf(d->arena, "%.12g", number);
    doc_text(d->out, v);
}

static int64_t points_of(const XmlElem *cache)
{
    int64_t n = cache != NULL ? xml_attr_int(xml_child(cache, C_PT_COUNT), "val", 0) : 0;
    return n < 0 ? 0 : n > POINTS_MAX ? POINTS_MAX : n;
}

static void put_chart_rows(const Drawing *d, const XmlElem *categories, const Series *series,
                           size_t len)
{
    doc_table(d->out);
    doc_row(d->out);
    doc_cell(d->out, 1, 1);
    int64_t rows = points_of(categories);
    for (size_t i = 0; i < len; i++) {
        doc_cell(d->out, 1, 1);
        doc_text(d->out, series[i].name);
        int64_t n = points_of(series[i].points);
        rows = n > rows ? n : rows;
    }
    for (int64_t row = 0; row < rows; row++) {
        ArenaMark mark = arena_mark(d->arena);
        doc_row(d->out);
        doc_cell(d->out, 1, 1);
        doc_text(d->out, point_at(categories, row, d->arena));
        for (size_t i = 0; i < len; i++) {
            doc_cell(d->out, 1, 1);
            put_value(d, point_at(series[i].points, row, d->arena));
        }
        arena_rewind(d->arena, mark);
    }
    doc_table_end(d->out);
}

static void put_line(const Drawing *d, Str text)
{
    doc_begin(d->out, BLOCK_PARAGRAPH, 0);
    doc_text(d->out, text);
    doc_end(d->out);
}

/* "Line chart" of c:lineChart: without it a reader of the numbers does not know what they are. */
static void put_chart_kind(const Drawing *d, const XmlElem *plot)
{
    static const char *const kinds[][2] = {
        {"lineChart", "Line chart"},       {"line3DChart", "Line chart"},
        {"barChart", "Bar chart"},         {"bar3DChart", "Bar chart"},
        {"pieChart", "Pie chart"},         {"pie3DChart", "Pie chart"},
        {"ofPieChart", "Pie chart"},       {"doughnutChart", "Doughnut chart"},
        {"areaChart", "Area chart"},       {"area3DChart", "Area chart"},
        {"scatterChart", "Scatter chart"}, {"bubbleChart", "Bubble chart"},
        {"radarChart", "Radar chart"},     {"stockChart", "Stock chart"},
        {"surfaceChart", "Surface chart"}, {"surface3DChart", "Surface chart"}};
    for (const XmlElem *c = plot != NULL ? plot->first : NULL; c != NULL; c = c->next)
        for (size_t i = 0; i < COUNT_OF(kinds); i++)
            if (str_eq_c(c->local, kinds[i][0])) {
                put_line(d, str_from_c(kinds[i][1]));
                return;
            }
}

static void put_chart(const Drawing *d, const XmlElem *chart)
{
    const XmlElem *title = xml_child(xml_child(chart, C_CHART), C_TITLE);
    const XmlElem *plot = xml_find(chart, C_PLOT_AREA);
    put_line(d, drawing_plain_text(title, d->arena));
    put_chart_kind(d, plot);

    Series series[SERIES_MAX];
    size_t len = 0;
    const XmlElem *categories = NULL;
    for (const XmlElem *at = xml_walk(plot, plot); at != NULL && len < SERIES_MAX;
         at = xml_walk(plot, at)) {
        if (at->id != C_SER)
            continue;
        const XmlElem *values = xml_child(at, C_VAL), *names = xml_child(at, C_CAT);
        if (categories == NULL)
            categories = cache_of(names != NULL ? names : xml_child(at, C_X_VAL));
        series[len].name = xml_text(xml_find(xml_child(at, C_TX), C_V), d->arena);
        series[len++].points = cache_of(values != NULL ? values : xml_child(at, C_Y_VAL));
    }
    if (len > 0)
        put_chart_rows(d, categories, series, len);
}

/* ---- diagrams ---- */

static void put_diagram(const Drawing *d, const XmlElem *data)
{
    for (const XmlElem *at = xml_walk(data, data); at != NULL; at = xml_walk(data, at)) {
        if (at->id != DGM_T)
            continue;
        doc_item(d->out, 0, 0);
        drawing_text(d, at, DRAWING_INLINE);
        doc_end(d->out);
    }
}

/* A part that cannot be read leaves its place empty; the rest of the document is not worse for it.
 */
static void put_part(const Drawing *d, Str rel_id, void (*put)(const Drawing *, const XmlElem *))
{
    const OpcRel *rel = opc_rel(d->rels, rel_id);
    if (rel == NULL || rel->external)
        return;
    CLEANUP(arena_close) Arena *own = arena_open(16 * MIB);
    const XmlElem *root = NULL;
    Err ignored = {0};
    if (own == NULL || opc_tree(d->opc, rel->target, own, &root, &ignored) != OK || root == NULL)
        return;
    Drawing inside = *d;
    inside.arena = own;
    put(&inside, root);
}

void drawing_graphic(const Drawing *d, const XmlElem *data)
{
    for (const XmlElem *at = data; at != NULL; at = xml_walk(data, at)) {
        if (at->id == A_TBL) {
            drawing_table(d, at);
            return;
        }
        if (at->id == C_CHART)
            put_part(d, xml_attr(at, "r:id"), put_chart);
        else if (at->id == DGM_REL_IDS)
            put_part(d, xml_attr(at, "r:dm"), put_diagram);
    }
}
