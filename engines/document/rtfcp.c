#include "document/rtfcp.h"

#include <string.h>

#include "base/buf.h"
#include "document/bytes.h"

enum { WINDOW = 4096, HEADER = 16 };
#define LZFU 0x75465A4Cu /* compressed */
#define MELA 0x414C454Du /* stored */

/* What the window holds before the first byte. */
static const char start[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    "\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    "\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
_Static_assert(sizeof start - 1 == 207, "the window of MS-OXRTFCP begins with 207 bytes");

typedef struct Window {
    char bytes[WINDOW];
    size_t at;
    Buf *out;
} Window;

static void put(Window *w, char c)
{
    w->bytes[w->at] = c;
    w->at = (w->at + 1) % WINDOW;
    buf_add_char(w->out, c);
}

/* Runs of eight: a byte of flags, then literals (0) and references (1). A reference to the place of
 * writing is the end. */
static void inflate_runs(Window *w, Str in)
{
    for (size_t at = 0; at < in.len;) {
        unsigned flags = (unsigned char)in.ptr[at++];
        for (int bit = 0; bit < 8 && at < in.len && !w->out->failed; bit++) {
            if (!(flags >> bit & 1)) {
                put(w, in.ptr[at++]);
                continue;
            }
            if (at + 2 > in.len)
                return;
            unsigned ref = (unsigned)(unsigned char)in.ptr[at] << 8 | (unsigned char)in.ptr[at + 1];
            size_t from = ref >> 4, len = (ref & 15) + 2;
            at += 2;
            if (from == w->at)
                return;
            for (size_t i = 0; i < len; i++)
                put(w, w->bytes[(from + i) % WINDOW]);
        }
    }
}

ErrCode rtfcp_unpack(Arena *a, Str packed, Str *out, Err *err)
{
    uint32_t size = le32(packed, 0), raw = le32(packed, 4), kind = le32(packed, 8);
    if (packed.len < HEADER || (kind != LZFU && kind != MELA))
        return err_set(err, ERR_INPUT_DAMAGED, "no compressed RTF");
    Str body =
        str_slice(packed, HEADER, size >= 12 && size + 4u <= packed.len ? size + 4u : packed.len);
    if (kind == MELA) {
        *out = str_slice(body, 0, raw);
        return OK;
    }
    Buf b = buf_init(a, RTFCP_MAX);
    Window w = {.at = sizeof start - 1, .out = &b};
    memcpy(w.bytes, start, sizeof start - 1);
    inflate_runs(&w, body);
    if (b.failed)
        return err_set(err, ERR_LIMIT_MEMORY, "the message's RTF does not fit into memory");
    *out = buf_str(&b);
    return OK;
}

/* --- HTML wrapped in RTF: text in \*\htmltag groups, and text outside that \htmlrtf does not hide */

enum { GROUPS_MAX = 256 };

typedef struct Group {
    bool skip;   /* a destination without HTML */
    bool hidden; /* \htmlrtf */
} Group;

typedef struct Unwrap {
    Str s;
    size_t at;
    Group groups[GROUPS_MAX];
    int depth;
    bool starred; /* \* was read: the next word decides on the group */
    int64_t codepage;
    Buf *out;
} Unwrap;

static void put_text(Unwrap *u, Str text)
{
    const Group *g = &u->groups[u->depth];
    if (!g->skip && !g->hidden)
        buf_add(u->out, text);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

static void control_word(Unwrap *u, Str word, bool has_number, int64_t number)
{
    static const char *const dropped[] = {"fonttbl", "colortbl", "stylesheet", "info", "pntext"};
    static const struct {
        const char *word;
        Str text;
    } texts[] = {
        {"par", {"\r\n", 2}},          {"line", {"\r\n", 2}},         {"tab", {"\t", 1}},
        {"lquote", {"&lsquo;", 7}},    {"rquote", {"&rsquo;", 7}},    {"bullet", {"&bull;", 6}},
        {"ldblquote", {"&ldquo;", 7}}, {"rdblquote", {"&rdquo;", 7}}, {"endash", {"&ndash;", 7}},
        {"emdash", {"&mdash;", 7}},
    };
    Group *g = &u->groups[u->depth];
    bool starred = u->starred;
    u->starred = false;
    if (str_eq_c(word, "htmlrtf")) {
        g->hidden = !has_number || number != 0;
    } else if (str_eq_c(word, "htmltag")) {
        g->skip = g->hidden = false;
    } else if (str_eq_c(word, "ansicpg")) {
        u->codepage = number;
    } else if (str_eq_c(word, "u") && has_number) {
        if (!g->skip && !g->hidden)
            buf_addf(u->out, "&#%d;", (int)(number < 0 ? number + 65536 : number) & 0xFFFF);
        if (u->at < u->s.len && u->s.ptr[u->at] == '?') /* what stands there for old readers */
            u->at++;
    } else if (starred) {
        g->skip = true;
    } else {
        for (size_t i = 0; i < COUNT_OF(dropped); i++)
            g->skip = g->skip || str_eq_c(word, dropped[i]);
        for (size_t i = 0; i < COUNT_OF(texts); i++)
            if (str_eq_c(word, texts[i].word))
                put_text(u, texts[i].text);
    }
}

static void control(Unwrap *u)
{
    Str s = u->s;
    size_t from = u->at, at = from;
    while (at < s.len && at - from < 32 && (s.ptr[at] | 0x20) >= 'a' && (s.ptr[at] | 0x20) <= 'z')
        at++;
    if (at == from) { /* a symbol */
        char c = at < s.len ? s.ptr[at] : 0;
        u->at = at + 1;
        if (c == '\'' && at + 2 < s.len) {
            int high = hex_digit(s.ptr[at + 1]), low = hex_digit(s.ptr[at + 2]);
            char byte = (char)(high * 16 + low);
            if (high >= 0 && low >= 0)
                put_text(u, (Str){&byte, 1});
            u->at = at + 3;
        } else if (c == '*') {
            u->starred = true;
        } else if (c == '{' || c == '}' || c == '\\') {
            put_text(u, (Str){&c, 1});
        } else if (c == '~') {
            put_text(u, STR("&nbsp;"));
        }
        return;
    }
    Str word = str_slice(s, from, at);
    size_t number_from = at;
    if (at < s.len && s.ptr[at] == '-')
        at++;
    while (at < s.len && at - number_from < 12 && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    int64_t number = 0;
    bool has_number = str_to_i64(str_slice(s, number_from, at), &number);
    u->at = at + (at < s.len && s.ptr[at] == ' ');
    control_word(u, word, has_number, number);
}

Str rtfcp_html(Arena *a, Str rtf, int64_t *codepage)
{
    *codepage = 0;
    if (str_find(str_slice(rtf, 0, 400), STR("\\fromhtml")) == STR_NONE)
        return STR("");
    Buf b = buf_init(a, RTFCP_MAX);
    Unwrap u = {.s = rtf, .out = &b};
    while (u.at < rtf.len && !b.failed) {
        char c = rtf.ptr[u.at++];
        if (c == '{' && u.depth + 1 < GROUPS_MAX) {
            u.groups[u.depth + 1] = u.groups[u.depth];
            u.depth++;
            u.starred = false;
        } else if (c == '}' && u.depth > 0) {
            u.depth--;
        } else if (c == '\\') {
            control(&u);
        } else if (c != '{' && c != '}' && c != '\r' && c != '\n') {
            put_text(&u, (Str){&c, 1});
        }
    }
    *codepage = u.codepage;
    return b.failed ? STR("") : buf_str(&b);
}
