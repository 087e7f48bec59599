/* names.c: names made to be taken for others. */
#include "security/scan.h"

static const char programs[] =
    "exe scr com pif cpl msi msp dll ocx sys drv jar apk app dmg pkg deb rpm gadget";
static const char scripts[] = "bat cmd ps1 psm1 vbs vbe js jse wsf wsh hta sct scf reg inf url lnk "
                              "settingcontent-ms xll iqy slk chm";
static const char harmless[] =
    "pdf doc docx xls xlsx ppt pptx txt rtf csv jpg jpeg png gif bmp mp3 "
    "mp4 avi htm html xml zip odt ods odp eml";

static bool one_of(Str extension, const char *list)
{
    Str rest = str_from_c(list), one;
    while (rest.len > 0 && str_next(&rest, ' ', &one))
        if (str_eq_nocase(extension, one))
            return true;
    return false;
}

static Str base_name(Str name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '/' || name.ptr[i - 1] == '\\')
            return str_slice(name, i, name.len);
    return name;
}

/* Without the dot; "" when there is none. Windows ignores dots and spaces at the end. */
static Str last_extension(Str name, Str *before)
{
    while (name.len > 0 && (name.ptr[name.len - 1] == '.' || name.ptr[name.len - 1] == ' '))
        name.len--;
    size_t dot = str_rfind_char(name, '.');
    *before = dot == STR_NONE ? name : str_slice(name, 0, dot);
    return dot == STR_NONE ? STR("") : str_trim(str_slice(name, dot + 1, name.len));
}

bool names_is_program(Str name)
{
    Str before;
    return one_of(last_extension(base_name(name), &before), programs);
}

bool names_is_script(Str name)
{
    Str before;
    return one_of(last_extension(base_name(name), &before), scripts);
}

static bool turns_direction(Str name)
{
    for (size_t at = 0; at < name.len;) {
        uint32_t cp = str_next_utf8(name, &at);
        if (cp == 0x202D || cp == 0x202E || cp == 0x2067)
            return true;
    }
    return false;
}

void names_check(Scan *s, const ScanObject *o)
{
    Str name = base_name(o->name), before, inner, last = last_extension(name, &before);
    Str shown = scan_printable(s->arena, name, 120);
    if (turns_direction(name))
        scan_report(s, FINDING_NAME_REVERSED, o, "\"" STR_FMT "\"", STR_ARG(shown));
    if (!one_of(last, programs) && !one_of(last, scripts))
        return;
    /* "invoice.pdf.exe", and "invoice.pdf          .exe" */
    inner = last_extension(str_trim(before), &before);
    if (one_of(inner, harmless))
        scan_report(s, FINDING_NAME_DOUBLE, o, "\"" STR_FMT "\"", STR_ARG(shown));
}
