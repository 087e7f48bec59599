/* file.detect: what a file really is, from its content.
 *
 * What    media type, usual extension, name for people, family, encoding of text; encrypted or with macros; and whether the
 *         name's extension agrees.
 * Why     names and declared types lie, by accident or on purpose; everything else decides by this. */
#include "document/detect.h"
#include "document/document.h"

#include <string.h>

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
    rc = detect_type(c->arena, bytes, &t, c->err);
    document_unmap(&bytes);
    if (rc != OK)
        return rc;
    detect_refine(&t, name);
    bool fits = detect_name_fits(&t, name);
    if (c->data == NULL)
        return OK;
    json_kv_c(c->data, "type", t.media_type);
    json_kv_c(c->data, "extension", t.extension);
    json_kv_c(c->data, "name", t.name);
    json_kv_c(c->data, "family", t.family);
    if (t.charset != NULL)
        json_kv_c(c->data, "charset", t.charset);
    json_kv_bool(c->data, "encrypted", t.encrypted);
    json_kv_bool(c->data, "macros", t.macros);
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
    {"encrypted", FIELD_TYPE_BOOL, "A password is needed to read it, or parts of it."},
    {"macros", FIELD_TYPE_BOOL, "It carries macros (programs that an office suite would run)."},
    {"name_matches", FIELD_TYPE_BOOL, "The extension of the file's name agrees with its content."},
    {"suggestion", FIELD_TYPE_TEXT, "A better file name, when it does not.", .optional = true},
    {0},
};

const Step step_file_detect = {
    .name = "file.detect",
    .title = "Detect file type",
    .summary = "Tell what a file is from its content: type, encoding, encryption, macros, and "
               "whether its name is right.",
    .since = "0.1",
    .accepts = "*/*",
    .version = 1,
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
                                   .expect = "type=text/plain;charset=KOI8-R"},
                                  {0}},
    .run = detect_run,
};
