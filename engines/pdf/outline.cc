/* outline.cc: bookmarks, and destinations by name. */
#include "pdf/qpdf_in.h"

#include <set>

#include <qpdf/QPDFNameTreeObjectHelper.hh>

namespace
{

const int DEPTH_MAX = 40;

struct Reader {
    QPDF &qpdf;
    std::set<QPDFObjGen> seen;
    size_t count = 0;
};

/* A number, name or null of another document, as one of nobody's. */
QPDFObjectHandle loose(QPDFObjectHandle o)
{
    return o.isNumber() || o.isName() || o.isBool() ? QPDFObjectHandle::parse(o.unparse())
                                                    : QPDFObjectHandle::newNull();
}

void read_target(Reader &r, QPDFObjectHandle item, Bookmark &b)
{
    QPDFObjectHandle dest = item.getKey("/Dest"), action = item.getKey("/A");
    if (dest.isNull() && action.isDictionary()) {
        if (action.getKey("/S").isNameAndEquals("/GoTo"))
            dest = action.getKey("/D");
        else if (action.getKey("/S").isNameAndEquals("/URI") && action.getKey("/URI").isString())
            b.uri = action.getKey("/URI").getStringValue();
    }
    QPDFObjectHandle to = outline_resolve(r.qpdf, dest);
    if (!to.isInitialized())
        return;
    b.page = to.getArrayItem(0);
    for (int i = 1; i < to.getArrayNItems() && i < 8; i++)
        b.view.push_back(loose(to.getArrayItem(i)));
}

std::vector<Bookmark> read_level(Reader &r, QPDFObjectHandle first, int depth)
{
    std::vector<Bookmark> out;
    for (QPDFObjectHandle item = first;
         item.isDictionary() && item.isIndirect() && r.count < PDF_BOOKMARKS_MAX &&
         r.seen.insert(item.getObjGen()).second;
         item = item.getKey("/Next")) {
        r.count++;
        Bookmark b;
        QPDFObjectHandle title = item.getKey("/Title"), colour = item.getKey("/C");
        b.title = title.isString() ? title.getUTF8Value() : "";
        read_target(r, item, b);
        if (colour.isArray() && colour.getArrayNItems() == 3) {
            b.colour = QPDFObjectHandle::newArray();
            for (int i = 0; i < 3; i++)
                b.colour.appendItem(loose(colour.getArrayItem(i)));
        }
        if (item.getKey("/F").isInteger())
            b.flags = loose(item.getKey("/F"));
        QPDFObjectHandle count = item.getKey("/Count");
        b.open = !count.isInteger() || count.getIntValue() > 0;
        if (depth < DEPTH_MAX)
            b.kids = read_level(r, item.getKey("/First"), depth + 1);
        out.push_back(std::move(b));
    }
    return out;
}

/* How many entries are visible below, for /Count. */
int64_t visible(const std::vector<Bookmark> &level)
{
    int64_t n = 0;
    for (const Bookmark &b : level)
        n += 1 + (b.open ? visible(b.kids) : 0);
    return n;
}

void write_level(QPDF &qpdf, QPDFObjectHandle parent, const std::vector<Bookmark> &level)
{
    QPDFObjectHandle previous;
    for (const Bookmark &b : level) {
        QPDFObjectHandle item = qpdf.makeIndirectObject(QPDFObjectHandle::newDictionary());
        item.replaceKey("/Title", QPDFObjectHandle::newUnicodeString(b.title));
        item.replaceKey("/Parent", parent);
        if (b.page.isInitialized()) {
            QPDFObjectHandle dest = QPDFObjectHandle::newArray();
            dest.appendItem(b.page);
            for (const QPDFObjectHandle &v : b.view)
                dest.appendItem(v);
            if (b.view.empty())
                dest.appendItem(QPDFObjectHandle::newName("/Fit"));
            item.replaceKey("/Dest", dest);
        } else if (!b.uri.empty()) {
            QPDFObjectHandle action = QPDFObjectHandle::newDictionary();
            action.replaceKey("/S", QPDFObjectHandle::newName("/URI"));
            action.replaceKey("/URI", QPDFObjectHandle::newString(b.uri));
            item.replaceKey("/A", action);
        }
        if (b.colour.isInitialized())
            item.replaceKey("/C", b.colour);
        if (b.flags.isInitialized())
            item.replaceKey("/F", b.flags);
        if (!b.kids.empty()) {
            write_level(qpdf, item, b.kids);
            int64_t count = visible(b.kids);
            item.replaceKey("/Count", QPDFObjectHandle::newInteger(b.open ? count : -count));
        }
        if (previous.isInitialized()) {
            previous.replaceKey("/Next", item);
            item.replaceKey("/Prev", previous);
        } else {
            parent.replaceKey("/First", item);
        }
        parent.replaceKey("/Last", item);
        previous = item;
    }
}

} // namespace

QPDFObjectHandle outline_resolve(QPDF &qpdf, QPDFObjectHandle dest)
{
    if (dest.isName()) {
        QPDFObjectHandle dests = qpdf.getRoot().getKey("/Dests");
        dest = dests.isDictionary() ? dests.getKey(dest.getName()) : QPDFObjectHandle::newNull();
    } else if (dest.isString()) {
        QPDFObjectHandle names = qpdf.getRoot().getKey("/Names"),
                         tree = names.isDictionary() ? names.getKey("/Dests") : names, found;
        if (!tree.isDictionary() ||
            !QPDFNameTreeObjectHelper(tree, qpdf, false).findObject(dest.getUTF8Value(), found))
            return QPDFObjectHandle();
        dest = found;
    }
    if (dest.isDictionary())
        dest = dest.getKey("/D");
    if (!dest.isArray() || dest.getArrayNItems() == 0 || !dest.getArrayItem(0).isDictionary())
        return QPDFObjectHandle();
    return dest;
}

std::vector<Bookmark> outline_read(QPDF &qpdf)
{
    Reader r{qpdf, {}, 0};
    QPDFObjectHandle outlines = qpdf.getRoot().getKey("/Outlines");
    if (!outlines.isDictionary())
        return {};
    return read_level(r, outlines.getKey("/First"), 0);
}

std::vector<Bookmark> outline_move(const std::vector<Bookmark> &from,
                                   const std::function<QPDFObjectHandle(QPDFObjectHandle)> &find)
{
    std::vector<Bookmark> out;
    for (const Bookmark &b : from) {
        Bookmark moved = b;
        moved.kids = outline_move(b.kids, find);
        moved.page = b.page.isInitialized() ? find(b.page) : QPDFObjectHandle();
        if (!moved.page.isInitialized() && !moved.kids.empty()) {
            /* It leads to a page that was left behind: now to where its first kid leads. */
            moved.page = moved.kids[0].page;
            moved.view = moved.kids[0].view;
            moved.uri.clear();
        }
        if (moved.page.isInitialized() || !moved.kids.empty() || !moved.uri.empty())
            out.push_back(std::move(moved));
    }
    return out;
}

void outline_write(QPDF &qpdf, const std::vector<Bookmark> &bookmarks)
{
    QPDFObjectHandle root = qpdf.getRoot();
    if (bookmarks.empty()) {
        root.removeKey("/Outlines");
        return;
    }
    QPDFObjectHandle outlines = qpdf.makeIndirectObject(QPDFObjectHandle::newDictionary());
    outlines.replaceKey("/Type", QPDFObjectHandle::newName("/Outlines"));
    write_level(qpdf, outlines, bookmarks);
    outlines.replaceKey("/Count", QPDFObjectHandle::newInteger(visible(bookmarks)));
    root.replaceKey("/Outlines", outlines);
}

ErrCode pdf_top_bookmarks(Arena *a, Pdf *pdf, PdfBookmark **out, size_t *len, Err *err)
{
    return pdf_guard(err, "reading the bookmarks", [&] {
        std::vector<Bookmark> all = outline_read(pdf->qpdf);
        PdfBookmark *list = arena_new(a, PdfBookmark, all.size() + 1);
        size_t n = 0;
        for (size_t i = 0; list != nullptr && i < all.size(); i++) {
            if (!all[i].page.isInitialized())
                continue;
            QPDFObjGen og = all[i].page.getObjGen();
            for (size_t p = 0; p < pdf->pages.size(); p++)
                if (pdf->pages[p].getObjectHandle().getObjGen() == og) {
                    list[n].title = str_copy(a, from_std(all[i].title));
                    list[n++].page_no = static_cast<int64_t>(p) + 1;
                    break;
                }
        }
        if (list == nullptr)
            return err_set(err, ERR_NO_MEMORY, "no memory for the bookmarks");
        *out = list;
        *len = n;
        return OK;
    });
}
