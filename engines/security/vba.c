/* vba.c: VBA projects: decompressed (MS-OVBA 2.4.1), their modules found by the project's own
 * directory or, where that is damaged, by how a module begins; and what their text says. */
#include "security/scan.h"

#include "document/ole.h"

#include <ctype.h>
#include <string.h>

enum { MODULE_MAX = 8 << 20, CHUNK = 4096, MODULES_MAX = 500 };

/* Records of the project's directory (MS-OVBA 2.3.4.2). */
enum { REC_VERSION = 0x0009, REC_STREAM_NAME = 0x001A, REC_OFFSET = 0x0031, REC_END = 0x0010 };

/* One token pair: copy `length` bytes from `distance` back, within the chunk. How the 16 bits are
 * shared out depends on how far the chunk has come. */
static bool copy_token(Buf *out, size_t chunk_start, uint32_t token)
{
    size_t done = out->len - chunk_start;
    uint32_t bits = 4;
    while (bits < 12 && ((size_t)1 << bits) < done)
        bits++;
    uint32_t length_mask = 0xFFFFu >> bits, length = (token & length_mask) + 3,
             distance = ((token & ~length_mask & 0xFFFF) >> (16 - bits)) + 1;
    if (distance > done || done + length > CHUNK)
        return false;
    for (uint32_t i = 0; i < length; i++)
        buf_add_char(out, out->ptr[out->len - distance]);
    return true;
}

static bool unpack_chunk(Buf *out, Str chunk)
{
    size_t start = out->len, at = 0;
    while (at < chunk.len && !out->failed) {
        unsigned char flags = (unsigned char)chunk.ptr[at++];
        for (int bit = 0; bit < 8 && at < chunk.len; bit++) {
            if ((flags >> bit & 1) == 0) {
                if (out->len - start >= CHUNK)
                    return false;
                buf_add_char(out, chunk.ptr[at++]);
                continue;
            }
            if (at + 2 > chunk.len || !copy_token(out, start, scan_u16(chunk, at)))
                return false;
            at += 2;
        }
    }
    return !out->failed;
}

bool vba_decompress(Arena *a, Str packed, size_t max, Str *out)
{
    Buf b = buf_init(a, max);
    if (packed.len < 3 || packed.ptr[0] != 1)
        return false;
    for (size_t at = 1; at + 2 <= packed.len && b.len + CHUNK <= max;) {
        uint32_t head = scan_u16(packed, at);
        size_t size = (head & 0x0FFF) + 3;
        Str chunk = str_slice(packed, at + 2, at + size);
        if ((head >> 12 & 7) != 3)
            break;
        if ((head & 0x8000) == 0)
            buf_add(&b, str_slice(packed, at + 2, at + 2 + CHUNK));
        else if (!unpack_chunk(&b, chunk))
            break;
        at += (head & 0x8000) != 0 ? size : 2 + CHUNK;
    }
    if (b.failed || b.len == 0)
        return false;
    *out = buf_str(&b);
    return true;
}

/* What Office runs without being asked. */
static const char *const auto_names[] = {
    "AutoExec",
    "AutoOpen",
    "Auto_Open",
    "AutoNew",
    "AutoClose",
    "Auto_Close",
    "AutoExit",
    "Document_Open",
    "DocumentOpen",
    "Document_New",
    "Document_Close",
    "DocumentBeforeClose",
    "Document_BeforeClose",
    "DocumentChange",
    "Document_ContentControlOnEnter",
    "Workbook_Open",
    "Workbook_Activate",
    "Workbook_Close",
    "Workbook_BeforeClose",
    "Workbook_BeforePrint",
    "Workbook_SheetChange",
    "Worksheet_Activate",
    "Worksheet_Calculate",
    "Worksheet_Change",
    "Auto_Activate",
    "App_DocumentOpen",
    "App_WorkbookOpen",
    "OnSlideShowPageChange",
    "OnSlideShowTerminate",
    "Slide_Show_Begin",
    "SlideShowBegin",
    "Presentation_Open",
    "InkPicture1_Painted",
    "InkPicture1_Painting",
    "UserForm_Activate",
    "Frame1_Layout",
    "Image1_MouseMove",
    "MultiPage1_Layout",
    "ThisDocument_Open",
};

/* `strong`: starts programs, loads or writes files, runs machine code. */
static const struct {
    const char *name;
    bool strong;
} calls[] = {
    {"Shell", true},
    {"WScript.Shell", true},
    {"Shell.Application", true},
    {"ShellExecute", true},
    {"PowerShell", true},
    {"cmd.exe", true},
    {"cmd /c", true},
    {"mshta", true},
    {"rundll32", true},
    {"regsvr32", true},
    {"certutil", true},
    {"bitsadmin", true},
    {"URLDownloadToFile", true},
    {"XMLHTTP", true},
    {"WinHttpRequest", true},
    {"ADODB.Stream", true},
    {"SaveToFile", true},
    {"VirtualAlloc", true},
    {"VirtualProtect", true},
    {"RtlMoveMemory", true},
    {"CreateThread", true},
    {"WriteProcessMemory", true},
    {"EnumSystemLanguageGroups", true},
    {"winmgmts", true},
    {"Win32_Process", true},
    {"ExecuteExcel4Macro", true},
    {"ShellBrowserWindow", true},
    {"ScriptControl", true},
    {"Schedule.Service", true},
    {"CreateProcess", true},
    {"InternetExplorer.Application", true},
    {"VBProject", true},
    {"CreateObject", false},
    {"GetObject", false},
    {"CallByName", false},
    {"Environ", false},
    {"Declare Function", false},
    {"Declare Sub", false},
    {"Declare PtrSafe", false},
    {"StrReverse", false},
    {"ExecuteGlobal", false},
    {"FromBase64", false},
    {"bin.base64", false},
    {"Kill ", false},
    {"FileCopy", false},
    {"RegWrite", false},
    {"RegRead", false},
    {"SendKeys", false},
    {"AppActivate", false},
    {"For Binary", false},
    {"MacroSecurity", false},
    {"VBAWarnings", false},
    {"AccessVBOM", false},
};

static bool is_word(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_';
}

/* `word` with no letter or digit at either end that its own ends would join. */
static bool has_word(Str text, const char *word)
{
    size_t n = strlen(word), from = 0;
    for (;;) {
        size_t at = scan_find_nocase(str_slice(text, from, text.len), word);
        if (at == STR_NONE)
            return false;
        at += from;
        bool before = at > 0 && is_word(text.ptr[at - 1]) && is_word(word[0]),
             after = at + n < text.len && is_word(text.ptr[at + n]) && is_word(word[n - 1]);
        if (!before && !after)
            return true;
        from = at + 1;
    }
}

/* "Sub Auto_Open(" and nothing that merely mentions the name. */
static bool has_procedure(Str text, const char *name)
{
    size_t n = strlen(name), from = 0;
    for (;;) {
        size_t at = scan_find_nocase(str_slice(text, from, text.len), name);
        if (at == STR_NONE)
            return false;
        at += from;
        size_t back = at;
        while (back > 0 && (text.ptr[back - 1] == ' ' || text.ptr[back - 1] == '\t'))
            back--;
        Str before = str_slice(text, back >= 8 ? back - 8 : 0, back);
        bool declared =
            str_ends_nocase(before, STR("sub")) || str_ends_nocase(before, STR("function"));
        bool ends = at + n >= text.len || !is_word(text.ptr[at + n]);
        if (declared && back < at && ends)
            return true;
        from = at + 1;
    }
}

static void add_to(char *list, size_t size, const char *name)
{
    size_t len = strlen(list);
    if (len + strlen(name) + 3 < size) {
        if (len > 0) {
            memcpy(list + len, ", ", 3);
            len += 2;
        }
        memcpy(list + len, name, strlen(name) + 1);
    }
}

static bool listed(const char *list, const char *name)
{
    return strstr(list, name) != NULL;
}

/* The attributes every module begins with are written by the program. */
static Str without_attributes(Str text)
{
    Str rest = text, line;
    while (rest.len > 0) {
        Str at = rest;
        if (!str_next(&rest, '\n', &line) || !str_starts(line, STR("Attribute VB_")))
            return at;
    }
    return rest.ptr != NULL ? rest : STR("");
}

void vba_read(VbaFacts *f, Str source)
{
    Str text = without_attributes(source);
    f->modules++;
    for (size_t i = 0; i < COUNT_OF(auto_names); i++)
        if (!listed(f->autos, auto_names[i]) && has_procedure(text, auto_names[i])) {
            add_to(f->autos, sizeof f->autos, auto_names[i]);
            f->auto_name = str_from_c(auto_names[i]);
        }
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        if (!listed(f->calls, calls[i].name) && has_word(text, calls[i].name)) {
            add_to(f->calls, sizeof f->calls, calls[i].name);
            f->call = str_from_c(calls[i].name);
            if (calls[i].strong)
                f->strong = str_from_c(calls[i].name);
        }
}

static bool has_code(Str source)
{
    return str_trim(without_attributes(source)).len > 0;
}

typedef struct Project {
    Scan *s;
    Ole *ole;
    int storage;
    VbaFacts facts;
    int found, with_code;
} Project;

static void read_module(Project *p, int entry, size_t offset)
{
    Str packed = ole_read(p->ole, entry, p->s->arena, MODULE_MAX), source;
    if (packed.len <= offset ||
        !vba_decompress(p->s->arena, str_slice(packed, offset, packed.len), MODULE_MAX, &source))
        return;
    p->found++;
    if (!has_code(source))
        return;
    p->with_code++;
    vba_read(&p->facts, source);
}

static void read_named(Project *p, Str name, size_t offset)
{
    char text[80];
    if (name.len == 0 || name.len >= sizeof text)
        return;
    memcpy(text, name.ptr, name.len);
    text[name.len] = 0;
    int entry = ole_find(p->ole, p->storage, text);
    if (entry >= 0)
        read_module(p, entry, offset);
}

static void read_directory(Project *p, Str dir)
{
    Str name = {0};
    for (size_t at = 0, n = 0; at + 6 <= dir.len && n < 20000; n++) {
        uint32_t id = scan_u16(dir, at), size = scan_u32(dir, at + 2);
        if (id == REC_VERSION)
            size = 6; /* its size field says 4 */
        Str value = str_slice(dir, at + 6, at + 6 + (size_t)size);
        if (id == REC_STREAM_NAME)
            name = value;
        if (id == REC_OFFSET && value.len == 4 && p->found < MODULES_MAX)
            read_named(p, name, scan_u32(value, 0));
        if (id == REC_END || size > dir.len)
            return;
        at += 6 + (size_t)size;
    }
}

/* A compressed module begins with its attributes: the first token group is 0x00 "Attribut". */
static void search_modules(Project *p)
{
    for (size_t i = 0; i < p->ole->len && p->found < MODULES_MAX; i++) {
        const OleEntry *e = &p->ole->entries[i];
        if (e->kind == OLE_STORAGE || e->kind == OLE_ROOT ||
            (e->parent != p->storage && e->parent >= 0))
            continue;
        ArenaMark mark = arena_mark(p->s->arena);
        Str packed = ole_read(p->ole, (int)i, p->s->arena, MODULE_MAX);
        size_t at = str_find(packed, (Str){"\0Attribut", 9});
        if (at != STR_NONE && at >= 3)
            read_module(p, (int)i, at - 3);
        arena_rewind(p->s->arena, mark);
    }
}

static void report(Project *p, const ScanObject *o)
{
    const VbaFacts *f = &p->facts;
    if (p->found == 0) {
        scan_report(p->s, FINDING_MACROS_DAMAGED, o, "no module can be read");
        return;
    }
    if (p->with_code == 0)
        return; /* Office leaves empty projects behind */
    scan_report(p->s, FINDING_MACROS, o, "%d module%s", p->with_code, p->with_code == 1 ? "" : "s");
    if (f->auto_name.len > 0)
        scan_report(p->s, FINDING_MACRO_AUTO, o, "%s", f->autos);
    if (f->call.len > 0)
        scan_report(p->s, FINDING_MACRO_CALLS, o, "%s", f->calls);
    if (f->auto_name.len > 0 && f->strong.len > 0)
        scan_report(p->s, FINDING_MACRO_RUNS, o, STR_FMT " and " STR_FMT, STR_ARG(f->auto_name),
                    STR_ARG(f->strong));
    if (o->outer != NULL && (str_ends_nocase(o->outer->name, STR(".docx")) ||
                             str_ends_nocase(o->outer->name, STR(".xlsx")) ||
                             str_ends_nocase(o->outer->name, STR(".pptx"))))
        scan_report(p->s, FINDING_MACROS_HIDDEN, o, "a type without macros in its name");
}

void vba_scan(Scan *s, const ScanObject *o, Ole *ole, int storage)
{
    Project p = {.s = s, .ole = ole, .storage = storage};
    ArenaMark mark = arena_mark(s->arena);
    int dir = ole_find(ole, storage, "dir");
    Str packed = dir < 0 ? (Str){0} : ole_read(ole, dir, s->arena, MODULE_MAX), text;
    if (packed.len > 0 && vba_decompress(s->arena, packed, MODULE_MAX, &text))
        read_directory(&p, text);
    if (p.found == 0)
        search_modules(&p);
    report(&p, o);
    arena_rewind(s->arena, mark);
}
