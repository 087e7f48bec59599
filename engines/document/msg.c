/* msg.c: Outlook's messages ([MS-OXMSG]): a compound file whose storages hold MAPI properties.
 *
 * Written like other mail (eml.c): subject, From, To, Cc, Date, text, what is attached. Of the
 * bodies the HTML is taken when it has structure that the plain text cannot carry or there is no
 * plain text; HTML may lie inside compressed RTF. Attached messages follow in place, MAIL_DEPTH
 * deep. */
#include <stdio.h>
#include <string.h>

#include "document/mail.h"
#include "document/msg_props.h"
#include "document/rtf_in.h"
#include "document/rtfcp.h"

enum { METHOD_MESSAGE = 5, RECIPIENTS_MAX = 2000, PEOPLE_MAX = 64 << 10 };
enum { TO = 1, CC = 2 };

typedef struct Msg {
    const DocInput *in;
    Doc *out;
    Arena *arena;
    Ole ole;
    MailFiles files;
    int depth;
    int attached; /* looked at, of all messages: each costs a walk over the directory */
} Msg;

static void put_message(Msg *x, int storage, size_t header, const char *charset);

/* --- people */

/* "Ann <ann@example.com>"; an address that only the exchange server understands is left out. */
static void add_person(Buf *b, Str name, Str email)
{
    bool internet = str_find_char(email, '@') != STR_NONE;
    name = str_trim(name);
    if (name.len >= 2 && name.ptr[0] == '\'' && name.ptr[name.len - 1] == '\'')
        name = str_slice(name, 1, name.len - 1);
    if (name.len == 0 && email.len == 0)
        return;
    if (b->len > 0)
        buf_add_c(b, ", ");
    if (!internet || str_eq_nocase(name, email)) {
        buf_add(b, name.len > 0 ? name : email);
        return;
    }
    if (name.len > 0)
        buf_addf(b, STR_FMT " <" STR_FMT ">", STR_ARG(name), STR_ARG(email));
    else
        buf_add(b, email);
}

static Str first_of(const MsgProps *p, MsgProp a, MsgProp b)
{
    Str s = msg_text(p, a);
    return s.len > 0 ? s : msg_text(p, b);
}

static Str sender(Msg *x, const MsgProps *p)
{
    Buf b = buf_init(x->arena, PEOPLE_MAX);
    Str name = first_of(p, MSG_SENT_BY_NAME, MSG_SENDER_NAME);
    Str smtp = first_of(p, MSG_SENT_BY_SMTP, MSG_SENDER_SMTP);
    add_person(&b, name, smtp.len > 0 ? smtp : first_of(p, MSG_SENT_BY_EMAIL, MSG_SENDER_EMAIL));
    return buf_str(&b);
}

static bool starts_with(const OleEntry *e, const char *prefix)
{
    return e->kind == OLE_STORAGE && str_starts(e->name, str_from_c(prefix));
}

/* The recipients of one kind; `shown` is what Outlook shows when they are not stored one by one. */
static Str recipients(Msg *x, const MsgProps *p, int64_t kind, MsgProp shown)
{
    Buf b = buf_init(x->arena, PEOPLE_MAX);
    int seen = 0;
    for (size_t i = 0; i < x->ole.len && seen < RECIPIENTS_MAX; i++) {
        const OleEntry *e = &x->ole.entries[i];
        if (e->parent != p->storage || !starts_with(e, "__recip_version1.0_"))
            continue;
        MsgProps r = msg_props(&x->ole, x->arena, (int)i, MSG_HEADER_PART, p->charset);
        seen++;
        if (msg_int(&r, MSG_RECIPIENT_TYPE, TO) == kind)
            add_person(&b, msg_text(&r, MSG_NAME), first_of(&r, MSG_SMTP, MSG_EMAIL));
    }
    return b.len > 0 ? buf_str(&b) : msg_text(p, shown);
}

static void put_head(Msg *x, const MsgProps *p)
{
    Str subject = first_of(p, MSG_SUBJECT, MSG_NORMAL_SUBJECT), from = sender(x, p);
    Str date = msg_time(p, MSG_SUBMIT_TIME);
    if (date.len == 0)
        date = msg_time(p, MSG_DELIVERY_TIME);
    if (date.len == 0)
        date = msg_time(p, MSG_CREATED);
    doc_begin(x->out, BLOCK_HEADING, x->depth == 0 ? 1 : 2);
    doc_text(x->out, subject);
    doc_end(x->out);
    bool any = false;
    mail_put_field(x->out, "From:", from, &any);
    mail_put_field(x->out, "To:", recipients(x, p, TO, MSG_DISPLAY_TO), &any);
    mail_put_field(x->out, "Cc:", recipients(x, p, CC, MSG_DISPLAY_CC), &any);
    mail_put_field(x->out, "Date:", date, &any);
    doc_end(x->out);
    if (x->depth > 0)
        return;
    doc_meta(x->out, "title", subject);
    doc_meta(x->out, "author", from);
    doc_meta(x->out, "created", date);
}

/* --- bodies */

static void put_html(Msg *x, Str html, const char *charset)
{
    if (read_html_fragment(x->in->step, html, str_from_c(charset), x->out) == ERR_LIMIT_MEMORY)
        step_note(x->in->step, STR("an HTML part is too large and was cut"));
    doc_end(x->out);
}

static void put_rtf(Msg *x, Str rtf)
{
    DocInput in = *x->in;
    in.bytes = rtf;
    in.pages = STR("");
    if (read_rtf(&in, x->out) != OK)
        step_note(x->in->step, STR("the message's RTF is damaged; what could be read is there"));
    doc_end(x->out);
}

static void put_body(Msg *x, const MsgProps *p)
{
    Err ignored = {0};
    Str plain = msg_text(p, MSG_BODY), html = msg_binary(p, MSG_HTML), rtf = STR("");
    int64_t page = msg_int(p, MSG_CODEPAGE_INTERNET, 0);
    const char *charset = page != 0 ? rtf_charset_of_codepage(page) : NULL;
    if (html.len == 0 && (html = msg_text(p, MSG_HTML)).len > 0)
        charset = "UTF-8";
    if (html.len == 0) {
        Str packed = msg_binary(p, MSG_RTF);
        if (packed.len > 0 && rtfcp_unpack(x->arena, packed, &rtf, &ignored) == OK)
            html = rtfcp_html(x->arena, rtf, &page);
        charset = page != 0 ? rtf_charset_of_codepage(page) : NULL;
    }
    bool empty = str_trim(plain).len == 0;
    if (html.len > 0 && (empty || mail_has_structure(html)))
        put_html(x, html, charset);
    else if (!empty)
        mail_put_plain(x->out, plain, false);
    else if (rtf.len > 0)
        put_rtf(x, rtf);
}

/* --- what is attached */

static Str file_bytes(void *ctx, const MailFile *f, Arena *a)
{
    Msg *x = ctx;
    const OleEntry *e = f->source;
    MsgProps p = msg_props(&x->ole, a, (int)(e - x->ole.entries), MSG_HEADER_PART, NULL);
    return msg_binary(&p, MSG_DATA);
}

static Str type_by_content(Msg *x, Str bytes)
{
    FileType t;
    Err ignored = {0};
    return bytes.len > 0 && detect_type(x->arena, bytes, &t, &ignored) == OK
               ? str_from_c(t.media_type)
               : STR("");
}

static void put_attached(Msg *x, int storage, const char *charset)
{
    MsgProps p = msg_props(&x->ole, x->arena, storage, MSG_HEADER_PART, charset);
    int inner = msg_int(&p, MSG_METHOD, 0) == METHOD_MESSAGE ? msg_object(&p, MSG_DATA) : -1;
    if (inner >= 0 && x->depth + 1 < MAIL_DEPTH) {
        if (x->in->attachments == ATTACHMENTS_NONE)
            return;
        x->depth++;
        put_message(x, inner, MSG_HEADER_INNER, charset);
        x->depth--;
        return;
    }
    Str name = first_of(&p, MSG_FILE_LONG, MSG_FILE_SHORT), type = msg_text(&p, MSG_MIME);
    ArenaMark mark = arena_mark(x->arena);
    Str bytes = msg_binary(&p, MSG_DATA);
    int64_t size = (int64_t)bytes.len;
    Str told = type.len == 0 ? type_by_content(x, bytes) : type; /* a constant */
    arena_rewind(x->arena, mark);
    mail_files_add(&x->files, (MailFile){.name = name.len > 0 ? name : msg_text(&p, MSG_NAME),
                                         .type = told,
                                         .size_bytes = size,
                                         .source = &x->ole.entries[storage]});
}

static void put_message(Msg *x, int storage, size_t header, const char *charset)
{
    size_t files = x->files.len;
    MsgProps p = msg_props(&x->ole, x->arena, storage, header, charset);
    const char *own = msg_props_charset(&p);
    p.charset = own != NULL ? own : charset;
    put_head(x, &p);
    put_body(x, &p);
    for (size_t i = 0; i < x->ole.len && !doc_failed(x->out); i++)
        if (x->ole.entries[i].parent == storage &&
            starts_with(&x->ole.entries[i], "__attach_version1.0_") &&
            x->attached++ < MAIL_FILES_MAX)
            put_attached(x, (int)i, p.charset);
    if (x->depth == 0 && x->attached > MAIL_FILES_MAX)
        step_note(x->in->step, STR("it has more attachments than are looked at"));
    mail_files_put(&x->files, files);
}

ErrCode read_msg(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    Msg *x = arena_new(a, Msg, 1);
    if (x == NULL)
        return err_set(in->step->err, ERR_NO_MEMORY, "reading a message");
    *x = (Msg){.in = in, .out = out, .arena = a};
    ErrCode rc = mail_files_open(in, out, &x->files);
    x->files.bytes = file_bytes;
    x->files.ctx = x;
    if (rc == OK)
        rc = ole_open(a, in->bytes, &x->ole, in->step->err);
    if (rc != OK)
        return rc;
    if (ole_find(&x->ole, 0, "__properties_version1.0") < 0)
        return err_set(in->step->err, ERR_INPUT_DAMAGED, "the message's properties are missing");
    doc_page(out, 1);
    put_message(x, 0, MSG_HEADER_TOP, NULL);
    return OK;
}
