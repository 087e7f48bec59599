/* Web Push against the example of RFC 8291 (section 5 and appendix A). */
#include "net/webpush.h"
#include "base/log.h"
#include "unit/harness.h"

#include <string.h>

#define UA_PUBLIC                                                                                  \
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define UA_AUTH    "BTBZMqHH6r4Tts7J_aSIgg"
#define AS_PRIVATE "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
#define AS_PUBLIC                                                                                  \
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
#define SALT "DGv6ra1nlYgDCS1FRnbzlw"
#define BODY                                                                                       \
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS" \
    "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu" \
    "lcy4a-fN"

static WebpushTarget browser(void)
{
    WebpushTarget t;
    Err err;
    assert_ok(webpush_target(str_from_c(UA_PUBLIC), str_from_c(UA_AUTH), &t, &err), &err);
    return t;
}

static WebpushPair sender(void)
{
    unsigned char raw[WEBPUSH_PRIVATE];
    WebpushPair p;
    Err err;
    assert_true(webpush_bytes(str_from_c(AS_PRIVATE), raw, sizeof raw));
    assert_ok(webpush_pair_of(raw, &p, &err), &err);
    return p;
}

TEST(the_example_of_the_standard)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Err err;
    Str body;
    unsigned char salt[WEBPUSH_SALT];
    WebpushTarget to = browser();
    WebpushPair from = sender();
    assert_str_equal(webpush_text(a, from.public_key, WEBPUSH_PUBLIC), AS_PUBLIC);
    assert_true(webpush_bytes(str_from_c(SALT), salt, sizeof salt));
    Str clear = STR("When I grow up, I want to be a watermelon");
    assert_ok(webpush_encrypt_with(&to, &from, salt, clear, a, &body, &err), &err);
    assert_str_equal(webpush_text(a, (const unsigned char *)body.ptr, body.len), BODY);
}

TEST(every_message_has_its_own_key)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Err err;
    Str one, two, big = {arena_new(a, char, WEBPUSH_CLEAR_MAX + 1), WEBPUSH_CLEAR_MAX};
    WebpushTarget to = browser();
    assert_ok(webpush_encrypt(&to, STR("x"), a, &one, &err), &err);
    assert_ok(webpush_encrypt(&to, STR("x"), a, &two, &err), &err);
    assert_int_equal(one.len, 16 + 4 + 1 + 65 + 1 + 1 + 16);
    assert_memory_not_equal(one.ptr, two.ptr, 16);           /* salt */
    assert_memory_not_equal(one.ptr + 21, two.ptr + 21, 65); /* key */
    assert_ok(webpush_encrypt(&to, big, a, &one, &err), &err);
    assert_true(one.len <= 4096);
    big.len++;
    assert_int_equal(webpush_encrypt(&to, big, a, &one, &err), ERR_INPUT_TOO_LARGE);
}

TEST(what_a_browser_cannot_say)
{
    static const struct {
        const char *why, *p256dh, *auth, *param;
    } cases[] = {
        {"empty", "", "", "auth"},
        {"auth short", UA_PUBLIC, "BTBZMqHH6r4Tts7J_aSI", "auth"},
        {"auth in another alphabet", UA_PUBLIC, "BTBZMqHH6r4Tts7J/aSIgg", "auth"},
        {"bits that no byte has", UA_PUBLIC, "BTBZMqHH6r4Tts7J_aSIgh", "auth"},
        {"key short", "BCVxsr7N_eNgVRqvHtD0zTZsEc6", UA_AUTH, "p256dh"},
        {"no point of the curve",
         "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw8",
         UA_AUTH, "p256dh"},
        {"the point at infinity",
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         UA_AUTH, "p256dh"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        WebpushTarget t;
        Err err;
        ErrCode rc =
            webpush_target(str_from_c(cases[i].p256dh), str_from_c(cases[i].auth), &t, &err);
        if (rc != ERR_BAD_PARAM || strcmp(err.param, cases[i].param) != 0)
            fail_msg("%s: %s %s", cases[i].why, err_reason(rc), err.param);
    }
    WebpushTarget padded;
    Err err;
    assert_ok(webpush_target(STR(UA_PUBLIC "="), STR(UA_AUTH "=="), &padded, &err), &err);
}

TEST(keys_that_are_none)
{
    unsigned char zero[WEBPUSH_PRIVATE] = {0}, high[WEBPUSH_PRIVATE];
    WebpushPair p;
    Err err;
    memset(high, 255, sizeof high);
    assert_int_equal(webpush_pair_of(zero, &p, &err), ERR_BAD_PARAM);
    assert_int_equal(webpush_pair_of(high, &p, &err), ERR_BAD_PARAM);
}

/* The signature itself is checked by other code: tests/e2e/test_webpush.py. */
TEST(who_sends_is_said)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Err err;
    Str got, token, part;
    WebpushPair from = sender();
    assert_ok(webpush_authorization(&from, STR("https://push.example:8443/x/y?z"),
                                    STR("https://platen.example"), 1700000000, a, &got, &err),
              &err);
    assert_true(str_starts(got, STR("vapid t=")));
    assert_true(str_ends(got, STR(", k=" AS_PUBLIC)));
    token = str_slice(got, 8, got.len - strlen(", k=" AS_PUBLIC));
    assert_true(str_next(&token, '.', &part));
    assert_str_equal(part, "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9");
    assert_true(str_next(&token, '.', &part));
    static const char want[] = "{\"aud\":\"https://push.example:8443\",\"exp\":1700043200,"
                               "\"sub\":\"https://platen.example\"}";
    unsigned char claims[sizeof want];
    assert_true(webpush_bytes(part, claims, sizeof want - 1));
    assert_memory_equal(claims, want, sizeof want - 1);
    assert_int_equal(token.len, 86);
}

#ifdef PLATEN_FAULTS
TEST(survives_every_failure)
{
    WebpushTarget to = browser();
    for (int nth = 1;; nth++) {
        CLEANUP(arena_close) Arena *a = arena_open(MIB);
        Err err = {0};
        Str out;
        WebpushPair pair;
        fault_arm(nth);
        ErrCode rc = webpush_pair_make(&pair, &err);
        if (rc == OK)
            rc = webpush_encrypt(&to, STR("x"), a, &out, &err);
        if (rc == OK)
            rc = webpush_authorization(&pair, STR("https://a.example/"), STR("https://b.example"),
                                       1, a, &out, &err);
        bool delivered = fault_disarm();
        assert_int_equal(rc == OK, !delivered);
        if (!delivered)
            return;
        assert_int_equal(err.code, rc);
    }
}
#else
TEST(survives_every_failure)
{
    skip();
}
#endif

TEST_MAIN(the_example_of_the_standard, every_message_has_its_own_key, what_a_browser_cannot_say,
          keys_that_are_none, who_sends_is_said, survives_every_failure)
