/* compose.cc: a new document from pages of others, with what belongs to them: form fields, links
 * among the pages, page labels, bookmarks, attached files, layers. */
#include "pdf/qpdf_in.h"

extern "C" {
#include "base/fault.h"
}

#include <map>
#include <new>

#include <qpdf/QPDFEmbeddedFileDocumentHelper.hh>
#include <qpdf/QPDFPageDocumentHelper.hh>
#include <qpdf/QPDFPageLabelDocumentHelper.hh>

namespace
{

typedef std::map<QPDFObjGen, QPDFObjectHandle> PageMap; /* page of the source → first copy */

struct Composer {
    StepCtx *c;
    Pdf &to;
    const PdfCompose &how;
    std::vector<Bookmark> bookmarks;
    std::vector<QPDFObjectHandle> labels;
    bool labelled = false;
    long long pages = 0, pages_total = 0;
};

/* Names of destinations stay behind with the old document: what uses one gets the page itself. */
void make_links_explicit(QPDF &from, QPDFPageObjectHelper page)
{
    QPDFObjectHandle annots = page.getObjectHandle().getKey("/Annots");
    for (int i = 0; annots.isArray() && i < annots.getArrayNItems(); i++) {
        QPDFObjectHandle a = annots.getArrayItem(i);
        if (!a.isDictionary() || !a.getKey("/Subtype").isNameAndEquals("/Link"))
            continue;
        QPDFObjectHandle holder = a, key = a.getKey("/Dest"), action = a.getKey("/A");
        const char *name = "/Dest";
        if (action.isDictionary() && action.getKey("/S").isNameAndEquals("/GoTo")) {
            holder = action;
            key = action.getKey("/D");
            name = "/D";
        }
        if (!key.isName() && !key.isString())
            continue;
        QPDFObjectHandle to = outline_resolve(from, key);
        if (to.isInitialized())
            holder.replaceKey(name, to);
    }
}

void add_label(Composer &m, Pdf &from, int64_t page_no)
{
    QPDFPageLabelDocumentHelper labels(from.qpdf);
    m.labelled |= labels.hasPageLabels();
    labels.getLabelsForPageRange(page_no - 1, page_no - 1, m.pages, m.labels);
}

PageMap add_pages(Composer &m, const PdfPart &part)
{
    PageMap map;
    QPDFPageDocumentHelper pages(m.to.qpdf);
    QPDFAcroFormDocumentHelper &form = m.to.form();
    for (size_t i = 0; i < part.pages.len; i++) {
        int64_t no = part.pages.pages[i];
        QPDFPageObjectHelper page = part.pdf->pages.at(static_cast<size_t>(no - 1));
        make_links_explicit(part.pdf->qpdf, page);
        pages.addPage(page, false);
        QPDFObjectHandle added = m.to.qpdf.getAllPages().back();
        if (!page.getObjectHandle().getKey("/Annots").isNull())
            form.fixCopiedAnnotations(added, page.getObjectHandle(), part.pdf->form());
        map.emplace(page.getObjectHandle().getObjGen(), added);
        add_label(m, *part.pdf, no);
        m.pages++;
        step_progress(m.c, m.pages, m.pages_total, "pages");
    }
    return map;
}

void add_bookmarks(Composer &m, const PdfPart &part, const PageMap &map, QPDFObjectHandle first)
{
    if (m.how.bookmarks == PDF_BOOKMARKS_NONE)
        return;
    std::vector<Bookmark> own =
        outline_move(outline_read(part.pdf->qpdf), [&](QPDFObjectHandle page) {
            auto at = map.find(page.getObjGen());
            return at == map.end() ? QPDFObjectHandle() : at->second;
        });
    if (m.how.bookmarks == PDF_BOOKMARKS_FILES) {
        Bookmark file;
        file.title = to_std(part.title);
        file.page = first;
        file.open = own.size() <= 12;
        file.kids = std::move(own);
        m.bookmarks.push_back(std::move(file));
        return;
    }
    for (Bookmark &b : own)
        m.bookmarks.push_back(std::move(b));
}

/* "notes.txt" of two parts: the second becomes "notes.txt (2)". */
void add_attachments(Composer &m, Pdf &from)
{
    QPDFEmbeddedFileDocumentHelper source(from.qpdf), target(m.to.qpdf);
    if (!source.hasEmbeddedFiles())
        return;
    for (auto const &file : source.getEmbeddedFiles()) {
        std::string name = file.first;
        for (int n = 2; target.getEmbeddedFile(name) && n < 1000; n++)
            name = file.first + " (" + std::to_string(n) + ")";
        QPDFObjectHandle spec = file.second->getObjectHandle();
        if (!spec.isIndirect())
            spec = from.qpdf.makeIndirectObject(spec);
        target.replaceEmbeddedFile(name,
                                   QPDFFileSpecObjectHelper(m.to.qpdf.copyForeignObject(spec)));
    }
}

void append_all(QPDFObjectHandle to, const char *key, QPDFObjectHandle from)
{
    if (!from.isArray() || from.getArrayNItems() == 0)
        return;
    if (!to.getKey(key).isArray())
        to.replaceKey(key, QPDFObjectHandle::newArray());
    QPDFObjectHandle list = to.getKey(key);
    for (int i = 0; i < from.getArrayNItems(); i++)
        list.appendItem(from.getArrayItem(i));
}

/* Without these a layer that was switched off would show. */
void add_layers(Composer &m, Pdf &from)
{
    QPDFObjectHandle theirs = from.qpdf.getRoot().getKey("/OCProperties");
    if (!theirs.isDictionary() || !theirs.getKey("/OCGs").isArray())
        return;
    if (!theirs.isIndirect())
        theirs = from.qpdf.makeIndirectObject(theirs);
    QPDFObjectHandle copy = m.to.qpdf.copyForeignObject(theirs), root = m.to.qpdf.getRoot(),
                     ours = root.getKey("/OCProperties");
    if (!ours.isDictionary()) {
        root.replaceKey("/OCProperties", copy);
        return;
    }
    append_all(ours, "/OCGs", copy.getKey("/OCGs"));
    QPDFObjectHandle d = copy.getKey("/D");
    if (!d.isDictionary() || !ours.getKey("/D").isDictionary())
        return;
    for (const char *key : {"/ON", "/OFF", "/Order", "/Locked", "/RBGroups", "/AS"})
        append_all(ours.getKey("/D"), key, d.getKey(key));
}

void copy_appearances_wanted(Composer &m, Pdf &from)
{
    QPDFObjectHandle form = from.qpdf.getRoot().getKey("/AcroForm"),
                     ours = m.to.qpdf.getRoot().getKey("/AcroForm");
    if (form.isDictionary() && ours.isDictionary() && form.getKey("/NeedAppearances").isBool() &&
        form.getKey("/NeedAppearances").getBoolValue())
        ours.replaceKey("/NeedAppearances", QPDFObjectHandle::newBool(true));
}

void add_part(Composer &m, const PdfPart &part)
{
    size_t before = m.to.qpdf.getAllPages().size();
    m.to.version.updateIfGreater(part.pdf->version);
    m.to.has_signatures |= part.pdf->has_signatures;
    PageMap map = add_pages(m, part);
    add_bookmarks(m, part, map, m.to.qpdf.getAllPages().at(before));
    if (m.how.attachments)
        add_attachments(m, *part.pdf);
    add_layers(m, *part.pdf);
    copy_appearances_wanted(m, *part.pdf);
}

/* What the first document says about itself stays. */
void copy_about(Composer &m, Pdf &from)
{
    QPDFObjectHandle info = from.qpdf.getTrailer().getKey("/Info"), root = m.to.qpdf.getRoot();
    if (info.isDictionary() && info.isIndirect())
        m.to.qpdf.getTrailer().replaceKey("/Info", m.to.qpdf.copyForeignObject(info));
    QPDFObjectHandle lang = from.qpdf.getRoot().getKey("/Lang");
    if (lang.isString())
        root.replaceKey("/Lang", QPDFObjectHandle::newString(lang.getStringValue()));
}

void finish(Composer &m)
{
    QPDFObjectHandle root = m.to.qpdf.getRoot();
    outline_write(m.to.qpdf, m.bookmarks);
    if (m.labelled) {
        QPDFObjectHandle tree = QPDFObjectHandle::newDictionary();
        tree.replaceKey("/Nums", QPDFObjectHandle::newArray(m.labels));
        root.replaceKey("/PageLabels", tree);
    }
    m.to.pages = QPDFPageDocumentHelper(m.to.qpdf).getAllPages();
}

} // namespace

ErrCode pdf_compose(StepCtx *c, const PdfPart *parts, size_t parts_len, const PdfCompose *how,
                    Pdf **out)
{
    Pdf *pdf = fault_hit("pdf.compose") ? nullptr : new (std::nothrow) Pdf;
    if (pdf == nullptr)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for a new document");
    ErrCode rc = pdf_guard(c->err, "putting pages together", [&] {
        pdf->qpdf.emptyPDF();
        pdf->qpdf.setSuppressWarnings(true);
        Composer m{c, *pdf, *how, {}, {}, false, 0, 0};
        for (size_t i = 0; i < parts_len; i++)
            m.pages_total += static_cast<long long>(parts[i].pages.len);
        copy_about(m, *parts[0].pdf);
        for (size_t i = 0; i < parts_len; i++)
            add_part(m, parts[i]);
        finish(m);
        return OK;
    });
    if (rc != OK)
        pdf_close(&pdf);
    else
        *out = pdf;
    return rc;
}

ErrCode pdf_drop_unused_resources(Pdf *pdf, Err *err)
{
    return pdf_guard(err, "reading the pages", [&] {
        QPDFPageDocumentHelper(pdf->qpdf).removeUnreferencedResources();
        return OK;
    });
}

ErrCode pdf_rotate(Pdf *pdf, const PageList *pages, int angle, bool absolute, Err *err)
{
    return pdf_guard(err, "rotating the pages", [&] {
        for (size_t i = 0; i < pages->len; i++)
            pdf->pages.at(static_cast<size_t>(pages->pages[i] - 1)).rotatePage(angle, !absolute);
        return OK;
    });
}
