#include "document/detect_in.h"

#include <string.h>

/* A compound file is a small file system: sectors, a table that chains them, a directory of names
 * in UTF-16. */
enum { CHAIN_MAX = 20000, NO_SECTOR = 0xFFFFFFFA, ENTRY_SIZE = 128 };

typedef struct Ole {
    Str s;
    size_t sector_size;
} Ole;

typedef struct OleFacts {
    bool word, book, slides, mail, package, publisher, visio, vba, slides_encrypted;
    uint32_t word_at, book_at;
} OleFacts;

static size_t sector_at(const Ole *o, uint32_t sector)
{
    return ((size_t)sector + 1) * o->sector_size;
}

/* The sector after `sector`: its place in the table is found through the first 109 table sectors in
 * the header. Files with more than that (over 6.8 MB) are found too, as their directory starts
 * early in nearly all of them. */
static uint32_t next_sector(const Ole *o, uint32_t sector)
{
    size_t per = o->sector_size / 4, table = sector / per;
    if (table >= 109)
        return NO_SECTOR;
    uint32_t table_sector = detect_u32(o->s, 76 + table * 4);
    size_t at = sector_at(o, table_sector) + (sector % per) * 4;
    return table_sector >= NO_SECTOR || at + 4 > o->s.len ? NO_SECTOR : detect_u32(o->s, at);
}

static bool named(Str entry, const char *name)
{
    size_t len = strlen(name);
    if (detect_u16(entry, 64) != (len + 1) * 2)
        return false;
    for (size_t i = 0; i < len; i++)
        if (detect_u16(entry, i * 2) != (unsigned char)name[i])
            return false;
    return true;
}

static void look_at(Str e, OleFacts *f)
{
    uint32_t start = detect_u32(e, 116);
    if (named(e, "WordDocument")) {
        f->word = true;
        f->word_at = start;
    } else if (named(e, "Workbook") || named(e, "Book")) {
        f->book = true;
        f->book_at = start;
    }
    f->slides |= named(e, "PowerPoint Document");
    f->mail |= named(e, "__properties_version1.0") || named(e, "__nameid_version1.0");
    f->package |= named(e, "EncryptedPackage");
    f->publisher |= named(e, "Quill");
    f->visio |= named(e, "VisioDocument");
    f->vba |= named(e, "VBA") || named(e, "_VBA_PROJECT_CUR") || named(e, "_VBA_PROJECT") ||
              named(e, "Macros");
    f->slides_encrypted |= named(e, "EncryptedSummary");
}

/* BIFF: records of type, length, data; FilePass (0x2F) stands among the first ones of an encrypted
 * book. */
static bool book_encrypted(const Ole *o, uint32_t start)
{
    size_t at = sector_at(o, start), end = at + o->sector_size;
    for (int i = 0; i < 40 && at + 4 <= end; i++) {
        uint32_t type = detect_u16(o->s, at);
        if (type == 0x2F)
            return true;
        at += 4 + detect_u16(o->s, at + 2);
    }
    return false;
}

TypeId detect_ole(Arena *a, Str s, TypeFlags *flags)
{
    (void)a;
    uint32_t shift = detect_u16(s, 30);
    Ole o = {s, shift == 12 ? 4096 : 512};
    OleFacts f = {0};
    uint32_t sector = detect_u32(s, 48);
    for (int n = 0; n < CHAIN_MAX && sector < NO_SECTOR && sector_at(&o, sector) < s.len; n++) {
        for (size_t i = 0; i < o.sector_size; i += ENTRY_SIZE)
            look_at(str_slice(s, sector_at(&o, sector) + i, sector_at(&o, sector) + i + ENTRY_SIZE),
                    &f);
        sector = next_sector(&o, sector);
    }
    flags->macros = f.vba;
    if (f.package) {
        flags->encrypted = true;
        return TYPE_OOXML_ENCRYPTED;
    }
    if (f.mail && !f.word && !f.book)
        return TYPE_MSG;
    if (f.slides) {
        flags->encrypted = f.slides_encrypted;
        return TYPE_PPT;
    }
    if (f.word) {
        flags->encrypted = (detect_u16(s, sector_at(&o, f.word_at) + 10) & 0x0100) != 0;
        return f.publisher ? TYPE_PUB : TYPE_DOC;
    }
    if (f.book) {
        flags->encrypted = book_encrypted(&o, f.book_at);
        return TYPE_XLS;
    }
    return f.publisher ? TYPE_PUB : f.visio ? TYPE_VSD : f.mail ? TYPE_MSG : TYPE_OLE;
}
