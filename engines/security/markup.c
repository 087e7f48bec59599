/* markup.c: web pages, drawings, XML, tables, flat Office XML: what runs, what loads, what expands. */
#include "security/scan.h"

#include <ctype.h>
#include <string.h>

enum { TEXT_MAX = 16 << 20, ENTITY_LEVELS = 3, ENTITIES_MAX = 200 };

static bool has(Str text, const char *words)
{
    return scan_find_words(text, words).len > 0;
}

/* " onload=" and its like, within a tag. */
static Str event_handler(Str text)
{
    static const char *const names[] = {"onload",  "onclick", "onerror",          "onmouseover",
                                        "onbegin", "onfocus", "onanimationstart", "onactivate"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t at = scan_find_nocase(text, names[i]), len = strlen(names[i]);
        if (at == STR_NONE || at == 0 || !isspace((unsigned char)text.ptr[at - 1]))
            continue;
        Str rest = str_trim(str_slice(text, at + len, at + len + 4));
        if (rest.len > 0 && rest.ptr[0] == '=')
            return str_from_c(names[i]);
    }
    return STR("");
}

static void scan_html(Scan *s, const ScanObject *o)
{
    static const char commands[] = "WScript.Shell\nShell.Application\nnew ActiveXObject\nms-msdt:\n"
                                   "<hta:application\nvbscript:\nsearch-ms:query\nmshta.exe\n"
                                   "Scripting.FileSystemObject";
    Str text = str_slice(o->bytes, 0, TEXT_MAX), found = scan_find_words(text, commands);
    bool script = has(text, "<script\njavascript:");
    if (found.len > 0 && !str_eq_c(found, "new ActiveXObject"))
        scan_report(s, FINDING_HTML_COMMAND, o, STR_FMT, STR_ARG(found));
    if (has(text, "msSaveOrOpenBlob\nmsSaveBlob") ||
        (has(text, ".download\ndownload=") && has(text, "createObjectURL") &&
         has(text, "atob(\nUint8Array")) ||
        has(text, "href=\"data:application/octet-stream\nhref=\"data:application/zip\n"
                  "eval(unescape(\ndocument.write(unescape(\neval(atob("))
        scan_report(s, FINDING_HTML_SMUGGLING, o,
                    "it decodes data of its own and offers or runs it");
    if (script)
        scan_report(s, FINDING_HTML_SCRIPT, o, "scripts");
}

static void scan_svg(Scan *s, const ScanObject *o)
{
    Str text = str_slice(o->bytes, 0, TEXT_MAX), event = event_handler(text);
    if (has(text, "<script\n:script") || has(text, "javascript:"))
        scan_report(s, FINDING_SVG_SCRIPT, o, "a script");
    else if (event.len > 0)
        scan_report(s, FINDING_SVG_SCRIPT, o, STR_FMT, STR_ARG(event));
}

/* Up to the ']' or '>' that ends the document type. */
static Str document_type(Str text)
{
    size_t at = scan_find_nocase(str_slice(text, 0, 64 * 1024), "<!DOCTYPE");
    if (at == STR_NONE)
        return (Str){0};
    Str rest = str_slice(text, at, text.len);
    size_t end = str_find_char(rest, '>'), subset = str_find_char(rest, '[');
    if (subset != STR_NONE && (end == STR_NONE || subset < end)) {
        size_t close = str_find(rest, STR("]>"));
        end = close == STR_NONE ? str_find_char(rest, ']') : close;
    }
    return str_slice(rest, 0, end == STR_NONE ? 64 * 1024 : end);
}

/* Entities whose values name entities that name entities. */
static int entity_levels(Str dtd, int *count)
{
    int levels = 0;
    *count = 0;
    for (size_t at = 0; *count < ENTITIES_MAX;) {
        size_t next = str_find(str_slice(dtd, at, dtd.len), STR("<!ENTITY"));
        if (next == STR_NONE)
            return levels;
        at += next + 8;
        (*count)++;
        Str rest = str_slice(dtd, at, dtd.len);
        size_t end = str_find_char(rest, '>');
        Str declaration = str_slice(rest, 0, end == STR_NONE ? rest.len : end);
        int references = 0;
        for (size_t i = 0; i < declaration.len; i++)
            references += declaration.ptr[i] == '&' || (declaration.ptr[i] == '%' && i > 2);
        levels += references >= 2;
    }
    return levels;
}

static void scan_xml(Scan *s, const ScanObject *o)
{
    Str text = str_slice(o->bytes, 0, TEXT_MAX), dtd = document_type(text);
    int entities = 0, levels = entity_levels(dtd, &entities);
    if (dtd.len > 0) {
        bool local = has(dtd, "file:\nphp:\nexpect:\ngopher:\njar:\nnetdoc:\n\"\\\\\n\"/etc/"),
             outside = false;
        for (size_t at = 0;;) {
            size_t next = str_find(str_slice(dtd, at, dtd.len), STR("<!ENTITY"));
            if (next == STR_NONE)
                break;
            at += next + 8;
            Str one = str_slice(dtd, at, at + 300);
            size_t end = str_find_char(one, '>');
            outside |= scan_find_nocase(str_slice(one, 0, end), " SYSTEM") != STR_NONE;
        }
        if (local || outside)
            scan_report(s, FINDING_XML_EXTERNAL, o, "\"" STR_FMT "\"",
                        STR_ARG(scan_printable(s->arena, str_slice(dtd, 0, 140), 140)));
    }
    if (levels >= ENTITY_LEVELS)
        scan_report(s, FINDING_XML_BOMB, o, "%d entities, %d of them made of others", entities,
                    levels);
}

/* Word's XML in one file: fields, and whether it says that it has macros. */
static void scan_flat_office(Scan *s, const ScanObject *o)
{
    Str text = str_slice(o->bytes, 0, TEXT_MAX);
    ScanObject part = *o;
    part.name = STR("document.xml");
    if (!has(text, "progid=\"Word.Document\"\nschemas.microsoft.com/office/word/2003/wordml\n"
                   "schemas.microsoft.com/office/2006/xmlPackage"))
        return;
    office_part_scan(s, o, &part);
    if (has(text, "macrosPresent=\"yes\"\neditdata.mso\nvbaProject.bin"))
        scan_report(s, FINDING_MACROS, o, "it says that it has macros");
    if (has(text, "w:embeddedObjPresent=\"yes\""))
        scan_report(s, FINDING_OLE_PACKAGE, o, "it says that it has embedded objects");
}

/* "=cmd|'/c calc'!A0" at the beginning of a cell. */
static void scan_table(Scan *s, const ScanObject *o)
{
    Str text = str_slice(o->bytes, 0, TEXT_MAX);
    for (size_t at = 0; at < text.len;) {
        const char *pipe = memchr(text.ptr + at, '|', text.len - at);
        if (pipe == NULL)
            return;
        size_t i = (size_t)(pipe - text.ptr), from = i;
        while (from > 0 && isalnum((unsigned char)text.ptr[from - 1]))
            from--;
        bool formula = from > 0 && from < i && strchr("=+-@", text.ptr[from - 1]) != NULL;
        Str behind = str_slice(text, i + 1, i + 200);
        size_t line = str_find_char(behind, '\n');
        behind = str_slice(behind, 0, line);
        if (formula && str_find_char(behind, '!') != STR_NONE)
            scan_report(s, FINDING_CELL_COMMAND, o, "\"" STR_FMT "\"",
                        STR_ARG(scan_printable(s->arena, str_slice(text, from - 1, i + 60), 80)));
        at = i + 1;
    }
}

void markup_scan(Scan *s, const ScanObject *o)
{
    bool svg = scan_is(o, "svg"), html = scan_is(o, "html xhtml"),
         text = str_eq_c(STR("text"), o->type.family) || svg || scan_is(o, "fodt fods fodp fodg");
    ArenaMark mark = arena_mark(s->arena);
    if (!text)
        return;
    if (svg)
        scan_svg(s, o);
    if (html || str_ends_nocase(o->name, STR(".hta")))
        scan_html(s, o);
    if (str_find(str_slice(o->bytes, 0, 4096), STR("<?xml")) != STR_NONE ||
        scan_find_nocase(str_slice(o->bytes, 0, 64 * 1024), "<!DOCTYPE") != STR_NONE)
        scan_xml(s, o);
    if (scan_is(o, "xml"))
        scan_flat_office(s, o);
    if (scan_is(o, "csv tsv txt"))
        scan_table(s, o);
    arena_rewind(s->arena, mark);
}
