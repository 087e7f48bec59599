#include "document/detect_in.h"

#include <string.h>

#include "document/bytes.h"
#include "document/ole.h"

enum { HEAD_MAX = 4096 };

/* The class of the root says which program wrote it; the first four bytes are enough to tell
 * them apart, the others are mostly those of Microsoft. */
static TypeId by_class(const Ole *o)
{
    static const struct {
        uint32_t head;
        TypeId type;
    } classes[] = {
        {0x00021201, TYPE_PUB}, {0x000C1084, TYPE_MSI},     {0x000C1086, TYPE_MSI},
        {0x000C1082, TYPE_MSI}, {0x74B78F3A, TYPE_PROJECT}, {0x00020906, TYPE_DOC},
        {0x00020900, TYPE_DOC}, {0x00020820, TYPE_XLS},     {0x00020810, TYPE_XLS},
        {0x64818D10, TYPE_PPT}, {0x00020D0B, TYPE_MSG},     {0x0006F046, TYPE_MSG},
        {0x00021A14, TYPE_VSD}, {0x00021A13, TYPE_VSD},
    };
    uint32_t head = o->len > 0 ? le32(o->entries[0].clsid, 0) : 0;
    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (head == classes[i].head)
            return classes[i].type;
    return TYPE_UNKNOWN;
}

/* In this order: a Publisher file has Word's "Quill", a mail may hold a Word file. */
static TypeId by_streams(const Ole *o)
{
    static const struct {
        const char *name;
        TypeId type;
    } streams[] = {
        {"EncryptedPackage", TYPE_OOXML_ENCRYPTED},
        {"__properties_version1.0", TYPE_MSG},
        {"__nameid_version1.0", TYPE_MSG},
        {"PowerPoint Document", TYPE_PPT},
        {"PP97_DUALSTORAGE", TYPE_PPT},
        {"WordDocument", TYPE_DOC},
        {"Workbook", TYPE_XLS},
        {"Book", TYPE_XLS},
        {"Quill", TYPE_PUB},
        {"VisioDocument", TYPE_VSD},
        {"MatOST", TYPE_WORKS},
        {"WksSSWorkBook", TYPE_WORKS},
        {"NativeContent_MAIN", TYPE_QUATTRO},
        {"PerfectOffice_MAIN", TYPE_WORDPERFECT},
        {"HwpSummaryInformation", TYPE_HWP},
        {"BodyText", TYPE_HWP},
    };
    for (size_t i = 0; i < COUNT_OF(streams); i++)
        if (ole_find(o, 0, streams[i].name) >= 0)
            return streams[i].type;
    return TYPE_UNKNOWN;
}

static Str head_of(const Ole *o, const char *stream)
{
    Str s = ole_read(o, ole_find(o, 0, stream), o->arena, HEAD_MAX);
    return s.ptr != NULL ? s : STR("");
}

/* BIFF: records of type, length, data; FilePass stands among the first ones of an encrypted book. */
static bool book_encrypted(Str book)
{
    enum { FILE_PASS = 0x2F, RECORDS = 40 };
    size_t at = 0;
    for (int i = 0; i < RECORDS && at + 4 <= book.len; i++) {
        if (le16(book, at) == FILE_PASS)
            return true;
        at += 4 + le16(book, at + 2);
    }
    return false;
}

static bool is_encrypted(const Ole *o, TypeId t)
{
    enum { WORD_ENCRYPTED = 0x0100 };
    Str book;
    switch (t) {
    case TYPE_OOXML_ENCRYPTED:
        return true;
    case TYPE_DOC:
        return (le16(head_of(o, "WordDocument"), 10) & WORD_ENCRYPTED) != 0;
    case TYPE_XLS:
        book = head_of(o, "Workbook");
        return book_encrypted(book.len > 0 ? book : head_of(o, "Book"));
    case TYPE_PPT:
        return ole_find_any(o, "EncryptedSummary") >= 0 ||
               le32(head_of(o, "Current User"), 12) == 0xF3D1C4DF;
    default:
        return false;
    }
}

static bool has_macros(const Ole *o)
{
    static const char *const names[] = {"VBA", "_VBA_PROJECT_CUR", "_VBA_PROJECT", "Macros"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (ole_find_any(o, names[i]) >= 0)
            return true;
    return false;
}

/* Objects that were put into the document, and files attached to a message. */
static bool has_embedded(const Ole *o)
{
    static const char *const names[] = {"\1Ole10Native", "Package", "CONTENTS", "EmbeddedOdf"};
    for (size_t i = 1; i < o->len; i++) {
        const OleEntry *e = &o->entries[i];
        if (e->kind == OLE_STORAGE &&
            (str_starts(e->name, STR("MBD")) || str_starts(e->name, STR("__attach_version1.0_"))))
            return true;
        if (e->parent > 0 && str_eq_c(o->entries[e->parent].name, "ObjectPool"))
            return true;
        for (size_t k = 0; k < COUNT_OF(names) && e->parent > 0; k++)
            if (str_eq_c(e->name, names[k]))
                return true;
    }
    return false;
}

/* PowerPoint keeps its objects and macros within its one stream: records of 8 bytes and data. */
static void look_at_slides(const Ole *o, Arena *a, TypeFlags *flags)
{
    enum { OLE_EMBED = 0x0FCC, OLE_STG = 0x1011, VBA_INFO = 0x0400, CONTAINER = 15 };
    Str s = ole_read(o, ole_find(o, 0, "PowerPoint Document"), a, 64 << 20);
    for (size_t at = 0; s.ptr != NULL && at + 8 <= s.len;) {
        unsigned kind = le16(s, at + 2), version = le16(s, at) & 15;
        flags->macros = flags->macros || (kind == VBA_INFO && le32(s, at + 12) != 0);
        flags->embedded = flags->embedded || kind == OLE_EMBED;
        at += 8 + (version == CONTAINER ? 0 : (size_t)le32(s, at + 4));
    }
}

TypeId detect_ole(Arena *a, Str s, TypeFlags *flags)
{
    Ole o;
    Err ignored = {0};
    ArenaMark mark = arena_mark(a);
    TypeId t = TYPE_OLE;
    if (ole_open(a, s, &o, &ignored) == OK) {
        t = by_streams(&o);
        TypeId said = by_class(&o);
        t = t == TYPE_UNKNOWN || said == TYPE_PUB ? said : t;
        t = t == TYPE_UNKNOWN ? TYPE_OLE : t;
        flags->encrypted = is_encrypted(&o, t);
        flags->macros = has_macros(&o);
        flags->embedded = has_embedded(&o);
        if (t == TYPE_PPT && !flags->encrypted)
            look_at_slides(&o, a, flags);
    }
    arena_rewind(a, mark);
    return t;
}
