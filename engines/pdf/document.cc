/* document.cc: open and write PDF files through qpdf. */
#include "pdf/qpdf_in.h"

extern "C" {
#include "base/fault.h"
#include "base/fd.h"
}

#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <sys/mman.h>

#include <qpdf/BufferInputSource.hh>
#include <qpdf/Pipeline.hh>
#include <qpdf/Pl_Flate.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFPageDocumentHelper.hh>
#include <qpdf/QPDFWriter.hh>

namespace
{

const size_t HEAD_MAX = 1024, WRITE_BUFFER = 256 * KIB;

/* Straight to the descriptor, in large pieces. qpdf finishes pipelines in destructors, where nothing
 * may be thrown: a failure is kept, what follows is dropped, and who wrote asks at the end. */
class FdPipeline : public Pipeline
{
  public:
    explicit FdPipeline(int to) : Pipeline("output", nullptr), fd(to)
    {
        buffer.reserve(WRITE_BUFFER);
    }
    void write(unsigned char const *data, size_t len) override
    {
        if (buffer.size() + len > WRITE_BUFFER)
            flush();
        if (len >= WRITE_BUFFER)
            put(reinterpret_cast<const char *>(data), len);
        else
            buffer.append(reinterpret_cast<const char *>(data), len);
    }
    void finish() override
    {
        flush();
    }
    int64_t written = 0;
    Err failed{};

  private:
    void flush()
    {
        put(buffer.data(), buffer.size());
        buffer.clear();
    }
    void put(const char *data, size_t len)
    {
        if (len > 0 && failed.code == OK && fd_write_all(fd, data, len, &failed) == OK)
            written += static_cast<int64_t>(len);
    }
    int fd;
    std::string buffer;
};

struct Magic {
    const char *bytes;
    size_t len;
    const char *what, *hint;
};

const char to_pdf[] = "document.convert makes a PDF of it";
const Magic others[] = {
    {"\xff\xd8\xff", 3, "a JPEG picture", to_pdf},
    {"\x89PNG", 4, "a PNG picture", to_pdf},
    {"GIF8", 4, "a GIF picture", to_pdf},
    {"II*\0", 4, "a TIFF picture", to_pdf},
    {"MM\0*", 4, "a TIFF picture", to_pdf},
    {"RIFF", 4, "a picture or a recording", to_pdf},
    {"PK\3\4", 4, "an Office document or an archive", to_pdf},
    {"\xd0\xcf\x11\xe0", 4, "an Office document", to_pdf},
    {"{\\rtf", 5, "an RTF document", to_pdf},
    {"<!DOCTYPE", 9, "a web page", to_pdf},
    {"<html", 5, "a web page", to_pdf},
};

/* qpdf would search a picture from end to end for objects before it says no. */
ErrCode check_kind(const StepInput *in, Str bytes, Err *err)
{
    Str head = str_slice(bytes, 0, HEAD_MAX), begin = str_slice(bytes, 0, 4 * KIB);
    if (str_find(head, STR("%PDF-")) != STR_NONE || str_find(begin, STR(" obj")) != STR_NONE)
        return OK;
    for (const Magic &m : others)
        if (str_starts(head, Str{m.bytes, m.len})) {
            err_set(err, ERR_UNSUPPORTED_TYPE, "\"" STR_FMT "\" is %s, not a PDF",
                    STR_ARG(str_slice(in->name, 0, 80)), m.what);
            err_hint(err, "%s", m.hint);
            return ERR_UNSUPPORTED_TYPE;
        }
    return err_set(err, ERR_UNSUPPORTED_TYPE, "\"" STR_FMT "\" is not a PDF",
                   STR_ARG(str_slice(in->name, 0, 80)));
}

ErrCode map_input(const StepInput *in, Str *out, Err *err)
{
    int64_t size = fd_size(in->fd);
    if (size == 0)
        return err_set(err, ERR_INPUT_EMPTY, "\"" STR_FMT "\" has no bytes",
                       STR_ARG(str_slice(in->name, 0, 80)));
    void *p = size < 0 || fault_hit("pdf.map")
                  ? MAP_FAILED
                  : mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_PRIVATE, in->fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(err, ERR_IO, errno, "could not map the input");
    *out = Str{static_cast<const char *>(p), static_cast<size_t>(size)};
    return OK;
}

ErrCode from_qpdf(Err *err, const char *doing, const QPDFExc &e)
{
    std::string where = e.getObject().empty() ? "" : " (" + e.getObject() + ")";
    const std::string &what = e.getMessageDetail();
    switch (e.getErrorCode()) {
    case qpdf_e_password:
        err_set(err, ERR_INPUT_ENCRYPTED, "the password does not open the document");
        err_hint(err, "pass the document's password");
        return ERR_INPUT_ENCRYPTED;
    case qpdf_e_unsupported:
        return err_set(err, ERR_UNSUPPORTED_TYPE, "%s: %.160s", doing, what.c_str());
    case qpdf_e_system:
        return err_set(err, ERR_IO, "%s: %.160s", doing, what.c_str());
    default:
        return err_set(err, ERR_INPUT_DAMAGED, "%s: %.140s%.40s", doing, what.c_str(),
                       where.c_str());
    }
}

bool is_signed(QPDF &qpdf)
{
    QPDFObjectHandle form = qpdf.getRoot().getKey("/AcroForm");
    return form.isDictionary() && form.getKey("/SigFlags").isInteger() &&
           (form.getKey("/SigFlags").getIntValue() & 1) != 0;
}

ErrCode open_pages(Pdf &pdf, const StepInput *in, const std::string &password, Err *err)
{
    pdf.buffer = std::make_unique<Buffer>(
        reinterpret_cast<unsigned char *>(const_cast<char *>(pdf.bytes.ptr)), pdf.bytes.len);
    pdf.qpdf.setSuppressWarnings(true);
    pdf.qpdf.processInputSource(
        std::make_shared<BufferInputSource>("input", pdf.buffer.get(), false), password.c_str());
    pdf.version = pdf.qpdf.getVersionAsPDFVersion();
    pdf.has_signatures = is_signed(pdf.qpdf);
    pdf.pages = QPDFPageDocumentHelper(pdf.qpdf).getAllPages();
    if (pdf.pages.empty())
        return err_set(err, ERR_INPUT_DAMAGED, "\"" STR_FMT "\" has no pages",
                       STR_ARG(str_slice(in->name, 0, 80)));
    if (pdf.pages.size() > PDF_PAGES_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "%zu pages, the limit is %d", pdf.pages.size(),
                       PDF_PAGES_MAX);
    return OK;
}

void protect(QPDFWriter &w, const PdfProtection &p)
{
    std::string user = to_std(p.user), owner = to_std(p.owner);
    qpdf_r3_print_e print = p.no_print ? qpdf_r3p_none : p.low_print ? qpdf_r3p_low : qpdf_r3p_full;
    /* Readers for the blind may always read: a newer standard took the permission away. */
    w.setR6EncryptionParameters(user.c_str(), owner.c_str(), true, !p.no_copy, !p.no_assemble,
                                !p.no_annotate, !p.no_fill, !p.no_modify, print, !p.plain_metadata);
}

void set_up(QPDFWriter &w, Pdf *pdf, const PdfWrite *how)
{
    bool encrypted = pdf->qpdf.isEncrypted() && !how->unprotect;
    w.setPreserveEncryption(!how->unprotect);
    if (how->protect != nullptr) {
        protect(w, *how->protect);
        encrypted = true;
    } else if (how->protect_like != nullptr && how->protect_like->qpdf.isEncrypted()) {
        w.copyEncryptionParameters(how->protect_like->qpdf);
        encrypted = true;
    }
    /* The same input gives the same bytes; with encryption there is a random part anyway. */
    if (!encrypted)
        w.setDeterministicID(true);
    w.setMinimumPDFVersion(pdf->version);
    /* A composed document has no object streams to keep: it gets some when a part could have had. */
    bool modern = pdf->version.getMajor() > 1 || pdf->version.getMinor() >= 5;
    if (pdf->bytes.ptr == nullptr && modern)
        w.setObjectStreamMode(qpdf_o_generate);
    w.setLinearization(how->linearize);
    if (how->compact) {
        w.setObjectStreamMode(qpdf_o_generate);
        w.setCompressStreams(true);
        w.setRecompressFlate(true);
        w.setDecodeLevel(qpdf_dl_generalized);
        Pl_Flate::setCompressionLevel(9);
    }
}

} // namespace

QPDFAcroFormDocumentHelper &Pdf::form()
{
    if (!form_helper)
        form_helper = std::make_unique<QPDFAcroFormDocumentHelper>(qpdf);
    return *form_helper;
}

ErrCode pdf_guard(Err *err, const char *doing, const std::function<ErrCode()> &work)
{
    try {
        return work();
    } catch (const Refused &r) {
        *err = r.err;
        return r.err.code;
    } catch (const std::bad_alloc &) {
        return err_set(err, ERR_NO_MEMORY, "%s: no memory", doing);
    } catch (const QPDFExc &e) {
        return from_qpdf(err, doing, e);
    } catch (const std::exception &e) {
        /* Our arguments are checked before, so what qpdf did not expect is the file's. */
        return err_set(err, ERR_INPUT_DAMAGED, "%s: %.180s", doing, e.what());
    }
}

ErrCode pdf_open(StepCtx *c, const StepInput *in, Str password, Pdf **out)
{
    Str bytes = {nullptr, 0};
    ErrCode rc = map_input(in, &bytes, c->err);
    if (rc != OK)
        return rc;
    Pdf *pdf = new (std::nothrow) Pdf;
    if (pdf == nullptr) {
        munmap(const_cast<char *>(bytes.ptr), bytes.len);
        return err_set(c->err, ERR_NO_MEMORY, "no memory to open the document");
    }
    pdf->bytes = bytes;
    rc = check_kind(in, bytes, c->err);
    if (rc == OK)
        rc = pdf_guard(c->err, "reading the document",
                       [&] { return open_pages(*pdf, in, to_std(password), c->err); });
    if (rc == ERR_INPUT_ENCRYPTED)
        err_set(c->err, rc,
                password.len > 0 ? "the password does not open \"" STR_FMT "\""
                                 : "\"" STR_FMT "\" needs a password",
                STR_ARG(str_slice(in->name, 0, 80)));
    if (rc != OK)
        pdf_close(&pdf);
    else
        *out = pdf;
    return rc;
}

void pdf_close(Pdf **pdf)
{
    if (*pdf == nullptr)
        return;
    Str bytes = (*pdf)->bytes;
    delete *pdf;
    *pdf = nullptr;
    if (bytes.ptr != nullptr)
        munmap(const_cast<char *>(bytes.ptr), bytes.len);
}

int64_t pdf_page_count(const Pdf *pdf)
{
    return static_cast<int64_t>(pdf->pages.size());
}

int64_t pdf_size_bytes(const Pdf *pdf)
{
    return static_cast<int64_t>(pdf->bytes.len);
}

Str pdf_bytes(const Pdf *pdf)
{
    return pdf->bytes;
}

bool pdf_is_encrypted(const Pdf *pdf)
{
    return pdf->qpdf.isEncrypted();
}

bool pdf_is_owner(const Pdf *pdf)
{
    return pdf->qpdf.isEncrypted() && pdf->qpdf.ownerPasswordMatched();
}

ErrCode pdf_write_fd(Pdf *pdf, const PdfWrite *how, int fd, int64_t *bytes, Err *err)
{
    return pdf_guard(err, "writing the document", [&] {
        FdPipeline out(fd);
        QPDFWriter w(pdf->qpdf);
        w.setOutputPipeline(&out);
        set_up(w, pdf, how);
        w.write();
        out.finish();
        if (out.failed.code != OK)
            *err = out.failed;
        *bytes = out.written;
        return out.failed.code;
    });
}

ErrCode pdf_write(StepCtx *c, Pdf *pdf, const PdfWrite *how, Str name, int64_t *bytes)
{
    int fd = -1;
    ErrCode rc = step_output(c, name, STR("application/pdf"), &fd);
    if (rc == OK)
        rc = pdf_write_fd(pdf, how, fd, bytes, c->err);
    if (rc == OK && pdf->has_signatures)
        step_note(c, STR("the source is signed: its signature does not hold for the new file"));
    fd_close(&fd);
    return rc;
}

int64_t pdf_note_repairs(StepCtx *c, Pdf *pdf, Str name)
{
    int64_t count = 0;
    Err ignored = {};
    (void)!pdf_guard(&ignored, "noting", [&] {
        std::vector<QPDFExc> warnings = pdf->qpdf.getWarnings();
        count = static_cast<int64_t>(warnings.size());
        if (count > 0)
            step_note(c, str_printf(c->arena,
                                    "\"" STR_FMT "\" was damaged and has been repaired: %" PRId64
                                    " place%s, the first: %.160s",
                                    STR_ARG(str_slice(name, 0, 80)), count, count == 1 ? "" : "s",
                                    warnings[0].getMessageDetail().c_str()));
        return OK;
    });
    return count;
}
