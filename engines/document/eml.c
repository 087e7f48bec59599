/* eml.c: mail messages (RFC 5322, MIME), parsed by GMime.
 *
 * A message is a heading (its subject), its From, To, Cc and Date, its text, and a list of what is
 * attached. Of alternatives the HTML is taken when it has structure that the plain text cannot
 * carry (lists, headings, tables), else the plain text. Attached messages follow in place,
 * MAIL_DEPTH deep. Broken MIME is read as far as it goes: GMime takes what it finds for text.
 *
 * Text parts are decoded by charset.c, not by GMime: its tables are loaded before the sandbox
 * closes, and it does not believe wrong declarations. GMime still decodes header words; eml_warm
 * loads what it needs. */
#include <string.h>

#include <gmime/gmime.h>

#include "base/buf.h"
#include "base/fault.h"
#include "document/charset.h"
#include "document/mail.h"

enum { MESSAGES_MAX = 100 * 1000, PART_DEPTH = 64, ALTERNATIVES_MAX = 32 };
#define PART_BYTES (64 * MIB)

typedef struct Eml {
    const DocInput *in;
    Doc *out;
    Arena *arena;
    Err *err;
    MailFiles files;
    int message_depth;
    bool encrypted; /* a part that only its recipient can read */
} Eml;

static void put_message(Eml *x, GMimeMessage *m);
static void put_part(Eml *x, GMimeObject *o, int depth);

static void object_unref(void *object)
{
    GObject **o = object;
    if (*o != NULL)
        g_object_unref(*o);
    *o = NULL;
}

static void text_free(void *text)
{
    char **t = text;
    g_free(*t);
    *t = NULL;
}

/* The charsets of encoded words in headers. An open converter keeps its tables loaded: inside the
 * sandbox nothing can be. */
static const char *const header_charsets[] = {
    "iso-8859-1",   "iso-8859-2",   "iso-8859-5",   "iso-8859-7",     "iso-8859-8",
    "iso-8859-9",   "iso-8859-15",  "windows-1250", "windows-1251",   "windows-1252",
    "windows-1253", "windows-1254", "windows-1255", "windows-1256",   "windows-1257",
    "windows-1258", "koi8-r",       "koi8-u",       "gb2312",         "gbk",
    "gb18030",      "big5",         "euc-kr",       "ks_c_5601-1987", "iso-2022-kr",
    "euc-jp",       "shift_jis",    "iso-2022-jp",  "tis-620",        "utf-7",
    "utf-16",       "utf-8",        "us-ascii",
};
static iconv_t converters[COUNT_OF(header_charsets)];

ErrCode eml_warm(Err *err)
{
    g_mime_init();
    for (size_t i = 0; i < COUNT_OF(header_charsets); i++)
        if (converters[i] == NULL) /* a system without this one reads the others */
            converters[i] = g_mime_iconv_open("UTF-8", header_charsets[i]);
    GMimeStream *empty = g_mime_stream_mem_new_with_buffer("Subject: a\n\nb\n", 14);
    GMimeParser *parser = g_mime_parser_new_with_stream(empty);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    bool works = message != NULL;
    object_unref(&message);
    object_unref(&parser);
    object_unref(&empty);
    return works ? OK : err_set(err, ERR_INTERNAL, "GMime does not parse mail");
}

/* ---- text parts ---- */

static Str part_bytes(Eml *x, GMimePart *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    CLEANUP(object_unref) GMimeStream *to = g_mime_stream_mem_new();
    if (content == NULL || to == NULL || g_mime_data_wrapper_write_to_stream(content, to) < 0)
        return STR("");
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(to));
    if (bytes == NULL || bytes->len == 0 || bytes->len > PART_BYTES)
        return STR("");
    Str copy = str_copy(x->arena, (Str){(const char *)bytes->data, bytes->len});
    return copy.ptr != NULL ? copy : STR("");
}

static Str charset_of(GMimePart *part)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
    return str_from_c(g_mime_content_type_get_parameter(type, "charset"));
}

static bool is_flowed(GMimePart *part)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
    return str_eq_nocase(str_from_c(g_mime_content_type_get_parameter(type, "format")),
                         STR("flowed"));
}

static void put_text_part(Eml *x, GMimePart *part)
{
    ArenaMark mark = arena_mark(x->arena);
    Str bytes = part_bytes(x, part), text = STR("");
    Err ignored = {0};
    const char *used = NULL;
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
    if (g_mime_content_type_is_type(type, "text", "html")) {
        if (read_html_fragment(x->in->step, bytes, charset_of(part), x->out) == ERR_LIMIT_MEMORY)
            step_note(x->in->step, STR("an HTML part is too large and was cut"));
        doc_end(x->out);
    } else if (charset_to_utf8(x->arena, bytes, charset_of(part), &text, &used, &ignored) == OK) {
        mail_put_plain(x->out, text, is_flowed(part));
    }
    arena_rewind(x->arena, mark);
}

/* ---- attachments ---- */

static Str file_bytes(void *ctx, const MailFile *f, Arena *a)
{
    (void)a; /* the same as part_bytes takes */
    const GMimeObject *o = f->source;
    return GMIME_IS_PART(o) ? part_bytes(ctx, (GMimePart *)(uintptr_t)o) : STR("");
}

static void note_attachment(Eml *x, GMimeObject *o)
{
    CLEANUP(text_free)
    char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(o));
    const char *name = GMIME_IS_PART(o) ? g_mime_part_get_filename(GMIME_PART(o)) : NULL;
    ArenaMark mark = arena_mark(x->arena);
    int64_t size = GMIME_IS_PART(o) ? (int64_t)part_bytes(x, GMIME_PART(o)).len : 0;
    arena_rewind(x->arena, mark);
    mail_files_add(&x->files, (MailFile){
                                  .name = str_copy(x->arena, str_from_c(name)),
                                  .type = str_copy(x->arena, str_from_c(type)),
                                  .size_bytes = size,
                                  .source = o,
                              });
}

/* ---- choosing among alternatives ---- */

static bool is_text(GMimeObject *o, const char *subtype)
{
    return GMIME_IS_PART(o) &&
           g_mime_content_type_is_type(g_mime_object_get_content_type(o), "text", subtype);
}

/* The text part in an alternative, which may be wrapped (multipart/related around HTML and its
 * pictures). */
static GMimePart *find_text(GMimeObject *o, const char *subtype, int depth)
{
    if (is_text(o, subtype))
        return GMIME_PART(o);
    if (!GMIME_IS_MULTIPART(o) || depth > 8)
        return NULL;
    int count = g_mime_multipart_get_count(GMIME_MULTIPART(o));
    for (int i = 0; i < count; i++) {
        GMimePart *found =
            find_text(g_mime_multipart_get_part(GMIME_MULTIPART(o), i), subtype, depth + 1);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void put_alternative(Eml *x, GMimeMultipart *m, int depth)
{
    GMimePart *html = find_text(GMIME_OBJECT(m), "html", 0),
              *plain = find_text(GMIME_OBJECT(m), "plain", 0);
    ArenaMark mark = arena_mark(x->arena);
    bool rich = html != NULL && mail_has_structure(part_bytes(x, html));
    bool empty = plain == NULL || str_trim(part_bytes(x, plain)).len == 0;
    arena_rewind(x->arena, mark);
    GMimePart *chosen = html != NULL && (rich || empty) ? html : plain;
    if (chosen != NULL) {
        put_text_part(x, chosen);
    } else {
        int count = g_mime_multipart_get_count(m);
        if (count > 0) /* the last one is the richest */
            put_part(x, g_mime_multipart_get_part(m, count - 1), depth + 1);
    }
    int count = g_mime_multipart_get_count(m);
    for (int i = 0; i < count; i++) {
        GMimeObject *o = g_mime_multipart_get_part(m, i);
        if (GMIME_IS_PART(o) && (void *)o != (void *)chosen && !is_text(o, "*"))
            note_attachment(x, o);
    }
}

/* ---- parts ---- */

static bool is_attached(GMimeObject *o)
{
    GMimeContentDisposition *d = g_mime_object_get_content_disposition(o);
    return d != NULL && str_eq_nocase(str_from_c(g_mime_content_disposition_get_disposition(d)),
                                      STR("attachment"));
}

static void put_multipart(Eml *x, GMimeMultipart *m, int depth)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(m));
    int count = g_mime_multipart_get_count(m);
    if (GMIME_IS_MULTIPART_ENCRYPTED(m)) {
        x->encrypted = true;
        step_note(x->in->step, STR("an encrypted part was left out"));
        return;
    }
    if (g_mime_content_type_is_type(type, "multipart", "alternative")) {
        put_alternative(x, m, depth);
        return;
    }
    for (int i = 0; i < count && !doc_failed(x->out); i++)
        put_part(x, g_mime_multipart_get_part(m, i), depth + 1);
}

static void put_part(Eml *x, GMimeObject *o, int depth)
{
    if (o == NULL || depth > PART_DEPTH)
        return;
    GMimeContentType *type = g_mime_object_get_content_type(o);
    if (GMIME_IS_MULTIPART(o)) {
        put_multipart(x, GMIME_MULTIPART(o), depth);
    } else if (GMIME_IS_MESSAGE_PART(o)) {
        GMimeMessage *inside = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));
        bool wanted = x->in->attachments != ATTACHMENTS_NONE;
        if (inside != NULL && wanted && x->message_depth < MAIL_DEPTH)
            put_message(x, inside);
        else
            note_attachment(x, o);
    } else if (GMIME_IS_PART(o)) {
        bool text = g_mime_content_type_is_type(type, "text", "plain") ||
                    g_mime_content_type_is_type(type, "text", "html") ||
                    g_mime_content_type_is_type(type, "message", "delivery-status");
        bool smime = g_mime_content_type_is_type(type, "application", "pkcs7-mime") ||
                     g_mime_content_type_is_type(type, "application", "x-pkcs7-mime");
        x->encrypted = x->encrypted || smime;
        if (text && !is_attached(o))
            put_text_part(x, GMIME_PART(o));
        else
            note_attachment(x, o);
    }
}

/* ---- messages ---- */

static char *date_of(GMimeMessage *m)
{
    GDateTime *date = g_mime_message_get_date(m);
    return date != NULL ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%S%:z") : NULL;
}

static void put_headers(Eml *x, GMimeMessage *m)
{
    static const struct {
        GMimeAddressType type;
        const char *label;
    } lists[] = {{GMIME_ADDRESS_TYPE_FROM, "From:"},
                 {GMIME_ADDRESS_TYPE_TO, "To:"},
                 {GMIME_ADDRESS_TYPE_CC, "Cc:"}};
    const char *subject = g_mime_message_get_subject(m);
    doc_begin(x->out, BLOCK_HEADING, x->message_depth == 0 ? 1 : 2);
    doc_text(x->out, str_from_c(subject));
    doc_end(x->out);
    bool any = false;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        InternetAddressList *list = g_mime_message_get_addresses(m, lists[i].type);
        CLEANUP(text_free)
        char *text = list != NULL ? internet_address_list_to_string(list, NULL, FALSE) : NULL;
        mail_put_field(x->out, lists[i].label, str_from_c(text), &any);
        if (i == 0 && x->message_depth == 0)
            doc_meta(x->out, "author", str_from_c(text));
    }
    CLEANUP(text_free) char *date = date_of(m);
    mail_put_field(x->out, "Date:", str_from_c(date), &any);
    doc_end(x->out);
    if (x->message_depth > 0)
        return;
    doc_meta(x->out, "title", str_from_c(subject));
    doc_meta(x->out, "created", str_from_c(date));
}

static void put_message(Eml *x, GMimeMessage *m)
{
    size_t files = x->files.len;
    put_headers(x, m);
    x->message_depth++;
    put_part(x, g_mime_message_get_mime_part(m), 0);
    x->message_depth--;
    mail_files_put(&x->files, files);
}

/* Header words in bytes that say nothing of their charset: the one that some part declares is the
 * best guess. */
static GMimeParserOptions *options_for(Str bytes)
{
    GMimeParserOptions *options = g_mime_parser_options_new();
    Str head = str_slice(bytes, 0, 64 * KIB), name = STR("");
    for (size_t at = 0; at < head.len && name.len == 0; at++) {
        const char *p = memchr(head.ptr + at, '=', head.len - at);
        if (p == NULL)
            break;
        at = (size_t)(p - head.ptr);
        if (at < 7 || !str_eq_nocase(str_slice(head, at - 7, at), STR("charset")))
            continue;
        size_t from = at + 1 + (at + 1 < head.len && head.ptr[at + 1] == '"'), end = from;
        while (end < head.len && end - from < 40 && strchr("\"; \t\r\n", head.ptr[end]) == NULL)
            end++;
        name = str_slice(head, from, end);
    }
    const char *charset = name.len > 0 ? charset_name(name) : NULL;
    const char *charsets[] = {"utf-8", charset != NULL ? charset : "windows-1252", "windows-1252",
                              NULL};
    g_mime_parser_options_set_fallback_charsets(options, charsets);
    return options;
}

static void options_free(void *options)
{
    GMimeParserOptions **o = options;
    if (*o != NULL)
        g_mime_parser_options_free(*o);
    *o = NULL;
}

/* Some programs save mail as UTF-16. */
static ErrCode plain_bytes(const DocInput *in, Str *out)
{
    *out = in->bytes;
    if (memchr(in->bytes.ptr, 0, in->bytes.len < 64 ? in->bytes.len : 64) == NULL)
        return OK;
    const char *used = NULL;
    return charset_to_utf8(in->step->arena, in->bytes, STR(""), out, &used, in->step->err);
}

ErrCode read_eml(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    Eml *x = arena_new(a, Eml, 1);
    if (x == NULL || fault_hit("eml.parser"))
        return err_set(in->step->err, ERR_NO_MEMORY, "reading a message");
    *x = (Eml){.in = in, .out = out, .arena = a, .err = in->step->err};
    Str bytes;
    ErrCode rc = mail_files_open(in, out, &x->files);
    x->files.bytes = file_bytes;
    x->files.ctx = x;
    if (rc == OK)
        rc = plain_bytes(in, &bytes);
    if (rc != OK)
        return rc;
    g_mime_init();
    CLEANUP(options_free) GMimeParserOptions *options = options_for(bytes);
    CLEANUP(object_unref)
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes.ptr, bytes.len);
    CLEANUP(object_unref) GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    bool mailbox = str_starts(bytes, STR("From "));
    if (mailbox)
        g_mime_parser_set_format(parser, GMIME_FORMAT_MBOX);
    int64_t messages = 0;
    do {
        CLEANUP(object_unref) GMimeMessage *m = g_mime_parser_construct_message(parser, options);
        if (m == NULL)
            break;
        doc_page(out, ++messages);
        if (pages_wanted(in->pages, messages))
            put_message(x, m);
    } while (mailbox && messages < MESSAGES_MAX && !g_mime_parser_eos(parser) && !doc_failed(out));
    if (messages == 0)
        return err_set(x->err, ERR_INPUT_DAMAGED, "no mail headers at the start of the file");
    return OK;
}
