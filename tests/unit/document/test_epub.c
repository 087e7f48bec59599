#include "unit/document/office.h"

#define OPF(inside)                                                                                \
    "<package xmlns=\"http://www.idpf.org/2007/opf\" "                                             \
    "xmlns:dc=\"http://purl.org/dc/elements/1.1/\">" inside "</package>"
#define CONTAINER                                                                                  \
    "<container xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\"><rootfiles>"             \
    "<rootfile full-path=\"OEBPS/book.opf\"/></rootfiles></container>"
#define PAGE(inside)                                                                               \
    "<?xml version=\"1.0\"?><html "                                                                \
    "xmlns=\"http://www.w3.org/1999/xhtml\"><head><title/></head><body>" inside "</body></html>"

static Str book_of(Arena *a, const char *encryption)
{
    const TestPart parts[] = {
        {"mimetype", "application/epub+zip"},
        {"META-INF/container.xml", CONTAINER},
        {"META-INF/encryption.xml", encryption},
        {"OEBPS/book.opf",
         OPF("<metadata><dc:title>The "
             "Book</dc:title><dc:creator>Ann</dc:creator><dc:creator>Bob</dc:creator>"
             "<dc:language>en</dc:language></metadata><manifest>"
             "<item id=\"nav\" href=\"nav.xhtml\" media-type=\"application/xhtml+xml\" "
             "properties=\"nav\"/>"
             "<item id=\"b\" href=\"text/b%20c.xhtml\" media-type=\"application/xhtml+xml\"/>"
             "<item id=\"a\" href=\"a.xhtml\" media-type=\"application/xhtml+xml\"/>"
             "<item id=\"i\" href=\"i.svg\" media-type=\"image/svg+xml\"/></manifest>"
             "<spine><itemref idref=\"nav\"/><itemref idref=\"a\"/><itemref idref=\"i\"/><itemref "
             "idref=\"gone\"/>"
             "<itemref idref=\"b\"/></spine>")},
        {"OEBPS/nav.xhtml", PAGE("<p>contents</p>")},
        {"OEBPS/text/b c.xhtml", PAGE("<h2>Two</h2><p>more<span class=\"x\"/> text</p>")},
        {"OEBPS/a.xhtml", PAGE("<h1>One</h1><p>text</p>")},
        {0}};
    return test_zip(a, parts);
}

TEST(reads_the_spine)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Sink s;
    sink_open(&s, "book.epub");
    assert_ok(test_read(&s, read_epub, book_of(a, "<e/>"), DOC_MARKDOWN, false), &s.err);
    assert_str_equal(sink_text(&s), "# One\n\ntext\n\n## Two\n\nmore text\n");
    const Json *data = sink_data(&s);
    assert_int_equal(json_int(json_get(data, "pages"), 0), 5);
    assert_str_equal(json_text(json_get(json_get(data, "metadata"), "title")), "The Book");
    assert_str_equal(json_text(json_get(json_get(data, "metadata"), "author")), "Ann, Bob");
    sink_close(&s);
}

#define ENCRYPTION(algorithm)                                                                      \
    "<encryption xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\" "                       \
    "xmlns:enc=\"http://www.w3.org/2001/04/xmlenc#\"><enc:EncryptedData><enc:EncryptionMethod "    \
    "Algorithm=\"" algorithm "\"/>"                                                                \
    "<enc:CipherData><enc:CipherReference "                                                        \
    "URI=\"x\"/></enc:CipherData></enc:EncryptedData></encryption>"

TEST(protection_is_named_and_scrambled_fonts_are_fine)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_refused(read_epub, book_of(a, ENCRYPTION("http://www.w3.org/2001/04/xmlenc#aes128-cbc")),
                  ERR_INPUT_ENCRYPTED);
    check_markdown(read_epub, book_of(a, ENCRYPTION("http://www.idpf.org/2008/embedding")), false,
                   "# One\n\ntext\n\n## Two\n\nmore text\n");
}

TEST(damage_is_a_reason)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_refused(read_epub, test_zip(a, (TestPart[]){{"a", "b"}, {0}}), ERR_INPUT_DAMAGED);
    check_refused(read_epub, test_zip(a, (TestPart[]){{"x.opf", OPF("<metadata/>")}, {0}}),
                  ERR_INPUT_DAMAGED);
    check_refused(read_epub, test_zip(a, (TestPart[]){{"x.opf", OPF("<spine/>")}, {0}}),
                  ERR_NO_TEXT);
}

TEST(survives_every_failure)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    check_every_fault(read_epub, book_of(a, "<e/>"));
}

TEST_MAIN(reads_the_spine, protection_is_named_and_scrambled_fonts_are_fine, damage_is_a_reason,
          survives_every_failure)
