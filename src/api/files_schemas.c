/* What the routes of documents, files and previews take and answer. */
#include "api/files.h"
#include "api/fields.h"

/* --- taken --- */

const Choice family_choices[] = {
    {"any", "Every file."},        {"document", "Texts, tables, office files, PDF, mail."},
    {"image", "Pictures."},        {"audio", "Sound."},
    {"video", "Video."},           {"archive", "Archives and compressed files."},
    {"other", "Everything else."}, {0},
};

#define PAGE(T)                                                                                    \
    PARAM_INT(T, limit, .min = 1, .max = 200, .def = 50, .help = "Items per page."),               \
        PARAM_TEXT(T, cursor, .help = "The \"next\" of the page before.")
#define FIND(T)                                                                                    \
    PARAM_TEXT(T, q, .max_len = 200, .example = "annual rep",                                      \
               .help = "Only names and tags with words that begin like these."),                   \
        PARAM_TEXT(T, tag, .max_len = DOCUMENT_TAG_BYTES_MAX, .example = "invoice",                \
                   .help = "Only documents that carry this tag."),                                 \
        PARAM_CHOICE(T, type, .choices = family_choices, .help = "Only files of this kind.")

const Param documents_query_params[] = {PAGE(DocumentsQuery), FIND(DocumentsQuery), PARAM_END};

static const Choice from_choices[] = {
    [FILES_ANY] = {"any", "Documents and outputs."},
    [FILES_UPLOADED] = {"uploaded", "Only documents."},
    [FILES_MADE] = {"made", "Only outputs of jobs."},
    {0},
};
const Param files_query_params[] = {
    PAGE(FilesQuery),
    FIND(FilesQuery),
    PARAM_CHOICE(FilesQuery, from, .choices = from_choices, .help = "Where they are from."),
    PARAM_TEXT(FilesQuery, step, .max_len = 64, .example = "document.extract",
               .help = "Only what this step made."),
    PARAM_TEXT(FilesQuery, pipeline, .max_len = 64, .example = "blog",
               .help = "Only what jobs of this pipeline made."),
    PARAM_END,
};

const Param content_query_params[] = {
    PARAM_INT(ContentQuery, version, .min = 1, .max = INT64_MAX,
              .help = "An earlier version; the current one when left out."),
    PARAM_END,
};

const Param document_body_params[] = {
    PARAM_TEXT(DocumentBody, name, .max_len = DOCUMENT_NAME_MAX, .example = "report.pdf",
               .help = "New name; as it is when left out."),
    PARAM_LIST(DocumentBody, tags, .max_len = DOCUMENT_TAGS_MAX,
               .help = "All tags from now on; as they are when left out."),
    PARAM_END,
};

const Param keep_body_params[] = {
    PARAM_TEXT(KeepBody, blob, .required = true, .max_len = BLOB_HASH_LEN,
               .help = "SHA-256 of bytes that the project can see, say, an output of a job."),
    PARAM_TEXT(KeepBody, name, .required = true, .max_len = DOCUMENT_NAME_MAX,
               .example = "report.md", .help = "Name of the document."),
    PARAM_TEXT(KeepBody, type, .max_len = 255, .example = "text/markdown",
               .help = "Media type of the bytes."),
    PARAM_LIST(KeepBody, tags, .max_len = DOCUMENT_TAGS_MAX, .help = "Tags it carries."),
    PARAM_END,
};

const Param tags_query_params[] = {
    PARAM_INT(TagsQuery, limit, .min = 1, .max = 500, .def = 200, .help = "Tags per page."),
    PARAM_TEXT(TagsQuery, after, .max_len = DOCUMENT_TAG_BYTES_MAX,
               .help = "The \"next\" of the page before."),
    PARAM_END,
};

const Param uses_query_params[] = {
    PARAM_INT(UsesQuery, limit, .min = 1, .max = 100, .def = 20, .help = "Jobs per page."),
    PARAM_TEXT(UsesQuery, cursor, .help = "The \"next\" of the page before."),
    PARAM_END,
};

/* --- answered --- */

const Field document_fields[] = {
    TEXT("id", "Id of the document, doc_…."),
    TEXT("name", "Name of the file."),
    TEXT("type", "Media type as sent; may be empty."),
    INT("bytes", "Size."),
    TEXT("blob", "SHA-256 of its bytes."),
    LIST("tags", NULL, "Its tags, in order."),
    INT("version", "Number of its content, from 1."),
    INT("revision", "Rises with every change; If-Match names it."),
    TIME("created", "When it was added."),
    TIME("changed", "When it was changed last."),
    {0},
};
const Field document_list_fields[] = {
    LIST("documents", document_fields, "Newest first."), NEXT, {0}};

static const Field version_fields[] = {
    INT("version", "Its number."),
    BOOL("current", "It is what the document is now."),
    TEXT("type", "Media type; may be empty."),
    INT("bytes", "Size."),
    TEXT("blob", "SHA-256 of its bytes."),
    TIME("created", "When it came."),
    {0},
};
const Field document_version_list_fields[] = {
    LIST("versions", version_fields, "Newest first."), NEXT, {0}};

static const Field tag_fields[] = {
    TEXT("tag", "The tag."), INT("documents", "How many documents carry it."), {0}};
const Field tag_list_fields[] = {LIST("tags", tag_fields, "In order."), NEXT, {0}};

static const Choice file_origins[] = {
    {"document", "Somebody uploaded or kept it."},
    {"job", "A job made it."},
    {0},
};
static const Field any_file_fields[] = {
    {.name = "from", .type = FIELD_TYPE_TEXT, .choices = file_origins, .help = "Where it is from."},
    TEXT("name", "Name of the file."),
    TEXT("type", "Media type; may be empty."),
    INT("bytes", "Size."),
    TEXT("blob", "SHA-256 of its bytes."),
    TIME("created", "When it was added, or its job started."),
    MAYBE_TEXT("document", "Id of the document."),
    {.name = "tags",
     .type = FIELD_TYPE_LIST,
     .optional = true,
     .help = "Tags of the document, in order."},
    MAYBE_INT("revision", "Revision of the document."),
    MAYBE_TEXT("job", "Id of the job that made it."),
    MAYBE_INT("index", "Which output of the job it is, from 0."),
    MAYBE_TEXT("step", "The step that made it."),
    MAYBE_TEXT("pipeline", "The pipeline that the job belongs to."),
    {0},
};
const Field any_file_list_fields[] = {LIST("files", any_file_fields, "Newest first."), NEXT, {0}};

static const Choice job_states[] = {
    {"queued", "Waits for a worker or its time."},
    {"running", "Runs now."},
    {"done", "Ended with a result."},
    {"failed", "Ended without one."},
    {"canceled", "Was cancelled."},
    {0},
};
static const Field use_file_fields[] = {
    TEXT("name", "Name of the file."),
    TEXT("type", "Media type; may be empty."),
    INT("bytes", "Size."),
    TEXT("blob", "SHA-256 of its bytes."),
    INT("index", "Which input or output of the job it is, from 0."),
    {0},
};
static const Field use_fields[] = {
    TEXT("job", "Id of the job."),
    TEXT("step", "Its step."),
    MAYBE_TEXT("pipeline", "The pipeline that it belongs to."),
    {.name = "state", .type = FIELD_TYPE_TEXT, .choices = job_states, .help = "Where it stands."},
    TIME("created", "When it was asked for."),
    BOOL("made_it", "The file is an output of this job."),
    BOOL("took_it", "The file is an input of this job."),
    LIST("files", use_file_fields,
         "What the job made from it, or what it was made from: the first 20."),
    {0},
};
static const Field use_document_fields[] = {TEXT("id", "Id of the document."),
                                            TEXT("name", "Its name."),
                                            BOOL("current", "These bytes are what it is now."),
                                            {0}};
const Field file_uses_fields[] = {
    TEXT("blob", "SHA-256 of the bytes."),
    LIST("jobs", use_fields, "Jobs that took or made these bytes, newest first."),
    LIST("documents", use_document_fields, "Documents that are or were these bytes."),
    NEXT,
    {0},
};

/* kind=info, wave and entries: each has some of these. */
const Field preview_info_fields[] = {
    MAYBE_TEXT("type", "Media type, told from the content."),
    MAYBE_TEXT("name", "The type in words."),
    MAYBE_TEXT("family", "One of document, text, image, audio, video, archive, program, other."),
    {.name = "preview",
     .type = FIELD_TYPE_LIST,
     .optional = true,
     .help = "Kinds of previews that there are: picture, text, wave, entries."},
    MAYBE_INT("pages", "Pages, slides, sheets or frames."),
    MAYBE_INT("width", "Pixels across."),
    MAYBE_INT("height", "Pixels down."),
    MAYBE_INT("duration_ms", "Length of sound or video."),
    {.name = "encrypted",
     .type = FIELD_TYPE_BOOL,
     .optional = true,
     .help = "A password is needed to read it, or parts of it."},
    MAYBE_TEXT("charset", "Encoding of text."),
    MAYBE_TEXT("language", "Language of text."),
    {.name = "points",
     .type = FIELD_TYPE_ANY,
     .optional = true,
     .help = "Of kind=wave: lowest and highest value of each part, -1 to 1."},
    {.name = "entries",
     .type = FIELD_TYPE_ANY,
     .optional = true,
     .help = "Of kind=entries: what archive.list says of each entry."},
    {0},
};
