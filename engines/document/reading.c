#include "document/reading.h"

#include <string.h>

#include "document/detect.h"
#include "document/detect_in.h"
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
        {TYPE_UNKNOWN, "the content is of no known type: check that the file is whole"},
    };
    static const struct {
        const char *family, *advice;
    } families[] = {
        {"image", "it is a picture: run OCR on it"},
        {"archive", "unpack it first, then send the files in it"},
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

static ErrCode refuse_encrypted(const DocInput *in, const FileType *t)
{
    Err *err = in->step->err;
    err_set(err, ERR_INPUT_ENCRYPTED, "the file is encrypted: %s", t->name);
    err_hint(err, "open it with its password, save it without one, and send that");
    return ERR_INPUT_ENCRYPTED;
}

static void note_false_name(const DocInput *in, const FileType *t)
{
    if (detect_name_fits(t, in->name))
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

/* The name of what a reader of its own kind takes; "" when nothing is encrypted. */
static ErrCode unlock(Reading *r)
{
    DocInput *in = &r->in;
    FileType *t = &r->type, inner;
    StepCtx *c = in->step;
    if (!is_type(t, TYPE_OOXML_ENCRYPTED))
        return OK;
    ErrCode rc = ooxml_decrypt(c->arena, in->bytes, in->password, &in->bytes, c->err);
    if (rc == OK)
        rc = detect_type(c->arena, in->bytes, &inner, c->err);
    if (rc != OK)
        return rc;
    *t = inner;
    t->encrypted = false;
    return OK;
}

ErrCode reading_open(const DocInput *in, Reading *out)
{
    StepCtx *c = in->step;
    *out = (Reading){.in = *in};
    FileType *t = &out->type;
    ErrCode rc = detect_type(c->arena, in->bytes, t, c->err);
    if (rc != OK)
        return rc;
    detect_refine(t, in->name);
    note_false_name(in, t);
    rc = unlock(out);
    if (rc != OK)
        return rc;
    /* the only kind that is unlocked by its reader */
    if (t->encrypted && !is_type(t, TYPE_PDF) && strcmp(t->family, "document") == 0)
        return refuse_encrypted(in, t);
    out->in.type = str_from_c(t->media_type);
    out->read = reader_of(t);
    return out->read != NULL ? OK : refuse(in, t);
}

void reading_close(Reading *r)
{
    *r = (Reading){0};
}
