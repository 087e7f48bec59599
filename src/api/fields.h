/* fields.h: short names for the rows of Field tables (core/step.h) that describe answers.
 * MAYBE_…: the member may be missing. MAYBE and MAYBE_TIME: a text and a time that may be null. */
#ifndef PLATEN_API_FIELDS_H
#define PLATEN_API_FIELDS_H

#include "core/step.h"

#define ID(field, what)                                                                            \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what                                       \
    }
#define TEXT(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what                                       \
    }
#define MAYBE_TEXT(field, what)                                                                    \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what, .optional = true                     \
    }
#define MAYBE(field, what)                                                                         \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what, .nullable = true                     \
    }
#define INT(field, what)                                                                           \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_INT, .help = what                                        \
    }
#define MAYBE_INT(field, what)                                                                     \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_INT, .optional = true, .help = what                      \
    }
#define NULL_INT(field, what)                                                                      \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_INT, .nullable = true, .help = what                      \
    }
#define BOOL(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_BOOL, .help = what                                       \
    }
#define MAYBE_BOOL(field, what)                                                                    \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_BOOL, .optional = true, .help = what                     \
    }
#define TIME(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .format = "date-time", .help = what                \
    }
#define MAYBE_TIME(field, what)                                                                    \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .format = "date-time", .nullable = true,           \
        .help = what                                                                               \
    }
#define MAYBE_ANY(field, what)                                                                     \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_ANY, .optional = true, .help = what                      \
    }
#define LIST(field, of, what)                                                                      \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_LIST, .items = of, .help = what                          \
    }
#define OBJECT(field, of, what)                                                                    \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_OBJECT, .items = of, .help = what                        \
    }
#define MAYBE_LIST(field, of, what)                                                                \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_LIST, .optional = true, .items = of, .help = what        \
    }
#define NEXT                                                                                       \
    {                                                                                              \
        .name = "next", .type = FIELD_TYPE_TEXT, .optional = true,                                 \
        .help = "Cursor of the next page; missing on the last."                                    \
    }

#endif
