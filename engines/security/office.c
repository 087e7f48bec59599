/* office.c: parts of OOXML and OpenDocument packages, looked at as text: what they load from
 * elsewhere, fields that start programs, macro sheets, entities. No XML parser: a part that none
 * would accept is still a part that somebody's program reads. */
#include "security/scan.h"

#include <string.h>

enum { FIELD_MAX = 4000 };

/* The next element whose name after any prefix is `name`; *at moves behind its tag. */
static bool next_tag(Str xml, const char *name, size_t *at, Str *tag)
{
    size_t len = strlen(name);
    while (*at < xml.len) {
        Str rest = str_slice(xml, *at, xml.len);
        size_t open = str_find_char(rest, '<');
        if (open == STR_NONE)
            return false;
        size_t close = str_find_char(str_slice(rest, open, rest.len), '>');
        if (close == STR_NONE)
            return false;
        Str inner = str_slice(rest, open + 1, open + close);
        *at += open + close + 1;
        size_t end = 0;
        while (end < inner.len && strchr(" \t\r\n/", inner.ptr[end]) == NULL)
            end++;
        Str whole = str_slice(inner, 0, end);
        size_t colon = str_find_char(whole, ':');
        Str local = colon == STR_NONE ? whole : str_slice(whole, colon + 1, whole.len);
        if (local.len == len && memcmp(local.ptr, name, len) == 0) {
            *tag = inner;
            return true;
        }
    }
    return false;
}

/* The value of an attribute, prefix aside; entities as they stand. */
static Str attribute(Str tag, const char *name)
{
    size_t len = strlen(name), from = 0;
    for (;;) {
        size_t at = str_find(str_slice(tag, from, tag.len), (Str){name, len});
        if (at == STR_NONE)
            return (Str){0};
        at += from;
        from = at + len;
        char before = at > 0 ? tag.ptr[at - 1] : ' ';
        Str rest = str_slice(tag, from, tag.len);
        while (rest.len > 0 && (rest.ptr[0] == ' ' || rest.ptr[0] == '='))
            rest = str_slice(rest, 1, rest.len);
        if ((before != ' ' && before != ':' && before != '\n' && before != '\t') || rest.len == 0 ||
            (rest.ptr[0] != '"' && rest.ptr[0] != '\''))
            continue;
        size_t end = str_find_char(str_slice(rest, 1, rest.len), rest.ptr[0]);
        return end == STR_NONE ? (Str){0} : str_slice(rest, 1, end + 1);
    }
}

static bool is_remote(Str target)
{
    static const char *const schemes[] = {
        "http:",       "https:", "ftp:", "\\\\",   "//",   "file:////",
        "file://\\\\", "mhtml:", "smb:", "webdav", "ldap:"};
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (scan_find_nocase(str_slice(target, 0, strlen(schemes[i])), schemes[i]) == 0)
            return true;
    return false;
}

static void check_relation(Scan *s, const ScanObject *part, Str tag)
{
    Str target = attribute(tag, "Target"), type = attribute(tag, "Type"), shown;
    if (!str_eq_c(attribute(tag, "TargetMode"), "External"))
        return;
    shown = scan_printable(s->arena, target, 140);
    bool strange =
        scan_find_words(target, "mhtml:\nms-msdt:\nx-usc:\nsearch-ms:\nscript:\n!x-").len > 0;
    if (str_ends(type, STR("/attachedTemplate"))) {
        if (is_remote(target))
            scan_report(s, FINDING_TEMPLATE_REMOTE, part, "\"" STR_FMT "\"", STR_ARG(shown));
    } else if (str_ends(type, STR("/image"))) {
        if (is_remote(target))
            scan_report(s, FINDING_EXTERNAL_PICTURE, part, "\"" STR_FMT "\"", STR_ARG(shown));
    } else if (str_ends(type, STR("/hyperlink"))) {
        if (strange || program_command(target).len > 0)
            scan_report(s, FINDING_EXTERNAL_OBJECT, part, "a link to \"" STR_FMT "\"",
                        STR_ARG(shown));
    } else if (str_ends(type, STR("/oleObject")) || str_ends(type, STR("/frame")) ||
               str_ends(type, STR("/subDocument")) || str_ends(type, STR("/externalLinkPath"))) {
        /* Charts and sheets are linked to books on their author's disk all the time. */
        bool book = str_ends(type, STR("/externalLinkPath"));
        if (strange || (is_remote(target) && !book))
            scan_report(s, FINDING_EXTERNAL_OBJECT, part, "\"" STR_FMT "\"", STR_ARG(shown));
    }
}

static void scan_relations(Scan *s, const ScanObject *part)
{
    Str tag;
    for (size_t at = 0; next_tag(part->bytes, "Relationship", &at, &tag);) {
        ArenaMark mark = arena_mark(s->arena);
        check_relation(s, part, tag);
        arena_rewind(s->arena, mark);
    }
}

static void add_plain(Buf *b, Str xml)
{
    static const struct {
        const char *entity, *text;
    } known[] = {{"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}};
    for (size_t i = 0; i < xml.len; i++) {
        size_t k = 0;
        Str rest = str_slice(xml, i, xml.len);
        while (k < COUNT_OF(known) && !str_starts(rest, str_from_c(known[k].entity)))
            k++;
        if (k < COUNT_OF(known)) {
            buf_add_c(b, known[k].text);
            i += strlen(known[k].entity) - 1;
        } else {
            buf_add_char(b, xml.ptr[i]);
        }
    }
}

/* The content of the element whose name begins at `at`; *after moves behind its end. */
static Str element_content(Str xml, size_t at, size_t *after)
{
    Str rest = str_slice(xml, at, at + 2 * FIELD_MAX);
    size_t open = str_find_char(rest, '>'), close = str_find_char(rest, '<');
    *after = at + 1;
    if (open == STR_NONE || close == STR_NONE || open > close)
        return (Str){0};
    *after = at + close + 1;
    return str_slice(rest, open + 1, close);
}

/* A field's instruction is spread over any number of runs. */
static void scan_fields(Scan *s, const ScanObject *part)
{
    Str xml = part->bytes, tag;
    Buf field = buf_init(s->arena, 2 * FIELD_MAX);
    for (size_t at = 0; at < xml.len;) {
        const char *next = memchr(xml.ptr + at, '<', xml.len - at);
        if (next == NULL)
            break;
        at = (size_t)(next - xml.ptr) + 1;
        Str name = str_slice(xml, at, at + 24);
        size_t colon = str_find_char(name, ':');
        Str local = colon != STR_NONE ? str_slice(name, colon + 1, name.len) : name;
        if (str_starts(local, STR("fldChar"))) {
            dde_check(s, part, buf_str(&field));
            buf_clear(&field);
        } else if (str_starts(local, STR("instrText")) && name.ptr[0] != '/') {
            Str text = element_content(xml, at, &at);
            if (field.len + text.len < FIELD_MAX)
                add_plain(&field, text);
        }
    }
    dde_check(s, part, buf_str(&field));
    for (size_t at = 0; next_tag(xml, "fldSimple", &at, &tag);) {
        buf_clear(&field);
        add_plain(&field, str_slice(attribute(tag, "instr"), 0, FIELD_MAX));
        dde_check(s, part, buf_str(&field));
    }
}

static void scan_dde_link(Scan *s, const ScanObject *part)
{
    Str tag;
    for (size_t at = 0; next_tag(part->bytes, "ddeLink", &at, &tag);) {
        Str service = attribute(tag, "ddeService"), topic = attribute(tag, "ddeTopic");
        Str both = str_printf(s->arena, STR_FMT ".exe|" STR_FMT, STR_ARG(service), STR_ARG(topic));
        scan_report(s, program_command(both).len > 0 ? FINDING_DDE_COMMAND : FINDING_DDE, part,
                    "\"" STR_FMT "\" about \"" STR_FMT "\"",
                    STR_ARG(scan_printable(s->arena, service, 40)),
                    STR_ARG(scan_printable(s->arena, topic, 80)));
    }
}

static void scan_macro_sheet(Scan *s, const ScanObject *part)
{
    static const char strong[] = "EXEC(\nCALL(\nREGISTER(\nREGISTER.ID(\nFWRITE(\nURLDownload\n"
                                 "powershell\nFORMULA.FILL(\nShellExecute";
    Str found = scan_find_words(part->bytes, strong);
    scan_report(s, FINDING_XLM_MACROS, part, "a macro sheet");
    if (found.len > 0)
        scan_report(s, FINDING_XLM_RUNS, part, STR_FMT, STR_ARG(found));
}

static void scan_workbook(Scan *s, const ScanObject *part)
{
    Str tag;
    for (size_t at = 0; next_tag(part->bytes, "definedName", &at, &tag);) {
        Str name = attribute(tag, "name");
        if (scan_find_nocase(name, "auto_open") != STR_NONE ||
            scan_find_nocase(name, "auto_close") != STR_NONE)
            scan_report(s, FINDING_XLM_AUTO, part, STR_FMT,
                        STR_ARG(scan_printable(s->arena, name, 60)));
    }
}

static void scan_odf(Scan *s, const ScanObject *part)
{
    Str name = part->name, tag;
    bool basic = str_starts(name, STR("Basic/")) || str_starts(name, STR("Scripts/"));
    if (basic && !str_ends(name, STR("script-lb.xml")) && !str_ends(name, STR("script-lc.xml")) &&
        !str_ends(name, STR("dialog-lb.xml")) && !str_ends(name, STR("dialog-lc.xml"))) {
        Str found =
            scan_find_words(part->bytes, "Shell(\nShell \ncreateUnoService\nos.system\nsubprocess");
        scan_report(s, FINDING_MACROS, part, "a module of Basic or a script");
        if (found.len > 0)
            scan_report(s, FINDING_MACRO_CALLS, part, STR_FMT, STR_ARG(found));
    }
    for (size_t at = 0; next_tag(part->bytes, "event-listener", &at, &tag);) {
        Str to = attribute(tag, "href");
        if (str_find(to, STR("vnd.sun.star.script")) != STR_NONE)
            scan_report(s, FINDING_MACRO_AUTO, part, "\"" STR_FMT "\"",
                        STR_ARG(scan_printable(s->arena, to, 120)));
    }
    for (size_t at = 0; next_tag(part->bytes, "dde-source", &at, &tag);) {
        Str what = attribute(tag, "dde-application");
        scan_report(s, program_command(tag).len > 0 ? FINDING_DDE_COMMAND : FINDING_DDE, part,
                    "\"" STR_FMT "\"", STR_ARG(scan_printable(s->arena, what, 80)));
    }
}

void office_part_scan(Scan *s, const ScanObject *package, const ScanObject *part)
{
    Str name = part->name;
    bool xml = str_ends_nocase(name, STR(".xml")) || str_ends_nocase(name, STR(".rels"));
    (void)package;
    if (str_starts(name, STR("xl/macrosheets/")) && str_find(name, STR("_rels")) == STR_NONE)
        scan_macro_sheet(s, part);
    if (str_find(name, STR("/activeX/")) != STR_NONE && str_ends_nocase(name, STR(".bin")))
        scan_report(s, FINDING_ACTIVEX, part, "a control");
    if (!xml)
        return;
    if (str_find(part->bytes, STR("<!ENTITY")) != STR_NONE)
        scan_report(s, FINDING_XML_BOMB, part, "entities in a part of an Office file");
    if (str_ends_nocase(name, STR(".rels")))
        scan_relations(s, part);
    else
        scan_fields(s, part);
    if (str_starts(name, STR("xl/externalLinks/")))
        scan_dde_link(s, part);
    if (str_ends(name, STR("workbook.xml")))
        scan_workbook(s, part);
    if (str_starts(name, STR("Basic/")) || str_starts(name, STR("Scripts/")) ||
        str_eq_c(name, "content.xml"))
        scan_odf(s, part);
}
