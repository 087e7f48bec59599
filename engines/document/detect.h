/* detect.h: what detect.c offers besides detect_type (readers.h). */
#ifndef PLATEN_DOCUMENT_DETECT_H
#define PLATEN_DOCUMENT_DETECT_H

#include "document/readers.h"

/* Does the name's extension fit the type? A name without an extension fits. */
bool detect_name_fits(const FileType *t, Str name);
/* Text has kinds that its bytes cannot tell (a column of words may be CSV; a README may be Markdown
 * or not): where the content is text and the name says which kind, the name decides. */
void detect_refine(FileType *t, Str name);
/* "report.pdf" for a PDF called "report.doc"; in `a`. */
Str detect_better_name(Arena *a, const FileType *t, Str name);

/* detect_text.c: the character that cuts the lines of a table in text most evenly: tab, ';', '|' or
 * ','. */
char detect_separator(Str text);

#endif
