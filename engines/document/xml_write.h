/* xml_write.h: text as XML, for the writers of HTML, DOCX and EPUB. */
#ifndef PLATEN_DOCUMENT_XML_WRITE_H
#define PLATEN_DOCUMENT_XML_WRITE_H

#include "base/buf.h"

/* & < > " escaped; what XML 1.0 cannot hold (control characters, U+FFFE, U+FFFF) is left out, bytes
 * that are no UTF-8 become U+FFFD. Good for text and for attributes in double quotes. */
void xml_add(Buf *b, Str s);
void xml_add_attribute(Buf *b, const char *name, Str value); /* ` name="value"` */

/* Does the text begin, after digits and punctuation, in a script written from right to left? */
bool xml_is_rtl(Str s);

#endif
