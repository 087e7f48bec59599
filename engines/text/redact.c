#include "text/redact.h"

#include <string.h>

enum { IBAN_MIN = 15, IBAN_MAX = 34, CARD_MIN = 13, CARD_MAX = 19, PHONE_MIN = 7, PHONE_MAX = 15 };

const char *personal_name(Personal p)
{
    static const char *const names[] = {"email", "phone", "card", "iban", "ip", "name"};
    return p < PERSONAL_COUNT ? names[p] : "";
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_wordly(char c)
{
    return is_digit(c) || is_alpha(c) || (unsigned char)c >= 0x80 || c == '_';
}

static char at(Str s, size_t i)
{
    return i < s.len ? s.ptr[i] : 0;
}

static bool begins_word(Str s, size_t i)
{
    return i == 0 || !is_wordly(s.ptr[i - 1]);
}

bool luhn_ok(Str digits)
{
    int sum = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int d = digits.ptr[digits.len - 1 - i] - '0';
        if (i % 2 == 1)
            d = d > 4 ? 2 * d - 9 : 2 * d;
        sum += d;
    }
    return digits.len > 0 && sum % 10 == 0;
}

bool iban_ok(Str s)
{
    int rest = 0;
    if (s.len < IBAN_MIN || s.len > IBAN_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[(i + 4) % s.len];
        int value = is_digit(c) ? c - '0' : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : -1;
        if (value < 0)
            return false;
        rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
    }
    return rest == 1;
}

/* ---- each kind: does one begin at `i`? Returns its end, 0: no. ---- */

static bool is_local(char c)
{
    return is_digit(c) || is_alpha(c) || (c != 0 && strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

static size_t email_at(Str s, size_t i)
{
    if (!is_digit(at(s, i)) && !is_alpha(at(s, i)))
        return 0;
    if (i > 0 && is_local(s.ptr[i - 1]))
        return 0;
    size_t k = i;
    while (k < s.len && k - i < 64 && is_local(s.ptr[k]))
        k++;
    if (at(s, k) != '@')
        return 0;
    size_t host = ++k, dot = 0;
    while (k < s.len && (is_digit(s.ptr[k]) || is_alpha(s.ptr[k]) || s.ptr[k] == '-' ||
                         (s.ptr[k] == '.' && k > host && is_wordly(at(s, k + 1))))) {
        if (s.ptr[k] == '.')
            dot = k;
        k++;
    }
    return dot > host && k - dot > 2 && is_alpha(at(s, dot + 1)) ? k : 0;
}

/* Digits from `i` on with single separators between them, at most `max`; *end: behind the last. */
static size_t digits_from(Str s, size_t i, const char *separators, size_t max, char *out,
                          size_t *end)
{
    size_t n = 0;
    *end = i;
    while (i < s.len && n < max) {
        if (is_digit(s.ptr[i])) {
            out[n++] = s.ptr[i++];
            *end = i;
        } else if (n > 0 && strchr(separators, s.ptr[i]) != NULL && s.ptr[i] != 0 &&
                   is_digit(at(s, i + 1))) {
            i++;
        } else {
            break;
        }
    }
    return n;
}

static size_t card_at(Str s, size_t i)
{
    char digits[CARD_MAX + 1];
    size_t end;
    if (!is_digit(at(s, i)) || !begins_word(s, i) || at(s, i) == '0')
        return 0;
    size_t n = digits_from(s, i, " -", CARD_MAX + 1, digits, &end);
    bool whole = n >= CARD_MIN && n <= CARD_MAX && !is_wordly(at(s, end));
    return whole && luhn_ok((Str){digits, n}) ? end : 0;
}

static size_t iban_at(Str s, size_t i)
{
    char packed[IBAN_MAX];
    size_t n = 0, k = i, best = 0;
    if (!begins_word(s, i) || !(at(s, i) >= 'A' && at(s, i) <= 'Z') ||
        !(at(s, i + 1) >= 'A' && at(s, i + 1) <= 'Z') || !is_digit(at(s, i + 2)) ||
        !is_digit(at(s, i + 3)))
        return 0;
    while (k < s.len && n < IBAN_MAX) {
        char c = s.ptr[k];
        if (c == ' ' && k > i) {
            k++;
            continue;
        }
        if (!is_digit(c) && !(c >= 'A' && c <= 'Z'))
            break;
        packed[n++] = c;
        k++;
        if (!is_wordly(at(s, k)) && iban_ok((Str){packed, n}))
            best = k;
    }
    return best;
}

/* 2026-11-22 and 22.11.2026 are no numbers to call. */
static bool looks_like_date(Str s)
{
    int groups = 0, digits = 0, four = 0;
    for (size_t i = 0; i <= s.len; i++) {
        if (i < s.len && is_digit(s.ptr[i])) {
            digits++;
            continue;
        }
        groups += digits > 0;
        four += digits == 4;
        if (digits > 4 || (i < s.len && strchr("-./", s.ptr[i]) == NULL))
            return false;
        digits = 0;
    }
    return groups == 3 && four <= 1;
}

static size_t phone_at(Str s, size_t i)
{
    size_t n = 0, k = i, end = i, separators = 0, open = 0;
    bool within = i >= 2 && strchr(" -./", s.ptr[i - 1]) != NULL && is_digit(s.ptr[i - 2]);
    bool plus = at(s, i) == '+', zero = at(s, i) == '0', paren = at(s, i) == '(';
    if (!begins_word(s, i) || (within && !plus) || (!plus && !paren && !is_digit(at(s, i))) ||
        (i > 0 && strchr("+.,-/:$", s.ptr[i - 1]) != NULL && s.ptr[i - 1] != 0))
        return 0;
    for (k += plus; k < s.len && n <= PHONE_MAX; k++) {
        char c = s.ptr[k];
        if (is_digit(c)) {
            n++;
            end = k + 1;
        } else if (c == '(' && open == 0) {
            open = 1;
            separators++;
        } else if (c == ')' && open == 1) {
            open = 2;
            end = k + 1;
        } else if ((c == ' ' || c == '-' || c == '.' || c == '/') &&
                   (is_digit(at(s, k + 1)) || at(s, k + 1) == '(') && at(s, k - 1) != c) {
            separators++;
        } else {
            break;
        }
    }
    Str all = str_slice(s, i, end);
    bool shaped = plus || paren || zero ? n >= PHONE_MIN : separators >= 2 && n >= 9;
    if (n > PHONE_MAX || !shaped || is_wordly(at(s, end)) || looks_like_date(all) ||
        (!plus && !paren && separators == 0 && n < 9))
        return 0;
    return end;
}

static size_t ipv4_at(Str s, size_t i)
{
    size_t k = i;
    if (!begins_word(s, i) || (i > 0 && s.ptr[i - 1] == '.'))
        return 0;
    for (int part = 0; part < 4; part++) {
        int value = 0, digits = 0;
        while (is_digit(at(s, k)) && digits < 4) {
            value = value * 10 + s.ptr[k++] - '0';
            digits++;
        }
        if (digits == 0 || digits > 3 || value > 255)
            return 0;
        if (part < 3 && at(s, k++) != '.')
            return 0;
    }
    return is_wordly(at(s, k)) || (at(s, k) == '.' && is_digit(at(s, k + 1))) ? 0 : k;
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t ipv6_at(Str s, size_t i)
{
    size_t k = i, colons = 0, group = 0, groups = 0;
    bool gap = false;
    if (!begins_word(s, i) || (!is_hex(at(s, i)) && at(s, i) != ':'))
        return 0;
    for (; k < s.len && (is_hex(s.ptr[k]) || s.ptr[k] == ':'); k++) {
        if (s.ptr[k] != ':') {
            groups += group++ == 0;
            if (group > 4)
                return 0;
            continue;
        }
        if (at(s, k + 1) == ':') {
            if (gap)
                return 0;
            gap = true;
        }
        colons++;
        group = 0;
    }
    bool whole = gap ? groups >= 2 && groups <= 7 : groups == 8 && colons == 7;
    return whole && !is_wordly(at(s, k)) && s.ptr[k - 1] != ':' ? k : 0;
}

static size_t name_at(const Finder *f, size_t i)
{
    if (!begins_word(f->text, i) || !is_wordly(at(f->text, i)))
        return 0;
    size_t best = 0;
    for (size_t n = 0; n < f->names_len; n++) {
        Str name = f->names[n];
        size_t end = i + name.len;
        if (name.len > 0 && end <= f->text.len && end > best &&
            str_eq_nocase(str_slice(f->text, i, end), name) && !is_wordly(at(f->text, end)))
            best = end;
    }
    return best;
}

static size_t kind_at(const Finder *f, Personal kind, size_t i)
{
    switch (kind) {
    case PERSONAL_EMAIL:
        return email_at(f->text, i);
    case PERSONAL_PHONE:
        return phone_at(f->text, i);
    case PERSONAL_CARD:
        return card_at(f->text, i);
    case PERSONAL_IBAN:
        return iban_at(f->text, i);
    case PERSONAL_IP: {
        size_t end = ipv4_at(f->text, i);
        return end > 0 ? end : ipv6_at(f->text, i);
    }
    case PERSONAL_NAME:
        return name_at(f, i);
    case PERSONAL_COUNT:
        break;
    }
    return 0;
}

bool finder_next(Finder *f, Found *out)
{
    /* What has a check comes before what only looks like it. */
    static const Personal order[] = {PERSONAL_EMAIL, PERSONAL_IBAN, PERSONAL_CARD,
                                     PERSONAL_IP,    PERSONAL_NAME, PERSONAL_PHONE};
    for (size_t i = f->at; i < f->text.len; i++) {
        char c = f->text.ptr[i];
        if (!is_wordly(c) && c != '+' && c != '(' && c != ':')
            continue;
        for (size_t n = 0; n < COUNT_OF(order); n++) {
            if ((f->kinds >> order[n] & 1) == 0)
                continue;
            size_t end = kind_at(f, order[n], i);
            if (end <= i)
                continue;
            *out = (Found){i, end, order[n]};
            f->at = end;
            return true;
        }
    }
    f->at = f->text.len;
    return false;
}
