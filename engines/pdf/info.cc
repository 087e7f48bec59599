/* info.cc: what a PDF says about itself: information dictionary, XMP, and facts for people. */
#include "pdf/qpdf_in.h"

#include <cmath>
#include <map>
#include <set>

#include <qpdf/QPDFEmbeddedFileDocumentHelper.hh>

namespace
{

const int LISTED_MAX = 200, NAME_MAX_BYTES = 200;

struct Entry {
    const char *key;
    Str PdfInfo::*field;
    bool date;
};
const Entry entries[] = {
    {"/Title", &PdfInfo::title, false},         {"/Author", &PdfInfo::author, false},
    {"/Subject", &PdfInfo::subject, false},     {"/Keywords", &PdfInfo::keywords, false},
    {"/Creator", &PdfInfo::creator, false},     {"/Producer", &PdfInfo::producer, false},
    {"/CreationDate", &PdfInfo::created, true}, {"/ModDate", &PdfInfo::modified, true},
};

const Entry *entry_of(const std::string &key)
{
    for (const Entry &e : entries)
        if (key == e.key)
            return &e;
    return nullptr;
}

void read_entry(Arena *a, const std::string &key, const std::string &value, PdfInfo *out,
                PdfCustom **&tail)
{
    const Entry *e = entry_of(key);
    if (e != nullptr) {
        Str text = from_std(value), iso = e->date ? pdf_date_to_iso(a, text) : Str{nullptr, 0};
        out->*(e->field) = iso.len > 0 ? iso : str_copy(a, text);
        return;
    }
    PdfCustom *custom = arena_new(a, PdfCustom, 1);
    if (custom == nullptr)
        throw std::bad_alloc();
    custom->key = str_copy(a, from_std(key.substr(1)));
    custom->value = str_copy(a, from_std(value));
    *tail = custom;
    tail = &custom->next;
}

void set_entry(QPDFObjectHandle info, const std::string &key, Str value)
{
    if (value.len == 0)
        info.removeKey(key);
    else
        info.replaceKey(key, QPDFObjectHandle::newUnicodeString(to_std(value)));
}

void write_xmp(Arena *a, Pdf *pdf, const PdfInfo *info)
{
    QPDFObjectHandle root = pdf->qpdf.getRoot(), old = root.getKey("/Metadata");
    std::string before;
    if (old.isStream()) {
        std::shared_ptr<Buffer> data = old.getStreamData(qpdf_dl_generalized);
        before.assign(reinterpret_cast<const char *>(data->getBuffer()), data->getSize());
    }
    Str packet;
    Err err = {};
    if (xmp_write(a, from_std(before), info, &packet, &err) != OK)
        throw Refused{err};
    QPDFObjectHandle stream = pdf->qpdf.newStream(to_std(packet));
    stream.getDict().replaceKey("/Type", QPDFObjectHandle::newName("/Metadata"));
    stream.getDict().replaceKey("/Subtype", QPDFObjectHandle::newName("/XML"));
    root.replaceKey("/Metadata", stream);
}

/* "595 x 842" and how many pages have it: nearly all documents have one or two sizes. */
void put_sizes(Pdf *pdf, JsonOut *j)
{
    std::map<std::pair<long, long>, int64_t> sizes;
    for (QPDFPageObjectHelper &page : pdf->pages) {
        QPDFObjectHandle box = page.getCropBox(), rotate = page.getAttribute("/Rotate", false);
        if (!box.isRectangle())
            continue;
        QPDFObjectHandle::Rectangle r = box.getArrayAsRectangle();
        long w = std::lround(r.urx - r.llx), h = std::lround(r.ury - r.lly);
        if (rotate.isInteger() && rotate.getIntValue() % 180 != 0)
            std::swap(w, h);
        sizes[{w, h}]++;
    }
    int left = LISTED_MAX;
    json_key(j, "sizes");
    json_begin(j, '[');
    for (auto const &s : sizes) {
        if (left-- == 0)
            break;
        json_begin(j, '{');
        json_kv_int(j, "width", s.first.first);
        json_kv_int(j, "height", s.first.second);
        json_kv_int(j, "pages", s.second);
        json_end(j, '}');
    }
    json_end(j, ']');
}

void put_permissions(QPDF &qpdf, JsonOut *j)
{
    const struct {
        const char *name;
        bool allowed;
    } all[] = {
        {"print", qpdf.allowPrintLowRes()},         {"print_high", qpdf.allowPrintHighRes()},
        {"copy", qpdf.allowExtractAll()},           {"modify", qpdf.allowModifyOther()},
        {"annotate", qpdf.allowModifyAnnotation()}, {"fill", qpdf.allowModifyForm()},
        {"assemble", qpdf.allowModifyAssembly()},
    };
    json_key(j, "forbidden");
    json_begin(j, '[');
    for (auto const &p : all)
        if (!p.allowed)
            json_put_c(j, p.name);
    json_end(j, ']');
}

void put_encryption(QPDF &qpdf, JsonOut *j)
{
    int r = 0, p = 0, v = 0;
    QPDF::encryption_method_e stream = QPDF::e_none, string = QPDF::e_none, file = QPDF::e_none;
    bool encrypted = qpdf.isEncrypted(r, p, v, stream, string, file);
    json_kv_bool(j, "encrypted", encrypted);
    if (encrypted)
        json_kv_c(j, "encryption",
                  stream == QPDF::e_aesv3 ? "AES-256"
                  : stream == QPDF::e_aes ? "AES-128"
                                          : "RC4");
    put_permissions(qpdf, j);
}

void put_names(JsonOut *j, const char *key, const std::set<std::string> &names)
{
    int left = LISTED_MAX;
    json_key(j, key);
    json_begin(j, '[');
    for (const std::string &n : names) {
        if (left-- == 0)
            break;
        json_put_str(j, str_slice(from_std(n), 0, NAME_MAX_BYTES));
    }
    json_end(j, ']');
}

/* "ABCDEF+Times" is a part of Times. */
std::string font_name(const std::string &name)
{
    return name.size() > 8 && name[7] == '+' ? name.substr(8) : name.substr(name.empty() ? 0 : 1);
}

struct Facts {
    std::set<std::string> fonts;
    int64_t pictures = 0, scripts = 0, signatures = 0;
};

void look(QPDFObjectHandle o, Facts &f)
{
    QPDFObjectHandle d = o.isStream() ? o.getDict() : o;
    if (!d.isDictionary())
        return;
    if (d.getKey("/Type").isNameAndEquals("/Font") && d.getKey("/BaseFont").isName())
        f.fonts.insert(font_name(d.getKey("/BaseFont").getName()));
    f.pictures += o.isStream() && d.getKey("/Subtype").isNameAndEquals("/Image");
    f.scripts += d.getKey("/S").isNameAndEquals("/JavaScript");
    f.signatures += d.getKey("/FT").isNameAndEquals("/Sig") && d.getKey("/V").isDictionary();
}

void put_facts(Pdf *pdf, JsonOut *j)
{
    Facts f;
    QPDFEmbeddedFileDocumentHelper files(pdf->qpdf);
    std::set<std::string> names;
    for (QPDFObjectHandle &o : pdf->qpdf.getAllObjects())
        look(o, f);
    for (auto const &file : files.getEmbeddedFiles())
        names.insert(file.second->getFilename());
    QPDFObjectHandle root = pdf->qpdf.getRoot(), form = root.getKey("/AcroForm");
    put_names(j, "fonts", f.fonts);
    put_names(j, "attachments", names);
    json_kv_int(j, "pictures", f.pictures);
    json_kv_int(j, "signatures", f.signatures);
    json_kv_bool(j, "javascript", f.scripts > 0);
    json_kv_bool(j, "form",
                 form.isDictionary() && form.getKey("/Fields").isArray() &&
                     form.getKey("/Fields").getArrayNItems() > 0);
    json_kv_bool(j, "tagged", root.getKey("/StructTreeRoot").isDictionary());
    json_kv_bool(j, "bookmarks",
                 root.getKey("/Outlines").isDictionary() &&
                     root.getKey("/Outlines").getKey("/First").isDictionary());
}

} // namespace

ErrCode pdf_info_read(Arena *a, Pdf *pdf, PdfInfo *out, Err *err)
{
    return pdf_guard(err, "reading the document's information", [&] {
        *out = PdfInfo{};
        PdfCustom *first = nullptr, **tail = &first;
        QPDFObjectHandle info = pdf->qpdf.getTrailer().getKey("/Info");
        if (info.isDictionary())
            for (const std::string &key : info.getKeys()) {
                QPDFObjectHandle v = info.getKey(key);
                if (v.isString() && v.getStringValue().size() <= 64 * KIB)
                    read_entry(a, key, v.getUTF8Value(), out, tail);
            }
        out->custom = first;
        return OK;
    });
}

ErrCode pdf_info_write(Arena *a, Pdf *pdf, const PdfInfo *info, Err *err)
{
    return pdf_guard(err, "writing the document's information", [&] {
        QPDFObjectHandle trailer = pdf->qpdf.getTrailer(),
                         dict = pdf->qpdf.makeIndirectObject(QPDFObjectHandle::newDictionary());
        for (const Entry &e : entries) {
            Str value = info->*(e.field), date = e.date ? pdf_date_from_iso(a, value) : value;
            set_entry(dict, e.key, date.len > 0 ? date : value);
        }
        for (const PdfCustom *custom = info->custom; custom != nullptr; custom = custom->next)
            set_entry(dict, "/" + to_std(custom->key), custom->value);
        trailer.replaceKey("/Info", dict);
        write_xmp(a, pdf, info);
        return OK;
    });
}

ErrCode pdf_info_remove(Pdf *pdf, Err *err)
{
    return pdf_guard(err, "removing the document's information", [&] {
        pdf->qpdf.getTrailer().removeKey("/Info");
        for (QPDFObjectHandle &o : pdf->qpdf.getAllObjects()) {
            QPDFObjectHandle d = o.isStream() ? o.getDict() : o;
            if (!d.isDictionary())
                continue;
            d.removeKey("/PieceInfo");
            if (d.getKey("/Metadata").isStream())
                d.removeKey("/Metadata");
            if (d.getKey("/Type").isNameAndEquals("/Page")) {
                d.removeKey("/LastModified");
                d.removeKey("/Thumb");
            }
        }
        return OK;
    });
}

ErrCode pdf_describe(StepCtx *c, Pdf *pdf, JsonOut *j)
{
    return pdf_guard(c->err, "reading the document", [&] {
        json_kv_int(j, "pages", pdf_page_count(pdf));
        json_kv_str(j, "version", from_std(pdf->qpdf.getPDFVersion()));
        json_kv_bool(j, "linearized", pdf->qpdf.isLinearized());
        put_encryption(pdf->qpdf, j);
        put_sizes(pdf, j);
        put_facts(pdf, j);
        return OK;
    });
}
