/* msg_props.h: MAPI properties of a storage in an Outlook file ([MS-OXMSG]).
 *
 * A property is an id and a type. Short values stand in the stream "__properties_version1.0", long
 * ones in streams of their own, "__substg1.0_" + id + type in hexadecimal digits. */
#ifndef PLATEN_DOCUMENT_MSG_PROPS_H
#define PLATEN_DOCUMENT_MSG_PROPS_H

#include "document/ole.h"

typedef enum MsgProp {
    MSG_CLASS = 0x001A,
    MSG_SUBJECT = 0x0037,
    MSG_SUBMIT_TIME = 0x0039,
    MSG_SENT_BY_NAME = 0x0042,
    MSG_SENT_BY_EMAIL = 0x0065,
    MSG_HEADERS = 0x007D,
    MSG_RECIPIENT_TYPE = 0x0C15, /* 1: to, 2: cc, 3: bcc */
    MSG_SENDER_NAME = 0x0C1A,
    MSG_SENDER_EMAIL = 0x0C1F,
    MSG_DISPLAY_CC = 0x0E03,
    MSG_DISPLAY_TO = 0x0E04,
    MSG_DELIVERY_TIME = 0x0E06,
    MSG_NORMAL_SUBJECT = 0x0E1D,
    MSG_BODY = 0x1000,
    MSG_RTF = 0x1009,
    MSG_HTML = 0x1013,
    MSG_NAME = 0x3001,
    MSG_EMAIL = 0x3003,
    MSG_CREATED = 0x3007,
    MSG_DATA = 0x3701,
    MSG_FILE_SHORT = 0x3704,
    MSG_METHOD = 0x3705, /* of an attachment; 5: a message */
    MSG_FILE_LONG = 0x3707,
    MSG_MIME = 0x370E,
    MSG_SMTP = 0x39FE,
    MSG_CODEPAGE_INTERNET = 0x3FDE,
    MSG_LOCALE = 0x3FF1,
    MSG_CODEPAGE = 0x3FFD,
    MSG_SENDER_SMTP = 0x5D01,
    MSG_SENT_BY_SMTP = 0x5D02,
} MsgProp;

enum {
    MSG_STREAM_MAX = 128 << 20,
    MSG_HEADER_TOP = 32,
    MSG_HEADER_INNER = 24,
    MSG_HEADER_PART = 8
};

typedef struct MsgProps {
    const Ole *ole;
    Arena *arena;
    int storage;
    Str fixed;           /* rows of 16 bytes: type, id, flags, value */
    const char *charset; /* of texts that are not Unicode; NULL: guess */
} MsgProps;

/* `header`: the bytes before the rows, which depend on what the storage is. */
MsgProps msg_props(const Ole *ole, Arena *a, int storage, size_t header, const char *charset);
/* Which charset the storage says its texts have, or NULL. */
const char *msg_props_charset(const MsgProps *p);
Str msg_text(const MsgProps *p, MsgProp id);   /* as UTF-8; "" when missing */
Str msg_binary(const MsgProps *p, MsgProp id); /* "" when missing */
int64_t msg_int(const MsgProps *p, MsgProp id, int64_t otherwise);
/* As RFC 3339; "" when missing. */
Str msg_time(const MsgProps *p, MsgProp id);
/* The storage in which an attached message lies; -1: none. */
int msg_object(const MsgProps *p, MsgProp id);

#endif
