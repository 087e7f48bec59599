/* mail.c: the parts of a mail, decoded, each as a file of its own. */
#include "security/scan.h"

#include <gmime/gmime.h>

enum { PARTS_MAX = 2000, LEVELS_MAX = 20 };

typedef struct Mail {
    Scan *s;
    const ScanObject *o;
    int parts;
} Mail;

static void take_part(Mail *m, GMimePart *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    const char *name = g_mime_part_get_filename(part);
    if (content == NULL || m->parts++ >= PARTS_MAX)
        return;
    GByteArray *bytes = g_byte_array_new();
    GMimeStream *to = g_mime_stream_mem_new_with_byte_array(bytes);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(to), FALSE);
    g_mime_data_wrapper_write_to_stream(content, to);
    g_mime_stream_flush(to);
    g_object_unref(to);
    if (bytes->len > 0)
        scan_inside(m->s, m->o, (Str){(const char *)bytes->data, bytes->len},
                    name != NULL ? str_from_c(name) : STR("part"), AROUND_MAIL);
    g_byte_array_free(bytes, TRUE);
}

static void walk(Mail *m, GMimeObject *object, int level)
{
    if (object == NULL || level > LEVELS_MAX)
        return;
    if (GMIME_IS_MULTIPART(object)) {
        GMimeMultipart *multi = GMIME_MULTIPART(object);
        for (int i = 0; i < g_mime_multipart_get_count(multi); i++)
            walk(m, g_mime_multipart_get_part(multi, i), level + 1);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
        if (inner != NULL)
            walk(m, g_mime_message_get_mime_part(inner), level + 1);
    } else if (GMIME_IS_PART(object)) {
        take_part(m, GMIME_PART(object));
    }
}

void mail_scan(Scan *s, const ScanObject *o)
{
    Mail m = {.s = s, .o = o};
    if (!scan_is(o, "eml mbox"))
        return;
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(o->bytes.ptr, o->bytes.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    g_object_unref(stream);
    if (scan_is(o, "mbox"))
        g_mime_parser_set_format(parser, GMIME_FORMAT_MBOX);
    do {
        GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
        if (message == NULL)
            break;
        walk(&m, g_mime_message_get_mime_part(message), 0);
        g_object_unref(message);
    } while (scan_is(o, "mbox") && !g_mime_parser_eos(parser) && m.parts < PARTS_MAX);
    g_object_unref(parser);
}

/* The library registers its types and charsets at first use. */
ErrCode mail_warm(Err *err)
{
    static const char sample[] =
        "Subject: =?utf-8?q?a?=\nContent-Type: text/plain; charset=utf-8\n\nb\n";
    (void)err;
    g_mime_init();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(sample, sizeof sample - 1);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    if (message != NULL)
        g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    return OK;
}
