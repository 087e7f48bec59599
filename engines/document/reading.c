#include "document/reading.h"

#include <string.h>

#include "document/calls.h"
#include "document/detect.h"
#include "document/detect_in.h"
#include "document/document.h"
#include "document/ooxml_crypt.h"

static const struct {
    TypeId type;
    DocReader read;
} readers[] = {
#define READER(type, function) {TYPE_##type, function},
#include "document/readers.def"
#undef READER
};

static const char *const type_names[TYPE_COUNT] = {
#define TYPE(id, media_type, extension, name, family, others) [TYPE_##id] = media_type,
#include "document/types.def"
#undef TYPE
};

static bool is_type(const FileType *t, TypeId id)
{
    return strcmp(type_names[id], t->media_type) == 0;
}

static DocReader reader_of(const FileType *t)
{
    for (size_t i = 0; i < COUNT_OF(readers); i++)
        if (is_type(t, readers[i].type))
            return readers[i].read;
    return NULL;
}

/* What only an office suite reads, and as what it comes back. */
typedef struct Office {
    TypeId type;
    const char *to;
} Office;

static const Office office_types[] = {
    {TYPE_DOC, "docx"},     {TYPE_XLS, "xlsx"},    {TYPE_PPT, "pptx"},
    {TYPE_XLSB, "xlsx"},    {TYPE_PUB, "pdf"},     {TYPE_VSD, "pdf"},
    {TYPE_VSDX, "pdf"},     {TYPE_VSDM, "pdf"},    {TYPE_WORDPERFECT, "docx"},
    {TYPE_WORKS, "docx"},   {TYPE_LOTUS, "xlsx"},  {TYPE_QUATTRO, "xlsx"},
    {TYPE_HWP, "docx"},     {TYPE_WORDML, "docx"}, {TYPE_EXCELML, "xlsx"},
    {TYPE_ABIWORD, "docx"}, {TYPE_PAGES, "docx"},  {TYPE_NUMBERS, "xlsx"},
    {TYPE_KEYNOTE, "pptx"}, {TYPE_DBF, "xlsx"},
};

static const Office *office_of(const FileType *t)
{
    for (size_t i = 0; i < COUNT_OF(office_types); i++)
        if (is_type(t, office_types[i].type))
            return &office_types[i];
    return NULL;
}

/* What to do with a file that nothing here reads. */
static const char *advice(const FileType *t)
{
    static const struct {
        TypeId type;
        const char *advice;
    } special[] = {
        {TYPE_POSTSCRIPT, "convert it to PDF and send that"},
        {TYPE_DJVU, "convert it to PDF and send that"},
        {TYPE_XPS, "convert it to PDF and send that"},
        {TYPE_MOBI, "convert it to EPUB and send that"},
        {TYPE_TNEF, "ask the sender to send it as HTML or plain text"},
        {TYPE_UNKNOWN, "the content is of no known type: check that the file is whole"},
    };
    static const struct {
        const char *family, *advice;
    } families[] = {
        {"archive", "unpack it first (archive.extract), then send the files in it"},
        {"audio", "it is sound: transcribe it"},
        {"video", "it is a video: transcribe its sound"},
        {"program", "it is a program, not a document"},
    };
    for (size_t i = 0; i < COUNT_OF(special); i++)
        if (is_type(t, special[i].type))
            return special[i].advice;
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (strcmp(families[i].family, t->family) == 0)
            return families[i].advice;
    return "send it as PDF, DOCX, HTML or text";
}

static ErrCode refuse(const DocInput *in, const FileType *t)
{
    Err *err = in->step->err;
    err_set(err, ERR_UNSUPPORTED_TYPE, "cannot read text from \"" STR_FMT "\": it is %s (%s)",
            STR_ARG(str_slice(in->name, 0, 60)), t->name, t->media_type);
    err_hint(err, "%s", advice(t));
    return ERR_UNSUPPORTED_TYPE;
}

static void note_false_name(const DocInput *in, const FileType *t)
{
    if (detect_name_fits(t, in->name) || is_type(t, TYPE_UNKNOWN))
        return;
    Str text = str_printf(in->step->arena, "\"" STR_FMT "\" is in fact %s (%s); read as that",
                          STR_ARG(str_slice(in->name, 0, 80)), t->name, t->media_type);
    if (text.ptr != NULL)
        step_note(in->step, text);
}

Str reading_charset(Str type)
{
    size_t at = str_find(type, STR("charset="));
    if (at == STR_NONE)
        return STR("");
    Str v = str_slice(type, at + 8, type.len);
    size_t end = str_find_char(v, ';');
    v = str_trim(end == STR_NONE ? v : str_slice(v, 0, end));
    return v.len >= 2 && v.ptr[0] == '"' ? str_slice(v, 1, v.len - 1) : v;
}

/* What is told of the bytes that the reader gets in place of the file's. */
static ErrCode replace_bytes(Reading *r, Str bytes, FileType *inner)
{
    StepCtx *c = r->in.step;
    r->in.bytes = bytes;
    r->in.fd = -1;
    r->in.charset = STR("");
    return detect_type(c->arena, bytes, inner, c->err);
}

static ErrCode unlock(Reading *r)
{
    StepCtx *c = r->in.step;
    Str bytes;
    if (!is_type(&r->type, TYPE_OOXML_ENCRYPTED))
        return OK;
    ErrCode rc = ooxml_decrypt(c->arena, r->in.bytes, r->in.password, &bytes, c->err);
    FileType inner;
    if (rc == OK)
        rc = replace_bytes(r, bytes, &inner);
    if (rc == OK)
        r->type = inner;
    return rc;
}

/* OpenDocument and old Office files that are encrypted are opened by the office suite. */
static const char *locked_kind(const FileType *t)
{
    static const struct {
        TypeId type;
        const char *to;
    } kinds[] = {{TYPE_ODT, "docx"}, {TYPE_OTT, "docx"}, {TYPE_ODS, "xlsx"}, {TYPE_OTS, "xlsx"},
                 {TYPE_ODP, "pptx"}, {TYPE_OTP, "pptx"}, {TYPE_ODG, "pdf"}};
    for (size_t i = 0; i < COUNT_OF(kinds) && t->encrypted; i++)
        if (is_type(t, kinds[i].type))
            return kinds[i].to;
    return NULL;
}

static ErrCode ask_password(const DocInput *in, const FileType *t)
{
    Err *err = in->step->err;
    err_set(err, ERR_INPUT_ENCRYPTED, "the file is encrypted: %s", t->name);
    err_hint(err, "pass its password as `password`");
    return ERR_INPUT_ENCRYPTED;
}

/* Readers of the plain text of some of them, for where no office suite is. */
static DocReader plain_reader(const FileType *t)
{
    return t->encrypted           ? NULL
           : is_type(t, TYPE_DOC) ? read_doc97
           : is_type(t, TYPE_PPT) ? read_ppt97
                                  : NULL;
}

static ErrCode convert(Reading *r, const char *to)
{
    FileType inner;
    Str bytes;
    ErrCode rc = calls_office(&r->in, r->type.extension, to, &bytes);
    r->read = rc == ERR_UNSUPPORTED_TYPE ? plain_reader(&r->type) : NULL;
    if (r->read != NULL) {
        step_note(r->in.step, STR("LibreOffice's engine is not here: only the plain text is read"));
        return OK;
    }
    if (rc != OK)
        return rc;
    r->mapped = bytes;
    rc = replace_bytes(r, bytes, &inner);
    if (rc == OK)
        r->read = reader_of(&inner);
    if (rc == OK && r->read == NULL)
        rc = refuse(&r->in, &inner);
    return rc;
}

/* Which pictures OCR reads: what the picture library opens. */
static bool is_picture(const FileType *t)
{
    static const TypeId others[] = {TYPE_SVG,   TYPE_DJVU, TYPE_EMF, TYPE_WMF,
                                    TYPE_DICOM, TYPE_DWG,  TYPE_DXF};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (is_type(t, others[i]))
            return false;
    return strcmp(t->family, "image") == 0;
}

static ErrCode choose(Reading *r)
{
    const DocInput *in = &r->in;
    const FileType *t = &r->type;
    const Office *office = office_of(t);
    const char *to = office != NULL ? office->to : locked_kind(t);
    bool pdf = is_type(t, TYPE_PDF); /* unlocked by its reader */
    if (t->encrypted && !pdf && in->password.len == 0 && strcmp(t->family, "document") == 0 &&
        !is_type(t, TYPE_EML))
        return ask_password(in, t);
    if (to != NULL)
        return convert(r, to);
    r->read = is_picture(t) ? read_picture : reader_of(t);
    return r->read != NULL ? OK : refuse(in, t);
}

ErrCode reading_open(const DocInput *in, Reading *out)
{
    StepCtx *c = in->step;
    *out = (Reading){.in = *in};
    ErrCode rc = detect_type(c->arena, in->bytes, &out->type, c->err);
    if (rc != OK)
        return rc;
    detect_refine(&out->type, in->name);
    note_false_name(in, &out->type);
    rc = unlock(out);
    out->in.type = str_from_c(out->type.media_type);
    return rc == OK ? choose(out) : rc;
}

void reading_close(Reading *r)
{
    document_unmap(&r->mapped);
    *r = (Reading){0};
}
