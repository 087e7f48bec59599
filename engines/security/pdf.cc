/* pdf.cc: actions, scripts and files in PDF, by qpdf's parse of every object; where there is no
 * parse to be had, by the names that stand in the bytes. */
#include "security/scan.h"

#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <set>
#include <string>

#include <qpdf/Buffer.hh>
#include <qpdf/BufferInputSource.hh>
#include <qpdf/Pipeline.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFObjectHandle.hh>

namespace
{

const int DEPTH_MAX = 60;
const size_t STREAM_MAX = 64 * MIB, SCRIPT_MAX = 4 * MIB, ALL_STREAMS_MAX = 192 * MIB;
const int OBJECTS_MAX = 400 * 1000;

/* What exploits of readers and droppers say, and no form does. */
const char exploit_words[] =
    "Collab.collectEmailInfo\nCollab.getIcon\nmedia.newPlayer\n"
    "spell.customDictionaryOpen\nexportDataObject\n%u9090\n%u0c0c\n%u4141\n"
    "util.printf(\"%45000\nutil.printf('%45000\napp.launchURL\n"
    "getAnnots({nPage\nheapspray";

struct TooLarge {
};

class Collector : public Pipeline
{
  public:
    explicit Collector(size_t most) : Pipeline("collect", nullptr), max(most)
    {
    }
    void write(unsigned char const *data, size_t len) override
    {
        if (bytes.size() + len > max)
            throw TooLarge();
        bytes.append(reinterpret_cast<const char *>(data), len);
    }
    void finish() override
    {
    }
    std::string bytes;

  private:
    size_t max;
};

struct Reader {
    Scan *s;
    const ScanObject *o;
    std::set<QPDFObjGen> taken; /* embedded files */

    size_t decoded = 0;
    bool scripts = false, scripts_open = false;
};

Str str_of(const std::string &s)
{
    return Str{s.data(), s.size()};
}

bool is(QPDFObjectHandle dict, const char *key, const char *name)
{
    return dict.getKey(key).isNameAndEquals(name);
}

bool decode(Reader &r, QPDFObjectHandle stream, size_t max, std::string *out)
{
    if (r.decoded > ALL_STREAMS_MAX)
        return false;
    Collector c(max);
    try {
        bool tried = false;
        stream.pipeStreamData(&c, &tried, 0, qpdf_dl_specialized, true, false);
    } catch (const TooLarge &) {
        return false;
    } catch (const std::bad_alloc &) {
        return false;
    } catch (const std::exception &) {
        /* broken in the middle: its beginning counts */
    }
    r.decoded += c.bytes.size();
    out->swap(c.bytes);
    return !out->empty();
}

std::string text_of(Reader &r, QPDFObjectHandle v)
{
    std::string out;
    if (v.isString())
        out = v.getUTF8Value();
    else if (v.isStream())
        (void)decode(r, v, SCRIPT_MAX, &out);
    return out;
}

/* The file an action names, as a string or as a file specification. */
std::string file_of(QPDFObjectHandle v)
{
    if (v.isString())
        return v.getUTF8Value();
    if (!v.isDictionary())
        return "";
    for (const char *key : {"/UF", "/F", "/Unix", "/DOS", "/Mac"})
        if (v.getKey(key).isString())
            return v.getKey(key).getUTF8Value();
    return "";
}

void report_text(Reader &r, FindingCode code, const std::string &text)
{
    ArenaMark mark = arena_mark(r.s->arena);
    scan_report(r.s, code, r.o, "\"" STR_FMT "\"",
                STR_ARG(scan_printable(r.s->arena, str_of(text), 160)));
    arena_rewind(r.s->arena, mark);
}

void script(Reader &r, QPDFObjectHandle js)
{
    std::string text = text_of(r, js);
    Str found = scan_find_words(str_of(text), exploit_words);
    r.scripts = true;
    report_text(r, FINDING_PDF_JAVASCRIPT, text);
    if (found.len > 0)
        scan_report(r.s, FINDING_PDF_EXPLOIT, r.o, STR_FMT, STR_ARG(found));
}

void launch(Reader &r, QPDFObjectHandle d)
{
    std::string file = file_of(d.getKey("/F"));
    QPDFObjectHandle win = d.getKey("/Win");
    if (win.isDictionary()) {
        file = file_of(win.getKey("/F"));
        if (win.getKey("/P").isString())
            file += " " + win.getKey("/P").getUTF8Value();
    }
    Str name = str_of(file);
    bool document = str_ends_nocase(name, STR(".pdf")) && program_command(name).len == 0;
    report_text(r, document ? FINDING_PDF_REMOTE : FINDING_PDF_LAUNCH, file);
}

void uri(Reader &r, QPDFObjectHandle v)
{
    if (!v.isString())
        return;
    std::string text = v.getUTF8Value(), path = text.substr(0, text.find_first_of("?#"));
    Str u = str_of(text);
    /* ".com" is an address far more often than a program. */
    bool program =
        (names_is_program(str_of(path)) && !str_ends_nocase(str_of(path), STR(".com"))) ||
        names_is_script(str_of(path));
    bool odd = str_starts(u, STR("javascript:")) || str_starts(u, STR("file://")) ||
               str_starts(u, STR("ms-msdt:")) || str_starts(u, STR("search-ms:"));
    /* "page.js" is named as a text, too; a path of it makes it a link. */
    bool web_script =
        str_ends_nocase(str_of(path), STR(".js")) || str_ends_nocase(str_of(path), STR(".url"));
    if (odd || (program && !web_script))
        report_text(r, FINDING_PDF_URI_PROGRAM, text);
}

void embedded(Reader &r, QPDFObjectHandle stream, const std::string &name)
{
    std::string bytes;
    if (!stream.isStream() || !r.taken.insert(stream.getObjGen()).second)
        return;
    report_text(r, FINDING_PDF_ATTACHMENT, name);
    if (decode(r, stream, STREAM_MAX, &bytes))
        scan_inside(r.s, r.o, str_of(bytes), str_of(name), AROUND_DOCUMENT);
}

void file_specification(Reader &r, QPDFObjectHandle d)
{
    QPDFObjectHandle files = d.getKey("/EF");
    if (!files.isDictionary())
        return;
    for (const std::string &key : files.getKeys())
        embedded(r, files.getKey(key), file_of(d));
}

/* An action in the document's or a page's own events runs without a click. */
void automatic(Reader &r, QPDFObjectHandle v, int depth)
{
    if (!v.isDictionary() || depth > 4)
        return;
    if (is(v, "/S", "/JavaScript"))
        r.scripts_open = true;
    for (const std::string &key : v.getKeys())
        if (key == "/Next" || (!v.hasKey("/S") && key.size() <= 3))
            automatic(r, v.getKey(key), depth + 1);
}

void look_at_dict(Reader &r, QPDFObjectHandle d)
{
    QPDFObjectHandle kind = d.getKey("/S"), sub = d.getKey("/Subtype");
    if (d.hasKey("/JS") || kind.isNameAndEquals("/JavaScript"))
        script(r, d.getKey("/JS"));
    if (d.hasKey("/OpenAction"))
        automatic(r, d.getKey("/OpenAction"), 0);
    if (d.hasKey("/AA"))
        automatic(r, d.getKey("/AA"), 0);
    if (kind.isNameAndEquals("/Launch"))
        launch(r, d);
    else if (kind.isNameAndEquals("/SubmitForm"))
        report_text(r, FINDING_PDF_SUBMIT, file_of(d.getKey("/F")));
    else if (kind.isNameAndEquals("/GoToR") || kind.isNameAndEquals("/GoToE") ||
             kind.isNameAndEquals("/ImportData"))
        report_text(r, FINDING_PDF_REMOTE, file_of(d.getKey("/F")));
    else if (kind.isNameAndEquals("/URI"))
        uri(r, d.getKey("/URI"));
    if (sub.isNameAndEquals("/RichMedia") || sub.isNameAndEquals("/3D") ||
        sub.isNameAndEquals("/Flash"))
        scan_report(r.s, FINDING_PDF_RICH_MEDIA, r.o, "%s", sub.getName().c_str() + 1);
    file_specification(r, d);
    /* The tree of scripts that run when the document is opened. */
    if (d.getKey("/JavaScript").isDictionary() && !d.hasKey("/S"))
        r.scripts_open = true;
}

/* What lies directly in an object; what it refers to comes by itself. */
void walk(Reader &r, QPDFObjectHandle v, int depth)
{
    if (depth > DEPTH_MAX)
        return;
    QPDFObjectHandle d = v.isStream() ? v.getDict() : v;
    if (d.isDictionary()) {
        look_at_dict(r, d);
        for (const std::string &key : d.getKeys()) {
            QPDFObjectHandle inner = d.getKey(key);
            if (!inner.isIndirect() && (inner.isDictionary() || inner.isArray()))
                walk(r, inner, depth + 1);
        }
    } else if (d.isArray()) {
        int n = d.getArrayNItems();
        for (int i = 0; i < n; i++) {
            QPDFObjectHandle inner = d.getArrayItem(i);
            if (!inner.isIndirect() && (inner.isDictionary() || inner.isArray()))
                walk(r, inner, depth + 1);
        }
    }
}

/* Streams that are neither pictures, fonts nor pages: there is room for a program in them. */
void look_at_stream(Reader &r, QPDFObjectHandle stream)
{
    QPDFObjectHandle d = stream.getDict();
    std::string bytes;
    if (is(d, "/Type", "/EmbeddedFile") || d.hasKey("/Params")) {
        embedded(r, stream, "embedded file");
        return;
    }
    if (d.hasKey("/Width") || d.hasKey("/Length1") || d.hasKey("/N") || is(d, "/Type", "/XRef") ||
        is(d, "/Type", "/ObjStm") || is(d, "/Type", "/Metadata") || is(d, "/Subtype", "/Form") ||
        !decode(r, stream, STREAM_MAX, &bytes) || bytes.size() < 64)
        return;
    ScanObject part = *r.o;
    part.bytes = str_of(bytes);
    part.name = Str{"", 0};
    part.around = AROUND_DOCUMENT;
    part.type = FileType{};
    part.type.family = "other";
    part.type.extension = "bin";
    program_check(r.s, &part);
    eicar_check(r.s, &part);
}

/* "/J#61vaScript" is /JavaScript for readers. */
void hidden_names(Reader &r)
{
    static const char *const names[] = {"JavaScript", "JS",     "OpenAction",   "AA",
                                        "Launch",     "URI",    "EmbeddedFile", "EmbeddedFiles",
                                        "SubmitForm", "ObjStm", "RichMedia"};
    Str t = r.o->bytes;
    for (size_t at = 0; at < t.len;) {
        const void *slash = memchr(t.ptr + at, '/', t.len - at);
        if (slash == nullptr)
            return;
        at = static_cast<size_t>(static_cast<const char *>(slash) - t.ptr) + 1;
        std::string name;
        bool escaped = false;
        for (size_t i = at; i < t.len && name.size() < 20; i++) {
            unsigned char ch = static_cast<unsigned char>(t.ptr[i]);
            if (ch == '#' && i + 2 < t.len && isxdigit(static_cast<unsigned char>(t.ptr[i + 1])) &&
                isxdigit(static_cast<unsigned char>(t.ptr[i + 2]))) {
                name += static_cast<char>(std::stoi(std::string(t.ptr + i + 1, 2), nullptr, 16));
                i += 2;
                escaped = true;
            } else if (isalnum(ch)) {
                name += static_cast<char>(ch);
            } else {
                break;
            }
        }
        for (const char *known : names)
            if (escaped && name == known)
                scan_report(r.s, FINDING_PDF_HIDDEN_NAMES, r.o, "/%s", known);
    }
}

void by_bytes(Reader &r)
{
    Str t = r.o->bytes;
    bool js = str_find(t, STR("/JavaScript")) != STR_NONE || str_find(t, STR("/JS")) != STR_NONE;
    scan_report(r.s, FINDING_PDF_DAMAGED, r.o, "its objects cannot be read");
    if (js) {
        r.scripts = true;
        scan_report(r.s, FINDING_PDF_JAVASCRIPT, r.o, "by its name in the bytes");
        r.scripts_open =
            str_find(t, STR("/OpenAction")) != STR_NONE || str_find(t, STR("/AA")) != STR_NONE;
    }
    if (str_find(t, STR("/Launch")) != STR_NONE)
        scan_report(r.s, FINDING_PDF_LAUNCH, r.o, "by its name in the bytes");
    if (str_find(t, STR("/EmbeddedFile")) != STR_NONE)
        scan_report(r.s, FINDING_PDF_ATTACHMENT, r.o, "by its name in the bytes");
}

void by_objects(Reader &r, QPDF &qpdf)
{
    int left = OBJECTS_MAX;
    walk(r, qpdf.getTrailer(), 0);
    for (QPDFObjectHandle &v : qpdf.getAllObjects()) {
        if (left-- == 0 || r.s->bomb)
            break;
        walk(r, v, 0);
    }
    left = OBJECTS_MAX;
    for (QPDFObjectHandle &v : qpdf.getAllObjects()) {
        if (left-- == 0 || r.s->bomb)
            break;
        if (v.isStream())
            look_at_stream(r, v);
    }
}

void look(Reader &r)
{
    Buffer buffer(reinterpret_cast<unsigned char *>(const_cast<char *>(r.o->bytes.ptr)),
                  r.o->bytes.len);
    QPDF qpdf;
    qpdf.setSuppressWarnings(true);
    hidden_names(r);
    try {
        qpdf.processInputSource(std::make_shared<BufferInputSource>("input", &buffer, false),
                                nullptr);
        by_objects(r, qpdf);
    } catch (const QPDFExc &e) {
        if (e.getErrorCode() == qpdf_e_password)
            scan_report(r.s, FINDING_ENCRYPTED, r.o, "the document needs a password");
        else
            by_bytes(r);
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        by_bytes(r);
    }
    if (r.scripts && r.scripts_open)
        scan_report(r.s, FINDING_PDF_JAVASCRIPT_AUTO, r.o, "when opened");
}

} // namespace

void pdf_scan(Scan *s, const ScanObject *o)
{
    /* Readers take a PDF that begins within the first kilobyte. */
    if (str_find(str_slice(o->bytes, 0, 1024), STR("%PDF-")) == STR_NONE)
        return;
    Reader r{s, o, {}, 0, false, false};
    try {
        look(r);
    } catch (const std::exception &) {
        scan_report(s, FINDING_NOT_ALL, o, "no memory for all of the PDF");
        s->complete = false;
    }
}
