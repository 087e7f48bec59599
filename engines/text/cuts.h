/* cuts.h: where a method wants chunks to begin: places in the text, sorted, each once.
 *
 * cuts_by_rules     at the matches of regular expressions
 * cuts_by_meaning   where neighbouring sentences have least in common
 * cuts_by_headings  at headings down to a level */
#ifndef PLATEN_TEXT_CUTS_H
#define PLATEN_TEXT_CUTS_H

#include "text/source.h"

typedef struct Cuts {
    Arena *arena;
    size_t *at;
    size_t len, room;
    bool failed; /* the arena is full */
} Cuts;
void cuts_add(Cuts *c, size_t at);

/* `rules` has a regular expression (ICU's) a line; a chunk begins where each match does, or where it
 * ends with `after`. ERR_BAD_PARAM names the rule and its fault; ERR_LIMIT_CPU: one takes more steps
 * than any sensible rule needs for the text. */
MUST_CHECK ErrCode cuts_by_rules(const Source *s, Str rules, bool after, Cuts *out, Err *err);

/* TextTiling over tf-idf: the three sentences before a gap are compared with the three after it
 * (cosine); a chunk begins where the likeness has a valley deeper than most, and at every heading.
 * Words are folded to lower case, scripts without spaces count pairs of characters. Worked in
 * stretches of CUTS_STRETCH sentences, so memory does not grow with the text. */
enum { CUTS_STRETCH = 4096 };
MUST_CHECK ErrCode cuts_by_meaning(const Source *s, Cuts *out, Err *err);

MUST_CHECK ErrCode cuts_by_headings(const Source *s, int level, Cuts *out, Err *err);

#endif
