/* help_in.h: the pieces of help texts, shared by help.c, help_command.c, completion.c and
 * step_docs.c. */
#ifndef PLATEN_SURFACE_HELP_IN_H
#define PLATEN_SURFACE_HELP_IN_H

#include "surface/help.h"

void help_heading(const char *text, const HelpLook *look, Buf *b);
/* Words, wrapped at the width, later lines indented; the cursor stands at column `at`. Ends the
 * line. */
void help_wrap(Str text, int indent, int at, const HelpLook *look, Buf *b);
void help_flag(const char *name, Buf *b); /* max_pages → --max-pages */
void help_type(const Param *p, Buf *b);   /* "whole number 1 to 100 px" */
void help_default(const Param *p, Buf *b);
void help_params(const Param *params, bool as_flags, const HelpLook *look, Buf *b);
/* The example as it is typed: platen run image.convert photo.jpg --format webp */
void help_command_line(const Step *s, const Example *e, Buf *b);
void help_shell_word(Str s, Buf *b); /* as a POSIX shell reads it back, quoted when needed */
Str help_flag_value(const Json *v,
                    Arena *a); /* a list of texts as "a,b", text as it is, else JSON */

#endif
