/* bomb.c: does the file unpack to suspiciously much? Asked before LibreOffice sees it: it would
 * unpack first and run into its limits after minutes. Only the directory at the end of a ZIP file is
 * read; an entry that lies about its size is LibreOffice's to find out, which stops at the size it
 * was told. */
#include "office/office.h"
#include "base/fd.h"

#include <string.h>
#include <unistd.h>

enum {
    TAIL_MAX = 65535 + 22, /* longest comment and the record itself */
    TAIL_MIN = 22,
    ENTRY_MIN = 46,
    DIRECTORY_MAX = 16 * 1024 * 1024,
    RATIO_MAX = 200,
};
static const int64_t harmless_bytes = 64 << 20, most_bytes = (int64_t)1 << 30;

static uint32_t u16(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return u[0] | (uint32_t)u[1] << 8;
}

static uint32_t u32(const char *p)
{
    return u16(p) | u16(p + 2) << 16;
}

bool office_zip_directory(Str tail, int64_t *out_at, int64_t *out_len)
{
    for (size_t i = tail.len; i >= TAIL_MIN; i--) {
        const char *p = tail.ptr + i - TAIL_MIN;
        if (memcmp(p, "PK\5\6", 4) != 0)
            continue;
        *out_len = u32(p + 12);
        *out_at = u32(p + 16);
        return true;
    }
    return false;
}

int64_t office_zip_unpacked(Str directory)
{
    int64_t sum = 0;
    for (size_t at = 0; at + ENTRY_MIN <= directory.len;) {
        const char *p = directory.ptr + at;
        if (memcmp(p, "PK\1\2", 4) != 0)
            break;
        sum += u32(p + 24); /* 2^32 - 1 where the true size is in an extra field: much enough */
        at += ENTRY_MIN + u16(p + 28) + u16(p + 30) + u16(p + 32);
    }
    return sum;
}

static bool read_at(int fd, int64_t at, char *to, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t n = pread(fd, to + have, len - have, at + (int64_t)have);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

ErrCode office_check_bomb(StepCtx *c)
{
    int64_t size = fd_size(c->input_fd), at = 0, len = 0;
    char magic[4];
    if (size < TAIL_MIN || !read_at(c->input_fd, 0, magic, 4) || memcmp(magic, "PK\3\4", 4) != 0)
        return OK;
    size_t tail_len = size < TAIL_MAX ? (size_t)size : TAIL_MAX;
    char *tail = arena_alloc_raw(c->arena, tail_len);
    if (tail == NULL || !read_at(c->input_fd, size - (int64_t)tail_len, tail, tail_len))
        return err_set(c->err, ERR_IO, "could not read the end of the file");
    if (!office_zip_directory((Str){tail, tail_len}, &at, &len) || at + len > size ||
        len > DIRECTORY_MAX)
        return OK; /* damaged, or not what it looks like: LibreOffice will say */
    char *directory = arena_alloc_raw(c->arena, (size_t)len + 1);
    if (directory == NULL || !read_at(c->input_fd, at, directory, (size_t)len))
        return err_set(c->err, ERR_IO, "could not read the directory of the file");
    int64_t sum = office_zip_unpacked((Str){directory, (size_t)len});
    if (sum > most_bytes || (sum > harmless_bytes && sum / RATIO_MAX > size))
        return err_set(c->err, ERR_LIMIT_RATIO,
                       "%" PRId64 " bytes would unpack to %" PRId64 ", more than is sensible", size,
                       sum);
    return OK;
}
