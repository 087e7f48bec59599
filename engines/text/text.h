/* text.h: the front door of the text engine: what is opened once, before the sandbox closes.
 *
 * A step of this engine is one file and one line in steps.def. What they share:
 *   source.h      the text of any input, with its headings, tables, code and pages
 *   tokenizer.h   exact tokens
 *   sentences.h   where sentences end
 * Kinds of characters, case folding, regular expressions and the like come from ICU. */
#ifndef PLATEN_TEXT_TEXT_H
#define PLATEN_TEXT_TEXT_H

#include "core/step.h"

#define STEP(name) extern const Step step_##name;
#include "text/steps.def"
#undef STEP

MUST_CHECK ErrCode text_warm(Err *err);

#endif
