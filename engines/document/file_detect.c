/* file.detect: what a file really is, from its content.
 *
 * What    media type, usual extension, name for people, family, encoding and language of text; encrypted, with macros, scripts
 *         or other files in it; and whether the name's extension agrees.
 * Why     names and declared types lie, by accident or on purpose; everything else decides by this. */
#include "document/charset.h"
#include "document/detect.h"
#include "document/document.h"
#include "kit/language.h"

#include <string.h>

/* The language of a text, by its beginning; "" when it cannot be told. */
static void language_of(StepCtx *c, Str bytes, const FileType *t, LanguageGuess *out)
{
    enum { HEAD = 64 << 10 };
    *out = (LanguageGuess){0};
    Str head = str_slice(bytes, 0, HEAD), text;
    const char *used;
    Err ignored = {0};
    bool words = strcmp(t->family, "text") == 0 || strcmp(t->media_type, "message/rfc822") == 0;
    bool markup = strstr(t->media_type, "html") != NULL || strstr(t->media_type, "xml") != NULL;
    if (!words || t->charset == NULL ||
        charset_to_utf8(c->arena, head, charset_declared(c->arena, head), &text, &used, &ignored) !=
            OK)
        return;
    language_guess(text.ptr, text.len, markup, out);
    if (!out->reliable)
        out->code[0] = 0;
}

static ErrCode detect_run(StepCtx *c, const void *args)
{
    (void)args;
    if (c->inputs_len == 0)
        return err_set(c->err, ERR_INPUT_MISSING, "no file was given");
    Str bytes, name = c->inputs[0].name;
    ErrCode rc = document_map(c, &bytes);
    if (rc != OK)
        return rc;
    FileType t;
    LanguageGuess language = {0};
    rc = detect_type(c->arena, bytes, &t, c->err);
    if (rc == OK) {
        detect_refine(&t, name);
        language_of(c, bytes, &t, &language);
    }
    document_unmap(&bytes);
    if (rc != OK)
        return rc;
    bool fits = detect_name_fits(&t, name);
    if (c->data == NULL)
        return OK;
    json_kv_c(c->data, "type", t.media_type);
    json_kv_c(c->data, "extension", t.extension);
    json_kv_c(c->data, "name", t.name);
    json_kv_c(c->data, "family", t.family);
    if (t.charset != NULL)
        json_kv_c(c->data, "charset", t.charset);
    if (language.code[0] != 0)
        json_kv_c(c->data, "language", language.code);
    json_kv_bool(c->data, "encrypted", t.encrypted);
    json_kv_bool(c->data, "macros", t.macros);
    json_kv_bool(c->data, "javascript", t.javascript);
    json_kv_bool(c->data, "embedded_files", t.embedded);
    if (t.strict)
        json_kv_bool(c->data, "strict", true);
    json_kv_bool(c->data, "name_matches", fits);
    if (!fits && strcmp(t.media_type, "application/octet-stream") != 0)
        json_kv_str(c->data, "suggestion", detect_better_name(c->arena, &t, name));
    return OK;
}

static const Field detect_fields[] = {
    {"type", FIELD_TYPE_TEXT, "Media type; application/octet-stream when unknown."},
    {"extension", FIELD_TYPE_TEXT, "Usual extension, without the dot."},
    {"name", FIELD_TYPE_TEXT, "The type in words."},
    {"family", FIELD_TYPE_TEXT,
     "One of document, text, image, audio, video, archive, program, other."},
    {"charset", FIELD_TYPE_TEXT, "Encoding of text (IANA name).", .optional = true},
    {"language", FIELD_TYPE_TEXT, "Language of text (BCP 47), when it can be told.",
     .optional = true},
    {"encrypted", FIELD_TYPE_BOOL,
     "It is encrypted, or parts of it are: a password may be needed to read it."},
    {"macros", FIELD_TYPE_BOOL, "It carries macros (programs that an office suite would run)."},
    {"javascript", FIELD_TYPE_BOOL, "It carries JavaScript (PDF, HTML, SVG)."},
    {"embedded_files", FIELD_TYPE_BOOL, "Other files lie in it: attachments, objects."},
    {"strict", FIELD_TYPE_BOOL, "Office Open XML as ISO 29500 Strict has it.", .optional = true},
    {"name_matches", FIELD_TYPE_BOOL, "The extension of the file's name agrees with its content."},
    {"suggestion", FIELD_TYPE_TEXT, "A better file name, when it does not.", .optional = true},
    {0},
};

const Step step_file_detect = {
    .name = "file.detect",
    .title = "Detect file type",
    .summary = "Tell what a file is from its content: type, encoding, language, encryption, "
               "macros, scripts, embedded files, and whether its name is right.",
    .since = "0.1",
    .accepts = "*/*",
    .version = 2,
    .cacheable = true,
    .limits = {.time_ms = 30 * 1000,
               .cpu_ms = 20 * 1000,
               .memory_bytes = 256 << 20,
               .output_bytes = 1 << 20},
    .data = detect_fields,
    .errors = (const ErrCode[]){ERR_INPUT_MISSING, ERR_INPUT_EMPTY, OK},
    .examples = (const Example[]){{.title = "A PDF",
                                   .input = "report.pdf",
                                   .args = "{}",
                                   .expect = "type=application/pdf;name_matches=true"},
                                  {.title = "Old Russian text",
                                   .input = "koi8-r.txt",
                                   .args = "{}",
                                   .expect = "type=text/plain;charset=KOI8-R;language=ru"},
                                  {.title = "A locked Office file",
                                   .input = "locked.docx",
                                   .args = "{}",
                                   .expect = "type=application/x-ooxml-encrypted;encrypted=true"},
                                  {0}},
    .run = detect_run,
};
