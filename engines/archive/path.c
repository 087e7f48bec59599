#include "archive/path.h"

#include <string.h>

const char *path_fault_text(PathFault f)
{
    static const char *const texts[] = {
        [PATH_SAFE] = "is safe",
        [PATH_EMPTY] = "is empty",
        [PATH_ABSOLUTE] = "begins at the root or a drive",
        [PATH_PARENT] = "leads to a parent folder",
        [PATH_CONTROL] = "has control characters",
        [PATH_RESERVED] = "is the name of a Windows device",
        [PATH_LONG] = "is too long or too deep",
        [PATH_NOT_UTF8] = "is not valid text",
        [PATH_NO_MEMORY] = "does not fit into memory",
    };
    return texts[f];
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Control characters of both ranges, and those that make a name look like another ("exe.txt" for
 * "txt.exe"). */
static bool has_control(Str s)
{
    for (size_t at = 0; at < s.len;) {
        uint32_t cp = str_next_utf8(s, &at);
        if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e) ||
            (cp >= 0x2066 && cp <= 0x2069))
            return true;
    }
    return false;
}

/* The part as Windows sees it: without dots and spaces at its end. */
static Str without_tail(Str part)
{
    while (part.len > 0 && (part.ptr[part.len - 1] == '.' || part.ptr[part.len - 1] == ' '))
        part.len--;
    return part;
}

static bool is_reserved(Str part)
{
    static const char *const names[] = {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"};
    size_t end = 0;
    while (end < part.len && part.ptr[end] != '.' && part.ptr[end] != ':')
        end++;
    Str base = without_tail(str_slice(part, 0, end));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq_nocase(base, str_from_c(names[i])))
            return true;
    Str port = str_slice(base, 0, 3);
    return base.len == 4 && base.ptr[3] >= '1' && base.ptr[3] <= '9' &&
           (str_eq_nocase(port, STR("com")) || str_eq_nocase(port, STR("lpt")));
}

static PathFault check_part(Str part)
{
    if (part.len > PATH_PART_MAX)
        return PATH_LONG;
    if (without_tail(part).len == 0) /* "..", and "...", ".. ." that Windows makes into it */
        return PATH_PARENT;
    return is_reserved(part) ? PATH_RESERVED : PATH_SAFE;
}

PathFault path_check(Arena *a, Str raw, Str *safe)
{
    if (raw.len > PATH_BYTES_MAX)
        return PATH_LONG;
    if (!str_is_utf8(raw))
        return PATH_NOT_UTF8;
    if (has_control(raw))
        return PATH_CONTROL;
    char *out = arena_new(a, char, raw.len + 1);
    char *slashed = arena_new(a, char, raw.len + 1);
    if (out == NULL || slashed == NULL)
        return PATH_NO_MEMORY;
    for (size_t i = 0; i < raw.len; i++)
        slashed[i] = raw.ptr[i] == '\\' ? '/' : raw.ptr[i];
    if (slashed[0] == '/' || (raw.len >= 2 && is_letter(slashed[0]) && slashed[1] == ':'))
        return PATH_ABSOLUTE;

    Str rest = {slashed, raw.len}, part;
    size_t len = 0, parts = 0;
    while (str_next(&rest, '/', &part)) {
        if (part.len == 0 || str_eq(part, STR(".")))
            continue;
        PathFault fault = check_part(part);
        if (fault != PATH_SAFE)
            return fault;
        if (++parts > PATH_PARTS_MAX)
            return PATH_LONG;
        if (len > 0)
            out[len++] = '/';
        memcpy(out + len, part.ptr, part.len);
        len += part.len;
    }
    if (len == 0)
        return PATH_EMPTY;
    *safe = (Str){out, len};
    return PATH_SAFE;
}

/* Does the target climb further than the link lies deep, at any point of its way? */
static bool climbs_out(Str at, Str target, bool backslash_separates)
{
    int64_t depth = 0;
    for (size_t i = 0; i < at.len; i++)
        depth += at.ptr[i] == '/';
    for (size_t from = 0, to; from <= target.len; from = to + 1) {
        for (to = from; to < target.len; to++)
            if (target.ptr[to] == '/' || (backslash_separates && target.ptr[to] == '\\'))
                break;
        Str part = str_slice(target, from, to);
        if (part.len == 0 || str_eq(part, STR(".")))
            continue;
        depth += without_tail(part).len == 0 ? -1 : 1;
        if (depth < 0)
            return true;
    }
    return false;
}

PathFault path_check_link(Arena *a, Str at, Str target, bool hard)
{
    Str safe;
    if (hard)
        return path_check(a, target, &safe);
    if (target.len > PATH_BYTES_MAX)
        return PATH_LONG;
    if (!str_is_utf8(target))
        return PATH_NOT_UTF8;
    if (has_control(target))
        return PATH_CONTROL;
    if (target.len > 0 && (target.ptr[0] == '/' || target.ptr[0] == '\\'))
        return PATH_ABSOLUTE;
    if (target.len >= 2 && is_letter(target.ptr[0]) && target.ptr[1] == ':')
        return PATH_ABSOLUTE;
    /* "x\y/../.." goes down one folder on Unix and two on Windows: it has to stay inside on both.
     */
    return climbs_out(at, target, false) || climbs_out(at, target, true) ? PATH_PARENT : PATH_SAFE;
}
