#include "document/numfmt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SECONDS_A_DAY = 86400, DATE_LAST = 2958465 /* 9999-12-31 */, TEXT_MAX = 400 };

const char *numfmt_builtin(int64_t id)
{
    static const char *const codes[] = {
        [0] = "General",
        [1] = "0",
        [2] = "0.00",
        [3] = "#,##0",
        [4] = "#,##0.00",
        [9] = "0%",
        [10] = "0.00%",
        [11] = "0.00E+00",
        [12] = "General",
        [13] = "General",
        [14] = "yyyy-mm-dd",
        [15] = "d-mmm-yy",
        [16] = "d-mmm",
        [17] = "mmm-yy",
        [18] = "h:mm",
        [19] = "h:mm:ss",
        [20] = "h:mm",
        [21] = "h:mm:ss",
        [22] = "yyyy-mm-dd h:mm",
        [37] = "#,##0;(#,##0)",
        [38] = "#,##0;(#,##0)",
        [39] = "#,##0.00;(#,##0.00)",
        [40] = "#,##0.00;(#,##0.00)",
        [41] = "#,##0;-#,##0;\"-\"",
        [42] = "$#,##0;-$#,##0;\"-\"",
        [43] = "#,##0.00;-#,##0.00;\"-\"",
        [44] = "$#,##0.00;-$#,##0.00;\"-\"",
        [45] = "mm:ss",
        [46] = "[h]:mm:ss",
        [47] = "mm:ss",
        [48] = "0.0E+0",
        [49] = "General",
    };
    if (id >= 27 && id <= 36)
        return "yyyy-mm-dd";
    if (id >= 50 && id <= 58)
        return "yyyy-mm-dd";
    bool known = id >= 0 && id < (int64_t)COUNT_OF(codes) && codes[id] != NULL;
    return known ? codes[id] : "General";
}

/* ---- reading a code ---- */

typedef struct Scan {
    Str code;
    size_t at;
    NumSection *s;
    char last; /* the last date letter, to tell minutes from months */
    bool point;
    bool m_pending; /* an m that the next letter decides */
} Scan;

static void add_literal(NumSection *s, Str text)
{
    char *to = s->digits || s->general ? s->suffix : s->prefix;
    size_t len = strlen(to);
    if (len + text.len < NUMFMT_LITERAL) {
        memcpy(to + len, text.ptr, text.len);
        to[len + text.len] = 0;
    }
}

/* One character, whole even when it has several bytes. */
static Str next_char(const Scan *c, size_t from)
{
    size_t end = from;
    if (from < c->code.len)
        str_next_utf8(c->code, &end);
    return str_slice(c->code, from, end);
}

static void scan_bracket(Scan *c)
{
    Str rest = str_slice(c->code, c->at + 1, c->code.len);
    size_t end = str_find_char(rest, ']');
    Str inside = end == STR_NONE ? rest : str_slice(rest, 0, end);
    c->at += inside.len + 2;
    if (inside.len > 0 && inside.ptr[0] == '$') { /* [$€-407]: a currency and a locale */
        size_t dash = str_find_char(inside, '-');
        add_literal(c->s, str_slice(inside, 1, dash == STR_NONE ? inside.len : dash));
        return;
    }
    char first = inside.len > 0 ? (char)(inside.ptr[0] | 0x20) : 0;
    for (size_t i = 0; i < inside.len; i++)
        if ((inside.ptr[i] | 0x20) != first)
            return; /* a colour or a condition */
    if (first == 'h' || first == 'm' || first == 's') {
        c->s->elapsed = true;
        c->s->hour |= first == 'h';
        c->s->minute |= first == 'm';
        c->s->second |= first == 's';
        c->last = first;
    }
}

static void scan_quoted(Scan *c)
{
    Str rest = str_slice(c->code, c->at + 1, c->code.len);
    size_t end = str_find_char(rest, '"');
    Str inside = end == STR_NONE ? rest : str_slice(rest, 0, end);
    add_literal(c->s, inside);
    c->at += inside.len + 2;
}

/* m means minutes after hours or before seconds, else months. */
static void scan_date_letter(Scan *c, char letter)
{
    NumSection *s = c->s;
    if (letter == 'm') {
        if (c->last == 'h')
            s->minute = true;
        else
            c->m_pending = true;
    } else if (letter == 's') {
        if (c->m_pending)
            s->minute = true;
        c->m_pending = false;
        s->second = true;
    } else {
        if (c->m_pending)
            s->month = true;
        c->m_pending = false;
        s->year |= letter == 'y' || letter == 'e';
        s->day |= letter == 'd';
        s->hour |= letter == 'h';
    }
    c->last = letter;
    while (c->at < c->code.len && (c->code.ptr[c->at] | 0x20) == letter)
        c->at++;
}

static void scan_digit(Scan *c, char ch)
{
    NumSection *s = c->s;
    s->digits = true;
    if (s->exponent > 0 || c->last == 'E')
        s->exponent++;
    else if (!c->point)
        s->integers = (uint8_t)(s->integers + (ch == '0' && s->integers < 20));
    else if (ch == '0' && s->decimals < 20)
        s->decimals++;
    else if (s->optional < 20)
        s->optional++;
}

/* A comma between digits groups thousands; behind them it divides. */
static void scan_comma(Scan *c)
{
    Str rest = str_slice(c->code, c->at + 1, c->code.len);
    bool more = false;
    for (size_t i = 0; i < rest.len && !more; i++) {
        char ch = rest.ptr[i];
        if (ch != '0' && ch != '#' && ch != '?' && ch != ',')
            break;
        more = ch != ',';
    }
    if (more)
        c->s->thousands = true;
    else if (c->s->digits && c->s->thousands_cut < 4)
        c->s->thousands_cut++;
}

static bool starts_general(const Scan *c)
{
    return str_eq_nocase(str_slice(c->code, c->at, c->at + 7), STR("General"));
}

static void scan_other(Scan *c, char ch)
{
    c->at++;
    if (ch == '0' || ch == '#' || ch == '?')
        scan_digit(c, ch);
    else if (ch == '.')
        c->point = true;
    else if (ch == ',') {
        c->at--;
        scan_comma(c);
        c->at++;
    } else if (ch == '%') {
        c->s->percent = true;
        add_literal(c->s, STR("%"));
    } else if (ch == '_' || ch == '*')
        c->at += next_char(c, c->at).len; /* a gap as wide as a character; a filling character */
    else if (ch == '\\') {
        Str one = next_char(c, c->at);
        add_literal(c->s, one);
        c->at += one.len;
    } else if ((ch == 'E' || ch == 'e') && c->s->digits && c->at < c->code.len &&
               (c->code.ptr[c->at] == '+' || c->code.ptr[c->at] == '-')) {
        c->last = 'E';
        c->at++;
    } else {
        Str one = next_char(c, c->at - 1);
        c->at += one.len > 0 ? one.len - 1 : 0;
        add_literal(c->s, one);
    }
}

static NumSection parse_section(Str code)
{
    NumSection s = {0};
    Scan c = {.code = code, .s = &s};
    while (c.at < code.len) {
        char ch = code.ptr[c.at], letter = (char)(ch | 0x20);
        if (starts_general(&c)) {
            s.general = true;
            c.at += 7;
        } else if (ch == '[') {
            scan_bracket(&c);
        } else if (ch == '"') {
            scan_quoted(&c);
        } else if (str_eq_nocase(str_slice(code, c.at, c.at + 5), STR("AM/PM"))) {
            c.at += 5;
        } else if (letter == 'y' || letter == 'm' || letter == 'd' || letter == 'h' ||
                   letter == 's' || (letter == 'e' && !s.digits)) {
            scan_date_letter(&c, letter);
        } else {
            scan_other(&c, ch);
        }
    }
    if (c.m_pending)
        s.month = true;
    return s;
}

NumFormat numfmt_parse(Str code)
{
    NumFormat f = {0};
    if (str_eq_nocase(code, STR("General")) || code.len == 0 || str_eq_c(code, "@")) {
        f.general = true;
        return f;
    }
    bool quoted = false;
    size_t from = 0;
    for (size_t i = 0; i <= code.len && f.len < NUMFMT_SECTIONS; i++) {
        if (i < code.len && code.ptr[i] == '"')
            quoted = !quoted;
        if (i < code.len && code.ptr[i] == '\\')
            i++;
        else if (i == code.len || (code.ptr[i] == ';' && !quoted)) {
            f.sections[f.len++] = parse_section(str_slice(code, from, i));
            from = i + 1;
        }
    }
    return f;
}

static bool section_is_date(const NumSection *s)
{
    return s->year || s->month || s->day || s->hour || s->minute || s->second;
}

bool numfmt_is_date(const NumFormat *f)
{
    return f->len > 0 && section_is_date(&f->sections[0]);
}

/* ---- showing ---- */

static void put_general(Buf *b, double v)
{
    char text[40];
    if (v == floor(v) && fabs(v) < 1e15)
        snprintf(text, sizeof(text), "%.0f", v == 0 ? 0.0 : v);
    else
        snprintf(text, sizeof(text), "%.15g", v);
    for (char *p = text; *p != 0; p++)
        buf_add_char(b, *p == 'e' ? 'E' : *p);
}

/* "1234567.50" with commas, and without the optional zeros at its end. */
static void put_digits(Buf *b, const NumSection *s, double v)
{
    char text[TEXT_MAX];
    int n = snprintf(text, sizeof(text), "%.*f", s->decimals + s->optional, v);
    if (n < 0 || n >= TEXT_MAX)
        return;
    Str t = {text, (size_t)n};
    for (int i = 0; i < s->optional && t.len > 0 && t.ptr[t.len - 1] == '0'; i++)
        t.len--;
    if (t.len > 0 && t.ptr[t.len - 1] == '.')
        t.len--;
    size_t point = str_find_char(t, '.');
    size_t whole = point == STR_NONE ? t.len : point;
    if (whole == 1 && t.ptr[0] == '0' && s->integers == 0 && t.len > 1)
        t = str_slice(t, 1, t.len), whole = 0;
    for (size_t pad = whole; pad < s->integers; pad++)
        buf_add_char(b, '0');
    for (size_t i = 0; i < t.len; i++) {
        if (s->thousands && i > 0 && i < whole && (whole - i) % 3 == 0)
            buf_add_char(b, ',');
        buf_add_char(b, t.ptr[i]);
    }
}

static void put_number(Buf *b, const NumSection *s, double v)
{
    if (s->percent)
        v *= 100;
    for (int i = 0; i < s->thousands_cut; i++)
        v /= 1000;
    buf_add_c(b, s->prefix);
    if (s->exponent > 0)
        buf_addf(b, "%.*E", s->decimals, v);
    else if (s->digits)
        put_digits(b, s, v);
    else if (s->general)
        put_general(b, v);
    buf_add_c(b, s->suffix);
}

/* Days since 1970 to a date: the civil calendar in arithmetic (era of 400 years, March first). */
static void civil_date(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

static void put_elapsed(Buf *b, const NumSection *s, double v)
{
    int64_t seconds = (int64_t)llround(fabs(v) * SECONDS_A_DAY);
    if (v < 0)
        buf_add_char(b, '-');
    if (s->hour)
        buf_addf(b, "%" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60);
    else
        buf_addf(b, "%" PRId64, s->minute ? seconds / 60 : seconds);
    if (s->second && (s->hour || s->minute))
        buf_addf(b, ":%02" PRId64, seconds % 60);
}

static void put_date(Buf *b, const NumSection *s, double v, bool date1904)
{
    int64_t day = (int64_t)floor(v);
    int64_t seconds = (int64_t)llround((v - floor(v)) * SECONDS_A_DAY);
    if (seconds == SECONDS_A_DAY)
        seconds = 0, day++;
    bool date = s->year || s->month || s->day, time = s->hour || s->minute || s->second;
    if (date) {
        int y, m, d;
        /* The calendar from 1900 believes in 29 February 1900, its day 60. */
        int64_t epoch = date1904 ? -24107 : day < 60 ? -25568 : -25569;
        civil_date(day + epoch, &y, &m, &d);
        if (s->year && !s->month && !s->day)
            buf_addf(b, "%04d", y);
        else if (s->year && !s->day)
            buf_addf(b, "%04d-%02d", y, m);
        else
            buf_addf(b, "%04d-%02d-%02d", y, m, d);
        if (time)
            buf_add_char(b, ' ');
    }
    if (!time)
        return;
    if (s->hour || date)
        buf_addf(b, "%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60);
    else
        buf_addf(b, "%02" PRId64, seconds / 60);
    if (s->second)
        buf_addf(b, ":%02" PRId64, seconds % 60);
}

static const NumSection *section_for(const NumFormat *f, double *v)
{
    if (*v < 0 && f->len > 1) {
        *v = -*v; /* the section brings its own sign */
        return &f->sections[1];
    }
    return *v == 0 && f->len > 2 ? &f->sections[2] : &f->sections[0];
}

/* A short plain number looks the same either way, and most are. */
static bool is_plain(Str raw)
{
    if (raw.len == 0 || raw.len > 15)
        return false;
    for (size_t i = 0; i < raw.len; i++)
        if ((raw.ptr[i] < '0' || raw.ptr[i] > '9') && raw.ptr[i] != '.' && raw.ptr[i] != '-')
            return false;
    return !str_ends(raw, STR(".0"));
}

void numfmt_put(Buf *b, const NumFormat *f, Str raw, bool date1904)
{
    double v = 0;
    bool general = f->general || f->len == 0;
    if ((general && is_plain(raw)) || !str_to_double(raw, &v) || !isfinite(v) || fabs(v) > 1e300) {
        buf_add(b, raw);
        return;
    }
    if (general) {
        put_general(b, v);
        return;
    }
    bool negative = v < 0;
    const NumSection *s = section_for(f, &v);
    if (section_is_date(s) && s->elapsed)
        put_elapsed(b, s, v);
    else if (section_is_date(s) && v >= 0 && v <= DATE_LAST)
        put_date(b, s, v, date1904);
    else if (section_is_date(s))
        put_general(b, negative && v > 0 ? -v : v);
    else if (negative && v < 0) { /* one section for all: the sign comes first, "-$5" */
        buf_add_char(b, '-');
        put_number(b, s, -v);
    } else
        put_number(b, s, v);
}
