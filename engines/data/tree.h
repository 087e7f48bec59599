/* tree.h: YAML, read into a tree of JSON's values whose lines are known.
 *
 * What is read   YAML 1.1 and 1.2, one document. Scalars follow the core schema of YAML 1.2: only
 *                true, false, null, whole numbers and fractions are not text, so `on`, `yes`, `no`
 *                and 12:30 stay what they are. Tags of the schema (!!str, !!int …) are obeyed.
 * Keys           scalars; what stands there is the name (1: a gives "1"). Two of one name are an
 *                error. `<<` takes over the members of the mapping, or list of mappings, it names;
 *                what is written out wins, then the earlier mapping.
 * Aliases        share what they name. What they add is counted: past TREE_ALIASED_MAX values or
 *                TREE_ALIASED_BYTES of text ERR_LIMIT_RATIO, so a text of a kilobyte cannot become
 *                a gigabyte. An alias inside what it names is an error.
 * Not in JSON    infinities, other tags, keys that are lists: ERR_BAD_YAML says where.
 *
 * Recursion is bounded by TREE_DEPTH_MAX, aliases included. Everything lives in the arena. */
#ifndef PLATEN_DATA_TREE_H
#define PLATEN_DATA_TREE_H

#include "base/json.h"

enum {
    TREE_DEPTH_MAX = 60, /* what holds it is JSON too, and that ends at JSON_DEPTH_MAX */
    TREE_TEXT_MAX = 1 << 20,
    TREE_ANCHORS_MAX = 1000,
    TREE_ALIASED_MAX = 100 * 1000,
    TREE_ALIASED_BYTES = 4 << 20,
    TREE_LINES_MAX = 100 * 1000,
    TREE_LINES_BYTES = 4 << 20,
};

typedef enum TreeKind { TREE_TEXT, TREE_PLAIN, TREE_LIST, TREE_OBJECT } TreeKind;

typedef struct TreeItem TreeItem;
typedef struct TreeNode {
    TreeKind kind;
    Str text; /* TREE_TEXT: as it is; TREE_PLAIN: a number or word of JSON */
    TreeItem *first, *last;
    size_t len;
    int64_t values, bytes; /* with all below it, aliases followed */
    int height;            /* 1: a scalar or empty */
    bool open;             /* is still being read */
} TreeNode;

struct TreeItem {
    Str key;    /* of an object's member */
    int line;   /* of the key, or of the list's item; from 1 */
    int source; /* 0: written out; else the number of the mapping it is taken over from */
    const TreeNode *value;
    TreeItem *next;
};

/* ERR_BAD_YAML with line and column, ERR_LIMIT_RATIO, ERR_LIMIT_DEPTH, ERR_LIMIT_COUNT. *out_line
 * is where the value begins. */
MUST_CHECK ErrCode tree_read(Arena *a, Str text, const TreeNode **out, int *out_line, Err *err);

void tree_put(JsonOut *j, const TreeNode *n);

/* {"": 1, "/steps": 3, "/steps/0": 3 …}: the path of everything (RFC 6901, "~" as ~0 and "/" as ~1)
 * and its line. False: there were more than the bounds allow, and the rest is left out. */
bool tree_put_lines(JsonOut *j, Arena *a, const TreeNode *root, int root_line);

/* A scalar without quotes, by the core schema. */
typedef enum ScalarIs {
    SCALAR_TEXT,
    SCALAR_NULL,
    SCALAR_BOOL,
    SCALAR_INT,
    SCALAR_FLOAT,
    SCALAR_BEYOND
} ScalarIs;
/* *json (when it is no text): as JSON writes it, in `a`. SCALAR_BEYOND: a number that JSON cannot
 * hold. json->ptr == NULL: the arena is full. */
ScalarIs scalar_read(Arena *a, Str s, Str *json);

#endif
