/* harness.h: cmocka with platen's shape.
 *
 *   TEST(plan_meets_the_box) { … }
 *   TEST_MAIN(plan_meets_the_box, survives_every_failure)
 *
 * assert_str_equal(Str, "text") prints both sides. EVERY_FAULT(code) runs `code` with the 1st, 2nd,
 * 3rd … thing that can fail failing, until nothing is left to fail; needs a build with faults and
 * is skipped elsewhere. */
#ifndef PLATEN_TESTS_HARNESS_H
#define PLATEN_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fault.h"

#define TEST(name) static void name(void **cmocka_state __attribute__((unused)))

#define TEST_ENTRY(name)                                                                           \
    {                                                                                              \
#name, name, NULL, NULL, NULL                                                              \
    }
#define TEST_E1(a)       TEST_ENTRY(a)
#define TEST_E2(a, ...)  TEST_ENTRY(a), TEST_E1(__VA_ARGS__)
#define TEST_E3(a, ...)  TEST_ENTRY(a), TEST_E2(__VA_ARGS__)
#define TEST_E4(a, ...)  TEST_ENTRY(a), TEST_E3(__VA_ARGS__)
#define TEST_E5(a, ...)  TEST_ENTRY(a), TEST_E4(__VA_ARGS__)
#define TEST_E6(a, ...)  TEST_ENTRY(a), TEST_E5(__VA_ARGS__)
#define TEST_E7(a, ...)  TEST_ENTRY(a), TEST_E6(__VA_ARGS__)
#define TEST_E8(a, ...)  TEST_ENTRY(a), TEST_E7(__VA_ARGS__)
#define TEST_E9(a, ...)  TEST_ENTRY(a), TEST_E8(__VA_ARGS__)
#define TEST_E10(a, ...) TEST_ENTRY(a), TEST_E9(__VA_ARGS__)
#define TEST_E11(a, ...) TEST_ENTRY(a), TEST_E10(__VA_ARGS__)
#define TEST_E12(a, ...) TEST_ENTRY(a), TEST_E11(__VA_ARGS__)
#define TEST_E13(a, ...) TEST_ENTRY(a), TEST_E12(__VA_ARGS__)
#define TEST_E14(a, ...) TEST_ENTRY(a), TEST_E13(__VA_ARGS__)
#define TEST_E15(a, ...) TEST_ENTRY(a), TEST_E14(__VA_ARGS__)
#define TEST_E16(a, ...) TEST_ENTRY(a), TEST_E15(__VA_ARGS__)
#define TEST_E17(a, ...) TEST_ENTRY(a), TEST_E16(__VA_ARGS__)
#define TEST_E18(a, ...) TEST_ENTRY(a), TEST_E17(__VA_ARGS__)
#define TEST_E19(a, ...) TEST_ENTRY(a), TEST_E18(__VA_ARGS__)
#define TEST_E20(a, ...) TEST_ENTRY(a), TEST_E19(__VA_ARGS__)
#define TEST_E21(a, ...) TEST_ENTRY(a), TEST_E20(__VA_ARGS__)
#define TEST_E22(a, ...) TEST_ENTRY(a), TEST_E21(__VA_ARGS__)
#define TEST_E23(a, ...) TEST_ENTRY(a), TEST_E22(__VA_ARGS__)
#define TEST_E24(a, ...) TEST_ENTRY(a), TEST_E23(__VA_ARGS__)
#define TEST_PICK(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, name,    \
                  ...)                                                                             \
    name
#define TEST_MAIN(...)                                                                             \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct CMUnitTest tests[] = {                                                        \
            TEST_PICK(__VA_ARGS__, TEST_E24, TEST_E23, TEST_E22, TEST_E21, TEST_E20, TEST_E19,     \
                      TEST_E18, TEST_E17, TEST_E16, TEST_E15, TEST_E14, TEST_E13, TEST_E12,        \
                      TEST_E11, TEST_E10, TEST_E9, TEST_E8, TEST_E7, TEST_E6, TEST_E5, TEST_E4,    \
                      TEST_E3, TEST_E2, TEST_E1)(__VA_ARGS__)};                                    \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#define assert_str_equal(got, want)                                                                \
    do {                                                                                           \
        Str got_ = (got);                                                                          \
        if (!str_eq_c(got_, want))                                                                 \
            fail_msg("got \"" STR_FMT "\", want \"%s\"", STR_ARG(got_), want);                     \
    } while (0)

#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        ErrCode rc_ = (call);                                                                      \
        if (rc_ != OK)                                                                             \
            fail_msg("%s: %s: %s", #call, err_reason(rc_), (err)->text);                           \
    } while (0)

#endif
