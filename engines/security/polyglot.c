/* polyglot.c: files that are valid as two formats, one to pass and one to be opened as. */
#include "security/scan.h"

#include <string.h>

enum { HEAD = 1024, TAIL_SHOWN = 16, END_RECORD = 22, COMMENT_MAX = 65535 };

/* Where the directory of a ZIP at the end of the file says that the file begins; the number of
 * bytes before is what was put in front. STR_NONE: no ZIP at the end. */
static size_t zip_at_end(Str s)
{
    size_t from = s.len > END_RECORD + COMMENT_MAX ? s.len - END_RECORD - COMMENT_MAX : 0;
    for (size_t at = s.len >= END_RECORD ? s.len - END_RECORD + 1 : 0; at-- > from;) {
        if (!str_starts(str_slice(s, at, at + 4), STR("PK\5\6")))
            continue;
        uint64_t size = scan_u32(s, at + 12), offset = scan_u32(s, at + 16);
        if (scan_u16(s, at + 10) == 0 || size > at)
            continue;
        size_t directory = at - (size_t)size;
        if (str_starts(str_slice(s, directory, directory + 4), STR("PK\1\2")) &&
            offset <= directory)
            return directory - (size_t)offset;
    }
    return STR_NONE;
}

static bool is_picture(const ScanObject *o)
{
    return str_eq_c(STR("image"), o->type.family);
}

static void check_zip(Scan *s, const ScanObject *o)
{
    size_t before;
    /* Objects and packages of documents end with what they carry; installers are archives. */
    if (!is_picture(o) && !scan_is(o, "pdf html xhtml rtf mp3 mp4"))
        return;
    before = zip_at_end(o->bytes);
    /* A directory that counts from the file's beginning, behind another format's head, is one too. */
    if (before == STR_NONE)
        return;
    scan_report(s, FINDING_POLYGLOT, o, "%s and a ZIP archive", o->type.name);
    size_t first = str_find(o->bytes, STR("PK\3\4"));
    if (first != STR_NONE)
        scan_inside(s, o, str_slice(o->bytes, before > 0 ? before : first, o->bytes.len),
                    STR("appended.zip"), AROUND_ARCHIVE);
}

static bool is_blank(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '\r' && s.ptr[i] != '\n' && s.ptr[i] != ' ' && s.ptr[i] != '\t' &&
            s.ptr[i] != 0)
            return false;
    return true;
}

/* What stands before "%PDF-", when it is the beginning of something else. */
static void check_pdf_head(Scan *s, const ScanObject *o)
{
    size_t at = str_find(str_slice(o->bytes, 0, HEAD), STR("%PDF-"));
    if (at == STR_NONE || at == 0 || scan_is(o, "eml mbox txt md"))
        return;
    Str before = str_slice(o->bytes, 0, at);
    bool markup = scan_find_words(before, "<html\n<script\n<!doctype\n<?php").len > 0;
    bool other = str_starts(before, STR("GIF8")) || str_starts(before, STR("\x89PNG")) ||
                 str_starts(before, STR("\xFF\xD8\xFF")) || str_starts(before, STR("MZ")) ||
                 str_starts(before, STR("PK\3\4")) ||
                 str_starts(before, STR("\x7f"
                                        "ELF")) ||
                 str_starts(before, STR("Rar!")) || str_starts(before, STR("BM")) ||
                 str_starts(before, STR("RIFF")) || str_starts(before, STR("{\\rt")) || markup;
    if (other)
        scan_report(s, FINDING_POLYGLOT, o, "a PDF that begins at byte %zu, behind another format",
                    at);
}

static void check_pdf_tail(Scan *s, const ScanObject *o)
{
    size_t end = STR_NONE, from = o->bytes.len > 1 << 20 ? o->bytes.len - (1 << 20) : 0;
    for (size_t at = from;;) {
        size_t next = str_find(str_slice(o->bytes, at, o->bytes.len), STR("%%EOF"));
        if (next == STR_NONE)
            break;
        end = at + next + 5;
        at = end;
    }
    Str tail = end == STR_NONE ? (Str){0} : str_slice(o->bytes, end, o->bytes.len);
    if (is_blank(tail) || tail.len < TAIL_SHOWN)
        return;
    bool markup =
        scan_find_words(str_slice(tail, 0, 4096), "<html\n<script\n<!doctype\n<?php").len > 0;
    if (markup)
        scan_report(s, FINDING_POLYGLOT, o, "a PDF and a web page behind it");
    else
        scan_report(s, FINDING_TRAILING_DATA, o, "%zu bytes behind the end of the PDF", tail.len);
}

/* Pictures may hold any text in their comments; what would run in a browser or on a server is
 * something else. */
static void check_picture(Scan *s, const ScanObject *o)
{
    if (scan_is(o, "svg"))
        return;
    Str found = scan_find_words(str_slice(o->bytes, 0, 4 << 20),
                                "<script>\n<script \n<?php \n<html>\n<!doctype html");
    if (found.len > 0)
        scan_report(s, FINDING_POLYGLOT, o, "%s with \"" STR_FMT "\"", o->type.name,
                    STR_ARG(found));
    /* "GIF89a/" is a comment's beginning in JavaScript. */
    if (str_starts(o->bytes, STR("GIF89a/*")) || str_starts(o->bytes, STR("GIF89a=")))
        scan_report(s, FINDING_POLYGLOT, o, "a GIF that is a script too");
    if (str_find(o->bytes, STR("Rar!\x1a\x07")) != STR_NONE)
        scan_report(s, FINDING_POLYGLOT, o, "%s and a RAR archive", o->type.name);
}

void polyglot_check(Scan *s, const ScanObject *o)
{
    check_zip(s, o);
    check_pdf_head(s, o);
    if (scan_is(o, "pdf"))
        check_pdf_tail(s, o);
    if (is_picture(o))
        check_picture(s, o);
}
