/* fuzz_yaml: any bytes as YAML. What is read is JSON that our own reader takes, and every path that
 * has a line is there. */
#include "data/tree.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Arena *arena;
    const TreeNode *root = NULL;
    const Json *doc = NULL;
    int line = 0;
    Err err = {0};
    if (arena == NULL)
        arena = arena_open(512 * MIB);
    arena_recycle(arena);
    if (tree_read(arena, (Str){(const char *)data, size}, &root, &line, &err) != OK) {
        if (err.text[0] == 0)
            abort();
        return 0;
    }
    Buf b = buf_init(arena, 128 * MIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_key(&j, "value");
    tree_put(&j, root);
    json_key(&j, "lines");
    (void)tree_put_lines(&j, arena, root, line);
    json_end(&j, '}');
    if (b.failed || json_parse(arena, buf_str(&b), &doc, &err) != OK)
        abort();
    if (line < 1 || json_int(json_get(json_get(doc, "lines"), ""), -1) != line)
        abort();
    return 0;
}
