/* bytes.h: little-endian numbers out of untrusted bytes; 0 where the bytes end. */
#ifndef PLATEN_DOCUMENT_BYTES_H
#define PLATEN_DOCUMENT_BYTES_H

#include "base/str.h"

static inline uint32_t le16(Str s, size_t at)
{
    if (s.len < 2 || at > s.len - 2)
        return 0;
    const unsigned char *p = (const unsigned char *)s.ptr + at;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t le32(Str s, size_t at)
{
    if (s.len < 4 || at > s.len - 4)
        return 0;
    return le16(s, at) | le16(s, at + 2) << 16;
}

static inline uint64_t le64(Str s, size_t at)
{
    if (s.len < 8 || at > s.len - 8)
        return 0;
    return le32(s, at) | (uint64_t)le32(s, at + 4) << 32;
}

#endif
