/* Signatures against answers computed with Python's hmac, hashlib and base64. */
#include "net/signing.h"
#include "unit/harness.h"

static const Str secret_a = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38};
static const Str secret_b = {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 50};
static const Str id_a = {"msg_p5jXN8AQM9LWM0D4loKWxJek", 28};
static const Str body_a = {"{\"test\": 2432232314}", 20};
#define SIGNATURE_A "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define SIGNATURE_B "v1,frMjRQKeIzUmMICXfmlkGIBG7LXN8ag0WXRLXleRV54="

TEST(known_answers)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Err err;
    Str got;
    assert_ok(signing_sign(&secret_a, 1, id_a, 1614265330, body_a, a, &got, &err), &err);
    assert_str_equal(got, SIGNATURE_A);
    Str body_b = STR("{\"type\":\"job.done\"}");
    assert_ok(signing_sign(&secret_b, 1, STR("msg_1"), 1700000000, body_b, a, &got, &err), &err);
    assert_str_equal(got, SIGNATURE_B);
    const Str both[] = {secret_b, secret_a};
    assert_ok(signing_sign(both, 2, id_a, 1614265330, body_a, a, &got, &err), &err);
    assert_true(str_ends(got, STR(" " SIGNATURE_A)));
    assert_int_equal(signing_sign(both, 2, STR("a.b"), 1, body_a, a, &got, &err), ERR_BAD_PARAM);
    assert_int_equal(signing_sign(both, 0, id_a, 1, body_a, a, &got, &err), ERR_BAD_PARAM);
}

TEST(verifying)
{
    const int64_t t = 1614265330;
    static const struct {
        const char *why, *id, *time, *signature, *body;
        int64_t late_s;
        bool ok;
    } cases[] = {
        {"as sent", NULL, NULL, SIGNATURE_A, NULL, 0, true},
        {"at the edge", NULL, NULL, SIGNATURE_A, NULL, 300, true},
        {"too old", NULL, NULL, SIGNATURE_A, NULL, 301, false},
        {"from the future", NULL, NULL, SIGNATURE_A, NULL, -301, false},
        {"one of several", NULL, NULL, "v1a,xx v1,AAAA " SIGNATURE_A, NULL, 0, true},
        {"other version", NULL, NULL, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", NULL, 0,
         false},
        {"cut", NULL, NULL, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", NULL, 0, false},
        {"nothing", NULL, NULL, "", NULL, 0, false},
        {"other id", "msg_x", NULL, SIGNATURE_A, NULL, 0, false},
        {"no id", "", NULL, SIGNATURE_A, NULL, 0, false},
        {"other time", NULL, "1614265331", SIGNATURE_A, NULL, 0, false},
        {"no time", NULL, "soon", SIGNATURE_A, NULL, 0, false},
        {"other body", NULL, NULL, SIGNATURE_A, "{\"test\": 2432232315}", 0, false},
    };
    Err err;
    const Str secrets[] = {secret_b, secret_a};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ErrCode rc = signing_verify(
            secrets, 2, cases[i].id != NULL ? str_from_c(cases[i].id) : id_a,
            cases[i].time != NULL ? str_from_c(cases[i].time) : STR("1614265330"),
            str_from_c(cases[i].signature),
            cases[i].body != NULL ? str_from_c(cases[i].body) : body_a, t + cases[i].late_s, &err);
        if (rc != (cases[i].ok ? OK : ERR_BAD_SIGNATURE))
            fail_msg("%s: %s", cases[i].why, err_reason(rc));
    }
    assert_int_equal(
        signing_verify(&secret_b, 1, id_a, STR("1614265330"), STR(SIGNATURE_A), body_a, t, &err),
        ERR_BAD_SIGNATURE);
}

TEST(secrets)
{
    char made[SIGNING_SECRET_SIZE], other[SIGNING_SECRET_SIZE];
    Err err;
    assert_ok(signing_secret_make(made, &err), &err);
    assert_ok(signing_secret_make(other, &err), &err);
    assert_string_not_equal(made, other);
    assert_ok(signing_secret_check(str_from_c(made), &err), &err);
    static const struct {
        const char *secret;
        bool ok;
    } cases[] = {
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", true}, /* without padding */
        {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
        {"whsec_", false},
        {"whsec_AAAA", false},
        {"whsec_????AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if ((signing_secret_check(str_from_c(cases[i].secret), &err) == OK) != cases[i].ok)
            fail_msg("%s", cases[i].secret);
    char longest[256] = "whsec_";
    memset(longest + 6, 'A', 88);
    assert_int_equal(signing_secret_check(str_from_c(longest), &err), ERR_BAD_PARAM); /* 66 bytes */
    longest[6 + 84] = 0;
    assert_ok(signing_secret_check(str_from_c(longest), &err), &err);
}

TEST(github)
{
    Err err;
    Str secret = STR("It's a Secret to Everybody"), body = STR("Hello, World!");
    Str good = STR("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    assert_ok(signing_verify_github(secret, good, body, &err), &err);
    assert_int_equal(signing_verify_github(secret, good, STR("Hello"), &err), ERR_BAD_SIGNATURE);
    assert_int_equal(signing_verify_github(STR("x"), good, body, &err), ERR_BAD_SIGNATURE);
    assert_int_equal(signing_verify_github(STR(""), good, body, &err), ERR_BAD_SIGNATURE);
    assert_int_equal(signing_verify_github(secret, STR("sha256=75"), body, &err),
                     ERR_BAD_SIGNATURE);
    assert_int_equal(signing_verify_github(secret, STR(""), body, &err), ERR_BAD_SIGNATURE);
}

TEST_MAIN(known_answers, verifying, secrets, github)
