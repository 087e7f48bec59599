/* analyze_kind.c: cues are words that such documents have, in several languages, and how they are
 * built. Each cue that is there adds its weight; the best sum wins, and its cues are the reason. */
#include "text/analyze.h"
#include "text/words.h"

#include <math.h>
#include <string.h>

enum { LOOKED_AT = 20000, CUES_MAX = 10 };
static const double ENOUGH = 2.0;

/* words: joined by "|"; the cue is there when any of them is. */
typedef struct Cue {
    const char *words;
    double weight;
    const char *reason;
} Cue;

typedef struct KindRule {
    const char *name;
    Cue cues[CUES_MAX];
} KindRule;

static const KindRule rules[] = {
    {"invoice",
     {{"invoice|rechnung|facture|factura|fattura|faktura|счёт", 1.6,
       "It says that it is an invoice."},
      {"amount due|total due|gesamtbetrag|zahlbar|montant total|importe total|subtotal|balance due",
       1.2, "It names an amount to pay."},
      {"vat|mwst|ust-id|tva|iva|tax id|sales tax", 0.8, "It names value added tax."},
      {"iban|bank account|bankverbindung|sort code|swift", 0.7, "It names a bank account."},
      {"invoice number|invoice no|rechnungsnummer|invoice date|due date|rechnungsdatum", 1.0,
       "It has a number and a date of an invoice."}}},
    {"receipt",
     {{"receipt|quittung|kassenbon|reçu|recibo", 1.5, "It says that it is a receipt."},
      {"cash|change due|visa|mastercard|card payment|bar bezahlt", 0.8, "It says how it was paid."},
      {"thank you for shopping|thank you for your purchase|vielen dank für ihren einkauf", 1.2,
       "It thanks for a purchase."}}},
    {"article",
     {{"abstract|zusammenfassung|résumé", 1.0, "It has an abstract."},
      {"references|bibliography|literaturverzeichnis|bibliographie", 1.0, "It lists references."},
      {"introduction|einleitung", 0.5, "It has an introduction."},
      {"et al|doi|arxiv|issn", 1.0, "It cites as papers do."},
      {"conclusion|conclusions|related work|methodology|experiments|discussion", 0.7,
       "Its sections are those of a paper."}}},
    {"contract",
     {{"agreement|contract|vertrag|contrat|contrato", 1.0, "It speaks of an agreement."},
      {"hereinafter|hereby|the parties|die parteien|nachfolgend", 1.2, "It names its parties."},
      {"shall not|governing law|jurisdiction|gerichtsstand|terminate|kündigung|liability|haftung",
       1.0, "It has clauses on law and liability."},
      {"signature|unterschrift|in witness whereof|signed by", 0.6, "It has places to sign."}}},
    {"resume",
     {{"curriculum vitae|lebenslauf|résumé of|resume", 1.6, "It says that it is a CV."},
      {"work experience|professional experience|berufserfahrung|employment history", 1.2,
       "It lists work experience."},
      {"education|ausbildung|skills|kenntnisse|languages spoken", 0.8,
       "It lists education and skills."},
      {"linkedin|references available", 0.6, "It says where to learn more of a person."}}},
    {"letter",
     {{"dear|sehr geehrte|liebe|cher|chère|estimado", 1.3, "It greets somebody."},
      {"sincerely|yours faithfully|kind regards|mit freundlichen grüßen|cordialement|atentamente",
       1.4, "It ends as letters do."}}},
    {"minutes",
     {{"minutes|protokoll|procès-verbal", 1.0, "It says that it is a record of a meeting."},
      {"attendees|present|anwesend|participants|apologies", 0.8, "It lists who was there."},
      {"agenda|tagesordnung|action items|motion carried|adjourned", 1.0,
       "It goes through an agenda."}}},
    {"manual",
     {{"user manual|user guide|instruction manual|bedienungsanleitung|installation guide|mode "
       "d'emploi",
       1.8, "It says that it is a manual."},
      {"warning|caution|achtung|warnung", 0.5, "It warns."},
      {"troubleshooting|fehlerbehebung|step 1|press the|click", 0.8, "It tells what to do."}}},
    {"report",
     {{"report|bericht|rapport|informe", 1.0, "It says that it is a report."},
      {"executive summary|annual report|quarter|fiscal year|geschäftsjahr|findings", 1.0,
       "It has the parts of a report."},
      {"recommendations|summary|results|ergebnisse", 0.5, "It sums up results."}}},
    {"email", {{"from:|to:|subject:|betreff:|wrote:", 0.8, "It has the lines of a mail."}}},
    {"recipe",
     {{"ingredients|zutaten|ingrédients", 1.5, "It lists ingredients."},
      {"tablespoon|teaspoon|preheat|simmer|esslöffel|backofen", 1.2, "It tells how to cook."}}},
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* As whole words, in folded text. */
static bool has_word(Str text, Str word)
{
    Str rest = text;
    size_t base = 0;
    for (size_t at; (at = str_find(rest, word)) != STR_NONE;) {
        size_t from = base + at, to = from + word.len;
        bool left = from == 0 || !is_letter(text.ptr[from - 1]);
        bool right =
            to >= text.len || !is_letter(text.ptr[to]) || !is_letter(word.ptr[word.len - 1]);
        if (left && right)
            return true;
        base = from + 1;
        rest = str_slice(text, base, text.len);
    }
    return false;
}

static bool has_any(Str text, const char *words)
{
    Str rest = str_from_c(words), word;
    while (str_next(&rest, '|', &word))
        if (has_word(text, word))
            return true;
    return false;
}

static void add_reason(Kind *k, const char *reason)
{
    if (k->reasons_len < KIND_REASONS_MAX)
        k->reasons[k->reasons_len++] = reason;
}

static double try_rule(const KindRule *r, Str text, Str heads, Kind *k)
{
    double sum = 0;
    *k = (Kind){.name = r->name};
    for (size_t i = 0; i < CUES_MAX && r->cues[i].words != NULL; i++) {
        bool there = has_any(text, r->cues[i].words), above = has_any(heads, r->cues[i].words);
        if (!there && !above)
            continue;
        sum += r->cues[i].weight * (above ? 2 : 1);
        add_reason(k, r->cues[i].reason);
    }
    return sum;
}

static bool is_type(const KindFacts *f, const char *part)
{
    return str_find(f->type, str_from_c(part)) != STR_NONE;
}

/* What the file itself says is surer than any word in it. */
static bool by_type(const KindFacts *f, Kind *k)
{
    static const struct {
        const char *part, *kind, *reason;
    } types[] = {
        {"presentation", "slides", "The file is a presentation."},
        {"powerpoint", "slides", "The file is a presentation."},
        {"spreadsheet", "spreadsheet", "The file is a workbook."},
        {"ms-excel", "spreadsheet", "The file is a workbook."},
        {"text/csv", "spreadsheet", "The file is a table."},
        {"rfc822", "email", "The file is a mail."},
        {"ms-outlook", "email", "The file is a mail."},
        {"epub", "book", "The file is an electronic book."},
    };
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (is_type(f, types[i].part)) {
            *k = (Kind){.name = types[i].kind, .confidence = 0.95};
            add_reason(k, types[i].reason);
            return true;
        }
    return false;
}

static void by_shape(const KindFacts *f, Kind *k)
{
    if (f->fields >= 3) {
        *k = (Kind){.name = "form", .confidence = 0.8};
        add_reason(k, "It has fields to fill in.");
    } else if (f->pages >= 60 && f->headings >= 10) {
        *k = (Kind){.name = "book", .confidence = 0.5};
        add_reason(k, "It is long and divided by headings.");
    } else if (f->code > 3) {
        *k = (Kind){.name = "technical", .confidence = 0.5};
        add_reason(k, "It shows code.");
    } else if (f->pages >= 3 && f->words / f->pages < 60 && f->items > f->pages) {
        *k = (Kind){.name = "slides", .confidence = 0.5};
        add_reason(k, "Its pages hold a few lines each.");
    } else if (f->table_cells * 3 > f->words && f->tables > 0) {
        *k = (Kind){.name = "table", .confidence = 0.6};
        add_reason(k, "Most of it is tables.");
    } else {
        *k = (Kind){.name = "document", .confidence = 0.2};
        add_reason(k, "Nothing in it is typical of one kind.");
    }
}

static Str fold(Str text, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len && n < LOOKED_AT; i++) {
        char c = text.ptr[i];
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c == '\n' || c == '\t' ? ' ' : c;
    }
    return (Str){out, n};
}

void kind_of(const KindFacts *f, Kind *out)
{
    static char text_bytes[LOOKED_AT], head_bytes[LOOKED_AT];
    if (by_type(f, out))
        return;
    Str text = fold(f->text, text_bytes), heads = fold(f->heads, head_bytes);
    double best = 0, second = 0;
    Kind kind;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        double sum = try_rule(&rules[i], text, heads, &kind);
        if (sum > best) {
            second = best;
            best = sum;
            *out = kind;
        } else if (sum > second) {
            second = sum;
        }
    }
    if (best < ENOUGH) {
        by_shape(f, out);
        return;
    }
    double lead = (best - second) / best, strength = 1 - exp(-best / 2);
    out->confidence = round((0.5 * strength + 0.5 * strength * lead) * 100) / 100;
}
