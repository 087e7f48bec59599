/* qpdf_in.h: what the C++ files of this engine share. Not for C. */
#ifndef PLATEN_PDF_QPDF_IN_H
#define PLATEN_PDF_QPDF_IN_H
#ifdef __cplusplus

#include "pdf/pdf.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <qpdf/Buffer.hh>
#include <qpdf/PDFVersion.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFAcroFormDocumentHelper.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <qpdf/QPDFPageObjectHelper.hh>

struct Pdf {
    Str bytes{}; /* mapped, or empty for a document that was composed */
    std::unique_ptr<Buffer> buffer;
    QPDF qpdf;
    std::vector<QPDFPageObjectHelper> pages;
    bool has_signatures = false;
    PDFVersion version; /* the least to write: of a composed document, the highest of its parts */
    std::unique_ptr<QPDFAcroFormDocumentHelper> form_helper;
    /* Reading all fields takes time, so it is done once for all parts that take pages. */
    QPDFAcroFormDocumentHelper &form();
};

/* A reason of our own, on its way to pdf_guard. */
struct Refused {
    Err err;
};

/* Run `work`; what it throws becomes a reason that says it happened while `doing`. */
ErrCode pdf_guard(Err *err, const char *doing, const std::function<ErrCode()> &work);

inline std::string to_std(Str s)
{
    return s.ptr == nullptr ? std::string() : std::string(s.ptr, s.len);
}
inline Str from_std(const std::string &s)
{
    return Str{s.data(), s.size()};
}

/* outline.cc: bookmarks as a tree of their own, between two documents. */
struct Bookmark {
    std::string title;
    QPDFObjectHandle page; /* of the old document, or of the new one once moved; may be empty */
    std::vector<QPDFObjectHandle> view; /* what follows the page in a destination */
    QPDFObjectHandle colour, flags;
    std::string uri;
    bool open = true;
    std::vector<Bookmark> kids;
};
std::vector<Bookmark> outline_read(QPDF &qpdf);
/* Only what `find` gives a page for stays, and what has such among its kids. */
std::vector<Bookmark> outline_move(const std::vector<Bookmark> &from,
                                   const std::function<QPDFObjectHandle(QPDFObjectHandle)> &find);
void outline_write(QPDF &qpdf, const std::vector<Bookmark> &bookmarks);
/* The explicit form ([page /Fit …]) of a destination by name; uninitialised when there is none. */
QPDFObjectHandle outline_resolve(QPDF &qpdf, QPDFObjectHandle destination);

#endif
#endif
