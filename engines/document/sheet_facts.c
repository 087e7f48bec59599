/* sheet_facts.c: what the PDF says about itself; for PDF/A also as XMP, with the profile that its
 * colours are meant in. */
#include "document/sheet_in.h"
#include "document/xml_write.h"

#include <string.h>

#define PRODUCER "platen"

static void add_fact(Buf *b, const char *key, Str value)
{
    if (value.len == 0)
        return;
    buf_addf(b, "/%s", key);
    sheet_add_text(b, value);
}

/* "2026-01-31T12:00:00Z" */
static bool is_time(Str t)
{
    static const char shape[] = "0000-00-00T00:00:00";
    if (t.len < sizeof shape - 1)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        bool digit = t.ptr[i] >= '0' && t.ptr[i] <= '9';
        if (shape[i] == '0' ? !digit : t.ptr[i] != shape[i])
            return false;
    }
    return true;
}

int sheet_put_info(Sheet *s, const SheetFacts *f)
{
    Buf *b = &s->scratch;
    int object = sheet_new_object(s);
    buf_add_c(b, "<<");
    add_fact(b, "Title", f->title);
    add_fact(b, "Author", f->author);
    add_fact(b, "Subject", f->subject);
    add_fact(b, "Keywords", f->keywords);
    add_fact(b, "Producer", STR(PRODUCER));
    if (is_time(f->created)) {
        const char *t = f->created.ptr;
        buf_addf(b, "/CreationDate(D:%.4s%.2s%.2s%.2s%.2s%.2sZ)", t, t + 5, t + 8, t + 11, t + 14,
                 t + 17);
    }
    buf_add_c(b, ">>");
    sheet_put_scratch(s, object);
    return object;
}

static void add_alt(Buf *b, const char *name, const char *kind, Str value)
{
    if (value.len == 0)
        return;
    buf_addf(b, "<%s><rdf:%s><rdf:li%s>", name, kind,
             strcmp(kind, "Alt") == 0 ? " xml:lang=\"x-default\"" : "");
    xml_add(b, value);
    buf_addf(b, "</rdf:li></rdf:%s></%s>\n", kind, name);
}

static void add_xmp(Buf *b, const SheetFacts *f, int part)
{
    buf_add_c(b, "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
                 "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
                 "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
                 "<rdf:Description rdf:about=\"\" "
                 "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
                 "xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" "
                 "xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" "
                 "xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\n");
    buf_addf(b,
             "<pdfaid:part>%d</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\n"
             "<pdf:Producer>" PRODUCER "</pdf:Producer>\n",
             part);
    if (f->keywords.len > 0) {
        buf_add_c(b, "<pdf:Keywords>");
        xml_add(b, f->keywords);
        buf_add_c(b, "</pdf:Keywords>\n");
    }
    if (is_time(f->created))
        buf_addf(b, "<xmp:CreateDate>%.19sZ</xmp:CreateDate>\n", f->created.ptr);
    add_alt(b, "dc:title", "Alt", f->title);
    add_alt(b, "dc:creator", "Seq", f->author);
    add_alt(b, "dc:description", "Alt", f->subject);
    buf_add_c(b, "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>\n");
}

void sheet_put_archive(Sheet *s, const SheetFacts *f, Buf *catalog)
{
    Buf *b = &s->scratch;
    int xmp = sheet_new_object(s), icc = sheet_new_object(s), intent = sheet_new_object(s);
    add_xmp(b, f, s->pdf_a);
    if (b->failed)
        sheet_fail(s, ERR_LIMIT_MEMORY, "the PDF's metadata is too long");
    sheet_put_stream(s, xmp, "/Type/Metadata/Subtype/XML", buf_str(b), false);
    buf_clear(b);
    if (s->icc.len == 0)
        sheet_fail(s, ERR_INTERNAL, "no colour profile for PDF/A");
    sheet_put_stream(s, icc, "/N 3", s->icc, true);
    buf_addf(b,
             "<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB)"
             "/RegistryName(http://www.color.org)/DestOutputProfile %d 0 R>>",
             icc);
    sheet_put_scratch(s, intent);
    buf_addf(catalog, "/Metadata %d 0 R/OutputIntents[%d 0 R]", xmp, intent);
}
