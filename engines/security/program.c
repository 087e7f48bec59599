/* program.c: programs, shortcuts and scripts, and the test file of all scanners. */
#include "security/scan.h"

#include <string.h>

enum { PE_OFFSET_MAX = 4096, LNK_HEAD = 76 };

/* Held in two halves, so that no scanner takes this program for the test file. */
static const char eicar_first[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STAND";
static const char eicar_second[] = "ARD-ANTIVIRUS-TEST-FILE!$H+H*";

Str eicar_bytes(Arena *a)
{
    return str_printf(a, "%s%s", eicar_first, eicar_second);
}

void eicar_check(Scan *s, const ScanObject *o)
{
    Str eicar = eicar_bytes(s->arena);
    if (eicar.ptr != NULL && o->bytes.len >= eicar.len && str_find(o->bytes, eicar) != STR_NONE)
        scan_report(s, FINDING_EICAR, o, "the test file's 68 bytes");
}

Str program_command(Str text)
{
    return scan_find_words(text,
                           "powershell\npwsh\ncmd.exe\ncmd /c\n\\cmd\nmshta\nwscript\ncscript\n"
                           "rundll32\nregsvr32\nbitsadmin\ncertutil\nmsiexec\nms-msdt\n"
                           "schtasks\nwmic \n/bin/sh\n/bin/bash\n|cmd\nMSEXCEL\\\\..");
}

static bool known_machine(uint32_t machine)
{
    static const uint32_t known[] = {0x14c, 0x8664, 0x1c0, 0x1c4, 0xaa64, 0x200};
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (machine == known[i])
            return true;
    return false;
}

static bool is_pe(Str s, size_t at)
{
    Str rest = str_slice(s, at, s.len);
    uint32_t pe = scan_u32(rest, 0x3c);
    return rest.len > 0x40 && pe >= 0x40 && pe < PE_OFFSET_MAX &&
           str_starts(str_slice(rest, pe, rest.len), (Str){"PE\0\0", 4}) &&
           known_machine(scan_u16(rest, (size_t)pe + 4));
}

static bool is_elf(Str s, size_t at)
{
    const unsigned char *b = (const unsigned char *)s.ptr + at;
    return s.len - at >= 20 &&
           memcmp(b,
                  "\x7f"
                  "ELF",
                  4) == 0 &&
           (b[4] == 1 || b[4] == 2) && (b[5] == 1 || b[5] == 2) && b[6] == 1 &&
           (b[16] | b[17]) <= 4 && (b[16] | b[17]) > 0;
}

static bool is_macho(Str s)
{
    uint32_t magic = scan_u32(s, 0), cpu = scan_u32(s, 4);
    if (magic == 0xFEEDFACE || magic == 0xFEEDFACF)
        return (cpu & 0xFFFFFF) == 7 || (cpu & 0xFFFFFF) == 12;
    /* A universal program; Java's classes share the number, their version is larger. */
    return magic == 0xBEBAFECA && scan_u32(s, 4) >> 24 <= 8 && (scan_u32(s, 4) & 0xFFFFFF) == 0;
}

static bool is_lnk(Str s)
{
    return s.len >= LNK_HEAD && str_starts(s, (Str){"L\0\0\0\x01\x14\x02\0\0\0\0\0\xC0", 13});
}

static const char *program_kind(Str s)
{
    if (is_pe(s, 0))
        return "a Windows program";
    if (s.len >= 64 && str_starts(s, STR("MZ")) && scan_u16(s, 8) >= 2 && scan_u16(s, 8) <= 64 &&
        scan_u16(s, 2) < 512)
        return "a DOS program";
    return is_elf(s, 0) ? "a Linux program" : is_macho(s) ? "a Mac program" : NULL;
}

/* A program that begins within other data; media files are too long and too random to be searched
 * for less than a whole header. */
static const char *carve(Str s, size_t *where)
{
    for (size_t at = 1; at + 64 < s.len; at++) {
        char ch = s.ptr[at];
        if (ch != 'M' && ch != 0x7f)
            continue;
        *where = at;
        if (ch == 'M' && s.ptr[at + 1] == 'Z' && is_pe(s, at))
            return "a Windows program";
        if (ch == 0x7f && is_elf(s, at))
            return "a Linux program";
    }
    return NULL;
}

static void report_program(Scan *s, const ScanObject *o, const char *kind)
{
    bool disguised =
        scan_is(o, "exe elf dll macho") && o->name.len > 0 &&
        str_find_char(o->name, '.') != STR_NONE && !names_is_program(o->name) &&
        (str_ends_nocase(o->name, STR(".pdf")) || str_ends_nocase(o->name, STR(".doc")) ||
         str_ends_nocase(o->name, STR(".docx")) || str_ends_nocase(o->name, STR(".jpg")) ||
         str_ends_nocase(o->name, STR(".png")) || str_ends_nocase(o->name, STR(".txt")) ||
         str_ends_nocase(o->name, STR(".xlsx")) || str_ends_nocase(o->name, STR(".mp3")));
    if (disguised)
        scan_report(s, FINDING_PROGRAM_DISGUISED, o, "%s called \"" STR_FMT "\"", kind,
                    STR_ARG(scan_printable(s->arena, o->name, 100)));
    scan_report(s,
                o->around == AROUND_DOCUMENT || o->around == AROUND_MAIL
                    ? FINDING_PROGRAM_IN_DOCUMENT
                : o->around == AROUND_ARCHIVE ? FINDING_PROGRAM_IN_ARCHIVE
                                              : FINDING_PROGRAM,
                o, "%s", kind);
}

static void lnk_check(Scan *s, const ScanObject *o)
{
    Str wide = scan_utf16(s->arena, str_slice(o->bytes, LNK_HEAD, 64 * 1024)),
        odd = scan_utf16(s->arena, str_slice(o->bytes, LNK_HEAD + 1, 64 * 1024)),
        command = program_command(wide);
    command = command.len > 0 ? command : program_command(odd);
    command = command.len > 0 ? command : program_command(o->bytes);
    if (command.len > 0)
        scan_report(s, FINDING_SHORTCUT_COMMAND, o, "it names " STR_FMT, STR_ARG(command));
    else if (o->around == AROUND_DOCUMENT || o->around == AROUND_MAIL)
        scan_report(s, FINDING_SHORTCUT_COMMAND, o, "a shortcut inside a document or mail");
    else
        scan_report(s, FINDING_SHORTCUT, o, "a Windows shortcut");
}

static bool looks_inside(const ScanObject *o)
{
    /* What lies in these is looked at when it has been unpacked, or is sound and moving pictures. */
    return !str_eq_c(STR("archive"), o->type.family) && !str_eq_c(STR("audio"), o->type.family) &&
           !str_eq_c(STR("video"), o->type.family) && !str_eq_c(STR("text"), o->type.family);
}

void program_check(Scan *s, const ScanObject *o)
{
    const char *kind = program_kind(o->bytes);
    size_t at = 0;
    if (is_lnk(o->bytes)) {
        lnk_check(s, o);
        return;
    }
    if (kind != NULL) {
        report_program(s, o, kind);
        return;
    }
    if (names_is_script(o->name) && o->depth > 0)
        scan_report(s, FINDING_SCRIPT_FILE, o, "\"" STR_FMT "\"",
                    STR_ARG(scan_printable(s->arena, o->name, 100)));
    if (!looks_inside(o))
        return;
    kind = carve(o->bytes, &at);
    if (kind != NULL)
        scan_report(s, FINDING_PROGRAM_IN_DOCUMENT, o, "%s at byte %zu", kind, at);
}
