/* What the routes of figures answer. */
#include "api/figures.h"

#define TEXT(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what                                       \
    }
#define MAYBE_TEXT(field, what)                                                                    \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what, .optional = true                     \
    }
#define INT(field, what)                                                                           \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_INT, .help = what                                        \
    }
#define TIME(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .format = "date-time", .help = what                \
    }
#define LIST(field, of, what)                                                                      \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_LIST, .items = of, .help = what                          \
    }

static const Field usage_row_fields[] = {
    {.name = "day",
     .type = FIELD_TYPE_TEXT,
     .format = "date",
     .optional = true,
     .help = "With by=day: the day in the zone."},
    MAYBE_TEXT("step", "By steps: its name; empty when it is not known any more."),
    MAYBE_TEXT("pipeline", "By pipelines: its name; empty for jobs of no pipeline."),
    MAYBE_TEXT("key", "By keys: its id; empty for what no key asked for, as schedules do."),
    MAYBE_TEXT("key_name", "By keys: what it is called."),
    TEXT("unit", "What is counted: pages, images, tokens …"),
    INT("amount", "How much of it."),
    INT("count", "By how many attempts."),
    {0},
};

const Field usage_report_fields[] = {
    TIME("since", "From this hour on."),
    TIME("until", "Until then."),
    TEXT("zone", "Time zone of the days."),
    TEXT("by", "What rows are told apart by."),
    TEXT("cost_unit", "The unit in which costs are counted: millionths of a US dollar."),
    LIST("rows", usage_row_fields, "What was used."),
    {0},
};
