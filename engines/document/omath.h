/* omath.h: the equations of Office files as one line of text: "(x-c)/v", "x_i^2", "√(b^2-4ac)". */
#ifndef PLATEN_DOCUMENT_OMATH_H
#define PLATEN_DOCUMENT_OMATH_H

#include "base/buf.h"
#include "document/xml.h"

void omath_put(Buf *b, const XmlElem *math);

#endif
