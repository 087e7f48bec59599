#include "document/detect.h"
#include "unit/document/sink.h"

static const FileType *detect(Arena *a, Str bytes)
{
    static FileType t;
    Err err = {0};
    assert_ok(detect_type(a, bytes, &t, &err), &err);
    return &t;
}

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

TEST(names_what_it_is)
{
    static const struct {
        Str bytes;
        const char *want;
    } cases[] = {
        {BYTES("%PDF-1.7\n"), "application/pdf"},
        {BYTES("junk before\n%PDF-1.4\n"), "application/pdf"},
        {BYTES("\x89PNG\r\n\x1A\n"), "image/png"},
        {BYTES("\xFF\xD8\xFF\xE0"), "image/jpeg"},
        {BYTES("GIF89a"), "image/gif"},
        {BYTES("RIFF\x10\0\0\0WEBPVP8 "), "image/webp"},
        {BYTES("RIFF\x10\0\0\0WAVEfmt "), "audio/wav"},
        {BYTES("II*\0\x08\0\0\0"), "image/tiff"},
        {BYTES("\0\0\0\x18"
               "ftypheic\0\0\0\0"),
         "image/heic"},
        {BYTES("\0\0\0\x18"
               "ftypavif\0\0\0\0"),
         "image/avif"},
        {BYTES("\0\0\0\x1C"
               "ftypmif1\0\0\0\0mif1avif"),
         "image/avif"},
        {BYTES("\0\0\0\x18"
               "ftypisom\0\0\0\0"),
         "video/mp4"},
        {BYTES("\0\0\0\x14"
               "ftypqt  \0\0\0\0"),
         "video/quicktime"},
        {BYTES("\0\0\0\x18"
               "ftypM4A \0\0\0\0"),
         "audio/mp4"},
        {BYTES("\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\x82\x84webm"), "video/webm"},
        {BYTES("ID3\x04\0\0"), "audio/mpeg"},
        {BYTES("\xFF\xFB\x90\x64\0\0\0\0"), "audio/mpeg"},
        {BYTES("fLaC\0\0\0\x22"), "audio/flac"},
        {BYTES("OggS\0\x02"), "audio/ogg"},
        {BYTES("7z\xBC\xAF\x27\x1C"), "application/x-7z-compressed"},
        {BYTES("\x1F\x8B\x08\0"), "application/gzip"},
        {BYTES("BZh91AY"), "application/x-bzip2"},
        {BYTES("\xFD"
               "7zXZ\0"),
         "application/x-xz"},
        {BYTES("Rar!\x1A\x07\x01\0"), "application/vnd.rar"},
        {BYTES("\x7F"
               "ELF\x02\x01\x01"),
         "application/x-elf"},
        {BYTES("\xCA\xFE\xBA\xBE\0\0\0\x34\0\x20"), "application/java-vm"},
        {BYTES("\xCA\xFE\xBA\xBE\0\0\0\x02\0\x20"), "application/x-mach-binary"},
        {BYTES("SQLite format 3\0"), "application/vnd.sqlite3"},
        {BYTES("wOF2\0\x01"), "font/woff2"},
        {BYTES("\0asm\x01\0\0\0"), "application/wasm"},
        {BYTES("{\\rtf1\\ansi x}"), "application/rtf"},
        {BYTES("<!DOCTYPE html><html></html>"), "text/html"},
        {BYTES("<!-- note -->\n<html><body>x"), "text/html"},
        {BYTES("<?xml version=\"1.0\"?><a><b/></a>"), "application/xml"},
        {BYTES("<?xml version=\"1.0\"?>\n<svg xmlns=\"x\"/>"), "image/svg+xml"},
        {BYTES("<?xml version=\"1.0\"?><office:document "
               "office:mimetype=\"application/vnd.oasis.opendocument.spreadsheet\">"),
         "application/vnd.oasis.opendocument.spreadsheet-flat-xml"},
        {BYTES("{\"a\": [1, 2]}"), "application/json"},
        {BYTES("[1, 2, 3]"), "application/json"},
        {BYTES("{\"a\":1}\n{\"a\":2}\n"), "application/x-ndjson"},
        {BYTES("a,b,c\n1,2,3\n4,5,6\n"), "text/csv"},
        {BYTES("a;b\n1;2\n3;4\n5;6\n7;8\n"), "text/csv"},
        {BYTES("a\tb\n1\t2\n3\t4\n"), "text/tab-separated-values"},
        {BYTES("# Title\n\n- a\n- b\n\n**bold**\n"), "text/markdown"},
        {BYTES("From: a@b.c\r\nTo: d@e.f\r\nSubject: x\r\n\r\nhello"), "message/rfc822"},
        {BYTES("1\n00:00:01,000 --> 00:00:02,000\nHi\n"), "application/x-subrip"},
        {BYTES("\xFFWPC\x10\0"), "application/vnd.wordperfect"},
        {BYTES("\0\x01\0\0Standard Jet DB\0"), "application/vnd.ms-access"},
        {BYTES("\x89HDF\r\n\x1A\n"), "application/x-hdf5"},
        {BYTES("P6\n# x\n2 2\n255\n"), "image/x-portable-anymap"},
        {BYTES("II*\0\x10\0\0\0CR\x02\0"), "image/x-canon-cr2"},
        {BYTES("%!PS-AdobeFont-1.0: x"), "application/x-font-type1"},
        {BYTES("AC1032\0\0"), "image/vnd.dwg"},
        {BYTES("ISO-10303-21;\nHEADER;"), "model/step"},
        {BYTES("solid a\nfacet normal 0 0 1\n"), "model/stl"},
        {BYTES("wOFF\0\x01"), "font/woff"},
        {BYTES("-----BEGIN OPENSSH PRIVATE KEY-----"), "application/x-ssh-key"},
        {BYTES("<?xml version=\"1.0\"?><rss version=\"2.0\"/>"), "application/rss+xml"},
        {BYTES("<?xml version=\"1.0\"?><k:kml xmlns:k=\"x\"/>"),
         "application/vnd.google-earth.kml+xml"},
        {BYTES("<?xml version=\"1.0\"?><Workbook "
               "xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"/>"),
         "application/vnd.ms-excelml"},
        {BYTES("{\"type\": \"FeatureCollection\", \"features\": []}"), "application/geo+json"},
        {BYTES("{\"cells\": [], \"nbformat\": 4}"), "application/x-ipynb+json"},
        {BYTES("#!/usr/bin/env python3\nprint(1)\n"), "text/x-python"},
        {BYTES("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n"), "text/x-diff"},
        {BYTES("@article{a, title={b},\n}, "), "application/x-bibtex"},
        {BYTES("[Script Info]\nTitle: x\n"), "text/x-ssa"},
        {BYTES("WEBVTT\n\n00:01.000 --> 00:02.000\n"), "text/vtt"},
        {BYTES("BEGIN:VCALENDAR\r\n"), "text/calendar"},
        {BYTES("#!/bin/sh\necho hi\n"), "text/x-shellscript"},
        {BYTES("\xFF\xFEh\0i\0 \0t\0h\0e\0r\0e\0"), "text/plain"},
        {BYTES("Just a sentence, with a comma.\nAnd another one, with a comma.\n"), "text/plain"},
        {BYTES("\x01\x02\x03\x04\x05\x06\xFE\xFD\x80\x81"), "application/octet-stream"},
        {BYTES("PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "application/zip"},
    };
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const FileType *t = detect(a, cases[i].bytes);
        if (strcmp(t->media_type, cases[i].want) != 0)
            fail_msg("case %zu: got %s, want %s", i, t->media_type, cases[i].want);
    }
}

/* A ZIP of stored entries, made here: local headers, directory, end. */
static Str make_zip(Arena *a, const char *const *names, const char *const *bodies, uint16_t flags)
{
    Buf b = buf_init(a, 1 * MIB), dir = buf_init(a, 1 * MIB);
    size_t count = 0;
    for (; names[count] != NULL; count++) {
        uint32_t at = (uint32_t)b.len, size = (uint32_t)strlen(bodies[count]);
        uint16_t name_len = (uint16_t)strlen(names[count]);
        unsigned char local[30] = {'P', 'K', 3, 4, 20}, entry[46] = {'P', 'K', 1, 2, 20, 0, 20};
        memcpy(local + 6, &flags, 2);
        memcpy(local + 18, &size, 4);
        memcpy(local + 22, &size, 4);
        memcpy(local + 26, &name_len, 2);
        memcpy(entry + 8, &flags, 2);
        memcpy(entry + 20, &size, 4);
        memcpy(entry + 24, &size, 4);
        memcpy(entry + 28, &name_len, 2);
        memcpy(entry + 42, &at, 4);
        buf_add(&b, (Str){(char *)local, sizeof local});
        buf_add_c(&b, names[count]);
        buf_add_c(&b, bodies[count]);
        buf_add(&dir, (Str){(char *)entry, sizeof entry});
        buf_add_c(&dir, names[count]);
    }
    unsigned char end[22] = {'P', 'K', 5, 6};
    uint32_t at = (uint32_t)b.len, size = (uint32_t)dir.len;
    memcpy(end + 12, &size, 4);
    memcpy(end + 16, &at, 4);
    buf_add(&b, buf_str(&dir));
    buf_add(&b, (Str){(char *)end, sizeof end});
    return buf_str(&b);
}

TEST(says_what_a_pdf_carries)
{
    static const struct {
        Str bytes;
        bool encrypted, javascript, embedded;
    } cases[] = {
        {BYTES("%PDF-1.4\n1 0 obj<</S/JavaScript/JS(x)>>endobj"), false, true, false},
        {BYTES("%PDF-1.4\n1 0 obj<</S/J#61vaScript>>endobj"), false, true, false},
        {BYTES("%PDF-1.4\n1 0 obj<</Type/EmbeddedFile>>stream\nx\nendstream"), false, false, true},
        {BYTES("%PDF-1.4\ntrailer<</Encrypt 5 0 R>>"), true, false, false},
        {BYTES("%PDF-1.4\n1 0 obj<<>>stream\n/JS /Encrypt\nendstream endobj"), false, false, false},
    };
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const FileType *t = detect(a, cases[i].bytes);
        assert_int_equal(t->encrypted, cases[i].encrypted);
        assert_int_equal(t->javascript, cases[i].javascript);
        assert_int_equal(t->embedded, cases[i].embedded);
    }
}

TEST(looks_into_zip)
{
    static const struct {
        const char *names[4], *bodies[4];
        uint16_t flags;
        const char *want;
        bool encrypted, macros;
    } cases[] = {
        {{"[Content_Types].xml", "word/document.xml"},
         {"", ""},
         0,
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
         false,
         false},
        {{"[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"},
         {"", "", ""},
         0,
         "application/vnd.ms-excel.sheet.macroEnabled.12",
         false,
         true},
        {{"[Content_Types].xml", "xl/workbook.bin"},
         {"", ""},
         0,
         "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
         false,
         false},
        {{"ppt/presentation.xml"},
         {""},
         0,
         "application/vnd.openxmlformats-officedocument.presentationml.presentation",
         false,
         false},
        {{"mimetype"}, {"application/epub+zip"}, 0, "application/epub+zip", false, false},
        {{"mimetype", "content.xml"},
         {"application/vnd.oasis.opendocument.text", ""},
         0,
         "application/vnd.oasis.opendocument.text",
         false,
         false},
        {{"mimetype", "META-INF/manifest.xml"},
         {"application/vnd.oasis.opendocument.spreadsheet", "<manifest:encryption-data/>"},
         0,
         "application/vnd.oasis.opendocument.spreadsheet",
         true,
         false},
        {{"META-INF/MANIFEST.MF"}, {""}, 0, "application/java-archive", false, false},
        {{"[Content_Types].xml", "word/document.xml"},
         {"ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.template."
          "main+xml\"",
          ""},
         0,
         "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
         false,
         false},
        {{"[Content_Types].xml", "ppt/presentation.xml"},
         {"application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml", ""},
         0,
         "application/vnd.ms-powerpoint.slideshow.macroEnabled.12",
         false,
         false},
        {{"mimetype", "content.xml"},
         {"application/vnd.oasis.opendocument.spreadsheet-template", ""},
         0,
         "application/vnd.oasis.opendocument.spreadsheet-template",
         false,
         false},
        {{"doc.kml"}, {""}, 0, "application/vnd.google-earth.kmz", false, false},
        {{"AndroidManifest.xml", "META-INF/MANIFEST.MF"},
         {"", ""},
         0,
         "application/vnd.android.package-archive",
         false,
         false},
        {{"a.txt"}, {"secret"}, 1, "application/zip", true, false},
    };
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str zip = make_zip(a, cases[i].names, cases[i].bodies, cases[i].flags);
        const FileType *t = detect(a, zip);
        assert_string_equal(t->media_type, cases[i].want);
        assert_int_equal(t->encrypted, cases[i].encrypted);
        assert_int_equal(t->macros, cases[i].macros);
        if (i > 1) /* without the directory, too */
            assert_string_equal(detect(a, str_slice(zip, 0, zip.len - 30))->family, t->family);
    }
}

TEST(names_agree_or_not)
{
    static const struct {
        Str bytes;
        const char *name;
        bool fits;
        const char *type;
    } cases[] = {
        {BYTES("%PDF-1.7"), "a.pdf", true, "application/pdf"},
        {BYTES("%PDF-1.7"), "a.docx", false, "application/pdf"},
        {BYTES("%PDF-1.7"), "a", true, "application/pdf"},
        {BYTES("\xFF\xD8\xFF\xE0"), "a.JPEG", true, "image/jpeg"},
        {BYTES("hello there"), "a.c", true, "text/plain"},
        {BYTES("hello there"), "a.png", false, "text/plain"},
        {BYTES("one\ntwo\nthree\n"), "list.csv", true, "text/csv"},
        {BYTES("just words"), "README.md", true, "text/markdown"},
        {BYTES("a,b,c\n1,2,3\n4,5,6\n"), "table.txt", true, "text/plain"},
        {BYTES("a\tb\n1\t2\n3\t4\n"), "table.csv", true, "text/tab-separated-values"},
        {BYTES("a,b,c\n1,2,3\n4,5,6\n"), "table.csv", true, "text/csv"},
    };
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        FileType t = *detect(a, cases[i].bytes);
        detect_refine(&t, str_from_c(cases[i].name));
        if (strcmp(t.media_type, cases[i].type) != 0 ||
            detect_name_fits(&t, str_from_c(cases[i].name)) != cases[i].fits)
            fail_msg("%s: %s", cases[i].name, t.media_type);
    }
    FileType pdf = *detect(a, (Str)BYTES("%PDF-1.7"));
    assert_str_equal(detect_better_name(a, &pdf, STR("my.report.doc")), "my.report.pdf");
}

/* Every beginning of every kind of file is read without stepping over its end (the sanitizer build
 * looks). */
TEST(survives_cut_files)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    const char *names[] = {"mimetype", "META-INF/manifest.xml", NULL},
               *bodies[] = {"application/epub+zip", "x", NULL};
    Str zip = make_zip(a, names, bodies, 0);
    unsigned char ole[1600] = {0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};
    memset(ole + 8, 0x01, sizeof ole - 8);
    ole[30] = 9;
    Str whole[] = {zip, {(char *)ole, sizeof ole}};
    for (size_t w = 0; w < COUNT_OF(whole); w++)
        for (size_t n = 0; n <= whole[w].len; n++) {
            ArenaMark m = arena_mark(a);
            char *exact = malloc(n > 0 ? n : 1); /* so that the end is guarded */
            memcpy(exact, whole[w].ptr, n);
            detect(a, (Str){exact, n});
            free(exact);
            arena_rewind(a, m);
        }
}

TEST_MAIN(names_what_it_is, says_what_a_pdf_carries, looks_into_zip, names_agree_or_not,
          survives_cut_files)
