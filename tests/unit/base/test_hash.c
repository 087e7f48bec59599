#include "base/hash.h"
#include "unit/harness.h"

/* FIPS 180-2, appendix B. */
TEST(known_answers)
{
    char hex[HASH_HEX_SIZE];
    assert_true(hash_sha256(STR("abc"), hex));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(hash_sha256(STR(""), hex));
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_MAIN(known_answers)
