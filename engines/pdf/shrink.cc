/* shrink.cc: pictures that are finer than they need to be, and streams that are there twice.
 *
 * Pictures  the content of every page is followed to learn how large each picture is drawn; one
 *           that is finer than asked for is averaged down and becomes a JPEG. A picture is replaced
 *           only when the new one is smaller. Left as they are: pictures of 1 bit (scans of text),
 *           four inks, JPEG 2000, and what has a mask by colour.
 * Twice     fonts and pictures with the same bytes and the same dictionary become one. */
#include "pdf/qpdf_in.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <qpdf/QPDFMatrix.hh>

namespace
{

const int DEPTH_MAX = 12;
const size_t OPERATORS_MAX = 5 * 1000 * 1000, STATES_MAX = 1000;
const int64_t PIXELS_MAX = 64 * 1000 * 1000, SMALLEST = 32 * 32;
const double FINER = 1.1; /* scaling by less is not worth its loss */

/* How large a picture is drawn at most, in points along its own sides. */
struct Use {
    double w = 0, h = 0;
};
typedef std::map<QPDFObjGen, Use> Uses;

struct Walk {
    Uses &uses;
    size_t operators = 0;
    std::set<QPDFObjGen> open; /* forms that are being walked */
};

void walk_content(Walk &w, QPDFObjectHandle content, QPDFObjectHandle resources, QPDFMatrix m,
                  int depth);

class Follower : public QPDFObjectHandle::ParserCallbacks
{
  public:
    Follower(Walk &of, QPDFObjectHandle from, const QPDFMatrix &m, int level)
        : walk(of), resources(from), ctm(m), depth(level)
    {
    }
    void handleObject(QPDFObjectHandle o, size_t, size_t) override
    {
        if (!o.isOperator()) {
            if (operands.size() < 16)
                operands.push_back(o);
            return;
        }
        if (++walk.operators > OPERATORS_MAX)
            terminateParsing();
        run(o.getOperatorValue());
        operands.clear();
    }
    void handleEOF() override
    {
    }

  private:
    void run(const std::string &op)
    {
        if (op == "q" && states.size() < STATES_MAX) {
            states.push_back(ctm);
        } else if (op == "Q" && !states.empty()) {
            ctm = states.back();
            states.pop_back();
        } else if (op == "cm" && operands.size() == 6) {
            double v[6];
            for (size_t i = 0; i < 6; i++)
                v[i] = operands[i].isNumber() ? operands[i].getNumericValue() : 0;
            ctm.concat(QPDFMatrix(v[0], v[1], v[2], v[3], v[4], v[5]));
        } else if (op == "Do" && operands.size() == 1 && operands[0].isName()) {
            draw(operands[0].getName());
        }
    }
    void draw(const std::string &key)
    {
        QPDFObjectHandle objects = resources.getKey("/XObject"),
                         x = objects.isDictionary() ? objects.getKey(key)
                                                    : QPDFObjectHandle::newNull();
        if (!x.isStream())
            return;
        QPDFObjectHandle kind = x.getDict().getKey("/Subtype");
        if (kind.isNameAndEquals("/Image")) {
            Use &u = walk.uses[x.getObjGen()];
            u.w = std::max(u.w, std::hypot(ctm.a, ctm.b));
            u.h = std::max(u.h, std::hypot(ctm.c, ctm.d));
        } else if (kind.isNameAndEquals("/Form") && depth < DEPTH_MAX &&
                   walk.open.insert(x.getObjGen()).second) {
            QPDFObjectHandle inner = x.getDict().getKey("/Resources");
            QPDFMatrix m = ctm;
            if (x.getDict().getKey("/Matrix").isMatrix())
                m.concat(QPDFMatrix(x.getDict().getKey("/Matrix").getArrayAsMatrix()));
            walk_content(walk, x, inner.isDictionary() ? inner : resources, m, depth + 1);
            walk.open.erase(x.getObjGen());
        }
    }
    Walk &walk;
    QPDFObjectHandle resources;
    QPDFMatrix ctm;
    int depth;
    std::vector<QPDFMatrix> states;
    std::vector<QPDFObjectHandle> operands;
};

/* Content that breaks off has shown the pictures before it. */
void walk_content(Walk &w, QPDFObjectHandle content, QPDFObjectHandle resources, QPDFMatrix m,
                  int depth)
{
    Follower f(w, resources, m, depth);
    try {
        if (depth == 0)
            content.parsePageContents(&f);
        else
            content.parseAsContents(&f);
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
    }
}

Uses find_uses(Pdf *pdf)
{
    Uses uses;
    for (QPDFPageObjectHelper &page : pdf->pages) {
        Walk w{uses, 0, {}};
        QPDFObjectHandle resources = page.getAttribute("/Resources", false);
        if (resources.isDictionary())
            walk_content(w, page.getObjectHandle(), resources, QPDFMatrix(), 0);
    }
    return uses;
}

/* 1, 3, or 0 for a space we leave alone. */
int channels_of(QPDFObjectHandle space)
{
    if (space.isNameAndEquals("/DeviceGray") || space.isNameAndEquals("/CalGray"))
        return 1;
    if (space.isNameAndEquals("/DeviceRGB"))
        return 3;
    if (!space.isArray() || space.getArrayNItems() < 2 || !space.getArrayItem(0).isName())
        return 0;
    std::string kind = space.getArrayItem(0).getName();
    if (kind == "/CalGray" || kind == "/CalRGB")
        return kind == "/CalGray" ? 1 : 3;
    QPDFObjectHandle profile = space.getArrayItem(1);
    if (kind == "/ICCBased" && profile.isStream() && profile.getDict().getKey("/N").isInteger()) {
        long long n = profile.getDict().getKey("/N").getIntValue();
        return n == 1 || n == 3 ? static_cast<int>(n) : 0;
    }
    return 0;
}

/* Colours of an indexed picture: 0 when it has another space below. */
int palette_of(QPDFObjectHandle space, std::string *colours)
{
    if (!space.isArray() || space.getArrayNItems() != 4 ||
        !space.getArrayItem(0).isNameAndEquals("/Indexed"))
        return 0;
    QPDFObjectHandle table = space.getArrayItem(3);
    if (table.isString()) {
        *colours = table.getStringValue();
    } else if (table.isStream()) {
        std::shared_ptr<Buffer> b = table.getStreamData(qpdf_dl_specialized);
        colours->assign(reinterpret_cast<const char *>(b->getBuffer()), b->getSize());
    }
    return channels_of(space.getArrayItem(1));
}

struct Image {
    QPDFObjectHandle stream;
    int64_t width, height;
    int channels;
    bool indexed;
    std::string palette;
};

bool is_plain_decode(QPDFObjectHandle decode)
{
    if (!decode.isArray())
        return true;
    for (int i = 0; i < decode.getArrayNItems(); i++)
        if (!decode.getArrayItem(i).isNumber() || decode.getArrayItem(i).getNumericValue() != i % 2)
            return false;
    return true;
}

bool understand(QPDFObjectHandle stream, Image *out)
{
    QPDFObjectHandle d = stream.getDict(), w = d.getKey("/Width"), h = d.getKey("/Height"),
                     space = d.getKey("/ColorSpace");
    if (!w.isInteger() || !h.isInteger() || d.getKey("/Mask").isArray() ||
        !d.getKey("/BitsPerComponent").isInteger() ||
        d.getKey("/BitsPerComponent").getIntValue() != 8 || d.hasKey("/Matte"))
        return false;
    *out = Image{stream, w.getIntValue(), h.getIntValue(), channels_of(space), false, {}};
    if (out->channels == 0) {
        out->channels = palette_of(space, &out->palette);
        out->indexed = out->channels != 0;
    }
    return out->channels != 0 && out->width > 0 && out->height > 0 &&
           out->width <= PIXELS_MAX / out->height && out->width * out->height >= SMALLEST &&
           (out->indexed || is_plain_decode(d.getKey("/Decode")));
}

bool unfold(Arena *a, const Image &im, const unsigned char *data, size_t len, Picture *out)
{
    size_t count = static_cast<size_t>(im.width * im.height),
           each = static_cast<size_t>(im.channels);
    *out = Picture{nullptr, im.width, im.height, im.channels};
    if (!im.indexed) {
        out->pixels = const_cast<unsigned char *>(data);
        return len >= count * each;
    }
    out->pixels = static_cast<uint8_t *>(arena_alloc_raw(a, count * each));
    if (out->pixels == nullptr || len < count)
        return false;
    for (size_t i = 0; i < count; i++)
        for (size_t ch = 0; ch < each; ch++) {
            size_t at = data[i] * each + ch;
            out->pixels[i * each + ch] =
                at < im.palette.size() ? static_cast<uint8_t>(im.palette[at]) : 0;
        }
    return true;
}

void replace(const Image &im, const Picture &p, Str jpeg)
{
    QPDFObjectHandle stream = im.stream, d = stream.getDict();
    stream.replaceStreamData(to_std(jpeg), QPDFObjectHandle::newName("/DCTDecode"),
                             QPDFObjectHandle::newNull());
    d.replaceKey("/Width", QPDFObjectHandle::newInteger(p.width));
    d.replaceKey("/Height", QPDFObjectHandle::newInteger(p.height));
    d.replaceKey("/BitsPerComponent", QPDFObjectHandle::newInteger(8));
    d.removeKey("/Decode");
    if (im.indexed)
        d.replaceKey("/ColorSpace", d.getKey("/ColorSpace").getArrayItem(1));
}

bool is_jpeg(QPDFObjectHandle d)
{
    QPDFObjectHandle f = d.getKey("/Filter");
    return f.isNameAndEquals("/DCTDecode") || (f.isArray() && f.getArrayNItems() == 1 &&
                                               f.getArrayItem(0).isNameAndEquals("/DCTDecode"));
}

bool shrink_one(Arena *a, const Image &im, const Use &use, const Shrink *how)
{
    double wanted_w = std::ceil(use.w / 72 * static_cast<double>(how->dpi)),
           wanted_h = std::ceil(use.h / 72 * static_cast<double>(how->dpi));
    bool finer = how->dpi > 0 && use.w > 0 && static_cast<double>(im.width) > wanted_w * FINER &&
                 static_cast<double>(im.height) > wanted_h * FINER;
    /* A JPEG that keeps its size would only lose: it is coded once already. */
    QPDFObjectHandle stream = im.stream;
    if (!finer && is_jpeg(stream.getDict()))
        return false;
    std::shared_ptr<Buffer> raw = stream.getRawStreamData();
    std::shared_ptr<Buffer> data = stream.getStreamData(qpdf_dl_all);
    Picture p;
    if (!unfold(a, im, data->getBuffer(), data->getSize(), &p))
        return false;
    if (finer)
        p = picture_scale(a, &p, std::max<int64_t>(1, static_cast<int64_t>(wanted_w)),
                          std::max<int64_t>(1, static_cast<int64_t>(wanted_h)));
    Str jpeg;
    if (p.pixels == nullptr || !picture_to_jpeg(a, &p, static_cast<int>(how->quality), &jpeg) ||
        jpeg.len >= raw->getSize())
        return false;
    replace(im, p, jpeg);
    return true;
}

void shrink_pictures(StepCtx *c, Pdf *pdf, const Shrink *how, ShrinkResult *out)
{
    Uses uses = find_uses(pdf);
    int64_t done = 0;
    for (auto const &u : uses) {
        QPDFObjectHandle stream = pdf->qpdf.getObject(u.first);
        Image im;
        step_progress(c, ++done, static_cast<int64_t>(uses.size()), "pictures");
        out->pictures++;
        if (!stream.isStream() || !understand(stream, &im))
            continue;
        ArenaMark mark = arena_mark(c->arena);
        try {
            out->pictures_changed += shrink_one(c->arena, im, u.second, how);
        } catch (const QPDFExc &) { /* a broken picture stays as it is */
        } catch (const std::runtime_error &) {
        }
        arena_rewind(c->arena, mark);
    }
}

/* Streams that are equal to the byte: their raw data and their dictionaries. */
std::string fingerprint(QPDFObjectHandle stream, const std::shared_ptr<Buffer> &raw)
{
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < raw->getSize(); i++)
        h = (h ^ raw->getBuffer()[i]) * 1099511628211ULL;
    return std::to_string(raw->getSize()) + ":" + std::to_string(h) + stream.getDict().unparse();
}

bool same_bytes(const std::shared_ptr<Buffer> &a, QPDFObjectHandle b)
{
    std::shared_ptr<Buffer> other = b.getRawStreamData();
    return a->getSize() == other->getSize() &&
           std::equal(a->getBuffer(), a->getBuffer() + a->getSize(), other->getBuffer());
}

typedef std::map<QPDFObjGen, QPDFObjectHandle> Replacements;

Replacements find_duplicates(QPDF &qpdf)
{
    std::map<std::string, QPDFObjectHandle> first;
    Replacements out;
    for (QPDFObjectHandle &o : qpdf.getAllObjects()) {
        if (!o.isStream() || o.getDict().getKey("/Type").isNameAndEquals("/Metadata"))
            continue;
        QPDFObjectHandle length = o.getDict().getKey("/Length");
        if (!length.isInteger() || length.getIntValue() < 256)
            continue;
        try {
            std::shared_ptr<Buffer> raw = o.getRawStreamData();
            auto at = first.emplace(fingerprint(o, raw), o);
            if (!at.second && same_bytes(raw, at.first->second))
                out[o.getObjGen()] = at.first->second;
        } catch (const std::runtime_error &) { /* unreadable: left as it is */
        }
    }
    return out;
}

/* Inside one indirect object; what it refers to is visited on its own. */
void redirect(QPDFObjectHandle o, const Replacements &to, int depth)
{
    auto look = [&](QPDFObjectHandle v) {
        auto at = v.isIndirect() ? to.find(v.getObjGen()) : to.end();
        return at == to.end() ? QPDFObjectHandle() : at->second;
    };
    QPDFObjectHandle d = o.isStream() ? o.getDict() : o;
    if (depth > DEPTH_MAX * 4)
        return;
    if (d.isDictionary()) {
        for (const std::string &key : d.getKeys()) {
            QPDFObjectHandle v = d.getKey(key), r = look(v);
            if (r.isInitialized())
                d.replaceKey(key, r);
            else if (!v.isIndirect())
                redirect(v, to, depth + 1);
        }
    } else if (d.isArray()) {
        for (int i = 0; i < d.getArrayNItems(); i++) {
            QPDFObjectHandle v = d.getArrayItem(i), r = look(v);
            if (r.isInitialized())
                d.setArrayItem(i, r);
            else if (!v.isIndirect())
                redirect(v, to, depth + 1);
        }
    }
}

} // namespace

ErrCode pdf_shrink(StepCtx *c, Pdf *pdf, const Shrink *how, ShrinkResult *out)
{
    *out = ShrinkResult{};
    return pdf_guard(c->err, "making the document smaller", [&] {
        /* With this, decoding gives the pixels of JPEG, too. */
        if (how->dpi > 0 || how->quality > 0) {
            Shrink s = *how;
            s.quality = s.quality > 0 ? s.quality : 75;
            shrink_pictures(c, pdf, &s, out);
        }
        Replacements twice = find_duplicates(pdf->qpdf);
        out->duplicates = static_cast<int64_t>(twice.size());
        if (!twice.empty())
            for (QPDFObjectHandle &o : pdf->qpdf.getAllObjects())
                redirect(o, twice, 0);
        return OK;
    });
}
