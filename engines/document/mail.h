/* mail.h: what messages have in common, whether they come as MIME (eml.c) or as Outlook's file
 * (msg.c): a head of fields, plain text with quotes, and files that are attached. */
#ifndef PLATEN_DOCUMENT_MAIL_H
#define PLATEN_DOCUMENT_MAIL_H

#include "document/readers.h"

enum { MAIL_FILES_MAX = 1000, MAIL_DEPTH = 8 };

typedef struct MailFile {
    Str name, type; /* as the message says; may be empty */
    int64_t size_bytes;
    const void *source; /* the reader's own: where its bytes are */
} MailFile;

/* Files in hand. Those of a message within a message follow those of the outer one and go first:
 * `from` is where a message's own begin. */
typedef struct MailFiles {
    const DocInput *in;
    Doc *out;
    /* The bytes of a file, in `a` or elsewhere; "" when there are none. */
    Str (*bytes)(void *ctx, const MailFile *f, Arena *a);
    void *ctx;
    MailFile *items;
    size_t len;
} MailFiles;

/* A line of the head: "From: Ann". *any says whether one stands already; empty values are left
 * out. */
void mail_put_field(Doc *out, const char *label, Str value, bool *any);
/* Plain text: an empty line ends a paragraph, lines stay lines, ">" makes a quote. With
 * format=flowed a line that ends in a space goes on in the next. */
void mail_put_plain(Doc *out, Str text, bool flowed);
/* Has HTML structure that plain text loses (lists, headings, tables)? */
bool mail_has_structure(Str html);

/* ERR_NO_MEMORY. */
MUST_CHECK ErrCode mail_files_open(const DocInput *in, Doc *out, MailFiles *f);
void mail_files_add(MailFiles *f, MailFile file);
/* List the files from `from` on, read them when that is wanted, and forget them. */
void mail_files_put(MailFiles *f, size_t from);

#endif
