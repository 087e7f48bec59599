/* oledoc.c: what lies in compound files: macros, packages, fields and links of Word, Excel and
 * PowerPoint 97, attachments of Outlook, encrypted Office packages. */
#include "security/scan.h"

#include "document/ole.h"
#include "document/ooxml_crypt.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { STREAM_MAX = 64 << 20, RECORDS_MAX = 2 * 1000 * 1000, FIELD_MAX = 300 };

static bool is_named(const OleEntry *e, const char *name)
{
    return str_eq_nocase(e->name, str_from_c(name));
}

static Str path_of(Scan *s, const Ole *ole, size_t entry)
{
    const OleEntry *e = &ole->entries[entry];
    Str path = scan_printable(s->arena, e->name, 60);
    for (int n = 0; n < 8 && e->parent > 0; n++) {
        e = &ole->entries[e->parent];
        path = str_printf(s->arena, STR_FMT "/" STR_FMT,
                          STR_ARG(scan_printable(s->arena, e->name, 60)), STR_ARG(path));
    }
    return path;
}

/* A text that ends with a 0 byte; *at moves behind it. */
static Str text_at(Str s, size_t *at)
{
    Str rest = str_slice(s, *at, s.len);
    size_t end = str_find_char(rest, 0);
    if (end == STR_NONE)
        return (Str){0};
    *at += end + 1;
    return str_slice(rest, 0, end);
}

/* The native data of a "Package": label, path, then the file itself. */
void package_scan(Scan *s, const ScanObject *o, Str native)
{
    size_t at = 4;
    if (scan_u16(native, at) != 2) { /* no package: some other object's own data */
        scan_inside(s, o, str_slice(native, 4, native.len), STR("native"), AROUND_DOCUMENT);
        return;
    }
    at += 2;
    Str label = text_at(native, &at), path = text_at(native, &at);
    at += 4;                                /* unused, and what kind */
    at += 4 + (size_t)scan_u32(native, at); /* where it was unpacked to, with its length before */
    size_t size = scan_u32(native, at);
    Str file = str_slice(native, at + 4, at + 4 + size), name = path.len > 0 ? path : label;
    if (file.len == 0)
        return;
    scan_report(s, FINDING_OLE_PACKAGE, o, "\"" STR_FMT "\", %zu bytes",
                STR_ARG(scan_printable(s->arena, name, 120)), file.len);
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '\\' || name.ptr[i - 1] == '/') {
            name = str_slice(name, i, name.len);
            break;
        }
    scan_inside(s, o, file, name, AROUND_DOCUMENT);
}

void dde_check(Scan *s, const ScanObject *o, Str instruction)
{
    Str text = str_trim(instruction), shown = scan_printable(s->arena, text, 120);
    bool dde = text.len > 3 && (str_eq_nocase(str_slice(text, 0, 4), STR("dde ")) ||
                                str_eq_nocase(str_slice(text, 0, 7), STR("ddeauto")));
    /* Quoted letter by letter to hide the word. */
    bool hidden = str_eq_nocase(str_slice(text, 0, 5), STR("quote")) &&
                  scan_find_nocase(text, "ddeauto") != STR_NONE;
    if (!dde && !hidden)
        return;
    scan_report(s, program_command(text).len > 0 ? FINDING_DDE_COMMAND : FINDING_DDE, o,
                "\"" STR_FMT "\"", STR_ARG(shown));
}

/* Fields of Word 97: 0x13 instruction 0x14 result 0x15, in one byte or two a character. */
static void word_fields(Scan *s, const ScanObject *o, Str text, size_t width)
{
    for (size_t i = 0; i + width <= text.len; i++) {
        if (text.ptr[i] != 0x13 || (width == 2 && text.ptr[i + 1] != 0))
            continue;
        Str field = str_slice(text, i + width, i + width + FIELD_MAX * width);
        ArenaMark mark = arena_mark(s->arena);
        if (width == 2)
            field = scan_utf16(s->arena, field);
        size_t end = 0;
        while (end < field.len && field.ptr[end] != 0x14 && field.ptr[end] != 0x15)
            end++;
        dde_check(s, o, str_slice(field, 0, end));
        arena_rewind(s->arena, mark);
    }
}

static void scan_word(Scan *s, const ScanObject *o, Str stream)
{
    if ((scan_u16(stream, 10) & 0x0100) != 0)
        scan_report(s, FINDING_ENCRYPTED, o, "the document is encrypted");
    word_fields(s, o, stream, 1);
    word_fields(s, o, stream, 2);
}

static void xlm_name(Scan *s, const ScanObject *o, Str rec)
{
    /* Options with the bit for built-in names, whose name is one character's code. */
    uint32_t options = scan_u16(rec, 0), len = rec.len > 3 ? (unsigned char)rec.ptr[3] : 0;
    unsigned char code = rec.len > 15 ? (unsigned char)rec.ptr[15] : 0xff;
    Str name = str_slice(rec, 15, 15 + len);
    if ((options & 0x20) != 0 && (code == 1 || code == 2))
        scan_report(s, FINDING_XLM_AUTO, o, "%s", code == 1 ? "Auto_Open" : "Auto_Close");
    else if (scan_find_nocase(name, "auto_open") == 0)
        scan_report(s, FINDING_XLM_AUTO, o, STR_FMT, STR_ARG(scan_printable(s->arena, name, 60)));
}

/* An external book whose name has 0x03 between its parts is a DDE link: application, topic. */
static void biff_link(Scan *s, const ScanObject *o, Str rec)
{
    uint32_t len = scan_u16(rec, 2);
    if (len == 0x0401 || len == 0x3A01 || rec.len < 6)
        return;
    Str text = str_slice(rec, 5, rec.len);
    if ((rec.ptr[4] & 1) != 0)
        text = scan_utf16(s->arena, text);
    if (str_find_char(text, 3) != STR_NONE)
        scan_report(s, program_command(text).len > 0 ? FINDING_DDE_COMMAND : FINDING_DDE, o,
                    "\"" STR_FMT "\"", STR_ARG(scan_printable(s->arena, text, 120)));
}

static void scan_book(Scan *s, const ScanObject *o, Str stream)
{
    bool macros = false;
    /* Names come after the sheets, so it is known by then whether there are macro sheets. */
    for (size_t at = 0, n = 0; at + 4 <= stream.len && n < RECORDS_MAX; n++) {
        uint32_t type = scan_u16(stream, at), len = scan_u16(stream, at + 2);
        Str rec = str_slice(stream, at + 4, at + 4 + len);
        if (type == 0x2F) {
            scan_report(s, FINDING_ENCRYPTED, o, "the workbook is encrypted");
            return;
        }
        if (type == 0x85 && rec.len > 6 && rec.ptr[5] == 1) {
            static const char *const how[] = {"visible", "hidden", "very hidden", "?"};
            scan_report(s, FINDING_XLM_MACROS, o, "a macro sheet, %s", how[rec.ptr[4] & 3]);
            macros = true;
        }
        if (type == 0x18 && macros)
            xlm_name(s, o, rec);
        if (type == 0x1AE)
            biff_link(s, o, rec);
        at += 4 + (size_t)len;
    }
}

/* PowerPoint keeps macro projects and embedded objects deflated in its own stream. */
static void scan_slides(Scan *s, const ScanObject *o, Str stream)
{
    for (size_t at = 0, n = 0; at + 8 <= stream.len && n < RECORDS_MAX; n++) {
        uint32_t head = scan_u16(stream, at), type = scan_u16(stream, at + 2),
                 len = scan_u32(stream, at + 4);
        Str rec = str_slice(stream, at + 8, at + 8 + (size_t)len);
        /* Containers are walked through: only their head is skipped. */
        at += (head & 0x0F) == 0x0F ? 8 : 8 + (size_t)len;
        if (type != 0x1011)
            continue;
        if (head >> 4 == 0) { /* stored */
            scan_inside(s, o, rec, STR("object"), AROUND_DOCUMENT);
            continue;
        }
        uLongf size = scan_u32(rec, 0);
        if (rec.len < 8 || size > STREAM_MAX || !scan_allow(s, o, (int64_t)size))
            continue;
        ArenaMark mark = arena_mark(s->arena);
        Bytef *out = arena_alloc_raw(s->arena, size + 1);
        if (out != NULL && uncompress(out, &size, (const Bytef *)rec.ptr + 4, rec.len - 4) == Z_OK)
            scan_inside(s, o, (Str){(char *)out, size}, STR("object"), AROUND_DOCUMENT);
        arena_rewind(s->arena, mark);
    }
}

/* An equation is a few hundred bytes of text and operators. */
static void scan_equation(Scan *s, const ScanObject *o, Str stream)
{
    bool calls = scan_find_words(stream, "http\n.exe\ncmd\nmshta\nWinExec\n\\\\").len > 0;
    scan_report(s, calls ? FINDING_EQUATION : FINDING_EQUATION_OLD, o, "%zu bytes", stream.len);
}

/* Excel tries one password by itself, so what is encrypted with it opens for everybody and for no
 * scanner that does not know it. */
static void scan_encrypted(Scan *s, const ScanObject *o)
{
    Str plain;
    Err ignored = {0};
    if (ooxml_decrypt(s->arena, o->bytes, STR(""), &plain, &ignored) != OK) {
        scan_report(s, FINDING_ENCRYPTED, o, "the document is encrypted");
        return;
    }
    scan_report(s, FINDING_DEFAULT_PASSWORD, o, "the password is VelvetSweatshop");
    scan_inside(s, o, plain, STR("decrypted"), AROUND_ARCHIVE);
}

static void attachment_name(Scan *s, const ScanObject *o, Str stream)
{
    ScanObject named = *o;
    named.name = scan_utf16(s->arena, stream);
    named.where = scan_part(s, o, named.name).where;
    names_check(s, &named);
}

/* Each by the name Office gives it; whatever it is, it is looked at as a file of its own too. */
static void scan_stream(Scan *s, const ScanObject *o, Ole *ole, size_t entry)
{
    const OleEntry *e = &ole->entries[entry];
    ArenaMark mark = arena_mark(s->arena);
    Str path = path_of(s, ole, entry);
    ScanObject part = scan_part(s, o, path);
    Str bytes = ole_read(ole, (int)entry, s->arena, STREAM_MAX);
    if (is_named(e, "\1Ole10Native"))
        package_scan(s, &part, bytes);
    else if (is_named(e, "EncryptedPackage"))
        scan_encrypted(s, o);
    else if (is_named(e, "WordDocument"))
        scan_word(s, &part, bytes);
    else if (is_named(e, "Workbook") || is_named(e, "Book"))
        scan_book(s, &part, bytes);
    else if (is_named(e, "PowerPoint Document"))
        scan_slides(s, &part, bytes);
    else if (is_named(e, "Equation Native"))
        scan_equation(s, &part, bytes);
    else if (is_named(e, "__substg1.0_3707001F") || is_named(e, "__substg1.0_3704001F"))
        attachment_name(s, o, bytes);
    if (!is_named(e, "EncryptedPackage") && bytes.len >= 16)
        scan_inside(s, o, bytes, path, AROUND_DOCUMENT);
    arena_rewind(s->arena, mark);
}

static void scan_storage(Scan *s, const ScanObject *o, Ole *ole, size_t entry)
{
    const OleEntry *e = &ole->entries[entry];
    if (is_named(e, "VBA") &&
        (ole_find(ole, (int)entry, "dir") >= 0 || ole_find(ole, (int)entry, "_VBA_PROJECT") >= 0)) {
        ArenaMark mark = arena_mark(s->arena);
        ScanObject part = scan_part(s, o, path_of(s, ole, entry));
        part.outer = o->outer != NULL ? o->outer : o;
        vba_scan(s, &part, ole, (int)entry);
        arena_rewind(s->arena, mark);
    }
    /* Microsoft's installer packages are compound files. */
    static const unsigned char installer[16] = {0x84, 0x10, 0x0C, 0, 0, 0, 0, 0,
                                                0xC0, 0,    0,    0, 0, 0, 0, 0x46};
    if (e->kind == OLE_ROOT && e->clsid.len == 16 && memcmp(e->clsid.ptr, installer, 16) == 0)
        scan_report(s, o->around == AROUND_ARCHIVE ? FINDING_PROGRAM_IN_ARCHIVE : FINDING_PROGRAM,
                    o, "a Windows installer package");
}

void ole_scan(Scan *s, const ScanObject *o)
{
    Ole ole;
    Err ignored = {0};
    if (!ole_is(o->bytes))
        return;
    ArenaMark mark = arena_mark(s->arena);
    if (ole_open(s->arena, o->bytes, &ole, &ignored) == OK)
        for (size_t i = 0; i < ole.len && !s->bomb; i++) {
            const OleEntry *e = &ole.entries[i];
            if (e->kind == OLE_STORAGE || e->kind == OLE_ROOT)
                scan_storage(s, o, &ole, i);
            else if (e->name.len > 0 && e->size_bytes > 0) /* marked as unused, too: it is hidden */
                scan_stream(s, o, &ole, i);
        }
    arena_rewind(s->arena, mark);
}
