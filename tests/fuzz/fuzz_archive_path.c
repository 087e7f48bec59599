/* fuzz_archive_path: whatever path_check calls safe must be safe, and say the same when it is asked
 * again. */
#include "archive/path.h"

#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_safe(Arena *a, Str safe)
{
    Str again, rest = safe, part;
    must(safe.len > 0 && safe.len <= PATH_BYTES_MAX && str_is_utf8(safe));
    must(safe.ptr[0] != '/' && memchr(safe.ptr, 0, safe.len) == NULL &&
         memchr(safe.ptr, '\\', safe.len) == NULL);
    while (str_next(&rest, '/', &part)) {
        must(part.len > 0 && part.len <= PATH_PART_MAX);
        must(!str_eq_c(part, ".") && !str_eq_c(part, ".."));
    }
    must(path_check(a, safe, &again) == PATH_SAFE && str_eq(again, safe));
}

/* A link that is called safe must stay inside even when the target is followed part by part. */
static void check_link(Arena *a, Str at, Str target)
{
    if (path_check_link(a, at, target, false) != PATH_SAFE)
        return;
    int64_t depth = 0;
    for (size_t i = 0; i < at.len; i++)
        depth += at.ptr[i] == '/';
    Str part;
    while (str_next(&target, '/', &part)) {
        if (str_eq_c(part, ".."))
            depth--;
        must(depth >= 0);
        if (part.len > 0 && !str_eq_c(part, ".") && !str_eq_c(part, ".."))
            depth++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Str all = {(const char *)bytes, size}, safe;
    if (a == NULL)
        return 0;
    size_t split = str_find_char(all, '\n');
    Str path = str_slice(all, 0, split),
        target = split == STR_NONE ? (Str){0} : str_slice(all, split + 1, all.len);
    if (path_check(a, path, &safe) == PATH_SAFE) {
        check_safe(a, safe);
        check_link(a, safe, target);
    }
    return 0;
}
