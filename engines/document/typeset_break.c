#include "document/typeset_in.h"

#include <string.h>

/* --- where a line may end */

static bool is_east_asian(uint32_t cp)
{
    return (cp >= 0x2E80 && cp <= 0x9FFF) || (cp >= 0xAC00 && cp <= 0xD7A3) ||
           (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0xFF00 && cp <= 0xFFEF) ||
           (cp >= 0x20000 && cp <= 0x323AF);
}

static bool is_one_of(uint32_t cp, const char *utf8)
{
    Str s = str_from_c(utf8);
    for (size_t at = 0; at < s.len;)
        if (str_next_utf8(s, &at) == cp)
            return true;
    return false;
}

static bool begins_no_line(uint32_t cp)
{
    return is_one_of(cp,
                     "、。，．・：；！？）］｝」』】〉》〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
                     "),.;:!?]}%”’");
}

static bool ends_no_line(uint32_t cp)
{
    return is_one_of(cp, "（［｛「『【〈《〔([{“‘");
}

static bool is_wordy(uint32_t cp)
{
    return (cp >= '0' && cp <= '9') || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z') || cp >= 0xC0;
}

static bool may_break(const SetText *t, size_t i)
{
    uint32_t cp = t->cps[i], next = i + 1 < t->len ? t->cps[i + 1] : '\n';
    if (cp == ' ')
        return next != ' ';
    if (next == ' ' || next == '\n')
        return false;
    if (is_one_of(cp, "-/\xE2\x80\x90\xE2\x80\x93\xE2\x80\x94") && is_wordy(next))
        return i > 0 && t->cps[i - 1] != ' ' && t->cps[i - 1] != '\n';
    if (is_east_asian(cp) || is_east_asian(next))
        return !begins_no_line(next) && !ends_no_line(cp);
    return false;
}

void set_find_breaks(SetText *t)
{
    for (size_t i = 0; i < t->len; i++)
        t->breaks[i] = t->cps[i] == '\n' ? BREAK_MUST : may_break(t, i) ? BREAK_MAY : BREAK_NONE;
}

/* --- lines */

static bool keep_line(SetText *t, size_t from, size_t to)
{
    if (t->lines_len == t->lines_cap) {
        size_t more = t->lines_cap > 0 ? t->lines_cap * 2 : 16;
        void *grown = arena_grow(t->arena, t->lines, t->lines_cap * sizeof *t->lines,
                                 more * sizeof *t->lines);
        if (grown == NULL)
            return false;
        t->lines = grown;
        t->lines_cap = more;
    }
    while (to > from && (t->cps[to - 1] == '\n' || (t->cps[to - 1] == ' ' && !t->look.code)))
        to--;
    float width = 0;
    for (size_t i = from; i < to; i++)
        width += t->advances[i];
    t->lines[t->lines_len++] = (SetLine){from, to, width};
    return true;
}

/* A cluster begins where an advance was counted, or at a character that has none of its own but
 * follows a space; inside a cluster no line ends. */
static bool begins_cluster(const SetText *t, size_t i)
{
    return t->advances[i] > 0;
}

ErrCode set_break(SetText *t, float width, Err *err)
{
    size_t from = 0, good = 0; /* good: the last place where the line may end, or `from` */
    float used = 0;
    bool room = true;
    t->lines_len = 0;
    for (size_t i = 0; i < t->len && room; i++) {
        bool space = t->cps[i] == ' ' && !t->look.code;
        if (!space && used + t->advances[i] > width + 0.01f && i > from && t->advances[i] > 0) {
            size_t cut = good > from ? good : begins_cluster(t, i) ? i : 0;
            if (cut > from) {
                room = keep_line(t, from, cut);
                from = good = cut;
                used = 0;
                for (size_t k = from; k < i; k++)
                    used += t->advances[k];
            }
        }
        used += t->advances[i];
        if (t->breaks[i] == BREAK_MAY)
            good = i + 1;
        if (t->breaks[i] == BREAK_MUST) {
            room = room && keep_line(t, from, i + 1);
            from = good = i + 1;
            used = 0;
        }
    }
    if (room && (from < t->len || t->lines_len == 0))
        room = keep_line(t, from, t->len);
    return room ? OK : err_set(err, ERR_LIMIT_MEMORY, "breaking a paragraph into lines");
}

float set_widest(const SetText *t)
{
    float widest = 0, used = 0;
    for (size_t i = 0; i < t->len; i++) {
        used += t->advances[i];
        widest = used > widest ? used : widest;
        used = t->breaks[i] == BREAK_MUST ? 0 : used;
    }
    return widest;
}

float set_widest_word(const SetText *t)
{
    float widest = 0, used = 0;
    for (size_t i = 0; i < t->len; i++) {
        used += t->cps[i] == ' ' ? 0 : t->advances[i];
        widest = used > widest ? used : widest;
        used = t->breaks[i] != BREAK_NONE ? 0 : used;
    }
    return widest;
}
