/* stamp.cc: draw a text, a picture or a page of another document on pages.
 *
 * What is drawn is one form XObject for all pages: [0 0 w h], with the opacity around it as a
 * whole, so that letters that touch do not show through each other. Each page gets a few operators
 * that place it, upright as the page is seen, whatever its rotation. */
#include "pdf/qpdf_in.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include <qpdf/QPDFPageDocumentHelper.hh>
#include <qpdf/QUtil.hh>

namespace
{

const int DIGITS = 4, TILE_GAP = 40, TILES_MAX = 400;

std::string num(double v)
{
    return QUtil::double_to_string(v, DIGITS);
}

QPDFObjectHandle real(double v)
{
    return QPDFObjectHandle::newReal(v, DIGITS);
}

QPDFObjectHandle name(const char *n)
{
    return QPDFObjectHandle::newName(n);
}

struct Box {
    double x, y, w, h;
};

/* A form XObject of size w x h that runs `content` with `resources`. */
QPDFObjectHandle make_form(QPDF &qpdf, double w, double h, const std::string &content,
                           QPDFObjectHandle resources)
{
    QPDFObjectHandle form = qpdf.newStream(content), d = form.getDict();
    d.replaceKey("/Type", name("/XObject"));
    d.replaceKey("/Subtype", name("/Form"));
    d.replaceKey("/BBox", QPDFObjectHandle::newFromRectangle({0, 0, w, h}));
    d.replaceKey("/Resources", resources);
    QPDFObjectHandle group = QPDFObjectHandle::newDictionary();
    group.replaceKey("/S", name("/Transparency"));
    d.replaceKey("/Group", group);
    return form;
}

QPDFObjectHandle with_resource(const char *kind, const char *key, QPDFObjectHandle value)
{
    QPDFObjectHandle resources = QPDFObjectHandle::newDictionary(),
                     inner = QPDFObjectHandle::newDictionary();
    inner.replaceKey(key, value);
    resources.replaceKey(kind, inner);
    return resources;
}

/* `inner`, drawn as one thing with an opacity. */
QPDFObjectHandle with_opacity(QPDF &qpdf, QPDFObjectHandle inner, double w, double h,
                              double opacity)
{
    if (opacity >= 1)
        return inner;
    QPDFObjectHandle state = QPDFObjectHandle::newDictionary(),
                     resources = with_resource("/XObject", "/Fx", inner),
                     states = QPDFObjectHandle::newDictionary();
    state.replaceKey("/Type", name("/ExtGState"));
    state.replaceKey("/ca", real(opacity));
    state.replaceKey("/CA", real(opacity));
    states.replaceKey("/Gs", state);
    resources.replaceKey("/ExtGState", states);
    return make_form(qpdf, w, h, "/Gs gs /Fx Do", resources);
}

/* The page as it is seen: its size, and the matrix from there to its own coordinates. */
struct View {
    double w, h;
    double m[6];
};

View view_of(QPDFPageObjectHelper &page)
{
    QPDFObjectHandle box = page.getCropBox(), turn = page.getAttribute("/Rotate", false);
    QPDFObjectHandle::Rectangle r{0, 0, 612, 792};
    if (box.isRectangle())
        r = box.getArrayAsRectangle();
    double x0 = std::min(r.llx, r.urx), x1 = std::max(r.llx, r.urx), y0 = std::min(r.lly, r.ury),
           y1 = std::max(r.lly, r.ury), w = x1 - x0, h = y1 - y0;
    long long angle = turn.isInteger() ? ((turn.getIntValue() % 360) + 360) % 360 : 0;
    switch (angle) {
    case 90:
        return {h, w, {0, 1, -1, 0, x1, y0}};
    case 180:
        return {w, h, {-1, 0, 0, -1, x1, y1}};
    case 270:
        return {h, w, {0, -1, 1, 0, x0, y1}};
    default:
        return {w, h, {1, 0, 0, 1, x0, y0}};
    }
}

/* Where the middle of what is drawn comes to stand. */
void middle_of(const View &v, const Stamp &how, double bw, double bh, double *x, double *y)
{
    double left = how.margin + bw / 2, right = v.w - how.margin - bw / 2,
           bottom = how.margin + bh / 2, top = v.h - how.margin - bh / 2;
    StampPlace p = how.place;
    *x = p == STAMP_TOP_LEFT || p == STAMP_LEFT || p == STAMP_BOTTOM_LEFT      ? left
         : p == STAMP_TOP_RIGHT || p == STAMP_RIGHT || p == STAMP_BOTTOM_RIGHT ? right
                                                                               : v.w / 2;
    *y = p == STAMP_TOP_LEFT || p == STAMP_TOP || p == STAMP_TOP_RIGHT            ? top
         : p == STAMP_BOTTOM_LEFT || p == STAMP_BOTTOM || p == STAMP_BOTTOM_RIGHT ? bottom
                                                                                  : v.h / 2;
}

std::string place_at(double a, double w, double h, double scale, double x, double y,
                     const std::string &key)
{
    double c = std::cos(a) * scale, s = std::sin(a) * scale;
    return "q " + num(c) + " " + num(s) + " " + num(-s) + " " + num(c) + " " +
           num(x - c * w / 2 + s * h / 2) + " " + num(y - s * w / 2 - c * h / 2) + " cm " + key +
           " Do Q\n";
}

/* The operators that draw it on one page. */
std::string draw_on(const View &v, const Stamp &how, double w, double h, const std::string &key)
{
    double a = how.place == STAMP_DIAGONAL ? std::atan2(v.h, v.w) : how.angle * M_PI / 180,
           c = std::fabs(std::cos(a)), s = std::fabs(std::sin(a)), bw = w * c + h * s,
           bh = w * s + h * c, scale = 1;
    if (how.scale > 0)
        scale = std::min(v.w * how.scale / bw, v.h * how.scale / bh);
    bw *= scale;
    bh *= scale;
    std::string out = "q ";
    for (double m : v.m)
        out += num(m) + " ";
    out += "cm\n";
    if (how.place != STAMP_TILE) {
        double x, y;
        middle_of(v, how, bw, bh, &x, &y);
        return out + place_at(a, w, h, scale, x, y, key) + "Q\n";
    }
    int left = TILES_MAX;
    double gap = std::max<double>(TILE_GAP, how.margin);
    for (double y = bh / 2; y - bh / 2 < v.h && left > 0; y += bh + gap)
        for (double x = bw / 2; x - bw / 2 < v.w && left > 0; x += bw + gap, left--)
            out += place_at(a, w, h, scale, x, y, key);
    return out + "Q\n";
}

void put_on(QPDF &qpdf, QPDFPageObjectHelper page, const Stamp &how, QPDFObjectHandle form,
            double w, double h)
{
    QPDFObjectHandle resources = page.getAttribute("/Resources", true);
    if (!resources.isDictionary()) {
        resources = QPDFObjectHandle::newDictionary();
        page.getObjectHandle().replaceKey("/Resources", resources);
    }
    QPDFObjectHandle objects = resources.getKey("/XObject");
    objects = objects.isDictionary() ? objects.shallowCopy() : QPDFObjectHandle::newDictionary();
    resources.replaceKey("/XObject", objects);
    int next = 1;
    std::string key = resources.getUniqueResourceName("/Stamp", next);
    objects.replaceKey(key, form);
    std::string draw = draw_on(view_of(page), how, w, h, key);
    /* What the page leaves behind in its graphics state must not move what comes after. */
    if (how.under) {
        page.addPageContents(qpdf.newStream(draw), true);
    } else {
        page.addPageContents(qpdf.newStream("q\n"), true);
        page.addPageContents(qpdf.newStream("\nQ\n" + draw), false);
    }
}

void stamp_all(Pdf *pdf, const PageList *pages, const Stamp &how, QPDFObjectHandle form, double w,
               double h)
{
    std::set<int64_t> done; /* "1,1" stamps once */
    form = with_opacity(pdf->qpdf, form, w, h, how.opacity);
    for (size_t i = 0; i < pages->len; i++)
        if (done.insert(pages->pages[i]).second)
            put_on(pdf->qpdf, pdf->pages.at(static_cast<size_t>(pages->pages[i] - 1)), how, form, w,
                   h);
}

std::string hex4(unsigned v)
{
    char text[8];
    snprintf(text, sizeof text, "%04X", v);
    return text;
}

std::string hex_utf16(Str utf8)
{
    std::string out;
    for (size_t at = 0; at < utf8.len;) {
        uint32_t cp = str_next_utf8(utf8, &at);
        if (cp >= 0x10000) {
            out += hex4(0xD800 + ((cp - 0x10000) >> 10));
            cp = 0xDC00 + ((cp - 0x10000) & 0x3ff);
        }
        out += hex4(cp);
    }
    return out;
}

/* So that the stamp can be searched and copied. */
std::string to_unicode(const FontRun &run)
{
    std::set<unsigned> seen;
    std::string lines;
    size_t count = 0;
    for (size_t i = 0; i < run.len && count < 100; i++) {
        const FontGlyph &g = run.glyphs[i];
        if (!seen.insert(g.id).second)
            continue;
        lines += "<" + hex4(g.id) + "> <" +
                 hex_utf16(str_slice(run.text, g.text_at, g.text_at + g.text_len)) + ">\n";
        count++;
    }
    return "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
           "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
           "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
           "1 begincodespacerange <0000> <FFFF> endcodespacerange\n" +
           std::to_string(count) + " beginbfchar\n" + lines +
           "endbfchar endcmap CMapName currentdict /CMap defineresource pop end end\n";
}

QPDFObjectHandle make_descriptor(QPDF &qpdf, const FontRun &run, const std::string &base)
{
    QPDFObjectHandle file = qpdf.newStream(to_std(run.file)),
                     d = qpdf.makeIndirectObject(QPDFObjectHandle::newDictionary());
    if (run.cff)
        file.getDict().replaceKey("/Subtype", name("/OpenType"));
    else
        file.getDict().replaceKey(
            "/Length1", QPDFObjectHandle::newInteger(static_cast<long long>(run.file.len)));
    d.replaceKey("/Type", name("/FontDescriptor"));
    d.replaceKey("/FontName", QPDFObjectHandle::newName(base));
    d.replaceKey("/Flags", QPDFObjectHandle::newInteger(4));
    d.replaceKey("/FontBBox",
                 QPDFObjectHandle::newFromRectangle({-1000, run.descent, 2000, run.ascent}));
    d.replaceKey("/ItalicAngle", QPDFObjectHandle::newInteger(0));
    d.replaceKey("/Ascent", real(run.ascent));
    d.replaceKey("/Descent", real(run.descent));
    d.replaceKey("/CapHeight", real(run.cap_height));
    d.replaceKey("/StemV", QPDFObjectHandle::newInteger(80));
    d.replaceKey(run.cff ? "/FontFile3" : "/FontFile2", file);
    return d;
}

QPDFObjectHandle make_font(QPDF &qpdf, const FontRun &run)
{
    std::string base = "/PLATEN+" + to_std(run.name);
    QPDFObjectHandle cid = QPDFObjectHandle::newDictionary(),
                     font = QPDFObjectHandle::newDictionary(),
                     widths = QPDFObjectHandle::newArray();
    for (size_t i = 0; i < run.len; i++) {
        QPDFObjectHandle one = QPDFObjectHandle::newArray();
        one.appendItem(real(run.glyphs[i].advance));
        widths.appendItem(QPDFObjectHandle::newInteger(run.glyphs[i].id));
        widths.appendItem(one);
    }
    cid.replaceKey("/Type", name("/Font"));
    cid.replaceKey("/Subtype", name(run.cff ? "/CIDFontType0" : "/CIDFontType2"));
    cid.replaceKey("/BaseFont", QPDFObjectHandle::newName(base));
    cid.replaceKey(
        "/CIDSystemInfo",
        QPDFObjectHandle::parse("<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"));
    cid.replaceKey("/FontDescriptor", make_descriptor(qpdf, run, base));
    cid.replaceKey("/DW", QPDFObjectHandle::newInteger(1000));
    cid.replaceKey("/W", widths);
    if (!run.cff)
        cid.replaceKey("/CIDToGIDMap", name("/Identity"));
    QPDFObjectHandle list = QPDFObjectHandle::newArray();
    list.appendItem(qpdf.makeIndirectObject(cid));
    font.replaceKey("/Type", name("/Font"));
    font.replaceKey("/Subtype", name("/Type0"));
    font.replaceKey("/BaseFont", QPDFObjectHandle::newName(base));
    font.replaceKey("/Encoding", name("/Identity-H"));
    font.replaceKey("/DescendantFonts", list);
    font.replaceKey("/ToUnicode", qpdf.newStream(to_unicode(run)));
    return qpdf.makeIndirectObject(font);
}

/* Every glyph at its own place: marks of Arabic or Thai stand above what they belong to. */
std::string text_content(const StampText *t, double base)
{
    const FontRun &run = *t->run;
    std::string out = "BT /F1 " + num(t->size) + " Tf " + num(t->colour[0]) + " " +
                      num(t->colour[1]) + " " + num(t->colour[2]) + " rg\n";
    for (size_t i = 0; i < run.len; i++) {
        const FontGlyph &g = run.glyphs[i];
        out += "1 0 0 1 " + num(g.x * t->size / 1000) + " " + num(base + g.y * t->size / 1000) +
               " Tm <" + hex4(g.id) + "> Tj\n";
    }
    return out + "ET";
}

QPDFObjectHandle make_image(QPDF &qpdf, const std::string &data, const char *filter, int64_t w,
                            int64_t h, int channels)
{
    QPDFObjectHandle image = qpdf.newStream(), d = image.getDict();
    image.replaceStreamData(data, filter != nullptr ? name(filter) : QPDFObjectHandle::newNull(),
                            QPDFObjectHandle::newNull());
    d.replaceKey("/Type", name("/XObject"));
    d.replaceKey("/Subtype", name("/Image"));
    d.replaceKey("/Width", QPDFObjectHandle::newInteger(w));
    d.replaceKey("/Height", QPDFObjectHandle::newInteger(h));
    d.replaceKey("/BitsPerComponent", QPDFObjectHandle::newInteger(8));
    d.replaceKey("/ColorSpace", name(channels == 1   ? "/DeviceGray"
                                     : channels == 3 ? "/DeviceRGB"
                                                     : "/DeviceCMYK"));
    return image;
}

std::string pixels_of(const Picture &p)
{
    return std::string(reinterpret_cast<const char *>(p.pixels),
                       static_cast<size_t>(p.width * p.height * p.channels));
}

ErrCode image_of(StepCtx *c, QPDF &qpdf, Str bytes, QPDFObjectHandle *image, int64_t *w, int64_t *h)
{
    int components = 0;
    bool inverted = false;
    if (picture_jpeg_size(bytes, w, h, &components, &inverted)) {
        *image = make_image(qpdf, to_std(bytes), "/DCTDecode", *w, *h, components);
        if (components == 4 && inverted)
            image->getDict().replaceKey("/Decode", QPDFObjectHandle::parse("[1 0 1 0 1 0 1 0]"));
        return OK;
    }
    Picture p = {}, alpha = {};
    ErrCode rc = picture_from_png(c->arena, bytes, &p, &alpha, c->err);
    if (rc != OK)
        return rc;
    *w = p.width;
    *h = p.height;
    *image = make_image(qpdf, pixels_of(p), nullptr, p.width, p.height, p.channels);
    if (alpha.pixels != nullptr)
        image->getDict().replaceKey(
            "/SMask", make_image(qpdf, pixels_of(alpha), nullptr, alpha.width, alpha.height, 1));
    return OK;
}

} // namespace

ErrCode pdf_stamp_text(Pdf *pdf, const PageList *pages, const Stamp *how, const StampText *text,
                       Err *err)
{
    return pdf_guard(err, "drawing the text", [&] {
        const FontRun &run = *text->run;
        double base = -run.descent * text->size / 1000,
               w = std::max(run.width * text->size / 1000, 1.0),
               h = std::max((run.ascent - run.descent) * text->size / 1000, 1.0);
        QPDFObjectHandle form = make_form(pdf->qpdf, w, h, text_content(text, base),
                                          with_resource("/Font", "/F1", make_font(pdf->qpdf, run)));
        stamp_all(pdf, pages, *how, form, w, h);
        return OK;
    });
}

ErrCode pdf_stamp_picture(StepCtx *c, Pdf *pdf, const PageList *pages, const Stamp *how, Str bytes)
{
    return pdf_guard(c->err, "drawing the picture", [&] {
        QPDFObjectHandle image;
        int64_t w = 0, h = 0;
        ErrCode rc = image_of(c, pdf->qpdf, bytes, &image, &w, &h);
        if (rc != OK)
            return rc;
        double x = static_cast<double>(w), y = static_cast<double>(h);
        QPDFObjectHandle form =
            make_form(pdf->qpdf, x, y, num(x) + " 0 0 " + num(y) + " 0 0 cm /Im Do",
                      with_resource("/XObject", "/Im", image));
        stamp_all(pdf, pages, *how, form, x, y);
        return OK;
    });
}

ErrCode pdf_stamp_page(Pdf *pdf, const PageList *pages, const Stamp *how, Pdf *other,
                       int64_t page_no, Err *err)
{
    return pdf_guard(err, "drawing the page", [&] {
        QPDFPageObjectHelper page = other->pages.at(static_cast<size_t>(page_no - 1));
        QPDFObjectHandle inner = pdf->qpdf.copyForeignObject(page.getFormXObjectForPage());
        QPDFObjectHandle::Rectangle box = inner.getDict().getKey("/BBox").getArrayAsRectangle();
        QPDFMatrix m;
        if (inner.getDict().getKey("/Matrix").isMatrix())
            m = QPDFMatrix(inner.getDict().getKey("/Matrix").getArrayAsMatrix());
        box = m.transformRectangle(box);
        double w = std::max(box.urx - box.llx, 1.0), h = std::max(box.ury - box.lly, 1.0);
        QPDFObjectHandle form = make_form(
            pdf->qpdf, w, h, "1 0 0 1 " + num(-box.llx) + " " + num(-box.lly) + " cm /Pg Do",
            with_resource("/XObject", "/Pg", inner));
        stamp_all(pdf, pages, *how, form, w, h);
        return OK;
    });
}
