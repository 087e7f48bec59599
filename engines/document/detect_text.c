#include "document/detect.h"
#include "document/detect_in.h"

#include <string.h>

enum { LINES_SEEN = 200 };

static bool starts_nocase(Str s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && str_eq_nocase(str_slice(s, 0, len), (Str){prefix, len});
}

static bool holds(Str s, const char *needle)
{
    return str_find(s, str_from_c(needle)) != STR_NONE;
}

/* --- markup */

static Str skip_prolog(Str s)
{
    for (;;) {
        s = str_trim(s);
        if (!str_starts(s, STR("<!--")))
            return s;
        size_t end = str_find(s, STR("-->"));
        if (end == STR_NONE)
            return s;
        s = str_slice(s, end + 3, s.len);
    }
}

/* The root element, without its prefix. */
static Str root_name(Str s)
{
    size_t end = 1;
    while (end < s.len && end < 80 && strchr(" \t\r\n/>", s.ptr[end]) == NULL)
        end++;
    Str name = str_slice(s, 1, end);
    size_t colon = str_find_char(name, ':');
    return colon == STR_NONE ? name : str_slice(name, colon + 1, name.len);
}

static TypeId by_root(Str rest, Str head)
{
    static const struct {
        const char *root, *also; /* what the head must hold, or NULL */
        TypeId type;
    } roots[] = {
        {"svg", NULL, TYPE_SVG},
        {"rss", NULL, TYPE_RSS},
        {"RDF", "http://purl.org/rss/", TYPE_RSS},
        {"feed", "http://www.w3.org/2005/Atom", TYPE_ATOM},
        {"stylesheet", "XSL/Transform", TYPE_XSLT},
        {"transform", "XSL/Transform", TYPE_XSLT},
        {"plist", NULL, TYPE_PLIST},
        {"kml", NULL, TYPE_KML},
        {"gpx", NULL, TYPE_GPX},
        {"COLLADA", NULL, TYPE_COLLADA},
        {"tt", "/ns/ttml", TYPE_TTML},
        {"xliff", NULL, TYPE_XLIFF},
        {"score-partwise", NULL, TYPE_MUSICXML},
        {"FictionBook", NULL, TYPE_FB2},
        {"abiword", NULL, TYPE_ABIWORD},
        {"wordDocument", "schemas.microsoft.com/office/word/2003", TYPE_WORDML},
        {"Workbook", "urn:schemas-microsoft-com:office:spreadsheet", TYPE_EXCELML},
        {"book", "docbook", TYPE_DOCBOOK},
        {"article", "docbook", TYPE_DOCBOOK},
    };
    Str name = root_name(rest);
    for (size_t i = 0; i < COUNT_OF(roots); i++)
        if (str_eq_c(name, roots[i].root) && (roots[i].also == NULL || holds(head, roots[i].also)))
            return roots[i].type;
    return TYPE_XML;
}

static TypeId by_xml(Str s)
{
    Str head = str_slice(s, 0, 8192);
    if (holds(head, "<office:document")) {
        if (holds(head, "opendocument.spreadsheet"))
            return TYPE_FODS;
        if (holds(head, "opendocument.presentation"))
            return TYPE_FODP;
        return holds(head, "opendocument.graphics") ? TYPE_FODG : TYPE_FODT;
    }
    size_t root = 0;
    for (size_t i = 0; i + 1 < head.len; i++)
        if (head.ptr[i] == '<' && head.ptr[i + 1] != '?' && head.ptr[i + 1] != '!') {
            root = i;
            break;
        }
    Str rest = str_slice(head, root, head.len);
    if (starts_nocase(rest, "<html"))
        return holds(head, "http://www.w3.org/1999/xhtml") ? TYPE_XHTML : TYPE_HTML;
    return by_root(rest, head);
}

static TypeId by_markup(Str s)
{
    static const char *const html[] = {
        "<!doctype html", "<html", "<head", "<body",  "<title", "<meta", "<script", "<table",
        "<div",           "<p>",   "<h1",   "<style", "<ul",    "<br",   "<font",   "<center"};
    s = skip_prolog(s);
    if (s.len == 0 || s.ptr[0] != '<')
        return TYPE_UNKNOWN;
    if (starts_nocase(s, "<?xml"))
        return by_xml(s);
    if (starts_nocase(s, "<svg"))
        return TYPE_SVG;
    if (starts_nocase(s, "<?php"))
        return TYPE_PHP;
    for (size_t i = 0; i < COUNT_OF(html); i++)
        if (starts_nocase(s, html[i]))
            return TYPE_HTML;
    if (holds(str_slice(s, 0, 2048), "<office:document"))
        return by_xml(s);
    /* any other single root with its end at the end is XML */
    Str end = str_trim(str_slice(s, s.len > 200 ? s.len - 200 : 0, s.len));
    bool named = s.len > 2 && ((s.ptr[1] | 0x20) >= 'a' && (s.ptr[1] | 0x20) <= 'z');
    bool whole = named && str_ends(end, STR(">")) && holds(end, "</");
    return whole ? by_root(s, str_slice(s, 0, 8192)) : TYPE_UNKNOWN;
}

/* --- mail and other text with a head */

/* "Name: value" lines, some of them names that only mail has. */
static TypeId by_mail_head(Str s)
{
    static const char *const names[] = {
        "from:",       "to:",          "subject:",      "date:",         "received:",
        "message-id:", "return-path:", "mime-version:", "content-type:", "delivered-to:",
        "cc:",         "reply-to:",    "x-mailer:",     "sender:",       "x-mozilla-status:",
        "in-reply-to:"};
    bool mbox = str_starts(s, STR("From ")) && holds(str_slice(s, 0, 200), ":");
    Str rest = s, line;
    int known = 0, lines = 0;
    while (lines < 60 && str_next(&rest, '\n', &line)) {
        line = str_slice(line, 0,
                         line.len > 0 && line.ptr[line.len - 1] == '\r' ? line.len - 1 : line.len);
        if (lines++ == 0 && mbox)
            continue;
        if (line.len == 0)
            break;
        if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
            continue;
        size_t colon = str_find_char(line, ':');
        if (colon == STR_NONE || colon == 0 || memchr(line.ptr, ' ', colon) != NULL)
            break;
        for (size_t i = 0; i < COUNT_OF(names); i++)
            known += starts_nocase(line, names[i]);
    }
    if (known >= 1 && holds(str_slice(s, 0, 2000), "multipart/related") &&
        (starts_nocase(s, "from: <saved by") || holds(str_slice(s, 0, 2000), "Snapshot-Content")))
        return TYPE_MHTML;
    if (known >= 2 || (known == 1 && starts_nocase(s, "mime-version:")))
        return mbox ? TYPE_MBOX : TYPE_EML;
    return TYPE_UNKNOWN;
}

static bool is_srt(Str s)
{
    Str rest = str_trim(s), number, times;
    int64_t n;
    return str_next(&rest, '\n', &number) && str_next(&rest, '\n', &times) &&
           str_to_i64(str_trim(number), &n) && holds(times, " --> ");
}

static bool is_json(Str s)
{
    s = str_trim(s);
    if (s.len < 2 || (s.ptr[0] != '{' && s.ptr[0] != '['))
        return false;
    Str in = str_trim(str_slice(s, 1, s.len));
    if (in.len == 0)
        return false;
    if (s.ptr[0] == '{')
        return in.ptr[0] == '"'
                   ? holds(str_slice(in, 0, 1024), "\":") || holds(str_slice(in, 0, 1024), "\" :")
                   : in.ptr[0] == '}' && in.len == 1;
    return strchr("{[\"]-0123456789tfn", in.ptr[0]) != NULL &&
           (s.ptr[s.len - 1] == ']' || s.len > 60000 || in.ptr[0] == '{');
}

static bool is_json_lines(Str s)
{
    Str rest = s, line;
    int lines = 0;
    while (lines < 3 && str_next(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0)
            continue;
        if (line.ptr[0] != '{' || line.ptr[line.len - 1] != '}')
            return false;
        lines++;
    }
    return lines >= 2;
}

static TypeId by_json(Str s)
{
    Str head = str_slice(s, 0, 4096);
    if (holds(head, "\"FeatureCollection\"") || holds(head, "\"Feature\""))
        return TYPE_GEOJSON;
    if (holds(head, "\"cells\"") && holds(s, "\"nbformat\""))
        return TYPE_NOTEBOOK;
    return holds(head, "\"asset\"") && holds(s, "\"meshes\"") ? TYPE_GLTF : TYPE_JSON;
}

/* "#!/usr/bin/env python3" */
static TypeId by_interpreter(Str s)
{
    static const struct {
        const char *name;
        TypeId type;
    } known[] = {{"python", TYPE_PYTHON},   {"perl", TYPE_PERL}, {"ruby", TYPE_RUBY},
                 {"node", TYPE_JAVASCRIPT}, {"php", TYPE_PHP},   {"sh", TYPE_SHELL}};
    Str line = str_slice(s, 0, 80);
    size_t end = str_find_char(line, '\n');
    line = end == STR_NONE ? line : str_slice(line, 0, end);
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_starts(s, STR("#!")) && holds(line, known[i].name))
            return known[i].type;
    return TYPE_UNKNOWN;
}

/* Formats whose first words are their own. */
static TypeId by_first_words(Str s)
{
    static const struct {
        const char *begin;
        TypeId type;
    } known[] = {
        {"WEBVTT", TYPE_VTT},        {"BEGIN:VCALENDAR", TYPE_ICALENDAR},
        {"BEGIN:VCARD", TYPE_VCARD}, {"[Script Info]", TYPE_ASS},
        {"#EXTM3U", TYPE_M3U},       {"@echo off", TYPE_BATCH},
        {"diff --git ", TYPE_DIFF},  {"--- a/", TYPE_DIFF},
        {"Index: ", TYPE_DIFF},      {"Windows Registry Editor", TYPE_REGISTRY},
        {"REGEDIT4", TYPE_REGISTRY}, {"[InternetShortcut]", TYPE_URL},
        {"TY  - ", TYPE_RIS},        {"msgid \"", TYPE_GETTEXT},
        {"solid ", TYPE_STL},
    };
    s = str_trim(s);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (!starts_nocase(s, known[i].begin))
            continue;
        if (known[i].type == TYPE_STL && !holds(str_slice(s, 0, 400), "facet normal"))
            continue;
        if (known[i].type == TYPE_DIFF && !holds(str_slice(s, 0, 4096), "\n@@ "))
            continue;
        return known[i].type;
    }
    bool dxf = starts_nocase(s, "0\r\nSECTION") || starts_nocase(s, "0\nSECTION") ||
               starts_nocase(s, "999\r\n") || starts_nocase(s, "999\n");
    if (dxf && holds(str_slice(s, 0, 8192), "SECTION"))
        return TYPE_DXF;
    if (s.len > 80 && s.ptr[72] == 'S' && holds(str_slice(s, 0, 80), "S      1"))
        return TYPE_IGES;
    bool entry = s.ptr != NULL && s.len > 2 && s.ptr[0] == '@' && s.ptr[1] >= 'A' && holds(s, "},");
    if (entry && (starts_nocase(s, "@article{") || starts_nocase(s, "@book{") ||
                  starts_nocase(s, "@inproceedings{") || starts_nocase(s, "@misc{")))
        return TYPE_BIBTEX;
    return TYPE_UNKNOWN;
}

static TypeId by_head(Str s)
{
    TypeId t = by_first_words(s);
    if (t == TYPE_UNKNOWN)
        t = by_interpreter(s);
    if (t != TYPE_UNKNOWN)
        return t;
    if (holds(str_slice(s, 0, 4096), "\\documentclass") || str_starts(s, STR("\\input")))
        return TYPE_TEX;
    if (str_starts(s, STR("%YAML")) ||
        (str_starts(s, STR("---\n")) && !holds(str_slice(s, 4, 4096), "\n---\n")))
        return TYPE_YAML;
    if (is_srt(s))
        return TYPE_SRT;
    if (is_json_lines(s))
        return TYPE_NDJSON;
    return is_json(s) ? by_json(s) : by_mail_head(s);
}

/* --- tables, by shape */

/* How many of `sep` stand outside quotes in each record; the records that agree with the first, and
 * all. */
static int agreeing(Str s, char sep, int *records, int *fields)
{
    bool quoted = false, start = true, full = s.len < 60000;
    int count = 0, agree = 0;
    *records = *fields = 0;
    for (size_t i = 0; i <= s.len && *records < LINES_SEEN; i++) {
        char c = i < s.len ? s.ptr[i] : '\n';
        if (i == s.len && (start || !full))
            break;
        if (c == '"' && (quoted || start || s.ptr[i - 1] == sep))
            quoted = !quoted;
        else if (c == sep && !quoted)
            count++;
        else if (c == '\n' && !quoted && !start) {
            if ((*records)++ == 0)
                *fields = count;
            agree += count == *fields;
            count = 0;
            start = true;
            continue;
        }
        start = start && (c == '\n' || c == '\r');
    }
    return quoted ? 0 : agree;
}

static const char separators[] = "\t;|,";

char detect_separator(Str text)
{
    Str head = str_slice(text, 0, 64 << 10);
    int best = -1;
    char found = ',';
    for (int i = 0; separators[i] != 0; i++) {
        int records, fields, agree = agreeing(head, separators[i], &records, &fields);
        int score = fields > 0 && records > 0 ? agree * 1000 / records + fields : 0;
        if (score > best) {
            best = score;
            found = separators[i];
        }
    }
    return best > 0 ? found : ',';
}

static TypeId by_columns(Str s)
{
    for (int i = 0; separators[i] != 0; i++) {
        int records, fields, agree = agreeing(s, separators[i], &records, &fields);
        bool tab = separators[i] == '\t';
        if (fields < 1 || records < 2 || agree * 10 < records * 9)
            continue;
        if (fields == 1 && records < (tab ? 3 : 5))
            continue;
        /* prose has a space after its commas, and long lines */
        Str head = str_slice(s, 0, 4096);
        size_t commas = 0, spaced = 0;
        for (size_t k = 0; separators[i] == ',' && k + 1 < head.len; k++)
            if (head.ptr[k] == ',') {
                commas++;
                spaced += head.ptr[k + 1] == ' ' || head.ptr[k + 1] == '\n';
            }
        if (commas > 0 && spaced * 2 > commas && fields < 3)
            continue;
        return tab ? TYPE_TSV : TYPE_CSV;
    }
    return TYPE_UNKNOWN;
}

/* --- Markdown, by the marks it uses */

static bool is_markdown(Str s)
{
    Str rest = s, line;
    int heads = 0, items = 0, fences = 0, links = 0, rules = 0, lines = 0;
    while (lines < LINES_SEEN * 2 && str_next(&rest, '\n', &line)) {
        lines++;
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        size_t hashes = 0;
        while (hashes < line.len && line.ptr[hashes] == '#')
            hashes++;
        heads += hashes > 0 && hashes <= 6 && hashes < line.len && line.ptr[hashes] == ' ';
        items += str_starts(str_trim(line), STR("- ")) || str_starts(str_trim(line), STR("* "));
        fences += str_starts(line, STR("```"));
        rules += str_starts(line, STR("|--")) || str_starts(line, STR("| --")) ||
                 str_starts(line, STR("|:-"));
        links += str_find(line, STR("](")) != STR_NONE;
    }
    if (heads > 0 && (items > 1 || fences > 1 || links > 0 || rules > 0 || holds(s, "**")))
        return true;
    return (fences >= 2 && (links > 0 || items > 0)) || (rules > 0 && heads + links > 0) ||
           (links > 1 && items > 1);
}

TypeId detect_text(Str text)
{
    Str s = str_starts(text, STR("\xEF\xBB\xBF")) ? str_slice(text, 3, text.len) : text;
    TypeId t = by_markup(s);
    t = t != TYPE_UNKNOWN ? t : by_head(s);
    t = t != TYPE_UNKNOWN ? t : by_columns(s);
    if (t == TYPE_UNKNOWN && is_markdown(s))
        t = TYPE_MARKDOWN;
    return t != TYPE_UNKNOWN ? t : TYPE_TEXT;
}

void detect_text_flags(TypeId t, Str text, Str bytes, TypeFlags *flags)
{
    switch (t) {
    case TYPE_HTML:
    case TYPE_XHTML:
    case TYPE_SVG:
        flags->javascript =
            holds(text, "<script") || holds(text, "<SCRIPT") || holds(text, "javascript:");
        break;
    case TYPE_RTF:
        flags->embedded = holds(bytes, "\\objdata") || holds(bytes, "\\objemb");
        break;
    case TYPE_EML:
    case TYPE_MBOX:
        flags->embedded =
            holds(bytes, "Content-Disposition: attachment") || holds(bytes, "filename=");
        flags->encrypted =
            holds(text, "multipart/encrypted") || holds(text, "smime-type=enveloped-data");
        break;
    case TYPE_PEM:
        flags->encrypted = holds(text, "ENCRYPTED");
        break;
    case TYPE_WORDML:
    case TYPE_EXCELML:
        flags->macros = holds(bytes, "macrosPresent=\"yes\"") || holds(bytes, "editdata.mso");
        break;
    default:
        break;
    }
}
