#include "net/guard.h"

#include <arpa/inet.h>
#include <string.h>

/* Not on the public internet (IANA's special-purpose registries), as text: read once per look, which
 * is once per request. */
static const char *const closed[] = {
    "0.0.0.0/8",       /* this network */
    "10.0.0.0/8",      /* private */
    "100.64.0.0/10",   /* carriers */
    "127.0.0.0/8",     /* loopback */
    "169.254.0.0/16",  /* link-local, metadata of clouds */
    "172.16.0.0/12",   /* private */
    "192.0.0.0/24",    /* protocol assignments */
    "192.0.2.0/24",    /* documentation */
    "192.31.196.0/24", /* AS112 */
    "192.52.193.0/24", /* AMT */
    "192.88.99.0/24",  /* 6to4 relays */
    "192.168.0.0/16",  /* private */
    "192.175.48.0/24", /* AS112 */
    "198.18.0.0/15",   /* benchmarks */
    "198.51.100.0/24", /* documentation */
    "203.0.113.0/24",  /* documentation */
    "224.0.0.0/4",     /* multicast */
    "240.0.0.0/4",     /* reserved, broadcast */
    "168.63.129.16",   /* Azure's host */
};

/* Of v6 only 2000::/3 is public, without these: */
static const char *const closed6[] = {
    "2001::/23",     /* protocol assignments, Teredo, ORCHID */
    "2001:db8::/32", /* documentation */
    "2002::/16",     /* 6to4: a v4 address inside */
    "3fff::/20",     /* documentation */
};

static bool in_range(const struct in6_addr *a, const GuardRange *r)
{
    int whole = r->bits / 8, rest = r->bits % 8;
    if (memcmp(a->s6_addr, r->from.s6_addr, (size_t)whole) != 0)
        return false;
    if (rest == 0)
        return true;
    unsigned mask = 0xffu << (8 - rest) & 0xff;
    return (a->s6_addr[whole] & mask) == (r->from.s6_addr[whole] & mask);
}

static void map_v4(const void *v4, struct in6_addr *out)
{
    *out = (struct in6_addr){0};
    out->s6_addr[10] = out->s6_addr[11] = 0xff;
    memcpy(out->s6_addr + 12, v4, 4);
}

static bool read_range(Str text, GuardRange *out)
{
    char host[INET6_ADDRSTRLEN];
    size_t slash = str_find_char(text, '/');
    Str front = str_slice(text, 0, slash);
    struct in_addr v4;
    int64_t bits = -1;
    if (front.len == 0 || front.len >= sizeof host)
        return false;
    memcpy(host, front.ptr, front.len);
    host[front.len] = 0;
    bool is_v4 = inet_pton(AF_INET, host, &v4) == 1;
    if (is_v4)
        map_v4(&v4, &out->from);
    else if (inet_pton(AF_INET6, host, &out->from) != 1)
        return false;
    if (slash == STR_NONE)
        bits = is_v4 ? 32 : 128;
    else if (!str_to_i64(str_slice(text, slash + 1, text.len), &bits))
        return false;
    out->bits = (int)bits + (is_v4 ? 96 : 0);
    return bits >= 0 && out->bits <= 128;
}

ErrCode guard_read(const char *ranges, Guard *out, Err *err)
{
    Str rest = str_from_c(ranges), part;
    out->len = 0;
    while (rest.len > 0 && str_next(&rest, ',', &part)) {
        if (out->len == GUARD_RANGES_MAX)
            return err_set(err, ERR_USAGE, "more than %d ranges", GUARD_RANGES_MAX);
        if (!read_range(str_trim(part), &out->allowed[out->len++]))
            return err_set(err, ERR_USAGE, "\"" STR_FMT "\" is no range like 10.0.0.0/8",
                           STR_ARG(part));
    }
    return OK;
}

static bool in_list(const struct in6_addr *a, const char *const *list, size_t len)
{
    GuardRange r;
    for (size_t i = 0; i < len; i++)
        if (read_range(str_from_c(list[i]), &r) && in_range(a, &r))
            return true;
    return false;
}

static bool is_v4(const struct in6_addr *a)
{
    static const GuardRange mapped = {.from.s6_addr = {[10] = 0xff, [11] = 0xff}, .bits = 96};
    return in_range(a, &mapped);
}

static bool is_public(const struct in6_addr *a)
{
    static const GuardRange global = {.from.s6_addr = {0x20}, .bits = 3};
    if (is_v4(a))
        return !in_list(a, closed, COUNT_OF(closed));
    return in_range(a, &global) && !in_list(a, closed6, COUNT_OF(closed6));
}

/* 64:ff9b::a.b.c.d is a.b.c.d behind a NAT64: as public as that. */
static bool nat64(const struct in6_addr *a, struct in6_addr *inside)
{
    static const GuardRange well_known = {.from.s6_addr = {0, 0x64, 0xff, 0x9b}, .bits = 96};
    if (!in_range(a, &well_known))
        return false;
    map_v4(a->s6_addr + 12, inside);
    return true;
}

bool guard_allows(const Guard *g, const struct sockaddr *address)
{
    struct in6_addr a;
    if (address->sa_family == AF_INET)
        map_v4(&((const struct sockaddr_in *)(const void *)address)->sin_addr, &a);
    else if (address->sa_family == AF_INET6)
        a = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    else
        return false;
    struct in6_addr inside;
    if (nat64(&a, &inside))
        a = inside;
    for (size_t i = 0; i < g->len; i++)
        if (in_range(&a, &g->allowed[i]))
            return true;
    return is_public(&a);
}
