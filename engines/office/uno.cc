/* uno.cc: load, store and close one document through UNO. See office.h for why, uno.h for the
 * contract.
 *
 * Everything is done in a callback on LibreOffice's main thread, as `soffice --convert-to` does it:
 * its event loop would otherwise touch the document at the same time. */
#include "office/uno.h"

#include <com/sun/star/awt/XCallback.hpp>
#include <com/sun/star/awt/XRequestCallback.hpp>
#include <com/sun/star/beans/PropertyValue.hpp>
#include <com/sun/star/frame/XComponentLoader.hpp>
#include <com/sun/star/frame/XStorable.hpp>
#include <com/sun/star/lang/XMultiServiceFactory.hpp>
#include <com/sun/star/lang/XServiceInfo.hpp>
#include <com/sun/star/task/ErrorCodeRequest.hpp>
#include <com/sun/star/task/XInteractionAbort.hpp>
#include <com/sun/star/task/XInteractionHandler.hpp>
#include <com/sun/star/util/XCloseable.hpp>
#include <cppuhelper/implbase1.hxx>

#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <vector>

namespace css = com::sun::star;
using css::uno::Any;
using css::uno::Reference;
using css::uno::Sequence;
using rtl::OUString;

/* Of LibreOffice's main library, which the engine has loaded; it is not in the public headers. */
namespace comphelper
{
Reference<css::lang::XMultiServiceFactory> getProcessServiceFactory();
}

namespace
{

Reference<css::frame::XComponentLoader> desktop;
Reference<css::awt::XRequestCallback> main_thread;

OUString wide(const char *text)
{
    return OUString(text, static_cast<sal_Int32>(strlen(text)), RTL_TEXTENCODING_UTF8);
}

void keep_text(char *to, const OUString &from)
{
    snprintf(to, OFFICE_UNO_TEXT_MAX, "%s",
             rtl::OUStringToOString(from, RTL_TEXTENCODING_UTF8).getStr());
}

class Properties
{
    std::vector<css::beans::PropertyValue> items;

  public:
    void add(const char *name, const Any &value)
    {
        css::beans::PropertyValue p;
        p.Name = wide(name);
        p.Value = value;
        items.push_back(p);
    }
    void add_text(const char *name, const char *value)
    {
        if (value != nullptr)
            add(name, Any(wide(value)));
    }
    Sequence<css::beans::PropertyValue> all() const
    {
        return Sequence<css::beans::PropertyValue>(items.data(),
                                                   static_cast<sal_Int32>(items.size()));
    }
};

/* Nobody is there to be asked: every question is answered with "stop", and one for a password is
 * remembered. */
class Nobody : public cppu::WeakImplHelper1<css::task::XInteractionHandler>
{
  public:
    bool wants_password = false;
    sal_Int32 error = 0; /* the last that it wanted to show */

    void SAL_CALL handle(const Reference<css::task::XInteractionRequest> &request) override
    {
        css::task::ErrorCodeRequest code;
        if (request->getRequest() >>= code)
            error = code.ErrCode;
        OUString type = request->getRequest().getValueTypeName();
        wants_password |= type.indexOf(wide("Password")) >= 0;
        Sequence<Reference<css::task::XInteractionContinuation>> ways = request->getContinuations();
        for (sal_Int32 i = 0; i < ways.getLength(); i++) {
            const Sequence<Reference<css::task::XInteractionContinuation>> &all = ways;
            Reference<css::task::XInteractionAbort> stop(all[i], css::uno::UNO_QUERY);
            if (stop.is()) {
                stop->select();
                return;
            }
        }
    }
};

int kind_of(const Reference<css::lang::XComponent> &doc)
{
    /* By OfficeKind; a presentation is a drawing too, so it comes first. */
    static const char *const services[] = {
        "com.sun.star.text.TextDocument",         "com.sun.star.text.WebDocument",
        "com.sun.star.sheet.SpreadsheetDocument", "com.sun.star.presentation.PresentationDocument",
        "com.sun.star.drawing.DrawingDocument",   "com.sun.star.formula.FormulaProperties",
    };
    Reference<css::lang::XServiceInfo> info(doc, css::uno::UNO_QUERY);
    if (!info.is())
        return -1;
    if (info->supportsService(wide("com.sun.star.text.GlobalDocument")))
        return 0;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (info->supportsService(wide(services[i])))
            return static_cast<int>(i);
    return -1;
}

Reference<css::lang::XComponent> load(OfficeUnoJob *job,
                                      const Reference<css::task::XInteractionHandler> &nobody)
{
    Properties p;
    p.add("Hidden", Any(true));
    p.add("ReadOnly", Any(true));
    p.add("MacroExecutionMode", Any(sal_Int16(0))); /* never */
    p.add("UpdateDocMode", Any(sal_Int16(0)));      /* no links */
    /* What has a filter of its own has no password, and is asked for its filter's options. */
    if (job->import_filter == nullptr)
        p.add("InteractionHandler", Any(nobody));
    p.add_text("FilterName", job->import_filter);
    p.add_text("FilterOptions", job->import_options);
    p.add_text("Password", job->password);
    return desktop->loadComponentFromURL(wide(job->from_url), wide("_blank"), 0, p.all());
}

OfficeUnoEnd store(OfficeUnoJob *job, const Reference<css::lang::XComponent> &doc)
{
    const char *options = nullptr;
    int kind = kind_of(doc);
    const char *filter = job->choose(job->ctx, kind, &options);
    if (filter == nullptr)
        return OFFICE_UNO_NO_FILTER;
    Properties p;
    p.add_text("FilterName", filter);
    p.add_text("FilterOptions", options);
    if (job->pdf_version != 0) {
        Properties data;
        data.add("SelectPdfVersion", Any(sal_Int32(job->pdf_version)));
        p.add("FilterData", Any(data.all()));
    }
    Reference<css::frame::XStorable>(doc, css::uno::UNO_QUERY_THROW)
        ->storeToURL(wide(job->to_url), p.all());
    return OFFICE_UNO_OK;
}

void close(const Reference<css::lang::XComponent> &doc)
{
    Reference<css::util::XCloseable> closeable(doc, css::uno::UNO_QUERY);
    try {
        if (closeable.is())
            closeable->close(true);
        else
            doc->dispose();
    } catch (const css::uno::Exception &) {
    }
}

OfficeUnoEnd convert_here(OfficeUnoJob *job)
{
    Nobody *nobody = new Nobody; /* lives as long as it is referred to */
    Reference<css::task::XInteractionHandler> handler(nobody);
    Reference<css::lang::XComponent> doc;
    try {
        doc = load(job, handler);
    } catch (const css::uno::Exception &e) {
        keep_text(job->text, e.Message);
    }
    if (!doc.is() && nobody->error != 0 && job->text[0] == 0)
        snprintf(job->text, sizeof job->text, "its error %#x", unsigned(nobody->error));
    if (!doc.is())
        return nobody->wants_password ? OFFICE_UNO_ENCRYPTED : OFFICE_UNO_UNREADABLE;
    OfficeUnoEnd end;
    try {
        end = store(job, doc);
    } catch (const css::uno::Exception &e) {
        keep_text(job->text, e.Message);
        end = OFFICE_UNO_UNSTORABLE;
    }
    close(doc);
    return end;
}

class Work : public cppu::WeakImplHelper1<css::awt::XCallback>
{
    OfficeUnoJob *job;
    std::mutex lock;
    std::condition_variable done;
    bool is_done = false;
    OfficeUnoEnd end = OFFICE_UNO_BROKEN;

  public:
    explicit Work(OfficeUnoJob *j) : job(j)
    {
    }

    void SAL_CALL notify(const Any &) override
    {
        OfficeUnoEnd e = OFFICE_UNO_BROKEN;
        try {
            e = convert_here(job);
        } catch (const css::uno::Exception &what) {
            keep_text(job->text, what.Message);
        } catch (...) {
        }
        std::lock_guard<std::mutex> held(lock);
        end = e;
        is_done = true;
        done.notify_one();
    }

    OfficeUnoEnd wait()
    {
        std::unique_lock<std::mutex> held(lock);
        done.wait(held, [this] { return is_done; });
        return end;
    }
};

int open_uno(char *text)
{
    try {
        Reference<css::lang::XMultiServiceFactory> services =
            comphelper::getProcessServiceFactory();
        desktop.set(services->createInstance(wide("com.sun.star.frame.Desktop")),
                    css::uno::UNO_QUERY_THROW);
        main_thread.set(services->createInstance(wide("com.sun.star.awt.AsyncCallback")),
                        css::uno::UNO_QUERY_THROW);
        return 0;
    } catch (const css::uno::Exception &e) {
        keep_text(text, e.Message);
    } catch (...) {
        keep_text(text, OUString());
    }
    return -1;
}

OfficeUnoEnd convert(OfficeUnoJob *job)
{
    job->text[0] = 0;
    try {
        Work *work = new Work(job);
        Reference<css::awt::XCallback> callback(work);
        main_thread->addCallback(callback, Any());
        return work->wait();
    } catch (const css::uno::Exception &e) {
        keep_text(job->text, e.Message);
    } catch (...) {
    }
    return OFFICE_UNO_BROKEN;
}

} // namespace

const OfficeUno platen_office_uno = {OFFICE_UNO_VERSION, open_uno, convert};
