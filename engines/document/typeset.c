#include "document/typeset_in.h"
#include "document/xml_write.h"

#include <fribidi.h>
#include <hb.h>
#include <string.h>

enum { TAB_COLUMNS = 4 };
static const float code_scale = 0.92f; /* the mono face looks larger than the others */

SetRun *set_runs(Arena *a, const Doc *d, const DocSpan *span)
{
    SetRun *runs = arena_new(a, SetRun, span->runs_len + 1);
    if (runs == NULL)
        return NULL;
    for (size_t i = 0; i < span->runs_len; i++) {
        const DocRun *r = &span->runs[i];
        runs[i] = (SetRun){r->from - span->base, r->to - span->base, r->marks, {0}};
        if (r->marks & 1u << MARK_LINK)
            runs[i].href = str_copy(a, doc_run_href(d, r));
    }
    return runs;
}

/* --- characters */

typedef struct Shaper {
    SetText *t;
    size_t *run_of; /* per character */
    FriBidiLevel *levels;
    hb_buffer_t *buffer;
    bool full;
} Shaper;

/* Tabs of code become spaces here, so that every character has a width. */
static void decode(Shaper *w, Str text, const SetRun *runs, size_t runs_len)
{
    SetText *t = w->t;
    size_t run = 0, column = 0;
    for (size_t at = 0; at < text.len;) {
        while (run + 1 < runs_len && at >= runs[run].to)
            run++;
        uint32_t cp = str_next_utf8(text, &at);
        size_t times = 1;
        if (cp == '\t') {
            times = TAB_COLUMNS - column % TAB_COLUMNS;
            cp = ' ';
        }
        column = cp == '\n' ? 0 : column + times;
        for (; times > 0; times--) {
            w->run_of[t->len] = run;
            t->cps[t->len++] = cp;
        }
    }
}

static ErrCode find_levels(Shaper *w, Arena *a, bool code, Err *err)
{
    SetText *t = w->t;
    bool rtl = false;
    for (size_t i = 0; i < t->len && !rtl; i++)
        rtl = t->cps[i] >= 0x590 && (FRIBIDI_IS_RTL(fribidi_get_bidi_type(t->cps[i])));
    if (!rtl || code)
        return OK; /* all zero */
    FriBidiCharType *types = arena_new(a, FriBidiCharType, t->len);
    FriBidiBracketType *brackets = arena_new(a, FriBidiBracketType, t->len);
    if (types == NULL || brackets == NULL)
        return err_set(err, ERR_LIMIT_MEMORY, "setting a paragraph");
    FriBidiParType base = FRIBIDI_PAR_ON;
    fribidi_get_bidi_types(t->cps, (int)t->len, types);
    fribidi_get_bracket_types(t->cps, (int)t->len, types, brackets);
    if (fribidi_get_par_embedding_levels_ex(types, brackets, (int)t->len, &base, w->levels) == 0)
        return err_set(err, ERR_LIMIT_MEMORY, "ordering a paragraph");
    t->rtl = FRIBIDI_IS_RTL(base);
    return OK;
}

/* --- pieces */

static bool clings(uint32_t cp)
{
    hb_unicode_general_category_t c =
        hb_unicode_general_category(hb_unicode_funcs_get_default(), cp);
    return c == HB_UNICODE_GENERAL_CATEGORY_NON_SPACING_MARK ||
           c == HB_UNICODE_GENERAL_CATEGORY_ENCLOSING_MARK ||
           c == HB_UNICODE_GENERAL_CATEGORY_SPACING_MARK || c == HB_UNICODE_GENERAL_CATEGORY_FORMAT;
}

static FaceFamily family_at(const Shaper *w, size_t i)
{
    const SetRun *r = &w->t->runs[w->run_of[i]];
    return r->marks & 1u << MARK_CODE ? FACE_MONO : w->t->look.family;
}

static const Face *face_at(const Shaper *w, size_t i, const Face *before)
{
    const SetText *t = w->t;
    unsigned marks = t->runs[w->run_of[i]].marks;
    FaceFamily family = family_at(w, i);
    bool bold = t->look.bold || (marks & 1u << MARK_BOLD);
    const Face *wanted = face_of(family, bold, t->look.italic || (marks & 1u << MARK_ITALIC));
    uint32_t cp = t->cps[i];
    if (cp == '\n')
        return before != NULL ? before : wanted;
    if (before != NULL && clings(cp) && (face_has(before, cp) || !face_has(wanted, cp)))
        return before;
    if (cp == ' ' && before != NULL && face_has(before, cp) && w->run_of[i] == w->run_of[i - 1])
        return before;
    return face_with(wanted, family, bold, cp);
}

static hb_script_t script_at(const Shaper *w, size_t i)
{
    hb_script_t s = hb_unicode_script(hb_unicode_funcs_get_default(), w->t->cps[i]);
    bool any = s == HB_SCRIPT_COMMON || s == HB_SCRIPT_INHERITED || s == HB_SCRIPT_UNKNOWN;
    return any ? HB_SCRIPT_INVALID : s;
}

/* Room for one more; NULL and `full` when there is none. */
static void *grow(Shaper *w, void *list, size_t len, size_t *cap, size_t size)
{
    if (len < *cap)
        return list;
    size_t more = *cap > 0 ? *cap * 2 : 64;
    void *grown = arena_grow(w->t->arena, list, *cap * size, more * size);
    if (grown == NULL) {
        w->full = true;
        return list;
    }
    *cap = more;
    return grown;
}

static void keep_glyph(Shaper *w, const SetPiece *p, const hb_glyph_info_t *info,
                       const hb_glyph_position_t *pos)
{
    SetText *t = w->t;
    float unit = p->size / (float)p->face->upem;
    t->glyphs = grow(w, t->glyphs, t->glyphs_len, &t->glyphs_cap, sizeof *t->glyphs);
    if (w->full)
        return;
    SetGlyph g = {.id = info->codepoint,
                  .cluster = info->cluster,
                  .advance = (float)pos->x_advance * unit,
                  .dx = (float)pos->x_offset * unit,
                  .dy = (float)pos->y_offset * unit};
    if (t->cps[g.cluster] == '\n')
        g.advance = 0;
    t->glyphs[t->glyphs_len++] = g;
    t->advances[g.cluster] += g.advance;
}

static void shape_piece(Shaper *w, SetPiece *p, hb_script_t script)
{
    SetText *t = w->t;
    hb_buffer_t *b = w->buffer;
    unsigned len = 0;
    hb_buffer_clear_contents(b);
    hb_buffer_add_codepoints(b, t->cps, (int)t->len, (unsigned)p->from, (int)(p->to - p->from));
    hb_buffer_set_direction(b, p->level & 1 ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
    hb_buffer_set_script(b, script != HB_SCRIPT_INVALID ? script : HB_SCRIPT_COMMON);
    hb_buffer_set_language(b, hb_language_get_default());
    hb_shape(p->face->font, b, NULL, 0);
    const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(b, &len);
    const hb_glyph_position_t *pos = hb_buffer_get_glyph_positions(b, &len);
    p->glyph_from = t->glyphs_len;
    for (unsigned i = 0; i < len && !w->full; i++)
        keep_glyph(w, p, &info[i], &pos[i]);
    p->glyph_to = t->glyphs_len;
    t->pieces = grow(w, t->pieces, t->pieces_len, &t->pieces_cap, sizeof *t->pieces);
    if (!w->full)
        t->pieces[t->pieces_len++] = *p;
}

static void shape_all(Shaper *w)
{
    SetText *t = w->t;
    const Face *face = NULL;
    for (size_t from = 0; from < t->len && !w->full;) {
        face = face_at(w, from, from > 0 && t->cps[from - 1] != '\n' ? face : NULL);
        hb_script_t script = script_at(w, from);
        size_t to = from + 1;
        for (; to < t->len; to++) {
            if (w->run_of[to] != w->run_of[from] || w->levels[to] != w->levels[from] ||
                t->cps[to - 1] == '\n' || face_at(w, to, face) != face)
                break;
            hb_script_t next = script_at(w, to);
            if (script == HB_SCRIPT_INVALID)
                script = next;
            else if (next != HB_SCRIPT_INVALID && next != script)
                break;
        }
        bool mono = family_at(w, from) == FACE_MONO;
        SetPiece p = {.face = face,
                      .size = t->look.size * (mono ? code_scale : 1),
                      .level = (unsigned char)w->levels[from],
                      .from = from,
                      .to = to,
                      .run = w->run_of[from]};
        shape_piece(w, &p, script);
        from = to;
    }
}

ErrCode set_shape(Arena *a, Str text, const SetRun *runs, size_t runs_len, const SetLook *look,
                  SetText *out, Err *err)
{
    static const SetRun plain[1];
    size_t tabs = 0;
    for (size_t i = 0; i < text.len; i++)
        tabs += text.ptr[i] == '\t';
    size_t most = text.len + tabs * (TAB_COLUMNS - 1) + 1;
    *out = (SetText){.arena = a,
                     .look = *look,
                     .runs = runs_len > 0 ? runs : plain,
                     .cps = arena_new(a, uint32_t, most),
                     .advances = arena_new(a, float, most),
                     .breaks = arena_new(a, unsigned char, most)};
    Shaper w = {.t = out,
                .run_of = arena_new(a, size_t, most),
                .levels = arena_new(a, FriBidiLevel, most),
                .buffer = hb_buffer_create()};
    bool room = out->cps != NULL && out->advances != NULL && out->breaks != NULL &&
                w.run_of != NULL && w.levels != NULL && hb_buffer_allocation_successful(w.buffer);
    ErrCode rc = room ? OK : err_set(err, ERR_LIMIT_MEMORY, "setting a paragraph");
    if (rc == OK) {
        decode(&w, text, runs, runs_len);
        rc = find_levels(&w, a, look->code, err);
    }
    if (rc == OK) {
        shape_all(&w);
        if (w.full)
            rc = err_set(err, ERR_LIMIT_MEMORY, "setting a paragraph");
    }
    if (rc == OK)
        set_find_breaks(out);
    hb_buffer_destroy(w.buffer);
    return rc;
}
