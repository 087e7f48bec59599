/* The guard: every special range of v4 and v6, what is around it, and what is allowed. */
#include "net/guard.h"
#include "unit/harness.h"

#include <arpa/inet.h>

static bool allows(const char *ranges, const char *address)
{
    Guard g;
    Err err;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {0};
    assert_ok(guard_read(ranges, &g, &err), &err);
    if (strchr(address, ':') != NULL) {
        at.v6.sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, address, &at.v6.sin6_addr), 1);
    } else {
        at.v4.sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, address, &at.v4.sin_addr), 1);
    }
    return guard_allows(&g, &at.any);
}

TEST(public_and_private)
{
    static const struct {
        const char *address;
        bool want;
    } cases[] = {
        {"8.8.8.8", true},
        {"1.1.1.1", true},
        {"9.255.255.255", true},
        {"10.0.0.0", false},
        {"10.255.255.255", false},
        {"11.0.0.0", true},
        {"0.0.0.0", false},
        {"127.0.0.1", false},
        {"127.255.255.254", false},
        {"100.63.255.255", true},
        {"100.64.0.1", false},
        {"100.127.255.255", false},
        {"100.128.0.0", true},
        {"169.254.169.254", false},
        {"172.15.255.255", true},
        {"172.16.0.1", false},
        {"172.31.255.255", false},
        {"172.32.0.0", true},
        {"192.168.1.1", false},
        {"192.167.255.255", true},
        {"198.18.0.1", false},
        {"198.20.0.0", true},
        {"224.0.0.1", false},
        {"239.255.255.255", false},
        {"240.0.0.1", false},
        {"255.255.255.255", false},
        {"168.63.129.16", false},
        {"192.0.2.1", false},
        {"203.0.113.9", false},
        {"::", false},
        {"::1", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:10.0.0.1", false},
        {"::ffff:8.8.8.8", true},
        {"::7f00:1", false},
        {"fe80::1", false},
        {"fc00::1", false},
        {"fd12:3456::1", false},
        {"ff02::1", false},
        {"64:ff9b::7f00:1", false},
        {"64:ff9b::a00:1", false},
        {"64:ff9b::808:808", true},
        {"64:ff9b:1::1", false},
        {"2001:db8::1", false},
        {"2001::1", false},
        {"2002:7f00:1::", false},
        {"2606:4700::1111", true},
        {"2a00:1450::1", true},
        {"fec0::1", false},
        {"100::1", false},
        {"fd00:ec2::254", false},
        {"3fff:1::1", false},
        {"5f00::1", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (allows(NULL, cases[i].address) != cases[i].want)
            fail_msg("%s", cases[i].address);
}

TEST(allowed_ranges)
{
    static const struct {
        const char *ranges, *address;
        bool want;
    } cases[] = {
        {"127.0.0.0/8", "127.3.2.1", true},
        {"127.0.0.0/8", "10.0.0.1", false},
        {"127.0.0.0/8", "::ffff:127.0.0.1", true},
        {"127.0.0.0/8", "64:ff9b::7f00:1", true},
        {"127.0.0.0/8", "::1", false},
        {"10.1.0.0/15, ::1", "10.0.255.255", true},
        {"10.1.0.0/15, ::1", "10.2.0.0", false},
        {"10.1.0.0/15, ::1", "::1", true},
        {"10.9.9.9", "10.9.9.9", true},
        {"10.9.9.9", "10.9.9.8", false},
        {"fd00::/8", "fd99::1", true},
        {"fd00::/8", "fe80::1", false},
        {"0.0.0.0/0", "192.168.0.1", true},
        {"0.0.0.0/0", "fe80::1", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (allows(cases[i].ranges, cases[i].address) != cases[i].want)
            fail_msg("%s: %s", cases[i].ranges, cases[i].address);
}

TEST(what_is_no_range)
{
    static const char *const bad[] = {"x",         "10.0.0.0/33",      "10.0.0.0/-1",
                                      "10.0.0/8",  "::1/129",          "10.0.0.0/",
                                      "localhost", "1.1.1.1,,2.2.2.2", "10.0.0.0/x"};
    Guard g;
    Err err;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (guard_read(bad[i], &g, &err) != ERR_USAGE)
            fail_msg("%s", bad[i]);
}

TEST_MAIN(public_and_private, allowed_ranges, what_is_no_range)
