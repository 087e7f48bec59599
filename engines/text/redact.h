/* redact.h: personal data in a text: where it is. Pure; text_redact.c replaces it.
 *
 * email   RFC 5321's usual form: local part, @, host with a dot
 * phone   7 to 15 digits (E.164) with +, spaces, dots, hyphens, parentheses; not dates, not plain numbers
 * card    13 to 19 digits that pass the Luhn check
 * iban    country, check digits, up to 30 characters, ISO 7064 mod 97 = 1
 * ip      IPv4, and IPv6 with at least two colons
 * names   whole words from a list, without regard to case */
#ifndef PLATEN_TEXT_REDACT_H
#define PLATEN_TEXT_REDACT_H

#include "base/arena.h"
#include "base/str.h"

typedef enum Personal {
    PERSONAL_EMAIL,
    PERSONAL_PHONE,
    PERSONAL_CARD,
    PERSONAL_IBAN,
    PERSONAL_IP,
    PERSONAL_NAME,
    PERSONAL_COUNT
} Personal;
const char *personal_name(Personal p); /* "email" … */

typedef struct Found {
    size_t from, to; /* bytes */
    Personal kind;
} Found;

typedef struct Finder {
    Str text;
    size_t at;
    unsigned kinds; /* bits of Personal */
    const Str *names;
    size_t names_len;
} Finder;
/* The next one at or after f->at; they do not overlap. */
bool finder_next(Finder *f, Found *out);

bool luhn_ok(Str digits);
bool iban_ok(Str iban); /* without spaces, capitals */

#endif
