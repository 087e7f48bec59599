/* fuzz_scan: any bytes through security.scan's own readers: compound files, RTF, parts of Office,
 * markup, shortcuts, archives. The findings must be sound: a code, a place, a text that ends. */
#include <stdlib.h>
#include <string.h>

#include "document/charset.h"
#include "document/ooxml_crypt.h"
#include "security/scan.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    Err err = {0};
    (void)argc, (void)argv;
    if (charset_warm(&err) != OK || ooxml_crypt_warm(&err) != OK || mail_warm(&err) != OK)
        abort();
    return 0;
}

static void check(const Scan *s)
{
    for (size_t i = 0; i < s->findings_len; i++)
        if (s->findings[i].code >= FINDING_COUNT ||
            !str_is_utf8(str_from_c(s->findings[i].where)) ||
            memchr(s->findings[i].text, 0, sizeof s->findings[i].text) == NULL)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "a",           "a.docx", "a.eml", "a.csv", "word/_rels/x.rels", "xl/workbook.xml",
        "content.xml", "a.hta"};
    CLEANUP(arena_close) Arena *a = arena_open(256 * MIB);
    Err err = {0};
    StepCtx step = {.arena = a, .err = &err};
    Scan *s = arena_new(a, Scan, 1);
    if (size == 0 || s == NULL)
        return 0;
    Str name = str_from_c(names[data[0] % COUNT_OF(names)]),
        bytes = {(const char *)data + 1, size - 1};
    scan_init(s, &step);
    scan_file(s, bytes, name);
    check(s);
    scan_init(s, &step);
    ScanObject package = {.bytes = bytes, .name = STR("a.docx")}, part = package;
    part.name = name;
    office_part_scan(s, &package, &part);
    package_scan(s, &part, bytes);
    check(s);
    return 0;
}
